/* rules.set */
#include "ca/auth/commands.h"
#include "ca/membership/rules.h"

static enum xos_status set(struct ca_call *c, struct xos_err *err)
{
	const char *text = NULL;
	uint64_t version = 0;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "text");

	if (st == XOS_OK)
		st = xos_json_get_string(c->command->args, "text", XOS_RULES_TEXT_MAX, &text, err);
	if (st == XOS_OK && !text[0])
		st = xos_err_set(err, XOS_MALFORMED, "rules-text", "the rules are empty");
	if (st == XOS_OK)
		st = ca_rules_set(c->auth->membership, text, c->now, &version, err);
	if (st == XOS_OK) {
		c->result = xos_json_object();
		xos_json_set_int(c->result, "version", (int64_t)version);
	}
	return st;
}

static const struct ca_verb verbs[] = {
    {"rules.set", true, false, set},
};
const struct ca_verbs ca_rules_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
