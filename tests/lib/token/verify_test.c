/* From a chain to an identity: what is accepted, and each of its hostile twins. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "token/issuerext.h"
#include "token/oid.h"

static struct vo *demo;
static struct xos_err err;

static void setup(void)
{
	demo = vo_new("demo");
	memset(&err, 0, sizeof(err));
}

static void teardown(void)
{
	vo_free(demo);
}

static struct xos_verify_opts user_opts(void)
{
	return (struct xos_verify_opts){
	    .now = T0, .skew = 60, .kinds = XOS_KIND_BIT(XOS_KIND_USER), .allow_delegation = true};
}

static enum xos_status verify(
    const struct xos_chain *ch, const struct xos_verify_opts *o, struct xos_identity **out)
{
	struct xos_bytes der[XOS_CHAIN_MAX];

	for (size_t i = 0; i < ch->n; i++)
		der[i] = xos_cert_der(ch->cert[i]);
	return xos_token_verify(demo->trust, der, ch->n, o, out, &err);
}

/* Expects a refusal with this status and code, and no identity. */
static void refuse(const struct xos_chain *ch, const struct xos_verify_opts *o, enum xos_status st,
    const char *code)
{
	struct xos_identity *id = NULL;
	enum xos_status got = verify(ch, o, &id);

	ck_assert_msg(got == st && strcmp(err.code, code) == 0, "got %s %s (%s), wanted %s %s",
	    xos_status_name(got), err.code, err.text, xos_status_name(st), code);
	ck_assert_ptr_null(id);
	ck_assert_uint_gt(strlen(err.text), 10);
}

START_TEST(user_is_accepted)
{
	struct xos_verify_opts o = user_opts();
	struct xos_identity *id = NULL;
	struct xos_chain ch = {0};

	user_chain(demo, "alice", &ch);
	o.purpose = XOS_PURPOSE_TLS_CLIENT;
	ck_assert_msg(verify(&ch, &o, &id) == XOS_OK, "%s", err.text);
	ck_assert_str_eq(id->claims->name, "alice");
	ck_assert_str_eq(id->claims->vo, "demo");
	ck_assert_uint_eq(id->claims->number, 7);
	ck_assert_uint_eq(id->claims->ngroups, 2);
	ck_assert_str_eq(id->claims->groups[1], "/demo/physics");
	ck_assert_str_eq(id->claims->roles[0], "/demo/Role=admin");
	ck_assert_str_eq(id->uri, "spiffe://demo/user/alice");
	ck_assert_uint_eq(id->nsteps, 0);
	ck_assert_int_eq(id->not_after, T0 + 12 * HOUR);
	ck_assert_mem_eq(id->root, xos_cert_fingerprint(demo->root), 32);
	ck_assert_mem_eq(id->spki_sha256, xos_key_spki_sha256(ch.key), 32);
	xos_identity_free(id);
	xos_chain_clear(&ch);
}
END_TEST

START_TEST(service_is_accepted_as_server)
{
	struct xos_verify_opts o = {.now = T0,
	    .kinds = XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .service = "ca",
	    .host = "127.0.0.1",
	    .name = "n1.demo.example",
	    .vo = "demo",
	    .purpose = XOS_PURPOSE_TLS_SERVER};
	struct xos_identity *id = NULL;
	struct xos_chain ch = {0};

	service_chain(demo, "ca", "n1.demo.example", &ch);
	ck_assert_msg(verify(&ch, &o, &id) == XOS_OK, "%s", err.text);
	ck_assert_str_eq(id->uri, "spiffe://demo/service/ca/n1.demo.example");
	xos_identity_free(id);
	o.host = "127.0.0.2";
	refuse(&ch, &o, XOS_DENIED, "token-host");
	o.host = "other.example";
	refuse(&ch, &o, XOS_DENIED, "token-host");
	o.host = NULL;
	o.service = "jobs";
	refuse(&ch, &o, XOS_DENIED, "token-service");
	o.service = NULL;
	o.name = "n2.demo.example";
	refuse(&ch, &o, XOS_DENIED, "token-name");
	o.name = NULL;
	o.vo = "other";
	refuse(&ch, &o, XOS_DENIED, "token-vo");
	xos_chain_clear(&ch);
}
END_TEST

