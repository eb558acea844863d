#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "credd/ops_accounts.h"

static const struct xos_roster_member members[] = {
    {"alice", 1, XOS_MEMBER_ACTIVE},
    {"bob", 2, XOS_MEMBER_ACTIVE},
    {"carol", 3, XOS_MEMBER_ACTIVE},
    {"dave", 4, XOS_MEMBER_SUSPENDED},
};

void node_bundle(struct node *n, struct xos_test_bundle b, struct xos_buf *out)
{
	if (!b.vo_text)
		b.vo_text = VO_TEXT;
	if (!b.site_text)
		b.site_text = SITE_TEXT;
	if (!b.members) {
		b.members = members;
		b.nmembers = sizeof(members) / sizeof(members[0]);
	}
	xos_test_bundle(n->vo, &b, out);
}

enum xos_status node_offer(struct node *n, const struct xos_test_bundle *b, struct xos_err *err)
{
	struct xos_buf compact;
	struct xos_credd_view *view = NULL;
	xos_buf_init(&compact, XOS_BUNDLE_MAX);
	node_bundle(n, *b, &compact);
	enum xos_status st = xos_credd_source_take(n->source, xos_buf_bytes(&compact), &view, err);
	if (!st)
		xos_credd_decider_exchange(n->decider, view);
	xos_buf_free(&compact);
	return st;
}

static void open_node(struct node *n)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_view *view = NULL;
	char *jobs = xos_test_path(n->conf.state, "jobs");
	char *sessions = xos_test_path(n->conf.state, "sessions");
	MUST(xos_credd_source_new(&n->self, &n->source, &err), &err);
	MUST(xos_credd_source_stored(n->source, &view, &err), &err);
	MUST(xos_credd_decider_new(&n->self, view, &n->decider, &err), &err);
	MUST(xos_credd_jobs_open(jobs, 100, &n->jobs, &err), &err);
	const struct xos_credd_sessions_options kept = {
	    .dir = sessions, .boot = NODE_BOOT, .max = 20, .per_user = 8};
	MUST(xos_credd_sessions_open(&kept, &n->sessions, &err), &err);
	MUST(
	    xos_credd_leases_open(n->conf.state, n->conf.lease_quarantine, &n->leases, &err), &err);
	n->ops = (struct xos_credd_ops){.self = &n->self,
	    .decider = n->decider,
	    .jobs = n->jobs,
	    .leases = n->leases,
	    .sessions = n->sessions};
	xos_credd_leases_apply(&n->ops);
	free(jobs);
	free(sessions);
}

static void close_node(struct node *n)
{
	xos_credd_leases_free(n->leases);
	xos_credd_jobs_free(n->jobs);
	xos_credd_sessions_free(n->sessions);
	xos_credd_decider_free(n->decider);
	xos_credd_source_free(n->source);
}

void node_restart(struct node *n)
{
	close_node(n);
	open_node(n);
}

static void make_members(struct node *n)
{
	static const char *const physics[] = {"/demo/physics", NULL};
	static const char *const students[] = {"/demo/students", NULL};
	static const char *const both[] = {"/demo/physics", "/demo/students", NULL};
	struct xos_test_who alice = {.name = "alice", .number = 1, .groups = physics};
	struct xos_test_who bob = {.name = "bob", .number = 2, .groups = students};
	struct xos_test_who carol = {.name = "carol", .number = 3, .groups = both};
	xos_test_member(n->vo, &alice, &n->alice);
	xos_test_member(n->vo, &bob, &n->bob);
	xos_test_member(n->vo, &carol, &n->carol);
}

static char *copy(const char *s)
{
	char *c = strdup(s);
	MUST_TRUE(c);
	return c;
}

struct node *node_new(const struct xos_test_bundle *b)
{
	struct xos_err err = XOS_ERR_INIT;
	struct node *n = calloc(1, sizeof(*n));
	MUST_TRUE(n);
	n->vo = xos_test_vo_new("demo", "lab", xos_clock_now());
	n->dir = xos_test_dir_new();
	n->conf = (struct xos_credd_conf){
	    .vo = copy("demo"),
	    .node = copy("n1"),
	    .site = copy("lab"),
	    .site_key = xos_test_path(n->dir, "site.pem"),
	    .trust = xos_test_path(n->dir, "trust"),
	    .state = xos_test_path(n->dir, "state"),
	    .socket = xos_test_path(n->dir, "socket"),
	    .refresh = 10,
	    .max_age = 12 * 3600,
	    .connections_max = 64,
	    .jobs_max = 100,
	};
	n->self = (struct xos_credd_self){.conf = &n->conf, .root = true, .uid = 1, .gid = 1};
	xos_test_vo_trust_dir(n->vo, n->conf.trust);
	xos_test_vo_site_key(n->vo, n->conf.site_key);
	MUST(xos_dir_make(n->conf.state, 0700, &err), &err);
	make_members(n);
	open_node(n);
	if (b)
		MUST(node_offer(n, b, &err), &err);
	return n;
}

void node_free(struct node *n)
{
	if (!n)
		return;
	close_node(n);
	xos_chain_clear(&n->alice);
	xos_chain_clear(&n->bob);
	xos_chain_clear(&n->carol);
	xos_test_vo_free(n->vo);
	xos_test_dir_free(n->dir);
	free(n->conf.vo);
	free(n->conf.node);
	free(n->conf.site);
	free(n->conf.site_key);
	free(n->conf.trust);
	free(n->conf.state);
	free(n->conf.socket);
	free(n);
}

enum xos_status node_ask(struct node *n, const struct xos_chain *chain, const char *request,
    uid_t peer, bool service, struct xos_credd_verdict *out, struct xos_err *err)
{
	struct xos_bytes der[XOS_CHAIN_MAX];
	struct xos_credd_question q = {
	    .chain = der,
	    .nchain = xos_test_ders(chain, der),
	    .text = xos_bytes_str(request),
	    .peer = peer,
	    .service = service,
	};
	return xos_credd_authorise(n->decider, &q, out, err);
}

void node_delegate(struct node *n, const struct xos_chain *signer, struct xos_bytes spki,
    const char *node, const char *job, const char *restriction, const struct xos_key *key,
    struct xos_chain *out)
{
	struct xos_buf r;
	struct xos_delegation d = {.not_after = n->vo->now + 3600, .depth = 2};
	xos_buf_init(&r, XOS_RESTRICTION_MAX);
	if (restriction)
		xos_test_restriction(restriction, &r);
	MUST_TRUE(xos_str_copy(d.actor, sizeof(d.actor), "job") &&
	          xos_str_copy(d.node, sizeof(d.node), node) &&
	          xos_str_copy(d.id, sizeof(d.id), job));
	d.restriction = r.p;
	d.restriction_len = r.n;
	xos_test_delegate(n->vo, signer, spki, &d, key, out);
	xos_buf_free(&r);
}
