/* Grants, and the tokens that come of them. */
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/secret.h"
#include "base/text.h"
#include "ca/key/key.h"
#include "ca/key/terms.h"
#include "token/profile.h"

/* --- grants --- */

enum xos_status ca_handle_grant(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;
	struct ca_grant g, *place = NULL;
	int64_t now = xos_clock_now();
	enum xos_status st = ca_grant_get(payload, &g, err);

	(void)from;
	(void)reply;
	if (st != XOS_OK)
		return st;
	if (strcmp(g.vo, k->vo) != 0)
		return xos_err_set(err, XOS_DENIED, "other-vo", "a grant for VO %s", g.vo);
	for (size_t i = 0; i < CA_GRANTS; i++) {
		struct ca_grant *e = &k->grants[i];

		if (e->id[0] && strcmp(e->id, g.id) == 0)
			return xos_err_set(err, XOS_CONFLICT, "grant", "this grant exists");
		/* One far ahead is from before the clock was set back. */
		if (!place && (!e->id[0] || e->expires <= now || e->expires > now + CA_GRANT_LIFE))
			place = e;
	}
	if (!place)
		return xos_err_set(err, XOS_LIMIT, "grants",
		    "too many log-ins at the same time: try again in a minute");
	*place = g;
	return XOS_OK;
}

/* Takes a grant out, whatever becomes of it. */
static enum xos_status take_grant(
    struct ca_key *k, const char *id, struct ca_grant *out, struct xos_err *err)
{
	int64_t now = xos_clock_now();

	for (size_t i = 0; i < CA_GRANTS; i++) {
		struct ca_grant *e = &k->grants[i];

		if (!e->id[0] || strlen(id) != CA_GRANT_LEN ||
		    !xos_ct_equal(e->id, id, CA_GRANT_LEN))
			continue;
		*out = *e;
		memset(e, 0, sizeof(*e));
		if (out->expires > now && out->expires <= now + CA_GRANT_LIFE)
			return XOS_OK;
		return xos_err_set(
		    err, XOS_EXPIRED, "grant-expired", "the log-in took too long: log in again");
	}
	return xos_err_set(err, XOS_DENIED, "grant-unknown",
	    "nobody logged in for this request, or it was answered already");
}

/* --- profile --- */

static enum xos_status check_request(struct ca_key *k, const struct ca_grant *g,
    const struct xos_cad_request *req, struct xos_csr *csr, struct xos_err *err)
{
	uint8_t digest[XOS_SHA256_LEN];
	enum xos_status st = xos_cad_request_digest(k->vo, req, csr, digest, err);

	if (st == XOS_OK && !xos_ct_equal(digest, g->digest, sizeof(digest)))
		st = xos_err_set(err, XOS_DENIED, "request-changed",
		    "the request is not the one that was logged in for: key, roles or lifetime "
		    "were "
		    "changed on the way");
	return st;
}

/* No later than `ends`, up to which a log-in is renewed (0: nothing of the kind), and `end`, that of the membership. */
static enum xos_status choose_times(struct ca_key *k, int64_t asked, int64_t ends, int64_t end,
    int64_t now, struct xos_token_request *t, struct xos_err *err)
{
	const struct xos_cert *issuer = xos_issuer_cert(k->issuer);
	int64_t life = asked ? asked : k->lifetime;
	char max[XOS_TIME_TEXT];

	if (life < CA_LIFETIME_MIN || life > k->lifetime_max) {
		xos_duration_format(k->lifetime_max, max);
		return xos_err_set(err, XOS_DENIED, "lifetime",
		    "a token of VO %s may live from 1m to %s", k->vo, max);
	}
	t->not_before = now - XOS_TOKEN_BACKDATE;
	if (t->not_before < xos_cert_not_before(issuer))
		t->not_before = xos_cert_not_before(issuer);
	t->not_after = now + life;
	if (ends && t->not_after > ends)
		t->not_after = ends;
	if (t->not_after < now + CA_LIFETIME_MIN)
		return xos_err_set(err, XOS_DENIED, "renewal-end",
		    "the time in which this log-in can be renewed ends now: log in again");
	if (t->not_after > xos_cert_not_after(issuer))
		t->not_after = xos_cert_not_after(issuer);
	if (t->not_after < now + CA_LIFETIME_MIN)
		return xos_err_set(err, XOS_EXPIRED, "issuer-expired",
		    "the certificate of the authority ends: its administrator must renew it");
	if (end < now + CA_LIFETIME_MIN)
		return xos_err_set(err, XOS_DENIED, "member-expired",
		    "the membership or VO %s ends within a minute", k->vo);
	if (t->not_after > end)
		t->not_after = end;
	return XOS_OK;
}

