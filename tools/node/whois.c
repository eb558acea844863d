/* xos-node whois: who has a uid of this node, or had it at a time, and what ran under it. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "local/client.h"
#include "node/verbs.h"
#include "node/whois_jobs.h"

static const char *opt_uid, *opt_at;
const struct xos_cli_option xos_node_whois_options[] = {XOS_NODE_DIR_OPTION, XOS_NODE_VO_OPTION,
    {"uid", "N", "the uid", NULL, &opt_uid, NULL},
    {"at", "TIME", "when: 2026-11-22T14:00:00Z, or how long ago: 2h; left out: now", NULL, &opt_at,
        NULL},
    XOS_NODE_NO_OPTION};

static enum xos_status read_options(uint32_t *uid, int64_t *at, struct xos_err *err)
{
	uint64_t v = 0;
	if (!opt_uid)
		return xos_cli_usage(err, "say which uid: --uid N");
	if (!xos_parse_u64(opt_uid, UINT32_MAX, &v))
		return xos_cli_usage(err, "--uid %s: that is no uid", opt_uid);
	*uid = (uint32_t)v;
	*at = xos_clock_now();
	return opt_at ? xos_cli_since("at", opt_at, at, err) : XOS_OK;
}

static enum xos_status ask(
    const struct xos_node *n, uint32_t uid, int64_t at, struct xos_json **out, struct xos_err *err)
{
	char question[96], when[XOS_TIME_TEXT], *text = NULL;
	struct xos_local *credd = NULL;
	xos_time_format(at, when);
	(void)!xos_str_printf(question, sizeof(question), "{\"uid\":%u,\"at\":\"%s\"}", uid, when);
	enum xos_status st = xos_node_credd(n, &credd, err);
	if (!st)
		st = xos_local_whois(credd, xos_bytes_str(question), &text, err);
	if (!st)
		st = xos_json_parse(xos_bytes_str(text), XOS_LOCAL_PEM_MAX, out, err);
	free(text);
	xos_local_free(credd);
	return st;
}

static const char *text_of(const struct xos_json *o, const char *key)
{
	const char *s = NULL;
	return !xos_json_opt_string(o, key, 4096, &s, NULL) ? s : NULL;
}

/* For printing: never NULL. */
static const char *said(const struct xos_json *o, const char *key)
{
	const char *s = text_of(o, key);
	return s ? s : "?";
}

static void print_job(const struct xos_json *j)
{
	const char *ended = text_of(j, "ended"), *source = text_of(j, "source"),
	           *groups = text_of(j, "groups"), *by = text_of(j, "deciders"),
	           *isolation = text_of(j, "isolation");
	xos_cli_print_pair("job", "%s of %s", said(j, "job"), said(j, "member"));
	xos_cli_print_pair("", "%s to %s", said(j, "started"), ended ? ended : "now: it runs");
	if (source)
		xos_cli_print_pair("", "submitted from %s", source);
	if (groups && groups[0])
		xos_cli_print_pair("", "groups: %s", groups);
	if (by)
		xos_cli_print_pair("", "permitted by: %s", by);
	if (isolation)
		xos_cli_print_pair("", "apart by: %s", isolation);
}

static void print_found(const struct xos_json *doc)
{
	const struct xos_json *lease = NULL, *jobs = NULL;
	const char *member = text_of(doc, "member"), *state = text_of(doc, "state"),
	           *account = text_of(doc, "account");
	if (member)
		xos_cli_print_pair("member", "%s of VO %s%s%s", member, said(doc, "vo"),
		    state ? ", " : "", state ? state : "");
	if (account)
		xos_cli_print_pair("account", "%s", account);
	if (!xos_json_opt_object(doc, "lease", &lease, NULL) && lease) {
		const char *until = text_of(lease, "until"), *left = text_of(lease, "left");
		xos_cli_print_pair("uid of job", "%s, from %s to %s", said(lease, "job"),
		    said(lease, "since"), until ? until : "now");
		if (left && !until)
			xos_cli_print_pair("", "held: %s", left);
	}
	if (xos_json_opt_array(doc, "jobs", 4096, &jobs, NULL))
		return;
	for (size_t i = 0; i < xos_json_count(jobs); i++)
		print_job(xos_json_at(jobs, i));
	if (!xos_json_count(jobs))
		xos_cli_print_pair("jobs", "none ran under it then, as far as this node remembers");
}

/* What one VO of the node knows; *found: it is one of its numbers, or something of it ran. */
static enum xos_status look(const struct xos_node_part *p, uint32_t uid, int64_t at,
    struct xos_json **out, bool *found, struct xos_err *err)
{
	struct xos_json *doc = NULL, *jobs = xos_json_array();
	enum xos_status st = ask(&p->n, uid, at, &doc, err);
	if (!st)
		st = xos_node_jobs_of(&p->n, uid, at, jobs, err);
	if (st) {
		xos_json_free(jobs);
		xos_json_free(doc);
		return st;
	}
	*found = xos_json_has(doc, "member") || xos_json_count(jobs) > 0;
	xos_json_set(doc, "jobs", jobs);
	*out = doc;
	return XOS_OK;
}

XOS_NODE_VERB(whois)
{
	(void)argc;
	(void)argv;
	struct xos_node top = {.name = NULL};
	struct xos_node_parts *parts = NULL;
	struct xos_json *doc = NULL;
	uint32_t uid = 0;
	int64_t at = 0;
	struct xos_err why = XOS_ERR_INIT;
	bool found = false;
	enum xos_status st = read_options(&uid, &at, err), failed = XOS_OK;
	if (!st)
		st = xos_node_open_parts(&top, &parts, err);
	for (size_t i = 0; !st && !found && i < parts->n; i++) {
		struct xos_json *one = NULL;
		enum xos_status its = look(&parts->part[i], uid, at, &one, &found, &why);
		if (its) {
			failed = its;
			continue;
		}
		xos_json_free(doc);
		doc = one;
	}
	/* One VO's number is no other's: who has it may be the one that cannot be asked. */
	if (!st && !found && failed) {
		*err = why;
		st = failed;
	}
	if (!st && !found && !cli->json)
		xos_cli_say("uid %u was no member's and no job's of this node then, as far as it "
		            "remembers",
		    uid);
	if (!st && found && !cli->json)
		print_found(doc);
	cli->exit_status = found ? 0 : 1;
	if (!st && cli->json)
		st = xos_cli_print_json(xos_json_copy(doc), err);
	xos_json_free(doc);
	xos_node_parts_free(parts);
	xos_node_free(&top);
	return st;
}
