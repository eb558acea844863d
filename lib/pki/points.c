#include "pki/points.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pki/der.h"

#define OID_ACCESS XOS_OID("\x2b\x06\x01\x05\x05\x07\x01\x01")
#define OID_POINTS XOS_OID("\x55\x1d\x1f")
#define OID_OCSP XOS_OID("\x2b\x06\x01\x05\x05\x07\x30\x01")
#define OID_ISSUERS XOS_OID("\x2b\x06\x01\x05\x05\x07\x30\x02")
#define EXT_MAX 1024
#define URL_ROOM (XOS_POINTS_URL_MAX + 8)

struct xos_points {
	struct xos_buf access;
	struct xos_buf distribution[XOS_POINTS_SHARDS];
	char crl[XOS_POINTS_SHARDS][URL_ROOM];
};

unsigned xos_points_shard(struct xos_bytes serial)
{
	return serial.n ? serial.p[serial.n - 1] % XOS_POINTS_SHARDS : 0;
}

static bool url_ok(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	for (size_t i = 0; i < n; i++)
		if (s[i] <= 0x20 || s[i] >= 0x7f)
			return false;
	return n > 7 && n <= XOS_POINTS_URL_MAX && strncmp(s, "http://", 7) == 0;
}

static void put_access(struct xos_der *w, struct xos_bytes method, const char *url)
{
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put(w, XOS_DER_OID, method);
	xos_der_put_str(w, XOS_DER_CONTEXT | 6, url);
	xos_der_end(w);
}

static enum xos_status encode_access(struct xos_points *p, const struct xos_points_urls *u)
{
	struct xos_der w;

	xos_der_init(&w, &p->access);
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	xos_der_put(&w, XOS_DER_OID, OID_ACCESS);
	xos_der_begin(&w, XOS_DER_OCTET_STRING);
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	put_access(&w, OID_OCSP, u->ocsp);
	put_access(&w, OID_ISSUERS, u->issuer);
	xos_der_end(&w);
	xos_der_end(&w);
	xos_der_end(&w);
	return xos_der_finish(&w);
}

/* CRLDistributionPoints: one DistributionPoint { distributionPoint [0] { fullName [0] { URI } } } */
static enum xos_status encode_distribution(struct xos_points *p, unsigned shard)
{
	struct xos_der w;

	xos_der_init(&w, &p->distribution[shard]);
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	xos_der_put(&w, XOS_DER_OID, OID_POINTS);
	xos_der_begin(&w, XOS_DER_OCTET_STRING);
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	xos_der_begin(&w, XOS_DER_CONTEXT_CONSTRUCTED | 0);
	xos_der_begin(&w, XOS_DER_CONTEXT_CONSTRUCTED | 0);
	xos_der_put_str(&w, XOS_DER_CONTEXT | 6, p->crl[shard]);
	for (unsigned i = 0; i < 6; i++)
		xos_der_end(&w);
	return xos_der_finish(&w);
}

enum xos_status xos_points_new(
    const struct xos_points_urls *u, struct xos_points **out, struct xos_err *err)
{
	const char *bad = !url_ok(u->ocsp) ? u->ocsp : !url_ok(u->issuer) ? u->issuer : u->crl;
	struct xos_points *p;
	enum xos_status st;

	*out = NULL;
	if (!url_ok(u->ocsp) || !url_ok(u->issuer) || !url_ok(u->crl))
		return xos_err_set(err, XOS_MALFORMED, "status-url",
		    "\"%.80s\" is no http URL that a certificate could carry (at most %d bytes)",
		    bad ? bad : "", XOS_POINTS_URL_MAX);
	p = calloc(1, sizeof(*p));
	if (!p)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_buf_init(&p->access, EXT_MAX);
	st = encode_access(p, u);
	for (unsigned i = 0; i < XOS_POINTS_SHARDS; i++) {
		xos_buf_init(&p->distribution[i], EXT_MAX);
		(void)xos_str_printf(p->crl[i], URL_ROOM, "%s%02x.crl", u->crl, i);
		if (st == XOS_OK)
			st = encode_distribution(p, i);
	}
	if (st != XOS_OK) {
		xos_points_free(p);
		return xos_err_set(err, st, "status-url", "the URLs cannot be encoded");
	}
	*out = p;
	return XOS_OK;
}

void xos_points_free(struct xos_points *p)
{
	if (!p)
		return;
	xos_buf_free(&p->access);
	for (unsigned i = 0; i < XOS_POINTS_SHARDS; i++)
		xos_buf_free(&p->distribution[i]);
	free(p);
}

const char *xos_points_crl(const struct xos_points *p, unsigned shard)
{
	return p->crl[shard % XOS_POINTS_SHARDS];
}

struct xos_bytes xos_points_access(const struct xos_points *p)
{
	return xos_buf_bytes(&p->access);
}

struct xos_bytes xos_points_distribution(const struct xos_points *p, unsigned shard)
{
	return xos_buf_bytes(&p->distribution[shard % XOS_POINTS_SHARDS]);
}
