/*
 * xos-forge: what an attacker would bring, made from what an attacker could have. System tests hand
 * the results to real services, which must refuse each for its own reason.
 *
 *   xos-forge expired TOKEN CA-FOLDER OUT    the same member, past its end, signed by the real authority
 *   xos-forge future TOKEN CA-FOLDER OUT     not valid before tomorrow
 *   xos-forge impostor TOKEN OUT             the same claims under a root of the same name, made up here
 *   xos-forge stolen TOKEN VO ROOT-FOLDER OUT   a member of that name in another VO, by an authority for it that is
 *                                            under the real root of TOKEN's VO
 *   xos-forge renewed TOKEN ROOT-FOLDER OUT  a certificate of kind delegation for TOKEN's member, as the authority issues it
 *                                            for a job on n1, by an issuer that the real root signs here
 *   xos-forge delegate TOKEN CSR NODE ID OUT an honest delegation of TOKEN to a job for the key of CSR (DER)
 *   xos-forge foreign OUT                    a member of the VO "elsewhere", made up here
 *   xos-forge host KEY VO NAME SERVICE RCA-FOLDER OUT   certificate of the node NAME (SERVICE -: the node itself)
 *                                            for that key, signed by the real authority, or by one made up here if
 *                                            RCA-FOLDER is -
 *   xos-forge flip TOKEN OUT OFFSET          one bit of the leaf certificate changed
 *   xos-forge strip TOKEN OUT                a plain inherit-all proxy (RFC 3820) without our extension
 *   xos-forge widen TOKEN OUT                an honest delegation to node n1, and a further step that claims
 *                                            more depth, no node and a later end
 *   xos-forge tamper TOKEN OUT               the last byte of the restriction changed, signature left as it was
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "pki/csr.h"
#include "pki/issue.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"
#include "token/authority.h"
#include "token/delegation.h"
#include "token/oid.h"
#include "token/profile.h"
#include "token/tokenfile.h"

#define DAY 86400

static struct xos_err err = XOS_ERR_INIT;

static void load(const char *path, struct xos_chain *chain)
{
	MUST(xos_tokenfile_read(path, chain, &err), &err);
}

static struct xos_claims *claims_of(const struct xos_chain *chain)
{
	struct xos_token_info *info = NULL;
	struct xos_claims *claims = NULL;
	MUST(xos_token_describe(chain, xos_clock_now(), &info, &err), &err);
	MUST(xos_claims_dup(info->claims, &claims, &err), &err);
	xos_token_info_free(info);
	return claims;
}

/* A certificate with these claims for chain's key; chain is cleared. */
static void issue_for(struct xos_chain *chain, const struct xos_cert *ca,
    const struct xos_key *ca_key, const struct xos_claims *claims, int64_t from, int64_t to,
    const char *out)
{
	struct xos_issuer *issuer = NULL;
	struct xos_cert *leaf = NULL;
	struct xos_buf der;
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	xos_buf_init(&der, XOS_CERT_MAX);
	MUST(xos_issuer_new(ca, ca_key, &issuer, &err), &err);
	const struct xos_token_request req = {.claims = claims,
	    .spki = xos_key_spki(chain->key),
	    .not_before = from,
	    .not_after = to};
	MUST(xos_token_issue(issuer, &req, serial, &der, &err), &err);
	MUST(xos_cert_parse(xos_buf_bytes(&der), &leaf, &err), &err);
	MUST(xos_chain_add(chain, leaf), &err);
	MUST(xos_chain_add(chain, ca), &err);
	xos_test_chain_save(chain, out);
	xos_chain_clear(chain);
	xos_cert_free(leaf);
	xos_issuer_free(issuer);
	xos_buf_free(&der);
}

/* A token with these claims for a fresh key. */
static void issue(const struct xos_cert *ca, const struct xos_key *ca_key,
    const struct xos_claims *claims, int64_t from, int64_t to, const char *out)
{
	struct xos_chain chain = {.n = 0};
	MUST(xos_key_generate(&chain.key, &err), &err);
	issue_for(&chain, ca, ca_key, claims, from, to, out);
}

