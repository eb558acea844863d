#ifndef XOS_PKI_CERT_INTERNAL_H
#define XOS_PKI_CERT_INTERNAL_H

/* The parsed certificate, shared between the cert_*.c files only; not a public header. */

#include "pki/internal.h"

#define CERT_EXT_MAX 32
#define CERT_RDN_MAX 24
#define CERT_VALUE_MAX 256

struct cert_ext {
	struct xos_bytes oid, value;
	bool critical;
};

struct cert_rdn {
	const char *type;
	char *value;
};

/* Bytes point into der, which never moves. */
struct xos_cert {
	atomic_uint refs;
	uint8_t *der;
	size_t der_len;
	X509 *x509;
	struct xos_key *key;
	uint8_t fingerprint[XOS_SHA256_LEN];
	struct xos_bytes serial, subject_der, issuer_der, sigalg, spki;
	char serial_text[XOS_SERIAL_TEXT];
	int64_t not_before, not_after;
	struct cert_rdn rdn[CERT_RDN_MAX];
	size_t nrdn;
	char *subject_text;
	struct cert_ext ext[CERT_EXT_MAX];
	size_t next;
	/* From the extensions. */
	bool ca, proxy;
	long path_len;
	struct xos_bytes proxy_language;
	char *uri;
};

/* Fills what follows from the extensions; ext[] stands already. */
enum xos_status pki_cert_read_exts(struct xos_cert *c, struct xos_err *err);
/* Reads the Extensions sequence into ext[]. */
bool pki_cert_list_exts(struct xos_cert *c, struct xos_bytes exts);
/* The signature's algorithm is the one that goes with the signing key. */
bool pki_cert_algorithm_ok(const struct xos_cert *c, const struct xos_key *key);

#endif
