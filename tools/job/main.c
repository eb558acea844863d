/* xos-job: jobs that act for you on the nodes of a VO. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "job/follow.h"
#include "job/nodes.h"
#include "job/standing.h"
#include "job/verbs.h"

const char *job_node_option;
static bool from_stderr, follow_it;

#define NODE_OPTION                                                                                \
	{                                                                                          \
		"node", "NODE", "only this node", NULL, &job_node_option, NULL                     \
	}
#define END                                                                                        \
	{                                                                                          \
		NULL, NULL, NULL, NULL, NULL, NULL                                                 \
	}
static const struct xos_cli_option node_options[] = {NODE_OPTION, END};
static const struct xos_cli_option logs_options[] = {NODE_OPTION,
    {"stderr", NULL, "standard error instead of standard output", &from_stderr, NULL, NULL},
    {"follow", NULL, "go on until the job has ended", &follow_it, NULL, NULL}, END};

/* One verb's job: the nodes, the client of the one that has it, what it says. */
struct one {
	struct job_nodes nodes;
	struct xos_cli_client *client;
	struct xos_job_info info;
};

static enum xos_status find(struct xos_cli *cli, const char *id, struct one *o, struct xos_err *err)
{
	enum xos_status st;

	*o = (struct one){.client = NULL};
	if (!xos_job_id_valid(id))
		return xos_err_set(err, XOS_MALFORMED, "job-id",
		    "\"%.64s\" is no job id (32 hexadecimal digits); xos-job list shows yours", id);
	st = job_nodes_load(cli, job_node_option, &o->nodes, err);
	return st == XOS_OK ? job_find(&o->nodes, id, &o->client, &o->info, err) : st;
}

static void drop(struct one *o)
{
	xos_cli_client_free(o->client);
	job_nodes_free(&o->nodes);
}

struct listing {
	struct xos_json *json;
	struct xos_cli_table *table;
};

static enum xos_status list_one(void *ctx, const struct xos_job_info *i, struct xos_err *err)
{
	struct listing *l = ctx;
	char state[96], credential[192], submitted[XOS_TIME_TEXT];
	const char *const cells[] = {i->id, i->node, i->member, state, submitted, credential,
	    i->name[0] ? i->name : i->command};

	(void)err;
	if (l->json) {
		xos_json_add(l->json, xos_job_info_to_json(i));
		return XOS_OK;
	}
	job_state_text(i, state, sizeof(state));
	job_credential_text(i, credential, sizeof(credential));
	xos_time_format(i->submitted, submitted);
	xos_cli_table_row(l->table, cells);
	return XOS_OK;
}

static enum xos_status verb_list(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const char *const heads[] = {
	    "JOB", "NODE", "MEMBER", "STATE", "SUBMITTED", "CREDENTIAL", "COMMAND"};
	struct listing l = {.json = cli->json ? xos_json_array() : NULL};
	struct xos_err unreachable = XOS_ERR_INIT;
	struct job_nodes nodes;
	struct xos_json *doc;
	enum xos_status st = job_nodes_load(cli, job_node_option, &nodes, err), printed;

	(void)argc;
	(void)argv;
	if (st != XOS_OK) {
		xos_json_free(l.json);
		return st;
	}
	if (!cli->json)
		l.table = xos_cli_table_new(heads, sizeof(heads) / sizeof(heads[0]));
	/* A node that is away hides only its own jobs, and says so at the end. */
	for (size_t i = 0; st == XOS_OK && i < nodes.n; i++) {
		struct xos_cli_client *c = NULL;

		st = job_client(&nodes, &nodes.node[i], &c, err);
		if (st == XOS_OK)
			st = xos_jobs_list(xos_cli_client(c), nodes.vo->name, list_one, &l, err);
		xos_cli_client_free(c);
		if (st == XOS_UNAVAILABLE && nodes.n > 1) {
			unreachable = *err;
			st = XOS_OK;
		}
	}
	job_nodes_free(&nodes);
	if (cli->json && st == XOS_OK) {
		doc = xos_json_object();
		xos_json_set(doc, "jobs", l.json);
		st = xos_cli_print_json(doc, err);
	} else if (cli->json) {
		xos_json_free(l.json);
	} else if (st == XOS_OK) {
		st = xos_cli_table_print(l.table, err);
	} else {
		/* What came before the failure is still true. */
		printed = xos_cli_table_print(l.table, NULL);
		st = printed == XOS_OK ? st : printed;
	}
	if (st == XOS_OK && unreachable.status != XOS_OK) {
		*err = unreachable;
		st = unreachable.status;
	}
	return st;
}

static void show_time(const char *key, int64_t t)
{
	char text[XOS_TIME_TEXT];

	if (!t)
		return;
	xos_time_format(t, text);
	xos_cli_print_pair(key, "%s", text);
}

