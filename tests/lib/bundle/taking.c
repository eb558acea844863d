/* See taking.h. */
#include "taking.h"

#include <check.h>
#include <string.h>

#include "api/signer.h"
#include "testsupport/must.h"

struct xos_test_vo *vo, *twin;
struct xos_trust *trust;
struct xos_bundle_trust bt;
struct xos_bundle_seen seen;
struct xos_bundle_want want;
struct xos_buf compact;
struct xos_err err;

static const struct xos_roster_member members[] = {
    {"zoe", 7, XOS_MEMBER_ACTIVE},
    {"alice", 2, XOS_MEMBER_ACTIVE},
    {"bob", 3, XOS_MEMBER_SUSPENDED},
    {"old", 1, XOS_MEMBER_REMOVED},
};
static const struct xos_lock locks_ca[] = {
    {"l1", XOS_LOCK_MEMBER, "bob", NOW - 10, XOS_LOCK_NO_END, "call us"},
    {"l2", XOS_LOCK_GROUP, "/demo/students", NOW - 10, NOW + HOUR, ""},
    {"l3", XOS_LOCK_MEMBER, "zoe", NOW - 100, NOW - 10, "over"},
    {"l4", XOS_LOCK_ROLE, "/demo/Role=admin", NOW - 10, NOW + HOUR, ""},
};
static const struct xos_lock locks_rca[] = {
    {"l5", XOS_LOCK_NODE, "n7", NOW - 10, NOW + HOUR, "stolen"}};

struct xos_test_bundle good(void)
{
	return (struct xos_test_bundle){
	    .serial = 10,
	    .vo_text = "vo \"demo\" serial 1 { permit group /demo action job.submit on any; }\n",
	    .site_text = SITE_TEXT,
	    .members = members,
	    .nmembers = 4,
	    .locks_ca = locks_ca,
	    .nlocks_ca = 4,
	    .locks_rca = locks_rca,
	    .nlocks_rca = 1,
	    .roster_serial = 4,
	    .locks_serial = 4,
	};
}

void taking_setup(void)
{
	vo = xos_test_vo_new("demo", "lab", NOW);
	twin = xos_test_vo_new("demo", "lab", NOW);
	trust = xos_test_vo_trust(vo);
	bt = (struct xos_bundle_trust){.vo = "demo",
	    .signer = xos_api_signer,
	    .arg = trust,
	    .now = NOW,
	    .skew = XOS_BUNDLE_SKEW};
	seen = (struct xos_bundle_seen){0};
	want = (struct xos_bundle_want){.trust = &bt,
	    .site = "lab",
	    .node = "n1",
	    .site_key = vo->site_key,
	    .root = vo->root,
	    .seen = &seen};
	xos_buf_init(&compact, XOS_BUNDLE_MAX);
	err = (struct xos_err)XOS_ERR_INIT;
}

void taking_teardown(void)
{
	xos_buf_free(&compact);
	xos_trust_free(trust);
	xos_test_vo_free(twin);
	xos_test_vo_free(vo);
}

void make(const struct xos_test_vo *by, const struct xos_test_bundle *b)
{
	xos_buf_free(&compact);
	xos_buf_init(&compact, XOS_BUNDLE_MAX);
	xos_test_bundle(by, b, &compact);
}

struct xos_bundle *take(void)
{
	struct xos_bundle *b = NULL;
	enum xos_status st = xos_bundle_verify(xos_buf_bytes(&compact), &want, &b, &err);

	ck_assert_msg(st == XOS_OK, "%s: %s", err.code, err.text);
	return b;
}

void refuse(enum xos_status status, const char *code)
{
	struct xos_bundle *b = NULL;

	err = (struct xos_err)XOS_ERR_INIT;
	enum xos_status st = xos_bundle_verify(xos_buf_bytes(&compact), &want, &b, &err);
	ck_assert_msg(
	    st == status, "%s, not %s: %s", xos_status_name(st), xos_status_name(status), err.text);
	ck_assert_ptr_null(b);
	if (code)
		ck_assert_str_eq(err.code, code);
}
