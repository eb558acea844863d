#ifndef XOS_NET_TLS_INTERNAL_H
#define XOS_NET_TLS_INTERNAL_H

/* Between the files of lib/net: what is known about the peer of one connection. */
#include <openssl/ssl.h>

#include "net/tls.h"

struct tls_peer {
	const struct xos_verifier *verifier;
	bool explain; /* let the handshake end well and keep the refusal for later (servers) */
	struct xos_bytes ders[XOS_CHAIN_MAX];
	size_t n;
	bool refused;
	struct xos_err err; /* why */
	void *identity;
};

/* Frees chain and identity; keeps verifier and explain. */
void tls_peer_clear(struct tls_peer *p);

/* TLS 1.3, no tickets, no session cache, chain sent as given. own may be NULL. */
XOS_MUST_USE enum xos_status tls_ctx_setup(
    SSL_CTX *ctx, const struct xos_chain *own, struct xos_err *err);
/* Peers are judged by the tls_peer that stands in SSL_set_app_data. */
void tls_ctx_judge(SSL_CTX *ctx);
/* The same with one peer for all connections of the context (clients). */
void tls_ctx_judge_one(SSL_CTX *ctx, struct tls_peer *peer);
/* A connection for fd; NULL if out of memory. tls12: TLS 1.2 will do. peer outlives it. */
SSL *tls_server_accept(struct xos_tls_server *tls, int fd, bool tls12, struct tls_peer *peer);
/* As xos_request_binding; not while another thread moves the connection on. */
size_t tls_binding(SSL *ssl, uint8_t *out, size_t cap);

#endif
