/* Rosters, lock lists and site sets by themselves: what may be signed, and what is taken. */
#include <check.h>
#include <string.h>

#include "base/text.h"
#include "bundle/locks.h"
#include "bundle/roster.h"
#include "bundle/siteset.h"
#include "pki/jws.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW INT64_C(1795000000)

static struct xos_test_vo *vo;
static struct xos_buf out;
static struct xos_err err;

/* The trust of these tests: the two issuers, and no other certificate as anything. */
static enum xos_status signer(void *arg, enum xos_signer want, const char *name,
    const struct xos_cert *cert, int64_t now, struct xos_err *e)
{
	(void)arg;
	(void)now;
	if (strcmp(name, "demo") == 0 && ((want == XOS_SIGNER_CA && cert == vo->ca) ||
	                                     (want == XOS_SIGNER_RCA && cert == vo->rca)))
		return XOS_OK;
	return xos_err_set(e, XOS_DENIED, "test-signer", "not this one");
}

static struct xos_bundle_trust bt = {
    .vo = "demo", .signer = signer, .now = NOW, .skew = XOS_BUNDLE_SKEW};
static const struct xos_cert *cert[2];
static struct xos_bundle_certs certs = {cert, 2};

static void setup(void)
{
	vo = xos_test_vo_new("demo", "lab", NOW);
	cert[0] = vo->ca;
	cert[1] = vo->rca;
	xos_buf_init(&out, XOS_BUNDLE_MAX);
	err = (struct xos_err)XOS_ERR_INIT;
}

static void teardown(void)
{
	xos_buf_free(&out);
	xos_test_vo_free(vo);
}

static void reset(void)
{
	xos_buf_free(&out);
	xos_buf_init(&out, XOS_BUNDLE_MAX);
	err = (struct xos_err)XOS_ERR_INIT;
}

/* A payload as it is, signed by a key that may sign: what only the parser can refuse. */
static void sign_raw(const struct xos_key *key, const char *typ, const char *payload)
{
	reset();
	MUST(xos_jws_sign(key, typ, xos_bytes_str(payload), &out, &err), &err);
}

static enum xos_status roster(void)
{
	struct xos_roster *r = NULL;
	enum xos_status st = xos_roster_verify(xos_buf_bytes(&out), &certs, &bt, &r, &err);

	ck_assert((st == XOS_OK) == (r != NULL));
	xos_roster_free(r);
	return st;
}

static enum xos_status locks(enum xos_signer by)
{
	struct xos_locks *l = NULL;
	enum xos_status st = xos_locks_verify(xos_buf_bytes(&out), by, &certs, &bt, &l, &err);

	ck_assert((st == XOS_OK) == (l != NULL));
	xos_locks_free(l);
	return st;
}

#define R(members)                                                                                 \
	"{\"vo\":\"demo\",\"serial\":1,\"issued\":\"2026-11-18T03:06:40Z\","                       \
	"\"expires\":\"2026-11-19T03:06:40Z\",\"members\":[" members "]}"
#define ALICE "{\"name\":\"alice\",\"number\":2,\"state\":\"active\"}"

START_TEST(roster_payloads)
{
	static const char *const bad[] = {
	    R(ALICE "," ALICE),
	    R(ALICE ",{\"name\":\"bob\",\"number\":2,\"state\":\"active\"}"),
	    R("{\"name\":\"alice\",\"number\":0,\"state\":\"active\"}"),
	    R("{\"name\":\"alice\",\"number\":2147483648,\"state\":\"active\"}"),
	    R("{\"name\":\"Alice\",\"number\":2,\"state\":\"active\"}"),
	    R("{\"name\":\"alice\",\"number\":2,\"state\":\"well\"}"),
	    R("{\"name\":\"alice\",\"number\":2}"),
	    R("{\"name\":\"alice\",\"number\":2,\"state\":\"active\",\"uid\":0}"),
	    "{\"vo\":\"demo\",\"serial\":1,\"issued\":\"2026-11-18T03:06:40Z\",\"members\":[]}",
	    ("{\"vo\":\"demo\",\"vo\":\"demo\",\"serial\":1,\"issued\":\"2026-11-18T03:06:40Z\","
	     "\"expires\":\"2026-11-19T03:06:40Z\",\"members\":[]}"),
	    "[]",
	    "",
	};

	sign_raw(vo->ca_key, XOS_ROSTER_TYP, R(ALICE));
	ck_assert_msg(roster() == XOS_OK, "%s", err.text);
	sign_raw(vo->ca_key, XOS_ROSTER_TYP, R(""));
	ck_assert_msg(roster() == XOS_OK, "%s", err.text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		sign_raw(vo->ca_key, XOS_ROSTER_TYP, bad[i]);
		ck_assert_msg(roster() == XOS_MALFORMED, "payload %zu", i);
	}
}
END_TEST

