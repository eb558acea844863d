/* Certificates and paths that other software made, good and bad. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "pki/chain.h"
#include "pki/issue.h"
#include "pki/ossl.h"

#define T0 ((int64_t)1800000000)
#define DAY 86400

static struct xos_err err;

/* A certificate to be made with OpenSSL. */
struct spec {
	const char *cn;
	EVP_PKEY *key;
	const struct xos_cert *issuer; /* NULL: self-signed */
	EVP_PKEY *signer;
	const EVP_MD *md;
	bool ca;
	long path_len; /* -1: none */
	int64_t from, to;
	const char *critical; /* dotted OID of a critical extension with a NULL in it */
	long version;
};

static struct spec defaults(
    const char *cn, EVP_PKEY *key, const struct xos_cert *issuer, EVP_PKEY *signer)
{
	return (struct spec){.cn = cn,
	    .key = key,
	    .issuer = issuer,
	    .signer = signer ? signer : key,
	    .md = EVP_sha256(),
	    .path_len = -1,
	    .from = T0 - DAY,
	    .to = T0 + DAY,
	    .version = 2};
}

static void add_usage(X509 *x, bool ca)
{
	ASN1_BIT_STRING *ku = ASN1_BIT_STRING_new();

	ASN1_BIT_STRING_set_bit(ku, ca ? 5 : 0, 1);
	ck_assert(X509_add1_ext_i2d(x, NID_key_usage, ku, 1, X509V3_ADD_DEFAULT));
	ASN1_BIT_STRING_free(ku);
}

static void add_ids(X509 *x, const struct spec *s)
{
	ASN1_OCTET_STRING *ski = ASN1_OCTET_STRING_new();
	AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n;

	ck_assert(X509_pubkey_digest(x, EVP_sha256(), md, &n));
	ASN1_OCTET_STRING_set(ski, md, 20);
	ck_assert(X509_add1_ext_i2d(x, NID_subject_key_identifier, ski, 0, X509V3_ADD_DEFAULT));
	if (s->issuer) {
		aki->keyid =
		    ASN1_OCTET_STRING_dup(X509_get0_subject_key_id(xos_cert_ossl(s->issuer)));
		ck_assert(
		    X509_add1_ext_i2d(x, NID_authority_key_identifier, aki, 0, X509V3_ADD_DEFAULT));
	}
	ASN1_OCTET_STRING_free(ski);
	AUTHORITY_KEYID_free(aki);
}

static void add_basic(X509 *x, const struct spec *s)
{
	BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();

	bc->ca = s->ca ? 0xff : 0;
	if (s->path_len >= 0) {
		bc->pathlen = ASN1_INTEGER_new();
		ASN1_INTEGER_set(bc->pathlen, s->path_len);
	}
	ck_assert(X509_add1_ext_i2d(x, NID_basic_constraints, bc, 1, X509V3_ADD_DEFAULT));
	BASIC_CONSTRAINTS_free(bc);
}

static void add_critical(X509 *x, const char *dotted)
{
	static const unsigned char null[] = {0x05, 0x00};
	ASN1_OBJECT *obj = OBJ_txt2obj(dotted, 1);
	ASN1_OCTET_STRING *os = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e;

	ASN1_OCTET_STRING_set(os, null, sizeof(null));
	e = X509_EXTENSION_create_by_OBJ(NULL, obj, 1, os);
	ck_assert(e && X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(os);
	ASN1_OBJECT_free(obj);
}

static X509 *build(const struct spec *s)
{
	static long serial = 1000;
	X509 *x = X509_new();
	X509_NAME *name = X509_NAME_new();

	ck_assert(X509_set_version(x, s->version));
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"t", -1, -1, 0);
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_UTF8, (const unsigned char *)s->cn, -1, -1, 0);
	X509_set_subject_name(x, name);
	X509_set_issuer_name(x, s->issuer ? X509_get_subject_name(xos_cert_ossl(s->issuer)) : name);
	ASN1_TIME_set(X509_getm_notBefore(x), s->from);
	ASN1_TIME_set(X509_getm_notAfter(x), s->to);
	ck_assert(X509_set_pubkey(x, s->key));
	if (s->version == 2) {
		add_basic(x, s);
		add_usage(x, s->ca);
		add_ids(x, s);
		if (s->critical)
			add_critical(x, s->critical);
	}
	ck_assert_int_gt(X509_sign(x, s->signer, s->md), 0);
	X509_NAME_free(name);
	return x;
}

