#include "ca/auth/verifiers.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "base/secret.h"
#include "base/text.h"
#include "ca/membership/acts.h"
#include "ca/membership/schema.h"
#include "store/sql.h"

static enum xos_status make_secret(struct ca_verifiers *v, struct xos_err *err)
{
	xos_random(v->secret, sizeof(v->secret));
	return xos_sql_run(v->store, NULL, err,
	    "INSERT INTO secret (name, value) VALUES ('salt', ?1)", "b",
	    (struct xos_bytes){v->secret, sizeof(v->secret)});
}

static enum xos_status load_secret(struct ca_verifiers *v, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st =
	    xos_sql_query(v->store, &q, err, "SELECT value FROM secret WHERE name = 'salt'", "");

	if (st == XOS_OK)
		st = xos_stmt_step(q, &row, err);
	if (st == XOS_OK && row) {
		struct xos_bytes b = xos_stmt_bytes(q, 0);

		if (b.n == sizeof(v->secret))
			memcpy(v->secret, b.p, b.n);
		else
			st = xos_err_set(err, XOS_INTERNAL, "verifiers",
			    "the secret in the database of verifiers is damaged");
	}
	xos_stmt_done(q);
	if (st == XOS_OK && !row)
		st = make_secret(v, err);
	return st;
}

enum xos_status ca_verifiers_open(
    const char *path, bool create, struct ca_verifiers **out, struct xos_err *err)
{
	struct xos_store_options o = {.path = path, .mode = 0600};
	struct ca_verifiers *v;
	enum xos_status st;

	*out = NULL;
	if (!create && access(path, F_OK) != 0)
		return xos_err_set(err, XOS_NOT_FOUND, "no-database",
		    "%s does not exist: create it with xos-cad init", path);
	v = calloc(1, sizeof(*v));
	if (!v)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	ca_schema_verifiers(&o);
	st = xos_store_open(&o, &v->store, err);
	if (st == XOS_OK)
		st = load_secret(v, err);
	if (st != XOS_OK) {
		ca_verifiers_close(v);
		return st;
	}
	*out = v;
	return XOS_OK;
}

void ca_verifiers_close(struct ca_verifiers *v)
{
	if (!v)
		return;
	xos_store_close(v->store);
	xos_wipe(v, sizeof(*v));
	free(v);
}

static const char *kind_name(enum xos_scram_kind kind)
{
	return kind == XOS_SCRAM_CODE ? "code" : "password";
}

enum xos_status ca_verifiers_get(struct ca_verifiers *v, const char *member,
    enum xos_scram_kind kind, int64_t now, struct xos_scram_verifier *out, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(v->store, &q, err,
	    "SELECT verifier FROM verifiers WHERE member = ?1 AND kind = ?2"
	    " AND (until IS NULL OR until > ?3)",
	    "ssi", member, kind_name(kind), now);

	if (st == XOS_OK)
		st = xos_stmt_step(q, &row, err);
	if (st == XOS_OK)
		st = row ? xos_scram_verifier_parse(xos_stmt_text(q, 0), out, err) : XOS_NOT_FOUND;
	xos_stmt_done(q);
	return st;
}

enum xos_status ca_verifiers_prepare(struct ca_verifiers *v, const char *jti,
    const struct ca_verifier_change *c, struct xos_err *err)
{
	bool removes = c->all || c->removes;
	const char *kind = c->all ? "all" : c->totp ? "totp" : kind_name(c->kind);
	char text[XOS_SCRAM_VERIFIER_TEXT];
	enum xos_status st;

	if (c->totp)
		xos_hex_encode(text, c->totp_secret, sizeof(c->totp_secret));
	else if (!removes && xos_scram_verifier_format(&c->verifier, text) != XOS_OK)
		return xos_err_set(err, XOS_INTERNAL, "verifiers", "a verifier has no text form");
	st = xos_sql_run(v->store, NULL, err,
	    "INSERT INTO prepared (jti, member, kind, verifier, until, used)"
	    " VALUES (?1, ?2, ?3, ?4, NULLIF(?5, 0), NULLIF(?6, 0))",
	    "ssssii", jti, c->member, kind, removes ? NULL : text, c->until, c->totp_used);
	xos_wipe(text, sizeof(text));
	return st;
}

