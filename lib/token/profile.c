#include "token/profile.h"

#include <string.h>

#include "base/text.h"
#include "token/check.h"
#include "token/delegation.h"
#include "token/issuerext.h"
#include "token/oid.h"

static enum xos_status refuse(const struct xos_issuer *issuer, const struct xos_claims *c,
    const char *why, struct xos_err *err)
{
	return xos_err_set(err, XOS_DENIED, "token-issuer",
	    "%s may not issue a %s certificate of %s: %s",
	    xos_cert_subject_text(xos_issuer_cert(issuer)), xos_kind_name(c->kind), c->vo, why);
}

static bool signed_by_root(enum xos_kind kind)
{
	return kind == XOS_KIND_POLICY || kind == XOS_KIND_ACCOUNTING;
}

/* Is the root's subject that of this VO's root? */
static bool is_root_of(const struct xos_cert *c, const char *vo)
{
	return xos_cert_is_self_issued(c) && xos_cert_subject_len(c) == 2 &&
	       strcmp(xos_cert_subject_type(c, 0), "O") == 0 &&
	       strcmp(xos_cert_subject_value(c, 0), vo) == 0;
}

enum xos_status token_check_issuer(
    const struct xos_issuer *issuer, const struct xos_claims *c, struct xos_err *err)
{
	const struct xos_cert *cert = xos_issuer_cert(issuer);
	struct xos_issuer_marker m;
	struct xos_bytes v;

	if (signed_by_root(c->kind))
		return is_root_of(cert, c->vo)
		           ? XOS_OK
		           : refuse(issuer, c, "only the VO's root signs these", err);
	if (xos_cert_ext(cert, XOS_OID_ISSUER, &v, NULL) != XOS_OK)
		return refuse(issuer, c, "its certificate does not say what it may issue", err);
	if (xos_issuer_marker_decode(v, &m, err) != XOS_OK)
		return XOS_MALFORMED;
	if (strcmp(m.vo, c->vo) != 0 || !(m.kinds & XOS_KIND_BIT(c->kind)))
		return refuse(issuer, c, "it is an authority for something else", err);
	return XOS_OK;
}

static size_t fill_eku(enum xos_kind kind, struct xos_bytes eku[2])
{
	switch (kind) {
	case XOS_KIND_NODE:
	case XOS_KIND_SERVICE:
		eku[0] = XOS_EKU_SERVER_AUTH;
		eku[1] = XOS_EKU_CLIENT_AUTH;
		return 2;
	case XOS_KIND_POLICY:
		eku[0] = XOS_OID_EKU_POLICY;
		return 1;
	case XOS_KIND_ACCOUNTING:
		eku[0] = XOS_OID_EKU_ACCOUNTING;
		return 1;
	case XOS_KIND_USER:
	case XOS_KIND_DELEGATION:
	case XOS_KIND_NONE:
		break;
	}
	eku[0] = XOS_EKU_CLIENT_AUTH;
	return 1;
}

static enum xos_status check_request(const struct xos_token_request *req, struct xos_err *err)
{
	const struct xos_claims *c = req->claims;

	if ((req->ndns || req->nips) && c->kind != XOS_KIND_NODE && c->kind != XOS_KIND_SERVICE)
		return xos_err_set(err, XOS_MALFORMED, "token-hosts",
		    "a %s certificate has no host names", xos_kind_name(c->kind));
	if (req->restriction.n && c->kind != XOS_KIND_USER)
		return xos_err_set(err, XOS_MALFORMED, "token-restriction",
		    "a %s certificate is not restricted", xos_kind_name(c->kind));
	if (c->kind == XOS_KIND_DELEGATION)
		return xos_err_set(err, XOS_DENIED, "token-kind",
		    "this profile does not issue delegations: they have their own");
	if (strlen(c->name) > 64)
		return xos_err_set(err, XOS_MALFORMED, "token-name",
		    "\"%s\" is too long for the subject of a certificate (64 bytes)", c->name);
	return XOS_OK;
}

/* The first step of everything that the robot does, as it were; what follows only narrows. */
static enum xos_status encode_restriction(
    const struct xos_token_request *req, struct xos_buf *out, struct xos_err *err)
{
	struct xos_delegation d = {.actor = TOKEN_ROBOT,
	    .not_after = req->not_after,
	    .depth = XOS_DELEGATION_DEPTH_MAX,
	    .restriction = req->restriction.p,
	    .restriction_len = req->restriction.n};

	if (!req->restriction.n)
		return XOS_OK;
	if (!xos_str_copy(d.vo, sizeof(d.vo), req->claims->vo) ||
	    !xos_str_copy(d.member, sizeof(d.member), req->claims->name))
		return xos_err_set(err, XOS_MALFORMED, "token-name", "a name is too long");
	return xos_delegation_encode(&d, out, err);
}

enum xos_status xos_token_issue(struct xos_issuer *issuer, const struct xos_token_request *req,
    uint8_t serial[XOS_ISSUE_SERIAL_LEN], struct xos_buf *out, struct xos_err *err)
{
	const struct xos_claims *c = req->claims;
	int64_t begin = xos_cert_not_before(xos_issuer_cert(issuer));
	struct xos_bytes eku[2];
	char uri[XOS_URI_MAX];
	struct xos_buf ext, restriction;
	enum xos_status st = check_request(req, err);

	if (st == XOS_OK)
		st = token_check_issuer(issuer, c, err);
	if (st == XOS_OK)
		st = xos_claims_uri(c, uri, err);
	if (st != XOS_OK)
		return st;
	xos_buf_init(&ext, XOS_CLAIMS_DER_MAX);
	xos_buf_init(&restriction, XOS_DELEGATION_DER_MAX);
	st = xos_claims_encode(c, &ext, err);
	if (st == XOS_OK)
		st = encode_restriction(req, &restriction, err);
	if (st == XOS_OK) {
		const struct xos_rdn subject[] = {{XOS_RDN_O, c->vo},
		    {XOS_RDN_OU, xos_kind_name(c->kind)}, {XOS_RDN_CN, c->name}};
		const struct xos_ext exts[] = {{XOS_OID_TOKEN, false, xos_buf_bytes(&ext)},
		    {XOS_OID_DELEGATION, true, xos_buf_bytes(&restriction)}};
		const struct xos_issue what = {.subject = subject,
		    .nsubject = 3,
		    .spki = req->spki,
		    /* Backdating must not reach behind an issuer that is minutes old. */
		    .not_before = req->not_before > begin ? req->not_before : begin,
		    .not_after = req->not_after,
		    .key_usage = XOS_KU_DIGITAL_SIGNATURE,
		    .eku = eku,
		    .neku = fill_eku(c->kind, eku),
		    .uri = uri,
		    .dns = req->dns,
		    .ndns = req->ndns,
		    .ips = req->ips,
		    .nips = req->nips,
		    .exts = exts,
		    .nexts = restriction.n ? 2 : 1,
		    .points = req->points};

		st = xos_issue_cert(issuer, &what, serial, out, err);
	}
	xos_buf_free(&ext);
	xos_buf_free(&restriction);
	return st;
}
