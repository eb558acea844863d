/* xos-rcad: the resource authority of a VO. */
#include "base/name.h"
#include "rca/conf.h"
#include "rca/init.h"
#include "rca/parts.h"
#include "service/authority.h"
#include "service/rollover.h"

static enum xos_status run(
    const struct xos_service_run *r, int argc, char **argv, struct xos_err *err)
{
	static const struct xos_authority_usual authority = {
	    .name = "rcad",
	    .network = {rca_front_open, rca_front_serve, rca_front_close},
	    .auth = {rca_auth_open, rca_auth_serve, rca_auth_close},
	    .key = {rca_key_open, rca_key_serve, rca_key_close},
	    .asks = true,
	};
	const struct rca_conf *conf = r->conf;

	enum xos_status st = r->role ? XOS_OK : xos_rollover_heal(conf->common.state, "rca", err);

	return st == XOS_OK ? xos_authority_usual_run(&authority, &conf->common, r, argc, argv, err)
	                    : st;
}

static enum xos_status verb_rollover(
    const struct xos_service_run *r, int argc, char **argv, struct xos_err *err)
{
	(void)r;
	return xos_service_verb_rollover(argc, argv, "rca", err);
}

static void check(const void *conf, void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	const struct rca_conf *c = conf;

	struct xos_err err = XOS_ERR_INIT;

	xos_authority_usual_check(&c->common, "xos-rcad", "rca", report, ctx);
	if (!c->est_site || xos_name_is_site(c->est_site))
		return;
	xos_err_set(
	    &err, XOS_MALFORMED, "est-site", "est_site: \"%s\" is no name of a site", c->est_site);
	report(ctx, &err);
}

static const struct xos_service_verb verbs[] = {
    {"run", "", "serve", true, run},
    {"init", "--dir DIR --vo NAME", "make a state folder with keys and requests", false,
        rca_verb_init},
    {"rollover", "prepare|activate|undo --dir DIR", "the next key of the authority", false,
        verb_rollover},
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
