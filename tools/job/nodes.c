#include "job/nodes.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/rca.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

static enum xos_status add(
    struct job_nodes *n, const char *name, const char *url, struct xos_err *err)
{
	struct job_node *grown = realloc(n->node, (n->n + 1) * sizeof(*grown));

	if (!grown)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	n->node = grown;
	if (!xos_str_copy(grown[n->n].name, sizeof(grown->name), name) ||
	    !xos_str_copy(grown[n->n].url, sizeof(grown->url), url))
		return xos_err_set(err, XOS_MALFORMED, "node-name", "a node's name is too long");
	n->n++;
	return XOS_OK;
}

/*
 * Addresses as they were last known, for when xos-rcad is away. They prove nothing: a node is believed
 * by its certificate.
 */
#define CACHE_MAX (1024 * 1024)

static void save_nodes(const struct job_nodes *n, const struct xos_rca_nodes *list)
{
	struct xos_json *doc = xos_json_object(), *nodes = xos_json_array();
	char path[PATH_MAX];
	struct xos_buf b;

	for (size_t i = 0; i < list->n; i++) {
		const char *url = xos_rca_node_url(&list->node[i], "jobs");
		struct xos_json *node;

		if (!url || !url[0] || strcmp(list->node[i].state, "active") != 0)
			continue;
		node = xos_json_object();
		xos_json_set_string(node, "node", list->node[i].node);
		xos_json_set_string(node, "jobs", url);
		xos_json_add(nodes, node);
	}
	xos_json_set(doc, "nodes", nodes);
	xos_buf_init(&b, CACHE_MAX);
	/* Only a convenience: a folder that cannot be written (inside a job) is no error. */
	if (xos_json_dump(doc, &b, NULL) != XOS_OK ||
	    !xos_path_join(path, sizeof(path), n->vo->dir, "nodes.json") ||
	    xos_file_write(path, 0644, xos_buf_bytes(&b), NULL) != XOS_OK)
		b.n = 0;
	xos_buf_free(&b);
	xos_json_free(doc);
}

static enum xos_status from_cache(struct job_nodes *n, const char *only, struct xos_err *err)
{
	const struct xos_json *nodes = NULL;
	struct xos_json *doc = NULL;
	char path[PATH_MAX];
	struct xos_buf b;
	enum xos_status st = XOS_NOT_FOUND;

	xos_buf_init(&b, CACHE_MAX);
	if (xos_path_join(path, sizeof(path), n->vo->dir, "nodes.json"))
		st = xos_file_read(path, CACHE_MAX, &b, err);
	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&b), CACHE_MAX, &doc, err);
	if (st == XOS_OK)
		st = xos_json_get_array(doc, "nodes", 10000, &nodes, err);
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(nodes); i++) {
		const char *node, *url;

		st = xos_json_get_string(xos_json_at(nodes, i), "node", XOS_NODE_MAX, &node, err);
		if (st == XOS_OK)
			st = xos_json_get_string(
			    xos_json_at(nodes, i), "jobs", XOS_RCA_URL_MAX, &url, err);
		if (st == XOS_OK && (!only || strcmp(only, node) == 0))
			st = add(n, node, url, err);
	}
	xos_json_free(doc);
	xos_buf_free(&b);
	return st;
}

static enum xos_status from_rca(struct job_nodes *n, const char *only, struct xos_err *err)
{
	struct xos_cli_client *rca = NULL;
	struct xos_rca_nodes *list = NULL;
	enum xos_status st = xos_cli_client_new(n->vo, "rca", NULL, true, &rca, err);

	if (st == XOS_OK)
		st = xos_rca_nodes_get(xos_cli_client(rca), n->vo->name, &list, err);
	if (st == XOS_UNAVAILABLE && from_cache(n, only, NULL) == XOS_OK && n->n > 0)
		st = XOS_OK;
	else if (st == XOS_OK)
		save_nodes(n, list);
	for (size_t i = 0; st == XOS_OK && list && i < list->n; i++) {
		const struct xos_rca_node *node = &list->node[i];
		const char *url = xos_rca_node_url(node, "jobs");

		if (url && url[0] && strcmp(node->state, "active") == 0 &&
		    (!only || strcmp(only, node->node) == 0))
			st = add(n, node->node, url, err);
	}
	xos_rca_nodes_free(list);
	xos_cli_client_free(rca);
	return st;
}

enum xos_status job_nodes_load(
    const struct xos_cli *cli, const char *only, struct job_nodes *out, struct xos_err *err)
{
	struct job_nodes n = {.n = 0};
	const char *here = getenv("XOS_NODE");
	enum xos_status st = xos_cli_vo_load(cli, &n.vo, err);

	if (st == XOS_OK && n.vo->jobs && here && xos_name_is_node(here) &&
	    (!only || strcmp(only, here) == 0))
		st = add(&n, here, n.vo->jobs, err);
	else if (st == XOS_OK)
		st = from_rca(&n, only, err);
	if (st == XOS_OK && n.n == 0)
		st = xos_err_set(err, XOS_NOT_FOUND, "no-node",
		    only
		        ? "VO %s has no active node %s with a job service; xos-node list shows them"
		        : "VO %s has no active node with a job service%s",
		    n.vo->name, only ? only : "");
	if (st != XOS_OK) {
		job_nodes_free(&n);
		return st;
	}
	*out = n;
	return XOS_OK;
}

