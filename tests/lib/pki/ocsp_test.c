/* OCSP: requests as OpenSSL makes them, answers as it checks them, and what is not answered. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ocsp.h>

#include "base/text.h"
#include "pki/issue.h"
#include "pki/ocsp.h"
#include "pki/ossl.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW INT64_C(1795000000)

static struct xos_test_vo *vo;
static struct xos_chain alice, responder; /* responder.cert[0] with its key */
static struct xos_ocsp_issuer issuer;
static struct xos_ocsp_request request;
static struct xos_buf req, res;
static struct xos_err err;

static void make_responder(const struct xos_cert *by, const struct xos_key *key)
{
	static const uint8_t null[] = {0x05, 0x00};
	const struct xos_rdn subject[] = {{XOS_RDN_O, "demo"}, {XOS_RDN_OU, "user"},
	    {XOS_RDN_OU, "responder"}, {XOS_RDN_CN, "ocsp"}};
	const struct xos_bytes eku[] = {XOS_EKU_OCSP};
	const struct xos_ext ext[] = {{XOS_OID_OCSP_NOCHECK, false, {null, sizeof(null)}}};
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_issuer *i = NULL;
	struct xos_cert *c = NULL;
	struct xos_buf der;

	xos_buf_init(&der, XOS_CERT_MAX);
	MUST(xos_key_generate(&responder.key, &err), &err);
	MUST(xos_issuer_new(by, key, &i, &err), &err);
	const struct xos_issue what = {.subject = subject,
	    .nsubject = 4,
	    .spki = xos_key_spki(responder.key),
	    .not_before = NOW - 60,
	    .not_after = NOW + 86400,
	    .key_usage = XOS_KU_DIGITAL_SIGNATURE,
	    .eku = eku,
	    .neku = 1,
	    .exts = ext,
	    .nexts = 1};
	MUST(xos_issue_cert(i, &what, serial, &der, &err), &err);
	MUST(xos_cert_parse(xos_buf_bytes(&der), &c, &err), &err);
	MUST(xos_chain_add(&responder, c), &err);
	xos_cert_free(c);
	xos_issuer_free(i);
	xos_buf_free(&der);
}

static void setup(void)
{
	const struct xos_test_who who = {.name = "alice"};

	vo = xos_test_vo_new("demo", "lab", NOW);
	err = (struct xos_err)XOS_ERR_INIT;
	xos_test_member(vo, &who, &alice);
	make_responder(vo->ca, vo->ca_key);
	MUST(xos_ocsp_issuer_init(vo->ca, &issuer, &err), &err);
	xos_buf_init(&req, 65536);
	xos_buf_init(&res, XOS_OCSP_RESPONSE_MAX);
}

static void teardown(void)
{
	xos_buf_free(&req);
	xos_buf_free(&res);
	xos_chain_clear(&alice);
	xos_chain_clear(&responder);
	xos_test_vo_free(vo);
}

static X509 *x509(const struct xos_cert *c)
{
	const unsigned char *p = xos_cert_der(c).p;
	X509 *x = d2i_X509(NULL, &p, (long)xos_cert_der(c).n);

	ck_assert_ptr_nonnull(x);
	return x;
}

static OCSP_CERTID *id_of(const struct xos_cert *c, const struct xos_cert *by, const EVP_MD *md)
{
	X509 *subject = x509(c), *signer = x509(by);
	OCSP_CERTID *id = OCSP_cert_to_id(md, subject, signer);

	X509_free(subject);
	X509_free(signer);
	return id;
}

/* A request as `openssl ocsp` makes it, n times for the same certificate. */
static OCSP_REQUEST *make(const EVP_MD *md, size_t n, int nonce)
{
	OCSP_REQUEST *q = OCSP_REQUEST_new();
	unsigned char *der = NULL;

	for (size_t i = 0; i < n; i++)
		ck_assert_ptr_nonnull(OCSP_request_add0_id(q, id_of(alice.cert[0], vo->ca, md)));
	if (nonce)
		ck_assert_int_eq(OCSP_request_add1_nonce(q, NULL, nonce), 1);
	int len = i2d_OCSP_REQUEST(q, &der);
	ck_assert_int_gt(len, 0);
	req.n = 0;
	xos_buf_put(&req, der, (size_t)len);
	OPENSSL_free(der);
	return q;
}

