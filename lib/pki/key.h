#ifndef XOS_PKI_KEY_H
#define XOS_PKI_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/status.h"
#include "pki/digest.h"

/*
 * Keys, private or public. A fixed list of algorithms, everywhere the same, and the digest follows
 * from the key; nothing that a peer sends chooses either: EC P-256 with SHA-256 (what we make), EC
 * P-384 with SHA-384, RSA of 2048 to 8192 bits with PKCS#1 v1.5 and SHA-256 (RFC 8017). Points
 * uncompressed, named curves only. A key never changes after it was made: several threads may use
 * one at the same time.
 */
enum xos_key_type { XOS_KEY_P256, XOS_KEY_P384, XOS_KEY_RSA };

struct xos_key;

#define XOS_SPKI_MAX 1200 /* bytes of a SubjectPublicKeyInfo that we accept (RSA 8192 fits) */
#define XOS_SIGNATURE_MAX 1024

XOS_MUST_USE enum xos_status xos_key_generate(
    struct xos_key **out, struct xos_err *err); /* P-256 */
/* From a SubjectPublicKeyInfo (RFC 5280 4.1.2.7), exact end. MALFORMED, or DENIED for an algorithm
 * or size that is not on the list (code "key-algorithm"). */
XOS_MUST_USE enum xos_status xos_key_from_spki(
    struct xos_bytes der, struct xos_key **out, struct xos_err *err);
struct xos_key *xos_key_ref(const struct xos_key *k); /* one more owner; the same object */
void xos_key_free(struct xos_key *k);

enum xos_key_type xos_key_type(const struct xos_key *k);
bool xos_key_is_private(const struct xos_key *k);
struct xos_bytes xos_key_spki(const struct xos_key *k);              /* DER, borrowed */
const uint8_t *xos_key_spki_sha256(const struct xos_key *k);         /* 32 bytes, borrowed */
bool xos_key_same(const struct xos_key *a, const struct xos_key *b); /* by public half */

/*
 * Files. A pass phrase comes from the caller's function, which gives a secret that xos_key_load
 * frees (or NULL: refused). prompt is for a person ("pass phrase of /path: ").
 */
typedef struct xos_secret *(*xos_passphrase_fn)(void *arg, const char *prompt);

/* One private key in PEM: "ENCRYPTED PRIVATE KEY" (PKCS#8), or plain PKCS#8, SEC 1 or PKCS#1. The
 * file's mode is checked as in xos_file_read_secret, encrypted or not. ask may be NULL: encrypted
 * files are then DENIED with code "key-encrypted". A wrong pass phrase is DENIED with code
 * "passphrase". */
XOS_MUST_USE enum xos_status xos_key_load(
    const char *path, xos_passphrase_fn ask, void *arg, struct xos_key **out, struct xos_err *err);
/* Replaces path (0600, atomic). With a pass phrase: PKCS#8, PBES2, scrypt or PBKDF2 and
 * AES-256-CBC; NULL: plain PKCS#8. */
XOS_MUST_USE enum xos_status xos_key_save(
    const struct xos_key *k, const char *path, struct xos_secret *passphrase, struct xos_err *err);
/* A private key from PEM in memory, plain only; and to it. */
XOS_MUST_USE enum xos_status xos_key_from_pem(
    struct xos_bytes pem, struct xos_key **out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_key_to_pem(
    const struct xos_key *k, struct xos_secret **out, struct xos_err *err);
/* "PUBLIC KEY" PEM. */
XOS_MUST_USE enum xos_status xos_key_public_from_pem(
    struct xos_bytes pem, struct xos_key **out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_key_public_load(
    const char *path, struct xos_key **out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_key_public_to_pem(
    const struct xos_key *k, struct xos_buf *out, struct xos_err *err);

/* Signature over data with the key's digest, appended to out in X.509's form (ECDSA: DER SEQUENCE
 * of r and s). The caller's data must begin with something that says what it is: use jws.h, or a
 * domain separator of its own; never sign bytes that a peer chose. */
XOS_MUST_USE enum xos_status xos_key_sign(
    const struct xos_key *k, struct xos_bytes data, struct xos_buf *out, struct xos_err *err);
/* The same over a digest of SHA-256, SHA-384 or SHA-512 (32, 48 or 64 bytes; else MALFORMED "digest") that somebody else
 * made. Only for an agent, who signs for the key's owner whatever the owner wants signed. */
XOS_MUST_USE enum xos_status xos_key_sign_digest(
    const struct xos_key *k, struct xos_bytes digest, struct xos_buf *out, struct xos_err *err);
/* OK, or DENIED with code "signature". */
XOS_MUST_USE enum xos_status xos_key_verify(const struct xos_key *k, struct xos_bytes data,
    struct xos_bytes signature, struct xos_err *err);

#endif
