/* member.code */
#include "ca/auth/commands.h"

/* A one-time code for a member: who has it is believed to be the member, once. */
static enum xos_status code(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL;
	uint64_t number = 0;
	enum xos_status st =
	    XOS_JSON_ONLY(c->command->args, err, "name", "verifier", "until", "for");

	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	if (st == XOS_OK)
		st = ca_member_number(c->auth->membership, name, &number, err);
	if (st == XOS_OK)
		st = ca_arg_code(c, name, err);
	if (st == XOS_OK) {
		c->result = xos_json_object();
		xos_json_set_string(c->result, "name", name);
		xos_json_set_time(c->result, "until", c->verifier.until);
	}
	return st;
}

static const struct ca_verb verbs[] = {
    {"member.code", true, false, code},
};
const struct ca_verbs ca_code_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
