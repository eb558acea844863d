/* What a proof by a key means, given what that key has led to before. */
#include "rca/generations.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/sql.h"

struct row {
	int64_t generation, parent;
	int64_t begins, issued, iat;
	char from[RCA_FROM_MAX + 1];
	bool used;
};

#define COLUMNS "generation, parent, begins, issued, iat, issued_from, used"

static enum xos_status read_row(struct xos_stmt *s, struct row *r, struct xos_err *err)
{
	r->generation = xos_stmt_int(s, 0);
	r->parent = xos_stmt_int(s, 1);
	r->begins = xos_stmt_int(s, 2);
	r->issued = xos_stmt_int(s, 3);
	r->iat = xos_stmt_int(s, 4);
	r->used = !xos_stmt_is_null(s, 6);
	if (xos_str_copy(r->from, sizeof(r->from), xos_stmt_text(s, 5)))
		return XOS_OK;
	return xos_err_set(err, XOS_INTERNAL, "store-damaged", "bad generation in nodes.db");
}

/* One row, or NOT_FOUND with err untouched. Ends the statement. */
static enum xos_status one_row(
    struct xos_stmt *s, enum xos_status st, struct row *r, struct xos_err *err)
{
	bool row = false;

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK)
		st = row ? read_row(s, r, err) : XOS_NOT_FOUND;
	xos_stmt_done(s);
	return st;
}

static enum xos_status newest(
    struct xos_store *db, const struct rca_use *u, struct row *r, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT " COLUMNS " FROM generations WHERE node = ?1 AND kind = ?2"
	    " ORDER BY generation DESC LIMIT 1",
	    "ss", u->node, u->kind);

	return one_row(s, st, r, err);
}

/* The admission's own, which is never thrown away. */
static enum xos_status oldest(
    struct xos_store *db, const struct rca_use *u, struct row *r, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT " COLUMNS " FROM generations WHERE node = ?1 AND kind = ?2"
	    " ORDER BY generation LIMIT 1",
	    "ss", u->node, u->kind);

	return one_row(s, st, r, err);
}

static void spki_text(const struct xos_cert *c, char out[2 * XOS_SHA256_LEN + 1])
{
	xos_hex_encode(out, xos_key_spki_sha256(xos_cert_key(c)), XOS_SHA256_LEN);
}

/* By serial and key: the same key in two certificates is two generations. */
static enum xos_status presented(
    struct xos_store *db, const struct rca_use *u, struct row *r, struct xos_err *err)
{
	char spki[2 * XOS_SHA256_LEN + 1];
	struct xos_stmt *s = NULL;

	spki_text(u->cert, spki);
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT " COLUMNS " FROM generations WHERE node = ?1 AND kind = ?2 AND serial = ?3"
	    " AND spki = ?4",
	    "ssss", u->node, u->kind, xos_cert_serial_text(u->cert), spki);
	return one_row(s, st, r, err);
}

/* The last certificate that was issued on a request by generation's key. */
static enum xos_status last_child(struct xos_store *db, const struct rca_use *u, int64_t generation,
    struct row *r, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT " COLUMNS " FROM generations WHERE node = ?1 AND kind = ?2 AND parent = ?3"
	    " ORDER BY generation DESC LIMIT 1",
	    "ssi", u->node, u->kind, generation);

	return one_row(s, st, r, err);
}

/* --- the judgement --- */

static void place(char out[XOS_TIME_TEXT + RCA_FROM_MAX + 8], int64_t at, const char *from)
{
	char time[XOS_TIME_TEXT];

	xos_time_format(at, time);
	xos_str_printf(
	    out, XOS_TIME_TEXT + RCA_FROM_MAX + 8, "%s%s%s", time, *from ? " from " : "", from);
}

static void say_twice(struct rca_judgement *j, int64_t generation, const struct row *first,
    int64_t at, const char *from)
{
	char one[XOS_TIME_TEXT + RCA_FROM_MAX + 8], two[XOS_TIME_TEXT + RCA_FROM_MAX + 8];

	j->verdict = RCA_USE_TWICE;
	place(two, at, from);
	if (!first) {
		xos_str_printf(j->why, sizeof(j->why),
		    "a key older than its last %d was used at %s", RCA_GENERATIONS_KEPT, two);
		return;
	}
	place(one, first->issued, first->from);
	xos_str_printf(j->why, sizeof(j->why),
	    "its key of generation %lld was used twice: at %s and at %s", (long long)generation,
	    one, two);
}

/* Not among those that are kept. */
static enum xos_status judge_unknown(struct xos_store *db, const struct rca_use *u, int64_t now,
    struct rca_judgement *j, struct xos_err *err)
{
	struct row base = {0};
	enum xos_status st = oldest(db, u, &base, err);

	if (st == XOS_OK && xos_cert_not_before(u->cert) <= base.begins)
		j->verdict = RCA_USE_FORMER;
	else if (st == XOS_OK)
		say_twice(j, 0, NULL, now, u->from);
	return st;
}

/*
 * Neither the current one nor one that never renewed: its key led to `child` already. A message that was signed
 * before the one that led there was only held up on the way.
 */
