#include <stdint.h>
#include <stdlib.h>

#include "api/decision_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A request that decodes can be said again and means the same. */
static void request(struct xos_bytes in)
{
	struct xos_decision_request *r = NULL, *again = NULL;
	struct xos_buf one, two;
	if (xos_decision_request_decode(in, &r, NULL))
		return;
	xos_buf_init(&one, 2 * XOS_DECISION_REQUEST_MAX);
	xos_buf_init(&two, 2 * XOS_DECISION_REQUEST_MAX);
	if (xos_decision_request_encode(xos_decision_request_get(r), &one, NULL))
		abort();
	if (xos_decision_request_decode(xos_buf_bytes(&one), &again, NULL) == XOS_OK) {
		if (xos_decision_request_encode(xos_decision_request_get(again), &two, NULL) ||
		    !xos_bytes_eq(xos_buf_bytes(&one), xos_buf_bytes(&two)))
			abort();
	} else if (one.n <= XOS_DECISION_REQUEST_MAX) {
		abort();
	}
	xos_buf_free(&one);
	xos_buf_free(&two);
	xos_decision_request_free(r);
	xos_decision_request_free(again);
}

/* What the scanner takes, the parser takes. */
static void two_ways(struct xos_bytes in)
{
	struct xos_decision_request *slow = NULL, *fast = xos_decision_request_scan(in);
	if (fast && xos_decision_request_parse(in, &slow, NULL))
		abort();
	xos_decision_request_free(fast);
	xos_decision_request_free(slow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_bytes in = {data, size};
	struct xos_decision_answer *a = NULL;
	request(in);
	two_ways(in);
	if (xos_decision_answer_decode(in, &a, NULL) == XOS_OK)
		for (size_t i = 0; i < a->nlevels; i++)
			if (!a->levels[i].level || !a->levels[i].name || !a->levels[i].stand)
				abort();
	xos_decision_answer_free(a);
	return 0;
}
