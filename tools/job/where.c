/* xos-job where: what the policy service says of a job that is not submitted yet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/evaluations.h"
#include "api/rca.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/vo.h"
#include "job/verbs.h"

#define PLACE_MAX (XOS_SITE_MAX + XOS_NODE_MAX + 2)
#define WHY_MAX 512
#define LIMITS_MAX 256
#define OWN_MAX 16

static bool each_node;
static const char *cpu, *memory, *gpu, *wall, *only_site;
static struct xos_cli_list attributes;

const struct xos_cli_option job_where_options[] = {
    {"cpu", "N", "processors that it asks for", NULL, &cpu, NULL},
    {"memory", "SIZE", "memory, as 500MiB or 8GiB", NULL, &memory, NULL},
    {"wall", "DURATION", "wall time, as 10m or 2h", NULL, &wall, NULL},
    {"gpu", "N", "GPUs: the VO's own attribute <vo>.gpu", NULL, &gpu, NULL},
    {"attribute", "NAME=VALUE", "another attribute of the VO; may be given again", NULL, NULL,
        &attributes},
    {"site", "SITE", "only this site", NULL, &only_site, NULL},
    {"nodes", NULL, "show each node, not only sites", &each_node, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

/* What was said of one node. */
struct place {
	char id[PLACE_MAX], site[XOS_SITE_MAX + 1];
	bool yes, undecided;
	char limits[LIMITS_MAX], why[WHY_MAX], help[WHY_MAX];
};

struct where {
	struct xos_cli *cli;
	struct xos_cli_vo *vo;
	struct xos_token_info *who;
	struct xos_chain token;
	struct place *place;
	const char **ids;
	size_t n;
	struct xos_policy_request req;
	struct xos_policy_value values[3 + 1 + OWN_MAX];
	char gpu_name[XOS_VO_MAX + 8];
	char names[OWN_MAX][64];
};

/* --- the question --- */

static enum xos_status add_known(
    struct where *w, const char *option, const char *name, const char *text, struct xos_err *err)
{
	if (!text)
		return XOS_OK;
	struct xos_policy_value *v = &w->values[w->req.nvalues];
	enum xos_status st = xos_policy_value_parse(NULL, name, text, v, err);

	if (st != XOS_OK)
		return xos_cli_usage(err, "--%s: \"%s\" is none", option, text);
	w->req.nvalues++;
	return XOS_OK;
}

static enum xos_status add_gpu(struct where *w, struct xos_err *err)
{
	uint64_t n = 0;

	if (!gpu)
		return XOS_OK;
	if (!xos_parse_u64(gpu, 1000000, &n))
		return xos_cli_usage(err, "--gpu: \"%s\" is no number", gpu);
	xos_str_printf(w->gpu_name, sizeof(w->gpu_name), "%s.gpu", w->vo->name);
	w->values[w->req.nvalues++] = (struct xos_policy_value){
	    .name = w->gpu_name, .type = XOS_POLICY_NUMBER, .number = (int64_t)n};
	return XOS_OK;
}

/* The set that declares an attribute says its type; here it follows from how the value looks. */
static enum xos_status add_own(struct where *w, size_t i, struct xos_err *err)
{
	const char *text = attributes.item[i], *equals = strchr(text, '=');
	size_t n = equals ? (size_t)(equals - text) : 0;
	struct xos_policy_value v = {.type = XOS_POLICY_STRING};
	uint64_t number = 0;

	if (!equals || n == 0 || n >= sizeof(w->names[0]) || i >= OWN_MAX)
		return xos_cli_usage(err,
		    "--attribute: write NAME=VALUE, at most %d of them, not \"%s\"", OWN_MAX, text);
	memcpy(w->names[i], text, n);
	w->names[i][n] = '\0';
	v.name = w->names[i];
	v.string = equals + 1;
	if (strcmp(equals + 1, "true") == 0 || strcmp(equals + 1, "false") == 0) {
		v.type = XOS_POLICY_BOOL;
		v.number = equals[1] == 't';
	} else if (xos_parse_u64(equals + 1, INT64_MAX, &number)) {
		v.type = XOS_POLICY_NUMBER;
		v.number = (int64_t)number;
	}
	w->values[w->req.nvalues++] = v;
	return XOS_OK;
}

static enum xos_status build(struct where *w, struct xos_err *err)
{
	enum xos_status st = add_known(w, "cpu", "job.cpu", cpu, err);

