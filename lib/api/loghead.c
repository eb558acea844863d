#include "api/loghead.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "json/json.h"
#include "pki/jws.h"

static void sha256(void *ctx, struct xos_bytes in, uint8_t out[XOS_LOG_HASH])
{
	(void)ctx;
	/* A chain with a wrong hash would be worse than no process. */
	if (xos_sha256(in, out) != XOS_OK)
		abort();
}

static enum xos_status payload(
    const struct xos_log_head *head, struct xos_buf *out, struct xos_err *err)
{
	char hash[2 * XOS_LOG_HASH + 1], root[2 * XOS_LOG_HASH + 1];
	struct xos_json *doc = xos_json_object();

	xos_hex_encode(hash, head->hash, XOS_LOG_HASH);
	xos_json_set_string(doc, "log", head->name);
	xos_json_set_int(doc, "sequence", (int64_t)head->sequence);
	xos_json_set_string(doc, "hash", hash);
	xos_json_set_time(doc, "time", head->time);
	xos_hex_encode(root, head->root, XOS_LOG_HASH);
	if (head->has_root)
		xos_json_set_string(doc, "root", root);
	enum xos_status st = xos_json_dump(doc, out, err);
	xos_json_free(doc);
	return st;
}

static enum xos_status sign_head(
    void *ctx, const struct xos_log_head *head, struct xos_buf *signature, struct xos_err *err)
{
	const struct xos_loghead *h = ctx;
	struct xos_buf p;

	xos_buf_init(&p, XOS_LOGHEAD_PAYLOAD_MAX);
	enum xos_status st = payload(head, &p, err);
	if (st == XOS_OK)
		st = xos_jws_sign(h->key, XOS_LOGHEAD_TYP, xos_buf_bytes(&p), signature, err);
	xos_buf_free(&p);
	return st;
}

/* The payload that must have been signed follows from the head; it is compared, not parsed. */
static enum xos_status verify_by(const struct xos_key *key, const struct xos_log_head *head,
    struct xos_bytes signature, struct xos_err *err)
{
	struct xos_buf want, got;

	xos_buf_init(&want, XOS_LOGHEAD_PAYLOAD_MAX);
	xos_buf_init(&got, XOS_LOGHEAD_PAYLOAD_MAX);
	enum xos_status st = payload(head, &want, err);
	if (st == XOS_OK)
		st = xos_jws_verify(key, XOS_LOGHEAD_TYP, signature, &got, err);
	if (st == XOS_OK && !xos_bytes_eq(xos_buf_bytes(&want), xos_buf_bytes(&got)))
		st = xos_err_set(err, XOS_DENIED, "signature", "the signed head is another one");
	xos_buf_free(&got);
	xos_buf_free(&want);
	return st;
}

static enum xos_status verify_head(
    void *ctx, const struct xos_log_head *head, struct xos_bytes signature, struct xos_err *err)
{
	const struct xos_loghead *h = ctx;

	if (h->before && verify_by(h->before, head, signature, NULL) == XOS_OK)
		return XOS_OK;
	return verify_by(h->key, head, signature, err);
}

static bool is_current(void *ctx, const struct xos_log_head *head, struct xos_bytes signature)
{
	const struct xos_loghead *h = ctx;

	return !h->before || verify_by(h->key, head, signature, NULL) == XOS_OK;
}

struct xos_log_crypto xos_loghead_crypto(struct xos_loghead *h)
{
	return (struct xos_log_crypto){.ctx = h,
	    .sha256 = sha256,
	    .sign_head = sign_head,
	    .verify_head = verify_head,
	    .is_current = is_current};
}

static enum xos_status get_hash(
    const struct xos_json *doc, const char *key, uint8_t out[XOS_LOG_HASH], struct xos_err *err)
{
	const char *text = NULL;
	struct xos_buf b;
	enum xos_status st = xos_json_get_string(doc, key, 2 * XOS_LOG_HASH, &text, err);

	if (st != XOS_OK)
		return st;
	xos_buf_init(&b, XOS_LOG_HASH);
	if (xos_hex_decode(&b, text, strlen(text)) == XOS_OK && b.n == XOS_LOG_HASH)
		memcpy(out, b.p, XOS_LOG_HASH);
	else
		st = xos_json_refuse(doc, err, "%s: no SHA-256", key);
	xos_buf_free(&b);
	return st;
}

enum xos_status xos_loghead_payload(
    struct xos_bytes payload, struct xos_log_head *out, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	struct xos_log_head h = {.has_root = true};
	enum xos_status st = xos_json_parse(payload, XOS_LOGHEAD_PAYLOAD_MAX, &doc, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(doc, err, "log", "sequence", "hash", "time", "root");
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "log", h.name, sizeof(h.name), err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "sequence", INT64_MAX, &h.sequence, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "time", &h.time, err);
	if (st == XOS_OK)
		st = get_hash(doc, "hash", h.hash, err);
	if (st == XOS_OK)
		st = get_hash(doc, "root", h.root, err);
	xos_json_free(doc);
	if (st == XOS_OK)
		*out = h;
	return st;
}
