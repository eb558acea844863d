#include "ca/membership/rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "ca/membership/acts.h"
#include "store/sql.h"

enum xos_status ca_rules_set(
    struct ca_membership *m, const char *text, int64_t now, uint64_t *version, struct xos_err *err)
{
	uint8_t digest[XOS_SHA256_LEN];
	struct ca_vo vo;
	enum xos_status st = ca_vo_get(m, &vo, err);

	if (st == XOS_OK)
		st = xos_sha256(xos_bytes_str(text), digest);
	if (st == XOS_OK) {
		*version = vo.rules + 1;
		st = xos_sql_run(m->store, NULL, err,
		    "INSERT INTO rules (version, since, digest, text) VALUES (?1, ?2, ?3, ?4)",
		    "iibs", (int64_t)*version, now, (struct xos_bytes){digest, sizeof(digest)},
		    text);
	}
	if (st == XOS_OK)
		st = xos_sql_run(
		    m->store, NULL, err, "UPDATE vo SET rules = ?1", "i", (int64_t)*version);
	return st;
}

static enum xos_status read_row(struct xos_stmt *q, struct xos_rules *out, struct xos_err *err)
{
	struct xos_bytes digest = xos_stmt_bytes(q, 2);

	if (digest.n != XOS_SHA256_LEN)
		return xos_err_set(err, XOS_INTERNAL, "rules", "stored rules cannot be read");
	out->version = (uint64_t)xos_stmt_int(q, 0);
	out->since = xos_stmt_int(q, 1);
	memcpy(out->digest, digest.p, digest.n);
	out->text = strdup(xos_stmt_text(q, 3));
	return out->text ? XOS_OK : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

enum xos_status ca_rules_get(
    struct ca_membership *m, uint64_t version, struct xos_rules *out, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT version, since, digest, text FROM rules"
	    " WHERE version = CASE ?1 WHEN 0 THEN (SELECT rules FROM vo) ELSE ?1 END",
	    "i", (int64_t)version);

	memset(out, 0, sizeof(*out));
	if (st == XOS_OK)
		st = xos_stmt_step(q, &row, err);
	if (st == XOS_OK && !row)
		st = version ? xos_err_set(err, XOS_NOT_FOUND, "no-rules",
		                   "VO %s has no version %llu of its rules", m->vo,
		                   (unsigned long long)version)
		             : xos_err_set(err, XOS_NOT_FOUND, "no-rules",
		                   "VO %s has no rules to accept", m->vo);
	if (st == XOS_OK)
		st = read_row(q, out, err);
	xos_stmt_done(q);
	return st;
}

/* Whose word counts for the member. */
static enum xos_status accepted(
    struct ca_membership *m, const struct ca_member *member, uint64_t *version, struct xos_err *err)
{
	struct ca_member *owner = NULL;
	enum xos_status st = XOS_OK;

	*version = member->kind == CA_SEALED ? UINT64_MAX : member->rules;
	if (member->kind != CA_ROBOT)
		return XOS_OK;
	st = ca_member_get(m, member->owner, &owner, err);
	if (st == XOS_OK)
		*version = owner->rules;
	ca_member_free(owner);
	return st;
}

enum xos_status ca_rules_in(struct ca_membership *m, const struct ca_vo *vo,
    const struct ca_member *member, struct xos_err *err)
{
	uint64_t version = 0;
	enum xos_status st;

	if (vo->rules == 0)
		return XOS_OK;
	st = accepted(m, member, &version, err);
	if (st == XOS_OK && version < vo->rules)
		st = xos_err_set(err, XOS_DENIED, "rules-not-accepted",
		    "VO %s has rules (version %llu) that %s has not accepted: xos-login shows them "
		    "and asks",
		    m->vo, (unsigned long long)vo->rules,
		    member->kind == CA_ROBOT ? member->owner : member->name);
	return st;
}

enum xos_status ca_rules_check(
    struct ca_membership *m, const struct ca_member *member, struct xos_err *err)
{
	struct ca_vo vo;
	enum xos_status st = ca_vo_get(m, &vo, err);

	return st == XOS_OK ? ca_rules_in(m, &vo, member, err) : st;
}

/* --- accepting --- */

static enum xos_status record(struct ca_membership *m, const struct ca_member *member,
    const struct xos_rules *rules, int64_t now, struct xos_err *err)
{
	char hex[2 * XOS_SHA256_LEN + 1];
	const struct ca_act act = {
	    .at = now, .actor = member->name, .number = member->number, .verb = "rules.accept"};
	struct xos_json *args = xos_json_object();

	xos_hex_encode(hex, rules->digest, sizeof(rules->digest));
	xos_json_set_int(args, "version", (int64_t)rules->version);
	xos_json_set_string(args, "sha256", hex);
	return ca_act_of(m, &act, args, err);
}

static enum xos_status keep(struct ca_membership *m, const struct ca_member *member,
    const struct xos_rules *rules, int64_t now, struct xos_err *err)
{
	enum xos_status st = xos_store_begin(m->store, err);

	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "UPDATE members SET rules = ?2 WHERE number = ?1", "ii",
		    (int64_t)member->number, (int64_t)rules->version);
	if (st == XOS_OK)
		st = record(m, member, rules, now, err);
	if (st == XOS_OK)
		st = xos_store_commit(m->store, err);
	xos_store_rollback(m->store);
	return st;
}

enum xos_status ca_rules_accept(struct ca_membership *m, const char *name, uint64_t version,
    const uint8_t digest[XOS_SHA256_LEN], int64_t now, struct xos_err *err)
{
	struct xos_rules rules = {.text = NULL};
	struct ca_member *member = NULL;
	enum xos_status st = ca_rules_get(m, 0, &rules, err);

	if (st == XOS_OK &&
	    (rules.version != version || !xos_ct_equal(rules.digest, digest, sizeof(rules.digest))))
		st = xos_err_set(err, XOS_CONFLICT, "rules-changed",
		    "the rules in force are version %llu, not the text that was accepted",
		    (unsigned long long)rules.version);
	if (st == XOS_OK)
		st = ca_member_get(m, name, &member, err);
	if (st == XOS_OK && member->rules < version)
		st = keep(m, member, &rules, now, err);
	ca_member_free(member);
	xos_rules_clear(&rules);
	return st;
}
