#include "credd/ops_accounts.h"

#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/text.h"
#include "json/json.h"
#include "token/claims.h"

#define PAGE 256 /* leases in one answer */
#define QUESTION_MAX 4096

static const struct xos_credd_view *view_of(const struct xos_credd_asked *c)
{
	return xos_credd_decider_view(c->ops->decider);
}

static enum xos_status answer_json(
    const struct xos_credd_asked *c, struct xos_json *doc, struct xos_err *err)
{
	enum xos_status st = xos_json_dump(doc, c->plain, err);
	xos_json_free(doc);
	if (!st)
		c->answer->text = xos_buf_bytes(c->plain);
	return st;
}

/* What the job runs as, beside its account. */
static enum xos_status describe_place(const struct xos_credd_asked *c,
    const struct xos_claims *claims, const struct xos_credd_account *account, bool isolated,
    struct xos_err *err)
{
	const struct xos_credd_slice *slice = &view_of(c)->slice;
	struct xos_credd_groups groups = {.n = 0};
	char *home = NULL;
	enum xos_status st = xos_credd_account_groups(slice, claims, &groups, err);
	/* The member's home is the member's: a uid of the job's own could not write there. */
	if (!st && !isolated)
		st = xos_credd_account_home(slice, account, &home, err);
	if (st)
		return st;
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	for (size_t i = 0; i < groups.n; i++)
		xos_json_add_int(list, groups.gid[i]);
	xos_json_set_bool(doc, "isolated", isolated);
	xos_json_set(doc, "groups", list);
	xos_json_set_string(doc, "home", home);
	free(home);
	return answer_json(c, doc, err);
}

static enum xos_status take_lease(const struct xos_credd_asked *c, const struct xos_claims *claims,
    struct xos_credd_account *account, struct xos_err *err)
{
	const struct xos_credd_slice *slice = &view_of(c)->slice;
	const struct xos_credd_lease_want want = {.first = slice->jobs_first,
	    .last = slice->jobs_last,
	    .job = c->req->job,
	    .member = claims->name,
	    .number = claims->number,
	    .now = c->now};
	const struct xos_credd_job *job = xos_credd_jobs_get(c->ops->jobs, c->req->job);
	uint32_t uid = 0;
	enum xos_status st = xos_credd_leases_take(c->ops->leases, &want, &uid, err);
	/* Before it begins nothing under this uid is the job's: an older xos-credd may have left it. */
	if (!st && job && job->account.uid != uid)
		st = xos_credd_sessions_end_uid(c->ops->sessions, uid, "lease-begins", err);
	if (st)
		return st;
	account->uid = account->gid = uid;
	xos_credd_jobs_move(c->ops->jobs, c->req->job, uid);
	return XOS_OK;
}

/* A job that has a uid keeps it, whatever a later set says. */
static bool isolates(const struct xos_credd_asked *c)
{
	const struct xos_credd_slice *slice = &view_of(c)->slice;
	return !slice->single &&
	       (slice->jobs_first || xos_credd_leases_of_job(c->ops->leases, c->req->job));
}

static enum xos_status op_lease(const struct xos_credd_asked *c, struct xos_err *err)
{
	struct xos_bytes chain[XOS_CHAIN_MAX];
	const struct xos_known *k = NULL;
	struct xos_credd_account account;
	size_t n = xos_credd_jobs_chain(c->ops->jobs, c->req->job, chain);
	if (!n)
		return xos_err_set(err, XOS_NOT_FOUND, "job-unknown",
		    "xos-credd has no delegation for job %s", c->req->job);
	enum xos_status st = xos_credd_ops_standing(c->ops, chain, n, c->now, &k, err);
	if (!st)
		st = xos_credd_account(
		    &view_of(c)->slice, k->id->claims->name, k->id->claims->number, &account, err);
	bool isolated = !st && isolates(c);
	if (isolated)
		st = take_lease(c, k->id->claims, &account, err);
	if (!st)
		st = describe_place(c, k->id->claims, &account, isolated, err);
	if (st)
		return st;
	c->answer->account.present = true;
	c->answer->account.uid = account.uid;
	c->answer->account.gid = account.gid;
	memcpy(c->answer->account.name, account.name, sizeof(account.name));
	memcpy(c->answer->subject, k->subject, sizeof(c->answer->subject));
	return XOS_OK;
}