enum xos_status ca_verifiers_spend(struct ca_verifiers *v, const char *member,
    const struct xos_scram_verifier *proven, int64_t now, struct xos_err *err)
{
	char text[XOS_SCRAM_VERIFIER_TEXT];
	int64_t spent = 0;
	enum xos_status st = xos_scram_verifier_format(proven, text);

	if (st == XOS_OK)
		st = xos_sql_run(v->store, &spent, err,
		    "DELETE FROM verifiers WHERE member = ?1 AND kind = 'code' AND verifier = ?2"
		    " AND until > ?3",
		    "ssi", member, text, now);
	if (st == XOS_OK && spent != 1)
		st = xos_err_set(err, XOS_DENIED, "credentials",
		    "log-in refused: this one-time code was used already, or has ended");
	xos_wipe(text, sizeof(text));
	return st;
}

enum xos_status ca_verifiers_settle(
    struct ca_verifiers *v, const char *jti, bool apply, int64_t now, struct xos_err *err)
{
	enum xos_status st = xos_store_begin(v->store, err);

	if (st == XOS_OK && apply)
		st = xos_sql_run(v->store, NULL, err,
		    "DELETE FROM verifiers WHERE until <= ?2 OR EXISTS"
		    " (SELECT 1 FROM prepared p WHERE p.jti = ?1 AND p.member = verifiers.member"
		    " AND (p.kind = verifiers.kind OR p.kind = 'all'))",
		    "si", jti, now);
	if (st == XOS_OK && apply)
		st = xos_sql_run(v->store, NULL, err,
		    "INSERT INTO verifiers (member, kind, verifier, until, used, changed)"
		    " SELECT member, kind, verifier, until, used, ?2 FROM prepared"
		    " WHERE jti = ?1 AND verifier IS NOT NULL",
		    "si", jti, now);
	if (st == XOS_OK)
		st = xos_sql_run(
		    v->store, NULL, err, "DELETE FROM prepared WHERE jti = ?1", "s", jti);
	if (st == XOS_OK)
		st = xos_store_commit(v->store, err);
	xos_store_rollback(v->store);
	return st;
}

enum xos_status ca_verifiers_make_sure(struct ca_verifiers *v, const char *jti,
    const struct ca_verifier_change *change, int64_t now, struct xos_err *err)
{
	struct xos_scram_verifier is;
	enum xos_status st = ca_verifiers_get(v, change->member, change->kind, now, &is, err);
	bool stands = st == XOS_OK && xos_ct_equal(is.stored_key, change->verifier.stored_key,
	                                  sizeof(is.stored_key));

	xos_wipe(&is, sizeof(is));
	if (stands || (st != XOS_OK && st != XOS_NOT_FOUND))
		return st;
	st = ca_verifiers_prepare(v, jti, change, err);
	return st == XOS_OK ? ca_verifiers_settle(v, jti, true, now, err) : st;
}

enum xos_status ca_verifiers_recover(
    struct ca_verifiers *v, struct ca_membership *acts, int64_t now, struct xos_err *err)
{
	struct ca_names left = {NULL, 0};
	struct xos_stmt *q = NULL;
	bool row = false, exists = false;
	enum xos_status st =
	    xos_sql_query(v->store, &q, err, "SELECT jti FROM prepared ORDER BY jti", "");

	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row)
		st = ca_names_add(&left, xos_stmt_text(q, 0), strlen(xos_stmt_text(q, 0)), err);
	xos_stmt_done(q);
	for (size_t i = 0; st == XOS_OK && i < left.n; i++) {
		st = ca_act_exists(acts, left.item[i], &exists, err);
		if (st == XOS_OK)
			st = ca_verifiers_settle(v, left.item[i], exists, now, err);
	}
	ca_names_free(&left);
	return st;
}
