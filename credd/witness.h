#ifndef XOS_CREDD_WITNESS_H
#define XOS_CREDD_WITNESS_H

#include "api/logheads.h"
#include "bundle/bundle.h"

/*
 * The node as a witness that the logs of its VO only grow. Bundles bring signed heads; the newest of each log is kept in
 * DIR/witness/SERVICE.head, and a greater one takes its place once it is proven that the log only grew. A smaller one, another one of the same
 * size, and one that is proven to be of another log contradict what this node has seen: both heads go to DIR/witness/SERVICE.conflict, which stays until
 * a person removes it. No bundle is refused for it: locks must arrive.
 * One thread.
 */
struct xos_credd_witness;

/* How it stands with one log; a copy for other threads. */
struct xos_credd_witnessed {
	bool known;
	char name[XOS_LOG_NAME_MAX + 1];
	uint64_t records;  /* of the newest head that is kept */
	int64_t signed_at; /* it was signed then */
	uint64_t waiting;  /* of a greater one that nobody has proven yet; 0: none */
	int64_t waiting_since;
	bool contradicted;
	char trouble[XOS_ERR_TEXT_MAX]; /* what is wrong; "" */
};
struct xos_credd_witness_state {
	struct xos_credd_witnessed log[XOS_VO_LOGS];
	char refused[XOS_ERR_TEXT_MAX]; /* why a head of the last bundle was none; "" */
};

/* state: DIR; trust outlives it. What is kept there is read; a file that is damaged is told by the state and not replaced. */
XOS_MUST_USE enum xos_status xos_credd_witness_new(const char *state, const char *vo,
    const struct xos_trust *trust, struct xos_credd_witness **out, struct xos_err *err);
void xos_credd_witness_free(struct xos_credd_witness *w); /* NULL-safe */

/* The heads of a verified bundle that came. */
void xos_credd_witness_see(struct xos_credd_witness *w, const struct xos_bundle *b, int64_t now);

/* What is to be proven next: that the log of `to` records is that of `from` records, grown. False: nothing just now. */
struct xos_credd_witness_question {
	enum xos_vo_log log;
	uint64_t from, to;
};
bool xos_credd_witness_next(
    struct xos_credd_witness *w, int64_t now_ms, struct xos_credd_witness_question *q);
/* The answer: {"path"}, or why there is none (st, why). now_ms: monotonic. */
void xos_credd_witness_answer(struct xos_credd_witness *w,
    const struct xos_credd_witness_question *q, const struct xos_json *doc, enum xos_status st,
    const struct xos_err *why, int64_t now_ms);

void xos_credd_witness_state(
    const struct xos_credd_witness *w, struct xos_credd_witness_state *out);
/* "logs": [...] of the operation status. */
void xos_credd_witness_json(const struct xos_credd_witness_state *s, struct xos_json *root);

#endif
