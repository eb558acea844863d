#include "bundle/signed.h"

#include <string.h>

#include "base/clock.h"
#include "json/json.h"
#include "pki/jws.h"

const char *xos_signer_name(enum xos_signer s)
{
	switch (s) {
	case XOS_SIGNER_POLICY:
		return "policy";
	case XOS_SIGNER_CA:
		return "ca";
	case XOS_SIGNER_RCA:
		return "rca";
	}
	return "unknown";
}

enum xos_status xos_signed_check_times(const char *what, int64_t issued, int64_t expires,
    int64_t now, int64_t skew, struct xos_err *err)
{
	char by[XOS_TIME_TEXT];

	if (issued < 0 || expires <= issued || expires - issued > XOS_BUNDLE_LIFE_MAX)
		return xos_err_set(err, XOS_MALFORMED, "object-times",
		    "%s ends before it begins, or is valid for longer than %d days", what,
		    XOS_BUNDLE_LIFE_MAX / 86400);
	if (issued > now && issued - now > skew) {
		xos_duration_format(issued - now, by);
		return xos_err_set(err, XOS_NOT_YET_VALID, "object-not-yet-valid",
		    "%s was issued %s in the future by this machine's clock: compare the clocks",
		    what, by);
	}
	if (now >= expires) {
		xos_duration_format(now - expires, by);
		return xos_err_set(
		    err, XOS_EXPIRED, "object-expired", "%s expired %s ago", what, by);
	}
	return XOS_OK;
}

/* Every object of this room says when it was issued; what it says more is for its own reader. Parsed a second
 * time only where somebody may have an objection to the time: an answer for one moment that is refused. */
static enum xos_status check_signed_at(const struct xos_bundle_trust *trust,
    const struct xos_cert *cert, struct xos_bytes payload, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	int64_t issued = 0;

	if (!trust->signed_at ||
	    trust->signed_at(trust->arg, trust->vo, cert, INT64_MAX, NULL) == XOS_OK)
		return XOS_OK;
	enum xos_status st = xos_json_parse(payload, XOS_JWS_MAX, &doc, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "issued", &issued, err);
	if (st == XOS_OK)
		st = trust->signed_at(trust->arg, trust->vo, cert, issued, err);
	xos_json_free(doc);
	return st;
}

enum xos_status xos_signed_open(const char *typ, struct xos_bytes compact, enum xos_signer want,
    const struct xos_bundle_certs *certs, const struct xos_bundle_trust *trust, struct xos_buf *out,
    const struct xos_cert **who, struct xos_err *err)
{
	char claimed[XOS_JWS_KID_TEXT], kid[XOS_JWS_KID_TEXT];
	enum xos_status st = xos_jws_peek_kid(typ, compact, claimed, err);

	if (st != XOS_OK)
		return st;
	for (size_t i = 0; i < certs->n; i++) {
		const struct xos_cert *cert = certs->cert[i];

		xos_jws_kid(xos_cert_key(cert), kid);
		if (strcmp(kid, claimed) != 0)
			continue;
		/* Whether it may sign comes first: a payload of a stranger is not even looked at. */
		st = trust->signer(trust->arg, want, trust->vo, cert, trust->now, err);
		if (st == XOS_OK)
			st = xos_jws_verify(xos_cert_key(cert), typ, compact, out, err);
		if (st == XOS_OK)
			st = check_signed_at(trust, cert, xos_buf_bytes(out), err);
		if (st == XOS_OK && who)
			*who = cert;
		return st;
	}
	return xos_err_set(err, XOS_DENIED, "foreign-signer",
	    "signed by a key that is not the %s of the VO %s", xos_signer_name(want), trust->vo);
}
