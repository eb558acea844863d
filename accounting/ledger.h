#ifndef XOS_ACCOUNTING_LEDGER_H
#define XOS_ACCOUNTING_LEDGER_H

#include <stdint.h>
#include <sys/types.h>

#include "api/accounting.h"
#include "api/logserve.h"
#include "base/status.h"
#include "json/json.h"
#include "pki/key.h"

/*
 * The records: a chained log with signed heads (the truth) and an index in SQLite, made from it and
 * brought up to date from it whenever the ledger is opened.
 */
struct xos_ledger;

#define XOS_LEDGER_TYPE_JOB 1 /* of records in the log; the payload is the record's JSON */

struct xos_ledger_options {
	const char *log;              /* path; the newest signed head stands beside it */
	const char *index;            /* path */
	const char *name;             /* of the log: "demo/accounting" */
	mode_t mode;                  /* of new log files */
	const struct xos_key *key;    /* signs heads; outlives the ledger */
	const struct xos_key *before; /* signed them before; NULL: none. The same life */
};

XOS_MUST_USE enum xos_status xos_ledger_open(
    const struct xos_ledger_options *o, struct xos_ledger **out, struct xos_err *err);
void xos_ledger_close(struct xos_ledger *l);

/* Of its log, what anybody may know. chain: of the signing key. */
XOS_MUST_USE enum xos_status xos_ledger_tell(struct xos_ledger *l, const struct xos_chain *chain,
    enum xos_log_question q, struct xos_bytes ask, struct xos_buf *reply, struct xos_err *err);

/*
 * Appends; durable when OK. The same record again gives the same sequence and changes nothing; another
 * record under an id that its node has used is CONFLICT (code "record-differs").
 */
XOS_MUST_USE enum xos_status xos_ledger_append(
    struct xos_ledger *l, const struct xos_record *r, uint64_t *sequence, struct xos_err *err);

struct xos_ledger_query {
	const char *member; /* NULL: all */
	int64_t since;      /* that ended at or after; 0: all */
	uint64_t after;     /* sequence */
	int64_t limit;
};
/* Appends {"records": [{"sequence", "record"}], "more"} to out. */
XOS_MUST_USE enum xos_status xos_ledger_list(struct xos_ledger *l, const struct xos_ledger_query *q,
    struct xos_buf *out, struct xos_err *err);

#endif