static void forge_time(const char *token, const char *folder, const char *out, bool future)
{
	struct xos_chain chain = {.n = 0}, ca = {.n = 0};
	struct xos_key *key = NULL;
	char path[4096];
	load(token, &chain);
	MUST_TRUE(xos_path_join(path, sizeof(path), folder, "ca.pem"));
	MUST(xos_chain_load(path, &ca, &err), &err);
	MUST_TRUE(xos_path_join(path, sizeof(path), folder, "ca.key"));
	MUST(xos_key_load(path, NULL, NULL, &key, &err), &err);
	struct xos_claims *claims = claims_of(&chain);
	int64_t now = xos_clock_now();
	/* The issuer itself may be minutes old: what lies furthest back lasts one second. */
	int64_t born = xos_cert_not_before(ca.cert[0]);
	issue(ca.cert[0], key, claims, future ? now + DAY : born,
	    future ? now + DAY + 3600 : born + 1, out);
	xos_claims_free(claims);
	xos_key_free(key);
	xos_chain_clear(&ca);
	xos_chain_clear(&chain);
}

/* With a stolen root key: an authority for another VO under it, and that authority's member. */
static void forge_stolen(const char *token, const char *vo, const char *folder, const char *out)
{
	struct xos_chain chain = {.n = 0}, root = {.n = 0};
	struct xos_key *root_key = NULL, *ca_key = NULL;
	struct xos_issuer *issuer = NULL;
	struct xos_cert *ca = NULL;
	char path[4096];
	int64_t now = xos_clock_now();
	load(token, &chain);
	MUST_TRUE(xos_path_join(path, sizeof(path), folder, "root.pem"));
	MUST(xos_chain_load(path, &root, &err), &err);
	MUST_TRUE(xos_path_join(path, sizeof(path), folder, "root.key"));
	MUST(xos_key_load(path, NULL, NULL, &root_key, &err), &err);
	MUST(xos_key_generate(&ca_key, &err), &err);
	MUST(xos_issuer_new(root.cert[0], root_key, &issuer, &err), &err);
	MUST(xos_authority_issuer(issuer, vo, XOS_KIND_BIT(XOS_KIND_USER), xos_key_spki(ca_key),
	         now, now + DAY, &ca, &err),
	    &err);
	struct xos_claims *claims = claims_of(&chain), *theirs = NULL;
	MUST(xos_claims_new(XOS_KIND_USER, vo, claims->name, &theirs, &err), &err);
	theirs->number = claims->number;
	theirs->auth_time = claims->auth_time;
	memcpy(theirs->auth_method, claims->auth_method, sizeof(theirs->auth_method));
	issue(ca, ca_key, theirs, now, now + 3600, out);
	xos_claims_free(theirs);
	xos_claims_free(claims);
	xos_cert_free(ca);
	xos_issuer_free(issuer);
	xos_key_free(ca_key);
	xos_key_free(root_key);
	xos_chain_clear(&root);
	xos_chain_clear(&chain);
}

static void forge_renewed(const char *token, const char *folder, const char *out)
{
	struct xos_chain chain = {.n = 0}, root = {.n = 0}, made = {.n = 0};
	struct xos_key *root_key = NULL;
	char path[4096];
	load(token, &chain);
	MUST_TRUE(xos_path_join(path, sizeof(path), folder, "root.pem"));
	MUST(xos_chain_load(path, &root, &err), &err);
	MUST_TRUE(xos_path_join(path, sizeof(path), folder, "root.key"));
	MUST(xos_key_load(path, NULL, NULL, &root_key, &err), &err);
	struct xos_claims *claims = claims_of(&chain);
	struct xos_test_vo vo = {
	    .root = root.cert[0], .root_key = root_key, .now = xos_clock_now()};
	MUST_TRUE(xos_str_copy(vo.vo, sizeof(vo.vo), claims->vo));
	const struct xos_test_who who = {
	    .name = claims->name, .number = claims->number, .not_before = vo.now};
	struct xos_delegation step = {
	    .actor = "job", .node = "n1", .id = "forged", .not_after = vo.now + 3600};
	MUST_TRUE(xos_str_copy(step.vo, sizeof(step.vo), claims->vo));
	MUST_TRUE(xos_str_copy(step.member, sizeof(step.member), claims->name));
	xos_test_renewed(&vo, &who, &step, &made);
	MUST(xos_tokenfile_write(out, &made, &err), &err);
	xos_claims_free(claims);
	xos_chain_clear(&made);
	xos_chain_clear(&root);
	xos_key_free(root_key);
	xos_chain_clear(&chain);
}

