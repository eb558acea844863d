#ifndef XOS_AUTH_SCRAM_H
#define XOS_AUTH_SCRAM_H

#include <stddef.h>
#include <stdint.h>

#include "auth/verifier.h"
#include "base/bytes.h"
#include "base/name.h"
#include "base/secret.h"
#include "base/status.h"
#include "pki/digest.h"

/*
 * SCRAM-SHA-256 with channel binding (RFC 5802, RFC 7677), both halves. The binding is not the TLS
 * channel, which the front end of the authority could lie about, but what the member asks for: name
 * XOS_SCRAM_BINDING, data the digest of the token request (lib/token/request.h). It is mandatory on
 * both sides. Messages are bytes without any framing; http.h carries them.
 */
#define XOS_SCRAM_BINDING "xos-token-request"
#define XOS_SCRAM_MESSAGE_MAX 1024
/*
 * How a client says which secret it has, before anything is proven: "n=alice" a password, "n=alice+code" a
 * one-time code. No member's name has a '+', and the name is part of what SCRAM's proof covers.
 */
#define XOS_SCRAM_CODE_SUFFIX "+code"

/* --- server: Cyrus SASL. One object a process (its state is global), one thread. --- */

/* Finds the verifier of a member; called for every name of a member's form. NOT_FOUND: unknown, or none
 * of this kind (the server goes on with a fake one); any other failure refuses as UNAVAILABLE. */
typedef enum xos_status (*xos_scram_lookup_fn)(
    void *arg, const char *member, enum xos_scram_kind kind, struct xos_scram_verifier *out);

struct xos_scram_server_opts {
	xos_scram_lookup_fn lookup;
	void *arg;
	struct xos_bytes fake_secret; /* at least 16 bytes, copied */
	uint32_t fake_iterations;     /* as new verifiers have */
};

struct xos_scram_server;
struct xos_scram_session;

/* Loads Cyrus' SCRAM plugin, and no other, so it must precede the sandbox. CONFLICT if there is one
 * already. */
XOS_MUST_USE enum xos_status xos_scram_server_new(
    const struct xos_scram_server_opts *opts, struct xos_scram_server **out, struct xos_err *err);
void xos_scram_server_free(struct xos_scram_server *s); /* no session may be left */

/*
 * Takes the client's first message and appends the server's first to reply. binding: what the token
 * request really is. MALFORMED: not exactly "p=xos-token-request,,n=<member>[+code],r=<nonce>" (other
 * bindings and authorization identities are refused, code "scram-syntax", "scram-binding-type").
 */
XOS_MUST_USE enum xos_status xos_scram_begin(struct xos_scram_server *s,
    const uint8_t binding[XOS_SHA256_LEN], struct xos_bytes first, struct xos_scram_session **out,
    struct xos_buf *reply, struct xos_err *err);
/* The name that the client claims; proven only once xos_scram_finish said OK. */
const char *xos_scram_member(const struct xos_scram_session *ss);
enum xos_scram_kind xos_scram_kind(const struct xos_scram_session *ss);
/*
 * Takes the client's final message; OK appends the server's final one and means: this member knew the
 * password and asked for exactly this request. DENIED with code "credentials" (unknown member and
 * wrong password alike), "scram-binding" (the request was changed on the way). Good once.
 */
XOS_MUST_USE enum xos_status xos_scram_finish(struct xos_scram_session *ss, struct xos_bytes final,
    struct xos_buf *reply, struct xos_err *err);
void xos_scram_session_free(struct xos_scram_session *ss);

/* --- client --- */

struct xos_scram_client;

/* password is borrowed until the client is freed. */
XOS_MUST_USE enum xos_status xos_scram_client_new(const char *member, enum xos_scram_kind kind,
    struct xos_secret *password, const uint8_t binding[XOS_SHA256_LEN],
    struct xos_scram_client **out, struct xos_err *err);
void xos_scram_client_free(struct xos_scram_client *c);
XOS_MUST_USE enum xos_status xos_scram_client_first(
    struct xos_scram_client *c, struct xos_buf *out, struct xos_err *err);
/* Computes the proof: this is where the time goes. MALFORMED: no answer to our first message, or an
 * iteration count out of bounds (a server that asks too little wants the password guessed). */
XOS_MUST_USE enum xos_status xos_scram_client_final(struct xos_scram_client *c,
    struct xos_bytes server_first, struct xos_buf *out, struct xos_err *err);
/* Mutual authentication. DENIED with code "server-proof": the other side does not know the password's
 * verifier, whatever its certificate says. */
XOS_MUST_USE enum xos_status xos_scram_client_check(
    struct xos_scram_client *c, struct xos_bytes server_final, struct xos_err *err);

#endif
