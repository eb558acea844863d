/* Log-ins in the auth process: SCRAM, throttling, and the grant for the key process. */
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/random.h"
#include "base/text.h"
#include "ca/auth/totp.h"
#include "token/request.h"
#include "ca/auth/auth.h"
#include "ca/auth/invitations.h"
#include "ca/membership/rules.h"
#include "ca/membership/sealed.h"
#include "ca/membership/standing.h"

/*
 * A free place, or that of the log-in that was begun first. An address that has its share of places
 * gives up one of its own: a flood of first messages must not end what others have begun.
 */
static struct ca_session *take_place(struct ca_auth *a, const char *address)
{
	struct ca_session *open = NULL, *oldest = NULL, *own = NULL;
	size_t owned = 0;

	for (size_t i = 0; i < CA_SESSIONS; i++) {
		struct ca_session *s = &a->sessions[i];

		if (!s->scram) {
			open = s;
			continue;
		}
		if (!oldest || s->order < oldest->order)
			oldest = s;
		if (strcmp(s->address, address) != 0)
			continue;
		owned++;
		if (!own || s->order < own->order)
			own = s;
	}
	if (owned >= CA_SESSIONS_ADDRESS)
		open = own;
	else if (!open)
		open = oldest;
	xos_scram_session_free(open->scram);
	xos_wipe(open, sizeof(*open));
	memcpy(open->address, address, strlen(address) + 1);
	open->order = ++a->order;
	return open;
}

static struct ca_session *find(struct ca_auth *a, const char *sid, int64_t now)
{
	for (size_t i = 0; i < CA_SESSIONS; i++)
		if (a->sessions[i].scram && strlen(sid) == CA_SID_LEN &&
		    xos_ct_equal(a->sessions[i].sid, sid, CA_SID_LEN))
			return a->sessions[i].until >= now ? &a->sessions[i] : NULL;
	return NULL;
}

enum xos_status ca_login_begin(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_auth *a = auth;
	struct ca_login_begin m;
	struct ca_login_challenge c = {.sid = ""};
	struct xos_scram_session *scram = NULL;
	struct ca_session *s;
	struct xos_buf first;
	char address[CA_SCOPE_MAX];
	int64_t now = xos_clock_now();
	enum xos_status st = ca_login_begin_get(payload, &m, err);

	(void)from;
	if (st != XOS_OK)
		return st;
	/* The code is part of what the member's proof covers. */
	if (m.totp[0])
		st = xos_token_request_totp(m.digest, m.totp, m.digest, err);
	if (st != XOS_OK)
		return st;
	xos_buf_init(&first, XOS_SCRAM_MESSAGE_MAX);
	st = xos_scram_begin(a->scram, m.digest, m.message, &scram, &first, err);
	if (st == XOS_OK)
		st = ca_throttle_check(a->throttle, xos_scram_member(scram), m.address, now, err);
	if (st == XOS_OK) {
		ca_throttle_address(m.address, address);
		s = take_place(a, address);
		if (xos_scram_kind(scram) == XOS_SCRAM_CODE)
			s->code = a->found;
		s->scram = scram;
		scram = NULL;
		s->until = now + CA_SESSION_LIFE;
		memcpy(s->digest, m.digest, sizeof(s->digest));
		memcpy(s->totp, m.totp, sizeof(s->totp));
		xos_random_id(s->sid, CA_SID_LEN / 2);
		memcpy(c.sid, s->sid, sizeof(c.sid));
		c.message = xos_buf_bytes(&first);
		ca_login_challenge_put(reply, &c);
	}
	xos_wipe(&a->found, sizeof(a->found));
	xos_scram_session_free(scram);
	xos_buf_free(&first);
	return st;
}

enum xos_status ca_auth_standing(struct ca_auth *a, const char *name, uint64_t number,
    const char *const *roles, size_t nroles, int64_t now, struct xos_err *err)
{
	struct ca_member *member = NULL;
	enum xos_status st = ca_member_get(a->membership, name, &member, err);

	if (st == XOS_OK && number && member->number != number)
		st = xos_err_set(err, XOS_DENIED, "member-suspended",
		    "the membership of %s in VO %s is another one's: ask the VO's administrators",
		    name, a->vo);
	if (st == XOS_OK)
		st = ca_standing_check(a->membership, member, now, err);
	if (st == XOS_OK)
		st = ca_rules_check(a->membership, member, err);
	if (st == XOS_OK)
		st = ca_lock_check(a->membership, member, roles, nroles, now, err);
	ca_member_free(member);
	return st;
}

enum xos_status ca_auth_grant(
    struct ca_auth *a, struct ca_grant *g, int64_t now, struct xos_err *err)
{
	struct xos_buf b;
	enum xos_status st = XOS_INTERNAL;

	xos_random_id(g->id, CA_GRANT_LEN / 2);
	g->expires = now + CA_GRANT_LIFE;
	xos_buf_init(&b, 4096);
	if (xos_str_copy(g->vo, sizeof(g->vo), a->vo)) {
		ca_grant_put(&b, g);
		st = xos_buf_status(&b);
	}
	if (st == XOS_OK)
		st = xos_bulk_call(
		    a->key, CA_GRANT, xos_buf_bytes(&b), ca_key_deadline(), NULL, err);
	else
		st = xos_err_set(err, st, "internal", "cannot encode a grant");
	xos_buf_free(&b);
	return st;
}

