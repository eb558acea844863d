#include "credd/ops.h"

#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/text.h"
#include "credd/abilities.h"
#include "credd/credentials.h"
#include "credd/grants.h"
#include "credd/ops_accounts.h"
#include "credd/preview.h"
#include "credd/standing.h"

static enum xos_status op_status(struct xos_credd_asked *c, struct xos_err *err)
{
	enum xos_status st = xos_credd_status_json(c->ops, c->plain, err);
	if (!st)
		c->answer->text = xos_buf_bytes(c->plain);
	return st;
}

static enum xos_status op_authorise(struct xos_credd_asked *c, struct xos_err *err)
{
	struct xos_credd_verdict v;
	struct xos_credd_question q = {
	    .chain = c->req->chain,
	    .nchain = c->req->nchain,
	    .text = c->req->text,
	    .peer = c->peer->uid,
	    .service = c->peer->service,
	};
	const struct xos_credd_lease *lease = xos_credd_leases_of_uid(c->ops->leases, q.peer);
	q.leased_to = lease ? lease->member : NULL;
	enum xos_status st = xos_credd_authorise(c->ops->decider, &q, &v, err);
	if (st)
		return st;
	struct xos_local_answer *a = c->answer;
	a->decision = v.decision;
	a->account = v.account;
	a->not_after = v.not_after;
	memcpy(a->subject, v.subject, sizeof(a->subject));
	xos_buf_free(c->plain);
	*c->plain = v.json; /* given away: the buffer moves */
	a->text = xos_buf_bytes(c->plain);
	return XOS_OK;
}

enum xos_status xos_credd_ops_standing(const struct xos_credd_ops *ops,
    const struct xos_bytes *chain, size_t n, int64_t now, const struct xos_known **out,
    struct xos_err *err)
{
	const struct xos_credd_view *view = xos_credd_decider_view(ops->decider);
	const struct xos_known *k = NULL;
	enum xos_status st = xos_credd_decider_verify(ops->decider, chain, n, now, &k, err);
	if (!st)
		st = xos_credd_decider_usable(ops->decider, now, err);
	if (!st)
		st = xos_credd_view_standing(view, ops->self->conf->node, k->id, now, err);
	for (size_t i = 0; !st && i < k->id->nsteps; i++)
		if (k->id->steps[i]->id[0])
			st = xos_credd_view_grant_standing(view, k->id->steps[i]->id, now, err);
	if (!st)
		*out = k;
	return st;
}

static enum xos_status in_standing(struct xos_credd_asked *c, const struct xos_bytes *chain,
    size_t n, const struct xos_known **out, struct xos_err *err)
{
	return xos_credd_ops_standing(c->ops, chain, n, c->now, out, err);
}

static enum xos_status op_prepare(struct xos_credd_asked *c, struct xos_err *err)
{
	const struct xos_credd_view *view = xos_credd_decider_view(c->ops->decider);
	const struct xos_known *k;
	struct xos_credd_account account;
	enum xos_status st = in_standing(c, c->req->chain, c->req->nchain, &k, err);
	if (!st)
		st = xos_credd_account(
		    &view->slice, k->id->claims->name, k->id->claims->number, &account, err);
	if (!st)
		st = xos_credd_jobs_prepare(
		    c->ops->jobs, c->req->job, k->id, &account, c->now, c->plain, err);
	if (st)
		return st;
	c->answer->text = xos_buf_bytes(c->plain);
	XOS_EVENT(XOS_INFO, "job.prepared", "job", c->req->job, "subject", k->subject);
	return XOS_OK;
}

static enum xos_status op_accept(struct xos_credd_asked *c, struct xos_err *err)
{
	const struct xos_known *k;
	struct xos_credd_job_info info;
	enum xos_status st = in_standing(c, c->req->chain, c->req->nchain, &k, err);
	if (!st)
		st = xos_credd_jobs_accept(c->ops->jobs, c->req->job, k, c->req->chain,
		    c->req->nchain, c->ops->self->conf->node, &info, err);
	if (st)
		return st;
	c->answer->account.present = true;
	c->answer->account.uid = info.account.uid;
	c->answer->account.gid = info.account.gid;
	memcpy(c->answer->account.name, info.account.name, sizeof(info.account.name));
	memcpy(c->answer->subject, info.subject, sizeof(info.subject));
	c->answer->not_after = info.not_after;
	XOS_EVENT(XOS_INFO, "job.accepted", "job", c->req->job, "subject", info.subject);
	return XOS_OK;
}

/* A credential that is kept is verified again before it is given: locks come after acceptance. */
static enum xos_status give(struct xos_credd_asked *c, const char *job, struct xos_err *err)
{
	struct xos_bytes chain[XOS_CHAIN_MAX];
	const struct xos_known *k = NULL;
	char uid[16];
	size_t n = xos_credd_jobs_chain(c->ops->jobs, job, chain);
	enum xos_status st = n ? in_standing(c, chain, n, &k, err) : XOS_OK;
	if (!st)
		st = xos_credd_jobs_credential(c->ops->jobs, job, c->now, c->secret, err);
	if (st)
		return st;
	(void)!xos_str_printf(uid, sizeof(uid), "%u", (unsigned)c->peer->uid);
	XOS_EVENT(XOS_INFO, "credential.given", "job", job, "subject", k ? k->subject : NULL,
	    "peer", uid);
	return XOS_OK;
}

