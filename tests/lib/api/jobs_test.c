#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/jobs.h"

static struct xos_job_spec *sample(void)
{
	struct xos_job_spec *s = NULL;

	ck_assert_int_eq(xos_job_spec_new("demo", "n1", &s, NULL), XOS_OK);
	memset(s->nonce, 7, sizeof(s->nonce));
	strcpy(s->name, "a job");
	ck_assert_int_eq(xos_job_spec_arg(s, "sh", NULL), XOS_OK);
	ck_assert_int_eq(xos_job_spec_arg(s, "", NULL), XOS_OK);
	ck_assert_int_eq(xos_job_spec_env(s, "B=2", NULL), XOS_OK);
	ck_assert_int_eq(xos_job_spec_env(s, "A=1=x", NULL), XOS_OK);
	ck_assert_int_eq(xos_job_spec_env(s, "AB=", NULL), XOS_OK);
	s->wall = 600;
	return s;
}

static void encode(const struct xos_job_spec *s, struct xos_buf *b)
{
	xos_buf_init(b, 2 * XOS_JOB_SPEC_MAX);
	ck_assert_int_eq(xos_job_spec_encode(s, b, NULL), XOS_OK);
}

START_TEST(spec_round_trip)
{
	struct xos_job_spec *s = sample(), *back = NULL;
	struct xos_buf a, b;

	encode(s, &a);
	ck_assert_int_eq(xos_job_spec_decode(xos_buf_bytes(&a), &back, NULL), XOS_OK);
	ck_assert_uint_eq(back->nargs, 2);
	ck_assert_uint_eq(back->nenv, 3);
	ck_assert_str_eq(back->env[0], "A=1=x");
	ck_assert_str_eq(back->env[1], "AB=");
	ck_assert_str_eq(back->env[2], "B=2");
	ck_assert_int_eq(back->wall, 600);
	encode(back, &b);
	ck_assert(xos_bytes_eq(xos_buf_bytes(&a), xos_buf_bytes(&b)));
	xos_job_spec_free(back);
	xos_job_spec_free(s);
	xos_buf_free(&a);
	xos_buf_free(&b);
}
END_TEST

START_TEST(spec_through_json_keeps_the_id)
{
	struct xos_job_spec *s = sample(), *back = NULL;
	char id[XOS_JOB_ID_TEXT], again[XOS_JOB_ID_TEXT];
	struct xos_json *doc = xos_job_spec_to_json(s), *parsed = NULL;
	struct xos_buf a, b, text;

	xos_buf_init(&text, 65536);
	ck_assert_int_eq(xos_json_dump(doc, &text, NULL), XOS_OK);
	ck_assert_int_eq(xos_json_parse(xos_buf_bytes(&text), 65536, &parsed, NULL), XOS_OK);
	ck_assert_int_eq(xos_job_spec_from_json(parsed, "demo", "n1", &back, NULL), XOS_OK);
	encode(s, &a);
	encode(back, &b);
	ck_assert_int_eq(xos_job_id(xos_buf_bytes(&a), id), XOS_OK);
	ck_assert_int_eq(xos_job_id(xos_buf_bytes(&b), again), XOS_OK);
	ck_assert_str_eq(id, again);
	ck_assert(xos_job_id_valid(id));
	/* another node, another job */
	xos_buf_free(&b);
	strcpy(back->node, "n2");
	encode(back, &b);
	ck_assert_int_eq(xos_job_id(xos_buf_bytes(&b), again), XOS_OK);
	ck_assert_str_ne(id, again);
	xos_json_free(doc);
	xos_json_free(parsed);
	xos_job_spec_free(back);
	xos_job_spec_free(s);
	xos_buf_free(&a);
	xos_buf_free(&b);
	xos_buf_free(&text);
}
END_TEST

/* Every byte counts: what decodes after a change of one byte has another id. */
START_TEST(spec_changed_bytes)
{
	struct xos_job_spec *s = sample(), *back;
	char id[XOS_JOB_ID_TEXT], other[XOS_JOB_ID_TEXT];
	struct xos_buf a;
	size_t accepted = 0;

	encode(s, &a);
	ck_assert_int_eq(xos_job_id(xos_buf_bytes(&a), id), XOS_OK);
	for (size_t n = 0; n < a.n; n++) {
		ck_assert_int_eq(
		    xos_job_spec_decode((struct xos_bytes){a.p, n}, &back, NULL), XOS_MALFORMED);
		a.p[n] ^= 1;
		if (xos_job_spec_decode(xos_buf_bytes(&a), &back, NULL) == XOS_OK) {
			accepted++;
			ck_assert_int_eq(xos_job_id(xos_buf_bytes(&a), other), XOS_OK);
			ck_assert_str_ne(id, other);
			xos_job_spec_free(back);
		}
		a.p[n] ^= 1;
	}
	ck_assert_uint_gt(accepted, 16); /* the nonce at least */
	xos_buf_u8(&a, 0);
	ck_assert_int_eq(xos_job_spec_decode(xos_buf_bytes(&a), &back, NULL), XOS_MALFORMED);
	xos_job_spec_free(s);
	xos_buf_free(&a);
}
END_TEST

