/* Host certificates of ssh: both halves. */
#include "api/sshhost.h"

#include <stdlib.h>
#include <string.h>

#include "api/rca_proof.h"
#include "base/clock.h"
#include "base/text.h"
#include "pki/jws.h"
#include "token/verify.h"

#define SKEW 300

static const char *put_line(struct xos_buf *b, const struct xos_ssh_key *k)
{
	xos_buf_init(b, XOS_SSH_LINE_MAX);
	xos_ssh_line(b, (struct xos_bytes){k->blob, k->n});
	return xos_buf_str(b);
}

static bool same(const struct xos_ssh_key *a, const struct xos_ssh_key *b)
{
	return xos_bytes_eq((struct xos_bytes){a->blob, a->n}, (struct xos_bytes){b->blob, b->n});
}

struct xos_json *xos_rca_ssh_keys_json(const struct xos_rca_ssh_keys *k)
{
	struct xos_buf line[XOS_RCA_SSH_KEYS_MAX];
	const char *text[XOS_RCA_SSH_KEYS_MAX];
	struct xos_json *doc = xos_json_object(), *list = NULL;
	const struct xos_json *made = NULL;

	for (size_t i = 0; i < k->n; i++)
		text[i] = put_line(&line[i], &k->key[i]);
	xos_json_set_strings(doc, "keys", text, k->n);
	if (xos_json_get_array(doc, "keys", XOS_RCA_SSH_KEYS_MAX, &made, NULL) == XOS_OK)
		list = xos_json_copy(made);
	for (size_t i = 0; i < k->n; i++)
		xos_buf_free(&line[i]);
	xos_json_free(doc);
	return list;
}

enum xos_status xos_rca_ssh_keys_read(
    const struct xos_json *doc, struct xos_rca_ssh_keys *out, struct xos_err *err)
{
	struct xos_rca_ssh_keys k = {.n = 0};
	const char **list = NULL;
	size_t n = 0;
	enum xos_status st = xos_json_get_strings(
	    doc, "keys", XOS_RCA_SSH_KEYS_MAX, XOS_SSH_LINE_MAX, &list, &n, err);

	if (st == XOS_OK && n == 0)
		st = xos_json_refuse(doc, err, "keys: at least one host key is needed");
	for (; st == XOS_OK && k.n < n; k.n++) {
		st = xos_ssh_key_from_line(xos_bytes_str(list[k.n]), &k.key[k.n], err);
		for (size_t i = 0; st == XOS_OK && i < k.n; i++)
			if (same(&k.key[i], &k.key[k.n]))
				st = xos_json_refuse(doc, err, "keys: one key stands twice");
	}
	free(list);
	if (st == XOS_OK)
		*out = k;
	return st;
}

/* --- the request --- */

enum xos_status xos_rca_ssh_host_sign(const char *vo, const struct xos_chain *own,
    const struct xos_rca_ssh_keys *keys, int64_t now, struct xos_json **body, struct xos_err *err)
{
	struct xos_json *p = xos_json_object();

	xos_json_set(p, "keys", xos_rca_ssh_keys_json(keys));
	return xos_rca_proof_sign(XOS_RCA_SSH_HOST_TYP, vo, own, p, now, body, err);
}

