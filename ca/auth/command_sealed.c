/* break-glass.seal */
#include "ca/auth/commands.h"
#include "ca/membership/sealed.h"

/* A code made on the administrator's machine; whoever is sealed seals nothing. */
static enum xos_status seal(struct ca_call *c, struct xos_err *err)
{
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "verifier");

	if (st == XOS_OK)
		st = ca_sealed_refuse(c->command->signer->claims->name, err);
	if (st == XOS_OK)
		st = ca_arg_code(c, CA_SEALED_NAME, err);
	if (st == XOS_OK)
		st = ca_sealed_seal(c->auth->membership, c->now, err);
	if (st == XOS_OK) {
		c->verifier.until = CA_NO_END;
		c->result = xos_json_object();
		xos_json_set_string(c->result, "member", CA_SEALED_NAME);
		xos_json_set_string(c->result, "vo", c->auth->vo);
	}
	return st;
}

static const struct ca_verb verbs[] = {
    {"break-glass.seal", true, false, seal},
};
const struct ca_verbs ca_sealed_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
