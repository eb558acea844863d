/* What is the same in the programs of authorities whose network process speaks to auth only. */
#include <limits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "service/authority.h"
#include "service/own.h"

static enum xos_status state_path(
    const struct xos_service_conf *c, const char *name, char out[PATH_MAX], struct xos_err *err)
{
	if (xos_path_join(out, PATH_MAX, c->state, name))
		return XOS_OK;
	return xos_err_set(
	    err, XOS_LIMIT, "path-too-long", "%s/%s: the path is too long", c->state, name);
}

static struct xos_part_plan plan(const struct xos_authority_part *p, const char *user,
    const char *name, unsigned allow, const char *const *read_only, const char *const *read_write)
{
	return (struct xos_part_plan){.present = true,
	    .user = user,
	    .open = p->open,
	    .sandbox = {.name = name,
	        .allow = allow,
	        .read_only = read_only,
	        .read_write = read_write},
	    .serve = p->serve,
	    .close = p->close};
}

enum xos_status xos_authority_usual_run(const struct xos_authority_usual *u,
    const struct xos_service_conf *conf, const struct xos_service_run *run, int argc, char **argv,
    struct xos_err *err)
{
	char auth_dir[PATH_MAX], key_dir[PATH_MAX], own_dir[PATH_MAX], names[XOS_PARTS][64];
	const char *const auth_paths[] = {auth_dir, NULL};
	const char *const trust_paths[] = {conf->trust, NULL}; /* new trust lists come there */
	const char *const key_paths[] = {key_dir, NULL};
	const char *const own_paths[] = {own_dir, NULL};
	char tls_folder[PATH_MAX];
	const char *const network_paths[] = {conf->trust, conf->tls_certificate, conf->tls_key,
	    xos_service_tls_folder(conf, tls_folder) ? tls_folder : NULL, NULL};
	static const char *const parts[XOS_PARTS] = {"network", "auth", "key"};
	enum xos_status st = xos_service_args_end(argc, argv, err);

	for (size_t i = 0; i < XOS_PARTS; i++)
		xos_str_printf(names[i], sizeof(names[i]), "%s/%s", u->name, parts[i]);
	if (st == XOS_OK)
		st = state_path(conf, "auth", auth_dir, err);
	if (st == XOS_OK)
		st = state_path(conf, "key", key_dir, err);
	/* Once, by the supervisor, before any part starts. */
	if (st == XOS_OK && !run->role)
		st = xos_service_own(auth_dir, conf->user_auth, err);
	if (st == XOS_OK && !run->role)
		st = xos_service_own(key_dir, conf->user_key, err);
	if (st == XOS_OK && u->network_folder)
		st = state_path(conf, u->network_folder, own_dir, err);
	if (st == XOS_OK && u->network_folder && !run->role)
		st = xos_service_own(own_dir, conf->user_network, err);
	if (st != XOS_OK)
		return st;
	/* What each process may still do once it has opened what it needs; the whole list stands here. */
	const unsigned network = XOS_ALLOW_NET_SERVER | (u->asks ? XOS_ALLOW_NET_CLIENT : 0u) |
	                         (u->network_folder ? XOS_ALLOW_FILE_WRITE : 0u);
	const struct xos_authority authority = {
	    .name = u->name,
	    .listen = conf->listen,
	    .parts =
	        {
	            [XOS_PART_NETWORK] =
	                plan(&u->network, conf->user_network, names[XOS_PART_NETWORK], network,
	                    network_paths, u->network_folder ? own_paths : NULL),
	            [XOS_PART_AUTH] = plan(&u->auth, conf->user_auth, names[XOS_PART_AUTH],
	                XOS_ALLOW_FILE_WRITE, trust_paths, auth_paths),
	            [XOS_PART_KEY] = plan(&u->key, conf->user_key, names[XOS_PART_KEY],
	                XOS_ALLOW_FILE_WRITE, trust_paths, key_paths),
	        },
	    .network_auth = true,
	    .auth_key = true,
	};
	return xos_authority_run(&authority, run, err);
}

void xos_authority_usual_check(const struct xos_service_conf *conf, const char *daemon,
    const char *kind, void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	static const char *const endings[] = {"key", "pem"};
	char path[PATH_MAX], name[64];

	xos_service_conf_check(conf, report, ctx);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		struct xos_err err = XOS_ERR_INIT;

		xos_str_printf(name, sizeof(name), "%s.%s", kind, endings[i]);
		if (state_path(conf, name, path, &err) == XOS_OK && access(path, R_OK) != 0)
			xos_err_set(&err, XOS_NOT_FOUND, "state-file",
			    "%s is missing: run %s init, then have the root sign %s.csr", path,
			    daemon, kind);
		if (err.status != XOS_OK)
			report(ctx, &err);
	}
}
