/* What the job service decodes: the first byte chooses the form. What decodes encodes to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/jobs.h"
#include "jobs/launch.h"
#include "jobs/order.h"
#include "jobs/outcome.h"
#include "jobs/renewal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(struct xos_buf *b, struct xos_bytes in)
{
	if (xos_buf_status(b) != XOS_OK || !xos_bytes_eq(xos_buf_bytes(b), in))
		abort();
	xos_buf_free(b);
}

static void spec(struct xos_bytes in)
{
	struct xos_job_spec *s = NULL;
	struct xos_buf b;

	if (xos_job_spec_decode(in, &s, NULL) != XOS_OK)
		return;
	xos_buf_init(&b, 2 * XOS_JOB_SPEC_MAX);
	if (xos_job_spec_encode(s, &b, NULL) != XOS_OK)
		abort();
	same(&b, in);
	xos_job_spec_free(s);
}

static void body(struct xos_bytes in)
{
	struct xos_job_spec *s = NULL;
	struct xos_job_info info;
	struct xos_job_renewal renewal;
	struct xos_json *doc = NULL;

	if (xos_json_parse(in, XOS_JOB_BODY_MAX, &doc, NULL) != XOS_OK)
		return;
	if (xos_job_spec_from_json(doc, "demo", "n1", &s, NULL) == XOS_OK &&
	    xos_job_spec_check(s, NULL) != XOS_OK)
		abort();
	if (xos_job_info_from_json(doc, &info, NULL) == XOS_OK && !xos_job_id_valid(info.id))
		abort();
	if (xos_job_renewal_from_json(doc, &renewal, NULL) == XOS_OK &&
	    !xos_job_id_valid(renewal.job))
		abort();
	xos_job_spec_free(s);
	xos_json_free(doc);
}

static void order(struct xos_bytes in)
{
	struct xos_order o;
	struct xos_order_offer offer;
	struct xos_order_grant g;
	char id[XOS_JOB_ID_TEXT];
	struct xos_buf b;

	if (xos_order_decode(in, &o, NULL) == XOS_OK) {
		xos_buf_init(&b, 2 * XOS_ORDER_MAX);
		/* A chain that is too long in all is decoded but not sent. */
		if (xos_order_encode(&o, &b, NULL) == XOS_OK)
			same(&b, in);
		else
			xos_buf_free(&b);
	}
	if (xos_order_offer_decode(in, &offer, NULL) == XOS_OK && offer.ncsr > sizeof(offer.csr))
		abort();
	if (xos_order_id_decode(in, id, NULL) == XOS_OK && !xos_job_id_valid(id))
		abort();
	if (xos_order_grant_decode(in, &g, NULL) == XOS_OK && (!g.n || !g.grant.n))
		abort();
}

static void launch(struct xos_bytes in)
{
	struct xos_launch l;
	struct xos_buf b;

	if (xos_launch_decode(in, &l, NULL) != XOS_OK)
		return;
	if (l.isolate && (l.uid == 0 || l.gid == 0))
		abort();
	xos_buf_init(&b, XOS_LAUNCH_MAX);
	xos_launch_encode(&b, &l);
	same(&b, in);
	xos_launch_free(&l);
}

static void outcome(struct xos_bytes in)
{
	struct xos_job_outcome o;
	struct xos_buf b;

	if (xos_outcome_decode(in, &o, NULL) != XOS_OK)
		return;
	xos_buf_init(&b, XOS_OUTCOME_MAX);
	xos_outcome_encode(&b, &o);
	same(&b, in);
}

/* A network of a decision. What is one holds its own address. */
static void prefix(struct xos_bytes in)
{
	struct xos_net_rules *rules = calloc(1, sizeof(*rules));
	char text[64];

	if (rules && in.n < sizeof(text)) {
		memcpy(text, in.p, in.n);
		text[in.n] = 0;
		rules->limited = true;
		if (xos_net_prefix_parse(text, &rules->open[0])) {
			rules->nopen = 1;
			if (!xos_net_rules_allow(rules, rules->open[0].family, rules->open[0].addr))
				abort();
		}
	}
	free(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const forms[])(struct xos_bytes) = {
	    spec, body, order, launch, outcome, prefix};
	struct xos_bytes in;

	if (size < 1 || size > XOS_LAUNCH_MAX)
		return 0;
	in = (struct xos_bytes){data + 1, size - 1};
	forms[data[0] % (sizeof(forms) / sizeof(forms[0]))](in);
	return 0;
}
