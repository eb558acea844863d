#include "cli/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/cad_renew.h"
#include "auth/code.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/password.h"
#include "cli/rules.h"

static bool member_file(const struct xos_cli_vo *vo, char path[PATH_MAX])
{
	return xos_path_join(path, PATH_MAX, vo->dir, "member");
}

/* Who logged in last; false if that is not known. */
static bool remembered(const struct xos_cli_vo *vo, char out[XOS_MEMBER_MAX + 1])
{
	char path[PATH_MAX];
	const char *text;
	struct xos_buf b;
	bool ok = false;
	xos_buf_init(&b, 64);
	if (member_file(vo, path) && xos_file_read(path, 64, &b, NULL) == XOS_OK &&
	    (text = xos_buf_str(&b)))
		ok = xos_str_printf(
		         out, XOS_MEMBER_MAX + 1, "%.*s", (int)strcspn(text, "\n"), text) &&
		     xos_name_is_member(vo->name, out);
	xos_buf_free(&b);
	return ok;
}

enum xos_status xos_cli_login_member(const struct xos_cli_vo *vo, const char *operand,
    char out[XOS_MEMBER_MAX + 1], struct xos_err *err)
{
	const char *user = operand;
	if (!user && remembered(vo, out))
		return XOS_OK;
	if (!user)
		user = getenv("USER");
	if (!user || !*user)
		return xos_cli_usage(err, "say who logs in: xos-login MEMBER");
	if (!xos_name_is_member(vo->name, user) || !xos_str_copy(out, XOS_MEMBER_MAX + 1, user))
		return xos_cli_usage(err, "\"%s\" is no member name of VO %s", user, vo->name);
	return XOS_OK;
}

/* A convenience: a log-in does not fail because it cannot be remembered. */
void xos_cli_login_remember(const struct xos_cli_vo *vo, const char *member)
{
	char path[PATH_MAX], line[XOS_MEMBER_MAX + 2];
	struct xos_buf b;
	bool same;
	if (!member_file(vo, path) || !xos_str_printf(line, sizeof(line), "%s\n", member))
		return;
	/* Writing is durable and so slow: mostly it is the same member every day. */
	same = xos_file_read(path, 64, &b, NULL) == XOS_OK &&
	       xos_bytes_eq(xos_buf_bytes(&b), xos_bytes_str(line));
	xos_buf_free(&b);
	if (!same && xos_file_write(path, 0644, xos_bytes_str(line), NULL) != XOS_OK)
		return;
}

enum xos_status xos_cli_login_keep(const struct xos_cli_vo *vo, const char *path,
    const struct xos_cad_login_result *result, struct xos_err *err)
{
	enum xos_status st = xos_tokenfile_write(path, &result->chain, err);
	if (!st)
		xos_cli_login_remember(vo, result->token->claims->name);
	return st;
}

/* --- log-in --- */

static enum xos_status read_secret(const struct xos_cli_vo *vo, const struct xos_cli_login *l,
    struct xos_secret **out, struct xos_err *err)
{
	char prompt[128];
	const struct xos_cli_password how = {
	    .prompt = prompt, .from_stdin = l->from_stdin, .fd = l->fd, .max = XOS_PASSWORD_MAX};
	struct xos_secret *typed = NULL;
	xos_str_printf(prompt, sizeof(prompt),
	    "%s of %s in VO %s: ", l->code ? "One-time code" : "Password", l->member, vo->name);
	if (!l->code)
		return xos_cli_password_get(&how, out, err);
	enum xos_status st = xos_cli_password_get(&how, &typed, err);
	if (!st)
		st = xos_code_read(typed, out, err);
	xos_secret_free(typed);
	return st;
}

