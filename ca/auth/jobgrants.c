/* Grants of jobs in the auth process: registered with the member's signature, renewed with the job's and the node's. */
#include "ca/membership/jobgrants.h"

#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "ca/auth/auth.h"
#include "ca/auth/totp.h"
#include "ca/membership/acts.h"

#define SKEW 300

/* --- registering --- */

/* Who acts for somebody, and whoever is there for emergencies, grants nothing. */
static enum xos_status check_kind(
    struct ca_auth *a, const struct xos_claims *c, struct xos_err *err)
{
	struct ca_member *m = NULL;
	enum xos_status st = ca_member_get(a->membership, c->name, &m, err);

	if (st == XOS_OK && m->kind != CA_PERSON)
		st = xos_err_set(err, XOS_DENIED, "grant-signer",
		    "%s is no person: its jobs end with the tokens that they were begun with",
		    c->name);
	ca_member_free(m);
	return st;
}

static enum xos_status check_length(
    const struct ca_auth *a, const struct xos_grant *g, int64_t now, struct xos_err *err)
{
	char max[XOS_TIME_TEXT];

	if (g->ends - g->issued <= a->grant_max && g->ends <= now + a->grant_max)
		return XOS_OK;
	xos_duration_format(a->grant_max, max);
	return xos_err_set(err, XOS_DENIED, "grant-too-long",
	    "a grant of VO %s lasts %s at most; a job that needs longer is extended meanwhile "
	    "(xos-job extend)",
	    a->vo, max);
}

static enum xos_status fill(
    struct ca_job_grant *out, struct xos_grant_signed *s, int64_t now, struct xos_err *err)
{
	const struct xos_claims *c = s->who->claims;

	*out = (struct ca_job_grant){.grant = s->grant, /* borrowed */
	    .number = c->number,
	    .authenticated = c->auth_time,
	    .mfa = c->auth_mfa,
	    .registered = now};
	memcpy(out->digest, s->digest, sizeof(out->digest));
	if (xos_str_copy(out->member, sizeof(out->member), c->name) &&
	    xos_str_copy(out->method, sizeof(out->method), c->auth_method) &&
	    xos_str_copy(out->token, sizeof(out->token), s->who->serial))
		return XOS_OK;
	return xos_err_set(err, XOS_INTERNAL, "grant", "a name is too long");
}

static enum xos_status write_act(
    struct ca_auth *a, const struct ca_job_grant *g, uint64_t *id, struct xos_err *err)
{
	const struct ca_act act = {
	    .at = g->registered, .actor = g->member, .number = g->number, .verb = "grant.register"};
	struct xos_json *args = xos_json_object();
	char digest[XOS_FINGERPRINT_TEXT], key[XOS_FINGERPRINT_TEXT];
	enum xos_status st;

	xos_fingerprint_text(g->digest, digest);
	xos_fingerprint_text(g->grant.key, key);
	xos_json_set_string(args, "id", g->grant.id);
	xos_json_set_string(args, "node", g->grant.node);
	xos_json_set_string(args, "key", key);
	xos_json_set_string(args, "token", g->token);
	xos_json_set_string(args, "grant", digest);
	xos_json_set_int(args, "depth", g->grant.depth);
	xos_json_set_bool(args, "restricted", g->grant.restriction.n > 0);
	xos_json_set_strings(args, "roles", (const char *const *)g->grant.roles, g->grant.nroles);
	xos_json_set_time(args, "ends", g->grant.ends);
	st = ca_act_of(a->membership, &act, args, err);
	return st == XOS_OK ? ca_version_get(a->membership, CA_VERSION_ACTS, id, err) : st;
}

static enum xos_status keep(
    struct ca_auth *a, const struct ca_job_grant *g, int64_t now, struct xos_err *err)
{
	struct xos_store *db = a->membership->store;
	bool changed = false;
	uint64_t act = 0;
	enum xos_status st = xos_store_begin(db, err);

	if (st == XOS_OK)
		st = ca_job_grant_register(a->membership, g, now, &changed, err);
	if (st == XOS_OK && changed)
		st = write_act(a, g, &act, err);
	if (st == XOS_OK)
		st = xos_store_commit(db, err);
	xos_store_rollback(db);
	return st == XOS_OK && changed ? ca_auth_record(a, act, err) : st;
}

