#ifndef XOS_API_ONCE_H
#define XOS_API_ONCE_H

#include <stdint.h>

#include "base/status.h"
#include "store/store.h"

/*
 * Identifiers that are good once (the jti of commands and renewals), remembered in the authority's
 * own database until they have expired.
 */
#define XOS_ONCE_SCHEMA                                                                            \
	"CREATE TABLE once (id TEXT PRIMARY KEY, expires INTEGER NOT NULL);" /* a migration step */

/*
 * Remembers id, in the caller's transaction: if that is rolled back, the identifier was not used.
 * DENIED with code "command-replayed" if it is known. Forgets what expired before now - 3600, so
 * that a tolerated difference of clocks brings nothing back.
 */
XOS_MUST_USE enum xos_status xos_once(
    struct xos_store *db, const char *id, int64_t expires, int64_t now, struct xos_err *err);

#endif
