/* xos-policy preview: which running jobs a set of the VO would end. */
#include <stdio.h>
#include <string.h>

#include "api/jobs.h"
#include "api/rca.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/vo.h"
#include "policytool/kept.h"
#include "policytool/verbs.h"

struct preview {
	struct xos_cli *cli;
	struct xos_cli_vo *vo;
	const char *text;
	size_t asked, hit,
	    lost; /* jobs, jobs that would not be permitted, nodes that did not answer */
	struct xos_json *nodes; /* NULL for people */
};

static void tell_job(const struct xos_json *job)
{
	const char *id = "?", *member = NULL, *then = "?", *now = "?", *change = NULL, *why = NULL;
	char what[64] = "goes on", after[XOS_TIME_TEXT];
	int64_t seconds = 0;
	(void)!xos_json_get_string(job, "job", 64, &id, NULL);
	(void)!xos_json_opt_string(job, "member", 400, &member, NULL);
	(void)!xos_json_get_string(job, "now", 16, &now, NULL);
	(void)!xos_json_get_string(job, "then", 16, &then, NULL);
	(void)!xos_json_opt_string(job, "change", 16, &change, NULL);
	(void)!xos_json_opt_string(job, "why", 65536, &why, NULL);
	(void)!xos_json_opt_int64(job, "after", 0, INT64_MAX, 0, &seconds, NULL);
	if (!change)
		snprintf(what, sizeof(what), "cannot be decided");
	else if (strcmp(change, "stop") == 0) {
		xos_duration_format(seconds, after);
		snprintf(what, sizeof(what), "stops after %s", after);
	} else if (strcmp(change, "drain") == 0)
		snprintf(what, sizeof(what), "drains");
	xos_cli_say("  %s of %s: %s, now %s: %s%s%s", id, member ? member : "?", then, now, what,
	    why ? ". " : "", why ? why : "");
}

static enum xos_status tell(
    struct preview *p, const char *node, struct xos_json *doc, struct xos_err *err)
{
	const struct xos_json *jobs = NULL;
	int64_t asked = 0, more = 0;
	enum xos_status st = xos_json_get_array(doc, "jobs", 10000, &jobs, err);
	if (!st)
		st = xos_json_get_int64(doc, "asked", 0, INT32_MAX, &asked, err);
	if (!st)
		st = xos_json_get_int64(doc, "more", 0, INT32_MAX, &more, err);
	if (st)
		return st;
	p->asked += (size_t)asked;
	p->hit += xos_json_count(jobs) + (size_t)more;
	if (p->nodes) {
		struct xos_json *copy = xos_json_copy(doc);
		xos_json_set_string(copy, "node", node);
		xos_json_add(p->nodes, copy);
		return XOS_OK;
	}
	xos_cli_say("%s: %lld jobs asked about, %zu would not be permitted", node, (long long)asked,
	    xos_json_count(jobs) + (size_t)more);
	for (size_t i = 0; i < xos_json_count(jobs); i++)
		tell_job(xos_json_at(jobs, i));
	if (more)
		xos_cli_say("  and %lld more", (long long)more);
	return XOS_OK;
}

/* A node that cannot be asked is named, and the others are asked all the same. */
static void tell_lost(struct preview *p, const char *node, const struct xos_err *why)
{
	p->lost++;
	if (p->nodes) {
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "node", node);
		xos_json_set_text(o, "error", why->text);
		xos_json_add(p->nodes, o);
	} else {
		xos_cli_say("%s: could not be asked: %s", node, why->text);
	}
}

static void ask(struct preview *p, const char *node, const char *url)
{
	struct xos_cli_client *c = NULL;
	struct xos_json *doc = NULL;
	struct xos_err why = XOS_ERR_INIT;
	xos_cli_progress(p->cli, "asking %s", node);
	enum xos_status st = xos_cli_client_new(p->vo, "jobs", url, true, &c, &why);
	if (!st)
		st = xos_jobs_preview(xos_cli_client(c), p->vo->name, p->text, &doc, &why);
	const struct xos_identity *who = c ? xos_client_identity(xos_cli_client(c)) : NULL;
	if (!st && (!who || strcmp(who->claims->name, node) != 0))
		st = xos_err_set(
		    &why, XOS_DENIED, "node-identity", "another node answered at %s", url);
	xos_cli_progress(p->cli, "%s", "");
	if (!st)
		st = tell(p, node, doc, &why);
	if (st)
		tell_lost(p, node, &why);
	xos_json_free(doc);
	xos_cli_client_free(c);
}

static enum xos_status ask_all(struct preview *p, struct xos_err *err)
{
	struct xos_cli_client *rca = NULL;
	struct xos_rca_nodes *list = NULL;
	enum xos_status st = xos_cli_client_new(p->vo, "rca", NULL, true, &rca, err);
	if (!st)
		st = xos_rca_nodes_get(xos_cli_client(rca), p->vo->name, &list, err);
	for (size_t i = 0; !st && i < list->n; i++) {
		const char *url = xos_rca_node_url(&list->node[i], "jobs");
		if (url && url[0] && strcmp(list->node[i].state, "active") == 0)
			ask(p, list->node[i].node, url);
	}
	xos_rca_nodes_free(list);
	xos_cli_client_free(rca);
	return st;
}

static enum xos_status read_candidate(
    const struct xos_cli *cli, const char *name, struct xos_buf *text, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	enum xos_status st = xos_policytool_kept_is(name)
	                         ? xos_policytool_kept_text(cli, name, text, err)
	                         : xos_file_read(name, XOS_POLICY_TEXT_MAX, text, err);
	if (!st)
		st = xos_policy_set_load((const char *)text->p, text->n, name, &set, err);
	if (!st && xos_policy_set_level(set) != XOS_POLICY_VO)
		st = xos_err_set(err, XOS_MALFORMED, "policy-level", "%s is no set of a VO", name);
	xos_policy_set_unref(set);
	return st;
}

enum xos_status xos_policytool_preview(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct preview p = {.cli = cli};
	struct xos_buf text;
	(void)argc;
	xos_buf_init(&text, XOS_POLICY_TEXT_MAX + 1);
	enum xos_status st = read_candidate(cli, argv[0], &text, err);
	p.text = st ? NULL : xos_buf_str(&text);
	if (!st && !p.text)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (!st)
		st = xos_cli_vo_load(cli, &p.vo, err);
	p.nodes = cli->json ? xos_json_array() : NULL;
	if (!st)
		st = ask_all(&p, err);
	cli->exit_status = p.lost ? 3 : p.hit ? 1 : 0;
	if (!st && cli->json) {
		struct xos_json *doc = xos_json_object();
		xos_json_set(doc, "nodes", p.nodes);
		p.nodes = NULL;
		xos_json_set_int(doc, "asked", (int64_t)p.asked);
		xos_json_set_int(doc, "not_permitted", (int64_t)p.hit);
		xos_json_set_int(doc, "nodes_not_asked", (int64_t)p.lost);
		st = xos_cli_print_json(doc, err);
	} else if (!st) {
		xos_cli_say("%zu of %zu running jobs would not be permitted%s", p.hit, p.asked,
		    p.lost ? "; of the nodes that could not be asked nothing is known" : "");
	}
	xos_json_free(p.nodes);
	xos_cli_vo_free(p.vo);
	xos_buf_free(&text);
	return st;
}
