#include "credd/credentials.h"

#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "credd/tokenpem.h"
#include "pki/key.h"

static void tell(const struct xos_credd_asked *a, const char *event, const char *id,
    const struct xos_known *known)
{
	char uid[16];
	(void)!xos_str_printf(uid, sizeof(uid), "%u", (unsigned)a->peer->uid);
	XOS_EVENT(XOS_INFO, event, "credential", id, "subject", known ? known->subject : NULL,
	    "peer", uid);
}

static void set_id(const struct xos_credd_asked *a, const char *id)
{
	(void)!xos_str_copy(a->answer->id, sizeof(a->answer->id), id);
}

static void borrow(const struct xos_credd_asked *a, struct xos_credd_usable *u)
{
	const struct xos_credd_picked *p = &u->picked;
	if (p->session) {
		u->n = xos_credd_session_certs(p->session, u->chain);
		u->key = xos_credd_sessions_key(a->ops->sessions, p->session);
	} else {
		u->n = xos_credd_jobs_chain(a->ops->jobs, p->job->id, u->chain);
		u->key =
		    (struct xos_bytes){xos_secret_data(p->job->key), xos_secret_len(p->job->key)};
	}
}

enum xos_status xos_credd_usable(const struct xos_credd_asked *a, const char *id,
    struct xos_credd_usable *out, struct xos_err *err)
{
	char age[XOS_TIME_TEXT];
	struct xos_credd_usable u = {.n = 0};
	enum xos_status st =
	    xos_credd_pick(a->ops->sessions, a->ops->jobs, a->peer, id, a->now, &u.picked, err);
	if (st)
		return st;
	borrow(a, &u);
	int64_t end = u.picked.session ? u.picked.session->not_after : u.picked.job->not_after;
	if (a->now > end) {
		xos_duration_format(a->now - end, age);
		return xos_err_set(err, XOS_EXPIRED, "token-expired",
		    "credential %s ended %s ago: log in again", u.picked.id, age);
	}
	st = xos_credd_ops_standing(a->ops, u.chain, u.n, a->now, &u.known, err);
	if (!st)
		*out = u;
	return st;
}

static enum xos_status create(const struct xos_credd_asked *a, struct xos_err *err)
{
	struct xos_credd_leader leader;
	const char *id = NULL;
	bool bound = a->req->flags & XOS_LOCAL_SESSION;
	enum xos_status st = bound ? xos_credd_leader_of(a->peer->pid, &leader, err) : XOS_OK;
	if (!st)
		st = xos_credd_sessions_create(a->ops->sessions, a->peer->uid,
		    a->req->flags & XOS_LOCAL_EXPORT, bound ? &leader : NULL, a->now, &id, a->plain,
		    err);
	if (st)
		return st;
	a->answer->text = xos_buf_bytes(a->plain);
	set_id(a, id);
	tell(a, "credential.created", id, NULL);
	return XOS_OK;
}

/*
 * A member's token or delegation, in standing here. That it is for the key that was made for this uid is what says whose
 * it is: the member's computed account need not be the one that asks, a local user may hold a token of his own. It maps
 * nobody to that account.
 */
static enum xos_status put(const struct xos_credd_asked *a, struct xos_err *err)
{
	const struct xos_known *known = NULL;
	enum xos_status st =
	    xos_credd_ops_standing(a->ops, a->req->chain, a->req->nchain, a->now, &known, err);
	if (!st)
		st = xos_credd_sessions_put(a->ops->sessions, a->peer->uid, a->req->job, known,
		    a->req->chain, a->req->nchain, err);
	if (st)
		return st;
	memcpy(a->answer->subject, known->subject, sizeof(a->answer->subject));
	a->answer->not_after = known->id->not_after;
	tell(a, "credential.put", a->req->job, known);
	return XOS_OK;
}

static enum xos_status sign(const struct xos_credd_asked *a, struct xos_err *err)
{
	struct xos_credd_usable u;
	struct xos_key *key = NULL;
	enum xos_status st = xos_credd_usable(a, a->req->job, &u, err);
	if (!st)
		st = xos_key_from_pem(u.key, &key, err);
	if (!st)
		st = xos_key_sign_digest(key, a->req->text, a->plain, err);
	xos_key_free(key);
	if (st)
		return st;
	a->answer->text = xos_buf_bytes(a->plain);
	set_id(a, u.picked.id);
	tell(a, "credential.signed", u.picked.id, u.known);
	return XOS_OK;
}

