/* xos-token: what the current token says, whether it is good, where it is, whether to renew it; own.c and totp.c
 * have what asks the authority, delegate.c what lets others act, credd.c what asks xos-credd. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/vo.h"
#include "json/json.h"
#include "policy/restriction.h"
#include "token/delegation.h"
#include "token/tokenfile.h"
#include "token/verify.h"
#include "tokentool/credd.h"
#include "tokentool/verbs.h"

#define SKEW 300 /* seconds of clock difference that verify tolerates, as the services do */

static enum xos_status describe(
    struct xos_chain *chain, struct xos_token_info **info, struct xos_err *err)
{
	enum xos_status st = xos_token_describe(chain, xos_clock_now(), info, err);
	if (st)
		xos_chain_clear(chain);
	return st;
}

/* The token named, or the current one; of a file, or of xos-credd's. */
static enum xos_status read_token(int argc, char **argv, char path[PATH_MAX],
    struct xos_chain *chain, struct xos_token_info **info, struct xos_err *err)
{
	enum xos_status st;
	if (token_of_credd()) {
		st = token_credd_chain(argc > 0 ? argv[0] : NULL, path, chain, err);
		return st ? st : describe(chain, info, err);
	}
	if (argc > 0) {
		if (snprintf(path, PATH_MAX, "%s", argv[0]) >= PATH_MAX)
			return xos_err_set(err, XOS_LIMIT, "path", "the path is too long");
	} else if ((st = xos_tokenfile_path(path, err))) {
		return st;
	}
	if ((st = xos_tokenfile_read(path, chain, err)))
		return st;
	return describe(chain, info, err);
}

static struct xos_json *string_list(char *const *list, size_t n)
{
	struct xos_json *arr = xos_json_array();
	for (size_t i = 0; i < n; i++)
		xos_json_add_string(arr, list[i]);
	return arr;
}

/* A restriction as the person wrote it; NULL if the step has none. The buffer keeps the text. */
static const char *restriction_text(const struct xos_delegation *d, struct xos_buf *text)
{
	if (d->restriction_len == 0)
		return NULL;
	struct xos_bytes bytes = {d->restriction, d->restriction_len};
	if (xos_restriction_text(bytes, text, NULL) != XOS_OK)
		return "(cannot be read: nothing is allowed)";
	return xos_buf_str(text);
}

/* Who let the next one act: the member, or the actor of the step before. */
static void giver(const struct xos_token_info *t, size_t i, char out[XOS_DELEGATION_TEXT])
{
	if (i)
		xos_delegation_text(t->steps[i - 1], out);
	else
		snprintf(out, XOS_DELEGATION_TEXT, "%s", t->steps[0]->member);
}

/* The first step of a renewed delegation, and of a robot, stands in a certificate of the authority. */
static bool by_authority(const struct xos_token_info *t, size_t i)
{
	return i == 0 &&
	       (t->claims->kind == XOS_KIND_DELEGATION || strcmp(t->steps[0]->actor, "robot") == 0);
}

static struct xos_json *step_json(const struct xos_token_info *t, size_t i)
{
	const struct xos_delegation *d = t->steps[i];
	struct xos_json *o = xos_json_object();
	char by[XOS_DELEGATION_TEXT];
	struct xos_buf text;
	xos_buf_init(&text, 1 << 20);
	giver(t, i, by);
	xos_json_set_string(o, "by", by);
	xos_json_set_string(o, "for", d->member);
	xos_json_set_string(o, "signed_by", by_authority(t, i) ? "authority" : "holder");
	xos_json_set_string(o, "actor", d->actor);
	xos_json_set_string(o, "node", d->node[0] ? d->node : NULL);
	xos_json_set_string(o, "id", d->id[0] ? d->id : NULL);
	xos_json_set_time(o, "until", d->not_after);
	xos_json_set_int(o, "depth", d->depth);
	xos_json_set_text(o, "restriction", restriction_text(d, &text));
	xos_buf_free(&text);
	return o;
}

static enum xos_status show_json(
    const char *path, const struct xos_token_info *t, struct xos_err *err)
{
	const struct xos_claims *c = t->claims;
	struct xos_json *doc = xos_json_object(), *steps = xos_json_array();
	xos_json_set_string(doc, "path", path);
	xos_json_set_string(doc, "vo", c->vo);
	xos_json_set_string(doc, "member", c->name);
	xos_json_set_string(doc, "kind", xos_kind_name(c->kind));
	xos_json_set_string(doc, "uri", t->uri);
	xos_json_set_string(doc, "serial", t->serial);
	xos_json_set_int(doc, "number", (int64_t)c->number);
	xos_json_set(doc, "groups", string_list(c->groups, c->ngroups));
	xos_json_set(doc, "roles", string_list(c->roles, c->nroles));
	if (c->auth_method[0]) {
		struct xos_json *auth = xos_json_object();
		xos_json_set_string(auth, "method", c->auth_method);
		xos_json_set_time(auth, "time", c->auth_time);
		xos_json_set_bool(auth, "mfa", c->auth_mfa);
		xos_json_set_string(auth, "home", c->home_org[0] ? c->home_org : NULL);
		xos_json_set(doc, "auth", auth);
	}
	xos_json_set_time(doc, "not_before", t->not_before);
	xos_json_set_time(doc, "not_after", t->not_after);
	xos_json_set_int(doc, "seconds_left", t->seconds_left);
	for (size_t i = 0; i < t->nsteps; i++)
		xos_json_add(steps, step_json(t, i));
	xos_json_set(doc, "delegation", steps);
	return xos_cli_print_json(doc, err);
}

