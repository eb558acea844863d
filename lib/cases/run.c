#include "cases/run.h"

#include "base/clock.h"
#include "cases/expect.h"
#include "policy/ast.h"

void xos_cases_try(struct xos_policy_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->statements[i].effect != XOS_POLICY_CHECK)
			set->statements[i].shadow = true;
}

static enum xos_status run_one(const struct xos_cases_ground *g, const struct xos_cases *file,
    const struct xos_case *one, int64_t now, xos_cases_told *told, void *arg, struct xos_err *err)
{
	const struct xos_policy_set *chain[XOS_POLICY_CHAIN_MAX];
	struct xos_policy_request req;
	struct xos_policy_answer answer, trial;
	struct xos_cases_verdict v = {.n = 0};
	struct xos_err why = XOS_ERR_INIT;

	if (xos_cases_ask_request(one->ask, g->policy, now, &req, &why))
		return xos_err_set(err, XOS_MALFORMED, "cases-malformed", "%s:%u:1: %s: %s",
		    file->path, one->line, one->name, why.text);
	for (size_t i = 0; i < one->ndelegations; i++)
		chain[i] = g->delegations[one->delegations[i]];
	req.chain = chain;
	req.nchain = one->ndelegations;
	xos_policy_answer_init(&answer);
	xos_policy_answer_init(&trial);
	/* Both say in the answer what they decided. */
	(void)!xos_policy_decide(g->policy, &req, &answer);
	(void)!xos_policy_decide(g->trial, &req, &trial);
	enum xos_status st = xos_cases_expect_all(one, &answer, &trial, &v, err);
	if (st)
		xos_err_prefix(err, st, "%s:%u:1", file->path, one->line);
	if (!st) {
		const struct xos_cases_outcome o = {.file = file,
		    .one = one,
		    .passed = v.n == 0,
		    .request = &req,
		    .answer = &answer,
		    .trial = &trial,
		    .expected = v.expected,
		    .got = v.got,
		    .lines = v.lines,
		    .nfailed = v.n};
		told(arg, &o);
	}
	xos_cases_verdict_free(&v);
	xos_policy_answer_free(&answer);
	xos_policy_answer_free(&trial);
	return st;
}

enum xos_status xos_cases_run(const struct xos_cases_ground *g, const struct xos_cases *file,
    int64_t now, xos_cases_told *told, void *arg, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	for (size_t i = 0; !st && i < file->n; i++) {
		if (g->deadline_ms && xos_clock_mono_ms() >= g->deadline_ms)
			return xos_err_set(err, XOS_LIMIT, "cases-time",
			    "%s: the cases take too long to run; %zu of %zu were run", file->path,
			    i, file->n);
		st = run_one(g, file, &file->list[i], now, told, arg, err);
	}
	return st;
}