static enum xos_status try_make(const struct spec *s, struct xos_cert **out)
{
	X509 *x = build(s);
	uint8_t *der = NULL;
	int n = i2d_X509(x, &der);
	enum xos_status st = xos_cert_parse((struct xos_bytes){der, (size_t)n}, out, &err);

	OPENSSL_free(der);
	X509_free(x);
	return st;
}

static struct xos_cert *make(const struct spec *s)
{
	struct xos_cert *c = NULL;
	enum xos_status st = try_make(s, &c);

	ck_assert_msg(st == XOS_OK, "%s", err.text);
	return c;
}

static EVP_PKEY *ec(void)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

/* Verifies leaf, then mid (may be NULL), against root. */
static enum xos_status verify(const struct xos_cert *leaf, const struct xos_cert *mid,
    const struct xos_cert *root, const struct xos_chain_opts *o)
{
	struct xos_chain ch = {0};
	struct xos_path path = {0};
	enum xos_status st;

	ck_assert_int_eq(xos_chain_add(&ch, leaf), XOS_OK);
	if (mid)
		ck_assert_int_eq(xos_chain_add(&ch, mid), XOS_OK);
	st = xos_chain_verify(&ch, &root, 1, NULL, 0, o, &path, &err);
	if (st == XOS_OK) {
		ck_assert_ptr_eq(path.cert[0], leaf);
		ck_assert_ptr_eq(path.cert[path.n - 1], root);
	} else {
		ck_assert_uint_eq(path.n, 0);
	}
	xos_path_clear(&path);
	xos_chain_clear(&ch);
	return st;
}

static const struct xos_chain_opts now = {.now = T0, .skew = 0};

/* Root and leaf with keys of one type and a digest for the leaf's signature. */
static enum xos_status two(EVP_PKEY *root_key, const EVP_MD *root_md, const EVP_MD *leaf_md)
{
	EVP_PKEY *key = ec();
	struct spec s = defaults("root", root_key, NULL, NULL);
	struct xos_cert *root, *leaf;
	enum xos_status st;

	s.ca = true;
	s.md = root_md;
	root = make(&s);
	s = defaults("leaf", key, root, root_key);
	s.md = leaf_md;
	leaf = make(&s);
	st = verify(leaf, NULL, root, &now);
	xos_cert_free(root);
	xos_cert_free(leaf);
	EVP_PKEY_free(key);
	return st;
}

START_TEST(algorithms)
{
	EVP_PKEY *p256 = ec(), *p384 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	EVP_PKEY *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	struct spec s = defaults("root", small, NULL, NULL);
	struct xos_cert *c = NULL;

	ck_assert_int_eq(two(p256, EVP_sha256(), EVP_sha256()), XOS_OK);
	ck_assert_int_eq(two(p384, EVP_sha384(), EVP_sha384()), XOS_OK);
	ck_assert_int_eq(two(rsa, EVP_sha256(), EVP_sha256()), XOS_OK);
	ck_assert_int_eq(two(rsa, EVP_sha384(), EVP_sha384()), XOS_OK);
	ck_assert_int_eq(two(p256, EVP_sha256(), EVP_sha1()), XOS_DENIED);
	ck_assert_int_eq(two(rsa, EVP_sha256(), EVP_sha1()), XOS_DENIED);
	ck_assert_int_eq(two(p256, EVP_sha256(), EVP_sha512()), XOS_DENIED);
	ck_assert_str_eq(err.code, "key-algorithm");
	ck_assert_int_eq(two(rsa, EVP_sha256(), EVP_sha512()), XOS_DENIED);
	/* RSA of 1024 bits does not even become a certificate of ours. */
	ck_assert_int_eq(try_make(&s, &c), XOS_DENIED);
	ck_assert_str_eq(err.code, "key-algorithm");
	EVP_PKEY_free(p256);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(small);
}
END_TEST

START_TEST(critical_extensions)
{
	EVP_PKEY *rk = ec(), *lk = ec();
	struct spec s = defaults("root", rk, NULL, NULL);
	const struct xos_bytes mine[] = {XOS_EKU_CLIENT_AUTH, {(const uint8_t *)"\x2a\x03\x04", 3}};
	struct xos_chain_opts o = now;
	struct xos_cert *root, *leaf;

	s.ca = true;
	root = make(&s);
	s = defaults("leaf", lk, root, rk);
	s.critical = "1.2.3.4";
	leaf = make(&s);
	ck_assert_int_eq(verify(leaf, NULL, root, &o), XOS_DENIED);
	ck_assert_str_eq(err.code, "cert-critical");
	o.critical = mine;
	o.ncritical = 1; /* another one */
	ck_assert_int_eq(verify(leaf, NULL, root, &o), XOS_DENIED);
	o.ncritical = 2;
	ck_assert_int_eq(verify(leaf, NULL, root, &o), XOS_OK);
	xos_cert_free(leaf);
	xos_cert_free(root);
	EVP_PKEY_free(rk);
	EVP_PKEY_free(lk);
}
END_TEST

