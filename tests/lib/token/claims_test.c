/* Claims and the issuer marker: what they may say, and their one encoding. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>

#include "fixture.h"
#include "pki/der.h"
#include "token/issuerext.h"
#include "token/oid.h"
#include "token/request.h"

static struct xos_err err;

static void roundtrip(const struct xos_claims *c)
{
	struct xos_claims *back = NULL;
	struct xos_buf der, again;

	xos_buf_init(&der, XOS_CLAIMS_DER_MAX);
	xos_buf_init(&again, XOS_CLAIMS_DER_MAX);
	must(xos_claims_encode(c, &der, &err), &err, "encode");
	must(xos_claims_decode(xos_buf_bytes(&der), &back, &err), &err, "decode");
	ck_assert_int_eq(back->kind, c->kind);
	ck_assert_str_eq(back->vo, c->vo);
	ck_assert_str_eq(back->name, c->name);
	ck_assert_str_eq(back->service, c->service);
	ck_assert_uint_eq(back->number, c->number);
	ck_assert_uint_eq(back->ngroups, c->ngroups);
	ck_assert_uint_eq(back->nroles, c->nroles);
	ck_assert_str_eq(back->auth_method, c->auth_method);
	ck_assert_int_eq(back->auth_time, c->auth_time);
	ck_assert_int_eq(back->auth_mfa, c->auth_mfa);
	ck_assert_str_eq(back->home_org, c->home_org);
	for (size_t i = 0; i < c->ngroups; i++)
		ck_assert_str_eq(back->groups[i], c->groups[i]);
	must(xos_claims_encode(back, &again, &err), &err, "encode");
	ck_assert(xos_bytes_eq(xos_buf_bytes(&der), xos_buf_bytes(&again)));
	xos_claims_free(back);
	xos_buf_free(&der);
	xos_buf_free(&again);
}

START_TEST(roundtrips)
{
	struct xos_claims *user = user_claims("demo", "alice");
	struct xos_claims *node = machine_claims(XOS_KIND_NODE, "demo", "n1.demo.example", NULL);
	struct xos_claims *service =
	    machine_claims(XOS_KIND_SERVICE, "demo", "n1.demo.example", "jobs");
	struct xos_claims *policy = machine_claims(XOS_KIND_POLICY, "demo", "vops", NULL);

	roundtrip(user);
	strcpy(user->home_org, "uni.example");
	user->number = UINT64_MAX;
	roundtrip(user);
	user->auth_mfa = true;
	roundtrip(user);
	user->home_org[0] = 0;
	roundtrip(user);
	roundtrip(node);
	roundtrip(service);
	roundtrip(policy);
	xos_claims_free(user);
	xos_claims_free(node);
	xos_claims_free(service);
	xos_claims_free(policy);
}
END_TEST

START_TEST(one_encoding_only)
{
	struct xos_claims *c = user_claims("demo", "alice"), *back = NULL;
	struct xos_buf der, again;
	size_t decoded = 0;

	xos_buf_init(&der, XOS_CLAIMS_DER_MAX);
	must(xos_claims_encode(c, &der, &err), &err, "encode");
	for (size_t i = 0; i < der.n; i++)
		ck_assert_int_eq(
		    xos_claims_decode((struct xos_bytes){der.p, i}, &back, &err), XOS_MALFORMED);
	for (size_t i = 0; i < der.n * 256; i++) {
		uint8_t keep = der.p[i / 256];

		der.p[i / 256] = (uint8_t)i;
		if (xos_claims_decode(xos_buf_bytes(&der), &back, &err) == XOS_OK) {
			xos_buf_init(&again, XOS_CLAIMS_DER_MAX);
			must(xos_claims_encode(back, &again, &err), &err, "encode");
			ck_assert(xos_bytes_eq(xos_buf_bytes(&again), xos_buf_bytes(&der)));
			xos_buf_free(&again);
			decoded++;
		}
		xos_claims_free(back);
		der.p[i / 256] = keep;
	}
	ck_assert_uint_gt(decoded, der.n);
	xos_buf_u8(&der, 0);
	ck_assert_int_eq(xos_claims_decode(xos_buf_bytes(&der), &back, &err), XOS_MALFORMED);
	xos_buf_free(&der);
	xos_claims_free(c);
}
END_TEST

/* The second factor stands there in one way: version 2 and mfa 1, or version 1 and nothing. */
START_TEST(the_second_factor_has_one_encoding)
{
	struct xos_claims *user = user_claims("demo", "alice"), *back = NULL;
	struct xos_buf one, two;

	xos_buf_init(&one, XOS_CLAIMS_DER_MAX);
	xos_buf_init(&two, XOS_CLAIMS_DER_MAX);
	must(xos_claims_encode(user, &one, &err), &err, "encode");
	user->auth_mfa = true;
	must(xos_claims_encode(user, &two, &err), &err, "encode");
	ck_assert_uint_eq(two.n, one.n + 3);
	ck_assert_mem_eq(two.p + two.n - 3, "\x81\x01\x01", 3);
	for (uint8_t v = 0; v < 4; v++) { /* mfa that is not 1 */
		two.p[two.n - 1] = v;
		ck_assert_int_eq(
		    xos_claims_decode(xos_buf_bytes(&two), &back, &err) == XOS_OK, v == 1);
		xos_claims_free(back);
		back = NULL;
	}
	two.p[two.n - 1] = 1;
	/* the version, after the outer header, says the other thing */
	size_t at = two.p[1] & 0x80 ? 2u + (two.p[1] & 0x7f) : 2;
	ck_assert_mem_eq(two.p + at, "\x02\x01\x02", 3);
	two.p[at + 2] = 1;
	ck_assert_int_eq(xos_claims_decode(xos_buf_bytes(&two), &back, &err), XOS_MALFORMED);
	at = one.p[1] & 0x80 ? 2u + (one.p[1] & 0x7f) : 2;
	one.p[at + 2] = 2;
	ck_assert_int_eq(xos_claims_decode(xos_buf_bytes(&one), &back, &err), XOS_MALFORMED);
	xos_buf_free(&one);
	xos_buf_free(&two);
	xos_claims_free(user);
}
END_TEST

