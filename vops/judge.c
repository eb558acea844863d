#include "vops/judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "decide/subject.h"
#include "vops/who.h"

struct vops_judge {
	struct vops_view *view;
	struct vops_caller caller;
	const char *id; /* of the request */
	int64_t now;
	struct vops_who who;
	const struct xos_json *subject;  /* the object that named who; NULL: none is kept */
	bool again;                      /* it was asked about more than once */
	struct xos_policy_answer answer; /* its memory is used again and again */
	struct xos_decision_log *log;    /* NULL: none */
};

/* One question on its way. */
struct trial {
	struct vops_judge *j;
	struct xos_policy_request asked;
	struct xos_err why;
	bool engine; /* the engine was asked: the answer is there */
};

enum xos_status vops_judge_new(struct vops_judge **out, struct xos_err *err)
{
	struct vops_judge *j = calloc(1, sizeof(*j));

	if (!j)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_policy_answer_init(&j->answer);
	*out = j;
	return XOS_OK;
}

void vops_judge_free(struct vops_judge *j)
{
	if (!j)
		return;
	vops_judge_end(j);
	xos_policy_answer_free(&j->answer);
	vops_view_unref(j->view);
	free(j);
}

void vops_judge_record(struct vops_judge *j, struct xos_decision_log *log)
{
	j->log = log;
}

/* The last answer borrows from the policy of its view: another view, another answer. */
void vops_judge_begin(struct vops_judge *j, struct vops_view *v, const struct xos_identity *caller,
    const struct xos_bytes *chain, size_t nchain, const char *id)
{
	if (j->view != v) {
		xos_policy_answer_free(&j->answer);
		xos_policy_answer_init(&j->answer);
		vops_view_unref(j->view);
		j->view = vops_view_ref(v);
	}
	j->caller = (struct vops_caller){.id = caller, .chain = chain, .nchain = nchain};
	j->id = id;
	j->now = xos_clock_now();
}

void vops_judge_end(struct vops_judge *j)
{
	vops_who_clear(&j->who);
	j->subject = NULL;
	j->again = false;
	j->caller = (struct vops_caller){.id = NULL};
}

/* Items of a batch that share their subject are verified and looked up once. */
static enum xos_status find(
    struct vops_judge *j, const struct xos_decision_request *r, struct xos_err *err)
{
	const struct xos_json *subject = xos_evaluations_subject(r);

	if (subject && subject == j->subject) {
		j->again = true;
		return XOS_OK;
	}
	j->subject = NULL;
	j->again = false;
	enum xos_status st = vops_who_find(j->view, &j->caller, r, j->now, &j->who, err);
	if (st == XOS_OK)
		j->subject = subject;
	return st;
}

/* The subject is what was verified; of the request's only the name counted. */
static void fill_subject(struct trial *t)
{
	struct vops_who *who = &t->j->who;

	xos_subject_fill(who->claims, &t->asked.subject);
	t->asked.subject.held = who->held;
	t->asked.subject.nheld = who->nheld;
	t->asked.now = t->j->now;
	if (who->known) {
		t->asked.chain = (const struct xos_policy_set *const *)who->known->restriction;
		t->asked.nchain = who->known->nrestrictions;
	}
	if (t->j->again && !who->interned)
		(void)!xos_policy_intern_subject(
		    t->j->view->policy, &t->asked.subject, &who->interned, NULL);
	t->asked.interned_subject = who->interned;
}

/* Locks of the place, and delegations that do not reach it. */
static enum xos_status check_place(struct trial *t)
{
	const char *node = t->asked.resource.node;
	const struct xos_known *k = t->j->who.known;
	const struct xos_delegation *last =
	    k && k->id->nsteps ? k->id->steps[k->id->nsteps - 1] : NULL;

	if (last && !xos_delegation_reaches(last, node))
		return xos_err_set(&t->why, XOS_DENIED, "wrong-node",
		    "The delegation is for the node %s only.", last->node);
	if (!node)
		return XOS_OK;
	const struct xos_standing s = vops_view_standing(t->j->view);
	return xos_standing_node(&s, node, t->j->now, &t->why);
}

