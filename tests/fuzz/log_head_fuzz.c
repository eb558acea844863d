/*
 * Heads of logs as a bundle carries them, by the first byte: 0 a payload that the ca's key signed (which may be in a thief's hand), else
 * what came as it came.
 */
#include <string.h>

#include "api/loghead.h"
#include "api/logheads.h"
#include "bundle/bundle.h"
#include "pki/jws.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1795000000)

static struct xos_test_vo *vo;
static struct xos_trust *trust;

static void check(const struct xos_carried_head *h)
{
	struct xos_bytes signature;
	struct xos_log_head again;

	/* Only its own log, and what is kept says the same. */
	if (strcmp(h->head.name, "demo/ca") != 0 || !h->head.has_root ||
	    h->head.time > NOW + XOS_BUNDLE_SKEW ||
	    xos_log_head_decode(xos_buf_bytes(&h->encoded), &again, &signature, NULL) != XOS_OK ||
	    again.sequence != h->head.sequence ||
	    memcmp(again.root, h->head.root, XOS_LOG_HASH) != 0)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_carried_head h = {.signer = NULL};
	struct xos_bytes in = {data + 1, size - 1};
	struct xos_buf compact;

	if (size < 1)
		return 0;
	if (!vo) {
		vo = xos_test_vo_new("demo", "lab", NOW);
		trust = xos_test_vo_trust(vo);
	}
	const struct xos_carried_want want = {
	    .trust = trust, .vo = "demo", .now = NOW, .skew = XOS_BUNDLE_SKEW};
	xos_buf_init(&compact, XOS_BUNDLE_HEAD_MAX);
	if (data[0] == 0) {
		if (xos_jws_sign(vo->ca_key, XOS_LOGHEAD_TYP, in, &compact, NULL) == XOS_OK)
			in = xos_buf_bytes(&compact);
		else
			in = XOS_BYTES_NONE;
	}
	if (xos_loghead_arrive(in, &want, &h, NULL) == XOS_OK)
		check(&h);
	else if (h.signer)
		__builtin_trap();
	xos_carried_head_clear(&h);
	xos_buf_free(&compact);
	return 0;
}
