#ifndef XOS_JOBS_ORDER_H
#define XOS_JOBS_ORDER_H

#include <stdint.h>

#include "api/jobs.h"
#include "base/bytes.h"
#include "base/status.h"
#include "pki/cert.h"

/*
 * What the front may ask of the starter, over lib/proc/channel. The starter believes nothing of it:
 * each order is checked against the job's id, the credential and xos-credd's own answer.
 */
enum xos_order_type {
	XOS_ORDER_PREPARE =
	    1,            /* may it run? -> key and certification request: struct xos_order_offer */
	XOS_ORDER_START,  /* here is the delegation -> u64: its end, lp why it is not renewed */
	XOS_ORDER_CANCEL, /* lp id -> nothing */
	XOS_ORDER_RELEASE, /* lp id; of a job that never got its credential -> nothing */
	XOS_ORDER_PREVIEW, /* lp question, u8 n, n times lp certificate of who asks -> lp json */
	XOS_ORDER_GRANT =
	    7 /* a longer grant for a job that runs: struct xos_order_grant -> u64: its end */
};

#define XOS_ORDER_MAX (120 * 1024)      /* bytes of one order */
#define XOS_ORDER_CHAIN_MAX (48 * 1024) /* bytes of one chain */
#define XOS_ORDER_GRANT_MAX (48 * 1024) /* bytes of one grant */

/* PREPARE and START. All borrowed. */
struct xos_order {
	struct xos_bytes spec; /* canonical */
	int64_t submitted;     /* for the record */
	char source[64];       /* address of the member's machine, for policy */
	/* PREPARE: the submitter's own chain. START: the delegation. DER, leaf first. */
	struct xos_bytes chain[XOS_CHAIN_MAX];
	size_t n;
	/* START: the member's grant, signed by what stands behind the delegation in the chain; or none. */
	struct xos_bytes grant;
};

struct xos_order_grant {
	char id[XOS_JOB_ID_TEXT];
	struct xos_bytes chain[XOS_CHAIN_MAX]; /* of the member who signed */
	size_t n;
	struct xos_bytes grant;
};

struct xos_order_offer {
	uint8_t csr[4096];
	size_t ncsr;
	int64_t not_after; /* latest end of the delegation */
	int64_t wall;      /* seconds that the job will get */
};

XOS_MUST_USE enum xos_status xos_order_encode(
    const struct xos_order *o, struct xos_buf *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_order_decode(
    struct xos_bytes in, struct xos_order *o, struct xos_err *err);
void xos_order_offer_encode(const struct xos_order_offer *o, struct xos_buf *out);
XOS_MUST_USE enum xos_status xos_order_offer_decode(
    struct xos_bytes in, struct xos_order_offer *o, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_order_grant_encode(
    const struct xos_order_grant *g, struct xos_buf *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_order_grant_decode(
    struct xos_bytes in, struct xos_order_grant *g, struct xos_err *err);
/* CANCEL and RELEASE. */
XOS_MUST_USE enum xos_status xos_order_id_decode(
    struct xos_bytes in, char id[XOS_JOB_ID_TEXT], struct xos_err *err);

#endif