START_TEST(who_may_sign)
{
	EVP_PKEY *rk = ec(), *mk = ec(), *lk = ec();
	struct spec s = defaults("root", rk, NULL, NULL);
	struct xos_cert *root, *mid, *leaf, *other;
	struct xos_chain_opts shallow = {.now = T0, .max_depth = 1};

	s.ca = true;
	root = make(&s);
	s = defaults("other root", rk, NULL, NULL);
	s.ca = true;
	other = make(&s);
	s = defaults("mid", mk, root, rk);
	s.ca = true;
	mid = make(&s);
	s = defaults("leaf", lk, mid, mk);
	leaf = make(&s);
	ck_assert_int_eq(verify(leaf, mid, root, &now), XOS_OK);
	ck_assert_int_eq(verify(leaf, mid, root, &shallow), XOS_DENIED);
	ck_assert_int_eq(verify(leaf, NULL, root, &now), XOS_DENIED);
	ck_assert_str_eq(err.code, "cert-untrusted");
	ck_assert_int_eq(verify(leaf, mid, other, &now), XOS_DENIED);
	ck_assert_int_eq(verify(root, NULL, other, &now), XOS_DENIED); /* self-signed, unknown */
	xos_cert_free(mid);
	/* An end entity that signs. */
	s = defaults("mid", mk, root, rk);
	mid = make(&s);
	ck_assert_int_eq(verify(leaf, mid, root, &now), XOS_DENIED);
	xos_cert_free(mid);
	/* A root that allows no issuer below itself. */
	s = defaults("root", rk, NULL, NULL);
	s.ca = true;
	s.path_len = 0;
	xos_cert_free(root);
	root = make(&s);
	s = defaults("mid", mk, root, rk);
	s.ca = true;
	mid = make(&s);
	ck_assert_int_eq(verify(leaf, mid, root, &now), XOS_DENIED);
	ck_assert_str_eq(err.code, "cert-issuer");
	xos_cert_free(mid);
	xos_cert_free(leaf);
	xos_cert_free(root);
	xos_cert_free(other);
	EVP_PKEY_free(rk);
	EVP_PKEY_free(mk);
	EVP_PKEY_free(lk);
}
END_TEST

START_TEST(renewed_issuers_beside_expired_ones)
{
	EVP_PKEY *rk = ec(), *mk = ec(), *lk = ec();
	struct spec s = defaults("root", rk, NULL, NULL);
	struct xos_cert *root, *old, *fresh, *leaf;
	struct xos_chain ch = {0};
	struct xos_path path = {0};

	s.ca = true;
	root = make(&s);
	s = defaults("mid", mk, root, rk);
	s.ca = true;
	fresh = make(&s);
	s.to = T0 - 100;
	old = make(&s);
	s = defaults("leaf", lk, fresh, mk);
	leaf = make(&s);
	/* The peer presents the old one; we know both. */
	const struct xos_cert *const roots[] = {root}, *const issuers[] = {old, fresh};
	ck_assert_int_eq(xos_chain_add(&ch, leaf), XOS_OK);
	ck_assert_int_eq(xos_chain_add(&ch, old), XOS_OK);
	ck_assert_msg(xos_chain_verify(&ch, roots, 1, issuers, 2, &now, &path, &err) == XOS_OK,
	    "%s", err.text);
	ck_assert_ptr_eq(path.cert[1], fresh);
	ck_assert_int_eq(path.not_after, T0 + DAY);
	xos_path_clear(&path);
	ck_assert_int_eq(
	    xos_chain_verify(&ch, roots, 1, issuers, 1, &now, &path, &err), XOS_EXPIRED);
	ck_assert_ptr_nonnull(strstr(err.text, "mid"));
	xos_chain_clear(&ch);
	xos_cert_free(leaf);
	xos_cert_free(old);
	xos_cert_free(fresh);
	xos_cert_free(root);
	EVP_PKEY_free(rk);
	EVP_PKEY_free(mk);
	EVP_PKEY_free(lk);
}
END_TEST

