/* Host certificates of OpenSSH: PROTOCOL.certkeys. */
#include <string.h>

#include "base/random.h"
#include "pki/der.h"
#include "pki/internal.h"
#include "pki/sshcert_internal.h"

#define HOST 2
#define NONCE_LEN 32
#define SIGNATURE_TYPE "ecdsa-sha2-nistp256"

static bool name_valid(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == ',')
			return false;
	return n > 0 && n <= XOS_SSH_NAME_MAX;
}

static enum xos_status check_fields(const struct xos_sshcert *c, struct xos_err *err)
{
	bool good = name_valid(c->id) && c->nprincipals > 0 &&
	            c->nprincipals <= XOS_SSH_PRINCIPALS_MAX && c->after >= 0 &&
	            c->after < c->before;

	for (size_t i = 0; good && i < c->nprincipals; i++)
		good = name_valid(c->principals[i]);
	return good ? XOS_OK
	            : xos_err_set(err, XOS_MALFORMED, "ssh-certificate",
	                  "a name or a time of the ssh certificate is not one");
}

/* --- writing --- */

static void put_body(struct xos_buf *b, const struct pki_ssh_type *t, struct xos_bytes fields,
    const struct xos_sshcert *c, const struct xos_ssh_key *ca)
{
	uint8_t nonce[NONCE_LEN];
	struct xos_buf names;

	xos_random(nonce, sizeof(nonce));
	xos_buf_init(&names, XOS_SSH_CERT_MAX);
	for (size_t i = 0; i < c->nprincipals; i++)
		xos_buf_lp_str(&names, c->principals[i]);
	xos_buf_lp_str(b, t->cert);
	xos_buf_lp(b, (struct xos_bytes){nonce, sizeof(nonce)});
	xos_buf_put(b, fields.p, fields.n);
	xos_buf_u64(b, c->serial);
	xos_buf_u32(b, HOST);
	xos_buf_lp_str(b, c->id);
	xos_buf_lp(b, xos_buf_bytes(&names));
	xos_buf_u64(b, (uint64_t)c->after);
	xos_buf_u64(b, (uint64_t)c->before);
	xos_buf_lp(b, XOS_BYTES_NONE); /* critical options */
	xos_buf_lp(b, XOS_BYTES_NONE); /* extensions */
	xos_buf_lp(b, XOS_BYTES_NONE); /* reserved */
	xos_buf_lp(b, (struct xos_bytes){ca->blob, ca->n});
	if (xos_buf_status(&names) != XOS_OK)
		b->status = XOS_INTERNAL;
	xos_buf_free(&names);
}

/* DER's INTEGER and ssh's mpint have the same content. */
static enum xos_status put_signature(
    struct xos_buf *b, const struct xos_key *ca, struct xos_err *err)
{
	struct xos_buf der, inner, whole;
	struct xos_reader r, in;
	struct xos_bytes x, y;

	xos_buf_init(&der, XOS_SIGNATURE_MAX);
	xos_buf_init(&inner, XOS_SIGNATURE_MAX);
	xos_buf_init(&whole, XOS_SIGNATURE_MAX);
	enum xos_status st = xos_key_sign(ca, xos_buf_bytes(b), &der, err);
	if (st == XOS_OK) {
		xos_reader_init(&r, xos_buf_bytes(&der));
		if (!xos_der_enter(&r, XOS_DER_SEQUENCE, &in) ||
		    !xos_der_take(&in, XOS_DER_INTEGER, &x) ||
		    !xos_der_take(&in, XOS_DER_INTEGER, &y))
			st = xos_err_set(err, XOS_INTERNAL, "signature", "a signature of no form");
	}
	if (st == XOS_OK) {
		xos_buf_lp(&inner, x);
		xos_buf_lp(&inner, y);
		xos_buf_lp_str(&whole, SIGNATURE_TYPE);
		xos_buf_lp(&whole, xos_buf_bytes(&inner));
		xos_buf_lp(b, xos_buf_bytes(&whole));
		if (xos_buf_status(&inner) != XOS_OK || xos_buf_status(&whole) != XOS_OK)
			st = pki_no_memory(err);
	}
	xos_buf_free(&whole);
	xos_buf_free(&inner);
	xos_buf_free(&der);
	return st;
}

