/* One-time codes for joining. */
#include "rca/codes.h"

#include <string.h>

#include "auth/code.h"
#include "base/random.h"
#include "base/text.h"
#include "store/sql.h"

enum xos_status rca_code_refuse(struct xos_err *err)
{
	return xos_err_set(err, XOS_DENIED, "join-code",
	    "this code does not admit this node: codes end, are good for so many joins, and may be "
	    "for "
	    "one node or site; whoever gave it to you can make another");
}

static struct xos_bytes digest_bytes(const uint8_t digest[XOS_SHA256_LEN])
{
	return (struct xos_bytes){digest, XOS_SHA256_LEN};
}

enum xos_status rca_code_add(struct xos_store *db, const uint8_t digest[XOS_SHA256_LEN],
    struct rca_code *c, struct xos_err *err)
{
	int64_t n = 0;
	enum xos_status st = xos_sql_int(db, &n, err,
	    "SELECT count(*) FROM codes WHERE site = ?1 AND uses > 0 AND until > ?2", "si", c->site,
	    c->since);

	if (st == XOS_OK && n >= RCA_CODES_MAX)
		return xos_err_set(err, XOS_LIMIT, "codes-full",
		    "the site %s has %d codes that are still good: revoke some (xos-node codes)",
		    c->site, RCA_CODES_MAX);
	xos_random_id(c->id, RCA_CODE_ID_LEN / 2);
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO codes (id, digest, site, node, author, author_number, by_admin,"
		    " since, until, uses) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
		    "sbsssiiiii", c->id, digest_bytes(digest), c->site, c->node, c->by,
		    (int64_t)c->by_number, (int64_t)c->by_admin, c->since, c->until, c->uses);
	if (st == XOS_CONFLICT)
		st =
		    xos_err_set(err, XOS_CONFLICT, "code-known", "this code was registered before");
	return st;
}

/* SHA-256 of what is hashed of a code; DENIED if it cannot be one. */
static enum xos_status digest_of(
    const char *code, uint8_t digest[XOS_SHA256_LEN], struct xos_err *err)
{
	size_t len = strnlen(code, XOS_CODE_TYPED_MAX + 1);
	struct xos_secret *typed = NULL, *read = NULL;
	enum xos_status st = XOS_DENIED;

	if (len <= XOS_CODE_TYPED_MAX)
		typed = xos_secret_from(code, len);
	if (typed && xos_code_read(typed, &read, NULL) == XOS_OK)
		st = xos_sha256(
		    (struct xos_bytes){xos_secret_data(read), xos_secret_len(read)}, digest);
	xos_secret_free(read);
	xos_secret_free(typed);
	return st == XOS_OK ? st : rca_code_refuse(err);
}

#define COLUMNS "id, site, node, author, author_number, by_admin, since, until, uses"

static enum xos_status read_row(struct xos_stmt *s, struct rca_code *c, struct xos_err *err)
{
	memset(c, 0, sizeof(*c));
	c->by_number = (uint64_t)xos_stmt_int(s, 4);
	c->by_admin = xos_stmt_int(s, 5) != 0;
	c->since = xos_stmt_int(s, 6);
	c->until = xos_stmt_int(s, 7);
	c->uses = xos_stmt_int(s, 8);
	if (!xos_str_copy(c->id, sizeof(c->id), xos_stmt_text(s, 0)) ||
	    !xos_str_copy(c->site, sizeof(c->site), xos_stmt_text(s, 1)) ||
	    !xos_str_copy(c->node, sizeof(c->node), xos_stmt_text(s, 2)) ||
	    !xos_str_copy(c->by, sizeof(c->by), xos_stmt_text(s, 3)))
		return xos_err_set(err, XOS_INTERNAL, "store-damaged", "bad code in nodes.db");
	return XOS_OK;
}

enum xos_status rca_code_take(struct xos_store *db, const char *code, const char *node, int64_t now,
    struct rca_code *out, struct xos_err *err)
{
	uint8_t digest[XOS_SHA256_LEN];
	struct rca_code c;
	struct xos_stmt *s = NULL;
	int64_t changed = 0;
	bool row = false;
	enum xos_status st = digest_of(code, digest, err);

	if (st == XOS_OK)
		st = xos_sql_query(db, &s, err, "SELECT " COLUMNS " FROM codes WHERE digest = ?1",
		    "b", digest_bytes(digest));
	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK)
		st = row ? read_row(s, &c, err) : rca_code_refuse(err);
	xos_stmt_done(s);
	if (st == XOS_OK && c.node[0] && strcmp(c.node, node) != 0)
		st = rca_code_refuse(err);
	/* Counted down where it is looked at: of two that race for the last use one finds none. */
	if (st == XOS_OK)
		st = xos_sql_run(db, &changed, err,
		    "UPDATE codes SET uses = uses - 1 WHERE id = ?1 AND uses > 0 AND until > ?2",
		    "si", c.id, now);
	if (st == XOS_OK && changed == 0)
		st = rca_code_refuse(err);
	if (st != XOS_OK)
		return st;
	c.uses--;
	*out = c;
	return XOS_OK;
}

static enum xos_status no_code(const char *id, struct xos_err *err)
{
	return xos_err_set(err, XOS_NOT_FOUND, "no-code",
	    "there is no code with the id %s that is still good; see xos-node codes", id);
}

enum xos_status rca_code_get(
    struct xos_store *db, const char *id, struct rca_code *out, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st =
	    xos_sql_query(db, &s, err, "SELECT " COLUMNS " FROM codes WHERE id = ?1", "s", id);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK)
		st = row ? read_row(s, out, err) : no_code(id, err);
	xos_stmt_done(s);
	return st;
}

static struct xos_json *describe(const struct rca_code *c)
{
	struct xos_json *v = xos_json_object();

	xos_json_set_string(v, "id", c->id);
	xos_json_set_string(v, "site", c->site);
	xos_json_set_string(v, "node", c->node[0] ? c->node : NULL);
	xos_json_set_string(v, "by", c->by);
	xos_json_set_time(v, "since", c->since);
	xos_json_set_time(v, "until", c->until);
	xos_json_set_int(v, "uses", c->uses);
	return v;
}

enum xos_status rca_code_list(
    struct xos_store *db, const char *site, int64_t now, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	struct xos_stmt *s = NULL;
	struct rca_code c;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT " COLUMNS " FROM codes WHERE (?1 = '' OR site = ?1) AND uses > 0 AND until > ?2"
	    " ORDER BY site, until, id LIMIT 10000",
	    "si", site, now);

	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row) {
		st = read_row(s, &c, err);
		if (st == XOS_OK)
			xos_json_add(list, describe(&c));
	}
	xos_stmt_done(s);
	xos_json_set(doc, "codes", list);
	if (st != XOS_OK) {
		xos_json_free(doc);
		return st;
	}
	*out = doc;
	return XOS_OK;
}

enum xos_status rca_code_revoke(struct xos_store *db, const char *id, struct xos_err *err)
{
	int64_t changed = 0;
	enum xos_status st = xos_sql_run(
	    db, &changed, err, "UPDATE codes SET uses = 0 WHERE id = ?1 AND uses > 0", "s", id);

	return st == XOS_OK && changed == 0 ? no_code(id, err) : st;
}

enum xos_status rca_code_expire(struct xos_store *db, int64_t now, struct xos_err *err)
{
	return xos_sql_run(db, NULL, err, "DELETE FROM codes WHERE until < ?1", "i",
	    now - (int64_t)RCA_CODE_LIFE_MAX);
}
