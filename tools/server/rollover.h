#ifndef XOS_SERVER_ROLLOVER_H
#define XOS_SERVER_ROLLOVER_H

#include "base/secret.h"
#include "base/status.h"
#include "server/layout.h"

/*
 * A new key for one of the daemons, in steps that may each be killed and repeated: prepare, activate, taint, revoke;
 * undo takes prepare or activate back. Each but undo signs the next trust list with the root's key and puts it into
 * every trust folder here, where the daemons find it by themselves; nodes get it with their bundles.
 */
struct xos_rollover {
	const char *kind, *step; /* "ca", "delegation", "rca", "vops", "accounting"; as above */
	const char *root;        /* folder of the root's key; NULL: DIR/root */
	struct xos_secret *passphrase; /* of the root's key; NULL: it has none */
	const char *since, *reason;    /* of taint and revoke; NULL: now; none */
};
XOS_MUST_USE enum xos_status xos_server_rollover(
    const struct xos_server *s, const struct xos_rollover *r, struct xos_err *err);

/* The first trust list, of what was made at set-up, into all trust folders. */
XOS_MUST_USE enum xos_status xos_server_first_list(const struct xos_server *s, struct xos_err *err);

#endif
