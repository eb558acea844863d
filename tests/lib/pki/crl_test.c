/* Revocation lists: what we sign, as OpenSSL and we read it, and what is not taken for one. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "pki/crl.h"
#include "pki/ossl.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW INT64_C(1795000000)
#define URI "http://ca.example/crl/demo/2a.crl"

static struct xos_test_vo *vo;
static struct xos_buf out;
static struct xos_err err;

static const uint8_t one[] = {0x41, 2, 3}, high[] = {0x9f, 0xff}, other[] = {0x41, 2, 4};
static const struct xos_crl_entry entries[] = {
    {{one, sizeof(one)}, NOW - 10, XOS_CRL_HOLD},
    {{high, sizeof(high)}, NOW - 20, XOS_CRL_AFFILIATION_CHANGED},
};

static struct xos_crl_fields fields(void)
{
	return (struct xos_crl_fields){.this_update = NOW,
	    .next_update = NOW + 3600,
	    .number = UINT64_C(0x80fefdfcfbfaf9f8),
	    .uri = URI,
	    .only_users = true,
	    .entries = entries,
	    .n = 2};
}

static void setup(void)
{
	vo = xos_test_vo_new("demo", "lab", NOW);
	xos_buf_init(&out, XOS_CRL_MAX);
	err = (struct xos_err)XOS_ERR_INIT;
}

static void teardown(void)
{
	xos_buf_free(&out);
	xos_test_vo_free(vo);
}

static void sign(const struct xos_crl_fields *f)
{
	xos_buf_free(&out);
	xos_buf_init(&out, XOS_CRL_MAX);
	MUST(xos_crl_sign(vo->ca, vo->ca_key, f, &out, &err), &err);
}

static enum xos_status take(struct xos_bytes der, const struct xos_cert *issuer, int64_t now)
{
	struct xos_crl *c = NULL;
	enum xos_status st = xos_crl_parse(der, &c, &err);

	ck_assert((st == XOS_OK) == (c != NULL));
	if (st == XOS_OK)
		st = xos_crl_verify(c, issuer, now, 0, &err);
	xos_crl_free(c);
	return st;
}

static X509_CRL *stock(void)
{
	const unsigned char *p = out.p;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)out.n);

	ck_assert_ptr_nonnull(crl);
	ck_assert_ptr_eq(p, out.p + out.n);
	ck_assert_int_eq(X509_CRL_verify(crl, xos_key_ossl(vo->ca_key)), 1);
	ck_assert_int_eq(X509_CRL_get_version(crl), 1);
	return crl;
}

static int reason_of(X509_CRL *crl, const uint8_t *serial, size_t n)
{
	BIGNUM *bn = BN_bin2bn(serial, (int)n, NULL);
	ASN1_INTEGER *number = BN_to_ASN1_INTEGER(bn, NULL);
	X509_REVOKED *r = NULL;
	ASN1_ENUMERATED *e;
	int reason = -1;

	if (X509_CRL_get0_by_serial(crl, &r, number)) {
		e = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, NULL, NULL);
		reason = e ? (int)ASN1_ENUMERATED_get(e) : 0;
		ASN1_ENUMERATED_free(e);
	}
	ASN1_INTEGER_free(number);
	BN_free(bn);
	return reason;
}

START_TEST(a_stock_program_reads_it)
{
	struct xos_crl_fields f = fields();
	ISSUING_DIST_POINT *idp;
	const GENERAL_NAME *name;
	ASN1_INTEGER *number;
	uint64_t v = 0;
	int critical = -1;

	sign(&f);
	X509_CRL *crl = stock();
	ck_assert_int_eq(reason_of(crl, one, sizeof(one)), 6);
	ck_assert_int_eq(reason_of(crl, high, sizeof(high)), 3);
	ck_assert_int_eq(reason_of(crl, other, sizeof(other)), -1);
	number = X509_CRL_get_ext_d2i(crl, NID_crl_number, &critical, NULL);
	ck_assert(ASN1_INTEGER_get_uint64(&v, number) && v == f.number && critical == 0);
	idp = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);
	ck_assert_ptr_nonnull(idp);
	ck_assert_int_eq(critical, 1);
	ck_assert_int_eq(idp->onlyuser, 0xff);
	name = sk_GENERAL_NAME_value(idp->distpoint->name.fullname, 0);
	ck_assert_int_eq(name->type, GEN_URI);
	ck_assert_str_eq((const char *)ASN1_STRING_get0_data(name->d.ia5), URI);
	AUTHORITY_KEYID *aki = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);
	ck_assert(aki && aki->keyid && !aki->issuer);
	AUTHORITY_KEYID_free(aki);
	ISSUING_DIST_POINT_free(idp);
	ASN1_INTEGER_free(number);
	X509_CRL_free(crl);
	f = (struct xos_crl_fields){.this_update = NOW, .next_update = NOW + 1};
	sign(&f);
	crl = stock();
	ck_assert_ptr_null(X509_CRL_get_REVOKED(crl));
	X509_CRL_free(crl);
}
END_TEST

START_TEST(what_is_signed_is_what_is_read)
{
	struct xos_crl_fields f = fields();
	struct xos_crl *c = NULL;

	sign(&f);
	MUST(xos_crl_parse(xos_buf_bytes(&out), &c, &err), &err);
	ck_assert_int_eq(xos_crl_this_update(c), NOW);
	ck_assert_int_eq(xos_crl_next_update(c), NOW + 3600);
	ck_assert(xos_crl_number(c) == f.number);
	ck_assert_str_eq(xos_crl_uri(c), URI);
	ck_assert(xos_crl_only_users(c));
	ck_assert_uint_eq(xos_crl_count(c), 2);
	ck_assert_int_eq(xos_crl_find(c, entries[0].serial)->reason, XOS_CRL_HOLD);
	ck_assert_int_eq(xos_crl_find(c, entries[1].serial)->since, NOW - 20);
	ck_assert_ptr_null(xos_crl_find(c, (struct xos_bytes){other, sizeof(other)}));
	MUST(xos_crl_verify(c, vo->ca, NOW + 3600, 0, &err), &err);
	xos_crl_free(c);
	f = (struct xos_crl_fields){.this_update = NOW, .next_update = NOW + 1};
	sign(&f);
	MUST(xos_crl_parse(xos_buf_bytes(&out), &c, &err), &err);
	ck_assert_ptr_null(xos_crl_uri(c));
	ck_assert_ptr_null(xos_crl_find(c, entries[0].serial));
	xos_crl_free(c);
}
END_TEST

START_TEST(neither_others_nor_old_ones_count)
{
	struct xos_crl_fields f = fields();

	sign(&f);
	struct xos_bytes der = xos_buf_bytes(&out);
	ck_assert_int_eq(take(der, vo->ca, NOW), XOS_OK);
	ck_assert_int_eq(take(der, vo->rca, NOW), XOS_DENIED);
	ck_assert_str_eq(err.code, "crl-issuer");
	struct xos_test_vo *twin = xos_test_vo_new("demo", "lab", NOW);
	ck_assert_int_eq(take(der, twin->ca, NOW), XOS_DENIED); /* the same name, another key */
	xos_test_vo_free(twin);
	ck_assert_int_eq(take(der, vo->ca, NOW + 3601), XOS_EXPIRED);
	ck_assert_int_eq(take(der, vo->ca, NOW - 1), XOS_NOT_YET_VALID);
	ck_assert_int_eq(xos_crl_sign(vo->ca, vo->rca_key, &f, &out, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_crl_sign(vo->policy, vo->policy_key, &f, &out, &err), XOS_DENIED);
}
END_TEST

