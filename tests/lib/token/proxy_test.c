/*
 * Proxies that a thief of a key could make with any X.509 library, each wrong in its form: names that do
 * not continue the signer's, alternative names, an authority's bits, what only a token may carry.
 */

#include <check.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "fixture.h"
#include "pki/ossl.h"
#include "token/oid.h"

static struct vo *demo;
static struct xos_err err;
static struct xos_chain alice;

static void setup(void)
{
	demo = vo_new("demo");
	user_chain(demo, "alice", &alice);
	memset(&err, 0, sizeof(err));
}

static void teardown(void)
{
	xos_chain_clear(&alice);
	vo_free(demo);
}

/* A good proxy, to be spoilt before it is signed. */
static X509 *draft(const struct xos_key *key)
{
	struct xos_delegation d = job_delegation();
	struct xos_cert *c = NULL;
	X509 *x;

	must(xos_delegation_sign(&alice, xos_key_spki(key), &d, T0, &c, &err), &err, "delegation");
	x = X509_dup(xos_cert_ossl(c));
	ck_assert_ptr_nonnull(x);
	xos_cert_free(c);
	return x;
}

static enum xos_status judge(X509 *x, struct xos_key *key)
{
	const struct xos_verify_opts o = {
	    .now = T0, .skew = 60, .kinds = XOS_KIND_BIT(XOS_KIND_USER), .allow_delegation = true};
	struct xos_identity *id = NULL;
	struct xos_chain ch = {0};
	struct xos_cert *c = NULL;
	uint8_t *der = NULL;
	enum xos_status st;
	int n;

	ck_assert_int_gt(X509_sign(x, xos_key_ossl(alice.key), EVP_sha256()), 0);
	n = i2d_X509(x, &der);
	st = xos_cert_parse((struct xos_bytes){der, (size_t)n}, &c, &err);
	if (st == XOS_OK) {
		prepend(&alice, c, key, &ch);
		st = xos_token_verify_chain(demo->trust, &ch, &o, &id, &err);
		xos_chain_clear(&ch);
	} else {
		xos_key_free(key);
	}
	xos_identity_free(id);
	OPENSSL_free(der);
	X509_free(x);
	return st;
}

static void add(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	ck_assert(e && X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
}

static void add_raw(X509 *x, const char *oid, int critical)
{
	static const unsigned char null[] = {0x05, 0x00};
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *os = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e;

	ck_assert(ASN1_OCTET_STRING_set(os, null, sizeof(null)));
	e = X509_EXTENSION_create_by_OBJ(NULL, obj, critical, os);
	ck_assert(e && X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(os);
	ASN1_OBJECT_free(obj);
}

START_TEST(the_draft_is_good)
{
	struct xos_key *key = new_key();

	ck_assert_msg(judge(draft(key), key) == XOS_OK, "%s", err.text);
}
END_TEST

START_TEST(extensions)
{
	static const struct {
		int nid;
		const char *value;
	} wrong[] = {
	    {NID_subject_alt_name, "DNS:n1.demo.example"},
	    {NID_subject_alt_name, "URI:spiffe://demo/user/bob"},
	    {NID_subject_alt_name, "URI:spiffe://demo/user/bob,URI:spiffe://demo/user/alice"},
	    {NID_issuer_alt_name, "DNS:n1.demo.example"},
	    {NID_basic_constraints, "critical,CA:TRUE"},
	    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
	};
	static const char *const raw[] = {
	    "1.2.3.4.5", XOS_OID_ARC_TEXT ".99", "1.3.6.1.5.5.7.1.28"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct xos_key *key = new_key();
		X509 *x = draft(key);

		add(x, wrong[i].nid, wrong[i].value);
		ck_assert_msg(judge(x, key) != XOS_OK, "%s", wrong[i].value);
	}
	for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++) {
		struct xos_key *key = new_key();
		X509 *x = draft(key);

		add_raw(x, raw[i], 1);
		ck_assert_msg(judge(x, key) != XOS_OK, "critical %s", raw[i]);
	}
	for (int again = 0; again < 3; again++) { /* each of ours again, and a token's */
		static const char *const ours[] = {
		    XOS_OID_ARC_TEXT ".1", XOS_OID_ARC_TEXT ".2", XOS_OID_ARC_TEXT ".3"};
		struct xos_key *key = new_key();
		X509 *x = draft(key);

		add_raw(x, ours[again], 0);
		ck_assert_msg(judge(x, key) != XOS_OK, "%s", ours[again]);
	}
}
END_TEST

static X509_NAME *name_of(const char *const *parts, size_t n, int type, int last_set)
{
	static const char *const keys[] = {"O", "OU", "CN", "CN", "CN"};
	X509_NAME *name = X509_NAME_new();

	for (size_t i = 0; i < n; i++)
		ck_assert(X509_NAME_add_entry_by_txt(name, keys[i], type,
		    (const unsigned char *)parts[i], -1, -1, i + 1 == n ? last_set : 0));
	return name;
}

START_TEST(names)
{
	static const struct {
		const char *parts[5];
		size_t n;
		int last_set; /* -1: into the same RDN as the one before */
	} wrong[] = {
	    {{"demo", "user", "alice"}, 3, 0},
	    {{"demo", "user", "alice", "1", "2"}, 5, 0},
	    {{"demo", "user", "bob", "1"}, 4, 0},
	    {{"demo", "node", "alice", "1"}, 4, 0},
	    {{"other", "user", "alice", "1"}, 4, 0},
	    {{"demo", "user", "alice", "1"}, 4, -1},
	    {{"demo", "user", "alice", "1", "2"}, 5, -1},
	    {{"demo"}, 1, 0},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		X509_NAME *name =
		    name_of(wrong[i].parts, wrong[i].n, MBSTRING_UTF8, wrong[i].last_set);
		struct xos_key *key = new_key();
		X509 *x = draft(key);

		ck_assert(X509_set_subject_name(x, name));
		ck_assert_msg(judge(x, key) != XOS_OK, "name %zu", i);
		X509_NAME_free(name);
	}
	X509_NAME *empty = X509_NAME_new();
	struct xos_key *key = new_key();
	X509 *x = draft(key);
	ck_assert(X509_set_subject_name(x, empty));
	ck_assert_int_ne(judge(x, key), XOS_OK);
	X509_NAME_free(empty);
}
END_TEST

START_TEST(numbers_and_times)
{
	static const long serials[] = {0, -1, -4711};

	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		struct xos_key *key = new_key();
		X509 *x = draft(key);

		ck_assert(ASN1_INTEGER_set(X509_get_serialNumber(x), serials[i]));
		ck_assert_int_eq(judge(x, key), XOS_MALFORMED);
	}
	struct xos_key *key = new_key();
	X509 *x = draft(key);
	ASN1_TIME_set(X509_getm_notBefore(x), T0 + 3600); /* not yet, and past its own end */
	ck_assert_int_ne(judge(x, key), XOS_OK);
	key = new_key();
	x = draft(key);
	ck_assert(X509_set_version(x, 0));
	ck_assert_int_eq(judge(x, key), XOS_MALFORMED);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("token proxy");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_draft_is_good);
	tcase_add_test(t, extensions);
	tcase_add_test(t, names);
	tcase_add_test(t, numbers_and_times);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
