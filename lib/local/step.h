#ifndef XOS_LOCAL_STEP_H
#define XOS_LOCAL_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/*
 * What a delegation shall say, as operation delegate carries it. The bounds are those of lib/token's delegation
 * extension, which this layer cannot see; credd's side checks the contents, here only the form counts.
 */
#define XOS_LOCAL_CSR_MAX 4096
#define XOS_LOCAL_NODE_MAX 253
#define XOS_LOCAL_ACTOR_MAX 31
#define XOS_LOCAL_GRANT_MAX 64
#define XOS_LOCAL_DEPTH_MAX 8
#define XOS_LOCAL_RESTRICTION_MAX 8192

struct xos_local_step {
	struct xos_bytes csr; /* PKCS#10, DER: of whoever shall hold it; borrowed */
	char actor[XOS_LOCAL_ACTOR_MAX + 1];
	char node[XOS_LOCAL_NODE_MAX + 1]; /* "": any that the delegator may name */
	char id[XOS_LOCAL_GRANT_MAX + 1];  /* "": none */
	int64_t until;                     /* 0: as long as the delegator's */
	unsigned depth;
	struct xos_bytes restriction; /* DER; empty: none; borrowed */
};

/* Text csr, actor, node, id; 64 bits until; one byte depth; text restriction. MALFORMED if a field is missing or too
 * long. */
XOS_MUST_USE enum xos_status xos_local_step_write(
    const struct xos_local_step *step, struct xos_buf *out, struct xos_err *err);
bool xos_local_step_read(struct xos_reader *r, struct xos_local_step *out);

#endif
