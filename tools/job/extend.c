/* xos-job extend: a later end for the grant by which a job's credential is renewed. */
#include <stdio.h>
#include <string.h>

#include "api/grant.h"
#include "base/clock.h"
#include "base/text.h"
#include "job/nodes.h"
#include "job/verbs.h"
#include "pki/jws.h"

static const char *until, *duration;

const struct xos_cli_option job_extend_options[] = {
    {"node", "NODE", "only this node", NULL, &job_node_option, NULL},
    {"until", "TIME", "such as 2026-12-05T14:00:00Z or 2026-12-05", NULL, &until, NULL},
    {"for", "DURATION", "from now on, as 12h or 3d", NULL, &duration, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

struct extension {
	struct job_nodes nodes;
	struct xos_cli_client *node;
	struct xos_job_info job;
	struct xos_chain token;
	struct xos_token_info *who;
	struct xos_grant_signed *old; /* what the member signed before */
	struct xos_json *fresh;
	int64_t ends;
};

static enum xos_status choose_end(struct extension *x, struct xos_err *err)
{
	char text[XOS_TIME_TEXT];
	int64_t seconds = 0;

	if (!until == !duration)
		return xos_cli_usage(err, "say until when: --until TIME or --for DURATION");
	if (duration && (!xos_duration_parse(duration, &seconds) || seconds <= 0))
		return xos_cli_usage(
		    err, "--for: \"%s\" is no duration such as 12h or 3d", duration);
	x->ends = xos_clock_now() + seconds;
	if (until && !xos_time_parse(until, &x->ends) &&
	    !(xos_str_printf(text, sizeof(text), "%sT00:00:00Z", until) &&
	        xos_time_parse(text, &x->ends)))
		return xos_cli_usage(err,
		    "--until: \"%s\" is no time such as 2026-12-05T14:00:00Z or 2026-12-05", until);
	return XOS_OK;
}

/* When the grant says that it was signed. Nothing is believed of it yet. */
static enum xos_status peek_issued(const struct xos_json *doc, int64_t *issued, struct xos_err *err)
{
	const char *jws = NULL, *dot, *end;
	struct xos_grant g = {.issued = 0};
	struct xos_buf payload;
	enum xos_status st = xos_json_get_string(doc, "grant", XOS_GRANT_BODY_MAX, &jws, err);

	if (st != XOS_OK)
		return st;
	dot = strchr(jws, '.');
	end = dot ? strchr(dot + 1, '.') : NULL;
	xos_buf_init(&payload, XOS_GRANT_PAYLOAD_MAX);
	if (!end || xos_base64url_decode(&payload, dot + 1, (size_t)(end - dot - 1)) != XOS_OK)
		st = xos_json_refuse(doc, err, "grant: no signed object");
	else
		st = xos_grant_decode(xos_buf_bytes(&payload), &g, err);
	xos_buf_free(&payload);
	if (st != XOS_OK)
		return st;
	*issued = g.issued;
	xos_grant_clear(&g);
	return XOS_OK;
}

/* The node keeps what the member signed. It is not believed either: only what the member's own key signed when its token was valid
 * is signed again, so that no node gets a grant for anything else. */
static enum xos_status open_old(struct extension *x, struct xos_err *err)
{
	struct xos_grant_opts o = {.trust = x->nodes.vo->trust, .vo = x->nodes.vo->name};
	const struct xos_claims *me = x->who->claims;
	struct xos_json *doc = NULL;
	enum xos_status st =
	    xos_jobs_grant_get(xos_cli_client(x->node), x->nodes.vo->name, x->job.id, &doc, err);

	if (st == XOS_OK)
		st = peek_issued(doc, &o.now, err);
	if (st == XOS_OK)
		st = xos_grant_open(doc, &o, &x->old, err);
	if (st == XOS_OK && (strcmp(x->old->grant.id, x->job.id) != 0 ||
	                        strcmp(x->old->who->claims->name, me->name) != 0 ||
	                        x->old->who->claims->number != me->number))
		st = xos_err_set(err, XOS_DENIED, "grant-other",
		    "node %s shows a grant that you did not give for job %s: nothing is signed",
		    x->job.node, x->job.id);
	xos_json_free(doc);
	return st;
}

static enum xos_status sign_new(struct extension *x, struct xos_err *err)
{
	struct xos_grant *g = &x->old->grant;

	g->ends = x->ends;
	return xos_grant_sign(&x->token, g, xos_clock_now(), &x->fresh, err);
}

static enum xos_status hand_in(
    struct extension *x, struct xos_grant_info *info, struct xos_err *err)
{
	struct xos_cli_client *ca = NULL;
	enum xos_status st = xos_cli_client_new(x->nodes.vo, "ca", NULL, true, &ca, err);

	if (st == XOS_OK)
		st =
		    xos_grants_register(xos_cli_client(ca), x->nodes.vo->name, x->fresh, info, err);
	xos_cli_client_free(ca);
	return st;
}

/* The authority has it: the node hears of it at its next renewal at the latest. */
static void tell_node(struct extension *x)
{
	struct xos_err err = XOS_ERR_INIT;

	if (xos_jobs_grant_put(
	        xos_cli_client(x->node), x->nodes.vo->name, x->job.id, x->fresh, &err) != XOS_OK)
		fprintf(stderr, "note: node %s hears of it at the next renewal only: %s\n",
		    x->job.node, err.text);
}

static enum xos_status answer(
    const struct xos_cli *cli, const struct xos_grant_info *info, struct xos_err *err)
{
	struct xos_json *doc;
	char text[64];

	if (cli->json) {
		doc = xos_json_object();
		xos_json_set(doc, "grant", xos_grant_info_to_json(info));
		return xos_cli_print_json(doc, err);
	}
	job_time_text(info->ends, text, sizeof(text));
	printf("credential renews until %s\n", text);
	return XOS_OK;
}

static void extension_clear(struct extension *x)
{
	xos_json_free(x->fresh);
	xos_grant_signed_free(x->old);
	xos_token_info_free(x->who);
	xos_chain_clear(&x->token);
	xos_cli_client_free(x->node);
	job_nodes_free(&x->nodes);
}

enum xos_status job_extend(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct extension x = {.ends = 0};
	struct xos_grant_info info;
	enum xos_status st = choose_end(&x, err);

	(void)argc;
	if (st == XOS_OK && !xos_job_id_valid(argv[0]))
		st = xos_err_set(err, XOS_MALFORMED, "job-id",
		    "\"%.64s\" is no job id (32 hexadecimal digits); xos-job list shows yours",
		    argv[0]);
	if (st == XOS_OK)
		st = job_nodes_load(cli, job_node_option, &x.nodes, err);
	if (st == XOS_OK)
		st = xos_cli_token(x.nodes.vo, &x.token, &x.who, err);
	if (st == XOS_OK)
		st = job_find(&x.nodes, argv[0], &x.node, &x.job, err);
	if (st == XOS_OK)
		st = open_old(&x, err);
	if (st == XOS_OK)
		st = sign_new(&x, err);
	if (st == XOS_OK)
		st = hand_in(&x, &info, err);
	if (st == XOS_OK) {
		tell_node(&x);
		st = answer(cli, &info, err);
	}
	extension_clear(&x);
	return st;
}