START_TEST(roster_signers_and_types)
{
	sign_raw(vo->rca_key, XOS_ROSTER_TYP, R(ALICE)); /* the rca is no ca */
	ck_assert_int_eq(roster(), XOS_DENIED);
	sign_raw(vo->policy_key, XOS_ROSTER_TYP, R(ALICE));
	ck_assert_int_eq(roster(), XOS_DENIED);
	ck_assert_str_eq(err.code, "foreign-signer");
	sign_raw(vo->ca_key, XOS_LOCKS_TYP, R(ALICE)); /* signed for another purpose */
	ck_assert_int_ne(roster(), XOS_OK);
	sign_raw(vo->ca_key, XOS_ROSTER_TYP, R(ALICE));
	bt.vo = "other";
	ck_assert_int_eq(roster(), XOS_DENIED);
	bt.vo = "demo";
	bt.now = NOW + 90000;
	ck_assert_int_eq(roster(), XOS_EXPIRED);
	bt.now = NOW - 90000;
	ck_assert_int_eq(roster(), XOS_NOT_YET_VALID);
	bt.now = NOW;
}
END_TEST

START_TEST(what_a_roster_signer_refuses)
{
	struct xos_roster_member two[] = {
	    {"alice", 2, XOS_MEMBER_ACTIVE}, {"bob", 2, XOS_MEMBER_ACTIVE}};
	struct xos_roster_fields f = {
	    .vo = "demo", .serial = 1, .issued = NOW, .expires = NOW + 60, .members = two, .n = 2};

	ck_assert_int_eq(xos_roster_sign(vo->ca_key, &f, &out, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "roster-double");
	two[1].number = 3;
	MUST_TRUE(xos_str_copy(two[1].name, sizeof(two[1].name), "alice"));
	ck_assert_int_eq(xos_roster_sign(vo->ca_key, &f, &out, &err), XOS_MALFORMED);
	f.n = 1;
	f.expires = NOW;
	ck_assert_int_eq(xos_roster_sign(vo->ca_key, &f, &out, &err), XOS_MALFORMED);
	ck_assert_uint_eq(out.n, 0);
	f.expires = NOW + 60;
	ck_assert_int_eq(xos_roster_sign(vo->ca_key, &f, &out, &err), XOS_OK);
	ck_assert_int_eq(roster(), XOS_OK);
}
END_TEST

#define L(by, list)                                                                                \
	"{\"vo\":\"demo\",\"by\":\"" by "\",\"serial\":1,\"issued\":\"2026-11-18T03:06:40Z\","     \
	"\"expires\":\"2026-11-19T03:06:40Z\",\"locks\":[" list "]}"
#define LOCK(kind, name)                                                                           \
	"{\"id\":\"l1\",\"kind\":\"" kind "\",\"name\":\"" name                                    \
	"\",\"since\":\"2026-11-18T03:06:40Z\",\"until\":\"9999-12-31T23:59:59Z\",\"message\":"    \
	"\"\"}"

START_TEST(lock_payloads)
{
	static const char *const bad[] = {
	    L("ca", LOCK("member", "Bob")), L("ca", LOCK("group", "/other/x")),
	    L("ca", LOCK("group", "/demo2")), L("ca", LOCK("role", "/demo/x")),
	    L("ca", LOCK("planet", "mars")), L("ca", LOCK("job", "")), L("ca", LOCK("token", "4F")),
	    L("ca", LOCK("token", "4fa")), L("ca", LOCK("token", "")),
	    L("ca", LOCK("token", "4f0102030405060708090a0b0c0d0e0f1011121314")),
	    L("rca", LOCK("member", "bob")), /* by says rca */
	    L("ca", "{\"id\":\"l1\",\"kind\":\"member\",\"name\":\"bob\","
	            "\"since\":\"2026-11-18T03:06:40Z\",\"message\":\"\"}"), /* no end stated */
	};

	sign_raw(vo->ca_key, XOS_LOCKS_TYP, L("ca", LOCK("member", "bob")));
	ck_assert_msg(locks(XOS_SIGNER_CA) == XOS_OK, "%s", err.text);
	sign_raw(
	    vo->ca_key, XOS_LOCKS_TYP, L("ca", LOCK("token", "4f0102030405060708090a0b0c0d0e0f")));
	ck_assert_msg(locks(XOS_SIGNER_CA) == XOS_OK, "%s", err.text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		sign_raw(vo->ca_key, XOS_LOCKS_TYP, bad[i]);
		ck_assert_msg(locks(XOS_SIGNER_CA) == XOS_MALFORMED, "payload %zu", i);
	}
}
END_TEST

START_TEST(each_authority_locks_its_own_kinds)
{
	sign_raw(vo->ca_key, XOS_LOCKS_TYP, L("ca", LOCK("node", "n1")));
	ck_assert_int_eq(locks(XOS_SIGNER_CA), XOS_DENIED);
	sign_raw(vo->rca_key, XOS_LOCKS_TYP, L("rca", LOCK("member", "bob")));
	ck_assert_int_eq(locks(XOS_SIGNER_RCA), XOS_DENIED);
	sign_raw(vo->rca_key, XOS_LOCKS_TYP, L("rca", LOCK("node", "n1")));
	ck_assert_msg(locks(XOS_SIGNER_RCA) == XOS_OK, "%s", err.text);
	/* A list of the rca offered as the ca's. */
	ck_assert_int_eq(locks(XOS_SIGNER_CA), XOS_DENIED);
}
END_TEST

#define SET "site \"lab\" serial 5 { permit vo demo action job.submit on site:lab; }\n"

START_TEST(site_sets)
{
	struct xos_siteset *s = NULL;

	ck_assert_int_eq(
	    xos_siteset_sign(vo->site_key, SET, strlen(SET), "lab.xos", NOW, NOW + 60, &out, &err),
	    XOS_OK);
	ck_assert_int_eq(
	    xos_siteset_verify(vo->site_key, "lab", xos_buf_bytes(&out), NOW, 0, &s, &err), XOS_OK);
	ck_assert_uint_eq(s->serial, 5);
	ck_assert_str_eq(s->text, SET);
	xos_siteset_free(s);
	s = NULL;
	ck_assert_int_eq(
	    xos_siteset_verify(vo->rca_key, "lab", xos_buf_bytes(&out), NOW, 0, &s, &err),
	    XOS_DENIED);
	ck_assert_int_eq(
	    xos_siteset_verify(vo->site_key, "lab2", xos_buf_bytes(&out), NOW, 0, &s, &err),
	    XOS_DENIED);
	ck_assert_int_eq(
	    xos_siteset_verify(vo->site_key, "lab", xos_buf_bytes(&out), NOW + 60, 0, &s, &err),
	    XOS_EXPIRED);
	ck_assert_int_eq(
	    xos_siteset_verify(vo->site_key, "lab", xos_buf_bytes(&out), NOW - 1, 0, &s, &err),
	    XOS_NOT_YET_VALID);
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(site_sets_that_are_not_signed)
{
	static const char *const bad[] = {
	    "site \"lab\" serial 5 { permit nonsense }\n",
	    "site \"lab\" { }\n",
	    "vo \"demo\" serial 5 { }\n",
	    "",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enum xos_status st = xos_siteset_sign(
		    vo->site_key, bad[i], strlen(bad[i]), "bad.xos", NOW, NOW + 60, &out, &err);

		ck_assert_msg(st == XOS_MALFORMED, "set %zu", i);
		ck_assert_uint_eq(out.n, 0);
	}
}
END_TEST

/* The owner's signature over a payload whose serial is not its text's. */
START_TEST(site_set_that_contradicts_its_text)
{
	struct xos_siteset *s = NULL;

	sign_raw(vo->site_key, XOS_SITESET_TYP,
	    "{\"site\":\"lab\",\"serial\":6,\"issued\":\"2026-11-18T03:06:40Z\","
	    "\"expires\":\"2026-11-19T03:06:40Z\",\"text\":\"site \\\"lab\\\" serial 5 { }\"}");
	ck_assert_int_eq(
	    xos_siteset_verify(vo->site_key, "lab", xos_buf_bytes(&out), NOW, 300, &s, &err),
	    XOS_MALFORMED);
	ck_assert_ptr_null(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bundle parts");
	TCase *tc = tcase_create("parts");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, roster_payloads);
	tcase_add_test(tc, roster_signers_and_types);
	tcase_add_test(tc, what_a_roster_signer_refuses);
	tcase_add_test(tc, lock_payloads);
	tcase_add_test(tc, each_authority_locks_its_own_kinds);
	tcase_add_test(tc, site_sets);
	tcase_add_test(tc, site_sets_that_are_not_signed);
	tcase_add_test(tc, site_set_that_contradicts_its_text);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
