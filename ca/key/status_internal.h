#ifndef XOS_CA_STATUS_INTERNAL_H
#define XOS_CA_STATUS_INTERNAL_H

/* Between the status*.c files only. */

#include "ca/key/held.h"
#include "ca/key/key.h"
#include "ca/key/status.h"
#include "pki/ocsp.h"

struct ca_crl {
	struct xos_buf der;             /* empty: none signed yet */
	uint64_t version;               /* of what holds tokens, when it was last compared */
	uint8_t digest[XOS_SHA256_LEN]; /* of the entries */
	int64_t signed_at, next_update;
};

struct ca_status {
	struct ca_held *held;
	struct xos_points *points; /* NULL: no URL */
	struct ca_crl part[XOS_POINTS_SHARDS], all;
	uint64_t number; /* of the newest list of any part */
	struct xos_ocsp_issuer issuer;
	struct xos_key *responder_key;
	struct xos_cert *responder;
	int64_t responder_since;
};

/* One view of the membership, with every act that it shows in the log: what is signed after this may follow
 * from it. Without a snapshot of the caller's. */
XOS_MUST_USE enum xos_status ca_status_refresh(struct ca_key *k, int64_t now, struct xos_err *err);

#endif
