/* xos-node admission, sites: an owner's terms, on which the VO admits nodes of the owner's site. */
#include <stdio.h>
#include <string.h>

#include "api/rca_admission.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "bundle/admission.h"
#include "cli/command.h"
#include "cli/vo.h"
#include "node/verbs.h"

static const char *opt_site, *opt_key, *opt_serial, *opt_valid, *opt_rescue, *opt_out;
static struct xos_cli_list opt_approvers;
static bool opt_nobody;

const struct xos_cli_option xos_node_admission_options[] = {
    {"site", "NAME", "whose terms", NULL, &opt_site, NULL},
    {"site-key", "FILE", "the site's private key", NULL, &opt_key, NULL},
    {"approver", "MEMBER", "who approves nodes; may be given again", NULL, NULL, &opt_approvers},
    {"nobody", NULL, "nobody approves: the site takes no more nodes", &opt_nobody, NULL, NULL},
    {"rescue", "DURATION", "how long after its end a node's certificate may be renewed (0s)", NULL,
        &opt_rescue, NULL},
    {"valid", "DURATION", "how long the terms are in force (365d)", NULL, &opt_valid, NULL},
    {"serial", "N", "higher than that of the terms before (the time, in seconds)", NULL,
        &opt_serial, NULL},
    {"out", "FILE", "only sign, into this file; another machine sends it: xos-node admission FILE",
        NULL, &opt_out, NULL},
    XOS_NODE_NO_OPTION,
};

/* Which VO: the one joined, or --vo alone on a machine that joined none, as the site key's may be. */
static enum xos_status fill(
    const struct xos_cli *cli, struct xos_admission *a, int64_t now, struct xos_err *err)
{
	struct xos_cli_vo *vo = NULL;
	int64_t life = 0;
	enum xos_status st = XOS_OK;

	if (!opt_site || !opt_key)
		return xos_cli_usage(err, "terms need --site NAME and --site-key FILE");
	if ((opt_approvers.n == 0) == !opt_nobody)
		return xos_cli_usage(
		    err, "say who approves, --approver MEMBER, or that nobody does: --nobody");
	if (!xos_duration_parse(opt_valid ? opt_valid : "365d", &life) || life <= 0)
		return xos_cli_usage(err, "--valid takes a duration with its unit: 90d");
	if (!xos_duration_parse(opt_rescue ? opt_rescue : "0s", &a->rescue) || a->rescue < 0)
		return xos_cli_usage(err, "--rescue takes a duration with its unit: 12h");
	a->serial = (uint64_t)now;
	if (opt_serial && (!xos_parse_u64(opt_serial, INT64_MAX, &a->serial) || a->serial == 0))
		return xos_cli_usage(err, "--serial takes a number of 1 or more");
	a->issued = now;
	a->expires = now + life;
	for (; a->napprovers < opt_approvers.n; a->napprovers++)
		if (!xos_str_copy(a->approvers[a->napprovers], sizeof(a->approvers[0]),
		        opt_approvers.item[a->napprovers]))
			return xos_cli_usage(
			    err, "'%s' is no name of a member", opt_approvers.item[a->napprovers]);
	if (!opt_out || !cli->vo)
		st = xos_cli_vo_load(cli, &vo, err);
	if (!st && (!xos_str_copy(a->vo, sizeof(a->vo), vo ? vo->name : cli->vo) ||
	               !xos_str_copy(a->site, sizeof(a->site), opt_site)))
		st = xos_cli_usage(err, "the name of the VO or of the site is too long");
	xos_cli_vo_free(vo);
	return st;
}

static enum xos_status send(
    const struct xos_cli *cli, const char *site, struct xos_bytes compact, struct xos_err *err)
{
	struct xos_cli_vo *vo = NULL;
	struct xos_cli_client *client = NULL;
	enum xos_status st = xos_cli_vo_load(cli, &vo, err);
	if (!st)
		st = xos_cli_client_new(vo, "rca", NULL, false, &client, err);
	if (!st)
		st = xos_rca_terms_put(xos_cli_client(client), vo->name, site, compact, err);
	if (!st && cli->json) {
		struct xos_json *doc = xos_json_object();
		xos_json_set_string(doc, "site", site);
		xos_json_set_bool(doc, "published", true);
		st = xos_cli_print_json(doc, err);
	} else if (!st) {
		xos_cli_say("the admission terms of site %s are in force in VO %s", site, vo->name);
	}
	xos_cli_client_free(client);
	xos_cli_vo_free(vo);
	return st;
}

