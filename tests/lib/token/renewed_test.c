/* Certificates of kind delegation, which the authority issues under a grant: the member, but only as delegated. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "token/oid.h"
#include "token/tokenfile.h"

#define GRANT "00112233445566778899aabbccddeeff"
#define NODE "n1.demo.example"
#define RESTRICTION "what may be done"

static struct vo *demo;
static struct xos_key *authority_key;
static struct xos_cert *authority;
static struct xos_issuer *issuer;
static struct xos_claims *claims;
static struct xos_err err;

static void make_issuer(
    struct vo *vo, struct xos_key **key, struct xos_cert **cert, struct xos_issuer **out)
{
	*key = new_key();
	must(xos_authority_issuer(vo->root_issuer, vo->name, XOS_KIND_BIT(XOS_KIND_DELEGATION),
	         xos_key_spki(*key), T0 - DAY, T0 + 30 * DAY, cert, &err),
	    &err, "delegation authority");
	must(xos_issuer_new(*cert, *key, out, &err), &err, "issuer");
}

static void setup(void)
{
	memset(&err, 0, sizeof(err));
	demo = vo_new("demo");
	make_issuer(demo, &authority_key, &authority, &issuer);
	claims = user_claims("demo", "alice");
	claims->kind = XOS_KIND_DELEGATION;
}

static void teardown(void)
{
	xos_claims_free(claims);
	xos_issuer_free(issuer);
	xos_cert_free(authority);
	xos_key_free(authority_key);
	vo_free(demo);
}

static struct xos_delegation grant_step(void)
{
	struct xos_delegation d = {.actor = "job",
	    .node = NODE,
	    .id = GRANT,
	    .not_after = T0 + 6 * HOUR,
	    .depth = 1,
	    .restriction = (const uint8_t *)RESTRICTION,
	    .restriction_len = strlen(RESTRICTION)};

	strcpy(d.vo, "demo");
	strcpy(d.member, "alice");
	return d;
}

static void finish(
    struct xos_buf *der, struct xos_key *key, const struct xos_cert *by, struct xos_chain *out)
{
	struct xos_chain rest = {0};
	struct xos_cert *c = NULL;

	must(xos_cert_parse(xos_buf_bytes(der), &c, &err), &err, "certificate");
	must(xos_chain_add(&rest, by), NULL, "chain");
	prepend(&rest, c, key, out);
	xos_chain_clear(&rest);
	xos_buf_free(der);
}

static void renewed_chain(const struct xos_delegation *d, struct xos_chain *out)
{
	struct xos_key *key = new_key();
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_buf der;
	struct xos_delegation_request req = {.claims = claims,
	    .step = d,
	    .spki = xos_key_spki(key),
	    .not_before = T0 - 300,
	    .not_after = T0 + HOUR};

	xos_buf_init(&der, XOS_CERT_MAX);
	must(xos_token_issue_delegation(issuer, &req, serial, &der, &err), &err, "delegation");
	finish(&der, key, authority, out);
}

static struct xos_verify_opts opts(void)
{
	return (struct xos_verify_opts){
	    .now = T0, .skew = 60, .kinds = XOS_KIND_BIT(XOS_KIND_USER), .allow_delegation = true};
}

static void refuse(const struct xos_chain *ch, const struct xos_verify_opts *o, enum xos_status st,
    const char *code)
{
	struct xos_identity *id = NULL;
	enum xos_status got = xos_token_verify_chain(demo->trust, ch, o, &id, &err);

	ck_assert_msg(got == st && (!code || strcmp(err.code, code) == 0),
	    "got %s %s (%s), wanted %s %s", xos_status_name(got), err.code, err.text,
	    xos_status_name(st), code ? code : "");
	ck_assert_ptr_null(id);
}

START_TEST(it_is_the_member_as_delegated)
{
	struct xos_delegation d = grant_step();
	struct xos_verify_opts o = opts();
	struct xos_identity *id = NULL;
	struct xos_token_info *info = NULL;
	struct xos_chain job = {0};

	renewed_chain(&d, &job);
	ck_assert_msg(
	    xos_token_verify_chain(demo->trust, &job, &o, &id, &err) == XOS_OK, "%s", err.text);
	ck_assert(id->renewed);
	ck_assert_int_eq(id->claims->kind, XOS_KIND_USER);
	ck_assert_str_eq(id->claims->name, "alice");
	ck_assert_uint_eq(id->claims->number, 7);
	ck_assert_uint_eq(id->claims->nroles, 1);
	ck_assert_str_eq(id->uri, "spiffe://demo/delegation/" GRANT);
	ck_assert_uint_eq(id->nsteps, 1);
	ck_assert_str_eq(id->steps[0]->actor, "job");
	ck_assert_str_eq(id->steps[0]->node, NODE);
	ck_assert_str_eq(id->steps[0]->id, GRANT);
	ck_assert_int_eq(id->steps[0]->not_after, d.not_after);
	ck_assert_uint_eq(id->steps[0]->restriction_len, strlen(RESTRICTION));
	ck_assert_int_eq(id->not_after, T0 + HOUR);
	xos_identity_free(id);
	must(xos_token_describe(&job, T0, &info, &err), &err, "describe");
	ck_assert_str_eq(info->uri, "spiffe://demo/delegation/" GRANT);
	ck_assert_uint_eq(info->nsteps, 1);
	ck_assert_int_eq(info->claims->kind, XOS_KIND_DELEGATION);
	xos_token_info_free(info);
	xos_chain_clear(&job);
}
END_TEST

START_TEST(only_where_members_delegations_count)
{
	struct xos_delegation d = grant_step();
	struct xos_verify_opts o = opts();
	struct xos_chain job = {0};

	renewed_chain(&d, &job);
	o.allow_delegation = false;
	refuse(&job, &o, XOS_DENIED, "delegation-refused");
	o.kinds = XOS_KINDS_ALL;
	refuse(&job, &o, XOS_DENIED, "delegation-refused");
	o = opts();
	o.kinds = XOS_KIND_BIT(XOS_KIND_DELEGATION) | XOS_KIND_BIT(XOS_KIND_NODE);
	refuse(&job, &o, XOS_DENIED, "token-kind");
	o = opts();
	o.name = "bob";
	refuse(&job, &o, XOS_DENIED, "token-name");
	o = opts();
	o.vo = "other";
	refuse(&job, &o, XOS_DENIED, "token-vo");
	o = opts();
	o.now = T0 + 2 * HOUR;
	refuse(&job, &o, XOS_EXPIRED, NULL);
	xos_chain_clear(&job);
}
END_TEST

START_TEST(it_passes_on_within_its_depth)
{
	struct xos_delegation d = grant_step(), next = grant_step();
	struct xos_verify_opts o = opts();
	struct xos_identity *id = NULL;
	struct xos_chain job = {0}, child = {0};
	struct xos_key *key = new_key();
	struct xos_cert *c = NULL;

	renewed_chain(&d, &job);
	next.depth = 0;
	strcpy(next.actor, "task");
	delegate_chain(&job, &next, &child);
	must(xos_token_verify_chain(demo->trust, &child, &o, &id, &err), &err, "verify");
	ck_assert_uint_eq(id->nsteps, 2);
	ck_assert(id->renewed);
	ck_assert_str_eq(id->steps[1]->actor, "task");
	/* Not longer than what signed it. */
	ck_assert_int_eq(id->steps[1]->not_after, T0 + HOUR);
	xos_identity_free(id);
	/* A step too many; one to another node. */
	ck_assert_int_eq(
	    xos_delegation_sign(&child, xos_key_spki(key), &next, T0, &c, &err), XOS_DENIED);
	strcpy(next.node, "n2.demo.example");
	ck_assert_int_eq(
	    xos_delegation_sign(&job, xos_key_spki(key), &next, T0, &c, &err), XOS_DENIED);
	xos_key_free(key);
	xos_chain_clear(&child);
	xos_chain_clear(&job);
}
END_TEST

