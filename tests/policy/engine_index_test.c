/* What a decision visits, counted; alternatives; on change; threads and a policy that changes. */
#include "engine.h"

#include <pthread.h>
#include <stdatomic.h>

#define LAB                                                                                        \
	"site \"lab\" serial 1 schema 2 { node n1 { class batch; tag gpu; } permit any action "    \
	"any; }"

static void fill(struct xos_buf *text, const char *head, unsigned n, const char *each)
{
	xos_buf_init(text, 1 << 20);
	xos_buf_put_str(text, head);
	for (unsigned i = 0; i < n; i++) {
		const char *at = strchr(each, '%');
		xos_buf_put(text, each, (size_t)(at - each));
		xos_buf_printf(text, "%u", i);
		xos_buf_put_str(text, at + 1);
	}
	xos_buf_put_str(text, " }");
}

static void count(const char *vo, const char *site, const struct xos_policy_request *req,
    enum xos_policy_decision expected, uint32_t statements, uint32_t nodes)
{
	struct xos_policy *p = BUILD(vo, site);
	struct xos_policy_answer a;
	xos_policy_answer_init(&a);
	ck_assert_str_eq(words[both_ways(p, req, &a)], words[expected]);
	ck_assert_uint_le(a.statements, statements);
	ck_assert_uint_le(a.nodes, nodes);
	xos_policy_answer_free(&a);
	xos_policy_unref(p);
}

/* 5000 statements of one principal: those about other actions and places are not visited. */
START_TEST(long_rows_are_searched)
{
	struct xos_policy_request req = alice();
	struct xos_buf text;
	fill(&text, "vo \"demo\" serial 1 { permit any action job.submit;", 5000,
	    " forbid any action job.submit on node:lab/x%;");
	count(xos_buf_str(&text), LAB, &req, PERMIT, 2, 0);
	req.resource.node = "x7";
	count(xos_buf_str(&text), LAB, &req, DENY, 3, 0);
	xos_buf_free(&text);
	req = alice();
	fill(&text, "vo \"demo\" serial 1 { permit any action job.submit;", 900,
	    " forbid any action session.open on site:lab when auth.age > %s;");
	count(xos_buf_str(&text), LAB, &req, PERMIT, 2, 0);
	xos_buf_free(&text);
	fill(&text, "vo \"demo\" serial 1 { permit any action file.read;", 5000,
	    " forbid any action any on file:/a/d%/e;");
	req.action = "file.read";
	req.resource.kind = "file";
	req.resource.id = "/a/d17/e/f/g";
	count(xos_buf_str(&text), LAB, &req, DENY, 3, 0);
	req.resource.id = "/a/d17";
	count(xos_buf_str(&text), LAB, &req, PERMIT, 2, 0);
	xos_buf_free(&text);
}
END_TEST

/* The request does not tell the node: all that might be meant are visited, and fire. */
START_TEST(what_might_be_meant_is_found)
{
	struct xos_policy_request req = alice();
	struct xos_buf text;
	req.resource.kind = "site";
	req.resource.node = NULL;
	fill(&text, "vo \"demo\" serial 1 { permit any action job.submit;", 50,
	    " forbid any action job.submit on node:lab/x%;");
	count(xos_buf_str(&text), LAB, &req, UNDECIDED, 52, 0);
	xos_buf_free(&text);
	fill(&text, "vo \"demo\" serial 1 { permit any action job.submit;", 50,
	    " forbid any action job.submit on tag:t%;");
	count(xos_buf_str(&text), LAB, &req, UNDECIDED, 52, 0);
	req = alice();
	count(xos_buf_str(&text), LAB, &req, PERMIT, 2, 0);
	req.resource.node = "n9"; /* not declared: it might have any tag */
	count(xos_buf_str(&text), LAB, &req, UNDECIDED, 52, 0);
	xos_buf_free(&text);
}
END_TEST

/* The worst that loads (more than 1000 that name neither who nor where do not): all statements are about everybody and everything. Each is visited once, each
 * node of its condition at most once, and for what remains unknown once more. */
