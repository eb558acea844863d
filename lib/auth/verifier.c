#include "auth/verifier.h"

#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "pki/kdf.h"

#define PREFIX "SCRAM-SHA-256$"

enum xos_status xos_password_check(struct xos_secret *password, struct xos_err *err)
{
	size_t n = password ? xos_secret_len(password) : 0;
	const uint8_t *p = n ? xos_secret_data(password) : NULL;

	if (!n)
		return xos_err_set(err, XOS_MALFORMED, "password-length", "the password is empty");
	if (n > XOS_PASSWORD_MAX)
		return xos_err_set(err, XOS_MALFORMED, "password-length",
		    "the password is longer than %d characters", XOS_PASSWORD_MAX);
	for (size_t i = 0; i < n; i++)
		if (p[i] < 0x20 || p[i] > 0x7e)
			return xos_err_set(err, XOS_MALFORMED, "password-characters",
			    "the password has a character outside printable ASCII at place %zu; "
			    "use letters, digits, punctuation and spaces",
			    i + 1);
	return XOS_OK;
}

/* SaltedPassword to StoredKey and ServerKey (RFC 5802 section 3). */
static enum xos_status derive(const uint8_t salted[XOS_SHA256_LEN], struct xos_scram_verifier *v)
{
	struct xos_bytes key = {salted, XOS_SHA256_LEN};
	struct xos_bytes client = xos_bytes_str("Client Key"), server = xos_bytes_str("Server Key");
	uint8_t client_key[XOS_SHA256_LEN];
	enum xos_status st = xos_hmac_sha256(key, &client, 1, client_key);

	if (st == XOS_OK)
		st = xos_sha256((struct xos_bytes){client_key, sizeof(client_key)}, v->stored_key);
	if (st == XOS_OK)
		st = xos_hmac_sha256(key, &server, 1, v->server_key);
	xos_wipe(client_key, sizeof(client_key));
	return st;
}

/* v has salt and iterations. */
static enum xos_status make(struct xos_secret *password, struct xos_scram_verifier *v,
    struct xos_scram_verifier *out, struct xos_err *err)
{
	uint8_t salted[XOS_SHA256_LEN];
	enum xos_status st = xos_password_check(password, err);

	if (st != XOS_OK)
		return st;
	if (xos_secret_len(password) < XOS_PASSWORD_MIN)
		return xos_err_set(err, XOS_MALFORMED, "password-length",
		    "a new password needs at least %d characters", XOS_PASSWORD_MIN);
	if (v->iterations < XOS_SCRAM_ITERATIONS_MIN || v->iterations > XOS_SCRAM_ITERATIONS_MAX)
		return xos_err_set(err, XOS_MALFORMED, "scram-iterations",
		    "%u iterations: must be %u to %u", v->iterations, XOS_SCRAM_ITERATIONS_MIN,
		    XOS_SCRAM_ITERATIONS_MAX);
	st = xos_pbkdf2_sha256(
	    (struct xos_bytes){xos_secret_data(password), xos_secret_len(password)},
	    (struct xos_bytes){v->salt, sizeof(v->salt)}, v->iterations, salted);
	if (st == XOS_OK)
		st = derive(salted, v);
	if (st == XOS_OK)
		*out = *v;
	else
		st = xos_err_set(err, st, "internal", "cannot derive the verifier of a password");
	xos_wipe(salted, sizeof(salted));
	xos_wipe(v, sizeof(*v));
	return st;
}

enum xos_status xos_scram_verifier_make(struct xos_secret *password, uint32_t iterations,
    struct xos_scram_verifier *out, struct xos_err *err)
{
	struct xos_scram_verifier v = {.iterations = iterations};

	xos_random(v.salt, sizeof(v.salt));
	return make(password, &v, out, err);
}

enum xos_status xos_scram_verifier_make_code(struct xos_secret *code, const char *member,
    uint32_t iterations, struct xos_scram_verifier *out, struct xos_err *err)
{
	struct xos_scram_verifier v = {.iterations = iterations};
	enum xos_status st = xos_scram_code_salt(member, v.salt);

	if (st != XOS_OK)
		return xos_err_set(err, st, "internal", "cannot make the salt of a code");
	return make(code, &v, out, err);
}

enum xos_status xos_scram_code_salt(const char *member, uint8_t salt[XOS_SCRAM_SALT_LEN])
{
	struct xos_bytes in[2] = {xos_bytes_str("xos code salt\n"), xos_bytes_str(member)};
	uint8_t digest[XOS_SHA256_LEN];
	enum xos_status st = xos_sha256_parts(in, 2, digest);

