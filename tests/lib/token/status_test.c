/* What certificates say about where their status stands, and the certificate of who answers for it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "fixture.h"
#include "pki/ocsp.h"
#include "pki/ossl.h"
#include "token/oid.h"
#include "token/responder.h"

#define BASE "http://ca.example:8080/"

static struct vo *demo;
static struct xos_points *points;
static struct xos_err err;

static void setup(void)
{
	const struct xos_points_urls urls = {
	    BASE "ocsp/demo", BASE "ca/demo/issuer.cer", BASE "crl/demo/"};

	demo = vo_new("demo");
	memset(&err, 0, sizeof(err));
	must(xos_points_new(&urls, &points, &err), &err, "points");
}

static void teardown(void)
{
	xos_points_free(points);
	vo_free(demo);
}

static struct xos_cert *issue(struct xos_bytes spki, struct xos_issuer *issuer)
{
	struct xos_claims *claims = user_claims("demo", "alice");
	const struct xos_token_request r = {.claims = claims,
	    .spki = spki,
	    .not_before = T0 - 300,
	    .not_after = T0 + HOUR,
	    .points = points};
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_cert *c = NULL;
	struct xos_buf der;

	xos_buf_init(&der, XOS_CERT_MAX);
	must(xos_token_issue(issuer, &r, serial, &der, &err), &err, "token");
	must(xos_cert_parse(xos_buf_bytes(&der), &c, &err), &err, "parse");
	xos_buf_free(&der);
	xos_claims_free(claims);
	return c;
}

static enum xos_status verify(const struct xos_cert *leaf, struct xos_identity **id)
{
	const struct xos_verify_opts o = {
	    .now = T0, .skew = 60, .kinds = XOS_KINDS_ALL, .allow_delegation = true};
	struct xos_bytes der[] = {xos_cert_der(leaf), xos_cert_der(demo->user_ca)};

	return xos_token_verify(demo->trust, der, 2, &o, id, &err);
}

static void expect_uri(const GENERAL_NAME *n, const char *want)
{
	ck_assert_int_eq(n->type, GEN_URI);
	ck_assert_str_eq((const char *)ASN1_STRING_get0_data(n->d.ia5), want);
}

/* As OpenSSL reads it: the part of the list is the serial's. */
static void check_points(const struct xos_cert *c)
{
	X509 *x = xos_cert_ossl(c);
	STACK_OF(DIST_POINT) *dp = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
	AUTHORITY_INFO_ACCESS *ia = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
	struct xos_bytes serial = xos_cert_serial(c);
	char want[128];

	snprintf(want, sizeof(want), BASE "crl/demo/%02x.crl", serial.p[serial.n - 1] & 63);
	ck_assert_int_eq(sk_DIST_POINT_num(dp), 1);
	expect_uri(
	    sk_GENERAL_NAME_value(sk_DIST_POINT_value(dp, 0)->distpoint->name.fullname, 0), want);
	ck_assert_str_eq(xos_points_crl(points, xos_points_shard(serial)), want);
	ck_assert_int_eq(sk_ACCESS_DESCRIPTION_num(ia), 2);
	const ACCESS_DESCRIPTION *ocsp = sk_ACCESS_DESCRIPTION_value(ia, 0);
	const ACCESS_DESCRIPTION *ca = sk_ACCESS_DESCRIPTION_value(ia, 1);
	ck_assert_int_eq(OBJ_obj2nid(ocsp->method), NID_ad_OCSP);
	expect_uri(ocsp->location, BASE "ocsp/demo");
	ck_assert_int_eq(OBJ_obj2nid(ca->method), NID_ad_ca_issuers);
	expect_uri(ca->location, BASE "ca/demo/issuer.cer");
	sk_DIST_POINT_pop_free(dp, DIST_POINT_free);
	AUTHORITY_INFO_ACCESS_free(ia);
}

START_TEST(a_token_says_where_its_status_stands)
{
	struct xos_key *key = new_key();
	struct xos_identity *id = NULL;

	for (int i = 0; i < 20; i++) {
		struct xos_cert *c = issue(xos_key_spki(key), demo->user_issuer);

		check_points(c);
		ck_assert_msg(verify(c, &id) == XOS_OK, "%s", err.text);
		xos_identity_free(id);
		xos_cert_free(c);
	}
	xos_key_free(key);
}
END_TEST

START_TEST(urls_that_no_certificate_carries)
{
	static const char *const bad[] = {
	    "https://ca.example/", "http://", "http://a b/", "http://a/\n", "ldap://x/", ""};
	struct xos_points *p = NULL;
	char url[XOS_POINTS_URL_MAX + 2] = "http://";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct xos_points_urls urls = {bad[i], "http://a/b", "http://a/c/"};

		ck_assert_int_eq(xos_points_new(&urls, &p, &err), XOS_MALFORMED);
		ck_assert_ptr_null(p);
	}
	memset(url + 7, 'a', sizeof(url) - 8);
	struct xos_points_urls urls = {"http://a/b", "http://a/b", url};
	ck_assert_int_eq(xos_points_new(&urls, &p, &err), XOS_MALFORMED);
}
END_TEST

/* Whoever holds the key of the responder is nobody: not as itself, and not as who delegates. */
START_TEST(a_responder_is_no_member)
{
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_key *key = new_key(), *next = new_key();
	const struct xos_issue_proxy what = {.spki = xos_key_spki(next),
	    .not_before = T0 - 60,
	    .not_after = T0 + HOUR,
	    .language = XOS_OID_PROXY_LANGUAGE};
	const struct xos_verify_opts o = {
	    .now = T0, .skew = 60, .kinds = XOS_KINDS_ALL, .allow_delegation = true};
	struct xos_issuer *as_signer = NULL;
	struct xos_identity *id = NULL;
	struct xos_cert *c = NULL;
	struct xos_buf der, proxy;

	xos_buf_init(&der, XOS_CERT_MAX);
	xos_buf_init(&proxy, XOS_CERT_MAX);
	must(xos_responder_issue(demo->user_issuer, "demo", xos_key_spki(key), T0 - 60, T0 + DAY,
	         serial, &der, &err),
	    &err, "responder");
	must(xos_cert_parse(xos_buf_bytes(&der), &c, &err), &err, "parse");
	ck_assert(xos_cert_has_eku(c, XOS_EKU_OCSP));
	ck_assert(!xos_cert_has_eku(c, XOS_EKU_CLIENT_AUTH));
	ck_assert_int_eq(verify(c, &id), XOS_DENIED);
	ck_assert_str_eq(err.code, "token-missing");
	must(xos_issuer_new(c, key, &as_signer, &err), &err, "signer");
	must(xos_issue_proxy(as_signer, &what, &proxy, &err), &err, "proxy");
	const struct xos_bytes ders[] = {
	    xos_buf_bytes(&proxy), xos_buf_bytes(&der), xos_cert_der(demo->user_ca)};
	ck_assert_int_eq(xos_token_verify(demo->trust, ders, 3, &o, &id, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "token-missing");
	xos_issuer_free(as_signer);
	xos_cert_free(c);
	xos_key_free(next);
	xos_key_free(key);
	xos_buf_free(&proxy);
	xos_buf_free(&der);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("status of tokens");
	TCase *t = tcase_create("status");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_token_says_where_its_status_stands);
	tcase_add_test(t, urls_that_no_certificate_carries);
	tcase_add_test(t, a_responder_is_no_member);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