START_TEST(parsed_strictly)
{
	EVP_PKEY *k = ec();
	struct spec s = defaults("root", k, NULL, NULL);
	struct xos_cert *c = NULL;
	uint8_t *copy;
	size_t n;

	s.version = 0;
	ck_assert_int_eq(try_make(&s, &c), XOS_MALFORMED);
	ck_assert_ptr_null(c);
	s.version = 2;
	s.ca = true;
	c = make(&s);
	ck_assert_str_eq(xos_cert_subject_text(c), "O=t, CN=root");
	ck_assert_uint_eq(xos_cert_subject_len(c), 2);
	ck_assert_str_eq(xos_cert_subject_type(c, 1), "CN");
	ck_assert_ptr_null(xos_cert_subject_type(c, 2));
	ck_assert(xos_cert_is_ca(c) && xos_cert_is_self_issued(c) && !xos_cert_is_proxy(c));
	ck_assert_int_eq(xos_cert_not_after(c), T0 + DAY);
	n = xos_cert_der(c).n;
	copy = malloc(n + 1);
	memcpy(copy, xos_cert_der(c).p, n);
	copy[n] = 0;
	xos_cert_free(c);
	for (size_t i = 0; i <= n + 1; i++) {
		enum xos_status st = xos_cert_parse((struct xos_bytes){copy, i}, &c, &err);

		ck_assert_int_eq(st, i == n ? XOS_OK : XOS_MALFORMED);
		xos_cert_free(c);
		c = NULL;
	}
	ck_assert_int_eq(
	    xos_cert_parse((struct xos_bytes){copy, XOS_CERT_MAX + 1}, &c, &err), XOS_MALFORMED);
	free(copy);
	EVP_PKEY_free(k);
}
END_TEST

START_TEST(pem_files)
{
	EVP_PKEY *k = ec();
	struct spec s = defaults("root", k, NULL, NULL);
	struct xos_cert *c;
	struct xos_chain ch = {0};
	struct xos_buf pem;

	s.ca = true;
	c = make(&s);
	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX + 1);
	xos_buf_put_str(&pem, "a comment before\n");
	xos_cert_to_pem(c, &pem);
	xos_buf_put_str(&pem, "between\r\n");
	xos_cert_to_pem(c, &pem);
	ck_assert_int_eq(xos_chain_from_pem(xos_buf_bytes(&pem), &ch, &err), XOS_OK);
	ck_assert_uint_eq(ch.n, 2);
	ck_assert_mem_eq(xos_cert_fingerprint(ch.cert[1]), xos_cert_fingerprint(c), 32);
	xos_chain_clear(&ch);
	for (int i = 2; i < XOS_CHAIN_MAX; i++)
		xos_cert_to_pem(c, &pem);
	ck_assert_int_eq(xos_chain_from_pem(xos_buf_bytes(&pem), &ch, &err), XOS_OK);
	xos_chain_clear(&ch);
	xos_cert_to_pem(c, &pem);
	ck_assert_int_eq(xos_chain_from_pem(xos_buf_bytes(&pem), &ch, &err), XOS_LIMIT);
	static const char *const bad[] = {"", "no certificate here\n",
	    "-----BEGIN CERTIFICATE-----\n",
	    "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
	    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	    "-----BEGIN CERTIFICATE-----\nA*AA\n-----END CERTIFICATE-----\n",
	    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END X509 CRL-----\n",
	    "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
	    "x-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	    "-----BEGIN -----\n-----END -----\n"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(xos_chain_from_pem(xos_bytes_str(bad[i]), &ch, &err) == XOS_MALFORMED,
		    "%zu", i);
		ck_assert_uint_eq(ch.n, 0);
	}
	xos_buf_free(&pem);
	xos_cert_free(c);
	EVP_PKEY_free(k);
}
END_TEST

