/* Renewal under a grant: the proof of the job's key, the node's signature over it, and what comes back. */
#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "api/grant.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "pki/jws.h"

/* --- client half --- */

enum xos_status xos_grant_prove(const char *vo, const char *id, const struct xos_key *job,
    int64_t now, struct xos_buf *proof, struct xos_err *err)
{
	struct xos_json *p = xos_json_object();
	struct xos_buf payload;
	char jti[33];
	enum xos_status st;

	xos_random_id(jti, 16);
	xos_json_set_string(p, "vo", vo);
	xos_json_set_string(p, "grant", id);
	xos_json_set_time(p, "issued", now);
	xos_json_set_time(p, "expires", now + XOS_GRANT_PROOF_LIFE);
	xos_json_set_string(p, "jti", jti);
	xos_buf_init(&payload, XOS_GRANT_PAYLOAD_MAX);
	st = xos_json_dump(p, &payload, err);
	if (st == XOS_OK)
		st = xos_jws_sign(job, XOS_GRANT_RENEWAL_TYP, xos_buf_bytes(&payload), proof, err);
	xos_buf_free(&payload);
	xos_json_free(p);
	return st;
}

static enum xos_status proof_name(
    struct xos_bytes proof, char out[XOS_FINGERPRINT_TEXT], struct xos_err *err)
{
	uint8_t digest[XOS_SHA256_LEN];

	if (xos_sha256(proof, digest) != XOS_OK)
		return xos_err_set(err, XOS_INTERNAL, "crypto", "hashing a proof failed");
	xos_fingerprint_text(digest, out);
	return XOS_OK;
}

static enum xos_status node_signs(const char *vo, struct xos_bytes proof,
    const struct xos_chain *node, struct xos_buf *out, struct xos_err *err)
{
	char name[XOS_FINGERPRINT_TEXT];
	struct xos_json *p = xos_json_object();
	struct xos_buf payload;
	enum xos_status st = proof_name(proof, name, err);

	xos_buf_init(&payload, XOS_GRANT_PAYLOAD_MAX);
	xos_json_set_string(p, "vo", vo);
	xos_json_set_string(p, "proof", st == XOS_OK ? name : NULL);
	if (st == XOS_OK)
		st = xos_json_dump(p, &payload, err);
	if (st == XOS_OK)
		st = xos_jws_sign(node->key, XOS_GRANT_NODE_TYP, xos_buf_bytes(&payload), out, err);
	xos_buf_free(&payload);
	xos_json_free(p);
	return st;
}

enum xos_status xos_grant_countersign(const char *vo, struct xos_bytes proof,
    const struct xos_key *job, const struct xos_chain *node, struct xos_json **body,
    struct xos_err *err)
{
	struct xos_buf signature, text;
	enum xos_status st;

	*body = NULL;
	if (!node->n || !node->key)
		return xos_err_set(err, XOS_INTERNAL, "node-key",
		    "a node's certificate without its key cannot sign");
	xos_buf_init(&signature, XOS_GRANT_BODY_MAX);
	xos_buf_init(&text, XOS_GRANT_BODY_MAX);
	xos_buf_put(&text, proof.p, proof.n);
	st = node_signs(vo, proof, node, &signature, err);
	if (st == XOS_OK) {
		*body = xos_json_object();
		xos_json_set_string(*body, "proof", xos_buf_str(&text));
		xos_json_set_string(*body, "node", xos_buf_str(&signature));
		xos_json_set_bytes(*body, "key", xos_key_spki(job));
		xos_chain_to_json(*body, "chain", node);
	}
	xos_buf_free(&signature);
	xos_buf_free(&text);
	return st;
}

/* --- server half --- */

void xos_grant_renewal_free(struct xos_grant_renewal *r)
{
	if (!r)
		return;
	xos_key_free(r->key);
	xos_identity_free(r->node);
	free(r);
}

static enum xos_status check_time(
    int64_t issued, const struct xos_grant_renewal *r, int64_t now, struct xos_err *err)
{
	char by[XOS_TIME_TEXT];

	if (r->exp <= issued || r->exp - issued > XOS_GRANT_PROOF_LIFE_MAX)
		return xos_err_set(err, XOS_MALFORMED, "grant-time",
		    "the life of a proof is 1 to %d seconds", XOS_GRANT_PROOF_LIFE_MAX);
	if (issued > now + XOS_GRANT_SKEW) {
		xos_duration_format(issued - now, by);
		return xos_err_set(err, XOS_NOT_YET_VALID, "grant-time",
		    "the proof was signed %s in the future: set the node's clock", by);
	}
	if (now >= r->exp + XOS_GRANT_SKEW) {
		xos_duration_format(now - r->exp, by);
		return xos_err_set(err, XOS_EXPIRED, "grant-time",
		    "the proof expired %s ago; if it was sent just now, set the node's clock", by);
	}
	return XOS_OK;
}

