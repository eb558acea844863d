/* The work of a decision is bounded by what concerns the request. */
#include "engine.h"
#include "policy/ast.h"
#include "policy/memory.h"

/* Work is counted, never timed: names compared, blocks of memory asked for, bytes handed out. */
static uint64_t compared, blocks, taken;
static struct counts { /* of the last decision */
	uint64_t compared, blocks, taken;
} counts;

int __real_strcmp(const char *a, const char *b);
int __wrap_strcmp(const char *a, const char *b);
int __wrap_strcmp(const char *a, const char *b)
{
	compared++;
	return __real_strcmp(a, b);
}

int __real_memcmp(const void *a, const void *b, size_t n);
int __wrap_memcmp(const void *a, const void *b, size_t n);
int __wrap_memcmp(const void *a, const void *b, size_t n)
{
	compared++;
	return __real_memcmp(a, b, n);
}

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
	blocks++;
	return __real_malloc(n);
}

void *__real_xos_policy_memory_take(struct xos_policy_memory *m, size_t n);
void *__wrap_xos_policy_memory_take(struct xos_policy_memory *m, size_t n);
void *__wrap_xos_policy_memory_take(struct xos_policy_memory *m, size_t n)
{
	taken += n;
	return __real_xos_policy_memory_take(m, n);
}

void *__real_xos_policy_memory_raw(struct xos_policy_memory *m, size_t n);
void *__wrap_xos_policy_memory_raw(struct xos_policy_memory *m, size_t n);
void *__wrap_xos_policy_memory_raw(struct xos_policy_memory *m, size_t n)
{
	taken += n;
	return __real_xos_policy_memory_raw(m, n);
}

static enum xos_policy_decision counted(
    const struct xos_policy *p, const struct xos_policy_request *req, struct xos_policy_answer *a)
{
	compared = blocks = taken = 0;
	enum xos_status status = xos_policy_decide(p, req, a);
	counts = (struct counts){compared, blocks, taken};
	ck_assert_int_ne(status, XOS_INTERNAL);
	return a->decision;
}

/* A decision visits only what its index finds: 2000 strangers' statements cost nothing. */
START_TEST(work_is_bounded)
{
	struct xos_buf text;
	struct xos_policy_answer a;
	xos_buf_init(&text, 1 << 20);
	xos_buf_put_str(
	    &text, "vo \"demo\" serial 1 { permit group /demo/physics action job.submit;");
	for (int i = 0; i < 2000; i++)
		xos_buf_printf(
		    &text, " forbid group /demo/g%d action any when auth.mfa or user bob;", i);
	xos_buf_put_str(&text, " }");
	struct xos_policy *p = must_build(
	    xos_buf_str(&text), "site \"lab\" serial 1 { permit any action any; }", NULL);
	struct xos_policy_request req = alice();
	xos_policy_answer_init(&a);
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_OK);
	ck_assert_uint_eq(a.statements, 2);
	ck_assert_uint_eq(a.nodes, 0);
	xos_policy_unref(p);
	/* And where all concern the request, each is visited once, each node at most once. */
	text.n = 0;
	xos_buf_put_str(&text, "vo \"demo\" serial 1 {");
	for (int i = 0; i < 2000; i++)
		xos_buf_put_str(
		    &text, " forbid group /demo/physics action any when auth.mfa and user bob;");
	xos_buf_put_str(&text, " permit any action any; }");
	p = must_build(
	    xos_buf_str(&text), "site \"lab\" serial 1 { permit any action any; }", NULL);
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_OK);
	ck_assert_uint_eq(a.statements, 2002);
	ck_assert_uint_le(a.nodes, 3 * 2000);
	xos_policy_unref(p);
	xos_policy_answer_free(&a);
	xos_buf_free(&text);
}
END_TEST

#define MANY 500

static void put_duties(struct xos_buf *text, int from)
{
	for (int i = from; i < from + MANY; i++) {
		xos_buf_put_str(text, " duty any action job.submit on any {");
		for (int j = 0; j < 16; j++)
			xos_buf_printf(text, " notify \"a%d.%d\";", i, j);
		xos_buf_put_str(text, " }");
	}
}

