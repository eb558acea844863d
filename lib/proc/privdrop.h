#ifndef XOS_PROC_PRIVDROP_H
#define XOS_PROC_PRIVDROP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/status.h"

struct xos_proc_user {
	uid_t uid;           /* not 0 */
	gid_t gid;           /* not 0 */
	const gid_t *groups; /* the only supplementary groups kept; NULL for none */
	size_t ngroups;
};

/*
 * Becomes that user for good: groups, gid, uid, then checks that root cannot be regained, then
 * xos_proc_harden. Keeps the parent-death signal that the change of user would clear. to NULL only
 * hardens. Not being root, another user cannot be taken: *skipped becomes true, the process is
 * hardened, the result is OK and the caller says so in an event. *skipped may be NULL.
 */
XOS_MUST_USE enum xos_status xos_privdrop(
    const struct xos_proc_user *to, bool *skipped, struct xos_err *err);

/*
 * no_new_privs, no core dumps, not dumpable (so that processes of the same user cannot read its
 * memory or /proc/PID). Under AddressSanitizer the process stays dumpable: its leak check attaches
 * to itself.
 */
XOS_MUST_USE enum xos_status xos_proc_harden(struct xos_err *err);

#endif