START_TEST(the_worst_is_linear)
{
	struct xos_policy_request req = alice();
	struct xos_buf text;
	fill(&text, "vo \"demo\" serial 1 { permit any action any;", 990,
	    " forbid any action any when auth.mfa and job.cpu == %;");
	count(xos_buf_str(&text), LAB, &req, UNDECIDED, 992, 2 * 3 * 990);
	req.subject.auth_mfa = 0;
	count(xos_buf_str(&text), LAB, &req, PERMIT, 992, 2 * 990);
	xos_buf_free(&text);
}
END_TEST

/* One statement that matches in several ways has one effect. */
START_TEST(alternatives_count_once)
{
	struct xos_policy_request req = alice();
	struct xos_policy_answer a;
	struct xos_buf text;
	xos_policy_answer_init(&a);
	for (unsigned others = 0; others < 60; others += 30) { /* a short row, then a long one */
		fill(&text,
		    "vo \"demo\" serial 1 schema 2 { permit any action any;"
		    " forbid @f group /demo, group /demo/physics, user alice action job.submit on"
		    " tag:gpu, node:lab/n1, class:batch, site:lab & tag:gpu;",
		    others, " forbid any, group /demo/physics action job.submit on node:lab/x%;");
		struct xos_policy *p = BUILD(xos_buf_str(&text), LAB);
		ck_assert_int_eq(both_ways(p, &req, &a), DENY);
		ck_assert_uint_eq(a.nforbids, 1);
		/* It might be any node: still one. */
		req.resource.node = NULL;
		req.resource.kind = "site";
		ck_assert_int_eq(both_ways(p, &req, &a), UNDECIDED);
		ck_assert_uint_eq(a.nforbids, 1 + others);
		req = alice();
		req.subject.member = "bob";
		req.subject.ngroups = 0; /* everybody is in the VO's own group */
		ck_assert_int_eq(both_ways(p, &req, &a), DENY);
		ck_assert_uint_eq(a.nforbids, 1);
		req = alice();
		xos_policy_unref(p);
		xos_buf_free(&text);
	}
	xos_policy_answer_free(&a);
}
END_TEST

START_TEST(the_strictest_change_counts)
{
	static const char *const bodies[][2] = {
	    {"forbid any action job.submit;", ""},
	    {"forbid any action job.submit on change continue;", "continue"},
	    {"forbid any action job.submit on change continue;"
	     " forbid group /demo action job.submit on change drain;",
	        "drain"},
	    {"forbid any action job.submit on change stop after 10m;"
	     " forbid group /demo action job.submit on change stop after 5m;"
	     " forbid user alice action job.submit on change drain;",
	        "stop"},
	    /* A permit that no longer holds; one about somebody else does not speak. */
	    {"permit any action job.submit when now < 2026-01-01T00:00Z on change drain;"
	     " permit user bob action job.submit on change stop after 1m;",
	        "drain"},
	    /* What is permitted says nothing. */
	    {"permit any action job.submit on change stop after 1m;", ""},
	};
	struct xos_policy_request req = alice();
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct xos_policy_answer a;
		char text[1000];
		snprintf(text, sizeof(text), "vo \"demo\" serial 1 schema 2 { %s }", bodies[i][0]);
		struct xos_policy *p = BUILD(text, LAB);
		xos_policy_answer_init(&a);
		both_ways(p, &req, &a);
		ck_assert_str_eq(xos_policy_change_name(a.change.change), bodies[i][1]);
		if (a.change.change == XOS_CHANGE_STOP)
			ck_assert_int_eq(a.change.after, 300);
		xos_policy_answer_free(&a);
		xos_policy_unref(p);
	}
}
END_TEST