/* Thousands of duties are united without comparing them; those of two sets too. */
START_TEST(duties_are_united_by_number)
{
	struct xos_buf vo, site;
	struct xos_policy_answer a;
	xos_buf_init(&vo, 1 << 20);
	xos_buf_init(&site, 1 << 20);
	xos_buf_put_str(&vo, "vo \"demo\" serial 1 { permit any action any on any;"
	                     " duty any action any on any { record; notify; record; }");
	xos_buf_put_str(&site, "site \"lab\" serial 1 { permit any action any on any;"
	                       " duty any action any on any { notify; record; log \"x\"; }");
	put_duties(&vo, 0);
	put_duties(&site, MANY / 2);
	xos_buf_put_str(&vo, " }");
	xos_buf_put_str(&site, " }");
	struct xos_policy *p = BUILD(xos_buf_str(&vo), xos_buf_str(&site));
	struct xos_policy_request req = alice();
	xos_policy_answer_init(&a);
	ck_assert_int_eq(counted(p, &req, &a), PERMIT);
	ck_assert_uint_eq(a.nduties, 3 + 16 * (MANY + MANY / 2));
	ck_assert_uint_ge(counts.compared, 1);
	ck_assert_uint_le(counts.compared, 1000);
	ck_assert_int_eq(counted(p, &req, &a), PERMIT);
	ck_assert_uint_eq(a.nduties, 3 + 16 * (MANY + MANY / 2));
	ck_assert_uint_eq(counts.blocks, 0);
	/* "record" and "notify" without an argument, each once. */
	size_t bare = 0;
	for (size_t i = 0; i < a.nduties; i++)
		bare += !a.duties[i].arg;
	ck_assert_uint_eq(bare, 2);
	xos_policy_unref(p);
	xos_policy_answer_free(&a);
	xos_buf_free(&vo);
	xos_buf_free(&site);
}
END_TEST

/* The way out tries roles until the stated work is done; what it found by then is true. */
START_TEST(way_out_is_bounded)
{
	static char names[XOS_POLICY_ROLES_MAX][32];
	static const char *held[XOS_POLICY_ROLES_MAX];
	struct xos_buf vo;
	struct xos_policy_answer a;
	for (size_t i = 0; i < XOS_POLICY_ROLES_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "/demo/Role=r%03zu", i);
		held[i] = names[i];
	}
	xos_buf_init(&vo, 1 << 20);
	xos_buf_put_str(&vo, "vo \"demo\" serial 1 { permit role /demo/Role=r001, role "
	                     "/demo/Role=r255 action job.submit on any;");
	put_duties(&vo, 0);
	xos_buf_put_str(&vo, " }");
	struct xos_policy *p =
	    BUILD(xos_buf_str(&vo), "site \"lab\" serial 1 { permit any action any; }");
	struct xos_policy_request req = alice();
	req.subject.held = held;
	req.subject.nheld = XOS_POLICY_ROLES_MAX;
	xos_policy_answer_init(&a);
	ck_assert_int_eq(counted(p, &req, &a), DENY);
	ck_assert_uint_eq(a.nway_out, 1);
	ck_assert_str_eq(a.way_out[0], "/demo/Role=r001");
	ck_assert_uint_ge(a.statements, XOS_POLICY_WAY_OUT_WORK);
	ck_assert_uint_le(a.statements + a.nodes, XOS_POLICY_WAY_OUT_WORK + 2 * (MANY + 2));
	ck_assert_uint_eq(a.nduties, 16 * MANY);
	ck_assert_int_eq(counted(p, &req, &a), DENY);
	ck_assert_uint_eq(counts.blocks, 0);
	xos_policy_unref(p);
	/* Small sets leave time for all of them. */
	p = BUILD("vo \"demo\" serial 1 { permit role /demo/Role=r001, role /demo/Role=r255 action "
	          "job.submit on any; duty any action any on any { record; } }",
	    "site \"lab\" serial 1 { permit any action any; }");
	ck_assert_int_eq(counted(p, &req, &a), DENY);
	ck_assert_uint_eq(a.nway_out, 2);
	xos_policy_unref(p);
	xos_policy_answer_free(&a);
	xos_buf_free(&vo);
}
END_TEST

