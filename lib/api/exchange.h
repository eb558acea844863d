#ifndef XOS_API_EXCHANGE_H
#define XOS_API_EXCHANGE_H

#include "auth/http.h"
#include "auth/scram.h"
#include "base/bytes.h"
#include "base/status.h"
#include "net/client.h"

/* The client's side of a SCRAM exchange in HTTP headers (RFC 7804), whatever it is for: the same body is sent with
 * both messages. For the files of this room. */
struct xos_exchange {
	struct xos_client *client;
	const char *vo;
	struct xos_buf path, body;
	struct xos_scram_client *scram;
	struct xos_answer *answer; /* the newest */
};

/* First message out, challenge back. */
XOS_MUST_USE enum xos_status xos_exchange_first(
    struct xos_exchange *x, struct xos_scram_header *challenge, struct xos_err *err);
/* The proof out, the server's proof back, and checked; the answer is the exchange's. */
XOS_MUST_USE enum xos_status xos_exchange_final(
    struct xos_exchange *x, const struct xos_scram_header *challenge, struct xos_err *err);

#endif
