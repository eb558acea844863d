/* The profile of what the authority issues when a delegation is renewed. */
#include <string.h>

#include "base/text.h"
#include "token/check.h"
#include "token/oid.h"
#include "token/profile.h"

static enum xos_status check_request(const struct xos_delegation_request *req, struct xos_err *err)
{
	const struct xos_claims *c = req->claims;

	if (c->kind != XOS_KIND_DELEGATION)
		return xos_err_set(err, XOS_MALFORMED, "token-kind",
		    "a renewed delegation has claims of its own kind, not of kind %s",
		    xos_kind_name(c->kind));
	if (strcmp(req->step->actor, TOKEN_ROBOT) == 0)
		return xos_err_set(err, XOS_MALFORMED, "delegation",
		    "\"%s\" is no actor that something is delegated to", TOKEN_ROBOT);
	if (req->not_after > req->step->not_after)
		return xos_err_set(err, XOS_DENIED, "delegation-widened",
		    "the certificate would outlive the grant %s that it is issued under",
		    req->step->id);
	return XOS_OK;
}

static enum xos_status issue(struct xos_issuer *issuer, const struct xos_delegation_request *req,
    const struct xos_delegation *d, const char *uri, const struct xos_ext *exts,
    uint8_t serial[XOS_ISSUE_SERIAL_LEN], struct xos_buf *out, struct xos_err *err)
{
	const struct xos_bytes eku[] = {XOS_EKU_CLIENT_AUTH};
	const struct xos_rdn subject[] = {{XOS_RDN_O, d->vo},
	    {XOS_RDN_OU, xos_kind_name(XOS_KIND_DELEGATION)}, {XOS_RDN_CN, d->member},
	    {XOS_RDN_CN, d->id}};
	int64_t begin = xos_cert_not_before(xos_issuer_cert(issuer));
	const struct xos_issue what = {.subject = subject,
	    .nsubject = 4,
	    .spki = req->spki,
	    .not_before = req->not_before > begin ? req->not_before : begin,
	    .not_after = req->not_after,
	    .key_usage = XOS_KU_DIGITAL_SIGNATURE,
	    .eku = eku,
	    .neku = 1,
	    .uri = uri,
	    .exts = exts,
	    .nexts = 2,
	    .points = req->points};

	return xos_issue_cert(issuer, &what, serial, out, err);
}

enum xos_status xos_token_issue_delegation(struct xos_issuer *issuer,
    const struct xos_delegation_request *req, uint8_t serial[XOS_ISSUE_SERIAL_LEN],
    struct xos_buf *out, struct xos_err *err)
{
	struct xos_delegation d = *req->step;
	struct xos_buf token, step;
	char uri[XOS_URI_MAX];
	enum xos_status st = check_request(req, err);

	if (st == XOS_OK && (!xos_str_copy(d.vo, sizeof(d.vo), req->claims->vo) ||
	                        !xos_str_copy(d.member, sizeof(d.member), req->claims->name)))
		st = xos_err_set(err, XOS_MALFORMED, "token-name", "a name is too long");
	if (st == XOS_OK)
		st = token_check_issuer(issuer, req->claims, err);
	if (st == XOS_OK)
		st = xos_delegation_uri(&d, uri, sizeof(uri), err);
	if (st != XOS_OK)
		return st;
	xos_buf_init(&token, XOS_CLAIMS_DER_MAX);
	xos_buf_init(&step, XOS_DELEGATION_DER_MAX);
	st = xos_claims_encode(req->claims, &token, err);
	if (st == XOS_OK)
		st = xos_delegation_encode(&d, &step, err);
	if (st == XOS_OK) {
		const struct xos_ext exts[] = {{XOS_OID_TOKEN, false, xos_buf_bytes(&token)},
		    {XOS_OID_DELEGATION, true, xos_buf_bytes(&step)}};

		st = issue(issuer, req, &d, uri, exts, serial, out, err);
	}
	xos_buf_free(&token);
	xos_buf_free(&step);
	return st;
}
