/* The rules of a VO, as a server sends them, and what a client sends to accept them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/rules.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was taken encodes to the same. */
static void rules(struct xos_bytes in)
{
	struct xos_rules r, again;
	struct xos_json *doc = NULL, *back;

	if (xos_json_parse(in, 4 * XOS_RULES_TEXT_MAX, &doc, NULL) != XOS_OK)
		return;
	if (xos_rules_decode(doc, &r, NULL) == XOS_OK) {
		back = xos_rules_encode(&r);
		if (xos_rules_decode(back, &again, NULL) != XOS_OK || r.version != again.version ||
		    strcmp(r.text, again.text) != 0)
			abort();
		xos_rules_clear(&again);
		xos_json_free(back);
		xos_rules_clear(&r);
	}
	xos_json_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_bytes in = {data, size};
	uint8_t digest[XOS_SHA256_LEN], binding[XOS_SHA256_LEN];
	uint64_t version = 0;

	rules(in);
	if (xos_rules_accept_decode(in, &version, digest, NULL) == XOS_OK &&
	    xos_rules_binding("demo", version, digest, binding, NULL) != XOS_OK)
		abort();
	return 0;
}
