#include "token/issuerext.h"

#include <string.h>

#include "base/text.h"
#include "pki/der.h"

#define VERSION 1

static bool kinds_ok(unsigned kinds)
{
	return kinds != 0 && (kinds & ~XOS_KINDS_ALL) == 0;
}

enum xos_status xos_issuer_marker_encode(
    const struct xos_issuer_marker *m, struct xos_buf *out, struct xos_err *err)
{
	struct xos_der w;
	enum xos_status st;

	if (!xos_name_is_vo(m->vo) || !kinds_ok(m->kinds))
		return xos_err_set(
		    err, XOS_MALFORMED, "issuer-marker", "no issuer for these kinds");
	xos_der_init(&w, out);
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	xos_der_put_u64(&w, XOS_DER_INTEGER, VERSION);
	xos_der_put_str(&w, XOS_DER_UTF8, m->vo);
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	for (unsigned k = XOS_KIND_USER; k <= XOS_KIND_LAST; k++)
		if (m->kinds & XOS_KIND_BIT(k))
			xos_der_put_u64(&w, XOS_DER_ENUMERATED, k);
	xos_der_end(&w);
	xos_der_end(&w);
	st = xos_der_finish(&w);
	return st == XOS_OK ? st : xos_err_set(err, st, "issuer-marker", "no room for the marker");
}

enum xos_status xos_issuer_marker_decode(
    struct xos_bytes der, struct xos_issuer_marker *out, struct xos_err *err)
{
	struct xos_issuer_marker m = {0};
	struct xos_reader outer, r, list;
	uint64_t version, kind, last = 0;

	memset(out, 0, sizeof(*out));
	xos_reader_init(&outer, der);
	if (!xos_der_enter(&outer, XOS_DER_SEQUENCE, &r) || xos_reader_end(&outer) != XOS_OK ||
	    !xos_der_u64(&r, XOS_DER_INTEGER, VERSION, &version) || version != VERSION ||
	    !xos_der_str(&r, XOS_DER_UTF8, m.vo, sizeof(m.vo)) ||
	    !xos_der_enter(&r, XOS_DER_SEQUENCE, &list) || xos_reader_end(&r) != XOS_OK)
		goto bad;
	while (list.left) {
		if (!xos_der_u64(&list, XOS_DER_ENUMERATED, XOS_KIND_LAST, &kind) || kind <= last)
			goto bad;
		m.kinds |= XOS_KIND_BIT(kind);
		last = kind;
	}
	if (!xos_name_is_vo(m.vo) || !kinds_ok(m.kinds))
		goto bad;
	*out = m;
	return XOS_OK;
bad:
	return xos_err_set(err, XOS_MALFORMED, "issuer-marker",
	    "the issuer extension of a certificate is malformed");
}
