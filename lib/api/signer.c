#include "api/signer.h"

#include <string.h>

#include "pki/chain.h"
#include "token/issuerext.h"
#include "token/oid.h"
#include "token/verify.h"

static enum xos_status policy_signer(const struct xos_trust *trust, const char *vo,
    const struct xos_chain *chain, int64_t now, struct xos_err *err)
{
	const struct xos_verify_opts opts = {
	    .now = now,
	    .skew = XOS_BUNDLE_SKEW,
	    .kinds = XOS_KIND_BIT(XOS_KIND_POLICY),
	    .vo = vo,
	    .purpose = XOS_PURPOSE_ANY,
	};
	struct xos_identity *id = NULL;
	enum xos_status st = xos_token_verify_chain(trust, chain, &opts, &id, err);

	xos_identity_free(id);
	return st;
}

static enum xos_status issuer(const struct xos_trust *trust, const char *vo, unsigned kinds,
    const struct xos_chain *chain, int64_t now, struct xos_err *err)
{
	const struct xos_cert *root = xos_trust_root(trust, vo);
	const struct xos_chain_opts opts = {
	    .now = now, .skew = XOS_BUNDLE_SKEW, .purpose = XOS_PURPOSE_ANY, .max_depth = 1};
	struct xos_path path = {.n = 0};
	struct xos_issuer_marker marker;
	struct xos_bytes value;

	if (!root)
		return xos_err_set(
		    err, XOS_DENIED, "foreign-signer", "no root is known for the VO %s", vo);
	/* Directly below the root: no issuer of ours makes issuers. */
	enum xos_status st = xos_chain_verify(chain, &root, 1, NULL, 0, &opts, &path, err);
	xos_path_clear(&path);
	if (st != XOS_OK)
		return st;
	if (!xos_cert_is_ca(chain->cert[0]) ||
	    xos_cert_ext(chain->cert[0], XOS_OID_ISSUER, &value, NULL) != XOS_OK ||
	    xos_issuer_marker_decode(value, &marker, err) != XOS_OK || strcmp(marker.vo, vo) != 0 ||
	    marker.kinds == 0 || (marker.kinds & ~kinds) != 0)
		return xos_err_set(err, XOS_DENIED, "foreign-signer",
		    "%s is no such issuer of the VO %s", xos_cert_subject_text(chain->cert[0]), vo);
	return xos_trust_judge(trust, vo, xos_cert_fingerprint(chain->cert[0]),
	    xos_cert_subject_text(chain->cert[0]), INT64_MIN, err);
}

enum xos_status xos_api_signed_at(
    void *arg, const char *vo, const struct xos_cert *cert, int64_t issued, struct xos_err *err)
{
	return xos_trust_judge(
	    arg, vo, xos_cert_fingerprint(cert), xos_cert_subject_text(cert), issued, err);
}

enum xos_status xos_api_signer(void *arg, enum xos_signer want, const char *vo,
    const struct xos_cert *cert, int64_t now, struct xos_err *err)
{
	const struct xos_trust *trust = arg;
	struct xos_chain chain = {.n = 0};
	enum xos_status st = xos_chain_add(&chain, cert);

	if (st == XOS_OK) {
		switch (want) {
		case XOS_SIGNER_POLICY:
			st = policy_signer(trust, vo, &chain, now, err);
			break;
		case XOS_SIGNER_CA:
			st = issuer(trust, vo, XOS_KIND_BIT(XOS_KIND_USER), &chain, now, err);
			break;
		case XOS_SIGNER_RCA:
			st = issuer(trust, vo,
			    XOS_KIND_BIT(XOS_KIND_NODE) | XOS_KIND_BIT(XOS_KIND_SERVICE), &chain,
			    now, err);
			break;
		default:
			st = xos_err_set(
			    err, XOS_INTERNAL, "foreign-signer", "unknown kind of signer");
		}
	}
	xos_chain_clear(&chain);
	return st;
}
