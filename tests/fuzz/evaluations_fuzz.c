#include <stdint.h>
#include <stdlib.h>

#include "api/decision_scan.h"
#include "api/evaluations.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every item either decodes into a whole request or is refused; chains are taken apart as well. */
static void walk(struct xos_evaluations *e, enum xos_search search)
{
	uint8_t digest[32];
	const char *ignored[16];

	if (xos_evaluations_count(e) == 0 || xos_evaluations_count(e) > XOS_EVALUATIONS_MAX)
		abort();
	for (size_t i = 0; i < xos_evaluations_count(e); i++) {
		struct xos_decision_request *r = NULL;
		struct xos_chain chain = {.n = 0};

		if (xos_evaluations_item(e, i, &r, NULL) != XOS_OK)
			continue;
		const struct xos_policy_request *q = xos_decision_request_get(r);
		if (!q->subject.kind || !q->resource.kind ||
		    (!q->action && search != XOS_SEARCH_ACTION) ||
		    (!q->subject.member && search != XOS_SEARCH_SUBJECT) || q->subject.ngroups ||
		    q->subject.nroles)
			abort();
		if (xos_evaluations_ignored(e, r, ignored, 16) > 16)
			abort();
		(void)!xos_evaluations_chain(r, &chain, NULL);
		xos_chain_clear(&chain);
		xos_decision_request_free(r);
	}
	if (search != XOS_SEARCH_NOTHING)
		(void)!xos_evaluations_digest(e, digest, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_bytes in = {data, size};
	struct xos_evaluations *e = NULL;

	if (xos_evaluations_decode(in, &e, NULL) == XOS_OK)
		walk(e, XOS_SEARCH_NOTHING);
	xos_evaluations_free(e);
	for (int s = XOS_SEARCH_NOTHING; s <= XOS_SEARCH_RESOURCE; s++) {
		e = NULL;
		if (xos_evaluation_decode(in, (enum xos_search)s, &e, NULL) == XOS_OK)
			walk(e, (enum xos_search)s);
		xos_evaluations_free(e);
	}
	return 0;
}
