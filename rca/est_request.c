/* What an EST client sends, and what of it goes to auth. */
#include <string.h>
#include <strings.h>

#include "api/chainjson.h"
#include "base/secret.h"
#include "base/text.h"
#include "pki/csr.h"
#include "pki/der.h"
#include "rca/est.h"

#define BASIC_MAX 1024 /* of the field's base64 */

void rca_est_request_init(struct rca_est_request *q)
{
	memset(q, 0, sizeof(*q));
	xos_buf_init(&q->binding, XOS_BINDING_MAX);
	xos_buf_init(&q->csr, XOS_CSR_MAX);
}

void rca_est_request_free(struct rca_est_request *q)
{
	xos_wipe(q->password, sizeof(q->password));
	xos_buf_free(&q->binding);
	xos_buf_free(&q->csr);
	xos_chain_clear(&q->chain);
}

struct xos_json *rca_est_request_encode(const struct rca_est_request *q)
{
	struct xos_json *doc = xos_json_object();

	if (q->named) {
		xos_json_set_string(doc, "user", q->user);
		xos_json_set_string(doc, "password", q->password);
	}
	xos_json_set_string(doc, "site", q->site);
	xos_json_set_string(doc, "from", q->from);
	xos_json_set_bytes(doc, "binding", xos_buf_bytes(&q->binding));
	xos_json_set_bytes(doc, "csr", xos_buf_bytes(&q->csr));
	if (q->chain.n > 0)
		xos_chain_to_json(doc, "chain", &q->chain);
	return doc;
}

enum xos_status rca_est_request_decode(
    struct xos_bytes in, struct rca_est_request *q, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	enum xos_status st = xos_json_parse(in, RCA_EST_MESSAGE_MAX, &doc, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(
		    doc, err, "user", "password", "site", "from", "binding", "csr", "chain");
	q->named = st == XOS_OK && xos_json_has(doc, "user");
	if (st == XOS_OK && q->named)
		st = xos_json_copy_string(doc, "user", q->user, sizeof(q->user), err);
	if (st == XOS_OK && q->named)
		st = xos_json_copy_string(doc, "password", q->password, sizeof(q->password), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "site", q->site, sizeof(q->site), err);
	if (st == XOS_OK && q->site[0] && !xos_name_is_site(q->site))
		st = xos_json_refuse(doc, err, "site: \"%s\" is no name of a site", q->site);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "from", q->from, sizeof(q->from), err);
	if (st == XOS_OK)
		st = xos_json_get_bytes(doc, "binding", XOS_BINDING_MAX, &q->binding, err);
	if (st == XOS_OK)
		st = xos_json_get_bytes(doc, "csr", XOS_CSR_MAX, &q->csr, err);
	if (st == XOS_OK && xos_json_has(doc, "chain"))
		st = xos_chain_from_json(doc, "chain", &q->chain, err);
	xos_json_free(doc);
	return st;
}

static bool is_pkcs10(const char *type)
{
	static const char want[] = "application/pkcs10";
	size_t n = type ? strcspn(type, "; \t") : 0;

	return n == sizeof(want) - 1 && strncasecmp(type, want, n) == 0;
}

/* Content-Transfer-Encoding is never looked at: the body is base64 whatever it says (RFC 8951 3.2). */
enum xos_status rca_est_body(
    const char *content_type, struct xos_bytes body, struct xos_buf *der, struct xos_err *err)
{
	struct xos_buf text;
	enum xos_status st;

	if (!is_pkcs10(content_type))
		return xos_err_set(err, XOS_MALFORMED, "media-type",
		    "the body must be a certification request in base64, with Content-Type: "
		    "application/pkcs10");
	xos_buf_init(&text, RCA_EST_BODY_MAX);
	for (size_t i = 0; i < body.n; i++)
		if (body.p[i] != ' ' && body.p[i] != '\t' && body.p[i] != '\r' && body.p[i] != '\n')
			xos_buf_u8(&text, body.p[i]);
	st = xos_buf_status(&text);
	if (st == XOS_OK && text.n > 0)
		st = xos_base64_decode(der, (const char *)text.p, text.n);
	if (st != XOS_OK || der->n == 0)
		st = xos_err_set(err, XOS_MALFORMED, "csr-base64",
		    "the body must be base64 of a certification request in DER, without the BEGIN "
		    "and "
		    "END lines of PEM, of at most %d bytes",
		    XOS_CSR_MAX);
	xos_buf_free(&text);
	return st;
}

static bool visible(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] <= 0x20 || p[i] >= 0x7f)
			return false;
	return true;
}

/* "name:password"; the name has no colon (RFC 7617 2). */
static bool split(struct xos_bytes pair, struct rca_est_request *q)
{
	const uint8_t *colon = pair.n ? memchr(pair.p, ':', pair.n) : NULL;
	size_t user = colon ? (size_t)(colon - pair.p) : 0, password = pair.n - user - 1;

	if (!colon || user == 0 || user >= sizeof(q->user) || password >= sizeof(q->password) ||
	    !visible(pair.p, user) || !visible(colon + 1, password))
		return false;
	memcpy(q->user, pair.p, user);
	q->user[user] = '\0';
	memcpy(q->password, colon + 1, password);
	q->password[password] = '\0';
	q->named = true;
	return true;
}

enum xos_status rca_est_basic(const char *value, struct rca_est_request *q, struct xos_err *err)
{
	struct xos_buf pair;
	size_t n = strnlen(value, BASIC_MAX + 1);
	bool ok = false;

	xos_buf_init(&pair, BASIC_MAX);
	if (n > 6 && n <= BASIC_MAX && strncasecmp(value, "Basic ", 6) == 0 &&
	    xos_base64_decode(&pair, value + 6, n - 6) == XOS_OK)
		ok = split(xos_buf_bytes(&pair), q);
	if (pair.p)
		xos_wipe(pair.p, pair.n);
	xos_buf_free(&pair);
	if (ok)
		return XOS_OK;
	return xos_err_set(err, XOS_MALFORMED, "basic-auth",
	    "Authorization must be Basic with the node's name and its one-time code (RFC 7617)");
}

/* CsrAttrs: the name of the TLS connection as challengePassword, a P-256 key, ECDSA with SHA-256. */
enum xos_status rca_est_wishes(struct xos_buf *out, struct xos_err *err)
{
	struct xos_der w;

	xos_der_init(&w, out);
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	xos_der_put(&w, XOS_DER_OID, XOS_OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07"));
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	xos_der_put(&w, XOS_DER_OID, XOS_OID("\x2a\x86\x48\xce\x3d\x02\x01"));
	xos_der_begin(&w, XOS_DER_SET);
	xos_der_put(&w, XOS_DER_OID, XOS_OID("\x2a\x86\x48\xce\x3d\x03\x01\x07"));
	xos_der_end(&w);
	xos_der_end(&w);
	xos_der_put(&w, XOS_DER_OID, XOS_OID("\x2a\x86\x48\xce\x3d\x04\x03\x02"));
	xos_der_end(&w);
	enum xos_status st = xos_der_finish(&w);
	return st == XOS_OK ? st : xos_err_set(err, st, "csrattrs", "no room for the attributes");
}