/* Limits of account classes meet in one list, however many they are. */
START_TEST(classes_meet_in_place)
{
	struct xos_buf vo;
	struct xos_policy_answer a;
	static const char *const held[] = {"/demo/Role=r1", "/demo/Role=r2", "/demo/Role=r3"};
	static const char site[] = "site \"lab\" serial 1 { permit any action any on any; }";
	xos_buf_init(&vo, 1 << 20);
	xos_buf_put_str(&vo, "vo \"demo\" serial 1 {");
	for (int i = 0; i < MANY; i++) {
		xos_buf_printf(
		    &vo, " limit any action job.submit on any { account_class in { a%d", i % 2);
		for (int j = 190 - i % 100; j < 240; j++)
			xos_buf_printf(&vo, ", c%03d", j);
		xos_buf_put_str(&vo, "}; }");
	}
	size_t n = vo.n;
	xos_buf_put_str(&vo, " permit any action any on any; }");
	struct xos_policy *p = BUILD(xos_buf_str(&vo), site);
	struct xos_policy_request req = alice();
	xos_policy_answer_init(&a);
	ck_assert_int_eq(counted(p, &req, &a), PERMIT);
	ck_assert_uint_eq(a.nlimits, 1);
	ck_assert_uint_eq(a.limits[0].nnames, 50);
	ck_assert_str_eq(a.limits[0].names[0], "c190");
	ck_assert_str_eq(a.limits[0].names[49], "c239");
	ck_assert_uint_le(counts.taken, 16384);
	xos_policy_unref(p);
	/* Nor do the tries for a way out take more than one list, and not the answer's. */
	vo.n = n;
	xos_buf_put_str(&vo, " permit role /demo/Role=r2 action any on any; }");
	p = BUILD(xos_buf_str(&vo), site);
	ck_assert_int_eq(counted(p, &req, &a), DENY);
	uint64_t alone = counts.taken;
	const char *const *kept = a.limits[0].names;
	req.subject.held = held;
	req.subject.nheld = 3;
	ck_assert_int_eq(counted(p, &req, &a), DENY);
	ck_assert_uint_eq(a.nway_out, 1);
	ck_assert_ptr_eq(a.limits[0].names, kept);
	ck_assert_uint_eq(a.limits[0].nnames, 50);
	ck_assert_str_eq(a.limits[0].names[49], "c239");
	ck_assert_uint_le(counts.taken, alone + 8192);
	xos_policy_unref(p);
	xos_policy_answer_free(&a);
	xos_buf_free(&vo);
}
END_TEST

/* `like` of n patterns of 128 bytes each. */
static void put_patterns(struct xos_buf *text, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		xos_buf_printf(text, "%s\"*%0125u*b\"", i ? ", " : " resource.id like {", i);
	xos_buf_put_str(text, "}");
}

/* n statements of 4096 bytes of patterns, and that many patterns more in the last. */
static const char *like_set(struct xos_buf *text, unsigned n, unsigned more)
{
	text->n = 0;
	xos_buf_put_str(
	    text, "vo \"demo\" serial 1 schema 2 { permit role /demo/Role=r255 action any on any;");
	for (unsigned i = 1; i <= n; i++) {
		xos_buf_put_str(text, " forbid any action file.read on file:/ when");
		put_patterns(text, 32 + (i == n ? more : 0));
		xos_buf_put_str(text, ";");
	}
	xos_buf_put_str(text, " }");
	return xos_buf_str(text);
}

