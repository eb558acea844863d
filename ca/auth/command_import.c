/* import.check, import.apply, export.members */
#include <string.h>

#include "ca/auth/commands.h"
#include "ca/membership/import.h"

#define PAGE_MAX 500

/* What import.check supposes to be there already, because earlier batches would add it. */
static enum xos_status suppose(struct ca_call *c, struct xos_err *err)
{
	const struct xos_json *groups = NULL;
	struct xos_json *unseen = xos_json_array();
	enum xos_status st =
	    xos_json_opt_array(c->command->args, "suppose", CA_IMPORT_ROWS_MAX, &groups, err);

	if (st == XOS_OK)
		st = ca_import(c->auth->membership, groups, NULL, c->now, unseen, err);
	xos_json_free(unseen);
	return st;
}

static enum xos_status import(struct ca_call *c, struct xos_err *err)
{
	const struct xos_json *groups = NULL, *members = NULL;
	struct xos_json *changes;
	enum xos_status st =
	    xos_json_opt_array(c->command->args, "groups", CA_IMPORT_ROWS_MAX, &groups, err);

	if (st == XOS_OK)
		st = xos_json_opt_array(
		    c->command->args, "members", CA_IMPORT_ROWS_MAX, &members, err);
	if (st != XOS_OK)
		return st;
	changes = xos_json_array();
	st = ca_import(c->auth->membership, groups, members, c->now, changes, err);
	c->result = xos_json_object();
	xos_json_set(c->result, "changes", changes);
	return st;
}

/* The same steps as the import itself, and then none of them. */
static enum xos_status check(struct ca_call *c, struct xos_err *err)
{
	struct xos_store *db = c->auth->membership->store;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "groups", "members", "suppose");

	if (st == XOS_OK)
		st = xos_store_begin(db, err);
	if (st == XOS_OK)
		st = suppose(c, err);
	if (st == XOS_OK)
		st = import(c, err);
	xos_store_rollback(db);
	return st;
}

static enum xos_status apply(struct ca_call *c, struct xos_err *err)
{
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "groups", "members");

	return st == XOS_OK ? import(c, err) : st;
}

static enum xos_status export_members(struct ca_call *c, struct xos_err *err)
{
	struct xos_json *members;
	char last[XOS_MEMBER_MAX + 1];
	const char *after = NULL;
	int64_t max = 0;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "after", "max");

	if (st == XOS_OK)
		st = xos_json_opt_string(c->command->args, "after", XOS_MEMBER_MAX, &after, err);
	if (st == XOS_OK)
		st = xos_json_opt_int64(c->command->args, "max", 1, PAGE_MAX, PAGE_MAX, &max, err);
	if (st != XOS_OK)
		return st;
	members = xos_json_array();
	st = ca_export_members(
	    c->auth->membership, after ? after : "", (size_t)max, members, last, err);
	c->result = xos_json_object();
	xos_json_set(c->result, "members", members);
	if (last[0])
		xos_json_set_string(c->result, "last", last);
	return st;
}

static const struct ca_verb verbs[] = {
    {"import.check", false, false, check},
    {"import.apply", true, false, apply},
    {"export.members", false, false, export_members},
};
const struct ca_verbs ca_import_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
