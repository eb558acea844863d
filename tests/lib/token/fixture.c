#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void must(enum xos_status st, const struct xos_err *err, const char *what)
{
	if (st == XOS_OK)
		return;
	fprintf(stderr, "fixture: %s: %s: %s\n", what, xos_status_name(st), err ? err->text : "");
	abort();
}

struct xos_key *new_key(void)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_key *k = NULL;

	must(xos_key_generate(&k, &err), &err, "key");
	return k;
}

struct vo *vo_new(const char *name)
{
	struct xos_err err = XOS_ERR_INIT;
	struct vo *vo = calloc(1, sizeof(*vo));

	if (!vo)
		abort();
	snprintf(vo->name, sizeof(vo->name), "%s", name);
	vo->root_key = new_key();
	vo->user_key = new_key();
	vo->node_key = new_key();
	must(xos_authority_root(vo->root_key, name, T0 - DAY, T0 + 3650LL * DAY, &vo->root, &err),
	    &err, "root");
	must(xos_issuer_new(vo->root, vo->root_key, &vo->root_issuer, &err), &err, "root issuer");
	must(xos_authority_issuer(vo->root_issuer, name, XOS_KIND_BIT(XOS_KIND_USER),
	         xos_key_spki(vo->user_key), T0 - DAY, T0 + 365 * DAY, &vo->user_ca, &err),
	    &err, "user authority");
	must(xos_authority_issuer(vo->root_issuer, name,
	         XOS_KIND_BIT(XOS_KIND_NODE) | XOS_KIND_BIT(XOS_KIND_SERVICE),
	         xos_key_spki(vo->node_key), T0 - DAY, T0 + 365 * DAY, &vo->node_ca, &err),
	    &err, "node authority");
	must(xos_issuer_new(vo->user_ca, vo->user_key, &vo->user_issuer, &err), &err, "issuer");
	must(xos_issuer_new(vo->node_ca, vo->node_key, &vo->node_issuer, &err), &err, "issuer");
	vo->trust = xos_trust_new();
	must(xos_trust_add_root(vo->trust, vo->root, &err), &err, "trust");
	return vo;
}

void vo_free(struct vo *vo)
{
	if (!vo)
		return;
	xos_trust_free(vo->trust);
	xos_issuer_free(vo->root_issuer);
	xos_issuer_free(vo->user_issuer);
	xos_issuer_free(vo->node_issuer);
	xos_cert_free(vo->root);
	xos_cert_free(vo->user_ca);
	xos_cert_free(vo->node_ca);
	xos_key_free(vo->root_key);
	xos_key_free(vo->user_key);
	xos_key_free(vo->node_key);
	free(vo);
}

struct xos_claims *user_claims(const char *vo, const char *member)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_claims *c = NULL;
	char fqan[64];

	must(xos_claims_new(XOS_KIND_USER, vo, member, &c, &err), &err, "claims");
	c->number = 7;
	c->auth_time = T0 - 10;
	snprintf(c->auth_method, sizeof(c->auth_method), "password");
	snprintf(fqan, sizeof(fqan), "/%s", vo);
	must(xos_claims_add_group(c, fqan, &err), &err, "group");
	snprintf(fqan, sizeof(fqan), "/%s/physics", vo);
	must(xos_claims_add_group(c, fqan, &err), &err, "group");
	snprintf(fqan, sizeof(fqan), "/%s/Role=admin", vo);
	must(xos_claims_add_role(c, fqan, &err), &err, "role");
	return c;
}

struct xos_claims *machine_claims(
    enum xos_kind kind, const char *vo, const char *name, const char *service)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_claims *c = NULL;

	must(xos_claims_new(kind, vo, name, &c, &err), &err, "claims");
	if (service)
		snprintf(c->service, sizeof(c->service), "%s", service);
	return c;
}

void prepend(
    const struct xos_chain *from, struct xos_cert *cert, struct xos_key *key, struct xos_chain *out)
{
	struct xos_chain ch = {0};

	ch.cert[ch.n++] = cert;
	ch.key = key;
	for (size_t i = 0; i < from->n; i++)
		must(xos_chain_add(&ch, from->cert[i]), NULL, "chain");
	*out = ch;
}

void issue_chain(struct xos_issuer *issuer, const struct xos_claims *claims, int64_t from,
    int64_t to, struct xos_chain *out)
{
	static const char *const dns[] = {"n1.demo.example"};
	static const char *const ips[] = {"127.0.0.1"};
	bool machine = claims->kind == XOS_KIND_NODE || claims->kind == XOS_KIND_SERVICE;
	struct xos_err err = XOS_ERR_INIT;
	struct xos_chain rest = {0};
	struct xos_cert *cert = NULL;
	struct xos_key *key = new_key();
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_buf der;
	const struct xos_token_request req = {.claims = claims,
	    .spki = xos_key_spki(key),
	    .not_before = from,
	    .not_after = to,
	    .dns = dns,
	    .ndns = machine ? 1 : 0,
	    .ips = ips,
	    .nips = machine ? 1 : 0};

	xos_buf_init(&der, XOS_CERT_MAX);
	must(xos_token_issue(issuer, &req, serial, &der, &err), &err, "token");
	must(xos_cert_parse(xos_buf_bytes(&der), &cert, &err), &err, "parse");
	must(xos_chain_add(&rest, xos_issuer_cert(issuer)), NULL, "chain");
	prepend(&rest, cert, key, out);
	xos_chain_clear(&rest);
	xos_buf_free(&der);
}

void user_chain(struct vo *vo, const char *member, struct xos_chain *out)
{
	struct xos_claims *c = user_claims(vo->name, member);

	issue_chain(vo->user_issuer, c, T0 - 300, T0 + 12 * HOUR, out);
	xos_claims_free(c);
}

void node_chain(struct vo *vo, const char *name, struct xos_chain *out)
{
	struct xos_claims *c = machine_claims(XOS_KIND_NODE, vo->name, name, NULL);

	issue_chain(vo->node_issuer, c, T0 - 300, T0 + 12 * HOUR, out);
	xos_claims_free(c);
}

void service_chain(struct vo *vo, const char *kind, const char *name, struct xos_chain *out)
{
	struct xos_claims *c = machine_claims(XOS_KIND_SERVICE, vo->name, name, kind);

	issue_chain(vo->node_issuer, c, T0 - 300, T0 + 12 * HOUR, out);
	xos_claims_free(c);
}

void delegate_chain(
    const struct xos_chain *from, const struct xos_delegation *d, struct xos_chain *out)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_key *key = new_key();
	struct xos_cert *cert = NULL;

	must(xos_delegation_sign(from, xos_key_spki(key), d, T0, &cert, &err), &err, "delegation");
	prepend(from, cert, key, out);
}

struct xos_delegation job_delegation(void)
{
	struct xos_delegation d = {.actor = "job",
	    .node = "n1.demo.example",
	    .id = "0123456789abcdef",
	    .not_after = T0 + HOUR,
	    .depth = 1};

	d.restriction = (const uint8_t *)"check action in {job.submit};";
	d.restriction_len = 29;
	return d;
}