static enum xos_status question(const struct xos_credd_asked *c, const char *a, const char *b,
    struct xos_json **doc, struct xos_err *err)
{
	enum xos_status st = xos_json_parse(c->req->text, QUESTION_MAX, doc, err);
	return st ? st : XOS_JSON_ONLY(*doc, err, a, b);
}

/* What was kept for the uid is the job's, and not the next one's that gets the uid. What is left of the job has it no
 * more either. */
static enum xos_status end_sessions(
    const struct xos_credd_asked *c, const struct xos_credd_lease *lease, struct xos_err *err)
{
	return lease ? xos_credd_sessions_end_uid(c->ops->sessions, lease->uid, "lease-over", err)
	             : XOS_OK;
}

static enum xos_status give_back(const struct xos_credd_asked *c, struct xos_err *err)
{
	enum xos_status st = xos_credd_leases_give_back(c->ops->leases, c->req->job, c->now, err);
	if (!st)
		xos_credd_jobs_move_back(c->ops->jobs, c->req->job);
	return st;
}

static enum xos_status op_lease_end(const struct xos_credd_asked *c, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const char *left = NULL;
	const struct xos_credd_lease *lease = xos_credd_leases_of_job(c->ops->leases, c->req->job);
	char uid[16] = "";
	enum xos_status st = question(c, "left", NULL, &doc, err);
	if (!st)
		st = xos_json_opt_string(doc, "left", 2048, &left, err);
	if (lease)
		(void)!xos_str_printf(uid, sizeof(uid), "%u", lease->uid);
	bool known = left && lease && lease->held;
	if (!st)
		st = end_sessions(c, lease, err);
	if (!st && left)
		st = xos_credd_leases_hold(c->ops->leases, c->req->job, left, c->now, err);
	else if (!st)
		st = give_back(c, err);
	if (!st && uid[0] && !known)
		XOS_EVENT(left ? XOS_WARN : XOS_INFO, left ? "lease.held" : "lease.free", "job",
		    c->req->job, "uid", uid, "why", left);
	xos_json_free(doc);
	return st;
}

static struct xos_json *lease_json(const struct xos_credd_lease *l)
{
	struct xos_json *o = xos_json_object();
	xos_json_set_int(o, "uid", l->uid);
	xos_json_set_string(o, "job", l->job);
	xos_json_set_string(o, "member", l->member);
	xos_json_set_time(o, "since", l->since);
	if (l->held) {
		xos_json_set_time(o, "held", l->held);
		xos_json_set_text(o, "left", l->why);
	}
	return o;
}

static enum xos_status op_leases(const struct xos_credd_asked *c, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	int64_t after = -1;
	enum xos_status st = question(c, "after", NULL, &doc, err);
	if (!st)
		st = xos_json_opt_int64(doc, "after", 0, UINT32_MAX, -1, &after, err);
	xos_json_free(doc);
	if (st)
		return st;
	struct xos_json *answer = xos_json_object(), *list = xos_json_array();
	const struct xos_credd_lease *l = NULL;
	size_t n = 0;
	for (size_t i = 0; (l = xos_credd_leases_at(c->ops->leases, i)); i++) {
		if ((int64_t)l->uid <= after)
			continue;
		if (n++ == PAGE)
			break;
		xos_json_add(list, lease_json(l));
	}
	xos_json_set(answer, "leases", list);
	xos_json_set_bool(answer, "more", l != NULL);
	return answer_json(c, answer, err);
}

