#ifndef XOS_RCA_FROM_H
#define XOS_RCA_FROM_H

#include "api/rca.h"
#include "base/bytes.h"
#include "rca/generations.h"

/*
 * A body with the address that it came from, network -> auth: the address, a newline, the body. A body alone, which
 * begins with a brace, has no address. The address is for messages to people: auth cannot check it.
 */
#define RCA_FROM_BODY_MAX (XOS_RCA_BODY_MAX + RCA_FROM_MAX + 1)

/* peer: "127.0.0.1:40000" or "[::1]:40000". */
void rca_from_join(struct xos_buf *out, const char *peer, struct xos_bytes body);
/* out is "" where no address, or nothing that looks like one, is there. */
struct xos_bytes rca_from_split(struct xos_bytes payload, char out[RCA_FROM_MAX + 1]);

#endif
