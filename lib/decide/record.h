#ifndef XOS_DECIDE_RECORD_H
#define XOS_DECIDE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "policy/decide.h"
#include "token/verify.h"

/*
 * The record of decisions: one JSON object a line (docs/protocols/decision-log.md), with all that the engine was
 * asked by, so that `xos-policy diff --log` can ask other policies the same. Denials and what could not be decided
 * stand there always, unless the log samples them as well; of permits all, or one in so many, which each line says. A file that is full is put aside under the time
 * of its last line; the oldest go. Never a reason not to decide: what could not be written is counted, and an event
 * says so once. Any thread.
 */
struct xos_decision_log;

#define XOS_DECISION_RECORD_MAX (512u * 1024) /* bytes of a line */
#define XOS_DECISION_LOG_FILES_MAX 1000u

struct xos_decision_log_options {
	const char *folder; /* made if missing, 0700; the files are 0600: they say who did what */
	uint64_t sample;    /* one permit in so many; 1: all; 0: no record is kept at all */
	bool
	    sample_all; /* and of the others one in so many, too: for who answers thousands at once */
	uint64_t bytes; /* of a file, before it is put aside */
	uint64_t files; /* put aside, at most */
};
/* What cannot be opened now is tried again with each record. */
XOS_MUST_USE enum xos_status xos_decision_log_open(
    const struct xos_decision_log_options *o, struct xos_decision_log **out, struct xos_err *err);
void xos_decision_log_close(struct xos_decision_log *l); /* NULL-safe */

enum xos_decision_outcome { XOS_DECISION_PERMIT, XOS_DECISION_DENY, XOS_DECISION_UNDECIDED };
const char *xos_decision_outcome_name(enum xos_decision_outcome o); /* "permit", ... */

/* All borrowed. */
struct xos_decision_record {
	const char *id;
	int64_t now; /* by which it was decided */
	enum xos_decision_outcome outcome;
	const char *by; /* sets and statements, "vo demo:1, site lab:3"; NULL: no set was asked */
	const char *reason; /* without a set: "locked", "roster", "bundle-old"; else NULL */
	uint64_t bundle_serial;
	const struct xos_policy_request *asked; /* subject and place as the engine had them */
	const struct xos_identity *identity; /* delegations; NULL: decided without a certificate */
	struct xos_bytes request;            /* as it came: a JSON object that was decoded */
};
void xos_decision_log_put(
    struct xos_decision_log *l, const struct xos_decision_record *r); /* l NULL: nothing */
/* The same in two steps, for whom it costs something to put a record together: does this one fall into the sample (which
 * counts it)? Then it is written. */
bool xos_decision_log_wants(struct xos_decision_log *l, enum xos_decision_outcome o);
void xos_decision_log_write(struct xos_decision_log *l, const struct xos_decision_record *r);
/* Appends the line, with its end; sample: what it stands for. For the log itself and for tests. */
XOS_MUST_USE enum xos_status xos_decision_record_encode(
    const struct xos_decision_record *r, uint64_t sample, struct xos_buf *out, struct xos_err *err);

struct xos_decision_log_counts {
	uint64_t written, left_out, lost;  /* left_out: permits beyond the sample */
	char last_error[XOS_ERR_TEXT_MAX]; /* "" since the last success */
};
void xos_decision_log_count(struct xos_decision_log *l, struct xos_decision_log_counts *out);

#endif
