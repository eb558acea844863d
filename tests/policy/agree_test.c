/*
 * The engine against the slow evaluator of reference.c, on generated policies and requests.
 * XOS_POLICY_PAIRS asks for another number of pairs, XOS_POLICY_SEED=N tries the policy of that seed alone,
 * as a failure prints it.
 */
#include "compare.h"
#include "policy_test.h"

#define REQUESTS 100
#define FIRST_SEED 20261122

static unsigned long from_env(const char *name, unsigned long usual)
{
	const char *text = getenv(name);
	return text ? strtoul(text, NULL, 10) : usual;
}

struct tally {
	unsigned long decisions[3], statements, dropped;
	unsigned long machines[3]; /* of the decisions, those about nodes and services */
};

/* The policy of one seed, and requests about it. */
static void one_policy(unsigned long seed, struct tally *t, struct xos_policy_answer *a)
{
	static struct m_pool pool;
	static struct m_policy p;
	struct built b;
	draw_from(seed);
	make_policy(&pool, &p);
	build(&p, &b);
	t->dropped += b.dropped;
	for (unsigned i = 0; i < p.n; i++)
		t->statements += p.sets[i].n;
	for (unsigned i = 0; i < REQUESTS; i++) {
		struct m_request r;
		enum xos_policy_decision decision;
		make_request(&r);
		const char *what = compare_one(&p, &b, &r, a, &decision);
		if (what) {
			fprintf(stderr, "XOS_POLICY_SEED=%lu, request %u: ", seed, i);
			report_difference(&p, &r, what);
			ck_abort_msg(
			    "XOS_POLICY_SEED=%lu, request %u: they differ in %s", seed, i, what);
		}
		t->decisions[decision]++;
		t->machines[decision] += r.req.subject.kind == XOS_SUBJECT_NODE ||
		                         r.req.subject.kind == XOS_SUBJECT_SERVICE;
	}
	built_free(&b);
}

START_TEST(engine_and_slow_evaluator_agree)
{
	struct tally t = {.dropped = 0};
	struct xos_policy_answer a;
	unsigned long seed = from_env("XOS_POLICY_SEED", 0);
	unsigned long rounds = from_env("XOS_POLICY_PAIRS", 100000) / REQUESTS;
	xos_policy_answer_init(&a);
	for (unsigned long i = 0; i < (seed ? 1 : rounds); i++)
		one_policy(seed ? seed : FIRST_SEED + i, &t, &a);
	xos_policy_answer_free(&a);
	if (seed)
		return;
	/* A world in which everything is refused, or most statements are, would prove nothing. */
	unsigned long total = t.decisions[0] + t.decisions[1] + t.decisions[2];
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_gt(t.decisions[i], total / 25);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_gt(t.machines[i], total / 1000);
	ck_assert_uint_lt(t.dropped, t.statements / 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy agree");
	TCase *tc = tcase_create("reference");
	tcase_set_timeout(tc, 3600);
	tcase_add_test(tc, engine_and_slow_evaluator_agree);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
