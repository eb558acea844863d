#include "pki/jws.h"

#include <string.h>

#include "base/text.h"
#include "pki/der.h"
#include "pki/internal.h"

#define COORD 32 /* bytes of r and of s (RFC 7518 3.4) */
#define SIG_TEXT 86
#define HEADER_MAX 256

static bool typ_ok(const char *typ)
{
	size_t n = typ ? strlen(typ) : 0;

	return n > 0 && n <= XOS_JWS_TYP_MAX &&
	       strspn(typ, "abcdefghijklmnopqrstuvwxyz0123456789+.-") == n;
}

static enum xos_status bad_typ(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "jws-typ", "not a type for a signed object");
}

void xos_jws_kid(const struct xos_key *key, char out[XOS_JWS_KID_TEXT])
{
	struct xos_buf b;

	xos_buf_init(&b, XOS_JWS_KID_TEXT);
	xos_base64url_encode(&b, (struct xos_bytes){xos_key_spki_sha256(key), XOS_SHA256_LEN});
	out[0] = 0;
	if (xos_buf_status(&b) == XOS_OK && b.n == XOS_JWS_KID_TEXT - 1) {
		memcpy(out, b.p, b.n);
		out[b.n] = 0;
	}
	xos_buf_free(&b);
}

/* The one header, base64url, with the dot behind it. */
static enum xos_status put_header(struct xos_buf *out, const char *kid, const char *typ)
{
	struct xos_buf json;

	xos_buf_init(&json, HEADER_MAX);
	xos_buf_printf(&json, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"%s\"}", kid, typ);
	if (xos_buf_status(&json) == XOS_OK)
		xos_base64url_encode(out, xos_buf_bytes(&json));
	xos_buf_put_str(out, ".");
	enum xos_status st = xos_buf_status(&json);
	xos_buf_free(&json);
	return st == XOS_OK ? xos_buf_status(out) : st;
}

static bool put_coord(struct xos_reader *r, uint8_t out[COORD])
{
	struct xos_bytes v;

	if (!xos_der_take(r, XOS_DER_INTEGER, &v) || v.n == 0)
		return false;
	if (v.n > 1 && v.p[0] == 0) {
		v.p++;
		v.n--;
	}
	if (v.n > COORD)
		return false;
	memset(out, 0, COORD - v.n);
	memcpy(out + COORD - v.n, v.p, v.n);
	return true;
}

/* From X.509's SEQUENCE { r, s } to the fixed 64 bytes of JWS, and back. */
static bool sig_to_raw(struct xos_bytes der, uint8_t raw[2 * COORD])
{
	struct xos_reader r, in;

	xos_reader_init(&r, der);
	return xos_der_enter(&r, XOS_DER_SEQUENCE, &in) && xos_reader_end(&r) == XOS_OK &&
	       put_coord(&in, raw) && put_coord(&in, raw + COORD) && xos_reader_end(&in) == XOS_OK;
}

static enum xos_status raw_to_sig(const uint8_t raw[2 * COORD], struct xos_buf *der)
{
	struct xos_der w;

	xos_der_init(&w, der);
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	xos_der_put_unsigned(&w, (struct xos_bytes){raw, COORD});
	xos_der_put_unsigned(&w, (struct xos_bytes){raw + COORD, COORD});
	xos_der_end(&w);
	return xos_der_finish(&w);
}

enum xos_status xos_jws_sign(const struct xos_key *key, const char *typ, struct xos_bytes payload,
    struct xos_buf *out, struct xos_err *err)
{
	char kid[XOS_JWS_KID_TEXT];
	uint8_t raw[2 * COORD];
	struct xos_buf text, sig;
	enum xos_status st;

	if (!typ_ok(typ))
		return bad_typ(err);
	if (xos_key_type(key) != XOS_KEY_P256 || !xos_key_is_private(key))
		return xos_err_set(
		    err, XOS_DENIED, "key-algorithm", "signed objects need a private key on P-256");
	xos_jws_kid(key, kid);
	xos_buf_init(&text, XOS_JWS_MAX);
	xos_buf_init(&sig, XOS_SIGNATURE_MAX);
	st = put_header(&text, kid, typ);
	xos_base64url_encode(&text, payload);
	if (st == XOS_OK)
		st = xos_buf_status(&text);
	if (st != XOS_OK) {
		xos_err_set(err, st, "jws-size", "too long for a signed object");
		goto out;
	}
	st = xos_key_sign(key, xos_buf_bytes(&text), &sig, err);
	if (st != XOS_OK)
		goto out;
	if (!sig_to_raw(xos_buf_bytes(&sig), raw)) {
		st =
		    xos_err_set(err, XOS_INTERNAL, "crypto", "the signature has a form of its own");
		goto out;
	}
	xos_buf_put_str(&text, ".");
	xos_base64url_encode(&text, (struct xos_bytes){raw, sizeof(raw)});
	st = xos_buf_status(&text);
	if (st == XOS_OK) {
		xos_buf_put(out, text.p, text.n);
		st = xos_buf_status(out);
	}
	if (st != XOS_OK)
		xos_err_set(err, st, "jws-size", "too long for a signed object");
out:
	xos_buf_free(&sig);
	xos_buf_free(&text);
	return st;
}