static enum xos_status parse(void)
{
	return xos_ocsp_request_parse(xos_buf_bytes(&req), &request, &err);
}

static enum xos_status parse_made(const EVP_MD *md, size_t n, int nonce)
{
	OCSP_REQUEST_free(make(md, n, nonce));
	return parse();
}

static OCSP_BASICRESP *answer(enum xos_ocsp_state state)
{
	struct xos_ocsp_single single[XOS_OCSP_IDS_MAX];
	const struct xos_ocsp_answer a = {
	    .request = &request, .single = single, .this_update = NOW, .next_update = NOW + 600};
	const unsigned char *p;

	for (size_t i = 0; i < request.n; i++)
		single[i] = (struct xos_ocsp_single){state, NOW - 100, XOS_CRL_HOLD};
	res.n = 0;
	MUST(xos_ocsp_answer_sign(responder.cert[0], responder.key, &a, &res, &err), &err);
	p = res.p;
	OCSP_RESPONSE *r = d2i_OCSP_RESPONSE(NULL, &p, (long)res.n);
	ck_assert_ptr_nonnull(r);
	ck_assert_ptr_eq(p, res.p + res.n);
	ck_assert_int_eq(OCSP_response_status(r), OCSP_RESPONSE_STATUS_SUCCESSFUL);
	OCSP_BASICRESP *b = OCSP_response_get1_basic(r);
	ck_assert_ptr_nonnull(b);
	OCSP_RESPONSE_free(r);
	return b;
}

/* As a stock client: under the root, by a responder whom the issuer of the token named. */
static int verified(OCSP_BASICRESP *b, const struct xos_test_vo *v)
{
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *more = sk_X509_new_null();
	X509 *root = x509(v->root), *ca = x509(v->ca);
	X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);

	X509_VERIFY_PARAM_set_time(param, NOW);
	ck_assert_int_eq(X509_STORE_add_cert(store, root), 1);
	ck_assert_int_gt(sk_X509_push(more, ca), 0);
	int ok = OCSP_basic_verify(b, more, store, 0);
	sk_X509_free(more);
	X509_free(ca);
	X509_free(root);
	X509_STORE_free(store);
	return ok;
}

static int status_of(OCSP_BASICRESP *b, const struct xos_cert *c, const EVP_MD *md, int *reason)
{
	OCSP_CERTID *id = id_of(c, vo->ca, md);
	ASN1_GENERALIZEDTIME *since = NULL, *from = NULL, *to = NULL;
	int status = -1;

	if (OCSP_resp_find_status(b, id, &status, reason, &since, &from, &to) != 1)
		status = -1;
	else
		ck_assert_ptr_nonnull(to);
	OCSP_CERTID_free(id);
	return status;
}

START_TEST(a_stock_client_is_answered)
{
	const EVP_MD *md = _i & 1 ? EVP_sha256() : EVP_sha1();
	int reason = -1;
	OCSP_REQUEST *q = make(md, 1, _i & 2 ? 16 : 0);

	MUST(parse(), &err);
	ck_assert_uint_eq(request.n, 1);
	ck_assert(xos_bytes_eq(request.id[0].serial, xos_cert_serial(alice.cert[0])));
	ck_assert(xos_ocsp_id_is_of(&request.id[0], &issuer));
	ck_assert_uint_eq(request.nonce.n, _i & 2 ? 16 : 0);
	OCSP_BASICRESP *b = answer(XOS_OCSP_REVOKED);
	ck_assert_int_eq(verified(b, vo), 1);
	ck_assert_int_eq(OCSP_check_nonce(q, b), _i & 2 ? 1 : 2);
	ck_assert_int_eq(status_of(b, alice.cert[0], md, &reason), V_OCSP_CERTSTATUS_REVOKED);
	ck_assert_int_eq(reason, OCSP_REVOKED_STATUS_CERTIFICATEHOLD);
	OCSP_BASICRESP_free(b);
	b = answer(XOS_OCSP_GOOD);
	ck_assert_int_eq(status_of(b, alice.cert[0], md, &reason), V_OCSP_CERTSTATUS_GOOD);
	OCSP_BASICRESP_free(b);
	b = answer(XOS_OCSP_UNKNOWN);
	ck_assert_int_eq(status_of(b, alice.cert[0], md, &reason), V_OCSP_CERTSTATUS_UNKNOWN);
	OCSP_BASICRESP_free(b);
	OCSP_REQUEST_free(q);
}
END_TEST

