/* Grants of jobs: kept, and ended. */
#include "ca/membership/jobgrants.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/sql.h"

#define COLUMNS                                                                                    \
	"g.id, g.number, m.name, g.node, g.spki, g.actor, g.depth, g.restriction, g.roles,"        \
	" g.method, g.authenticated, g.mfa, g.token, g.issued, g.ends, g.digest, g.registered,"    \
	" g.revoked, g.reason, g.renewals, g.renewed, g.not_after"                                 \
	" FROM grants g JOIN members m ON m.number = g.number"

void ca_job_grant_clear(struct ca_job_grant *g)
{
	xos_grant_clear(&g->grant);
}

/* --- reading --- */

static enum xos_status read_roles(struct xos_grant *g, const char *text, struct xos_err *err)
{
	char role[XOS_FQAN_MAX + 1];
	enum xos_status st = XOS_OK;

	while (st == XOS_OK && *text) {
		size_t n = strcspn(text, " ");

		if (n > XOS_FQAN_MAX)
			return XOS_MALFORMED;
		memcpy(role, text, n);
		role[n] = '\0';
		st = xos_grant_add_role(g, role, err);
		text += n + (text[n] == ' ');
	}
	return st;
}

static bool take_digest(struct xos_bytes in, uint8_t out[XOS_SHA256_LEN])
{
	if (in.n != XOS_SHA256_LEN)
		return false;
	memcpy(out, in.p, XOS_SHA256_LEN);
	return true;
}

static bool read_texts(struct xos_stmt *q, struct ca_job_grant *out)
{
	struct xos_grant *g = &out->grant;

	return xos_str_copy(g->id, sizeof(g->id), xos_stmt_text(q, 0)) &&
	       xos_str_copy(out->member, sizeof(out->member), xos_stmt_text(q, 2)) &&
	       xos_str_copy(g->node, sizeof(g->node), xos_stmt_text(q, 3)) &&
	       take_digest(xos_stmt_bytes(q, 4), g->key) &&
	       xos_str_copy(g->actor, sizeof(g->actor), xos_stmt_text(q, 5)) &&
	       xos_str_copy(out->method, sizeof(out->method), xos_stmt_text(q, 9)) &&
	       xos_str_copy(out->token, sizeof(out->token), xos_stmt_text(q, 12)) &&
	       take_digest(xos_stmt_bytes(q, 15), out->digest) &&
	       xos_str_copy(out->reason, sizeof(out->reason), xos_stmt_text(q, 18));
}

static enum xos_status read_row(
    struct ca_membership *m, struct xos_stmt *q, struct ca_job_grant *out, struct xos_err *err)
{
	struct xos_grant *g = &out->grant;
	struct xos_bytes restriction = xos_stmt_bytes(q, 7);
	bool ok = read_texts(q, out) && xos_str_copy(g->vo, sizeof(g->vo), m->vo);

	out->number = (uint64_t)xos_stmt_int(q, 1);
	g->depth = (unsigned)xos_stmt_int(q, 6);
	xos_buf_put(&g->restriction, restriction.p, restriction.n);
	out->authenticated = xos_stmt_int(q, 10);
	out->mfa = xos_stmt_int(q, 11) != 0;
	g->issued = xos_stmt_int(q, 13);
	g->ends = xos_stmt_int(q, 14);
	out->registered = xos_stmt_int(q, 16);
	out->revoked = xos_stmt_int(q, 17);
	out->renewals = (uint64_t)xos_stmt_int(q, 19);
	out->renewed = xos_stmt_int(q, 20);
	out->not_after = xos_stmt_int(q, 21);
	if (!ok || xos_buf_status(&g->restriction) != XOS_OK ||
	    read_roles(g, xos_stmt_text(q, 8), err) != XOS_OK)
		return xos_err_set(err, XOS_INTERNAL, "grant", "a stored grant cannot be read");
	return XOS_OK;
}

static void begin_row(struct ca_job_grant *g)
{
	memset(g, 0, sizeof(*g));
	xos_grant_init(&g->grant);
}

