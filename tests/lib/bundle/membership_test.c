/* The signed membership: what goes in comes out, and nothing else gets in. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/signer.h"
#include "base/clock.h"
#include "bundle/membership.h"
#include "pki/jws.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

static struct xos_test_vo *vo;
static struct xos_trust *trust;
static struct xos_err err;
static int64_t now;

static const char *const names[] = {"/demo", "/demo/Role=admin", "/demo/a", "/demo/b"};
static const char *const groups[] = {"/demo/b", "/demo/a", "/demo"};
static const char *const roles[] = {"/demo/Role=admin"};
static const struct xos_membership_member members[] = {
    {"zoe", 2, groups + 2, NULL, 1, 0},
    {"alice", 1, groups, roles, 3, 1},
};

static void setup(void)
{
	now = xos_clock_now();
	vo = xos_test_vo_new("demo", "lab", now);
	trust = xos_test_vo_trust(vo);
	err = (struct xos_err)XOS_ERR_INIT;
}

static void teardown(void)
{
	xos_trust_free(trust);
	xos_test_vo_free(vo);
}

static enum xos_status verify(struct xos_bytes compact, int64_t at, struct xos_membership **out)
{
	const struct xos_cert *const list[] = {vo->ca, vo->rca};
	const struct xos_bundle_certs certs = {.cert = list, .n = 2};
	const struct xos_bundle_trust by = {
	    .vo = "demo", .signer = xos_api_signer, .arg = trust, .now = at, .skew = 300};

	return xos_membership_verify(compact, &certs, &by, out, &err);
}

static struct xos_membership_fields fields(void)
{
	return (struct xos_membership_fields){.vo = "demo",
	    .serial = 7,
	    .issued = now,
	    .expires = now + 3600,
	    .names = names,
	    .nnames = 4,
	    .members = members,
	    .n = 2};
}

START_TEST(comes_back_sorted_with_lists_in_order)
{
	const struct xos_membership_fields f = fields();
	struct xos_membership *m = NULL;
	struct xos_buf compact;

	xos_buf_init(&compact, XOS_MEMBERSHIP_MAX);
	ck_assert_msg(
	    xos_membership_sign(vo->ca_key, &f, &compact, &err) == XOS_OK, "%s", err.text);
	ck_assert_msg(verify(xos_buf_bytes(&compact), now, &m) == XOS_OK, "%s", err.text);
	ck_assert_uint_eq(xos_membership_serial(m), 7);
	ck_assert_uint_eq(xos_membership_count(m), 2);
	const struct xos_membership_member *a = xos_membership_find(m, "alice");
	ck_assert_ptr_eq(a, xos_membership_at(m, 0));
	ck_assert_uint_eq(a->ngroups, 3);
	ck_assert_str_eq(a->groups[0], "/demo/b");
	ck_assert_str_eq(a->groups[2], "/demo");
	ck_assert_uint_eq(a->nroles, 1);
	ck_assert_str_eq(a->roles[0], "/demo/Role=admin");
	ck_assert_uint_eq(xos_membership_at(m, 1)->nroles, 0);
	ck_assert_ptr_null(xos_membership_find(m, "bob"));
	ck_assert_uint_eq(xos_membership_from(m, "bob"), 1);
	xos_membership_free(m);
	m = NULL;
	ck_assert_int_eq(verify(xos_buf_bytes(&compact), now + 4000, &m), XOS_EXPIRED);
	compact.p[compact.n / 2] ^= 1;
	ck_assert_int_ne(verify(xos_buf_bytes(&compact), now, &m), XOS_OK);
	ck_assert_ptr_null(m);
	xos_buf_free(&compact);
}
END_TEST

START_TEST(only_the_ca_signs_it)
{
	const struct xos_membership_fields f = fields();
	const struct xos_key *const keys[] = {vo->rca_key, vo->policy_key, vo->site_key};
	struct xos_membership *m = NULL;
	struct xos_buf compact;

	xos_buf_init(&compact, XOS_MEMBERSHIP_MAX);
	MUST(xos_membership_sign(keys[_i], &f, &compact, &err), &err);
	ck_assert_int_eq(verify(xos_buf_bytes(&compact), now, &m), XOS_DENIED);
	xos_buf_free(&compact);
}
END_TEST

#define HEAD "{\"vo\":\"%s\",\"serial\":1,\"issued\":\"%s\",\"expires\":\"%s\","
static const char *const bad[] = {
    "\"names\":[\"/demo\"],\"members\":[[\"a\",1,[1],[]]]}",
    "\"names\":[\"/demo\"],\"members\":[[\"a\",1,[-1],[]]]}",
    "\"names\":[\"/demo\"],\"members\":[[\"a\",1,[],[0]]]}",
    "\"names\":[\"/demo/Role=x\"],\"members\":[[\"a\",1,[0],[]]]}",
    "\"names\":[\"/other\"],\"members\":[]}",
    "\"names\":[\"/demo\"],\"members\":[[\"a\",0,[],[]]]}",
    "\"names\":[\"/demo\"],\"members\":[[\"a\",1,[]]]}",
    "\"names\":[\"/demo\"],\"members\":[[\"a\",1,[],[],[]]]}",
    "\"names\":[\"/demo\"],\"members\":[[\"a\",1,[],[]],[\"a\",2,[],[]]]}",
    "\"names\":[\"/demo\"],\"members\":[{\"name\":\"a\"}]}",
    "\"names\":[],\"members\":[],\"more\":1}",
    "\"names\":[]}",
};

START_TEST(what_is_not_a_membership_is_refused)
{
	char text[512], from[XOS_TIME_TEXT], to[XOS_TIME_TEXT];
	struct xos_membership *m = NULL;
	struct xos_buf compact;

	xos_time_format(now, from);
	xos_time_format(now + 60, to);
	sprintf(text, HEAD "%s", "demo", from, to, bad[_i]);
	xos_buf_init(&compact, XOS_MEMBERSHIP_MAX);
	MUST(xos_jws_sign(vo->ca_key, XOS_MEMBERSHIP_TYP, xos_bytes_str(text), &compact, &err),
	    &err);
	ck_assert_int_eq(verify(xos_buf_bytes(&compact), now, &m), XOS_MALFORMED);
	xos_buf_free(&compact);
	sprintf(text, HEAD "\"names\":[],\"members\":[]}", "other", from, to);
	xos_buf_init(&compact, XOS_MEMBERSHIP_MAX);
	MUST(xos_jws_sign(vo->ca_key, XOS_MEMBERSHIP_TYP, xos_bytes_str(text), &compact, &err),
	    &err);
	ck_assert_int_eq(verify(xos_buf_bytes(&compact), now, &m), XOS_DENIED);
	xos_buf_free(&compact);
}
END_TEST

/* Nobody but the caller of the signer would notice that a name is missing. */
START_TEST(what_cannot_be_stated_is_not_signed)
{
	static const char *const unsorted[] = {"/demo/b", "/demo/a"};
	struct xos_membership_fields f = fields();
	struct xos_buf compact;

	xos_buf_init(&compact, XOS_MEMBERSHIP_MAX);
	f.nnames = 2;
	ck_assert_int_eq(xos_membership_sign(vo->ca_key, &f, &compact, &err), XOS_MALFORMED);
	f = fields();
	f.names = unsorted;
	f.nnames = 2;
	f.n = 0;
	ck_assert_int_eq(xos_membership_sign(vo->ca_key, &f, &compact, &err), XOS_MALFORMED);
	ck_assert_uint_eq(compact.n, 0);
	xos_buf_free(&compact);
}
END_TEST

