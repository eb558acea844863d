/* Certificates of kind delegation, issued under the grants of jobs. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "ca/key/key.h"
#include "ca/key/terms.h"
#include "ca/membership/jobgrants.h"
#include "token/profile.h"

enum xos_status ca_delegations_open(
    struct ca_key *k, const struct ca_key_opts *o, struct xos_err *err)
{
	enum xos_status st;

	/* A VO of an older version has none, and goes on as it was. */
	if (!o->delegation_key || access(o->delegation_cert, F_OK) != 0)
		return XOS_OK;
	st = xos_key_load(o->delegation_key, NULL, NULL, &k->delegation_key, err);
	if (st == XOS_OK)
		st = xos_chain_load(o->delegation_cert, &k->delegation_chain, err);
	if (st == XOS_OK &&
	    !xos_key_same(k->delegation_key, xos_cert_key(k->delegation_chain.cert[0])))
		st = xos_err_set(err, XOS_CONFLICT, "key-mismatch",
		    "%s is not the certificate of the key %s", o->delegation_cert,
		    o->delegation_key);
	return st == XOS_OK ? xos_issuer_new(k->delegation_chain.cert[0], k->delegation_key,
	                          &k->delegations, err)
	                    : st;
}

void ca_delegations_close(struct ca_key *k)
{
	xos_issuer_free(k->delegations);
	xos_chain_clear(&k->delegation_chain);
	xos_key_free(k->delegation_key);
}

/* One certificate on its way. */
struct delegating {
	const struct ca_delegate *asked;
	struct ca_job_grant grant;
	struct xos_key *spki; /* the job's, public */
	struct ca_terms terms;
	struct xos_claims *claims;
	struct xos_delegation step;
	struct xos_delegation_request request;
	struct xos_buf der;
	struct ca_token_entry entry;
};

/* A role that was taken away, given up or locked since drops out. */
static enum xos_status add_roles(struct ca_key *k, const struct delegating *w,
    const struct ca_member *m, int64_t now, struct xos_claims *c, struct xos_err *err)
{
	const struct xos_grant *g = &w->grant.grant;
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < g->nroles; i++) {
		const char *const role[] = {g->roles[i]};
		enum xos_status locked;

		if (!ca_member_holds(m, role[0]))
			continue;
		locked = ca_lock_check(k->membership, m, role, 1, now, err);
		if (locked == XOS_OK)
			st = xos_claims_add_role(c, role[0], err);
		else if (locked != XOS_DENIED)
			st = locked;
	}
	return st;
}

/* The member as the membership has it now; how the person authenticated is what the grant's token said. */
static enum xos_status make_claims(struct ca_key *k, struct delegating *w,
    const struct ca_member *m, int64_t now, struct xos_err *err)
{
	struct xos_claims *c = NULL;
	enum xos_status st = xos_claims_new(XOS_KIND_DELEGATION, k->vo, m->name, &c, err);

	w->claims = c;
	for (size_t i = 0; st == XOS_OK && i < m->groups.n; i++)
		st = xos_claims_add_group(c, m->groups.item[i], err);
	if (st == XOS_OK)
		st = add_roles(k, w, m, now, c, err);
	if (st != XOS_OK)
		return st;
	c->number = m->number;
	c->auth_time = w->grant.authenticated;
	c->auth_mfa = w->grant.mfa;
	memcpy(c->auth_method, w->grant.method, sizeof(c->auth_method));
	return XOS_OK;
}

/* Grant, member and locks as they are now: auth is believed for the two signatures, and for nothing else. */
static enum xos_status look_up(
    struct ca_key *k, struct delegating *w, int64_t now, struct xos_err *err)
{
	struct ca_job_grant *g = &w->grant;
	struct ca_member *m = NULL;
	enum xos_status st = ca_job_grant_get(k->membership, w->asked->id, g, err);

