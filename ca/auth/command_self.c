/* What members do about themselves: password.set, token.list, token.end */
#include "ca/auth/command_self.h"
#include "ca/membership/jobgrants.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define SKEW 300

enum xos_status ca_demand_fresh(struct ca_call *c, struct xos_err *err)
{
	const struct xos_claims *claims = c->command->signer->claims;
	bool own = strcmp(claims->auth_method, "password") == 0 ||
	           strcmp(claims->auth_method, "code") == 0;

	if (own && claims->auth_time >= c->now - CA_FRESH && claims->auth_time <= c->now + SKEW)
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "login-old",
	    "%s needs a log-in of the last %d minutes, by password or one-time code: "
	    "xos-login --fresh %s, and then again",
	    c->command->verb, CA_FRESH / 60, claims->name);
}

/* Whoever finds an open laptop has its token, and must not make an identity of it. */
static enum xos_status set_password(struct ca_call *c, struct xos_err *err)
{
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "verifier");

	if (st == XOS_OK)
		st = ca_demand_fresh(c, err);
	return st == XOS_OK ? ca_arg_verifier(c, c->command->signer->claims->name, err) : st;
}

/* --- tokens --- */

enum xos_status ca_ask_tokens(
    struct ca_auth *a, uint64_t number, struct xos_json **out, struct xos_err *err)
{
	struct xos_buf ask, answer;
	enum xos_status st;

	xos_buf_init(&ask, 8);
	xos_buf_init(&answer, 0);
	xos_buf_u64(&ask, number);
	st = xos_bulk_call(a->key, CA_TOKENS, xos_buf_bytes(&ask), ca_key_deadline(), &answer, err);
	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&answer), XOS_BULK_MAX, out, err);
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	return st;
}

/* OK, whether locked or not: *locked. */
static enum xos_status is_locked(
    struct ca_call *c, const char *serial, bool *locked, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = ca_lock_check_token(c->auth->membership, serial, c->now, &why);

	*locked = st == XOS_DENIED;
	if (st == XOS_OK || st == XOS_DENIED)
		return XOS_OK;
	return xos_err_set(err, st, why.code, "%s", why.text);
}

static enum xos_status list(struct ca_call *c, struct xos_err *err)
{
	struct xos_json *all = NULL, *tokens = xos_json_array();
	enum xos_status st = xos_json_only(c->command->args, (const char *const[]){NULL}, err);

	if (st == XOS_OK)
		st = ca_ask_tokens(c->auth, c->command->signer->claims->number, &all, err);
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(all); i++) {
		struct xos_json *t = xos_json_copy(xos_json_at(all, i));
		const char *serial = NULL;
		bool locked = false;

		st = xos_json_get_string(t, "serial", XOS_SERIAL_TEXT, &serial, err);
		if (st == XOS_OK)
			st = is_locked(c, serial, &locked, err);
		if (st == XOS_OK) {
			xos_json_set_bool(
			    t, "this", strcmp(serial, c->command->signer->serial) == 0);
			xos_json_set_bool(t, "locked", locked);
			xos_json_add(tokens, t);
		} else {
			xos_json_free(t);
		}
	}
	if (st == XOS_OK) {
		c->result = xos_json_object();
		xos_json_set(c->result, "tokens", tokens);
		tokens = NULL;
	}
	xos_json_free(tokens);
	xos_json_free(all);
	return st;
}

/* The room for locks of tokens is the VO's: one member must not take that of all. */
static enum xos_status check_share(
    struct ca_call *c, const struct xos_json *all, size_t *locks, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < xos_json_count(all); i++) {
		const char *serial = NULL;
		bool locked = false;

		st = xos_json_get_string(
		    xos_json_at(all, i), "serial", XOS_SERIAL_TEXT, &serial, err);
		if (st == XOS_OK)
			st = is_locked(c, serial, &locked, err);
		*locks += locked;
	}
	return st;
}

static enum xos_status end_token(struct ca_call *c, const char *serial, int64_t until,
    size_t *locks, struct xos_json *ended, struct xos_err *err)
{
	struct xos_lock lock = {.kind = XOS_LOCK_TOKEN,
	    .since = c->now,
	    .until = until + CA_LOCK_TOKEN_PAST,
	    .message = "ended by its holder"};
	bool locked = false;
	enum xos_status st = is_locked(c, serial, &locked, err);

	if (st != XOS_OK || locked)
		return st;
	if (++*locks > CA_LOCK_TOKENS_OWN)
		return xos_err_set(err, XOS_LIMIT, "locks-own",
		    "you would have ended more than %d tokens, for which there is no room: ask an "
		    "administrator to lock you until they have expired",
		    CA_LOCK_TOKENS_OWN);
	if (!xos_str_copy(lock.name, sizeof(lock.name), serial))
		return xos_err_set(err, XOS_MALFORMED, "token-serial", "no serial of a token");
	st = ca_lock_add(c->auth->membership, &lock, err);
	if (st == XOS_OK)
		xos_json_add_string(ended, serial);
	return st;
}

/* Those of the member's tokens that are asked for: one by its serial (NULL: all). */
static enum xos_status end_tokens(struct ca_call *c, const char *only, const struct xos_json *all,
    struct xos_json *ended, struct xos_err *err)
{
	size_t locks = 0;
	bool found = !only;
	enum xos_status st = check_share(c, all, &locks, err);

	for (size_t i = 0; st == XOS_OK && i < xos_json_count(all); i++) {
		const struct xos_json *t = xos_json_at(all, i);
		const char *serial = NULL;
		int64_t until = 0;

		st = xos_json_get_string(t, "serial", XOS_SERIAL_TEXT, &serial, err);
		if (st == XOS_OK)
			st = xos_json_get_time(t, "not_after", &until, err);
		if (st != XOS_OK || (only && strcmp(only, serial) != 0))
			continue;
		found = true;
		st = end_token(c, serial, until, &locks, ended, err);
	}
	if (st == XOS_OK && !found)
		st = xos_err_set(err, XOS_NOT_FOUND, "no-token",
		    "you have no unexpired token with this serial: xos-token list shows yours");
	return st;
}

static enum xos_status end(struct ca_call *c, struct xos_err *err)
{
	struct xos_json *all = NULL, *ended = xos_json_array();
	const char *serial = NULL;
	bool everything = false;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "serial", "all");

	if (st == XOS_OK)
		st = xos_json_opt_string(c->command->args, "serial", XOS_SERIAL_TEXT, &serial, err);
	if (st == XOS_OK)
		st = xos_json_opt_bool(c->command->args, "all", false, &everything, err);
	if (st == XOS_OK && (serial != NULL) == everything)
		st = xos_err_set(err, XOS_MALFORMED, "json-field",
		    "token.end ends the token \"serial\", or \"all\" of them");
	if (st == XOS_OK)
		st = ca_ask_tokens(c->auth, c->command->signer->claims->number, &all, err);
	if (st == XOS_OK)
		st = end_tokens(c, serial, all, ended, err);
	/* Nothing is to act for the member any more, jobs neither. */
	if (st == XOS_OK && everything)
		st = ca_job_grants_end_member(c->auth->membership,
		    c->command->signer->claims->number, "its member ended all tokens", c->now, err);
	if (st == XOS_OK) {
		c->result = xos_json_object();
		xos_json_set(c->result, "ended", ended);
		ended = NULL;
	}
	xos_json_free(ended);
	xos_json_free(all);
	return st;
}

static const struct ca_verb verbs[] = {
    {"password.set", true, true, set_password},
    {"token.list", false, true, list},
    {"token.end", true, true, end},
};
const struct ca_verbs ca_self_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
