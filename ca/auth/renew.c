/* Renewals in the auth process: the old token's key instead of a password. */
#include "api/cad_renew.h"

#include <string.h>

#include "api/once.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "ca/auth/totp.h"

/* A token that was taken without a role must not become one with it. */
static enum xos_status no_new_roles(const struct xos_cad_renewal *r, struct xos_err *err)
{
	const struct xos_claims *c = r->who->claims;

	for (size_t i = 0; i < r->request.nroles; i++) {
		bool had = false;

		for (size_t j = 0; j < c->nroles; j++)
			had |= strcmp(r->request.roles[i], c->roles[j]) == 0;
		if (!had)
			return xos_err_set(err, XOS_DENIED, "renewal-roles",
			    "the token to renew is without the role %s: log in for it, with your "
			    "password",
			    r->request.roles[i]);
	}
	return XOS_OK;
}

static enum xos_status check_end(
    struct ca_auth *a, const struct xos_claims *c, int64_t now, int64_t *ends, struct xos_err *err)
{
	char ago[XOS_TIME_TEXT], max[XOS_TIME_TEXT];

	*ends = c->auth_time + a->renew_max;
	if (*ends > now)
		return XOS_OK;
	xos_duration_format(now - c->auth_time, ago);
	xos_duration_format(a->renew_max, max);
	return xos_err_set(err, XOS_DENIED, "renewal-end",
	    "you logged in %s ago, and tokens of VO %s are renewed until %s after that: log in "
	    "again",
	    ago, a->vo, max);
}

/* Used up also if what follows refuses: see commands.c. */
enum xos_status ca_auth_once(
    struct ca_auth *a, const char *jti, int64_t expires, int64_t now, struct xos_err *err)
{
	struct xos_store *db = a->membership->store;
	enum xos_status st = xos_store_begin(db, err);

	if (st == XOS_OK)
		st = xos_once(db, jti, expires, now, err);
	if (st == XOS_OK)
		st = xos_store_commit(db, err);
	else if (st == XOS_DENIED)
		st = xos_err_set(err, st, "renewal-replayed",
		    "this renewal was carried out before; each is good once");
	xos_store_rollback(db);
	return st;
}

static enum xos_status renew(struct ca_auth *a, const struct xos_cad_renewal *r, int64_t now,
    struct ca_login_done *done, struct xos_err *err)
{
	const struct xos_claims *c = r->who->claims;
	struct ca_grant g = {.time = c->auth_time, .mfa = c->auth_mfa};
	enum xos_status st = ca_auth_once(a, r->jti, r->exp, now, err);

	if (st == XOS_OK)
		st = ca_lock_check_token(a->membership, r->who->serial, now, err);
	if (st == XOS_OK)
		st = ca_auth_standing(
		    a, c->name, c->number, (const char *const *)c->roles, c->nroles, now, err);
	if (st == XOS_OK)
		st = ca_totp_renewal(a, c->name, c->auth_mfa, now, err);
	if (st == XOS_OK)
		st = no_new_roles(r, err);
	if (st == XOS_OK)
		st = check_end(a, c, now, &g.ends, err);
	if (st != XOS_OK)
		return st;
	memcpy(g.digest, r->digest, sizeof(g.digest));
	if (!xos_str_copy(g.method, sizeof(g.method), c->auth_method) ||
	    !xos_str_copy(g.renews, sizeof(g.renews), r->who->serial) ||
	    !xos_str_copy(g.member, sizeof(g.member), c->name))
		return xos_err_set(err, XOS_INTERNAL, "grant", "cannot encode a grant");
	st = ca_auth_grant(a, &g, now, err);
	memcpy(done->grant, g.id, sizeof(done->grant));
	return st;
}

enum xos_status ca_renew(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_auth *a = auth;
	struct ca_login_done done = {.grant = ""};
	struct xos_cad_renewal *r = NULL;
	char peer[CA_PEER_MAX + 1] = "";
	struct xos_bytes body = XOS_BYTES_NONE;
	int64_t now = xos_clock_now();
	enum xos_status st = ca_command_get(payload, peer, &body, err);

	(void)from;
	if (st == XOS_OK)
		st = xos_cad_renewal_open(body, a->trust, a->vo, now, &r, err);
	if (st == XOS_OK)
		st = renew(a, r, now, &done, err);
	if (st == XOS_OK) {
		ca_login_done_put(reply, &done);
		XOS_EVENT(XOS_INFO, "renewal.proven", "member", r->who->claims->name, "serial",
		    r->who->serial, "peer", peer);
	} else {
		xos_event_err(XOS_WARN, "renewal.refused", err, "member",
		    r ? r->who->claims->name : NULL, "peer", peer, (const char *)NULL);
	}
	xos_cad_renewal_free(r);
	return st;
}