static enum xos_status op_job_credential(struct xos_credd_asked *c, struct xos_err *err)
{
	return give(c, c->req->job, err);
}

static enum xos_status op_credential(struct xos_credd_asked *c, struct xos_err *err)
{
	const char *job;
	enum xos_status st =
	    xos_credd_jobs_choose(c->ops->jobs, c->peer->uid, c->req->job, c->now, &job, err);
	return st ? st : give(c, job, err);
}

static enum xos_status op_release(struct xos_credd_asked *c, struct xos_err *err)
{
	enum xos_status st = xos_credd_jobs_release(c->ops->jobs, c->req->job, err);
	if (!st)
		XOS_EVENT(XOS_INFO, "job.released", "job", c->req->job);
	return st;
}

static enum xos_status op_list(struct xos_credd_asked *c, struct xos_err *err)
{
	size_t size = XOS_LOCAL_LIST_MAX * sizeof(struct xos_local_entry);
	/* In the buffer that lives until the answer is encoded. */
	struct xos_local_entry *list = calloc(1, size);
	if (!list)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	size_t n = xos_credd_jobs_list(c->ops->jobs, c->peer->service ? NULL : &c->peer->uid,
	    c->now, list, XOS_LOCAL_LIST_MAX);
	xos_buf_free(c->plain);
	xos_buf_init(c->plain, size);
	xos_buf_put(c->plain, list, n * sizeof(*list));
	free(list);
	enum xos_status st = xos_buf_status(c->plain);
	if (st)
		return xos_err_set(err, st, "memory", "out of memory");
	/* malloc'd, so aligned for any type. */
	c->answer->entries = (const void *)c->plain->p;
	c->answer->nentries = n;
	return XOS_OK;
}

static enum xos_status op_preview(struct xos_credd_asked *c, struct xos_err *err)
{
	const struct xos_known *k;
	enum xos_status st = in_standing(c, c->req->chain, c->req->nchain, &k, err);
	if (!st)
		st = xos_credd_preview(c->ops->decider, c->ops->self, c->ops->jobs, k, c->req->text,
		    c->now, c->plain, err);
	if (!st)
		c->answer->text = xos_buf_bytes(c->plain);
	return st;
}

static enum xos_status op_abilities(struct xos_credd_asked *c, struct xos_err *err)
{
	return xos_credd_abilities_take(c->ops->self->conf, c->req->text, err);
}

static enum xos_status op_renewals(struct xos_credd_asked *c, struct xos_err *err)
{
	enum xos_status st = xos_credd_renewals_json(c->ops->renewals, c->ops->jobs,
	    c->peer->service ? NULL : &c->peer->uid, c->req->text, c->now, c->plain, err);
	if (!st)
		c->answer->text = xos_buf_bytes(c->plain);
	return st;
}

static enum xos_status op_standing(struct xos_credd_asked *c, struct xos_err *err)
{
	enum xos_status st = xos_credd_standing(
	    c->ops->decider, c->ops->self, c->ops->jobs, c->req->text, c->now, c->plain, err);
	if (!st)
		c->answer->text = xos_buf_bytes(c->plain);
	return st;
}

static enum xos_status op_grant(struct xos_credd_asked *c, struct xos_err *err)
{
	const struct xos_credd_view *view = xos_credd_decider_view(c->ops->decider);
	const struct xos_credd_self *self = c->ops->self;
	const struct xos_known *k;
	struct xos_credd_job *job;
	enum xos_status st = XOS_OK;
	if (!c->ops->renewals)
		return xos_err_set(err, XOS_UNAVAILABLE, "renewal-off",
		    "xos-credd of node %s renews no credentials (ca in credd.conf)",
		    self->conf->node);
	st = in_standing(c, c->req->chain, c->req->nchain, &k, err);
	if (!st)
		st = xos_credd_grant_take(
		    c->ops->jobs, c->req, view->trust, self->conf, c->now, &job, err);
	if (st)
		return st;
	c->answer->not_after = job->grant->ends;
	xos_credd_renewals_changed(c->ops->renewals, job);
	XOS_EVENT(XOS_INFO, "job.granted", "job", job->id, "subject", k->subject);
	return XOS_OK;
}

/* All operations on accounts: ops_accounts.h. */
static enum xos_status op_accounts(struct xos_credd_asked *c, struct xos_err *err)
{
	return xos_credd_ops_accounts(c, err);
}

/* All operations on credentials of sessions and jobs: credentials.h. */
static enum xos_status op_credentials(struct xos_credd_asked *c, struct xos_err *err)
{
	return xos_credd_credentials(c, err);
}

