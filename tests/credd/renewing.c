#include "renewing.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define BOOT 1000000

struct node *n;
struct xos_credd_work *sent; /* what the sender has in hand */
struct xos_credd_now now;
static struct xos_buf csr;

static bool send_work(void *ctx, struct xos_credd_work *w)
{
	(void)ctx;
	ck_assert_ptr_null(sent);
	sent = w;
	return true;
}

static enum xos_status take(void *ctx, struct xos_credd_job *job, const struct xos_chain *chain,
    int64_t ends, int64_t at, struct xos_err *err)
{
	(void)ctx;
	return xos_credd_grant_renewed(
	    n->jobs, n->decider, n->conf.node, job, chain, ends, at, err);
}

static void begin_renewals(void)
{
	struct xos_err err = XOS_ERR_INIT;
	const struct xos_credd_renewals_options o = {
	    .jobs = n->jobs, .send = send_work, .take = take};
	MUST(xos_credd_renewals_new(&o, &n->ops.renewals, &err), &err);
}

void restart(void)
{
	xos_credd_renewals_free(n->ops.renewals);
	node_restart(n);
	begin_renewals();
}

enum xos_status op(enum xos_local_op which, const char *job, const struct xos_chain *chain,
    const char *text, bool service, struct xos_local_answer *answer, struct xos_buf *plain,
    struct xos_err *err)
{
	struct xos_credd_peer peer = {.uid = service ? 0 : ALICE_UID + 1, .service = service};
	struct xos_local_request req = {.op = which, .text = xos_bytes_str(text)};
	snprintf(req.job, sizeof(req.job), "%s", job);
	if (chain)
		req.nchain = xos_test_ders(chain, req.chain);
	*answer = (struct xos_local_answer){.op = which};
	xos_buf_init(plain, XOS_LOCAL_BODY_MAX);
	*err = (struct xos_err)XOS_ERR_INIT;
	return xos_credd_ops_handle(&n->ops, &peer, &req, answer, plain, NULL, err);
}

struct xos_csr request(void)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_csr parsed;
	MUST(xos_csr_parse(xos_buf_bytes(&csr), &parsed, &err), &err);
	return parsed;
}

/* A job of alice's that was accepted. */
void renewing_setup(void)
{
	struct xos_local_answer a;
	struct xos_chain d = {.n = 0};
	struct xos_buf plain;
	struct xos_err err;
	n = node_new(&(struct xos_test_bundle){.serial = 5});
	now = (struct xos_credd_now){.wall = n->vo->now, .boot_ms = BOOT};
	begin_renewals();
	MUST(op(XOS_LOCAL_JOB_PREPARE, JOB, &n->alice, NULL, true, &a, &csr, &err), &err);
	node_delegate(n, &n->alice, request().spki, "n1", JOB, RESTRICTION, NULL, &d);
	MUST(op(XOS_LOCAL_JOB_ACCEPT, JOB, &d, NULL, true, &a, &plain, &err), &err);
	xos_chain_clear(&d);
}

void renewing_teardown(void)
{
	xos_credd_work_free(sent);
	sent = NULL;
	xos_credd_renewals_free(n->ops.renewals);
	xos_buf_free(&csr);
	node_free(n);
}

/* What alice grants unless a test changes it. */
void fields(struct xos_grant *g)
{
	xos_grant_init(g);
	MUST_TRUE(xos_str_copy(g->id, sizeof(g->id), JOB) &&
	          xos_str_copy(g->node, sizeof(g->node), "n1"));
	memcpy(g->key, request().spki_sha256, XOS_SHA256_LEN);
	g->depth = 2;
	g->ends = n->vo->now + 7 * DAY;
	xos_test_restriction(RESTRICTION, &g->restriction);
}

enum xos_status give(
    const struct xos_grant *g, const struct xos_chain *who, const char *job, struct xos_err *err)
{
	struct xos_local_answer a;
	struct xos_json *doc = NULL;
	const char *jws = NULL;
	struct xos_buf plain;
	MUST(xos_grant_sign(who, g, n->vo->now, &doc, err), err);
	MUST(xos_json_get_string(doc, "grant", XOS_GRANT_BODY_MAX, &jws, err), err);
	enum xos_status st = op(XOS_LOCAL_JOB_GRANT, job, who, jws, true, &a, &plain, err);
	if (!st)
		ck_assert_int_eq(a.not_after, g->ends);
	xos_json_free(doc);
	return st;
}

void give_ok(int64_t ends)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_grant g;
	fields(&g);
	g.ends = ends;
	MUST(give(&g, &n->alice, JOB, &err), &err);
	xos_grant_clear(&g);
}

const struct xos_credd_job *job(void)
{
	return xos_credd_jobs_find(n->jobs, JOB);
}

void tick(void)
{
	xos_credd_renewals_tick(n->ops.renewals, &now);
}

/* The authority's answer to what was sent. */
void answer(enum xos_status status, const char *code, const char *text)
{
	struct xos_credd_work *w = sent;
	ck_assert_ptr_nonnull(w);
	sent = NULL;
	w->status = status;
	if (status)
		(void)xos_err_set(&w->err, status, code, "%s", text);
	else if (w->registers)
		w->ends = job()->grant->ends;
	xos_credd_renewals_done(n->ops.renewals, w, &now);
}

struct made proper(void)
{
	return (struct made){.name = "alice",
	    .node = "n1",
	    .id = JOB,
	    .restriction = RESTRICTION,
	    .number = 1,
	    .spki = request().spki,
	    .not_after = now.wall + 7200,
	    .ends = n->vo->now + 7 * DAY,
	    .depth = 2};
}

void answer_with(const struct made *m)
{
	struct xos_test_who who = {
	    .name = m->name, .number = m->number, .spki = m->spki, .not_after = m->not_after};
	struct xos_delegation d = {.depth = m->depth, .not_after = m->ends};
	struct xos_credd_work *w = sent;
	struct xos_buf r;
	ck_assert_ptr_nonnull(w);
	ck_assert(!w->registers);
	ck_assert_ptr_nonnull(w->key);
	xos_buf_init(&r, XOS_RESTRICTION_MAX);
	xos_test_restriction(m->restriction, &r);
	d.restriction = r.p;
	d.restriction_len = r.n;
	MUST_TRUE(xos_str_copy(d.actor, sizeof(d.actor), "job") &&
	          xos_str_copy(d.node, sizeof(d.node), m->node) &&
	          xos_str_copy(d.id, sizeof(d.id), m->id));
	sent = NULL;
	xos_test_renewed(n->vo, &who, &d, &w->chain);
	w->ends = m->ends;
	xos_credd_renewals_done(n->ops.renewals, w, &now);
	xos_buf_free(&r);
}

void pass(int64_t seconds)
{
	now.wall += seconds;
	now.boot_ms += seconds * 1000;
}

/* Registered, and past the time at which it is renewed. */
void come_to_renewal(void)
{
	give_ok(n->vo->now + 7 * DAY);
	tick();
	ck_assert_ptr_nonnull(sent);
	ck_assert(sent->registers);
	ck_assert_ptr_null(sent->key); /* not needed for that, so not handed out */
	answer(XOS_OK, NULL, NULL);
	tick();
	ck_assert_ptr_null(sent);
	pass(2400); /* of the hour that the delegation lives */
	tick();
	ck_assert_ptr_nonnull(sent);
}
