/* What follows from words about a job that runs, and from time: no process, no clock. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "jobs/standing.h"
#include "jobs/word.h"

#define T0 INT64_C(1796000000)
#define M0 INT64_C(5000000)

static struct xos_job_standing s;
static struct xos_standing_clock at;
static struct xos_standing_rules rules;

static void setup(void)
{
	memset(&s, 0, sizeof(s));
	at = (struct xos_standing_clock){T0, M0};
	rules = (struct xos_standing_rules){.freeze = true, .freeze_max = 3600};
}

static void pass(int64_t seconds)
{
	at.now += seconds;
	at.mono_ms += seconds * 1000;
}

static enum xos_standing_act hear(
    enum xos_word_kind kind, enum xos_word_change change, int64_t after, const char *text)
{
	struct xos_job_word w = {.kind = kind, .change = change, .after = after};

	ck_assert(xos_str_copy(w.text, sizeof(w.text), text));
	return xos_standing_hear(&s, &w, &rules, &at);
}

static enum xos_standing_act permit(void)
{
	return hear(XOS_WORD_PERMIT, 0, 0, "");
}
static enum xos_standing_act locked(void)
{
	return hear(XOS_WORD_LOCKED, 0, 0, "Locked.");
}
static enum xos_standing_act nothing(void)
{
	return hear(XOS_WORD_NOTHING, 0, 0, "?");
}
static enum xos_standing_act refuse(enum xos_word_change change, int64_t after)
{
	return hear(XOS_WORD_REFUSED, change, after, "Refused.");
}
static enum xos_standing_act due(void)
{
	return xos_standing_due(&s, &rules, &at);
}

START_TEST(what_was_always_permitted_is_never_written)
{
	ck_assert_int_eq(permit(), XOS_STANDING_KEEP);
	ck_assert_int_eq(nothing(), XOS_STANDING_KEEP);
	pass(1000000);
	ck_assert_int_eq(due(), XOS_STANDING_KEEP);
}
END_TEST

START_TEST(continue_and_drain_are_noted_once_and_end_nothing)
{
	ck_assert_int_eq(refuse(XOS_WORD_CONTINUE, 0), XOS_STANDING_NOTE);
	ck_assert(s.refused && !s.draining && !s.stop_mark);
	ck_assert_str_eq(s.text, "Refused.");
	ck_assert_int_eq(refuse(XOS_WORD_CONTINUE, 0), XOS_STANDING_KEEP);
	ck_assert_int_eq(refuse(XOS_WORD_DRAIN, 0), XOS_STANDING_NOTE);
	ck_assert(s.draining);
	pass(1000000);
	ck_assert_int_eq(due(), XOS_STANDING_KEEP);
	ck_assert_int_eq(permit(), XOS_STANDING_NOTE);
	ck_assert(!s.refused && !s.draining && !s.text[0]);
}
END_TEST

START_TEST(a_stop_comes_at_its_time_and_not_before)
{
	ck_assert_int_eq(refuse(XOS_WORD_STOP, 600), XOS_STANDING_NOTE);
	ck_assert_int_eq(s.stops_at, T0 + 600);
	pass(599);
	/* Told again: the time still counts from the first refusal. */
	ck_assert_int_eq(refuse(XOS_WORD_STOP, 600), XOS_STANDING_KEEP);
	ck_assert_int_eq(due(), XOS_STANDING_KEEP);
	pass(1);
	ck_assert_int_eq(due(), XOS_STANDING_END);
	ck_assert_uint_eq(s.ending, XOS_CAUSE_POLICY);
	/* Once told to end, nothing takes it back. */
	ck_assert_int_eq(due(), XOS_STANDING_KEEP);
	ck_assert_int_eq(permit(), XOS_STANDING_KEEP);
	ck_assert_int_eq(locked(), XOS_STANDING_KEEP);
	ck_assert_uint_eq(s.ending, XOS_CAUSE_POLICY);
}
END_TEST

