#ifndef XOS_LOCAL_CALL_H
#define XOS_LOCAL_CALL_H

#include "local/client.h"

/* Shared between the files of lib/local only: one exchange with credd. */

/* An answer and the memory that it borrows from. */
struct reply {
	struct xos_local_answer answer;
	struct xos_secret *secret;
	uint8_t *plain;
};

void local_reply_clear(struct reply *r);
/* What credd refused comes back as an error, and *out is then empty. */
XOS_MUST_USE enum xos_status local_call(struct xos_local *l, const struct xos_local_request *req,
    struct reply *out, struct xos_err *err);
/* A request with this identifier ("" and NULL: none). */
XOS_MUST_USE enum xos_status local_request(struct xos_local_request *req, enum xos_local_op op,
    const char *id, const struct xos_bytes *chain, size_t nchain, struct xos_err *err);

#endif
