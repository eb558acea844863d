/* xos-vo describe, set, end, close, reopen */
#include <string.h>

#include "base/clock.h"
#include "vo/verbs.h"

static const char *opt_title, *opt_contact, *opt_model, *opt_invited_life, *opt_at, *opt_confirm;

const struct xos_cli_option vo_set_options[] = {
    {"title", "TEXT", "what the VO is for", NULL, &opt_title, NULL},
    {"contact", "TEXT", "whom members ask: shown with refusals", NULL, &opt_contact, NULL},
    {"model", "administered|open", "who lets members in: administrators, or members too", NULL,
        &opt_model, NULL},
    {"invited-life", "TIME", "how long a membership by a member's invitation lasts, such as 365d",
        NULL, &opt_invited_life, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};
const struct xos_cli_option vo_end_options[] = {
    {"at", "DATE", "such as 2028-12-31, 90d, or never", NULL, &opt_at, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};
const struct xos_cli_option vo_close_options[] = {
    {"confirm", "NAME", "the VO's name once more", NULL, &opt_confirm, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static void print_text(const struct xos_json *doc, const char *key, const char *label)
{
	const char *text = NULL;
	if (!xos_json_opt_string(doc, key, 1024, &text, NULL) && text && text[0])
		xos_cli_print_pair(label, "%s", text);
}

static void print_count(const struct xos_json *doc, const char *key, const char *label)
{
	int64_t n = 0;
	if (!xos_json_opt_int64(doc, key, 0, INT64_MAX, 0, &n, NULL))
		xos_cli_print_pair(label, "%lld", (long long)n);
}

static void print_life(const struct xos_json *doc)
{
	int64_t life = 0, rules = 0;
	char text[XOS_TIME_TEXT];
	if (!xos_json_opt_int64(doc, "invited_life", 0, INT64_MAX, 0, &life, NULL) && life) {
		xos_duration_format(life, text);
		xos_cli_print_pair("invited for", "%s", text);
	}
	if (!xos_json_opt_int64(doc, "rules", 0, INT64_MAX, 0, &rules, NULL) && rules)
		xos_cli_print_pair("rules", "version %lld", (long long)rules);
}

enum xos_status vo_describe(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	struct xos_json *doc = NULL;
	const char *vo = NULL;
	enum xos_status st =
	    xos_cli_command(cli, "ca", "vo.describe", xos_json_object(), &doc, err);
	if (st)
		return st;
	if (cli->json)
		return xos_cli_print_json(doc, err);
	st = xos_json_get_string(doc, "vo", 64, &vo, err);
	if (!st) {
		xos_cli_print_pair("vo", "%s", vo);
		print_text(doc, "title", "title");
		print_text(doc, "contact", "contact");
		print_text(doc, "model", "model");
		print_text(doc, "created", "created");
		print_text(doc, "ends", "ends");
		print_text(doc, "closed", "CLOSED since");
		print_life(doc);
		print_text(doc, "break_glass_sealed", "break-glass");
		print_text(doc, "break_glass_used", "BREAK-GLASS USED");
		print_count(doc, "members", "members");
		print_count(doc, "suspended", "suspended");
		print_count(doc, "sponsor_left", "sponsor left");
		print_count(doc, "groups", "groups");
	}
	xos_json_free(doc);
	return st;
}

enum xos_status vo_set(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	int64_t life = 0;
	if (!opt_title && !opt_contact && !opt_model && !opt_invited_life)
		return xos_cli_usage(
		    err, "say what to set: --title, --contact, --model or --invited-life");
	if (opt_model && strcmp(opt_model, "administered") != 0 && strcmp(opt_model, "open") != 0)
		return xos_cli_usage(err,
		    "--model takes administered or open; a federated VO needs a gateway that "
		    "vouches for the members of an institution, and xos-cad has none");
	if (opt_invited_life && (!xos_duration_parse(opt_invited_life, &life) || life <= 0))
		return xos_cli_usage(err, "--invited-life takes a duration with its unit: 365d");
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "title", opt_title);
	xos_json_set_string(args, "contact", opt_contact);
	xos_json_set_string(args, "model", opt_model);
	if (opt_invited_life)
		xos_json_set_int(args, "invited_life", life);
	return xos_cli_command_do(
	    cli, "ca", "vo.set", args, err, "changed; xos-vo describe shows it");
}

enum xos_status vo_end(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	if (!opt_at)
		return xos_cli_usage(err, "say when the VO ends: --at DATE");
	struct xos_json *args = xos_json_object();
	enum xos_status st = vo_set_when(args, "at", opt_at, err);
	if (st) {
		xos_json_free(args);
		return st;
	}
	if (strcmp(opt_at, "never") == 0)
		return xos_cli_command_do(cli, "ca", "vo.end", args, err, "the VO has no end");
	return xos_cli_command_do(cli, "ca", "vo.end", args, err,
	    "the VO ends %s%s: no log-in and no token beyond that, for administrators neither; it "
	    "can be moved until then",
	    strchr(opt_at, '-') ? "at " : "in ", opt_at);
}

enum xos_status vo_close(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	if (!opt_confirm)
		return xos_cli_usage(
		    err, "closing stops every member at once: say --confirm and the VO's name");
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "confirm", opt_confirm);
	return xos_cli_command_do(cli, "ca", "vo.close", args, err,
	    "VO %s is closed: administrators alone can log in, for an hour at a time, and xos-vo "
	    "reopen opens it again",
	    opt_confirm);
}

enum xos_status vo_reopen(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	return xos_cli_command_do(
	    cli, "ca", "vo.reopen", xos_json_object(), err, "the VO is open again");
}
