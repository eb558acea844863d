#ifndef XOS_CLI_RECEIPT_H
#define XOS_CLI_RECEIPT_H

#include "cli/cli.h"
#include "json/json.h"

/*
 * Which nodes carry out what was just said: asks the policy service, which knows from the nodes themselves by which
 * bundle each decides, and the resource authority, which knows what nodes there are, until all do or the time is over.
 */
struct xos_cli_receipt {
	const char *lock; /* the id of a lock that must be there */
	const char *gone; /* or must not */
	uint64_t vo_set;  /* or this serial of the VO's set, or a higher one */
	int64_t wait;     /* seconds; 0: as it is now */
};
#define XOS_CLI_RECEIPT_WAIT                                                                       \
	15 /* a usual wait: more than the refresh interval of everything on the way */

/* The value of --wait; NULL: the usual one. */
XOS_MUST_USE enum xos_status xos_cli_receipt_wait(
    const char *text, int64_t *out, struct xos_err *err);

/*
 * {"nodes": n, "enforced": n, "complete": bool, "missing": [{"node", "site", "seen"?, "until"}]}: until is when at the latest that node
 * stops deciding by what it has. The command itself is done whatever comes of this: an error only says that nothing is known.
 */
XOS_MUST_USE enum xos_status xos_cli_receipt_get(const struct xos_cli *cli,
    const struct xos_cli_receipt *r, struct xos_json **out, struct xos_err *err);
/* For people: "enforced by 3 of 4 nodes; not reached: n4 (last seen ..., could accept until ...)". */
void xos_cli_receipt_say(const struct xos_json *receipt);
/* Both, after a command that is done: puts it into result as "receipt" (--json) or prints it. What cannot be found out is told and
 * changes no exit status. */
void xos_cli_receipt_after(
    const struct xos_cli *cli, const struct xos_cli_receipt *r, struct xos_json *result);

/* After a lock or a ban: of the id in result; gone: it must not be there any more. Nothing without an id. */
void xos_cli_receipt_of_lock(
    const struct xos_cli *cli, struct xos_json *result, bool gone, int64_t wait);

#endif
