/* Members: adding, removing, looking up. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ca/membership/jobgrants.h"
#include "ca/membership/membership.h"
#include "ca/membership/sealed.h"
#include "ca/membership/vo.h"
#include "store/sql.h"

static enum xos_member_state parse_state(const char *s)
{
	if (s && strcmp(s, "active") == 0)
		return XOS_MEMBER_ACTIVE;
	if (s && strcmp(s, "suspended") == 0)
		return XOS_MEMBER_SUSPENDED;
	return XOS_MEMBER_REMOVED; /* what we do not know admits nobody */
}

static enum xos_status no_member(struct ca_membership *m, const char *name, struct xos_err *err)
{
	return xos_err_set(
	    err, XOS_NOT_FOUND, "no-member", "VO %s has no member \"%s\"", m->vo, name);
}

enum xos_status ca_member_number(
    struct ca_membership *m, const char *name, uint64_t *number, struct xos_err *err)
{
	int64_t v = 0;
	enum xos_status st = xos_sql_int(m->store, &v, err,
	    "SELECT number FROM members WHERE name = ?1 AND state <> 'removed'", "s", name);

	if (st == XOS_NOT_FOUND)
		return no_member(m, name, err);
	*number = (uint64_t)v;
	return st;
}

/* Somebody holds a code for that name, and would log in as whoever got it. */
static enum xos_status check_not_invited(
    struct ca_membership *m, const char *name, struct xos_err *err)
{
	int64_t n = 0;
	enum xos_status st = xos_sql_int(m->store, &n, err,
	    "SELECT COUNT(*) FROM invitations WHERE name = ?1 AND until > ?2", "si", name,
	    xos_clock_now());

	if (st == XOS_OK && n)
		st = xos_err_set(err, XOS_CONFLICT, "member-invited",
		    "somebody is invited by the name \"%s\": xos-vo withdraw %s ends that", name,
		    name);
	return st;
}

static enum xos_status check_new_name(
    struct ca_membership *m, const char *name, struct xos_err *err)
{
	int64_t v = 0;
	enum xos_status st;

	if (!xos_name_is_member(m->vo, name))
		return xos_err_set(err, XOS_MALFORMED, "member-name",
		    "\"%s\" is no member name: it must begin with a letter a-z, continue with a-z, "
		    "0-9, '.', '_' or '-', and %s.NAME must not exceed %d characters",
		    name, m->vo, XOS_ACCOUNT_MAX);
	st = ca_sealed_refuse(name, err);
	if (st != XOS_OK)
		return st;
	/* The record names programs as actors, too. */
	if (strncmp(name, "xos-", 4) == 0)
		return xos_err_set(err, XOS_CONFLICT, "member-reserved",
		    "names that begin with \"xos-\" are those of programs: choose another");
	st = xos_sql_int(m->store, &v, err,
	    "SELECT CASE state WHEN 'removed' THEN 1 ELSE 0 END FROM members WHERE name = ?1", "s",
	    name);
	if (st == XOS_NOT_FOUND)
		return check_not_invited(m, name, err);
	if (st == XOS_OK)
		st = xos_err_set(err, XOS_CONFLICT, "member-exists",
		    v ? "\"%s\" was a member before; names are never given to somebody else, nor "
		        "back: choose another"
		      : "\"%s\" is a member already",
		    name);
	return st;
}

enum xos_status ca_member_name_free(struct ca_membership *m, const char *name, struct xos_err *err)
{
	return check_new_name(m, name, err);
}

enum xos_status ca_member_add(
    struct ca_membership *m, const char *name, int64_t now, uint64_t *number, struct xos_err *err)
{
	uint64_t n = 0, version = 0;
	enum xos_status st = check_new_name(m, name, err);

	if (st == XOS_OK)
		st = ca_counter_next(m, "member", &n, err);
	/* All that there ever were are in the roster, which could not be signed any more. */
	if (st == XOS_OK && n > XOS_ROSTER_MEMBERS_MAX)
		st = xos_err_set(err, XOS_LIMIT, "member-numbers",
		    "VO %s has had %u members, which is as many as nodes take", m->vo,
		    XOS_ROSTER_MEMBERS_MAX);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "INSERT INTO members (number, name, state, added) VALUES (?1, ?2, 'active', "
		    "?3)",
		    "isi", (int64_t)n, name, now);
	if (st == XOS_OK)
		st = ca_counter_next(m, "roster", &version, err);
	if (st == XOS_OK)
		*number = n;
	return st;
}