static enum xos_status give_info(
    struct ca_auth *a, const char *id, int64_t now, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object();
	struct xos_grant_info info;
	struct ca_job_grant g;
	enum xos_status st = ca_job_grant_get(a->membership, id, &g, err);

	if (st == XOS_OK) {
		ca_job_grant_info(&g, now, &info);
		xos_json_set(doc, "grant", xos_grant_info_to_json(&info));
		st = xos_json_dump(doc, reply, err);
	}
	ca_job_grant_clear(&g);
	xos_json_free(doc);
	return st;
}

static enum xos_status take(
    struct ca_auth *a, struct xos_grant_signed *s, int64_t now, struct xos_err *err)
{
	const struct xos_claims *c = s->who->claims;
	struct ca_job_grant g;
	enum xos_status st = ca_lock_check_token(a->membership, s->who->serial, now, err);

	if (st == XOS_OK)
		st = ca_auth_standing(
		    a, c->name, c->number, (const char *const *)c->roles, c->nroles, now, err);
	if (st == XOS_OK)
		st = check_kind(a, c, err);
	if (st == XOS_OK)
		st = ca_lock_check_grant(a->membership, s->grant.id, now, err);
	if (st == XOS_OK)
		st = check_length(a, &s->grant, now, err);
	if (st == XOS_OK)
		st = fill(&g, s, now, err);
	return st == XOS_OK ? keep(a, &g, now, err) : st;
}

enum xos_status ca_handle_job_grant(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_auth *a = auth;
	int64_t now = xos_clock_now();
	const struct xos_grant_opts o = {.trust = a->trust, .vo = a->vo, .now = now, .skew = SKEW};
	struct xos_grant_signed *s = NULL;
	struct xos_json *doc = NULL;
	char peer[CA_PEER_MAX + 1] = "";
	struct xos_bytes body = XOS_BYTES_NONE;
	enum xos_status st = ca_command_get(payload, peer, &body, err);

	(void)from;
	if (st == XOS_OK && !a->delegations)
		st = ca_no_delegations(a->vo, err);
	if (st == XOS_OK)
		st = xos_json_parse(body, XOS_GRANT_BODY_MAX, &doc, err);
	if (st == XOS_OK)
		st = xos_grant_open(doc, &o, &s, err);
	if (st == XOS_OK)
		st = take(a, s, now, err);
	if (st == XOS_OK)
		st = give_info(a, s->grant.id, now, reply, err);
	if (st == XOS_OK)
		XOS_EVENT(XOS_INFO, "grant.registered", "member", s->who->claims->name, "grant",
		    s->grant.id, "node", s->grant.node, "peer", peer);
	else
		xos_event_err(XOS_WARN, "grant.refused", err, "member",
		    s ? s->who->claims->name : NULL, "peer", peer, (const char *)NULL);
	xos_grant_signed_free(s);
	xos_json_free(doc);
	return st;
}

/* --- renewing --- */

/* What is asked here is asked again by the key process, of its own view; this gives answers to those who are none of
 * its business before they cost a signature. */
static enum xos_status check(struct ca_auth *a, const struct xos_grant_renewal *r,
    const struct ca_job_grant *g, int64_t now, struct xos_err *err)
{
	enum xos_status st =
	    ca_job_grant_proven(g, xos_key_spki_sha256(r->key), r->node->claims->name, err);

	if (st == XOS_OK)
		st = ca_job_grant_usable(g, now, err);
	if (st == XOS_OK)
		st = ca_lock_check_token(a->membership, g->token, now, err);
	if (st == XOS_OK)
		st = ca_lock_check_grant(a->membership, g->grant.id, now, err);
	if (st == XOS_OK)
		st = ca_auth_standing(a, g->member, g->number, NULL, 0, now, err);
	return st == XOS_OK ? ca_totp_renewal(a, g->member, g->mfa, now, err) : st;
}

static enum xos_status ask_key(struct ca_auth *a, const struct xos_grant_renewal *r,
    struct xos_buf *answer, struct ca_delegated *out, struct xos_err *err)
{
	struct ca_delegate m = {.spki = xos_key_spki(r->key)};
	struct xos_buf ask;
	enum xos_status st = XOS_OK;