static void forge_delegate(char **arg)
{
	struct xos_chain chain = {.n = 0};
	struct xos_delegation d = {.actor = "job", .not_after = xos_clock_now() + 600};
	struct xos_csr csr;
	struct xos_cert *leaf = NULL;
	struct xos_buf der, pem;
	load(arg[0], &chain);
	MUST(xos_file_read(arg[1], 65536, &der, &err), &err);
	MUST(xos_csr_parse(xos_buf_bytes(&der), &csr, &err), &err);
	MUST_TRUE(xos_str_copy(d.node, sizeof(d.node), arg[2]));
	MUST_TRUE(xos_str_copy(d.id, sizeof(d.id), arg[3]));
	MUST(xos_delegation_sign(&chain, csr.spki, &d, xos_clock_now(), &leaf, &err), &err);
	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	xos_cert_to_pem(leaf, &pem);
	for (size_t i = 0; i < chain.n; i++)
		xos_cert_to_pem(chain.cert[i], &pem);
	MUST(xos_file_write(arg[4], 0644, xos_buf_bytes(&pem), &err), &err);
	xos_buf_free(&pem);
	xos_buf_free(&der);
	xos_cert_free(leaf);
	xos_chain_clear(&chain);
}

static void forge_impostor(const char *token, const char *out)
{
	struct xos_chain chain = {.n = 0};
	int64_t now = xos_clock_now();
	load(token, &chain);
	struct xos_claims *claims = claims_of(&chain);
	struct xos_test_vo *vo = xos_test_vo_new(claims->vo, "lab", now);
	issue(vo->ca, vo->ca_key, claims, now - 60, now + 3600, out);
	xos_test_vo_free(vo);
	xos_claims_free(claims);
	xos_chain_clear(&chain);
}

static void forge_foreign(const char *out)
{
	int64_t now = xos_clock_now();
	struct xos_test_vo *vo = xos_test_vo_new("elsewhere", "lab", now);
	static const char *const groups[] = {"/elsewhere/physics", NULL};
	const struct xos_test_who who = {.name = "alice", .groups = groups};
	struct xos_chain chain = {.n = 0};
	xos_test_member(vo, &who, &chain);
	xos_test_chain_save(&chain, out);
	xos_chain_clear(&chain);
	xos_test_vo_free(vo);
}

static void forge_host(char **arg)
{
	const char *service = strcmp(arg[3], "-") == 0 ? NULL : arg[3];
	struct xos_test_vo *vo = xos_test_vo_new(arg[1], "lab", xos_clock_now());
	struct xos_chain rca = {.n = 0}, made = {.n = 0};
	struct xos_key *signer = xos_key_ref(vo->rca_key);
	char path[4096];
	int64_t now = xos_clock_now();
	MUST(xos_key_load(arg[0], NULL, NULL, &made.key, &err), &err);
	if (strcmp(arg[4], "-") == 0) {
		MUST(xos_chain_add(&rca, vo->rca), &err);
	} else {
		xos_key_free(signer);
		MUST_TRUE(xos_path_join(path, sizeof(path), arg[4], "rca.pem"));
		MUST(xos_chain_load(path, &rca, &err), &err);
		MUST_TRUE(xos_path_join(path, sizeof(path), arg[4], "rca.key"));
		MUST(xos_key_load(path, NULL, NULL, &signer, &err), &err);
	}
	struct xos_claims *claims = NULL;
	MUST(xos_claims_new(
	         service ? XOS_KIND_SERVICE : XOS_KIND_NODE, arg[1], arg[2], &claims, &err),
	    &err);
	MUST_TRUE(xos_str_copy(claims->service, sizeof(claims->service), service ? service : ""));
	issue_for(&made, rca.cert[0], signer, claims, now, now + 3600, arg[5]);
	xos_claims_free(claims);
	xos_key_free(signer);
	xos_chain_clear(&rca);
	xos_test_vo_free(vo);
}

