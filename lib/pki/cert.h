#ifndef XOS_PKI_CERT_H
#define XOS_PKI_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/digest.h"
#include "pki/key.h"

/*
 * A certificate, parsed from strict DER (RFC 5280, version 3). Parsing proves form only: nothing in
 * a parsed certificate may be believed before chain.h verified it. Never changes; may be shared.
 */
struct xos_cert;

#define XOS_CERT_MAX 65536 /* bytes of one certificate */
#define XOS_CHAIN_MAX 16   /* certificates in one chain or file */
#define XOS_CHAIN_PEM_MAX (256 * 1024)
#define XOS_SERIAL_MAX 20 /* bytes (RFC 5280 4.1.2.2) */
#define XOS_SERIAL_TEXT (2 * XOS_SERIAL_MAX + 1)

/* Strict DER with exact end, version 3, no duplicate extension, known key algorithm. */
XOS_MUST_USE enum xos_status xos_cert_parse(
    struct xos_bytes der, struct xos_cert **out, struct xos_err *err);
struct xos_cert *xos_cert_ref(const struct xos_cert *c);
void xos_cert_free(struct xos_cert *c);

/* All borrowed from the certificate. */
struct xos_bytes xos_cert_der(const struct xos_cert *c);
const uint8_t *xos_cert_fingerprint(const struct xos_cert *c); /* SHA-256 of the DER, 32 bytes */
struct xos_bytes xos_cert_serial(const struct xos_cert *c);    /* big-endian, positive */
const char *xos_cert_serial_text(const struct xos_cert *c);    /* hexadecimal, lower case */
int64_t xos_cert_not_before(const struct xos_cert *c);
int64_t xos_cert_not_after(const struct xos_cert *c);
const struct xos_key *xos_cert_key(const struct xos_cert *c);    /* public */
struct xos_bytes xos_cert_subject_der(const struct xos_cert *c); /* the Name element */
struct xos_bytes xos_cert_issuer_der(const struct xos_cert *c);
const char *xos_cert_subject_text(const struct xos_cert *c); /* "O=demo, OU=user, CN=alice" */
bool xos_cert_is_ca(const struct xos_cert *c);
bool xos_cert_is_proxy(const struct xos_cert *c);
bool xos_cert_is_self_issued(const struct xos_cert *c); /* subject equals issuer */

/* Is this key's signature on the certificate right, with the algorithm that goes with the key? OK
 * or DENIED (codes "key-algorithm", "cert-signature"). One link only: paths are chain.h's. */
XOS_MUST_USE enum xos_status xos_cert_signed_by(
    const struct xos_cert *c, const struct xos_key *key, struct xos_err *err);

/* Subject attributes, one by one in order; "O", "OU" or "CN" (others "?"). NULL past the end. A
 * name with several attributes in one RDN is refused when parsing. */
size_t xos_cert_subject_len(const struct xos_cert *c);
const char *xos_cert_subject_type(const struct xos_cert *c, size_t i);
const char *xos_cert_subject_value(const struct xos_cert *c, size_t i);

/* Extension by OID contents: NOT_FOUND if absent. value is what the OCTET STRING holds; critical
 * may be NULL. */
XOS_MUST_USE enum xos_status xos_cert_ext(
    const struct xos_cert *c, struct xos_bytes oid, struct xos_bytes *value, bool *critical);
/* The URI of the subject alternative name if there is exactly one, else NULL. */
const char *xos_cert_uri(const struct xos_cert *c);
/* Does a DNS name or IP address of the subject alternative name match this host (RFC 6125, no
 * partial wildcards)? "127.0.0.1" and "::1" are compared as addresses. The subject's CN never
 * counts. */
bool xos_cert_matches_host(const struct xos_cert *c, const char *host);
/* basicConstraints pathLen or proxy pathLen: -1 if there is none. */
long xos_cert_path_len(const struct xos_cert *c);
/* proxyCertInfo's policy language (OID contents); NONE if the certificate is no proxy. */
struct xos_bytes xos_cert_proxy_language(const struct xos_cert *c);
/* Extended key usage: lists this OID? False if the extension is absent. */
bool xos_cert_has_eku(const struct xos_cert *c, struct xos_bytes oid);

/*
 * Chains, leaf first. An array of certificates that owns them, and, from a token file, a private
 * key.
 */
struct xos_chain {
	struct xos_cert *cert[XOS_CHAIN_MAX];
	size_t n;
	struct xos_key *key; /* NULL if there was none */
};

void xos_chain_clear(struct xos_chain *ch); /* frees what is in it and zeroes it */
/* Takes one more reference to c. LIMIT past XOS_CHAIN_MAX. */
XOS_MUST_USE enum xos_status xos_chain_add(struct xos_chain *ch, const struct xos_cert *c);
/* PEM with certificates, at least one, and at most one plain private key in any place (a token file
 * has certificate, key, chain). Text between the blocks is ignored, other kinds of blocks are
 * refused. The key, if any, must be the first certificate's. *out is zeroed by the caller or
 * cleared before. */
XOS_MUST_USE enum xos_status xos_chain_from_pem(
    struct xos_bytes pem, struct xos_chain *out, struct xos_err *err);
/* DER certificates one after another, leaf first, as TLS gives them. */
XOS_MUST_USE enum xos_status xos_chain_from_der(
    const struct xos_bytes *der, size_t n, struct xos_chain *out, struct xos_err *err);
/* Reads certificates from a file that needs no secrecy; a private key in it is refused. */
XOS_MUST_USE enum xos_status xos_chain_load(
    const char *path, struct xos_chain *out, struct xos_err *err);
void xos_cert_to_pem(const struct xos_cert *c, struct xos_buf *out); /* appends; 64 columns */

#endif