enum xos_status ca_job_grant_get(
    struct ca_membership *m, const char *id, struct ca_job_grant *out, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st =
	    xos_sql_query(m->store, &q, err, "SELECT " COLUMNS " WHERE g.id = ?1", "s", id);

	begin_row(out);
	if (st == XOS_OK)
		st = xos_stmt_step(q, &row, err);
	if (st == XOS_OK && row)
		st = read_row(m, q, out, err);
	else if (st == XOS_OK)
		st = xos_err_set(err, XOS_NOT_FOUND, "grant-unknown",
		    "VO %s knows no grant \"%.40s\"; one is forgotten %d days after its end", m->vo,
		    id, CA_JOB_GRANTS_KEPT / 86400);
	xos_stmt_done(q);
	return st;
}

enum xos_status ca_job_grants_list(struct ca_membership *m, const struct ca_job_grants_page *page,
    enum xos_status (*each)(void *ctx, const struct ca_job_grant *g, struct xos_err *err),
    void *ctx, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT " COLUMNS " WHERE (?1 = 0 OR g.number = ?1) AND"
	    " (g.ends < ?2 OR (g.ends = ?2 AND g.id > ?3)) ORDER BY g.ends DESC, g.id LIMIT ?4",
	    "iisi", (int64_t)page->number, page->ends, page->id, (int64_t)page->max);

	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row) {
		struct ca_job_grant g;

		begin_row(&g);
		st = read_row(m, q, &g, err);
		if (st == XOS_OK)
			st = each(ctx, &g, err);
		ca_job_grant_clear(&g);
	}
	xos_stmt_done(q);
	return st;
}

/* --- judging --- */

static enum xos_status is_revoked(const struct ca_job_grant *g, struct xos_err *err)
{
	char at[XOS_TIME_TEXT];

	if (!g->revoked)
		return XOS_OK;
	xos_time_format(g->revoked, at);
	return xos_err_set(err, XOS_DENIED, "grant-revoked", "the grant %s was ended at %s: %s",
	    g->grant.id, at, g->reason);
}

enum xos_status ca_job_grant_usable(const struct ca_job_grant *g, int64_t now, struct xos_err *err)
{
	char at[XOS_TIME_TEXT];
	enum xos_status st = is_revoked(g, err);

	if (st != XOS_OK || g->grant.ends > now)
		return st;
	xos_time_format(g->grant.ends, at);
	return xos_err_set(err, XOS_EXPIRED, "grant-ended",
	    "the grant %s ended at %s: its member can extend it with xos-job extend", g->grant.id,
	    at);
}

enum xos_status ca_job_grant_proven(const struct ca_job_grant *g, const uint8_t key[XOS_SHA256_LEN],
    const char *node, struct xos_err *err)
{
	if (memcmp(g->grant.key, key, XOS_SHA256_LEN) != 0)
		return xos_err_set(err, XOS_DENIED, "grant-key",
		    "the grant %s is for another key than the one that signed", g->grant.id);
	if (strcmp(g->grant.node, node) != 0)
		return xos_err_set(err, XOS_DENIED, "grant-node",
		    "the grant %s is for the node %s, not for %s", g->grant.id, g->grant.node,
		    node);
	return XOS_OK;
}

void ca_job_grant_info(const struct ca_job_grant *g, int64_t now, struct xos_grant_info *out)
{
	const struct xos_grant *x = &g->grant;
	struct xos_buf roles;

	*out = (struct xos_grant_info){.depth = x->depth,
	    .restricted = x->restriction.n > 0,
	    .state = g->revoked       ? XOS_GRANT_REVOKED
	             : x->ends <= now ? XOS_GRANT_ENDED
	                              : XOS_GRANT_ACTIVE,
	    .issued = x->issued,
	    .registered = g->registered,
	    .ends = x->ends,
	    .revoked = g->revoked,
	    .renewals = g->renewals,
	    .renewed = g->renewed,
	    .not_after = g->not_after};
	memcpy(out->id, x->id, sizeof(out->id));
	memcpy(out->member, g->member, sizeof(out->member));
	memcpy(out->node, x->node, sizeof(out->node));
	memcpy(out->actor, x->actor, sizeof(out->actor));
	xos_fingerprint_text(x->key, out->key);
	if (g->revoked)
		memcpy(out->text, g->reason, sizeof(g->reason));
	/* Cut where no more fit. */
	xos_buf_init(&roles, sizeof(out->roles) - 1);
	for (size_t i = 0; i < x->nroles; i++)
		if (roles.n + strlen(x->roles[i]) + 1 < sizeof(out->roles))
			xos_buf_printf(&roles, "%s%s", i ? " " : "", x->roles[i]);
	memcpy(out->roles, roles.p ? roles.p : (const uint8_t *)"", roles.n);
	xos_buf_free(&roles);
}

