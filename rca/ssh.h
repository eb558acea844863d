#ifndef XOS_RCA_SSH_H
#define XOS_RCA_SSH_H

#include "rca/issue.h"

/*
 * The key that signs host certificates of ssh, ssh_host_ca.key in the state folder: a key of its own, since a
 * signature over bytes of another protocol must never be one over a certificate of ours. In the key process.
 */

/* Loads it, with the rights of the start; makes it where there is none. *out stays NULL, with an event, if neither
 * can be done: the rest of the authority works without. */
void rca_ssh_open(const struct rca_conf *conf, struct xos_key **out);
/* Answers RCA_SIGN_SSH; each certificate is in the log before it is given. DENIED "ssh-authority" without key. */
XOS_MUST_USE enum xos_status rca_ssh_sign(const struct rca_conf *conf, struct rca_issuer *issuer,
    const struct xos_key *ssh, struct xos_bytes request, struct xos_buf *reply,
    struct xos_err *err);
XOS_MUST_USE enum xos_status rca_ssh_statement(const struct rca_conf *conf,
    const struct rca_issuer *issuer, const struct xos_key *ssh, struct xos_buf *reply,
    struct xos_err *err);

#endif
