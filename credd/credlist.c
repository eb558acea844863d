/* Operation list: what a uid has, as JSON. */
#include "credd/credentials.h"

#include "json/json.h"

#define LIST_MAX 256

static struct xos_json *steps(const struct xos_known *known)
{
	struct xos_json *list = xos_json_array();
	for (size_t i = 0; known && i < known->id->nsteps; i++) {
		const struct xos_delegation *d = known->id->steps[i];
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "for", known->subject);
		xos_json_set_string(o, "actor", d->actor);
		xos_json_set_string(o, "node", d->node[0] ? d->node : NULL);
		xos_json_set_string(o, "id", d->id[0] ? d->id : NULL);
		xos_json_set_time(o, "until", d->not_after);
		xos_json_set_int(o, "depth", d->depth);
		xos_json_set_bool(o, "restricted", d->restriction_len > 0);
		xos_json_add(list, o);
	}
	return list;
}

/* Judged as if it were to be used now, so that nobody learns by trying what the list could have said. */
static void add_state(const struct xos_credd_asked *a, const struct xos_bytes *chain, size_t n,
    int64_t not_after, struct xos_json *o)
{
	const struct xos_known *known = NULL;
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = XOS_OK;
	const char *state = "awaiting";
	/* No chain that has ended verifies, and what does not is remembered nowhere: a list of many, asked for again and
	 * again, would keep everybody waiting. */
	if (n && a->now > not_after + XOS_KNOWN_SKEW) {
		state = "over";
		st = xos_err_set(&why, XOS_EXPIRED, "token-expired", "it has ended: log in again");
	} else if (n) {
		st = xos_credd_ops_standing(a->ops, chain, n, a->now, &known, &why);
		state = a->now > not_after || st == XOS_EXPIRED ? "over" : st ? "refused" : "ready";
	}
	xos_json_set_string(o, "state", state);
	xos_json_set_text(o, "why", st ? why.text : NULL);
	if (n)
		xos_json_set_time(o, "not_after", not_after);
	else
		xos_json_set_null(o, "not_after");
	xos_json_set(o, "chain", steps(known));
}

/* Nobody has asked for it since, and it was not swept yet. */
static void add_gone(const struct xos_credd_session *s, struct xos_json *o)
{
	xos_json_set_string(o, "state", "over");
	xos_json_set_string(o, "why", "the session that it was kept for has ended");
	if (s->nchain)
		xos_json_set_time(o, "not_after", s->not_after);
	else
		xos_json_set_null(o, "not_after");
	xos_json_set(o, "chain", xos_json_array());
}

static void add_subject(const struct xos_credd_asked *a, const char *member, struct xos_json *o)
{
	struct xos_buf b;
	xos_buf_init(&b, 256);
	if (member[0])
		xos_buf_printf(&b, "%s:%s", a->ops->self->conf->vo, member);
	xos_json_set_string(o, "subject", member[0] ? xos_buf_str(&b) : NULL);
	xos_buf_free(&b);
}

static struct xos_json *of_session(
    const struct xos_credd_asked *a, const struct xos_credd_session *s)
{
	struct xos_bytes chain[XOS_CHAIN_MAX];
	struct xos_json *o = xos_json_object();
	xos_json_set_string(o, "id", s->id);
	xos_json_set_string(o, "kind", "session");
	add_subject(a, s->member, o);
	xos_json_set_int(o, "uid", s->uid);
	xos_json_set_time(o, "created", s->created);
	xos_json_set_bool(o, "export", s->exportable);
	if (s->leader.pid)
		xos_json_set_int(o, "session", s->leader.pid);
	else
		xos_json_set_null(o, "session");
	if (s->leader.pid && xos_credd_leader_state(&s->leader) == XOS_CREDD_LEADER_GONE)
		add_gone(s, o);
	else
		add_state(a, chain, xos_credd_session_certs(s, chain), s->not_after, o);
	return o;
}

static struct xos_json *of_job(const struct xos_credd_asked *a, const struct xos_credd_job *j)
{
	struct xos_bytes chain[XOS_CHAIN_MAX];
	struct xos_json *o = xos_json_object();
	xos_json_set_string(o, "id", j->id);
	xos_json_set_string(o, "kind", "job");
	add_subject(a, j->member, o);
	xos_json_set_int(o, "uid", j->account.uid);
	xos_json_set_time(o, "created", j->created);
	xos_json_set_bool(o, "export", true);
	xos_json_set_null(o, "session");
	add_state(a, chain, xos_credd_jobs_chain(a->ops->jobs, j->id, chain), j->not_after, o);
	return o;
}

struct listing {
	const struct xos_credd_asked *a;
	bool all;
	size_t max, n;
	bool more;
	struct xos_json *array;
};

static bool wanted(struct listing *l, uint32_t uid)
{
	if (!l->all && uid != l->a->peer->uid)
		return false;
	if (l->n == l->max)
		l->more = true;
	return l->n < l->max;
}

static void add(struct listing *l, struct xos_json *o, bool is_default)
{
	xos_json_set_bool(o, "default", is_default);
	xos_json_add(l->array, o);
	l->n++;
}

static enum xos_status list_some(struct listing *l, struct xos_err *err)
{
	const struct xos_credd_ops *ops = l->a->ops;
	struct xos_credd_picked p = {.id = NULL};
	struct xos_err none = XOS_ERR_INIT;
	if (xos_credd_pick(ops->sessions, ops->jobs, l->a->peer, "", l->a->now, &p, &none))
		p = (struct xos_credd_picked){.id = NULL};
	l->array = xos_json_array();
	for (const struct xos_credd_session *s = NULL;
	     (s = xos_credd_sessions_next(ops->sessions, s));)
		if (wanted(l, s->uid))
			add(l, of_session(l->a, s), s == p.session);
	for (const struct xos_credd_job *j = NULL; (j = xos_credd_jobs_next(ops->jobs, j));)
		if (wanted(l, j->account.uid))
			add(l, of_job(l->a, j), j == p.job);
	struct xos_json *root = xos_json_object();
	xos_json_set(root, "credentials", l->array);
	xos_json_set_bool(root, "more", l->more);
	enum xos_status st = xos_json_dump(root, l->a->plain, err);
	xos_json_free(root);
	return st;
}

enum xos_status xos_credd_credentials_list(const struct xos_credd_asked *a, struct xos_err *err)
{
	bool all = a->req->flags & XOS_LOCAL_ALL;
	enum xos_status st = XOS_LIMIT;
	if (all && !a->peer->service)
		return xos_err_set(err, XOS_DENIED, "service-only",
		    "only service users see the credentials of others, and uid %u is none",
		    (unsigned)a->peer->uid);
	/* How long an entry is depends on the chain; fewer fit where they are long. */
	for (size_t max = LIST_MAX; st == XOS_LIMIT && max; max /= 2) {
		struct listing l = {.a = a, .all = all, .max = max};
		xos_buf_free(a->plain);
		xos_buf_init(a->plain, XOS_LOCAL_PEM_MAX);
		st = list_some(&l, err);
	}
	if (!st)
		a->answer->text = xos_buf_bytes(a->plain);
	return st;
}
