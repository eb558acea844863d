/* What strangers send about grants: a grant's bytes, grants and renewals as they travel, and what a server answers. */
#include <stdint.h>
#include <stdlib.h>

#include "api/grant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct xos_trust *nobody(void)
{
	static struct xos_trust *trust; /* trusts nobody, so nothing may come out */

	if (!trust)
		trust = xos_trust_new();
	return trust;
}

/* What is taken is encoded again, and to the same bytes from then on. */
static void grant(struct xos_bytes in)
{
	struct xos_grant g, back;
	struct xos_buf once, twice;

	if (xos_grant_decode(in, &g, NULL) != XOS_OK)
		return;
	xos_buf_init(&once, XOS_GRANT_PAYLOAD_MAX);
	xos_buf_init(&twice, XOS_GRANT_PAYLOAD_MAX);
	if (xos_grant_encode(&g, &once, NULL) == XOS_OK) {
		if (xos_grant_decode(xos_buf_bytes(&once), &back, NULL) != XOS_OK)
			abort();
		if (xos_grant_encode(&back, &twice, NULL) != XOS_OK ||
		    !xos_bytes_eq(xos_buf_bytes(&once), xos_buf_bytes(&twice)))
			abort();
		xos_grant_clear(&back);
	}
	xos_buf_free(&once);
	xos_buf_free(&twice);
	xos_grant_clear(&g);
}

static void document(struct xos_bytes in)
{
	const struct xos_grant_opts o = {
	    .trust = nobody(), .vo = "demo", .now = 1800000000, .skew = 300};
	struct xos_grant_signed *s = NULL;
	struct xos_json *doc = NULL;

	if (xos_json_parse(in, XOS_GRANT_BODY_MAX, &doc, NULL) == XOS_OK &&
	    (xos_grant_open(doc, &o, &s, NULL) == XOS_OK || s))
		abort();
	xos_json_free(doc);
}

static void renewal(struct xos_bytes in)
{
	const struct xos_grant_opts o = {.trust = nobody(), .vo = "demo", .now = 1800000000};
	struct xos_grant_renewal *r = NULL;

	if (xos_grant_renewal_open(in, &o, &r, NULL) == XOS_OK || r)
		abort();
}

static void info(struct xos_bytes in)
{
	struct xos_grant_info i;
	struct xos_json *doc = NULL, *again;

	if (xos_json_parse(in, XOS_GRANT_BODY_MAX, &doc, NULL) == XOS_OK &&
	    xos_grant_info_from_json(doc, &i, NULL) == XOS_OK) {
		again = xos_grant_info_to_json(&i);
		if (xos_grant_info_from_json(again, &i, NULL) != XOS_OK)
			abort();
		xos_json_free(again);
	}
	xos_json_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	struct xos_bytes in = {data + 1, size - 1};
	switch (data[0] % 4) {
	case 0:
		grant(in);
		break;
	case 1:
		document(in);
		break;
	case 2:
		renewal(in);
		break;
	default:
		info(in);
	}
	return 0;
}