START_TEST(damaged_ones_are_refused)
{
	struct xos_crl_fields f = fields();
	uint8_t copy[1024];

	sign(&f);
	ck_assert_uint_lt(out.n, sizeof(copy));
	for (size_t n = 0; n < out.n; n++)
		ck_assert_int_eq(take((struct xos_bytes){out.p, n}, vo->ca, NOW), XOS_MALFORMED);
	memcpy(copy, out.p, out.n);
	copy[out.n] = 0;
	ck_assert_int_eq(take((struct xos_bytes){copy, out.n + 1}, vo->ca, NOW), XOS_MALFORMED);
	for (size_t i = 0; i < out.n; i++) {
		copy[i] ^= 1;
		ck_assert_int_ne(take((struct xos_bytes){copy, out.n}, vo->ca, NOW), XOS_OK);
		copy[i] ^= 1;
	}
	ck_assert_int_eq(take((struct xos_bytes){copy, out.n}, vo->ca, NOW), XOS_OK);
}
END_TEST

START_TEST(what_may_not_stand_in_a_list)
{
	struct xos_crl_entry twice[] = {entries[0], entries[0]};
	struct xos_crl_fields f = fields();
	static const uint8_t idp[] = {0x55, 0x1d, 0x1c};

	f.entries = twice;
	sign(&f);
	ck_assert_int_eq(take(xos_buf_bytes(&out), vo->ca, NOW), XOS_MALFORMED);
	/* The critical extension as another one: a delta list. */
	f = fields();
	sign(&f);
	uint8_t *at = memmem(out.p, out.n, idp, sizeof(idp));
	ck_assert_ptr_nonnull(at);
	at[2] = 0x1b;
	ck_assert_int_eq(take(xos_buf_bytes(&out), vo->ca, NOW), XOS_MALFORMED);
	twice[1].reason = 8;
	f.entries = &twice[1];
	f.n = 1;
	ck_assert_int_eq(xos_crl_sign(vo->ca, vo->ca_key, &f, &out, &err), XOS_MALFORMED);
	twice[1] = (struct xos_crl_entry){XOS_BYTES_NONE, NOW, XOS_CRL_HOLD};
	ck_assert_int_eq(xos_crl_sign(vo->ca, vo->ca_key, &f, &out, &err), XOS_MALFORMED);
	f = fields();
	f.next_update = NOW;
	ck_assert_int_eq(xos_crl_sign(vo->ca, vo->ca_key, &f, &out, &err), XOS_MALFORMED);
	f = fields();
	f.uri = "http://a b";
	ck_assert_int_eq(xos_crl_sign(vo->ca, vo->ca_key, &f, &out, &err), XOS_MALFORMED);
	f = fields();
	f.n = XOS_CRL_ENTRIES_MAX + 1;
	ck_assert_int_eq(xos_crl_sign(vo->ca, vo->ca_key, &f, &out, &err), XOS_LIMIT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("revocation lists");
	TCase *t = tcase_create("crl");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120); /* every byte is changed once */
	tcase_add_test(t, a_stock_program_reads_it);
	tcase_add_test(t, what_is_signed_is_what_is_read);
	tcase_add_test(t, neither_others_nor_old_ones_count);
	tcase_add_test(t, damaged_ones_are_refused);
	tcase_add_test(t, what_may_not_stand_in_a_list);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