static void print_list(const char *key, char *const *list, size_t n)
{
	struct xos_buf text;
	xos_buf_init(&text, 1 << 18);
	for (size_t i = 0; i < n; i++)
		xos_buf_printf(&text, "%s%s", i ? " " : "", list[i]);
	if (n > 0)
		xos_cli_print_pair(key, "%s", xos_buf_str(&text) ? xos_buf_str(&text) : "");
	xos_buf_free(&text);
}

static void show_step(const struct xos_token_info *t, size_t i)
{
	const struct xos_delegation *d = t->steps[i];
	char until[XOS_TIME_TEXT], by[XOS_DELEGATION_TEXT], to[XOS_DELEGATION_TEXT];
	struct xos_buf text;
	xos_buf_init(&text, 1 << 20);
	xos_time_format(d->not_after, until);
	giver(t, i, by);
	xos_delegation_text(d, to);
	xos_cli_print_pair(i ? "passed on by" : "delegated by",
	    "%s to %s%s%s, until %s, %u further step%s%s", by, to, i ? ", for " : "",
	    i ? d->member : "", until, d->depth, d->depth == 1 ? "" : "s",
	    by_authority(t, i) ? ", issued by the authority" : "");
	const char *line = restriction_text(d, &text), *key = "restricted to";
	for (size_t n; line && *line; line += n + (line[n] == '\n'), key = "") {
		n = strcspn(line, "\n");
		xos_cli_print_pair(key, "%.*s", (int)n, line);
	}
	xos_buf_free(&text);
}

static void show_text(const char *path, const struct xos_token_info *t)
{
	const struct xos_claims *c = t->claims;
	char left[XOS_TIME_TEXT], end[XOS_TIME_TEXT], when[XOS_TIME_TEXT];
	xos_time_format(t->not_after, end);
	xos_duration_format(t->seconds_left, left);
	xos_cli_print_pair("token", "%s", path);
	xos_cli_print_pair(c->kind == XOS_KIND_DELEGATION ? "acts for" : xos_kind_name(c->kind),
	    "%s (number %llu) of VO %s", c->name, (unsigned long long)c->number, c->vo);
	print_list("groups", c->groups, c->ngroups);
	print_list("roles", c->roles, c->nroles);
	if (c->auth_method[0]) {
		xos_time_format(c->auth_time, when);
		xos_cli_print_pair("authenticated", "%s by %s%s%s%s", when, c->auth_method,
		    c->auth_mfa ? " and a second factor" : "", c->home_org[0] ? " at " : "",
		    c->home_org);
	}
	for (size_t i = 0; i < t->nsteps; i++)
		show_step(t, i);
	if (t->seconds_left > 0)
		xos_cli_print_pair("valid", "for %s, until %s", left, end);
	else
		xos_cli_print_pair("valid", "[EXPIRED] since %s", end);
}

static enum xos_status verb_show(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_chain chain = {.n = 0};
	struct xos_token_info *info = NULL;
	enum xos_status st = read_token(argc, argv, path, &chain, &info, err);
	if (st)
		return st;
	if (cli->json)
		st = show_json(path, info, err);
	else
		show_text(path, info);
	xos_token_info_free(info);
	xos_chain_clear(&chain);
	return st;
}

static enum xos_status verify(const struct xos_trust *trust, const char *vo,
    const struct xos_chain *chain, struct xos_err *err)
{
	struct xos_identity *id = NULL;
	const struct xos_verify_opts opts = {.now = xos_clock_now(),
	    .skew = SKEW,
	    .kinds = XOS_KINDS_ALL,
	    .allow_delegation = true,
	    .vo = vo,
	    .purpose = XOS_PURPOSE_ANY};
	enum xos_status st = xos_token_verify_chain(trust, chain, &opts, &id, err);
	xos_identity_free(id);
	return st;
}

static enum xos_status verb_verify(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_chain chain = {.n = 0};
	struct xos_token_info *info = NULL;
	struct xos_cli_vo *vo = NULL;
	enum xos_status st = read_token(argc, argv, path, &chain, &info, err);
	if (!st)
		st = xos_cli_vo_load(cli, &vo, err);
	if (!st)
		st = verify(vo->trust, vo->name, &chain, err);
	if (!st && cli->json) {
		st = show_json(path, info, err);
	} else if (!st) {
		char left[XOS_TIME_TEXT];
		xos_duration_format(info->seconds_left, left);
		xos_cli_say("%s: %s, valid for %s under the root of VO %s", path, info->uri, left,
		    vo->name);
	}
	xos_cli_vo_free(vo);
	xos_token_info_free(info);
	xos_chain_clear(&chain);
	return st;
}

