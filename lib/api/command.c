#include "api/command.h"
#include "api/chainjson.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "pki/jws.h"

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

void xos_command_free(struct xos_command *c)
{
	if (!c)
		return;
	xos_json_free(c->args);
	xos_identity_free(c->signer);
	free(c);
}

/* --- client half --- */

static enum xos_status payload_dump(const char *vo, const char *aud, const char *verb,
    const struct xos_json *args, int64_t now, struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *p = xos_json_object();
	char jti[XOS_COMMAND_JTI_LEN + 1];
	enum xos_status st;

	xos_random_id(jti, XOS_COMMAND_JTI_LEN / 2);
	xos_json_set_string(p, "vo", vo);
	xos_json_set_string(p, "aud", aud);
	xos_json_set_string(p, "verb", verb);
	xos_json_set(p, "args", args ? xos_json_copy(args) : xos_json_object());
	xos_json_set_time(p, "iat", now);
	xos_json_set_time(p, "exp", now + XOS_COMMAND_LIFE);
	xos_json_set_string(p, "jti", jti);
	st = xos_json_dump(p, out, err);
	xos_json_free(p);
	return st;
}

enum xos_status xos_command_sign(const struct xos_chain *token, const char *vo, const char *aud,
    const char *verb, const struct xos_json *args, int64_t now, struct xos_json **body,
    struct xos_err *err)
{
	struct xos_buf payload, compact;
	struct xos_json *doc = NULL;
	enum xos_status st;

	*body = NULL;
	if (!token->n || !token->key)
		return xos_err_set(
		    err, XOS_INTERNAL, "token-key", "a token without its key cannot sign");
	xos_buf_init(&payload, XOS_COMMAND_BODY_MAX);
	xos_buf_init(&compact, XOS_COMMAND_BODY_MAX);
	st = payload_dump(vo, aud, verb, args, now, &payload, err);
	if (st == XOS_OK)
		st = xos_jws_sign(
		    token->key, XOS_COMMAND_TYP, xos_buf_bytes(&payload), &compact, err);
	if (st == XOS_OK) {
		doc = xos_json_object();
		xos_json_set_string(doc, "command", xos_buf_str(&compact));
		xos_chain_to_json(doc, "chain", token);
		*body = doc;
		st = doc ? XOS_OK : no_memory(err);
	}
	if (st != XOS_OK) {
		xos_json_free(*body);
		*body = NULL;
	}
	xos_buf_free(&payload);
	xos_buf_free(&compact);
	return st;
}

enum xos_status xos_command_send(struct xos_client *client, const struct xos_chain *token,
    const char *vo, const char *aud, const char *verb, struct xos_json *args,
    struct xos_json **result, struct xos_err *err)
{
	struct xos_json *body = NULL, *answer = NULL;
	struct xos_buf path;
	enum xos_status st;

	if (result)
		*result = NULL;
	xos_buf_init(&path, 256);
	xos_buf_put_str(&path, "/v1/vo/");
	xos_path_encode(&path, vo);
	xos_buf_put_str(&path, "/commands");
	st = xos_command_sign(token, vo, aud, verb, args, xos_clock_now(), &body, err);
	if (st == XOS_OK)
		st = xos_client_json(client, "POST", xos_buf_str(&path), body, &answer, err);
	if (st == XOS_OK && result) {
		const struct xos_json *r = NULL;

		st = answer ? xos_json_get_object(answer, "result", &r, err)
		            : xos_err_set(err, XOS_MALFORMED, "json-field",
		                  "the server's answer to a command is empty");
		if (st == XOS_OK) {
			*result = xos_json_copy(r);
			st = *result ? XOS_OK : no_memory(err);
		}
	}
	xos_json_free(answer);
	xos_json_free(body);
	xos_json_free(args);
	xos_buf_free(&path);
	return st;
}

/* --- server half --- */

static bool is_word(const char *s, const char *alphabet, size_t min, size_t max)
{
	size_t n = strlen(s);

	return n >= min && n <= max && strspn(s, alphabet) == n;
}

static enum xos_status check_time(
    const struct xos_command *c, const struct xos_command_opts *o, struct xos_err *err)
{
	char by[XOS_TIME_TEXT];

	if (c->exp <= c->iat || c->exp - c->iat > XOS_COMMAND_LIFE_MAX)
		return xos_err_set(err, XOS_MALFORMED, "command-time",
		    "the command's life must be 1 to %d seconds", XOS_COMMAND_LIFE_MAX);
	if (c->iat > o->now + o->skew) {
		xos_duration_format(c->iat - o->now, by);
		return xos_err_set(err, XOS_NOT_YET_VALID, "command-time",
		    "the command was signed %s in the future: set the clock of your machine", by);
	}
	if (o->now >= c->exp + o->skew) {
		xos_duration_format(o->now - c->exp, by);
		return xos_err_set(err, XOS_EXPIRED, "command-time",
		    "the command expired %s ago; if you sent it just now, set your clock", by);
	}
	return XOS_OK;
}