START_TEST(the_profile_issues_nothing_else)
{
	struct xos_delegation d = grant_step();
	struct xos_key *key = new_key();
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_buf out;
	struct xos_token_request token = {
	    .claims = claims, .spki = xos_key_spki(key), .not_before = T0, .not_after = T0 + HOUR};
	struct xos_delegation_request req = {.claims = claims,
	    .step = &d,
	    .spki = xos_key_spki(key),
	    .not_before = T0,
	    .not_after = T0 + HOUR};

	xos_buf_init(&out, XOS_CERT_MAX);
	/* The tokens' profile does not take the kind, nor does its issuer; nor the reverse. */
	ck_assert_int_eq(xos_token_issue(issuer, &token, serial, &out, &err), XOS_DENIED);
	ck_assert_int_eq(
	    xos_token_issue_delegation(demo->user_issuer, &req, serial, &out, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "token-issuer");
	claims->kind = XOS_KIND_USER;
	ck_assert_int_eq(xos_token_issue(issuer, &token, serial, &out, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "token-issuer");
	ck_assert_int_eq(
	    xos_token_issue_delegation(issuer, &req, serial, &out, &err), XOS_MALFORMED);
	claims->kind = XOS_KIND_DELEGATION;
	req.not_after = d.not_after + 1;
	ck_assert_int_eq(xos_token_issue_delegation(issuer, &req, serial, &out, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "delegation-widened");
	req.not_after = T0 + HOUR;
	d.id[0] = 0;
	ck_assert_int_eq(
	    xos_token_issue_delegation(issuer, &req, serial, &out, &err), XOS_MALFORMED);
	d = grant_step();
	strcpy(d.actor, "robot");
	ck_assert_int_eq(
	    xos_token_issue_delegation(issuer, &req, serial, &out, &err), XOS_MALFORMED);
	ck_assert_uint_eq(out.n, 0);
	xos_buf_free(&out);
	xos_key_free(key);
}
END_TEST

/* What no profile makes. */
struct forged {
	struct xos_issuer *by;
	enum xos_kind kind; /* of the claims and the subject */
	const char *ou, *cn, *grant, *uri;
	bool no_step, not_critical;
	struct xos_delegation d;
};

static struct forged honest(void)
{
	return (struct forged){.by = issuer,
	    .kind = XOS_KIND_DELEGATION,
	    .ou = "delegation",
	    .cn = "alice",
	    .grant = GRANT,
	    .uri = "spiffe://demo/delegation/" GRANT,
	    .d = grant_step()};
}

static void forge(const struct forged *f, struct xos_chain *out)
{
	const struct xos_rdn subject[] = {
	    {XOS_RDN_O, "demo"}, {XOS_RDN_OU, f->ou}, {XOS_RDN_CN, f->cn}, {XOS_RDN_CN, f->grant}};
	const struct xos_bytes eku[] = {XOS_EKU_CLIENT_AUTH};
	struct xos_buf der, token, step;
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_key *key = new_key();

	xos_buf_init(&der, XOS_CERT_MAX);
	xos_buf_init(&token, XOS_CLAIMS_DER_MAX);
	xos_buf_init(&step, XOS_DELEGATION_DER_MAX);
	claims->kind = f->kind;
	must(xos_claims_encode(claims, &token, &err), &err, "claims");
	must(xos_delegation_encode(&f->d, &step, &err), &err, "step");
	const struct xos_ext exts[] = {{XOS_OID_TOKEN, false, xos_buf_bytes(&token)},
	    {XOS_OID_DELEGATION, !f->not_critical, xos_buf_bytes(&step)}};
	const struct xos_issue what = {.subject = subject,
	    .nsubject = f->grant ? 4 : 3,
	    .spki = xos_key_spki(key),
	    .not_before = T0 - 300,
	    .not_after = T0 + HOUR,
	    .key_usage = XOS_KU_DIGITAL_SIGNATURE,
	    .eku = eku,
	    .neku = 1,
	    .uri = f->uri,
	    .exts = exts,
	    .nexts = f->no_step ? 1 : 2};
	must(xos_issue_cert(f->by, &what, serial, &der, &err), &err, "forged certificate");
	finish(&der, key, xos_issuer_cert(f->by), out);
	xos_buf_free(&token);
	xos_buf_free(&step);
}

static void refuse_forged(const struct forged *f, const char *code)
{
	struct xos_verify_opts o = opts();
	struct xos_chain ch = {0};

	forge(f, &ch);
	refuse(&ch, &o, XOS_DENIED, code);
	xos_chain_clear(&ch);
}

START_TEST(forgery_tool_makes_good_ones)
{
	struct forged f = honest();
	struct xos_verify_opts o = opts();
	struct xos_identity *id = NULL;
	struct xos_chain ch = {0};

	forge(&f, &ch); /* so that the refusals below are about what they say */
	must(xos_token_verify_chain(demo->trust, &ch, &o, &id, &err), &err, "verify");
	xos_identity_free(id);
	xos_chain_clear(&ch);
}
END_TEST

START_TEST(parts_that_disagree)
{
	struct forged f = honest();

	f.no_step = true;
	refuse_forged(&f, "delegation-missing");
	f = honest();
	f.not_critical = true;
	refuse_forged(&f, "token-mismatch");
	f = honest();
	strcpy(f.d.member, "bob");
	refuse_forged(&f, "token-mismatch");
	f = honest();
	strcpy(f.d.vo, "other");
	refuse_forged(&f, "token-mismatch");
	f = honest();
	f.d.not_after = T0 + HOUR - 1; /* the certificate outlives its grant */
	refuse_forged(&f, "token-mismatch");
	f = honest();
	strcpy(f.d.actor, "robot");
	refuse_forged(&f, "token-mismatch");
	f = honest();
	f.grant = "another";
	refuse_forged(&f, "token-mismatch");
	f = honest();
	f.grant = NULL;
	refuse_forged(&f, "token-mismatch");
	f = honest();
	f.cn = "bob";
	refuse_forged(&f, "token-mismatch");
	f = honest();
	f.uri = "spiffe://demo/user/alice";
	refuse_forged(&f, "token-mismatch");
	f = honest();
	f.d.id[0] = 0;
	refuse_forged(&f, "token-mismatch");
}
END_TEST

/* The key of one authority makes nothing of the other's kind, whatever the certificate says of itself. */
START_TEST(authorities_of_other_kinds)
{
	struct forged f = honest();

	f.by = demo->user_issuer;
	refuse_forged(&f, NULL);
	f.by = demo->node_issuer;
	refuse_forged(&f, NULL);
	f = honest(); /* a member's token from the delegations' authority */
	f.kind = XOS_KIND_USER;
	f.ou = "user";
	f.grant = NULL;
	f.uri = "spiffe://demo/user/alice";
	f.no_step = true;
	refuse_forged(&f, NULL);
	f.no_step = false;
	refuse_forged(&f, NULL);
}
END_TEST

START_TEST(authority_of_another_vo)
{
	struct vo *other = vo_new("other");
	struct xos_cert *cert = NULL;
	struct xos_key *key = NULL;
	struct forged f = honest();

	make_issuer(other, &key, &cert, &f.by);
	refuse_forged(&f, NULL);
	/* ... nor where both are trusted. */
	must(xos_trust_add_root(demo->trust, other->root, &err), &err, "trust");
	refuse_forged(&f, NULL);
	xos_issuer_free(f.by);
	xos_cert_free(cert);
	xos_key_free(key);
	vo_free(other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("renewed");
	TCase *c = tcase_create("renewed");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, it_is_the_member_as_delegated);
	tcase_add_test(c, only_where_members_delegations_count);
	tcase_add_test(c, it_passes_on_within_its_depth);
	tcase_add_test(c, the_profile_issues_nothing_else);
	tcase_add_test(c, forgery_tool_makes_good_ones);
	tcase_add_test(c, parts_that_disagree);
	tcase_add_test(c, authorities_of_other_kinds);
	tcase_add_test(c, authority_of_another_vo);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