START_TEST(kinds_never_stand_in_for_each_other)
{
	struct xos_chain user = {0}, node = {0}, service = {0};
	struct xos_verify_opts o = user_opts();

	user_chain(demo, "alice", &user);
	node_chain(demo, "n1.demo.example", &node);
	service_chain(demo, "jobs", "n1.demo.example", &service);
	refuse(&node, &o, XOS_DENIED, "token-kind");
	refuse(&service, &o, XOS_DENIED, "token-kind");
	o.kinds = XOS_KIND_BIT(XOS_KIND_NODE);
	refuse(&user, &o, XOS_DENIED, "token-kind");
	refuse(&service, &o, XOS_DENIED, "token-kind");
	o.kinds = XOS_KIND_BIT(XOS_KIND_SERVICE);
	refuse(&user, &o, XOS_DENIED, "token-kind");
	refuse(&node, &o, XOS_DENIED, "token-kind");
	o.kinds = 0;
	refuse(&user, &o, XOS_DENIED, "token-kind");
	/* And by purpose already: a member's token serves no TLS. */
	o.kinds = XOS_KINDS_ALL;
	o.purpose = XOS_PURPOSE_TLS_SERVER;
	refuse(&user, &o, XOS_DENIED, "cert-purpose");
	xos_chain_clear(&user);
	xos_chain_clear(&node);
	xos_chain_clear(&service);
}
END_TEST

START_TEST(times)
{
	struct xos_verify_opts o = user_opts();
	struct xos_identity *id = NULL;
	struct xos_chain ch = {0};

	user_chain(demo, "alice", &ch);
	o.now = T0 + 12 * HOUR + 61;
	refuse(&ch, &o, XOS_EXPIRED, "cert-expired");
	ck_assert_ptr_nonnull(strstr(err.text, "alice"));
	o.now = T0 - 361;
	refuse(&ch, &o, XOS_NOT_YET_VALID, "cert-not-yet-valid");
	o.now = T0 + 12 * HOUR + 59; /* within the skew */
	ck_assert_int_eq(verify(&ch, &o, &id), XOS_OK);
	xos_identity_free(id);
	o.now = T0 - 359;
	ck_assert_int_eq(verify(&ch, &o, &id), XOS_OK);
	xos_identity_free(id);
	o.now = T0 + 366LL * DAY; /* the issuer, too */
	refuse(&ch, &o, XOS_EXPIRED, "cert-expired");
	xos_chain_clear(&ch);
}
END_TEST

/* A CA certificate with our own choice of names, marker and constraints, under a given issuer. */
static struct xos_cert *make_ca(struct xos_issuer *by, const char *o, const char *cn,
    struct xos_key *key, const struct xos_issuer_marker *marker, const struct xos_subtree *tree)
{
	const struct xos_rdn subject[] = {{XOS_RDN_O, o}, {XOS_RDN_CN, cn}};
	struct xos_ext ext = {XOS_OID_ISSUER, false, XOS_BYTES_NONE};
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_cert *c = NULL;
	struct xos_buf der, value;
	struct xos_issue what = {.subject = subject,
	    .nsubject = 2,
	    .spki = xos_key_spki(key),
	    .not_before = T0 - DAY,
	    .not_after = T0 + DAY,
	    .ca = true,
	    .key_usage = XOS_KU_CERT_SIGN,
	    .permitted = tree,
	    .npermitted = tree ? 1 : 0,
	    .exts = &ext,
	    .nexts = marker ? 1 : 0};

	xos_buf_init(&der, XOS_CERT_MAX);
	xos_buf_init(&value, 256);
	if (marker)
		must(xos_issuer_marker_encode(marker, &value, &err), &err, "marker");
	ext.value = xos_buf_bytes(&value);
	must(xos_issue_cert(by, &what, serial, &der, &err), &err, "ca");
	must(xos_cert_parse(xos_buf_bytes(&der), &c, &err), &err, "ca");
	xos_buf_free(&der);
	xos_buf_free(&value);
	return c;
}

/* A certificate with freely chosen subject, URI and extensions: what a stolen issuer key could
 * make. */