START_TEST(patterns_are_bounded)
{
	struct xos_buf text;
	xos_buf_init(&text, 1 << 20);
#define LIKE(pattern)                                                                              \
	"vo \"demo\" serial 1 schema 2 { permit any action file.read on any when resource.id "     \
	"like " pattern "; }"
	xos_policy_set_unref(must_parse(LIKE("\"*a*a*a*a*a*a*a*\"")));
	must_refuse(LIKE("\"*a*a*a*a*a*a*a**\""), "a pattern with too many stars");
	must_refuse(
	    LIKE("\"/x\" or not resource.id like {\"a\", \"*********\"}"), "too many stars");
	xos_policy_set_unref(must_parse(like_set(&text, 1, 0)));
	must_refuse(like_set(&text, 1, 1), "the patterns of one statement are too long");
	xos_policy_set_unref(must_parse(like_set(&text, 16, 0)));
	must_refuse(like_set(&text, 17, 0), "the patterns of this set are longer than 65536 bytes");
	xos_buf_free(&text);
}
END_TEST

/* At most the product of the lengths, whatever stands in the pattern. */
START_TEST(patterns_take_the_product_at_most)
{
	static const char *const patterns[] = {"*a*a*a*a*a*a*a*b", "*aaaaaaaaaaaaaaab",
	    "*aaaaaaaaaaaaaaab*", "a*?????????b", "*a?a?a?a?ab*c", "????*", "********",
	    "*ab*ab*ab*ac"};
	char text[401];
	uint64_t most = 0;
	for (unsigned period = 1; period <= 3; period++) {
		for (size_t i = 0; i < 400; i++)
			text[i] = i % period ? 'b' : 'a';
		text[400] = 0;
		for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
			uint64_t steps = 0;
			bool is = xos_policy_like_steps(patterns[i], text, &steps);
			ck_assert_int_eq(is, xos_policy_like(patterns[i], text));
			ck_assert_uint_le(steps, (strlen(patterns[i]) + 1) * (400 + 1));
			most = steps > most ? steps : most;
		}
	}
	/* And such patterns do take it: the bound is not an empty one. */
	ck_assert_uint_ge(most, 400 * 15);
}
END_TEST

/* Patterns count too while a way out is looked for. */
START_TEST(way_out_counts_patterns)
{
	static char names[XOS_POLICY_ROLES_MAX][32], id[XOS_POLICY_ID_MAX];
	static const char *held[XOS_POLICY_ROLES_MAX];
	struct xos_policy_answer a;
	struct xos_buf text;
	for (size_t i = 0; i < XOS_POLICY_ROLES_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "/demo/Role=r%03zu", i);
		held[i] = names[i];
	}
	memset(id, '0', sizeof(id) - 1);
	id[0] = '/';
	xos_buf_init(&text, 1 << 20);
	struct xos_policy *p = BUILD(
	    like_set(&text, 16, 0), "site \"lab\" serial 1 { permit any action any on any; }");
	struct xos_policy_request req = alice();
	req.action = "file.read";
	req.resource = (struct xos_policy_resource){.kind = "file", .id = id, .site = "lab"};
	req.subject.held = held;
	req.subject.nheld = XOS_POLICY_ROLES_MAX;
	xos_policy_answer_init(&a);
	ck_assert_int_eq(counted(p, &req, &a), DENY);
	ck_assert_ptr_null(a.problem);
	ck_assert_uint_eq(a.nway_out, 0);
	ck_assert_uint_le(a.statements, 3 * 18);
	id[2] = 0;
	ck_assert_int_eq(counted(p, &req, &a), DENY);
	ck_assert_uint_eq(a.nway_out, 1);
	xos_policy_unref(p);
	xos_policy_answer_free(&a);
	xos_buf_free(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy work");
	TCase *tc = tcase_create("bounds");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, work_is_bounded);
	tcase_add_test(tc, duties_are_united_by_number);
	tcase_add_test(tc, way_out_is_bounded);
	tcase_add_test(tc, classes_meet_in_place);
	tcase_add_test(tc, patterns_are_bounded);
	tcase_add_test(tc, patterns_take_the_product_at_most);
	tcase_add_test(tc, way_out_counts_patterns);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
