#include "credd/standing.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "credd/running.h"
#include "json/json.h"
#include "policy/edges.h"

/* Asked again after an hour at the latest: so often is nothing, and whatever was not thought of shows. */
#define AGAIN_S 3600
#define WHY_MAX 500 /* bytes told of each job */

struct round {
	struct xos_credd_decider *d;
	const struct xos_credd_self *self;
	struct xos_credd_jobs *jobs;
	struct xos_policy_answer answer;
	int64_t now, again;
	int64_t log_ins[XOS_LOCAL_STANDING_JOBS];
	size_t nlog_ins;
	struct xos_json *list;
};

/* One job's answer on its way. */
struct told {
	struct xos_json *o;
	struct round *r;
};

static void sooner(struct round *r, int64_t at)
{
	if (at <= r->now)
		at = r->now + 1;
	if (at < r->again)
		r->again = at;
}

/* As much as is told, and no half character at the end. */
static void set_why(struct xos_json *o, const char *why)
{
	char cut[WHY_MAX + 1];
	size_t n = strlen(why);

	if (n > WHY_MAX)
		n = WHY_MAX;
	memcpy(cut, why, n);
	cut[n] = 0;
	while (n > 0 && !xos_utf8_valid(xos_bytes_str(cut)))
		cut[--n] = 0;
	xos_json_set_text(o, "why", cut);
}

static void tell_verdict(struct told *t, const char *verdict, bool locked, const char *why)
{
	xos_json_set_string(t->o, "verdict", verdict);
	xos_json_set_bool(t->o, "locked", locked);
	if (why)
		set_why(t->o, why);
}

/* what: "member alice". lock NULL: one without an end of its own. */
static void tell_lock(
    struct told *t, const char *what, const struct xos_lock *lock, const char *why)
{
	struct xos_json *o = xos_json_object();

	tell_verdict(t, "deny", true, why);
	xos_json_set_text(o, "what", what);
	xos_json_set_text(o, "message", lock ? lock->message : "");
	if (lock && lock->until != XOS_LOCK_NO_END) {
		xos_json_set_time(o, "until", lock->until);
		sooner(t->r, lock->until);
	}
	xos_json_set(t->o, "lock", o);
}

/* Does a lock, the roster or the trust list stand in the way? True: it was told, or that it is not known. */
static bool held_back(struct told *t, const char *id, const struct xos_identity *who)
{
	const struct xos_credd_view *v = xos_credd_decider_view(t->r->d);
	const char *node = t->r->self->conf->node;
	struct xos_err why = XOS_ERR_INIT;
	char what[XOS_LOCK_NAME_MAX + 32];
	enum xos_status st = xos_credd_view_standing(v, node, who, t->r->now, &why);

	for (size_t i = 0; st == XOS_OK && i < who->nsteps; i++)
		if (who->steps[i]->id[0])
			st = xos_credd_view_grant_standing(v, who->steps[i]->id, t->r->now, &why);
	if (st == XOS_OK)
		st = xos_credd_view_grant_standing(v, id, t->r->now, &why);
	if (st == XOS_OK)
		return false;
	if (st != XOS_DENIED) {
		tell_verdict(t, "undecided", false, why.text);
		return true;
	}
	const struct xos_lock *lock = NULL;
	if (strcmp(why.code, "locked") == 0) {
		lock = xos_credd_view_lock(v, node, who, t->r->now);
		if (!lock)
			lock = xos_credd_view_grant_lock(v, id, t->r->now);
	}
	if (lock)
		xos_str_printf(
		    what, sizeof(what), "%s %s", xos_lock_kind_name(lock->kind), lock->name);
	else
		xos_str_printf(what, sizeof(what), "%s",
		    strcmp(why.code, "roster") == 0 ? "membership" : "credential");
	tell_lock(t, what, lock, why.text);
	return true;
}

static void tell_refusal(struct told *t)
{
	const struct xos_policy_answer *a = &t->r->answer;
	const struct xos_policy_on_change *c = &a->change;
	struct xos_buf text;

	xos_buf_init(&text, 65536);
	xos_policy_answer_explain(a, &text);
	const char *why = xos_buf_str(&text);
	tell_verdict(t, a->decision == XOS_POLICY_DENIED ? "deny" : "undecided", false,
	    why ? why : "refused by policy");
	/* A set that says nothing of running work lets it run. */
	xos_json_set_string(t->o, "change",
	    xos_policy_change_name(c->change == XOS_CHANGE_NONE ? XOS_CHANGE_CONTINUE : c->change));
	if (c->change == XOS_CHANGE_STOP)
		xos_json_set_int(t->o, "after", c->after);
	xos_buf_free(&text);
	xos_buf_init(&text, 1024);
	if (c->from) {
		xos_policy_statement_label(c->from, &text);
		xos_json_set_text(t->o, "statement", xos_buf_str(&text));
	}
	xos_buf_free(&text);
}

/* When may an answer be another one although nothing changed? For the sets that is asked once for all jobs, at the end. */
static struct xos_policy_edges edges_of(const struct round *r)
{
	return (struct xos_policy_edges){.action = "job.submit",
	    .now = r->now,
	    .limit = r->again,
	    .auth_times = r->log_ins,
	    .nauth_times = r->nlog_ins};
}