/* What a client would be shown by somebody in between. */
START_TEST(an_answer_proves_nothing_else)
{
	const struct xos_test_who who = {.name = "mallory"};
	struct xos_chain mallory = {.n = 0};
	int reason = -1;
	OCSP_REQUEST *q;

	xos_test_member(vo, &who, &mallory);
	MUST(parse_made(EVP_sha1(), 1, 0), &err);
	OCSP_BASICRESP *b = answer(XOS_OCSP_GOOD);
	ck_assert_int_eq(status_of(b, mallory.cert[0], EVP_sha1(), &reason), -1);
	q = make(EVP_sha1(), 1, 16);
	ck_assert_int_eq(
	    OCSP_check_nonce(q, b), -1); /* an answer of before for who asks with a nonce */
	OCSP_BASICRESP_free(b);
	MUST(parse_made(EVP_sha1(), 1, 16), &err);
	b = answer(XOS_OCSP_GOOD);
	ck_assert_int_eq(OCSP_check_nonce(q, b), 0);
	OCSP_REQUEST_free(q);
	OCSP_BASICRESP_free(b);
	/* Every byte of it counts. */
	for (size_t i = 0; i < res.n; i++) {
		const unsigned char *p = res.p;

		res.p[i] ^= 1;
		OCSP_RESPONSE *r = d2i_OCSP_RESPONSE(NULL, &p, (long)res.n);
		b = r && p == res.p + res.n &&
		            OCSP_response_status(r) == OCSP_RESPONSE_STATUS_SUCCESSFUL
		        ? OCSP_response_get1_basic(r)
		        : NULL;
		ck_assert_msg(!b || verified(b, vo) != 1, "byte %zu", i);
		OCSP_BASICRESP_free(b);
		OCSP_RESPONSE_free(r);
		res.p[i] ^= 1;
	}
	/* Nor may another authority of the same VO answer for this one. */
	xos_chain_clear(&responder);
	make_responder(vo->rca, vo->rca_key);
	b = answer(XOS_OCSP_GOOD);
	ck_assert_int_ne(verified(b, vo), 1);
	OCSP_BASICRESP_free(b);
	/* Or a member with a token. */
	xos_chain_clear(&responder);
	MUST(xos_chain_add(&responder, mallory.cert[0]), &err);
	responder.key = xos_key_ref(mallory.key);
	b = answer(XOS_OCSP_GOOD);
	ck_assert_int_ne(verified(b, vo), 1);
	OCSP_BASICRESP_free(b);
	xos_chain_clear(&mallory);
}
END_TEST

START_TEST(several_certificates_and_no_more)
{
	OCSP_BASICRESP *b;

	MUST(parse_made(EVP_sha1(), XOS_OCSP_IDS_MAX, 0), &err);
	ck_assert_uint_eq(request.n, XOS_OCSP_IDS_MAX);
	b = answer(XOS_OCSP_GOOD);
	ck_assert_int_eq(OCSP_resp_count(b), XOS_OCSP_IDS_MAX);
	OCSP_BASICRESP_free(b);
	ck_assert_int_eq(parse_made(EVP_sha1(), XOS_OCSP_IDS_MAX + 1, 0), XOS_LIMIT);
	ck_assert_uint_eq(request.n, 0);
}
END_TEST

START_TEST(another_issuer_is_not_ours)
{
	struct xos_ocsp_issuer rca;

	MUST(xos_ocsp_issuer_init(vo->rca, &rca, &err), &err);
	MUST(parse_made(EVP_sha1(), 1, 0), &err);
	ck_assert(!xos_ocsp_id_is_of(&request.id[0], &rca));
	MUST(parse_made(EVP_sha256(), 1, 0), &err);
	ck_assert(!xos_ocsp_id_is_of(&request.id[0], &rca));
}
END_TEST