static enum xos_status read_proof(struct xos_bytes payload, const struct xos_grant_opts *o,
    struct xos_grant_renewal *r, struct xos_err *err)
{
	struct xos_json *p = NULL;
	const char *vo = NULL;
	int64_t issued = 0;
	enum xos_status st = xos_json_parse(payload, XOS_GRANT_PAYLOAD_MAX, &p, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(p, err, "vo", "grant", "issued", "expires", "jti");
	if (st == XOS_OK)
		st = xos_json_get_string(p, "vo", XOS_VO_MAX, &vo, err);
	if (st == XOS_OK && strcmp(vo, o->vo) != 0)
		st = xos_err_set(err, XOS_DENIED, "grant-vo",
		    "the proof is for the VO %s; this is the VO %s", vo, o->vo);
	if (st == XOS_OK)
		st = xos_json_copy_string(p, "grant", r->id, sizeof(r->id), err);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "issued", &issued, err);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "expires", &r->exp, err);
	if (st == XOS_OK)
		st = xos_json_copy_string(p, "jti", r->jti, sizeof(r->jti), err);
	if (st == XOS_OK && (!xos_job_id_valid(r->id) || !xos_job_id_valid(r->jti)))
		st = xos_json_refuse(p, err, "grant and jti must be 32 hexadecimal digits");
	if (st == XOS_OK)
		st = check_time(issued, r, o->now, err);
	xos_json_free(p);
	return st;
}

/* The node signed this very proof. */
static enum xos_status read_node(struct xos_bytes payload, const struct xos_grant_opts *o,
    const char *proof, struct xos_err *err)
{
	char name[XOS_FINGERPRINT_TEXT] = "";
	const char *vo = NULL, *got = NULL;
	struct xos_json *p = NULL;
	enum xos_status st = xos_json_parse(payload, XOS_GRANT_PAYLOAD_MAX, &p, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(p, err, "vo", "proof");
	if (st == XOS_OK)
		st = xos_json_get_string(p, "vo", XOS_VO_MAX, &vo, err);
	if (st == XOS_OK)
		st = xos_json_get_string(p, "proof", XOS_FINGERPRINT_TEXT - 1, &got, err);
	if (st == XOS_OK)
		st = proof_name(xos_bytes_str(proof), name, err);
	if (st == XOS_OK && (strcmp(vo, o->vo) != 0 || strcmp(got, name) != 0))
		st = xos_err_set(err, XOS_DENIED, "grant-proof",
		    "the node did not sign this proof, or not for this VO");
	xos_json_free(p);
	return st;
}

static enum xos_status verify_node(const struct xos_json *doc, const struct xos_grant_opts *o,
    const char *proof, struct xos_grant_renewal *r, struct xos_err *err)
{
	/* No tolerance: the end was set by a clock of the VO's own, and the node can renew in time. */
	const struct xos_verify_opts v = {.now = o->now,
	    .kinds = XOS_KIND_BIT(XOS_KIND_NODE),
	    .vo = o->vo,
	    .purpose = XOS_PURPOSE_ANY,
	    .revoked = o->revoked,
	    .arg = o->arg};
	struct xos_chain chain = {.n = 0};
	struct xos_buf payload;
	const char *node = NULL;
	enum xos_status st = xos_json_get_string(doc, "node", XOS_GRANT_BODY_MAX, &node, err);

	xos_buf_init(&payload, XOS_GRANT_PAYLOAD_MAX);
	if (st == XOS_OK)
		st = xos_chain_from_json(doc, "chain", &chain, err);
	if (st == XOS_OK)
		st = xos_token_verify_chain(o->trust, &chain, &v, &r->node, err);
	if (st == XOS_OK)
		st = xos_jws_verify(xos_cert_key(chain.cert[0]), XOS_GRANT_NODE_TYP,
		    xos_bytes_str(node), &payload, err);
	if (st == XOS_OK)
		st = read_node(xos_buf_bytes(&payload), o, proof, err);
	xos_buf_free(&payload);
	xos_chain_clear(&chain);
	return st;
}

static enum xos_status open_renewal(const struct xos_json *doc, const struct xos_grant_opts *o,
    struct xos_grant_renewal *r, struct xos_err *err)
{
	const char *proof = NULL;
	struct xos_buf spki, payload;
	enum xos_status st = XOS_JSON_ONLY(doc, err, "chain", "key", "proof", "node");

	xos_buf_init(&spki, XOS_SPKI_MAX);
	xos_buf_init(&payload, XOS_GRANT_PAYLOAD_MAX);
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "proof", XOS_GRANT_BODY_MAX, &proof, err);
	if (st == XOS_OK)
		st = verify_node(doc, o, proof, r, err);
	if (st == XOS_OK)
		st = xos_json_get_bytes(doc, "key", XOS_SPKI_MAX, &spki, err);
	if (st == XOS_OK)
		st = xos_key_from_spki(xos_buf_bytes(&spki), &r->key, err);
	if (st == XOS_OK)
		st = xos_jws_verify(
		    r->key, XOS_GRANT_RENEWAL_TYP, xos_bytes_str(proof), &payload, err);
	if (st == XOS_OK)
		st = read_proof(xos_buf_bytes(&payload), o, r, err);
	xos_buf_free(&spki);
	xos_buf_free(&payload);
	return st;
}

