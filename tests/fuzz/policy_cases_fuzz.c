/* Files of cases: whatever is read can be asked, or says why not, and costs no memory. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cases/cases.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_cases *cases = NULL;
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status st =
	    xos_cases_parse((const char *)data, size, "dir/fuzz.test", &cases, &err);
	if ((st == XOS_OK) != (cases != NULL) || (st && !err.text[0]))
		abort();
	for (size_t i = 0; cases && i < cases->n; i++) {
		const struct xos_case *c = &cases->list[i];
		struct xos_policy_request req;
		bool decision = false;
		for (size_t j = 0; j < c->nexpected; j++)
			decision |= c->expected[j].what == XOS_EXPECT_DECISION;
		if (!decision || !c->name || !c->line)
			abort();
		if (xos_cases_ask_request(c->ask, NULL, 1795348800, &req, &err) == XOS_OK &&
		    (!req.action || !req.subject.member || !req.resource.kind))
			abort();
	}
	xos_cases_free(cases);
	return 0;
}