static struct xos_json *range_json(uint32_t first, uint32_t last)
{
	struct xos_json *o = xos_json_object();
	xos_json_set_int(o, "first", first);
	xos_json_set_int(o, "last", last);
	return o;
}

static void add_rules(const struct xos_credd_slice *s, struct xos_json *doc)
{
	struct xos_json *list = xos_json_array();
	for (size_t i = 0; i < s->ngroups; i++) {
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "group", s->groups[i].group);
		xos_json_set_int(o, "gid", s->groups[i].gid);
		xos_json_add(list, o);
	}
	xos_json_set(doc, "groups", list);
	xos_json_set_string(doc, "home", s->home);
}

static void add_roster(const struct xos_credd_view *v, struct xos_json *doc)
{
	const struct xos_roster *r = v->bundle ? xos_bundle_roster(v->bundle) : NULL;
	size_t n = r ? xos_roster_count(r) : 0, state[3] = {0}, here = 0;
	struct xos_credd_account a;
	struct xos_json *o = xos_json_object();
	for (size_t i = 0; i < n; i++) {
		const struct xos_roster_member *m = xos_roster_at(r, i);
		state[m->state <= XOS_MEMBER_REMOVED ? m->state : XOS_MEMBER_REMOVED]++;
		here += xos_credd_account(&v->slice, m->name, m->number, &a, NULL) == XOS_OK;
	}
	xos_json_set_int(o, "members", (int64_t)n);
	xos_json_set_int(o, "active", (int64_t)state[XOS_MEMBER_ACTIVE]);
	xos_json_set_int(o, "suspended", (int64_t)state[XOS_MEMBER_SUSPENDED]);
	xos_json_set_int(o, "removed", (int64_t)state[XOS_MEMBER_REMOVED]);
	xos_json_set_int(o, "with_account", (int64_t)here);
	xos_json_set(doc, "roster", o);
}

static void add_map(const struct xos_credd_map *m, struct xos_json *doc)
{
	struct xos_json *o = xos_json_object();
	if (m->built) {
		xos_json_set_time(o, "written", m->built);
		xos_json_set_int(o, "members", m->members);
	}
	if (m->error[0])
		xos_json_set_text(o, "error", m->error);
	xos_json_set(doc, "map", o);
}

static void add_leases(const struct xos_credd_asked *c, struct xos_json *doc)
{
	const struct xos_credd_slice *s = &view_of(c)->slice;
	const struct xos_credd_leases *l = c->ops->leases;
	const struct xos_credd_lease *one;
	struct xos_json *o =
	    s->jobs_first ? range_json(s->jobs_first, s->jobs_last) : xos_json_object();
	size_t held = 0;
	for (size_t i = 0; (one = xos_credd_leases_at(l, i)); i++)
		held += one->held != 0;
	xos_json_set_int(o, "leased", (int64_t)xos_credd_leases_count(l));
	xos_json_set_int(o, "held", (int64_t)held);
	xos_json_set_int(o, "waiting", (int64_t)xos_credd_leases_waiting(l));
	xos_json_set_text(o, "refused", xos_credd_leases_trouble(l));
	xos_json_set(doc, "jobs", o);
}

static enum xos_status op_accounts(const struct xos_credd_asked *c, struct xos_err *err)
{
	const struct xos_credd_view *v = view_of(c);
	const struct xos_credd_slice *s = &v->slice;
	struct xos_json *doc = xos_json_object();
	xos_json_set_string(doc, "vo", c->ops->self->conf->vo);
	xos_json_set_string(doc, "site", c->ops->self->conf->site);
	xos_json_set_string(doc, "node", c->ops->self->conf->node);
	if (!s->present)
		xos_json_set_text(doc, "refused", s->why);
	if (s->single)
		xos_json_set_string(doc, "member", s->member);
	else if (s->last)
		xos_json_set(doc, "uids", range_json(s->first, s->last));
	add_rules(s, doc);
	add_roster(v, doc);
	add_map(&v->map, doc);
	add_leases(c, doc);
	return answer_json(c, doc, err);
}

