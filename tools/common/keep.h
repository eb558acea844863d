#ifndef XOS_CLI_KEEP_H
#define XOS_CLI_KEEP_H

#include <xos/credential.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/cert.h"

/* Credentials in xos-credd, for tools. socket NULL: where xos_open() looks. */
XOS_MUST_USE enum xos_status xos_cli_keeper(
    const char *socket, struct xos_credd **out, struct xos_err *err);

/* A key that xos-credd made and whose certificate is on its way. */
struct xos_cli_kept {
	struct xos_credd *credd;
	struct xos_credential_id id;
	unsigned char *csr; /* DER */
	size_t ncsr;
};
/* flags: XOS_CREDENTIAL_EXPORT, XOS_CREDENTIAL_SESSION. */
XOS_MUST_USE enum xos_status xos_cli_kept_begin(
    const char *socket, unsigned flags, struct xos_cli_kept *out, struct xos_err *err);
/* Hands the certificates over and makes the credential the session's default, where there is a keyring. */
XOS_MUST_USE enum xos_status xos_cli_kept_put(
    struct xos_cli_kept *k, const struct xos_chain *chain, struct xos_err *err);
/* The key of a log-in that failed goes again. */
void xos_cli_kept_drop(struct xos_cli_kept *k);
void xos_cli_kept_clear(struct xos_cli_kept *k);

#endif
