#include "auth/code.h"

#include <string.h>

#include "base/random.h"
#include "pki/digest.h"

#define RANDOM_LEN (XOS_CODE_LEN - 2)
#define GROUP 4

/* Crockford's: without i, l, o, u. */
static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* Ten bits of a digest: of 1024 typing errors one is not found. */
static void check_characters(const uint8_t *code, uint8_t out[2])
{
	struct xos_bytes in[2] = {xos_bytes_str("xos code check\n"), {code, RANDOM_LEN}};
	uint8_t digest[XOS_SHA256_LEN] = {0};

	/* A failure of the library makes codes that nobody can use, never one that is weaker. */
	if (xos_sha256_parts(in, 2, digest) != XOS_OK)
		memset(digest, 0, sizeof(digest));
	out[0] = (uint8_t)alphabet[digest[0] & 31];
	out[1] = (uint8_t)alphabet[digest[1] & 31];
}

struct xos_secret *xos_code_make(void)
{
	struct xos_secret *s = xos_secret_new(XOS_CODE_LEN);
	uint8_t *p = s ? xos_secret_data(s) : NULL;

	if (!s)
		return NULL;
	xos_random(p, RANDOM_LEN);
	for (size_t i = 0; i < RANDOM_LEN; i++)
		p[i] = (uint8_t)alphabet[p[i] & 31];
	check_characters(p, p + RANDOM_LEN);
	return s;
}

void xos_code_format(struct xos_secret *code, char out[XOS_CODE_TEXT])
{
	const uint8_t *p = xos_secret_data(code);
	size_t at = 0;

	for (size_t i = 0; i < XOS_CODE_LEN && i < xos_secret_len(code); i++) {
		if (i && i % GROUP == 0)
			out[at++] = '-';
		out[at++] = (char)p[i];
	}
	out[at] = '\0';
}

/* The character that was meant, 0 if there is none. */
static char meant(uint8_t c)
{
	char lower = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);

	if (lower == 'o')
		return '0';
	if (lower == 'i' || lower == 'l')
		return '1';
	return lower && strchr(alphabet, lower) ? lower : '\0';
}

enum xos_status xos_code_read(
    struct xos_secret *typed, struct xos_secret **out, struct xos_err *err)
{
	struct xos_secret *s = xos_secret_new(XOS_CODE_LEN);
	const uint8_t *in = typed ? xos_secret_data(typed) : NULL;
	size_t n = 0, left = typed ? xos_secret_len(typed) : 0;
	uint8_t check[2];
	bool form = left <= XOS_CODE_TYPED_MAX;

	*out = NULL;
	if (!s)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (; form && left; in++, left--) {
		char c = meant(*in);

		if (*in == '-' || *in == ' ')
			continue;
		form = c && n < XOS_CODE_LEN;
		if (form)
			xos_secret_data(s)[n++] = (uint8_t)c;
	}
	if (!form || n != XOS_CODE_LEN) {
		xos_secret_free(s);
		return xos_err_set(err, XOS_MALFORMED, "code-form",
		    "a one-time code has %d letters and digits in groups of four, such as "
		    "4h7k-zq2m-9d3f-x8vt-rw6p",
		    XOS_CODE_LEN);
	}
	check_characters(xos_secret_data(s), check);
	if (!xos_ct_equal(check, xos_secret_data(s) + RANDOM_LEN, sizeof(check))) {
		xos_secret_free(s);
		return xos_err_set(err, XOS_MALFORMED, "code-mistyped",
		    "the code is mistyped: compare it character by character; it was not sent");
	}
	*out = s;
	return XOS_OK;
}