enum xos_status xos_cli_totp_read(
    struct xos_secret *typed, char out[XOS_TOTP_DIGITS + 1], struct xos_err *err)
{
	const char *p = (const char *)xos_secret_data(typed);
	size_t n = 0;
	for (size_t i = 0; i < xos_secret_len(typed); i++) {
		if (p[i] == ' ') /* authenticators show "123 456" */
			continue;
		if (n < XOS_TOTP_DIGITS)
			out[n] = p[i];
		n++;
	}
	out[n < XOS_TOTP_DIGITS ? n : XOS_TOTP_DIGITS] = '\0';
	if (n != XOS_TOTP_DIGITS || !xos_totp_is_code(out))
		return xos_err_set(err, XOS_MALFORMED, "totp-form",
		    "the code of a second factor has %d digits", XOS_TOTP_DIGITS);
	return XOS_OK;
}

static enum xos_status read_totp(
    const struct xos_cli_login *l, char out[XOS_TOTP_DIGITS + 1], struct xos_err *err)
{
	const struct xos_cli_password how = {.prompt = "Code of your second factor: ",
	    .from_stdin = l->from_stdin,
	    .fd = l->fd,
	    .max = 32};
	struct xos_secret *typed = NULL;
	struct xos_err why = XOS_ERR_INIT;
	if (xos_cli_password_get(&how, &typed, &why))
		return xos_err_set(err, XOS_DENIED, "totp-needed",
		    "the code of your second factor is needed: as a second line where the password "
		    "comes from, or typed on a terminal (%s)",
		    why.text);
	enum xos_status st = xos_cli_totp_read(typed, out, err);
	xos_secret_free(typed);
	return st;
}

static enum xos_status exchange(const struct xos_cli_vo *vo, const struct xos_cad_login *login,
    const struct xos_chain *old, struct xos_cad_login_result *out, struct xos_err *err)
{
	struct xos_cli_client *client = NULL;
	enum xos_status st = xos_cli_client_new(vo, "ca", NULL, false, &client, err);
	if (!st)
		st = old ? xos_cad_renew(xos_cli_client(client), login, old, out, err)
		         : xos_cad_login(xos_cli_client(client), login, out, err);
	xos_cli_client_free(client);
	return st;
}

static enum xos_status accept_rules(const struct xos_cli_vo *vo, const struct xos_cad_login *login,
    const struct xos_cli_login *l, struct xos_err *err)
{
	struct xos_cli_client *client = NULL;
	*err = (struct xos_err)XOS_ERR_INIT;
	enum xos_status st = xos_cli_client_new(vo, "ca", NULL, false, &client, err);
	if (!st)
		st = xos_cli_accept_rules(
		    xos_cli_client(client), login, !l->no_questions, l->accept_rules, err);
	xos_cli_client_free(client);
	return st;
}

static struct xos_cad_login what(const struct xos_cli_vo *vo, const struct xos_cli_login *l)
{
	return (struct xos_cad_login){.vo = vo->name,
	    .member = l->member,
	    .kind = l->code ? XOS_SCRAM_CODE : XOS_SCRAM_PASSWORD,
	    .roles = l->roles,
	    .nroles = l->nroles,
	    .lifetime = l->lifetime,
	    .trust = vo->trust,
	    .csr = l->csr};
}

enum xos_status xos_cli_login(const struct xos_cli_vo *vo, const struct xos_cli_login *l,
    struct xos_cad_login_result *out, struct xos_err *err)
{
	struct xos_cad_login login = what(vo, l);
	char totp[XOS_TOTP_DIGITS + 1] = "";
	enum xos_status st = read_secret(vo, l, &login.password, err);
	if (!st)
		st = exchange(vo, &login, NULL, out, err);
	if (st == XOS_DENIED && strcmp(err->code, "rules-not-accepted") == 0) {
		st = accept_rules(vo, &login, l, err);
		if (!st)
			st = exchange(vo, &login, NULL, out, err);
	}
	if (st == XOS_DENIED && strcmp(err->code, "totp-needed") == 0) {
		st = read_totp(l, totp, err);
		login.totp = totp;
		if (!st) {
			*err = (struct xos_err)XOS_ERR_INIT;
			st = exchange(vo, &login, NULL, out, err);
		}
	}
	xos_wipe(totp, sizeof(totp));
	xos_secret_free(login.password);
	return st;
}

