/* The grant itself: its bytes, who signs it, what is checked. */
#include "api/grant.h"

#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "base/clock.h"
#include "base/text.h"
#include "pki/jws.h"
#include "token/tokenfile.h"

void xos_grant_init(struct xos_grant *g)
{
	*g = (struct xos_grant){.actor = XOS_GRANT_ACTOR};
	xos_buf_init(&g->restriction, XOS_RESTRICTION_MAX);
}

void xos_grant_clear(struct xos_grant *g)
{
	for (size_t i = 0; i < g->nroles; i++)
		free(g->roles[i]);
	g->nroles = 0;
	xos_buf_free(&g->restriction);
}

enum xos_status xos_grant_add_role(struct xos_grant *g, const char *role, struct xos_err *err)
{
	if (!xos_name_is_role(role) || !xos_fqan_in_vo(role, g->vo))
		return xos_err_set(
		    err, XOS_MALFORMED, "grant", "\"%.100s\" is no role of the VO %s", role, g->vo);
	for (size_t i = 0; i < g->nroles; i++)
		if (strcmp(g->roles[i], role) == 0)
			return xos_err_set(
			    err, XOS_MALFORMED, "grant", "%s stands in the grant twice", role);
	if (g->nroles == XOS_CLAIMS_ROLES_MAX)
		return xos_err_set(err, XOS_LIMIT, "grant", "a grant holds at most %d roles",
		    XOS_CLAIMS_ROLES_MAX);
	g->roles[g->nroles] = strdup(role);
	if (!g->roles[g->nroles])
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	g->nroles++;
	return XOS_OK;
}

enum xos_status xos_grant_step(
    const struct xos_grant *g, const char *member, struct xos_delegation *out, struct xos_err *err)
{
	struct xos_buf der;

	*out = (struct xos_delegation){.not_after = g->ends,
	    .depth = g->depth,
	    .restriction = g->restriction.p,
	    .restriction_len = g->restriction.n};
	if (!xos_job_id_valid(g->id) || strcmp(g->actor, "robot") == 0 || !g->node[0] ||
	    !xos_str_copy(out->vo, sizeof(out->vo), g->vo) ||
	    !xos_str_copy(out->member, sizeof(out->member), member) ||
	    !xos_str_copy(out->actor, sizeof(out->actor), g->actor) ||
	    !xos_str_copy(out->node, sizeof(out->node), g->node) ||
	    !xos_str_copy(out->id, sizeof(out->id), g->id))
		return xos_err_set(err, XOS_MALFORMED, "grant",
		    "a grant names a job (32 hexadecimal digits), who acts and a node");
	/* Its own codec knows what else a step may be. */
	xos_buf_init(&der, XOS_DELEGATION_DER_MAX);
	enum xos_status st = xos_delegation_encode(out, &der, err);
	xos_buf_free(&der);
	return st;
}

static enum xos_status check(const struct xos_grant *g, struct xos_err *err)
{
	struct xos_delegation d;

	if (g->issued <= 0 || g->ends <= g->issued || g->ends - g->issued > XOS_GRANT_LIFE_MAX)
		return xos_err_set(err, XOS_MALFORMED, "grant",
		    "a grant ends after it was issued, and within %d days",
		    XOS_GRANT_LIFE_MAX / 86400);
	/* Whose it is says the token; any name of a member shows whether the rest fits. */
	return xos_grant_step(g, "m", &d, err);
}

enum xos_status xos_grant_encode(
    const struct xos_grant *g, struct xos_buf *out, struct xos_err *err)
{
	char key[XOS_FINGERPRINT_TEXT];
	struct xos_json *p;
	enum xos_status st = check(g, err);

	if (st != XOS_OK)
		return st;
	p = xos_json_object();
	xos_fingerprint_text(g->key, key);
	xos_json_set_string(p, "vo", g->vo);
	xos_json_set_string(p, "id", g->id);
	xos_json_set_string(p, "node", g->node);
	xos_json_set_string(p, "key", key);
	xos_json_set_string(p, "actor", g->actor);
	xos_json_set_int(p, "depth", g->depth);
	xos_json_set_bytes(p, "restriction", xos_buf_bytes(&g->restriction));
	xos_json_set_strings(p, "roles", (const char *const *)g->roles, g->nroles);
	xos_json_set_time(p, "issued", g->issued);
	xos_json_set_time(p, "ends", g->ends);
	st = xos_json_dump(p, out, err);
	xos_json_free(p);
	return st;
}

