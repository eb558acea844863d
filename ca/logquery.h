#ifndef XOS_CA_LOGQUERY_H
#define XOS_CA_LOGQUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"
#include "pki/cert.h"

/*
 * What auth asks key about its log (CA_LOG_RECORDS): which records, each with its proof for the tree of `size` records.
 * The answer is JSON, {"size", "records": [{"entry", "path"}], "next"?}; with "next" not all was looked at:
 * ask again from there. One question looks at CA_LOG_LOOK records at most, since key signs nothing meanwhile.
 */
#define CA_LOG_LOOK 5000
#define CA_LOG_PAGE 200 /* records of one answer */

struct ca_log_query {
	uint64_t size;     /* at most the log's own */
	uint64_t from, to; /* sequences, both included; to 0: size */
	bool backward;     /* from `to` down, until one is found */
	uint32_t max;      /* records; 1 to CA_LOG_PAGE */
	/* Of the record: */
	int64_t since, until;            /* both included */
	char member[XOS_MEMBER_MAX + 1]; /* about this member; "": anybody */
	bool own; /* only what concerns that member alone: for the member's own eyes */
	char serial[XOS_SERIAL_TEXT]; /* the issuance of this token; "": any record */
	uint64_t act;                 /* this administrative act; 0: any record */
};

void ca_log_query_put(struct xos_buf *b, const struct ca_log_query *q);
XOS_MUST_USE enum xos_status ca_log_query_get(
    struct xos_bytes in, struct ca_log_query *q, struct xos_err *err);

/* Is this record one of those asked for? Times are not looked at here. MALFORMED: the record is not JSON. */
XOS_MUST_USE enum xos_status ca_log_query_match(const struct ca_log_query *q, uint16_t type,
    struct xos_bytes payload, bool *match, struct xos_err *err);

#endif
