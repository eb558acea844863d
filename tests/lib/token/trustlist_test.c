/* The list that the root signs: reading, and what it does to verification while it goes on. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "fixture.h"
#include "json/json.h"
#include "pki/jws.h"

static struct vo *demo;
static struct xos_err err;
static struct xos_chain alice;
static struct xos_buf compact;

static void setup(void)
{
	demo = vo_new("demo");
	user_chain(demo, "alice", &alice);
	xos_buf_init(&compact, XOS_TRUST_LIST_MAX);
	memset(&err, 0, sizeof(err));
}

static void teardown(void)
{
	xos_buf_free(&compact);
	xos_chain_clear(&alice);
	vo_free(demo);
}

static void add(
    struct xos_trust_list *l, const struct xos_cert *c, enum xos_trust_state state, int64_t since)
{
	struct xos_trust_entry *e = &l->entry[l->n++];

	e->cert = xos_cert_ref(c);
	must(xos_trust_role_of(c, l->vo, &e->role, &err), &err, "role");
	e->state = state;
	e->since = since;
}

static struct xos_trust_list *list(uint64_t serial, enum xos_trust_state user, int64_t since)
{
	struct xos_trust_list *l = calloc(1, sizeof(*l));

	snprintf(l->vo, sizeof(l->vo), "demo");
	l->serial = serial;
	l->issued = T0;
	add(l, demo->user_ca, user, since);
	add(l, demo->node_ca, XOS_TRUST_ACTIVE, T0);
	return l;
}

/* The compact form of a list, in `compact`. */
static struct xos_bytes sign(struct xos_trust_list *l)
{
	xos_buf_free(&compact);
	xos_buf_init(&compact, XOS_TRUST_LIST_MAX);
	must(xos_trust_list_sign(demo->root_key, demo->root, l, &compact, &err), &err, "sign");
	xos_trust_list_free(l);
	return xos_buf_bytes(&compact);
}

static enum xos_status take(uint64_t serial, enum xos_trust_state user, int64_t since)
{
	return xos_trust_take_list(demo->trust, sign(list(serial, user, since)), NULL, &err);
}

static enum xos_status verify_as(const struct xos_chain *ch, struct xos_identity **out)
{
	const struct xos_verify_opts o = {.now = T0,
	    .skew = 60,
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER) | XOS_KIND_BIT(XOS_KIND_NODE),
	    .allow_delegation = true};

	return xos_token_verify_chain(demo->trust, ch, &o, out, &err);
}

static enum xos_status verify(const struct xos_chain *ch)
{
	struct xos_identity *id = NULL;
	enum xos_status st = verify_as(ch, &id);

	xos_identity_free(id);
	return st;
}

START_TEST(a_list_is_read_as_it_was_signed)
{
	struct xos_trust_list *l = list(7, XOS_TRUST_TAINTED, T0 - 100), *got = NULL;

	l->expires = T0 + DAY;
	snprintf(l->entry[0].reason, sizeof(l->entry[0].reason), "laptop stolen");
	ck_assert_int_eq(xos_trust_list_verify(sign(l), demo->root, &got, &err), XOS_OK);
	ck_assert_str_eq(got->vo, "demo");
	ck_assert_uint_eq(got->serial, 7);
	ck_assert_int_eq(got->issued, T0);
	ck_assert_int_eq(got->expires, T0 + DAY);
	ck_assert_uint_eq(got->n, 2);
	ck_assert_int_eq(got->entry[0].role, XOS_TRUST_CA);
	ck_assert_int_eq(got->entry[1].role, XOS_TRUST_RCA);
	ck_assert_int_eq(got->entry[0].state, XOS_TRUST_TAINTED);
	ck_assert_int_eq(got->entry[0].since, T0 - 100);
	ck_assert_str_eq(got->entry[0].reason, "laptop stolen");
	ck_assert_ptr_nonnull(xos_trust_list_find(got, xos_cert_fingerprint(demo->user_ca)));
	ck_assert_ptr_null(xos_trust_list_find(got, xos_cert_fingerprint(demo->root)));
	xos_trust_list_free(got);
}
END_TEST

