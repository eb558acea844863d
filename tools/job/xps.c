/* xps: the jobs that run now, like ps(1). */
#include "base/clock.h"
#include "job/nodes.h"
#include "job/standing.h"

static const char *node_option;

static enum xos_status row(void *ctx, const struct xos_job_info *i, struct xos_err *err)
{
	char used[XOS_TIME_TEXT], credential[192];
	const char *const cells[] = {
	    i->id, i->member, i->via, i->node, job_standing_state(i), used, credential, i->command};

	(void)err;
	if (i->state != XOS_JOB_RUNNING && i->state != XOS_JOB_WAITING)
		return XOS_OK;
	xos_duration_format(i->started ? xos_clock_now() - i->started : 0, used);
	job_credential_text(i, credential, sizeof(credential));
	xos_cli_table_row(ctx, cells);
	return XOS_OK;
}

static enum xos_status add_json(void *ctx, const struct xos_job_info *i, struct xos_err *err)
{
	(void)err;
	if (i->state == XOS_JOB_RUNNING || i->state == XOS_JOB_WAITING)
		xos_json_add(ctx, xos_job_info_to_json(i));
	return XOS_OK;
}

static enum xos_status ask_all(struct xos_cli *cli, const struct job_nodes *nodes,
    struct xos_json *list, struct xos_cli_table *table, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < nodes->n; i++) {
		struct xos_cli_client *c = NULL;

		st = job_client(nodes, &nodes->node[i], &c, err);
		if (st == XOS_OK && cli->json)
			st = xos_jobs_list(xos_cli_client(c), nodes->vo->name, add_json, list, err);
		else if (st == XOS_OK)
			st = xos_jobs_list(xos_cli_client(c), nodes->vo->name, row, table, err);
		xos_cli_client_free(c);
	}
	return st;
}

static enum xos_status run(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const char *const heads[] = {
	    "JOB", "MEMBER", "VIA", "NODE", "STATE", "WALL", "CREDENTIAL", "COMMAND"};
	struct xos_cli_table *table = NULL;
	struct xos_json *list = NULL, *doc;
	struct job_nodes nodes;
	enum xos_status st = job_nodes_load(cli, node_option, &nodes, err), printed;

	(void)argc;
	(void)argv;
	if (st != XOS_OK)
		return st;
	if (cli->json)
		list = xos_json_array();
	else
		table = xos_cli_table_new(heads, sizeof(heads) / sizeof(heads[0]));
	st = ask_all(cli, &nodes, list, table, err);
	job_nodes_free(&nodes);
	if (st != XOS_OK) {
		xos_json_free(list);
		/* What came before the failure is still true. */
		printed = table ? xos_cli_table_print(table, NULL) : XOS_OK;
		return printed == XOS_OK ? st : printed;
	}
	if (!cli->json)
		return xos_cli_table_print(table, err);
	doc = xos_json_object();
	xos_json_set(doc, "jobs", list);
	return xos_cli_print_json(doc, err);
}

int main(int argc, char **argv)
{
	static const struct xos_cli_option options[] = {
	    {"node", "NODE", "only this node", NULL, &node_option, NULL},
	    {NULL, NULL, NULL, NULL, NULL, NULL},
	};
	static const struct xos_cli_verb verb = {
	    NULL, "", "running jobs", 0, 0, false, options, run};
	static const struct xos_cli_program program = {
	    .name = "xps",
	    .about = "the jobs that run now: yours, or all of a VO for its administrator",
	    .verbs = &verb,
	    .nverbs = 1,
	    .examples = "  xps\n  xps --node n1 --json\n",
	};
	return xos_cli_main(&program, argc, argv);
}
