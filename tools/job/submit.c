#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/restriction.h"
#include "job/follow.h"
#include "job/grant.h"
#include "job/nodes.h"
#include "job/verbs.h"
#include "pki/csr.h"
#include "token/delegation.h"

#define MARGIN 600 /* seconds of credential beyond the wall time */
#define SHORTER 60 /* seconds that it ends before the token, at least */

static bool wait_for_it, no_renew;
static const char *name, *lifetime, *restriction_file, *wall, *renew, *depth;
static struct xos_cli_list env;

const struct xos_cli_option job_submit_options[] = {
    {"node", "NODE", "run on this node", NULL, &job_node_option, NULL},
    {"wait", NULL, "show the output, end with the job's own status", &wait_for_it, NULL, NULL},
    {"name", "NAME", "a name for people", NULL, &name, NULL},
    {"wall", "DURATION", "wall time, as 10m or 2h", NULL, &wall, NULL},
    {"env", "NAME=VALUE", "a variable for the job; may be given again", NULL, NULL, &env},
    {"lifetime", "DURATION", "how long the job may act for you", NULL, &lifetime, NULL},
    {"renew", "DURATION", "how long its credential may be renewed; default: while it may run", NULL,
        &renew, NULL},
    {"no-renew", NULL, "never renew it: the job acts for you until your token ends", &no_renew,
        NULL, NULL},
    {"depth", "N", "how often what it may do may be passed on, to jobs of its own; 0", NULL, &depth,
        NULL},
    {"restrict", "FILE", "what it may do: a delegation policy; - is standard input", NULL,
        &restriction_file, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

struct submission {
	struct xos_cli *cli;
	struct job_nodes nodes;
	const struct job_node *node;
	struct xos_chain token;
	struct xos_token_info *who;
	struct xos_cli_client *client;
	struct xos_job_spec *spec;
	struct xos_buf restriction;
	int64_t lifetime; /* seconds; 0: not said */
	struct job_grant_wish wish;
	struct xos_json *grant; /* NULL: none */
	uint64_t depth;
	struct xos_job_offer offer;
};

static enum xos_status choose_node(struct submission *s, struct xos_err *err)
{
	char names[256] = "";
	enum xos_status st = job_nodes_load(s->cli, job_node_option, &s->nodes, err);

	if (st != XOS_OK || s->nodes.n == 1) {
		s->node = s->nodes.node;
		return st;
	}
	for (size_t i = 0; i < s->nodes.n && i < 8; i++) {
		size_t at = strlen(names);

		snprintf(
		    names + at, sizeof(names) - at, "%s%s", i ? ", " : "", s->nodes.node[i].name);
	}
	return xos_cli_usage(err, "several nodes run jobs: choose one with --node (%s%s)", names,
	    s->nodes.n > 8 ? ", ..." : "");
}

static enum xos_status take_duration(
    const char *option, const char *text, int64_t max, int64_t *out, struct xos_err *err)
{
	*out = 0;
	if (text && (!xos_duration_parse(text, out) || *out <= 0 || *out > max))
		return xos_cli_usage(
		    err, "--%s: \"%s\" is no duration such as 10m, 2h or 1d", option, text);
	return XOS_OK;
}

static enum xos_status build_spec(struct submission *s, int argc, char **argv, struct xos_err *err)
{
	enum xos_status st = xos_job_spec_new(s->nodes.vo->name, s->node->name, &s->spec, err);

	if (st == XOS_OK && name && !xos_str_copy(s->spec->name, sizeof(s->spec->name), name))
		st = xos_cli_usage(err, "--name: at most %d characters", XOS_JOB_NAME_MAX);
	if (st == XOS_OK)
		st = take_duration("wall", wall, XOS_JOB_WALL_MAX, &s->spec->wall, err);
	if (st == XOS_OK)
		st = take_duration("lifetime", lifetime, 366 * 86400, &s->lifetime, err);
	if (st == XOS_OK)
		st = take_duration("renew", renew, 366 * 86400, &s->wish.renew, err);
	if (st == XOS_OK && renew && no_renew)
		st = xos_cli_usage(err, "--renew and --no-renew: one or the other");
	s->wish.none = no_renew;
	s->wish.lifetime = s->lifetime;
	if (st == XOS_OK)
		st = job_grant_may(s->who, &s->wish, err);
	for (int i = 0; st == XOS_OK && i < argc; i++)
		st = xos_job_spec_arg(s->spec, argv[i], err);
	for (size_t i = 0; st == XOS_OK && i < env.n; i++)
		st = xos_job_spec_env(s->spec, env.item[i], err);
	return st == XOS_OK ? xos_job_spec_check(s->spec, err) : st;
}

/* Within a job: what the node would refuse after all is said before anything is sent. */
static enum xos_status choose_depth(struct submission *s, struct xos_err *err)
{
	const struct xos_delegation *own =
	    s->who->nsteps ? s->who->steps[s->who->nsteps - 1] : NULL;
	char text[XOS_DELEGATION_TEXT];

	if (depth && !xos_parse_u64(depth, XOS_DELEGATION_DEPTH_MAX, &s->depth))
		return xos_cli_usage(err, "--depth: \"%s\" is no number from 0 to %d", depth,
		    XOS_DELEGATION_DEPTH_MAX);
	if (!own || s->depth < own->depth)
		return XOS_OK;
	xos_delegation_text(own, text);
	if (own->depth == 0)
		return xos_err_set(err, XOS_DENIED, "delegation-depth",
		    "%s may submit nothing: its credential may not be passed on. Submit it with "
		    "--depth 1, and with a --restrict FILE that has the action job.submit",
		    text);
	return xos_err_set(err, XOS_DENIED, "delegation-depth",
	    "--depth %s: the credential of %s may be passed on %u time%s, so its jobs' at most %u",
	    depth, text, own->depth, own->depth == 1 ? "" : "s", own->depth - 1);
}

/* For how long: as asked, else as long as the job may run; in any case shorter than the token, and no
 * longer than the node takes. */
static enum xos_status choose_end(
    const struct submission *s, int64_t now, int64_t *end, struct xos_err *err)
{
	int64_t most = s->who->not_after - SHORTER;
	int64_t want = s->lifetime ? s->lifetime : s->offer.wall + MARGIN;

	if (s->offer.not_after < most)
		most = s->offer.not_after;
	if (most <= now)
		return xos_err_set(err, XOS_EXPIRED, "token-expired",
		    "your token ends too soon to delegate from it. Log in with: xos-login %s",
		    s->who->claims->name);
	*end = now + want < most ? now + want : most;
	return XOS_OK;
}

/* Node certificate and form of the request were checked before this. */
static enum xos_status sign(struct submission *s, struct xos_chain *out, struct xos_err *err)
{
	struct xos_delegation d = {.depth = (unsigned)s->depth};
	int64_t now = xos_clock_now();
	struct xos_cert *leaf = NULL;
	struct xos_csr csr;
	enum xos_status st =
	    xos_csr_parse((struct xos_bytes){s->offer.csr, s->offer.ncsr}, &csr, err);

	if (st != XOS_OK)
		return xos_err_prefix(err, st, "the request of node %s", s->node->name);
	if (!xos_str_copy(d.actor, sizeof(d.actor), "job") ||
	    !xos_str_copy(d.node, sizeof(d.node), s->node->name) ||
	    !xos_str_copy(d.id, sizeof(d.id), s->offer.id))
		return xos_err_set(err, XOS_INTERNAL, "delegation", "a name is too long");
	d.restriction = s->restriction.p;
	d.restriction_len = s->restriction.n;
	st = choose_end(s, now, &d.not_after, err);
	if (st == XOS_OK)
		st = xos_delegation_sign(&s->token, csr.spki, &d, now, &leaf, err);
	if (st == XOS_OK)
		st = job_grant_for(&s->token, s->who, &d, csr.spki_sha256,
		    now + s->offer.wall + MARGIN, &s->wish, &s->grant, err);
	if (st == XOS_OK)
		st = xos_chain_add(out, leaf);
	for (size_t i = 0; st == XOS_OK && i < s->token.n; i++)
		st = xos_chain_add(out, s->token.cert[i]);
	xos_cert_free(leaf);
	return st;
}

static enum xos_status hand_in(struct submission *s, struct xos_err *err)
{
	struct xos_client *c = xos_cli_client(s->client);
	struct xos_chain chain = {.n = 0};
	char note[XOS_JOB_NOTE_MAX] = "";
	enum xos_status st = xos_jobs_submit(c, s->spec, &s->offer, err);

	/* A set says no in the words of whoever wrote it; most restrictions of jobs just do not think of this. */
	if (st == XOS_DENIED && s->who->nsteps && strcmp(err->code, "policy-denied") == 0)
		return xos_err_prefix(err, st,
		    "a job submits jobs if its --restrict has the action job.submit, and policy "
		    "permits it");
	if (st == XOS_OK)
		st = job_client_is(s->client, s->node, err);
	if (st == XOS_OK)
		st = sign(s, &chain, err);
	if (st == XOS_OK)
		st = xos_jobs_credential(c, s->spec->vo, s->offer.id, &chain, s->grant, note, err);
	if (st == XOS_OK && note[0])
		fprintf(stderr, "note: %s\n", note);
	xos_chain_clear(&chain);
	return st;
}

static enum xos_status print_info(
    const struct xos_job_info *i, int exit_status, struct xos_err *err)
{
	struct xos_json *doc = xos_job_info_to_json(i);

	if (exit_status >= 0)
		xos_json_set_int(doc, "exit_status", exit_status);
	return xos_cli_print_json(doc, err);
}

static enum xos_status answer(struct submission *s, struct xos_err *err)
{
	struct xos_job_info info;
	int status = -1;
	enum xos_status st = XOS_OK;

	if (!wait_for_it && !s->cli->json) {
		printf("%s\n", s->offer.id);
		return XOS_OK;
	}
	if (!wait_for_it) {
		st = xos_jobs_get(
		    xos_cli_client(s->client), s->spec->vo, s->offer.id, 0, &info, err);
		return st == XOS_OK ? print_info(&info, -1, err) : st;
	}
	if (!s->cli->json)
		st = job_follow(&s->nodes, s->node, s->client, s->offer.id, err);
	if (st == XOS_OK)
		st = job_wait(s->client, s->spec->vo, s->offer.id, &info, err);
	if (st == XOS_OK)
		st = job_exit(&info, &status, err);
	if (st != XOS_OK)
		return st;
	s->cli->exit_status = status;
	return s->cli->json ? print_info(&info, status, err) : XOS_OK;
}

enum xos_status job_submit(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct submission s = {.cli = cli};
	enum xos_status st;

	xos_buf_init(&s.restriction, XOS_DELEGATION_DER_MAX);
	st = choose_node(&s, err);
	if (st == XOS_OK)
		st = xos_cli_token(s.nodes.vo, &s.token, &s.who, err);
	if (st == XOS_OK)
		st = choose_depth(&s, err);
	if (st == XOS_OK)
		st = build_spec(&s, argc, argv, err);
	if (st == XOS_OK)
		st =
		    xos_cli_restriction(restriction_file, s.who->claims->name, &s.restriction, err);
	if (st == XOS_OK)
		st = job_client(&s.nodes, s.node, &s.client, err);
	if (st == XOS_OK)
		st = hand_in(&s, err);
	if (st == XOS_OK)
		st = answer(&s, err);
	xos_json_free(s.grant);
	xos_job_offer_free(&s.offer);
	xos_job_spec_free(s.spec);
	xos_cli_client_free(s.client);
	xos_token_info_free(s.who);
	xos_chain_clear(&s.token);
	xos_buf_free(&s.restriction);
	job_nodes_free(&s.nodes);
	return st;
}
