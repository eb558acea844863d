/* AuthZEN requests: defaults, semantics, what is ignored and what is refused, pages. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/evaluations.h"

#define SUBJECT "\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\"}"
#define ACTION "\"action\":{\"name\":\"job.submit\"}"
#define NODE(id) "{\"resource\":{\"type\":\"node\",\"id\":\"" id "\"}}"
#define ONE "{" SUBJECT "," ACTION ",\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\"}"

static struct xos_err err;

static enum xos_status many(const char *text, struct xos_evaluations **out)
{
	err = (struct xos_err)XOS_ERR_INIT;
	return xos_evaluations_decode(xos_bytes_str(text), out, &err);
}

static enum xos_status one(const char *text, enum xos_search search, struct xos_evaluations **out)
{
	err = (struct xos_err)XOS_ERR_INIT;
	return xos_evaluation_decode(xos_bytes_str(text), search, out, &err);
}

/* The first item of what must decode as a document. */
static enum xos_status first(const char *text)
{
	struct xos_evaluations *e = NULL;
	struct xos_decision_request *r = NULL;
	enum xos_status st = one(text, XOS_SEARCH_NOTHING, &e);

	if (st == XOS_OK)
		st = xos_evaluations_item(e, 0, &r, &err);
	xos_decision_request_free(r);
	xos_evaluations_free(e);
	return st;
}

START_TEST(defaults_are_inherited_and_overridden)
{
	struct xos_evaluations *e = NULL;
	struct xos_decision_request *r[2] = {NULL, NULL};

	ck_assert_int_eq(
	    many("{" SUBJECT "," ACTION ",\"context\":{\"job.wall\":60},\"evaluations\":[" NODE(
	             "lab/n1") ",{\"action\":{\"name\":\"job.show\"},\"context\":{},"
	                       "\"resource\":{\"type\":\"site\",\"id\":\"lab\"}}]}",
	        &e),
	    XOS_OK);
	ck_assert(xos_evaluations_many(e));
	ck_assert_uint_eq(xos_evaluations_count(e), 2);
	for (size_t i = 0; i < 2; i++)
		ck_assert_msg(xos_evaluations_item(e, i, &r[i], &err) == XOS_OK, "%s", err.text);
	const struct xos_policy_request *a = xos_decision_request_get(r[0]);
	const struct xos_policy_request *b = xos_decision_request_get(r[1]);
	ck_assert_str_eq(a->subject.member, "alice");
	ck_assert_str_eq(a->action, "job.submit");
	ck_assert_str_eq(a->resource.node, "n1");
	ck_assert_uint_eq(a->nvalues, 1);
	ck_assert_str_eq(b->action, "job.show");
	ck_assert_uint_eq(b->nvalues, 0); /* as a whole, not member by member */
	ck_assert_ptr_eq(xos_evaluations_subject(r[0]), xos_evaluations_subject(r[1]));
	xos_decision_request_free(r[0]);
	xos_decision_request_free(r[1]);
	xos_evaluations_free(e);
}
END_TEST

START_TEST(an_item_without_a_part_is_refused)
{
	struct xos_evaluations *e = NULL;
	struct xos_decision_request *r = NULL;

	ck_assert_int_eq(many("{" SUBJECT ",\"evaluations\":[" NODE("lab/n1") "]}", &e), XOS_OK);
	ck_assert_int_eq(xos_evaluations_item(e, 0, &r, &err), XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(err.text, "action"));
	xos_evaluations_free(e);
}
END_TEST

START_TEST(an_empty_batch_is_one_evaluation)
{
	struct xos_evaluations *e = NULL;

	ck_assert_int_eq(many(ONE ",\"evaluations\":[]}", &e), XOS_OK);
	ck_assert(!xos_evaluations_many(e));
	ck_assert_uint_eq(xos_evaluations_count(e), 1);
	xos_evaluations_free(e);
}
END_TEST

static const struct {
	const char *text;
	enum xos_evaluations_semantic want;
} semantics[] = {
    {ONE "}", XOS_EVALUATIONS_ALL},
    {ONE ",\"options\":{}}", XOS_EVALUATIONS_ALL},
    {ONE ",\"options\":{\"evaluations_semantic\":\"execute_all\"}}", XOS_EVALUATIONS_ALL},
    {ONE ",\"options\":{\"evaluations_semantic\":\"deny_on_first_deny\"}}",
        XOS_EVALUATIONS_FIRST_DENY},
    {ONE ",\"options\":{\"evaluations_semantic\":\"permit_on_first_permit\",\"x\":1}}",
        XOS_EVALUATIONS_FIRST_PERMIT},
};

