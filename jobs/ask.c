#include "jobs/ask.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "token/tokenfile.h"

/* What this service tells of each request; a value that it does not know is left out. The table is also what xos-credd
 * tells the VO's policy service, so that no set asks for more. */
static bool give_service(
    const struct xos_job_spec *spec, const struct xos_order *order, struct xos_policy_value *v)
{
	(void)spec;
	(void)order;
	*v = (struct xos_policy_value){.type = XOS_POLICY_STRING, .string = "jobd"};
	return true;
}

static bool give_source(
    const struct xos_job_spec *spec, const struct xos_order *order, struct xos_policy_value *v)
{
	(void)spec;
	*v = (struct xos_policy_value){.type = XOS_POLICY_IP, .string = order->source};
	return order->source[0] != 0;
}

static bool give_wall(
    const struct xos_job_spec *spec, const struct xos_order *order, struct xos_policy_value *v)
{
	(void)order;
	*v = (struct xos_policy_value){.type = XOS_POLICY_DURATION, .number = spec->wall};
	return spec->wall != 0;
}

static const struct {
	const char *name;
	bool (*give)(const struct xos_job_spec *spec, const struct xos_order *order,
	    struct xos_policy_value *v);
} given[] = {{"ctx.service", give_service}, {"ctx.src", give_source}, {"job.wall", give_wall}};
#define GIVEN (sizeof(given) / sizeof(given[0]))

const char *xos_ask_attribute(size_t i)
{
	return i < GIVEN ? given[i].name : NULL;
}

/* The AuthZEN request. The subject's name only has to be the one that the chain proves. */
static enum xos_status build_request(const struct xos_ask *a, const struct xos_job_spec *spec,
    const struct xos_order *order, const char *member, struct xos_buf *out, struct xos_err *err)
{
	struct xos_policy_value values[GIVEN];
	struct xos_policy_request req = {
	    .subject = {.kind = XOS_SUBJECT_MEMBER, .vo = a->vo, .member = member},
	    .action = "job.submit",
	    .resource = {.kind = "node", .site = a->site, .node = a->node},
	    .values = values,
	};

	for (size_t i = 0; i < GIVEN; i++) {
		if (given[i].give(spec, order, &values[req.nvalues]))
			values[req.nvalues++].name = given[i].name;
	}
	return xos_decision_request_encode(&req, out, err);
}

/* Without root there is one account, this daemon's own, and one member whose it is. */
static enum xos_status check_account(
    const struct xos_ask *a, const struct xos_local_verdict *v, struct xos_err *err)
{
	char only[XOS_LOCAL_SUBJECT_MAX + 1];

	if (!a->root) {
		xos_str_printf(only, sizeof(only), "%s:%s", a->vo, a->member);
		if (strcmp(v->subject, only) != 0)
			return xos_err_set(err, XOS_DENIED, "member-only",
			    "this daemon runs without root: it runs only the jobs of its own user "
			    "%u for "
			    "member %s, not those of %s",
			    (unsigned)geteuid(), a->member, v->subject);
		if (v->account.present && v->account.uid != geteuid())
			return xos_err_set(err, XOS_DENIED, "no-account",
			    "xos-credd computes uid %u for %s, but this daemon without root is uid "
			    "%u",
			    (unsigned)v->account.uid, v->subject, (unsigned)geteuid());
		return XOS_OK;
	}
	if (!v->account.present)
		return xos_err_set(err, XOS_DENIED, "no-account",
		    "site %s gives %s no account on this node: its policy set has no "
		    "\"accounts vo %s uid ...\" that reaches this member, or the range is refused "
		    "(xos-node status says why)",
		    a->site, v->subject, a->vo);
	if (v->account.uid < 1000 || v->account.gid < 1000)
		return xos_err_set(err, XOS_DENIED, "no-account",
		    "the account computed for %s is a system account (uid %u)", v->subject,
		    (unsigned)v->account.uid);
	return XOS_OK;
}

