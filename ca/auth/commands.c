#include "ca/auth/commands.h"

#include <string.h>

#include "api/once.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "ca/membership/acts.h"
#include "ca/membership/sealed.h"
#include "ca/membership/standing.h"

#define SKEW 300
#define ARG_MAX_LEN 1024
/* An act that did not fit into a record of the log would stop the log, and with it all tokens. */
#define LOGGED_ARGS_MAX (32 * 1024)

enum xos_status ca_arg(struct ca_call *c, const char *key, const char **value, struct xos_err *err)
{
	return xos_json_get_string(c->command->args, key, ARG_MAX_LEN, value, err);
}

static enum xos_status read_verifier(
    struct ca_call *c, const char *member, struct ca_verifier_change *change, struct xos_err *err)
{
	const char *text = NULL;
	enum xos_status st = ca_arg(c, "verifier", &text, err);

	if (st == XOS_OK)
		st = xos_scram_verifier_parse(text, &change->verifier, err);
	/* All alike, so that the count tells nobody who exists. */
	if (st == XOS_OK && change->verifier.iterations != (uint32_t)c->auth->iterations)
		st = xos_err_set(err, XOS_MALFORMED, "scram-iterations",
		    "passwords of VO %s take %lld iterations, not %u", c->auth->vo,
		    (long long)c->auth->iterations, change->verifier.iterations);
	if (st == XOS_OK && !xos_str_copy(change->member, sizeof(change->member), member))
		st = xos_err_set(err, XOS_MALFORMED, "member-name", "no member name");
	return st;
}

enum xos_status ca_arg_verifier(struct ca_call *c, const char *member, struct xos_err *err)
{
	enum xos_status st = read_verifier(c, member, &c->verifier, err);

	c->sets_verifier = st == XOS_OK;
	return st;
}

static enum xos_status read_code_end(struct ca_call *c, int64_t *until, struct xos_err *err)
{
	const struct xos_json *args = c->command->args;
	int64_t life = 0, end = 0;
	enum xos_status st = xos_json_opt_int64(
	    args, "for", CA_CODE_LIFE_MIN, CA_CODE_LIFE_MAX, CA_CODE_LIFE, &life, err);

	if (st == XOS_OK)
		st = xos_json_opt_time(args, "until", c->now + life, &end, err);
	if (st == XOS_OK && xos_json_has(args, "for") && xos_json_has(args, "until"))
		st = xos_err_set(err, XOS_MALFORMED, "code-end",
		    "a code ends at \"until\" or after \"for\" seconds, not both");
	if (st == XOS_OK && (end < c->now + CA_CODE_LIFE_MIN || end > c->now + CA_CODE_LIFE_MAX))
		st = xos_err_set(err, XOS_MALFORMED, "code-end",
		    "a one-time code lives from %d seconds to %d days", CA_CODE_LIFE_MIN,
		    CA_CODE_LIFE_MAX / 86400);
	*until = end;
	return st;
}

enum xos_status ca_arg_code(struct ca_call *c, const char *member, struct xos_err *err)
{
	struct ca_verifier_change *change = &c->verifier;
	uint8_t salt[XOS_SCRAM_SALT_LEN];
	enum xos_status st = read_verifier(c, member, change, err);

	change->kind = XOS_SCRAM_CODE;
	if (st == XOS_OK)
		st = read_code_end(c, &change->until, err);
	if (st == XOS_OK)
		st = xos_scram_code_salt(member, salt);
	if (st == XOS_OK && memcmp(salt, change->verifier.salt, sizeof(salt)) != 0)
		st = xos_err_set(err, XOS_MALFORMED, "code-salt",
		    "the verifier of a one-time code must have the salt of %s's codes", member);
	c->sets_verifier = st == XOS_OK;
	return st;
}

/* --- who asks --- */

/* The token tells who the signer was at log-in; the membership tells who that is now. */
enum xos_status ca_signer_now(struct ca_call *c, struct ca_member **out, struct xos_err *err)
{
	const struct xos_claims *claims = c->command->signer->claims;
	enum xos_status st = ca_member_get(c->auth->membership, claims->name, out, err);