static enum xos_status judge_parent(const struct rca_use *u, const struct row *r,
    const struct row *child, const struct row *current, int64_t now, struct rca_judgement *j)
{
	if (u->iat <= child->iat)
		j->verdict = RCA_USE_LATE;
	else if (child->generation == current->generation && !current->used)
		j->verdict = RCA_USE_PREVIOUS;
	else
		say_twice(j, r->generation, child, now, u->from);
	return XOS_OK;
}

/* Issued on a request by a key that then asked again, as after a lost answer: yet here is who got it. */
static enum xos_status judge_passed_over(struct xos_store *db, const struct rca_use *u,
    const struct row *r, int64_t now, struct rca_judgement *j, struct xos_err *err)
{
	struct row sibling = {0};
	enum xos_status st = last_child(db, u, r->parent, &sibling, err);

	if (st == XOS_OK && r->parent)
		say_twice(j, r->parent, r, sibling.issued, sibling.from);
	else if (st == XOS_OK || st == XOS_NOT_FOUND) {
		say_twice(j, r->generation, r, now, u->from);
		st = XOS_OK;
	}
	return st;
}

enum xos_status rca_generation_judge(struct xos_store *db, const struct rca_use *u, int64_t now,
    struct rca_judgement *out, struct xos_err *err)
{
	struct rca_judgement j = {.verdict = RCA_USE_TWICE};
	struct row current = {0}, r = {0}, child = {0};
	enum xos_status st = newest(db, u, &current, err);

	if (st == XOS_NOT_FOUND) {
		j.verdict = RCA_USE_FIRST;
		*out = j;
		return XOS_OK;
	}
	if (st == XOS_OK)
		st = presented(db, u, &r, err);
	if (st == XOS_NOT_FOUND) {
		st = judge_unknown(db, u, now, &j, err);
	} else if (st == XOS_OK && r.generation == current.generation) {
		j.generation = r.generation;
		j.verdict = RCA_USE_CURRENT;
	} else if (st == XOS_OK) {
		j.generation = r.generation;
		st = last_child(db, u, r.generation, &child, err);
		if (st == XOS_OK)
			st = judge_parent(u, &r, &child, &current, now, &j);
		else if (st == XOS_NOT_FOUND)
			st = judge_passed_over(db, u, &r, now, &j, err);
	}
	if (st == XOS_OK)
		*out = j;
	return st;
}

/* --- what is kept --- */

static enum xos_status insert(struct xos_store *db, const struct rca_use *u, int64_t generation,
    int64_t parent, const struct xos_cert *c, int64_t issued, struct xos_err *err)
{
	char spki[2 * XOS_SHA256_LEN + 1];

	spki_text(c, spki);
	return xos_sql_run(db, NULL, err,
	    "INSERT INTO generations (node, kind, generation, parent, serial, spki, begins, ends,"
	    " issued, issued_from, iat) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
	    "ssiissiiisi", u->node, u->kind, generation, parent, xos_cert_serial_text(c), spki,
	    xos_cert_not_before(c), xos_cert_not_after(c), issued, u->from, u->iat);
}

enum xos_status rca_generation_used(struct xos_store *db, const struct rca_use *u,
    const struct rca_judgement *j, int64_t now, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	int64_t generation = j->generation;

	if (j->verdict == RCA_USE_FIRST) {
		generation = 1;
		st = insert(db, u, generation, 0, u->cert, xos_cert_not_before(u->cert), err);
	} else if (j->verdict != RCA_USE_CURRENT) {
		return XOS_OK;
	}
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "UPDATE generations SET used = ?4 WHERE node = ?1 AND kind = ?2"
		    " AND generation = ?3 AND used IS NULL",
		    "ssii", u->node, u->kind, generation, now);
	return st;
}

enum xos_status rca_generation_next(struct xos_store *db, const struct rca_use *u,
    const struct rca_judgement *j, const struct xos_cert *fresh, int64_t now, struct xos_err *err)
{
	struct row current = {0};
	enum xos_status st = rca_generation_used(db, u, j, now, err);

	if (st == XOS_OK)
		st = newest(db, u, &current, err);
	if (st == XOS_OK)
		st = insert(db, u, current.generation + 1, j->generation ? j->generation : 1, fresh,
		    now, err);
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "DELETE FROM generations WHERE node = ?1 AND kind = ?2 AND parent > 0"
		    " AND generation <= ?3",
		    "ssi", u->node, u->kind, current.generation + 1 - RCA_GENERATIONS_KEPT);
	return st;
}

enum xos_status rca_generation_begin(struct xos_store *db, const char *node, const char *kind,
    const struct xos_cert *first, int64_t now, struct xos_err *err)
{
	const struct rca_use u = {
	    .node = node, .kind = kind, .cert = first, .iat = now, .from = ""};
	enum xos_status st = xos_sql_run(db, NULL, err,
	    "DELETE FROM generations WHERE node = ?1 AND kind = ?2", "ss", node, kind);

	if (st == XOS_OK && !*kind)
		st = xos_sql_run(db, NULL, err,
		    "UPDATE nodes SET ban_twice = NULL, rescued = NULL WHERE node = ?1", "s", node);
	return st == XOS_OK ? insert(db, &u, 1, 0, first, now, err) : st;
}
