#include "credd/decide.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/decision.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "decide/subject.h"

#define CACHE_MAX 4096
#define ID_BYTES 8
#define VERSIONS (UINT64_C(1) << 48) /* to begin with: far below what a number in JSON can be */

struct xos_credd_decider {
	const struct xos_credd_self *self;
	struct xos_credd_view *view;
	struct xos_known_cache *cache;
	struct xos_policy_answer answer; /* its memory is used again and again */
	struct xos_credd_counts counts;
	struct xos_decision_log *log; /* NULL: none is kept */
	uint64_t version;
	uint8_t ids[ID_BYTES * 64]; /* for as many decisions, of which the last nids are unused */
	size_t nids;
	char barred[XOS_ERR_TEXT_MAX];
};

static enum xos_status open_log(struct xos_credd_decider *d, struct xos_err *err)
{
	const struct xos_credd_conf *conf = d->self->conf;
	char folder[PATH_MAX];
	if (!conf->decision_sample)
		return XOS_OK;
	if (!xos_path_join(folder, sizeof(folder), conf->state, "decisions"))
		return xos_err_set(err, XOS_LIMIT, "state-folder", "%s is too long", conf->state);
	const struct xos_decision_log_options o = {.folder = folder,
	    .sample = (uint64_t)conf->decision_sample,
	    .bytes = (uint64_t)conf->decision_log_bytes,
	    .files = (uint64_t)conf->decision_log_files};
	return xos_decision_log_open(&o, &d->log, err);
}

