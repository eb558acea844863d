/*
 * What auth hands to the network process to decide by, asked by one that was taken over: only what the ca signed
 * becomes the membership, none older comes back, and no question but a well-formed one is answered.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "service/bulk.h"
#include "testparts/parts.h"
#include "testsupport/must.h"
#include "vops/handover.h"
#include "vops/view.h"

#define DAY 86400

static char *dir;
static struct xos_test_vo *vo;
static struct xos_trust *trust;
static struct vops_conf conf;
static struct xos_err err;

static struct xos_test_parts parts = {
    .auth = {vops_auth_open, vops_auth_serve, vops_auth_close},
    .key = {vops_key_open, vops_key_serve, vops_key_close},
    .conf = &conf,
};

static void setup(void)
{
	dir = xos_test_dir_new();
	vo = xos_test_vo_new("demo", "lab", xos_clock_now());
	trust = xos_test_vo_trust(vo);
	conf = (struct vops_conf){.common = {.vo = (char *)(uintptr_t) "demo", .state = dir},
	    .bundle_life = DAY / 2,
	    .bundle_refresh = 1800};
	conf.common.trust = xos_test_path(dir, "trust");
	xos_test_vo_trust_dir(vo, conf.common.trust);
	xos_test_parts_state(dir, "vops", vo->policy_key, vo->policy);
	xos_test_parts_start(&parts);
}

static void teardown(void)
{
	ck_assert(xos_test_parts_stop(&parts, 0));
	xos_trust_free(trust);
	xos_test_vo_free(vo);
	free(conf.common.trust);
	xos_test_dir_free(dir);
}

static enum xos_status ask(uint16_t type, const struct xos_buf *in, struct xos_buf *reply)
{
	err = (struct xos_err)XOS_ERR_INIT;
	xos_buf_free(reply);
	return xos_bulk_call(
	    parts.to_auth, type, xos_buf_bytes(in), xos_clock_mono_ms() + 60000, reply, &err);
}

static enum xos_status put(const struct xos_key *key, uint64_t serial, int64_t age)
{
	static const char *const names[] = {"/demo"};
	const struct xos_membership_member alice = {"alice", 1, names, NULL, 1, 0};
	int64_t issued = xos_clock_now() - age;
	const struct xos_membership_fields f = {.vo = "demo",
	    .serial = serial,
	    .issued = issued,
	    .expires = issued + DAY,
	    .names = names,
	    .nnames = 1,
	    .members = &alice,
	    .n = 1};
	struct xos_buf compact, message, reply;

	xos_buf_init(&compact, XOS_MEMBERSHIP_MAX);
	xos_buf_init(&message, XOS_MEMBERSHIP_MAX + 64);
	xos_buf_init(&reply, 0);
	MUST(xos_membership_sign(key, &f, &compact, &err), &err);
	xos_buf_lp(&message, xos_buf_bytes(&compact));
	enum xos_status st = ask(VOPS_MEMBERSHIP, &message, &reply);
	xos_buf_free(&reply);
	xos_buf_free(&message);
	xos_buf_free(&compact);
	return st;
}

/* Asks with the generation that was last given; how many parts there are, UINT32_MAX: nothing changed. */
static uint32_t list(uint64_t *generation)
{
	struct xos_buf message, reply;
	struct xos_reader r;
	uint32_t n = UINT32_MAX;
	uint8_t changed = 0;

	xos_buf_init(&message, 8);
	xos_buf_init(&reply, 0);
	xos_buf_u64(&message, *generation);
	MUST(ask(VOPS_VIEW, &message, &reply), &err);
	xos_reader_init(&r, xos_buf_bytes(&reply));
	MUST_TRUE(xos_reader_u64(&r, generation) && xos_reader_u8(&r, &changed));
	if (changed)
		MUST_TRUE(xos_reader_u32(&r, &n));
	xos_buf_free(&reply);
	xos_buf_free(&message);
	return n;
}