static enum xos_status read_payload(
    struct xos_command *c, struct xos_bytes payload, struct xos_err *err)
{
	struct xos_json *p = NULL;
	const struct xos_json *args = NULL;
	enum xos_status st = xos_json_parse(payload, XOS_COMMAND_BODY_MAX, &p, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(p, err, "vo", "aud", "verb", "args", "iat", "exp", "jti");
	if (st == XOS_OK)
		st = xos_json_copy_string(p, "vo", c->vo, sizeof(c->vo), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(p, "aud", c->aud, sizeof(c->aud), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(p, "verb", c->verb, sizeof(c->verb), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(p, "jti", c->jti, sizeof(c->jti), err);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "iat", &c->iat, err);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "exp", &c->exp, err);
	if (st == XOS_OK)
		st = xos_json_get_object(p, "args", &args, err);
	if (st == XOS_OK) {
		c->args = xos_json_copy(args);
		st = c->args ? XOS_OK : no_memory(err);
	}
	xos_json_free(p);
	return st;
}

static enum xos_status check_payload(
    const struct xos_command *c, const struct xos_command_opts *o, struct xos_err *err)
{
	if (strcmp(c->vo, o->vo) != 0 || strcmp(c->aud, o->aud) != 0)
		return xos_err_set(err, XOS_DENIED, "command-audience",
		    "the command is for %s of VO %s; this is %s of VO %s", c->aud, c->vo, o->aud,
		    o->vo);
	if (!is_word(c->verb, "abcdefghijklmnopqrstuvwxyz.-", 1, XOS_COMMAND_VERB_MAX) ||
	    !is_word(c->jti, "0123456789abcdef", XOS_COMMAND_JTI_LEN, XOS_COMMAND_JTI_LEN))
		return xos_err_set(err, XOS_MALFORMED, "json-field",
		    "the command's verb or jti is not of its form");
	return check_time(c, o, err);
}

static enum xos_status verify_signer(struct xos_command *c, const struct xos_chain *chain,
    const struct xos_command_opts *o, struct xos_err *err)
{
	struct xos_verify_opts v = {.now = o->now,
	    .skew = o->skew,
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER),
	    .vo = o->vo,
	    .purpose = XOS_PURPOSE_ANY};

	return xos_token_verify_chain(o->trust, chain, &v, &c->signer, err);
}

static enum xos_status open_command(const struct xos_json *doc, const struct xos_command_opts *o,
    struct xos_command *c, struct xos_err *err)
{
	struct xos_chain chain = {.n = 0};
	struct xos_buf payload;
	const char *compact = NULL;
	enum xos_status st = XOS_JSON_ONLY(doc, err, "command", "chain");

	xos_buf_init(&payload, XOS_COMMAND_BODY_MAX);
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "command", XOS_COMMAND_BODY_MAX, &compact, err);
	if (st == XOS_OK)
		st = xos_chain_from_json(doc, "chain", &chain, err);
	if (st == XOS_OK)
		st = verify_signer(c, &chain, o, err);
	if (st == XOS_OK)
		st = xos_jws_verify(xos_cert_key(chain.cert[0]), XOS_COMMAND_TYP,
		    xos_bytes_str(compact), &payload, err);
	if (st == XOS_OK)
		st = xos_sha256(xos_bytes_str(compact), c->digest);
	if (st == XOS_OK)
		st = read_payload(c, xos_buf_bytes(&payload), err);
	if (st == XOS_OK)
		st = check_payload(c, o, err);
	xos_buf_free(&payload);
	xos_chain_clear(&chain);
	return st;
}

enum xos_status xos_command_open(struct xos_bytes body, const struct xos_command_opts *opts,
    struct xos_command **out, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	struct xos_command *c;
	enum xos_status st;

	*out = NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return no_memory(err);
	st = xos_json_parse(body, XOS_COMMAND_BODY_MAX, &doc, err);
	if (st == XOS_OK)
		st = open_command(doc, opts, c, err);
	xos_json_free(doc);
	if (st != XOS_OK) {
		xos_command_free(c);
		return st;
	}
	*out = c;
	return XOS_OK;
}

bool xos_command_is_admin(const struct xos_command *c)
{
	char role[XOS_FQAN_MAX + 1];

	if (!xos_str_printf(role, sizeof(role), "/%s/Role=admin", c->vo))
		return false;
	for (size_t i = 0; i < c->signer->claims->nroles; i++)
		if (strcmp(c->signer->claims->roles[i], role) == 0)
			return true;
	return false;
}

enum xos_status xos_command_demand_admin(const struct xos_command *c, struct xos_err *err)
{
	if (xos_command_is_admin(c))
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "not-administrator",
	    "%s needs the role /%s/Role=admin active in the token: if you hold it, log in with "
	    "xos-login --role /%s/Role=admin",
	    c->verb, c->vo, c->vo);
}

struct xos_json *xos_command_answer(struct xos_json *result)
{
	struct xos_json *doc = xos_json_object();

	xos_json_set(doc, "result", result ? result : xos_json_object());
	return doc;
}
