#include "api/rules.h"

#include <stdlib.h>
#include <string.h>

#include "api/exchange.h"
#include "base/text.h"

#define DOMAIN "xos-rules-acceptance-1"
#define ANSWER_MAX (4 * XOS_RULES_TEXT_MAX)

void xos_rules_clear(struct xos_rules *r)
{
	free(r->text);
	memset(r, 0, sizeof(*r));
}

struct xos_json *xos_rules_encode(const struct xos_rules *r)
{
	struct xos_json *doc = xos_json_object();

	xos_json_set_int(doc, "version", (int64_t)r->version);
	xos_json_set_time(doc, "since", r->since);
	xos_json_set_bytes(doc, "sha256", (struct xos_bytes){r->digest, sizeof(r->digest)});
	xos_json_set_string(doc, "text", r->text);
	return doc;
}

static enum xos_status read_version(const struct xos_json *doc, uint64_t *version,
    uint8_t digest[XOS_SHA256_LEN], struct xos_err *err)
{
	struct xos_buf b;
	enum xos_status st = xos_json_get_uint64(doc, "version", UINT32_MAX, version, err);

	xos_buf_init(&b, XOS_SHA256_LEN);
	if (st == XOS_OK)
		st = xos_json_get_bytes(doc, "sha256", XOS_SHA256_LEN, &b, err);
	if (st == XOS_OK && b.n != XOS_SHA256_LEN)
		st = xos_err_set(
		    err, XOS_MALFORMED, "json-field", "sha256: expected %d bytes", XOS_SHA256_LEN);
	if (st == XOS_OK)
		memcpy(digest, b.p, XOS_SHA256_LEN);
	xos_buf_free(&b);
	return st;
}

enum xos_status xos_rules_decode(
    const struct xos_json *doc, struct xos_rules *out, struct xos_err *err)
{
	struct xos_rules r = {.text = NULL};
	uint8_t digest[XOS_SHA256_LEN];
	const char *text = NULL;
	enum xos_status st = read_version(doc, &r.version, r.digest, err);

	if (st == XOS_OK)
		st = xos_json_get_time(doc, "since", &r.since, err);
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "text", XOS_RULES_TEXT_MAX, &text, err);
	if (st == XOS_OK)
		st = xos_sha256(xos_bytes_str(text), digest);
	if (st == XOS_OK && memcmp(digest, r.digest, sizeof(digest)) != 0)
		st = xos_err_set(err, XOS_MALFORMED, "rules-digest",
		    "the rules that the server sent are not the text whose digest it names");
	if (st == XOS_OK && !(r.text = strdup(text)))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		*out = r;
	return st;
}

enum xos_status xos_rules_accept_decode(
    struct xos_bytes body, uint64_t *version, uint8_t digest[XOS_SHA256_LEN], struct xos_err *err)
{
	struct xos_json *doc = NULL;
	enum xos_status st = xos_json_parse(body, XOS_RULES_ACCEPT_MAX, &doc, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(doc, err, "version", "sha256");
	if (st == XOS_OK)
		st = read_version(doc, version, digest, err);
	xos_json_free(doc);
	return st;
}

enum xos_status xos_rules_binding(const char *vo, uint64_t version,
    const uint8_t digest[XOS_SHA256_LEN], uint8_t out[XOS_SHA256_LEN], struct xos_err *err)
{
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, 256);
	xos_buf_put(&b, DOMAIN, sizeof(DOMAIN)); /* with its NUL */
	xos_buf_lp_str(&b, vo);
	xos_buf_u64(&b, version);
	xos_buf_put(&b, digest, XOS_SHA256_LEN);
	st = xos_buf_status(&b);
	if (st == XOS_OK)
		st = xos_sha256(xos_buf_bytes(&b), out);
	if (st != XOS_OK)
		xos_err_set(err, st, "internal", "cannot encode an acceptance");
	xos_buf_free(&b);
	return st;
}

/* --- client half --- */

static void put_path(struct xos_buf *path, const char *vo, const char *what)
{
	xos_buf_put_str(path, "/v1/vo/");
	xos_path_encode(path, vo);
	xos_buf_put_str(path, what);
}

enum xos_status xos_rules_fetch(
    struct xos_client *client, const char *vo, struct xos_rules *out, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	struct xos_buf path;
	enum xos_status st;

	xos_buf_init(&path, 256);
	put_path(&path, vo, "/rules");
	st = xos_client_json(client, "GET", xos_buf_str(&path), NULL, &doc, err);
	if (st == XOS_OK)
		st = doc ? xos_rules_decode(doc, out, err)
		         : xos_err_set(err, XOS_MALFORMED, "json-field", "the answer is empty");
	xos_json_free(doc);
	xos_buf_free(&path);
	return st;
}

static enum xos_status make_body(
    const struct xos_rules *rules, struct xos_buf *body, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object();
	enum xos_status st;

	xos_json_set_int(doc, "version", (int64_t)rules->version);
	xos_json_set_bytes(doc, "sha256", (struct xos_bytes){rules->digest, sizeof(rules->digest)});
	st = xos_json_dump(doc, body, err);
	xos_json_free(doc);
	return st;
}

enum xos_status xos_rules_accept(struct xos_client *client, const struct xos_cad_login *login,
    const struct xos_rules *rules, struct xos_err *err)
{
	struct xos_exchange x = {.client = client, .vo = login->vo};
	struct xos_scram_header *challenge = calloc(1, sizeof(*challenge));
	uint8_t binding[XOS_SHA256_LEN];
	enum xos_status st;

	xos_buf_init(&x.path, 256);
	xos_buf_init(&x.body, XOS_RULES_ACCEPT_MAX);
	put_path(&x.path, login->vo, "/rules/acceptance");
	st = challenge ? make_body(rules, &x.body, err)
	               : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		st = xos_rules_binding(login->vo, rules->version, rules->digest, binding, err);
	if (st == XOS_OK)
		st = xos_scram_client_new(
		    login->member, login->kind, login->password, binding, &x.scram, err);
	if (st == XOS_OK)
		st = xos_exchange_first(&x, challenge, err);
	if (st == XOS_OK)
		st = xos_exchange_final(&x, challenge, err);
	xos_answer_free(x.answer);
	xos_scram_client_free(x.scram);
	xos_buf_free(&x.path);
	xos_buf_free(&x.body);
	free(challenge);
	return st;
}