	if (st == XOS_OK)
		memcpy(salt, digest, XOS_SCRAM_SALT_LEN);
	return st;
}

enum xos_status xos_scram_verifier_fake(struct xos_bytes secret, const char *member,
    uint32_t iterations, struct xos_scram_verifier *out)
{
	struct xos_bytes in[2] = {xos_bytes_str("xos fake salt\n"), xos_bytes_str(member)};
	uint8_t salt[XOS_SHA256_LEN];
	enum xos_status st = xos_hmac_sha256(secret, in, 2, salt);

	memset(out, 0, sizeof(*out));
	if (st != XOS_OK)
		return st;
	out->iterations = iterations;
	memcpy(out->salt, salt, sizeof(out->salt));
	/* Random, so that there is no ClientKey for it that anybody could know. */
	xos_random(out->stored_key, sizeof(out->stored_key));
	xos_random(out->server_key, sizeof(out->server_key));
	return XOS_OK;
}

enum xos_status xos_scram_verifier_fake_code(
    const char *member, uint32_t iterations, struct xos_scram_verifier *out)
{
	memset(out, 0, sizeof(*out));
	out->iterations = iterations;
	xos_random(out->stored_key, sizeof(out->stored_key));
	xos_random(out->server_key, sizeof(out->server_key));
	return xos_scram_code_salt(member, out->salt);
}

enum xos_status xos_scram_verifier_format(
    const struct xos_scram_verifier *v, char out[XOS_SCRAM_VERIFIER_TEXT])
{
	struct xos_buf b;
	const char *s;
	enum xos_status st = XOS_INTERNAL;

	xos_buf_init(&b, XOS_SCRAM_VERIFIER_TEXT);
	xos_buf_printf(&b, PREFIX "%u:", v->iterations);
	xos_base64_encode(&b, (struct xos_bytes){v->salt, sizeof(v->salt)});
	xos_buf_put_str(&b, "$");
	xos_base64_encode(&b, (struct xos_bytes){v->stored_key, sizeof(v->stored_key)});
	xos_buf_put_str(&b, ":");
	xos_base64_encode(&b, (struct xos_bytes){v->server_key, sizeof(v->server_key)});
	s = xos_buf_str(&b);
	if (s && xos_str_copy(out, XOS_SCRAM_VERIFIER_TEXT, s))
		st = XOS_OK;
	if (b.p)
		xos_wipe(b.p, b.n);
	xos_buf_free(&b);
	return st;
}

/* Base64 of exactly n bytes, up to the delimiter or the end. Gives what follows, NULL if not so. */
static const char *take_base64(const char *s, char delimiter, uint8_t *out, size_t n)
{
	const char *end = s ? strchr(s, delimiter) : NULL;
	struct xos_buf b;
	const char *rest = NULL;

	if (!end)
		return NULL;
	xos_buf_init(&b, n);
	if (xos_base64_decode(&b, s, (size_t)(end - s)) == XOS_OK && b.n == n) {
		memcpy(out, b.p, n);
		rest = delimiter ? end + 1 : end;
	}
	if (b.p)
		xos_wipe(b.p, b.n);
	xos_buf_free(&b);
	return rest;
}

enum xos_status xos_scram_verifier_parse(
    const char *text, struct xos_scram_verifier *out, struct xos_err *err)
{
	struct xos_scram_verifier v = {0};
	char number[16] = "";
	uint64_t iterations = 0;
	const char *colon = NULL, *p = NULL;

	if (strncmp(text, PREFIX, strlen(PREFIX)) == 0)
		colon = strchr(text += strlen(PREFIX), ':');
	if (colon && (size_t)(colon - text) < sizeof(number)) {
		memcpy(number, text, (size_t)(colon - text));
		if (xos_parse_u64(number, XOS_SCRAM_ITERATIONS_MAX, &iterations) &&
		    iterations >= XOS_SCRAM_ITERATIONS_MIN)
			p = colon + 1;
	}
	p = take_base64(p, '$', v.salt, sizeof(v.salt));
	p = take_base64(p, ':', v.stored_key, sizeof(v.stored_key));
	p = take_base64(p, '\0', v.server_key, sizeof(v.server_key));
	if (!p) {
		xos_wipe(&v, sizeof(v));
		return xos_err_set(err, XOS_MALFORMED, "verifier",
		    "a stored password verifier has not the form of RFC 5803");
	}
	v.iterations = (uint32_t)iterations;
	*out = v;
	xos_wipe(&v, sizeof(v));
	return XOS_OK;
}