void job_nodes_free(struct job_nodes *n)
{
	xos_cli_vo_free(n->vo);
	free(n->node);
	*n = (struct job_nodes){.n = 0};
}

enum xos_status job_client(const struct job_nodes *n, const struct job_node *node,
    struct xos_cli_client **out, struct xos_err *err)
{
	return xos_cli_client_new(n->vo, "jobs", node->url, true, out, err);
}

enum xos_status job_client_is(
    struct xos_cli_client *c, const struct job_node *node, struct xos_err *err)
{
	const struct xos_identity *who = xos_client_identity(xos_cli_client(c));

	if (!who || strcmp(who->claims->name, node->name) != 0)
		return xos_err_set(err, XOS_DENIED, "node-identity",
		    "%s should be the job service of node %s, but it is %s: not signing anything "
		    "for it",
		    node->url, node->name, who ? who->uri : "nobody");
	return XOS_OK;
}

enum xos_status job_find(const struct job_nodes *n, const char *id, struct xos_cli_client **out,
    struct xos_job_info *info, struct xos_err *err)
{
	struct xos_err unreachable = XOS_ERR_INIT;
	enum xos_status st = XOS_NOT_FOUND;

	for (size_t i = 0; i < n->n; i++) {
		struct xos_cli_client *c = NULL;

		st = job_client(n, &n->node[i], &c, err);
		if (st == XOS_OK)
			st = xos_jobs_get(xos_cli_client(c), n->vo->name, id, 0, info, err);
		if (st == XOS_OK) {
			*out = c;
			return XOS_OK;
		}
		xos_cli_client_free(c);
		if (st == XOS_UNAVAILABLE && err)
			unreachable = *err;
		else if (st != XOS_NOT_FOUND)
			return st;
	}
	/* A node that did not answer may have it. */
	if (unreachable.status != XOS_OK) {
		*err = unreachable;
		return unreachable.status;
	}
	return st;
}

enum xos_status job_exit(const struct xos_job_info *i, int *exit_status, struct xos_err *err)
{
	if (i->code >= 0)
		*exit_status = i->code;
	else if (i->signal >= 0)
		*exit_status = 128 + i->signal;
	else if (i->ran)
		return xos_err_set(err, XOS_UNAVAILABLE, "job-lost", "job %s: %s", i->id,
		    i->text[0] ? i->text : "its exit status is unknown");
	else
		return xos_err_set(err, XOS_DENIED,
		    i->state == XOS_JOB_CANCELLED ? "job-cancelled" : "job-failed",
		    "job %s did not run: %s", i->id, i->text[0] ? i->text : "it was cancelled");
	return XOS_OK;
}

void job_time_text(int64_t t, char *out, size_t cap)
{
	time_t when = (time_t)t;
	struct tm tm;

	if (!localtime_r(&when, &tm) || strftime(out, cap, "%b %e %H:%M", &tm) == 0)
		snprintf(out, cap, "?");
}

/* True: said all. A credential that has ended is told as that, whatever comes of the renewal. */
static bool renewal_text(const struct xos_job_info *i, const char *ends, char *out, size_t cap)
{
	char when[64], since[64];

	job_time_text(i->renews_until, when, sizeof(when));
	job_time_text(i->renew_failing_since, since, sizeof(since));
	if (strcmp(i->renew_state, "renewing") == 0)
		snprintf(out, cap, "renews until %s", when);
	else if (strcmp(i->renew_state, "failing") == 0)
		snprintf(out, cap, "renewal failing since %s (%.64s), token ends %s", since,
		    i->renew_text, ends);
	else if (strcmp(i->renew_state, "refused") == 0)
		snprintf(out, cap, "not renewed any more since %s: ends %s", since, ends);
	else
		return false;
	return true;
}

void job_credential_text(const struct xos_job_info *i, char *out, size_t cap)
{
	int64_t now = xos_clock_now();
	char when[64], left[XOS_TIME_TEXT];

	if (!i->credential_until || i->ended) {
		snprintf(out, cap, "%s", i->ended ? "removed" : "none");
		return;
	}
	job_time_text(i->credential_until, when, sizeof(when));
	xos_duration_format(
	    i->credential_until > now ? i->credential_until - now : now - i->credential_until,
	    left);
	if (i->credential_until <= now)
		snprintf(out, cap, "ended %s (%s ago)", when, left);
	else if (!renewal_text(i, when, out, cap))
		snprintf(out, cap, "until %s (for %s)", when, left);
}

void job_state_text(const struct xos_job_info *i, char *out, size_t cap)
{
	const char *why = "";

	if (strcmp(i->cause, "wall") == 0)
		why = ", wall time used up";
	else if (strcmp(i->cause, "cpu") == 0)
		why = ", CPU time used up";
	else if (strcmp(i->cause, "memory") == 0)
		why = ", memory used up";
	else if (strcmp(i->cause, "policy") == 0)
		why = ", stopped by policy";
	else if (strcmp(i->cause, "lock") == 0)
		why = ", stopped by a lock";
	if (i->code >= 0)
		snprintf(
		    out, cap, "%s (exit status %d%s)", xos_job_state_name(i->state), i->code, why);
	else if (i->signal >= 0)
		snprintf(
		    out, cap, "%s (signal %d%s)", xos_job_state_name(i->state), i->signal, why);
	else
		snprintf(out, cap, "%s", xos_job_state_name(i->state));
}