enum xos_status xos_sshcert_sign(
    const struct xos_key *ca, const struct xos_sshcert *c, struct xos_buf *out, struct xos_err *err)
{
	struct xos_ssh_key own, host;
	struct xos_reader r;
	struct xos_bytes name = XOS_BYTES_NONE;
	struct xos_buf b;

	xos_buf_init(&b, XOS_SSH_CERT_MAX);
	enum xos_status st = check_fields(c, err);
	if (st == XOS_OK)
		st = xos_ssh_key_of(ca, &own, err);
	if (st == XOS_OK)
		st = xos_ssh_key_parse((struct xos_bytes){c->key.blob, c->key.n}, &host, err);
	if (st == XOS_OK) {
		xos_reader_init(&r, (struct xos_bytes){host.blob, host.n});
		if (!xos_reader_lp(&r, 64, &name))
			st = pki_ssh_malformed(err, "key");
	}
	if (st == XOS_OK) {
		put_body(&b, pki_ssh_type(name, false), (struct xos_bytes){r.p, r.left}, c, &own);
		st = xos_buf_status(&b) == XOS_OK ? put_signature(&b, ca, err) : pki_no_memory(err);
	}
	if (st == XOS_OK && xos_buf_status(&b) != XOS_OK)
		st = pki_no_memory(err);
	if (st == XOS_OK)
		xos_buf_put(out, b.p, b.n);
	xos_buf_free(&b);
	return st == XOS_OK ? xos_buf_status(out) : st;
}

/* --- reading --- */

static enum xos_status bad(struct xos_err *err)
{
	return pki_ssh_malformed(err, "certificate");
}

static bool read_principals(struct xos_bytes in, struct xos_sshcert *c)
{
	struct xos_reader r;

	xos_reader_init(&r, in);
	while (r.left > 0) {
		if (c->nprincipals == XOS_SSH_PRINCIPALS_MAX ||
		    !xos_reader_lp_str(&r, c->principals[c->nprincipals], sizeof(c->principals[0])))
			return false;
		c->nprincipals++;
	}
	return true;
}

/* Type, nonce and key: the key is kept as a blob of its own. */
static enum xos_status read_key(struct xos_reader *r, struct xos_sshcert *c, struct xos_err *err)
{
	struct xos_bytes name, nonce;
	struct xos_buf blob;

	if (!xos_reader_lp(r, 64, &name))
		return bad(err);
	const struct pki_ssh_type *t = pki_ssh_type(name, true);
	if (!t)
		return xos_err_set(err, XOS_DENIED, "key-algorithm",
		    "this is no ssh certificate of a kind that is accepted");
	if (!xos_reader_lp(r, 64, &nonce) || nonce.n < 16)
		return bad(err);
	const uint8_t *start = r->p;
	enum xos_status st = pki_ssh_fields(r, t, err);
	if (st != XOS_OK)
		return st;
	xos_buf_init(&blob, XOS_SSH_BLOB_MAX);
	xos_buf_lp_str(&blob, t->key);
	xos_buf_put(&blob, start, (size_t)(r->p - start));
	st = xos_buf_status(&blob) == XOS_OK ? xos_ssh_key_parse(xos_buf_bytes(&blob), &c->key, err)
	                                     : bad(err);
	xos_buf_free(&blob);
	return st;
}

static enum xos_status read_fields(struct xos_reader *r, struct xos_sshcert *c, struct xos_err *err)
{
	struct xos_bytes names, critical, extensions, reserved, ca;
	uint64_t after, before;
	uint32_t kind;

	if (!xos_reader_u64(r, &c->serial) || !xos_reader_u32(r, &kind))
		return bad(err);
	if (kind != HOST)
		return xos_err_set(err, XOS_DENIED, "ssh-kind",
		    "this ssh certificate is not a host's but a user's");
	if (!xos_reader_lp_str(r, c->id, sizeof(c->id)) ||
	    !xos_reader_lp(r, XOS_SSH_CERT_MAX, &names) || !read_principals(names, c) ||
	    !xos_reader_u64(r, &after) || !xos_reader_u64(r, &before) || before > INT64_MAX ||
	    after > INT64_MAX || !xos_reader_lp(r, XOS_SSH_CERT_MAX, &critical) ||
	    !xos_reader_lp(r, XOS_SSH_CERT_MAX, &extensions) || !xos_reader_lp(r, 0, &reserved) ||
	    !xos_reader_lp(r, XOS_SSH_BLOB_MAX, &ca))
		return bad(err);
	if (critical.n || extensions.n)
		return xos_err_set(err, XOS_DENIED, "ssh-kind",
		    "this ssh certificate has options, which a host's has not");
	c->after = (int64_t)after;
	c->before = (int64_t)before;
	enum xos_status st = check_fields(c, err);
	return st == XOS_OK ? xos_ssh_key_parse(ca, &c->authority, err) : st;
}

