#include "auth/scram.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "pki/kdf.h"

#define GS2 "p=" XOS_SCRAM_BINDING ",,"
#define NONCE_BYTES 24
#define NONCE_TEXT_MAX 256
#define SALT_MAX 64

enum step { STEP_NEW, STEP_FIRST, STEP_FINAL, STEP_DONE };

struct xos_scram_client {
	enum step step;
	char name[XOS_MEMBER_MAX + sizeof(XOS_SCRAM_CODE_SUFFIX)]; /* member and suffix */
	struct xos_secret *password;                               /* borrowed */
	uint8_t binding[XOS_SHA256_LEN];
	char nonce[2 * NONCE_BYTES + 1];
	uint8_t server_signature[XOS_SHA256_LEN];
};

/* server-first-message (RFC 5802 section 7), no extensions. */
struct challenge {
	char nonce[NONCE_TEXT_MAX + 1];
	uint8_t salt[SALT_MAX];
	size_t nsalt;
	uint32_t iterations;
};

static enum xos_status out_of_order(struct xos_err *err)
{
	return xos_err_set(
	    err, XOS_INTERNAL, "scram-order", "the steps of the log-in are out of order");
}

/* A SASLname without '=' and ',' needs no escapes; member names of ours have neither. */
static bool name_is_plain(const char *s)
{
	for (const char *p = s; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || strchr("._-", *p)))
			return false;
	return *s && strlen(s) <= XOS_MEMBER_MAX;
}

enum xos_status xos_scram_client_new(const char *member, enum xos_scram_kind kind,
    struct xos_secret *password, const uint8_t binding[XOS_SHA256_LEN],
    struct xos_scram_client **out, struct xos_err *err)
{
	struct xos_scram_client *c;
	enum xos_status st = xos_password_check(password, err);

	*out = NULL;
	if (st != XOS_OK)
		return st;
	if (!name_is_plain(member))
		return xos_err_set(
		    err, XOS_MALFORMED, "member-name", "\"%s\" is no member name", member);
	c = calloc(1, sizeof(*c));
	if (!c || !xos_str_printf(c->name, sizeof(c->name), "%s%s", member,
	              kind == XOS_SCRAM_CODE ? XOS_SCRAM_CODE_SUFFIX : "")) {
		free(c);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	c->password = password;
	memcpy(c->binding, binding, sizeof(c->binding));
	xos_random_id(c->nonce, NONCE_BYTES);
	*out = c;
	return XOS_OK;
}

void xos_scram_client_free(struct xos_scram_client *c)
{
	if (!c)
		return;
	xos_wipe(c, sizeof(*c));
	free(c);
}

enum xos_status xos_scram_client_first(
    struct xos_scram_client *c, struct xos_buf *out, struct xos_err *err)
{
	if (c->step != STEP_NEW)
		return out_of_order(err);
	c->step = STEP_FIRST;
	xos_buf_printf(out, GS2 "n=%s,r=%s", c->name, c->nonce);
	return xos_buf_status(out);
}

/* "<letter>=<value>" up to a comma or the end. */
static const char *take_attr(const char *p, char letter, char *out, size_t cap)
{
	size_t n;

	if (!p || p[0] != letter || p[1] != '=')
		return NULL;
	p += 2;
	n = strcspn(p, ",");
	if (!n || n >= cap)
		return NULL;
	memcpy(out, p, n);
	out[n] = '\0';
	return p + n;
}

static const char *comma(const char *p)
{
	return p && *p == ',' ? p + 1 : NULL;
}

static bool parse_challenge(const char *text, const char *own_nonce, struct challenge *ch)
{
	char salt[4 * SALT_MAX], count[16];
	uint64_t iterations = 0;
	struct xos_buf b;
	const char *p = take_attr(text, 'r', ch->nonce, sizeof(ch->nonce));
	bool ok = false;

	p = take_attr(comma(p), 's', salt, sizeof(salt));
	p = take_attr(comma(p), 'i', count, sizeof(count));
	if (!p || *p || strlen(ch->nonce) <= strlen(own_nonce) ||
	    strncmp(ch->nonce, own_nonce, strlen(own_nonce)) != 0 ||
	    !xos_parse_u64(count, UINT32_MAX, &iterations))
		return false;
	xos_buf_init(&b, sizeof(ch->salt));
	if (xos_base64_decode(&b, salt, strlen(salt)) == XOS_OK && b.n) {
		memcpy(ch->salt, b.p, b.n);
		ch->nsalt = b.n;
		ch->iterations = (uint32_t)iterations;
		ok = true;
	}
	xos_buf_free(&b);
	return ok;
}

/* Bytes of a message as a string in out; false if it does not fit or has other than printable ASCII. */
static bool message_text(struct xos_bytes in, char out[XOS_SCRAM_MESSAGE_MAX + 1])
{
	if (in.n > XOS_SCRAM_MESSAGE_MAX)
		return false;
	for (size_t i = 0; i < in.n; i++)
		if (in.p[i] < 0x21 || in.p[i] > 0x7e)
			return false;
	if (in.n)
		memcpy(out, in.p, in.n);
	out[in.n] = '\0';
	return true;
}

/* ClientProof and ServerSignature (RFC 5802 section 3) over the AuthMessage, which comes in pieces. */
static enum xos_status prove(struct xos_scram_client *c, const struct challenge *ch,
    const struct xos_bytes *auth, size_t nauth, uint8_t proof[XOS_SHA256_LEN])
{
	struct xos_bytes client = xos_bytes_str("Client Key"), server = xos_bytes_str("Server Key");
	struct {
		uint8_t salted[XOS_SHA256_LEN], client[XOS_SHA256_LEN], stored[XOS_SHA256_LEN],
		    server[XOS_SHA256_LEN], signature[XOS_SHA256_LEN];
	} k;
	struct xos_bytes salted = {k.salted, XOS_SHA256_LEN};
	enum xos_status st = xos_pbkdf2_sha256(
	    (struct xos_bytes){xos_secret_data(c->password), xos_secret_len(c->password)},
	    (struct xos_bytes){ch->salt, ch->nsalt}, ch->iterations, k.salted);

	if (st == XOS_OK)
		st = xos_hmac_sha256(salted, &client, 1, k.client);
	if (st == XOS_OK)
		st = xos_sha256((struct xos_bytes){k.client, XOS_SHA256_LEN}, k.stored);
	if (st == XOS_OK)
		st = xos_hmac_sha256(
		    (struct xos_bytes){k.stored, XOS_SHA256_LEN}, auth, nauth, k.signature);
	if (st == XOS_OK)
		st = xos_hmac_sha256(salted, &server, 1, k.server);
	if (st == XOS_OK)
		st = xos_hmac_sha256(
		    (struct xos_bytes){k.server, XOS_SHA256_LEN}, auth, nauth, c->server_signature);
	for (size_t i = 0; st == XOS_OK && i < XOS_SHA256_LEN; i++)
		proof[i] = k.client[i] ^ k.signature[i];
	xos_wipe(&k, sizeof(k));
	return st;
}

/* "c=<base64 of gs2 header and binding>,r=<nonce>" */
static void put_without_proof(
    const struct xos_scram_client *c, const char *nonce, struct xos_buf *out)
{
	uint8_t cb[sizeof(GS2) - 1 + XOS_SHA256_LEN];

	memcpy(cb, GS2, sizeof(GS2) - 1);
	memcpy(cb + sizeof(GS2) - 1, c->binding, XOS_SHA256_LEN);
	xos_buf_put_str(out, "c=");
	xos_base64_encode(out, (struct xos_bytes){cb, sizeof(cb)});
	xos_buf_printf(out, ",r=%s", nonce);
}

static enum xos_status check_challenge(
    const struct xos_scram_client *c, const char *text, struct challenge *ch, struct xos_err *err)
{
	if (!parse_challenge(text, c->nonce, ch))
		return xos_err_set(err, XOS_MALFORMED, "scram-syntax",
		    "the server's first log-in message is malformed, or answers another one");
	if (ch->iterations < XOS_SCRAM_ITERATIONS_MIN || ch->iterations > XOS_SCRAM_ITERATIONS_MAX)
		return xos_err_set(err, XOS_MALFORMED, "scram-iterations",
		    "the server asks for %u iterations; %u to %u are accepted", ch->iterations,
		    XOS_SCRAM_ITERATIONS_MIN, XOS_SCRAM_ITERATIONS_MAX);
	return XOS_OK;
}

enum xos_status xos_scram_client_final(struct xos_scram_client *c, struct xos_bytes server_first,
    struct xos_buf *out, struct xos_err *err)
{
	char text[XOS_SCRAM_MESSAGE_MAX + 1], bare[XOS_SCRAM_MESSAGE_MAX];
	uint8_t proof[XOS_SHA256_LEN];
	struct challenge ch = {.iterations = 0};
	struct xos_buf head;
	enum xos_status st;

