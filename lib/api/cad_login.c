/* The client's half of a log-in. */
#include <stdlib.h>
#include <string.h>

#include "api/cad.h"
#include "api/chainjson.h"
#include "api/exchange.h"
#include "base/clock.h"
#include "base/text.h"
#include "pki/key.h"

static void put_path(struct xos_buf *path, const char *vo, const char *what)
{
	xos_buf_put_str(path, "/v1/vo/");
	xos_path_encode(path, vo);
	xos_buf_put_str(path, what);
}

enum xos_status xos_cad_fetch_directory(
    struct xos_client *client, const char *vo, struct xos_cad_directory *out, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	struct xos_buf path;
	enum xos_status st;

	memset(out, 0, sizeof(*out));
	xos_buf_init(&path, 256);
	put_path(&path, vo, "/directory");
	st = xos_client_json(client, "GET", xos_buf_str(&path), NULL, &doc, err);
	if (st == XOS_OK && !doc)
		st = xos_err_set(err, XOS_MALFORMED, "json-field", "the directory is empty");
	if (st == XOS_OK)
		st = xos_cad_directory_decode(doc, out, err);
	xos_json_free(doc);
	xos_buf_free(&path);
	return st;
}

/* --- log-in --- */

/* Sends the same body with one SCRAM message. */
static enum xos_status send_step(
    struct xos_exchange *x, const char *sid, struct xos_bytes message, struct xos_err *err)
{
	struct xos_scram_header *h = calloc(1, sizeof(*h));
	struct xos_client_header field = {"Authorization", NULL};
	struct xos_client_request req = {.method = "POST",
	    .path = xos_buf_str(&x->path),
	    .headers = &field,
	    .nheaders = 1,
	    .content_type = "application/json",
	    .body = xos_buf_bytes(&x->body)};
	struct xos_buf value;
	enum xos_status st = XOS_INTERNAL;

	xos_answer_free(x->answer);
	x->answer = NULL;
	xos_buf_init(&value, XOS_SCRAM_HEADER_MAX);
	if (h && message.n <= sizeof(h->data) && xos_str_copy(h->sid, sizeof(h->sid), sid) &&
	    xos_str_copy(h->realm, sizeof(h->realm), sid[0] ? "" : x->vo)) {
		memcpy(h->data, message.p, message.n);
		h->ndata = message.n;
		st = xos_scram_header_format(h, true, &value);
	}
	if (st != XOS_OK)
		st = xos_err_set(err, st, "internal", "cannot encode the log-in message");
	if (st == XOS_OK) {
		field.value = xos_buf_str(&value);
		st = xos_client_call(x->client, &req, &x->answer, err);
	}
	xos_buf_free(&value);
	free(h);
	return st;
}

static enum xos_status malformed(const char *what, struct xos_err *err)
{
	return xos_err_set(err, XOS_MALFORMED, "login-answer",
	    "the server's answer to the log-in is malformed: %s", what);
}

enum xos_status xos_exchange_first(
    struct xos_exchange *x, struct xos_scram_header *challenge, struct xos_err *err)
{
	const char *value;
	struct xos_buf first;
	enum xos_status st;

	xos_buf_init(&first, XOS_SCRAM_MESSAGE_MAX);
	st = xos_scram_client_first(x->scram, &first, err);
	if (st == XOS_OK)
		st = send_step(x, "", xos_buf_bytes(&first), err);
	xos_buf_free(&first);
	if (st != XOS_OK)
		return st;
	value = xos_answer_header(x->answer, "WWW-Authenticate");
	if (xos_answer_status(x->answer) != 401 || !value) {
		st = xos_answer_check(x->client, x->answer, err);
		return st != XOS_OK ? st : malformed("no challenge", err);
	}
	st = xos_scram_header_parse(value, true, challenge, err);
	if (st == XOS_OK && (!challenge->ndata || !challenge->sid[0]))
		st = malformed("no message in the challenge", err);
	return st;
}

enum xos_status xos_exchange_final(
    struct xos_exchange *x, const struct xos_scram_header *challenge, struct xos_err *err)
{
	struct xos_scram_header *info = calloc(1, sizeof(*info));
	const char *value;
	struct xos_buf final;
	enum xos_status st;

	if (!info)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_buf_init(&final, XOS_SCRAM_MESSAGE_MAX);
	st = xos_scram_client_final(
	    x->scram, (struct xos_bytes){challenge->data, challenge->ndata}, &final, err);
	if (st == XOS_OK)
		st = send_step(x, challenge->sid, xos_buf_bytes(&final), err);
	xos_buf_free(&final);
	if (st == XOS_OK)
		st = xos_answer_check(x->client, x->answer, err);
	if (st == XOS_OK) {
		value = xos_answer_header(x->answer, "Authentication-Info");
		st = value ? xos_scram_header_parse(value, false, info, err)
		           : malformed("no Authentication-Info", err);
	}
	if (st == XOS_OK)
		st = xos_scram_client_check(
		    x->scram, (struct xos_bytes){info->data, info->ndata}, err);
	free(info);
	return st;
}

