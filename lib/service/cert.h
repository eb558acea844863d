#ifndef XOS_SERVICE_CERT_H
#define XOS_SERVICE_CERT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"
#include "net/tls.h"
#include "pki/cert.h"

/*
 * A daemon's own TLS certificate and key: read from files, read again when the files change or on
 * demand, so that a renewal needs no restart. An expired certificate does not stop a daemon (its peers
 * will say so), but health does.
 */
struct xos_service_cert;

/*
 * The key belongs to root or to the user of the network process; only in the second case can a
 * process that gave up root read it again, so that a renewal needs no restart. Files are replaced by
 * renaming: a sandbox must let the process read their folder, not the files.
 *
 * verifier NULL: clients are not asked for certificates. A certificate that is not valid now is
 * accepted with an event "certificate.invalid": renewal may be what the daemon is needed for.
 */
XOS_MUST_USE enum xos_status xos_service_cert_new(const char *chain_path, const char *key_path,
    const struct xos_verifier *verifier, struct xos_service_cert **out, struct xos_err *err);
/* For --check: can they be read and belong together? owner, as root: the uid that the network process
 * will have; NULL: not compared. */
XOS_MUST_USE enum xos_status xos_service_cert_check(
    const char *chain_path, const char *key_path, const uid_t *owner, struct xos_err *err);
void xos_service_cert_free(struct xos_service_cert *c);
struct xos_tls_server *xos_service_cert_tls(struct xos_service_cert *c); /* borrowed */
/* The current chain with its key, for clients of this daemon: references are added to *out (zeroed). */
XOS_MUST_USE enum xos_status xos_service_cert_chain(
    struct xos_service_cert *c, struct xos_chain *out, struct xos_err *err);
/* Reads the files again; on failure the old ones stay in use. Any thread. */
XOS_MUST_USE enum xos_status xos_service_cert_reload(
    struct xos_service_cert *c, struct xos_err *err);
/* Reloads if one of the files changed since. */
XOS_MUST_USE enum xos_status xos_service_cert_poll(struct xos_service_cert *c, struct xos_err *err);
/*
 * The same for who has nobody to answer to: a failure is the event "certificate.reload", with the vo if it is given. It
 * is a warning that says what to do if the new files cannot be opened: a sandbox may let the old ones be read only.
 */
void xos_service_cert_again(struct xos_service_cert *c, const char *vo);
int64_t xos_service_cert_seconds_left(struct xos_service_cert *c, int64_t now); /* may be < 0 */
/* Past half of its life: the daemon's renewal should run, with jitter of its own. */
bool xos_service_cert_needs_renewal(struct xos_service_cert *c, int64_t now);
/* For xos_health_check: EXPIRED "certificate expired 3m00s ago ...", NOT_YET_VALID, or OK. */
enum xos_status xos_service_cert_health(void *cert, struct xos_err *err);

#endif