/* header "." payload "." signature, the signature of its fixed length. */
struct parts {
	struct xos_bytes header; /* with its dot */
	struct xos_bytes payload, signature, input;
};

static bool split(struct xos_bytes in, struct parts *p)
{
	const uint8_t *dot = in.n && in.n <= XOS_JWS_MAX ? memchr(in.p, '.', in.n) : NULL;
	size_t head, rest;

	if (!dot)
		return false;
	head = (size_t)(dot - in.p) + 1;
	rest = in.n - head;
	if (rest < SIG_TEXT + 1 || in.p[in.n - SIG_TEXT - 1] != '.')
		return false;
	p->header = (struct xos_bytes){in.p, head};
	p->payload = (struct xos_bytes){in.p + head, rest - SIG_TEXT - 1};
	p->signature = (struct xos_bytes){in.p + in.n - SIG_TEXT, SIG_TEXT};
	p->input = (struct xos_bytes){in.p, in.n - SIG_TEXT - 1};
	return true;
}

static enum xos_status malformed(struct xos_err *err)
{
	return xos_err_set(err, XOS_MALFORMED, "jws-malformed",
	    "not a signed object (JWS compact form with ES256 and this program's header)");
}

static enum xos_status check_signature(
    const struct xos_key *key, const struct parts *p, struct xos_err *err)
{
	struct xos_buf raw, der;
	enum xos_status st;

	xos_buf_init(&raw, 2 * COORD);
	xos_buf_init(&der, XOS_SIGNATURE_MAX);
	st = xos_base64url_decode(&raw, (const char *)p->signature.p, p->signature.n);
	if (st != XOS_OK || raw.n != 2 * COORD)
		st = malformed(err);
	if (st == XOS_OK)
		st = raw_to_sig(raw.p, &der);
	if (st == XOS_OK)
		st = xos_key_verify(key, p->input, xos_buf_bytes(&der), err);
	xos_buf_free(&der);
	xos_buf_free(&raw);
	return st;
}

enum xos_status xos_jws_verify(const struct xos_key *key, const char *typ, struct xos_bytes compact,
    struct xos_buf *out, struct xos_err *err)
{
	char kid[XOS_JWS_KID_TEXT];
	struct xos_buf want;
	struct parts p;
	enum xos_status st;

	if (!typ_ok(typ))
		return bad_typ(err);
	if (!split(compact, &p))
		return malformed(err);
	if (xos_key_type(key) != XOS_KEY_P256)
		return xos_err_set(err, XOS_DENIED, "key-algorithm",
		    "signed objects are verified with P-256 keys");
	xos_buf_init(&want, 2 * HEADER_MAX);
	xos_jws_kid(key, kid);
	st = put_header(&want, kid, typ);
	if (st == XOS_OK && !xos_bytes_eq(xos_buf_bytes(&want), p.header))
		st = xos_err_set(err, XOS_DENIED, "jws-header",
		    "this object was signed by another key, or for another purpose than %s", typ);
	xos_buf_free(&want);
	if (st == XOS_OK)
		st = check_signature(key, &p, err);
	if (st != XOS_OK)
		return st;
	if (p.payload.n)
		st = xos_base64url_decode(out, (const char *)p.payload.p, p.payload.n);
	return st == XOS_OK ? XOS_OK : malformed(err);
}

static bool kid_ok(const char *kid)
{
	return strlen(kid) == XOS_JWS_KID_TEXT - 1 &&
	       strspn(kid, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
	           XOS_JWS_KID_TEXT - 1;
}

enum xos_status xos_jws_peek_kid(
    const char *typ, struct xos_bytes compact, char out[XOS_JWS_KID_TEXT], struct xos_err *err)
{
	static const char before[] = "{\"alg\":\"ES256\",\"kid\":\"";
	struct xos_buf json, want;
	char kid[XOS_JWS_KID_TEXT];
	enum xos_status st = XOS_MALFORMED;
	struct parts p;

	if (!typ_ok(typ))
		return bad_typ(err);
	if (!split(compact, &p) || p.header.n > 2 * HEADER_MAX)
		return malformed(err);
	xos_buf_init(&json, HEADER_MAX);
	xos_buf_init(&want, 2 * HEADER_MAX);
	if (xos_base64url_decode(&json, (const char *)p.header.p, p.header.n - 1) == XOS_OK &&
	    json.n > sizeof(before) - 1 + XOS_JWS_KID_TEXT) {
		memcpy(kid, json.p + sizeof(before) - 1, XOS_JWS_KID_TEXT - 1);
		kid[XOS_JWS_KID_TEXT - 1] = 0;
		/* Built again from what was found: any other form does not come out the same. */
		if (kid_ok(kid) && put_header(&want, kid, typ) == XOS_OK &&
		    xos_bytes_eq(xos_buf_bytes(&want), p.header))
			st = XOS_OK;
	}
	if (st == XOS_OK)
		memcpy(out, kid, XOS_JWS_KID_TEXT);
	else
		malformed(err);
	xos_buf_free(&want);
	xos_buf_free(&json);
	return st;
}
