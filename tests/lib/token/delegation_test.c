/* Delegation: made with the member's key, verified along the chain, only ever narrower. */

#include <check.h>
#include <stdlib.h>
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

static struct xos_verify_opts opts(void)
{
	return (struct xos_verify_opts){
	    .now = T0, .skew = 60, .kinds = XOS_KIND_BIT(XOS_KIND_USER), .allow_delegation = true};
}

static void accept(const struct xos_chain *ch, struct xos_identity **id)
{
	struct xos_verify_opts o = opts();

	ck_assert_msg(
	    xos_token_verify_chain(demo->trust, ch, &o, id, &err) == XOS_OK, "%s", err.text);
}

static void refuse(const struct xos_chain *ch, enum xos_status st, const char *code)
{
	struct xos_verify_opts o = opts();
	struct xos_identity *id = NULL;
	enum xos_status got = xos_token_verify_chain(demo->trust, ch, &o, &id, &err);

	ck_assert_msg(got == st && (!code || strcmp(err.code, code) == 0),
	    "got %s %s (%s), wanted %s %s", xos_status_name(got), err.code, err.text,
	    xos_status_name(st), code ? code : "");
	ck_assert_ptr_null(id);
}

START_TEST(one_step)
{
	struct xos_delegation d = job_delegation();
	struct xos_identity *id = NULL;
	struct xos_verify_opts o = opts();
	struct xos_chain job = {0};

	delegate_chain(&alice, &d, &job);
	accept(&job, &id);
	ck_assert_str_eq(id->claims->name, "alice");
	ck_assert_uint_eq(id->nsteps, 1);
	ck_assert_str_eq(id->steps[0]->member, "alice");
	ck_assert_str_eq(id->steps[0]->vo, "demo");
	ck_assert_str_eq(id->steps[0]->actor, "job");
	ck_assert_str_eq(id->steps[0]->node, "n1.demo.example");
	ck_assert_str_eq(id->steps[0]->id, "0123456789abcdef");
	ck_assert_uint_eq(id->steps[0]->depth, 1);
	ck_assert_uint_eq(id->steps[0]->restriction_len, 29);
	ck_assert_mem_eq(id->steps[0]->restriction, d.restriction, 29);
	ck_assert_int_eq(id->not_after, T0 + HOUR);
	ck_assert_mem_eq(id->spki_sha256, xos_key_spki_sha256(job.key), 32);
	ck_assert(xos_bytes_eq(xos_cert_der(id->entity), xos_cert_der(alice.cert[0])));
	xos_identity_free(id);
	id = NULL;
	/* Where only the member's own token counts. */
	o.allow_delegation = false;
	ck_assert_int_eq(xos_token_verify_chain(demo->trust, &job, &o, &id, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "delegation-refused");
	o = opts();
	o.now = T0 + HOUR + 61;
	ck_assert_int_eq(xos_token_verify_chain(demo->trust, &job, &o, &id, &err), XOS_EXPIRED);
	o.now = T0 - 400;
	ck_assert_int_eq(
	    xos_token_verify_chain(demo->trust, &job, &o, &id, &err), XOS_NOT_YET_VALID);
	xos_chain_clear(&job);
}
END_TEST

START_TEST(two_steps_and_no_third)
{
	struct xos_delegation d = job_delegation();
	struct xos_chain one = {0}, two = {0};
	struct xos_identity *id = NULL;
	struct xos_key *key = new_key();
	struct xos_cert *c = NULL;

	d.depth = 1;
	delegate_chain(&alice, &d, &one);
	d.depth = 0;
	d.not_after = T0 + 1800;
	strcpy(d.actor, "task");
	delegate_chain(&one, &d, &two);
	accept(&two, &id);
	ck_assert_uint_eq(id->nsteps, 2);
	ck_assert_str_eq(id->steps[0]->actor, "job");
	ck_assert_str_eq(id->steps[1]->actor, "task");
	ck_assert_int_eq(id->not_after, T0 + 1800);
	xos_identity_free(id);
	ck_assert_int_eq(
	    xos_delegation_sign(&two, xos_key_spki(key), &d, T0, &c, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "delegation-depth");
	d.depth = 1; /* as deep as the step before */
	ck_assert_int_eq(
	    xos_delegation_sign(&one, xos_key_spki(key), &d, T0, &c, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "delegation-depth");
	ck_assert_ptr_null(c);
	xos_key_free(key);
	xos_chain_clear(&one);
	xos_chain_clear(&two);
}
END_TEST

START_TEST(signing_cuts_and_inherits)
{
	struct xos_delegation d = job_delegation();
	struct xos_chain one = {0}, two = {0};
	struct xos_identity *id = NULL;

	d.not_after = T0 + 100 * DAY; /* the token ends in 12 hours */
	delegate_chain(&alice, &d, &one);
	accept(&one, &id);
	ck_assert_int_eq(id->steps[0]->not_after, T0 + 12 * HOUR);
	xos_identity_free(id);
	id = NULL;
	d.depth = 0;
	d.node[0] = 0;
	delegate_chain(&one, &d, &two);
	accept(&two, &id);
	ck_assert_str_eq(id->steps[1]->node, "n1.demo.example");
	xos_identity_free(id);
	xos_chain_clear(&one);
	xos_chain_clear(&two);
}
END_TEST

START_TEST(only_members_delegate)
{
	struct xos_delegation d = job_delegation();
	struct xos_chain node = {0}, empty = {0}, mute = {0};
	struct xos_key *key = new_key();
	struct xos_cert *c = NULL;

	node_chain(demo, "n1.demo.example", &node);
	ck_assert_int_eq(
	    xos_delegation_sign(&node, xos_key_spki(key), &d, T0, &c, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "delegation-signer");
	ck_assert_int_eq(
	    xos_delegation_sign(&empty, xos_key_spki(key), &d, T0, &c, &err), XOS_MALFORMED);
	must(xos_chain_add(&mute, alice.cert[0]), NULL, "chain"); /* without its key */
	ck_assert_int_eq(
	    xos_delegation_sign(&mute, xos_key_spki(key), &d, T0, &c, &err), XOS_MALFORMED);
	ck_assert_int_eq(
	    xos_delegation_sign(&alice, xos_key_spki(key), &d, T0 + 13 * HOUR, &c, &err),
	    XOS_EXPIRED);
	d.not_after = T0 - 1;
	ck_assert_int_eq(
	    xos_delegation_sign(&alice, xos_key_spki(key), &d, T0, &c, &err), XOS_MALFORMED);
	ck_assert_ptr_null(c);
	xos_key_free(key);
	xos_chain_clear(&mute);
	xos_chain_clear(&node);
}
END_TEST

/*
 * What a thief of a key, or an ill-meant job, could put together with any X.509 library: a proxy with
 * fields of its choice, well signed.
 */
struct forged {
	struct xos_delegation d;
	const char *language; /* dotted; NULL: ours */
	bool no_ext, not_critical;
	long path_len;  /* -2: as d.depth; -1: none */
	long outlive;   /* seconds beyond d.not_after that the certificate lasts */
	const char *cn; /* of the subject's last part; NULL: an ordinary one */
};

static void add_ext(X509 *x, const char *oid, bool critical, struct xos_bytes value)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *os = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e = NULL;

	ck_assert(ASN1_OCTET_STRING_set(os, value.p, (int)value.n));
	ck_assert_ptr_nonnull(X509_EXTENSION_create_by_OBJ(&e, obj, critical, os));
	ck_assert(X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(os);
	ASN1_OBJECT_free(obj);
}

static void add_proxy_info(X509 *x, const struct forged *f)
{
	PROXY_CERT_INFO_EXTENSION *pci = PROXY_CERT_INFO_EXTENSION_new();
	long n = f->path_len == -2 ? (long)f->d.depth : f->path_len;

	if (n >= 0) {
		pci->pcPathLengthConstraint = ASN1_INTEGER_new();
		ASN1_INTEGER_set(pci->pcPathLengthConstraint, n);
	}
	ASN1_OBJECT_free(pci->proxyPolicy->policyLanguage);
	pci->proxyPolicy->policyLanguage =
	    OBJ_txt2obj(f->language ? f->language : XOS_OID_ARC_TEXT ".4", 1);
	ck_assert(X509_add1_ext_i2d(x, NID_proxyCertInfo, pci, 1, X509V3_ADD_DEFAULT));
	PROXY_CERT_INFO_EXTENSION_free(pci);
}

static void add_aki(X509 *x, X509 *signer)
{
	AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();

	aki->keyid = ASN1_OCTET_STRING_dup(X509_get0_subject_key_id(signer));
	ck_assert(X509_add1_ext_i2d(x, NID_authority_key_identifier, aki, 0, X509V3_ADD_DEFAULT));
	AUTHORITY_KEYID_free(aki);
}

static void add_ski(X509 *x, const struct xos_key *key)
{
	ASN1_OCTET_STRING *ski = ASN1_OCTET_STRING_new();

	ASN1_OCTET_STRING_set(ski, xos_key_spki_sha256(key), 20);
	ck_assert(X509_add1_ext_i2d(x, NID_subject_key_identifier, ski, 0, X509V3_ADD_DEFAULT));
	ASN1_OCTET_STRING_free(ski);
}

static void add_usage(X509 *x)
{
	ASN1_BIT_STRING *ku = ASN1_BIT_STRING_new();

	ASN1_BIT_STRING_set_bit(ku, 0, 1);
	ck_assert(X509_add1_ext_i2d(x, NID_key_usage, ku, 1, X509V3_ADD_DEFAULT));
	ASN1_BIT_STRING_free(ku);
}

static void forge(const struct xos_chain *from, const struct forged *f, struct xos_chain *out)
{
	X509 *x = X509_new(), *signer = xos_cert_ossl(from->cert[0]);
	X509_NAME *name = X509_NAME_dup(X509_get_subject_name(signer));
	struct xos_key *key = new_key();
	struct xos_cert *c = NULL;
	struct xos_buf ext;
	uint8_t *der = NULL;
	int n;

	xos_buf_init(&ext, XOS_DELEGATION_DER_MAX);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 4711);
	X509_set_issuer_name(x, X509_get_subject_name(signer));
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_UTF8, (const unsigned char *)(f->cn ? f->cn : "4711"), -1, -1, 0);
	X509_set_subject_name(x, name);
	ASN1_TIME_set(X509_getm_notBefore(x), T0 - 300);
	ASN1_TIME_set(X509_getm_notAfter(x), f->d.not_after + f->outlive);
	X509_set_pubkey(x, xos_key_ossl(key));
	add_usage(x);
	add_ski(x, key);
	add_aki(x, signer);
	add_proxy_info(x, f);
	if (!f->no_ext) {
		must(xos_delegation_encode(&f->d, &ext, &err), &err, "delegation");
		add_ext(x, XOS_OID_ARC_TEXT ".2", !f->not_critical, xos_buf_bytes(&ext));
	}
	ck_assert_int_gt(X509_sign(x, xos_key_ossl(from->key), EVP_sha256()), 0);
	n = i2d_X509(x, &der);
	must(xos_cert_parse((struct xos_bytes){der, (size_t)n}, &c, &err), &err, "forged proxy");
	prepend(from, c, key, out);
	OPENSSL_free(der);
	X509_NAME_free(name);
	X509_free(x);
	xos_buf_free(&ext);
}

static struct forged honest(void)
{
	struct forged f = {.d = job_delegation(), .path_len = -2};

	strcpy(f.d.vo, "demo");
	strcpy(f.d.member, "alice");
	return f;
}

static void refuse_forged(const struct xos_chain *from, const struct forged *f, const char *code)
{
	struct xos_chain ch = {0};

	forge(from, f, &ch);
	refuse(&ch, XOS_DENIED, code);
	xos_chain_clear(&ch);
}

START_TEST(forgery_tool_makes_good_proxies)
{
	struct forged f = honest();
	struct xos_identity *id = NULL;
	struct xos_chain ch = {0};

	forge(&alice, &f, &ch); /* so that the refusals below are about what they say */
	accept(&ch, &id);
	xos_identity_free(id);
	xos_chain_clear(&ch);
}
END_TEST

START_TEST(stripped_or_other_languages)
{
	static const char *const languages[] = {
	    "1.3.6.1.5.5.7.21.0",       /* any */
	    "1.3.6.1.5.5.7.21.1",       /* inherit all */
	    "1.3.6.1.5.5.7.21.2",       /* independent */
	    "1.3.6.1.4.1.3536.1.1.1.9", /* limited */
	    XOS_OID_ARC_TEXT ".2",
	};
	struct forged f = honest();

	f.no_ext = true;
	refuse_forged(&alice, &f, "delegation-missing");
	f = honest();
	f.not_critical = true;
	refuse_forged(&alice, &f, "delegation-missing");
	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
		f = honest();
		f.language = languages[i];
		refuse_forged(&alice, &f, "delegation-missing");
		f.no_ext = true;
		refuse_forged(&alice, &f, "delegation-missing");
	}
}
END_TEST

START_TEST(certificate_wider_than_its_extension)
{
	struct forged f = honest();

	f.path_len = -1;
	refuse_forged(&alice, &f, "delegation-widened");
	f.path_len = 5;
	refuse_forged(&alice, &f, "delegation-widened");
	f = honest();
	f.outlive = 1;
	refuse_forged(&alice, &f, "delegation-widened");
	f = honest();
	f.d.not_after = T0 + 13 * HOUR; /* the token ends after 12 */
	refuse_forged(&alice, &f, "delegation-widened");
	f = honest();
	strcpy(f.d.member, "bob");
	refuse_forged(&alice, &f, "delegation-widened");
	f = honest();
	strcpy(f.d.vo, "other");
	refuse_forged(&alice, &f, "delegation-widened");
}
END_TEST

START_TEST(second_step_wider_than_the_first)
{
	struct forged first = honest(), f;
	struct xos_chain one = {0};

	first.d.depth = 2;
	forge(&alice, &first, &one);
	f = honest();
	f.d.depth = 2;
	f.path_len = 2;
	refuse_forged(&one, &f, "cert-proxy"); /* OpenSSL counts the path lengths, too */
	f = honest();
	f.d.node[0] = 0;
	refuse_forged(&one, &f, "delegation-widened");
	f = honest();
	f.d.not_after++;
	refuse_forged(&one, &f, "delegation-widened");
	f = honest();
	f.no_ext = true;
	refuse_forged(&one, &f, "delegation-missing");
	xos_chain_clear(&one);
	/* Depth used up. */
	first.d.depth = 0;
	forge(&alice, &first, &one);
	f = honest();
	f.d.depth = 0;
	refuse_forged(&one, &f, "cert-proxy");
	xos_chain_clear(&one);
}
END_TEST

START_TEST(no_authority_and_no_machine_signs_proxies)
{
	struct xos_chain ca = {0}, node = {0};
	struct forged f = honest();

	must(xos_chain_add(&ca, demo->user_ca), NULL, "chain");
	ca.key = xos_key_ref(demo->user_key);
	refuse_forged(&ca, &f, NULL);
	node_chain(demo, "n1.demo.example", &node);
	strcpy(f.d.member, "n1");
	f.d.not_after = T0 + 600;
	struct xos_verify_opts o = opts();
	struct xos_identity *id = NULL;
	struct xos_chain ch = {0};
	forge(&node, &f, &ch);
	o.kinds = XOS_KINDS_ALL;
	ck_assert_int_eq(xos_token_verify_chain(demo->trust, &ch, &o, &id, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "delegation-refused");
	xos_chain_clear(&ch);
	xos_chain_clear(&ca);
	xos_chain_clear(&node);
}
END_TEST

START_TEST(signed_by_somebody_else)
{
	struct xos_chain bob = {0}, ch = {0};
	struct forged f = honest();

	/* bob signs a delegation in alice's name, below alice's certificate. */
	user_chain(demo, "bob", &bob);
	xos_key_free(alice.key);
	alice.key = xos_key_ref(bob.key);
	forge(&alice, &f, &ch);
	refuse(&ch, XOS_DENIED, "cert-signature");
	xos_chain_clear(&ch);
	/* Under his own name it says alice: refused as well. */
	forge(&bob, &f, &ch);
	refuse(&ch, XOS_DENIED, "delegation-widened");
	xos_chain_clear(&ch);
	xos_chain_clear(&bob);
}
END_TEST

START_TEST(every_changed_byte_is_refused)
{
	struct xos_verify_opts o = opts();
	struct xos_delegation d = job_delegation();
	struct xos_identity *id = NULL;
	struct xos_chain job = {0};
	struct xos_bytes der[3];
	uint8_t copy[4096];
	size_t n;

	delegate_chain(&alice, &d, &job);
	n = xos_cert_der(job.cert[0]).n;
	ck_assert_uint_lt(n, sizeof(copy));
	memcpy(copy, xos_cert_der(job.cert[0]).p, n);
	der[0] = (struct xos_bytes){copy, n};
	der[1] = xos_cert_der(job.cert[1]);
	der[2] = xos_cert_der(job.cert[2]);
	ck_assert_int_eq(xos_token_verify(demo->trust, der, 3, &o, &id, &err), XOS_OK);
	xos_identity_free(id);
	for (size_t i = 0; i < n; i++) {
		copy[i] ^= 0x01;
		ck_assert_msg(xos_token_verify(demo->trust, der, 3, &o, &id, &err) != XOS_OK,
		    "byte %zu accepted", i);
		copy[i] ^= 0x01;
	}
	xos_chain_clear(&job);
}
END_TEST

START_TEST(codec_is_canonical)
{
	struct xos_delegation d = job_delegation(), *back = NULL;
	struct xos_buf der, again;
	uint8_t longest[XOS_RESTRICTION_MAX + 1] = {0};
	size_t decoded = 0;

	strcpy(d.vo, "demo");
	strcpy(d.member, "alice");
	xos_buf_init(&der, XOS_DELEGATION_DER_MAX);
	must(xos_delegation_encode(&d, &der, &err), &err, "encode");
	for (size_t i = 0; i <= der.n; i++) {
		ck_assert_int_eq(
		    xos_delegation_decode((struct xos_bytes){der.p, i}, &back, &err) == XOS_OK,
		    i == der.n);
		xos_delegation_free(back);
	}
	/* What decodes at all encodes to the same bytes: one delegation, one encoding. */
	for (size_t i = 0; i < der.n * 256; i++) {
		uint8_t keep = der.p[i / 256];

		der.p[i / 256] = (uint8_t)i;
		if (xos_delegation_decode(xos_buf_bytes(&der), &back, &err) == XOS_OK) {
			xos_buf_init(&again, XOS_DELEGATION_DER_MAX);
			must(xos_delegation_encode(back, &again, &err), &err, "encode");
			ck_assert(xos_bytes_eq(xos_buf_bytes(&again), xos_buf_bytes(&der)));
			xos_buf_free(&again);
			decoded++;
		}
		xos_delegation_free(back);
		der.p[i / 256] = keep;
	}
	ck_assert_uint_gt(decoded, der.n);
	der.n = 0;
	d.restriction = longest;
	d.restriction_len = XOS_RESTRICTION_MAX;
	ck_assert_int_eq(xos_delegation_encode(&d, &der, &err), XOS_OK);
	d.restriction_len++;
	ck_assert_int_eq(xos_delegation_encode(&d, &der, &err), XOS_MALFORMED);
	d.restriction_len = 0;
	d.depth = XOS_DELEGATION_DEPTH_MAX + 1;
	ck_assert_int_eq(xos_delegation_encode(&d, &der, &err), XOS_MALFORMED);
	d.depth = 0;
	strcpy(d.id, "a b");
	ck_assert_int_eq(xos_delegation_encode(&d, &der, &err), XOS_MALFORMED);
	xos_buf_free(&der);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("token delegation");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, one_step);
	tcase_add_test(t, two_steps_and_no_third);
	tcase_add_test(t, signing_cuts_and_inherits);
	tcase_add_test(t, only_members_delegate);
	tcase_add_test(t, forgery_tool_makes_good_proxies);
	tcase_add_test(t, stripped_or_other_languages);
	tcase_add_test(t, certificate_wider_than_its_extension);
	tcase_add_test(t, second_step_wider_than_the_first);
	tcase_add_test(t, no_authority_and_no_machine_signs_proxies);
	tcase_add_test(t, signed_by_somebody_else);
	tcase_add_test(t, every_changed_byte_is_refused);
	tcase_add_test(t, codec_is_canonical);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
