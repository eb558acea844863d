/* The restricted tokens of robots: the restriction is the first step of whatever they do, and cannot be lost. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "token/oid.h"
#include "token/tokenfile.h"

#define RESTRICTION "what may be done"

static struct vo *demo;
static struct xos_claims *claims;
static struct xos_err err;

static void setup(void)
{
	demo = vo_new("demo");
	claims = user_claims("demo", "nightly");
}

static void teardown(void)
{
	xos_claims_free(claims);
	vo_free(demo);
}

static struct xos_verify_opts opts(bool delegation)
{
	return (struct xos_verify_opts){.now = T0,
	    .skew = 60,
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER),
	    .allow_delegation = delegation};
}

static void chain_of(struct xos_buf *der, struct xos_key *key, struct xos_chain *out)
{
	struct xos_chain rest = {0};
	struct xos_cert *c = NULL;

	must(xos_cert_parse(xos_buf_bytes(der), &c, &err), &err, "certificate");
	must(xos_chain_add(&rest, demo->user_ca), NULL, "chain");
	prepend(&rest, c, key, out);
	xos_chain_clear(&rest);
}

/* As the authority makes one. */
static void robot_chain(struct xos_chain *out)
{
	struct xos_key *key = new_key();
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_buf der;
	struct xos_token_request req = {.claims = claims,
	    .spki = xos_key_spki(key),
	    .not_before = T0 - 300,
	    .not_after = T0 + HOUR,
	    .restriction = xos_bytes_str(RESTRICTION)};

	xos_buf_init(&der, XOS_CERT_MAX);
	must(xos_token_issue(demo->user_issuer, &req, serial, &der, &err), &err, "token");
	chain_of(&der, key, out);
	xos_buf_free(&der);
}

START_TEST(the_restriction_is_the_first_step)
{
	struct xos_verify_opts o = opts(true);
	struct xos_delegation d = job_delegation();
	struct xos_chain token = {0}, job = {0};
	struct xos_identity *id = NULL;
	struct xos_token_info *info = NULL;

	robot_chain(&token);
	must(xos_token_verify_chain(demo->trust, &token, &o, &id, &err), &err, "verify");
	ck_assert_uint_eq(id->nsteps, 1);
	ck_assert_str_eq(id->steps[0]->actor, "robot");
	ck_assert_uint_eq(id->steps[0]->restriction_len, strlen(RESTRICTION));
	ck_assert_int_eq(memcmp(id->steps[0]->restriction, RESTRICTION, strlen(RESTRICTION)), 0);
	xos_identity_free(id);
	/* a job of the robot's has it too, before the job's own */
	delegate_chain(&token, &d, &job);
	must(xos_token_verify_chain(demo->trust, &job, &o, &id, &err), &err, "verify");
	ck_assert_uint_eq(id->nsteps, 2);
	ck_assert_str_eq(id->steps[0]->actor, "robot");
	ck_assert_str_eq(id->steps[1]->actor, d.actor);
	xos_identity_free(id);
	must(xos_token_describe(&job, T0, &info, &err), &err, "describe");
	ck_assert_uint_eq(info->nsteps, 2);
	xos_token_info_free(info);
	xos_chain_clear(&job);
	xos_chain_clear(&token);
}
END_TEST