static void judge(struct trial *t, struct vops_verdict *v)
{
	const struct vops_who *who = &t->j->who;

	*v = (struct vops_verdict){.basis = who->basis, .undecided = true};
	t->why = who->refused;
	if (t->why.status == XOS_OK && !who->claims)
		xos_err_set(&t->why, XOS_UNAVAILABLE, "nobody", "Nobody was found.");
	if (t->why.status == XOS_OK) {
		fill_subject(t);
		(void)check_place(t);
	}
	if (t->why.status != XOS_OK) {
		v->undecided = t->why.status == XOS_UNAVAILABLE;
		return;
	}
	t->engine = true;
	enum xos_status st = xos_policy_decide(t->j->view->policy, &t->asked, &t->j->answer);
	v->permitted = st == XOS_OK && t->j->answer.decision == XOS_POLICY_PERMITTED;
	v->undecided = st != XOS_OK && st != XOS_DENIED;
}

static enum xos_status tell(const struct trial *t, const struct vops_told *told,
    const struct vops_verdict *v, struct xos_buf *out, struct xos_err *err)
{
	const struct vops_view *view = t->j->view;
	bool by_list = view->membership && v->basis && strcmp(v->basis, "membership") == 0;
	const struct xos_decision_extra extra = {
	    .id = t->j->id,
	    .lock = !t->engine && !v->undecided ? t->why.text : NULL,
	    .failed = !t->engine && v->undecided ? t->why.text : NULL,
	    .basis = v->basis,
	    .ignored = told->ignored,
	    .nignored = told->nignored,
	    .brief = told->brief,
	    .roster_serial = view->roster ? xos_roster_serial(view->roster) : 0,
	    .membership_serial = by_list ? xos_membership_serial(view->membership) : 0,
	    .valid_until = view->until,
	};
	return xos_decision_answer_encode(t->engine ? &t->j->answer : NULL, &extra, out, err);
}

/* As whoever asked could have asked it of a node: what is recorded must be readable by the same tools. */
static void record(const struct trial *t, const struct vops_verdict *v)
{
	struct xos_buf request, by;
	struct xos_policy_request plain = t->asked;
	struct xos_decision_record r = {.id = t->j->id,
	    .now = t->j->now,
	    .outcome = v->permitted   ? XOS_DECISION_PERMIT
	               : v->undecided ? XOS_DECISION_UNDECIDED
	                              : XOS_DECISION_DENY,
	    .reason = t->engine ? NULL : t->why.code,
	    .asked = &t->asked,
	    .identity = t->j->who.known ? t->j->who.known->id : NULL};

	if (!xos_decision_log_wants(t->j->log, r.outcome))
		return;
	plain.interned_subject = NULL;
	plain.interned_resource = NULL;
	xos_buf_init(&request, XOS_DECISION_REQUEST_MAX);
	xos_buf_init(&by, 4096);
	if (t->engine)
		xos_policy_answer_deciders(&t->j->answer, &by);
	r.by = t->engine ? xos_buf_str(&by) : NULL;
	if (xos_decision_request_encode(&plain, &request, NULL) == XOS_OK) {
		r.request = xos_buf_bytes(&request);
		xos_decision_log_write(t->j->log, &r);
	}
	xos_buf_free(&request);
	xos_buf_free(&by);
}

enum xos_status vops_judge_decide(struct vops_judge *j, struct xos_decision_request *r,
    const struct vops_told *told, struct xos_buf *out, struct vops_verdict *v, struct xos_err *err)
{
	struct trial t = {.j = j, .asked = *xos_decision_request_get(r), .why = XOS_ERR_INIT};
	enum xos_status st = find(j, r, err);

	if (st != XOS_OK)
		return st;
	judge(&t, v);
	record(&t, v);
	return out ? tell(&t, told, v, out, err) : XOS_OK;
}

enum xos_status vops_judge_try(struct vops_judge *j, struct xos_decision_request *r,
    const struct vops_candidate *c, struct vops_verdict *v, struct xos_err *err)
{
	struct trial t = {.j = j, .asked = *xos_decision_request_get(r), .why = XOS_ERR_INIT};
	enum xos_status st = XOS_OK;

	if (c->member)
		vops_who_member(j->view, c->member, j->now, &j->who);
	else
		st = find(j, r, err);
	if (st != XOS_OK)
		return st;
	if (c->action)
		t.asked.action = c->action;
	if (c->place) {
		t.asked.resource.site = c->place->site;
		t.asked.resource.node = c->place->node;
	}
	judge(&t, v);
	return XOS_OK;
}
