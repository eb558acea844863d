/*
 * Tokens issued a second of CPU time, as the key process of an authority does it (request in DER, proof
 * of possession, claims, profile, certificate in DER), against the same work in the plain OpenSSL way.
 * Both run in this process by turns; the result is the median of the rounds. See bench/README.md.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "pki/csr.h"
#include "pki/ossl.h"
#include "token/authority.h"
#include "token/profile.h"

#define MEMBERS 16 /* different keys, so that no cache of ours or of the peer's knows the answer */
#define ROUNDS 15
#define BATCH 200
#define LIFE 43200

struct setup {
	struct xos_key *root_key, *ca_key;
	struct xos_cert *root, *ca;
	struct xos_issuer *root_issuer, *issuer;
	struct xos_buf request[MEMBERS];
	uint8_t *peer_request[MEMBERS];
	long peer_len[MEMBERS];
	ASN1_OCTET_STRING *ca_skid;
};

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench-issue: %s failed\n", what);
	exit(3);
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void make_requests(struct setup *s)
{
	for (size_t i = 0; i < MEMBERS; i++) {
		struct xos_key *key = NULL;
		X509_REQ *req = X509_REQ_new();
		X509_NAME *name = X509_NAME_new();
		char cn[16];

		need(xos_key_generate(&key, NULL) == XOS_OK, "key");
		xos_buf_init(&s->request[i], XOS_CSR_MAX);
		need(xos_csr_make(key, &s->request[i], NULL) == XOS_OK, "request");
		snprintf(cn, sizeof(cn), "member%zu", i);
		need(X509_NAME_add_entry_by_txt(
		         name, "O", MBSTRING_UTF8, (const unsigned char *)"demo", -1, -1, 0) &&
		         X509_NAME_add_entry_by_txt(
		             name, "OU", MBSTRING_UTF8, (const unsigned char *)"user", -1, -1, 0) &&
		         X509_NAME_add_entry_by_txt(
		             name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) &&
		         X509_REQ_set_subject_name(req, name) &&
		         X509_REQ_set_pubkey(req, xos_key_ossl(key)) &&
		         X509_REQ_sign(req, xos_key_ossl(key), EVP_sha256()),
		    "peer's request");
		s->peer_len[i] = i2d_X509_REQ(req, &s->peer_request[i]);
		need(s->peer_len[i] > 0, "peer's request");
		X509_NAME_free(name);
		X509_REQ_free(req);
		xos_key_free(key);
	}
}

static void setup(struct setup *s)
{
	int64_t now = xos_clock_now();

	memset(s, 0, sizeof(*s));
	need(xos_key_generate(&s->root_key, NULL) == XOS_OK, "key");
	need(xos_key_generate(&s->ca_key, NULL) == XOS_OK, "key");
	need(xos_authority_root(
	         s->root_key, "demo", now - 86400, now + 86400 * 365, &s->root, NULL) == XOS_OK,
	    "root");
	need(xos_issuer_new(s->root, s->root_key, &s->root_issuer, NULL) == XOS_OK, "issuer");
	need(xos_authority_issuer(s->root_issuer, "demo", XOS_KIND_BIT(XOS_KIND_USER),
	         xos_key_spki(s->ca_key), now - 86400, now + 86400 * 30, &s->ca, NULL) == XOS_OK,
	    "authority");
	need(xos_issuer_new(s->ca, s->ca_key, &s->issuer, NULL) == XOS_OK, "issuer");
	s->ca_skid = X509_get_ext_d2i(xos_cert_ossl(s->ca), NID_subject_key_identifier, NULL, NULL);
	need(s->ca_skid != NULL, "key identifier");
	make_requests(s);
}