static enum xos_status judge(const struct xos_ask *a, const struct xos_local_verdict *v,
    const struct xos_decision_answer *answer, struct xos_err *err)
{
	const char *why = answer->reason_user;

	if (v->decision == XOS_LOCAL_PERMIT && answer->decision == XOS_POLICY_PERMITTED)
		return check_account(a, v, err);
	if (v->decision == XOS_LOCAL_DENY)
		return xos_err_set(err, XOS_DENIED, "policy-denied", "%s",
		    why && why[0] ? why : "refused by policy");
	return xos_err_set(err, XOS_UNAVAILABLE, "policy-undecided", "%s",
	    why && why[0] ? why : "the node could not decide");
}

static void note_decision(const struct xos_decision_answer *answer, struct xos_record *r)
{
	if (!xos_str_copy(r->deciders, sizeof(r->deciders), answer->deciders)) {
		memcpy(r->deciders, answer->deciders, sizeof(r->deciders) - 4);
		memcpy(r->deciders + sizeof(r->deciders) - 4, "...", 4);
	}
	r->bundle_serial = answer->bundle_serial;
	for (size_t i = 0; i < answer->nlevels && r->nsets < XOS_RECORD_SETS_MAX; i++) {
		if (answer->levels[i].serial == 0 ||
		    !xos_str_copy(r->sets[r->nsets].level, sizeof(r->sets[0].level),
		        answer->levels[i].level) ||
		    !xos_str_copy(
		        r->sets[r->nsets].name, sizeof(r->sets[0].name), answer->levels[i].name))
			continue;
		r->sets[r->nsets++].serial = answer->levels[i].serial;
	}
}

static enum xos_status note_who(const struct xos_ask *a, const struct xos_job_spec *spec,
    const char *id, const struct xos_order *order, const struct xos_token_info *who,
    const struct xos_local_verdict *v, struct xos_record *r, struct xos_err *err)
{
	bool fits = xos_str_copy(r->id, sizeof(r->id), id) &&
	            xos_str_copy(r->vo, sizeof(r->vo), a->vo) &&
	            xos_str_copy(r->member, sizeof(r->member), who->claims->name) &&
	            xos_str_copy(r->site, sizeof(r->site), a->site) &&
	            xos_str_copy(r->node, sizeof(r->node), a->node) &&
	            xos_str_copy(r->name, sizeof(r->name), spec->name) &&
	            xos_str_copy(r->account, sizeof(r->account), v->account.name);

	r->number = who->claims->number;
	r->submitted = r->ended = order->submitted;
	/* What is true if nothing more is ever heard of it. */
	strcpy(r->end, "lost");
	strcpy(r->cause, "self");
	r->value = -1;
	r->uid = a->root ? v->account.uid : geteuid();
	for (size_t i = 0; i < who->nsteps && i < XOS_RECORD_ACTORS_MAX; i++) {
		xos_delegation_text(who->steps[i], r->actors[i]);
		r->nactors = i + 1;
	}
	if (!fits)
		return xos_err_set(err, XOS_INTERNAL, "record", "a name does not fit the record");
	return XOS_OK;
}

static void note_groups(const struct xos_claims *c, char *out, size_t cap)
{
	size_t n = 0;

	out[0] = 0;
	for (size_t i = 0; i < c->ngroups; i++) {
		const char *more = i + 1 < c->ngroups ? " ..." : "";

		if (n + strlen(c->groups[i]) + 1 + strlen(more) >= cap) {
			xos_str_printf(out + n, cap - n, "%s...", n ? " " : "");
			return;
		}
		xos_str_printf(out + n, cap - n, "%s%s", n ? " " : "", c->groups[i]);
		n = strlen(out);
	}
}

