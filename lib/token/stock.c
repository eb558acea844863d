#include "token/stock.h"

#include "pki/issue.h"
#include "token/check.h"
#include "token/oid.h"
#include "token/profile.h"

static enum xos_status check_signer(const struct xos_chain *signer, struct xos_err *err)
{
	struct xos_delegation *own = NULL;
	struct xos_claims *who = NULL;
	enum xos_status st;

	if (signer->n == 0 || !signer->key || !xos_key_is_private(signer->key))
		return xos_err_set(err, XOS_MALFORMED, "stock-signer",
		    "delegating needs a token with its private key");
	if (xos_cert_is_proxy(signer->cert[0]))
		return xos_err_set(err, XOS_DENIED, "stock-signer",
		    "only a member's own token makes proxies for stock programs, and %s is a "
		    "delegation",
		    xos_cert_subject_text(signer->cert[0]));
	st = token_read_claims(signer->cert[0], &who, err);
	if (st == XOS_OK)
		st = token_read_restriction(signer->cert[0], who, &own, err);
	if (st == XOS_OK && (own || who->kind != XOS_KIND_USER))
		st = xos_err_set(err, XOS_DENIED, "stock-signer",
		    "only a member's own token makes proxies for stock programs, and that of %s is "
		    "%s",
		    who->name, own ? "restricted" : xos_kind_name(who->kind));
	xos_delegation_free(own);
	xos_claims_free(who);
	return st;
}

enum xos_status xos_stock_sign(const struct xos_chain *signer, struct xos_bytes spki,
    unsigned path_len, int64_t until, int64_t now, struct xos_cert **out, struct xos_err *err)
{
	struct xos_issuer *issuer = NULL;
	struct xos_issue_proxy what = {.spki = spki,
	    .not_before = now - XOS_TOKEN_BACKDATE,
	    .not_after = until,
	    .path_len = path_len,
	    .language = XOS_OID_PROXY_INHERIT_ALL};
	struct xos_buf der;
	enum xos_status st = check_signer(signer, err);

	*out = NULL;
	if (st != XOS_OK)
		return st;
	if (now > xos_cert_not_after(signer->cert[0]))
		return xos_err_set(err, XOS_EXPIRED, "cert-expired",
		    "the token has expired: log in again with xos-login");
	if (what.not_before < xos_cert_not_before(signer->cert[0]))
		what.not_before = xos_cert_not_before(signer->cert[0]);
	if (what.not_after > xos_cert_not_after(signer->cert[0]))
		what.not_after = xos_cert_not_after(signer->cert[0]);
	if (what.not_after <= now || path_len > XOS_DELEGATION_DEPTH_MAX)
		return xos_err_set(err, XOS_MALFORMED, "delegation",
		    "a proxy that has ended before it began, or with more than %d steps after it",
		    XOS_DELEGATION_DEPTH_MAX);
	xos_buf_init(&der, XOS_CERT_MAX);
	st = xos_issuer_new(signer->cert[0], signer->key, &issuer, err);
	if (st == XOS_OK)
		st = xos_issue_proxy(issuer, &what, &der, err);
	if (st == XOS_OK)
		st = xos_cert_parse(xos_buf_bytes(&der), out, err);
	xos_issuer_free(issuer);
	xos_buf_free(&der);
	return st;
}