START_TEST(a_stop_is_off_when_permitted_again_or_milder)
{
	refuse(XOS_WORD_STOP, 600);
	pass(300);
	ck_assert_int_eq(permit(), XOS_STANDING_NOTE);
	ck_assert_int_eq(s.stops_at, 0);
	pass(300);
	ck_assert_int_eq(due(), XOS_STANDING_KEEP);
	/* Refused anew: the time begins anew. */
	refuse(XOS_WORD_STOP, 600);
	ck_assert_int_eq(s.stops_at, T0 + 1200);
	ck_assert_int_eq(refuse(XOS_WORD_DRAIN, 0), XOS_STANDING_NOTE);
	ck_assert_int_eq(s.stops_at, 0);
	pass(10000);
	ck_assert_int_eq(due(), XOS_STANDING_KEEP);
}
END_TEST

START_TEST(a_later_set_moves_the_stop_but_not_into_the_past)
{
	refuse(XOS_WORD_STOP, 3600);
	pass(1800);
	refuse(XOS_WORD_STOP, 7200);
	ck_assert_int_eq(s.stops_at, T0 + 7200);
	refuse(XOS_WORD_STOP, 600);
	ck_assert_int_eq(s.stops_at, T0 + 1800 + 600);
	ck_assert_int_eq(refuse(XOS_WORD_STOP, 600), XOS_STANDING_KEEP);
	pass(600);
	ck_assert_int_eq(due(), XOS_STANDING_END);
	setup();
	refuse(XOS_WORD_STOP, 0);
	ck_assert_int_eq(due(), XOS_STANDING_END);
	setup();
	ck_assert_int_eq(refuse(XOS_WORD_STOP, INT64_MAX), XOS_STANDING_NOTE);
	ck_assert_int_gt(s.stops_at, T0);
	ck_assert_int_eq(due(), XOS_STANDING_KEEP);
}
END_TEST

START_TEST(undecided_changes_nothing_and_delays_nothing)
{
	refuse(XOS_WORD_STOP, 600);
	pass(599);
	ck_assert_int_eq(nothing(), XOS_STANDING_KEEP);
	pass(1);
	ck_assert_int_eq(due(), XOS_STANDING_END);
	setup();
	locked();
	ck_assert_int_eq(nothing(), XOS_STANDING_KEEP);
	ck_assert_int_ne(s.frozen_mark, 0);
}
END_TEST

START_TEST(a_lock_freezes_and_its_end_thaws)
{
	ck_assert_int_eq(locked(), XOS_STANDING_FREEZE);
	ck_assert_int_eq(s.frozen_since, T0);
	pass(100);
	ck_assert_int_eq(locked(), XOS_STANDING_KEEP);
	ck_assert_uint_eq(xos_standing_frozen(&s, at.mono_ms), 100000);
	ck_assert_int_eq(permit(), XOS_STANDING_THAW);
	ck_assert_int_eq(s.frozen_since, 0);
	pass(100);
	ck_assert_uint_eq(xos_standing_frozen(&s, at.mono_ms), 100000);
	locked();
	pass(50);
	/* The lock is gone, and the sets refuse: both follow. */
	ck_assert_int_eq(refuse(XOS_WORD_STOP, 60), XOS_STANDING_THAW);
	ck_assert_uint_eq(xos_standing_frozen(&s, at.mono_ms), 150000);
	ck_assert_int_eq(s.stops_at, at.now + 60);
}
END_TEST

START_TEST(a_stop_is_due_while_frozen_too)
{
	refuse(XOS_WORD_STOP, 600);
	pass(10);
	ck_assert_int_eq(locked(), XOS_STANDING_FREEZE);
	pass(590);
	ck_assert_int_eq(due(), XOS_STANDING_END);
	ck_assert_uint_eq(s.ending, XOS_CAUSE_POLICY);
}
END_TEST

START_TEST(frozen_for_too_long_it_ends)
{
	locked();
	pass(3599);
	ck_assert_int_eq(due(), XOS_STANDING_KEEP);
	pass(1);
	ck_assert_int_eq(due(), XOS_STANDING_END);
	ck_assert_uint_eq(s.ending, XOS_CAUSE_LOCK);
}
END_TEST