static enum xos_status read_roles(
    const struct xos_json *p, struct xos_grant *g, struct xos_err *err)
{
	const char **roles = NULL;
	size_t n = 0;
	enum xos_status st =
	    xos_json_get_strings(p, "roles", XOS_CLAIMS_ROLES_MAX, XOS_FQAN_MAX, &roles, &n, err);

	for (size_t i = 0; st == XOS_OK && i < n; i++)
		st = xos_grant_add_role(g, roles[i], err);
	free(roles);
	return st;
}

static enum xos_status read_fields(
    const struct xos_json *p, struct xos_grant *g, struct xos_err *err)
{
	const char *key = NULL;
	uint64_t depth = 0;
	enum xos_status st = XOS_JSON_ONLY(p, err, "vo", "id", "node", "key", "actor", "depth",
	    "restriction", "roles", "issued", "ends");

	if (st == XOS_OK)
		st = xos_json_copy_string(p, "vo", g->vo, sizeof(g->vo), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(p, "id", g->id, sizeof(g->id), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(p, "node", g->node, sizeof(g->node), err);
	if (st == XOS_OK)
		st = xos_json_get_string(p, "key", XOS_FINGERPRINT_TEXT - 1, &key, err);
	if (st == XOS_OK)
		st = xos_fingerprint_parse(key, g->key, err);
	if (st == XOS_OK)
		st = xos_json_copy_string(p, "actor", g->actor, sizeof(g->actor), err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(p, "depth", XOS_DELEGATION_DEPTH_MAX, &depth, err);
	if (st == XOS_OK)
		st =
		    xos_json_get_bytes(p, "restriction", XOS_RESTRICTION_MAX, &g->restriction, err);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "issued", &g->issued, err);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "ends", &g->ends, err);
	g->depth = (unsigned)depth;
	return st;
}

enum xos_status xos_grant_decode(
    struct xos_bytes payload, struct xos_grant *out, struct xos_err *err)
{
	struct xos_json *p = NULL;
	enum xos_status st = xos_json_parse(payload, XOS_GRANT_PAYLOAD_MAX, &p, err);

	xos_grant_init(out);
	if (st == XOS_OK)
		st = read_fields(p, out, err);
	if (st == XOS_OK)
		st = check(out, err);
	if (st == XOS_OK)
		st = read_roles(p, out, err);
	xos_json_free(p);
	if (st != XOS_OK)
		xos_grant_clear(out);
	return st;
}

/* --- who signs --- */

static enum xos_status fill(struct xos_grant *g, const struct xos_grant *fields,
    const struct xos_token_info *own, int64_t now, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	if (own->claims->kind != XOS_KIND_USER || own->nsteps)
		return xos_err_set(err, XOS_DENIED, "grant-signer",
		    "only a member's own, unrestricted token gives a grant: what acts for a member "
		    "or for a robot does not");
	memcpy(g->id, fields->id, sizeof(g->id));
	memcpy(g->node, fields->node, sizeof(g->node));
	memcpy(g->key, fields->key, sizeof(g->key));
	memcpy(g->actor, fields->actor, sizeof(g->actor));
	memcpy(g->vo, own->claims->vo, sizeof(g->vo));
	xos_buf_put(&g->restriction, fields->restriction.p, fields->restriction.n);
	g->depth = fields->depth;
	g->issued = now;
	g->ends = fields->ends;
	for (size_t i = 0; st == XOS_OK && i < own->claims->nroles; i++)
		st = xos_grant_add_role(g, own->claims->roles[i], err);
	return st;
}

static enum xos_status sign(const struct xos_chain *token, const struct xos_grant *g,
    struct xos_json **out, struct xos_err *err)
{
	struct xos_buf payload, compact;
	enum xos_status st;

	xos_buf_init(&payload, XOS_GRANT_PAYLOAD_MAX);
	xos_buf_init(&compact, XOS_GRANT_BODY_MAX);
	st = xos_grant_encode(g, &payload, err);
	if (st == XOS_OK)
		st =
		    xos_jws_sign(token->key, XOS_GRANT_TYP, xos_buf_bytes(&payload), &compact, err);
	if (st == XOS_OK) {
		*out = xos_json_object();
		xos_json_set_string(*out, "grant", xos_buf_str(&compact));
		xos_chain_to_json(*out, "chain", token);
	}
	xos_buf_free(&payload);
	xos_buf_free(&compact);
	return st;
}

enum xos_status xos_grant_sign(const struct xos_chain *token, const struct xos_grant *fields,
    int64_t now, struct xos_json **out, struct xos_err *err)
{
	struct xos_token_info *own = NULL;
	struct xos_grant g;
	enum xos_status st;

	*out = NULL;
	if (!token->n || !token->key)
		return xos_err_set(
		    err, XOS_INTERNAL, "token-key", "a token without its key cannot sign");
	xos_grant_init(&g);
	st = xos_token_describe(token, now, &own, err);
	if (st == XOS_OK)
		st = fill(&g, fields, own, now, err);
	if (st == XOS_OK)
		st = sign(token, &g, out, err);
	xos_token_info_free(own);
	xos_grant_clear(&g);
	return st;
}

/* --- what is checked --- */

void xos_grant_signed_free(struct xos_grant_signed *s)
{
	if (!s)
		return;
	xos_grant_clear(&s->grant);
	xos_identity_free(s->who);
	free(s);
}

static bool has_role(const struct xos_claims *c, const char *role)
{
	for (size_t i = 0; i < c->nroles; i++)
		if (strcmp(c->roles[i], role) == 0)
			return true;
	return false;
}

static enum xos_status check_signed(
    const struct xos_grant_signed *s, const struct xos_grant_opts *o, struct xos_err *err)
{
	const struct xos_grant *g = &s->grant;
	char by[XOS_TIME_TEXT];

	if (strcmp(g->vo, o->vo) != 0)
		return xos_err_set(err, XOS_DENIED, "grant-vo",
		    "the grant is for the VO %s; this is the VO %s", g->vo, o->vo);
	for (size_t i = 0; i < g->nroles; i++)
		if (!has_role(s->who->claims, g->roles[i]))
			return xos_err_set(err, XOS_DENIED, "grant-role",
			    "the grant names the role %s, which the token of %s does not have",
			    g->roles[i], s->who->claims->name);
	if (g->issued > o->now + o->skew) {
		xos_duration_format(g->issued - o->now, by);
		return xos_err_set(err, XOS_NOT_YET_VALID, "grant-time",
		    "the grant was signed %s in the future: set the clock of your machine", by);
	}
	if (g->ends <= o->now) {
		xos_duration_format(o->now - g->ends, by);
		return xos_err_set(err, XOS_EXPIRED, "grant-ended", "the grant ended %s ago", by);
	}
	return XOS_OK;
}

static enum xos_status open_grant(const struct xos_json *doc, const struct xos_grant_opts *o,
    struct xos_grant_signed *s, struct xos_err *err)
{
	const struct xos_verify_opts v = {.now = o->now,
	    .skew = o->skew,
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER),
	    .vo = o->vo,
	    .purpose = XOS_PURPOSE_ANY,
	    .revoked = o->revoked,
	    .arg = o->arg};
	struct xos_chain chain = {.n = 0};
	const char *compact = NULL;
	struct xos_buf payload;
	enum xos_status st = XOS_JSON_ONLY(doc, err, "chain", "grant");

	xos_buf_init(&payload, XOS_GRANT_PAYLOAD_MAX);
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "grant", XOS_GRANT_BODY_MAX, &compact, err);
	if (st == XOS_OK)
		st = xos_chain_from_json(doc, "chain", &chain, err);
	if (st == XOS_OK)
		st = xos_token_verify_chain(o->trust, &chain, &v, &s->who, err);
	if (st == XOS_OK)
		st = xos_jws_verify(xos_cert_key(chain.cert[0]), XOS_GRANT_TYP,
		    xos_bytes_str(compact), &payload, err);
	if (st == XOS_OK)
		st = xos_sha256(xos_bytes_str(compact), s->digest);
	if (st == XOS_OK)
		st = xos_grant_decode(xos_buf_bytes(&payload), &s->grant, err);
	if (st == XOS_OK)
		st = check_signed(s, o, err);
	xos_buf_free(&payload);
	xos_chain_clear(&chain);
	return st;
}

enum xos_status xos_grant_open(const struct xos_json *doc, const struct xos_grant_opts *opts,
    struct xos_grant_signed **out, struct xos_err *err)
{
	struct xos_grant_signed *s = calloc(1, sizeof(*s));
	enum xos_status st;

	*out = NULL;
	if (!s)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_grant_init(&s->grant);
	st = open_grant(doc, opts, s, err);
	if (st != XOS_OK) {
		xos_grant_signed_free(s);
		return st;
	}
	*out = s;
	return XOS_OK;
}