	if (c->step != STEP_FIRST)
		return out_of_order(err);
	c->step = STEP_DONE; /* until it worked: a second answer to one nonce is never given */
	st = check_challenge(c, message_text(server_first, text) ? text : "", &ch, err);
	if (st != XOS_OK)
		return st;
	xos_buf_init(&head, XOS_SCRAM_MESSAGE_MAX);
	put_without_proof(c, ch.nonce, &head);
	st = xos_buf_status(&head);
	if (st == XOS_OK && xos_str_printf(bare, sizeof(bare), "n=%s,r=%s,", c->name, c->nonce)) {
		struct xos_bytes auth[4] = {xos_bytes_str(bare), xos_bytes_str(text),
		    xos_bytes_str(","), xos_buf_bytes(&head)};

		st = prove(c, &ch, auth, 4, proof);
	}
	if (st == XOS_OK) {
		xos_buf_put(out, head.p, head.n);
		xos_buf_put_str(out, ",p=");
		xos_base64_encode(out, (struct xos_bytes){proof, sizeof(proof)});
		st = xos_buf_status(out);
	}
	if (st == XOS_OK)
		c->step = STEP_FINAL;
	else
		st = xos_err_set(err, st, "internal", "cannot compute the proof of the log-in");
	xos_wipe(proof, sizeof(proof));
	xos_buf_free(&head);
	return st;
}

enum xos_status xos_scram_client_check(
    struct xos_scram_client *c, struct xos_bytes server_final, struct xos_err *err)
{
	char text[XOS_SCRAM_MESSAGE_MAX + 1], value[XOS_SCRAM_MESSAGE_MAX];
	enum xos_status st = XOS_DENIED;
	const char *p;
	struct xos_buf b;

	if (c->step != STEP_FINAL)
		return out_of_order(err);
	c->step = STEP_DONE;
	xos_buf_init(&b, XOS_SHA256_LEN);
	p = message_text(server_final, text) ? take_attr(text, 'v', value, sizeof(value)) : NULL;
	if (p && !*p && xos_base64_decode(&b, value, strlen(value)) == XOS_OK &&
	    b.n == XOS_SHA256_LEN && xos_ct_equal(b.p, c->server_signature, XOS_SHA256_LEN))
		st = XOS_OK;
	xos_buf_free(&b);
	if (st != XOS_OK)
		st = xos_err_set(err, st, "server-proof",
		    "the server did not prove that it knows your password's verifier: it is not "
		    "the "
		    "authority of this VO; tell its administrator");
	return st;
}