static const struct {
	const char *name;
	bool service_only;
	enum xos_status (*run)(struct xos_credd_asked *c, struct xos_err *err);
} operations[] = {
    [XOS_LOCAL_STATUS] = {"status", false, op_status},
    [XOS_LOCAL_AUTHORISE] = {"authorise", false, op_authorise},
    [XOS_LOCAL_JOB_PREPARE] = {"job.prepare", true, op_prepare},
    [XOS_LOCAL_JOB_ACCEPT] = {"job.accept", true, op_accept},
    [XOS_LOCAL_JOB_CREDENTIAL] = {"job.credential", true, op_job_credential},
    [XOS_LOCAL_JOB_RELEASE] = {"job.release", true, op_release},
    [XOS_LOCAL_CREDENTIAL] = {"credential", false, op_credential},
    [XOS_LOCAL_LIST] = {"list", false, op_list},
    [XOS_LOCAL_PREVIEW] = {"preview", true, op_preview},
    [XOS_LOCAL_ABILITIES] = {"abilities", true, op_abilities},
    [XOS_LOCAL_RENEWALS] = {"renewals", false, op_renewals},
    [XOS_LOCAL_JOB_GRANT] = {"job.grant", true, op_grant},
    [XOS_LOCAL_STANDING] = {"standing", true, op_standing},
    [XOS_LOCAL_WHOIS] = {"whois", true, op_accounts},
    [XOS_LOCAL_ACCOUNTS] = {"accounts", true, op_accounts},
    [XOS_LOCAL_LEASE] = {"lease", true, op_accounts},
    [XOS_LOCAL_LEASE_END] = {"lease.end", true, op_accounts},
    [XOS_LOCAL_LEASES] = {"leases", true, op_accounts},
    [XOS_LOCAL_CRED_CREATE] = {"credential.create", false, op_credentials},
    [XOS_LOCAL_CRED_PUT] = {"credential.put", false, op_credentials},
    [XOS_LOCAL_CRED_SIGN] = {"credential.sign", false, op_credentials},
    [XOS_LOCAL_CRED_LIST] = {"credential.list", false, op_credentials},
    [XOS_LOCAL_CRED_GET] = {"credential.get", false, op_credentials},
    [XOS_LOCAL_CRED_DESTROY] = {"credential.destroy", false, op_credentials},
    [XOS_LOCAL_CRED_CHAIN] = {"credential.chain", false, op_credentials},
    [XOS_LOCAL_DELEGATE] = {"delegate", false, op_credentials},
    [XOS_LOCAL_CRED_RENEW] = {"credential.renew", false, op_credentials},
};

/*
 * A connection says who made it, and can be handed to others that keep it after the job. What was connected before the
 * uid was leased anew is of a job that is over; while nobody has the uid, so is all.
 */
static enum xos_status check_lease(const struct xos_credd_asked *c, struct xos_err *err)
{
	const struct xos_credd_slice *slice = &xos_credd_decider_view(c->ops->decider)->slice;
	uint32_t uid = c->peer->uid;
	const struct xos_credd_lease *lease = xos_credd_leases_of_uid(c->ops->leases, uid);
	bool of_jobs = slice->jobs_first && uid >= slice->jobs_first && uid <= slice->jobs_last;
	if (lease ? c->peer->since_ms >= lease->taken_ms : !of_jobs)
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "lease-over",
	    "this connection was made by a job that is over, which had the uid %u", (unsigned)uid);
}

static enum xos_status may_call(
    const struct xos_credd_asked *c, bool service_only, struct xos_err *err)
{
	const struct xos_credd_self *self = c->ops->self;
	if (c->peer->service)
		return XOS_OK;
	if (!self->root)
		return xos_err_set(err, XOS_DENIED, "single-user",
		    "xos-credd runs without root and serves uid %u only", (unsigned)self->uid);
	if (service_only)
		return xos_err_set(err, XOS_DENIED, "service-only",
		    "only service users may do this, and uid %u is none (service_users in "
		    "credd.conf)",
		    (unsigned)c->peer->uid);
	return check_lease(c, err);
}

enum xos_status xos_credd_ops_handle(void *ctx, const struct xos_credd_peer *peer,
    const struct xos_local_request *req, struct xos_local_answer *answer, struct xos_buf *plain,
    struct xos_secret **secret, struct xos_err *err)
{
	struct xos_credd_ops *ops = ctx;
	struct xos_credd_asked c = {
	    .ops = ops,
	    .peer = peer,
	    .req = req,
	    .answer = answer,
	    .plain = plain,
	    .secret = secret,
	    .now = xos_credd_view_now(xos_credd_decider_view(ops->decider)),
	};
	struct xos_err why = XOS_ERR_INIT;
	char uid[16];
	enum xos_status st = may_call(&c, operations[req->op].service_only, &why);
	if (!st)
		st = operations[req->op].run(&c, &why);
	if (!st)
		return XOS_OK;
	why.status = st;
	(void)!xos_str_printf(uid, sizeof(uid), "%u", (unsigned)peer->uid);
	xos_event_err(XOS_WARN, "local.refused", &why, "operation", operations[req->op].name,
	    "peer", uid, "job", req->job[0] ? req->job : NULL, (const char *)NULL);
	if (err)
		*err = why;
	return st;
}
