#ifndef XOS_CREDD_OPS_H
#define XOS_CREDD_OPS_H

#include <stdint.h>

#include "credd/config.h"
#include "credd/decide.h"
#include "credd/jobs.h"
#include "credd/leases.h"
#include "credd/renewals.h"
#include "credd/server.h"
#include "credd/sessions.h"
#include "credd/witness.h"

/* How it stands with what is asked of servers; kept on the loop's thread. */
struct xos_credd_contact {
	int64_t last_ok;                   /* 0: never */
	int64_t next;                      /* 0: not planned */
	char last_error[XOS_ERR_TEXT_MAX]; /* "" since the last success */
	char barred[XOS_ERR_TEXT_MAX]; /* why the policy service gives this node no bundle; "" */
};

struct xos_credd_certificate {
	int64_t not_after, renew_after; /* 0: no certificate */
	uint8_t spki[XOS_SHA256_LEN];   /* digest of its key */
	bool confirmed;                 /* the authority knows that it is in use */
	bool refused;                   /* the authority says no: last_error has the reason */
	char last_error[XOS_ERR_TEXT_MAX];
};

/* What the operations of the socket work on. All borrowed; one thread. */
struct xos_credd_ops {
	const struct xos_credd_self *self;
	struct xos_credd_decider *decider;
	struct xos_credd_jobs *jobs;
	struct xos_credd_leases *leases;
	struct xos_credd_sessions *sessions;
	struct xos_credd_contact vops;
	struct xos_credd_certificate certificate;
	struct xos_credd_witness_state witness;
	struct xos_credd_renewals *renewals; /* NULL: no credential is renewed */
};

/* One request with what it works on. */
struct xos_credd_asked {
	struct xos_credd_ops *ops;
	const struct xos_credd_peer *peer;
	const struct xos_local_request *req;
	struct xos_local_answer *answer;
	struct xos_buf *plain;
	struct xos_secret **secret;
	int64_t now;
};

/* A xos_credd_handler; ctx is a struct xos_credd_ops. One table says which operations are for
 * service users only. */
enum xos_status xos_credd_ops_handle(void *ctx, const struct xos_credd_peer *peer,
    const struct xos_local_request *req, struct xos_local_answer *answer, struct xos_buf *plain,
    struct xos_secret **secret, struct xos_err *err);

/* Is the chain verified, on the roster, not locked, by a bundle that still counts? Asked before anything is done for it
 * or with its key. */
XOS_MUST_USE enum xos_status xos_credd_ops_standing(const struct xos_credd_ops *ops,
    const struct xos_bytes *chain, size_t n, int64_t now, const struct xos_known **out,
    struct xos_err *err);

/* The JSON object of operation status, appended to out. */
XOS_MUST_USE enum xos_status xos_credd_status_json(
    const struct xos_credd_ops *ops, struct xos_buf *out, struct xos_err *err);

#endif