START_TEST(spec_bad_variables)
{
	static const char *const bad[] = {"", "=x", "A", "1A=x", "A B=x", "a-b=x", "XOS_JOB_ID=1",
	    "X509_USER_PROXY=/x", "HOME=/", "USER=root", "LOGNAME=root", "\xc3\xa4=1"};
	struct xos_job_spec *s = sample();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(xos_job_spec_env(s, bad[i], NULL) == XOS_MALFORMED, "%s", bad[i]);
	ck_assert_int_eq(xos_job_spec_env(s, "A=other", NULL), XOS_CONFLICT);
	ck_assert_int_eq(xos_job_spec_env(s, "HOMER=d'oh", NULL), XOS_OK);
	xos_job_spec_free(s);
}
END_TEST

START_TEST(spec_bounds)
{
	struct xos_job_spec *s = sample();
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	char name[32], *big;
	enum xos_status st = XOS_OK;
	int i;

	for (i = 0; st == XOS_OK && i < 10000; i++) {
		snprintf(name, sizeof(name), "V%d=1", i);
		st = xos_job_spec_env(s, name, &err);
	}
	ck_assert_int_eq(st, XOS_LIMIT);
	ck_assert_int_eq(i - 1, XOS_JOB_ENV_MAX - 3);
	for (i = 0, st = XOS_OK; st == XOS_OK && i < 10000; i++)
		st = xos_job_spec_arg(s, "x", &err);
	ck_assert_int_eq(st, XOS_LIMIT);
	xos_job_spec_free(s);

	s = sample();
	big = calloc(1, XOS_JOB_SPEC_MAX + 1);
	memset(big, 'x', XOS_JOB_SPEC_MAX);
	ck_assert_int_eq(xos_job_spec_arg(s, big, NULL), XOS_OK);
	xos_buf_init(&b, 4 * XOS_JOB_SPEC_MAX);
	ck_assert_int_eq(xos_job_spec_encode(s, &b, &err), XOS_LIMIT);
	xos_buf_free(&b);
	free(big);
	xos_job_spec_free(s);

	ck_assert_int_eq(xos_job_spec_new("demo", "n1", &s, NULL), XOS_OK);
	ck_assert_int_eq(xos_job_spec_check(s, &err), XOS_MALFORMED); /* nothing to run */
	ck_assert_int_eq(xos_job_spec_arg(s, "", NULL), XOS_OK);
	ck_assert_int_eq(xos_job_spec_check(s, &err), XOS_MALFORMED);
	xos_job_spec_free(s);
}
END_TEST

static enum xos_status from_text(const char *text)
{
	struct xos_job_spec *s = NULL;
	struct xos_json *doc = NULL;
	enum xos_status st = xos_json_parse(xos_bytes_str(text), 65536, &doc, NULL);

	ck_assert_int_eq(st, XOS_OK);
	st = xos_job_spec_from_json(doc, "demo", "n1", &s, NULL);
	xos_job_spec_free(s);
	xos_json_free(doc);
	return st;
}

