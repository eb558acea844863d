/* Who administers the VO at this moment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/membership/membership.h"
#include "ca/membership/standing.h"
#include "store/sql.h"

static enum xos_status role_holders(
    struct ca_membership *m, const char *role, struct ca_names *out, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT m.name FROM roles r JOIN members m ON m.number = r.number"
	    " WHERE r.role = ?1 ORDER BY m.name",
	    "s", role);

	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row)
		st = ca_names_add(out, xos_stmt_text(q, 0), strlen(xos_stmt_text(q, 0)), err);
	xos_stmt_done(q);
	return st;
}

/* Nothing is added for whoever is not in good standing. */
static enum xos_status add(struct ca_membership *m, const char *name, const char *role, int64_t now,
    struct xos_administrators *out, struct xos_err *err)
{
	struct xos_administrator *a = &out->list[out->n];
	struct xos_err why = XOS_ERR_INIT;
	struct ca_member *member = NULL;
	enum xos_status st = ca_member_get(m, name, &member, err);

	if (st == XOS_OK && ca_standing_check(m, member, now, NULL) == XOS_OK) {
		memcpy(a->name, member->name, sizeof(a->name));
		a->number = member->number;
		/* Also if the locks cannot be read: nobody does anything then. */
		if (ca_lock_check(m, member, &role, 1, now, &why) != XOS_OK)
			snprintf(a->locked, sizeof(a->locked), "%s", why.text);
		out->n++;
	}
	ca_member_free(member);
	return st;
}

enum xos_status ca_administrators(
    struct ca_membership *m, int64_t now, struct xos_administrators *out, struct xos_err *err)
{
	char role[XOS_FQAN_MAX + 1];
	struct ca_names names = {NULL, 0};
	enum xos_status st;

	xos_str_printf(role, sizeof(role), "/%s/Role=admin", m->vo);
	st = role_holders(m, role, &names, err);
	out->n = 0;
	out->list = calloc(names.n + 1, sizeof(*out->list));
	if (st == XOS_OK && !out->list)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t i = 0; st == XOS_OK && i < names.n; i++)
		st = add(m, names.item[i], role, now, out, err);
	ca_names_free(&names);
	return st;
}

enum xos_status ca_administrators_left(struct ca_membership *m, int64_t now, struct xos_err *err)
{
	struct xos_administrators a = {.n = 0};
	bool left = false;
	enum xos_status st = ca_administrators(m, now, &a, err);

	for (size_t i = 0; st == XOS_OK && !left && i < a.n; i++) {
		struct ca_member *member = NULL;

		st = ca_member_get(m, a.list[i].name, &member, err);
		left = st == XOS_OK && !a.list[i].locked[0] && member->until == CA_NO_END &&
		       member->kind == CA_PERSON;
		ca_member_free(member);
	}
	free(a.list);
	if (st == XOS_OK && !left)
		st = xos_err_set(err, XOS_CONFLICT, "last-administrator",
		    "nobody would be left who administers VO %s without an end: give "
		    "/%s/Role=admin to another member first",
		    m->vo, m->vo);
	return st;
}
