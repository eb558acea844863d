/* The whole membership at once, in three walks over the tables. */
#include "ca/membership/everybody.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/membership/vo.h"
#include "store/sql.h"

void ca_everybody_free(struct ca_everybody *e)
{
	ca_names_free(&e->names);
	free(e->members);
	free(e->pool);
	*e = (struct ca_everybody){.members = NULL};
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum xos_status read_names(
    struct ca_membership *m, struct ca_everybody *e, struct xos_err *err)
{
	char root[XOS_VO_MAX + 2];
	struct xos_stmt *q = NULL;
	bool row = false;
	size_t kept = 0;
	enum xos_status st = xos_sql_query(
	    m->store, &q, err, "SELECT name FROM vo_groups UNION SELECT role FROM roles", "");

	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row)
		st = ca_names_add(&e->names, xos_stmt_text(q, 0), strlen(xos_stmt_text(q, 0)), err);
	xos_stmt_done(q);
	xos_str_printf(root, sizeof(root), "/%s", m->vo);
	if (st == XOS_OK)
		st = ca_names_add(&e->names, root, strlen(root), err);
	if (st != XOS_OK)
		return st;
	qsort(e->names.item, e->names.n, sizeof(*e->names.item), by_name);
	for (size_t i = 1; i < e->names.n; i++) {
		if (strcmp(e->names.item[kept], e->names.item[i]) == 0)
			free(e->names.item[i]);
		else
			e->names.item[++kept] = e->names.item[i];
	}
	e->names.n = kept + 1;
	return XOS_OK;
}

static enum xos_status read_members(
    struct ca_membership *m, int64_t now, struct ca_everybody *e, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	int64_t count = 0;
	bool row = false;
	enum xos_status st = xos_sql_int(m->store, &count, err, "SELECT COUNT(*) FROM members", "");

	if (st == XOS_OK && !(e->members = calloc((size_t)count + 1, sizeof(*e->members))))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		st = xos_sql_query(m->store, &q, err,
		    "SELECT name, number FROM members WHERE state = 'active' AND kind = 'person'"
		    " AND until > ?1 ORDER BY number LIMIT ?2",
		    "ii", now, count);
	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row) {
		struct xos_membership_member *to = &e->members[e->n++];

		to->number = (uint64_t)xos_stmt_int(q, 1);
		if (!xos_str_copy(to->name, sizeof(to->name), xos_stmt_text(q, 0)))
			st = xos_err_set(
			    err, XOS_INTERNAL, "member-name", "a stored member name is too long");
	}
	xos_stmt_done(q);
	return st;
}

/* The place of a name in the list, so that a member costs a few pointers. */
static enum xos_status put(struct ca_everybody *e, const char *name, struct xos_err *err)
{
	char *const *hit =
	    bsearch(&name, e->names.item, e->names.n, sizeof(*e->names.item), by_name);

	if (!hit)
		return xos_err_set(
		    err, XOS_INTERNAL, "group", "%s is in no table of groups or roles", name);
	if (e->npool == e->room) {
		size_t room = e->room ? 2 * e->room : 1024;
		const char **grown = realloc(e->pool, room * sizeof(*grown));

		if (!grown)
			return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		e->pool = grown;
		e->room = room;
	}
	e->pool[e->npool++] = *hit;
	return XOS_OK;
}

static bool has(const struct ca_everybody *e, size_t from, const char *name, size_t len)
{
	for (size_t i = from; i < e->npool; i++)
		if (strncmp(e->pool[i], name, len) == 0 && e->pool[i][len] == '\0')
			return true;
	return false;
}

/* As ca_member_get lists them: each group with those above it, the VO's own last. */
static enum xos_status put_upward(
    struct ca_everybody *e, size_t from, const char *group, struct xos_err *err)
{
	char name[XOS_FQAN_MAX + 1];
	enum xos_status st = XOS_OK;

	if (!xos_str_copy(name, sizeof(name), group))
		return xos_err_set(err, XOS_INTERNAL, "group", "a stored group is too long");
	for (char *slash; st == XOS_OK && (slash = strchr(name + 1, '/')) != NULL;) {
		if (!has(e, from, name, strlen(name)))
			st = put(e, name, err);
		slash = strrchr(slash, '/');
		if (slash)
			*slash = '\0';
	}
	return st;
}

/* Both walks are in the order of numbers, as the members are. Until the pool rests, lists are positions. */
struct walk {
	struct ca_everybody *e;
	struct xos_stmt *q;
	bool row;
};

static enum xos_status next(struct walk *w, struct xos_err *err)
{
	return xos_stmt_step(w->q, &w->row, err);
}

static enum xos_status take(
    struct walk *w, uint64_t number, bool groups, size_t from, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	while (st == XOS_OK && w->row && (uint64_t)xos_stmt_int(w->q, 0) < number)
		st = next(w, err);
	while (st == XOS_OK && w->row && (uint64_t)xos_stmt_int(w->q, 0) == number) {
		const char *name = xos_stmt_text(w->q, 1);

		st = groups ? put_upward(w->e, from, name, err) : put(w->e, name, err);
		if (st == XOS_OK)
			st = next(w, err);
	}
	return st;
}

static enum xos_status read_lists(
    struct ca_membership *m, struct ca_everybody *e, struct xos_err *err)
{
	char root[XOS_VO_MAX + 2];
	struct walk groups = {.e = e}, roles = {.e = e};
	enum xos_status st = xos_sql_query(m->store, &groups.q, err,
	    "SELECT j.number, g.name FROM memberships j JOIN vo_groups g ON g.id = j.grp"
	    " ORDER BY j.number, j.place",
	    "");

	if (st == XOS_OK)
		st = xos_sql_query(m->store, &roles.q, err,
		    "SELECT number, role FROM roles ORDER BY number, role", "");
	if (st == XOS_OK)
		st = next(&groups, err);
	if (st == XOS_OK)
		st = next(&roles, err);
	xos_str_printf(root, sizeof(root), "/%s", m->vo);
	for (size_t i = 0; st == XOS_OK && i < e->n; i++) {
		struct xos_membership_member *to = &e->members[i];
		size_t from = e->npool;

		st = take(&groups, to->number, true, from, err);
		if (st == XOS_OK)
			st = put(e, root, err);
		to->ngroups = e->npool - from;
		if (st == XOS_OK)
			st = take(&roles, to->number, false, from, err);
		to->nroles = e->npool - from - to->ngroups;
	}
	xos_stmt_done(roles.q);
	xos_stmt_done(groups.q);
	return st;
}

enum xos_status ca_everybody(
    struct ca_membership *m, int64_t now, struct ca_everybody *out, struct xos_err *err)
{
	struct ca_everybody e = {.members = NULL};
	struct ca_vo vo;
	size_t at = 0;
	enum xos_status st = ca_vo_get(m, &vo, err);

	if (st == XOS_OK)
		st = read_names(m, &e, err);
	if (st == XOS_OK && vo.ends > now && !vo.closed)
		st = read_members(m, now, &e, err);
	if (st == XOS_OK)
		st = read_lists(m, &e, err);
	if (st != XOS_OK) {
		ca_everybody_free(&e);
		return st;
	}
	for (size_t i = 0; i < e.n; i++) {
		e.members[i].groups = e.pool + at;
		e.members[i].roles = e.pool + at + e.members[i].ngroups;
		at += e.members[i].ngroups + e.members[i].nroles;
	}
	*out = e;
	return XOS_OK;
}
