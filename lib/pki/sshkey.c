/* Public keys of ssh: blobs and lines. */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "base/text.h"
#include "pki/der.h"
#include "pki/internal.h"
#include "pki/sshcert_internal.h"

static const struct pki_ssh_type types[] = {
    {"ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", NULL, NULL, 32},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256-cert-v01@openssh.com", "nistp256", "P-256", 65},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384-cert-v01@openssh.com", "nistp384", "P-384", 97},
    {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521-cert-v01@openssh.com", "nistp521", "P-521", 133},
    {"ssh-rsa", "ssh-rsa-cert-v01@openssh.com", NULL, NULL, 0},
};

const struct pki_ssh_type *pki_ssh_type(struct xos_bytes name, bool cert)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (xos_bytes_eq(name, xos_bytes_str(cert ? types[i].cert : types[i].key)))
			return &types[i];
	return NULL;
}

enum xos_status pki_ssh_malformed(struct xos_err *err, const char *what)
{
	return xos_err_set(err, XOS_MALFORMED, "ssh-key", "the ssh %s is malformed", what);
}

static bool on_curve(const char *group, struct xos_bytes point)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;
	char name[8];
	uint8_t copy[133];
	OSSL_PARAM params[3];

	memcpy(name, group, strlen(group) + 1);
	memcpy(copy, point.p, point.n);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, point.n);
	params[2] = OSSL_PARAM_construct_end();
	bool good = ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
	            EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1;
	EVP_PKEY_free(pkey);
	EVP_PKEY_CTX_free(ctx);
	pki_ossl_clear();
	return good;
}

/* RFC 4251 5: positive, shortest form. */
static bool mpint(struct xos_reader *r, size_t max, struct xos_bytes *v)
{
	return xos_reader_lp(r, max, v) && v->n > 0 && !(v->p[0] & 0x80) &&
	       (v->p[0] != 0 || (v->n > 1 && (v->p[1] & 0x80)));
}

static size_t bits(struct xos_bytes v)
{
	size_t n = v.n * 8;

	for (size_t i = 0; i < v.n; i++)
		for (unsigned bit = 0x80; bit; bit >>= 1, n--)
			if (v.p[i] & bit)
				return n;
	return 0;
}

static enum xos_status rsa_fields(struct xos_reader *r, struct xos_err *err)
{
	struct xos_bytes e, n;

	if (!mpint(r, 9, &e) || !mpint(r, 1025, &n) || !(e.p[e.n - 1] & 1) || bits(e) < 2)
		return pki_ssh_malformed(err, "RSA key");
	if (bits(n) < 2048 || bits(n) > 8192)
		return xos_err_set(err, XOS_DENIED, "key-algorithm",
		    "an ssh RSA key of %zu bits is not accepted: 2048 to 8192", bits(n));
	return XOS_OK;
}

enum xos_status pki_ssh_fields(
    struct xos_reader *r, const struct pki_ssh_type *t, struct xos_err *err)
{
	struct xos_bytes curve, key;

	if (!t->size)
		return rsa_fields(r, err);
	if (t->curve &&
	    (!xos_reader_lp(r, 16, &curve) || !xos_bytes_eq(curve, xos_bytes_str(t->curve))))
		return pki_ssh_malformed(err, "key: another curve");
	if (!xos_reader_lp(r, t->size, &key) || key.n != t->size)
		return pki_ssh_malformed(err, "key");
	if (t->group && (key.p[0] != 0x04 || !on_curve(t->group, key)))
		return pki_ssh_malformed(err, "key: no point of its curve");
	return XOS_OK;
}

enum xos_status xos_ssh_key_parse(
    struct xos_bytes blob, struct xos_ssh_key *out, struct xos_err *err)
{
	struct xos_reader r;
	struct xos_bytes name;
	const struct pki_ssh_type *t = NULL;

