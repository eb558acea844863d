#ifndef XOS_CA_NETWORK_STATUS_H
#define XOS_CA_NETWORK_STATUS_H

#include "ca/conf.h"
#include "service/bulk.h"
#include "service/front.h"
#include "token/trust.h"

/*
 * The status of tokens over plain HTTP, for stock verifiers: revocation lists (RFC 5280), OCSP (RFC 6960
 * appendix A, RFC 5019) and the issuer's certificate; nothing else is served there. All of it is signed by keys
 * that this process does not have: it asks the key process and keeps what was answered, in bounded memory, until
 * half of its life is over or what holds tokens changed.
 */
struct ca_network_status;

XOS_MUST_USE enum xos_status ca_network_status_new(const struct ca_conf *conf,
    const struct xos_trust *trust, struct xos_bulk *key, struct ca_network_status **out,
    struct xos_err *err);
void ca_network_status_free(struct ca_network_status *s);
/* Adds the routes to a front that has a plain listener, and the metrics. */
XOS_MUST_USE enum xos_status ca_network_status_serve(
    struct ca_network_status *s, struct xos_front *front, struct xos_err *err);
/* Now and then, after serve: for the metrics. */
void ca_network_status_tick(struct ca_network_status *s);
/* A command was carried out: what is kept is compared before it is given again. Any thread. */
void ca_network_status_changed(struct ca_network_status *s);

#endif