/* The authority's key as one of ours. */
static enum xos_status authority_key(
    const struct xos_ssh_key *k, struct xos_key **out, struct xos_err *err)
{
	static const uint8_t head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
	    0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03,
	    0x42, 0x00};
	uint8_t spki[sizeof(head) + 65];
	struct xos_reader r;
	struct xos_bytes name, curve, point;

	xos_reader_init(&r, (struct xos_bytes){k->blob, k->n});
	if (!xos_reader_lp(&r, 64, &name) || !xos_bytes_eq(name, xos_bytes_str(SIGNATURE_TYPE)) ||
	    !xos_reader_lp(&r, 16, &curve) || !xos_reader_lp(&r, 65, &point) || point.n != 65)
		return xos_err_set(err, XOS_DENIED, "key-algorithm",
		    "this ssh certificate is signed by another kind of key than P-256");
	memcpy(spki, head, sizeof(head));
	memcpy(spki + sizeof(head), point.p, point.n);
	return xos_key_from_spki((struct xos_bytes){spki, sizeof(spki)}, out, err);
}

static enum xos_status check_signature(const struct xos_sshcert *c, struct xos_bytes body,
    struct xos_bytes signature, struct xos_err *err)
{
	struct xos_reader r, in;
	struct xos_bytes name, inner, x, y;
	struct xos_key *key = NULL;
	uint8_t der[80];
	size_t n = 0;

	xos_reader_init(&r, signature);
	if (!xos_reader_lp(&r, 64, &name) || !xos_bytes_eq(name, xos_bytes_str(SIGNATURE_TYPE)) ||
	    !xos_reader_lp(&r, 128, &inner) || xos_reader_end(&r) != XOS_OK)
		return bad(err);
	xos_reader_init(&in, inner);
	if (!xos_reader_lp(&in, 33, &x) || !xos_reader_lp(&in, 33, &y) ||
	    xos_reader_end(&in) != XOS_OK || !x.n || !y.n)
		return bad(err);
	der[n++] = 0x30;
	der[n++] = (uint8_t)(4 + x.n + y.n);
	der[n++] = 0x02;
	der[n++] = (uint8_t)x.n;
	memcpy(der + n, x.p, x.n);
	n += x.n;
	der[n++] = 0x02;
	der[n++] = (uint8_t)y.n;
	memcpy(der + n, y.p, y.n);
	n += y.n;
	enum xos_status st = authority_key(&c->authority, &key, err);
	if (st == XOS_OK)
		st = xos_key_verify(key, body, (struct xos_bytes){der, n}, err);
	xos_key_free(key);
	return st;
}

enum xos_status xos_sshcert_read(
    struct xos_bytes blob, struct xos_sshcert *out, struct xos_err *err)
{
	struct xos_sshcert c = {.serial = 0};
	struct xos_reader r;
	struct xos_bytes signature;

	if (blob.n > XOS_SSH_CERT_MAX)
		return bad(err);
	xos_reader_init(&r, blob);
	enum xos_status st = read_key(&r, &c, err);
	if (st == XOS_OK)
		st = read_fields(&r, &c, err);
	struct xos_bytes body = {blob.p, blob.n - r.left};
	if (st == XOS_OK &&
	    (!xos_reader_lp(&r, XOS_SIGNATURE_MAX, &signature) || xos_reader_end(&r) != XOS_OK))
		st = bad(err);
	if (st == XOS_OK)
		st = check_signature(&c, body, signature, err);
	if (st == XOS_OK)
		*out = c;
	return st;
}

enum xos_status xos_sshcert_from_line(
    struct xos_bytes line, struct xos_sshcert *out, struct xos_err *err)
{
	struct xos_buf blob;

	xos_buf_init(&blob, XOS_SSH_CERT_MAX);
	enum xos_status st = pki_ssh_unline(line, &blob, err);
	if (st == XOS_OK)
		st = xos_sshcert_read(xos_buf_bytes(&blob), out, err);
	xos_buf_free(&blob);
	return st;
}