	w->req.action = "job.submit";
	w->req.values = w->values;
	w->req.subject = (struct xos_policy_subject){
	    .kind = XOS_SUBJECT_MEMBER, .vo = w->vo->name, .member = w->who->claims->name};
	if (st == XOS_OK)
		st = add_known(w, "memory", "job.memory", memory, err);
	if (st == XOS_OK)
		st = add_known(w, "wall", "job.wall", wall, err);
	if (st == XOS_OK)
		st = add_gpu(w, err);
	for (size_t i = 0; st == XOS_OK && i < attributes.n; i++)
		st = add_own(w, i, err);
	return st;
}

static int by_id(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static enum xos_status take_nodes(
    struct where *w, const struct xos_rca_nodes *list, struct xos_err *err)
{
	w->place = calloc(list->n + 1, sizeof(*w->place));
	w->ids = calloc(list->n + 1, sizeof(*w->ids));
	if (!w->place || !w->ids)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t i = 0; i < list->n; i++) {
		const struct xos_rca_node *node = &list->node[i];
		struct place *p = &w->place[w->n];

		if (strcmp(node->state, "active") != 0 || !xos_rca_node_url(node, "jobs") ||
		    (only_site && strcmp(only_site, node->site) != 0) ||
		    !xos_str_printf(p->id, sizeof(p->id), "%s/%s", node->site, node->node) ||
		    !xos_str_copy(p->site, sizeof(p->site), node->site))
			continue;
		w->n++;
	}
	qsort(w->place, w->n, sizeof(*w->place), by_id);
	for (size_t i = 0; i < w->n; i++)
		w->ids[i] = w->place[i].id;
	if (w->n == 0)
		return xos_err_set(err, XOS_NOT_FOUND, "no-node",
		    "VO %s has no active node with a job service%s%s; xos-node list shows them",
		    w->vo->name, only_site ? " at the site " : "", only_site ? only_site : "");
	return XOS_OK;
}

static enum xos_status load_nodes(struct where *w, struct xos_err *err)
{
	struct xos_cli_client *rca = NULL;
	struct xos_rca_nodes *list = NULL;
	enum xos_status st = xos_cli_client_new(w->vo, "rca", NULL, true, &rca, err);

	if (st == XOS_OK)
		st = xos_rca_nodes_get(xos_cli_client(rca), w->vo->name, &list, err);
	if (st == XOS_OK)
		st = take_nodes(w, list, err);
	xos_rca_nodes_free(list);
	xos_cli_client_free(rca);
	return st;
}

/* --- the answers --- */

static void put_limit(struct place *p, enum xos_policy_cap cap, const struct xos_decision_limit *l)
{
	const struct xos_policy_cap_info *info = xos_policy_cap_info(cap);
	char value[64];
	size_t at = strlen(p->limits);

	if (info->type == XOS_POLICY_DURATION)
		xos_duration_format(l->number, value);
	else if (info->type == XOS_POLICY_SIZE && l->number >= 1024 * 1024)
		snprintf(value, sizeof(value), "%lld MiB", (long long)(l->number / (1024 * 1024)));
	else
		snprintf(value, sizeof(value), "%lld", (long long)l->number);
	snprintf(p->limits + at, sizeof(p->limits) - at, "%s%s <= %s", at ? ", " : "", info->name,
	    value);
}

static enum xos_status answered(
    void *ctx, size_t i, const struct xos_decision_answer *a, struct xos_err *err)
{
	struct where *w = ctx;
	struct place *p = &w->place[i];

	(void)err;
	p->yes = a->decision == XOS_POLICY_PERMITTED;
	p->undecided = a->decision == XOS_POLICY_UNDECIDED;
	for (int cap = 0; p->yes && cap < XOS_CAP_COUNT; cap++)
		if (a->limits[cap].set && cap != XOS_CAP_ACCOUNT_CLASS)
			put_limit(p, (enum xos_policy_cap)cap, &a->limits[cap]);
	if (!p->yes)
		snprintf(p->why, sizeof(p->why), "%s", a->reason_user);
	if (!p->yes && a->nway_out)
		snprintf(p->help, sizeof(p->help), "log in with: xos-login %s --role %s",
		    w->who->claims->name, a->way_out[0]);
	return XOS_OK;
}

/* Of a site: yes if any node takes the job; else the first no, which stands for the others. */
struct site {
	const struct place *shown;
	size_t first, n, yes;
};

static struct site site_at(const struct where *w, size_t first)
{
	struct site s = {.shown = &w->place[first], .first = first};