	if (st == XOS_OK && (*out)->number != claims->number)
		st = xos_err_set(err, XOS_DENIED, "member-suspended",
		    "the membership of %s in VO %s has ended", claims->name, c->auth->vo);
	if (st == XOS_OK)
		st = ca_standing_check(c->auth->membership, *out, c->now, err);
	if (st == XOS_OK)
		st = ca_lock_check(c->auth->membership, *out, (const char *const *)claims->roles,
		    claims->nroles, c->now, err);
	if (st == XOS_OK)
		st = ca_lock_check_token(
		    c->auth->membership, c->command->signer->serial, c->now, err);
	return st;
}

enum xos_status ca_demand_admin(struct ca_call *c, struct xos_err *err)
{
	struct ca_member *member = NULL;
	char role[XOS_FQAN_MAX + 1];
	enum xos_status st = xos_command_demand_admin(c->command, err);

	if (st == XOS_OK)
		st = ca_signer_now(c, &member, err);
	xos_str_printf(role, sizeof(role), "/%s/Role=admin", c->auth->vo);
	if (st == XOS_OK && !ca_member_holds(member, role))
		st = xos_err_set(err, XOS_DENIED, "not-administrator",
		    "%s was given up or taken away since you logged in", role);
	ca_member_free(member);
	return st;
}

static enum xos_status check_right(struct ca_call *c, const struct ca_verb *v, struct xos_err *err)
{
	struct ca_member *member = NULL;
	enum xos_status st;

	if (!v->any_member)
		return ca_demand_admin(c, err);
	st = ca_signer_now(c, &member, err);
	ca_member_free(member);
	return st;
}

static const struct ca_verb *find_verb(const char *name)
{
	static const struct ca_verbs *const tables[] = {&ca_member_verbs, &ca_group_verbs,
	    &ca_lock_verbs, &ca_vo_verbs, &ca_code_verbs, &ca_self_verbs, &ca_totp_verbs,
	    &ca_log_verbs, &ca_standing_verbs, &ca_grouptree_verbs, &ca_application_verbs,
	    &ca_import_verbs, &ca_invitation_verbs, &ca_rules_verbs, &ca_sealed_verbs,
	    &ca_robot_verbs, &ca_grant_verbs};

	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (size_t i = 0; i < tables[t]->n; i++)
			if (strcmp(tables[t]->verb[i].name, name) == 0)
				return &tables[t]->verb[i];
	return NULL;
}

/* --- writing --- */

/* The arguments as they stand in the log: a verifier is a secret, and a code may still be. */
static enum xos_status log_args(
    const struct xos_command *cmd, struct xos_buf *out, struct xos_err *err)
{
	static const char *const secret[] = {"verifier", "code"};
	struct xos_json *copy = xos_json_copy(cmd->args);
	enum xos_status st;

	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
		if (xos_json_has(copy, secret[i]))
			xos_json_set_string(copy, secret[i], "(not recorded)");
	st = xos_json_dump(copy, out, err);
	xos_json_free(copy);
	if (st == XOS_OK && out->n > LOGGED_ARGS_MAX)
		st = xos_err_set(err, XOS_LIMIT, "command-long",
		    "the command's arguments take %zu bytes; %d can be recorded", out->n,
		    LOGGED_ARGS_MAX);
	return st;
}

static enum xos_status add_act(struct ca_call *c, uint64_t *id, struct xos_err *err)
{
	const struct xos_command *cmd = c->command;
	struct xos_buf args;
	enum xos_status st;

	xos_buf_init(&args, XOS_COMMAND_BODY_MAX);
	st = log_args(cmd, &args, err);
	if (st == XOS_OK) {
		struct ca_act act = {.at = c->now,
		    .actor = cmd->signer->claims->name,
		    .number = cmd->signer->claims->number,
		    .verb = cmd->verb,
		    .args = xos_buf_str(&args),
		    .jti = cmd->jti,
		    .digest = {cmd->digest, sizeof(cmd->digest)}};

		st = ca_act_add(c->auth->membership, &act, err);
		*id = act.id;
	}
	xos_buf_free(&args);
	return st;
}

/* A command that was refused is used up too: what fails now may not succeed in somebody else's hands
 * a minute later. */
static void use_up(struct ca_call *c)
{
	struct xos_store *db = c->auth->membership->store;

	if (xos_store_begin(db, NULL) == XOS_OK &&
	    xos_once(db, c->command->jti, c->command->exp, c->now, NULL) == XOS_OK &&
	    xos_store_commit(db, NULL) == XOS_OK)
		return;
	xos_store_rollback(db);
}

