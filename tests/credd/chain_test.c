/* Credentials that came from a job of another node: what this node takes, what it decides, what ends them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fixture.h"
#include "pki/csr.h"

#define SUBMITS "delegation by user \"alice\" { check action in {job.submit, job.show}; }"
#define SHOWS "delegation by user \"alice\" { check action in {job.show}; }"
#define SHOW                                                                                       \
	"{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\"},\"action\":{\"name\":\"job."       \
	"show\"},\"resource\":{\"type\":\"job\",\"id\":\"j7\"}}"

static struct node *n;
static struct xos_key *key1, *key2;
static struct xos_err err;

static void setup(void)
{
	err = (struct xos_err)XOS_ERR_INIT;
	n = node_new(&(struct xos_test_bundle){.serial = 5});
	key1 = key2 = NULL;
	MUST(xos_key_generate(&key1, &err), &err);
	MUST(xos_key_generate(&key2, &err), &err);
}

static void teardown(void)
{
	xos_key_free(key1);
	xos_key_free(key2);
	node_free(n);
}

/* The credential of job j1 on n2, which alice gave this restriction ("" for none) and depth. */
static void first_step(const char *restriction, unsigned depth, struct xos_chain *out)
{
	struct xos_delegation d = {.not_after = n->vo->now + 3600,
	    .depth = depth,
	    .actor = "job",
	    .node = "n2",
	    .id = "j1"};
	struct xos_buf r;

	xos_buf_init(&r, XOS_RESTRICTION_MAX);
	if (restriction[0])
		xos_test_restriction(restriction, &r);
	d.restriction = r.p;
	d.restriction_len = r.n;
	xos_test_delegate(n->vo, &n->alice, xos_key_spki(key1), &d, key1, out);
	xos_buf_free(&r);
}

static void second_step(const struct xos_chain *first, struct xos_bytes spki, const char *node,
    const char *restriction, struct xos_chain *out)
{
	struct xos_delegation d = {
	    .not_after = n->vo->now + 7200, .depth = 0, .actor = "job", .id = "j2"};
	struct xos_buf r;

	xos_buf_init(&r, XOS_RESTRICTION_MAX);
	if (restriction[0])
		xos_test_restriction(restriction, &r);
	MUST_TRUE(xos_str_copy(d.node, sizeof(d.node), node));
	d.restriction = r.p;
	d.restriction_len = r.n;
	xos_test_delegate(n->vo, first, spki, &d, key2, out);
	xos_buf_free(&r);
}

static enum xos_local_decision decide(const struct xos_chain *chain, const char *request)
{
	struct xos_credd_verdict v;
	enum xos_status st = node_ask(n, chain, request, 0, true, &v, &err);

	if (st != XOS_OK)
		return XOS_LOCAL_DENY;
	enum xos_local_decision d = v.decision;
	xos_credd_verdict_free(&v);
	return d;
}

static enum xos_status op(enum xos_local_op code, const char *job, const struct xos_chain *chain,
    struct xos_local_answer *answer, struct xos_buf *plain, struct xos_secret **secret)
{
	const struct xos_credd_peer peer = {.uid = 0, .service = true};
	struct xos_local_request q = {.op = code};

	MUST_TRUE(xos_str_copy(q.job, sizeof(q.job), job));
	q.nchain = chain ? xos_test_ders(chain, q.chain) : 0;
	*answer = (struct xos_local_answer){.decision = XOS_LOCAL_DENY};
	xos_buf_init(plain, XOS_LOCAL_TEXT_MAX);
	err = (struct xos_err)XOS_ERR_INIT;
	return xos_credd_ops_handle(&n->ops, &peer, &q, answer, plain, secret, &err);
}

START_TEST(with_depth_it_submits_here_and_without_it_does_not)
{
	struct xos_chain deep = {.n = 0}, flat = {.n = 0};

	first_step(SUBMITS, 1, &deep);
	ck_assert_int_eq(decide(&deep, SUBMIT("alice")), XOS_LOCAL_PERMIT);
	first_step(SUBMITS, 0, &flat);
	ck_assert_int_eq(decide(&flat, SUBMIT("alice")), XOS_LOCAL_DENY);
	ck_assert_str_eq(err.code, "wrong-node");
	xos_chain_clear(&deep);
	xos_chain_clear(&flat);
	/* Depth opens no action. */
	first_step(SHOWS, 8, &deep);
	ck_assert_int_eq(decide(&deep, SUBMIT("alice")), XOS_LOCAL_DENY);
	xos_chain_clear(&deep);
}
END_TEST

