#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/decision.h"
#include "base/name.h"
#include "json/json.h"

static struct xos_decision_request *decode(const char *text)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_decision_request *r = NULL;
	ck_assert_msg(xos_decision_request_decode(xos_bytes_str(text), &r, &err) == XOS_OK,
	    "%s: %s", text, err.text);
	return r;
}

static void refuse(const char *text)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_decision_request *r = NULL;
	ck_assert_msg(xos_decision_request_decode(xos_bytes_str(text), &r, &err) == XOS_MALFORMED,
	    "accepted: %s", text);
	ck_assert_ptr_null(r);
	ck_assert(err.text[0] != '\0');
}

#define S "\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\"}"
#define A "\"action\":{\"name\":\"job.submit\"}"
#define R "\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\"}"

START_TEST(reads_a_request)
{
	struct xos_decision_request *r =
	    decode("{" S "," A "," R ",\"context\":{\"job.wall\":3600,\"ctx.src\":\"192.0."
	           "2.7\",\"job.cpu\":2}}");
	const struct xos_policy_request *q = xos_decision_request_get(r);
	ck_assert_int_eq(q->subject.kind, XOS_SUBJECT_MEMBER);
	ck_assert_str_eq(q->subject.vo, "demo");
	ck_assert_str_eq(q->subject.member, "alice");
	ck_assert_uint_eq(q->subject.ngroups, 0);
	ck_assert_str_eq(q->action, "job.submit");
	ck_assert_str_eq(q->resource.kind, "node");
	ck_assert_str_eq(q->resource.site, "lab");
	ck_assert_str_eq(q->resource.node, "n1");
	ck_assert_ptr_null(q->resource.id);
	ck_assert_uint_eq(q->nvalues, 3);
	for (size_t i = 0; i < q->nvalues; i++) {
		if (strcmp(q->values[i].name, "job.wall") == 0) {
			ck_assert_int_eq(q->values[i].type, XOS_POLICY_DURATION);
			ck_assert_int_eq(q->values[i].number, 3600);
		} else if (strcmp(q->values[i].name, "ctx.src") == 0) {
			ck_assert_int_eq(q->values[i].type, XOS_POLICY_IP);
			ck_assert_str_eq(q->values[i].string, "192.0.2.7");
		}
	}
	xos_decision_request_free(r);
	r = decode("{\"subject\":{\"type\":\"local\",\"id\":\"bob\"}," A
	           ",\"resource\":{\"type\":\"job\",\"id\":\"j1\",\"properties\":{\"site\":\"lab\","
	           "\"node\":\"n1\",\"vo\":\"demo\",\"owner\":\"alice\"}}}");
	q = xos_decision_request_get(r);
	ck_assert_ptr_null(q->subject.vo);
	ck_assert_int_eq(q->subject.kind, XOS_SUBJECT_LOCAL);
	ck_assert_str_eq(q->subject.member, "bob");
	ck_assert_str_eq(q->resource.id, "j1");
	ck_assert_str_eq(q->resource.owner, "alice");
	xos_decision_request_free(r);
	xos_decision_request_free(NULL);
}
END_TEST

/* As long as the names in certificates may be. */
START_TEST(reads_machines)
{
	static const struct {
		const char *type;
		enum xos_policy_subject_kind kind;
		const char *kind_of;
	} cases[] = {{"node", XOS_SUBJECT_NODE, ""},
	    {"service", XOS_SUBJECT_SERVICE, "a234567890123456789012345678901/"}};
	char host[XOS_NODE_MAX + 1], text[1024], name[512];
	memset(host, 'n', XOS_NODE_MAX);
	for (size_t i = 60; i < XOS_NODE_MAX; i += 60)
		host[i] = '.';
	host[XOS_NODE_MAX] = 0;
	for (size_t i = 0; i < 2; i++) {
		struct xos_buf b;
		snprintf(name, sizeof(name), "%s%s", cases[i].kind_of, host);
		snprintf(text, sizeof(text),
		    "{\"subject\":{\"type\":\"%s\",\"id\":\"demo23456789012:%s\"}," A "," R "}",
		    cases[i].type, name);
		struct xos_decision_request *r = decode(text);
		const struct xos_policy_request *q = xos_decision_request_get(r);
		ck_assert_int_eq(q->subject.kind, cases[i].kind);
		ck_assert_str_eq(q->subject.vo, "demo23456789012");
		ck_assert_str_eq(q->subject.member, name);
		xos_buf_init(&b, XOS_DECISION_REQUEST_MAX);
		ck_assert_int_eq(xos_decision_request_encode(q, &b, NULL), XOS_OK);
		struct xos_decision_request *again = decode(xos_buf_str(&b));
		q = xos_decision_request_get(again);
		ck_assert_int_eq(q->subject.kind, cases[i].kind);
		ck_assert_str_eq(q->subject.member, name);
		xos_buf_free(&b);
		xos_decision_request_free(again);
		xos_decision_request_free(r);
	}
}
END_TEST