static enum xos_status verb_path(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	char path[PATH_MAX];
	enum xos_status st = xos_tokenfile_path(path, err);
	if (st)
		return st;
	if (cli->json) {
		struct xos_json *doc = xos_json_object();
		xos_json_set_string(doc, "path", path);
		return xos_cli_print_json(doc, err);
	}
	printf("%s\n", path);
	return XOS_OK;
}

/* {KEY: true or false}, with --json alone: else the exit status is the answer. */
static enum xos_status answer(
    const struct xos_cli *cli, const char *key, bool yes, struct xos_err *err)
{
	if (!cli->json)
		return XOS_OK;
	struct xos_json *doc = xos_json_object();
	xos_json_set_bool(doc, key, yes);
	return xos_cli_print_json(doc, err);
}

static enum xos_status verb_needs_renewal(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_chain chain = {.n = 0};
	struct xos_token_info *info = NULL;
	enum xos_status st = read_token(argc, argv, path, &chain, &info, err);
	if (st) { /* for scripts: "no token" is an answer of its own, whatever made it unreadable */
		if (!cli->json)
			fprintf(stderr, "%s: %s\n", cli->program, err->text);
		cli->exit_status = 2;
		return answer(cli, "token", false, err);
	}
	bool yes = xos_token_needs_renewal(info, xos_clock_now());
	cli->exit_status = yes ? 0 : 1;
	xos_token_info_free(info);
	xos_chain_clear(&chain);
	return answer(cli, "needs_renewal", yes, err);
}

/* Says nothing: for scripts. */
static enum xos_status verb_check(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_chain chain = {.n = 0};
	struct xos_token_info *info = NULL;
	struct xos_cli_vo *vo = NULL;
	enum xos_status st = xos_cli_vo_load(cli, &vo, err);
	if (st)
		return st; /* no VO is no answer about a token */
	st = read_token(argc, argv, path, &chain, &info, err);
	if (!st)
		st = verify(vo->trust, vo->name, &chain, err);
	cli->exit_status = st ? 1 : 0;
	xos_cli_vo_free(vo);
	xos_token_info_free(info);
	xos_chain_clear(&chain);
	return answer(cli, "valid", st == XOS_OK, err);
}

static const struct xos_cli_verb verbs[] = {
    {"show", "[FILE | ID]", "what the token says (not verified)", 0, 1, false, token_credd_options,
        verb_show},
    {"verify", "[FILE | ID]", "check it fully under the joined VO's root", 0, 1, false,
        token_credd_options, verb_verify},
    {"check", "[FILE]", "the same and says nothing: exit status 0 valid, 1 not", 0, 1, false, NULL,
        verb_check},
    {"path", "", "where the current token is", 0, 0, false, NULL, verb_path},
    {"needs-renewal", "[FILE]", "exit status 0: yes, 1: no, 2: there is no token", 0, 1, false,
        NULL, verb_needs_renewal},
    {"delegate", "[REQUEST]", "let another key act for you, restricted and for a time", 0, 1, false,
        token_delegate_options, token_delegate},
    {"list", "", "all your unexpired tokens, or what xos-credd keeps", 0, 0, false,
        token_credd_options, token_list_any},
    {"end", "SERIAL", "end one of them, wherever it is", 1, 1, false, NULL, token_end},
    {"get", "[ID]", "a credential of xos-credd's as a file, for tools that need one", 0, 1, false,
        token_get_options, token_get},
    {"choose", "ID", "which credential of xos-credd's this session uses", 1, 1, false,
        token_kept_options, token_choose},
    {"destroy", "ID...", "end credentials that xos-credd keeps", 1, 64, false, token_kept_options,
        token_destroy},
    {"password", "", "change your password", 0, 0, false, token_secret_options, token_password},
    {"totp", "enrol | remove | status", "a second factor for log-ins: an authenticator's codes", 1,
        1, false, token_secret_options, token_totp},
};

int main(int argc, char **argv)
{
	static const struct xos_cli_program program = {
	    .name = "xos-token",
	    .about = "look at tokens, and at what else is yours",
	    .verbs = verbs,
	    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
	    .examples = "  xos-token show\n"
	                "  xos-token show --json | jq .groups\n"
	                "  xos-token check || xos-login\n"
	                "  xos-token needs-renewal && xos-login --renew\n"
	                "  xos-token delegate --for transfer --node n1 --lifetime 2h "
	                "--restrict read-only.xos request.pem > chain.pem\n"
	                "  xos-token delegate --stock --node lab/n1 --out proxy.pem\n"
	                "  xos-token list\n"
	                "  xos-token end 5f1c...\n"
	                "  xos-token list --credd\n"
	                "  export X509_USER_PROXY=$(xos-token get)\n"
	                "  xos-token choose s-5f1c...\n"
	                "  xos-token destroy s-5f1c...\n"
	                "  xos-token password\n"
	                "  xos-token totp enrol\n"
	                "  curl --cert $(xos-token path) https://...\n",
	};
	return xos_cli_main(&program, argc, argv);
}
