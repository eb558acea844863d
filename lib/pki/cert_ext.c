/* Extensions of a certificate: the list, and those that this room understands. */

#include <arpa/inet.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "pki/cert_internal.h"
#include "pki/der.h"

#define OID_SAN XOS_OID("\x55\x1d\x11")
#define OID_BASIC XOS_OID("\x55\x1d\x13")
#define OID_EKU XOS_OID("\x55\x1d\x25")
#define OID_PROXY XOS_OID("\x2b\x06\x01\x05\x05\x07\x01\x0e")

#define PATH_LEN_MAX 255
#define URI_MAX 2048

bool pki_cert_list_exts(struct xos_cert *c, struct xos_bytes exts)
{
	struct xos_reader r, in;
	struct cert_ext *e;

	if (exts.n == 0)
		return false;
	xos_reader_init(&r, exts);
	while (r.left) {
		if (c->next == CERT_EXT_MAX || !xos_der_enter(&r, XOS_DER_SEQUENCE, &in))
			return false;
		e = &c->ext[c->next];
		e->critical = false;
		if (!xos_der_take(&in, XOS_DER_OID, &e->oid))
			return false;
		/* DEFAULT FALSE is not encoded in DER. */
		if (xos_der_next_is(&in, XOS_DER_BOOLEAN) &&
		    (!xos_der_bool(&in, &e->critical) || !e->critical))
			return false;
		if (!xos_der_take(&in, XOS_DER_OCTET_STRING, &e->value) ||
		    xos_reader_end(&in) != XOS_OK)
			return false;
		for (size_t i = 0; i < c->next; i++)
			if (xos_bytes_eq(c->ext[i].oid, e->oid))
				return false;
		c->next++;
	}
	return true;
}

enum xos_status xos_cert_ext(
    const struct xos_cert *c, struct xos_bytes oid, struct xos_bytes *value, bool *critical)
{
	for (size_t i = 0; i < c->next; i++) {
		if (!xos_bytes_eq(c->ext[i].oid, oid))
			continue;
		*value = c->ext[i].value;
		if (critical)
			*critical = c->ext[i].critical;
		return XOS_OK;
	}
	return XOS_NOT_FOUND;
}

/* BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL } */
static bool read_basic(struct xos_cert *c, struct xos_bytes v)
{
	struct xos_reader r, in;
	uint64_t n;

	xos_reader_init(&r, v);
	if (!xos_der_enter(&r, XOS_DER_SEQUENCE, &in) || xos_reader_end(&r) != XOS_OK)
		return false;
	if (xos_der_next_is(&in, XOS_DER_BOOLEAN) && (!xos_der_bool(&in, &c->ca) || !c->ca))
		return false;
	if (xos_der_next_is(&in, XOS_DER_INTEGER)) {
		if (!c->ca || !xos_der_u64(&in, XOS_DER_INTEGER, PATH_LEN_MAX, &n))
			return false;
		c->path_len = (long)n;
	}
	return xos_reader_end(&in) == XOS_OK;
}

/* ProxyCertInfo (RFC 3820 3.8): pathLen OPTIONAL, { language, policy OPTIONAL }; always critical.
 */
static bool read_proxy(struct xos_cert *c, struct xos_bytes v, bool critical)
{
	struct xos_reader r, in, policy;
	struct xos_bytes ignored;
	uint64_t n;

	xos_reader_init(&r, v);
	if (!critical || c->ca || !xos_der_enter(&r, XOS_DER_SEQUENCE, &in) ||
	    xos_reader_end(&r) != XOS_OK)
		return false;
	if (xos_der_next_is(&in, XOS_DER_INTEGER)) {
		if (!xos_der_u64(&in, XOS_DER_INTEGER, PATH_LEN_MAX, &n))
			return false;
		c->path_len = (long)n;
	}
	if (!xos_der_enter(&in, XOS_DER_SEQUENCE, &policy) || xos_reader_end(&in) != XOS_OK ||
	    !xos_der_take(&policy, XOS_DER_OID, &c->proxy_language))
		return false;
	if (policy.left && !xos_der_take(&policy, XOS_DER_OCTET_STRING, &ignored))
		return false;
	c->proxy = true;
	return xos_reader_end(&policy) == XOS_OK;
}