static void show_text(const struct xos_job_info *i)
{
	char state[96], credential[192], wall[XOS_TIME_TEXT];

	job_state_text(i, state, sizeof(state));
	job_credential_text(i, credential, sizeof(credential));
	xos_duration_format(i->wall, wall);
	xos_cli_print_pair("job", "%s", i->id);
	if (i->name[0])
		xos_cli_print_pair("name", "%s", i->name);
	xos_cli_print_pair("command", "%s", i->command);
	xos_cli_print_pair("member", "%s", i->member);
	if (i->via[0])
		xos_cli_print_pair("submitted by", "%s, for %s", i->via, i->member);
	xos_cli_print_pair("node", "%s", i->node);
	xos_cli_print_pair("state", "%s", state);
	if (i->text[0])
		xos_cli_print_pair("why", "%s", i->text);
	show_time("submitted", i->submitted);
	show_time("started", i->started);
	show_time("ended", i->ended);
	job_standing_show(i);
	xos_cli_print_pair("wall limit", "%s", wall);
	xos_cli_print_pair("credential", "%s", credential);
	if (i->renew_text[0] && !i->ended)
		xos_cli_print_pair("renewal", "%s", i->renew_text);
	if (i->dropped_stdout || i->dropped_stderr)
		xos_cli_print_pair("output lost",
		    "%llu bytes of stdout, %llu of stderr past the cap",
		    (unsigned long long)i->dropped_stdout, (unsigned long long)i->dropped_stderr);
}

static enum xos_status verb_show(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct one o;
	enum xos_status st = find(cli, argv[0], &o, err);

	(void)argc;
	if (st == XOS_OK && cli->json)
		st = xos_cli_print_json(xos_job_info_to_json(&o.info), err);
	else if (st == XOS_OK)
		show_text(&o.info);
	drop(&o);
	return st;
}

static enum xos_status verb_wait(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct xos_json *doc;
	struct one o;
	int status = 0;
	enum xos_status st = find(cli, argv[0], &o, err);

	(void)argc;
	if (st == XOS_OK)
		st = job_wait(o.client, o.nodes.vo->name, argv[0], &o.info, err);
	if (st == XOS_OK)
		st = job_exit(&o.info, &status, err);
	if (st == XOS_OK) {
		cli->exit_status = status;
		if (cli->json) {
			doc = xos_job_info_to_json(&o.info);
			xos_json_set_int(doc, "exit_status", status);
			st = xos_cli_print_json(doc, err);
		}
	}
	drop(&o);
	return st;
}

static enum xos_status verb_logs(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct one o;
	enum xos_status st = find(cli, argv[0], &o, err);

	(void)argc;
	if (st == XOS_OK)
		st = job_copy(o.client, o.nodes.vo->name, argv[0],
		    from_stderr ? "stderr" : "stdout", STDOUT_FILENO, follow_it, err);
	drop(&o);
	return st;
}

static enum xos_status verb_cancel(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct one o;
	enum xos_status st = find(cli, argv[0], &o, err);

	(void)argc;
	if (st == XOS_OK)
		st = xos_jobs_cancel(xos_cli_client(o.client), o.nodes.vo->name, argv[0], err);
	drop(&o);
	return st;
}

static const struct xos_cli_verb verbs[] = {
    {"submit", "[--] COMMAND [ARGUMENT...]", "run a command as a job", 1, -1, true,
        job_submit_options, job_submit},
    {"where", "", "where such a job of yours would be allowed, and why not elsewhere", 0, 0, false,
        job_where_options, job_where},
    {"list", "", "your jobs", 0, 0, false, node_options, verb_list},
    {"show", "JOB", "all about a job", 1, 1, false, node_options, verb_show},
    {"wait", "JOB", "wait for a job; ends with its own status", 1, 1, false, node_options,
        verb_wait},
    {"logs", "JOB", "a job's output", 1, 1, false, logs_options, verb_logs},
    {"extend", "JOB", "let the credential of a job be renewed for longer", 1, 1, false,
        job_extend_options, job_extend},
    {"cancel", "JOB", "end a job: SIGTERM, then SIGKILL", 1, 1, false, node_options, verb_cancel},
};

int main(int argc, char **argv)
{
	static const struct xos_cli_program program = {
	    .name = "xos-job",
	    .about = "jobs that act for you, with no more rights than you give them",
	    .verbs = verbs,
	    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
	    .examples = "  xos-job submit --wait -- sh -c 'id -u; xos-token show'\n"
	                "  xos-job submit --node n1 --wall 2h --name fit -- ./fit data.csv\n"
	                "  xos-job submit --restrict read-only.xos -- ./analyse\n"
	                "  xos-job submit --depth 1 --restrict may-submit.xos -- ./workflow\n"
	                "  xos-job where --cpu 8 --memory 32GiB --wall 2h\n"
	                "  xos-job list\n"
	                "  xos-job extend 00112233445566778899aabbccddeeff --for 3d\n"
	                "  xos-job logs --follow 00112233445566778899aabbccddeeff\n",
	};
	return xos_cli_main(&program, argc, argv);
}