START_TEST(what_cannot_be_frozen_ends)
{
	rules.freeze = false;
	ck_assert_int_eq(locked(), XOS_STANDING_END);
	ck_assert_uint_eq(s.ending, XOS_CAUSE_LOCK);
	ck_assert_str_eq(s.text, "Locked.");
	setup();
	ck_assert_int_eq(locked(), XOS_STANDING_FREEZE);
	ck_assert_int_eq(xos_standing_unfrozen(&s), XOS_STANDING_END);
	ck_assert_uint_eq(s.ending, XOS_CAUSE_LOCK);
	ck_assert_int_eq(s.frozen_mark, 0);
	/* Frozen, and then the owner says that what is locked is stopped. */
	setup();
	locked();
	rules.freeze = false;
	ck_assert_int_eq(locked(), XOS_STANDING_END);
}
END_TEST

START_TEST(what_is_remembered_comes_back_whole_or_not_at_all)
{
	struct xos_job_standing back;
	struct xos_buf b;

	refuse(XOS_WORD_STOP, 600);
	pass(5);
	locked();
	xos_buf_init(&b, XOS_STANDING_MAX);
	memset(s.text, 'x', sizeof(s.text) - 1);
	xos_standing_encode(&b, &s);
	ck_assert_int_eq(xos_buf_status(&b), XOS_OK);
	ck_assert_int_eq(xos_standing_decode(xos_buf_bytes(&b), &back, NULL), XOS_OK);
	ck_assert(back.refused && !back.draining);
	ck_assert_int_eq(back.frozen_since, s.frozen_since);
	ck_assert_int_eq(back.frozen_mark, s.frozen_mark);
	ck_assert_int_eq(back.stops_at, T0 + 600);
	ck_assert_int_eq(back.stop_mark, s.stop_mark);
	ck_assert_int_eq(back.stop_after, 600);
	ck_assert_str_eq(back.text, s.text);
	for (size_t n = 0; n < b.n; n++)
		ck_assert_int_eq(
		    xos_standing_decode((struct xos_bytes){b.p, n}, &back, NULL), XOS_MALFORMED);
	xos_buf_u8(&b, 0);
	ck_assert_int_eq(xos_standing_decode(xos_buf_bytes(&b), &back, NULL), XOS_MALFORMED);
	xos_buf_free(&b);
}
END_TEST

static enum xos_status read_words(const char *json, struct xos_words *w)
{
	static const struct xos_word_question q[] = {{.id = "a"}, {.id = "b"}, {.id = "c"}};
	struct xos_err err = XOS_ERR_INIT;

	return xos_word_read(xos_bytes_str(json), q, 3, w, &err);
}

#define HEAD "{\"version\":7,\"now\":\"2026-12-01T04:00:00Z\""
#define AGAIN ",\"again\":\"2026-12-01T04:01:00Z\""

START_TEST(words_are_taken_for_what_was_asked)
{
	static struct xos_words w;

	ck_assert_int_eq(
	    read_words(HEAD AGAIN
	        ",\"jobs\":[{\"job\":\"b\",\"verdict\":\"deny\",\"locked\":true,\"why\":\"L\","
	        "\"lock\":{\"what\":\"member "
	        "x\",\"message\":\"\"}},{\"job\":\"a\",\"verdict\":\"deny\","
	        "\"locked\":false,\"change\":\"stop\",\"after\":9,\"why\":\"S\"},{\"job\":\"zz\","
	        "\"verdict\":\"deny\",\"locked\":true}]}",
	        &w),
	    XOS_OK);
	ck_assert_int_eq(w.version, 7);
	ck_assert_int_eq(w.again, 60);
	ck_assert_int_eq(w.of[0].kind, XOS_WORD_REFUSED);
	ck_assert_int_eq(w.of[0].change, XOS_WORD_STOP);
	ck_assert_int_eq(w.of[0].after, 9);
	ck_assert_int_eq(w.of[1].kind, XOS_WORD_LOCKED);
	ck_assert_str_eq(w.of[1].text, "L");
	/* Nothing was said of it: nothing follows. */
	ck_assert_int_eq(w.of[2].kind, XOS_WORD_NOTHING);
	ck_assert_int_eq(read_words(HEAD "}", &w), XOS_OK);
	ck_assert_int_eq(w.again, 0);
	ck_assert_int_eq(w.of[0].kind, XOS_WORD_NOTHING);
	ck_assert_int_eq(
	    read_words(HEAD
	        ",\"again\":\"2020-01-01T00:00:00Z\",\"jobs\":[{\"job\":\"a\",\"verdict\":"
	        "\"undecided\",\"locked\":false}]}",
	        &w),
	    XOS_OK);
	ck_assert_int_eq(w.again, 1);
	ck_assert_int_eq(w.of[0].kind, XOS_WORD_NOTHING);
}
END_TEST

