/* A document that is said to prove a record, or that a log grew: as it comes from a server or a file. */
#include <string.h>

#include "api/logproof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_log_head head = {.name = "demo/ca", .sequence = 8, .has_root = true},
	                    before = head;
	struct xos_json *doc = NULL;
	struct xos_log_record record;
	struct xos_buf entry;

	if (xos_json_parse((struct xos_bytes){data, size}, 1 << 20, &doc, NULL) != XOS_OK)
		return 0;
	/* A root of zeros: nobody finds a proof that leads to it. */
	if (xos_logproof_record(doc, &head, &entry, &record, NULL) == XOS_OK)
		__builtin_trap();
	before.sequence = 6;
	if (xos_logproof_growth(doc, &before, &head, NULL) == XOS_OK)
		__builtin_trap();
	xos_json_free(doc);
	return 0;
}
