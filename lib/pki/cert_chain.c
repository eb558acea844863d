/* Lists of certificates: in memory, in PEM, in files. */

#include <string.h>

#include "base/file.h"
#include "pki/internal.h"

void xos_chain_clear(struct xos_chain *ch)
{
	if (!ch)
		return;
	for (size_t i = 0; i < ch->n; i++)
		xos_cert_free(ch->cert[i]);
	xos_key_free(ch->key);
	memset(ch, 0, sizeof(*ch));
}

enum xos_status xos_chain_add(struct xos_chain *ch, const struct xos_cert *c)
{
	if (ch->n >= XOS_CHAIN_MAX)
		return XOS_LIMIT;
	ch->cert[ch->n++] = xos_cert_ref(c);
	return XOS_OK;
}

static enum xos_status too_many(struct xos_err *err)
{
	return xos_err_set(err, XOS_LIMIT, "chain-length", "more than %d certificates in one chain",
	    XOS_CHAIN_MAX);
}

static enum xos_status add_pem_cert(
    struct xos_chain *ch, const struct pki_pem *pem, struct xos_err *err)
{
	struct xos_cert *c = NULL;
	struct xos_buf der;
	enum xos_status st;

	if (ch->n >= XOS_CHAIN_MAX)
		return too_many(err);
	xos_buf_init(&der, XOS_CERT_MAX);
	st = pki_pem_decode(pem, &der, err);
	if (st == XOS_OK)
		st = xos_cert_parse(xos_buf_bytes(&der), &c, err);
	if (st == XOS_OK)
		ch->cert[ch->n++] = c;
	else
		xos_err_prefix(err, st, "certificate %zu", ch->n + 1);
	xos_buf_free(&der);
	return st;
}

static enum xos_status add_block(
    struct xos_chain *ch, const struct pki_pem *pem, struct xos_err *err)
{
	if (pki_pem_is(pem, "CERTIFICATE"))
		return add_pem_cert(ch, pem, err);
	if (pki_pem_is(pem, "PRIVATE KEY") || pki_pem_is(pem, "EC PRIVATE KEY") ||
	    pki_pem_is(pem, "RSA PRIVATE KEY")) {
		if (ch->key)
			return xos_err_set(
			    err, XOS_MALFORMED, "pem", "two private keys in one file");
		return xos_key_from_pem(pem->whole, &ch->key, err);
	}
	return xos_err_set(err, XOS_MALFORMED, "pem", "a PEM block that does not belong here: %.*s",
	    (int)pem->label.n, (const char *)pem->label.p);
}

enum xos_status xos_chain_from_pem(
    struct xos_bytes text, struct xos_chain *out, struct xos_err *err)
{
	struct xos_chain ch = {0};
	struct pki_pem pem;
	enum xos_status st = XOS_OK;

	if (text.n > XOS_CHAIN_PEM_MAX)
		return xos_err_set(err, XOS_LIMIT, "pem", "too long for a certificate file");
	while (st == XOS_OK && (st = pki_pem_next(&text, &pem, err)) == XOS_OK)
		st = add_block(&ch, &pem, err);
	if (st == XOS_NOT_FOUND)
		st = ch.n ? XOS_OK
		          : xos_err_set(err, XOS_MALFORMED, "pem", "no certificate in PEM form");
	if (st == XOS_OK && ch.key && !xos_key_same(ch.key, xos_cert_key(ch.cert[0])))
		st = xos_err_set(err, XOS_MALFORMED, "key-mismatch",
		    "the private key does not belong to the first certificate");
	if (st == XOS_OK)
		*out = ch;
	else
		xos_chain_clear(&ch);
	return st;
}

enum xos_status xos_chain_from_der(
    const struct xos_bytes *der, size_t n, struct xos_chain *out, struct xos_err *err)
{
	struct xos_chain ch = {0};
	enum xos_status st = XOS_OK;

	if (n > XOS_CHAIN_MAX)
		return too_many(err);
	if (n == 0)
		return xos_err_set(
		    err, XOS_MALFORMED, "chain-empty", "no certificate was presented");
	for (; st == XOS_OK && ch.n < n; ch.n += st == XOS_OK) {
		st = xos_cert_parse(der[ch.n], &ch.cert[ch.n], err);
		if (st != XOS_OK)
			xos_err_prefix(err, st, "certificate %zu of the chain", ch.n + 1);
	}
	if (st == XOS_OK)
		*out = ch;
	else
		xos_chain_clear(&ch);
	return st;
}

enum xos_status xos_chain_load(const char *path, struct xos_chain *out, struct xos_err *err)
{
	struct xos_chain ch = {0};
	struct xos_buf text;
	enum xos_status st = xos_file_read(path, XOS_CHAIN_PEM_MAX, &text, err);

	if (st != XOS_OK)
		return st;
	st = xos_chain_from_pem(xos_buf_bytes(&text), &ch, err);
	if (st == XOS_OK && ch.key)
		st = xos_err_set(err, XOS_DENIED, "key-exposed",
		    "holds a private key where only certificates belong; move it to a file of mode "
		    "600");
	if (st != XOS_OK) {
		xos_err_prefix(err, st, "%s", path);
		xos_chain_clear(&ch);
	} else {
		*out = ch;
	}
	xos_wipe(text.p, text.n);
	xos_buf_free(&text);
	return st;
}

void xos_cert_to_pem(const struct xos_cert *c, struct xos_buf *out)
{
	pki_pem_encode(out, "CERTIFICATE", xos_cert_der(c));
}