START_TEST(refuses_what_it_does_not_understand)
{
	static const char *const bad[] = {"", "[]", "{}", "{" S "," A "}", "{" S "," R "}",
	    "{" A "," R "}", "{" S "," A "," R "}x", "{" S "," A "," R ",\"options\":{}}",
	    "{" S "," S "," A "," R "}", "{" S "," A "," R ",\"context\":[]}",
	    "{" S "," A "," R ",\"context\":{\"colour\":1}}",
	    "{" S "," A "," R ",\"context\":{\"auth.age\":1}}", /* not the context's to say */
	    "{" S "," A "," R ",\"context\":{\"job.wall\":\"1h\"}}",
	    "{" S "," A "," R ",\"context\":{\"job.wall\":-1}}",
	    "{" S "," A "," R ",\"context\":{\"job.wall\":1.5}}",
	    "{" S "," A "," R ",\"context\":{\"ctx.src\":7}}",
	    "{" S "," A ",\"resource\":{\"type\":\"node\",\"id\":\"n1\"}}",
	    "{" S "," A ",\"resource\":{\"type\":\"node\",\"id\":\"lab/\"}}",
	    "{" S "," A ",\"resource\":{\"type\":\"node\",\"id\":\"/n1\"}}",
	    "{" S "," A
	    ",\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\",\"properties\":{\"site\":"
	    "\"x\"}}}",
	    "{" S "," A ",\"resource\":{\"type\":\"planet\",\"id\":\"x\"}}",
	    "{" S "," A ",\"resource\":{\"type\":\"job\",\"id\":\"\"}}",
	    "{" S "," A ",\"resource\":{\"type\":\"job\",\"id\":\"j\",\"properties\":{\"owner\":"
	    "\"alice\"}}}",
	    "{" S "," A ",\"resource\":{\"type\":\"site\",\"id\":\"Lab!\"}}",
	    "{" S "," A ",\"resource\":{\"type\":\"vo\",\"id\":\"a.b\"}}",
	    "{" S ",\"action\":{\"name\":\"job.sumbit\"}," R "}",
	    "{" S ",\"action\":{\"name\":\"job.submit\",\"properties\":{\"x\":1}}," R "}",
	    "{\"subject\":{\"type\":\"user\",\"id\":\"alice\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"user\",\"id\":\"demo:\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"user\",\"id\":\":alice\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice:x\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"node\",\"id\":\"n1\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"node\",\"id\":\"demo:\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"node\",\"id\":\":n1\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"node\",\"id\":\"Demo:n1\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"node\",\"id\":\"demo:N1\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"node\",\"id\":\"demo:*\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"node\",\"id\":\"demo:data/n1\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"service\",\"id\":\"data/n1\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"service\",\"id\":\"demo:data\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"service\",\"id\":\"demo:data/\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"service\",\"id\":\"demo:data/*\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"service\",\"id\":\"demo2345678901234:d/n1\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"service\",\"id\":\"demo:d/n1\",\"properties\":{\"groups\":"
	    "[]}}," A "," R "}",
	    "{\"subject\":{\"type\":\"local\",\"id\":"
	    "\"a2345678901234567890123456789012345678901234567\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"robot\",\"id\":\"demo:alice\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"local\",\"id\":\"\"}," A "," R "}",
	    "{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\",\"properties\":{\"groups\":[\"/"
	    "demo\"]}}," A "," R "}",
	    "{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\",\"groups\":[\"/demo\"]}," A "," R
	    "}"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuse(bad[i]);
}
END_TEST

START_TEST(empty_properties_are_harmless)
{
	xos_decision_request_free(
	    decode("{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\",\"properties\":{}},"
	           "\"action\":{\"name\":\"job.submit\",\"properties\":{}}," R ",\"context\":{}}"));
}
END_TEST

START_TEST(requests_come_back_as_they_went)
{
	static const struct xos_policy_value values[] = {
	    {.name = "job.wall", .type = XOS_POLICY_DURATION, .number = 60},
	    {.name = "job.memory", .type = XOS_POLICY_SIZE, .number = 1 << 30},
	    {.name = "ctx.src", .type = XOS_POLICY_IP, .string = "2001:db8::1"},
	    {.name = "ctx.service", .type = XOS_POLICY_STRING, .string = "jobd \"x\"\n"}};
	static const struct xos_policy_resource resources[] = {
	    {.kind = "node", .site = "lab", .node = "n1.lab.example"},
	    {.kind = "site", .site = "lab"}, {.kind = "vo", .vo = "demo"},
	    {.kind = "job", .id = "j1", .vo = "demo", .owner = "alice"},
	    {.kind = "file", .id = "/a b/\xc3\xa4", .site = "lab", .node = "n1"}};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_decision_request *back = NULL;
	struct xos_buf b;
	struct xos_policy_request req = {
	    .subject = {.kind = XOS_SUBJECT_MEMBER, .vo = "demo", .member = "alice"},
	    .action = "job.submit",
	    .resource = resources[_i],
	    .values = values,
	    .nvalues = 4};
	xos_buf_init(&b, XOS_DECISION_REQUEST_MAX);
	ck_assert_int_eq(xos_decision_request_encode(&req, &b, &err), XOS_OK);
	ck_assert_msg(
	    xos_decision_request_decode(xos_buf_bytes(&b), &back, &err) == XOS_OK, "%s", err.text);
	const struct xos_policy_request *q = xos_decision_request_get(back);
	const struct xos_policy_resource *in = &resources[_i], *got = &q->resource;
	ck_assert_str_eq(got->kind, in->kind);
	ck_assert_pstr_eq(got->id, in->id);
	ck_assert_pstr_eq(got->site, in->site);
	ck_assert_pstr_eq(got->node, in->node);
	ck_assert_pstr_eq(got->vo, in->vo);
	ck_assert_pstr_eq(got->owner, in->owner);
	ck_assert_uint_eq(q->nvalues, 4);
	struct xos_buf again;
	xos_buf_init(&again, XOS_DECISION_REQUEST_MAX);
	ck_assert_int_eq(xos_decision_request_encode(q, &again, &err), XOS_OK);
	ck_assert(xos_bytes_eq(xos_buf_bytes(&b), xos_buf_bytes(&again)));
	xos_buf_free(&again);
	xos_buf_free(&b);
	xos_decision_request_free(back);
}
END_TEST

START_TEST(requests_that_cannot_be_said_are_not)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	struct xos_policy_value twice[] = {
	    {.name = "job.wall", .type = XOS_POLICY_DURATION, .number = 60},
	    {.name = "job.wall", .type = XOS_POLICY_DURATION, .number = 70}};
	struct xos_policy_value wrong[] = {
	    {.name = "job.wall", .type = XOS_POLICY_STRING, .string = "60"}};
	struct xos_policy_request req = {
	    .subject = {.kind = XOS_SUBJECT_MEMBER, .vo = "demo", .member = "alice"},
	    .action = "job.submit",
	    .resource = {.kind = "node", .site = "lab", .node = "n1"},
	    .values = twice,
	    .nvalues = 2};
	xos_buf_init(&b, 4096);
	ck_assert_int_eq(xos_decision_request_encode(&req, &b, &err), XOS_MALFORMED);
	req.values = wrong;
	req.nvalues = 1;
	ck_assert_int_eq(xos_decision_request_encode(&req, &b, &err), XOS_MALFORMED);
	req.nvalues = 0;
	req.resource.node = NULL;
	ck_assert_int_eq(xos_decision_request_encode(&req, &b, &err), XOS_MALFORMED);
	req.resource = (struct xos_policy_resource){.kind = "job"};
	ck_assert_int_eq(xos_decision_request_encode(&req, &b, &err), XOS_MALFORMED);
	req.resource = (struct xos_policy_resource){.kind = "site", .site = "lab"};
	req.action = NULL;
	ck_assert_int_eq(xos_decision_request_encode(&req, &b, &err), XOS_MALFORMED);
	req.action = "job.submit";
	req.subject.kind = 0;
	ck_assert_int_eq(xos_decision_request_encode(&req, &b, &err), XOS_MALFORMED);
	req.subject = (struct xos_policy_subject){.kind = XOS_SUBJECT_NODE, .member = "n1"};
	ck_assert_int_eq(xos_decision_request_encode(&req, &b, &err), XOS_MALFORMED);
	ck_assert_uint_eq(b.n, 0);
	xos_buf_free(&b);
}
END_TEST

