/* xos-acct: the accounting record of a VO, and whether anything was removed from it. */
#include <stdio.h>
#include <string.h>

#include "acct/verify.h"
#include "api/accounting.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/vo.h"

static const char *member, *since, *log_file, *head_file, *certificate_file;

static const struct xos_cli_option list_options[] = {
    {"member", "NAME", "another member's, for administrators", NULL, &member, NULL},
    {"since", "TIME", "that ended since: 7d, or 2026-11-22T00:00:00Z", NULL, &since, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};
static const struct xos_cli_option verify_options[] = {
    {"log", "FILE", "a copy of the log instead of the server's", NULL, &log_file, NULL},
    {"head", "FILE", "its signed head (default: FILE.head beside the log)", NULL, &head_file, NULL},
    {"certificate", "FILE", "the accounting certificate, for --log", NULL, &certificate_file, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static enum xos_status since_time(int64_t *out, struct xos_err *err)
{
	*out = 0;
	return since ? xos_cli_since("since", since, out, err) : XOS_OK;
}

struct listing {
	struct xos_json *json;
	struct xos_cli_table *table;
};

static void end_text(const struct xos_record *r, char *out, size_t cap)
{
	if (strcmp(r->end, "exited") == 0)
		snprintf(out, cap, "exit %lld", (long long)r->value);
	else if (strcmp(r->end, "signalled") == 0)
		snprintf(out, cap, "signal %lld", (long long)r->value);
	else
		snprintf(out, cap, "%s", r->end);
	if (strcmp(r->cause, "self") != 0)
		snprintf(out + strlen(out), cap - strlen(out), " (%s)", r->cause);
}

/* The whole chain, from the member to who submitted. */
#define VIA_MAX (XOS_RECORD_ACTORS_MAX * (XOS_DELEGATION_TEXT + 2))
static void via_text(const struct xos_record *r, char out[VIA_MAX])
{
	size_t at = 0;

	out[0] = 0;
	for (size_t i = 0; i < r->nactors; i++)
		at += (size_t)snprintf(out + at, VIA_MAX - at, "%s%s", i ? ", " : "", r->actors[i]);
}

static enum xos_status list_one(
    void *ctx, uint64_t sequence, const struct xos_record *r, struct xos_err *err)
{
	struct listing *l = ctx;
	char number[24], ended[XOS_TIME_TEXT], wall[32], cpu[32], end[64], via[VIA_MAX];
	const char *const cells[] = {
	    number, ended, r->member, via, r->node, wall, cpu, end, r->deciders, r->id};
	struct xos_json *doc;

	(void)err;
	if (l->json) {
		doc = xos_record_to_json(r);
		xos_json_set_int(doc, "sequence", (int64_t)sequence);
		xos_json_add(l->json, doc);
		return XOS_OK;
	}
	xos_str_printf(number, sizeof(number), "%llu", (unsigned long long)sequence);
	xos_time_format(r->ended, ended);
	xos_str_printf(wall, sizeof(wall), "%llu.%03llus", (unsigned long long)(r->wall_ms / 1000),
	    (unsigned long long)(r->wall_ms % 1000));
	xos_str_printf(cpu, sizeof(cpu), "%llu.%03llus",
	    (unsigned long long)((r->cpu_user_us + r->cpu_system_us) / 1000000),
	    (unsigned long long)((r->cpu_user_us + r->cpu_system_us) / 1000 % 1000));
	end_text(r, end, sizeof(end));
	via_text(r, via);
	xos_cli_table_row(l->table, cells);
	return XOS_OK;
}

static enum xos_status verb_list(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const char *const heads[] = {
	    "RECORD", "ENDED", "MEMBER", "VIA", "NODE", "WALL", "CPU", "END", "DECIDED BY", "JOB"};
	struct listing l = {.json = NULL};
	struct xos_cli_client *client = NULL;
	struct xos_cli_vo *vo = NULL;
	struct xos_json *doc;
	int64_t from = 0, until = 0;
	enum xos_status st = since_time(&from, err);

	(void)argc;
	(void)argv;
	if (st == XOS_OK)
		st = xos_cli_vo_load(cli, &vo, err);
	if (st == XOS_OK)
		st = xos_cli_client_new(vo, "accounting", NULL, true, &client, err);
	if (st != XOS_OK)
		goto out;
	if (cli->json)
		l.json = xos_json_array();
	else
		l.table = xos_cli_table_new(heads, sizeof(heads) / sizeof(heads[0]));
	/* Such a refusal comes before the first record. */
	do {
		*err = (struct xos_err)XOS_ERR_INIT;
		st = xos_records_list(
		    xos_cli_client(client), vo->name, member, from, list_one, &l, err);
	} while (st != XOS_OK && xos_cli_patient(cli, &until, err));
	if (cli->json && st == XOS_OK) {
		doc = xos_json_object();
		xos_json_set(doc, "records", l.json);
		st = xos_cli_print_json(doc, err);
	} else if (cli->json) {
		xos_json_free(l.json);
	} else {
		struct xos_err ignored = XOS_ERR_INIT;
		enum xos_status printed =
		    xos_cli_table_print(l.table, st == XOS_OK ? err : &ignored);

		st = st == XOS_OK ? printed : st;
	}
out:
	xos_cli_client_free(client);
	xos_cli_vo_free(vo);
	return st;
}

static enum xos_status verb_verify(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct acct_verify v = {
	    .log = log_file, .head = head_file, .certificate = certificate_file};
	struct acct_verified found;
	struct xos_json *doc;
	char until[XOS_TIME_TEXT], seen[XOS_TIME_TEXT];
	enum xos_status st;

	(void)argc;
	(void)argv;
	if ((head_file || certificate_file) && !log_file)
		return xos_cli_usage(err, "--head and --certificate go with --log");
	st = acct_verify(cli, &v, &found, err);
	if (st != XOS_OK)
		return st;
	xos_time_format(found.time, until);
	xos_time_format(found.seen_time, seen);
	if (cli->json) {
		doc = xos_json_object();
		xos_json_set_string(doc, "log", found.name);
		xos_json_set_int(doc, "records", (int64_t)found.records);
		xos_json_set_string(doc, "until", until);
		xos_json_set_int(doc, "seen_before", (int64_t)found.seen);
		return xos_cli_print_json(doc, err);
	}
	xos_cli_say("%llu record%s of %s verified up to %s", (unsigned long long)found.records,
	    found.records == 1 ? "" : "s", found.name, until);
	if (found.seen)
		xos_cli_say("as this machine saw at %s: the first %llu, unchanged", seen,
		    (unsigned long long)found.seen);
	return XOS_OK;
}

static const struct xos_cli_verb verbs[] = {
    {"list", "", "the records of your jobs", 0, 0, false, list_options, verb_list},
    {"verify", "", "check the whole log against its signed head", 0, 0, false, verify_options,
        verb_verify},
};

int main(int argc, char **argv)
{
	static const struct xos_cli_program program = {
	    .name = "xos-acct",
	    .about = "what ran, for whom, under which policy; and whether anything was removed",
	    .verbs = verbs,
	    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
	    .examples = "  xos-acct list --since 7d\n"
	                "  xos-acct list --member alice --json    (administrators)\n"
	                "  xos-acct verify\n"
	                "  xos-acct verify --log records.log --certificate accounting.pem\n",
	};
	return xos_cli_main(&program, argc, argv);
}