enum xos_status xos_credd_decider_new(const struct xos_credd_self *self,
    struct xos_credd_view *view, struct xos_credd_decider **out, struct xos_err *err)
{
	struct xos_credd_decider *d = calloc(1, sizeof(*d));
	if (!d) {
		xos_credd_view_free(view);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	d->self = self;
	d->view = view;
	d->version = 1 + xos_random_below(VERSIONS);
	xos_policy_answer_init(&d->answer);
	enum xos_status st = xos_known_cache_new(CACHE_MAX, &d->cache, err);
	if (!st)
		st = open_log(d, err);
	if (st)
		xos_credd_decider_free(d);
	else
		*out = d;
	return st;
}

void xos_credd_decider_free(struct xos_credd_decider *d)
{
	if (!d)
		return;
	xos_known_cache_free(d->cache);
	xos_policy_answer_free(&d->answer);
	xos_credd_view_free(d->view);
	xos_decision_log_close(d->log);
	free(d);
}

void xos_credd_decider_exchange(struct xos_credd_decider *d, struct xos_credd_view *view)
{
	xos_known_cache_clear(d->cache);
	/* The last answer borrows from the policy that goes away with the old view. */
	xos_policy_answer_free(&d->answer);
	xos_policy_answer_init(&d->answer);
	xos_credd_view_free(d->view);
	d->view = view;
	d->version++;
}

void xos_credd_decider_bar(struct xos_credd_decider *d, const char *text)
{
	if (strcmp(d->barred, text) == 0)
		return;
	(void)!xos_str_copy(d->barred, sizeof(d->barred), text);
	d->version++;
	XOS_EVENT(XOS_WARN, d->barred[0] ? "node.barred" : "node.not-barred", "why",
	    d->barred[0] ? d->barred : NULL);
}

enum xos_status xos_credd_decider_usable(
    const struct xos_credd_decider *d, int64_t now, struct xos_err *err)
{
	if (d->barred[0])
		return xos_err_set(err, XOS_DENIED, "locked", "%s", d->barred);
	return xos_credd_view_usable(d->view, now, err);
}

const struct xos_credd_view *xos_credd_decider_view(const struct xos_credd_decider *d)
{
	return d->view;
}

uint64_t xos_credd_decider_version(const struct xos_credd_decider *d)
{
	return d->version;
}

void xos_credd_decider_recorded(
    const struct xos_credd_decider *d, struct xos_decision_log_counts *out)
{
	xos_decision_log_count(d->log, out);
}

const struct xos_credd_counts *xos_credd_decider_counts(const struct xos_credd_decider *d)
{
	return &d->counts;
}

static enum xos_status verify(struct xos_credd_decider *d, const struct xos_bytes *chain, size_t n,
    int64_t now, const struct xos_known **out, struct xos_err *err)
{
	uint8_t digest[XOS_SHA256_LEN];
	if (xos_known_digest(chain, n, digest))
		return xos_err_set(err, XOS_MALFORMED, "chain", "a chain of %zu certificates", n);
	const struct xos_known *k = xos_known_cache_get(d->cache, digest);
	enum xos_status st = XOS_OK;
	if (k) {
		d->counts.hits++;
	} else {
		struct xos_known *fresh = NULL;
		d->counts.misses++;
		st = xos_known_make(d->view->trust, d->self->conf->vo, d->self->conf->node, chain,
		    n, now, &fresh, err);
		if (!st)
			k = xos_known_cache_put(d->cache, digest, fresh);
	}
	/* The chain was good when it was put in; time has passed since. */
	if (!st)
		st = xos_known_current(k, now, err);
	if (!st)
		*out = k;
	return st;
}

/* Nodes and services may be decided about; they have no account, no jobs and no sessions. */
enum xos_status xos_credd_decider_verify(struct xos_credd_decider *d, const struct xos_bytes *chain,
    size_t n, int64_t now, const struct xos_known **out, struct xos_err *err)
{
	const struct xos_known *k = NULL;
	enum xos_status st = verify(d, chain, n, now, &k, err);
	if (st)
		return st;
	if (k->id->claims->kind != XOS_KIND_USER)
		return xos_err_set(err, XOS_DENIED, "token-kind",
		    "the credential is of %s: only a member's is accepted here", k->subject);
	*out = k;
	return XOS_OK;
}

/* One question on its way. */
struct trial {
	struct xos_credd_decider *d;
	const struct xos_credd_question *q;
	const struct xos_known *known;
	struct xos_decision_request *request;
	struct xos_policy_request asked; /* with what was verified filled in */
	struct xos_decision_extra extra;
	char id[2 * ID_BYTES + 1];
	struct xos_err reason; /* of a lock, or of what was missing */
	int64_t now;
};

static void compute_account(const struct trial *t, struct xos_credd_verdict *out)
{
	struct xos_credd_account a;
	struct xos_err err = XOS_ERR_INIT;
	const struct xos_claims *c = t->known->id->claims;
	if (c->kind != XOS_KIND_USER ||
	    xos_credd_account(&t->d->view->slice, c->name, c->number, &a, &err))
		return;
	out->account = (struct xos_local_account){.present = true, .uid = a.uid, .gid = a.gid};
	memcpy(out->account.name, a.name, sizeof(a.name));
}

static enum xos_status may_ask(
    const struct trial *t, const struct xos_local_account *account, struct xos_err *err)
{
	const struct xos_claims *c = t->known->id->claims;
	if (t->q->service || (account->present && account->uid == t->q->peer))
		return XOS_OK;
	if (t->q->leased_to && account->present && strcmp(t->q->leased_to, c->name) == 0)
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "not-yours",
	    "uid %u may ask only about credentials of its own account (service_users in credd.conf "
	    "may "
	    "ask about others)",
	    (unsigned)t->q->peer);
}

/* What the request leaves open about the place is this node; another place is not ours to judge. */
static enum xos_status fix_place(struct trial *t, struct xos_err *err)
{
	const struct xos_credd_conf *conf = t->d->self->conf;
	struct xos_policy_resource *r = &t->asked.resource;
	if (strcmp(r->kind, "vo") == 0 || strcmp(r->kind, "token") == 0)
		return XOS_OK;
	if (!r->site)
		r->site = conf->site;
	if (!r->node && strcmp(r->kind, "site") != 0)
		r->node = conf->node;
	if (strcmp(r->site, conf->site) == 0 && (!r->node || strcmp(r->node, conf->node) == 0))
		return XOS_OK;
	return xos_err_set(err, XOS_MALFORMED, "wrong-node",
	    "the request is about %s/%s, and this is %s/%s: ask the xos-credd there", r->site,
	    r->node ? r->node : "", conf->site, conf->node);
}