struct forged {
	const char *o, *ou, *cn, *uri;
	const struct xos_claims *claims;
	bool twice_token, stray_delegation, unknown_critical;
};

static void forge(struct xos_issuer *by, const struct forged *f, struct xos_chain *out)
{
	const struct xos_rdn subject[] = {
	    {XOS_RDN_O, f->o}, {XOS_RDN_OU, f->ou}, {XOS_RDN_CN, f->cn}};
	const struct xos_bytes eku[] = {XOS_EKU_CLIENT_AUTH};
	struct xos_delegation d = job_delegation();
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_buf der, token, delegation;
	struct xos_chain rest = {0};
	struct xos_key *key = new_key();
	struct xos_cert *c = NULL;
	struct xos_ext exts[4];
	size_t n = 0;

	xos_buf_init(&der, XOS_CERT_MAX);
	xos_buf_init(&token, XOS_CLAIMS_DER_MAX);
	xos_buf_init(&delegation, XOS_DELEGATION_DER_MAX);
	if (f->claims) {
		must(xos_claims_encode(f->claims, &token, &err), &err, "claims");
		exts[n++] = (struct xos_ext){XOS_OID_TOKEN, false, xos_buf_bytes(&token)};
	}
	if (f->twice_token)
		exts[n++] = (struct xos_ext){XOS_OID_TOKEN, false, xos_buf_bytes(&token)};
	if (f->stray_delegation) {
		strcpy(d.vo, "demo");
		strcpy(d.member, "alice");
		must(xos_delegation_encode(&d, &delegation, &err), &err, "delegation");
		exts[n++] = (struct xos_ext){XOS_OID_DELEGATION, true, xos_buf_bytes(&delegation)};
	}
	if (f->unknown_critical)
		exts[n++] = (struct xos_ext){XOS_OID("\x2a\x03\x04"), true, XOS_OID("\x05\x00")};
	const struct xos_issue what = {.subject = subject,
	    .nsubject = 3,
	    .spki = xos_key_spki(key),
	    .not_before = T0 - 300,
	    .not_after = T0 + HOUR,
	    .key_usage = XOS_KU_DIGITAL_SIGNATURE,
	    .eku = eku,
	    .neku = 1,
	    .uri = f->uri,
	    .exts = exts,
	    .nexts = n};
	must(xos_issue_cert(by, &what, serial, &der, &err), &err, "forged certificate");
	if (f->twice_token) {
		ck_assert_int_eq(xos_cert_parse(xos_buf_bytes(&der), &c, &err), XOS_MALFORMED);
		xos_key_free(key);
	} else {
		must(xos_cert_parse(xos_buf_bytes(&der), &c, &err), &err, "forged certificate");
		must(xos_chain_add(&rest, xos_issuer_cert(by)), NULL, "chain");
		prepend(&rest, c, key, out);
	}
	xos_chain_clear(&rest);
	xos_buf_free(&der);
	xos_buf_free(&token);
	xos_buf_free(&delegation);
}

START_TEST(parts_must_agree)
{
	struct xos_claims *alice = user_claims("demo", "alice");
	struct xos_verify_opts o = user_opts();
	const struct forged cases[] = {
	    {"demo", "user", "bob", "spiffe://demo/user/alice", alice, 0, 0, 0},
	    {"demo", "user", "alice", "spiffe://demo/user/bob", alice, 0, 0, 0},
	    {"demo", "user", "alice", "spiffe://demo/node/alice", alice, 0, 0, 0},
	    {"demo", "user", "alice", "spiffe://demo/user/alice/", alice, 0, 0, 0},
	    {"demo", "user", "alice", NULL, alice, 0, 0, 0},
	    {"demo", "user", "alice", "spiffe://demo/user/alice", alice, 0, 1, 0},
	};
	struct xos_chain ch = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		forge(demo->user_issuer, &cases[i], &ch);
		refuse(&ch, &o, XOS_DENIED, "token-mismatch");
		xos_chain_clear(&ch);
	}
	const struct forged no_token = {
	    "demo", "user", "alice", "spiffe://demo/user/alice", 0, 0, 0, 0};
	forge(demo->user_issuer, &no_token, &ch);
	refuse(&ch, &o, XOS_DENIED, "token-missing");
	xos_chain_clear(&ch);
	const struct forged twice = {
	    "demo", "user", "alice", "spiffe://demo/user/alice", alice, 1, 0, 0};
	forge(demo->user_issuer, &twice, &ch);
	const struct forged critical = {
	    "demo", "user", "alice", "spiffe://demo/user/alice", alice, 0, 0, 1};
	forge(demo->user_issuer, &critical, &ch);
	refuse(&ch, &o, XOS_DENIED, "cert-critical");
	xos_chain_clear(&ch);
	const struct forged both = {
	    "demo", "user", "alice", "spiffe://demo/user/alice", alice, 0, 1, 1};
	forge(
	    demo->user_issuer, &both, &ch); /* one that we know does not carry the other through */
	refuse(&ch, &o, XOS_DENIED, "cert-critical");
	xos_chain_clear(&ch);
	xos_claims_free(alice);
}
END_TEST

