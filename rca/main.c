/* xos-rcad: the resource authority of a VO. */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "rca/conf.h"
#include "rca/init.h"
#include "rca/parts.h"
#include "service/authority.h"
#include "service/own.h"

static enum xos_status run(
    const struct xos_service_run *r, int argc, char **argv, struct xos_err *err)
{
	const struct rca_conf *conf = r->conf;
	char auth_dir[PATH_MAX], key_dir[PATH_MAX];
	const char *auth_paths[] = {auth_dir, NULL};
	const char *key_paths[] = {key_dir, NULL};
	const char *front_paths[] = {
	    conf->common.trust, conf->common.tls_certificate, conf->common.tls_key, NULL};
	enum xos_status st = xos_service_args_end(argc, argv, err);

	if (st == XOS_OK)
		st = rca_conf_path(conf, "auth", auth_dir, sizeof(auth_dir), err);
	if (st == XOS_OK)
		st = rca_conf_path(conf, "key", key_dir, sizeof(key_dir), err);
	/* Once, by the supervisor, before any part starts. */
	if (st == XOS_OK && !r->role)
		st = xos_service_own(auth_dir, conf->common.user_auth, err);
	if (st == XOS_OK && !r->role)
		st = xos_service_own(key_dir, conf->common.user_key, err);
	if (st != XOS_OK)
		return st;
	/* What each process may still do once it has opened what it needs; the whole list stands here. */
	const struct xos_authority authority = {
	    .name = "rcad",
	    .listen = conf->common.listen,
	    .parts =
	        {
	            [XOS_PART_NETWORK] = {.present = true,
	                .user = conf->common.user_network,
	                .open = rca_front_open,
	                .sandbox = {.name = "rcad/network",
	                    .allow = XOS_ALLOW_NET_SERVER | XOS_ALLOW_NET_CLIENT,
	                    .read_only = front_paths},
	                .serve = rca_front_serve,
	                .close = rca_front_close},
	            [XOS_PART_AUTH] = {.present = true,
	                .user = conf->common.user_auth,
	                .open = rca_auth_open,
	                .sandbox = {.name = "rcad/auth",
	                    .allow = XOS_ALLOW_FILE_WRITE,
	                    .read_write = auth_paths},
	                .serve = rca_auth_serve,
	                .close = rca_auth_close},
	            [XOS_PART_KEY] = {.present = true,
	                .user = conf->common.user_key,
	                .open = rca_key_open,
	                .sandbox = {.name = "rcad/key",
	                    .allow = XOS_ALLOW_FILE_WRITE,
	                    .read_write = key_paths},
	                .serve = rca_key_serve,
	                .close = rca_key_close},
	        },
	    .network_auth = true,
	    .auth_key = true,
	};
	return xos_authority_run(&authority, r, err);
}

static void check(const void *conf, void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	const struct rca_conf *c = conf;
	static const char *const files[] = {"rca.key", "rca.pem"};
	char path[PATH_MAX];

	xos_service_conf_check(&c->common, report, ctx);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct xos_err err = XOS_ERR_INIT;

		if (rca_conf_path(c, files[i], path, sizeof(path), &err) == XOS_OK &&
		    access(path, R_OK) != 0)
			xos_err_set(&err, XOS_NOT_FOUND, "state-file",
			    "%s is missing: run xos-rcad init, then have the root sign rca.csr",
			    path);
		if (err.status != XOS_OK)
			report(ctx, &err);
	}
}

static const struct xos_service_verb verbs[] = {
    {"run", "", "serve", true, run},
    {"init", "--dir DIR --vo NAME", "make a state folder with keys and requests", false,
        rca_verb_init},
    {"issue", "--service KIND --name HOST --host NAME... --csr FILE --out FILE",
        "certify a server of the VO (ca, rca, vops, accounting) while no daemon runs", true,
        rca_verb_issue},
};

static const struct xos_service_program program = {
    .name = "xos-rcad",
    .about = "resource authority: admits nodes and services of a VO",
    .keys = rca_conf_keys,
    .conf_size = sizeof(struct rca_conf),
    .check = check,
    .verbs = verbs,
    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
    .examples = "  xos-rcad init --dir /var/lib/xos/demo/rca --vo demo\n"
                "  xos-rcad issue --config rca.conf --service vops --name vo.example.org \\\n"
                "      --host vo.example.org --host 192.0.2.7 --csr tls.csr --out tls.pem\n"
                "  xos-rcad run --config rca.conf\n",
};

int main(int argc, char **argv)
{
	struct xos_service_program p = program;

	p.nkeys = rca_conf_nkeys;
	return xos_service_main(&p, argc, argv);
}
