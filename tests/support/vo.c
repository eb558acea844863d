#include "testsupport/vo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/restriction.h"
#include "testsupport/must.h"
#include "token/authority.h"
#include "token/kind.h"
#include "token/profile.h"

#define HOUR 3600
#define DAY (24 * HOUR)

static void make_issuer(const struct xos_test_vo *v, struct xos_issuer *root, unsigned kinds,
    const struct xos_key *key, struct xos_cert **out)
{
	struct xos_err err = XOS_ERR_INIT;
	MUST(xos_authority_issuer(
	         root, v->vo, kinds, xos_key_spki(key), v->now - DAY, v->now + 30 * DAY, out, &err),
	    &err);
}

static void issue(
    struct xos_issuer *issuer, const struct xos_token_request *req, struct xos_cert **out)
{
	struct xos_err err = XOS_ERR_INIT;
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_buf der;
	xos_buf_init(&der, XOS_CERT_MAX);
	MUST(xos_token_issue(issuer, req, serial, &der, &err), &err);
	MUST(xos_cert_parse(xos_buf_bytes(&der), out, &err), &err);
	xos_buf_free(&der);
}

static void make_policy(struct xos_test_vo *v, struct xos_issuer *root)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_claims *claims = NULL;
	MUST(xos_claims_new(XOS_KIND_POLICY, v->vo, "vops", &claims, &err), &err);
	struct xos_token_request req = {
	    .claims = claims,
	    .spki = xos_key_spki(v->policy_key),
	    .not_before = v->now - DAY,
	    .not_after = v->now + 30 * DAY,
	};
	issue(root, &req, &v->policy);
	xos_claims_free(claims);
}

struct xos_test_vo *xos_test_vo_new(const char *vo, const char *site, int64_t now)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_issuer *root = NULL;
	struct xos_test_vo *v = calloc(1, sizeof(*v));
	MUST_TRUE(v && xos_str_copy(v->vo, sizeof(v->vo), vo) &&
	          xos_str_copy(v->site, sizeof(v->site), site));
	v->now = now;
	struct xos_key **keys[] = {
	    &v->root_key, &v->ca_key, &v->rca_key, &v->policy_key, &v->site_key};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		MUST(xos_key_generate(keys[i], &err), &err);
	MUST(xos_authority_root(v->root_key, vo, now - 2 * DAY, now + 60 * DAY, &v->root, &err),
	    &err);
	MUST(xos_issuer_new(v->root, v->root_key, &root, &err), &err);
	make_issuer(v, root, XOS_KIND_BIT(XOS_KIND_USER), v->ca_key, &v->ca);
	make_issuer(v, root, XOS_KIND_BIT(XOS_KIND_NODE) | XOS_KIND_BIT(XOS_KIND_SERVICE),
	    v->rca_key, &v->rca);
	make_policy(v, root);
	xos_issuer_free(root);
	return v;
}

void xos_test_vo_free(struct xos_test_vo *v)
{
	if (!v)
		return;
	xos_cert_free(v->root);
	xos_cert_free(v->ca);
	xos_cert_free(v->rca);
	xos_cert_free(v->policy);
	xos_key_free(v->root_key);
	xos_key_free(v->ca_key);
	xos_key_free(v->rca_key);
	xos_key_free(v->policy_key);
	xos_key_free(v->site_key);
	free(v);
}

struct xos_trust *xos_test_vo_trust(const struct xos_test_vo *v)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_trust *t = xos_trust_new();
	MUST_TRUE(t);
	MUST(xos_trust_add_root(t, v->root, &err), &err);
	MUST(xos_trust_add_issuer(t, v->ca, &err), &err);
	MUST(xos_trust_add_issuer(t, v->rca, &err), &err);
	return t;
}

static void write_buf(const char *dir, const char *name, mode_t mode, const struct xos_buf *b)
{
	struct xos_err err = XOS_ERR_INIT;
	char *path = xos_test_path(dir, name);
	MUST(xos_file_write(path, mode, xos_buf_bytes(b), &err), &err);
	free(path);
}

void xos_test_vo_trust_dir(const struct xos_test_vo *v, const char *dir)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	MUST(xos_dir_make(dir, 0755, &err), &err);
	xos_buf_init(&b, XOS_CHAIN_PEM_MAX);
	xos_cert_to_pem(v->root, &b);
	write_buf(dir, "root.pem", 0644, &b);
	xos_buf_free(&b);
	xos_buf_init(&b, XOS_CHAIN_PEM_MAX);
	xos_cert_to_pem(v->ca, &b);
	xos_cert_to_pem(v->rca, &b);
	write_buf(dir, "issuers.pem", 0644, &b);
	xos_buf_free(&b);
}

void xos_test_vo_site_key(const struct xos_test_vo *v, const char *path)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	xos_buf_init(&b, 4096);
	MUST(xos_key_public_to_pem(v->site_key, &b, &err), &err);
	MUST(xos_file_write(path, 0644, xos_buf_bytes(&b), &err), &err);
	xos_buf_free(&b);
}

