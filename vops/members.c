/* What members may ask of the policy service: sets of groups, by their administrators, and of owners, by themselves. The
 * caller's transaction. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "vops/members.h"
#include "vops/scoped.h"
#include "vops/standing.h"

struct target {
	enum vops_scope kind;
	enum xos_policy_level level;
	const char *name;
};

static enum xos_status get_target(
    const struct vops_auth *a, const struct xos_json *args, struct target *t, struct xos_err *err)
{
	const char *level = NULL, *vo = a->conf->common.vo;
	size_t len = strlen(vo);
	enum xos_status st = xos_json_get_string(args, "level", 16, &level, err);

	if (st == XOS_OK)
		st = xos_json_get_string(args, "name", XOS_FQAN_MAX, &t->name, err);
	if (st != XOS_OK)
		return st;
	if (strcmp(level, "group") == 0) {
		t->kind = VOPS_SCOPE_GROUP;
		t->level = XOS_POLICY_GROUP;
		if (!xos_name_is_group(t->name) || !xos_fqan_in_vo(t->name, vo))
			st = xos_json_refuse(args, err, "\"%s\" is no group of VO %s", t->name, vo);
	} else if (strcmp(level, "owner") == 0) {
		t->kind = VOPS_SCOPE_OWNER;
		t->level = XOS_POLICY_OWNER;
		if (strncmp(t->name, vo, len) != 0 || t->name[len] != ':' ||
		    !xos_name_is_member(vo, t->name + len + 1))
			st = xos_json_refuse(args, err,
			    "\"%s\" is no member of VO %s: write %s:NAME", t->name, vo, vo);
	} else {
		st = xos_json_refuse(args, err, "level: expected group or owner");
	}
	return st;
}

/* Who may write and read it. An owner's set is the member's own: nobody else writes it. */
static enum xos_status check_writer(struct vops_auth *a, const struct xos_command *c,
    const struct target *t, int64_t now, struct xos_err *err)
{
	const struct xos_claims *who = c->signer->claims;

	if (t->kind == VOPS_SCOPE_GROUP)
		return vops_standing_group(a, c, t->name, now, err);
	if (strcmp(strchr(t->name, ':') + 1, who->name) != 0)
		return xos_err_set(err, XOS_DENIED, "not-owner",
		    "the set of %s is that member's own, and %s is somebody else", t->name,
		    who->name);
	return vops_standing_member(a, c->signer, now, err);
}

/* An administrator of the VO may take any of these sets away, and read them. */
static enum xos_status check_reader(struct vops_auth *a, const struct xos_command *c,
    const struct target *t, int64_t now, struct xos_err *err)
{
	return xos_command_is_admin(c) ? vops_standing_admin(a, c, now, err)
	                               : check_writer(a, c, t, now, err);
}

static enum xos_status check_text(
    const struct target *t, const char *text, uint64_t *serial, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	enum xos_status st = xos_policy_set_load(text, strlen(text), "pushed set", &set, err);

	if (st != XOS_OK)
		return st;
	*serial = xos_policy_set_serial(set);
	if (xos_policy_set_level(set) != t->level || strcmp(xos_policy_set_name(set), t->name) != 0)
		st = xos_err_set(err, XOS_DENIED, "set-name",
		    "the head of the set says %s %s, and it was pushed for the %s %s",
		    xos_policy_level_name(xos_policy_set_level(set)), xos_policy_set_name(set),
		    vops_scope_name(t->kind), t->name);
	else if (*serial == 0 || *serial > INT64_MAX)
		st = xos_err_set(err, XOS_MALFORMED, "set-serial",
		    "the set needs a serial of 1 or more, raised with each change");
	xos_policy_set_unref(set);
	return st;
}

enum xos_status vops_member_push(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	struct target t = {.name = NULL};
	struct vops_scoped set = {.name = NULL};
	const char *text = NULL;
	int64_t now = xos_clock_now();
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "level", "name", "text");

	if (st == XOS_OK)
		st = get_target(a, c->args, &t, err);
	if (st == XOS_OK)
		st = check_writer(a, c, &t, now, err);
	if (st == XOS_OK)
		st = xos_json_get_string(c->args, "text",
		    t.kind == VOPS_SCOPE_GROUP ? VOPS_GROUP_TEXT_MAX : VOPS_OWNER_TEXT_MAX, &text,
		    err);
	if (st == XOS_OK)
		st = check_text(&t, text, &set.serial, err);
	if (st != XOS_OK)
		return st;
	set.kind = t.kind;
	set.name = t.name;
	set.text = xos_bytes_str(text);
	st = vops_scoped_add(a->db, &set, c->signer->claims->name, now, err);
	if (st == XOS_OK) {
		*result = xos_json_object();
		xos_json_set_string(*result, "name", t.name);
		xos_json_set_int(*result, "serial", (int64_t)set.serial);
	}
	return st;
}

enum xos_status vops_member_withdraw(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	struct target t = {.name = NULL};
	int64_t now = xos_clock_now();
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "level", "name");

	(void)result;
	if (st == XOS_OK)
		st = get_target(a, c->args, &t, err);
	if (st == XOS_OK)
		st = check_reader(a, c, &t, now, err);
	return st == XOS_OK
	           ? vops_scoped_withdraw(a->db, t.kind, t.name, c->signer->claims->name, now, err)
	           : st;
}

enum xos_status vops_member_show(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	struct target t = {.name = NULL};
	struct xos_buf text;
	uint64_t serial = 0, found = 0;
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "level", "name", "serial");

	xos_buf_init(&text, XOS_POLICY_TEXT_MAX + 1);
	if (st == XOS_OK)
		st = get_target(a, c->args, &t, err);
	if (st == XOS_OK)
		st = check_reader(a, c, &t, xos_clock_now(), err);
	if (st == XOS_OK)
		st = xos_json_opt_uint64(c->args, "serial", INT64_MAX, 0, &serial, err);
	if (st == XOS_OK)
		st = vops_scoped_get(a->db, t.kind, t.name, serial, &text, &found, err);
	if (st == XOS_OK) {
		*result = xos_json_object();
		xos_json_set_int(*result, "serial", (int64_t)found);
		xos_json_set_string(*result, "text", xos_buf_str(&text));
	}
	xos_buf_free(&text);
	return st;
}

/* Of one group or owner; of all, for administrators of the VO. */
enum xos_status vops_member_list(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	struct target t = {.name = NULL};
	int64_t now = xos_clock_now();
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "level", "name");

	if (st == XOS_OK && !xos_json_has(c->args, "name"))
		st = vops_standing_admin(a, c, now, err);
	else if (st == XOS_OK) {
		st = get_target(a, c->args, &t, err);
		if (st == XOS_OK)
			st = check_reader(a, c, &t, now, err);
	}
	return st == XOS_OK ? vops_scoped_list(a->db, t.name, result, err) : st;
}