START_TEST(names_and_lists_are_checked)
{
	struct xos_claims *c = user_claims("demo", "alice"), *none = NULL;

	ck_assert_int_eq(
	    xos_claims_new(XOS_KIND_USER, "Demo", "alice", &none, &err), XOS_MALFORMED);
	ck_assert_int_eq(
	    xos_claims_new(XOS_KIND_USER, "demo", "Alice", &none, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_claims_new(XOS_KIND_USER, "demo", "a/b", &none, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_claims_new(XOS_KIND_USER, NULL, "alice", &none, &err), XOS_MALFORMED);
	ck_assert_int_eq(
	    xos_claims_new(XOS_KIND_NONE, "demo", "alice", &none, &err), XOS_MALFORMED);
	ck_assert_int_eq(
	    xos_claims_new((enum xos_kind)77, "demo", "a", &none, &err), XOS_MALFORMED);
	ck_assert_ptr_null(none);
	ck_assert_int_eq(xos_claims_add_group(c, "/other/physics", &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_claims_add_group(c, "/demo2", &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_claims_add_group(c, "/demo/Role=admin", &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_claims_add_group(c, "/demo/physics", &err), XOS_CONFLICT);
	ck_assert_int_eq(xos_claims_add_role(c, "/demo/physics", &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_claims_add_role(c, "/other/Role=admin", &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_claims_add_role(c, "/demo/Role=admin", &err), XOS_CONFLICT);
	xos_claims_free(c);
}
END_TEST

START_TEST(kinds_have_their_own_fields)
{
	struct xos_claims *user = user_claims("demo", "alice");
	struct xos_claims *node = machine_claims(XOS_KIND_NODE, "demo", "n1", NULL);
	struct xos_claims *service = machine_claims(XOS_KIND_SERVICE, "demo", "n1", NULL);

	ck_assert_int_eq(xos_claims_check(user, &err), XOS_OK);
	user->number = 0;
	ck_assert_int_eq(xos_claims_check(user, &err), XOS_MALFORMED);
	user->number = 1;
	user->auth_time = 0;
	ck_assert_int_eq(xos_claims_check(user, &err), XOS_MALFORMED);
	user->auth_time = T0;
	user->auth_method[0] = 0;
	ck_assert_int_eq(xos_claims_check(user, &err), XOS_MALFORMED);
	strcpy(user->auth_method, "password");
	strcpy(user->service, "jobs");
	ck_assert_int_eq(xos_claims_check(user, &err), XOS_MALFORMED);
	user->service[0] = 0;
	strcpy(user->home_org, "a b");
	ck_assert_int_eq(xos_claims_check(user, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_claims_check(node, &err), XOS_OK);
	ck_assert_int_eq(xos_claims_add_group(node, "/demo", &err), XOS_OK);
	ck_assert_int_eq(xos_claims_check(node, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_claims_check(service, &err), XOS_MALFORMED); /* no service kind */
	strcpy(service->service, "Jobs/..");
	ck_assert_int_eq(xos_claims_check(service, &err), XOS_MALFORMED);
	strcpy(service->service, "jobs");
	ck_assert_int_eq(xos_claims_check(service, &err), XOS_OK);
	xos_claims_free(user);
	xos_claims_free(node);
	xos_claims_free(service);
}
END_TEST

START_TEST(bounded)
{
	struct xos_claims *c = user_claims("demo", "alice");
	char name[XOS_FQAN_MAX + 1];
	struct xos_buf der;
	enum xos_status st = XOS_OK;

	for (unsigned i = 0; st == XOS_OK && i < 300; i++) {
		snprintf(name, sizeof(name), "/demo/g%u", i);
		st = xos_claims_add_group(c, name, &err);
	}
	ck_assert_int_eq(st, XOS_LIMIT);
	ck_assert_uint_eq(c->ngroups, XOS_CLAIMS_GROUPS_MAX);
	roundtrip(c);
	/* Names so long that the whole passes 32 KiB. */
	for (size_t i = 0; i < c->ngroups; i++) {
		free(c->groups[i]);
		snprintf(name, sizeof(name), "/demo/%063zu/%063zu/%063zu", i, i, i);
		name[6] = name[70] = name[134] = 'g';
		c->groups[i] = strdup(name);
	}
	xos_buf_init(&der, 1 << 20);
	ck_assert_int_eq(xos_claims_encode(c, &der, &err), XOS_LIMIT);
	ck_assert_uint_eq(der.n, 0);
	xos_buf_free(&der);
	xos_claims_free(c);
}
END_TEST

START_TEST(malformed_encodings)
{
	static const struct {
		const char *why;
		const char *der;
		size_t n;
	} cases[] = {
#define CASE(why, bytes) {why, bytes, sizeof(bytes) - 1}
	    CASE("empty", ""),
	    CASE("empty sequence", "\x30\x00"),
	    CASE("indefinite length", "\x30\x80\x02\x01\x01\x00\x00"),
	    CASE("length in the long form", "\x30\x81\x03\x02\x01\x01"),
	    CASE("version 2", "\x30\x03\x02\x01\x02"),
	    CASE("version 3", "\x30\x03\x02\x01\x03"),
	    CASE("version with a leading zero", "\x30\x04\x02\x02\x00\x01"),
	    CASE("negative version", "\x30\x03\x02\x01\xff"),
	    CASE("length beyond the end", "\x30\x7f\x02\x01\x01"),
#undef CASE
	};
	struct xos_claims *c = NULL;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(
		    xos_claims_decode((struct xos_bytes){(const uint8_t *)cases[i].der, cases[i].n},
		        &c, &err) == XOS_MALFORMED,
		    "%s", cases[i].why);
}
END_TEST

START_TEST(markers)
{
	struct xos_issuer_marker m = {"demo", XOS_KIND_BIT(2) | XOS_KIND_BIT(3)}, back;
	struct xos_buf der;

	xos_buf_init(&der, 256);
	must(xos_issuer_marker_encode(&m, &der, &err), &err, "marker");
	must(xos_issuer_marker_decode(xos_buf_bytes(&der), &back, &err), &err, "marker");
	ck_assert_str_eq(back.vo, "demo");
	ck_assert_uint_eq(back.kinds, m.kinds);
	for (size_t i = 0; i < der.n; i++)
		ck_assert_int_eq(
		    xos_issuer_marker_decode((struct xos_bytes){der.p, i}, &back, &err),
		    XOS_MALFORMED);
	/* Kinds in another order, twice, or unknown. */
	der.p[der.n - 1] = 2;
	ck_assert_int_eq(xos_issuer_marker_decode(xos_buf_bytes(&der), &back, &err), XOS_MALFORMED);
	der.p[der.n - 1] = 1;
	ck_assert_int_eq(xos_issuer_marker_decode(xos_buf_bytes(&der), &back, &err), XOS_MALFORMED);
	der.p[der.n - 1] = 9;
	ck_assert_int_eq(xos_issuer_marker_decode(xos_buf_bytes(&der), &back, &err), XOS_MALFORMED);
	ck_assert_uint_eq(back.kinds, 0);
	m.kinds = 0;
	ck_assert_int_eq(xos_issuer_marker_encode(&m, &der, &err), XOS_MALFORMED);
	m.kinds = 1;
	ck_assert_int_eq(xos_issuer_marker_encode(&m, &der, &err), XOS_MALFORMED);
	xos_buf_free(&der);
}
END_TEST

static void same_oid(struct xos_bytes contents, const char *dotted)
{
	ASN1_OBJECT *o = OBJ_txt2obj(dotted, 1);

	ck_assert_ptr_nonnull(o);
	ck_assert_uint_eq(OBJ_length(o), contents.n);
	ck_assert_mem_eq(OBJ_get0_data(o), contents.p, contents.n);
	ASN1_OBJECT_free(o);
}

START_TEST(oids_are_what_they_say)
{
	same_oid(XOS_OID_TOKEN, XOS_OID_ARC_TEXT ".1");
	same_oid(XOS_OID_DELEGATION, XOS_OID_ARC_TEXT ".2");
	same_oid(XOS_OID_ISSUER, XOS_OID_ARC_TEXT ".3");
	same_oid(XOS_OID_PROXY_LANGUAGE, XOS_OID_ARC_TEXT ".4");
	same_oid(XOS_OID_EKU_POLICY, XOS_OID_ARC_TEXT ".5.1");
	same_oid(XOS_OID_EKU_ACCOUNTING, XOS_OID_ARC_TEXT ".5.2");
}
END_TEST

START_TEST(request_digest_binds_each_field)
{
	static const char *const ab[] = {"/demo/Role=a", "/demo/Role=b"};
	static const char *const ba[] = {"/demo/Role=b", "/demo/Role=a"};
	static const char *const joined[] = {"/demo/Role=a/demo/Role=b"};
	const struct xos_bytes key = xos_bytes_str("a key"), other = xos_bytes_str("a kez");
	uint8_t d[9][XOS_SHA256_LEN];

#define DIGEST(i, vo, k, roles, n, life)                                                           \
	ck_assert_int_eq(xos_token_request_digest(vo, k, roles, n, life, d[i], &err), XOS_OK)
	DIGEST(0, "demo", key, ab, 2, 3600);
	DIGEST(1, "demo2", key, ab, 2, 3600);
	DIGEST(2, "demo", other, ab, 2, 3600);
	DIGEST(3, "demo", key, ba, 2, 3600);
	DIGEST(4, "demo", key, ab, 1, 3600);
	DIGEST(5, "demo", key, joined, 1, 3600);
	DIGEST(6, "demo", key, ab, 2, 3601);
	DIGEST(7, "demo", key, NULL, 0, 3600);
	DIGEST(8, "demo", key, ab, 2, 3600);
#undef DIGEST
	for (size_t i = 1; i < 8; i++)
		ck_assert_mem_ne(d[0], d[i], XOS_SHA256_LEN);
	ck_assert_mem_eq(d[0], d[8], XOS_SHA256_LEN);
	ck_assert_int_eq(
	    xos_token_request_digest("demo", XOS_BYTES_NONE, ab, 2, 1, d[0], &err), XOS_MALFORMED);
	ck_assert_int_eq(
	    xos_token_request_digest("demo", key, ab, 2, -1, d[0], &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_token_request_digest("De", key, ab, 2, 1, d[0], &err), XOS_MALFORMED);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("token claims");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, roundtrips);
	tcase_add_test(t, one_encoding_only);
	tcase_add_test(t, the_second_factor_has_one_encoding);
	tcase_add_test(t, names_and_lists_are_checked);
	tcase_add_test(t, kinds_have_their_own_fields);
	tcase_add_test(t, bounded);
	tcase_add_test(t, malformed_encodings);
	tcase_add_test(t, markers);
	tcase_add_test(t, oids_are_what_they_say);
	tcase_add_test(t, request_digest_binds_each_field);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