/* The real engine's answers through the codec. */
static void engine(const char *member, const char *group, struct xos_decision_extra *extra,
    bool ask_engine, struct xos_decision_answer **out)
{
	static const char vo_text[] =
	    "vo \"demo\" serial 4 { permit group /demo/physics action job.submit on any; limit "
	    "group "
	    "/demo action job.submit on any { wall <= 24h; memory <= 2GiB; account_class in "
	    "{pool,static}; } duty group /demo action job.submit on any { record \"full\"; } "
	    "forbid "
	    "@gpu group /demo/students action job.submit on any unless group /demo/Role=gpu "
	    "because "
	    "\"no students\" contact \"ops@demo\"; }";
	static const char site_text[] =
	    "site \"lab\" serial 2 { permit vo demo action job.submit on site:lab; }";
	struct xos_err err = XOS_ERR_INIT;
	struct xos_policy_part parts[2] = {{.set = NULL}};
	struct xos_policy *policy = NULL;
	struct xos_policy_answer a;
	struct xos_buf b;
	ck_assert_msg(
	    xos_policy_set_load(vo_text, strlen(vo_text), "vo", &parts[0].set, &err) == XOS_OK,
	    "%s", err.text);
	ck_assert_msg(xos_policy_set_load(
	                  site_text, strlen(site_text), "site", &parts[1].set, &err) == XOS_OK,
	    "%s", err.text);
	ck_assert_int_eq(xos_policy_new(parts, 2, NULL, &policy, &err), XOS_OK);
	const char *groups[] = {group};
	struct xos_policy_request req = {.subject = {.kind = XOS_SUBJECT_MEMBER,
	                                     .vo = "demo",
	                                     .member = member,
	                                     .groups = groups,
	                                     .ngroups = 1,
	                                     .auth_mfa = -1},
	    .action = "job.submit",
	    .resource = {.kind = "node", .site = "lab", .node = "n1"},
	    .now = 1800000000};
	xos_policy_answer_init(&a);
	enum xos_status st = xos_policy_decide(policy, &req, &a);
	ck_assert_int_ne(st, XOS_INTERNAL);
	xos_buf_init(&b, XOS_DECISION_ANSWER_MAX);
	ck_assert_int_eq(
	    xos_decision_answer_encode(ask_engine ? &a : NULL, extra, &b, &err), XOS_OK);
	ck_assert_msg(xos_decision_answer_decode(xos_buf_bytes(&b), out, &err) == XOS_OK,
	    "%s: %.*s", err.text, (int)b.n, b.p);
	xos_policy_answer_free(&a);
	xos_policy_unref(policy);
	xos_policy_set_unref(parts[0].set);
	xos_policy_set_unref(parts[1].set);
	xos_buf_free(&b);
}