START_TEST(its_job_here_is_bound_here)
{
	static const struct {
		const char *node;
		enum xos_status want;
		const char *code;
	} cases[] = {
	    {"n1", XOS_OK, ""}, {"n2", XOS_DENIED, "wrong-node"}, {"n3", XOS_DENIED, "wrong-node"}};
	struct xos_chain first = {.n = 0}, second = {.n = 0};
	struct xos_local_answer a;
	struct xos_secret *pem = NULL;
	struct xos_buf csr, plain;
	struct xos_csr parsed;

	first_step(SUBMITS, 1, &first);
	MUST(op(XOS_LOCAL_JOB_PREPARE, "j2", &first, &a, &csr, NULL), &err);
	MUST(xos_csr_parse(a.text, &parsed, &err), &err);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		second_step(&first, parsed.spki, cases[i].node, "", &second);
		enum xos_status st = op(XOS_LOCAL_JOB_ACCEPT, "j2", &second, &a, &plain, NULL);
		ck_assert_msg(st == cases[i].want && strcmp(err.code, cases[i].code) == 0,
		    "%s: %s %s", cases[i].node, xos_status_name(st), err.code);
		if (st == XOS_OK)
			ck_assert_int_le(a.not_after, n->vo->now + 3600);
		xos_buf_free(&plain);
		xos_chain_clear(&second);
	}
	/* A lock of the first job, which runs elsewhere, takes the second's credential back. */
	struct xos_lock lock = {
	    .id = "L", .kind = XOS_LOCK_JOB, .name = "j1", .since = 1, .until = XOS_LOCK_NO_END};
	struct xos_test_bundle b = {
	    .serial = 6, .locks_serial = 2, .locks_ca = &lock, .nlocks_ca = 1};
	MUST(op(XOS_LOCAL_JOB_CREDENTIAL, "j2", NULL, &a, &plain, &pem), &err);
	xos_secret_free(pem);
	pem = NULL;
	MUST(node_offer(n, &b, &err), &err);
	ck_assert_int_eq(op(XOS_LOCAL_JOB_CREDENTIAL, "j2", NULL, &a, &plain, &pem), XOS_DENIED);
	ck_assert_str_eq(err.code, "locked");
	ck_assert_int_eq(decide(&first, SUBMIT("alice")), XOS_LOCAL_DENY);
	xos_chain_clear(&first);
	xos_buf_free(&csr);
}
END_TEST

/* Over restrictions of both steps, nodes and questions: what the longer chain is permitted the shorter ones are. */
START_TEST(a_further_step_never_permits_more)
{
	static const char *const restrictions[] = {"", SUBMITS, SHOWS,
	    "delegation by user \"alice\" { check on {node:lab/n1}; }",
	    "delegation by user \"alice\" { check on {node:lab/n2}; }",
	    "delegation by user \"alice\" { check has job.wall and job.wall < 1h; }"};
	static const char *const nodes[] = {"n1", "n2"};
	static const char *const asked[] = {SUBMIT("alice"), SHOW};
	const size_t nr = sizeof(restrictions) / sizeof(restrictions[0]);
	size_t permitted = 0, narrowed = 0;

	for (size_t i = 0; i < nr * nr * 2; i++) {
		struct xos_chain first = {.n = 0}, second = {.n = 0};

		first_step(restrictions[i % nr], 1, &first);
		second_step(&first, xos_key_spki(key2), nodes[i / nr / nr],
		    restrictions[i / nr % nr], &second);
		for (size_t q = 0; q < 2; q++) {
			bool zero = decide(&n->alice, asked[q]) == XOS_LOCAL_PERMIT;
			bool one = decide(&first, asked[q]) == XOS_LOCAL_PERMIT;
			bool two = decide(&second, asked[q]) == XOS_LOCAL_PERMIT;

			ck_assert(!one || zero);
			ck_assert(!two || one);
			permitted += two;
			narrowed += one && !two;
		}
		xos_chain_clear(&first);
		xos_chain_clear(&second);
	}
	ck_assert_uint_gt(permitted, 5);
	ck_assert_uint_gt(narrowed, 5);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("credd chain");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, with_depth_it_submits_here_and_without_it_does_not);
	tcase_add_test(t, its_job_here_is_bound_here);
	tcase_add_test(t, a_further_step_never_permits_more);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