/* The member whose computed number it is; false: nobody's. */
static bool add_member(const struct xos_credd_view *v, uint32_t uid, struct xos_json *doc)
{
	const struct xos_credd_slice *s = &v->slice;
	const struct xos_roster *r = v->bundle ? xos_bundle_roster(v->bundle) : NULL;
	const struct xos_roster_member *m = NULL;
	struct xos_credd_account a;
	if (!r || !s->present)
		return false;
	if (s->single)
		m = uid == s->uid ? xos_roster_find(r, s->member) : NULL;
	else if (uid > s->first && uid <= s->last)
		m = xos_roster_find_number(r, uid - s->first);
	if (!m || xos_credd_account(s, m->name, m->number, &a, NULL))
		return false;
	xos_json_set_string(doc, "member", m->name);
	xos_json_set_int(doc, "number", (int64_t)m->number);
	xos_json_set_string(doc, "state", xos_member_state_name(m->state));
	xos_json_set_string(doc, "account", a.name);
	return true;
}

static enum xos_status add_lease(const struct xos_credd_asked *c, uint32_t uid, int64_t at,
    struct xos_json *doc, bool *found, struct xos_err *err)
{
	struct xos_credd_lease lease;
	int64_t until = 0;
	enum xos_status st = xos_credd_leases_at_time(c->ops->leases, uid, at, &lease, &until, err);
	*found = !st;
	if (st)
		return st == XOS_NOT_FOUND ? XOS_OK : st;
	struct xos_json *o = lease_json(&lease);
	if (until)
		xos_json_set_time(o, "until", until);
	xos_json_set_string(doc, "member", lease.member);
	xos_json_set_int(doc, "number", (int64_t)lease.number);
	xos_json_set(doc, "lease", o);
	return XOS_OK;
}

static enum xos_status op_whois(const struct xos_credd_asked *c, struct xos_err *err)
{
	struct xos_json *asked = NULL, *doc;
	uint64_t uid = 0;
	int64_t at = c->now;
	bool found = false;
	enum xos_status st = question(c, "uid", "at", &asked, err);
	if (!st)
		st = xos_json_get_uint64(asked, "uid", UINT32_MAX, &uid, err);
	if (!st && xos_json_has(asked, "at"))
		st = xos_json_get_time(asked, "at", &at, err);
	xos_json_free(asked);
	if (st)
		return st;
	doc = xos_json_object();
	xos_json_set_int(doc, "uid", (int64_t)uid);
	xos_json_set_time(doc, "at", at);
	xos_json_set_string(doc, "vo", c->ops->self->conf->vo);
	if (!add_member(view_of(c), (uint32_t)uid, doc))
		st = add_lease(c, (uint32_t)uid, at, doc, &found, err);
	if (st) {
		xos_json_free(doc);
		return st;
	}
	return answer_json(c, doc, err);
}

enum xos_status xos_credd_ops_accounts(const struct xos_credd_asked *c, struct xos_err *err)
{
	switch (c->req->op) {
	case XOS_LOCAL_WHOIS:
		return op_whois(c, err);
	case XOS_LOCAL_ACCOUNTS:
		return op_accounts(c, err);
	case XOS_LOCAL_LEASE:
		return op_lease(c, err);
	case XOS_LOCAL_LEASE_END:
		return op_lease_end(c, err);
	case XOS_LOCAL_LEASES:
		return op_leases(c, err);
	default:
		return xos_err_set(err, XOS_INTERNAL, "operation", "not about accounts");
	}
}

void xos_credd_leases_apply(struct xos_credd_ops *ops)
{
	const struct xos_credd_lease *l;
	for (size_t i = 0; (l = xos_credd_leases_at(ops->leases, i)); i++)
		xos_credd_jobs_move(ops->jobs, l->job, l->uid);
}
