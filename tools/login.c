/* xos-login: proves a password and fetches a token; joins a VO the first time. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cad.h"
#include "auth/code.h"
#include "auth/verifier.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/contact.h"
#include "cli/password.h"
#include "cli/vo.h"
#include "login_rules.h"
#include "token/tokenfile.h"

#define SKEW_TOLD 60 /* seconds of clock difference from which the person is told */

static struct xos_cli_list opt_roles;
static const char *opt_lifetime, *opt_password_fd, *opt_join, *opt_fingerprint, *opt_out,
    *opt_accept_rules;
static bool opt_password_stdin, opt_code;

/* --- joining --- */

static enum xos_status join(const struct xos_cli *cli, char vo[XOS_VO_MAX + 1], struct xos_err *err)
{
	struct xos_cli_contact c = {.joined = NULL};
	enum xos_status st = xos_cli_contact(opt_join, cli->vo, opt_fingerprint, &c, err);

	if (st == XOS_OK) {
		struct xos_cli_join o = {.vo = c.joined->vo,
		    .root = c.joined->root,
		    .issuers = &c.joined->issuers,
		    .ca = c.services.ca ? c.services.ca : opt_join,
		    .rca = c.services.rca,
		    .vops = c.services.vops,
		    .accounting = c.services.accounting};

		memcpy(vo, c.joined->vo, XOS_VO_MAX + 1);
		st = xos_cli_vo_join(cli, &o, err);
	}
	xos_cli_contact_clear(&c);
	return st;
}

/* --- who and how --- */

static bool member_file(const struct xos_cli_vo *vo, char path[PATH_MAX])
{
	return xos_path_join(path, PATH_MAX, vo->dir, "member");
}

/* Operand, else who logged in last, else $USER. */
static enum xos_status choose_member(const struct xos_cli_vo *vo, const char *operand,
    char out[XOS_MEMBER_MAX + 1], struct xos_err *err)
{
	const char *user = operand;
	char path[PATH_MAX];
	struct xos_buf b;

	xos_buf_init(&b, 64);
	if (!user && member_file(vo, path) && xos_file_read(path, 64, &b, NULL) == XOS_OK) {
		const char *text = xos_buf_str(&b);

		if (text &&
		    xos_str_printf(
		        out, XOS_MEMBER_MAX + 1, "%.*s", (int)strcspn(text, "\n"), text) &&
		    xos_name_is_member(vo->name, out)) {
			xos_buf_free(&b);
			return XOS_OK;
		}
	}
	xos_buf_free(&b);
	if (!user)
		user = getenv("USER");
	if (!user || !*user)
		return xos_cli_usage(err, "say who logs in: xos-login MEMBER");
	if (!xos_name_is_member(vo->name, user) || !xos_str_copy(out, XOS_MEMBER_MAX + 1, user))
		return xos_cli_usage(err, "\"%s\" is no member name of VO %s", user, vo->name);
	return XOS_OK;
}

/* A convenience: a log-in does not fail because it cannot be remembered. */
static void remember_member(const struct xos_cli_vo *vo, const char *member)
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

static enum xos_status read_password(
    const char *vo, const char *member, struct xos_secret **out, struct xos_err *err)
{
	char prompt[128];
	const struct xos_cli_password how = {.prompt = prompt,
	    .from_stdin = opt_password_stdin,
	    .fd = opt_password_fd,
	    .max = XOS_PASSWORD_MAX};

	struct xos_secret *typed = NULL;
	enum xos_status st;

	xos_str_printf(prompt, sizeof(prompt),
	    "%s of %s in VO %s: ", opt_code ? "One-time code" : "Password", member, vo);
	if (!opt_code)
		return xos_cli_password_get(&how, out, err);
	st = xos_cli_password_get(&how, &typed, err);
	if (st == XOS_OK)
		st = xos_code_read(typed, out, err);
	xos_secret_free(typed);
	return st;
}

/* --- the answer --- */

static enum xos_status tell(struct xos_cli *cli, const char *path,
    const struct xos_cad_login_result *r, struct xos_err *err)
{
	const struct xos_identity *id = r->token;
	int64_t offset = r->local_time - r->server_time, left = id->not_after - r->server_time;
	char text[XOS_TIME_TEXT];

	xos_duration_format(offset < 0 ? -offset : offset, text);
	if ((offset > SKEW_TOLD || offset < -SKEW_TOLD) && !cli->json)
		fprintf(stderr,
		    "xos-login: warning: your clock is %lld min (%s) %s the authority's: set it, "
		    "or "
		    "log-ins and jobs will be refused\n",
		    (long long)((offset < 0 ? -offset : offset) + 30) / 60, text,
		    offset < 0 ? "behind" : "ahead of");
	if (cli->json) {
		struct xos_json *doc = xos_json_object();

		xos_json_set_string(doc, "vo", id->claims->vo);
		xos_json_set_string(doc, "member", id->claims->name);
		xos_json_set_string(doc, "path", path);
		xos_json_set_time(doc, "not_after", id->not_after);
		xos_json_set_int(doc, "seconds_left", left);
		xos_json_set_strings(
		    doc, "groups", (const char *const *)id->claims->groups, id->claims->ngroups);
		xos_json_set_strings(
		    doc, "roles", (const char *const *)id->claims->roles, id->claims->nroles);
		xos_json_set_int(doc, "clock_offset", offset);
		return xos_cli_print_json(doc, err);
	}
	xos_duration_format(left, text);
	xos_cli_say("%s of VO %s: valid for %s (token in %s)", id->claims->name, id->claims->vo,
	    text, path);
	return XOS_OK;
}