START_TEST(who_takes_no_delegation_takes_no_robot)
{
	struct xos_verify_opts o = opts(false);
	struct xos_identity *id = NULL;
	struct xos_chain token = {0};

	robot_chain(&token);
	ck_assert_int_eq(xos_token_verify_chain(demo->trust, &token, &o, &id, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "delegation-refused");
	ck_assert_ptr_null(id);
	xos_chain_clear(&token);
}
END_TEST

START_TEST(only_users_are_restricted)
{
	struct xos_claims *node = machine_claims(XOS_KIND_NODE, "demo", "n1.demo.example", NULL);
	struct xos_key *key = new_key();
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_buf der;
	struct xos_token_request req = {.claims = node,
	    .spki = xos_key_spki(key),
	    .not_before = T0 - 300,
	    .not_after = T0 + HOUR,
	    .restriction = xos_bytes_str(RESTRICTION)};

	xos_buf_init(&der, XOS_CERT_MAX);
	ck_assert_int_eq(
	    xos_token_issue(demo->node_issuer, &req, serial, &der, &err), XOS_MALFORMED);
	ck_assert_uint_eq(der.n, 0);
	xos_buf_free(&der);
	xos_key_free(key);
	xos_claims_free(node);
}
END_TEST

/* What a careless or captured issuer could make: the extension, but not as the profile has it. */
static void forge(const struct xos_delegation *d, bool critical, struct xos_chain *out)
{
	const struct xos_rdn subject[] = {
	    {XOS_RDN_O, "demo"}, {XOS_RDN_OU, "user"}, {XOS_RDN_CN, "nightly"}};
	const struct xos_bytes eku[] = {XOS_EKU_CLIENT_AUTH};
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_key *key = new_key();
	struct xos_buf der, token, ext;

	xos_buf_init(&der, XOS_CERT_MAX);
	xos_buf_init(&token, XOS_CLAIMS_DER_MAX);
	xos_buf_init(&ext, XOS_DELEGATION_DER_MAX);
	must(xos_claims_encode(claims, &token, &err), &err, "claims");
	must(xos_delegation_encode(d, &ext, &err), &err, "delegation");
	const struct xos_ext exts[] = {{XOS_OID_TOKEN, false, xos_buf_bytes(&token)},
	    {XOS_OID_DELEGATION, critical, xos_buf_bytes(&ext)}};
	const struct xos_issue what = {.subject = subject,
	    .nsubject = 3,
	    .spki = xos_key_spki(key),
	    .not_before = T0 - 300,
	    .not_after = T0 + HOUR,
	    .key_usage = XOS_KU_DIGITAL_SIGNATURE,
	    .eku = eku,
	    .neku = 1,
	    .uri = "spiffe://demo/user/nightly",
	    .exts = exts,
	    .nexts = 2};
	must(xos_issue_cert(demo->user_issuer, &what, serial, &der, &err), &err, "forged");
	chain_of(&der, key, out);
	xos_buf_free(&der);
	xos_buf_free(&token);
	xos_buf_free(&ext);
}

static struct xos_delegation right(void)
{
	struct xos_delegation d = {.vo = "demo",
	    .member = "nightly",
	    .actor = "robot",
	    .not_after = T0 + HOUR,
	    .depth = XOS_DELEGATION_DEPTH_MAX,
	    .restriction = (const uint8_t *)RESTRICTION,
	    .restriction_len = strlen(RESTRICTION)};

	return d;
}

START_TEST(anything_but_the_profiles_own_is_refused)
{
	struct xos_delegation bad[7];
	struct xos_verify_opts o = opts(true);
	struct xos_identity *id = NULL;
	struct xos_chain ch = {0};

	for (size_t i = 0; i < 7; i++)
		bad[i] = right();
	strcpy(bad[0].member, "alice");
	strcpy(bad[1].actor, "job");
	strcpy(bad[2].node, "n1.demo.example");
	strcpy(bad[3].id, "x");
	bad[4].depth = 1;
	bad[5].not_after = T0 + HOUR - 1; /* the certificate outlives it */
	bad[6].restriction_len = 0;
	for (size_t i = 0; i < 7; i++) {
		forge(&bad[i], true, &ch);
		ck_assert_msg(
		    xos_token_verify_chain(demo->trust, &ch, &o, &id, &err) == XOS_DENIED &&
		        strcmp(err.code, "token-mismatch") == 0,
		    "case %zu: %s %s", i, err.code, err.text);
		xos_chain_clear(&ch);
	}
	bad[0] = right();
	forge(&bad[0], false, &ch); /* what may be passed over is no restriction */
	ck_assert_int_eq(xos_token_verify_chain(demo->trust, &ch, &o, &id, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "token-mismatch");
	xos_chain_clear(&ch);
	forge(&bad[0], true, &ch);
	must(xos_token_verify_chain(demo->trust, &ch, &o, &id, &err), &err, "the right one");
	xos_identity_free(id);
	xos_chain_clear(&ch);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("token-robot");
	TCase *t = tcase_create("robot");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_restriction_is_the_first_step);
	tcase_add_test(t, who_takes_no_delegation_takes_no_robot);
	tcase_add_test(t, only_users_are_restricted);
	tcase_add_test(t, anything_but_the_profiles_own_is_refused);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
