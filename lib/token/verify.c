#include "token/verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "token/check.h"
#include "token/issuerext.h"
#include "token/oid.h"
#include "token/trust_internal.h"

#define KNOWN_MAX 1024 /* issuers that help to build a path */

void xos_identity_free(struct xos_identity *id)
{
	if (!id)
		return;
	for (size_t i = 0; i < id->nsteps; i++)
		xos_delegation_free(id->steps[i]);
	free(id->steps);
	xos_claims_free(id->claims);
	xos_cert_free(id->leaf);
	xos_cert_free(id->entity);
	free(id);
}

static enum xos_status deny(const struct xos_claims *c, const char *code, const char *why,
    const char *wanted, struct xos_err *err)
{
	return xos_err_set(err, XOS_DENIED, code,
	    "the %s certificate of %s (VO %s) is refused: %s%s%s", xos_kind_name(c->kind), c->name,
	    c->vo, why, wanted ? " " : "", wanted ? wanted : "");
}

static bool signed_by_root(enum xos_kind kind)
{
	return kind == XOS_KIND_POLICY || kind == XOS_KIND_ACCOUNTING;
}

/*
 * Above the end entity: the root pinned for the VO that the token names, and between them exactly
 * one issuer whose marker names that VO and this kind; for policy and accounting keys, none.
 */
static enum xos_status check_issuers(const struct xos_trust *trust, const struct xos_path *path,
    size_t entity, const struct xos_claims *c, struct xos_err *err)
{
	const struct xos_cert *root = xos_trust_root(trust, c->vo);
	size_t issuers = path->n - entity - 2;
	struct xos_issuer_marker m;
	struct xos_bytes v;
	enum xos_status st;

	if (path->n < entity + 2 || path->cert[path->n - 1] != root)
		return deny(c, "token-vo", "it does not lead to the root of that VO", NULL, err);
	if (signed_by_root(c->kind))
		return issuers == 0
		           ? XOS_OK
		           : deny(c, "token-issuer", "only the root signs these", NULL, err);
	if (issuers != 1)
		return deny(
		    c, "token-issuer", "it was not signed by an issuer under the root", NULL, err);
	if (xos_cert_ext(path->cert[entity + 1], XOS_OID_ISSUER, &v, NULL) != XOS_OK)
		return deny(
		    c, "token-issuer", "its issuer does not say what it may issue", NULL, err);
	st = xos_issuer_marker_decode(v, &m, err);
	if (st != XOS_OK)
		return st;
	if (strcmp(m.vo, c->vo) != 0 || !(m.kinds & XOS_KIND_BIT(c->kind)))
		return deny(
		    c, "token-issuer", "its issuer may not issue this kind for this VO", NULL, err);
	return XOS_OK;
}

/* Our delegation extension on an issuer is a forgery or a mistake. */
static enum xos_status check_no_strays(
    const struct xos_path *path, size_t entity, struct xos_err *err)
{
	struct xos_bytes v;

	/* The end entity's own was looked at with its claims: a robot's token is restricted. */
	for (size_t i = entity; i < path->n; i++)
		if (xos_cert_is_proxy(path->cert[i]) ||
		    (i > entity &&
		        xos_cert_ext(path->cert[i], XOS_OID_DELEGATION, &v, NULL) == XOS_OK))
			return xos_err_set(err, XOS_DENIED, "delegation-misplaced",
			    "the certificate of %s is refused: a delegation where none may stand",
			    xos_cert_subject_text(path->cert[i]));
	return XOS_OK;
}

/*
 * OpenSSL builds the path from the certificates in whatever order they came. Here those from the leaf to
 * the end entity must have come in the path's own: services pass "the signer's chain", all but the first
 * certificate, on to be judged by itself, and would else pass on a chain that nobody walked.
 */