START_TEST(spec_json_refusals)
{
#define NONCE "\"nonce\":\"AAAAAAAAAAAAAAAAAAAAAA==\""
	ck_assert_int_eq(from_text("{" NONCE ",\"argv\":[\"true\"]}"), XOS_OK);
	ck_assert_int_eq(from_text("{" NONCE ",\"argv\":[]}"), XOS_MALFORMED);
	ck_assert_int_eq(from_text("{" NONCE ",\"argv\":[1]}"), XOS_MALFORMED);
	ck_assert_int_eq(from_text("{" NONCE ",\"argv\":\"true\"}"), XOS_MALFORMED);
	ck_assert_int_eq(from_text("{\"argv\":[\"true\"]}"), XOS_MALFORMED);
	ck_assert_int_eq(from_text("{\"nonce\":\"AAAA\",\"argv\":[\"true\"]}"), XOS_MALFORMED);
	ck_assert_int_eq(from_text("{" NONCE ",\"argv\":[\"true\"],\"uid\":0}"), XOS_MALFORMED);
	ck_assert_int_eq(from_text("{" NONCE ",\"argv\":[\"true\"],\"wall\":0}"), XOS_MALFORMED);
	ck_assert_int_eq(from_text("{" NONCE ",\"argv\":[\"true\"],\"wall\":-5}"), XOS_MALFORMED);
	ck_assert_int_eq(
	    from_text("{" NONCE ",\"argv\":[\"true\"],\"env\":{\"A=B\":\"c\"}}"), XOS_MALFORMED);
	ck_assert_int_eq(
	    from_text("{" NONCE ",\"argv\":[\"true\"],\"env\":{\"HOME\":\"/\"}}"), XOS_MALFORMED);
	ck_assert_int_eq(
	    from_text("{" NONCE ",\"argv\":[\"true\"],\"name\":\"a\\nb\"}"), XOS_MALFORMED);
}
END_TEST

START_TEST(info_round_trip)
{
	struct xos_job_info i = {.id = "00112233445566778899aabbccddeeff",
	    .node = "n1",
	    .member = "alice",
	    .name = "x",
	    .command = "sh -c true",
	    .via = "job 00ff",
	    .cause = "self",
	    .state = XOS_JOB_DONE,
	    .ran = true,
	    .code = 3,
	    .signal = -1,
	    .submitted = 1000,
	    .started = 1001,
	    .ended = 1002,
	    .wall = 60,
	    .credential_until = 5000,
	    .dropped_stdout = 12};
	struct xos_job_info back;
	struct xos_json *doc = xos_job_info_to_json(&i);

	ck_assert_int_eq(xos_job_info_from_json(doc, &back, NULL), XOS_OK);
	ck_assert_int_eq(back.state, XOS_JOB_DONE);
	ck_assert_int_eq(back.code, 3);
	ck_assert_int_eq(back.signal, -1);
	ck_assert(back.ran);
	ck_assert_int_eq(back.credential_until, 5000);
	ck_assert_uint_eq(back.dropped_stdout, 12);
	ck_assert_str_eq(back.command, "sh -c true");
	ck_assert_str_eq(back.via, "job 00ff");
	xos_json_set_string(doc, "state", "asleep");
	ck_assert_int_eq(xos_job_info_from_json(doc, &back, NULL), XOS_MALFORMED);
	xos_json_free(doc);
}
END_TEST

START_TEST(what_is_against_it_comes_across)
{
	struct xos_job_info i = {.id = "00112233445566778899aabbccddeeff",
	    .node = "n1",
	    .member = "alice",
	    .state = XOS_JOB_RUNNING,
	    .ran = true,
	    .code = -1,
	    .signal = -1,
	    .frozen_since = 1796000000,
	    .stops_at = 1796000600,
	    .draining = true,
	    .standing_text = "The member alice is locked."};
	struct xos_job_info back;
	struct xos_json *doc = xos_job_info_to_json(&i);

	ck_assert_int_eq(xos_job_info_from_json(doc, &back, NULL), XOS_OK);
	ck_assert_int_eq(back.frozen_since, i.frozen_since);
	ck_assert_int_eq(back.stops_at, i.stops_at);
	ck_assert(back.draining);
	ck_assert_str_eq(back.standing_text, i.standing_text);
	xos_json_set_string(doc, "stops_at", "soon");
	ck_assert_int_eq(xos_job_info_from_json(doc, &back, NULL), XOS_MALFORMED);
	xos_json_free(doc);
	/* Nothing is said where nothing is against it. */
	i.frozen_since = i.stops_at = 0;
	i.draining = false;
	i.standing_text[0] = 0;
	doc = xos_job_info_to_json(&i);
	ck_assert(!xos_json_has(doc, "frozen_since") && !xos_json_has(doc, "draining") &&
	          !xos_json_has(doc, "stops_at") && !xos_json_has(doc, "standing_text"));
	xos_json_free(doc);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("api jobs");
	TCase *t = tcase_create("jobs");
	SRunner *r;
	int failed;

	tcase_add_test(t, spec_round_trip);
	tcase_add_test(t, spec_through_json_keeps_the_id);
	tcase_add_test(t, spec_changed_bytes);
	tcase_add_test(t, spec_bad_variables);
	tcase_add_test(t, spec_bounds);
	tcase_add_test(t, spec_json_refusals);
	tcase_add_test(t, info_round_trip);
	tcase_add_test(t, what_is_against_it_comes_across);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
