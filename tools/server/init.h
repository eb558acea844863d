#ifndef XOS_SERVER_INIT_H
#define XOS_SERVER_INIT_H

#include "base/secret.h"
#include "server/layout.h"

struct xos_server_init {
	const char *dir, *vo, *admin;
	const char *address;           /* that the daemons listen on */
	const struct xos_server *host; /* whose xos-cad serves this VO too; NULL: its own */
	int64_t uid_base; /* first of 16 uids for the daemons' processes; 0: none (not root) */
	struct xos_secret *password; /* of the first administrator */
};

/* What can be said before anything is made, and before a password is asked for: names, address, and
 * that DIR is free. */
XOS_MUST_USE enum xos_status xos_server_init_check(
    const struct xos_server_init *o, struct xos_err *err);

/*
 * Checks, then sets the servers of a VO up: root, authorities, first administrator, ports, configuration.
 * All or nothing: everything is made in DIR.setup, which becomes DIR at the end. CONFLICT if DIR holds
 * anything already.
 */
XOS_MUST_USE enum xos_status xos_server_init(const struct xos_server_init *o, struct xos_err *err);

#endif
