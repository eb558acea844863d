#include "testsupport/heads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "api/loghead.h"
#include "api/logserve.h"
#include "base/text.h"
#include "log/tree.h"
#include "pki/issue.h"
#include "testsupport/must.h"
#include "token/profile.h"

void xos_test_accounting(const struct xos_test_vo *v, struct xos_chain *out)
{
	struct xos_err err = XOS_ERR_INIT;
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_issuer *root = NULL;
	struct xos_claims *claims = NULL;
	struct xos_cert *cert = NULL;
	struct xos_key *key = NULL;
	struct xos_buf der;

	xos_buf_init(&der, XOS_CERT_MAX);
	MUST(xos_key_generate(&key, &err), &err);
	MUST(xos_issuer_new(v->root, v->root_key, &root, &err), &err);
	MUST(xos_claims_new(XOS_KIND_ACCOUNTING, v->vo, "accounting", &claims, &err), &err);
	struct xos_token_request req = {.claims = claims,
	    .spki = xos_key_spki(key),
	    .not_before = v->now - 86400,
	    .not_after = v->now + 30 * 86400};
	MUST(xos_token_issue(root, &req, serial, &der, &err), &err);
	MUST(xos_cert_parse(xos_buf_bytes(&der), &cert, &err), &err);
	MUST(xos_chain_add(out, cert), &err);
	out->key = key;
	xos_cert_free(cert);
	xos_claims_free(claims);
	xos_issuer_free(root);
	xos_buf_free(&der);
}

void xos_test_head(const char *name, uint64_t n, int64_t time, struct xos_log_head *out)
{
	*out = (struct xos_log_head){.sequence = n, .time = time, .has_root = true};
	MUST_TRUE(xos_str_copy(out->name, sizeof(out->name), name));
	memset(out->hash, (int)n, sizeof(out->hash));
	memset(out->root, (int)n + 1, sizeof(out->root));
}

static void sign(const struct xos_log_head *h, const struct xos_key *key, struct xos_buf *out)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_loghead signer = {.key = key};
	struct xos_log_crypto crypto = xos_loghead_crypto(&signer);

	MUST(crypto.sign_head(crypto.ctx, h, out, &err), &err);
}

void xos_test_head_carried(const struct xos_log_head *h, const struct xos_key *key,
    const struct xos_cert *beside, struct xos_buf *out)
{
	sign(h, key, out);
	if (beside) {
		xos_buf_put_str(out, "~");
		xos_base64url_encode(out, xos_cert_der(beside));
	}
}

struct xos_json *xos_test_head_doc(
    const struct xos_log_head *h, const struct xos_key *key, const struct xos_cert *cert)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_chain chain = {.n = 0};
	struct xos_json *doc = xos_json_object();
	struct xos_buf signature, encoded;

	xos_buf_init(&signature, XOS_LOG_SIGNATURE_MAX);
	xos_buf_init(&encoded, 4096);
	sign(h, key, &signature);
	xos_log_head_encode(&encoded, h, xos_buf_bytes(&signature));
	MUST(xos_chain_add(&chain, cert), &err);
	xos_json_set_bytes(doc, "head", xos_buf_bytes(&encoded));
	xos_chain_to_json(doc, "chain", &chain);
	xos_chain_clear(&chain);
	xos_buf_free(&encoded);
	xos_buf_free(&signature);
	return doc;
}

/* --- a log on disk --- */

struct xos_test_log {
	struct xos_log *log;
	struct xos_loghead signer;
};

struct xos_test_log *xos_test_log_new(const char *dir, const char *name, const struct xos_key *key)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_test_log *l = calloc(1, sizeof(*l));
	struct xos_log_crypto crypto;
	char *path;

	MUST_TRUE(l);
	l->signer.key = key;
	crypto = xos_loghead_crypto(&l->signer);
	path = xos_test_path(dir, "test.log");
	const struct xos_log_options o = {.path = path, .name = name, .crypto = &crypto};
	MUST(xos_log_open(&o, &l->log, &err), &err);
	free(path);
	return l;
}

void xos_test_log_free(struct xos_test_log *l)
{
	if (!l)
		return;
	xos_log_close(l->log);
	free(l);
}

void xos_test_log_grow(struct xos_test_log *l, size_t n, const char *word)
{
	struct xos_err err = XOS_ERR_INIT;

	for (size_t i = 0; i < n; i++)
		MUST(xos_log_append(l->log, 1, xos_bytes_str(word), NULL, &err), &err);
}

struct xos_log_head xos_test_log_head(struct xos_test_log *l)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_log_head h;

	MUST(xos_log_head_get(l->log, &h, NULL, &err), &err);
	return h;
}

struct xos_json *xos_test_log_growth(struct xos_test_log *l, uint64_t from, uint64_t to)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_json *doc = NULL;
	struct xos_buf ask, reply;

	xos_buf_init(&ask, XOS_LOG_ASK_MAX);
	xos_buf_init(&reply, 65536);
	xos_buf_u64(&ask, from);
	xos_buf_u64(&ask, to);
	MUST(xos_logserve_answer(l->log, NULL, XOS_LOG_GROWTH, xos_buf_bytes(&ask), &reply, &err),
	    &err);
	MUST(xos_json_parse(xos_buf_bytes(&reply), 65536, &doc, &err), &err);
	xos_buf_free(&ask);
	xos_buf_free(&reply);
	return doc;
}