static enum xos_status change(
    struct ca_call *c, const struct ca_verb *v, uint64_t *act_id, struct xos_err *err)
{
	struct ca_auth *a = c->auth;
	struct xos_store *db = a->membership->store;
	bool committed;
	enum xos_status st = xos_store_begin(db, err);

	if (st == XOS_OK)
		st = xos_once(db, c->command->jti, c->command->exp, c->now, err);
	if (st != XOS_OK) {
		xos_store_rollback(db);
		return st;
	}
	st = v->run(c, err);
	if (st == XOS_OK)
		st = add_act(c, act_id, err);
	if (st == XOS_OK && c->sets_verifier && v != ca_sealed_verbs.verb)
		st = ca_sealed_refuse(c->verifier.member, err);
	if (st == XOS_OK && c->sets_verifier)
		st = ca_verifiers_prepare(a->verifiers, c->command->jti, &c->verifier, err);
	if (st == XOS_OK)
		st = xos_store_commit(db, err);
	committed = st == XOS_OK;
	xos_store_rollback(db);
	if (c->sets_verifier) {
		enum xos_status applied = ca_verifiers_settle(
		    a->verifiers, c->command->jti, st == XOS_OK, c->now, st == XOS_OK ? err : NULL);
		if (st == XOS_OK)
			st = applied;
	}
	if (!committed)
		use_up(c);
	return st;
}

enum xos_status ca_auth_record(struct ca_auth *a, uint64_t act, struct xos_err *err)
{
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, 8);
	xos_buf_u64(&b, act);
	st = xos_bulk_call(a->key, CA_RECORD, xos_buf_bytes(&b), ca_key_deadline(), NULL, err);
	xos_buf_free(&b);
	if (st != XOS_OK)
		st = xos_err_prefix(err, st,
		    "the change is made but not recorded yet, which happens "
		    "before the next token is issued; the record says");
	return st;
}

static enum xos_status carry_out(struct ca_call *c, struct xos_buf *reply, struct xos_err *err)
{
	const struct ca_verb *v = find_verb(c->command->verb);
	struct xos_json *answer = NULL;
	uint64_t act = 0;
	enum xos_status st;

	if (!v)
		return xos_err_set(err, XOS_NOT_FOUND, "no-verb", "xos-cad knows no command \"%s\"",
		    c->command->verb);
	st = check_right(c, v, err);
	if (st == XOS_OK && !v->writes)
		st = v->run(c, err);
	else if (st == XOS_OK)
		st = change(c, v, &act, err);
	if (st == XOS_OK && v->writes)
		st = ca_auth_record(c->auth, act, err);
	if (st == XOS_OK) {
		answer = xos_command_answer(c->result);
		c->result = NULL;
		st = xos_json_dump(answer, reply, err);
	}
	xos_json_free(answer);
	xos_json_free(c->result);
	xos_wipe(&c->verifier, sizeof(c->verifier));
	return st;
}

enum xos_status ca_command(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_auth *a = auth;
	struct ca_call c = {.auth = a, .now = xos_clock_now()};
	struct xos_command_opts o = {
	    .trust = a->trust, .vo = a->vo, .aud = "ca", .now = c.now, .skew = SKEW};
	struct xos_command *cmd = NULL;
	char peer[CA_PEER_MAX + 1] = "";
	struct xos_bytes body = XOS_BYTES_NONE;
	enum xos_status st = ca_command_get(payload, peer, &body, err);

	(void)from;
	if (st == XOS_OK)
		st = xos_command_open(body, &o, &cmd, err);
	if (st == XOS_OK) {
		c.command = cmd;
		st = carry_out(&c, reply, err);
		if (st == XOS_OK)
			XOS_EVENT(XOS_INFO, "command.done", "verb", cmd->verb, "member",
			    cmd->signer->claims->name, "peer", peer, "jti", cmd->jti);
	}
	if (st != XOS_OK)
		xos_event_err(XOS_WARN, "command.refused", err, "verb", cmd ? cmd->verb : NULL,
		    "member", cmd ? cmd->signer->claims->name : NULL, "peer", peer,
		    (const char *)NULL);
	xos_command_free(cmd);
	return st;
}
