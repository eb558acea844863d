/* The lock of a node whose key was used twice, and how it ends. */
#include <string.h>

#include "base/text.h"
#include "bundle/locks.h"
#include "rca/generations.h"
#include "rca/nodes.h"
#include "store/sql.h"

static enum xos_status locked_kind(
    struct xos_store *db, const char *node, char kind[XOS_SERVICE_MAX + 1], struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT ban_twice FROM nodes WHERE node = ?1 AND ban_id IS NOT NULL"
	    " AND ban_twice IS NOT NULL",
	    "s", node);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && !row)
		st = XOS_NOT_FOUND;
	if (st == XOS_OK && !xos_str_copy(kind, XOS_SERVICE_MAX + 1, xos_stmt_text(s, 0)))
		st = xos_err_set(err, XOS_INTERNAL, "store-damaged", "bad ban in nodes.db");
	xos_stmt_done(s);
	return st;
}

enum xos_status rca_generation_lock(struct xos_store *db, const struct rca_use *u,
    const struct rca_judgement *j, int64_t now, bool *fresh, struct xos_err *err)
{
	char kind[XOS_SERVICE_MAX + 1], message[XOS_LOCK_MESSAGE_MAX + 1];
	enum xos_status st = locked_kind(db, u->node, kind, err);

	*fresh = st == XOS_NOT_FOUND;
	if (st != XOS_NOT_FOUND)
		return st;
	if (!xos_str_copy(message, sizeof(message), j->why))
		return xos_err_set(err, XOS_INTERNAL, "generation", "the message does not fit");
	st = rca_node_ban(db, u->node, now, XOS_LOCK_NO_END, message, err);
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err, "UPDATE nodes SET ban_twice = ?2 WHERE node = ?1",
		    "ss", u->node, u->kind);
	return st;
}

enum xos_status rca_generation_standing(struct xos_store *db, const char *node, struct xos_err *err)
{
	char kind[XOS_SERVICE_MAX + 1];
	enum xos_status st = locked_kind(db, node, kind, err);

	if (st == XOS_NOT_FOUND)
		return XOS_OK;
	return st != XOS_OK ? st
	                    : xos_err_set(err, XOS_DENIED, "key-used-twice",
	                          "a key of the node %s was used by two", node);
}

/* The named key's generation becomes the newest; any other of the node's is then an old one. */
static enum xos_status accept_key(struct xos_store *db, const char *node, const char *kind,
    const char *accept, int64_t now, struct xos_err *err)
{
	uint8_t digest[XOS_SHA256_LEN];
	char spki[2 * XOS_SHA256_LEN + 1];
	int64_t changed = 0;
	enum xos_status st = xos_fingerprint_parse(accept, digest, err);

	if (st != XOS_OK)
		return st;
	xos_hex_encode(spki, digest, XOS_SHA256_LEN);
	st = xos_sql_run(db, &changed, err,
	    "UPDATE generations SET used = ?4, generation = 1 + (SELECT max(generation)"
	    " FROM generations WHERE node = ?1 AND kind = ?2)"
	    " WHERE node = ?1 AND kind = ?2 AND spki = ?3",
	    "sssi", node, kind, spki, now);
	if (st == XOS_OK && changed == 0)
		st = xos_err_set(err, XOS_NOT_FOUND, "no-generation",
		    "no certificate of the node %s%s%s that is kept here is for that key: compare "
		    "it "
		    "with what xos-node status says on the machine",
		    node, *kind ? ", service " : "", kind);
	return st;
}

enum xos_status rca_generation_unlock(
    struct xos_store *db, const char *node, const char *accept, int64_t now, struct xos_err *err)
{
	char kind[XOS_SERVICE_MAX + 1];
	enum xos_status st = locked_kind(db, node, kind, err);

	if (st == XOS_NOT_FOUND)
		return XOS_OK;
	if (st == XOS_OK && !accept)
		st = xos_err_set(err, XOS_DENIED, "key-used-twice",
		    "somebody else may hold a key of the node %s. Let the machine join anew under "
		    "another name; or, if both uses were the machine's own (an old image was "
		    "started), name the key that it has now: xos-node unban %s --accept sha256:...",
		    node, node);
	if (st == XOS_OK)
		st = accept_key(db, node, kind, accept, now, err);
	if (st == XOS_OK)
		st = xos_sql_run(
		    db, NULL, err, "UPDATE nodes SET ban_twice = NULL WHERE node = ?1", "s", node);
	return st;
}

enum xos_status rca_generation_rescued(
    struct xos_store *db, const char *node, int64_t now, struct xos_err *err)
{
	return xos_sql_run(
	    db, NULL, err, "UPDATE nodes SET rescued = ?2 WHERE node = ?1", "si", node, now);
}