static enum xos_status check_token(const struct xos_cad_login *login, const struct xos_key *key,
    struct xos_cad_login_result *out, struct xos_err *err)
{
	/* The server's clock made the certificate; the member's may be wrong, and is told so. */
	struct xos_verify_opts v = {.now = out->server_time,
	    .skew = 300,
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER),
	    .vo = login->vo,
	    .name = login->member,
	    .allow_delegation = true, /* a robot's is restricted */
	    .purpose = XOS_PURPOSE_TLS_CLIENT};
	enum xos_status st =
	    xos_token_verify_chain(login->trust, &out->chain, &v, &out->token, err);

	if (st != XOS_OK)
		return xos_err_prefix(err, st, "the token that the server sent");
	if (xos_cert_is_proxy(out->token->leaf) || out->token->renewed)
		return xos_err_set(err, XOS_DENIED, "token-kind",
		    "the server sent a delegation instead of a token");
	if (memcmp(out->token->spki_sha256, xos_key_spki_sha256(key), XOS_SHA256_LEN) != 0)
		return xos_err_set(err, XOS_DENIED, "token-other-key",
		    "the server sent a token for another key than the one asked for");
	for (size_t i = 0; i < login->nroles; i++) {
		bool there = false;

		for (size_t j = 0; j < out->token->claims->nroles; j++)
			there |= strcmp(login->roles[i], out->token->claims->roles[j]) == 0;
		if (!there)
			return xos_err_set(err, XOS_DENIED, "token-without-role",
			    "the server sent a token without the role %s", login->roles[i]);
	}
	return XOS_OK;
}

enum xos_status xos_cad_token_decode(const struct xos_json *answer,
    const struct xos_cad_login *login, const struct xos_key *key, struct xos_cad_login_result *out,
    struct xos_err *err)
{
	enum xos_status st = xos_json_get_time(answer, "server_time", &out->server_time, err);

	if (st == XOS_OK)
		st = xos_chain_from_json(answer, "chain", &out->chain, err);
	return st == XOS_OK ? check_token(login, key, out, err) : st;
}

static enum xos_status read_answer(struct xos_exchange *x, const struct xos_cad_login *login,
    const struct xos_key *key, struct xos_cad_login_result *out, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	enum xos_status st =
	    xos_json_parse(xos_answer_body(x->answer), XOS_CAD_ANSWER_MAX, &doc, err);

	if (st == XOS_OK)
		st = xos_cad_token_decode(doc, login, key, out, err);
	xos_json_free(doc);
	return st;
}

static enum xos_status make_request(const struct xos_cad_login *login, const struct xos_key *key,
    struct xos_buf *body, uint8_t digest[XOS_SHA256_LEN], struct xos_err *err)
{
	struct xos_cad_request r;
	struct xos_json *doc = NULL;
	enum xos_status st = XOS_OK;
	struct xos_csr csr;

	xos_cad_request_init(&r);
	r.lifetime = login->lifetime;
	if (login->totp && !xos_str_copy(r.totp, sizeof(r.totp), login->totp))
		st = xos_err_set(err, XOS_MALFORMED, "totp",
		    "the code of a second factor has %d digits", XOS_TOTP_DIGITS);
	for (size_t i = 0; st == XOS_OK && i < login->nroles; i++)
		st = xos_cad_request_add_role(&r, login->roles[i], err);
	if (st == XOS_OK && login->csr.n)
		xos_buf_put(&r.csr, login->csr.p, login->csr.n);
	else if (st == XOS_OK)
		st = xos_csr_make(key, &r.csr, err);
	if (st == XOS_OK)
		st = xos_cad_request_digest(login->vo, &r, &csr, digest, err);
	if (st == XOS_OK) {
		doc = xos_cad_request_encode(&r);
		st = xos_json_dump(doc, body, err);
	}
	xos_json_free(doc);
	xos_cad_request_clear(&r);
	return st;
}

/* A new one; or the public half of one that stands elsewhere, by its request. */
static enum xos_status get_key(
    const struct xos_cad_login *login, struct xos_key **out, struct xos_err *err)
{
	struct xos_csr csr;
	if (!login->csr.n)
		return xos_key_generate(out, err);
	enum xos_status st = xos_csr_parse(login->csr, &csr, err);
	return st == XOS_OK ? xos_key_from_spki(csr.spki, out, err) : st;
}

enum xos_status xos_cad_login(struct xos_client *client, const struct xos_cad_login *login,
    struct xos_cad_login_result *out, struct xos_err *err)
{
	struct xos_exchange x = {.client = client, .vo = login->vo};
	struct xos_scram_header *challenge = calloc(1, sizeof(*challenge));
	struct xos_key *key = NULL;
	uint8_t digest[XOS_SHA256_LEN];
	enum xos_status st;

	memset(out, 0, sizeof(*out));
	xos_buf_init(&x.path, 256);
	xos_buf_init(&x.body, XOS_CAD_REQUEST_MAX);
	put_path(&x.path, login->vo, "/token");
	st = challenge ? get_key(login, &key, err)
	               : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		st = make_request(login, key, &x.body, digest, err);
	if (st == XOS_OK)
		st = xos_scram_client_new(
		    login->member, login->kind, login->password, digest, &x.scram, err);
	if (st == XOS_OK)
		st = xos_exchange_first(&x, challenge, err);
	if (st == XOS_OK)
		st = xos_exchange_final(&x, challenge, err);
	out->local_time = xos_clock_now();
	if (st == XOS_OK)
		st = read_answer(&x, login, key, out, err);
	if (st == XOS_OK && !login->csr.n) {
		out->chain.key = key;
		key = NULL;
	} else if (st != XOS_OK) {
		xos_cad_login_clear(out);
	}
	xos_answer_free(x.answer);
	xos_scram_client_free(x.scram);
	xos_key_free(key);
	xos_buf_free(&x.path);
	xos_buf_free(&x.body);
	free(challenge);
	return st;
}

void xos_cad_login_clear(struct xos_cad_login_result *r)
{
	xos_chain_clear(&r->chain);
	xos_identity_free(r->token);
	memset(r, 0, sizeof(*r));
}