static void teardown(struct setup *s)
{
	for (size_t i = 0; i < MEMBERS; i++) {
		xos_buf_free(&s->request[i]);
		OPENSSL_free(s->peer_request[i]);
	}
	ASN1_OCTET_STRING_free(s->ca_skid);
	xos_issuer_free(s->issuer);
	xos_issuer_free(s->root_issuer);
	xos_cert_free(s->ca);
	xos_cert_free(s->root);
	xos_key_free(s->ca_key);
	xos_key_free(s->root_key);
}

/* What the key process does between the request and the answer. */
static void ours(struct setup *s, size_t i, struct xos_buf *out)
{
	int64_t now = xos_clock_now();
	struct xos_claims *c = NULL;
	struct xos_csr csr;
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	char name[16];

	snprintf(name, sizeof(name), "member%zu", i);
	need(xos_csr_parse(xos_buf_bytes(&s->request[i]), &csr, NULL) == XOS_OK, "request");
	need(xos_claims_new(XOS_KIND_USER, "demo", name, &c, NULL) == XOS_OK, "claims");
	c->number = i + 1;
	c->auth_time = now;
	memcpy(c->auth_method, "password", sizeof("password"));
	need(xos_claims_add_group(c, "/demo", NULL) == XOS_OK &&
	         xos_claims_add_group(c, "/demo/physics", NULL) == XOS_OK &&
	         xos_claims_add_group(c, "/demo/physics/neutrinos", NULL) == XOS_OK,
	    "groups");
	const struct xos_token_request req = {.claims = c,
	    .spki = csr.spki,
	    .not_before = now - XOS_TOKEN_BACKDATE,
	    .not_after = now + LIFE};
	out->n = 0;
	need(xos_token_issue(s->issuer, &req, serial, out, NULL) == XOS_OK, "token");
	xos_claims_free(c);
}

static void peer_extensions(struct setup *s, X509 *x, size_t i)
{
	BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();
	ASN1_BIT_STRING *ku = ASN1_BIT_STRING_new();
	EXTENDED_KEY_USAGE *eku = sk_ASN1_OBJECT_new_null();
	ASN1_OCTET_STRING *skid = ASN1_OCTET_STRING_new();
	AUTHORITY_KEYID *akid = AUTHORITY_KEYID_new();
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *uri = ASN1_IA5STRING_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;
	char text[64];

	need(X509_add1_ext_i2d(x, NID_basic_constraints, bc, 1, X509V3_ADD_APPEND), "extension");
	ASN1_BIT_STRING_set_bit(ku, 0, 1);
	need(X509_add1_ext_i2d(x, NID_key_usage, ku, 1, X509V3_ADD_APPEND), "extension");
	sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(NID_client_auth));
	need(X509_add1_ext_i2d(x, NID_ext_key_usage, eku, 0, X509V3_ADD_APPEND), "extension");
	need(X509_pubkey_digest(x, EVP_sha1(), digest, &len), "digest");
	ASN1_OCTET_STRING_set(skid, digest, (int)len);
	need(X509_add1_ext_i2d(x, NID_subject_key_identifier, skid, 0, X509V3_ADD_APPEND),
	    "extension");
	akid->keyid = ASN1_OCTET_STRING_dup(s->ca_skid);
	need(X509_add1_ext_i2d(x, NID_authority_key_identifier, akid, 0, X509V3_ADD_APPEND),
	    "extension");
	snprintf(text, sizeof(text), "spiffe://demo/user/member%zu", i);
	ASN1_STRING_set(uri, text, -1);
	GENERAL_NAME_set0_value(name, GEN_URI, uri);
	sk_GENERAL_NAME_push(names, name);
	need(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_APPEND), "extension");
	BASIC_CONSTRAINTS_free(bc);
	ASN1_BIT_STRING_free(ku);
	sk_ASN1_OBJECT_free(eku);
	ASN1_OCTET_STRING_free(skid);
	AUTHORITY_KEYID_free(akid);
	GENERAL_NAMES_free(names);
}

