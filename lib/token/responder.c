#include "token/responder.h"

#include "base/name.h"
#include "pki/ocsp.h"
#include "token/kind.h"

enum xos_status xos_responder_issue(struct xos_issuer *issuer, const char *vo,
    struct xos_bytes spki, int64_t not_before, int64_t not_after,
    uint8_t serial[XOS_ISSUE_SERIAL_LEN], struct xos_buf *out, struct xos_err *err)
{
	static const uint8_t null[] = {XOS_DER_NULL, 0};
	const struct xos_rdn subject[] = {{XOS_RDN_O, vo},
	    {XOS_RDN_OU, xos_kind_name(XOS_KIND_USER)}, {XOS_RDN_OU, "responder"},
	    {XOS_RDN_CN, "ocsp"}};
	const struct xos_bytes eku[] = {XOS_EKU_OCSP};
	const struct xos_ext exts[] = {{XOS_OID_OCSP_NOCHECK, false, {null, sizeof(null)}}};
	const struct xos_issue what = {.subject = subject,
	    .nsubject = sizeof(subject) / sizeof(subject[0]),
	    .spki = spki,
	    .not_before = not_before,
	    .not_after = not_after,
	    .key_usage = XOS_KU_DIGITAL_SIGNATURE,
	    .eku = eku,
	    .neku = 1,
	    .exts = exts,
	    .nexts = 1};

	if (!vo || !xos_name_is_vo(vo))
		return xos_err_set(err, XOS_MALFORMED, "name", "no VO name");
	return xos_issue_cert(issuer, &what, serial, out, err);
}