static enum xos_status check_roles(struct ca_key *k, const struct ca_member *m,
    const struct xos_cad_request *req, struct xos_err *err)
{
	for (size_t i = 0; i < req->nroles; i++)
		if (!ca_member_holds(m, req->roles[i]))
			return xos_err_set(err, XOS_DENIED, "role-not-held",
			    "%s does not hold the role %s in VO %s", m->name, req->roles[i], k->vo);
	return XOS_OK;
}

/* All groups, in order; of the roles, those asked for. */
static enum xos_status make_claims(struct ca_key *k, const struct ca_grant *g,
    const struct ca_member *m, const struct xos_cad_request *req, struct xos_claims **out,
    struct xos_err *err)
{
	struct xos_claims *c = NULL;
	enum xos_status st = xos_claims_new(XOS_KIND_USER, k->vo, m->name, &c, err);

	for (size_t i = 0; st == XOS_OK && i < m->groups.n; i++)
		st = xos_claims_add_group(c, m->groups.item[i], err);
	for (size_t i = 0; st == XOS_OK && i < req->nroles; i++)
		st = xos_claims_add_role(c, req->roles[i], err);
	if (st == XOS_OK) {
		c->number = m->number;
		c->auth_time = g->time;
		c->auth_mfa = g->mfa;
		if (!xos_str_copy(c->auth_method, sizeof(c->auth_method), g->method))
			st = xos_err_set(err, XOS_INTERNAL, "grant", "method too long");
	}
	if (st != XOS_OK) {
		xos_claims_free(c);
		return st;
	}
	*out = c;
	return XOS_OK;
}

/* Membership as it is now, not as it was at the log-in. */
static enum xos_status look_up(struct ca_key *k, const struct ca_grant *g,
    const struct xos_cad_request *req, int64_t now, struct ca_terms *terms, struct xos_claims **out,
    struct xos_err *err)
{
	struct ca_member *m = NULL;
	enum xos_status st = ca_member_get(k->membership, g->member, &m, err);

	if (st == XOS_OK)
		st = ca_terms_find(k->membership, m, g->time, now, terms, err);
	if (st == XOS_OK)
		st = check_roles(k, m, req, err);
	if (st == XOS_OK)
		st = ca_lock_check(
		    k->membership, m, (const char *const *)req->roles, req->nroles, now, err);
	if (st == XOS_OK && g->renews[0])
		st = ca_lock_check_token(k->membership, g->renews, now, err);
	if (st == XOS_OK)
		st = make_claims(k, g, m, req, out, err);
	ca_member_free(m);
	return st;
}

/* --- issuance --- */

struct issuing {
	struct ca_grant grant;
	struct xos_csr csr;
	struct xos_claims *claims;
	struct xos_token_request token;
	struct xos_buf der;
	struct ca_terms terms;
	struct ca_token_entry entry;
};

static enum xos_status stage_issued(struct ca_key *k, const struct issuing *w, struct xos_err *err)
{
	struct ca_issued r = {.claims = w->claims,
	    .serial = w->entry.serial,
	    .not_before = w->token.not_before,
	    .not_after = w->token.not_after,
	    .grant = w->grant.id};
	struct xos_buf b;
	enum xos_status st;

	memcpy(r.spki_sha256, w->csr.spki_sha256, sizeof(r.spki_sha256));
	xos_buf_init(&b, XOS_LOG_PAYLOAD_MAX);
	st = ca_record_issued(&r, &b, err);
	if (st == XOS_OK)
		st = xos_log_stage(k->log, CA_RECORD_ISSUED, xos_buf_bytes(&b), NULL, err);
	xos_buf_free(&b);
	return st;
}

static enum xos_status add_name(struct issuing *w, const char *name, struct xos_err *err)
{
	return ca_names_add(&w->entry.names, name, strlen(name), err);
}

/* Whoever found a token must not be able to make more of them than its holder can end at once, which is as many
 * as there is room for locks. Who proves a password makes a new beginning. */
static enum xos_status check_number(
    struct ca_key *k, const struct issuing *w, int64_t now, struct xos_err *err)
{
	bool room = true;
	enum xos_status st = XOS_OK;