/* As many members as a VO may have, each in three groups of a thousand. */
START_TEST(a_full_vo_fits)
{
	static char text[1001][16];
	static const char *all[1001];
	struct xos_membership_member *list = calloc(XOS_ROSTER_MEMBERS_MAX, sizeof(*list));
	struct xos_membership_fields f = fields();
	struct xos_membership *m = NULL;
	struct xos_buf compact;

	sprintf(text[0], "/demo");
	for (int i = 1; i <= 1000; i++)
		sprintf(text[i], "/demo/g%04d", i);
	for (int i = 0; i <= 1000; i++)
		all[i] = text[i];
	for (size_t i = 0; i < XOS_ROSTER_MEMBERS_MAX; i++) {
		sprintf(list[i].name, "member%06zu", i);
		list[i].number = i + 1;
		list[i].groups = all + 1 + i % 990;
		list[i].ngroups = 3;
	}
	f.names = all;
	f.nnames = 1001;
	f.members = list;
	f.n = XOS_ROSTER_MEMBERS_MAX;
	xos_buf_init(&compact, XOS_MEMBERSHIP_MAX);
	ck_assert_msg(
	    xos_membership_sign(vo->ca_key, &f, &compact, &err) == XOS_OK, "%s", err.text);
	ck_assert_msg(verify(xos_buf_bytes(&compact), now, &m) == XOS_OK, "%s", err.text);
	ck_assert_uint_eq(xos_membership_count(m), XOS_ROSTER_MEMBERS_MAX);
	xos_membership_free(m);
	xos_buf_free(&compact);
	free(list);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bundle-membership");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 300);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, comes_back_sorted_with_lists_in_order);
	tcase_add_loop_test(tc, only_the_ca_signs_it, 0, 3);
	tcase_add_loop_test(
	    tc, what_is_not_a_membership_is_refused, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tc, what_cannot_be_stated_is_not_signed);
	tcase_add_test(tc, a_full_vo_fits);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
