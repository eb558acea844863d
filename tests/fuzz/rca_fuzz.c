/* What xos-rcad reads, by the first byte: 0 an application, 1 a renewal, 2 a request to the key process,
 * else a trust document as a joining node reads it. */
#include <stdlib.h>
#include <string.h>

#include "api/keep.h"
#include "api/rca.h"
#include "api/sshhost.h"
#include "api/trustdoc.h"
#include "rca/from.h"
#include "rca/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1795000000)

/* What was read and is written again must read the same: it is what stands in the database. */
static void application(struct xos_bytes in)
{
	struct xos_json *doc = NULL, *again = NULL;
	struct xos_rca_application *a = NULL, *b = NULL;

	if (xos_json_parse(in, XOS_RCA_BODY_MAX, &doc, NULL) == XOS_OK &&
	    xos_rca_application_decode(doc, &a, NULL) == XOS_OK) {
		again = xos_rca_application_encode(a);
		if (xos_rca_application_decode(again, &b, NULL) != XOS_OK ||
		    strcmp(a->node, b->node) != 0 || a->nhosts != b->nhosts ||
		    a->nservices != b->nservices)
			abort();
	}
	xos_rca_application_free(b);
	xos_rca_application_free(a);
	xos_json_free(again);
	xos_json_free(doc);
}

static void renewal(struct xos_bytes in)
{
	struct xos_trust *trust = xos_trust_new();
	struct xos_rca_renewal *r = NULL;

	char from[RCA_FROM_MAX + 1];
	const struct xos_bytes body = rca_from_split(in, from);

	if (body.n > in.n || strlen(from) > RCA_FROM_MAX || (body.n < in.n && !from[0]))
		abort();
	/* Nobody is trusted: nothing may pass. */
	if (xos_rca_renewal_open(body, trust, "demo", NOW, &r, NULL) == XOS_OK || r ||
	    xos_rca_rescue_open(body, trust, "demo", NOW, &r, NULL) == XOS_OK || r ||
	    xos_rca_confirm_open(body, trust, "demo", NOW, &r, NULL) == XOS_OK || r ||
	    xos_rca_ssh_host_open(body, trust, "demo", NOW, &r, NULL) == XOS_OK || r)
		abort();
	xos_trust_free(trust);
}

static void issue_request(struct xos_bytes in)
{
	struct rca_issue_request r;

	rca_issue_request_init(&r);
	if (rca_issue_request_decode(in, &r, NULL) == XOS_OK && r.nhosts > XOS_RCA_HOSTS_MAX)
		abort();
	rca_issue_request_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t fingerprint[XOS_SHA256_LEN];
	struct xos_joined *j = NULL;

	if (size == 0)
		return 0;
	const struct xos_bytes rest = {data + 1, size - 1};
	if (data[0] == 0)
		application(rest);
	else if (data[0] == 1)
		renewal(rest);
	else if (data[0] == 2)
		issue_request(rest);
	else if (xos_trust_doc_decode(rest, fingerprint, NOW, &j, NULL) == XOS_OK)
		abort(); /* nothing has that digest */
	return 0;
}
