/* Who comes in and goes at xos-rcad, by the first byte: 0 terms that the site's own key signed, 1 a request to join by a code,
 * else a leave. */
#include <stdlib.h>
#include <string.h>

#include "api/rca_admission.h"
#include "bundle/admission.h"
#include "pki/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1795000000)

/* What was taken is signed and taken again alike: it decides who approves. */
static void terms(struct xos_bytes payload)
{
	static struct xos_key *key;
	struct xos_admission a, b;
	struct xos_buf out;

	if (!key && xos_key_generate(&key, NULL) != XOS_OK)
		abort();
	xos_buf_init(&out, XOS_ADMISSION_MAX);
	if (xos_jws_sign(key, XOS_ADMISSION_TYP, payload, &out, NULL) == XOS_OK &&
	    xos_admission_verify(key, "demo", "lab", xos_buf_bytes(&out), NOW, XOS_BUNDLE_SKEW, &a,
	        NULL) == XOS_OK) {
		xos_buf_free(&out);
		xos_buf_init(&out, XOS_ADMISSION_MAX);
		if (a.napprovers > XOS_ADMISSION_APPROVERS_MAX || a.serial == 0 ||
		    xos_admission_sign(key, &a, &out, NULL) != XOS_OK ||
		    xos_admission_verify(key, "demo", "lab", xos_buf_bytes(&out), NOW,
		        XOS_BUNDLE_SKEW, &b, NULL) != XOS_OK ||
		    a.serial != b.serial || a.napprovers != b.napprovers || a.rescue != b.rescue ||
		    memcmp(a.approvers, b.approvers, sizeof(a.approvers)) != 0)
			abort();
	}
	xos_buf_free(&out);
}

static void join(struct xos_bytes in)
{
	struct xos_rca_application *app = NULL;
	char code[XOS_RCA_CODE_MAX + 1] = "";

	if (xos_rca_join_decode(in, &app, code, NULL) == XOS_OK ? !app : app != NULL)
		abort();
	xos_rca_application_free(app);
}

static void leave(struct xos_bytes in)
{
	struct xos_trust *trust = xos_trust_new();
	struct xos_rca_leave l;

	/* Nobody is trusted: nothing may pass. */
	if (xos_rca_leave_open(in, trust, "demo", NOW, &l, NULL) == XOS_OK)
		abort();
	xos_trust_free(trust);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const struct xos_bytes rest = {data + 1, size - 1};
	if (data[0] == 0)
		terms(rest);
	else if (data[0] == 1)
		join(rest);
	else
		leave(rest);
	return 0;
}
