#include "cli/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/rca.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/vo.h"

#define PAUSE_MS 250
#define NODES_MAX 200000
#define TOLD_MAX 10 /* nodes named to people; all of them with --json */

struct asking {
	const struct xos_cli *cli;
	const struct xos_cli_receipt *r;
	struct xos_cli_vo *vo;
	struct xos_cli_client *vops;
	struct xos_rca_nodes *nodes;
	char path[512];
};

enum xos_status xos_cli_receipt_wait(const char *text, int64_t *out, struct xos_err *err)
{
	*out = XOS_CLI_RECEIPT_WAIT;
	if (text && strcmp(text, "0") == 0)
		*out = 0;
	else if (text && !xos_duration_parse(text, out))
		return xos_cli_usage(
		    err, "--wait takes a duration with its unit, 10s or 2m, or 0 not to wait");
	return XOS_OK;
}

static enum xos_status open_vops(struct asking *a, struct xos_err *err)
{
	struct xos_buf path;
	enum xos_status st = xos_cli_client_new(a->vo, "vops", NULL, true, &a->vops, err);

	xos_buf_init(&path, sizeof(a->path) - 1);
	xos_buf_put_str(&path, "/v1/vo/");
	xos_path_encode(&path, a->vo->name);
	xos_buf_put_str(&path, "/enforcement?");
	if (a->r->lock || a->r->gone) {
		xos_buf_put_str(&path, a->r->lock ? "lock=" : "gone=");
		xos_path_encode(&path, a->r->lock ? a->r->lock : a->r->gone);
	} else {
		xos_buf_printf(&path, "vo_set=%llu", (unsigned long long)a->r->vo_set);
	}
	const char *text = xos_buf_str(&path);
	if (st == XOS_OK && (!text || !xos_str_copy(a->path, sizeof(a->path), text)))
		st = xos_err_set(err, XOS_LIMIT, "path-too-long", "the question does not fit");
	xos_buf_free(&path);
	return st;
}

/* The nodes that should carry it out. */
static enum xos_status get_nodes(struct asking *a, struct xos_err *err)
{
	struct xos_cli_client *rca = NULL;
	enum xos_status st = xos_cli_client_new(a->vo, "rca", NULL, true, &rca, err);

	if (st == XOS_OK)
		st = xos_rca_nodes_get(xos_cli_client(rca), a->vo->name, &a->nodes, err);
	xos_cli_client_free(rca);
	return st;
}

/* What the policy service knows of each node, by name: there may be a hundred thousand of both. */
struct known {
	const char *node;
	const struct xos_json *v;
};

static int by_node(const void *a, const void *b)
{
	return strcmp(((const struct known *)a)->node, ((const struct known *)b)->node);
}

static enum xos_status sort_known(
    const struct xos_json *list, struct known **out, size_t *n, struct xos_err *err)
{
	size_t all = xos_json_count(list);
	struct known *k = calloc(all + 1, sizeof(*k));

	*n = 0;
	if (!k)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t i = 0; i < all; i++) {
		k[*n].v = xos_json_at(list, i);
		if (xos_json_get_string(k[*n].v, "node", XOS_NODE_MAX, &k[*n].node, NULL) == XOS_OK)
			++*n;
	}
	qsort(k, *n, sizeof(*k), by_node);
	*out = k;
	return XOS_OK;
}

/* NULL: nothing since it was started. */
static const struct xos_json *find_known(const struct known *list, size_t n, const char *node)
{
	const struct known key = {.node = node};
	const struct known *k = n ? bsearch(&key, list, n, sizeof(*list), by_node) : NULL;

	return k ? k->v : NULL;
}

static void add_missing(struct xos_json *missing, const struct xos_rca_node *n,
    const struct xos_json *k, const struct xos_json *answer)
{
	struct xos_json *o = xos_json_object();
	const char *seen = NULL, *until = NULL;

	xos_json_set_string(o, "node", n->node);
	xos_json_set_string(o, "site", n->site);
	if (k && xos_json_opt_string(k, "seen", 64, &seen, NULL) == XOS_OK)
		xos_json_set_string(o, "seen", seen);
	if (xos_json_opt_string(k ? k : answer, k ? "until" : "unknown_until", 64, &until, NULL) ==
	    XOS_OK)
		xos_json_set_string(o, "until", until);
	xos_json_add(missing, o);
}

static enum xos_status weigh(const struct asking *a, const struct xos_json *answer,
    struct xos_json **out, bool *complete, struct xos_err *err)
{
	const struct xos_json *list = NULL;
	struct xos_json *doc, *missing;
	struct known *known = NULL;
	size_t all = 0, good = 0, nknown = 0;
	enum xos_status st = xos_json_get_array(answer, "nodes", NODES_MAX, &list, err);