	memcpy(m.id, r->id, sizeof(m.id));
	if (!xos_str_copy(m.node, sizeof(m.node), r->node->claims->name))
		return xos_err_set(err, XOS_INTERNAL, "grant", "a name is too long");
	xos_buf_init(&ask, 4096);
	ca_delegate_put(&ask, &m);
	st =
	    xos_bulk_call(a->key, CA_DELEGATE, xos_buf_bytes(&ask), ca_key_deadline(), answer, err);
	if (st == XOS_OK)
		st = ca_delegated_get(xos_buf_bytes(answer), out, err);
	xos_buf_free(&ask);
	return st;
}

/* For people who ask how it stands; the certificate is out already. */
static void count(struct ca_auth *a, const char *id, int64_t not_after, int64_t now)
{
	struct xos_store *db = a->membership->store;
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status st = xos_store_begin(db, &err);

	if (st == XOS_OK)
		st = ca_job_grant_renewed(a->membership, id, not_after, now, &err);
	if (st == XOS_OK)
		st = xos_store_commit(db, &err);
	xos_store_rollback(db);
	if (st != XOS_OK)
		xos_event_err(XOS_WARN, "grant.uncounted", &err, "grant", id, (const char *)NULL);
}

static enum xos_status give(
    const struct ca_delegated *m, int64_t now, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_grant_renewed r = {.not_after = m->not_after,
	    .ends = m->ends,
	    .renew_after = now + (m->not_after - now) / 2,
	    .server_time = now};
	struct xos_json *doc;
	enum xos_status st = xos_chain_from_der(m->der, m->n, &r.chain, err);

	if (st != XOS_OK)
		return st;
	doc = xos_grant_renewed_encode(&r);
	st = xos_json_dump(doc, reply, err);
	xos_json_free(doc);
	xos_chain_clear(&r.chain);
	return st;
}

static enum xos_status renew(struct ca_auth *a, const struct xos_grant_renewal *r, int64_t now,
    struct xos_buf *reply, struct xos_err *err)
{
	struct ca_delegated done = {.n = 0};
	struct ca_job_grant g;
	struct xos_buf answer;
	enum xos_status st = ca_auth_once(a, r->jti, r->exp, now, err);

	xos_buf_init(&answer, 0);
	xos_grant_init(&g.grant);
	if (st == XOS_OK)
		st = ca_job_grant_get(a->membership, r->id, &g, err);
	if (st == XOS_OK)
		st = check(a, r, &g, now, err);
	if (st == XOS_OK)
		st = ask_key(a, r, &answer, &done, err);
	if (st == XOS_OK)
		st = give(&done, now, reply, err);
	if (st == XOS_OK)
		count(a, r->id, done.not_after, now);
	ca_job_grant_clear(&g);
	xos_buf_free(&answer);
	return st;
}

enum xos_status ca_handle_job_renew(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_auth *a = auth;
	int64_t now = xos_clock_now();
	const struct xos_grant_opts o = {.trust = a->trust, .vo = a->vo, .now = now};
	struct xos_grant_renewal *r = NULL;
	struct ca_job_renew m = {.address = ""};
	enum xos_status st = ca_job_renew_get(payload, &m, err);

	(void)from;
	if (st == XOS_OK && !a->delegations)
		st = ca_no_delegations(a->vo, err);
	if (st == XOS_OK)
		st = xos_grant_renewal_open(m.body, &o, &r, err);
	if (st == XOS_OK && strcmp(m.id, r->id) != 0)
		st = xos_err_set(err, XOS_DENIED, "grant-proof",
		    "the proof is for the grant %s, not for %s", r->id, m.id);
	if (st == XOS_OK)
		st = renew(a, r, now, reply, err);
	if (st == XOS_OK)
		XOS_EVENT(XOS_INFO, "grant.renewed", "grant", r->id, "node", r->node->claims->name,
		    "peer", m.address);
	else
		xos_event_err(XOS_WARN, "grant.not-renewed", err, "grant", m.id[0] ? m.id : NULL,
		    "node", r ? r->node->claims->name : NULL, "peer", m.address,
		    (const char *)NULL);
	xos_grant_renewal_free(r);
	return st;
}