	if (w->grant.renews[0])
		st = ca_status_room(k, w->claims->number, CA_RENEWED_MAX, now, &room, err);
	if (st == XOS_OK && !room)
		st = xos_err_set(err, XOS_DENIED, "renewal-many",
		    "%s has %d unexpired tokens: log in for another one, or end what is not "
		    "needed (xos-token list, xos-logout --everywhere)",
		    w->claims->name, CA_RENEWED_MAX);
	return st;
}

static enum xos_status make_token(struct ca_key *k, const struct xos_cad_request *req, int64_t now,
    struct issuing *w, struct xos_err *err)
{
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	enum xos_status st = look_up(k, &w->grant, req, now, &w->terms, &w->claims, err);

	if (st == XOS_OK)
		st = check_number(k, w, now, err);
	if (st == XOS_OK)
		st = choose_times(
		    k, req->lifetime, w->grant.ends, w->terms.end, now, &w->token, err);
	if (st == XOS_OK) {
		w->token.restriction = xos_buf_bytes(&w->terms.restriction);
		w->token.claims = w->claims;
		w->token.spki = w->csr.spki;
		w->token.points = ca_status_points(k->status);
		st = xos_token_issue(k->issuer, &w->token, serial, &w->der, err);
	}
	if (st == XOS_OK) {
		xos_hex_encode(w->entry.serial, serial, sizeof(serial));
		w->entry.number = w->claims->number;
		w->entry.not_before = w->token.not_before;
		w->entry.not_after = w->token.not_after;
	}
	for (size_t i = 0; st == XOS_OK && i < w->claims->ngroups; i++)
		st = add_name(w, w->claims->groups[i], err);
	for (size_t i = 0; st == XOS_OK && i < w->claims->nroles; i++)
		st = add_name(w, w->claims->roles[i], err);
	return st;
}

/* The record is durable before the caller can have a byte of the certificate: the answer waits for it. */
static enum xos_status issue(
    struct ca_key *k, const struct xos_cad_request *req, struct issuing *w, struct xos_err *err)
{
	int64_t now = xos_clock_now();
	uint64_t last = 0;
	enum xos_status st = ca_key_snapshot(k, err), done;

	if (st == XOS_OK)
		st = ca_key_stage_acts(k, &last, err);
	if (st == XOS_OK) {
		st = make_token(k, req, now, w, err);
		/* In this order: while the log is broken, what nobody gets is not counted among what is out. */
		if (st == XOS_OK)
			st = stage_issued(k, w, err);
		if (st == XOS_OK)
			st = ca_status_add(k, &w->entry, now, err);
		/* The acts go into the log also when the token is refused. */
		done = ca_key_settle(k, last, st == XOS_OK ? err : NULL);
		if (st == XOS_OK)
			st = done;
	}
	ca_key_snapshot_end(k);
	return st;
}

static void put_reply(struct ca_key *k, const struct issuing *w, struct xos_buf *reply)
{
	xos_buf_lp(reply, xos_buf_bytes(&w->der));
	for (size_t i = 0; i < k->chain.n; i++)
		if (!xos_cert_is_self_issued(k->chain.cert[i]))
			xos_buf_lp(reply, xos_cert_der(k->chain.cert[i]));
}

enum xos_status ca_handle_issue(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;
	struct ca_issue m;
	struct issuing w = {.claims = NULL};
	enum xos_status st = ca_issue_get(payload, &m, err);

	(void)from;
	if (st != XOS_OK)
		return st;
	xos_buf_init(&w.der, XOS_CERT_MAX);
	ca_terms_init(&w.terms);
	st = take_grant(k, m.grant, &w.grant, err);
	if (st == XOS_OK)
		st = check_request(k, &w.grant, &m.request, &w.csr, err);
	if (st == XOS_OK)
		st = issue(k, &m.request, &w, err);
	if (st == XOS_OK) {
		put_reply(k, &w, reply);
		k->watch.issued++;
		XOS_EVENT(
		    XOS_INFO, "token.issued", "member", w.claims->name, "serial", w.entry.serial);
	} else {
		xos_event_err(XOS_WARN, "token.refused", err, "member",
		    w.grant.member[0] ? w.grant.member : NULL, (const char *)NULL);
	}
	ca_names_free(&w.entry.names);
	xos_buf_free(&w.der);
	ca_terms_free(&w.terms);
	xos_claims_free(w.claims);
	xos_cad_request_clear(&m.request);
	return st;
}
