#ifndef XOS_CA_RECORD_H
#define XOS_CA_RECORD_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"
#include "ca/membership/acts.h"
#include "pki/cert.h"
#include "token/claims.h"

/*
 * What stands in the log of the authority, as JSON objects (sorted keys, no white space), one record
 * type each. Described in docs/protocols/authority-log.md; fields are only ever added.
 */
enum ca_record_type {
	CA_RECORD_ISSUED = 1,      /* a token, written before it leaves the key process */
	CA_RECORD_ACT = 2,         /* an administrative act */
	CA_RECORD_SIGNED = 3,      /* a roster or lock list */
	CA_RECORD_RESPONDER = 20,  /* the certificate of the OCSP responder, before it is used */
	CA_RECORD_DELEGATION = 21, /* a certificate under the grant of a job, likewise */
};

struct ca_issued {
	const struct xos_claims *claims;
	const char *serial; /* hexadecimal */
	int64_t not_before, not_after;
	uint8_t spki_sha256[XOS_SHA256_LEN];
	const char *grant; /* the proof of the log-in; of a delegation, what it was issued under */
	const char *node;  /* of a delegation */
};
XOS_MUST_USE enum xos_status ca_record_issued(
    const struct ca_issued *r, struct xos_buf *out, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_record_act(
    const struct ca_act *act, struct xos_buf *out, struct xos_err *err);

struct ca_signed {
	const char *what; /* "roster", "locks" */
	uint64_t serial, version, count;
	struct xos_bytes compact;
};
XOS_MUST_USE enum xos_status ca_record_signed(
    const struct ca_signed *r, struct xos_buf *out, struct xos_err *err);

struct ca_responder_record {
	const char *serial; /* hexadecimal */
	int64_t not_before, not_after;
	const uint8_t *spki_sha256;
};
XOS_MUST_USE enum xos_status ca_record_responder(
    const struct ca_responder_record *r, struct xos_buf *out, struct xos_err *err);

/* What the key process has to know of its own log again after a restart. */
struct ca_replay {
	int64_t now;            /* given: tokens that ended before are passed over */
	uint64_t acts;          /* id of the last act */
	uint64_t roster, locks; /* last serials */
};
/* An unexpired token, or a delegation that was issued under a grant. */
#define CA_NAME_GRANT "grant=" /* and the id, among the names of a delegation */
struct ca_token_entry {
	bool delegation;
	char serial[XOS_SERIAL_TEXT];
	uint64_t number; /* of the member */
	int64_t not_before, not_after;
	struct ca_names
	    names; /* groups, then roles, then the grant; owned by whoever filled it in */
};
/* Reads one record: updates *replay, or fills *entry (then *is_token, and the names are the
 * caller's to free). MALFORMED for a record that this
 * program cannot have written. */
XOS_MUST_USE enum xos_status ca_record_read(uint16_t type, struct xos_bytes payload,
    struct ca_replay *replay, struct ca_token_entry *entry, bool *is_token, struct xos_err *err);

#endif
