#ifndef XOS_SERVICE_ROLLOVER_H
#define XOS_SERVICE_ROLLOVER_H

#include "base/status.h"
#include "pki/key.h"

/*
 * The next key of a daemon, beside the one in use, and the one before:
 *   DIR/KIND.key, .pem            in use
 *   DIR/KIND.next.key, .csr, .pem prepared; the root signs the request
 *   DIR/KIND.old.key, .pem        until the next rollover
 * Where there is none in use, one that is prepared becomes the first. Each step may be killed and repeated. Which of the keys count is not said here: the trust list says that.
 */

/* The verb `rollover STEP --dir DIR`, STEP being prepare, activate or undo. The daemon takes the key that is in
 * use at its next start; activate and undo say so. */
XOS_MUST_USE enum xos_status xos_service_verb_rollover(
    int argc, char **argv, const char *kind, struct xos_err *err);

XOS_MUST_USE enum xos_status xos_rollover_prepare(
    const char *dir, const char *kind, struct xos_err *err);
/* NOT_FOUND "rollover-none": nothing is prepared; "rollover-unsigned": the root has not signed it. OK if it is in
 * use already. */
XOS_MUST_USE enum xos_status xos_rollover_activate(
    const char *dir, const char *kind, struct xos_err *err);
/* Away with what is prepared; without that, the key before comes back and the one in use is prepared again. */
XOS_MUST_USE enum xos_status xos_rollover_undo(
    const char *dir, const char *kind, struct xos_err *err);
/* Before a daemon starts: finishes an exchange of key and certificate that was cut in between. */
XOS_MUST_USE enum xos_status xos_rollover_heal(
    const char *dir, const char *kind, struct xos_err *err);

/* The public key before the one in use, *out NULL if there was none: logs were sealed by it. */
XOS_MUST_USE enum xos_status xos_rollover_key_before(
    const char *dir, const char *kind, struct xos_key **out, struct xos_err *err);

#endif
