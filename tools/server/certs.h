#ifndef XOS_SERVER_CERTS_H
#define XOS_SERVER_CERTS_H

#include <stdbool.h>

#include "server/layout.h"

/* The root signs DIR/<folder>/<kind>.csr; the certificate becomes <kind>.pem beside it. Of xos-cad, both its keys. */
XOS_MUST_USE enum xos_status xos_server_sign(
    const struct xos_server *s, enum xos_server_daemon d, struct xos_err *err);

/* Fills trust/ (root.pem, issuers.pem) and each daemon's own trust folder. */
XOS_MUST_USE enum xos_status xos_server_write_trust(
    const struct xos_server *s, struct xos_err *err);

/* The root's first revocation list, into xos-cad's trust folder, which gives it out. */
XOS_MUST_USE enum xos_status xos_server_root_crl(const struct xos_server *s, struct xos_err *err);

/* Does the daemon's TLS certificate lack, or is half of its life over? */
XOS_MUST_USE enum xos_status xos_server_tls_due(
    const struct xos_server *s, enum xos_server_daemon d, bool *due, struct xos_err *err);
/* A new TLS key and a certificate from xos-rcad's offline verb; rcad must not run. */
XOS_MUST_USE enum xos_status xos_server_tls_issue(
    const struct xos_server *s, enum xos_server_daemon d, struct xos_err *err);

/* "sha256:..." of the root's DER, as --fingerprint takes it. */
XOS_MUST_USE enum xos_status xos_server_fingerprint(
    const struct xos_server *s, char out[80], struct xos_err *err);

#endif
