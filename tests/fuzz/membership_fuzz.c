/* The payload of a membership that its right signer signed. */
#include <stdlib.h>
#include <string.h>

#include "bundle/membership.h"
#include "pki/jws.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1795000000)

static struct xos_test_vo *vo;

static enum xos_status signer(void *arg, enum xos_signer want, const char *name,
    const struct xos_cert *cert, int64_t now, struct xos_err *err)
{
	(void)arg;
	(void)name;
	(void)now;
	return want == XOS_SIGNER_CA && xos_key_same(xos_cert_key(vo->ca), xos_cert_key(cert))
	           ? XOS_OK
	           : xos_err_set(err, XOS_DENIED, "fuzz", "no");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct xos_bundle_trust trust = {
	    .vo = "demo", .signer = signer, .now = NOW, .skew = XOS_BUNDLE_SKEW};
	struct xos_membership *m = NULL;
	struct xos_buf compact;

	if (!vo)
		vo = xos_test_vo_new("demo", "lab", NOW);
	const struct xos_cert *const list[] = {vo->ca};
	const struct xos_bundle_certs certs = {.cert = list, .n = 1};
	xos_buf_init(&compact, XOS_MEMBERSHIP_MAX);
	MUST(xos_jws_sign(
	         vo->ca_key, XOS_MEMBERSHIP_TYP, (struct xos_bytes){data, size}, &compact, NULL),
	    NULL);
	if (xos_membership_verify(xos_buf_bytes(&compact), &certs, &trust, &m, NULL) == XOS_OK) {
		for (size_t i = 0; i < xos_membership_count(m); i++) {
			const struct xos_membership_member *one = xos_membership_at(m, i);

			if (xos_membership_find(m, one->name) != one || !one->number)
				abort();
			for (size_t g = 0; g < one->ngroups; g++)
				if (!xos_name_is_group(one->groups[g]))
					abort();
		}
	}
	xos_membership_free(m);
	xos_buf_free(&compact);
	return 0;
}
