#ifndef XOS_CREDD_DECIDE_H
#define XOS_CREDD_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/status.h"
#include "decide/known.h"
#include "decide/record.h"
#include "credd/view.h"
#include "local/message.h"

/*
 * The node's decision point: one view, a cache of verified chains, and the counts of what was
 * decided. Belongs to one thread.
 */
struct xos_credd_decider;

/* Takes view. self outlives the decider. */
XOS_MUST_USE enum xos_status xos_credd_decider_new(const struct xos_credd_self *self,
    struct xos_credd_view *view, struct xos_credd_decider **out, struct xos_err *err);
void xos_credd_decider_free(struct xos_credd_decider *d);
/* From now on decides by this view, which it takes; the old one is freed, the cache emptied. */
void xos_credd_decider_exchange(struct xos_credd_decider *d, struct xos_credd_view *view);
/* The VO has banned this node, says the policy service in text: nothing is permitted until "" is said. */
void xos_credd_decider_bar(struct xos_credd_decider *d, const char *text);
/* By a view that still counts, on a node that is not barred? As xos_credd_view_usable, or DENIED "locked". */
XOS_MUST_USE enum xos_status xos_credd_decider_usable(
    const struct xos_credd_decider *d, int64_t now, struct xos_err *err);
const struct xos_credd_view *xos_credd_decider_view(const struct xos_credd_decider *d);
/* Another number with each view and each bar, also after a restart: who decided by one need not decide anew while it stands. */
uint64_t xos_credd_decider_version(const struct xos_credd_decider *d);

/* Verifies a chain of a member, from the cache if it is known; one of a node or service is DENIED, code
 * "token-kind". *out is borrowed until the next call. */
XOS_MUST_USE enum xos_status xos_credd_decider_verify(struct xos_credd_decider *d,
    const struct xos_bytes *chain, size_t n, int64_t now, const struct xos_known **out,
    struct xos_err *err);

struct xos_credd_question {
	const struct xos_bytes *chain;
	size_t nchain;
	struct xos_bytes text; /* AuthZEN request */
	uid_t peer;            /* who asks, by the kernel */
	bool service;          /* may ask about others */
	const char *
	    leased_to; /* the member of the job that has this peer's uid to itself; NULL: none has */
};

struct xos_credd_verdict {
	enum xos_local_decision decision;
	struct xos_buf json; /* AuthZEN answer */
	char subject[XOS_LOCAL_SUBJECT_MAX + 1];
	struct xos_local_account account;
	int64_t not_after;
};

/*
 * Decides and writes one event "decision". XOS_OK for every verdict, also for "no"; an error when
 * there is nothing to decide: the chain does not verify, the request is malformed or names another
 * subject, site or node, or the peer may not ask. *out is to be freed after XOS_OK only.
 */
XOS_MUST_USE enum xos_status xos_credd_authorise(struct xos_credd_decider *d,
    const struct xos_credd_question *q, struct xos_credd_verdict *out, struct xos_err *err);
void xos_credd_verdict_free(struct xos_credd_verdict *v);

struct xos_credd_counts {
	uint64_t permit, deny, undecided, hits, misses;
};
const struct xos_credd_counts *xos_credd_decider_counts(const struct xos_credd_decider *d);
/* How the record of decisions stands (decide/record.h). */
void xos_credd_decider_recorded(
    const struct xos_credd_decider *d, struct xos_decision_log_counts *out);

#endif