static enum xos_status is_admin(
    struct ca_membership *m, uint64_t number, int64_t *is, struct xos_err *err)
{
	return xos_sql_int(m->store, is, err,
	    "SELECT COUNT(*) FROM roles WHERE number = ?1 AND role = '/' || ?2 || '/Role=admin'",
	    "is", (int64_t)number, m->vo);
}

enum xos_status ca_member_remove(
    struct ca_membership *m, const char *name, int64_t now, struct xos_err *err)
{
	uint64_t number = 0, version = 0;
	int64_t admin = 0;
	enum xos_status st = ca_sealed_refuse(name, err);

	if (st == XOS_OK)
		st = ca_member_number(m, name, &number, err);
	if (st == XOS_OK)
		st = is_admin(m, number, &admin, err);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err, "DELETE FROM roles WHERE number = ?1", "i",
		    (int64_t)number);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err, "DELETE FROM memberships WHERE number = ?1",
		    "i", (int64_t)number);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "UPDATE members SET state = 'removed', ended = ?2 WHERE number = ?1", "ii",
		    (int64_t)number, now);
	if (st == XOS_OK)
		st = ca_counter_next(m, "roster", &version, err);
	if (st == XOS_OK)
		st = ca_job_grants_end_member(m, number, "the member left the VO", now, err);
	return st == XOS_OK && admin ? ca_administrators_left(m, now, err) : st;
}

/* --- look-up --- */

static bool has(const struct ca_names *names, const char *s, size_t len)
{
	for (size_t i = 0; i < names->n; i++)
		if (strlen(names->item[i]) == len && memcmp(names->item[i], s, len) == 0)
			return true;
	return false;
}

bool ca_member_holds(const struct ca_member *member, const char *role)
{
	return has(&member->roles, role, strlen(role));
}

bool ca_member_in_group(const struct ca_member *member, const char *group)
{
	return has(&member->groups, group, strlen(group));
}

/* A group and those above it, without the VO's own. */
static enum xos_status add_upward(struct ca_names *groups, const char *group, struct xos_err *err)
{
	size_t len = strlen(group);
	enum xos_status st = XOS_OK;

	while (st == XOS_OK && memchr(group + 1, '/', len - 1)) {
		if (!has(groups, group, len))
			st = ca_names_add(groups, group, len, err);
		while (group[--len] != '/')
			;
	}
	return st;
}

static enum xos_status load_groups(
    struct ca_membership *m, struct ca_member *member, struct xos_err *err)
{
	char root[XOS_VO_MAX + 2];
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT g.name FROM memberships j JOIN vo_groups g ON g.id = j.grp"
	    " WHERE j.number = ?1 ORDER BY j.place",
	    "i", (int64_t)member->number);

	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row)
		st = add_upward(&member->groups, xos_stmt_text(q, 0), err);
	xos_stmt_done(q);
	xos_str_printf(root, sizeof(root), "/%s", m->vo);
	if (st == XOS_OK && member->state != XOS_MEMBER_REMOVED)
		st = ca_names_add(&member->groups, root, strlen(root), err);
	return st;
}

static enum xos_status load_roles(
    struct ca_membership *m, struct ca_member *member, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT role FROM roles WHERE number = ?1 ORDER BY role", "i", (int64_t)member->number);

	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row)
		st = ca_names_add(
		    &member->roles, xos_stmt_text(q, 0), strlen(xos_stmt_text(q, 0)), err);
	xos_stmt_done(q);
	return st;
}

static enum ca_member_kind parse_kind(const char *s)
{
	if (s && strcmp(s, "person") == 0)
		return CA_PERSON;
	return s && strcmp(s, "sealed") == 0 ? CA_SEALED : CA_ROBOT;
}

static bool copy_text(char *out, size_t cap, struct xos_stmt *q, int column)
{
	const char *text = xos_stmt_text(q, column);

	return xos_str_copy(out, cap, text ? text : "");
}

static enum xos_status read_member(
    struct xos_stmt *q, struct ca_member *member, struct xos_err *err)
{
	member->number = (uint64_t)xos_stmt_int(q, 0);
	member->state = parse_state(xos_stmt_text(q, 2));
	member->added = xos_stmt_int(q, 3);
	member->kind = parse_kind(xos_stmt_text(q, 4));
	member->until = xos_stmt_int(q, 5);
	member->rules = (uint64_t)xos_stmt_int(q, 8);
	member->sponsor_left = !xos_stmt_is_null(q, 9) && xos_stmt_int(q, 10) != 0;
	if (!copy_text(member->name, sizeof(member->name), q, 1) ||
	    !copy_text(member->reason, sizeof(member->reason), q, 6) ||
	    !copy_text(member->contact, sizeof(member->contact), q, 7) ||
	    !copy_text(member->sponsor, sizeof(member->sponsor), q, 9) ||
	    !copy_text(member->owner, sizeof(member->owner), q, 11))
		return xos_err_set(
		    err, XOS_INTERNAL, "member-name", "what is stored of a member is too long");
	return XOS_OK;
}