START_TEST(only_the_cas_membership_gets_in)
{
	uint64_t generation = 0;

	ck_assert_uint_eq(list(&generation), 0);
	ck_assert_uint_eq(list(&generation), UINT32_MAX);
	ck_assert_int_eq(put(vo->rca_key, 5, 0), XOS_DENIED);
	ck_assert_int_eq(put(vo->policy_key, 5, 0), XOS_DENIED);
	ck_assert_int_eq(put(vo->ca_key, 5, 2 * DAY), XOS_EXPIRED);
	ck_assert_uint_eq(list(&generation), UINT32_MAX);
	ck_assert_int_eq(put(vo->ca_key, 5, 0), XOS_OK);
	ck_assert_uint_eq(list(&generation), 1);
	ck_assert_int_eq(put(vo->ca_key, 4, 0), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "lower-serial");
	ck_assert_uint_eq(list(&generation), UINT32_MAX);
}
END_TEST

START_TEST(what_is_handed_over_is_what_was_verified)
{
	struct xos_buf message, reply;
	struct xos_reader r;
	struct xos_bytes content;
	struct vops_part *p = NULL;
	uint64_t tag = 0, not_after = 0;

	ck_assert_int_eq(put(vo->ca_key, 7, 0), XOS_OK);
	xos_buf_init(&message, 64);
	xos_buf_init(&reply, 0);
	xos_buf_u8(&message, VOPS_PART_MEMBERSHIP);
	xos_buf_lp_str(&message, "");
	MUST(ask(VOPS_VIEW_PART, &message, &reply), &err);
	xos_reader_init(&r, xos_buf_bytes(&reply));
	MUST_TRUE(xos_reader_u64(&r, &tag) && xos_reader_u64(&r, &not_after) &&
	          xos_reader_lp(&r, XOS_MEMBERSHIP_MAX, &content) && xos_reader_end(&r) == XOS_OK);
	MUST(vops_part_new(VOPS_PART_MEMBERSHIP, "", tag, 0, content, trust, "demo", &p, &err),
	    &err);
	ck_assert_uint_eq(xos_membership_serial(p->membership), 7);
	vops_part_unref(p);
	/* As another kind it is nothing. */
	p = NULL;
	for (uint8_t k = VOPS_PART_VO; k <= VOPS_PART_NODE; k++)
		if (k != VOPS_PART_MEMBERSHIP)
			ck_assert_int_ne(
			    vops_part_new(k, "lab", tag, 0, content, trust, "demo", &p, &err),
			    XOS_OK);
	xos_buf_free(&reply);
	xos_buf_free(&message);
}
END_TEST

static const struct {
	uint16_t type;
	const char *bytes;
	size_t n;
} bad[] = {
    {VOPS_VIEW, "", 0},
    {VOPS_VIEW, "\0\0\0\0\0\0\0", 7},
    {VOPS_VIEW_PART, "", 0},
    {VOPS_VIEW_PART, "\x01", 1},
    {VOPS_VIEW_PART, "\x01\0\0\0\0\0", 6},
    {VOPS_VIEW_PART, "\0\0\0\0\0", 5},
    {VOPS_VIEW_PART, "\x63\0\0\0\0", 5},
    {VOPS_VIEW_PART, "\x01\xff\xff\xff\xff", 5},
    {VOPS_VIEW_PART, "\x02\0\0\0\x06../lab", 11},
    {VOPS_VIEW_PART, "\x09\0\0\0\x03lab", 8},
    {VOPS_MEMBERSHIP, "", 0},
    {VOPS_MEMBERSHIP,
        "\0\0\0\x02"
        "ab",
        6},
};

START_TEST(malformed_questions_get_no_answer)
{
	struct xos_buf message, reply;

	xos_buf_init(&message, 64);
	xos_buf_init(&reply, 0);
	xos_buf_put(&message, bad[_i].bytes, bad[_i].n);
	ck_assert_int_ne(ask(bad[_i].type, &message, &reply), XOS_OK);
	ck_assert_uint_eq(reply.n, 0);
	xos_buf_free(&reply);
	xos_buf_free(&message);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vops-handover");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 300);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, only_the_cas_membership_gets_in);
	tcase_add_test(tc, what_is_handed_over_is_what_was_verified);
	tcase_add_loop_test(
	    tc, malformed_questions_get_no_answer, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
