#ifndef XOS_PKI_INTERNAL_H
#define XOS_PKI_INTERNAL_H

/* Shared between the files of lib/pki only; not a public header. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

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

/* Takes pkey over, also on failure. */
enum xos_status pki_key_wrap(
    EVP_PKEY *pkey, bool private_half, struct xos_key **out, struct xos_err *err);
/* The digest that goes with a key. */
const EVP_MD *pki_key_md(const struct xos_key *k);

/* INTERNAL with OpenSSL's first reason added; empties OpenSSL's error queue. */
enum xos_status pki_ossl_err(struct xos_err *err, const char *what);
/* Empties OpenSSL's error queue: a later error must not report it. */
void pki_ossl_clear(void);
enum xos_status pki_no_memory(struct xos_err *err);

#endif
