#include "api/logproof.h"

#include <string.h>

#include "api/chainjson.h"
#include "api/loghead.h"
#include "base/clock.h"
#include "base/text.h"
#include "pki/jws.h"

#define PATH_BYTES (XOS_TREE_PATH_MAX * XOS_LOG_HASH)

/* --- heads --- */

static enum xos_status trust_of(const struct xos_chain *chain, const struct xos_cert *root,
    struct xos_trust **out, struct xos_err *err)
{
	struct xos_trust *t = xos_trust_new();
	enum xos_status st = t ? xos_trust_add_root(t, root, err)
	                       : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");

	for (size_t i = 0; st == XOS_OK && i < chain->n; i++)
		if (!xos_cert_is_self_issued(chain->cert[i]))
			st = xos_trust_add_issuer(t, chain->cert[i], err);
	if (st != XOS_OK) {
		xos_trust_free(t);
		return st;
	}
	*out = t;
	return XOS_OK;
}

/* The accounting key has no issuer between itself and the root. */
static enum xos_status find_accounting(const struct xos_chain *chain,
    const struct xos_logproof_want *want, const uint8_t kid[XOS_SHA256_LEN], struct xos_cert **out,
    struct xos_err *err)
{
	const struct xos_verify_opts opts = {.now = want->now,
	    .skew = want->skew,
	    .kinds = XOS_KIND_BIT(XOS_KIND_ACCOUNTING),
	    .vo = want->vo};
	struct xos_identity *who = NULL;
	struct xos_trust *trust = NULL;
	enum xos_status st = trust_of(&(struct xos_chain){.n = 0}, want->root, &trust, err);

	if (st == XOS_OK)
		st = xos_token_verify_chain(trust, chain, &opts, &who, err);
	if (st == XOS_OK &&
	    memcmp(xos_key_spki_sha256(xos_cert_key(chain->cert[0])), kid, XOS_SHA256_LEN) != 0)
		st = xos_err_set(err, XOS_DENIED, "signature",
		    "the head is signed by another key than that of the certificate beside it");
	if (st == XOS_OK)
		*out = xos_cert_ref(chain->cert[0]);
	xos_identity_free(who);
	xos_trust_free(trust);
	return st;
}

/* The issuer that the signature names, from the root down. */
static enum xos_status find_signer(const struct xos_chain *chain,
    const struct xos_logproof_want *want, struct xos_bytes signature, struct xos_cert **out,
    struct xos_err *err)
{
	char kid[XOS_JWS_KID_TEXT];
	struct xos_trust *trust = NULL;
	struct xos_buf digest;
	enum xos_status st = xos_jws_peek_kid(XOS_LOGHEAD_TYP, signature, kid, err);

	xos_buf_init(&digest, XOS_SHA256_LEN);
	if (st == XOS_OK && (xos_base64url_decode(&digest, kid, strlen(kid)) != XOS_OK ||
	                        digest.n != XOS_SHA256_LEN))
		st = xos_err_set(
		    err, XOS_MALFORMED, "log-head", "the signature of the head names no key");
	if (st == XOS_OK && want->kind == XOS_KIND_ACCOUNTING) {
		st = find_accounting(chain, want, digest.p, out, err);
		goto out;
	}
	if (st == XOS_OK)
		st = trust_of(chain, want->root, &trust, err);
	if (st == XOS_OK)
		st = xos_token_find_issuer(
		    trust, want->vo, want->kind, digest.p, want->now, want->skew, out, err);
out:
	xos_trust_free(trust);
	xos_buf_free(&digest);
	return st;
}

static enum xos_status check_head(
    const struct xos_log_head *head, const struct xos_logproof_want *want, struct xos_err *err)
{
	char time[XOS_TIME_TEXT];

	if (strcmp(head->name, want->log) != 0)
		return xos_err_set(err, XOS_DENIED, "log-name",
		    "the signed head is of the log %s, not of %s", head->name, want->log);
	if (!head->has_root)
		return xos_err_set(err, XOS_MALFORMED, "log-head",
		    "the signed head of %s has no root, so nothing can be proven by it",
		    head->name);
	xos_time_format(head->time, time);
	if (head->time > want->now + want->skew)
		return xos_err_set(err, XOS_NOT_YET_VALID, "log-head-time",
		    "the head of %s is signed at %s, which is not yet: a clock is wrong",
		    head->name, time);
	return XOS_OK;
}

