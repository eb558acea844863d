#include "credential/pem.h"

#include <string.h>

#include "base/text.h"

#define COLUMNS 64

static const char begin[] = "-----BEGIN CERTIFICATE-----";
static const char end[] = "-----END CERTIFICATE-----";
static const char any[] = "-----BEGIN ";

void xos_pem_write(struct xos_buf *out, struct xos_bytes der)
{
	struct xos_buf b64;
	xos_buf_init(&b64, der.n / 3 * 4 + 8);
	xos_base64_encode(&b64, der);
	if (xos_buf_status(&b64)) {
		out->status = XOS_INTERNAL;
		xos_buf_free(&b64);
		return;
	}
	xos_buf_printf(out, "%s\n", begin);
	for (size_t at = 0; at < b64.n; at += COLUMNS) {
		size_t left = b64.n - at;
		xos_buf_put(out, b64.p + at, left < COLUMNS ? left : COLUMNS);
		xos_buf_put_str(out, "\n");
	}
	xos_buf_printf(out, "%s\n", end);
	xos_buf_free(&b64);
}

static enum xos_status malformed(struct xos_err *err, const char *what)
{
	return xos_err_set(err, XOS_MALFORMED, "pem", "the certificates in PEM: %s", what);
}

/* One block's text without its line ends, decoded and appended. */
static enum xos_status decode(struct xos_bytes body, struct xos_buf *out, struct xos_err *err)
{
	struct xos_buf b64;
	xos_buf_init(&b64, body.n + 1);
	for (size_t i = 0; i < body.n; i++)
		if (body.p[i] != '\n' && body.p[i] != '\r')
			xos_buf_u8(&b64, body.p[i]);
	enum xos_status st = xos_buf_status(&b64);
	if (!st && b64.n)
		st = xos_base64_decode(out, (const char *)b64.p, b64.n);
	if (st || !b64.n)
		st = malformed(err, "a block that is no base64, or too long");
	xos_buf_free(&b64);
	return st;
}

static const uint8_t *find(struct xos_bytes in, const char *what)
{
	return in.n ? memmem(in.p, in.n, what, strlen(what)) : NULL;
}

static void skip_to(struct xos_bytes *in, const uint8_t *p)
{
	in->n -= (size_t)(p - in->p);
	in->p = p;
}

enum xos_status xos_pem_read(struct xos_bytes text, struct xos_buf *memory,
    struct xos_bytes cert[XOS_PEM_CERTS_MAX], size_t *n, struct xos_err *err)
{
	size_t from[XOS_PEM_CERTS_MAX + 1] = {memory->n}, count = 0;
	for (const uint8_t *p; (p = find(text, any));) {
		skip_to(&text, p);
		if (text.n < sizeof(begin) - 1 || memcmp(p, begin, sizeof(begin) - 1) != 0)
			return malformed(err, "a block that is no certificate");
		skip_to(&text, p + sizeof(begin) - 1);
		const uint8_t *stop = find(text, end);
		if (!stop)
			return malformed(err, "a block that does not end");
		if (count == XOS_PEM_CERTS_MAX)
			return malformed(err, "more than 16 of them");
		enum xos_status st =
		    decode((struct xos_bytes){text.p, (size_t)(stop - text.p)}, memory, err);
		if (st)
			return st;
		from[++count] = memory->n;
		skip_to(&text, stop + sizeof(end) - 1);
	}
	if (!count)
		return malformed(err, "there is none");
	for (size_t i = 0; i < count; i++)
		cert[i] = (struct xos_bytes){memory->p + from[i], from[i + 1] - from[i]};
	*n = count;
	return XOS_OK;
}