START_TEST(name_constraints_hold)
{
	struct xos_claims *node = machine_claims(XOS_KIND_NODE, "demo", "n1", NULL);
	struct xos_claims *foreign = user_claims("other", "alice");
	struct xos_verify_opts o = user_opts();
	struct xos_chain ch = {0};
	const struct forged as_node = {
	    "demo", "node", "n1", "spiffe://demo/node/n1", node, 0, 0, 0};
	const struct forged as_foreign = {
	    "other", "user", "alice", "spiffe://other/user/alice", foreign, 0, 0, 0};

	o.kinds = XOS_KINDS_ALL;
	forge(demo->user_issuer, &as_node, &ch);
	refuse(&ch, &o, XOS_DENIED, "cert-names");
	xos_chain_clear(&ch);
	forge(demo->user_issuer, &as_foreign, &ch);
	refuse(&ch, &o, XOS_DENIED, "cert-names");
	xos_chain_clear(&ch);
	xos_claims_free(node);
	xos_claims_free(foreign);
}
END_TEST

START_TEST(markers_hold_without_name_constraints)
{
	const struct xos_issuer_marker user = {"demo", XOS_KIND_BIT(XOS_KIND_USER)};
	const struct xos_issuer_marker other = {"other", XOS_KIND_BIT(XOS_KIND_USER)};
	const struct xos_issuer_marker node = {"demo", XOS_KIND_BIT(XOS_KIND_NODE)};
	const struct xos_issuer_marker *const markers[] = {NULL, &other, &node};
	struct xos_claims *alice = user_claims("demo", "alice");
	struct xos_verify_opts o = user_opts();
	const struct forged f = {
	    "demo", "user", "alice", "spiffe://demo/user/alice", alice, 0, 0, 0};
	struct xos_key *key = new_key();
	struct xos_issuer *by = NULL;
	struct xos_identity *id = NULL;
	struct xos_chain ch = {0};
	struct xos_cert *ca;

	for (size_t i = 0; i < 3; i++) {
		ca = make_ca(demo->root_issuer, "demo", "demo rogue", key, markers[i], NULL);
		must(xos_issuer_new(ca, key, &by, &err), &err, "issuer");
		forge(by, &f, &ch);
		refuse(&ch, &o, XOS_DENIED, "token-issuer");
		xos_chain_clear(&ch);
		xos_issuer_free(by);
		xos_cert_free(ca);
	}
	/* The same with the right marker is accepted: the refusals above are the marker's. */
	ca = make_ca(demo->root_issuer, "demo", "demo rogue", key, &user, NULL);
	must(xos_issuer_new(ca, key, &by, &err), &err, "issuer");
	forge(by, &f, &ch);
	ck_assert_msg(verify(&ch, &o, &id) == XOS_OK, "%s", err.text);
	xos_identity_free(id);
	xos_chain_clear(&ch);
	xos_issuer_free(by);
	/* And the root itself issues no users. */
	forge(demo->root_issuer, &f, &ch);
	refuse(&ch, &o, XOS_DENIED, "token-issuer");
	xos_chain_clear(&ch);
	xos_cert_free(ca);
	xos_key_free(key);
	xos_claims_free(alice);
}
END_TEST