START_TEST(semantics_have_three_names)
{
	struct xos_evaluations *e = NULL;

	ck_assert_msg(many(semantics[_i].text, &e) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(xos_evaluations_semantic(e), semantics[_i].want);
	xos_evaluations_free(e);
}
END_TEST

/* Each would mean something else to somebody else. */
static const char *const bad_batches[] = {
    ONE ",\"options\":{\"evaluations_semantic\":\"deny_on_first\"}}",
    ONE ",\"options\":{\"evaluations_semantic\":1}}",
    ONE ",\"options\":{\"evaluations_semantic\":null}}",
    ONE ",\"options\":{\"evaluation_semantics\":\"deny_on_first_deny\"}}",
    ONE ",\"options\":{\"detail\":\"none\"}}",
    ONE ",\"options\":[]}",
    ONE ",\"evaluations\":{}}",
    ONE ",\"evaluations\":null}",
    ONE ",\"evaluations\":[],\"evaluations\":[]}",
    "[]",
    "",
    "{\"evaluations\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
    "]]]]}",
};

START_TEST(bad_batches_are_refused)
{
	struct xos_evaluations *e = NULL;

	ck_assert_int_eq(many(bad_batches[_i], &e), XOS_MALFORMED);
	ck_assert_ptr_null(e);
}
END_TEST

START_TEST(more_items_than_may_be_are_refused)
{
	struct xos_evaluations *e = NULL;
	char *text = malloc(XOS_EVALUATIONS_MAX * 3 + 100);
	size_t n = (size_t)sprintf(text, "{\"evaluations\":[{}");

	for (unsigned i = 0; i < XOS_EVALUATIONS_MAX; i++)
		n += (size_t)sprintf(text + n, ",{}");
	sprintf(text + n, "]}");
	ck_assert_int_eq(many(text, &e), XOS_MALFORMED);
	free(text);
	text = calloc(1, XOS_EVALUATIONS_BODY_MAX + 2);
	memset(text, ' ', XOS_EVALUATIONS_BODY_MAX + 1);
	ck_assert_int_eq(many(text, &e), XOS_LIMIT);
	free(text);
}
END_TEST

START_TEST(unknown_members_are_told)
{
	struct xos_evaluations *e = NULL;
	struct xos_decision_request *r = NULL;
	const char *ignored[16];

	ck_assert_int_eq(
	    one("{\"x1\":1,\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\",\"x2\":{}},"
	        "\"action\":{\"name\":\"job.submit\",\"x3\":[]},\"resource\":{\"type\":\"node\","
	        "\"id\":\"lab/n1\",\"x4\":true},\"context\":{\"time\":\"now\"}}",
	        XOS_SEARCH_NOTHING, &e),
	    XOS_OK);
	ck_assert_msg(xos_evaluations_item(e, 0, &r, &err) == XOS_OK, "%s", err.text);
	ck_assert_uint_eq(xos_evaluations_ignored(e, r, ignored, 16), 5);
	ck_assert_str_eq(ignored[0], "x1");
	ck_assert_str_eq(ignored[1], "x2");
	ck_assert_str_eq(ignored[4], "time");
	xos_decision_request_free(r);
	xos_evaluations_free(e);
}
END_TEST

/* What a policy could ask for is never passed over, and groups come from nowhere but certificates. */
static const char *const bad_requests[] = {
    "{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\",\"properties\":{\"groups\":[\"/demo/"
    "a\"]}}," ACTION ",\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\"}}",
    "{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\",\"properties\":{\"chain\":[\"AA==\"],"
    "\"roles\":[]}}," ACTION ",\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\"}}",
    "{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\",\"properties\":[]}," ACTION
    ",\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\"}}",
    "{\"subject\":null," ACTION ",\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\"}}",
    "{\"subject\":{\"type\":\"user\",\"id\":7}," ACTION
    ",\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\"}}",
    "{" SUBJECT ",\"action\":{\"name\":\"job.submit\",\"properties\":{\"cpu\":1}},"
    "\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\"}}",
    "{" SUBJECT
    ",\"action\":{\"name\":\"job.sumbit\"},\"resource\":{\"type\":\"node\",\"id\":\"lab/"
    "n1\"}}",
    ONE ",\"context\":{\"job.wal\":1}}",
    ONE ",\"context\":{\"job.wall\":\"1\"}}",
    ONE ",\"context\":{\"job.wall\":null}}",
    ONE ",\"context\":7}",
    ONE "," SUBJECT "}",
    ONE "} ",
};

START_TEST(bad_requests_are_refused)
{
	bool last = (size_t)_i + 1 == sizeof(bad_requests) / sizeof(bad_requests[0]);

	ck_assert_int_eq(first(bad_requests[_i]), last ? XOS_OK : XOS_MALFORMED);
}
END_TEST

START_TEST(searches_leave_one_thing_open)
{
	struct xos_evaluations *e = NULL;
	struct xos_decision_request *r = NULL;

	ck_assert_int_eq(one("{\"subject\":{\"type\":\"user\",\"id\":\"!\"}," ACTION
	                     ",\"resource\":{\"type\":\"site\",\"id\":\"lab\"},"
	                     "\"page\":{\"limit\":5}}",
	                     XOS_SEARCH_SUBJECT, &e),
	    XOS_OK);
	ck_assert_msg(xos_evaluations_item(e, 0, &r, &err) == XOS_OK, "%s", err.text);
	ck_assert_uint_eq(xos_evaluations_limit(e), 5);
	ck_assert_ptr_null(xos_decision_request_get(r)->subject.member);
	xos_decision_request_free(r);
	xos_evaluations_free(e);
	e = NULL;
	ck_assert_int_eq(one("{" SUBJECT ",\"resource\":{\"type\":\"site\",\"id\":\"lab\"}}",
	                     XOS_SEARCH_ACTION, &e),
	    XOS_OK);
	ck_assert_int_eq(xos_evaluations_item(e, 0, &r, &err), XOS_OK);
	ck_assert_ptr_null(xos_decision_request_get(r)->action);
	xos_decision_request_free(r);
	xos_evaluations_free(e);
}
END_TEST

static const char *const bad_searches[] = {
    "{\"subject\":{\"type\":\"node\"}," ACTION ",\"resource\":{\"type\":\"site\",\"id\":\"lab\"}}",
    "{\"subject\":{\"type\":\"user\"}," ACTION "}",
    "{\"subject\":{\"type\":\"user\"}," ACTION
    ",\"resource\":{\"type\":\"site\",\"id\":\"lab\"},\"page\":{\"limit\":-1}}",
    "{\"subject\":{\"type\":\"user\"}," ACTION
    ",\"resource\":{\"type\":\"site\",\"id\":\"lab\"},\"page\":{\"token\":7}}",
    "{\"subject\":{\"type\":\"user\"}," ACTION
    ",\"resource\":{\"type\":\"site\",\"id\":\"lab\"},\"page\":{\"properties\":{\"sort\":1}}}",
};

START_TEST(bad_searches_are_refused)
{
	struct xos_evaluations *e = NULL;
	struct xos_decision_request *r = NULL;
	enum xos_status st = one(bad_searches[_i], XOS_SEARCH_SUBJECT, &e);

	if (st == XOS_OK)
		st = xos_evaluations_item(e, 0, &r, &err);
	ck_assert_int_eq(st, XOS_MALFORMED);
	xos_evaluations_free(e);
}
END_TEST

#define COUNT(list) ((int)(sizeof(list) / sizeof((list)[0])))

int main(void)
{
	Suite *suite = suite_create("api-evaluations");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, defaults_are_inherited_and_overridden);
	tcase_add_test(tc, an_item_without_a_part_is_refused);
	tcase_add_test(tc, an_empty_batch_is_one_evaluation);
	tcase_add_loop_test(tc, semantics_have_three_names, 0, COUNT(semantics));
	tcase_add_loop_test(tc, bad_batches_are_refused, 0, COUNT(bad_batches));
	tcase_add_test(tc, more_items_than_may_be_are_refused);
	tcase_add_test(tc, unknown_members_are_told);
	tcase_add_loop_test(tc, bad_requests_are_refused, 0, COUNT(bad_requests));
	tcase_add_test(tc, searches_leave_one_thing_open);
	tcase_add_loop_test(tc, bad_searches_are_refused, 0, COUNT(bad_searches));
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