/* --- registering --- */

static bool same_job(const struct xos_grant *a, const struct xos_grant *b)
{
	return strcmp(a->node, b->node) == 0 && strcmp(a->actor, b->actor) == 0 &&
	       memcmp(a->key, b->key, XOS_SHA256_LEN) == 0 && a->depth == b->depth &&
	       xos_bytes_eq(xos_buf_bytes(&a->restriction), xos_buf_bytes(&b->restriction));
}

/* A grant with a later end takes the place of the one before. */
static enum xos_status compare(const struct ca_job_grant *old, const struct ca_job_grant *g,
    bool *changed, struct xos_err *err)
{
	enum xos_status st = is_revoked(old, err);

	if (old->number != g->number || !same_job(&old->grant, &g->grant))
		return xos_err_set(err, XOS_CONFLICT, "grant-other",
		    "the grant %s is registered already, for another member, node or key, or with "
		    "another restriction or depth",
		    g->grant.id);
	if (st == XOS_OK && g->grant.ends < old->grant.ends)
		return xos_err_set(err, XOS_CONFLICT, "grant-shorter",
		    "the grant %s is registered with a later end: revoke it to end it",
		    g->grant.id);
	*changed = g->grant.ends > old->grant.ends;
	return st;
}

static enum xos_status check_room(
    struct ca_membership *m, const struct ca_job_grant *g, int64_t now, struct xos_err *err)
{
	int64_t n = 0;
	enum xos_status st = xos_sql_run(m->store, NULL, err, "DELETE FROM grants WHERE ends < ?1",
	    "i", now - CA_JOB_GRANTS_KEPT);

	if (st == XOS_OK)
		st = xos_sql_int(m->store, &n, err,
		    "SELECT COUNT(*) FROM grants WHERE number = ?1 AND ends > ?2 AND revoked = 0",
		    "ii", (int64_t)g->number, now);
	if (st == XOS_OK && n >= CA_JOB_GRANTS_MEMBER)
		st = xos_err_set(err, XOS_LIMIT, "grants-count",
		    "%s has %d grants at a time, and no more are kept: revoke what is not needed "
		    "(xos-grant list)",
		    g->member, CA_JOB_GRANTS_MEMBER);
	return st;
}

static enum xos_status put(
    struct ca_membership *m, const struct ca_job_grant *g, struct xos_err *err)
{
	const struct xos_grant *x = &g->grant;
	struct xos_buf roles;
	enum xos_status st;

	xos_buf_init(&roles, XOS_CLAIMS_ROLES_MAX * (XOS_FQAN_MAX + 1));
	for (size_t i = 0; i < x->nroles; i++)
		xos_buf_printf(&roles, "%s%s", i ? " " : "", x->roles[i]);
	st = xos_sql_run(m->store, NULL, err,
	    "INSERT INTO grants (id, number, node, spki, actor, depth, restriction, roles, method,"
	    " authenticated, mfa, token, issued, ends, digest, registered) VALUES"
	    " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
	    " ON CONFLICT (id) DO UPDATE SET roles = excluded.roles, method = excluded.method,"
	    " authenticated = excluded.authenticated, mfa = excluded.mfa, token = excluded.token,"
	    " issued = excluded.issued, ends = excluded.ends, digest = excluded.digest",
	    "sisbsibssiisiibi", x->id, (int64_t)g->number, x->node,
	    (struct xos_bytes){x->key, XOS_SHA256_LEN}, x->actor, (int64_t)x->depth,
	    xos_buf_bytes(&x->restriction), xos_buf_str(&roles), g->method, g->authenticated,
	    (int64_t)g->mfa, g->token, x->issued, x->ends,
	    (struct xos_bytes){g->digest, XOS_SHA256_LEN}, g->registered);
	xos_buf_free(&roles);
	return st;
}

