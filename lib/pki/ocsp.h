#ifndef XOS_PKI_OCSP_H
#define XOS_PKI_OCSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/cert.h"
#include "pki/crl.h"
#include "pki/key.h"

/*
 * The answering side of OCSP (RFC 6960), for one issuer. Requests come from anybody and are read strictly;
 * a signature on a request is not looked at, as the answer is the same for everybody.
 */
#define XOS_OCSP_REQUEST_MAX 2048
#define XOS_OCSP_IDS_MAX 8    /* certificates asked about in one request */
#define XOS_OCSP_NONCE_MAX 32 /* RFC 8954 */
#define XOS_OCSP_RESPONSE_MAX 16384

/* One CertID, borrowed from the request. */
struct xos_ocsp_id {
	struct xos_bytes der;                         /* whole: the answer repeats it */
	bool sha256;                                  /* else SHA-1 */
	struct xos_bytes name_hash, key_hash, serial; /* serial: without the sign byte */
};

struct xos_ocsp_request {
	struct xos_ocsp_id id[XOS_OCSP_IDS_MAX];
	size_t n;               /* 1 or more */
	struct xos_bytes nonce; /* NONE: without */
};

/* Borrows from der. MALFORMED (code "ocsp-request"): not strict DER, another version, a hash that is neither
 * SHA-1 nor SHA-256, a nonce that is empty or too long, a critical extension; LIMIT (the same code): longer
 * than XOS_OCSP_REQUEST_MAX, or more than XOS_OCSP_IDS_MAX certificates. */
XOS_MUST_USE enum xos_status xos_ocsp_request_parse(
    struct xos_bytes der, struct xos_ocsp_request *out, struct xos_err *err);
/* The same for RFC 6960 appendix A.1's form in a URL, decoded into buf, from which out borrows. */
XOS_MUST_USE enum xos_status xos_ocsp_request_from_base64(
    const char *text, struct xos_buf *buf, struct xos_ocsp_request *out, struct xos_err *err);

/* The hashes by which requests name one issuer. */
struct xos_ocsp_issuer {
	uint8_t sha1_name[20], sha1_key[20];
	uint8_t sha256_name[XOS_SHA256_LEN], sha256_key[XOS_SHA256_LEN];
};
XOS_MUST_USE enum xos_status xos_ocsp_issuer_init(
    const struct xos_cert *issuer, struct xos_ocsp_issuer *out, struct xos_err *err);
bool xos_ocsp_id_is_of(const struct xos_ocsp_id *id, const struct xos_ocsp_issuer *issuer);

enum xos_ocsp_state { XOS_OCSP_GOOD, XOS_OCSP_REVOKED, XOS_OCSP_UNKNOWN };
struct xos_ocsp_single {
	enum xos_ocsp_state state;
	int64_t since; /* revoked */
	enum xos_crl_reason reason;
};

struct xos_ocsp_answer {
	const struct xos_ocsp_request *request;
	const struct xos_ocsp_single *single; /* one for each of request->id */
	int64_t this_update, next_update;     /* produced: at this_update */
};
/* Appends an OCSPResponse "successful" with the responder's certificate in it; a nonce is repeated. */
XOS_MUST_USE enum xos_status xos_ocsp_answer_sign(const struct xos_cert *responder,
    const struct xos_key *key, const struct xos_ocsp_answer *a, struct xos_buf *out,
    struct xos_err *err);

/* OCSPResponseStatus without an answer: RFC 6960 2.3. Not signed. */
enum xos_ocsp_failure {
	XOS_OCSP_MALFORMED_REQUEST = 1,
	XOS_OCSP_INTERNAL_ERROR = 2,
	XOS_OCSP_TRY_LATER = 3,
	XOS_OCSP_UNAUTHORIZED = 6 /* not our issuer: we can say nothing */
};
void xos_ocsp_failure_put(struct xos_buf *out, enum xos_ocsp_failure why);

/* What makes a certificate one of a responder (RFC 6960 4.2.2.2), for its issuance. */
#define XOS_EKU_OCSP XOS_OID("\x2b\x06\x01\x05\x05\x07\x03\x09")
#define XOS_OID_OCSP_NOCHECK XOS_OID("\x2b\x06\x01\x05\x05\x07\x30\x01\x05") /* value: NULL */

#endif