static enum xos_status get(const struct xos_credd_asked *a, struct xos_err *err)
{
	struct xos_credd_usable u;
	struct xos_chain chain = {.n = 0};
	enum xos_status st = xos_credd_usable(a, a->req->job, &u, err);
	if (!st && u.picked.session && !u.picked.session->exportable)
		st = xos_err_set(err, XOS_DENIED, "not-exportable",
		    "the key of credential %s was made to stay in xos-credd: have it sign, or "
		    "delegate "
		    "it to another key",
		    u.picked.id);
	if (!st)
		st = xos_chain_from_der(u.chain, u.n, &chain, err);
	if (!st)
		st = xos_credd_token_file(&chain, u.key, a->secret, err);
	xos_chain_clear(&chain);
	if (st)
		return st;
	set_id(a, u.picked.id);
	tell(a, "credential.given", u.picked.id, u.known);
	return XOS_OK;
}

static enum xos_status chain_of(const struct xos_credd_asked *a, struct xos_err *err)
{
	struct xos_credd_usable u;
	enum xos_status st = xos_credd_usable(a, a->req->job, &u, err);
	if (st)
		return st;
	if (u.n > XOS_LOCAL_CHAIN_MAX)
		return xos_err_set(err, XOS_LIMIT, "chain", "the chain is too long");
	memcpy(a->answer->chain, u.chain, u.n * sizeof(u.chain[0]));
	a->answer->nchain = u.n;
	a->answer->not_after = u.known->id->not_after;
	set_id(a, u.picked.id);
	return XOS_OK;
}

/* root ends any, as the log-in module does when a session is over. */
static enum xos_status destroy(const struct xos_credd_asked *a, struct xos_err *err)
{
	const struct xos_credd_job *job = xos_credd_jobs_get(a->ops->jobs, a->req->job);
	if (job && job->account.uid == a->peer->uid)
		return xos_err_set(err, XOS_DENIED, "job-credential",
		    "%s is the credential of a job and ends with it: `xos-job cancel %s`", job->id,
		    job->id);
	enum xos_status st = xos_credd_sessions_destroy(
	    a->ops->sessions, a->peer->uid, a->peer->uid == 0, a->req->job, err);
	return st;
}

static enum xos_status renew(const struct xos_credd_asked *a, struct xos_err *err)
{
	struct xos_credd_usable u;
	enum xos_status st = xos_credd_usable(a, a->req->job, &u, err);
	if (st)
		return st;
	set_id(a, u.picked.id);
	if (u.picked.session)
		return xos_err_set(err, XOS_UNAVAILABLE, "not-renewable",
		    "xos-credd holds nothing by which credential %s could be renewed: log in "
		    "again, "
		    "and put the new token in its place",
		    u.picked.id);
	a->answer->not_after = u.picked.job->not_after;
	return xos_credd_renewals_ask(
	    a->ops->renewals, xos_credd_jobs_find(a->ops->jobs, u.picked.job->id), a->now, err);
}

enum xos_status xos_credd_credentials(const struct xos_credd_asked *a, struct xos_err *err)
{
	switch (a->req->op) {
	case XOS_LOCAL_CRED_CREATE:
		return create(a, err);
	case XOS_LOCAL_CRED_PUT:
		return put(a, err);
	case XOS_LOCAL_CRED_SIGN:
		return sign(a, err);
	case XOS_LOCAL_CRED_LIST:
		return xos_credd_credentials_list(a, err);
	case XOS_LOCAL_CRED_GET:
		return get(a, err);
	case XOS_LOCAL_CRED_DESTROY:
		return destroy(a, err);
	case XOS_LOCAL_CRED_CHAIN:
		return chain_of(a, err);
	case XOS_LOCAL_DELEGATE:
		return xos_credd_credentials_delegate(a, err);
	case XOS_LOCAL_CRED_RENEW:
		return renew(a, err);
	default:
		return xos_err_set(err, XOS_INTERNAL, "operation", "no operation on credentials");
	}
}