START_TEST(permits_with_typed_limits_and_duties)
{
	struct xos_decision_answer *a = NULL;
	struct xos_decision_extra extra = {
	    .id = "0123456789abcdef", .bundle_serial = 12, .valid_until = 1800001000};
	engine("alice", "/demo/physics", &extra, true, &a);
	ck_assert_int_eq(a->decision, XOS_POLICY_PERMITTED);
	ck_assert_str_eq(a->id, "0123456789abcdef");
	ck_assert_uint_eq(a->bundle_serial, 12);
	ck_assert_int_eq(a->valid_until, 1800001000);
	ck_assert(a->limits[XOS_CAP_WALL].set);
	ck_assert_int_eq(a->limits[XOS_CAP_WALL].number, 86400);
	ck_assert_int_eq(a->limits[XOS_CAP_MEMORY].number, INT64_C(2) << 30);
	ck_assert_uint_eq(a->limits[XOS_CAP_ACCOUNT_CLASS].nnames, 2);
	ck_assert_str_eq(a->limits[XOS_CAP_ACCOUNT_CLASS].names[0], "pool");
	ck_assert(!a->limits[XOS_CAP_CPU].set);
	ck_assert_ptr_nonnull(a->limits[XOS_CAP_WALL].statement);
	ck_assert_uint_eq(a->nduties, 1);
	ck_assert_str_eq(a->duties[0].name, "record");
	ck_assert_uint_ge(a->nlevels, 2);
	ck_assert_str_eq(a->levels[0].level, "vo");
	ck_assert_str_eq(a->levels[0].stand, "grants");
	ck_assert_uint_eq(a->levels[0].serial, 4);
	ck_assert_ptr_nonnull(a->levels[0].statement);
	ck_assert(a->deciders[0] != '\0');
	xos_decision_answer_free(a);
}
END_TEST

