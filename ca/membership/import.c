#include "ca/membership/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ca/membership/grouptree.h"
#include "ca/membership/standing.h"
#include "store/sql.h"
#include "token/claims.h"

#define AT_MAX 48

struct import {
	struct ca_membership *m;
	int64_t now;
	struct xos_json *changes;
	const char *at, *column; /* of the row in hand, for messages */
	bool fresh;              /* the member in hand was added by this row */
};

static void changed(struct import *i, const char *verb, const char *name, const char *value)
{
	struct xos_json *c = xos_json_object();

	xos_json_set_string(c, "at", i->at);
	xos_json_set_string(c, "verb", verb);
	xos_json_set_string(c, "name", name);
	xos_json_set_string(c, "value", value);
	xos_json_add(i->changes, c);
}

static enum xos_status text(struct import *i, const struct xos_json *row, const char *key,
    size_t max, const char **out, struct xos_err *err)
{
	i->column = key;
	return xos_json_opt_string(row, key, max, out, err);
}

/* --- groups --- */

static enum xos_status group_now(struct import *i, const char *group, bool *there,
    char about[CA_ABOUT_MAX + 1], struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	enum xos_status st = xos_sql_query(
	    i->m->store, &q, err, "SELECT about FROM vo_groups WHERE name = ?1", "s", group);

	if (st == XOS_OK)
		st = xos_stmt_step(q, there, err);
	if (st == XOS_OK && *there && !xos_str_copy(about, CA_ABOUT_MAX + 1, xos_stmt_text(q, 0)))
		st = xos_err_set(err, XOS_INTERNAL, "group-about", "a stored text is too long");
	xos_stmt_done(q);
	return st;
}

static enum xos_status one_group(struct import *i, const struct xos_json *row, struct xos_err *err)
{
	char is[CA_ABOUT_MAX + 1] = "", shall[CA_ABOUT_MAX + 1] = "";
	const char *group = NULL, *about = NULL;
	bool there = false;
	enum xos_status st = XOS_JSON_ONLY(row, err, "at", "group", "about");

	i->column = "group";
	if (st == XOS_OK)
		st = xos_json_get_string(row, "group", XOS_FQAN_MAX, &group, err);
	if (st == XOS_OK)
		st = group_now(i, group, &there, is, err);
	if (st == XOS_OK && !there) {
		st = ca_group_add(i->m, group, i->now, err);
		changed(i, "group.add", group, NULL);
	}
	if (st == XOS_OK)
		st = text(i, row, "about", CA_ABOUT_MAX, &about, err);
	if (st != XOS_OK || !about || !xos_str_copy(shall, sizeof(shall), about))
		return st;
	xos_text_clean(shall);
	if (strcmp(is, shall) == 0)
		return XOS_OK;
	changed(i, "group.describe", group, shall);
	return ca_group_describe(i->m, group, shall, err);
}

/* --- members --- */

static enum xos_status joined(struct import *i, const struct ca_member *is, const char *group,
    bool *there, struct xos_err *err)
{
	int64_t n = 0;
	enum xos_status st = xos_sql_int(i->m->store, &n, err,
	    "SELECT COUNT(*) FROM memberships j JOIN vo_groups g ON g.id = j.grp"
	    " WHERE j.number = ?1 AND g.name = ?2",
	    "is", (int64_t)is->number, group);

	*there = n > 0;
	return st;
}

static enum xos_status join_groups(
    struct import *i, const struct ca_member *is, const struct xos_json *row, struct xos_err *err)
{
	const char **list = NULL;
	size_t n = 0;
	enum xos_status st;

	i->column = "groups";
	st = xos_json_opt_strings(
	    row, "groups", XOS_CLAIMS_GROUPS_MAX, XOS_FQAN_MAX, &list, &n, err);
	for (size_t k = 0; st == XOS_OK && k < n; k++) {
		bool there = false;

		st = joined(i, is, list[k], &there, err);
		if (st != XOS_OK || there)
			continue;
		st = ca_group_join(i->m, is->name, list[k], i->now, err);
		changed(i, "group.join", is->name, list[k]);
	}
	free(list);
	return st;
}

static enum xos_status grant_roles(
    struct import *i, const struct ca_member *is, const struct xos_json *row, struct xos_err *err)
{
	const char **list = NULL;
	size_t n = 0;
	enum xos_status st;

