#include "ca/membership/grouptree.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/sql.h"

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

static enum xos_status too_long(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "group-name", "a stored name is too long");
}

static enum xos_status group_id(
    struct ca_membership *m, const char *group, int64_t *id, struct xos_err *err)
{
	enum xos_status st =
	    xos_sql_int(m->store, id, err, "SELECT id FROM vo_groups WHERE name = ?1", "s", group);

	if (st == XOS_NOT_FOUND)
		st = xos_err_set(err, st, "no-group",
		    "VO %s has no group \"%s\": xos-vo group list shows them", m->vo, group);
	return st;
}

enum xos_status ca_group_exists(struct ca_membership *m, const char *group, struct xos_err *err)
{
	int64_t id = 0;

	return group_id(m, group, &id, err);
}

/* --- pages --- */

static enum xos_status read_group(struct xos_stmt *q, struct ca_group_row *g, struct xos_err *err)
{
	if (!xos_str_copy(g->name, sizeof(g->name), xos_stmt_text(q, 0)) ||
	    !xos_str_copy(g->about, sizeof(g->about), xos_stmt_text(q, 1)))
		return too_long(err);
	g->members = (uint64_t)xos_stmt_int(q, 2);
	return XOS_OK;
}

enum xos_status ca_group_page(struct ca_membership *m, const char *after, size_t max,
    struct ca_group_row **out, size_t *n, struct xos_err *err)
{
	struct ca_group_row *list = calloc(max + 1, sizeof(*list));
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st;

	*n = 0;
	*out = list;
	if (!list)
		return no_memory(err);
	st = xos_sql_query(m->store, &q, err,
	    "SELECT g.name, g.about, CASE g.id WHEN 0"
	    " THEN (SELECT COUNT(*) FROM members WHERE state <> 'removed')"
	    " ELSE (SELECT COUNT(*) FROM memberships j WHERE j.grp = g.id) END"
	    " FROM vo_groups g WHERE g.name > ?1 ORDER BY g.name LIMIT ?2",
	    "si", after, (int64_t)max);
	while (st == XOS_OK && *n < max && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row)
		st = read_group(q, &list[(*n)++], err);
	xos_stmt_done(q);
	if (st != XOS_OK) {
		free(list);
		*out = NULL;
	}
	return st;
}

enum xos_status ca_group_members(struct ca_membership *m, const char *group, const char *after,
    size_t max, struct ca_names *out, struct xos_err *err)
{
	struct ca_names names = {NULL, 0};
	struct xos_stmt *q = NULL;
	bool row = false;
	int64_t id = 0;
	enum xos_status st = group_id(m, group, &id, err);

	if (st == XOS_OK)
		st = xos_sql_query(m->store, &q, err,
		    "SELECT h.name FROM memberships j JOIN members h ON h.number = j.number"
		    " WHERE j.grp = ?1 AND h.name > ?2 ORDER BY h.name LIMIT ?3",
		    "isi", id, after, (int64_t)max);
	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row)
		st = ca_names_add(&names, xos_stmt_text(q, 0), strlen(xos_stmt_text(q, 0)), err);
	xos_stmt_done(q);
	if (st != XOS_OK)
		ca_names_free(&names);
	*out = names;
	return st;
}

/* Names below a prefix are those from it up to the next character: '0' follows '/'. */
enum xos_status ca_role_page(struct ca_membership *m, const char *group,
    const struct ca_role_row *after, size_t max, struct ca_role_row **out, size_t *n,
    struct xos_err *err)
{
	struct ca_role_row *list = calloc(max + 1, sizeof(*list));
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st;

	*n = 0;
	*out = list;
	if (!list)
		return no_memory(err);
	st = xos_sql_query(m->store, &q, err,
	    "SELECT r.role, h.name FROM roles r JOIN members h ON h.number = r.number"
	    " WHERE r.role > ?1 || '/' AND r.role < ?1 || '0' AND r.role >= ?2"
	    " AND (r.role > ?2 OR h.name > ?3) ORDER BY r.role, h.name LIMIT ?4",
	    "sssi", group, after->role, after->member, (int64_t)max);
	while (st == XOS_OK && *n < max && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row) {
		struct ca_role_row *r = &list[(*n)++];

		if (!xos_str_copy(r->role, sizeof(r->role), xos_stmt_text(q, 0)) ||
		    !xos_str_copy(r->member, sizeof(r->member), xos_stmt_text(q, 1)))
			st = too_long(err);
	}
	xos_stmt_done(q);
	if (st != XOS_OK) {
		free(list);
		*out = NULL;
	}
	return st;
}

/* --- changing --- */

static enum xos_status check_unused(
    struct ca_membership *m, const char *group, int64_t id, int64_t now, struct xos_err *err)
{
	int64_t below = 0, members = 0, roles = 0, locks = 0;
	enum xos_status st = xos_sql_int(m->store, &below, err,
	    "SELECT COUNT(*) FROM vo_groups WHERE name > ?1 || '/' AND name < ?1 || '0'", "s",
	    group);

	if (st == XOS_OK)
		st = xos_sql_int(m->store, &members, err,
		    "SELECT COUNT(*) FROM memberships WHERE grp = ?1", "i", id);
	if (st == XOS_OK)
		st = xos_sql_int(m->store, &roles, err,
		    "SELECT COUNT(*) FROM roles WHERE role > ?1 || '/' AND role < ?1 || '0'", "s",
		    group);
	if (st == XOS_OK)
		st = xos_sql_int(m->store, &locks, err,
		    "SELECT COUNT(*) FROM locks WHERE until > ?2 AND (name = ?1"
		    " OR (name > ?1 || '/' AND name < ?1 || '0'))",
		    "si", group, now);
	if (st == XOS_OK && (below || members || roles || locks))
		st = xos_err_set(err, XOS_CONFLICT, "group-used",
		    "%s is used: %lld groups below it, %lld members, %lld roles, %lld locks; take "
		    "those away first",
		    group, (long long)below, (long long)members, (long long)roles,
		    (long long)locks);
	return st;
}

enum xos_status ca_group_remove(
    struct ca_membership *m, const char *group, int64_t now, struct xos_err *err)
{
	int64_t id = 0;
	enum xos_status st = group_id(m, group, &id, err);

	if (st == XOS_OK && id == 0)
		st = xos_err_set(err, XOS_CONFLICT, "group-used",
		    "%s is the VO itself: xos-vo close ends it", group);
	if (st == XOS_OK)
		st = check_unused(m, group, id, now, err);
	if (st == XOS_OK)
		st = xos_sql_run(
		    m->store, NULL, err, "DELETE FROM vo_groups WHERE id = ?1", "i", id);
	return st;
}

enum xos_status ca_group_describe(
    struct ca_membership *m, const char *group, const char *about, struct xos_err *err)
{
	int64_t id = 0;
	enum xos_status st = group_id(m, group, &id, err);

	return st == XOS_OK ? xos_sql_run(m->store, NULL, err,
	                          "UPDATE vo_groups SET about = ?2 WHERE id = ?1", "is", id, about)
	                    : st;
}