/* --- log-in --- */

static enum xos_status log_in(const struct xos_cli *cli, const struct xos_cli_vo *vo,
    const struct xos_cad_login *login, struct xos_cad_login_result *result, struct xos_err *err)
{
	struct xos_cli_client *client = NULL;
	enum xos_status st = xos_cli_client_new(vo, "ca", NULL, false, &client, err);

	if (st == XOS_OK)
		st = xos_cad_login(xos_cli_client(client), login, result, err);
	if (st == XOS_DENIED && strcmp(err->code, "rules-not-accepted") == 0) {
		st = login_accept_rules(cli, xos_cli_client(client), login, opt_accept_rules, err);
		if (st == XOS_OK)
			st = xos_cad_login(xos_cli_client(client), login, result, err);
	}
	xos_cli_client_free(client);
	return st;
}

static enum xos_status token_path(char path[PATH_MAX], struct xos_err *err)
{
	if (!opt_out)
		return xos_tokenfile_path(path, err);
	if (!xos_str_copy(path, PATH_MAX, opt_out))
		return xos_err_set(err, XOS_LIMIT, "path", "the path is too long");
	return XOS_OK;
}

static enum xos_status run_login(struct xos_cli *cli, const char *operand, struct xos_err *err)
{
	struct xos_cad_login login = {.roles = opt_roles.item, .nroles = opt_roles.n};
	struct xos_cad_login_result result = {.token = NULL};
	char member[XOS_MEMBER_MAX + 1], path[PATH_MAX];
	struct xos_cli_vo *vo = NULL;
	enum xos_status st = XOS_OK;

	if (opt_lifetime &&
	    (!xos_duration_parse(opt_lifetime, &login.lifetime) || login.lifetime <= 0))
		return xos_cli_usage(err, "--lifetime needs a number and s, m, h or d, such as 8h");
	st = token_path(path, err);
	if (st == XOS_OK)
		st = xos_cli_vo_load(cli, &vo, err);
	if (st == XOS_OK)
		st = choose_member(vo, operand, member, err);
	if (st == XOS_OK)
		st = read_password(vo->name, member, &login.password, err);
	if (st == XOS_OK) {
		login.vo = vo->name;
		login.member = member;
		login.kind = opt_code ? XOS_SCRAM_CODE : XOS_SCRAM_PASSWORD;
		login.trust = vo->trust;
		st = log_in(cli, vo, &login, &result, err);
	}
	if (st == XOS_OK)
		st = xos_tokenfile_write(path, &result.chain, err);
	if (st == XOS_OK) {
		remember_member(vo, member);
		st = tell(cli, path, &result, err);
	}
	xos_cad_login_clear(&result);
	xos_secret_free(login.password);
	xos_cli_vo_free(vo);
	return st;
}

static enum xos_status run(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	char vo[XOS_VO_MAX + 1] = "";
	enum xos_status st = XOS_OK;

	if (!opt_join && opt_fingerprint)
		return xos_cli_usage(err, "--fingerprint belongs to --join URL");
	if (opt_join)
		st = join(cli, vo, err);
	if (st != XOS_OK)
		return st;
	if (!opt_join || argc > 0)
		return run_login(cli, argc > 0 ? argv[0] : NULL, err);
	if (cli->json) {
		struct xos_json *doc = xos_json_object();

		xos_json_set_string(doc, "joined", vo);
		return xos_cli_print_json(doc, err);
	}
	printf("joined VO %s; log in with: xos-login MEMBER\n", vo);
	return XOS_OK;
}

static const struct xos_cli_option options[] = {
    {.name = "role",
        .arg = "ROLE",
        .about = "activate this role, such as /demo/Role=admin (again for more)",
        .list = &opt_roles},
    {.name = "lifetime",
        .arg = "TIME",
        .about = "how long the token shall live, such as 8h",
        .value = &opt_lifetime},
    {.name = "code",
        .about = "with a one-time code of an administrator, not a password",
        .flag = &opt_code},
    {.name = "password-stdin",
        .about = "read the password, or the code, from standard input",
        .flag = &opt_password_stdin},
    {.name = "password-fd",
        .arg = "N",
        .about = "read the password from descriptor N",
        .value = &opt_password_fd},
    {.name = "accept-rules",
        .arg = "VERSION",
        .about = "accept this version of the VO's rules, read before (xos-vo rules show)",
        .value = &opt_accept_rules},
    {.name = "out", .arg = "FILE", .about = "write the token there", .value = &opt_out},
    {.name = "join",
        .arg = "URL",
        .about = "join a VO first: the address of its authority",
        .value = &opt_join},
    {.name = "fingerprint",
        .arg = "sha256:HEX",
        .about = "of the VO's root, as its administrators publish it",
        .value = &opt_fingerprint},
    {.name = NULL},
};

static const struct xos_cli_verb verbs[] = {
    {NULL, "[MEMBER]", "log in to a VO: fetch a token for today", 0, 1, false, options, run},
};

int main(int argc, char **argv)
{
	static const struct xos_cli_program program = {
	    .name = "xos-login",
	    .about = "log in to a virtual organisation",
	    .verbs = verbs,
	    .nverbs = 1,
	    .examples = "  xos-login --join https://vo.example:4443 --fingerprint sha256:9f86...\n"
	                "  xos-login alice\n"
	                "  xos-login --role /demo/Role=admin --lifetime 2h ada\n"
	                "  xos-login alice --password-stdin < ~/secret\n"
	                "  xos-login --code alice\n",
	};
	return xos_cli_main(&program, argc, argv);
}
