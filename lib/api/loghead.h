#ifndef XOS_API_LOGHEAD_H
#define XOS_API_LOGHEAD_H

#include "log/log.h"
#include "pki/key.h"

/*
 * lib/log's cryptography by lib/pki: SHA-256, and heads signed as JWS of type xos-log-head+jws with the
 * payload {"log", "sequence", "hash": hexadecimal, "time", "root": hexadecimal}; heads from before logs
 * had a tree have no root.
 */
#define XOS_LOGHEAD_TYP "xos-log-head+jws"
#define XOS_LOGHEAD_PAYLOAD_MAX 512

struct xos_loghead {
	const struct xos_key
	    *key; /* private to write; public is enough to verify; outlives the log */
	const struct xos_key *before; /* the key before that one, also good to verify; NULL: none */
};
/* h outlives what is made with the result; NULL: for hashing alone. */
struct xos_log_crypto xos_loghead_crypto(struct xos_loghead *h);

/* Such a payload, whose signature was verified, as a head; it must have a root. MALFORMED. */
XOS_MUST_USE enum xos_status xos_loghead_payload(
    struct xos_bytes payload, struct xos_log_head *out, struct xos_err *err);

#endif