START_TEST(issued_certificates_keep_to_their_issuer)
{
	struct xos_key *k = NULL, *other = NULL;
	struct xos_issuer *i = NULL;
	struct xos_cert *root = NULL, *leaf = NULL;
	const struct xos_rdn name[] = {{XOS_RDN_O, "t"}, {XOS_RDN_CN, "t root"}};
	struct xos_issue what = {
	    .subject = name, .nsubject = 2, .not_before = T0 - DAY, .not_after = T0 + DAY};
	uint8_t serial[XOS_ISSUE_SERIAL_LEN], again[XOS_ISSUE_SERIAL_LEN];
	struct xos_buf der;

	ck_assert_int_eq(xos_key_generate(&k, &err), XOS_OK);
	ck_assert_int_eq(xos_key_generate(&other, &err), XOS_OK);
	xos_buf_init(&der, XOS_CERT_MAX);
	ck_assert_int_eq(xos_issue_root(k, &what, &der, &err), XOS_OK);
	ck_assert_int_eq(xos_cert_parse(xos_buf_bytes(&der), &root, &err), XOS_OK);
	ck_assert_int_eq(xos_cert_signed_by(root, k, &err), XOS_OK);
	ck_assert_int_eq(xos_cert_signed_by(root, other, &err), XOS_DENIED);
	ck_assert_int_eq(xos_issuer_new(root, other, &i, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_issuer_new(root, k, &i, &err), XOS_OK);
	what.spki = xos_key_spki(other);
	what.key_usage = XOS_KU_DIGITAL_SIGNATURE;
	der.n = 0;
	ck_assert_int_eq(xos_issue_cert(i, &what, serial, &der, &err), XOS_OK);
	ck_assert_int_eq(xos_cert_parse(xos_buf_bytes(&der), &leaf, &err), XOS_OK);
	ck_assert(xos_bytes_eq(xos_cert_serial(leaf), (struct xos_bytes){serial, sizeof(serial)}));
	ck_assert_int_eq(verify(leaf, NULL, root, &now), XOS_OK);
	der.n = 0;
	ck_assert_int_eq(xos_issue_cert(i, &what, again, &der, &err), XOS_OK);
	ck_assert_mem_ne(serial, again, sizeof(serial));
	der.n = 0;
	what.not_after++;
	ck_assert_int_eq(xos_issue_cert(i, &what, serial, &der, &err), XOS_DENIED);
	what.not_after--;
	what.not_before--;
	ck_assert_int_eq(xos_issue_cert(i, &what, serial, &der, &err), XOS_DENIED);
	what.not_before++;
	what.uri = "a b";
	ck_assert_int_eq(xos_issue_cert(i, &what, serial, &der, &err), XOS_MALFORMED);
	what.uri = NULL;
	static const char *const ips[] = {"300.1.2.3"};
	what.ips = ips;
	what.nips = 1;
	ck_assert_int_eq(xos_issue_cert(i, &what, serial, &der, &err), XOS_MALFORMED);
	what.nips = 0;
	what.nsubject = 0;
	ck_assert_int_eq(xos_issue_cert(i, &what, serial, &der, &err), XOS_MALFORMED);
	ck_assert_uint_eq(der.n, 0);
	xos_issuer_free(i);
	/* A leaf issues nothing. */
	what.nsubject = 2;
	ck_assert_int_eq(xos_issuer_new(leaf, other, &i, &err), XOS_OK);
	ck_assert_int_eq(xos_issue_cert(i, &what, serial, &der, &err), XOS_DENIED);
	xos_issuer_free(i);
	xos_cert_free(leaf);
	xos_cert_free(root);
	xos_buf_free(&der);
	xos_key_free(k);
	xos_key_free(other);
}
END_TEST

START_TEST(impossible_questions)
{
	EVP_PKEY *k = ec();
	struct spec s = defaults("root", k, NULL, NULL);
	struct xos_chain empty = {0}, ch = {0};
	struct xos_chain_opts o = now;
	struct xos_path path = {0};
	struct xos_cert *c;

	s.ca = true;
	c = make(&s);
	const struct xos_cert *const roots[] = {c};
	ck_assert_int_eq(xos_chain_add(&ch, c), XOS_OK);
	ck_assert_int_eq(
	    xos_chain_verify(&empty, roots, 1, NULL, 0, &o, &path, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_chain_verify(&ch, NULL, 0, NULL, 0, &o, &path, &err), XOS_DENIED);
	o.skew = 3601;
	ck_assert_int_eq(xos_chain_verify(&ch, roots, 1, NULL, 0, &o, &path, &err), XOS_INTERNAL);
	o.skew = -1;
	ck_assert_int_eq(xos_chain_verify(&ch, roots, 1, NULL, 0, &o, &path, &err), XOS_INTERNAL);
	xos_chain_clear(&ch);
	xos_cert_free(c);
	EVP_PKEY_free(k);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pki chain");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_test(t, algorithms);
	tcase_add_test(t, critical_extensions);
	tcase_add_test(t, who_may_sign);
	tcase_add_test(t, renewed_issuers_beside_expired_ones);
	tcase_add_test(t, parsed_strictly);
	tcase_add_test(t, pem_files);
	tcase_add_test(t, issued_certificates_keep_to_their_issuer);
	tcase_add_test(t, impossible_questions);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
