#include "testsupport/csr.h"

#include <openssl/x509v3.h>

#include "pki/ossl.h"
#include "testsupport/must.h"

static void add_name(X509_NAME *name, int nid, const char *value)
{
	if (value)
		MUST_TRUE(X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
		              (const unsigned char *)value, -1, -1, 0) == 1);
}

static void add_ext(STACK_OF(X509_EXTENSION) * exts, int nid, const char *value)
{
	if (!value)
		return;
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	MUST_TRUE(e && sk_X509_EXTENSION_push(exts, e) > 0);
}

void xos_test_csr(const struct xos_key *key, const struct xos_test_csr *what, struct xos_buf *out)
{
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = X509_NAME_new();
	STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
	unsigned char *der = NULL;

	MUST_TRUE(req && name && exts);
	add_name(name, NID_organizationName, what->o);
	add_name(name, NID_organizationalUnitName, what->ou);
	add_name(name, NID_commonName, what->cn);
	add_name(name, NID_commonName, what->twice ? "second" : NULL);
	add_ext(exts, NID_subject_alt_name, what->san);
	add_ext(exts, NID_basic_constraints, what->ca ? "critical,CA:TRUE" : NULL);
	MUST_TRUE(X509_REQ_set_subject_name(req, name) == 1 &&
	          X509_REQ_set_pubkey(req, xos_key_ossl(key)) == 1);
	if (sk_X509_EXTENSION_num(exts) > 0)
		MUST_TRUE(X509_REQ_add_extensions(req, exts) == 1);
	if (what->challenge)
		MUST_TRUE(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, MBSTRING_ASC,
		              (const unsigned char *)what->challenge, -1) == 1);
	MUST_TRUE(X509_REQ_sign(req, xos_key_ossl(key), EVP_sha256()) > 0);
	int n = i2d_X509_REQ(req, &der);
	MUST_TRUE(n > 0);
	xos_buf_put(out, der, (size_t)n);
	OPENSSL_free(der);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	X509_NAME_free(name);
	X509_REQ_free(req);
}
