/* init: what precedes a running server. */
#include "vops/init.h"

#include <limits.h>
#include <stdio.h>

#include "base/file.h"
#include "base/name.h"
#include "service/init.h"
#include "service/own.h"
#include "vops/sets.h"

static enum xos_status make_state(const char *dir, struct xos_err *err)
{
	static const char *const folders[] = {"auth", "key"};
	char path[PATH_MAX];
	struct xos_store *db = NULL;
	enum xos_status st = xos_dir_make(dir, 0755, err);

	for (size_t i = 0; st == XOS_OK && i < 2; i++) {
		if (!xos_path_join(path, sizeof(path), dir, folders[i]))
			return xos_err_set(
			    err, XOS_LIMIT, "path-too-long", "%s: the path is too long", dir);
		st = xos_service_own(path, NULL, err);
	}
	if (st == XOS_OK)
		st = xos_service_init_key(dir, "vops", err);
	if (st == XOS_OK)
		st = xos_service_init_key(dir, "tls", err);
	if (st == XOS_OK && !xos_path_join(path, sizeof(path), dir, "auth/sets.db"))
		st = xos_err_set(err, XOS_LIMIT, "path-too-long", "%s: the path is too long", dir);
	if (st == XOS_OK)
		st = vops_sets_open(path, &db, err);
	xos_store_close(db);
	return st;
}

enum xos_status vops_verb_init(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	const char *dir = NULL, *vo = NULL;
	enum xos_status st = xos_service_arg(&argc, argv, "--dir", true, &dir, err);

	(void)run;
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--vo", true, &vo, err);
	if (st == XOS_OK)
		st = xos_service_args_end(argc, argv, err);
	if (st == XOS_OK && !xos_name_is_vo(vo))
		st = xos_err_set(err, XOS_MALFORMED, "usage",
		    "\"%s\" is no VO name: lower-case letters, digits and hyphens, at most %d", vo,
		    XOS_VO_MAX);
	if (st == XOS_OK)
		st = make_state(dir, err);
	if (st == XOS_OK)
		printf("Made %s. Next: have the root sign %s/vops.csr\n"
		       "  xos-cad root-sign --dir ROOT --kind vops --csr %s/vops.csr --out "
		       "%s/vops.pem\n",
		    dir, dir, dir, dir);
	return st;
}