	for (size_t i = first; i < w->n && strcmp(w->place[i].site, w->place[first].site) == 0;
	     i++) {
		s.n++;
		if (w->place[i].yes && s.yes++ == 0)
			s.shown = &w->place[i];
	}
	return s;
}

static const char *verdict(const struct place *p)
{
	return p->yes ? "yes" : p->undecided ? "unknown" : "no";
}

static void put_place(struct xos_json *o, const struct place *p)
{
	xos_json_set_string(o, "answer", verdict(p));
	if (p->yes)
		xos_json_set_text(o, "limits", p->limits);
	else
		xos_json_set_text(o, "why", p->why);
	if (p->help[0])
		xos_json_set_text(o, "help", p->help);
}

static enum xos_status print_json(const struct where *w, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *sites = xos_json_array();

	for (size_t i = 0; i < w->n;) {
		struct site s = site_at(w, i);
		struct xos_json *o = xos_json_object(), *nodes = xos_json_array();

		xos_json_set_string(o, "site", s.shown->site);
		put_place(o, s.shown);
		xos_json_set_int(o, "nodes_asked", (int64_t)s.n);
		xos_json_set_int(o, "nodes_yes", (int64_t)s.yes);
		for (; each_node && i < s.first + s.n; i++) {
			struct xos_json *node = xos_json_object();

			xos_json_set_string(
			    node, "node", w->place[i].id + strlen(w->place[i].site) + 1);
			put_place(node, &w->place[i]);
			xos_json_add(nodes, node);
		}
		i = s.first + s.n;
		if (each_node)
			xos_json_set(o, "nodes", nodes);
		else
			xos_json_free(nodes);
		xos_json_add(sites, o);
	}
	xos_json_set(doc, "sites", sites);
	return xos_cli_print_json(doc, err);
}

static void row(struct xos_cli_table *t, const char *name, const struct place *p, const char *nodes)
{
	char what[2 * WHY_MAX + 8];
	const char *const cells[] = {name, verdict(p), nodes, what};

	if (p->yes)
		snprintf(what, sizeof(what), "%s", p->limits[0] ? p->limits : "no limits");
	else
		snprintf(what, sizeof(what), "%s%s%s", p->why,
		    p->help[0] ? " To change that, " : "", p->help);
	xos_cli_table_row(t, cells);
}

static enum xos_status print_table(const struct where *w, struct xos_err *err)
{
	static const char *const heads[] = {"WHERE", "ANSWER", "NODES", "LIMITS, OR WHY NOT"};
	struct xos_cli_table *t = xos_cli_table_new(heads, 4);
	char count[48];

	for (size_t i = 0; i < w->n;) {
		struct site s = site_at(w, i);

		snprintf(count, sizeof(count), "%zu of %zu", s.yes, s.n);
		row(t, s.shown->site, s.shown, count);
		for (; each_node && i < s.first + s.n; i++)
			row(t, w->place[i].id, &w->place[i], NULL);
		i = s.first + s.n;
	}
	return xos_cli_table_print(t, err);
}

static enum xos_status ask(struct where *w, struct xos_err *err)
{
	struct xos_cli_client *vops = NULL;
	enum xos_status st = xos_cli_client_new(w->vo, "vops", NULL, true, &vops, err);

	if (st == XOS_OK)
		st = xos_evaluations_ask(
		    xos_cli_client(vops), &w->req, w->ids, w->n, answered, w, err);
	xos_cli_client_free(vops);
	return st;
}

enum xos_status job_where(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct where w = {.cli = cli};
	size_t yes = 0, undecided = 0;
	enum xos_status st = xos_cli_vo_load(cli, &w.vo, err);

	(void)argc;
	(void)argv;
	if (st == XOS_OK)
		st = xos_cli_token(w.vo, &w.token, &w.who, err);
	if (st == XOS_OK)
		st = build(&w, err);
	if (st == XOS_OK)
		st = load_nodes(&w, err);
	if (st == XOS_OK)
		st = ask(&w, err);
	if (st == XOS_OK)
		st = cli->json ? print_json(&w, err) : print_table(&w, err);
	for (size_t i = 0; i < w.n; i++) {
		yes += w.place[i].yes;
		undecided += w.place[i].undecided;
	}
	/* Nowhere, and not even a "no" everywhere: that is not the same as refused. */
	if (st == XOS_OK && !yes)
		cli->exit_status = undecided == w.n ? 3 : 1;
	free(w.ids);
	free(w.place);
	xos_token_info_free(w.who);
	xos_chain_clear(&w.token);
	xos_cli_vo_free(w.vo);
	return st;
}
