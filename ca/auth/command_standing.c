/* member.suspend, member.resume, member.until, member.contact */
#include <string.h>

#include "base/text.h"
#include "ca/auth/commands.h"
#include "ca/membership/standing.h"

/* An optional text for people, cleaned; out: "" if it is absent. */
static enum xos_status text_arg(
    struct ca_call *c, const char *key, char *out, size_t cap, struct xos_err *err)
{
	const char *text = NULL;
	enum xos_status st = xos_json_opt_string(c->command->args, key, cap - 1, &text, err);

	if (st == XOS_OK && !xos_str_copy(out, cap, text ? text : ""))
		st = xos_err_set(err, XOS_MALFORMED, "json-field", "%s is too long", key);
	if (st == XOS_OK)
		xos_text_clean(out);
	return st;
}

static enum xos_status suspend(struct ca_call *c, struct xos_err *err)
{
	char reason[CA_REASON_MAX + 1];
	const char *name = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "name", "reason");

	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	if (st == XOS_OK)
		st = text_arg(c, "reason", reason, sizeof(reason), err);
	return st == XOS_OK ? ca_member_suspend(c->auth->membership, name, reason, c->now, err)
	                    : st;
}

static enum xos_status resume(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "name");

	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	return st == XOS_OK ? ca_member_resume(c->auth->membership, name, err) : st;
}

static enum xos_status until(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL;
	int64_t end = CA_NO_END;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "name", "until");

	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(c->command->args, "until", CA_NO_END, &end, err);
	return st == XOS_OK ? ca_member_until(c->auth->membership, name, end, c->now, err) : st;
}

static enum xos_status contact(struct ca_call *c, struct xos_err *err)
{
	char text[CA_CONTACT_MAX + 1];
	const char *name = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "name", "contact");

	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	if (st == XOS_OK)
		st = text_arg(c, "contact", text, sizeof(text), err);
	return st == XOS_OK ? ca_member_contact(c->auth->membership, name, text, err) : st;
}

enum xos_status ca_member_details(struct ca_call *c, const char *name, struct xos_err *err)
{
	char text[CA_CONTACT_MAX + 1] = "";
	int64_t end = CA_NO_END;
	enum xos_status st = xos_json_opt_time(c->command->args, "until", CA_NO_END, &end, err);

	if (st == XOS_OK && end < CA_NO_END)
		st = ca_member_until(c->auth->membership, name, end, c->now, err);
	if (st == XOS_OK)
		st = text_arg(c, "contact", text, sizeof(text), err);
	return st == XOS_OK && text[0] ? ca_member_contact(c->auth->membership, name, text, err)
	                               : st;
}

static const struct ca_verb verbs[] = {
    {"member.suspend", true, false, suspend},
    {"member.resume", true, false, resume},
    {"member.until", true, false, until},
    {"member.contact", true, false, contact},
};
const struct ca_verbs ca_standing_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