/* Interned in one policy, decided by the next: as from strings. */
START_TEST(interned_names_outlive_their_policy)
{
	struct xos_policy_request req = alice();
	struct xos_policy *p = BUILD("vo \"demo\" serial 1 { permit any action any; }", LAB);
	struct xos_policy *q =
	    BUILD("vo \"demo\" serial 2 { forbid group /demo/physics action any; }", LAB);
	struct xos_policy_interned_subject *s;
	struct xos_policy_interned_resource *r;
	ck_assert_int_eq(xos_policy_intern_subject(p, &req.subject, &s, NULL), XOS_OK);
	ck_assert_int_eq(xos_policy_intern_resource(p, &req.resource, &r, NULL), XOS_OK);
	req.interned_subject = s;
	req.interned_resource = r;
	ck_decision(p, &req, PERMIT);
	ck_decision(q, &req, DENY);
	xos_policy_unref(p);
	ck_decision(q, &req, DENY);
	xos_policy_unref(q);
	xos_policy_interned_subject_free(s);
	xos_policy_interned_resource_free(r);
	/* What is malformed is refused where it is interned. */
	static const char *const foreign[] = {"/demon/physics"};
	req = alice();
	req.subject.groups = foreign;
	req.subject.ngroups = 1;
	p = BUILD(LAB);
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_int_eq(xos_policy_intern_subject(p, &req.subject, &s, &err), XOS_MALFORMED);
	ck_assert_ptr_null(s);
	req.resource.kind = "planet";
	ck_assert_int_eq(xos_policy_intern_resource(p, &req.resource, &r, &err), XOS_MALFORMED);
	ck_assert_ptr_null(r);
	xos_policy_unref(p);
}
END_TEST

/* ---- a policy is exchanged while others decide ---- */

#define READERS 3
#define ROUNDS 400

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct xos_policy *current; /* with its reference, under the lock */
static struct xos_policy_set *check_set;
static atomic_bool stop;
static atomic_uint wrong, decided;

static void *reader(void *arg)
{
	struct xos_policy_answer a;
	(void)arg;
	xos_policy_answer_init(&a);
	while (!atomic_load(&stop)) {
		struct xos_policy_request req = alice();
		const struct xos_policy_set *chain[] = {check_set};
		req.chain = chain;
		req.nchain = 1;
		pthread_mutex_lock(&lock);
		struct xos_policy *p = xos_policy_ref(current);
		pthread_mutex_unlock(&lock);
		enum xos_status status = xos_policy_decide(p, &req, &a);
		/* An even serial permits, an odd one forbids: never a mixture. */
		bool even =
		    xos_policy_set_serial(xos_policy_find_set(p, XOS_POLICY_VO, "demo")) % 2 == 0;
		if ((status == XOS_OK) != even || a.nforbids != !even)
			atomic_fetch_add(&wrong, 1);
		atomic_fetch_add(&decided, 1);
		xos_policy_unref(p);
	}
	xos_policy_answer_free(&a);
	return NULL;
}

START_TEST(policies_are_exchanged_while_others_decide)
{
	pthread_t threads[READERS];
	check_set = must_parse("delegation { check action == job.submit; }");
	current = BUILD("vo \"demo\" serial 2 { permit any action any; }", LAB);
	for (int i = 0; i < READERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, reader, NULL), 0);
	for (unsigned i = 3; i < ROUNDS || atomic_load(&decided) < READERS * 10; i++) {
		char text[200];
		snprintf(text, sizeof(text), "vo \"demo\" serial %u { permit any action any; %s }",
		    i, i % 2 ? "forbid group /demo/physics action any;" : "");
		struct xos_policy *next = BUILD(text, LAB);
		pthread_mutex_lock(&lock);
		struct xos_policy *old = current;
		current = next;
		pthread_mutex_unlock(&lock);
		xos_policy_unref(old);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	xos_policy_unref(current);
	xos_policy_set_unref(check_set);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy engine index");
	TCase *tc = tcase_create("index");
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, long_rows_are_searched);
	tcase_add_test(tc, what_might_be_meant_is_found);
	tcase_add_test(tc, the_worst_is_linear);
	tcase_add_test(tc, alternatives_count_once);
	tcase_add_test(tc, the_strictest_change_counts);
	tcase_add_test(tc, interned_names_outlive_their_policy);
	tcase_add_test(tc, policies_are_exchanged_while_others_decide);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