/* The subject is what the chain proves; of the request's only the name counts, and must agree. */
static enum xos_status fill_in(struct trial *t, struct xos_err *err)
{
	const struct xos_claims *c = t->known->id->claims;
	struct xos_policy_subject *s = &t->asked.subject;
	t->asked = *xos_decision_request_get(t->request);
	if (!xos_subject_is(s, c))
		return xos_err_set(err, XOS_MALFORMED, "subject-mismatch",
		    "the request names another subject than the credential, which is of %s",
		    t->known->subject);
	xos_subject_fill(c, s);
	t->asked.now = t->now;
	t->asked.chain = (const struct xos_policy_set *const *)t->known->restriction;
	t->asked.nchain = t->known->nrestrictions;
	return fix_place(t, err);
}

static enum xos_status standing(struct trial *t)
{
	const struct xos_identity *id = t->known->id;
	enum xos_status st =
	    xos_credd_view_standing(t->d->view, t->d->self->conf->node, id, t->now, &t->reason);
	for (size_t i = 0; !st && i < id->nsteps; i++)
		if (id->steps[i]->id[0])
			st = xos_credd_view_grant_standing(
			    t->d->view, id->steps[i]->id, t->now, &t->reason);
	return st;
}

/* Gives the verdict and whether the engine was asked. */
static enum xos_local_decision decide(struct trial *t, bool *asked)
{
	*asked = false;
	enum xos_status st = xos_credd_decider_usable(t->d, t->now, &t->reason);
	if (!st)
		st = standing(t);
	if (st == XOS_DENIED) {
		t->extra.lock = t->reason.text;
		return XOS_LOCAL_DENY;
	}
	if (st) {
		t->extra.failed = t->reason.text;
		return XOS_LOCAL_UNDECIDED;
	}
	*asked = true;
	st = xos_policy_decide(t->d->view->policy, &t->asked, &t->d->answer);
	if (st == XOS_OK && t->d->answer.decision == XOS_POLICY_PERMITTED)
		return XOS_LOCAL_PERMIT;
	return st == XOS_DENIED ? XOS_LOCAL_DENY : XOS_LOCAL_UNDECIDED;
}

static void count(struct xos_credd_decider *d, enum xos_local_decision decision)
{
	if (decision == XOS_LOCAL_PERMIT)
		d->counts.permit++;
	else if (decision == XOS_LOCAL_DENY)
		d->counts.deny++;
	else
		d->counts.undecided++;
}

static const char *decision_name(enum xos_local_decision d)
{
	return d == XOS_LOCAL_PERMIT ? "permit" : d == XOS_LOCAL_DENY ? "deny" : "undecided";
}

/* For `xos-policy diff --log`, and for whoever asks who was let do what. */
static void record(
    const struct trial *t, enum xos_local_decision decision, bool asked, const char *by)
{
	const struct xos_decision_record r = {.id = t->id,
	    .now = t->now,
	    .outcome = decision == XOS_LOCAL_PERMIT ? XOS_DECISION_PERMIT
	               : decision == XOS_LOCAL_DENY ? XOS_DECISION_DENY
	                                            : XOS_DECISION_UNDECIDED,
	    .by = by,
	    .reason = asked ? NULL : t->reason.code,
	    .bundle_serial = t->extra.bundle_serial,
	    .asked = &t->asked,
	    .identity = t->known->id,
	    .request = t->q->text};
	xos_decision_log_put(t->d->log, &r);
}