START_TEST(words_that_are_none_are_refused)
{
	static const char *const bad[] = {"", "{}", HEAD, HEAD "}x",
	    "{\"version\":0,\"now\":\"2026-12-01T04:00:00Z\"}", HEAD ",\"jobs\":[{\"job\":\"a\"}]}",
	    HEAD ",\"jobs\":[{\"job\":\"a\",\"verdict\":\"maybe\",\"locked\":false}]}",
	    HEAD ",\"jobs\":[{\"job\":\"a\",\"verdict\":\"permit\",\"locked\":true}]}",
	    HEAD ",\"jobs\":[{\"job\":\"a\",\"verdict\":\"deny\",\"locked\":false}]}",
	    HEAD ",\"jobs\":[{\"job\":\"a\",\"verdict\":\"deny\",\"locked\":false,\"change\":"
	         "\"kill\"}]}",
	    HEAD ",\"jobs\":[{\"job\":\"a\",\"verdict\":\"deny\",\"locked\":false,\"change\":"
	         "\"stop\"}]}",
	    HEAD ",\"jobs\":[{\"job\":\"a\",\"verdict\":\"deny\",\"locked\":false,\"change\":"
	         "\"stop\",\"after\":-1}]}"};
	static struct xos_words w;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(read_words(bad[i], &w) == XOS_MALFORMED, "%s", bad[i]);
}
END_TEST

START_TEST(a_question_says_what_is_known)
{
	struct xos_word_question q = {.id = "a", .asked = {.source = "192.0.2.1", .wall = 60}};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;

	xos_buf_init(&b, 4096);
	ck_assert_int_eq(xos_word_ask(&q, 1, 0, &b, &err), XOS_OK);
	ck_assert_ptr_nonnull(strstr(xos_buf_str(&b), "192.0.2.1"));
	ck_assert_ptr_nonnull(strstr(xos_buf_str(&b), "60"));
	xos_buf_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("jobs standing");
	TCase *tc = tcase_create("standing");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, what_was_always_permitted_is_never_written);
	tcase_add_test(tc, continue_and_drain_are_noted_once_and_end_nothing);
	tcase_add_test(tc, a_stop_comes_at_its_time_and_not_before);
	tcase_add_test(tc, a_stop_is_off_when_permitted_again_or_milder);
	tcase_add_test(tc, a_later_set_moves_the_stop_but_not_into_the_past);
	tcase_add_test(tc, undecided_changes_nothing_and_delays_nothing);
	tcase_add_test(tc, a_lock_freezes_and_its_end_thaws);
	tcase_add_test(tc, a_stop_is_due_while_frozen_too);
	tcase_add_test(tc, frozen_for_too_long_it_ends);
	tcase_add_test(tc, what_cannot_be_frozen_ends);
	tcase_add_test(tc, what_is_remembered_comes_back_whole_or_not_at_all);
	tcase_add_test(tc, words_are_taken_for_what_was_asked);
	tcase_add_test(tc, words_that_are_none_are_refused);
	tcase_add_test(tc, a_question_says_what_is_known);
	suite_add_tcase(suite, tc);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