	if (st == XOS_OK)
		st = ca_job_grant_proven(g, xos_key_spki_sha256(w->spki), w->asked->node, err);
	if (st == XOS_OK)
		st = ca_job_grant_usable(g, now, err);
	if (st == XOS_OK)
		st = ca_member_get(k->membership, g->member, &m, err);
	if (st == XOS_OK && (m->number != g->number || m->kind != CA_PERSON))
		st = xos_err_set(err, XOS_DENIED, "member-suspended",
		    "the grant %s is not of a member who could give one", w->asked->id);
	if (st == XOS_OK)
		st = ca_terms_find(k->membership, m, g->authenticated, now, &w->terms, err);
	if (st == XOS_OK)
		st = ca_lock_check(k->membership, m, NULL, 0, now, err);
	if (st == XOS_OK)
		st = ca_lock_check_token(k->membership, g->token, now, err);
	if (st == XOS_OK)
		st = ca_lock_check_grant(k->membership, w->asked->id, now, err);
	if (st == XOS_OK)
		st = make_claims(k, w, m, now, err);
	if (st == XOS_OK)
		st = xos_grant_step(&g->grant, g->member, &w->step, err);
	ca_member_free(m);
	return st;
}

/* Who holds both keys must not be able to fill the list of what is out there. */
static enum xos_status check_number(
    struct ca_key *k, const struct delegating *w, int64_t now, struct xos_err *err)
{
	char name[sizeof(CA_NAME_GRANT) + XOS_GRANT_ID_MAX];

	xos_str_printf(name, sizeof(name), CA_NAME_GRANT "%s", w->asked->id);
	if (ca_tokens_named(k->tokens, w->grant.number, name, now) < CA_DELEGATIONS_MAX)
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "grant-often",
	    "%d unexpired certificates were issued under the grant %s: one is renewed at half of "
	    "its life",
	    CA_DELEGATIONS_MAX, w->asked->id);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static enum xos_status choose_times(
    struct ca_key *k, struct delegating *w, int64_t now, struct xos_err *err)
{
	const struct xos_cert *issuer = xos_issuer_cert(k->delegations);
	int64_t end = least(now + k->lifetime, w->grant.grant.ends);

	w->request.not_before = now - XOS_TOKEN_BACKDATE;
	w->request.not_after = least(end, least(w->terms.end, xos_cert_not_after(issuer)));
	if (w->request.not_after > now)
		return XOS_OK;
	return xos_err_set(err, XOS_EXPIRED, "issuer-expired",
	    "the certificate of the delegation authority of VO %s has ended: its administrator "
	    "must renew it",
	    k->vo);
}

static enum xos_status fill_entry(struct delegating *w, const uint8_t *serial, struct xos_err *err)
{
	char name[sizeof(CA_NAME_GRANT) + XOS_GRANT_ID_MAX];
	const struct xos_claims *c = w->claims;
	struct ca_names *names = &w->entry.names;
	enum xos_status st = XOS_OK;

	xos_hex_encode(w->entry.serial, serial, XOS_ISSUE_SERIAL_LEN);
	w->entry.delegation = true;
	w->entry.number = c->number;
	w->entry.not_before = w->request.not_before;
	w->entry.not_after = w->request.not_after;
	for (size_t i = 0; st == XOS_OK && i < c->ngroups; i++)
		st = ca_names_add(names, c->groups[i], strlen(c->groups[i]), err);
	for (size_t i = 0; st == XOS_OK && i < c->nroles; i++)
		st = ca_names_add(names, c->roles[i], strlen(c->roles[i]), err);
	xos_str_printf(name, sizeof(name), CA_NAME_GRANT "%s", w->asked->id);
	return st == XOS_OK ? ca_names_add(names, name, strlen(name), err) : st;
}

static enum xos_status make(
    struct ca_key *k, struct delegating *w, int64_t now, struct xos_err *err)
{
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	enum xos_status st = look_up(k, w, now, err);