	i->column = "roles";
	st = xos_json_opt_strings(row, "roles", XOS_CLAIMS_ROLES_MAX, XOS_FQAN_MAX, &list, &n, err);
	for (size_t k = 0; st == XOS_OK && k < n; k++) {
		if (ca_member_holds(is, list[k]))
			continue;
		st = ca_role_grant(i->m, is->name, list[k], i->now, err);
		changed(i, "role.grant", is->name, list[k]);
	}
	free(list);
	return st;
}

/* An end may lie in the past here: an expired member of another VO, or of an export, stays one. */
static enum xos_status set_until(
    struct import *i, const struct ca_member *is, const struct xos_json *row, struct xos_err *err)
{
	const char *when = NULL;
	uint64_t version = 0;
	int64_t until = CA_NO_END;
	enum xos_status st = text(i, row, "until", XOS_TIME_TEXT, &when, err);

	if (st != XOS_OK || !when)
		return st;
	if (strcmp(when, "never") != 0 && !xos_time_parse(when, &until))
		return xos_err_set(err, XOS_MALFORMED, "import-until",
		    "\"%s\" is no time: write 2027-09-30T00:00:00Z or never", when);
	if (until == is->until)
		return XOS_OK;
	changed(i, "member.until", is->name, when);
	st = xos_sql_run(i->m->store, NULL, err, "UPDATE members SET until = ?2 WHERE number = ?1",
	    "ii", (int64_t)is->number, until);
	return st == XOS_OK ? ca_counter_next(i->m, "roster", &version, err) : st;
}

static enum xos_status set_contact(
    struct import *i, const struct ca_member *is, const struct xos_json *row, struct xos_err *err)
{
	char shall[CA_CONTACT_MAX + 1];
	const char *contact = NULL;
	enum xos_status st = text(i, row, "contact", CA_CONTACT_MAX, &contact, err);

	if (st != XOS_OK || !contact || !xos_str_copy(shall, sizeof(shall), contact))
		return st;
	xos_text_clean(shall);
	if (strcmp(shall, is->contact) == 0)
		return XOS_OK;
	changed(i, "member.contact", is->name, shall);
	return ca_member_contact(i->m, is->name, shall, err);
}

static enum xos_status set_state(
    struct import *i, const struct ca_member *is, const char *state, struct xos_err *err)
{
	i->column = "state";
	if (strcmp(state, xos_member_state_name(is->state)) == 0)
		return XOS_OK;
	if (strcmp(state, "active") == 0) {
		changed(i, "member.resume", is->name, NULL);
		return ca_member_resume(i->m, is->name, err);
	}
	if (strcmp(state, "suspended") == 0) {
		changed(i, "member.suspend", is->name, NULL);
		return ca_member_suspend(i->m, is->name, "", i->now, err);
	}
	if (!i->fresh)
		return xos_err_set(err, XOS_CONFLICT, "import-state",
		    "%s is a member: an import takes nothing away; xos-vo member remove does",
		    is->name);
	changed(i, "member.remove", is->name, NULL);
	return ca_member_remove(i->m, is->name, i->now, err);
}

static enum xos_status read_state(
    struct import *i, const struct xos_json *row, const char **state, struct xos_err *err)
{
	enum xos_status st = text(i, row, "state", 16, state, err);

	if (st == XOS_OK && *state && strcmp(*state, "active") != 0 &&
	    strcmp(*state, "suspended") != 0 && strcmp(*state, "removed") != 0)
		st = xos_err_set(err, XOS_MALFORMED, "import-state",
		    "\"%s\" is none of active, suspended, removed", *state);
	return st;
}

/* Finds or adds; a name that was somebody's is taken for good. */
static enum xos_status find_or_add(struct import *i, const char *name, const char *state,
    struct ca_member **out, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	uint64_t number = 0;
	enum xos_status st = ca_member_get(i->m, name, out, &why);
	bool gone = st == XOS_OK && (*out)->state == XOS_MEMBER_REMOVED;

	i->fresh = false;
	i->column = "name";
	if (st == XOS_OK && (*out)->kind != CA_PERSON)
		return xos_err_set(err, XOS_CONFLICT, "import-kind",
		    "%s is no person: robots are not imported", name);
	if (st == XOS_OK && (!gone || (state && strcmp(state, "removed") == 0)))
		return XOS_OK;
	if (st != XOS_OK && st != XOS_NOT_FOUND) {
		*err = why;
		return st;
	}
	ca_member_free(*out);
	*out = NULL;
	st = ca_member_add(i->m, name, i->now, &number, err);
	if (st != XOS_OK)
		return st;
	i->fresh = true;
	changed(i, "member.add", name, NULL);
	return ca_member_get(i->m, name, out, err);
}