enum xos_status xos_grant_renewal_open(struct xos_bytes body, const struct xos_grant_opts *opts,
    struct xos_grant_renewal **out, struct xos_err *err)
{
	struct xos_grant_renewal *r = calloc(1, sizeof(*r));
	struct xos_json *doc = NULL;
	enum xos_status st;

	*out = NULL;
	if (!r)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	st = xos_json_parse(body, XOS_GRANT_BODY_MAX, &doc, err);
	if (st == XOS_OK)
		st = open_renewal(doc, opts, r, err);
	xos_json_free(doc);
	if (st != XOS_OK) {
		xos_grant_renewal_free(r);
		return st;
	}
	*out = r;
	return XOS_OK;
}

/* --- the answer --- */

void xos_grant_renewed_clear(struct xos_grant_renewed *r)
{
	xos_chain_clear(&r->chain);
	memset(r, 0, sizeof(*r));
}

struct xos_json *xos_grant_renewed_encode(const struct xos_grant_renewed *r)
{
	struct xos_json *doc = xos_json_object();

	xos_chain_to_json(doc, "chain", &r->chain);
	xos_json_set_time(doc, "not_after", r->not_after);
	xos_json_set_time(doc, "ends", r->ends);
	xos_json_set_time(doc, "renew_after", r->renew_after);
	xos_json_set_time(doc, "server_time", r->server_time);
	return doc;
}

static enum xos_status check_answer(const struct xos_trust *trust, const char *vo, const char *id,
    const struct xos_key *key, const struct xos_grant_renewed *r, struct xos_err *err)
{
	/* By the server's clock, which made it; the node's may be wrong, and is told so. */
	const struct xos_verify_opts v = {.now = r->server_time,
	    .skew = XOS_GRANT_SKEW,
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER),
	    .allow_delegation = true,
	    .vo = vo,
	    .purpose = XOS_PURPOSE_TLS_CLIENT};
	struct xos_identity *got = NULL;
	enum xos_status st = xos_token_verify_chain(trust, &r->chain, &v, &got, err);

	if (st != XOS_OK)
		return xos_err_prefix(err, st, "the delegation that the server sent");
	if (!got->renewed || got->nsteps != 1 || strcmp(got->steps[0]->id, id) != 0)
		st = xos_err_set(err, XOS_DENIED, "grant-other",
		    "the server sent something else than a delegation under the grant %s", id);
	else if (memcmp(got->spki_sha256, xos_key_spki_sha256(key), XOS_SHA256_LEN) != 0)
		st = xos_err_set(err, XOS_DENIED, "token-other-key",
		    "the server sent a delegation for another key than the job's");
	xos_identity_free(got);
	return st;
}

enum xos_status xos_grant_renewed_decode(const struct xos_json *answer,
    const struct xos_trust *trust, const char *vo, const char *id, const struct xos_key *key,
    struct xos_grant_renewed *out, struct xos_err *err)
{
	enum xos_status st = xos_json_get_time(answer, "not_after", &out->not_after, err);

	if (st == XOS_OK)
		st = xos_json_get_time(answer, "ends", &out->ends, err);
	if (st == XOS_OK)
		st = xos_json_get_time(answer, "renew_after", &out->renew_after, err);
	if (st == XOS_OK)
		st = xos_json_get_time(answer, "server_time", &out->server_time, err);
	if (st == XOS_OK)
		st = xos_chain_from_json(answer, "chain", &out->chain, err);
	if (st == XOS_OK)
		st = check_answer(trust, vo, id, key, out, err);
	if (st != XOS_OK)
		xos_grant_renewed_clear(out);
	return st;
}
