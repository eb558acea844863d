#ifndef XOS_PKI_ISSUE_H
#define XOS_PKI_ISSUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/cert.h"
#include "pki/der.h"
#include "pki/key.h"
#include "pki/points.h"

/*
 * Making certificates (RFC 5280; proxies RFC 3820). This says how a certificate is encoded and what
 * no certificate may be (longer than its issuer, of an unknown key); lib/token says what a
 * certificate of ours means.
 *
 * A prepared issuer keeps what does not change between certificates (name, key identifier,
 * algorithm, signing context), so that one issuance costs little more than its signature. One
 * thread at a time.
 */
struct xos_issuer;

/* Borrows nothing: takes references. The key must be the certificate's. */
XOS_MUST_USE enum xos_status xos_issuer_new(const struct xos_cert *cert, const struct xos_key *key,
    struct xos_issuer **out, struct xos_err *err);
void xos_issuer_free(struct xos_issuer *i);
const struct xos_cert *xos_issuer_cert(const struct xos_issuer *i);

enum xos_rdn_type { XOS_RDN_O, XOS_RDN_OU, XOS_RDN_CN };

struct xos_rdn {
	enum xos_rdn_type type;
	const char *value; /* UTF-8, 1 to 64 bytes (RFC 5280 appendix A.1) */
};

struct xos_ext {
	struct xos_bytes oid; /* contents of the OID */
	bool critical;
	struct xos_bytes value; /* DER that goes into the OCTET STRING */
};

/* keyUsage bits as in RFC 5280 4.2.1.3, first bit of the first byte. */
#define XOS_KU_DIGITAL_SIGNATURE 0x80
#define XOS_KU_CERT_SIGN 0x04
#define XOS_KU_CRL_SIGN 0x02

#define XOS_EKU_SERVER_AUTH XOS_OID("\x2b\x06\x01\x05\x05\x07\x03\x01")
#define XOS_EKU_CLIENT_AUTH XOS_OID("\x2b\x06\x01\x05\x05\x07\x03\x02")

#define XOS_ISSUE_SERIAL_LEN 16
#define XOS_ISSUE_LIST_MAX 32 /* entries of each list below */

/* A permitted directory subtree: a list of RDNs. */
struct xos_subtree {
	const struct xos_rdn *rdn;
	size_t n;
};

/* What to issue. All pointers are borrowed for the call. Zero means absent. */
struct xos_issue {
	const struct xos_rdn *subject;
	size_t nsubject;
	struct xos_bytes
	    spki; /* accepted as it is: it came from xos_key, xos_csr or a certificate */
	int64_t not_before, not_after;
	bool ca;
	bool has_path_len;
	unsigned path_len;
	uint8_t key_usage;
	const struct xos_bytes *eku; /* OID contents */
	size_t neku;
	const char *uri;
	const char *const *dns;
	size_t ndns;
	const char *const *ips; /* "192.0.2.1", "2001:db8::1" */
	size_t nips;
	const struct xos_subtree *permitted; /* critical name constraints, for issuers */
	size_t npermitted;
	const struct xos_ext *exts;
	size_t nexts;
	const struct xos_points *points; /* where its status stands; NULL: not said */
};

/*
 * Appends the DER of a new certificate to out and gives its serial (128 random bits, positive). The
 * issuer must be a CA that may sign certificates. DENIED if the certificate would begin before or
 * end after its issuer's (codes "issuer-lifetime"), MALFORMED if a name or list does not fit.
 */
XOS_MUST_USE enum xos_status xos_issue_cert(struct xos_issuer *i, const struct xos_issue *what,
    uint8_t serial[XOS_ISSUE_SERIAL_LEN], struct xos_buf *out, struct xos_err *err);

/* Self-signed root: what->spki is ignored (the key's is used), ca and the CA key usages are set. */
XOS_MUST_USE enum xos_status xos_issue_root(const struct xos_key *key, const struct xos_issue *what,
    struct xos_buf *out, struct xos_err *err);

/*
 * RFC 3820 proxy: the issuer is an end-entity certificate (or a proxy whose path length allows one
 * more) with digitalSignature. The subject is the issuer's with one CN, the serial in decimal. No
 * alternative name; keyUsage digitalSignature.
 */
struct xos_issue_proxy {
	struct xos_bytes spki;
	int64_t not_before, not_after;
	unsigned path_len;
	struct xos_bytes language; /* OID contents */
	const struct xos_ext *exts;
	size_t nexts;
};

XOS_MUST_USE enum xos_status xos_issue_proxy(struct xos_issuer *i,
    const struct xos_issue_proxy *what, struct xos_buf *out, struct xos_err *err);

#endif
