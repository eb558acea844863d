/* xos-policy push: a set goes to the VO's policy service. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/vops.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "bundle/siteset.h"
#include "cli/command.h"
#include "cli/vo.h"
#include "policytool/kept.h"
#include "policytool/verbs.h"

#define SET_MAX (1024 * 1024)
#define CASES_MAX (512 * 1024)

static const char *opt_site, *opt_node, *opt_group, *opt_at, *opt_until, *opt_comment;
static bool opt_owner, opt_force, opt_preview;
static struct xos_cli_list opt_cases;

const struct xos_cli_option xos_policytool_push_options[] = {
    {"site", "NAME", "FILE is this site's signed set (xos-policy sign)", NULL, &opt_site, NULL},
    {"node", "SITE/NODE", "FILE is this node's set, signed by its site", NULL, &opt_node, NULL},
    {"group", "GROUP", "FILE is the set of this group, whose administrator you are", NULL,
        &opt_group, NULL},
    {"owner", NULL, "FILE is your own set, about your jobs and files", &opt_owner, NULL, NULL},
    {"at", "TIME", "comes into force then: a time in UTC, or a duration from now", NULL, &opt_at,
        NULL},
    {"until", "TIME", "goes back then to what was in force before", NULL, &opt_until, NULL},
    {"comment", "TEXT", "shown by list", NULL, &opt_comment, NULL},
    {"cases", "FILE", "cases that it must pass; without, those beside FILE", NULL, NULL,
        &opt_cases},
    {"preview", NULL, "only if no running job would end, and every node could be asked",
        &opt_preview, NULL, NULL},
    {"force", NULL, "also if nodes do not know what it names", &opt_force, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

/* What sign writes are three parts of base64url joined by dots; a text has blanks or braces. The service
 * judges what it is given; this is for whoever forgot to sign. */
static bool looks_signed(const struct xos_buf *b)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t n = b->n, dots = 0;
	while (n && (b->p[n - 1] == '\n' || b->p[n - 1] == '\r'))
		n--;
	for (size_t i = 0; i < n; i++) {
		if (!memchr(letters, b->p[i], sizeof(letters) - 1))
			return false;
		dots += b->p[i] == '.';
	}
	return dots == 2;
}

static enum xos_status send_signed(struct xos_cli *cli, const char *site, const char *node,
    struct xos_bytes compact, struct xos_err *err)
{
	struct xos_cli_vo *vo = NULL;
	struct xos_cli_client *client = NULL;
	enum xos_status st = xos_cli_vo_load(cli, &vo, err);
	if (!st)
		st = xos_cli_client_new(vo, "vops", NULL, false, &client, err);
	if (!st && node)
		st = xos_vops_node_set(xos_cli_client(client), vo->name, site, node, compact, err);
	else if (!st)
		st = xos_vops_site_set(xos_cli_client(client), vo->name, site, compact, err);
	xos_cli_client_free(client);
	xos_cli_vo_free(vo);
	return st;
}

static enum xos_status push_signed(
    struct xos_cli *cli, const char *file, const char *site, const char *node, struct xos_err *err)
{
	struct xos_buf compact;
	xos_buf_init(&compact, 0);
	enum xos_status st = xos_file_read(file, XOS_SITESET_MAX, &compact, err);
	if (!st && !looks_signed(&compact))
		st = xos_err_set(err, XOS_MALFORMED, "siteset-unsigned",
		    "%s is not signed: sign it first with `xos-policy sign --site-key FILE --out "
		    "FILE %s`, and push what that wrote",
		    file, file);
	if (!st)
		st = send_signed(cli, site, node, xos_buf_bytes(&compact), err);
	if (!st && !cli->json)
		printf(
		    "the set of %s %s%s%s is with the VO's policy service; nodes fetch it within "
		    "their refresh interval\n",
		    node ? "node" : "site", site, node ? "/" : "", node ? node : "");
	xos_buf_free(&compact);
	return st;
}

static enum xos_status push_node(struct xos_cli *cli, const char *file, struct xos_err *err)
{
	char site[XOS_SITE_MAX + 1];
	const char *slash = strchr(opt_node, '/');
	if (!slash || !xos_name_is_node(slash + 1) ||
	    !xos_str_printf(site, sizeof(site), "%.*s", (int)(slash - opt_node), opt_node) ||
	    !xos_name_is_site(site))
		return xos_cli_usage(err, "--node takes SITE/NODE, for example lab/n1");
	return push_signed(cli, file, site, slash + 1, err);
}

