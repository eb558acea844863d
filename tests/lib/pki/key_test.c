/* Keys and certification requests. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "pki/csr.h"
#include "pki/key.h"
#include "pki/ossl.h"

static struct xos_err err;
static char dir[64], path[96];

static void setup(void)
{
	strcpy(dir, "/tmp/xos-key-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/key", dir);
}

static void teardown(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static struct xos_key *make(void)
{
	struct xos_key *k = NULL;

	ck_assert_int_eq(xos_key_generate(&k, &err), XOS_OK);
	return k;
}

/* SPKI of a key that OpenSSL makes, through our reader. */
static enum xos_status from_ossl(EVP_PKEY *p, struct xos_key **out)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(p, &der);
	enum xos_status st = xos_key_from_spki((struct xos_bytes){der, (size_t)n}, out, &err);

	OPENSSL_free(der);
	return st;
}

START_TEST(signs_and_verifies)
{
	struct xos_key *k = make(), *pub = NULL, *other = make();
	struct xos_bytes data = xos_bytes_str("xos-test data");
	struct xos_buf sig;

	xos_buf_init(&sig, XOS_SIGNATURE_MAX);
	ck_assert_int_eq(xos_key_type(k), XOS_KEY_P256);
	ck_assert_int_eq(xos_key_sign(k, data, &sig, &err), XOS_OK);
	ck_assert_int_eq(xos_key_from_spki(xos_key_spki(k), &pub, &err), XOS_OK);
	ck_assert(!xos_key_is_private(pub));
	ck_assert(xos_key_same(pub, k));
	ck_assert(!xos_key_same(other, k));
	ck_assert_int_eq(xos_key_verify(pub, data, xos_buf_bytes(&sig), &err), XOS_OK);
	ck_assert_int_eq(xos_key_verify(other, data, xos_buf_bytes(&sig), &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "signature");
	ck_assert_int_eq(
	    xos_key_verify(pub, xos_bytes_str("xos-test dats"), xos_buf_bytes(&sig), &err),
	    XOS_DENIED);
	for (size_t i = 0; i < sig.n; i++) {
		sig.p[i] ^= 0x10;
		ck_assert_int_eq(xos_key_verify(pub, data, xos_buf_bytes(&sig), &err), XOS_DENIED);
		sig.p[i] ^= 0x10;
	}
	ck_assert_int_eq(xos_key_verify(pub, data, XOS_BYTES_NONE, &err), XOS_DENIED);
	ck_assert_int_eq(xos_key_sign(pub, data, &sig, &err), XOS_INTERNAL);
	xos_buf_free(&sig);
	xos_key_free(k);
	xos_key_free(pub);
	xos_key_free(other);
}
END_TEST

START_TEST(the_list_of_algorithms)
{
	struct xos_key *k = NULL;
	EVP_PKEY *p;

	p = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	ck_assert_int_eq(from_ossl(p, &k), XOS_OK);
	ck_assert_int_eq(xos_key_type(k), XOS_KEY_P384);
	xos_key_free(k);
	EVP_PKEY_free(p);
	p = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	ck_assert_int_eq(from_ossl(p, &k), XOS_OK);
	ck_assert_int_eq(xos_key_type(k), XOS_KEY_RSA);
	xos_key_free(k);
	EVP_PKEY_free(p);
	p = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	ck_assert_int_eq(from_ossl(p, &k), XOS_DENIED);
	ck_assert_str_eq(err.code, "key-algorithm");
	EVP_PKEY_free(p);
	p = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-224");
	ck_assert_int_eq(from_ossl(p, &k), XOS_DENIED);
	EVP_PKEY_free(p);
	p = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1");
	ck_assert_int_eq(from_ossl(p, &k), XOS_DENIED);
	EVP_PKEY_free(p);
	p = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	ck_assert_int_eq(from_ossl(p, &k), XOS_DENIED);
	EVP_PKEY_free(p);
	ck_assert_ptr_null(k);
}
END_TEST

START_TEST(points_are_checked)
{
	struct xos_key *k = make(), *bad = NULL;
	uint8_t spki[91];
	EC_KEY *explicit = NULL;
	EVP_PKEY *p = EVP_PKEY_new();
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);

	ck_assert_uint_eq(xos_key_spki(k).n, sizeof(spki));
	memcpy(spki, xos_key_spki(k).p, sizeof(spki));
	spki[90] ^= 1; /* no longer on the curve */
	ck_assert_int_eq(
	    xos_key_from_spki((struct xos_bytes){spki, sizeof(spki)}, &bad, &err), XOS_MALFORMED);
	spki[90] ^= 1;
	spki[26] = 0x02; /* says compressed */
	ck_assert_int_eq(
	    xos_key_from_spki((struct xos_bytes){spki, sizeof(spki)}, &bad, &err), XOS_MALFORMED);
	spki[26] = 0x04;
	for (size_t i = 0; i < sizeof(spki); i++)
		ck_assert_int_ne(
		    xos_key_from_spki((struct xos_bytes){spki, i}, &bad, &err), XOS_OK);
		/* P-256 spelt out instead of named (CVE-2020-0601 lived there). */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	EC_GROUP_set_asn1_flag(group, OPENSSL_EC_EXPLICIT_CURVE);
	explicit = EC_KEY_new();
	ck_assert(EC_KEY_set_group(explicit, group) && EC_KEY_generate_key(explicit) &&
	          EVP_PKEY_assign_EC_KEY(p, explicit));
#pragma GCC diagnostic pop
	ck_assert_int_eq(from_ossl(p, &bad), XOS_DENIED);
	ck_assert_ptr_null(bad);
	EC_GROUP_free(group);
	EVP_PKEY_free(p);
	xos_key_free(k);
}
END_TEST