	if (st == XOS_OK)
		st = sort_known(list, &known, &nknown, err);
	if (st != XOS_OK)
		return st;
	doc = xos_json_object();
	missing = xos_json_array();
	for (size_t i = 0; i < a->nodes->n; i++) {
		const struct xos_rca_node *n = &a->nodes->node[i];
		const struct xos_json *k;
		bool enforced = false;

		if (strcmp(n->state, "active") != 0)
			continue;
		all++;
		k = find_known(known, nknown, n->node);
		if (k && xos_json_get_bool(k, "enforced", &enforced, NULL) == XOS_OK && enforced)
			good++;
		else
			add_missing(missing, n, k, answer);
	}
	free(known);
	*complete = good == all;
	xos_json_set_int(doc, "nodes", (int64_t)all);
	xos_json_set_int(doc, "enforced", (int64_t)good);
	xos_json_set_bool(doc, "complete", good == all);
	xos_json_set(doc, "missing", missing);
	*out = doc;
	return XOS_OK;
}

static enum xos_status ask_until(struct asking *a, struct xos_json **out, struct xos_err *err)
{
	const struct timespec pause = {0, PAUSE_MS * 1000000L};
	int64_t until = xos_clock_mono_ms() + a->r->wait * 1000, patience = 0;
	bool complete = false;

	for (;;) {
		struct xos_json *answer = NULL;
		enum xos_status st =
		    xos_client_json(xos_cli_client(a->vops), "GET", a->path, NULL, &answer, err);

		if (st == XOS_OK) {
			xos_json_free(*out);
			*out = NULL;
			st = weigh(a, answer, out, &complete, err);
			xos_json_free(answer);
			if (st != XOS_OK || complete || xos_clock_mono_ms() >= until)
				return st;
			(void)nanosleep(&pause, NULL);
		} else if (!xos_cli_patient(a->cli, &patience, err)) {
			return st;
		} else {
			*err = (struct xos_err)XOS_ERR_INIT;
		}
	}
}

enum xos_status xos_cli_receipt_get(const struct xos_cli *cli, const struct xos_cli_receipt *r,
    struct xos_json **out, struct xos_err *err)
{
	struct asking a = {.cli = cli, .r = r};
	enum xos_status st = xos_cli_vo_load(cli, &a.vo, err);

	*out = NULL;
	if (st == XOS_OK)
		st = get_nodes(&a, err);
	if (st == XOS_OK)
		st = open_vops(&a, err);
	if (st == XOS_OK)
		st = ask_until(&a, out, err);
	if (st != XOS_OK) {
		xos_json_free(*out);
		*out = NULL;
	}
	xos_rca_nodes_free(a.nodes);
	xos_cli_client_free(a.vops);
	xos_cli_vo_free(a.vo);
	return st;
}

static void say_missing(const struct xos_json *v)
{
	const char *node = "?", *seen = NULL, *until = NULL;

	(void)!xos_json_get_string(v, "node", XOS_NODE_MAX, &node, NULL);
	(void)!xos_json_opt_string(v, "seen", 64, &seen, NULL);
	(void)!xos_json_opt_string(v, "until", 64, &until, NULL);
	printf("  not reached: %s (%s%s; could accept until %s)\n", node,
	    seen ? "last seen " : "not seen since the policy service was started", seen ? seen : "",
	    until ? until : "?");
}

void xos_cli_receipt_say(const struct xos_json *receipt)
{
	const struct xos_json *missing = NULL;
	int64_t all = 0, good = 0;

	if (xos_json_get_int64(receipt, "nodes", 0, INT64_MAX, &all, NULL) != XOS_OK ||
	    xos_json_get_int64(receipt, "enforced", 0, INT64_MAX, &good, NULL) != XOS_OK ||
	    xos_json_get_array(receipt, "missing", NODES_MAX, &missing, NULL) != XOS_OK)
		return;
	printf("in force on %lld of %lld node%s\n", (long long)good, (long long)all,
	    all == 1 ? "" : "s");
	size_t n = xos_json_count(missing);
	for (size_t i = 0; i < n && i < TOLD_MAX; i++)
		say_missing(xos_json_at(missing, i));
	if (n > TOLD_MAX)
		printf("  and %zu more: --json names all\n", n - TOLD_MAX);
}

void xos_cli_receipt_after(
    const struct xos_cli *cli, const struct xos_cli_receipt *r, struct xos_json *result)
{
	struct xos_json *receipt = NULL;
	struct xos_err err = XOS_ERR_INIT;

	if (xos_cli_receipt_get(cli, r, &receipt, &err) != XOS_OK) {
		if (cli->json && result) {
			struct xos_json *o = xos_json_object();

			xos_json_set_text(o, "error", err.text);
			xos_json_set(result, "receipt", o);
		} else {
			printf("on which nodes it is in force is not known: %s\n", err.text);
		}
		return;
	}
	if (cli->json && result) {
		xos_json_set(result, "receipt", receipt);
		return;
	}
	xos_cli_receipt_say(receipt);
	xos_json_free(receipt);
}

void xos_cli_receipt_of_lock(
    const struct xos_cli *cli, struct xos_json *result, bool gone, int64_t wait)
{
	const char *id = NULL;

	if (xos_json_opt_string(result, "id", 64, &id, NULL) != XOS_OK || !id)
		return;
	const struct xos_cli_receipt r = {
	    .lock = gone ? NULL : id, .gone = gone ? id : NULL, .wait = wait};
	xos_cli_receipt_after(cli, &r, result);
}