	if (st == XOS_OK)
		st = check_number(k, w, now, err);
	if (st == XOS_OK)
		st = choose_times(k, w, now, err);
	if (st != XOS_OK)
		return st;
	w->request.claims = w->claims;
	w->request.step = &w->step;
	w->request.spki = xos_key_spki(w->spki);
	st = xos_token_issue_delegation(k->delegations, &w->request, serial, &w->der, err);
	return st == XOS_OK ? fill_entry(w, serial, err) : st;
}

static enum xos_status stage(struct ca_key *k, const struct delegating *w, struct xos_err *err)
{
	struct ca_issued r = {.claims = w->claims,
	    .serial = w->entry.serial,
	    .not_before = w->request.not_before,
	    .not_after = w->request.not_after,
	    .grant = w->asked->id,
	    .node = w->asked->node};
	struct xos_buf b;
	enum xos_status st;

	memcpy(r.spki_sha256, xos_key_spki_sha256(w->spki), sizeof(r.spki_sha256));
	xos_buf_init(&b, XOS_LOG_PAYLOAD_MAX);
	st = ca_record_issued(&r, &b, err);
	if (st == XOS_OK)
		st = xos_log_stage(k->log, CA_RECORD_DELEGATION, xos_buf_bytes(&b), NULL, err);
	xos_buf_free(&b);
	return st;
}

/* As tokens are: nobody has a byte of what the log has not. */
static enum xos_status issue(struct ca_key *k, struct delegating *w, struct xos_err *err)
{
	int64_t now = xos_clock_now();
	uint64_t last = 0;
	enum xos_status st = ca_key_snapshot(k, err), done;

	if (st == XOS_OK)
		st = ca_key_stage_acts(k, &last, err);
	if (st == XOS_OK) {
		st = make(k, w, now, err);
		if (st == XOS_OK)
			st = stage(k, w, err);
		if (st == XOS_OK)
			st = ca_status_add(k, &w->entry, now, err);
		done = ca_key_settle(k, last, st == XOS_OK ? err : NULL);
		if (st == XOS_OK)
			st = done;
	}
	ca_key_snapshot_end(k);
	return st;
}

static void put_reply(struct ca_key *k, const struct delegating *w, struct xos_buf *reply)
{
	struct ca_delegated m = {.der = {xos_buf_bytes(&w->der)},
	    .n = 1,
	    .not_after = w->request.not_after,
	    .ends = w->grant.grant.ends};

	for (size_t i = 0; i < k->delegation_chain.n && m.n < CA_CHAIN_MAX; i++)
		if (!xos_cert_is_self_issued(k->delegation_chain.cert[i]))
			m.der[m.n++] = xos_cert_der(k->delegation_chain.cert[i]);
	ca_delegated_put(reply, &m);
}

enum xos_status ca_handle_delegate(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;
	struct ca_delegate m;
	struct delegating w = {.asked = &m};
	enum xos_status st = ca_delegate_get(payload, &m, err);

	(void)from;
	xos_grant_init(&w.grant.grant);
	xos_buf_init(&w.der, XOS_CERT_MAX);
	ca_terms_init(&w.terms);
	if (st == XOS_OK && !k->delegations)
		st = ca_no_delegations(k->vo, err);
	if (st == XOS_OK)
		st = xos_key_from_spki(m.spki, &w.spki, err);
	if (st == XOS_OK)
		st = issue(k, &w, err);
	if (st == XOS_OK) {
		put_reply(k, &w, reply);
		k->watch.issued++;
		XOS_EVENT(XOS_INFO, "delegation.issued", "member", w.claims->name, "grant", m.id,
		    "node", m.node, "serial", w.entry.serial);
	}
	ca_names_free(&w.entry.names);
	xos_claims_free(w.claims);
	ca_terms_free(&w.terms);
	xos_buf_free(&w.der);
	xos_key_free(w.spki);
	ca_job_grant_clear(&w.grant);
	return st;
}
