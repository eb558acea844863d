#ifndef XOS_CLI_CONTACT_H
#define XOS_CLI_CONTACT_H

#include "api/cad.h"
#include "api/trustdoc.h"
#include "base/status.h"
#include "token/trust.h"

/*
 * First contact with a VO, for members and nodes that join: an address that nobody vouches for, and a
 * fingerprint that came by another way. Everything after the root goes over TLS that the root vouches for.
 */
struct xos_cli_contact {
	struct xos_joined
	    *joined; /* the VO's name, its root, which has the fingerprint, and its issuers */
	struct xos_trust *trust; /* in that root alone */
	struct xos_cad_directory services;
};

/* fingerprint: "sha256:" and 64 hexadecimal digits; anything else, NULL too, is a usage error. vo NULL: the
 * only VO that is served there; a usage error if there are several. out is zeroed by the caller, who clears
 * it also after a failure. */
XOS_MUST_USE enum xos_status xos_cli_contact(const char *url, const char *vo,
    const char *fingerprint, struct xos_cli_contact *out, struct xos_err *err);
void xos_cli_contact_clear(struct xos_cli_contact *c);

#endif
