#ifndef XOS_PKI_SSHCERT_H
#define XOS_PKI_SSHCERT_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/key.h"

/*
 * Public keys of ssh (RFC 4253 6.6, RFC 5656 3.1, RFC 8709) and OpenSSH's host certificates (PROTOCOL.certkeys),
 * signed by a P-256 key. Host certificates alone, without critical options and extensions: a user's is refused
 * wherever one is read here. Strict both ways: one encoding, exact ends, named limits.
 */
#define XOS_SSH_BLOB_MAX 2200        /* bytes of a public key */
#define XOS_SSH_CERT_MAX (16 * 1024) /* bytes of a certificate */
#define XOS_SSH_LINE_MAX (24 * 1024) /* "TYPE BASE64 COMMENT" */
#define XOS_SSH_PRINCIPALS_MAX 16
#define XOS_SSH_NAME_MAX 255 /* of a principal or key id: printable ASCII without spaces */

/* A public key: ed25519, ecdsa on P-256, P-384 or P-521, or RSA of 2048 to 8192 bits. */
struct xos_ssh_key {
	uint8_t blob[XOS_SSH_BLOB_MAX];
	size_t n;
};

/* MALFORMED, or DENIED "key-algorithm" for one that is not on the list. */
XOS_MUST_USE enum xos_status xos_ssh_key_parse(
    struct xos_bytes blob, struct xos_ssh_key *out, struct xos_err *err);
/* A line as in a .pub file, at most one newline at its end; the comment is not looked at. */
XOS_MUST_USE enum xos_status xos_ssh_key_from_line(
    struct xos_bytes line, struct xos_ssh_key *out, struct xos_err *err);
/* The public half of a P-256 key. */
XOS_MUST_USE enum xos_status xos_ssh_key_of(
    const struct xos_key *key, struct xos_ssh_key *out, struct xos_err *err);
/* "TYPE BASE64" of a key or certificate, without newline; the type is the one in the blob. */
void xos_ssh_line(struct xos_buf *out, struct xos_bytes blob);

struct xos_sshcert {
	struct xos_ssh_key key;       /* the host's */
	struct xos_ssh_key authority; /* read only: of who signed */
	uint64_t serial;
	char id[XOS_SSH_NAME_MAX + 1];
	char principals[XOS_SSH_PRINCIPALS_MAX][XOS_SSH_NAME_MAX + 1]; /* one at least */
	size_t nprincipals;
	int64_t after, before; /* seconds since 1970; after < before */
};

/* Appends the certificate. ca: private, P-256. MALFORMED for fields that the reader would not take. */
XOS_MUST_USE enum xos_status xos_sshcert_sign(const struct xos_key *ca, const struct xos_sshcert *c,
    struct xos_buf *out, struct xos_err *err);
/* Reads and checks the signature by the key that is in it: who that is, and the times, are the caller's to judge.
 * DENIED "ssh-kind" for a user's certificate, "signature". */
XOS_MUST_USE enum xos_status xos_sshcert_read(
    struct xos_bytes blob, struct xos_sshcert *out, struct xos_err *err);
/* The same from a line. */
XOS_MUST_USE enum xos_status xos_sshcert_from_line(
    struct xos_bytes line, struct xos_sshcert *out, struct xos_err *err);

#endif
