#ifndef XOS_TOOLS_ACCT_VERIFY_H
#define XOS_TOOLS_ACCT_VERIFY_H

#include <stdint.h>

#include "cli/cli.h"
#include "cli/vo.h"
#include "log/log.h"

/*
 * Verifies an accounting log from its first byte: every record's hash, the newest head's signature, the
 * certificate of the key that made it under the VO's root; and, against the head that this machine saw
 * last (accounting.seen in the VO's folder), that nothing which was there then is gone or changed.
 */
struct acct_verify {
	const char *log;         /* a file; NULL: the server's log, as it is on its disk now */
	const char *head;        /* with log; NULL: log ".head" */
	const char *certificate; /* with log */
};

struct acct_verified {
	char name[XOS_LOG_NAME_MAX + 1];
	uint64_t records, seen;  /* seen: how many were known from before; 0: none */
	int64_t time, seen_time; /* of the head; of the one seen before */
};

/* MALFORMED or DENIED: the text names the record. */
enum xos_status acct_verify(struct xos_cli *cli, const struct acct_verify *v,
    struct acct_verified *out, struct xos_err *err);

#endif
