#include "ca/membership/sealed.h"

#include <string.h>

#include "base/event.h"
#include "base/text.h"
#include "ca/membership/acts.h"
#include "ca/messages.h"
#include "store/sql.h"

static enum xos_status make(struct ca_membership *m, int64_t now, struct xos_err *err)
{
	char role[XOS_FQAN_MAX + 1];
	uint64_t number = 0, version = 0;
	enum xos_status st;

	xos_str_printf(role, sizeof(role), "/%s/Role=admin", m->vo);
	if (!xos_name_is_member(m->vo, CA_SEALED_NAME))
		return xos_err_set(err, XOS_INTERNAL, "sealed", "the name does not fit this VO");
	st = ca_counter_next(m, "member", &number, err);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "INSERT INTO members (number, name, state, added, kind)"
		    " VALUES (?1, ?2, 'active', ?3, 'sealed')",
		    "isi", (int64_t)number, CA_SEALED_NAME, now);
	if (st == XOS_OK)
		st = ca_role_grant(m, CA_SEALED_NAME, role, now, err);
	return st == XOS_OK ? ca_counter_next(m, "roster", &version, err) : st;
}

enum xos_status ca_sealed_seal(struct ca_membership *m, int64_t now, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	struct ca_member *is = NULL;
	enum xos_status st = ca_member_get(m, CA_SEALED_NAME, &is, &why);

	if (st == XOS_NOT_FOUND) {
		st = make(m, now, err);
	} else if (st != XOS_OK) {
		*err = why;
	} else if (is->kind != CA_SEALED) {
		st = xos_err_set(err, XOS_CONFLICT, "member-exists",
		    "\"" CA_SEALED_NAME "\" is, or was, a member's name in VO %s", m->vo);
	}
	ca_member_free(is);
	if (st == XOS_OK)
		st = xos_sql_run(
		    m->store, NULL, err, "UPDATE vo SET sealed = ?1, unsealed = 0", "i", now);
	return st;
}

static enum xos_status record(struct ca_membership *m, const struct ca_member *who,
    const char *address, int64_t now, struct xos_err *err)
{
	const struct ca_act act = {
	    .at = now, .actor = who->name, .number = who->number, .verb = "break-glass.use"};
	struct xos_json *args = xos_json_object();

	xos_json_set_text(args, "address", address);
	return ca_act_of(m, &act, args, err);
}

enum xos_status ca_sealed_used(struct ca_membership *m, const char *member, const char *address,
    int64_t now, struct xos_err *err)
{
	struct ca_member *who = NULL;
	enum xos_status st;

	if (strcmp(member, CA_SEALED_NAME) != 0)
		return XOS_OK;
	st = ca_member_get(m, member, &who, err);
	if (st == XOS_OK && who->kind == CA_SEALED) {
		st = xos_store_begin(m->store, err);
		if (st == XOS_OK)
			st = xos_sql_run(m->store, NULL, err,
			    "UPDATE vo SET sealed = 0, unsealed = ?1", "i", now);
		if (st == XOS_OK)
			st = record(m, who, address, now, err);
		if (st == XOS_OK)
			st = xos_store_commit(m->store, err);
		xos_store_rollback(m->store);
		XOS_EVENT(XOS_ERROR, "break-glass.used", "member", member, "peer", address);
	}
	ca_member_free(who);
	return st;
}

enum xos_status ca_sealed_fresh(
    const struct ca_member *member, int64_t authenticated, int64_t now, struct xos_err *err)
{
	if (member->kind != CA_SEALED || now - authenticated <= CA_GRANT_LIFE)
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "sealed-renewal",
	    "a token of the sealed administrator is not renewed: let an administrator do what is "
	    "left to do");
}

enum xos_status ca_sealed_refuse(const char *name, struct xos_err *err)
{
	if (strcmp(name, CA_SEALED_NAME) != 0)
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "sealed",
	    "\"" CA_SEALED_NAME "\" is the VO's sealed administrator: xos-vo break-glass seals it "
	    "anew, and nothing else gives it a secret or takes it away");
}