static void put_pem(struct xos_buf *out, const char *label, struct xos_bytes der)
{
	xos_buf_printf(out, "-----BEGIN %s-----\n", label);
	struct xos_buf text;
	xos_buf_init(&text, 2 * XOS_CERT_MAX);
	xos_base64_encode(&text, der);
	for (size_t i = 0; i < text.n; i += 64) {
		xos_buf_put(out, text.p + i, text.n - i < 64 ? text.n - i : 64);
		xos_buf_put_str(out, "\n");
	}
	xos_buf_printf(out, "-----END %s-----\n", label);
	xos_buf_free(&text);
}

/* The token file with another leaf, given as bytes since it may be no certificate any more. */
static void save_with_leaf(const struct xos_chain *chain, struct xos_bytes leaf, const char *path)
{
	struct xos_buf pem;
	struct xos_secret *key = NULL;
	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	put_pem(&pem, "CERTIFICATE", leaf);
	MUST(xos_key_to_pem(chain->key, &key, &err), &err);
	xos_buf_put(&pem, xos_secret_data(key), xos_secret_len(key));
	for (size_t i = 1; i < chain->n; i++)
		xos_cert_to_pem(chain->cert[i], &pem);
	MUST(xos_file_write(path, 0600, xos_buf_bytes(&pem), &err), &err);
	xos_secret_free(key);
	xos_buf_free(&pem);
}

static void forge_flip(const char *token, const char *out, const char *offset)
{
	struct xos_chain chain = {.n = 0};
	uint64_t at = 0;
	load(token, &chain);
	struct xos_bytes der = xos_cert_der(chain.cert[0]);
	MUST_TRUE(xos_parse_u64(offset, der.n - 1, &at));
	uint8_t *copy = malloc(der.n);
	MUST_TRUE(copy);
	memcpy(copy, der.p, der.n);
	copy[at] ^= 1;
	save_with_leaf(&chain, (struct xos_bytes){copy, der.n}, out);
	free(copy);
	xos_chain_clear(&chain);
}

/* A proxy signed by the chain's key, whatever it claims. */
static void forge_proxy(const struct xos_chain *chain, struct xos_bytes language,
    const struct xos_ext *ext, const char *out)
{
	struct xos_chain made = {.n = 0};
	struct xos_issuer *issuer = NULL;
	struct xos_cert *leaf = NULL;
	struct xos_buf der;
	xos_buf_init(&der, XOS_CERT_MAX);
	MUST(xos_key_generate(&made.key, &err), &err);
	MUST(xos_issuer_new(chain->cert[0], chain->key, &issuer, &err), &err);
	int64_t from = xos_clock_now() - 10, born = xos_cert_not_before(chain->cert[0]);
	const struct xos_issue_proxy what = {.spki = xos_key_spki(made.key),
	    .not_before = from > born ? from : born,
	    .not_after = xos_cert_not_after(chain->cert[0]),
	    .path_len = 0,
	    .language = language,
	    .exts = ext,
	    .nexts = ext ? 1 : 0};
	MUST(xos_issue_proxy(issuer, &what, &der, &err), &err);
	MUST(xos_cert_parse(xos_buf_bytes(&der), &leaf, &err), &err);
	MUST(xos_chain_add(&made, leaf), &err);
	for (size_t k = 0; k < chain->n; k++)
		MUST(xos_chain_add(&made, chain->cert[k]), &err);
	xos_test_chain_save(&made, out);
	xos_cert_free(leaf);
	xos_issuer_free(issuer);
	xos_chain_clear(&made);
	xos_buf_free(&der);
}

static void forge_strip(const char *token, const char *out)
{
	static const char inherit_all[] = "\x2b\x06\x01\x05\x05\x07\x15\x01"; /* RFC 3820 3.8.2 */
	struct xos_chain chain = {.n = 0};
	load(token, &chain);
	forge_proxy(&chain,
	    (struct xos_bytes){(const uint8_t *)inherit_all, sizeof(inherit_all) - 1}, NULL, out);
	xos_chain_clear(&chain);
}

