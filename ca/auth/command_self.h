#ifndef XOS_CA_COMMAND_SELF_H
#define XOS_CA_COMMAND_SELF_H

#include "ca/auth/commands.h"

/* For the files that hold commands about the signer's own secrets. */
#define CA_FRESH 600 /* seconds */

/* Did the signer log in, by password or code, in the last CA_FRESH seconds? DENIED with code "login-old". */
XOS_MUST_USE enum xos_status ca_demand_fresh(struct ca_call *c, struct xos_err *err);
/* The unexpired tokens of a member, as the key process' index has them: JSON made there. */
XOS_MUST_USE enum xos_status ca_ask_tokens(
    struct ca_auth *a, uint64_t number, struct xos_json **out, struct xos_err *err);

#endif
