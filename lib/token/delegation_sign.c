/* Making a delegation with the delegator's own key. */

#include <string.h>

#include "base/text.h"
#include "pki/issue.h"
#include "token/check.h"
#include "token/oid.h"
#include "token/profile.h"

/* The person behind a chain: claims of its first certificate that is no proxy; and, if that is the signer itself
 * and delegated to it, by what. */
static enum xos_status end_entity(const struct xos_chain *signer, struct xos_claims **out,
    struct xos_delegation **own, struct xos_err *err)
{
	enum xos_status st;
	size_t i = 0;

	while (i < signer->n && xos_cert_is_proxy(signer->cert[i]))
		i++;
	if (i == signer->n)
		return xos_err_set(err, XOS_MALFORMED, "delegation-signer",
		    "the delegator's chain lacks its end-entity certificate");
	st = token_read_claims(signer->cert[i], out, err);
	if (st == XOS_OK && i == 0 && (*out)->kind == XOS_KIND_DELEGATION)
		st = token_read_restriction(signer->cert[0], *out, own, err);
	if (st == XOS_OK && (*out)->kind != XOS_KIND_USER && (*out)->kind != XOS_KIND_DELEGATION) {
		st = xos_err_set(err, XOS_DENIED, "delegation-signer",
		    "only a member delegates; %s holds a %s certificate", (*out)->name,
		    xos_kind_name((*out)->kind));
		xos_claims_free(*out);
		*out = NULL;
	}
	return st;
}

static enum xos_status fill(struct xos_delegation *d, const struct xos_cert *leaf,
    const struct xos_claims *who, const struct xos_delegation *prev, int64_t now,
    struct xos_err *err)
{
	if (!xos_str_copy(d->vo, sizeof(d->vo), who->vo) ||
	    !xos_str_copy(d->member, sizeof(d->member), who->name))
		return xos_err_set(
		    err, XOS_MALFORMED, "delegation", "the member's name is too long");
	if (now > xos_cert_not_after(leaf))
		return xos_err_set(err, XOS_EXPIRED, "cert-expired",
		    "the token of %s has expired: log in again with xos-login", who->name);
	if (prev && prev->node[0] && !d->node[0])
		memcpy(d->node, prev->node, sizeof(d->node));
	if (d->not_after > xos_cert_not_after(leaf))
		d->not_after = xos_cert_not_after(leaf);
	if (prev && d->not_after > prev->not_after)
		d->not_after = prev->not_after;
	if (d->not_after <= now)
		return xos_err_set(err, XOS_MALFORMED, "delegation",
		    "the delegation would have ended before it began: give a later end");
	if (prev && (prev->depth == 0 || d->depth >= prev->depth))
		return xos_err_set(err, XOS_DENIED, "delegation-depth",
		    "this delegation may not be passed on %s",
		    prev->depth ? "that deep" : "any further");
	return xos_delegation_follows(prev, d, err);
}

static enum xos_status issue(const struct xos_chain *signer, struct xos_bytes spki,
    const struct xos_delegation *d, int64_t now, struct xos_buf *der, struct xos_err *err)
{
	int64_t begin = now - XOS_TOKEN_BACKDATE;
	struct xos_issuer *issuer = NULL;
	struct xos_ext ext = {XOS_OID_DELEGATION, true, XOS_BYTES_NONE};
	struct xos_buf value;
	enum xos_status st;

	if (begin < xos_cert_not_before(signer->cert[0]))
		begin = xos_cert_not_before(signer->cert[0]);
	xos_buf_init(&value, XOS_DELEGATION_DER_MAX);
	st = xos_delegation_encode(d, &value, err);
	if (st == XOS_OK)
		st = xos_issuer_new(signer->cert[0], signer->key, &issuer, err);
	ext.value = xos_buf_bytes(&value);
	const struct xos_issue_proxy what = {.spki = spki,
	    .not_before = begin,
	    .not_after = d->not_after,
	    .path_len = d->depth,
	    .language = XOS_OID_PROXY_LANGUAGE,
	    .exts = &ext,
	    .nexts = 1};
	if (st == XOS_OK)
		st = xos_issue_proxy(issuer, &what, der, err);
	xos_issuer_free(issuer);
	xos_buf_free(&value);
	return st;
}

enum xos_status xos_delegation_sign(const struct xos_chain *signer, struct xos_bytes spki,
    const struct xos_delegation *fields, int64_t now, struct xos_cert **out, struct xos_err *err)
{
	struct xos_delegation *prev = NULL, d = *fields;
	struct xos_claims *who = NULL;
	struct xos_buf der;
	enum xos_status st;

	*out = NULL;
	if (signer->n == 0 || !signer->key || !xos_key_is_private(signer->key))
		return xos_err_set(err, XOS_MALFORMED, "delegation-signer",
		    "delegating needs a token with its private key");
	xos_buf_init(&der, XOS_CERT_MAX);
	st = end_entity(signer, &who, &prev, err);
	if (st == XOS_OK && xos_cert_is_proxy(signer->cert[0]))
		st = token_read_step(signer->cert[0], &prev, err);
	if (st == XOS_OK)
		st = fill(&d, signer->cert[0], who, prev, now, err);
	if (st == XOS_OK)
		st = issue(signer, spki, &d, now, &der, err);
	if (st == XOS_OK)
		st = xos_cert_parse(xos_buf_bytes(&der), out, err);
	xos_buf_free(&der);
	xos_claims_free(who);
	xos_delegation_free(prev);
	return st;
}