/* Errors in the text are told here, with file, line and column, before anything is sent. */
static enum xos_status read_set(
    const char *file, struct xos_buf *text, struct xos_policy_set **set, struct xos_err *err)
{
	enum xos_status st = xos_file_read(file, SET_MAX, text, err);
	if (!st)
		st = xos_policy_set_load((const char *)text->p, text->n, file, set, err);
	return st;
}

static enum xos_status push_scoped(struct xos_cli *cli, const char *file, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	struct xos_buf text;
	xos_buf_init(&text, 0);
	enum xos_policy_level want = opt_owner ? XOS_POLICY_OWNER : XOS_POLICY_GROUP;
	enum xos_status st = read_set(file, &text, &set, err);
	if (!st && (xos_policy_set_level(set) != want ||
	               (opt_group && strcmp(xos_policy_set_name(set), opt_group) != 0)))
		st = xos_err_set(err, XOS_MALFORMED, "policy-level",
		    "%s is the set of %s %s, not of %s", file,
		    xos_policy_level_name(xos_policy_set_level(set)), xos_policy_set_name(set),
		    opt_group ? opt_group : "an owner");
	if (!st) {
		struct xos_json *args = xos_json_object();
		xos_json_set_string(args, "level", xos_policy_level_name(want));
		xos_json_set_string(args, "name", xos_policy_set_name(set));
		xos_json_set_string(args, "text", xos_buf_str(&text));
		st = xos_cli_command_do(cli, "vops", "set.push", args, err,
		    "serial %llu of the set of %s is in force; nodes fetch it within their refresh "
		    "interval",
		    (unsigned long long)xos_policy_set_serial(set), xos_policy_set_name(set));
	}
	xos_policy_set_unref(set);
	xos_buf_free(&text);
	return st;
}

enum xos_status xos_policytool_times(
    struct xos_json *args, const char *at, const char *until, struct xos_err *err)
{
	const char *const words[2] = {at, until}, *const keys[2] = {"at", "until"};
	for (size_t i = 0; i < 2; i++) {
		int64_t t = 0;
		if (!words[i])
			continue;
		if (xos_duration_parse(words[i], &t) && t > 0)
			t += xos_clock_now();
		else if (!xos_time_parse(words[i], &t))
			return xos_cli_usage(err,
			    "--%s takes a time in UTC, as 2026-12-01T00:00:00Z, or a duration from "
			    "now, "
			    "as 2h",
			    keys[i]);
		xos_json_set_time(args, keys[i], t);
	}
	return XOS_OK;
}

static enum xos_status add_cases(struct xos_json *list, const char *path, struct xos_err *err)
{
	const char *slash = strrchr(path, '/');
	struct xos_buf text;
	xos_buf_init(&text, 0);
	enum xos_status st = xos_file_read(path, CASES_MAX, &text, err);
	if (!st) {
		struct xos_json *one = xos_json_object();
		xos_json_set_string(one, "name", slash ? slash + 1 : path);
		xos_json_set_string(one, "text", xos_buf_str(&text) ? xos_buf_str(&text) : "");
		xos_json_add(list, one);
	}
	xos_buf_free(&text);
	return st;
}

/* The files named, or demo-vo.test beside demo-vo.xos. */
static enum xos_status cases_of(const char *file, struct xos_json *args, struct xos_err *err)
{
	char beside[4096];
	size_t len = strlen(file);
	struct xos_json *list = xos_json_array();
	enum xos_status st = XOS_OK;
	for (size_t i = 0; !st && i < opt_cases.n; i++)
		st = add_cases(list, opt_cases.item[i], err);
	if (!opt_cases.n && len > 4 && strcmp(file + len - 4, ".xos") == 0 &&
	    xos_str_printf(beside, sizeof(beside), "%.*s.test", (int)(len - 4), file)) {
		st = add_cases(list, beside, err);
		if (st == XOS_NOT_FOUND)
			st = XOS_OK;
	}
	if (xos_json_count(list))
		xos_json_set(args, "cases", list);
	else
		xos_json_free(list);
	return st;
}