enum xos_status ca_job_grant_register(struct ca_membership *m, const struct ca_job_grant *g,
    int64_t now, bool *changed, struct xos_err *err)
{
	struct ca_job_grant old;
	struct xos_err none = XOS_ERR_INIT;
	enum xos_status st = ca_job_grant_get(m, g->grant.id, &old, &none);

	*changed = true;
	if (st == XOS_OK)
		st = compare(&old, g, changed, err);
	else if (st == XOS_NOT_FOUND)
		st = check_room(m, g, now, err);
	else
		*err = none;
	if (st == XOS_OK && *changed)
		st = put(m, g, err);
	ca_job_grant_clear(&old);
	return st;
}

/* --- ending --- */

enum xos_status ca_job_grant_revoke(
    struct ca_membership *m, const char *id, const char *reason, int64_t now, struct xos_err *err)
{
	return xos_sql_run(m->store, NULL, err,
	    "UPDATE grants SET revoked = ?2, reason = ?3 WHERE id = ?1 AND revoked = 0", "sis", id,
	    now, reason);
}

enum xos_status ca_job_grant_renewed(
    struct ca_membership *m, const char *id, int64_t not_after, int64_t now, struct xos_err *err)
{
	return xos_sql_run(m->store, NULL, err,
	    "UPDATE grants SET renewals = renewals + 1, renewed = ?2, not_after = ?3 WHERE id = ?1",
	    "sii", id, now, not_after);
}

enum xos_status ca_job_grants_end_member(
    struct ca_membership *m, uint64_t number, const char *reason, int64_t now, struct xos_err *err)
{
	return xos_sql_run(m->store, NULL, err,
	    "UPDATE grants SET revoked = ?2, reason = ?3 WHERE number = ?1 AND revoked = 0", "iis",
	    (int64_t)number, now, reason);
}

/* Of everybody in it or below it; all are in the VO's own. */
static enum xos_status end_group(
    struct ca_membership *m, const struct xos_lock *lock, const char *reason, struct xos_err *err)
{
	return xos_sql_run(m->store, NULL, err,
	    "UPDATE grants SET revoked = ?2, reason = ?3 WHERE revoked = 0 AND (?1 = '/' || ?4 OR"
	    " number IN (SELECT j.number FROM memberships j JOIN vo_groups v ON v.id = j.grp"
	    " WHERE v.name = ?1 OR substr(v.name, 1, length(?1) + 1) = ?1 || '/'))",
	    "siss", lock->name, lock->since, reason, m->vo);
}

enum xos_status ca_job_grants_end_lock(
    struct ca_membership *m, const struct xos_lock *lock, struct xos_err *err)
{
	char reason[CA_REASON_MAX + 1];
	uint64_t number = 0;
	enum xos_status st;

	if (!xos_str_printf(reason, sizeof(reason), "the %s was locked%s%s",
	        xos_lock_kind_name(lock->kind), lock->message[0] ? ": " : "", lock->message))
		xos_str_printf(
		    reason, sizeof(reason), "the %s was locked", xos_lock_kind_name(lock->kind));
	switch (lock->kind) {
	case XOS_LOCK_MEMBER:
		st = ca_member_number(m, lock->name, &number, err);
		return st == XOS_OK ? ca_job_grants_end_member(m, number, reason, lock->since, err)
		                    : st;
	case XOS_LOCK_GROUP:
		return end_group(m, lock, reason, err);
	case XOS_LOCK_TOKEN:
		return xos_sql_run(m->store, NULL, err,
		    "UPDATE grants SET revoked = ?2, reason = ?3 WHERE token = ?1 AND revoked = 0",
		    "sis", lock->name, lock->since, reason);
	case XOS_LOCK_JOB:
	case XOS_LOCK_GRANT:
		return ca_job_grant_revoke(m, lock->name, reason, lock->since, err);
	default:
		return XOS_OK;
	}
}