static void add_names(struct xos_claims *claims, const char *const *list,
    enum xos_status (*add)(struct xos_claims *, const char *, struct xos_err *))
{
	struct xos_err err = XOS_ERR_INIT;
	for (; list && *list; list++)
		MUST(add(claims, *list, &err), &err);
}

static void make_leaf(const struct xos_test_vo *v, enum xos_kind kind,
    const struct xos_test_who *who, struct xos_chain *out)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_claims *claims = NULL;
	struct xos_issuer *issuer = NULL;
	struct xos_cert *leaf = NULL;
	bool user = kind == XOS_KIND_USER;
	const struct xos_cert *ca = user ? v->ca : v->rca;
	const char *const hosts[] = {"localhost"}, *const ips[] = {"127.0.0.1"};

	MUST(xos_claims_new(kind, v->vo, who->name, &claims, &err), &err);
	if (user) {
		claims->number = who->number ? who->number : 1;
		claims->auth_time = who->auth_time ? who->auth_time : v->now - 60;
		claims->auth_mfa = who->auth_mfa;
		MUST_TRUE(xos_str_copy(claims->auth_method, sizeof(claims->auth_method),
		    who->auth_method ? who->auth_method : "password"));
		MUST_TRUE(xos_str_copy(
		    claims->home_org, sizeof(claims->home_org), who->home ? who->home : ""));
		add_names(claims, who->groups, xos_claims_add_group);
		add_names(claims, who->roles, xos_claims_add_role);
	}
	if (who->service)
		MUST_TRUE(xos_str_copy(claims->service, sizeof(claims->service), who->service));
	if (!who->spki.n)
		MUST(xos_key_generate(&out->key, &err), &err);
	MUST(xos_issuer_new(ca, user ? v->ca_key : v->rca_key, &issuer, &err), &err);
	struct xos_token_request req = {
	    .claims = claims,
	    .spki = who->spki.n ? who->spki : xos_key_spki(out->key),
	    .not_before = who->not_before ? who->not_before : v->now - XOS_TOKEN_BACKDATE,
	    .not_after = who->not_after ? who->not_after : v->now + 12 * HOUR,
	    .dns = user ? NULL : hosts,
	    .ndns = user ? 0 : 1,
	    .ips = user ? NULL : ips,
	    .nips = user ? 0 : 1,
	};
	issue(issuer, &req, &leaf);
	MUST(xos_chain_add(out, leaf), &err);
	MUST(xos_chain_add(out, ca), &err);
	xos_cert_free(leaf);
	xos_issuer_free(issuer);
	xos_claims_free(claims);
}

void xos_test_member(
    const struct xos_test_vo *v, const struct xos_test_who *who, struct xos_chain *out)
{
	make_leaf(v, XOS_KIND_USER, who, out);
}

void xos_test_node(
    const struct xos_test_vo *v, const struct xos_test_who *who, struct xos_chain *out)
{
	make_leaf(v, XOS_KIND_NODE, who, out);
}

void xos_test_service(
    const struct xos_test_vo *v, const struct xos_test_who *who, struct xos_chain *out)
{
	make_leaf(v, XOS_KIND_SERVICE, who, out);
}

void xos_test_chain_save(const struct xos_chain *chain, const char *path)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	struct xos_secret *key = NULL;
	xos_buf_init(&b, XOS_CHAIN_PEM_MAX);
	MUST(xos_key_to_pem(chain->key, &key, &err), &err);
	xos_cert_to_pem(chain->cert[0], &b);
	xos_buf_put(&b, xos_secret_data(key), xos_secret_len(key));
	for (size_t i = 1; i < chain->n; i++)
		xos_cert_to_pem(chain->cert[i], &b);
	MUST(xos_file_write(path, 0600, xos_buf_bytes(&b), &err), &err);
	xos_secret_free(key);
	xos_buf_free(&b);
}

void xos_test_delegate(const struct xos_test_vo *v, const struct xos_chain *signer,
    struct xos_bytes spki, const struct xos_delegation *fields, const struct xos_key *key,
    struct xos_chain *out)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_cert *leaf = NULL;
	MUST(xos_delegation_sign(signer, spki, fields, v->now, &leaf, &err), &err);
	MUST(xos_chain_add(out, leaf), &err);
	for (size_t i = 0; i < signer->n; i++)
		MUST(xos_chain_add(out, signer->cert[i]), &err);
	out->key = key ? xos_key_ref(key) : NULL;
	xos_cert_free(leaf);
}

size_t xos_test_ders(const struct xos_chain *chain, struct xos_bytes out[XOS_CHAIN_MAX])
{
	for (size_t i = 0; i < chain->n; i++)
		out[i] = xos_cert_der(chain->cert[i]);
	return chain->n;
}

void xos_test_restriction(const char *text, struct xos_buf *out)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_policy_set *set = NULL;
	MUST(xos_policy_set_load(text, strlen(text), "restriction", &set, &err), &err);
	MUST(xos_restriction_encode(set, out, &err), &err);
	xos_policy_set_unref(set);
}
