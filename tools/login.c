/* xos-login: proves a password, a code or the old key and fetches a token; joins a VO the first time. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "api/cad.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/contact.h"
#include "cli/keep.h"
#include "cli/login.h"
#include "cli/vo.h"
#include "token/tokenfile.h"

static struct xos_cli_list opt_roles;
static const char *opt_lifetime, *opt_password_fd, *opt_join, *opt_fingerprint, *opt_out;
static const char *opt_new_password_fd, *opt_accept_rules;
static bool opt_password_stdin, opt_code, opt_fresh, opt_renew, opt_set_password;
static bool opt_credd, opt_no_export, opt_lasting;
static const char *opt_socket;

/* --- joining --- */

static enum xos_status join(const struct xos_cli *cli, char vo[XOS_VO_MAX + 1], struct xos_err *err)
{
	struct xos_cli_contact c = {.joined = NULL};
	enum xos_status st = xos_cli_contact(opt_join, cli->vo, opt_fingerprint, &c, err);

	if (st == XOS_OK) {
		struct xos_cli_join o = {.vo = c.joined->vo,
		    .root = c.joined->root,
		    .issuers = &c.joined->issuers,
		    .list = xos_buf_bytes(&c.joined->list),
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

/* --- the answer --- */

/* How the token came: the text after it, for people. */
enum how { BY_SECRET, BY_RENEWAL };

static enum xos_status tell(struct xos_cli *cli, const char *path, enum how how,
    const struct xos_cad_login_result *r, struct xos_err *err)
{
	const struct xos_identity *id = r->token;
	int64_t offset = r->local_time - r->server_time, left = id->not_after - r->server_time;
	char text[XOS_TIME_TEXT];

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
		xos_json_set_bool(doc, "renewed", how == BY_RENEWAL);
		return xos_cli_print_json(doc, err);
	}
	xos_duration_format(left, text);
	xos_cli_say("%s of VO %s: %svalid for %s (token in %s)", id->claims->name, id->claims->vo,
	    how == BY_RENEWAL ? "renewed, " : "", text, path);
	/* The sealed administrator has no password and gets none. */
	if (how == BY_SECRET && opt_code && !opt_set_password &&
	    strcmp(id->claims->name, "break-glass") != 0)
		xos_cli_say(
		    "The code is used up. Set a password within 10 minutes: xos-token password");
	return XOS_OK;
}

/* --- log-in --- */

static enum xos_status token_path(char path[PATH_MAX], struct xos_err *err)
{
	if (!opt_out)
		return xos_tokenfile_path(path, err);
	if (!xos_str_copy(path, PATH_MAX, opt_out))
		return xos_err_set(err, XOS_LIMIT, "path", "the path is too long");
	return XOS_OK;
}

/* Is the current token this member's own, for the VO, unexpired, and has it these roles? It is then in chain. */
static bool may_renew(const struct xos_cli_vo *vo, const char *path, const char *member,
    struct xos_chain *chain, struct xos_token_info **info, struct xos_err *err)
{
	bool ok = xos_tokenfile_read(path, chain, err) == XOS_OK &&
	          xos_token_describe(chain, xos_clock_now(), info, err) == XOS_OK &&
	          strcmp((*info)->claims->vo, vo->name) == 0 && (*info)->seconds_left > 0 &&
	          (*info)->nsteps == 0 && strcmp((*info)->claims->name, member) == 0;

	for (size_t i = 0; ok && i < opt_roles.n; i++) {
		bool had = false;

		for (size_t j = 0; j < (*info)->claims->nroles; j++)
			had |= strcmp(opt_roles.item[i], (*info)->claims->roles[j]) == 0;
		ok = had;
	}
	return ok;
}

/* A token that is not kept is ended, so that it is not counted or listed as one that somebody holds. If that fails, it
 * ends by itself: its key is gone. */
static void give_up(const struct xos_cli *cli, struct xos_cad_login_result *r)
{
	struct xos_json *args = xos_json_object(), *ended = NULL;
	struct xos_err why = XOS_ERR_INIT;

	xos_json_set_string(args, "serial", r->token->serial);
	(void)!xos_cli_command_as(cli, &r->chain, "ca", "token.end", args, &ended, &why);
	xos_json_free(ended);
	xos_cad_login_clear(r);
}

/* NOT_FOUND: there is nothing to renew, or nothing would be gained. */
static enum xos_status renew(const struct xos_cli *cli, const struct xos_cli_vo *vo,
    const char *path, struct xos_cli_login login, struct xos_cad_login_result *result,
    struct xos_err *err)
{
	struct xos_chain old = {.n = 0};
	struct xos_token_info *info = NULL;
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = XOS_NOT_FOUND;

	if (!may_renew(vo, path, login.member, &old, &info, &why)) {
		(void)xos_err_set(err, st, "no-token",
		    "there is no valid token of %s for VO %s to renew%s%s: log in with xos-login "
		    "%s",
		    login.member, vo->name, why.text[0] ? ": " : "", why.text, login.member);
	} else {
		/* With --renew the roles stay; a plain xos-login asks for what it names. */
		if (opt_renew && !opt_roles.n) {
			login.roles = (const char *const *)info->claims->roles;
			login.nroles = info->claims->nroles;
		}
		st = xos_cli_renew(vo, &old, &login, result, err);
	}
	if (st == XOS_OK && !opt_renew && result->token->not_after < info->not_after + 60) {
		give_up(cli, result);
		st = XOS_NOT_FOUND;
	}
	xos_token_info_free(info);
	xos_chain_clear(&old);
	return st;
}

/* By the token that there is, if nothing says otherwise; else by password or code. */
static enum xos_status get_token(const struct xos_cli *cli, const struct xos_cli_vo *vo,
    const char *path, const char *member, int64_t lifetime, struct xos_bytes csr,
    struct xos_cad_login_result *result, enum how *how, struct xos_err *err)
{
	const struct xos_cli_login login = {.member = member,
	    .roles = opt_roles.item,
	    .nroles = opt_roles.n,
	    .lifetime = lifetime,
	    .code = opt_code,
	    .from_stdin = opt_password_stdin,
	    .fd = opt_password_fd,
	    .no_questions = cli->json,
	    .accept_rules = opt_accept_rules,
	    .csr = csr};
	bool secret = csr.n || opt_code || opt_fresh || opt_set_password || opt_password_stdin ||
	              opt_password_fd || opt_out;
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st;

	*how = BY_RENEWAL;
	if (opt_renew)
		return renew(cli, vo, path, login, result, err);
	if (!secret) {
		st = renew(cli, vo, path, login, result, &why);
		if (st == XOS_OK)
			return st;
		if (st == XOS_UNAVAILABLE) {
			*err = why;
			return st;
		}
	}
	*how = BY_SECRET;
	return xos_cli_login(vo, &login, result, err);
}

/* --renew renews the token that there is, whoever logged in last elsewhere. */
static bool renewed_member(const char *path, char member[XOS_MEMBER_MAX + 1])
{
	struct xos_chain chain = {.n = 0};
	struct xos_token_info *info = NULL;
	bool ok = xos_tokenfile_read(path, &chain, NULL) == XOS_OK &&
	          xos_token_describe(&chain, xos_clock_now(), &info, NULL) == XOS_OK &&
	          xos_str_copy(member, XOS_MEMBER_MAX + 1, info->claims->name);

	xos_token_info_free(info);
	xos_chain_clear(&chain);
	return ok;
}

/* --- with the key in xos-credd --- */

static enum xos_status check_kept(struct xos_err *err)
{
	if (!opt_credd && (opt_no_export || opt_lasting || opt_socket))
		return xos_cli_usage(
		    err, "--no-export, --lasting and --credd-socket go with --credd");
	if (opt_credd && (opt_renew || opt_set_password || opt_out))
		return xos_cli_usage(err,
		    "--credd leaves the key in xos-credd: not with --renew, --set-password or "
		    "--out");
	return XOS_OK;
}

static enum xos_status begin_kept(struct xos_cli_kept *kept, struct xos_err *err)
{
	unsigned flags = (opt_no_export ? 0 : XOS_CREDENTIAL_EXPORT) |
	                 (opt_lasting ? 0 : XOS_CREDENTIAL_SESSION);
	return opt_credd ? xos_cli_kept_begin(opt_socket, flags, kept, err) : XOS_OK;
}

/* Where the token is then: a file, or a credential's name. */
static enum xos_status keep(const struct xos_cli_vo *vo, char path[PATH_MAX],
    struct xos_cli_kept *kept, const struct xos_cad_login_result *result, struct xos_err *err)
{
	if (!opt_credd)
		return xos_cli_login_keep(vo, path, result, err);
	enum xos_status st = xos_cli_kept_put(kept, &result->chain, err);
	if (st == XOS_OK && !xos_str_printf(path, PATH_MAX, "xos-credd:%s", kept->id.text))
		st = xos_err_set(err, XOS_LIMIT, "path", "the name is too long");
	if (st == XOS_OK)
		xos_cli_login_remember(vo, result->token->claims->name);
	return st;
}

static enum xos_status run_login(struct xos_cli *cli, const char *operand, struct xos_err *err)
{
	struct xos_cad_login_result result = {.token = NULL};
	char member[XOS_MEMBER_MAX + 1], path[PATH_MAX];
	struct xos_cli_vo *vo = NULL;
	int64_t lifetime = 0;
	struct xos_cli_kept kept = {.credd = NULL};
	enum how how = BY_SECRET;
	enum xos_status st = check_kept(err);

	if (st != XOS_OK)
		return st;
	if (opt_lifetime && (!xos_duration_parse(opt_lifetime, &lifetime) || lifetime <= 0))
		return xos_cli_usage(err, "--lifetime needs a number and s, m, h or d, such as 8h");
	if (opt_renew &&
	    (opt_code || opt_fresh || opt_set_password || opt_password_stdin || opt_password_fd))
		return xos_cli_usage(err, "--renew needs no password or code, and takes none");
	st = token_path(path, err);
	if (st == XOS_OK)
		st = xos_cli_vo_load(cli, &vo, err);
	if (st == XOS_OK && (operand || !opt_renew || !renewed_member(path, member)))
		st = xos_cli_login_member(vo, operand, member, err);
	if (st == XOS_OK)
		st = begin_kept(&kept, err);
	if (st == XOS_OK)
		st = get_token(cli, vo, path, member, lifetime,
		    (struct xos_bytes){kept.csr, kept.ncsr}, &result, &how, err);
	if (st == XOS_OK)
		st = keep(vo, path, &kept, &result, err);
	if (st != XOS_OK)
		xos_cli_kept_drop(&kept);
	if (st == XOS_OK && opt_set_password) {
		st = xos_cli_set_password(cli, &result.chain,
		    opt_password_stdin && !opt_new_password_fd,
		    opt_new_password_fd ? opt_new_password_fd : opt_password_fd, err);
		if (st != XOS_OK)
			st = xos_err_prefix(err, st, "you are logged in, but have no new password");
		else if (!cli->json)
			xos_cli_say("%s has a new password", member);
	}
	if (st == XOS_OK)
		st = tell(cli, path, how, &result, err);
	xos_cli_kept_clear(&kept);
	xos_cad_login_clear(&result);
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
    {.name = "renew",
        .about = "by the key of the current token, with its roles: no password",
        .flag = &opt_renew},
    {.name = "fresh",
        .about = "by the password, though there is a token that could be renewed",
        .flag = &opt_fresh},
    {.name = "set-password",
        .about = "then set a new password: asked for twice, or the next line",
        .flag = &opt_set_password},
    {.name = "new-password-fd",
        .arg = "N",
        .about = "read the new password from descriptor N",
        .value = &opt_new_password_fd},
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
    {.name = "credd",
        .about = "have xos-credd of this machine make and keep the key, for this session",
        .flag = &opt_credd},
    {.name = "no-export",
        .about = "with --credd: the key never leaves it, it signs and delegates",
        .flag = &opt_no_export},
    {.name = "lasting",
        .about = "with --credd: until the token ends, also when the session is over",
        .flag = &opt_lasting},
    {.name = "credd-socket",
        .arg = "PATH",
        .about = "xos-credd's socket ($XOS_CREDD_SOCKET, /run/xos/credd.sock)",
        .value = &opt_socket},
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
	                "  xos-login --code alice --set-password\n"
	                "  xos-login alice --credd && export X509_USER_PROXY=$(xos-token get)\n"
	                "  xos-token needs-renewal && xos-login --renew\n",
	};
	return xos_cli_main(&program, argc, argv);
}
