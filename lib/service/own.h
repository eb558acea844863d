#ifndef XOS_SERVICE_OWN_H
#define XOS_SERVICE_OWN_H

#include <sys/types.h>

#include "base/status.h"

/*
 * A state folder of one part of a service: makes it (0700) if it is missing and, as root with a user
 * given, lets it and the plain files directly in it belong to that user, so that the part can use
 * them after it gave up root. For `open` and for init verbs. user: name or number, NULL: stays as it
 * is. Symbolic links in it are refused: somebody else's file must not be given away. Not while this process
 * has a database in it open: closing another descriptor of it gives up the database's locks (fcntl(2)).
 */
XOS_MUST_USE enum xos_status xos_service_own(
    const char *dir, const char *user, struct xos_err *err);
/* The uid and gid of a user's name or number, or of NUMBER:NUMBER. NOT_FOUND names it. */
XOS_MUST_USE enum xos_status xos_service_user(
    const char *user, uid_t *uid, gid_t *gid, struct xos_err *err);

#endif