START_TEST(states_count_from_the_next_verification)
{
	struct xos_identity *id = NULL;

	ck_assert_int_eq(verify(&alice), XOS_OK); /* without any list */
	ck_assert_int_eq(take(1, XOS_TRUST_PREPARED, T0), XOS_OK);
	ck_assert_int_eq(verify(&alice), XOS_OK);
	ck_assert_int_eq(take(2, XOS_TRUST_ACTIVE, T0), XOS_OK);
	ck_assert_int_eq(verify_as(&alice, &id), XOS_OK);
	/* Her token begins at T0 - 300. */
	ck_assert_int_eq(take(3, XOS_TRUST_TAINTED, T0 - 300), XOS_OK);
	ck_assert_int_eq(verify(&alice), XOS_OK);
	ck_assert_int_eq(xos_identity_listed(demo->trust, id, &err), XOS_OK);
	ck_assert_int_eq(take(4, XOS_TRUST_TAINTED, T0 - 301), XOS_OK);
	ck_assert_int_eq(verify(&alice), XOS_DENIED);
	ck_assert_str_eq(err.code, "issuer-tainted");
	ck_assert_int_eq(xos_identity_listed(demo->trust, id, &err), XOS_DENIED);
	ck_assert_int_eq(take(5, XOS_TRUST_REVOKED, T0), XOS_OK);
	ck_assert_int_eq(verify(&alice), XOS_DENIED);
	ck_assert_str_eq(err.code, "issuer-revoked");
	ck_assert_int_eq(xos_identity_listed(demo->trust, id, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "issuer-revoked");
	xos_identity_free(id);
}
END_TEST

START_TEST(what_is_not_named_does_not_count)
{
	struct xos_trust_list *l = list(1, XOS_TRUST_ACTIVE, T0);

	l->entry[0] = l->entry[1];
	l->n = 1;
	xos_cert_free(demo->user_ca); /* the reference that the entry had */
	ck_assert_int_eq(xos_trust_take_list(demo->trust, sign(l), NULL, &err), XOS_OK);
	ck_assert_int_eq(verify(&alice), XOS_DENIED);
	ck_assert_str_eq(err.code, "issuer-unlisted");
}
END_TEST

START_TEST(delegations_go_with_the_issuer)
{
	struct xos_delegation d = job_delegation();
	struct xos_chain proxy;

	delegate_chain(&alice, &d, &proxy);
	ck_assert_int_eq(take(1, XOS_TRUST_TAINTED, T0 - 300), XOS_OK);
	ck_assert_int_eq(verify(&proxy), XOS_OK); /* signed later, by a token that still counts */
	ck_assert_int_eq(take(2, XOS_TRUST_REVOKED, T0), XOS_OK);
	ck_assert_int_eq(verify(&proxy), XOS_DENIED);
	ck_assert_str_eq(err.code, "issuer-revoked");
	xos_chain_clear(&proxy);
}
END_TEST

START_TEST(a_new_issuer_is_known_by_the_list)
{
	struct xos_chain bare = {.n = 0};
	struct xos_cert *c = NULL;

	must(xos_chain_add(&bare, alice.cert[0]), &err, "chain");
	ck_assert_int_ne(verify(&bare), XOS_OK);
	ck_assert_int_eq(
	    xos_token_find_issuer(demo->trust, "demo", XOS_KIND_USER, NULL, T0, 0, &c, &err),
	    XOS_NOT_FOUND);
	ck_assert_int_eq(take(1, XOS_TRUST_PREPARED, T0), XOS_OK);
	ck_assert_int_eq(verify(&bare), XOS_OK);
	ck_assert_int_eq(
	    xos_token_find_issuer(demo->trust, "demo", XOS_KIND_USER, NULL, T0, 0, &c, &err),
	    XOS_OK);
	xos_cert_free(c);
	c = NULL;
	ck_assert_int_eq(take(2, XOS_TRUST_REVOKED, T0), XOS_OK);
	ck_assert_int_eq(
	    xos_token_find_issuer(demo->trust, "demo", XOS_KIND_USER, NULL, T0, 0, &c, &err),
	    XOS_NOT_FOUND);
	xos_chain_clear(&bare);
}
END_TEST

START_TEST(a_lower_serial_and_a_second_list_are_refused)
{
	bool news = true;

	ck_assert_int_eq(take(5, XOS_TRUST_REVOKED, T0), XOS_OK);
	ck_assert_int_eq(
	    xos_trust_take_list(demo->trust, xos_buf_bytes(&compact), &news, &err), XOS_OK);
	ck_assert(!news);
	ck_assert_int_eq(take(4, XOS_TRUST_ACTIVE, T0), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "lower-serial");
	ck_assert_int_eq(take(5, XOS_TRUST_ACTIVE, T0), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "two-lists");
	ck_assert_int_eq(verify(&alice), XOS_DENIED);
	ck_assert_uint_eq(xos_trust_list(demo->trust, "demo")->serial, 5);
}
END_TEST

START_TEST(strangers_sign_no_list)
{
	struct vo *other = vo_new("other"), *twin = vo_new("demo");
	struct xos_trust_list *l = list(9, XOS_TRUST_ACTIVE, T0);
	struct xos_buf payload;

	/* Another root of the same name; an issuer; the root of another VO, which is trusted here. */
	ck_assert_int_eq(
	    xos_trust_list_sign(twin->root_key, twin->root, l, &compact, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "not-issued");
	sign(l);
	xos_buf_init(&payload, XOS_TRUST_LIST_MAX);
	must(xos_jws_verify(xos_cert_key(demo->root), XOS_TRUST_LIST_TYP, xos_buf_bytes(&compact),
	         &payload, &err),
	    &err, "payload");
	must(xos_trust_add_root(demo->trust, other->root, &err), &err, "trust");
	const struct xos_key *const keys[] = {twin->root_key, demo->user_key, other->root_key};
	const char *const codes[] = {"foreign-signer", "foreign-signer", "wrong-root"};
	for (size_t i = 0; i < 3; i++) {
		xos_buf_free(&compact);
		xos_buf_init(&compact, XOS_TRUST_LIST_MAX);
		must(xos_jws_sign(
		         keys[i], XOS_TRUST_LIST_TYP, xos_buf_bytes(&payload), &compact, &err),
		    &err, "sign");
		ck_assert_int_eq(
		    xos_trust_take_list(demo->trust, xos_buf_bytes(&compact), NULL, &err),
		    XOS_DENIED);
		ck_assert_str_eq(err.code, codes[i]);
	}
	/* The right key for another purpose. */
	xos_buf_free(&compact);
	xos_buf_init(&compact, XOS_TRUST_LIST_MAX);
	must(xos_jws_sign(demo->root_key, "xos-locks+jws", xos_buf_bytes(&payload), &compact, &err),
	    &err, "sign");
	ck_assert_int_ne(
	    xos_trust_take_list(demo->trust, xos_buf_bytes(&compact), NULL, &err), XOS_OK);
	ck_assert_ptr_null(xos_trust_list(demo->trust, "demo"));
	ck_assert_int_eq(verify(&alice), XOS_OK);
	xos_buf_free(&payload);
	vo_free(twin);
	vo_free(other);
}
END_TEST

/* The payload of a good list, with one text put in place of another, signed by the root. */
static enum xos_status changed(const char *from, const char *to)
{
	struct xos_buf payload, bad;

	sign(list(1, XOS_TRUST_ACTIVE, T0));
	xos_buf_init(&payload, XOS_TRUST_LIST_MAX);
	xos_buf_init(&bad, XOS_TRUST_LIST_MAX);
	must(xos_jws_verify(xos_cert_key(demo->root), XOS_TRUST_LIST_TYP, xos_buf_bytes(&compact),
	         &payload, &err),
	    &err, "payload");
	const char *text = xos_buf_str(&payload), *at = strstr(text, from);
	ck_assert_msg(at, "%s is not in %s", from, text);
	xos_buf_put(&bad, text, (size_t)(at - text));
	xos_buf_put_str(&bad, to);
	xos_buf_put_str(&bad, at + strlen(from));
	xos_buf_free(&compact);
	xos_buf_init(&compact, XOS_TRUST_LIST_MAX);
	must(xos_jws_sign(demo->root_key, XOS_TRUST_LIST_TYP, xos_buf_bytes(&bad), &compact, &err),
	    &err, "sign");
	xos_buf_free(&bad);
	xos_buf_free(&payload);
	return xos_trust_take_list(demo->trust, xos_buf_bytes(&compact), NULL, &err);
}

START_TEST(bad_lists_are_refused_whole)
{
	ck_assert_int_eq(changed("\"vo\":\"demo\"", "\"vo\":\"other\""), XOS_MALFORMED);
	ck_assert_int_eq(changed("\"serial\":1", "\"serial\":0"), XOS_MALFORMED);
	ck_assert_int_eq(changed("\"state\":\"active\"", "\"state\":\"good\""), XOS_MALFORMED);
	ck_assert_int_eq(changed("\"state\":\"active\"", "\"mood\":\"active\""), XOS_MALFORMED);
	ck_assert_int_eq(changed("\"serial\":1", "\"serial\":1,\"more\":1"), XOS_MALFORMED);
	ck_assert_int_eq(changed("\"serial\":1", "\"serial\":1,\"serial\":1"), XOS_MALFORMED);
	ck_assert_int_eq(
	    changed("\"serial\":1", "\"serial\":1,\"expires\":\"2020-01-01T00:00:00Z\""),
	    XOS_MALFORMED);
	ck_assert_int_eq(changed("sha256:", "sha256:0"), XOS_MALFORMED);
	ck_assert_ptr_null(xos_trust_list(demo->trust, "demo"));
	/* Cut, and with something behind. */
	sign(list(1, XOS_TRUST_ACTIVE, T0));
	struct xos_bytes whole = xos_buf_bytes(&compact);
	for (size_t n = 0; n < whole.n; n += 61)
		ck_assert_int_ne(
		    xos_trust_take_list(demo->trust, (struct xos_bytes){whole.p, n}, NULL, &err),
		    XOS_OK);
	xos_buf_put_str(&compact, "A");
	ck_assert_int_ne(
	    xos_trust_take_list(demo->trust, xos_buf_bytes(&compact), NULL, &err), XOS_OK);
	ck_assert_ptr_null(xos_trust_list(demo->trust, "demo"));
}
END_TEST

START_TEST(only_what_the_root_made_for_us_stands_in_a_list)
{
	struct xos_trust_list *l = list(1, XOS_TRUST_ACTIVE, T0);
	enum xos_trust_role role = XOS_TRUST_CA;
	struct vo *other = vo_new("other");

	/* A token; the root; an issuer of another VO; one certificate twice. */
	ck_assert_int_eq(xos_trust_role_of(alice.cert[0], "demo", &role, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "trust-certificate");
	ck_assert_int_eq(xos_trust_role_of(demo->root, "demo", &role, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_trust_role_of(other->user_ca, "demo", &role, &err), XOS_MALFORMED);
	xos_cert_free(l->entry[1].cert);
	l->entry[1].cert = xos_cert_ref(demo->user_ca);
	l->entry[1].role = XOS_TRUST_CA;
	ck_assert_int_eq(
	    xos_trust_list_sign(demo->root_key, demo->root, l, &compact, &err), XOS_MALFORMED);
	xos_trust_list_free(l);
	vo_free(other);
}
END_TEST

START_TEST(files_are_followed)
{
	char folder[] = "/tmp/xos-trust-XXXXXX", path[64];
	struct xos_trust *copy = xos_trust_new();

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/%s", folder, XOS_TRUST_FILE);
	must(xos_trust_follow(demo->trust, path, &err), &err, "follow"); /* not there yet */
	must(xos_trust_join(copy, demo->trust, &err), &err, "join");
	ck_assert_int_eq(verify(&alice), XOS_OK);
	must(xos_file_write(path, 0644, sign(list(2, XOS_TRUST_REVOKED, T0)), &err), &err, "file");
	ck_assert_int_eq(verify(&alice), XOS_DENIED);
	ck_assert_uint_eq(xos_trust_list(copy, "demo")->serial, 2);
	ck_assert_int_eq(xos_trust_health(demo->trust, "demo", T0, &err), XOS_OK);
	/* An older one, rubbish, none: what is in force stays. */
	must(xos_file_write(path, 0644, sign(list(1, XOS_TRUST_ACTIVE, T0)), &err), &err, "file");
	ck_assert_int_eq(verify(&alice), XOS_DENIED);
	ck_assert_int_eq(xos_trust_health(demo->trust, "demo", T0, &err), XOS_UNAVAILABLE);
	must(xos_file_write(path, 0644, xos_bytes_str("rubbish"), &err), &err, "file");
	ck_assert_int_eq(verify(&alice), XOS_DENIED);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(verify(&alice), XOS_DENIED);
	must(xos_file_write(path, 0644, sign(list(3, XOS_TRUST_ACTIVE, T0)), &err), &err, "file");
	ck_assert_int_eq(verify(&alice), XOS_OK);
	ck_assert_int_eq(xos_trust_health(demo->trust, "demo", T0, &err), XOS_OK);
	/* The issuers end 365 days after T0. */
	ck_assert_int_eq(
	    xos_trust_health(demo->trust, "demo", T0 + 340LL * DAY, &err), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "trust-ends");
	unlink(path);
	rmdir(folder);
	xos_trust_free(copy);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("trust list");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_list_is_read_as_it_was_signed);
	tcase_add_test(t, states_count_from_the_next_verification);
	tcase_add_test(t, what_is_not_named_does_not_count);
	tcase_add_test(t, delegations_go_with_the_issuer);
	tcase_add_test(t, a_new_issuer_is_known_by_the_list);
	tcase_add_test(t, a_lower_serial_and_a_second_list_are_refused);
	tcase_add_test(t, strangers_sign_no_list);
	tcase_add_test(t, bad_lists_are_refused_whole);
	tcase_add_test(t, only_what_the_root_made_for_us_stands_in_a_list);
	tcase_add_test(t, files_are_followed);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
