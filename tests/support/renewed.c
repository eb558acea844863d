/* Certificates of kind delegation, for tests that need no authority. */
#include "base/text.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"
#include "token/authority.h"
#include "token/profile.h"

static void make_claims(
    const struct xos_test_vo *v, const struct xos_test_who *who, struct xos_claims **out)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_claims *c = NULL;

	MUST(xos_claims_new(XOS_KIND_DELEGATION, v->vo, who->name, &c, &err), &err);
	c->number = who->number ? who->number : 1;
	c->auth_time = who->auth_time ? who->auth_time : v->now - 60;
	c->auth_mfa = who->auth_mfa;
	MUST_TRUE(xos_str_copy(c->auth_method, sizeof(c->auth_method),
	    who->auth_method ? who->auth_method : "password"));
	MUST_TRUE(xos_str_copy(c->home_org, sizeof(c->home_org), who->home ? who->home : ""));
	for (const char *const *g = who->groups; g && *g; g++)
		MUST(xos_claims_add_group(c, *g, &err), &err);
	for (const char *const *r = who->roles; r && *r; r++)
		MUST(xos_claims_add_role(c, *r, &err), &err);
	*out = c;
}

static void make_issuer(const struct xos_test_vo *v, struct xos_issuer **out)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_issuer *root = NULL;
	struct xos_cert *cert = NULL;
	struct xos_key *key = NULL;
	int64_t from = v->now - 86400;

	if (from < xos_cert_not_before(v->root))
		from = xos_cert_not_before(v->root);
	MUST(xos_key_generate(&key, &err), &err);
	MUST(xos_issuer_new(v->root, v->root_key, &root, &err), &err);
	MUST(xos_authority_issuer(root, v->vo, XOS_KIND_BIT(XOS_KIND_DELEGATION), xos_key_spki(key),
	         from, v->now + (int64_t)30 * 86400, &cert, &err),
	    &err);
	MUST(xos_issuer_new(cert, key, out, &err), &err);
	xos_issuer_free(root);
	xos_cert_free(cert);
	xos_key_free(key);
}

void xos_test_renewed(const struct xos_test_vo *v, const struct xos_test_who *who,
    const struct xos_delegation *step, struct xos_chain *out)
{
	struct xos_err err = XOS_ERR_INIT;
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_claims *claims = NULL;
	struct xos_issuer *issuer = NULL;
	struct xos_cert *leaf = NULL;
	struct xos_buf der;

	make_claims(v, who, &claims);
	make_issuer(v, &issuer);
	if (!who->spki.n)
		MUST(xos_key_generate(&out->key, &err), &err);
	const struct xos_delegation_request req = {.claims = claims,
	    .step = step,
	    .spki = who->spki.n ? who->spki : xos_key_spki(out->key),
	    .not_before = who->not_before ? who->not_before : v->now - XOS_TOKEN_BACKDATE,
	    .not_after = who->not_after ? who->not_after : v->now + 3600};
	xos_buf_init(&der, XOS_CERT_MAX);
	MUST(xos_token_issue_delegation(issuer, &req, serial, &der, &err), &err);
	MUST(xos_cert_parse(xos_buf_bytes(&der), &leaf, &err), &err);
	MUST(xos_chain_add(out, leaf), &err);
	MUST(xos_chain_add(out, xos_issuer_cert(issuer)), &err);
	xos_cert_free(leaf);
	xos_buf_free(&der);
	xos_issuer_free(issuer);
	xos_claims_free(claims);
}
