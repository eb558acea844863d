#ifndef XOS_NET_TLS_H
#define XOS_NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/cert.h"
#include "pki/key.h"

/*
 * TLS contexts: TLS 1.3 (a listener for stock clients may take TLS 1.2 too, with forward secrecy and authenticated
 * encryption only), no session tickets, no resumption (each connection proves its keys
 * anew; keep-alive carries the load), own certificates sent exactly as given.
 *
 * Whether a peer is believed is not decided here: the peer's certificates go as they came, DER,
 * leaf first, to a verifier. OpenSSL's own path validation is not consulted, so that proxies with
 * a critical extension of ours reach code that understands it.
 */
struct xos_verifier {
	/* OK and an identity (may stay NULL), or the reason of the refusal. Called on the thread that
	 * drives the connection; must not block. Only called with n >= 1. */
	enum xos_status (*verify)(void *ctx, const struct xos_bytes *ders, size_t n,
	    void **identity, struct xos_err *err);
	/* Asked again before each request on a connection that lives on: has the certificate ended or
	 * been locked meanwhile? NULL: not asked. */
	enum xos_status (*recheck)(void *ctx, void *identity, struct xos_err *err);
	void (*free_identity)(void *identity); /* NULL: nothing to free */
	void *ctx;                             /* outlives all that uses the verifier */
};

enum xos_tls_client_cert {
	XOS_CLIENT_CERT_NONE,    /* not asked for */
	XOS_CLIENT_CERT_OPTIONAL /* asked for; routes say whether they need one (server.h) */
};

/* What a server listens with. Holds the current key and chain; connections that exist keep theirs. */
struct xos_tls_server;

/*
 * own: leaf first, with its key; references are taken. verifier: copied; needed unless mode is
 * NONE. A certificate that the verifier refuses does not end the handshake: the connection then
 * answers every request with the reason as a problem document, which tells a person more than the
 * number of a TLS alert. Nothing else is served on such a connection.
 */
XOS_MUST_USE enum xos_status xos_tls_server_new(const struct xos_chain *own,
    enum xos_tls_client_cert mode, const struct xos_verifier *verifier, struct xos_tls_server **out,
    struct xos_err *err);
/*
 * Another identity, for clients that name its root among those they believe (certificate_authorities, RFC 8446
 * 4.2.4), as ours do (xos_client_options.root); everybody else gets the first one. The same root again
 * replaces it. own: references are taken. Any thread.
 */
XOS_MUST_USE enum xos_status xos_tls_server_also(struct xos_tls_server *tls,
    const struct xos_cert *root, const struct xos_chain *own, struct xos_err *err);
/* New connections use the new chain and key; on failure the old ones stay. Any thread. */
XOS_MUST_USE enum xos_status xos_tls_server_reload(
    struct xos_tls_server *tls, const struct xos_chain *own, struct xos_err *err);
void xos_tls_server_free(struct xos_tls_server *tls);

/* Certificate in chain_path (PEM, leaf first; may hold the key as well), key in key_path (NULL: in
 * chain_path, which then must be 0600). *out is zeroed by the caller or cleared before. */
XOS_MUST_USE enum xos_status xos_tls_load(
    const char *chain_path, const char *key_path, struct xos_chain *out, struct xos_err *err);

#endif
