/* A recorded decision, asked again, is the same question: who, groups, time, place and every restriction. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/record.h"
#include "policytool/lines.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOON INT64_C(1795348800) /* 2026-11-22T12:00:00Z */
#define REQUEST                                                                                    \
	"{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\"},\"action\":{\"name\":\"job."       \
	"show\"},"                                                                                 \
	"\"resource\":{\"type\":\"job\",\"id\":\"42\",\"properties\":{\"vo\":\"demo\",\"owner\":"  \
	"\"alice\"}},"                                                                             \
	"\"context\":{\"ctx.src\":\"192.0.2.7\"}}"

static struct xos_err err;
static struct xos_buf line;

static void record(const struct xos_identity *id)
{
	static const char *const groups[] = {"/demo/physics", "/demo"};
	const struct xos_policy_request asked = {.subject = {.kind = XOS_SUBJECT_MEMBER,
	                                             .vo = "demo",
	                                             .member = "alice",
	                                             .groups = groups,
	                                             .ngroups = 2,
	                                             .home = "kit.example",
	                                             .auth_method = "password",
	                                             .auth_time = NOON - 7200,
	                                             .auth_mfa = 1},
	    .action = "job.show",
	    .resource = {.kind = "job", .site = "lab", .node = "n1"}};
	const struct xos_decision_record r = {.id = "0011",
	    .now = NOON,
	    .outcome = XOS_DECISION_PERMIT,
	    .by = "vo demo:1, site lab:1",
	    .bundle_serial = UINT64_MAX,
	    .asked = &asked,
	    .identity = id,
	    .request = xos_bytes_str(REQUEST)};

	err = (struct xos_err)XOS_ERR_INIT;
	xos_buf_init(&line, XOS_DECISION_RECORD_MAX);
	MUST(xos_decision_record_encode(&r, 10, &line, &err), &err);
}

static struct xos_policy *policy(const char *vo, const char *site)
{
	struct xos_policy_part part[2] = {{.set = NULL}, {.set = NULL}};
	struct xos_policy *p = NULL;

	MUST(xos_policy_set_load(vo, strlen(vo), "vo", &part[0].set, &err), &err);
	MUST(xos_policy_set_load(site, strlen(site), "site", &part[1].set, &err), &err);
	MUST(xos_policy_new(part, 2, NULL, &p, &err), &err);
	xos_policy_set_unref(part[0].set);
	xos_policy_set_unref(part[1].set);
	return p;
}

/* The status of the engine on the line, asked years later. */
static enum xos_status replayed(struct xos_policy *p, struct xos_policytool_recorded *was)
{
	FILE *in = fmemopen(line.p, line.n, "r");
	struct xos_policytool_lines *l = xos_policytool_lines_new(in, "log");
	struct xos_policy_request req;
	struct xos_policy_answer a;
	enum xos_status st = XOS_OK;

	err = (struct xos_err)XOS_ERR_INIT;
	xos_policy_answer_init(&a);
	ck_assert(xos_policytool_lines_next(l, &st, &err));
	st = xos_policytool_lines_request(l, p, NOON + 100000000, &req, &err);
	if (st == XOS_OK) {
		ck_assert_ptr_nonnull(xos_policytool_lines_recorded(l));
		*was = *xos_policytool_lines_recorded(l);
		was->nchain = 0; /* they are the line's */
		st = xos_policy_decide(p, &req, &a);
	}
	xos_policy_answer_free(&a);
	xos_policytool_lines_free(l);
	fclose(in);
	return st;
}

#define VO(condition)                                                                              \
	"vo \"demo\" serial 1 { permit group /demo/physics action job.show on any when " condition \
	"; }"
#define SITE                                                                                       \
	"site \"lab\" serial 1 { node n1 { class compute; } permit vo demo action job.show on "    \
	"class:compute; }"

START_TEST(the_same_question)
{
	static const struct {
		const char *vo;
		enum xos_status status;
	} list[] = {
	    {VO("home \"kit.example\""), XOS_OK},
	    {VO("home \"other.example\""), XOS_DENIED},
	    {VO("auth.mfa"), XOS_OK},
	    {VO("auth.age == 2h"), XOS_OK},
	    {VO("auth.age < 2h"), XOS_DENIED},
	    {VO("auth.method == krb5"), XOS_DENIED},
	    {VO("date in 2026-11-22 UTC"), XOS_OK},
	    {VO("ip(ctx.src) in 192.0.2.0/24"), XOS_OK},
	    {VO("on node:lab/n1"), XOS_OK},
	    {VO("on node:lab/n2"), XOS_DENIED},
	};
	struct xos_policytool_recorded was;

	record(NULL);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct xos_policy *p = policy(list[i].vo, SITE);

		ck_assert_msg(replayed(p, &was) == list[i].status, "%s: %s", list[i].vo, err.text);
		ck_assert_str_eq(was.decision, "permit");
		ck_assert_uint_eq(was.sample, 10);
		ck_assert(was.engine);
		xos_policy_unref(p);
	}
	xos_buf_free(&line);
}
END_TEST

START_TEST(restrictions_narrow_then_as_now)
{
	static const char *const texts[] = {
	    "delegation by user \"alice\" { check action in {job.show}; }",
	    "delegation by user \"alice\" { check ip(ctx.src) in 10.0.0.0/8; }"};
	struct xos_policy *p = policy(VO("on any"), SITE);
	struct xos_delegation step = {.actor = "job 42"};
	struct xos_delegation *steps[] = {&step};
	struct xos_identity id = {.serial = "00ff", .steps = steps, .nsteps = 1};
	struct xos_policytool_recorded was;

	for (size_t i = 0; i < 2; i++) {
		struct xos_buf bytes;

		xos_buf_init(&bytes, XOS_RESTRICTION_MAX);
		xos_test_restriction(texts[i], &bytes);
		step.restriction = bytes.p;
		step.restriction_len = bytes.n;
		record(&id);
		ck_assert_msg(
		    replayed(p, &was) == (i == 0 ? XOS_OK : XOS_DENIED), "%zu: %s", i, err.text);
		xos_buf_free(&line);
		/* A restriction that does not decode is never left out. */
		step.restriction_len = bytes.n - 1;
		record(&id);
		ck_assert_int_eq(replayed(p, &was), XOS_MALFORMED);
		xos_buf_free(&line);
		xos_buf_free(&bytes);
	}
	/* A step that restricts nothing takes nothing away. */
	step.restriction_len = 0;
	record(&id);
	MUST(replayed(p, &was), &err);
	xos_buf_free(&line);
	xos_policy_unref(p);
}
END_TEST

START_TEST(damaged_lines_are_no_requests)
{
	struct xos_policy *p = policy(VO("on any"), SITE);
	struct xos_policytool_recorded was;

	record(NULL);
	size_t whole = line.n;
	for (size_t n = 1; n < whole - 1; n += 7) {
		line.n = n;
		ck_assert_int_ne(replayed(p, &was), XOS_OK);
	}
	xos_buf_free(&line);
	xos_policy_unref(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("recorded");
	TCase *tc = tcase_create("all");
	SRunner *r = srunner_create(s);

	tcase_add_test(tc, the_same_question);
	tcase_add_test(tc, restrictions_narrow_then_as_now);
	tcase_add_test(tc, damaged_lines_are_no_requests);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
