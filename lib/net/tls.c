#include "net/tls_internal.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/file.h"
#include "pki/ossl.h"

#define CERT_LIST_MAX (64 * 1024) /* bytes of certificates that a peer may send */

#define ALSO_MAX 32

/* Who we are for clients that believe this root. */
struct also {
	X509_NAME *root;
	struct xos_chain own;
};

struct xos_tls_server {
	pthread_mutex_t lock; /* of ctx, which a reload exchanges, and of also */
	SSL_CTX *ctx;
	struct also also[ALSO_MAX];
	size_t nalso;
	enum xos_tls_client_cert mode;
	struct xos_verifier verifier;
};

static enum xos_status ossl(struct xos_err *err, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	ERR_clear_error();
	return xos_err_set(
	    err, XOS_INTERNAL, "tls", "%s: %s", what, reason ? reason : "OpenSSL gives no reason");
}

void tls_peer_clear(struct tls_peer *p)
{
	for (size_t i = 0; i < p->n; i++)
		OPENSSL_free((void *)(uintptr_t)p->ders[i].p);
	if (p->identity && p->verifier && p->verifier->free_identity)
		p->verifier->free_identity(p->identity);
	p->n = 0;
	p->identity = NULL;
	p->refused = false;
}

static enum xos_status peer_take(struct tls_peer *p, STACK_OF(X509) * certs)
{
	int n = sk_X509_num(certs);
	if (n < 1 || n > XOS_CHAIN_MAX)
		return xos_err_set(&p->err, XOS_MALFORMED, "chain-length",
		    "a chain of %d certificates where 1 to %d are taken", n, XOS_CHAIN_MAX);
	for (int i = 0; i < n; i++) {
		unsigned char *der = NULL;
		int len = i2d_X509(sk_X509_value(certs, i), &der);
		if (len < 0)
			return xos_err_set(&p->err, XOS_MALFORMED, "chain-der",
			    "a certificate that cannot be encoded");
		p->ders[p->n++] = (struct xos_bytes){der, (size_t)len};
	}
	return XOS_OK;
}

/* What OpenSSL turns into the alert that comes closest (RFC 8446 6.2). */
static int x509_error(enum xos_status st)
{
	switch (st) {
	case XOS_OK:
		return X509_V_OK;
	case XOS_EXPIRED:
		return X509_V_ERR_CERT_HAS_EXPIRED;
	case XOS_NOT_YET_VALID:
		return X509_V_ERR_CERT_NOT_YET_VALID;
	default:
		return X509_V_ERR_CERT_REJECTED;
	}
}

static int judge(X509_STORE_CTX *sc, struct tls_peer *p)
{
	enum xos_status st = XOS_INTERNAL;
	tls_peer_clear(p);
	p->err = (struct xos_err)XOS_ERR_INIT;
	st = peer_take(p, X509_STORE_CTX_get0_untrusted(sc));
	if (st == XOS_OK)
		st = p->verifier->verify(p->verifier->ctx, p->ders, p->n, &p->identity, &p->err);
	p->refused = st != XOS_OK;
	if (p->refused && p->err.status == XOS_OK)
		xos_err_set(&p->err, st, "certificate-refused", "the certificate was refused");
	if (p->refused && p->explain)
		st = XOS_OK;
	X509_STORE_CTX_set_error(sc, x509_error(st));
	return st == XOS_OK;
}

static int judge_by_ssl(X509_STORE_CTX *sc, void *arg)
{
	(void)arg;
	const SSL *ssl = X509_STORE_CTX_get_ex_data(sc, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_peer *p = ssl ? SSL_get_app_data(ssl) : NULL;
	return p ? judge(sc, p) : 0;
}

static int judge_by_arg(X509_STORE_CTX *sc, void *arg)
{
	return judge(sc, arg);
}

void tls_ctx_judge(SSL_CTX *ctx)
{
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, judge_by_ssl, NULL);
}

void tls_ctx_judge_one(SSL_CTX *ctx, struct tls_peer *peer)
{
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, judge_by_arg, peer);
}