/* What another machine signed. */
static enum xos_status send_file(const struct xos_cli *cli, const char *file, struct xos_err *err)
{
	struct xos_buf compact;
	if (!opt_site)
		return xos_cli_usage(err, "say whose terms these are: --site NAME");
	xos_buf_init(&compact, 0);
	enum xos_status st = xos_file_read(file, XOS_ADMISSION_MAX, &compact, err);
	while (!st && compact.n && (compact.p[compact.n - 1] == '\n'))
		compact.n--;
	if (!st)
		st = send(cli, opt_site, xos_buf_bytes(&compact), err);
	xos_buf_free(&compact);
	return st;
}

static enum xos_status print_signed(const struct xos_admission *a, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object();
	xos_json_set_string(doc, "vo", a->vo);
	xos_json_set_string(doc, "site", a->site);
	xos_json_set_int(doc, "serial", (int64_t)a->serial);
	xos_json_set_time(doc, "expires", a->expires);
	xos_json_set_string(doc, "file", opt_out);
	return xos_cli_print_json(doc, err);
}

XOS_NODE_VERB(admission)
{
	struct xos_admission terms = {.serial = 0};
	struct xos_key *key = NULL;
	struct xos_buf compact;
	if (argc)
		return send_file(cli, argv[0], err);
	enum xos_status st = fill(cli, &terms, xos_clock_now(), err);
	xos_buf_init(&compact, XOS_ADMISSION_MAX);
	if (!st)
		st = xos_key_load(opt_key, NULL, NULL, &key, err);
	if (!st)
		st = xos_admission_sign(key, &terms, &compact, err);
	if (!st && opt_out) {
		st = xos_file_write(opt_out, 0644, xos_buf_bytes(&compact), err);
		if (!st && cli->json)
			st = print_signed(&terms, err);
		else if (!st)
			xos_cli_say("%s: signed; send it with: xos-node admission --site %s %s",
			    opt_out, opt_site, opt_out);
	} else if (!st) {
		st = send(cli, opt_site, xos_buf_bytes(&compact), err);
	}
	xos_buf_free(&compact);
	xos_key_free(key);
	return st;
}

/* --- sites --- */

static const char *text_of(const struct xos_json *o, const char *key)
{
	const char *text = NULL;
	return o && !xos_json_opt_string(o, key, 512, &text, NULL) ? text : NULL;
}

static void add_row(struct xos_cli_table *t, const struct xos_json *site)
{
	const struct xos_json *terms = NULL, *list = NULL;
	struct xos_buf names;
	const char *name = NULL;
	xos_buf_init(&names, 4096);
	if (!xos_json_opt_object(site, "terms", &terms, NULL) && terms &&
	    !xos_json_get_array(terms, "approvers", XOS_ADMISSION_APPROVERS_MAX, &list, NULL)) {
		for (size_t i = 0; i < xos_json_count(list); i++)
			if (!xos_json_as_string(xos_json_at(list, i), XOS_MEMBER_MAX, &name, NULL))
				xos_buf_printf(&names, "%s%s", i ? " " : "", name);
		if (xos_json_count(list) == 0)
			xos_buf_put_str(&names, "nobody");
	} else {
		xos_buf_put_str(&names, "administrators of the VO");
	}
	const char *cells[] = {text_of(site, "site"), xos_buf_str(&names),
	    text_of(terms, "expires"), text_of(site, "key")};
	xos_cli_table_row(t, cells);
	xos_buf_free(&names);
}

XOS_NODE_VERB(sites)
{
	(void)argc;
	(void)argv;
	static const char *const heads[] = {"SITE", "APPROVERS", "TERMS UNTIL", "KEY"};
	struct xos_json *doc = NULL;
	const struct xos_json *list = NULL;
	enum xos_status st =
	    xos_cli_command(cli, XOS_RCA_AUD, "site.list", xos_json_object(), &doc, err);
	if (!st && cli->json)
		return xos_cli_print_json(doc, err);
	if (!st)
		st = xos_json_get_array(doc, "sites", 10000, &list, err);
	if (!st) {
		struct xos_cli_table *t = xos_cli_table_new(heads, 4);
		for (size_t i = 0; i < xos_json_count(list); i++)
			add_row(t, xos_json_at(list, i));
		st = xos_cli_table_print(t, err);
	}
	xos_json_free(doc);
	return st;
}