static void log_verdict(const struct trial *t, enum xos_local_decision decision, bool asked)
{
	const struct xos_policy_resource *r = &t->asked.resource;
	const struct xos_identity *id = t->known->id;
	char peer[16], resource[600];
	struct xos_buf by, chain;
	xos_buf_init(&by, 4096);
	xos_buf_init(&chain, 4096);
	for (size_t i = 0; i < id->nsteps; i++) {
		char step[XOS_DELEGATION_TEXT];
		xos_delegation_text(id->steps[i], step);
		xos_buf_printf(&chain, "%s%s", i ? ", " : "", step);
	}
	if (asked)
		xos_policy_answer_deciders(&t->d->answer, &by);
	(void)!xos_str_printf(peer, sizeof(peer), "%u", (unsigned)t->q->peer);
	if (!xos_str_printf(resource, sizeof(resource), "%s:%s%s%s%s%s", r->kind,
	        r->site ? r->site
	        : r->vo ? r->vo
	                : "",
	        r->node ? "/" : "", r->node ? r->node : "", r->id ? "#" : "", r->id ? r->id : ""))
		(void)!xos_str_copy(resource, sizeof(resource), r->kind);
	XOS_EVENT(XOS_INFO, "decision", "request", t->id, "peer", peer, "subject",
	    t->known->subject, "chain", id->nsteps ? xos_buf_str(&chain) : NULL, "action",
	    t->asked.action, "resource", resource, "decision", decision_name(decision), "by",
	    asked ? xos_buf_str(&by) : NULL, "reason", asked ? NULL : t->reason.code, "serial",
	    id->serial);
	record(t, decision, asked, asked ? xos_buf_str(&by) : NULL);
	xos_buf_free(&chain);
	xos_buf_free(&by);
}

static enum xos_status conclude(struct trial *t, struct xos_credd_verdict *out, struct xos_err *err)
{
	bool asked;
	const struct xos_credd_view *view = t->d->view;
	enum xos_local_decision decision = decide(t, &asked);
	t->extra.id = t->id;
	t->extra.bundle_serial = view->bundle ? xos_bundle_serial(view->bundle) : 0;
	t->extra.valid_until = view->until;
	xos_buf_init(&out->json, XOS_LOCAL_TEXT_MAX);
	enum xos_status st =
	    xos_decision_answer_encode(asked ? &t->d->answer : NULL, &t->extra, &out->json, err);
	if (st) {
		/* An answer that cannot be told is no permit. */
		decision = XOS_LOCAL_UNDECIDED;
		xos_buf_free(&out->json);
	}
	count(t->d, decision);
	log_verdict(t, decision, asked);
	out->decision = decision;
	return st;
}

enum xos_status xos_credd_authorise(struct xos_credd_decider *d, const struct xos_credd_question *q,
    struct xos_credd_verdict *out, struct xos_err *err)
{
	struct trial t = {.d = d, .q = q, .now = xos_credd_view_now(d->view)};
	struct xos_credd_verdict v = {.decision = XOS_LOCAL_UNDECIDED};
	if (d->nids == 0) {
		xos_random(d->ids, sizeof(d->ids));
		d->nids = sizeof(d->ids) / ID_BYTES;
	}
	xos_hex_encode(t.id, d->ids + --d->nids * ID_BYTES, ID_BYTES);
	enum xos_status st = verify(d, q->chain, q->nchain, t.now, &t.known, err);
	if (!st) {
		compute_account(&t, &v);
		st = may_ask(&t, &v.account, err);
	}
	if (!st)
		st = xos_decision_request_decode(q->text, &t.request, err);
	if (!st)
		st = fill_in(&t, err);
	if (!st) {
		memcpy(v.subject, t.known->subject, sizeof(v.subject));
		v.not_after = t.known->id->not_after;
		st = conclude(&t, &v, err);
	} else {
		struct xos_err why = err ? *err : (struct xos_err){.status = st};
		xos_event_err(XOS_INFO, "decision.refused", &why, "request", t.id, "subject",
		    t.known ? t.known->subject : NULL, (const char *)NULL);
	}
	if (!st)
		*out = v;
	xos_decision_request_free(t.request);
	return st;
}

void xos_credd_verdict_free(struct xos_credd_verdict *v)
{
	if (v)
		xos_buf_free(&v->json);
}
