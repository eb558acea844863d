#include <string.h>

#include "base/text.h"
#include "pki/internal.h"

static const char begin_mark[] = "-----BEGIN ";
static const char end_mark[] = "-----END ";
static const char dashes[] = "-----";

#define LABEL_MAX 40

static const uint8_t *find(struct xos_bytes in, const char *what, size_t n)
{
	return in.n >= n ? memmem(in.p, in.n, what, n) : NULL;
}

static struct xos_bytes after(struct xos_bytes in, const uint8_t *p)
{
	return (struct xos_bytes){p, in.n - (size_t)(p - in.p)};
}

/* The label that ends with five dashes and a line end. */
static bool read_label(struct xos_bytes in, struct xos_bytes *label, struct xos_bytes *rest)
{
	const uint8_t *e = find(in, dashes, 5);
	size_t n;

	if (!e)
		return false;
	n = (size_t)(e - in.p);
	if (n == 0 || n > LABEL_MAX || memchr(in.p, '\n', n))
		return false;
	*label = (struct xos_bytes){in.p, n};
	*rest = after(in, e + 5);
	return true;
}

enum xos_status pki_pem_next(struct xos_bytes *text, struct pki_pem *out, struct xos_err *err)
{
	struct xos_bytes label, end_label, rest;
	const uint8_t *b = find(*text, begin_mark, sizeof(begin_mark) - 1), *e;

	if (!b)
		return XOS_NOT_FOUND;
	if (b != text->p && b[-1] != '\n')
		goto bad;
	if (!read_label(after(*text, b + sizeof(begin_mark) - 1), &label, &rest))
		goto bad;
	e = find(rest, end_mark, sizeof(end_mark) - 1);
	if (!e)
		goto bad;
	out->label = label;
	out->body = (struct xos_bytes){rest.p, (size_t)(e - rest.p)};
	if (!read_label(after(rest, e + sizeof(end_mark) - 1), &end_label, &rest) ||
	    !xos_bytes_eq(label, end_label))
		goto bad;
	out->whole = (struct xos_bytes){b, (size_t)(rest.p - b)};
	*text = rest;
	return XOS_OK;
bad:
	return xos_err_set(err, XOS_MALFORMED, "pem", "a PEM block is damaged or cut off");
}

bool pki_pem_is(const struct pki_pem *pem, const char *label)
{
	return xos_bytes_eq(pem->label, xos_bytes_str(label));
}

enum xos_status pki_pem_decode(const struct pki_pem *pem, struct xos_buf *der, struct xos_err *err)
{
	enum xos_status st = XOS_MALFORMED;
	struct xos_buf text;

	xos_buf_init(&text, pem->body.n);
	for (size_t i = 0, start = 0; i <= pem->body.n; i++) {
		if (i < pem->body.n && pem->body.p[i] != '\n' && pem->body.p[i] != '\r')
			continue;
		xos_buf_put(&text, pem->body.p + start, i - start);
		start = i + 1;
	}
	st = xos_buf_status(&text);
	if (st == XOS_OK && text.n)
		st = xos_base64_decode(der, (const char *)text.p, text.n);
	else if (st == XOS_OK)
		st = XOS_MALFORMED;
	if (st != XOS_OK)
		xos_err_set(err, st, "pem", "the base64 text of a PEM block (%.*s) is damaged",
		    (int)pem->label.n, (const char *)pem->label.p);
	xos_buf_free(&text);
	return st;
}

void pki_pem_encode(struct xos_buf *out, const char *label, struct xos_bytes der)
{
	xos_buf_printf(out, "-----BEGIN %s-----\n", label);
	for (size_t at = 0; at < der.n; at += 48) {
		size_t n = der.n - at < 48 ? der.n - at : 48;

		xos_base64_encode(out, (struct xos_bytes){der.p + at, n});
		xos_buf_put_str(out, "\n");
	}
	xos_buf_printf(out, "-----END %s-----\n", label);
}
