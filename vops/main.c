/* xos-vopsd: the policy service of a VO. */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "vops/conf.h"
#include "vops/init.h"
#include "vops/parts.h"
#include "service/authority.h"
#include "service/own.h"

static enum xos_status run(
    const struct xos_service_run *r, int argc, char **argv, struct xos_err *err)
{
	const struct vops_conf *conf = r->conf;
	char auth_dir[PATH_MAX], key_dir[PATH_MAX];
	const char *auth_paths[] = {auth_dir, NULL};
	const char *key_paths[] = {key_dir, NULL};
	const char *front_paths[] = {
	    conf->common.trust, conf->common.tls_certificate, conf->common.tls_key, NULL};
	enum xos_status st = xos_service_args_end(argc, argv, err);

	if (st == XOS_OK)
		st = vops_conf_path(conf, "auth", auth_dir, sizeof(auth_dir), err);
	if (st == XOS_OK)
		st = vops_conf_path(conf, "key", key_dir, sizeof(key_dir), err);
	/* Once, by the supervisor, before any part starts. */
	if (st == XOS_OK && !r->role)
		st = xos_service_own(auth_dir, conf->common.user_auth, err);
	if (st == XOS_OK && !r->role)
		st = xos_service_own(key_dir, conf->common.user_key, err);
	if (st != XOS_OK)
		return st;
	/* What each process may still do once it has opened what it needs; the whole list stands here. */
	const struct xos_authority authority = {
	    .name = "vopsd",
	    .listen = conf->common.listen,
	    .parts =
	        {
	            [XOS_PART_NETWORK] = {.present = true,
	                .user = conf->common.user_network,
	                .open = vops_front_open,
	                .sandbox = {.name = "vopsd/network",
	                    .allow = XOS_ALLOW_NET_SERVER | XOS_ALLOW_NET_CLIENT,
	                    .read_only = front_paths},
	                .serve = vops_front_serve,
	                .close = vops_front_close},
	            [XOS_PART_AUTH] = {.present = true,
	                .user = conf->common.user_auth,
	                .open = vops_auth_open,
	                .sandbox = {.name = "vopsd/auth",
	                    .allow = XOS_ALLOW_FILE_WRITE,
	                    .read_write = auth_paths},
	                .serve = vops_auth_serve,
	                .close = vops_auth_close},
	            [XOS_PART_KEY] = {.present = true,
	                .user = conf->common.user_key,
	                .open = vops_key_open,
	                .sandbox = {.name = "vopsd/key",
	                    .allow = XOS_ALLOW_FILE_WRITE,
	                    .read_write = key_paths},
	                .serve = vops_key_serve,
	                .close = vops_key_close},
	        },
	    .network_auth = true,
	    .auth_key = true,
	};
	return xos_authority_run(&authority, r, err);
}

static void check(const void *conf, void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	const struct vops_conf *c = conf;
	static const char *const files[] = {"vops.key", "vops.pem"};
	char path[PATH_MAX];

	xos_service_conf_check(&c->common, report, ctx);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct xos_err err = XOS_ERR_INIT;

		if (vops_conf_path(c, files[i], path, sizeof(path), &err) == XOS_OK &&
		    access(path, R_OK) != 0)
			xos_err_set(&err, XOS_NOT_FOUND, "state-file",
			    "%s is missing: run xos-vopsd init, then have the root sign vops.csr",
			    path);
		if (err.status != XOS_OK)
			report(ctx, &err);
	}
}

static const struct xos_service_verb verbs[] = {
    {"run", "", "serve", true, run},
    {"init", "--dir DIR --vo NAME", "make a state folder with keys and requests", false,
        vops_verb_init},
};

static const struct xos_service_program program = {
    .name = "xos-vopsd",
    .about = "policy service: keeps and distributes the policy of a VO",
    .keys = vops_conf_keys,
    .conf_size = sizeof(struct vops_conf),
    .check = check,
    .verbs = verbs,
    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
    .examples = "  xos-vopsd init --dir /var/lib/xos/demo/vops --vo demo\n"
                "  xos-vopsd run --config vopsd.conf\n",
};

int main(int argc, char **argv)
{
	struct xos_service_program p = program;

	p.nkeys = vops_conf_nkeys;
	return xos_service_main(&p, argc, argv);
}