static enum xos_status one_member(struct import *i, const struct xos_json *row, struct xos_err *err)
{
	struct ca_member *is = NULL;
	const char *name = NULL, *state = NULL;
	enum xos_status st =
	    XOS_JSON_ONLY(row, err, "at", "name", "state", "until", "contact", "groups", "roles");

	if (st == XOS_OK)
		st = read_state(i, row, &state, err);
	i->column = st == XOS_OK ? "name" : i->column;
	if (st == XOS_OK)
		st = xos_json_get_string(row, "name", XOS_MEMBER_MAX, &name, err);
	if (st == XOS_OK)
		st = find_or_add(i, name, state, &is, err);
	/* Of one that left nothing but the name is left. */
	if (st == XOS_OK && is->state != XOS_MEMBER_REMOVED) {
		st = set_until(i, is, row, err);
		if (st == XOS_OK)
			st = set_contact(i, is, row, err);
		if (st == XOS_OK && (!state || strcmp(state, "removed") != 0))
			st = join_groups(i, is, row, err);
		if (st == XOS_OK && (!state || strcmp(state, "removed") != 0))
			st = grant_roles(i, is, row, err);
		if (st == XOS_OK && state)
			st = set_state(i, is, state, err);
	}
	ca_member_free(is);
	return st;
}

/* --- all --- */

static enum xos_status each(struct import *i, const struct xos_json *rows,
    enum xos_status (*one)(struct import *i, const struct xos_json *row, struct xos_err *err),
    struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	for (size_t k = 0; st == XOS_OK && k < xos_json_count(rows); k++) {
		const struct xos_json *row = xos_json_at(rows, k);

		i->at = "a row";
		i->column = "";
		st = xos_json_as_object(row, err);
		if (st == XOS_OK)
			st = xos_json_get_string(row, "at", AT_MAX, &i->at, err);
		if (st == XOS_OK)
			st = one(i, row, err);
		if (st != XOS_OK)
			st = xos_err_prefix(
			    err, st, "%s%s%s", i->at, i->column[0] ? ", " : "", i->column);
	}
	return st;
}

enum xos_status ca_import(struct ca_membership *m, const struct xos_json *groups,
    const struct xos_json *members, int64_t now, struct xos_json *changes, struct xos_err *err)
{
	struct import i = {.m = m, .now = now, .changes = changes};
	enum xos_status st = each(&i, groups, one_group, err);

	if (st == XOS_OK)
		st = each(&i, members, one_member, err);
	return st == XOS_OK ? ca_administrators_left(m, now, err) : st;
}

/* --- export --- */

static enum xos_status add_joined(struct ca_membership *m, const struct ca_member *member,
    struct xos_json *o, struct xos_err *err)
{
	struct xos_json *list = xos_json_array();
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT g.name FROM memberships j JOIN vo_groups g ON g.id = j.grp"
	    " WHERE j.number = ?1 ORDER BY j.place",
	    "i", (int64_t)member->number);

	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row)
		xos_json_add_string(list, xos_stmt_text(q, 0));
	xos_stmt_done(q);
	xos_json_set(o, "groups", list);
	return st;
}

static enum xos_status export_member(struct ca_membership *m, const struct ca_member *member,
    struct xos_json *out, struct xos_err *err)
{
	struct xos_json *o;
	enum xos_status st;

	if (member->kind != CA_PERSON)
		return XOS_OK;
	o = xos_json_object();
	xos_json_set_string(o, "name", member->name);
	xos_json_set_string(o, "state", xos_member_state_name(member->state));
	if (member->until < CA_NO_END)
		xos_json_set_time(o, "until", member->until);
	if (member->contact[0])
		xos_json_set_text(o, "contact", member->contact);
	xos_json_set_strings(o, "roles", (const char *const *)member->roles.item, member->roles.n);
	st = add_joined(m, member, o, err);
	xos_json_add(out, o);
	return st;
}

enum xos_status ca_export_members(struct ca_membership *m, const char *after, size_t max,
    struct xos_json *out, char last[XOS_MEMBER_MAX + 1], struct xos_err *err)
{
	struct ca_names names = {NULL, 0};
	enum xos_status st = ca_member_names(m, after, max, &names, err);

	last[0] = '\0';
	for (size_t i = 0; st == XOS_OK && i < names.n; i++) {
		struct ca_member *member = NULL;

		st = ca_member_get(m, names.item[i], &member, err);
		if (st == XOS_OK)
			st = export_member(m, member, out, err);
		if (st == XOS_OK)
			memcpy(last, member->name, sizeof(member->name));
		ca_member_free(member);
	}
	ca_names_free(&names);
	return st;
}
