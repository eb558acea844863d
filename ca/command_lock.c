/* lock.add, lock.remove, lock.list */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/commands.h"
#include "ca/sealed.h"

static enum xos_status read_kind(struct ca_call *c, enum xos_lock_kind *kind, struct xos_err *err)
{
	const char *text = NULL;
	enum xos_status st = ca_arg(c, "kind", &text, err);

	if (st == XOS_OK &&
	    (xos_lock_kind_parse(text, kind) != XOS_OK || !xos_lock_kind_of(*kind, XOS_SIGNER_CA)))
		st = xos_err_set(err, XOS_MALFORMED, "lock-kind",
		    "\"%s\" cannot be locked here: member, group and role can", text);
	return st;
}

/* A lock that stops every administrator could be taken away by nobody. */
static enum xos_status somebody_left(
    struct ca_call *c, const struct xos_lock *lock, struct xos_err *err)
{
	struct xos_administrators a = {.n = 0};
	size_t well = 0;
	enum xos_status st = ca_administrators(c->auth->membership, c->now, &a, err);

	for (size_t i = 0; st == XOS_OK && i < a.n; i++)
		well += a.list[i].locked[0] == '\0' && strcmp(a.list[i].name, CA_SEALED_NAME) != 0;
	free(a.list);
	if (st == XOS_OK && well == 0)
		st = xos_err_set(err, XOS_CONFLICT, "last-administrator",
		    "locking the %s %s would leave no administrator who could unlock it",
		    xos_lock_kind_name(lock->kind), lock->name);
	return st;
}

static enum xos_status add(struct ca_call *c, struct xos_err *err)
{
	struct xos_lock lock = {.since = c->now};
	const char *name = NULL, *message = NULL;
	enum xos_status st =
	    XOS_JSON_ONLY(c->command->args, err, "kind", "name", "until", "message");

	if (st == XOS_OK)
		st = read_kind(c, &lock.kind, err);
	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	if (st == XOS_OK)
		st =
		    xos_json_opt_time(c->command->args, "until", XOS_LOCK_NO_END, &lock.until, err);
	if (st == XOS_OK && lock.until <= c->now)
		st =
		    xos_err_set(err, XOS_MALFORMED, "lock-until", "the lock would end in the past");
	if (st == XOS_OK)
		st = xos_json_opt_string(
		    c->command->args, "message", XOS_LOCK_MESSAGE_MAX, &message, err);
	if (st == XOS_OK &&
	    (!xos_str_copy(lock.name, sizeof(lock.name), name) ||
	        !xos_str_copy(lock.message, sizeof(lock.message), message ? message : "")))
		st = xos_err_set(err, XOS_MALFORMED, "lock-name", "the name is too long");
	if (st == XOS_OK) {
		xos_text_clean(lock.message);
		st = ca_lock_add(c->auth->membership, &lock, err);
	}
	if (st == XOS_OK)
		st = somebody_left(c, &lock, err);
	if (st == XOS_OK) {
		c->result = xos_json_object();
		xos_json_set_string(c->result, "id", lock.id);
	}
	return st;
}

static enum xos_status take_away(struct ca_call *c, struct xos_err *err)
{
	enum xos_lock_kind kind = XOS_LOCK_MEMBER;
	const char *name = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "kind", "name");

	if (st == XOS_OK)
		st = read_kind(c, &kind, err);
	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	return st == XOS_OK ? ca_lock_remove(c->auth->membership, kind, name, err) : st;
}

static enum xos_status list(struct ca_call *c, struct xos_err *err)
{
	struct xos_lock *locks = NULL;
	struct xos_json *all;
	size_t n = 0;
	enum xos_status st = xos_json_only(c->command->args, (const char *const[]){NULL}, err);

	if (st == XOS_OK)
		st = ca_lock_list(c->auth->membership, c->now, &locks, &n, err);
	if (st != XOS_OK)
		return st;
	all = xos_json_array();
	for (size_t i = 0; i < n; i++) {
		struct xos_json *l = xos_json_object();

		xos_json_set_string(l, "id", locks[i].id);
		xos_json_set_string(l, "kind", xos_lock_kind_name(locks[i].kind));
		xos_json_set_string(l, "name", locks[i].name);
		xos_json_set_time(l, "since", locks[i].since);
		if (locks[i].until < XOS_LOCK_NO_END)
			xos_json_set_time(l, "until", locks[i].until);
		xos_json_set_text(l, "message", locks[i].message);
		xos_json_add(all, l);
	}
	free(locks);
	c->result = xos_json_object();
	xos_json_set(c->result, "locks", all);
	return XOS_OK;
}

static const struct ca_verb lock_verbs[] = {
    {"lock.add", true, false, add},
    {"lock.remove", true, false, take_away},
    {"lock.list", false, false, list},
};
const struct ca_verbs ca_lock_verbs = {lock_verbs, sizeof(lock_verbs) / sizeof(lock_verbs[0])};