/* The one URI among the alternative names; several give none, which callers refuse. */
static bool read_san(struct xos_cert *c, struct xos_bytes v)
{
	struct xos_bytes name, uri = XOS_BYTES_NONE;
	struct xos_reader r, in;
	size_t uris = 0;
	uint8_t tag;

	xos_reader_init(&r, v);
	if (!xos_der_enter(&r, XOS_DER_SEQUENCE, &in) || xos_reader_end(&r) != XOS_OK ||
	    in.left == 0)
		return false;
	while (in.left) {
		if (!xos_der_any(&in, &tag, &name, NULL))
			return false;
		if (tag == (XOS_DER_CONTEXT | 6)) {
			uri = name;
			uris++;
		}
	}
	if (uris != 1)
		return true;
	if (uri.n == 0 || uri.n > URI_MAX)
		return false;
	for (size_t i = 0; i < uri.n; i++)
		if (uri.p[i] <= 0x20 || uri.p[i] >= 0x7f)
			return false;
	c->uri = strndup((const char *)uri.p, uri.n);
	return c->uri != NULL;
}

enum xos_status pki_cert_read_exts(struct xos_cert *c, struct xos_err *err)
{
	struct xos_bytes v;
	bool critical = false;

	if (xos_cert_ext(c, OID_BASIC, &v, NULL) == XOS_OK && !read_basic(c, v))
		goto bad;
	if (xos_cert_ext(c, OID_PROXY, &v, &critical) == XOS_OK && !read_proxy(c, v, critical))
		goto bad;
	if (xos_cert_ext(c, OID_SAN, &v, NULL) == XOS_OK && !read_san(c, v))
		goto bad;
	return XOS_OK;
bad:
	return xos_err_set(err, XOS_MALFORMED, "cert-malformed",
	    "malformed certificate: contents of an extension (%s)", c->subject_text);
}

const char *xos_cert_uri(const struct xos_cert *c)
{
	return c->uri;
}

bool xos_cert_is_ca(const struct xos_cert *c)
{
	return c->ca;
}

bool xos_cert_is_proxy(const struct xos_cert *c)
{
	return c->proxy;
}

long xos_cert_path_len(const struct xos_cert *c)
{
	return c->path_len;
}

struct xos_bytes xos_cert_proxy_language(const struct xos_cert *c)
{
	return c->proxy_language;
}

bool xos_cert_has_eku(const struct xos_cert *c, struct xos_bytes oid)
{
	struct xos_bytes v, item;
	struct xos_reader r, in;
	bool found = false;

	if (xos_cert_ext(c, OID_EKU, &v, NULL) != XOS_OK)
		return false;
	xos_reader_init(&r, v);
	if (!xos_der_enter(&r, XOS_DER_SEQUENCE, &in) || xos_reader_end(&r) != XOS_OK)
		return false;
	while (in.left) {
		if (!xos_der_take(&in, XOS_DER_OID, &item))
			return false;
		found = found || xos_bytes_eq(item, oid);
	}
	return found;
}

bool xos_cert_matches_host(const struct xos_cert *c, const char *host)
{
	struct in6_addr addr;
	int ok;

	if (!host || !*host)
		return false;
	if (inet_pton(AF_INET, host, &addr) == 1 || inet_pton(AF_INET6, host, &addr) == 1)
		ok = X509_check_ip_asc(c->x509, host, 0);
	else
		ok = X509_check_host(c->x509, host, 0,
		    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS, NULL);
	pki_ossl_clear();
	return ok == 1;
}
