/* xos-cad break-glass: seals an administrator, on the authority's own machine, when nobody else can. */
#include <stdio.h>
#include <string.h>

#include "auth/code.h"
#include "base/clock.h"
#include "base/random.h"
#include "ca/membership/acts.h"
#include "ca/conf.h"
#include "ca/offline/offline.h"
#include "ca/membership/sealed.h"
#include "ca/auth/verifiers.h"

static enum xos_status seal(struct ca_membership *m, const char *jti, struct xos_err *err)
{
	struct ca_act act = {.at = xos_clock_now(),
	    .actor = "xos-cad",
	    .verb = "break-glass.seal",
	    .args = "{}",
	    .jti = jti};
	enum xos_status st = xos_store_begin(m->store, err);

	if (st == XOS_OK)
		st = ca_sealed_seal(m, act.at, err);
	if (st == XOS_OK)
		st = ca_act_add(m, &act, err);
	if (st == XOS_OK)
		st = xos_store_commit(m->store, err);
	xos_store_rollback(m->store);
	return st;
}

/* In the order of commands.c: prepared, committed with the act, applied. */
static enum xos_status change(const struct ca_paths *p, const char *vo,
    const struct ca_verifier_change *change, struct xos_err *err)
{
	struct ca_membership *m = NULL;
	struct ca_verifiers *v = NULL;
	char jti[33];
	enum xos_status st = ca_membership_open(p->membership, vo, false, false, &m, err), done;

	xos_random_id(jti, 16);
	if (st == XOS_OK)
		st = ca_verifiers_open(p->verifiers, false, &v, err);
	if (st == XOS_OK)
		st = ca_verifiers_prepare(v, jti, change, err);
	if (st == XOS_OK) {
		st = seal(m, jti, err);
		done = ca_verifiers_settle(
		    v, jti, st == XOS_OK, xos_clock_now(), st == XOS_OK ? err : NULL);
		st = st == XOS_OK ? done : st;
	}
	if (st == XOS_OK)
		st = ca_verifiers_make_sure(v, jti, change, xos_clock_now(), err);
	ca_verifiers_close(v);
	ca_membership_close(m);
	return st;
}

/* With --json as xos-vo break-glass does; no character of the three needs escaping, and no copy of the code is made. */
static void print_code(const char *vo, const char *code, bool json)
{
	if (json)
		printf("{\"code\":\"%s\",\"member\":\"%s\",\"vo\":\"%s\"}\n", code, CA_SEALED_NAME,
		    vo);
	else
		printf("%s\n", code);
}

enum xos_status ca_verb_break_glass(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	const struct ca_conf *conf = run->conf;
	struct ca_verifier_change c = {
	    .member = CA_SEALED_NAME, .kind = XOS_SCRAM_CODE, .until = CA_NO_END};
	struct xos_secret *code = xos_code_make();
	char text[XOS_CODE_TEXT];
	struct ca_paths p;
	enum xos_status st = xos_service_args_end(argc, argv, err);

	if (st == XOS_OK && !code)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		st = ca_paths_fill(conf->common.state, &p, err);
	if (st == XOS_OK)
		st = xos_scram_verifier_make_code(
		    code, CA_SEALED_NAME, (uint32_t)conf->iterations, &c.verifier, err);
	if (st == XOS_OK)
		st = change(&p, conf->common.vo, &c, err);
	if (st == XOS_OK) {
		xos_code_format(code, text);
		print_code(conf->common.vo, text, run->json);
		xos_wipe(text, sizeof(text));
	}
	xos_wipe(&c, sizeof(c));
	xos_secret_free(code);
	return st;
}