START_TEST(malformed_requests)
{
	MUST(parse_made(EVP_sha256(), 2, 32), &err);
	size_t whole = req.n;
	for (size_t n = 0; n < whole; n++) {
		req.n = n;
		ck_assert_int_eq(parse(), XOS_MALFORMED);
	}
	req.n = whole;
	xos_buf_u8(&req, 0);
	ck_assert_int_eq(parse(), XOS_MALFORMED);
	ck_assert_int_eq(parse_made(EVP_sha1(), 1, 33), XOS_MALFORMED); /* nonce too long */
	ck_assert_int_eq(parse_made(EVP_sha512(), 1, 0), XOS_MALFORMED);
	ck_assert_int_eq(parse_made(EVP_sha1(), 0, 0), XOS_MALFORMED);
	ck_assert_int_eq(parse_made(EVP_sha1(), 1, 4000), XOS_LIMIT); /* giant */
	/* A critical extension; the same not critical is of no interest. */
	for (int critical = 0; critical < 2; critical++) {
		OCSP_REQUEST *q = make(EVP_sha1(), 1, 0);
		unsigned char *der = NULL;
		ASN1_OCTET_STRING *v = ASN1_OCTET_STRING_new();
		ASN1_OCTET_STRING_set(v, (const unsigned char *)"\5\0", 2);
		X509_EXTENSION *x = X509_EXTENSION_create_by_NID(
		    NULL, NID_id_pkix_OCSP_serviceLocator, critical, v);
		ck_assert_int_eq(OCSP_REQUEST_add_ext(q, x, -1), 1);
		int len = i2d_OCSP_REQUEST(q, &der);
		req.n = 0;
		xos_buf_put(&req, der, (size_t)len);
		ck_assert_int_eq(parse(), critical ? XOS_MALFORMED : XOS_OK);
		OPENSSL_free(der);
		X509_EXTENSION_free(x);
		ASN1_OCTET_STRING_free(v);
		OCSP_REQUEST_free(q);
	}
}
END_TEST

START_TEST(the_form_in_a_url)
{
	struct xos_buf text, der;

	MUST(parse_made(EVP_sha1(), 1, 0), &err);
	xos_buf_init(&text, 65536);
	xos_buf_init(&der, XOS_OCSP_REQUEST_MAX);
	xos_base64_encode(&text, xos_buf_bytes(&req));
	MUST(xos_ocsp_request_from_base64(xos_buf_str(&text), &der, &request, &err), &err);
	ck_assert(xos_bytes_eq(request.id[0].serial, xos_cert_serial(alice.cert[0])));
	der.n = 0;
	ck_assert_int_eq(
	    xos_ocsp_request_from_base64("not base64!", &der, &request, &err), XOS_MALFORMED);
	text.n = 0;
	for (int i = 0; i < 4000; i++)
		xos_buf_put_str(&text, "A");
	ck_assert_int_eq(
	    xos_ocsp_request_from_base64(xos_buf_str(&text), &der, &request, &err), XOS_LIMIT);
	xos_buf_free(&text);
	xos_buf_free(&der);
}
END_TEST

START_TEST(failures_are_five_bytes)
{
	const unsigned char *p;

	xos_ocsp_failure_put(&res, XOS_OCSP_UNAUTHORIZED);
	p = res.p;
	OCSP_RESPONSE *r = d2i_OCSP_RESPONSE(NULL, &p, (long)res.n);
	ck_assert_int_eq(OCSP_response_status(r), OCSP_RESPONSE_STATUS_UNAUTHORIZED);
	OCSP_RESPONSE_free(r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ocsp");
	TCase *t = tcase_create("ocsp");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120); /* every byte is changed once */
	tcase_add_loop_test(t, a_stock_client_is_answered, 0, 4);
	tcase_add_test(t, an_answer_proves_nothing_else);
	tcase_add_test(t, several_certificates_and_no_more);
	tcase_add_test(t, another_issuer_is_not_ours);
	tcase_add_test(t, malformed_requests);
	tcase_add_test(t, the_form_in_a_url);
	tcase_add_test(t, failures_are_five_bytes);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
