/* Proxies for stock programs: who can make one, and that it counts for nothing with us. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "token/oid.h"
#include "token/stock.h"
#include "token/tokenfile.h"

static struct vo *demo;
static struct xos_err err;
static struct xos_chain alice;
static struct xos_key *key;

static void setup(void)
{
	demo = vo_new("demo");
	user_chain(demo, "alice", &alice);
	key = new_key();
	memset(&err, 0, sizeof(err));
}

static void teardown(void)
{
	xos_key_free(key);
	xos_chain_clear(&alice);
	vo_free(demo);
}

static void refused(
    const struct xos_chain *signer, int64_t now, enum xos_status st, const char *code)
{
	struct xos_cert *c = NULL;

	ck_assert_int_eq(
	    xos_stock_sign(signer, xos_key_spki(key), 0, T0 + HOUR, now, &c, &err), st);
	ck_assert_str_eq(err.code, code);
	ck_assert_ptr_null(c);
}

START_TEST(it_inherits_all_and_is_cut_to_the_token)
{
	struct xos_cert *c = NULL;
	struct xos_bytes v;

	must(xos_stock_sign(&alice, xos_key_spki(key), 2, T0 + 100 * DAY, T0, &c, &err), &err,
	    "stock");
	ck_assert(xos_cert_is_proxy(c));
	ck_assert(xos_bytes_eq(xos_cert_proxy_language(c), XOS_OID_PROXY_INHERIT_ALL));
	ck_assert_int_eq(xos_cert_ext(c, XOS_OID_DELEGATION, &v, NULL), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_cert_path_len(c), 2);
	ck_assert_int_eq(xos_cert_not_after(c), T0 + 12 * HOUR);
	ck_assert_int_ge(xos_cert_not_before(c), xos_cert_not_before(alice.cert[0]));
	xos_cert_free(c);
}
END_TEST

START_TEST(our_verifier_and_our_tools_take_none)
{
	struct xos_verify_opts o = {
	    .now = T0, .skew = 60, .kinds = XOS_KIND_BIT(XOS_KIND_USER), .allow_delegation = true};
	struct xos_delegation d = job_delegation();
	struct xos_token_info *info = NULL;
	struct xos_identity *id = NULL;
	struct xos_chain ch = {0};
	struct xos_cert *c = NULL;

	must(xos_stock_sign(&alice, xos_key_spki(key), 3, T0 + HOUR, T0, &c, &err), &err, "stock");
	prepend(&alice, c, xos_key_ref(key), &ch);
	ck_assert_int_eq(xos_token_verify_chain(demo->trust, &ch, &o, &id, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "delegation-missing");
	o.allow_delegation = false;
	ck_assert_int_eq(xos_token_verify_chain(demo->trust, &ch, &o, &id, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "delegation-refused");
	ck_assert_int_eq(xos_token_describe(&ch, T0, &info, &err), XOS_DENIED);
	ck_assert_ptr_nonnull(strstr(err.text, "stock programs"));
	/* Nor what somebody makes of it in our own form. */
	d.depth = 0;
	strcpy(d.vo, "demo");
	ck_assert_int_eq(xos_delegation_sign(&ch, xos_key_spki(key), &d, T0, &c, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "delegation-missing");
	xos_chain_clear(&ch);
}
END_TEST

START_TEST(who_signs_none)
{
	struct xos_delegation d = job_delegation();
	struct xos_chain job = {0}, node = {0}, empty = {0}, mute = {0};
	struct xos_cert *c = NULL;

	delegate_chain(&alice, &d, &job);
	refused(&job, T0, XOS_DENIED, "stock-signer");
	node_chain(demo, "n1.demo.example", &node);
	refused(&node, T0, XOS_DENIED, "stock-signer");
	refused(&empty, T0, XOS_MALFORMED, "stock-signer");
	must(xos_chain_add(&mute, alice.cert[0]), NULL, "chain");
	refused(&mute, T0, XOS_MALFORMED, "stock-signer");
	refused(&alice, T0 + 13 * HOUR, XOS_EXPIRED, "cert-expired");
	refused(&alice, T0 + 2 * HOUR, XOS_MALFORMED, "delegation");
	ck_assert_int_eq(
	    xos_stock_sign(&alice, xos_key_spki(key), 9, T0 + HOUR, T0, &c, &err), XOS_MALFORMED);
	xos_chain_clear(&mute);
	xos_chain_clear(&node);
	xos_chain_clear(&job);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("token stock");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, it_inherits_all_and_is_cut_to_the_token);
	tcase_add_test(t, our_verifier_and_our_tools_take_none);
	tcase_add_test(t, who_signs_none);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