static enum xos_status use_own(SSL_CTX *ctx, const struct xos_chain *own, struct xos_err *err)
{
	if (own->n == 0 || !own->key)
		return xos_err_set(
		    err, XOS_MALFORMED, "tls-own", "a certificate and its private key are needed");
	if (SSL_CTX_use_certificate(ctx, xos_cert_ossl(own->cert[0])) != 1)
		return ossl(err, "the TLS certificate cannot be used");
	for (size_t i = 1; i < own->n; i++)
		if (SSL_CTX_add1_chain_cert(ctx, xos_cert_ossl(own->cert[i])) != 1)
			return ossl(err, "the TLS chain cannot be used");
	if (SSL_CTX_use_PrivateKey(ctx, xos_key_ossl(own->key)) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		return ossl(err, "the TLS key does not belong to its certificate");
	return XOS_OK;
}

/* Not const: the macro that takes it casts that away. */
static char groups[] = "X25519:P-256";

enum xos_status tls_ctx_setup(SSL_CTX *ctx, const struct xos_chain *own, struct xos_err *err)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
	                             SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	                          SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(ctx, CERT_LIST_MAX);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 0) != 1 || SSL_CTX_set1_groups_list(ctx, groups) != 1)
		return ossl(err, "TLS 1.3 cannot be set up");
	return own ? use_own(ctx, own, err) : XOS_OK;
}

static bool names(const STACK_OF(X509_NAME) * list, const X509_NAME *name)
{
	for (int i = 0; i < sk_X509_NAME_num(list); i++)
		if (X509_NAME_cmp(sk_X509_NAME_value(list, i), name) == 0)
			return true;
	return false;
}

static int use_also(SSL *ssl, const struct also *a)
{
	STACK_OF(X509) *rest = sk_X509_new_null();
	int ok = rest != NULL;
	for (size_t i = 1; ok && i < a->own.n; i++)
		ok = sk_X509_push(rest, xos_cert_ossl(a->own.cert[i])) > 0;
	ok = ok && SSL_use_cert_and_key(
	               ssl, xos_cert_ossl(a->own.cert[0]), xos_key_ossl(a->own.key), rest, 1) == 1;
	sk_X509_free(rest); /* it borrowed; what SSL took has references */
	return ok;
}

/* Called when the client's first message is understood, before our certificate is sent. */
static int choose_own(SSL *ssl, void *arg)
{
	struct xos_tls_server *t = arg;
	const STACK_OF(X509_NAME) *list = SSL_get0_peer_CA_list(ssl);
	int ok = 1;
	if (!list)
		return 1;
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->nalso; i++) {
		if (names(list, t->also[i].root)) {
			ok = use_also(ssl, &t->also[i]);
			break;
		}
	}
	pthread_mutex_unlock(&t->lock);
	return ok;
}

static bool chain_copy(const struct xos_chain *own, struct xos_chain *out)
{
	bool ok = own->n > 0 && own->key;
	for (size_t i = 0; ok && i < own->n; i++)
		ok = xos_chain_add(out, own->cert[i]) == XOS_OK;
	if (ok)
		out->key = xos_key_ref(own->key);
	return ok;
}

enum xos_status xos_tls_server_also(struct xos_tls_server *t, const struct xos_cert *root,
    const struct xos_chain *own, struct xos_err *err)
{
	struct also fresh = {.root = X509_NAME_dup(X509_get_subject_name(xos_cert_ossl(root)))};
	size_t i = 0;
	if (!fresh.root || !chain_copy(own, &fresh.own)) {
		X509_NAME_free(fresh.root);
		xos_chain_clear(&fresh.own);
		return xos_err_set(
		    err, XOS_MALFORMED, "tls-own", "a certificate and its private key are needed");
	}
	pthread_mutex_lock(&t->lock);
	while (i < t->nalso && X509_NAME_cmp(t->also[i].root, fresh.root) != 0)
		i++;
	bool fits = i < ALSO_MAX;
	if (fits) {
		struct also old = t->also[i];
		t->also[i] = fresh;
		fresh = old;
		t->nalso += i == t->nalso;
	}
	pthread_mutex_unlock(&t->lock);
	X509_NAME_free(fresh.root);
	xos_chain_clear(&fresh.own);
	return fits ? XOS_OK
	            : xos_err_set(err, XOS_LIMIT, "tls-own", "at most %d identities", ALSO_MAX + 1);
}

static enum xos_status make_ctx(
    const struct xos_chain *own, enum xos_tls_client_cert mode, SSL_CTX **out, struct xos_err *err)
{
	ERR_clear_error();
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx)
		return ossl(err, "TLS cannot be set up");
	enum xos_status st = tls_ctx_setup(ctx, own, err);
	if (st != XOS_OK) {
		SSL_CTX_free(ctx);
		return st;
	}
	/* A record's head and body in one read; connections are read until nothing is left, so nothing waits unseen. */
	SSL_CTX_set_read_ahead(ctx, 1);
	if (mode == XOS_CLIENT_CERT_OPTIONAL)
		tls_ctx_judge(ctx);
	*out = ctx;
	return XOS_OK;
}

