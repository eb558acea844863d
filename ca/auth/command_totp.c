/* totp.begin, totp.confirm, totp.remove, totp.require, totp.release, totp.status */
#include <string.h>

#include "base/text.h"
#include "ca/auth/command_self.h"
#include "ca/auth/totp.h"
#include "store/sql.h"

static const char *signer(const struct ca_call *c)
{
	return c->command->signer->claims->name;
}

/* --- enrolment: two halves of a key exchange, then one code --- */

static enum xos_status not_yet(struct ca_call *c, struct xos_err *err)
{
	bool enrolled = false;
	enum xos_status st = ca_totp_enrolled(c->auth->verifiers, signer(c), &enrolled, err);

	if (st == XOS_OK && enrolled)
		st = xos_err_set(err, XOS_CONFLICT, "totp-enrolled",
		    "you have a second factor: take it away first, with xos-token totp remove");
	return st;
}

static enum xos_status agree(
    struct ca_call *c, struct xos_bytes spki, const struct xos_key *own, struct xos_err *err)
{
	uint8_t secret[XOS_TOTP_SECRET_LEN];
	struct xos_key *peer = NULL;
	enum xos_status st = xos_key_from_spki(spki, &peer, err);

	if (st == XOS_OK)
		st = xos_totp_agree(own, peer, false, c->auth->vo, signer(c), secret, err);
	if (st == XOS_OK) {
		ca_enrolment_put(c->auth, signer(c), secret, c->now);
		c->result = xos_json_object();
		xos_json_set_bytes(c->result, "key", xos_key_spki(own));
	}
	xos_wipe(secret, sizeof(secret));
	xos_key_free(peer);
	return st;
}

static enum xos_status begin(struct ca_call *c, struct xos_err *err)
{
	struct xos_key *own = NULL;
	struct xos_buf spki;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "key");

	xos_buf_init(&spki, XOS_SPKI_MAX);
	if (st == XOS_OK)
		st = ca_demand_fresh(c, err);
	if (st == XOS_OK)
		st = not_yet(c, err);
	if (st == XOS_OK)
		st = xos_json_get_bytes(c->command->args, "key", XOS_SPKI_MAX, &spki, err);
	if (st == XOS_OK)
		st = xos_key_generate(&own, err);
	if (st == XOS_OK)
		st = agree(c, xos_buf_bytes(&spki), own, err);
	xos_key_free(own);
	xos_buf_free(&spki);
	return st;
}

static enum xos_status enrol(
    struct ca_call *c, struct ca_enrolment *e, const char *code, struct xos_err *err)
{
	struct ca_verifier_change *change = &c->verifier;
	enum xos_status st = ca_throttle_second_check(c->auth->throttle, signer(c), c->now, err);

	if (st != XOS_OK)
		return st;
	st = xos_totp_find(e->secret, code, c->now, 0, &change->totp_used);
	if (st == XOS_NOT_FOUND) {
		ca_throttle_second_failed(c->auth->throttle, signer(c), c->now);
		return xos_err_set(err, XOS_DENIED, "totp-wrong",
		    "this is not the code that belongs to the secret: compare the clock of the "
		    "device, and begin again if it stays so");
	}
	if (st == XOS_OK && !xos_str_copy(change->member, sizeof(change->member), signer(c)))
		st = xos_err_set(err, XOS_INTERNAL, "member-name", "no member name");
	if (st == XOS_OK) {
		change->totp = true;
		memcpy(change->totp_secret, e->secret, sizeof(change->totp_secret));
		c->sets_verifier = true;
		xos_wipe(e, sizeof(*e));
	}
	return st;
}

static enum xos_status confirm(struct ca_call *c, struct xos_err *err)
{
	struct ca_enrolment *e;
	const char *code = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "code");

	if (st == XOS_OK)
		st = ca_arg(c, "code", &code, err);
	if (st == XOS_OK)
		st = ca_demand_fresh(c, err);
	if (st == XOS_OK)
		st = not_yet(c, err);
	if (st != XOS_OK)
		return st;
	e = ca_enrolment_get(c->auth, signer(c), c->now);
	if (!e)
		return xos_err_set(err, XOS_NOT_FOUND, "totp-begin",
		    "no enrolment was begun in the last %d minutes: begin again",
		    CA_ENROLMENT_LIFE / 60);
	return enrol(c, e, code, err);
}

/* One's own needs a code, also for administrators: whoever took the token must not take this away too. */
static enum xos_status take_away(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL, *code = NULL;
	bool enrolled = false;
	uint64_t number = 0;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "name", "code");

	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	if (st == XOS_OK)
		st = xos_json_opt_string(c->command->args, "code", 16, &code, err);
	if (st == XOS_OK && strcmp(name, signer(c)) == 0)
		st = code ? ca_totp_take(c->auth, name, code, c->now, err)
		          : xos_err_set(err, XOS_DENIED, "totp-needed",
		                "your own second factor goes with a code of it only");
	else if (st == XOS_OK)
		st = ca_demand_admin(c, err);
	if (st == XOS_OK)
		st = ca_member_number(c->auth->membership, name, &number, err);
	if (st == XOS_OK)
		st = ca_totp_enrolled(c->auth->verifiers, name, &enrolled, err);
	if (st == XOS_OK && !enrolled)
		st = xos_err_set(err, XOS_NOT_FOUND, "totp-none", "%s has no second factor", name);
	if (st == XOS_OK) {
		c->verifier.totp = c->verifier.removes = true;
		c->sets_verifier =
		    xos_str_copy(c->verifier.member, sizeof(c->verifier.member), name);
	}
	return st;
}

