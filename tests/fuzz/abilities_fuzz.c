/* What a node says that it can do: a document that is taken is taken again as it is dumped, and can be held against a set. */
#include <stdlib.h>
#include <string.h>

#include "api/abilities.h"
#include "vops/abilities.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] =
	    "vo \"demo\" serial 1 schema 2 {"
	    " permit group /demo action job.submit on any when has job.cpu and job.cpu <= 2;"
	    " limit group /demo action job.submit on site:lab { cpu <= 3; wall <= 2h; }"
	    " duty group /demo action job.submit on any { record; } }";
	struct xos_json *doc = NULL, *again = NULL;
	struct xos_policy_set *set = NULL;
	struct xos_buf out;

	if (xos_abilities_parse((struct xos_bytes){data, size}, &doc, NULL) != XOS_OK)
		return 0;
	xos_buf_init(&out, 8 * XOS_ABILITIES_MAX);
	if (xos_json_dump(doc, &out, NULL) != XOS_OK)
		abort();
	if (out.n <= XOS_ABILITIES_MAX &&
	    xos_abilities_parse(xos_buf_bytes(&out), &again, NULL) != XOS_OK)
		abort();
	if (xos_policy_set_load(text, strlen(text), "set", &set, NULL) != XOS_OK)
		abort();
	(void)!vops_abilities_hold(doc, set, NULL);
	xos_policy_set_unref(set);
	xos_buf_free(&out);
	xos_json_free(again);
	xos_json_free(doc);
	return 0;
}