/* The plain way, as tutorials and most small authorities have it. */
static void peer(struct setup *s, size_t i)
{
	const unsigned char *p = s->peer_request[i];
	X509_REQ *req = d2i_X509_REQ(NULL, &p, s->peer_len[i]);
	EVP_PKEY *key = req ? X509_REQ_get0_pubkey(req) : NULL;
	X509 *x = X509_new();
	unsigned char serial[16], *der = NULL;
	time_t now = time(NULL);
	BIGNUM *bn;

	need(req && key && x && X509_REQ_verify(req, key) == 1, "peer's request");
	need(X509_set_version(x, 2) && RAND_bytes(serial, sizeof(serial)) == 1, "peer");
	serial[0] = (serial[0] & 0x7f) | 0x40;
	bn = BN_bin2bn(serial, sizeof(serial), NULL);
	need(bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)), "peer's serial");
	BN_free(bn);
	need(X509_set_issuer_name(x, X509_get_subject_name(xos_cert_ossl(s->ca))) &&
	         X509_set_subject_name(x, X509_REQ_get_subject_name(req)) &&
	         ASN1_TIME_set(X509_getm_notBefore(x), now - XOS_TOKEN_BACKDATE) &&
	         ASN1_TIME_set(X509_getm_notAfter(x), now + LIFE) && X509_set_pubkey(x, key),
	    "peer's certificate");
	peer_extensions(s, x, i);
	need(X509_sign(x, xos_key_ossl(s->ca_key), EVP_sha256()) > 0, "peer's signature");
	need(i2d_X509(x, &der) > 0, "peer's encoding");
	OPENSSL_free(der);
	X509_free(x);
	X509_REQ_free(req);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double rate_ours(struct setup *s, struct xos_buf *out, size_t n)
{
	double t = cpu_seconds();

	for (size_t i = 0; i < n; i++)
		ours(s, i % MEMBERS, out);
	return (double)n / (cpu_seconds() - t);
}

static double rate_peer(struct setup *s, size_t n)
{
	double t = cpu_seconds();

	for (size_t i = 0; i < n; i++)
		peer(s, i % MEMBERS);
	return (double)n / (cpu_seconds() - t);
}

/* What we measure must be a certificate that verifies, or the figure is worth nothing. */
static void check_result(struct setup *s, struct xos_buf *out)
{
	struct xos_cert *c = NULL;

	ours(s, 0, out);
	need(xos_cert_parse(xos_buf_bytes(out), &c, NULL) == XOS_OK &&
	         xos_cert_signed_by(c, s->ca_key, NULL) == XOS_OK,
	    "checking a certificate");
	xos_cert_free(c);
}

int main(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	double mine[ROUNDS], theirs[ROUNDS];
	struct setup s;
	struct xos_buf out;

	if (argc > 1 && !json) {
		fprintf(stderr, "usage: bench-issue [--json]\n");
		return 2;
	}
	setup(&s);
	xos_buf_init(&out, XOS_CERT_MAX);
	check_result(&s, &out);
	rate_ours(&s, &out, BATCH / 4);
	rate_peer(&s, BATCH / 4);
	for (size_t r = 0; r < ROUNDS; r++) {
		mine[r] = rate_ours(&s, &out, BATCH);
		theirs[r] = rate_peer(&s, BATCH);
	}
	qsort(mine, ROUNDS, sizeof(mine[0]), compare);
	qsort(theirs, ROUNDS, sizeof(theirs[0]), compare);
	double o = mine[ROUNDS / 2], p = theirs[ROUNDS / 2];
	if (json)
		printf("{\"ours\":%.1f,\"peer\":%.1f,\"ratio\":%.2f,\"unit\":\"certificates/s\"}\n",
		    o, p, o / p);
	else
		printf("ours %.1f, plain OpenSSL %.1f certificates per CPU second: %.2f times\n", o,
		    p, o / p);
	xos_buf_free(&out);
	teardown(&s);
	return 0;
}
