/* application.list, application.show, application.approve, application.deny */
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/text.h"
#include "ca/auth/applications.h"
#include "ca/auth/commands.h"
#include "ca/membership/standing.h"

#define PAGE_MAX 200

static struct xos_json *encode(const struct ca_application *a)
{
	struct xos_json *o = xos_json_object();

	xos_json_set_string(o, "id", a->id);
	xos_json_set_string(o, "name", a->name);
	xos_json_set_string(o, "state", ca_application_state_name(a->state));
	xos_json_set_text(o, "contact", a->contact);
	xos_json_set_text(o, "text", a->text);
	xos_json_set_text(o, "address", a->address);
	xos_json_set_time(o, "at", a->at);
	xos_json_set_bool(o, "taken", a->taken);
	return o;
}

static enum xos_status list(struct ca_call *c, struct xos_err *err)
{
	struct ca_application *all = NULL;
	struct xos_json *out;
	const char *after = NULL;
	int64_t max = 0;
	size_t n = 0;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "after", "max");

	if (st == XOS_OK)
		st = xos_json_opt_string(c->command->args, "after", XOS_APPLY_ID_LEN, &after, err);
	if (st == XOS_OK)
		st = xos_json_opt_int64(c->command->args, "max", 1, PAGE_MAX, PAGE_MAX, &max, err);
	if (st == XOS_OK &&
	    ca_applications_tidy(c->auth->membership, c->auth->verifiers, c->now, err) != XOS_OK)
		xos_event_err(XOS_WARN, "applications.tidy", err, (const char *)NULL);
	if (st == XOS_OK)
		st = ca_application_page(
		    c->auth->membership, after ? after : "", (size_t)max + 1, &all, &n, err);
	if (st != XOS_OK)
		return st;
	out = xos_json_array();
	for (size_t i = 0; i < n && i < (size_t)max; i++)
		xos_json_add(out, encode(&all[i]));
	free(all);
	c->result = xos_json_object();
	xos_json_set(c->result, "applications", out);
	xos_json_set_bool(c->result, "more", n > (size_t)max);
	return XOS_OK;
}

static enum xos_status find(struct ca_call *c, struct ca_application *out, struct xos_err *err)
{
	const char *id = NULL;
	enum xos_status st = ca_arg(c, "id", &id, err);

	return st == XOS_OK ? ca_application_get(c->auth->membership, id, out, err) : st;
}

static enum xos_status show(struct ca_call *c, struct xos_err *err)
{
	struct ca_application a;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "id");

	if (st == XOS_OK)
		st = find(c, &a, err);
	if (st == XOS_OK)
		c->result = encode(&a);
	return st;
}

/* The name stands in the command so that it stands in the record. */
static enum xos_status check_name(
    struct ca_call *c, const struct ca_application *a, struct xos_err *err)
{
	const char *name = NULL;
	enum xos_status st = ca_arg(c, "name", &name, err);

	if (st == XOS_OK && strcmp(name, a->name) != 0)
		st = xos_err_set(err, XOS_CONFLICT, "application-name",
		    "application %s is for the name %s, not %s", a->id, a->name, name);
	return st;
}

static enum xos_status approve(struct ca_call *c, struct xos_err *err)
{
	struct ca_application a;
	uint64_t number = 0;
	enum xos_status st =
	    XOS_JSON_ONLY(c->command->args, err, "id", "name", "groups", "roles", "until");

	if (st == XOS_OK)
		st = find(c, &a, err);
	if (st == XOS_OK)
		st = check_name(c, &a, err);
	if (st == XOS_OK)
		st = ca_application_decide(c->auth->membership, a.id, CA_APPROVED, "", c->now, err);
	if (st == XOS_OK)
		st = ca_member_add(c->auth->membership, a.name, c->now, &number, err);
	if (st == XOS_OK)
		st = ca_member_contact(c->auth->membership, a.name, a.contact, err);
	if (st == XOS_OK)
		st = ca_member_details(c, a.name, err);
	if (st == XOS_OK)
		st = ca_member_joins(c, a.name, err);
	if (st == XOS_OK)
		st = ca_application_verifier(c->auth->verifiers, a.id, &c->verifier.verifier, err);
	if (st == XOS_OK) {
		memcpy(c->verifier.member, a.name, sizeof(a.name));
		c->sets_verifier = true;
		c->result = xos_json_object();
		xos_json_set_string(c->result, "name", a.name);
		xos_json_set_int(c->result, "number", (int64_t)number);
	}
	return st;
}

static enum xos_status deny(struct ca_call *c, struct xos_err *err)
{
	struct ca_application a;
	char reason[CA_REASON_MAX + 1];
	const char *text = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "id", "name", "reason");

	if (st == XOS_OK)
		st = find(c, &a, err);
	if (st == XOS_OK)
		st = check_name(c, &a, err);
	if (st == XOS_OK)
		st = xos_json_get_string(c->command->args, "reason", CA_REASON_MAX, &text, err);
	if (st == XOS_OK && !xos_str_copy(reason, sizeof(reason), text))
		st = xos_err_set(err, XOS_MALFORMED, "json-field", "the reason is too long");
	if (st != XOS_OK)
		return st;
	xos_text_clean(reason);
	return ca_application_decide(c->auth->membership, a.id, CA_DENIED, reason, c->now, err);
}

static const struct ca_verb verbs[] = {
    {"application.list", false, false, list},
    {"application.show", false, false, show},
    {"application.approve", true, false, approve},
    {"application.deny", true, false, deny},
};
const struct ca_verbs ca_application_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