static enum xos_status describe(
    const struct xos_bytes *chain, size_t n, struct xos_token_info **out, struct xos_err *err)
{
	struct xos_chain parsed = {0};
	enum xos_status st = xos_chain_from_der(chain, n, &parsed, err);

	if (st == XOS_OK)
		st = xos_token_describe(&parsed, xos_clock_now(), out, err);
	xos_chain_clear(&parsed);
	return st;
}

static enum xos_status weigh(const struct xos_ask *a, const struct xos_job_spec *spec,
    const struct xos_local_verdict *v, struct xos_permission *p, struct xos_err *err)
{
	struct xos_limits_opts opts = {.wall_asked = spec->wall,
	    .wall_default = a->wall_default,
	    .wall_max = a->wall_max,
	    .processors = sysconf(_SC_NPROCESSORS_ONLN),
	    .can = a->can,
	    .root = a->root};
	struct xos_decision_answer *answer = NULL;
	enum xos_status st = xos_decision_answer_decode(xos_bytes_str(v->json), &answer, err);

	if (st == XOS_OK)
		st = judge(a, v, answer, err);
	if (st == XOS_OK)
		st = xos_limits_from(answer, &opts, &p->limits, &p->lifetime, err);
	if (st == XOS_OK)
		note_decision(answer, &p->record);
	xos_decision_answer_free(answer);
	return st;
}

/*
 * A job that another one submitted acts by a credential made of that one's, which nobody renews: it runs no longer
 * than that. A robot is no job: what its own token submits is as a member's.
 */
static enum xos_status bound_wall(const struct xos_job_spec *spec, const struct xos_token_info *who,
    int64_t not_after, struct xos_launch_limits *l, struct xos_err *err)
{
	const char *actor = who->nsteps ? who->steps[who->nsteps - 1]->actor : "robot";
	int64_t left = not_after - xos_clock_now();
	char asked[XOS_TIME_TEXT], most[XOS_TIME_TEXT];

	if (strcmp(actor, "robot") == 0)
		return XOS_OK;
	xos_duration_format(spec->wall, asked);
	xos_duration_format(left > 0 ? left : 0, most);
	if (left <= 0 || spec->wall > left)
		return xos_err_set(err, XOS_DENIED, "wall-limit",
		    "the job asks for %s of wall time, and the %s's credential that submits it "
		    "ends in "
		    "%s; ask for less with --wall",
		    asked, actor, most);
	if (l->wall > (uint64_t)left)
		l->wall = (uint64_t)left;
	return XOS_OK;
}

enum xos_status xos_ask_permission(const struct xos_ask *a, const struct xos_job_spec *spec,
    const char *id, const struct xos_order *order, const struct xos_bytes *chain, size_t n,
    struct xos_permission *out, struct xos_err *err)
{
	struct xos_local_verdict verdict = {0};
	struct xos_permission p = {0};
	struct xos_token_info *who = NULL;
	struct xos_buf request;
	enum xos_status st;

	xos_buf_init(&request, XOS_DECISION_REQUEST_MAX);
	st = describe(chain, n, &who, err);
	if (st == XOS_OK)
		st = build_request(a, spec, order, who->claims->name, &request, err);
	if (st == XOS_OK && !xos_buf_str(&request))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		st = xos_local_authorise(a->credd, chain, n, xos_buf_str(&request), &verdict, err);
	if (st != XOS_OK)
		goto out;
	st = weigh(a, spec, &verdict, &p, err);
	if (st == XOS_OK)
		st = bound_wall(spec, who, verdict.not_after, &p.limits, err);
	if (st == XOS_OK)
		st = note_who(a, spec, id, order, who, &verdict, &p.record, err);
	if (st == XOS_OK) {
		note_groups(who->claims, p.groups, sizeof(p.groups));
		p.account = verdict.account;
		p.not_after = verdict.not_after;
		*out = p;
	}
	xos_local_verdict_free(&verdict);
out:
	xos_token_info_free(who);
	xos_buf_free(&request);
	return st;
}
