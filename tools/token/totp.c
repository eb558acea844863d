/* xos-token totp enrol|remove|status: one's own second factor. */
#include <stdio.h>
#include <string.h>

#include "auth/totp.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/login.h"
#include "cli/vo.h"
#include "pki/key.h"
#include "tokentool/own.h"
#include "tokentool/verbs.h"

/* The six digits that the device shows, as the authority takes them. */
static enum xos_status ask_code(
    const char *prompt, char out[XOS_TOTP_DIGITS + 1], struct xos_err *err)
{
	struct xos_secret *typed = NULL;
	enum xos_status st = token_ask(prompt, 32, false, &typed, err);
	if (!st)
		st = xos_cli_totp_read(typed, out, err);
	xos_secret_free(typed);
	return st;
}

/* --- enrol --- */

/* This machine's half of the key exchange, and the authority's: both then have one secret. */
static enum xos_status agree(const struct xos_cli *cli, const struct xos_chain *token,
    const struct xos_token_info *who, uint8_t secret[XOS_TOTP_SECRET_LEN], struct xos_err *err)
{
	struct xos_json *args = xos_json_object(), *result = NULL;
	struct xos_key *own = NULL, *peer = NULL;
	struct xos_buf spki;
	xos_buf_init(&spki, XOS_SPKI_MAX);
	enum xos_status st = xos_key_generate(&own, err);
	if (!st) {
		xos_json_set_bytes(args, "key", xos_key_spki(own));
		st = xos_cli_command_as(cli, token, "ca", "totp.begin", args, &result, err);
		args = NULL;
	}
	if (!st)
		st = xos_json_get_bytes(result, "key", XOS_SPKI_MAX, &spki, err);
	if (!st)
		st = xos_key_from_spki(xos_buf_bytes(&spki), &peer, err);
	if (!st)
		st = xos_totp_agree(
		    own, peer, true, who->claims->vo, who->claims->name, secret, err);
	xos_json_free(args);
	xos_json_free(result);
	xos_key_free(own);
	xos_key_free(peer);
	xos_buf_free(&spki);
	return st;
}

/* People see it before they are asked for the code; so does a program, on standard error. */
static enum xos_status show(const struct xos_cli *cli, const struct xos_token_info *who,
    const uint8_t secret[XOS_TOTP_SECRET_LEN], struct xos_err *err)
{
	char uri[XOS_TOTP_URI_MAX], text[XOS_TOTP_BASE32];
	enum xos_status st = xos_totp_uri(secret, who->claims->vo, who->claims->name, uri);
	if (st)
		return xos_err_set(err, st, "totp", "the secret cannot be shown");
	xos_totp_base32(secret, text);
	if (cli->json) {
		fprintf(stderr, "%s\n", uri);
	} else {
		xos_cli_print_pair("secret", "%s", text);
		xos_cli_print_pair("uri", "%s", uri);
		xos_cli_say("Put one of them into your authenticator; it is not shown again.");
		fflush(stdout);
	}
	xos_wipe(uri, sizeof(uri));
	xos_wipe(text, sizeof(text));
	return XOS_OK;
}

static enum xos_status confirm(
    const struct xos_cli *cli, const struct xos_chain *token, struct xos_err *err)
{
	char code[XOS_TOTP_DIGITS + 1];
	enum xos_status st = ask_code("The code that it shows: ", code, err);
	if (st)
		return st;
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "code", code);
	return xos_cli_command_as(cli, token, "ca", "totp.confirm", args, NULL, err);
}

static enum xos_status enrol(struct xos_cli *cli, struct xos_err *err)
{
	uint8_t secret[XOS_TOTP_SECRET_LEN];
	struct xos_chain token = {.n = 0};
	struct xos_token_info *who = NULL;
	enum xos_status st = token_fresh(cli, &token, err);
	if (!st)
		st = xos_token_describe(&token, 0, &who, err);
	if (!st)
		st = agree(cli, &token, who, secret, err);
	if (!st)
		st = show(cli, who, secret, err);
	if (!st)
		st = confirm(cli, &token, err);
	xos_wipe(secret, sizeof(secret));
	xos_token_info_free(who);
	xos_chain_clear(&token);
	if (st)
		return st;
	if (cli->json) {
		struct xos_json *doc = xos_json_object();
		xos_json_set_bool(doc, "enrolled", true);
		return xos_cli_print_json(doc, err);
	}
	xos_cli_say("from the next log-in on it is asked for, after the password");
	return XOS_OK;
}

/* --- remove, status --- */

static enum xos_status take_away(struct xos_cli *cli, struct xos_err *err)
{
	struct xos_chain token = {.n = 0};
	struct xos_token_info *who = NULL;
	struct xos_cli_vo *vo = NULL;
	char code[XOS_TOTP_DIGITS + 1];
	struct xos_json *args = NULL;
	enum xos_status st = xos_cli_vo_load(cli, &vo, err);
	if (!st)
		st = xos_cli_token(vo, &token, &who, err);
	if (!st)
		st = ask_code("A code of it, to take it away: ", code, err);
	if (!st) {
		args = xos_json_object();
		xos_json_set_string(args, "name", who->claims->name);
		xos_json_set_string(args, "code", code);
	}
	xos_token_info_free(who);
	xos_chain_clear(&token);
	xos_cli_vo_free(vo);
	return st ? st
	          : xos_cli_command_do(
	                cli, "ca", "totp.remove", args, err, "you have no second factor any more");
}

static enum xos_status status(struct xos_cli *cli, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const struct xos_json *required = NULL;
	bool enrolled = false;
	enum xos_status st =
	    xos_cli_command(cli, "ca", "totp.status", xos_json_object(), &doc, err);
	if (st)
		return st;
	if (cli->json)
		return xos_cli_print_json(doc, err);
	st = xos_json_get_bool(doc, "enrolled", &enrolled, err);
	if (!st)
		st = xos_json_get_array(doc, "required", 100000, &required, err);
	if (!st)
		xos_cli_print_pair("second factor", "%s", enrolled ? "enrolled" : "none");
	for (size_t i = 0; !st && i < xos_json_count(required); i++) {
		const char *group = NULL, *from = NULL;
		st = xos_json_get_string(xos_json_at(required, i), "group", 512, &group, err);
		if (!st)
			st = xos_json_get_string(xos_json_at(required, i), "from", 64, &from, err);
		if (!st)
			xos_cli_print_pair(i ? "" : "demanded of", "%s, from %s", group, from);
	}
	xos_json_free(doc);
	return st;
}

enum xos_status token_totp(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	if (strcmp(argv[0], "enrol") == 0)
		return enrol(cli, err);
	if (strcmp(argv[0], "remove") == 0)
		return take_away(cli, err);
	if (strcmp(argv[0], "status") == 0)
		return status(cli, err);
	return xos_cli_usage(err, "'%s' is none of: enrol, remove, status", argv[0]);
}
