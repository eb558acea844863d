/* init: what precedes a running server. */
#include "vops/init.h"

#include <limits.h>

#include "service/init.h"
#include "vops/sets.h"

enum xos_status vops_verb_init(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	static const char *const folders[] = {"auth", "key", NULL};
	const char *dir = NULL;
	char path[PATH_MAX];
	struct xos_store *db = NULL;
	enum xos_status st = xos_service_init(argc, argv, "vops", folders, &dir, err);

	(void)run;
	if (st == XOS_OK)
		st = xos_service_init_path(dir, "auth/sets.db", path, sizeof(path), err);
	if (st == XOS_OK)
		st = vops_sets_open(path, &db, err);
	xos_store_close(db);
	if (st == XOS_OK)
		xos_service_init_tell(dir, "vops");
	return st;
}
