/* lock.add, lock.remove, lock.list */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/auth/commands.h"
#include "ca/membership/sealed.h"

static enum xos_status read_kind(struct ca_call *c, enum xos_lock_kind *kind, struct xos_err *err)
{
	const char *text = NULL;
	enum xos_status st = ca_arg(c, "kind", &text, err);

	if (st == XOS_OK &&
	    (xos_lock_kind_parse(text, kind) != XOS_OK || !xos_lock_kind_of(*kind, XOS_SIGNER_CA)))
		st = xos_err_set(err, XOS_MALFORMED, "lock-kind",
		    "\"%s\" cannot be locked here: member, group, role and token can", text);
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

/* A token's lock ends when the token can be shown to nobody any more, which the key process knows. */
static enum xos_status end_of_token(struct ca_call *c, struct xos_lock *lock, struct xos_err *err)
{
	struct xos_buf reply;
	uint64_t end = 0;
	enum xos_status st = XOS_OK;

	if (xos_json_has(c->command->args, "until"))
		return xos_err_set(err, XOS_MALFORMED, "lock-until",
		    "the lock of a token ends with the token: leave the end out");
	if (!xos_lock_serial_valid(lock->name))
		return XOS_OK; /* refused by ca_lock_add, with the reason */
	xos_buf_init(&reply, 8);
	st = xos_bulk_call(
	    c->auth->key, CA_TOKEN_END, xos_bytes_str(lock->name), ca_key_deadline(), &reply, err);
	if (st == XOS_OK)
		st = ca_u64_get(xos_buf_bytes(&reply), &end, err);
	if (st == XOS_OK)
		lock->until = (int64_t)end + CA_LOCK_TOKEN_PAST;
	xos_buf_free(&reply);
	return st;
}

/* What the person who locks wants to know: how many tokens that are out there it stops. The lock does not
 * depend on it. */
static void tell_held(struct ca_call *c, const struct xos_lock *lock)
{
	struct xos_buf ask, reply;
	uint64_t held = 0;

	xos_buf_init(&ask, XOS_LOCK_NAME_MAX + 8);
	xos_buf_init(&reply, 8);
	xos_buf_u8(&ask, (uint8_t)lock->kind);
	xos_buf_lp_str(&ask, lock->name);
	if (xos_bulk_call(c->auth->key, CA_HELD, xos_buf_bytes(&ask), ca_key_deadline(), &reply,
	        NULL) == XOS_OK &&
	    ca_u64_get(xos_buf_bytes(&reply), &held, NULL) == XOS_OK)
		xos_json_set_int(c->result, "held", (int64_t)held);
	xos_buf_free(&reply);
	xos_buf_free(&ask);
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
		if (lock.kind == XOS_LOCK_TOKEN)
			st = end_of_token(c, &lock, err);
	}
	if (st == XOS_OK) {
		st = ca_lock_add(c->auth->membership, &lock, err);
	}
	if (st == XOS_OK)
		st = somebody_left(c, &lock, err);
	if (st == XOS_OK) {
		c->result = xos_json_object();
		xos_json_set_string(c->result, "id", lock.id);
		tell_held(c, &lock);
	}
	return st;
}

/* By which it can be asked whether the nodes have taken it back; "" if there is none. */
static enum xos_status id_of(struct ca_call *c, enum xos_lock_kind kind, const char *name,
    char id[XOS_LOCK_ID_MAX + 1], struct xos_err *err)
{
	struct xos_lock *locks = NULL;
	size_t n = 0;
	enum xos_status st = ca_lock_list(c->auth->membership, c->now, &locks, &n, err);

	for (size_t i = 0; st == XOS_OK && i < n; i++)
		if (locks[i].kind == kind && strcmp(locks[i].name, name) == 0)
			memcpy(id, locks[i].id, sizeof(locks[i].id));
	free(locks);
	return st;
}

static enum xos_status take_away(struct ca_call *c, struct xos_err *err)
{
	char id[XOS_LOCK_ID_MAX + 1] = "";
	enum xos_lock_kind kind = XOS_LOCK_MEMBER;
	const char *name = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "kind", "name");

	if (st == XOS_OK)
		st = read_kind(c, &kind, err);
	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	if (st == XOS_OK)
		st = id_of(c, kind, name, id, err);
	if (st == XOS_OK)
		st = ca_lock_remove(c->auth->membership, kind, name, err);
	if (st == XOS_OK) {
		c->result = xos_json_object();
		xos_json_set_string(c->result, "id", id[0] ? id : NULL);
	}
	return st;
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