static enum xos_status verify_head(const struct xos_chain *chain, struct xos_bytes encoded,
    const struct xos_logproof_want *want, struct xos_log_head *head, struct xos_err *err)
{
	struct xos_bytes signature;
	struct xos_cert *signer = NULL;
	enum xos_status st = xos_log_head_decode(encoded, head, &signature, err);

	if (st == XOS_OK)
		st = check_head(head, want, err);
	if (st == XOS_OK)
		st = find_signer(chain, want, signature, &signer, err);
	if (st == XOS_OK) {
		struct xos_loghead h = {.key = xos_cert_key(signer)};
		struct xos_log_crypto crypto = xos_loghead_crypto(&h);

		st = crypto.verify_head(crypto.ctx, head, signature, err);
	}
	if (st == XOS_OK && want->trust)
		st = xos_trust_judge(want->trust, want->vo, xos_cert_fingerprint(signer),
		    xos_cert_subject_text(signer), head->time, err);
	xos_cert_free(signer);
	return st;
}

enum xos_status xos_logproof_head(const struct xos_json *doc, const struct xos_logproof_want *want,
    struct xos_log_head *head, struct xos_buf *encoded, struct xos_err *err)
{
	struct xos_chain chain = {.n = 0};
	struct xos_log_head got;
	struct xos_buf own;
	enum xos_status st;

	if (!encoded)
		encoded = &own;
	xos_buf_init(encoded, XOS_LOGPROOF_HEAD_MAX);
	st = xos_json_get_bytes(doc, "head", XOS_LOGPROOF_HEAD_MAX, encoded, err);
	if (st == XOS_OK)
		st = xos_chain_from_json(doc, "chain", &chain, err);
	if (st == XOS_OK)
		st = verify_head(&chain, xos_buf_bytes(encoded), want, &got, err);
	if (st == XOS_OK)
		*head = got;
	xos_chain_clear(&chain);
	if (st != XOS_OK || encoded == &own)
		xos_buf_free(encoded);
	return st;
}

/* --- proofs --- */

static enum xos_status get_path(
    const struct xos_json *doc, struct xos_tree_path *path, struct xos_err *err)
{
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, PATH_BYTES);
	st = xos_json_get_bytes(doc, "path", PATH_BYTES, &b, err);
	if (st == XOS_OK)
		st = xos_tree_path_get(xos_buf_bytes(&b), path, err);
	xos_buf_free(&b);
	return st;
}

enum xos_status xos_logproof_record(const struct xos_json *doc, const struct xos_log_head *head,
    struct xos_buf *entry, struct xos_log_record *record, struct xos_err *err)
{
	struct xos_log_crypto crypto = xos_loghead_crypto(NULL);
	uint8_t leaf[XOS_LOG_HASH];
	struct xos_tree_path path;
	enum xos_status st;

	xos_buf_init(entry, XOS_LOG_ENTRY_MAX);
	st = xos_json_get_bytes(doc, "entry", XOS_LOG_ENTRY_MAX, entry, err);
	if (st == XOS_OK)
		st = xos_log_entry_get(xos_buf_bytes(entry), record, err);
	if (st == XOS_OK)
		st = get_path(doc, &path, err);
	if (st == XOS_OK) {
		xos_tree_leaf(&crypto, xos_buf_bytes(entry), leaf);
		st = xos_tree_check_record(
		    &crypto, leaf, record->sequence, head->sequence, &path, head->root, err);
		if (st != XOS_OK)
			xos_err_prefix(err, st, "record %llu of %s",
			    (unsigned long long)record->sequence, head->name);
	}
	if (st != XOS_OK)
		xos_buf_free(entry);
	return st;
}

enum xos_status xos_logproof_growth(const struct xos_json *doc, const struct xos_log_head *from,
    const struct xos_log_head *to, struct xos_err *err)
{
	struct xos_log_crypto crypto = xos_loghead_crypto(NULL);
	struct xos_tree_path path = {.n = 0};
	char seen[XOS_TIME_TEXT];
	enum xos_status st = XOS_OK;

	xos_time_format(from->time, seen);
	if (to->sequence < from->sequence)
		return xos_err_set(err, XOS_MALFORMED, "log-went-back",
		    "records %llu to %llu of %s are missing: the signed head says %llu, and one "
		    "that "
		    "was verified before, signed at %s, says %llu",
		    (unsigned long long)to->sequence + 1, (unsigned long long)from->sequence,
		    to->name, (unsigned long long)to->sequence, seen,
		    (unsigned long long)from->sequence);
	if (doc)
		st = get_path(doc, &path, err);
	if (st == XOS_OK)
		st = xos_tree_check_growth(
		    &crypto, from->sequence, from->root, to->sequence, to->root, &path, err);
	if (st == XOS_OK)
		return st;
	return xos_err_set(err, XOS_MALFORMED, "log-rewritten",
	    "the first %llu records of %s are not those of the head that was verified before, "
	    "signed "
	    "at %s: the log was written anew, or there are two of it",
	    (unsigned long long)from->sequence, to->name, seen);
}