static enum xos_status check_order(const struct xos_chain *presented, const struct xos_path *path,
    size_t entity, struct xos_err *err)
{
	for (size_t i = 0; i <= entity; i++)
		if (i >= presented->n ||
		    !xos_bytes_eq(xos_cert_der(presented->cert[i]), xos_cert_der(path->cert[i])))
			return xos_err_set(err, XOS_MALFORMED, "chain-order",
			    "the chain of %s is not in order: each certificate must be followed by "
			    "its signer's",
			    xos_cert_subject_text(path->cert[0]));
	return XOS_OK;
}

static enum xos_status check_wanted(
    const struct xos_identity *id, const struct xos_verify_opts *o, struct xos_err *err)
{
	const struct xos_claims *c = id->claims;

	/* Its member's, who acts through it; nowhere by its own kind, and nowhere without its limits. */
	unsigned kind = c->kind == XOS_KIND_DELEGATION ? XOS_KIND_USER : c->kind;

	if (!(o->kinds & XOS_KIND_BIT(kind)) || (kind != c->kind && !o->allow_delegation))
		return deny(
		    c, "token-kind", "this kind of certificate is not accepted here", NULL, err);
	if (o->vo && strcmp(o->vo, c->vo) != 0)
		return deny(c, "token-vo", "here only this VO is accepted:", o->vo, err);
	if (o->name && strcmp(o->name, c->name) != 0)
		return deny(c, "token-name", "expected was", o->name, err);
	if (o->service && c->kind == XOS_KIND_SERVICE && strcmp(o->service, c->service) != 0)
		return deny(c, "token-service", "expected was a service of kind", o->service, err);
	if (o->host && !xos_cert_matches_host(id->entity, o->host))
		return deny(c, "token-host", "it was not issued for the host", o->host, err);
	return XOS_OK;
}

/* The steps from the end entity outward, each checked against the one before. */
static enum xos_status read_steps(
    struct xos_identity *id, const struct xos_path *path, size_t entity, struct xos_err *err)
{
	const struct xos_claims *c = id->claims;
	struct xos_delegation *own = NULL;
	enum xos_status st = token_read_restriction(id->entity, c, &own, err);

	if (st == XOS_OK)
		st = token_read_uri(c, own, id->uri, err);
	if (st != XOS_OK || (entity == 0 && !own)) {
		xos_delegation_free(own);
		return st;
	}
	if (c->kind != XOS_KIND_USER && c->kind != XOS_KIND_DELEGATION)
		return deny(c, "delegation-refused", "only members delegate", NULL, err);
	id->steps = calloc(entity + 1, sizeof(*id->steps));
	if (!id->steps) {
		xos_delegation_free(own);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	/* Neither a robot nor the holder of a renewed delegation ever acts but through it. */
	if (own) {
		id->steps[id->nsteps++] = own;
		if (own->not_after < id->not_after)
			id->not_after = own->not_after;
	}
	for (size_t i = entity; st == XOS_OK && i-- > 0;) {
		struct xos_delegation *d = NULL;

		st = token_read_step(path->cert[i], &d, err);
		if (st != XOS_OK)
			break;
		id->steps[id->nsteps++] = d;
		if (strcmp(d->vo, c->vo) != 0 || strcmp(d->member, c->name) != 0)
			st = deny(c, "delegation-widened", "the delegation names somebody else",
			    d->member, err);
		else if (xos_cert_not_after(path->cert[i]) > xos_cert_not_after(path->cert[i + 1]))
			st = deny(
			    c, "delegation-widened", "a delegation outlives its signer", NULL, err);
		else
			st = xos_delegation_follows(
			    id->nsteps > 1 ? id->steps[id->nsteps - 2] : NULL, d, err);
		if (d->not_after < id->not_after)
			id->not_after = d->not_after;
	}
	return st;
}

static enum xos_status digest_path(
    const struct xos_path *path, struct xos_identity *id, struct xos_err *err)
{
	struct xos_bytes parts[XOS_CHAIN_MAX];

	for (size_t i = 0; i < path->n; i++)
		parts[i] = (struct xos_bytes){xos_cert_fingerprint(path->cert[i]), XOS_SHA256_LEN};
	if (xos_sha256_parts(parts, path->n, id->chain_digest) != XOS_OK)
		return xos_err_set(err, XOS_INTERNAL, "crypto", "hashing a chain failed");
	memcpy(id->root, xos_cert_fingerprint(path->cert[path->n - 1]), XOS_SHA256_LEN);
	memcpy(id->issuer, xos_cert_fingerprint(path->cert[path->n - 2]), XOS_SHA256_LEN);
	return XOS_OK;
}

enum xos_status xos_identity_listed(
    const struct xos_trust *trust, const struct xos_identity *id, struct xos_err *err)
{
	const struct xos_claims *c = id->claims;
	/* A key that signs objects is itself what the list names: its objects are judged one by one. */
	int64_t signed_at = signed_by_root(c->kind) ? INT64_MIN : xos_cert_not_before(id->entity);

	char who[XOS_URI_MAX + 32];

	if (signed_by_root(c->kind) ||
	    !xos_str_printf(who, sizeof(who), "the issuer of %s", id->uri))
		return xos_trust_judge(trust, c->vo, id->issuer, id->uri, signed_at, err);
	return xos_trust_judge(trust, c->vo, id->issuer, who, signed_at, err);
}

/* Everything that our rules add to a path that is right by X.509. */
static enum xos_status judge(const struct xos_trust *trust, const struct xos_chain *presented,
    const struct xos_path *path, const struct xos_verify_opts *opts, struct xos_identity *id,
    struct xos_err *err)
{
	enum xos_status st;
	size_t entity = 0;

