#ifndef XOS_PKI_INTERNAL_H
#define XOS_PKI_INTERNAL_H

/* Shared between the files of lib/pki only; not a public header. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/cert.h"
#include "pki/key.h"

/* Digests fetched once for the process; NULL only if OpenSSL is broken, which callers treat as a
 * failure of the operation. */
const EVP_MD *pki_md_sha256(void);
const EVP_MD *pki_md_sha384(void);

struct xos_key {
	atomic_uint refs;
	enum xos_key_type type;
	bool private_half;
	EVP_PKEY *pkey;
	uint8_t *spki;
	size_t spki_len;
	uint8_t spki_sha256[XOS_SHA256_LEN];
};

/* Takes pkey over, also on failure. The public half decides whether the key is acceptable. */
enum xos_status pki_key_wrap(
    EVP_PKEY *pkey, bool private_half, struct xos_key **out, struct xos_err *err);
const EVP_MD *pki_key_md(const struct xos_key *k); /* the digest that goes with a key */
/* AlgorithmIdentifier that signatures by this key carry, as a whole DER element. */
struct xos_bytes pki_key_sigalg(enum xos_key_type type);

/* Which algorithm is it? OK, DENIED (not on the list) or MALFORMED. point: for EC keys, the 04
 * point. */
enum xos_status pki_spki_classify(
    struct xos_bytes der, enum xos_key_type *type, struct xos_bytes *point, struct xos_err *err);
/* An EVP_PKEY from an SPKI that was classified; NULL if the key is no key (not on the curve). */
EVP_PKEY *pki_spki_decode(struct xos_bytes der, enum xos_key_type type, struct xos_bytes point);

/* Did the P-256 key with this point (of this SPKI, both classified) sign data? False for a point that is
 * not on the curve, too. */
bool pki_p256_signed(struct xos_bytes spki, struct xos_bytes point, struct xos_bytes data,
    struct xos_bytes signature);

/* One PEM block (RFC 7468), found in text; label without "BEGIN". */
struct pki_pem {
	struct xos_bytes label;
	struct xos_bytes body;  /* between the two lines */
	struct xos_bytes whole; /* with them */
};

/* The next block of *text, which moves behind it. NOT_FOUND: none left; MALFORMED: begun, not
 * ended. */
enum xos_status pki_pem_next(struct xos_bytes *text, struct pki_pem *out, struct xos_err *err);
bool pki_pem_is(const struct pki_pem *pem, const char *label);
/* Decodes the body into der (appended). MALFORMED. */
enum xos_status pki_pem_decode(const struct pki_pem *pem, struct xos_buf *der, struct xos_err *err);
void pki_pem_encode(struct xos_buf *out, const char *label, struct xos_bytes der);

/* INTERNAL with OpenSSL's first reason added; empties OpenSSL's error queue. */
enum xos_status pki_ossl_err(struct xos_err *err, const char *what);
/* Empties OpenSSL's error queue: a later error must not report it. */
void pki_ossl_clear(void);
enum xos_status pki_no_memory(struct xos_err *err);

#endif