enum xos_status xos_tls_server_new(const struct xos_chain *own, enum xos_tls_client_cert mode,
    const struct xos_verifier *verifier, struct xos_tls_server **out, struct xos_err *err)
{
	if (mode != XOS_CLIENT_CERT_NONE && (!verifier || !verifier->verify))
		return xos_err_set(err, XOS_INTERNAL, "tls-verifier",
		    "client certificates without a verifier would be believed unseen");
	struct xos_tls_server *t = calloc(1, sizeof(*t));
	if (!t)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	enum xos_status st = make_ctx(own, mode, &t->ctx, err);
	if (st != XOS_OK) {
		free(t);
		return st;
	}
	pthread_mutex_init(&t->lock, NULL);
	SSL_CTX_set_cert_cb(t->ctx, choose_own, t);
	t->mode = mode;
	if (verifier)
		t->verifier = *verifier;
	*out = t;
	return XOS_OK;
}

enum xos_status xos_tls_server_reload(
    struct xos_tls_server *t, const struct xos_chain *own, struct xos_err *err)
{
	SSL_CTX *fresh = NULL;
	enum xos_status st = make_ctx(own, t->mode, &fresh, err);
	if (st != XOS_OK)
		return st;
	SSL_CTX_set_cert_cb(fresh, choose_own, t);
	pthread_mutex_lock(&t->lock);
	SSL_CTX *old = t->ctx;
	t->ctx = fresh;
	pthread_mutex_unlock(&t->lock);
	SSL_CTX_free(old); /* connections hold references of their own */
	return XOS_OK;
}

void xos_tls_server_free(struct xos_tls_server *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->ctx);
	for (size_t i = 0; i < t->nalso; i++) {
		X509_NAME_free(t->also[i].root);
		xos_chain_clear(&t->also[i].own);
	}
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* Forward secrecy and authenticated encryption, as all of TLS 1.3 has. */
#define SUITES_12                                                                                  \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-"        \
	"POLY1305"                                                                                 \
	":ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"

static bool take_tls12(SSL *ssl)
{
	return SSL_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 &&
	       SSL_set_cipher_list(ssl, SUITES_12) == 1;
}

size_t tls_binding(SSL *ssl, uint8_t *out, size_t cap)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	size_t n = 0;
	if (SSL_version(ssl) == TLS1_3_VERSION) {
		n = 32;
		if (cap < n || SSL_export_keying_material(ssl, out, n, label, sizeof(label) - 1,
		                   (const unsigned char *)"", 0, 1) != 1)
			n = 0;
	} else {
		/* Nothing is resumed, so the first Finished message is the client's; a session without the
		 * extended master secret has no name of its own (RFC 7627). */
		if (SSL_get_extms_support(ssl) == 1)
			n = SSL_get_peer_finished(ssl, out, cap);
		if (n > cap)
			n = 0;
	}
	ERR_clear_error();
	return n;
}

SSL *tls_server_accept(struct xos_tls_server *t, int fd, bool tls12, struct tls_peer *peer)
{
	pthread_mutex_lock(&t->lock);
	SSL *ssl = SSL_new(t->ctx);
	pthread_mutex_unlock(&t->lock);
	if (!ssl || SSL_set_fd(ssl, fd) != 1 || (tls12 && !take_tls12(ssl))) {
		SSL_free(ssl);
		return NULL;
	}
	peer->verifier = &t->verifier;
	peer->explain = true;
	SSL_set_app_data(ssl, peer);
	SSL_set_accept_state(ssl);
	return ssl;
}

enum xos_status xos_tls_load(
    const char *chain_path, const char *key_path, struct xos_chain *out, struct xos_err *err)
{
	struct xos_secret *pem = NULL;
	enum xos_status st;
	if (key_path) {
		st = xos_chain_load(chain_path, out, err);
		if (st == XOS_OK)
			st = xos_key_load(key_path, NULL, NULL, &out->key, err);
		if (st == XOS_OK && !xos_key_same(out->key, xos_cert_key(out->cert[0])))
			st = xos_err_set(err, XOS_CONFLICT, "tls-own",
			    "the key in %s is not the one of the certificate in %s", key_path,
			    chain_path);
	} else {
		st = xos_file_read_secret(chain_path, XOS_CHAIN_PEM_MAX, &pem, err);
		if (st == XOS_OK)
			st = xos_chain_from_pem(
			    (struct xos_bytes){xos_secret_data(pem), xos_secret_len(pem)}, out,
			    err);
		if (st == XOS_OK && !out->key)
			st = xos_err_set(
			    err, XOS_MALFORMED, "tls-own", "%s holds no private key", chain_path);
	}
	xos_secret_free(pem);
	if (st != XOS_OK)
		xos_chain_clear(out);
	return st;
}
