/* xos-vo log verify|prove|export|show */
#include "vo/log.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "vo/verbs.h"

static struct vo_log_opts opts;

const struct xos_cli_option vo_log_options[] = {
    {"since", "TIME", "with show: since then, 7d or 2026-11-22T00:00:00Z", NULL, &opts.since, NULL},
    {"until", "TIME", "with show: until then", NULL, &opts.until, NULL},
    {"from", "N", "with export: from this record on", NULL, &opts.from, NULL},
    {"to", "N", "with export: to this record", NULL, &opts.to, NULL},
    {"out", "FILE", "with export: where to; without it standard output", NULL, &opts.out, NULL},
    {"act", "N", "with prove: an administrative act instead of a token", NULL, &opts.act, NULL},
    {"proof", "FILE", "with verify: what prove, show or export gave, off line", NULL, &opts.proof,
        NULL},
    {"head", "FILE", "with verify: log verify --json of somebody else, is it the same log?", NULL,
        &opts.head, NULL},
    {"of", "SERVICE", "with verify: whose log: ca (default), rca, accounting", NULL, &opts.of,
        NULL},
    {"root", "PEM", "with verify --proof: the VO's root, without having joined", NULL, &opts.root,
        NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static enum xos_status verify(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct vo_log l = {.cli = cli};
	struct xos_log_head theirs = {.sequence = 0};
	char root[2 * XOS_LOG_HASH + 1], signed_at[XOS_TIME_TEXT], before[XOS_TIME_TEXT];
	enum xos_status st;

	(void)argc;
	(void)argv;
	if (opts.proof)
		return vo_log_verify_file(cli, &opts, err);
	if (opts.of && !xos_vo_log_of_service(opts.of, &l.of))
		return xos_cli_usage(err, "--of takes ca, rca or accounting");
	st = vo_log_open(cli, &l, err);
	if (st == XOS_OK && opts.head)
		st = vo_log_compare_file(&l, opts.head, &theirs, err);
	if (st != XOS_OK)
		goto out;
	xos_hex_encode(root, l.head.root, XOS_LOG_HASH);
	xos_time_format(l.head.time, signed_at);
	xos_time_format(l.before.time, before);
	if (cli->json) {
		struct xos_json *doc = vo_log_head_doc(&l);

		xos_json_set_int(doc, "records", (int64_t)l.head.sequence);
		xos_json_set_string(doc, "root", root);
		xos_json_set_string(doc, "time", signed_at);
		xos_json_set_int(doc, "seen_before", l.seen ? (int64_t)l.before.sequence : 0);
		if (opts.head)
			xos_json_set_int(doc, "theirs", (int64_t)theirs.sequence);
		st = xos_cli_print_json(doc, err);
		goto out;
	}
	xos_cli_say("%s: %llu records, signed at %s by the authority's key", l.head.name,
	    (unsigned long long)l.head.sequence, signed_at);
	xos_cli_say("root %s", root);
	if (l.seen)
		xos_cli_say("the first %llu, which this machine saw signed at %s, are unchanged",
		    (unsigned long long)l.before.sequence, before);
	else
		xos_cli_say(
		    "seen for the first time on this machine: from now on each change shows");
	if (opts.head)
		xos_cli_say("the head of %llu records in %s is one of this log",
		    (unsigned long long)theirs.sequence, opts.head);
out:
	vo_log_close(&l);
	return st;
}

static enum xos_status prove(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	return vo_log_prove(cli, &opts, argc ? argv[0] : NULL, err);
}

static enum xos_status export(struct xos_cli *cli, int argc, char **argv, struct xos_err *err) {
	(void)argc; (void)argv; return vo_log_export(cli, &opts, err);
}

static enum xos_status show(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	return vo_log_show(cli, &opts, argv[0], err);
}

static bool allowed(const char *words, const char *word)
{
	size_t n = strlen(word);
	const char *at = strstr(words, word);

	return at && (at[n] == '\0' || at[n] == ' ');
}

/* An option that does nothing would be taken for one that did. */
static enum xos_status check_options(const char *word, struct xos_err *err)
{
	const struct {
		const char *value, *name, *words;
	} all[] = {{opts.since, "since", "show"}, {opts.until, "until", "show"},
	    {opts.from, "from", "export"}, {opts.to, "to", "export"}, {opts.out, "out", "export"},
	    {opts.act, "act", "prove"}, {opts.proof, "proof", "verify"},
	    {opts.root, "root", "verify"}, {opts.head, "head", "verify"},
	    {opts.of, "of", "verify"}};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].value && !allowed(all[i].words, word))
			return xos_cli_usage(
			    err, "--%s goes with log %s", all[i].name, all[i].words);
	if (opts.root && !opts.proof)
		return xos_cli_usage(err, "--root goes with log verify --proof");
	if (opts.of && opts.proof)
		return xos_cli_usage(err, "either --of or --proof");
	if (opts.head && opts.proof)
		return xos_cli_usage(err, "either --head or --proof");
	return XOS_OK;
}

enum xos_status vo_log(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const struct vo_action table[] = {{"verify", 0, 0, verify}, {"prove", 0, 1, prove},
	    {"export", 0, 0, export}, {"show", 1, 1, show}};
	enum xos_status st = check_options(argv[0], err);

	return st == XOS_OK
	           ? vo_dispatch(table, sizeof(table) / sizeof(table[0]), cli, argc, argv, err)
	           : st;
}

enum xos_status vo_log_number(
    const char *option, const char *text, uint64_t *out, struct xos_err *err)
{
	if (xos_parse_u64(text, INT64_MAX, out) && *out > 0)
		return XOS_OK;
	return xos_cli_usage(err, "--%s takes a number, 1 or more", option);
}
