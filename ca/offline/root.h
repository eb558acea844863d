#ifndef XOS_CA_ROOT_H
#define XOS_CA_ROOT_H

#include "base/name.h"
#include "base/secret.h"
#include "base/status.h"
#include "pki/issue.h"

/* The root, opened for the verbs that sign with it (root.c, root_crl.c). */
struct ca_root {
	struct xos_key *key;
	struct xos_chain chain; /* its certificate */
	struct xos_issuer *issuer;
	char vo[XOS_VO_MAX + 1];
};

/* --passphrase-fd N; *out stays NULL without it. */
XOS_MUST_USE enum xos_status ca_root_passphrase(
    const char *fd_text, struct xos_secret **out, struct xos_err *err);
/* r is zeroed by the caller, and cleared also after a failure. */
XOS_MUST_USE enum xos_status ca_root_open(
    const char *dir, struct xos_secret *passphrase, struct ca_root *r, struct xos_err *err);
void ca_root_clear(struct ca_root *r);

/* Brings one certificate more onto the root's revocation list DIR/root.crl, good for a year. OK if it stands there
 * already: whoever was killed in between asks again. */
XOS_MUST_USE enum xos_status ca_root_crl_revoke(
    const char *dir, const struct ca_root *r, const struct xos_cert *revoked, struct xos_err *err);

#endif