START_TEST(another_vo_is_refused)
{
	struct vo *other = vo_new("other"), *twin = vo_new("demo");
	struct xos_claims *alice = user_claims("demo", "alice");
	struct xos_verify_opts o = user_opts();
	const struct xos_issuer_marker user = {"demo", XOS_KIND_BIT(XOS_KIND_USER)};
	const struct forged f = {
	    "demo", "user", "alice", "spiffe://demo/user/alice", alice, 0, 0, 0};
	struct xos_key *key = new_key();
	struct xos_issuer *by = NULL;
	struct xos_chain ch = {0};
	struct xos_cert *ca;

	user_chain(other, "alice", &ch);
	refuse(&ch, &o, XOS_DENIED, "cert-untrusted");
	xos_chain_clear(&ch);
	user_chain(twin, "alice", &ch); /* same names, other keys */
	refuse(&ch, &o, XOS_DENIED, "cert-untrusted");
	xos_chain_clear(&ch);
	/* A trusted VO that claims to speak for another one. */
	must(xos_trust_add_root(demo->trust, other->root, &err), &err, "trust");
	ca = make_ca(other->root_issuer, "demo", "demo user authority", key, &user, NULL);
	must(xos_issuer_new(ca, key, &by, &err), &err, "issuer");
	forge(by, &f, &ch);
	refuse(&ch, &o, XOS_DENIED, "token-vo");
	xos_chain_clear(&ch);
	/* A second root for a name that is known. */
	ck_assert_int_eq(xos_trust_add_root(demo->trust, twin->root, &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "second-root");
	ck_assert_int_eq(xos_trust_add_root(demo->trust, demo->root, &err), XOS_OK);
	xos_issuer_free(by);
	xos_cert_free(ca);
	xos_key_free(key);
	xos_claims_free(alice);
	vo_free(other);
	vo_free(twin);
}
END_TEST

START_TEST(every_changed_byte_is_refused)
{
	struct xos_verify_opts o = user_opts();
	struct xos_identity *id = NULL;
	struct xos_chain ch = {0};
	struct xos_bytes der[2];
	uint8_t copy[4096];
	size_t n;

	user_chain(demo, "alice", &ch);
	n = xos_cert_der(ch.cert[0]).n;
	ck_assert_uint_le(n, sizeof(copy) - 1);
	memcpy(copy, xos_cert_der(ch.cert[0]).p, n);
	der[0] = (struct xos_bytes){copy, n};
	der[1] = xos_cert_der(ch.cert[1]);
	ck_assert_int_eq(xos_token_verify(demo->trust, der, 2, &o, &id, &err), XOS_OK);
	xos_identity_free(id);
	for (size_t i = 0; i < n; i++) {
		static const uint8_t masks[] = {0x01, 0x80, 0xff};

		for (size_t m = 0; m < sizeof(masks); m++) {
			copy[i] ^= masks[m];
			ck_assert_msg(
			    xos_token_verify(demo->trust, der, 2, &o, &id, &err) != XOS_OK,
			    "byte %zu ^ %02x accepted", i, masks[m]);
			ck_assert_ptr_null(id);
			copy[i] ^= masks[m];
		}
	}
	for (size_t i = 0; i < n; i++) {
		der[0].n = i;
		ck_assert_msg(xos_token_verify(demo->trust, der, 2, &o, &id, &err) == XOS_MALFORMED,
		    "cut to %zu bytes", i);
	}
	copy[n] = 0;
	der[0].n = n + 1;
	ck_assert_int_eq(xos_token_verify(demo->trust, der, 2, &o, &id, &err), XOS_MALFORMED);
	xos_chain_clear(&ch);
}
END_TEST

static enum xos_status revoked(void *arg, const struct xos_cert *c, struct xos_err *e)
{
	if (strcmp(xos_cert_serial_text(c), arg) != 0)
		return XOS_OK;
	return xos_err_set(e, XOS_DENIED, "revoked", "%s is locked", xos_cert_subject_text(c));
}

START_TEST(revocation_is_asked_along_the_path)
{
	struct xos_verify_opts o = user_opts();
	struct xos_delegation d = job_delegation();
	struct xos_chain ch = {0}, proxy = {0};

	user_chain(demo, "alice", &ch);
	delegate_chain(&ch, &d, &proxy);
	o.revoked = revoked;
	for (size_t i = 0; i < proxy.n; i++) {
		o.arg = (void *)(uintptr_t)xos_cert_serial_text(proxy.cert[i]);
		refuse(&proxy, &o, XOS_DENIED, "revoked");
	}
	xos_chain_clear(&ch);
	xos_chain_clear(&proxy);
}
END_TEST

START_TEST(signing_keys_come_from_the_root)
{
	struct xos_claims *policy = machine_claims(XOS_KIND_POLICY, "demo", "vops", NULL);
	struct xos_verify_opts o = {.now = T0, .kinds = XOS_KIND_BIT(XOS_KIND_POLICY)};
	struct xos_token_request req = {.claims = policy, .not_before = T0, .not_after = T0 + HOUR};
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_identity *id = NULL;
	struct xos_chain ch = {0};
	struct xos_buf der;

	issue_chain(demo->root_issuer, policy, T0 - 300, T0 + HOUR, &ch);
	ck_assert_msg(verify(&ch, &o, &id) == XOS_OK, "%s", err.text);
	ck_assert_str_eq(id->uri, "spiffe://demo/policy/vops");
	xos_identity_free(id);
	/* It is nobody's TLS client. */
	o.purpose = XOS_PURPOSE_TLS_CLIENT;
	refuse(&ch, &o, XOS_DENIED, "cert-purpose");
	xos_buf_init(&der, XOS_CERT_MAX);
	req.spki = xos_key_spki(ch.key);
	ck_assert_int_eq(xos_token_issue(demo->user_issuer, &req, serial, &der, &err), XOS_DENIED);
	ck_assert_uint_eq(der.n, 0);
	xos_buf_free(&der);
	xos_chain_clear(&ch);
	xos_claims_free(policy);
}
END_TEST

START_TEST(issuers_are_found_for_their_kind)
{
	struct xos_cert *c = NULL;

	ck_assert_int_eq(
	    xos_token_find_issuer(demo->trust, "demo", XOS_KIND_USER, NULL, T0, 0, &c, &err),
	    XOS_NOT_FOUND);
	must(xos_trust_add_issuer(demo->trust, demo->user_ca, &err), &err, "trust");
	must(xos_trust_add_issuer(demo->trust, demo->node_ca, &err), &err, "trust");
	ck_assert_int_eq(
	    xos_token_find_issuer(demo->trust, "demo", XOS_KIND_USER, NULL, T0, 0, &c, &err),
	    XOS_OK);
	ck_assert(xos_bytes_eq(xos_cert_der(c), xos_cert_der(demo->user_ca)));
	xos_cert_free(c);
	ck_assert_int_eq(xos_token_find_issuer(demo->trust, "demo", XOS_KIND_SERVICE,
	                     xos_key_spki_sha256(demo->node_key), T0, 0, &c, &err),
	    XOS_OK);
	xos_cert_free(c);
	ck_assert_int_eq(xos_token_find_issuer(demo->trust, "demo", XOS_KIND_USER,
	                     xos_key_spki_sha256(demo->node_key), T0, 0, &c, &err),
	    XOS_NOT_FOUND);
	ck_assert_int_eq(xos_token_find_issuer(demo->trust, "demo", XOS_KIND_USER, NULL,
	                     T0 + 400LL * DAY, 0, &c, &err),
	    XOS_EXPIRED);
	ck_assert_ptr_null(c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("token verify");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, user_is_accepted);
	tcase_add_test(t, service_is_accepted_as_server);
	tcase_add_test(t, kinds_never_stand_in_for_each_other);
	tcase_add_test(t, times);
	tcase_add_test(t, parts_must_agree);
	tcase_add_test(t, name_constraints_hold);
	tcase_add_test(t, markers_hold_without_name_constraints);
	tcase_add_test(t, another_vo_is_refused);
	tcase_add_test(t, every_changed_byte_is_refused);
	tcase_add_test(t, revocation_is_asked_along_the_path);
	tcase_add_test(t, signing_keys_come_from_the_root);
	tcase_add_test(t, issuers_are_found_for_their_kind);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
