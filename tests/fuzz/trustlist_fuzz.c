/*
 * The trust list, by the first byte: 0 a payload that the root signed, in which the bytes 1 to 4 stand for the
 * certificates of ca, rca and policy and for the root's fingerprint, which differ in each run; else the compact form as it came.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pki/digest.h"
#include "pki/jws.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"
#include "token/trustlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1795000000)

static struct xos_test_vo *vo;

static void expand(const uint8_t *data, size_t size, struct xos_buf *out)
{
	const struct xos_cert *const certs[] = {vo->ca, vo->rca, vo->policy};
	char text[XOS_FINGERPRINT_TEXT];

	xos_fingerprint_text(xos_cert_fingerprint(vo->root), text);
	for (size_t i = 0; i < size; i++) {
		if (data[i] >= 1 && data[i] <= 3)
			xos_base64_encode(out, xos_cert_der(certs[data[i] - 1]));
		else if (data[i] == 4)
			xos_buf_put_str(out, text);
		else
			xos_buf_put(out, &data[i], 1);
	}
}

/* What was read is signed again and read alike. */
static void again(const struct xos_trust_list *l)
{
	struct xos_trust_list *twin = NULL;
	struct xos_buf compact;

	xos_buf_init(&compact, XOS_TRUST_LIST_MAX);
	if (xos_trust_list_sign(vo->root_key, vo->root, l, &compact, NULL) != XOS_OK ||
	    xos_trust_list_verify(xos_buf_bytes(&compact), vo->root, &twin, NULL) != XOS_OK ||
	    twin->serial != l->serial || twin->n != l->n || twin->expires != l->expires)
		abort();
	for (size_t i = 0; i < l->n; i++)
		if (twin->entry[i].state != l->entry[i].state ||
		    strcmp(twin->entry[i].reason, l->entry[i].reason) != 0)
			abort();
	xos_trust_list_free(twin);
	xos_buf_free(&compact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_trust_list *l = NULL;
	struct xos_buf payload, compact;

	if (!vo)
		vo = xos_test_vo_new("demo", "lyon", NOW);
	if (size == 0)
		return 0;
	xos_buf_init(&payload, XOS_TRUST_LIST_MAX);
	xos_buf_init(&compact, 2 * XOS_TRUST_LIST_MAX);
	if (data[0] == 0) {
		expand(data + 1, size - 1, &payload);
		if (xos_jws_sign(vo->root_key, XOS_TRUST_LIST_TYP, xos_buf_bytes(&payload),
		        &compact, NULL) != XOS_OK)
			goto out;
	} else {
		xos_buf_put(&compact, data + 1, size - 1);
	}
	if (xos_trust_list_verify(xos_buf_bytes(&compact), vo->root, &l, NULL) == XOS_OK) {
		if (data[0] != 0)
			abort(); /* signed by a key that nobody else has */
		again(l);
	} else if (l) {
		abort();
	}
	xos_trust_list_free(l);
out:
	xos_buf_free(&compact);
	xos_buf_free(&payload);
	return 0;
}
