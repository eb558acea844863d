/* xos-token list, end, password: what the authority knows of one's own. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/login.h"
#include "tokentool/own.h"
#include "tokentool/verbs.h"

#define FRESH 540 /* seconds: within what the authority takes for a log-in of just now */

static const char *opt_password_fd;
static bool opt_password_stdin;

const struct xos_cli_option token_secret_options[] = {
    {.name = "password-stdin",
        .about = "read what is asked for from standard input, a line each",
        .flag = &opt_password_stdin},
    {.name = "password-fd",
        .arg = "N",
        .about = "the same from descriptor N",
        .value = &opt_password_fd},
    {.name = NULL},
};

enum xos_status token_ask(
    const char *prompt, size_t max, bool twice, struct xos_secret **out, struct xos_err *err)
{
	const struct xos_cli_password how = {.prompt = prompt,
	    .from_stdin = opt_password_stdin,
	    .fd = opt_password_fd,
	    .twice = twice,
	    .max = max};
	return xos_cli_password_get(&how, out, err);
}

/* --- list, end --- */

static void add_row(struct xos_cli_table *t, const struct xos_json *o)
{
	const char *serial = NULL, *from = NULL, *to = NULL;
	bool this = false, locked = false;
	if (xos_json_get_string(o, "serial", 128, &serial, NULL) ||
	    xos_json_get_string(o, "not_before", 64, &from, NULL) ||
	    xos_json_get_string(o, "not_after", 64, &to, NULL) ||
	    xos_json_get_bool(o, "this", &this, NULL) ||
	    xos_json_get_bool(o, "locked", &locked, NULL))
		return;
	const char *cells[] = {serial, from, to,
	    locked                          ? "ended"
	    : this                          ? "this one"
	    : xos_json_has(o, "delegation") ? "of a job"
	                                    : NULL};
	xos_cli_table_row(t, cells);
}

enum xos_status token_list(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	static const char *const heads[] = {"SERIAL", "SINCE", "UNTIL", "NOTE"};
	struct xos_json *doc = NULL;
	const struct xos_json *tokens = NULL;
	enum xos_status st = xos_cli_command(cli, "ca", "token.list", xos_json_object(), &doc, err);
	if (st)
		return st;
	if (cli->json)
		return xos_cli_print_json(doc, err);
	st = xos_json_get_array(doc, "tokens", 100000, &tokens, err);
	if (!st) {
		struct xos_cli_table *t = xos_cli_table_new(heads, 4);
		for (size_t i = 0; i < xos_json_count(tokens); i++)
			add_row(t, xos_json_at(tokens, i));
		st = xos_cli_table_print(t, err);
	}
	xos_json_free(doc);
	return st;
}

enum xos_status token_end(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "serial", argv[0]);
	return xos_cli_command_do(cli, "ca", "token.end", args, err,
	    "token %s is ended, and what was delegated of it", argv[0]);
}

/* --- a log-in of just now --- */

/* The current token if its log-in was just now; else a short one that is not written anywhere. */
enum xos_status token_fresh(const struct xos_cli *cli, struct xos_chain *out, struct xos_err *err)
{
	struct xos_cad_login_result result = {.token = NULL};
	struct xos_token_info *info = NULL;
	struct xos_cli_vo *vo = NULL;
	enum xos_status st = xos_cli_vo_load(cli, &vo, err);
	if (!st)
		st = xos_cli_token(vo, out, &info, err);
	if (!st && info->nsteps == 0 && info->claims->auth_time >= xos_clock_now() - FRESH &&
	    (strcmp(info->claims->auth_method, "password") == 0 ||
	        strcmp(info->claims->auth_method, "code") == 0))
		goto out;
	if (!st) {
		const struct xos_cli_login login = {.member = info->claims->name,
		    .lifetime = 300,
		    .from_stdin = opt_password_stdin,
		    .fd = opt_password_fd};
		xos_chain_clear(out);
		st = xos_cli_login(vo, &login, &result, err);
	}
	if (!st) {
		*out = result.chain;
		memset(&result.chain, 0, sizeof(result.chain));
	}
out:
	xos_cad_login_clear(&result);
	xos_token_info_free(info);
	xos_cli_vo_free(vo);
	return st;
}

enum xos_status token_password(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	struct xos_chain token = {.n = 0};
	enum xos_status st = token_fresh(cli, &token, err);
	if (!st)
		st = xos_cli_set_password(cli, &token, opt_password_stdin, opt_password_fd, err);
	xos_chain_clear(&token);
	if (st)
		return st;
	if (cli->json)
		return xos_cli_print_json(xos_json_object(), err);
	xos_cli_say("you have a new password");
	return XOS_OK;
}
