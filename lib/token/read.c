/* What one certificate says: form, and agreement of its parts. Nothing here proves who signed it.
 */

#include <string.h>

#include "token/check.h"
#include "token/oid.h"

static enum xos_status mismatch(const struct xos_cert *c, const char *what, struct xos_err *err)
{
	return xos_err_set(err, XOS_DENIED, "token-mismatch",
	    "the certificate of %s is refused: %s", xos_cert_subject_text(c), what);
}

static bool rdn_is(const struct xos_cert *c, size_t i, const char *type, const char *value)
{
	const char *t = xos_cert_subject_type(c, i);

	return t && strcmp(t, type) == 0 && strcmp(xos_cert_subject_value(c, i), value) == 0;
}

enum xos_status token_read_uri(const struct xos_claims *claims, const struct xos_delegation *own,
    char out[XOS_URI_MAX], struct xos_err *err)
{
	if (claims->kind == XOS_KIND_DELEGATION && own)
		return xos_delegation_uri(own, out, XOS_URI_MAX, err);
	return xos_claims_uri(claims, out, err);
}

static enum xos_status compare(const struct xos_cert *c, const struct xos_claims *claims,
    const struct xos_delegation *own, struct xos_err *err)
{
	const char *have = xos_cert_uri(c);
	bool delegation = claims->kind == XOS_KIND_DELEGATION;
	char uri[XOS_URI_MAX];
	enum xos_status st = token_read_uri(claims, own, uri, err);

	if (st != XOS_OK)
		return st;
	if (xos_cert_subject_len(c) != (delegation ? 4 : 3) || !rdn_is(c, 0, "O", claims->vo) ||
	    !rdn_is(c, 1, "OU", xos_kind_name(claims->kind)) || !rdn_is(c, 2, "CN", claims->name) ||
	    (delegation && !rdn_is(c, 3, "CN", own->id)))
		return mismatch(c, "its subject and its token extension disagree", err);
	if (!have || strcmp(have, uri) != 0)
		return mismatch(c, "its URI and its token extension disagree", err);
	return XOS_OK;
}

/* Not a stray: what else carries the extension would look like a restriction that nobody signed as one. */
static bool is_robots(
    const struct xos_cert *c, const struct xos_claims *claims, const struct xos_delegation *d)
{
	return claims->kind == XOS_KIND_USER && strcmp(d->actor, TOKEN_ROBOT) == 0 &&
	       strcmp(d->vo, claims->vo) == 0 && strcmp(d->member, claims->name) == 0 &&
	       !d->node[0] && !d->id[0] && d->depth == XOS_DELEGATION_DEPTH_MAX &&
	       d->restriction_len > 0 && xos_cert_not_after(c) <= d->not_after;
}

static bool is_grants(
    const struct xos_cert *c, const struct xos_claims *claims, const struct xos_delegation *d)
{
	return claims->kind == XOS_KIND_DELEGATION && strcmp(d->vo, claims->vo) == 0 &&
	       strcmp(d->member, claims->name) == 0 && d->id[0] &&
	       strcmp(d->actor, TOKEN_ROBOT) != 0 && xos_cert_not_after(c) <= d->not_after;
}

static enum xos_status missing(const struct xos_cert *c, const char *what, struct xos_err *err)
{
	return xos_err_set(err, XOS_DENIED, "delegation-missing",
	    "the delegation %s is refused: %s", xos_cert_subject_text(c), what);
}

enum xos_status token_read_restriction(const struct xos_cert *c, const struct xos_claims *claims,
    struct xos_delegation **out, struct xos_err *err)
{
	struct xos_delegation *d = NULL;
	bool critical = false;
	struct xos_bytes v;
	enum xos_status st;

	*out = NULL;
	if (xos_cert_ext(c, XOS_OID_DELEGATION, &v, &critical) != XOS_OK)
		return claims->kind == XOS_KIND_DELEGATION
		           ? missing(c, "it lacks the delegation extension", err)
		           : XOS_OK;
	st = xos_delegation_decode(v, &d, err);
	if (st == XOS_OK && (!critical || (!is_robots(c, claims, d) && !is_grants(c, claims, d))))
		st = mismatch(c, "it carries an extension that does not belong in a token", err);
	if (st != XOS_OK) {
		xos_delegation_free(d);
		return st;
	}
	*out = d;
	return XOS_OK;
}

enum xos_status token_read_claims(
    const struct xos_cert *c, struct xos_claims **out, struct xos_err *err)
{
	struct xos_claims *claims = NULL;
	struct xos_delegation *own = NULL;
	struct xos_bytes v;
	enum xos_status st;

	*out = NULL;
	if (xos_cert_is_ca(c) || xos_cert_is_proxy(c))
		return mismatch(c, "it is no end-entity certificate", err);
	if (xos_cert_ext(c, XOS_OID_TOKEN, &v, NULL) != XOS_OK)
		return xos_err_set(err, XOS_DENIED, "token-missing",
		    "the certificate of %s is refused: it carries no token extension, so it was "
		    "not "
		    "issued as a token",
		    xos_cert_subject_text(c));
	st = xos_claims_decode(v, &claims, err);
	if (st == XOS_OK)
		st = token_read_restriction(c, claims, &own, err);
	if (st == XOS_OK)
		st = compare(c, claims, own, err);
	if (st == XOS_OK && xos_cert_ext(c, XOS_OID_ISSUER, &v, NULL) == XOS_OK)
		st = mismatch(c, "it carries an extension that does not belong in a token", err);
	xos_delegation_free(own);
	if (st != XOS_OK) {
		xos_claims_free(claims);
		return st;
	}
	*out = claims;
	return XOS_OK;
}

enum xos_status token_read_step(
    const struct xos_cert *c, struct xos_delegation **out, struct xos_err *err)
{
	struct xos_delegation *d = NULL;
	bool critical = false;
	struct xos_bytes v, other;
	enum xos_status st;

	*out = NULL;
	if (!xos_cert_is_proxy(c))
		return missing(c, "it is no proxy certificate", err);
	if (!xos_bytes_eq(xos_cert_proxy_language(c), XOS_OID_PROXY_LANGUAGE))
		return missing(c, "its policy language is not this program's", err);
	if (xos_cert_ext(c, XOS_OID_DELEGATION, &v, &critical) != XOS_OK || !critical)
		return missing(c, "it lacks the (critical) delegation extension", err);
	if (xos_cert_ext(c, XOS_OID_TOKEN, &other, NULL) == XOS_OK ||
	    xos_cert_ext(c, XOS_OID_ISSUER, &other, NULL) == XOS_OK || xos_cert_uri(c))
		return missing(c, "it carries what only a token may carry", err);
	st = xos_delegation_decode(v, &d, err);
	if (st != XOS_OK)
		return st;
	if (xos_cert_path_len(c) != (long)d->depth || xos_cert_not_after(c) > d->not_after) {
		xos_delegation_free(d);
		return xos_err_set(err, XOS_DENIED, "delegation-widened",
		    "the delegation %s is refused: the certificate allows more than its own "
		    "extension",
		    xos_cert_subject_text(c));
	}
	*out = d;
	return XOS_OK;
}