static void look_ahead(struct round *r, const struct xos_credd_principal *who)
{
	const struct xos_policy *p = xos_credd_decider_view(r->d)->policy;
	const struct xos_known *k = who->known;

	r->log_ins[r->nlog_ins++] = k->id->claims->auth_time;
	const struct xos_policy_edges q = edges_of(r);
	for (size_t i = who->skip; i < k->nrestrictions; i++)
		sooner(r, xos_policy_set_next_edge(p, k->restriction[i], &q));
}

/* Not found: the job is another's. Refused by the trust list: as a lock, since what was signed by a key that was taken back counts
 * nowhere. What else keeps a chain from verifying is nothing that a member did. */
static void tell_unverified(struct told *t, enum xos_status st, const struct xos_err *why)
{
	if (st == XOS_NOT_FOUND)
		tell_verdict(t, "unknown", false, why->text);
	else if (strcmp(why->code, "issuer-revoked") == 0 ||
	         strcmp(why->code, "issuer-tainted") == 0)
		tell_lock(t, "credential", NULL, why->text);
	else
		tell_verdict(t, "undecided", false, why->text);
}

static void judge(struct told *t, const struct xos_json *job, const char *id)
{
	struct round *r = t->r;
	const struct xos_policy *policy = xos_credd_decider_view(r->d)->policy;
	struct xos_credd_principal who = {.known = NULL};
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = xos_credd_decider_usable(r->d, r->now, &why);

	if (st == XOS_DENIED) {
		tell_lock(t, "node", NULL, why.text);
		return;
	}
	if (st != XOS_OK) {
		tell_verdict(t, "undecided", false, why.text);
		return;
	}
	st = xos_credd_running_who(r->d, r->jobs, id, r->now, &who, &why);
	if (st != XOS_OK) {
		tell_unverified(t, st, &why);
		return;
	}
	look_ahead(r, &who);
	if (held_back(t, id, who.known->id))
		return;
	if (xos_credd_running_decide(r->self, policy, &who, job, r->now, &r->answer) ==
	    XOS_POLICY_PERMITTED)
		tell_verdict(t, "permit", false, NULL);
	else
		tell_refusal(t);
}

static enum xos_status look(struct round *r, const struct xos_json *job, struct xos_err *err)
{
	const char *id = NULL;
	enum xos_status st = xos_json_get_string(job, "job", XOS_LOCAL_JOB_MAX, &id, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(job, err, "job", "src", "wall");
	if (st != XOS_OK)
		return st;
	struct told t = {.o = xos_json_object(), .r = r};
	xos_credd_jobs_running(r->jobs, id, r->now);
	xos_json_set_string(t.o, "job", id);
	judge(&t, job, id);
	xos_json_add(r->list, t.o);
	return XOS_OK;
}

static enum xos_status look_at_all(
    struct round *r, const struct xos_json *doc, struct xos_json *answer, struct xos_err *err)
{
	const struct xos_credd_view *v = xos_credd_decider_view(r->d);
	const struct xos_json *jobs = NULL;
	enum xos_status st = xos_json_get_array(doc, "jobs", XOS_LOCAL_STANDING_JOBS, &jobs, err);

	r->list = xos_json_array();
	if (v->bundle && v->until >= r->now)
		sooner(r, v->until + 1);
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(jobs); i++)
		st = look(r, xos_json_at(jobs, i), err);
	if (r->nlog_ins) {
		const struct xos_policy_edges q = edges_of(r);
		sooner(r, xos_policy_next_edge(v->policy, &q));
	}
	xos_json_set(answer, "jobs", r->list);
	xos_json_set_time(answer, "again", r->again);
	return st;
}

enum xos_status xos_credd_standing(struct xos_credd_decider *d, const struct xos_credd_self *self,
    struct xos_credd_jobs *jobs, struct xos_bytes question, int64_t now, struct xos_buf *out,
    struct xos_err *err)
{
	struct round r = {.d = d, .self = self, .jobs = jobs, .now = now, .again = now + AGAIN_S};
	struct xos_json *doc = NULL, *answer = xos_json_object();
	int64_t since = 0, version = (int64_t)xos_credd_decider_version(d);
	enum xos_status st = xos_json_parse(question, XOS_LOCAL_TEXT_MAX, &doc, err);

	xos_policy_answer_init(&r.answer);
	if (st == XOS_OK)
		st = XOS_JSON_ONLY(doc, err, "since", "jobs");
	if (st == XOS_OK)
		st = xos_json_get_int64(doc, "since", 0, INT64_MAX, &since, err);
	xos_json_set_int(answer, "version", version);
	xos_json_set_time(answer, "now", now);
	if (st == XOS_OK && since != version)
		st = look_at_all(&r, doc, answer, err);
	if (st == XOS_OK)
		st = xos_json_dump(answer, out, err);
	xos_policy_answer_free(&r.answer);
	xos_json_free(answer);
	xos_json_free(doc);
	return st;
}