static enum xos_status tell_key(struct ca_auth *a, const struct ca_session *s, bool mfa,
    int64_t now, struct ca_login_done *done, struct xos_err *err)
{
	bool code = xos_scram_kind(s->scram) == XOS_SCRAM_CODE;
	struct ca_grant g = {.time = now, .mfa = mfa};
	enum xos_status st = XOS_INTERNAL;

	memcpy(g.digest, s->digest, sizeof(g.digest));
	if (xos_str_copy(g.method, sizeof(g.method), code ? "code" : "password") &&
	    xos_str_copy(g.member, sizeof(g.member), xos_scram_member(s->scram)))
		st = ca_auth_grant(a, &g, now, err);
	memcpy(done->grant, g.id, sizeof(done->grant));
	return st;
}

static enum xos_status finish(struct ca_auth *a, struct ca_session *s,
    const struct ca_login_finish *m, struct ca_login_done *done, struct xos_buf *final,
    struct xos_err *err)
{
	const char *name = xos_scram_member(s->scram);
	int64_t now = xos_clock_now();
	bool mfa = false;
	enum xos_status st = ca_throttle_check(a->throttle, name, m->address, now, err);

	if (st != XOS_OK)
		return st;
	st = xos_scram_finish(s->scram, m->message, final, err);
	if (st == XOS_DENIED)
		ca_throttle_failed(a->throttle, name, m->address, now);
	if (st == XOS_OK)
		ca_throttle_passed(a->throttle, name, m->address);
	if (st == XOS_OK && xos_scram_kind(s->scram) == XOS_SCRAM_CODE)
		st = ca_invitation_take_up(a, name, &s->code, now, err);
	if (st == XOS_OK)
		st = ca_auth_standing(a, name, 0, NULL, 0, now, err);
	if (st == XOS_OK)
		st = ca_totp_login(a, name, xos_scram_kind(s->scram), s->totp, now, &mfa, err);
	/* Gone before anything can come of it: whatever ends this process now, it never works twice. */
	if (st == XOS_OK && xos_scram_kind(s->scram) == XOS_SCRAM_CODE)
		st = ca_verifiers_spend(a->verifiers, name, &s->code, now, err);
	if (st == XOS_OK)
		st = ca_sealed_used(a->membership, name, m->address, now, err);
	if (st != XOS_OK)
		xos_event_err(XOS_WARN, "login.refused", err, "member", name, "peer", m->address,
		    (const char *)NULL);
	if (st == XOS_OK)
		st = tell_key(a, s, mfa, now, done, err);
	if (st == XOS_OK) {
		XOS_EVENT(XOS_INFO, "login.proven", "member", name, "peer", m->address, "by",
		    xos_scram_kind(s->scram) == XOS_SCRAM_CODE ? "code"
		    : mfa                                      ? "password+totp"
		                                               : "password");
		done->message = xos_buf_bytes(final);
	}
	return st;
}

enum xos_status ca_login_finish(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_auth *a = auth;
	struct ca_login_finish m;
	struct ca_login_done done = {.grant = ""};
	struct ca_session *s;
	struct xos_buf final;
	enum xos_status st = ca_login_finish_get(payload, &m, err);

	(void)from;
	if (st != XOS_OK)
		return st;
	s = find(a, m.sid, xos_clock_now());
	if (!s)
		return xos_err_set(err, XOS_DENIED, "login-unknown",
		    "this log-in was not begun, or took longer than %d seconds: log in again",
		    CA_SESSION_LIFE);
	xos_buf_init(&final, XOS_SCRAM_MESSAGE_MAX);
	st = finish(a, s, &m, &done, &final, err);
	if (st == XOS_OK)
		ca_login_done_put(reply, &done);
	xos_scram_session_free(s->scram);
	xos_wipe(s, sizeof(*s));
	xos_buf_free(&final);
	return st;
}

enum xos_status ca_login_proof(struct ca_auth *a, const struct ca_login_finish *m,
    const uint8_t digest[XOS_SHA256_LEN], char member[XOS_MEMBER_MAX + 1], struct xos_buf *final,
    struct xos_err *err)
{
	int64_t now = xos_clock_now();
	struct ca_session *s = find(a, m->sid, now);
	const char *name;
	enum xos_status st;

	if (!s || !xos_ct_equal(s->digest, digest, sizeof(s->digest)))
		return xos_err_set(err, XOS_DENIED, "login-unknown",
		    "this proof was not begun, or took longer than %d seconds: try again",
		    CA_SESSION_LIFE);
	name = xos_scram_member(s->scram);
	st = ca_throttle_check(a->throttle, name, m->address, now, err);
	if (st == XOS_OK) {
		st = xos_scram_finish(s->scram, m->message, final, err);
		if (st == XOS_DENIED)
			ca_throttle_failed(a->throttle, name, m->address, now);
	}
	if (st == XOS_OK) {
		ca_throttle_passed(a->throttle, name, m->address);
		if (!xos_str_copy(member, XOS_MEMBER_MAX + 1, name))
			st = xos_err_set(err, XOS_MALFORMED, "member-name", "the name is too long");
	}
	xos_scram_session_free(s->scram);
	xos_wipe(s, sizeof(*s));
	return st;
}