enum xos_status xos_cli_renew(const struct xos_cli_vo *vo, const struct xos_chain *old,
    const struct xos_cli_login *l, struct xos_cad_login_result *out, struct xos_err *err)
{
	struct xos_cad_login login = what(vo, l);
	return exchange(vo, &login, old, out, err);
}

/* --- offered by any tool --- */

static bool wants_to(const char *member, const struct xos_err *why)
{
	char line[16];
	fprintf(stderr, "%s\nLog in now as %s? [Y/n] ", why->text, member);
	fflush(stderr);
	if (!fgets(line, sizeof(line), stdin))
		return false;
	return line[0] == '\n' || line[0] == 'y' || line[0] == 'Y';
}

enum xos_status xos_cli_login_offer(const struct xos_cli_vo *vo,
    const struct xos_token_info *expired, enum xos_status st, struct xos_chain *chain,
    struct xos_err *err)
{
	struct xos_cad_login_result result = {.token = NULL};
	char who[XOS_MEMBER_MAX + 1], path[PATH_MAX];
	struct xos_err why = XOS_ERR_INIT;
	if (!vo->manners || !vo->manners->may_ask || !isatty(STDIN_FILENO) ||
	    !isatty(STDERR_FILENO))
		return st;
	if (xos_cli_login_member(vo, expired ? expired->claims->name : NULL, who, &why) ||
	    xos_tokenfile_path(path, &why) || !wants_to(who, err))
		return st;
	*err = (struct xos_err)XOS_ERR_INIT;
	struct xos_cli_login login = {.member = who};
	if (expired) {
		login.roles = (const char *const *)expired->claims->roles;
		login.nroles = expired->claims->nroles;
	}
	st = xos_cli_login(vo, &login, &result, err);
	if (!st)
		st = xos_cli_login_keep(vo, path, &result, err);
	if (!st) {
		*chain = result.chain;
		memset(&result.chain, 0, sizeof(result.chain));
	}
	xos_cad_login_clear(&result);
	return st;
}

/* --- the own password --- */

static enum xos_status iterations(
    const struct xos_cli *cli, const struct xos_chain *token, uint32_t *out, struct xos_err *err)
{
	struct xos_json *vo = NULL;
	uint64_t n = 0;
	enum xos_status st =
	    xos_cli_command_as(cli, token, "ca", "vo.describe", xos_json_object(), &vo, err);
	if (!st)
		st = xos_json_get_uint64(vo, "iterations", XOS_SCRAM_ITERATIONS_MAX, &n, err);
	*out = (uint32_t)n;
	xos_json_free(vo);
	return st;
}

enum xos_status xos_cli_set_password(const struct xos_cli *cli, const struct xos_chain *token,
    bool from_stdin, const char *fd, struct xos_err *err)
{
	const struct xos_cli_password how = {.prompt = "New password: ",
	    .from_stdin = from_stdin,
	    .fd = fd,
	    .twice = true,
	    .max = XOS_PASSWORD_MAX};
	struct xos_secret *password = NULL;
	struct xos_scram_verifier verifier;
	char text[XOS_SCRAM_VERIFIER_TEXT];
	uint32_t count = 0;
	enum xos_status st = xos_cli_password_get(&how, &password, err);
	if (!st)
		st = iterations(cli, token, &count, err);
	if (!st)
		st = xos_scram_verifier_make(password, count, &verifier, err);
	if (!st)
		st = xos_scram_verifier_format(&verifier, text);
	if (!st) {
		struct xos_json *args = xos_json_object();
		xos_json_set_string(args, "verifier", text);
		st = xos_cli_command_as(cli, token, "ca", "password.set", args, NULL, err);
	}
	xos_secret_free(password);
	xos_wipe(&verifier, sizeof(verifier));
	xos_wipe(text, sizeof(text));
	return st;
}
