/* xos-vopsd: the policy service of a VO. */
#include <string.h>

#include "vops/conf.h"
#include "vops/init.h"
#include "vops/parts.h"
#include "service/authority.h"
#include "service/rollover.h"

static enum xos_status run(
    const struct xos_service_run *r, int argc, char **argv, struct xos_err *err)
{
	static const struct xos_authority_usual authority = {
	    .name = "vopsd",
	    .network = {vops_front_open, vops_front_serve, vops_front_close},
	    .auth = {vops_auth_open, vops_auth_serve, vops_auth_close},
	    .key = {vops_key_open, vops_key_serve, vops_key_close},
	    .asks = true,
	    .network_folder = VOPS_NETWORK_FOLDER,
	};
	const struct vops_conf *conf = r->conf;

	enum xos_status st = r->role ? XOS_OK : xos_rollover_heal(conf->common.state, "vops", err);

	return st == XOS_OK ? xos_authority_usual_run(&authority, &conf->common, r, argc, argv, err)
	                    : st;
}

static enum xos_status verb_rollover(
    const struct xos_service_run *r, int argc, char **argv, struct xos_err *err)
{
	(void)r;
	return xos_service_verb_rollover(argc, argv, "vops", err);
}

static void check(const void *conf, void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	const struct vops_conf *c = conf;

	xos_authority_usual_check(&c->common, "xos-vopsd", "vops", report, ctx);
	if (c->authzen_url && (strncmp(c->authzen_url, "https://", 8) != 0 || !c->authzen_url[8] ||
	                          c->authzen_url[strcspn(c->authzen_url, "?# ")] ||
	                          c->authzen_url[strlen(c->authzen_url) - 1] == '/')) {
		struct xos_err err = XOS_ERR_INIT;

		xos_err_set(&err, XOS_MALFORMED, "config-value",
		    "authzen_url is an https:// address without a query, a fragment or a slash at "
		    "its end, not \"%s\"",
		    c->authzen_url);
		report(ctx, &err);
	}
}

static const struct xos_service_verb verbs[] = {
    {"run", "", "serve", true, run},
    {"init", "--dir DIR --vo NAME", "make a state folder with keys and requests", false,
        vops_verb_init},
    {"rollover", "prepare|activate|undo --dir DIR", "the next key of the authority", false,
        verb_rollover},
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