enum xos_status xos_rca_ssh_host_open(struct xos_bytes body, const struct xos_trust *trust,
    const char *vo, int64_t now, struct xos_rca_renewal **out, struct xos_err *err)
{
	struct xos_rca_renewal *r = NULL;
	enum xos_status st =
	    xos_rca_proof_open(body, XOS_RCA_SSH_HOST_TYP, false, trust, vo, now, &r, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(r->payload, err, "vo", "aud", "keys", "iat", "exp", "jti");
	if (st == XOS_OK && r->who->claims->kind != XOS_KIND_NODE)
		st = xos_err_set(err, XOS_DENIED, "token-kind",
		    "host certificates are for nodes, by the node's own certificate");
	if (st != XOS_OK) {
		xos_rca_renewal_free(r);
		return st;
	}
	*out = r;
	return XOS_OK;
}

static enum xos_status check_answer(const char *line, const struct xos_ssh_key *key,
    const struct xos_ssh_key *authority, struct xos_err *err)
{
	struct xos_sshcert c;
	enum xos_status st = xos_sshcert_from_line(xos_bytes_str(line), &c, err);

	if (st == XOS_OK && (!same(&c.key, key) || !same(&c.authority, authority)))
		st = xos_err_set(err, XOS_DENIED, "ssh-certificate",
		    "the server answered with an ssh certificate for another key, or by another "
		    "authority");
	return st;
}

enum xos_status xos_rca_ssh_host(struct xos_client *c, const char *vo, const struct xos_chain *own,
    const struct xos_rca_ssh_keys *keys, const struct xos_ssh_key *authority,
    struct xos_buf lines[XOS_RCA_SSH_KEYS_MAX], struct xos_err *err)
{
	struct xos_json *body = NULL, *answer = NULL;
	const char **list = NULL;
	size_t n = 0;
	enum xos_status st = xos_rca_ssh_host_sign(vo, own, keys, xos_clock_now(), &body, err);

	if (st == XOS_OK)
		st = xos_rca_proof_send(c, vo, "ssh-host", body, &answer, err);
	if (st == XOS_OK)
		st = xos_json_get_strings(
		    answer, "certificates", XOS_RCA_SSH_KEYS_MAX, XOS_SSH_LINE_MAX, &list, &n, err);
	if (st == XOS_OK && n != keys->n)
		st = xos_err_set(err, XOS_MALFORMED, "json-field",
		    "the server answered with %zu ssh certificates for %zu keys", n, keys->n);
	for (size_t i = 0; st == XOS_OK && i < n; i++)
		st = check_answer(list[i], &keys->key[i], authority, err);
	for (size_t i = 0; st == XOS_OK && i < n; i++)
		xos_buf_put_str(&lines[i], list[i]);
	free(list);
	xos_json_free(answer);
	return st;
}

/* --- the authority's key --- */

enum xos_status xos_ssh_authority_sign(const struct xos_key *rca, const char *vo,
    const struct xos_key *ssh, int64_t now, int64_t life, struct xos_buf *out, struct xos_err *err)
{
	struct xos_ssh_key key;
	struct xos_json *p = NULL;
	struct xos_buf line, payload;
	enum xos_status st = xos_ssh_key_of(ssh, &key, err);

	if (st != XOS_OK)
		return st;
	xos_buf_init(&payload, XOS_SSH_STATEMENT_MAX);
	p = xos_json_object();
	xos_json_set_string(p, "vo", vo);
	xos_json_set_string(p, "key", put_line(&line, &key));
	xos_json_set_time(p, "issued", now);
	xos_json_set_time(p, "expires", now + life);
	st = xos_json_dump(p, &payload, err);
	if (st == XOS_OK)
		st = xos_jws_sign(rca, XOS_SSH_AUTHORITY_TYP, xos_buf_bytes(&payload), out, err);
	xos_buf_free(&payload);
	xos_buf_free(&line);
	xos_json_free(p);
	return st;
}

static enum xos_status read_statement(struct xos_bytes payload, const char *vo, int64_t now,
    struct xos_ssh_key *out, struct xos_err *err)
{
	struct xos_json *p = NULL;
	const char *got = NULL, *key = NULL;
	int64_t issued = 0, expires = 0;
	enum xos_status st = xos_json_parse(payload, XOS_SSH_STATEMENT_MAX, &p, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(p, err, "vo", "key", "issued", "expires");
	if (st == XOS_OK)
		st = xos_json_get_string(p, "vo", XOS_VO_MAX, &got, err);
	if (st == XOS_OK && strcmp(got, vo) != 0)
		st = xos_err_set(err, XOS_DENIED, "wrong-vo",
		    "the ssh authority is of the VO %s, not %s", got, vo);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "issued", &issued, err);
	if (st == XOS_OK)
		st = xos_json_get_time(p, "expires", &expires, err);
	if (st == XOS_OK && issued - SKEW > now)
		st = xos_err_set(err, XOS_NOT_YET_VALID, "ssh-authority",
		    "the statement about the ssh authority is from the future: compare the clocks");
	if (st == XOS_OK && now >= expires + SKEW)
		st = xos_err_set(err, XOS_EXPIRED, "ssh-authority",
		    "the statement about the ssh authority has ended: compare the clocks");
	if (st == XOS_OK)
		st = xos_json_get_string(p, "key", XOS_SSH_STATEMENT_MAX, &key, err);
	if (st == XOS_OK)
		st = xos_ssh_key_from_line(xos_bytes_str(key), out, err);
	xos_json_free(p);
	return st;
}

enum xos_status xos_ssh_authority_open(struct xos_bytes compact, const struct xos_trust *trust,
    const char *vo, int64_t now, struct xos_ssh_key *out, struct xos_err *err)
{
	char kid[XOS_JWS_KID_TEXT];
	struct xos_buf digest, payload;
	struct xos_cert *issuer = NULL;
	enum xos_status st = xos_jws_peek_kid(XOS_SSH_AUTHORITY_TYP, compact, kid, err);

	xos_buf_init(&digest, XOS_SHA256_LEN);
	xos_buf_init(&payload, XOS_SSH_STATEMENT_MAX);
	if (st == XOS_OK && (xos_base64url_decode(&digest, kid, strlen(kid)) != XOS_OK ||
	                        digest.n != XOS_SHA256_LEN))
		st = xos_err_set(err, XOS_MALFORMED, "jws-header", "the key identifier is none");
	if (st == XOS_OK)
		st = xos_token_find_issuer(
		    trust, vo, XOS_KIND_NODE, digest.p, now, SKEW, &issuer, err);
	if (st == XOS_OK)
		st = xos_jws_verify(
		    xos_cert_key(issuer), XOS_SSH_AUTHORITY_TYP, compact, &payload, err);
	if (st == XOS_OK)
		st = read_statement(xos_buf_bytes(&payload), vo, now, out, err);
	xos_cert_free(issuer);
	xos_buf_free(&payload);
	xos_buf_free(&digest);
	return st;
}

enum xos_status xos_rca_ssh_authority(struct xos_client *c, const char *vo,
    const struct xos_trust *trust, struct xos_ssh_key *out, struct xos_err *err)
{
	struct xos_buf path;
	struct xos_answer *answer = NULL;

	xos_buf_init(&path, 256);
	xos_buf_put_str(&path, "/v1/vo/");
	xos_path_encode(&path, vo);
	xos_buf_put_str(&path, "/ssh-authority");
	const struct xos_client_request req = {.method = "GET", .path = xos_buf_str(&path)};
	enum xos_status st = req.path ? xos_client_call(c, &req, &answer, err)
	                              : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		st = xos_answer_check(c, answer, err);
	if (st == XOS_OK)
		st = xos_ssh_authority_open(
		    xos_answer_body(answer), trust, vo, xos_clock_now(), out, err);
	xos_answer_free(answer);
	xos_buf_free(&path);
	return st;
}