/* What a job on n1 would hold that may delegate once more, for a little while. */
static void delegate_honestly(const struct xos_chain *token, struct xos_chain *out)
{
	struct xos_cert *leaf = NULL;
	const struct xos_delegation d = {.actor = "job",
	    .node = "n1",
	    .id = "honest",
	    .not_after = xos_clock_now() + 600,
	    .depth = 1};
	MUST(xos_key_generate(&out->key, &err), &err);
	MUST(xos_delegation_sign(token, xos_key_spki(out->key), &d, xos_clock_now(), &leaf, &err),
	    &err);
	MUST(xos_chain_add(out, leaf), &err);
	for (size_t i = 0; i < token->n; i++)
		MUST(xos_chain_add(out, token->cert[i]), &err);
	xos_cert_free(leaf);
}

static void forge_widen(const char *token, const char *out)
{
	struct xos_chain chain = {.n = 0}, honest = {.n = 0};
	struct xos_buf ext;
	load(token, &chain);
	delegate_honestly(&chain, &honest);
	struct xos_claims *claims = claims_of(&chain);
	struct xos_delegation d = {.actor = "job",
	    .id = "forged",
	    .not_after = xos_clock_now() + 7 * DAY,
	    .depth = XOS_DELEGATION_DEPTH_MAX};
	MUST_TRUE(xos_str_copy(d.vo, sizeof(d.vo), claims->vo));
	MUST_TRUE(xos_str_copy(d.member, sizeof(d.member), claims->name));
	xos_buf_init(&ext, XOS_DELEGATION_DER_MAX);
	MUST(xos_delegation_encode(&d, &ext, &err), &err);
	const struct xos_ext e = {
	    .oid = XOS_OID_DELEGATION, .critical = true, .value = xos_buf_bytes(&ext)};
	forge_proxy(&honest, XOS_OID_PROXY_LANGUAGE, &e, out);
	xos_buf_free(&ext);
	xos_claims_free(claims);
	xos_chain_clear(&honest);
	xos_chain_clear(&chain);
}

/* Changes the last byte of the restriction in place. */
static void forge_tamper(const char *token, const char *out)
{
	struct xos_chain chain = {.n = 0};
	struct xos_bytes value;
	load(token, &chain);
	MUST(xos_cert_ext(chain.cert[0], XOS_OID_DELEGATION, &value, NULL), &err);
	struct xos_bytes der = xos_cert_der(chain.cert[0]);
	uint8_t *copy = malloc(der.n);
	MUST_TRUE(copy);
	memcpy(copy, der.p, der.n);
	uint8_t *at = memmem(copy, der.n, value.p, value.n);
	MUST_TRUE(at);
	at[value.n - 1] ^= 1;
	save_with_leaf(&chain, (struct xos_bytes){copy, der.n}, out);
	free(copy);
	xos_chain_clear(&chain);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	if (strcmp(verb, "expired") == 0 && argc == 5)
		forge_time(argv[2], argv[3], argv[4], false);
	else if (strcmp(verb, "future") == 0 && argc == 5)
		forge_time(argv[2], argv[3], argv[4], true);
	else if (strcmp(verb, "impostor") == 0 && argc == 4)
		forge_impostor(argv[2], argv[3]);
	else if (strcmp(verb, "stolen") == 0 && argc == 6)
		forge_stolen(argv[2], argv[3], argv[4], argv[5]);
	else if (strcmp(verb, "renewed") == 0 && argc == 5)
		forge_renewed(argv[2], argv[3], argv[4]);
	else if (strcmp(verb, "delegate") == 0 && argc == 7)
		forge_delegate(argv + 2);
	else if (strcmp(verb, "foreign") == 0 && argc == 3)
		forge_foreign(argv[2]);
	else if (strcmp(verb, "host") == 0 && argc == 8)
		forge_host(argv + 2);
	else if (strcmp(verb, "flip") == 0 && argc == 5)
		forge_flip(argv[2], argv[3], argv[4]);
	else if (strcmp(verb, "strip") == 0 && argc == 4)
		forge_strip(argv[2], argv[3]);
	else if (strcmp(verb, "widen") == 0 && argc == 4)
		forge_widen(argv[2], argv[3]);
	else if (strcmp(verb, "tamper") == 0 && argc == 4)
		forge_tamper(argv[2], argv[3]);
	else {
		fprintf(stderr, "usage: see the head of tests/support/forge.c\n");
		return 2;
	}
	return 0;
}