	while (entity < path->n && xos_cert_is_proxy(path->cert[entity]))
		entity++;
	if (entity == path->n)
		return xos_err_set(err, XOS_MALFORMED, "chain", "the chain has no end entity");
	id->leaf = xos_cert_ref(path->cert[0]);
	id->entity = xos_cert_ref(path->cert[entity]);
	id->not_before = path->not_before;
	id->not_after = path->not_after;
	memcpy(id->spki_sha256, xos_key_spki_sha256(xos_cert_key(id->leaf)), XOS_SHA256_LEN);
	memcpy(id->serial, xos_cert_serial_text(id->entity), sizeof(id->serial));
	st = check_order(presented, path, entity, err);
	if (st == XOS_OK)
		st = token_read_claims(id->entity, &id->claims, err);
	if (st == XOS_OK)
		st = check_no_strays(path, entity, err);
	if (st == XOS_OK)
		st = check_issuers(trust, path, entity, id->claims, err);
	if (st == XOS_OK)
		st = check_wanted(id, opts, err);
	if (st == XOS_OK)
		st = read_steps(id, path, entity, err);
	if (st == XOS_OK && id->claims->kind == XOS_KIND_DELEGATION) {
		id->renewed = true;
		id->claims->kind = XOS_KIND_USER;
	}
	if (st == XOS_OK)
		st = digest_path(path, id, err);
	if (st == XOS_OK)
		st = xos_identity_listed(trust, id, err);
	return st;
}

static enum xos_status verify_path(const struct xos_trust *trust, const struct xos_chain *chain,
    const struct xos_verify_opts *o, struct xos_path *path, struct xos_err *err)
{
	const struct xos_bytes critical[] = {XOS_OID_DELEGATION};
	struct xos_chain_opts co = {.now = o->now,
	    .skew = o->skew,
	    .purpose = o->purpose,
	    .allow_proxies = o->allow_delegation,
	    .max_depth = 2 + XOS_DELEGATION_DEPTH_MAX + 1,
	    .revoked = o->revoked,
	    .arg = o->arg};
	struct xos_bytes v;

	if (chain->n && xos_cert_is_proxy(chain->cert[0]) && !o->allow_delegation)
		return xos_err_set(err, XOS_DENIED, "delegation-refused",
		    "%s is a delegation: here only the member's own token is accepted",
		    xos_cert_subject_text(chain->cert[0]));
	if (chain->n && !o->allow_delegation &&
	    xos_cert_ext(chain->cert[0], XOS_OID_DELEGATION, &v, NULL) == XOS_OK)
		return xos_err_set(err, XOS_DENIED, "delegation-refused",
		    "%s is a restricted token, of a robot, or a delegation: here only the member's "
		    "own, unrestricted one is accepted",
		    xos_cert_subject_text(chain->cert[0]));
	if (o->allow_delegation) {
		co.critical = critical;
		co.ncritical = 1;
	}
	const struct xos_cert *known[KNOWN_MAX];
	size_t n = trust_known_issuers(trust, known, KNOWN_MAX);
	return xos_chain_verify(chain, trust->roots, trust->nroots, known, n, &co, path, err);
}

enum xos_status xos_token_verify_chain(const struct xos_trust *trust, const struct xos_chain *chain,
    const struct xos_verify_opts *opts, struct xos_identity **out, struct xos_err *err)
{
	struct xos_identity *id = NULL;
	struct xos_path path = {0};
	enum xos_status st;

	*out = NULL;
	st = verify_path(trust, chain, opts, &path, err);
	if (st != XOS_OK)
		return st;
	id = calloc(1, sizeof(*id));
	if (id)
		st = judge(trust, chain, &path, opts, id, err);
	else
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_path_clear(&path);
	if (st == XOS_OK) {
		*out = id;
		id = NULL;
	}
	xos_identity_free(id);
	return st;
}

enum xos_status xos_token_verify(const struct xos_trust *trust, const struct xos_bytes *der,
    size_t n, const struct xos_verify_opts *opts, struct xos_identity **out, struct xos_err *err)
{
	struct xos_chain chain = {0};
	enum xos_status st;

	*out = NULL;
	st = xos_chain_from_der(der, n, &chain, err);
	if (st == XOS_OK)
		st = xos_token_verify_chain(trust, &chain, opts, out, err);
	xos_chain_clear(&chain);
	return st;
}

/* Marker of this VO and kind, and the wanted key? */
static bool is_wanted(
    const struct xos_cert *c, const char *vo, enum xos_kind kind, const uint8_t *kid)
{
	struct xos_issuer_marker m;
	struct xos_bytes v;

	return xos_cert_ext(c, XOS_OID_ISSUER, &v, NULL) == XOS_OK &&
	       xos_issuer_marker_decode(v, &m, NULL) == XOS_OK && strcmp(m.vo, vo) == 0 &&
	       (m.kinds & XOS_KIND_BIT(kind)) &&
	       (!kid || memcmp(xos_key_spki_sha256(xos_cert_key(c)), kid, XOS_SHA256_LEN) == 0);
}

static enum xos_status verify_issuer(const struct xos_cert *c, const struct xos_cert *root,
    int64_t now, int64_t skew, struct xos_err *err)
{
	const struct xos_chain_opts o = {.now = now, .skew = skew, .max_depth = 1};
	struct xos_chain ch = {0};
	struct xos_path path = {0};
	enum xos_status st = xos_chain_add(&ch, c);

	if (st == XOS_OK)
		st = xos_chain_verify(&ch, &root, 1, NULL, 0, &o, &path, err);
	xos_path_clear(&path);
	xos_chain_clear(&ch);
	return st;
}

enum xos_status xos_token_find_issuer(const struct xos_trust *trust, const char *vo,
    enum xos_kind kind, const uint8_t *kid, int64_t now, int64_t skew, struct xos_cert **out,
    struct xos_err *err)
{
	const struct xos_cert *root = xos_trust_root(trust, vo);
	const struct xos_cert *known[KNOWN_MAX];
	size_t n = xos_trust_issuers(trust, vo, known, KNOWN_MAX);
	enum xos_status st;

	*out = NULL;
	st = xos_err_set(err, XOS_NOT_FOUND, "issuer-unknown",
	    "no issuer of %s certificates of the VO %s is known here", xos_kind_name(kind), vo);
	for (size_t i = 0; root && i < n; i++) {
		if (!is_wanted(known[i], vo, kind, kid))
			continue;
		st = verify_issuer(known[i], root, now, skew, err);
		if (st == XOS_OK) {
			*out = xos_cert_ref(known[i]);
			return XOS_OK;
		}
	}
	return st;
}
