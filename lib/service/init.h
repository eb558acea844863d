#ifndef XOS_SERVICE_INIT_H
#define XOS_SERVICE_INIT_H

#include <stddef.h>

#include "base/status.h"

/*
 * DIR/NAME.key (0600) and DIR/NAME.csr (PEM), for init verbs. What exists stays: running init again
 * finishes what was interrupted and changes nothing.
 */
XOS_MUST_USE enum xos_status xos_service_init_key(
    const char *dir, const char *name, struct xos_err *err);

/*
 * The init verb that authorities share: reads --dir and --vo, makes the folder with KIND.key, KIND.csr, tls.key,
 * tls.csr and these folders of its processes (NULL-terminated list, may be NULL). *dir is borrowed from argv.
 */
XOS_MUST_USE enum xos_status xos_service_init(int argc, char **argv, const char *kind,
    const char *const *folders, const char **dir, struct xos_err *err);
/* Says what was made, and what the root has to sign next. */
void xos_service_init_tell(const char *dir, const char *kind);
/* DIR/NAME. */
XOS_MUST_USE enum xos_status xos_service_init_path(
    const char *dir, const char *name, char *out, size_t cap, struct xos_err *err);

#endif