enum xos_status xos_policytool_tell_change(
    struct xos_cli *cli, struct xos_json *doc, struct xos_err *err)
{
	const char *state = "", *from = "", *until = NULL, *expires = "";
	uint64_t serial = 0, then = 0;
	int64_t id = 0;
	if (cli->json)
		return xos_cli_print_json(doc, err);
	enum xos_status st = xos_json_get_string(doc, "state", 32, &state, err);
	if (!st)
		st = xos_json_opt_uint64(doc, "serial", INT64_MAX, 0, &serial, err);
	if (!st && strcmp(state, "proposed") == 0) {
		st = xos_json_get_int64(doc, "proposal", 1, INT64_MAX, &id, err);
		if (!st)
			st = xos_json_get_string(doc, "expires", 64, &expires, err);
		if (!st)
			xos_cli_say(
			    "proposal %lld waits for another administrator, until %s: xos-policy "
			    "show --proposal %lld, then approve %lld",
			    (long long)id, expires, (long long)id, (long long)id);
	} else if (!st && strcmp(state, "planned") == 0) {
		st = xos_json_get_string(doc, "from", 64, &from, err);
		if (!st)
			xos_cli_say(
			    "serial %llu of the VO's policy comes into force at %s (xos-policy "
			    "cancel %llu)",
			    (unsigned long long)serial, from, (unsigned long long)serial);
	} else if (!st && strcmp(state, "cancelled") == 0) {
		xos_cli_say("serial %llu will not come into force", (unsigned long long)serial);
	} else if (!st) {
		xos_cli_say(
		    "serial %llu of the VO's policy is in force; nodes fetch it within their "
		    "refresh interval",
		    (unsigned long long)serial);
	}
	if (!st && xos_json_opt_string(doc, "until", 64, &until, NULL) == XOS_OK && until &&
	    xos_json_get_uint64(doc, "then", INT64_MAX, &then, NULL) == XOS_OK)
		xos_cli_say("until %s; then the set before it comes back as serial %llu", until,
		    (unsigned long long)then);
	xos_json_free(doc);
	return st;
}

static enum xos_status push_vo(struct xos_cli *cli, const char *file, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	struct xos_json *args = xos_json_object(), *doc = NULL;
	struct xos_buf text;
	xos_buf_init(&text, 0);
	enum xos_status st = read_set(file, &text, &set, err);
	if (!st && xos_policy_set_level(set) != XOS_POLICY_VO)
		st = xos_err_set(err, XOS_MALFORMED, "policy-level",
		    "%s is no set of a VO; a site's set is signed by its owner and pushed with "
		    "--site, a node's with --node, and those of groups and owners with --group and "
		    "--owner",
		    file);
	xos_json_set_string(args, "text", st ? NULL : xos_buf_str(&text));
	xos_json_set_string(args, "comment", opt_comment);
	if (opt_force)
		xos_json_set_bool(args, "force", true);
	if (!st)
		st = xos_policytool_times(args, opt_at, opt_until, err);
	if (!st)
		st = cases_of(file, args, err);
	if (st)
		xos_json_free(args);
	else
		st = xos_cli_command(cli, "vops", "policy.push", args, &doc, err);
	xos_policy_set_unref(set);
	xos_buf_free(&text);
	return st ? st : xos_policytool_tell_change(cli, doc, err);
}

/* With --preview it goes no further if somebody would be hit by it, or nobody can say. */
static enum xos_status push_looked_at(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	enum xos_status st = opt_preview ? xos_policytool_preview(cli, argc, argv, err) : XOS_OK;
	if (st || cli->exit_status) {
		if (!st)
			xos_cli_say("not pushed; without --preview it would be");
		return st;
	}
	return push_vo(cli, argv[0], err);
}

enum xos_status xos_policytool_push(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	bool vo = !opt_site && !opt_node && !opt_group && !opt_owner;
	if ((opt_site != NULL) + (opt_node != NULL) + (opt_group != NULL) + opt_owner > 1)
		return xos_cli_usage(err, "--site, --node, --group and --owner exclude each other");
	if (!vo && (opt_at || opt_until || opt_comment || opt_force || opt_preview || opt_cases.n))
		return xos_cli_usage(err, "--at, --until, --comment, --cases, --preview and "
		                          "--force are for the VO's own set");
	if (opt_preview && cli->json)
		return xos_cli_usage(err, "--preview is for people: use xos-policy preview --json");
	if (opt_site)
		return push_signed(cli, argv[0], opt_site, NULL, err);
	if (opt_node)
		return push_node(cli, argv[0], err);
	return vo ? push_looked_at(cli, argc, argv, err) : push_scoped(cli, argv[0], err);
}