	xos_reader_init(&r, blob);
	if (blob.n > XOS_SSH_BLOB_MAX || !xos_reader_lp(&r, 64, &name))
		return pki_ssh_malformed(err, "key");
	t = pki_ssh_type(name, false);
	if (!t)
		return xos_err_set(err, XOS_DENIED, "key-algorithm",
		    "this kind of ssh key is not accepted: use ed25519, ecdsa or RSA");
	enum xos_status st = pki_ssh_fields(&r, t, err);
	if (st == XOS_OK && xos_reader_end(&r) != XOS_OK)
		st = pki_ssh_malformed(err, "key");
	if (st != XOS_OK)
		return st;
	memcpy(out->blob, blob.p, blob.n);
	out->n = blob.n;
	return XOS_OK;
}

enum xos_status pki_ssh_unline(struct xos_bytes line, struct xos_buf *blob, struct xos_err *err)
{
	const char *text = (const char *)line.p;
	size_t n = line.n, name = 0, start, end;

	if (n > 0 && n <= XOS_SSH_LINE_MAX && text[n - 1] == '\n')
		n--;
	if (n == 0 || n > XOS_SSH_LINE_MAX || memchr(text, '\n', n) || memchr(text, 0, n))
		return pki_ssh_malformed(err, "line");
	while (name < n && text[name] != ' ')
		name++;
	start = end = name + 1;
	while (end < n && text[end] != ' ')
		end++;
	if (name == 0 || start >= n || xos_base64_decode(blob, text + start, end - start) != XOS_OK)
		return pki_ssh_malformed(err, "line");
	/* The type stands twice, and both must agree. */
	struct xos_reader r;
	struct xos_bytes inner;
	xos_reader_init(&r, xos_buf_bytes(blob));
	if (!xos_reader_lp(&r, 64, &inner) ||
	    !xos_bytes_eq(inner, (struct xos_bytes){line.p, name}))
		return pki_ssh_malformed(err, "line: another type inside");
	return XOS_OK;
}

enum xos_status xos_ssh_key_from_line(
    struct xos_bytes line, struct xos_ssh_key *out, struct xos_err *err)
{
	struct xos_buf blob;

	xos_buf_init(&blob, XOS_SSH_CERT_MAX);
	enum xos_status st = pki_ssh_unline(line, &blob, err);
	if (st == XOS_OK)
		st = xos_ssh_key_parse(xos_buf_bytes(&blob), out, err);
	xos_buf_free(&blob);
	return st;
}

enum xos_status xos_ssh_key_of(
    const struct xos_key *key, struct xos_ssh_key *out, struct xos_err *err)
{
	enum xos_key_type type;
	struct xos_bytes point = XOS_BYTES_NONE;
	struct xos_buf b;

	enum xos_status st = pki_spki_classify(xos_key_spki(key), &type, &point, err);
	if (st != XOS_OK)
		return st;
	if (type != XOS_KEY_P256)
		return xos_err_set(err, XOS_DENIED, "key-algorithm",
		    "certificates of ssh are signed by a P-256 key");
	xos_buf_init(&b, XOS_SSH_BLOB_MAX);
	xos_buf_lp_str(&b, types[1].key);
	xos_buf_lp_str(&b, types[1].curve);
	xos_buf_lp(&b, point);
	st = xos_buf_status(&b);
	if (st == XOS_OK)
		st = xos_ssh_key_parse(xos_buf_bytes(&b), out, err);
	else
		pki_no_memory(err);
	xos_buf_free(&b);
	return st;
}

void xos_ssh_line(struct xos_buf *out, struct xos_bytes blob)
{
	struct xos_reader r;
	struct xos_bytes name = XOS_BYTES_NONE;

	xos_reader_init(&r, blob);
	if (xos_reader_lp(&r, 64, &name))
		xos_buf_put(out, name.p, name.n);
	xos_buf_put_str(out, " ");
	xos_base64_encode(out, blob);
}
