/* init: what precedes a running server. */
#include "accounting/parts.h"
#include "service/init.h"

enum xos_status xos_acct_verb_init(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	const char *dir = NULL;
	enum xos_status st = xos_service_init(argc, argv, "accounting", NULL, &dir, err);

	(void)run;
	if (st == XOS_OK)
		xos_service_init_tell(dir, "accounting");
	return st;
}