static enum xos_status load_member(
    struct ca_membership *m, const char *name, struct ca_member *member, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT m.number, m.name, m.state, m.added, m.kind, m.until, m.reason, m.contact,"
	    " m.rules, s.name, CASE WHEN s.state <> 'active' OR s.until <= ?2 THEN 1 ELSE 0 END,"
	    " o.name FROM members m LEFT JOIN members s ON s.number = m.sponsor"
	    " LEFT JOIN members o ON o.number = m.owner WHERE m.name = ?1",
	    "si", name, xos_clock_now());

	if (st == XOS_OK)
		st = xos_stmt_step(q, &row, err);
	if (st == XOS_OK && !row)
		st = no_member(m, name, err);
	if (st == XOS_OK)
		st = read_member(q, member, err);
	xos_stmt_done(q);
	return st;
}

enum xos_status ca_member_get(
    struct ca_membership *m, const char *name, struct ca_member **out, struct xos_err *err)
{
	struct ca_member *member = calloc(1, sizeof(*member));
	enum xos_status st;

	*out = NULL;
	if (!member)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	st = load_member(m, name, member, err);
	if (st == XOS_OK)
		st = load_groups(m, member, err);
	if (st == XOS_OK)
		st = load_roles(m, member, err);
	if (st != XOS_OK) {
		ca_member_free(member);
		return st;
	}
	*out = member;
	return XOS_OK;
}

void ca_member_free(struct ca_member *member)
{
	if (!member)
		return;
	ca_names_free(&member->groups);
	ca_names_free(&member->roles);
	free(member);
}

enum xos_status ca_member_names(struct ca_membership *m, const char *after, size_t max,
    struct ca_names *out, struct xos_err *err)
{
	struct ca_names names = {NULL, 0};
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT name FROM members WHERE name > ?1 ORDER BY name LIMIT ?2", "si", after,
	    (int64_t)max);

	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row)
		st = ca_names_add(&names, xos_stmt_text(q, 0), strlen(xos_stmt_text(q, 0)), err);
	xos_stmt_done(q);
	if (st != XOS_OK)
		ca_names_free(&names);
	*out = names;
	return st;
}

enum xos_status ca_member_roster(struct ca_membership *m, int64_t now,
    struct xos_roster_member **out, size_t *n, struct xos_err *err)
{
	struct xos_roster_member *list = NULL;
	struct xos_stmt *q = NULL;
	struct ca_vo vo;
	int64_t count = 0;
	size_t i = 0;
	bool row = false;
	enum xos_status st = xos_sql_int(m->store, &count, err, "SELECT COUNT(*) FROM members", "");

	*out = NULL;
	*n = 0;
	if (st == XOS_OK)
		st = ca_vo_get(m, &vo, err);
	if (st == XOS_OK && !(list = calloc((size_t)count + 1, sizeof(*list))))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		st = xos_sql_query(m->store, &q, err,
		    "SELECT m.name, m.number, CASE WHEN m.state = 'active' AND (?3 <> 0"
		    " OR m.until <= ?2 OR (m.owner IS NOT NULL"
		    " AND (o.state <> 'active' OR o.until <= ?2 OR EXISTS"
		    " (SELECT 1 FROM locks k WHERE k.kind = 'member' AND k.name = o.name"
		    " AND k.until > ?2))))"
		    " THEN 'suspended' ELSE m.state END"
		    " FROM members m LEFT JOIN members o ON o.number = m.owner"
		    " ORDER BY m.name LIMIT ?1",
		    "iii", count, now, (int64_t)(vo.ends <= now || vo.closed != 0));
	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row) {
		if (!xos_str_copy(list[i].name, sizeof(list[i].name), xos_stmt_text(q, 0)))
			st = xos_err_set(
			    err, XOS_INTERNAL, "member-name", "a stored member name is too long");
		list[i].number = (uint64_t)xos_stmt_int(q, 1);
		list[i++].state = parse_state(xos_stmt_text(q, 2));
	}
	xos_stmt_done(q);
	if (st != XOS_OK) {
		free(list);
		return st;
	}
	*out = list;
	*n = i;
	return XOS_OK;
}