START_TEST(denials_say_why)
{
	struct xos_decision_answer *a = NULL;
	struct xos_decision_extra extra = {.id = NULL};
	engine("bob", "/demo/students", &extra, true, &a);
	ck_assert_int_eq(a->decision, XOS_POLICY_DENIED);
	ck_assert_ptr_nonnull(strstr(a->reason_user, "no students"));
	ck_assert_ptr_nonnull(strstr(a->reason_user, "demo@gpu"));
	ck_assert_str_eq(a->id, "");
	xos_decision_answer_free(a);
}
END_TEST

START_TEST(a_lock_denies_what_the_engine_permits)
{
	struct xos_decision_answer *a = NULL;
	struct xos_decision_extra extra = {.lock = "The member alice is locked."};
	engine("alice", "/demo/physics", &extra, true, &a);
	ck_assert_int_eq(a->decision, XOS_POLICY_DENIED);
	ck_assert_str_eq(a->reason_user, "The member alice is locked.");
	xos_decision_answer_free(a);
	engine("alice", "/demo/physics", &extra, false, &a);
	ck_assert_int_eq(a->decision, XOS_POLICY_DENIED);
	xos_decision_answer_free(a);
}
END_TEST

START_TEST(what_failed_is_undecided_and_never_a_permit)
{
	struct xos_decision_answer *a = NULL;
	struct xos_decision_extra extra = {.failed = "no bundle"};
	engine("alice", "/demo/physics", &extra, true, &a);
	ck_assert_int_eq(a->decision, XOS_POLICY_UNDECIDED);
	ck_assert_str_eq(a->reason_user, "no bundle");
	xos_decision_answer_free(a);
	struct xos_decision_extra nothing = {.id = NULL};
	engine("alice", "/demo/physics", &nothing, false, &a);
	ck_assert_int_eq(a->decision, XOS_POLICY_UNDECIDED);
	xos_decision_answer_free(a);
}
END_TEST

static void answer_refused(const char *text, const char *code)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_decision_answer *a = NULL;
	ck_assert_msg(xos_decision_answer_decode(xos_bytes_str(text), &a, &err) == XOS_MALFORMED,
	    "accepted: %s", text);
	ck_assert_ptr_null(a);
	if (code)
		ck_assert_str_eq(err.code, code);
}

START_TEST(answers_that_cannot_be_trusted_are_refused)
{
	answer_refused("{}", NULL);
	answer_refused("{\"decision\":true}", NULL);
	answer_refused("{\"decision\":true,\"context\":{}}", NULL);
	answer_refused("{\"decision\":\"true\",\"context\":{\"undecided\":false}}", NULL);
	answer_refused("{\"decision\":true,\"context\":{\"undecided\":true}}", "decision-answer");
	answer_refused(
	    "{\"decision\":true,\"context\":{\"undecided\":false,\"limits\":{\"colour\":{"
	    "\"value\":1}}}}",
	    "decision-limit");
	answer_refused("{\"decision\":true,\"context\":{\"undecided\":false,\"limits\":{\"wall\":{"
	               "\"value\":\"1h\"}}}}",
	    NULL);
	answer_refused(
	    "{\"decision\":true,\"context\":{\"undecided\":false,\"limits\":{\"wall\":{}}}}", NULL);
	answer_refused(
	    "{\"decision\":true,\"context\":{\"undecided\":false,\"duties\":[{}]}}", NULL);
	struct xos_err err = XOS_ERR_INIT;
	struct xos_decision_answer *a = NULL;
	ck_assert_int_eq(
	    xos_decision_answer_decode(xos_bytes_str("{\"decision\":true,\"later\":1,\"context\":{"
	                                             "\"undecided\":false,\"more\":[]}}"),
	        &a, &err),
	    XOS_OK);
	ck_assert_int_eq(a->decision, XOS_POLICY_PERMITTED);
	xos_decision_answer_free(a);
	xos_decision_answer_free(NULL);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("api-decision");
	TCase *t = tcase_create("decision");
	tcase_add_test(t, reads_a_request);
	tcase_add_test(t, reads_machines);
	tcase_add_test(t, refuses_what_it_does_not_understand);
	tcase_add_test(t, empty_properties_are_harmless);
	tcase_add_loop_test(t, requests_come_back_as_they_went, 0, 5);
	tcase_add_test(t, requests_that_cannot_be_said_are_not);
	tcase_add_test(t, permits_with_typed_limits_and_duties);
	tcase_add_test(t, denials_say_why);
	tcase_add_test(t, a_lock_denies_what_the_engine_permits);
	tcase_add_test(t, what_failed_is_undecided_and_never_a_permit);
	tcase_add_test(t, answers_that_cannot_be_trusted_are_refused);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