/* --- who must have one --- */

static enum xos_status group_arg(struct ca_call *c, const char **group, struct xos_err *err)
{
	int64_t n = 0;
	enum xos_status st = ca_arg(c, "group", group, err);

	if (st == XOS_OK)
		st = xos_sql_int(c->auth->membership->store, &n, err,
		    "SELECT COUNT(*) FROM vo_groups WHERE name = ?1", "s", *group);
	if (st == XOS_OK && n == 0)
		st = xos_err_set(err, XOS_NOT_FOUND, "no-group", "there is no group %s", *group);
	return st;
}

/* Who makes a rule that would shut the maker out has not tried it. */
static enum xos_status tried(struct ca_call *c, int64_t from, struct xos_err *err)
{
	char group[XOS_FQAN_MAX + 1];
	struct ca_member *me = NULL;
	bool enrolled = false;
	enum xos_status st = ca_member_get(c->auth->membership, signer(c), &me, err);

	if (st == XOS_OK)
		st = ca_totp_required(c->auth->membership, me, from, group, err);
	if (st == XOS_OK)
		st = ca_totp_enrolled(c->auth->verifiers, signer(c), &enrolled, err);
	if (st == XOS_OK && group[0] && !enrolled)
		st = xos_err_set(err, XOS_CONFLICT, "totp-not-enrolled",
		    "you are in %s and have no second factor yourself: xos-token totp enrol first",
		    group);
	ca_member_free(me);
	return st;
}

static enum xos_status require(struct ca_call *c, struct xos_err *err)
{
	const char *group = NULL;
	int64_t n = 0, from = 0;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "group", "from");

	if (st == XOS_OK)
		st = group_arg(c, &group, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(c->command->args, "from", c->now, &from, err);
	if (st == XOS_OK)
		st = xos_sql_run(c->auth->membership->store, &n, err,
		    "INSERT INTO totp_required (grp, since, demanded) SELECT ?1, ?2, ?3 WHERE NOT "
		    "EXISTS"
		    " (SELECT 1 FROM totp_required WHERE grp = ?1)",
		    "sii", group, c->now, from);
	if (st == XOS_OK && n == 0)
		st = xos_err_set(err, XOS_CONFLICT, "totp-required",
		    "members of %s must have a second factor already", group);
	return st == XOS_OK ? tried(c, from, err) : st;
}

static enum xos_status release(struct ca_call *c, struct xos_err *err)
{
	const char *group = NULL;
	int64_t n = 0;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "group");

	if (st == XOS_OK)
		st = group_arg(c, &group, err);
	if (st == XOS_OK)
		st = xos_sql_run(c->auth->membership->store, &n, err,
		    "DELETE FROM totp_required WHERE grp = ?1", "s", group);
	if (st == XOS_OK && n == 0)
		st = xos_err_set(err, XOS_NOT_FOUND, "totp-required",
		    "members of %s need no second factor", group);
	return st;
}

static enum xos_status add_required(struct ca_call *c, struct xos_json *out, struct xos_err *err)
{
	struct xos_json *list = xos_json_array();
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(c->auth->membership->store, &q, err,
	    "SELECT grp, demanded FROM totp_required ORDER BY grp", "");

	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row) {
		struct xos_json *o = xos_json_object();

		xos_json_set_string(o, "group", xos_stmt_text(q, 0));
		xos_json_set_time(o, "from", xos_stmt_int(q, 1));
		xos_json_add(list, o);
	}
	xos_stmt_done(q);
	xos_json_set(out, "required", list);
	return st;
}

static enum xos_status status(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL;
	bool enrolled = false;
	uint64_t number = 0;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "name");

	if (st == XOS_OK)
		st = xos_json_opt_string(c->command->args, "name", XOS_MEMBER_MAX, &name, err);
	if (st == XOS_OK && name && strcmp(name, signer(c)) != 0) {
		st = ca_demand_admin(c, err);
		if (st == XOS_OK)
			st = ca_member_number(c->auth->membership, name, &number, err);
	}
	if (st == XOS_OK)
		st = ca_totp_enrolled(c->auth->verifiers, name ? name : signer(c), &enrolled, err);
	if (st != XOS_OK)
		return st;
	c->result = xos_json_object();
	xos_json_set_string(c->result, "name", name ? name : signer(c));
	xos_json_set_bool(c->result, "enrolled", enrolled);
	return add_required(c, c->result, err);
}

static const struct ca_verb verbs[] = {
    {"totp.begin", false, true, begin},
    {"totp.confirm", true, true, confirm},
    {"totp.remove", true, true, take_away},
    {"totp.require", true, false, require},
    {"totp.release", true, false, release},
    {"totp.status", false, true, status},
};
const struct ca_verbs ca_totp_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
