#ifndef XOS_SERVICE_SSHHOST_H
#define XOS_SERVICE_SSHHOST_H

#include <stdbool.h>

#include "base/status.h"
#include "pki/cert.h"
#include "token/trust.h"

/*
 * Host certificates for a machine's sshd: for each NAME.pub in one folder (/etc/ssh) there is NAME-cert.pub in another,
 * obtained from xos-rcad by the node's certificate, and anew past half of its life, for another host key, or by
 * another authority. Private host keys are never read.
 */
struct xos_sshhost;

struct xos_sshhost_options {
	const char *keys, *out; /* folders; out is made if missing */
	const char *url, *vo;   /* xos-rcad */
};

XOS_MUST_USE enum xos_status xos_sshhost_new(
    const struct xos_sshhost_options *o, struct xos_sshhost **out, struct xos_err *err);
void xos_sshhost_free(struct xos_sshhost *h);
/* Does what is due, with force all. *renewed: how many certificates are new. After a failure nothing is due for a
 * while that grows (service/keep.h). NOT_FOUND "ssh-host-keys": there are no host keys in the folder. */
XOS_MUST_USE enum xos_status xos_sshhost_round(struct xos_sshhost *h, const struct xos_trust *trust,
    const struct xos_chain *own, bool force, size_t *renewed, struct xos_err *err);
/* The names of the certificates in out, without the folder; NULL past the end. */
const char *xos_sshhost_name(const struct xos_sshhost *h, size_t i);

#endif