static struct xos_secret *right(void *arg, const char *prompt)
{
	ck_assert_ptr_nonnull(strstr(prompt, path));
	++*(int *)arg;
	return xos_secret_from("correct horse", 13);
}

static struct xos_secret *wrong(void *arg, const char *prompt)
{
	(void)prompt;
	++*(int *)arg;
	return xos_secret_from("battery staple", 14);
}

static struct xos_secret *nothing(void *arg, const char *prompt)
{
	(void)prompt;
	++*(int *)arg;
	return NULL;
}

START_TEST(encrypted_files)
{
	struct xos_secret *phrase = xos_secret_from("correct horse", 13);
	struct xos_key *k = make(), *back = NULL;
	struct xos_buf text;
	struct stat s;
	int asked = 0;

	ck_assert_int_eq(xos_key_save(k, path, phrase, &err), XOS_OK);
	ck_assert_int_eq(stat(path, &s), 0);
	ck_assert_uint_eq(s.st_mode & 07777, 0600);
	ck_assert_int_eq(xos_file_read(path, 4096, &text, &err), XOS_OK);
	ck_assert_ptr_nonnull(strstr(xos_buf_str(&text), "BEGIN ENCRYPTED PRIVATE KEY"));
	xos_buf_free(&text);
	ck_assert_int_eq(xos_key_load(path, right, &asked, &back, &err), XOS_OK);
	ck_assert_int_eq(asked, 1);
	ck_assert(xos_key_same(k, back) && xos_key_is_private(back));
	xos_key_free(back);
	ck_assert_int_eq(xos_key_load(path, wrong, &asked, &back, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "passphrase");
	ck_assert_int_eq(xos_key_load(path, nothing, &asked, &back, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "key-encrypted");
	ck_assert_int_eq(xos_key_load(path, NULL, NULL, &back, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "key-encrypted");
	ck_assert_ptr_null(back);
	xos_secret_free(phrase);
	phrase = xos_secret_new(0);
	ck_assert_int_ne(phrase ? xos_key_save(k, path, phrase, &err) : XOS_MALFORMED, XOS_OK);
	xos_secret_free(phrase);
	xos_key_free(k);
}
END_TEST

START_TEST(plain_files)
{
	struct xos_key *k = make(), *back = NULL;
	struct xos_buf pem;
	int asked = 0;

	ck_assert_int_eq(xos_key_save(k, path, NULL, &err), XOS_OK);
	ck_assert_int_eq(xos_key_load(path, right, &asked, &back, &err), XOS_OK);
	ck_assert_int_eq(asked, 0);
	ck_assert(xos_key_same(k, back));
	xos_key_free(back);
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert_int_eq(xos_key_load(path, NULL, NULL, &back, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "file-mode");
	ck_assert_int_eq(
	    xos_file_write(path, 0600, xos_bytes_str("-----BEGIN PRIVATE KEY-----\nAAAA\n"), &err),
	    XOS_OK);
	ck_assert_int_eq(xos_key_load(path, NULL, NULL, &back, &err), XOS_MALFORMED);
	ck_assert_int_eq(
	    xos_file_write(path, 0600,
	        xos_bytes_str("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
	        &err),
	    XOS_OK);
	ck_assert_int_eq(xos_key_load(path, NULL, NULL, &back, &err), XOS_MALFORMED);
	/* A public key is not a private one, and the other way round. */
	xos_buf_init(&pem, 4096);
	ck_assert_int_eq(xos_key_public_to_pem(k, &pem, &err), XOS_OK);
	ck_assert_int_eq(xos_key_from_pem(xos_buf_bytes(&pem), &back, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_key_public_from_pem(xos_buf_bytes(&pem), &back, &err), XOS_OK);
	ck_assert(xos_key_same(k, back) && !xos_key_is_private(back));
	xos_key_free(back);
	ck_assert_int_eq(xos_file_write(path, 0644, xos_buf_bytes(&pem), &err), XOS_OK);
	ck_assert_int_eq(xos_key_public_load(path, &back, &err), XOS_OK);
	xos_key_free(back);
	struct xos_secret *private = NULL;
	ck_assert_int_eq(xos_key_to_pem(k, &private, &err), XOS_OK);
	ck_assert_int_eq(
	    xos_key_public_from_pem(
	        (struct xos_bytes){xos_secret_data(private), xos_secret_len(private)}, &back, &err),
	    XOS_MALFORMED);
	xos_secret_free(private);
	ck_assert_ptr_null(back);
	xos_buf_free(&pem);
	xos_key_free(k);
}
END_TEST

START_TEST(requests_prove_possession)
{
	struct xos_key *k = make(), *other = make();
	struct xos_csr csr;
	struct xos_buf der;
	size_t n;

	xos_buf_init(&der, XOS_CSR_MAX + 1);
	/* Again and again with other keys: the checking key is reused between requests. */
	for (int i = 0; i < 20; i++) {
		der.n = 0;
		ck_assert_int_eq(xos_csr_make(i % 2 ? k : other, &der, &err), XOS_OK);
		ck_assert_int_eq(xos_csr_parse(xos_buf_bytes(&der), &csr, &err), XOS_OK);
		ck_assert(xos_bytes_eq(csr.spki, xos_key_spki(i % 2 ? k : other)));
		ck_assert_mem_eq(
		    csr.spki_sha256, xos_key_spki_sha256(i % 2 ? k : other), XOS_SHA256_LEN);
	}
	/* Somebody else's key in a request that is otherwise right. */
	uint8_t *at = memmem(der.p, der.n, xos_key_spki(k).p, xos_key_spki(k).n);
	ck_assert_ptr_nonnull(at);
	memcpy(at, xos_key_spki(other).p, xos_key_spki(other).n);
	ck_assert_int_eq(xos_csr_parse(xos_buf_bytes(&der), &csr, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "csr-signature");
	ck_assert_ptr_null(csr.spki.p);
	memcpy(at, xos_key_spki(k).p, xos_key_spki(k).n);
	n = der.n;
	for (size_t i = 0; i < n; i++) {
		der.p[i] ^= 0x01;
		ck_assert_msg(
		    xos_csr_parse(xos_buf_bytes(&der), &csr, &err) != XOS_OK, "byte %zu", i);
		der.p[i] ^= 0x01;
		ck_assert_int_eq(
		    xos_csr_parse((struct xos_bytes){der.p, i}, &csr, &err), XOS_MALFORMED);
	}
	ck_assert_int_eq(xos_csr_parse(xos_buf_bytes(&der), &csr, &err), XOS_OK);
	xos_buf_u8(&der, 0);
	ck_assert_int_eq(xos_csr_parse(xos_buf_bytes(&der), &csr, &err), XOS_MALFORMED);
	xos_buf_free(&der);
	xos_key_free(k);
	xos_key_free(other);
}
END_TEST

static enum xos_status ossl_request(EVP_PKEY *p, const EVP_MD *md, const char *cn)
{
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = X509_NAME_new();
	uint8_t *der = NULL;
	struct xos_csr csr;
	enum xos_status st;
	int n;

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	ck_assert(X509_REQ_set_subject_name(req, name) && X509_REQ_set_pubkey(req, p) &&
	          X509_REQ_sign(req, p, md) > 0);
	n = i2d_X509_REQ(req, &der);
	st = xos_csr_parse((struct xos_bytes){der, (size_t)n}, &csr, &err);
	OPENSSL_free(der);
	X509_NAME_free(name);
	X509_REQ_free(req);
	return st;
}

START_TEST(requests_made_by_others)
{
	EVP_PKEY *p256 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	EVP_PKEY *p384 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	EVP_PKEY *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	char *big = malloc(5000);

	ck_assert_int_eq(ossl_request(p256, EVP_sha256(), "root; drop table"), XOS_OK);
	ck_assert_int_eq(ossl_request(p384, EVP_sha384(), "x"), XOS_OK);
	ck_assert_int_eq(ossl_request(rsa, EVP_sha256(), "x"), XOS_OK);
	ck_assert_int_eq(ossl_request(small, EVP_sha256(), "x"), XOS_DENIED);
	ck_assert_int_eq(ossl_request(p256, EVP_sha1(), "x"), XOS_DENIED);
	ck_assert_str_eq(err.code, "key-algorithm");
	ck_assert_int_eq(ossl_request(rsa, EVP_sha1(), "x"), XOS_DENIED);
	ck_assert_ptr_nonnull(big);
	memset(big, 0, 5000);
	struct xos_csr csr;
	ck_assert_int_eq(
	    xos_csr_parse((struct xos_bytes){(uint8_t *)big, 5000}, &csr, &err), XOS_MALFORMED);
	free(big);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(small);
}
END_TEST

START_TEST(requests_in_pem)
{
	struct xos_key *k = make();
	struct xos_buf der, pem, back;

	xos_buf_init(&der, XOS_CSR_MAX);
	xos_buf_init(&pem, 8192);
	xos_buf_init(&back, XOS_CSR_MAX);
	ck_assert_int_eq(xos_csr_make(k, &der, &err), XOS_OK);
	ck_assert_int_eq(xos_csr_to_pem(xos_buf_bytes(&der), &pem), XOS_OK);
	ck_assert_int_eq(xos_csr_from_pem(xos_buf_bytes(&pem), &back, &err), XOS_OK);
	ck_assert(xos_bytes_eq(xos_buf_bytes(&der), xos_buf_bytes(&back)));
	ck_assert_int_eq(xos_csr_to_pem(xos_buf_bytes(&der), &pem), XOS_OK); /* a second block */
	ck_assert_int_eq(xos_csr_from_pem(xos_buf_bytes(&pem), &back, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_csr_from_pem(xos_bytes_str("text"), &back, &err), XOS_MALFORMED);
	xos_buf_free(&der);
	xos_buf_free(&pem);
	xos_buf_free(&back);
	xos_key_free(k);
}
END_TEST

START_TEST(fingerprints)
{
	uint8_t digest[XOS_SHA256_LEN], back[XOS_SHA256_LEN];
	char text[XOS_FINGERPRINT_TEXT];

	ck_assert_int_eq(xos_sha256(xos_bytes_str("abc"), digest), XOS_OK);
	xos_fingerprint_text(digest, text);
	ck_assert_str_eq(
	    text, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert_int_eq(xos_fingerprint_parse(text, back, &err), XOS_OK);
	ck_assert_mem_eq(digest, back, XOS_SHA256_LEN);
	text[10] = 'F';
	ck_assert_int_eq(xos_fingerprint_parse(text, back, &err), XOS_OK);
	text[10] = 'g';
	ck_assert_int_eq(xos_fingerprint_parse(text, back, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_fingerprint_parse("sha256:00", back, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_fingerprint_parse(NULL, back, &err), XOS_MALFORMED);
	struct xos_bytes parts[] = {xos_bytes_str("a"), XOS_BYTES_NONE, xos_bytes_str("bc")};
	ck_assert_int_eq(xos_sha256_parts(parts, 3, back), XOS_OK);
	ck_assert_mem_eq(digest, back, XOS_SHA256_LEN);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pki key");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, signs_and_verifies);
	tcase_add_test(t, the_list_of_algorithms);
	tcase_add_test(t, points_are_checked);
	tcase_add_test(t, encrypted_files);
	tcase_add_test(t, plain_files);
	tcase_add_test(t, requests_prove_possession);
	tcase_add_test(t, requests_made_by_others);
	tcase_add_test(t, requests_in_pem);
	tcase_add_test(t, fingerprints);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
