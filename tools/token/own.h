#ifndef XOS_TOKENTOOL_OWN_H
#define XOS_TOKENTOOL_OWN_H

#include <stdbool.h>

#include "base/secret.h"
#include "cli/cli.h"
#include "cli/password.h"
#include "pki/cert.h"

/* Shared by the verbs that need a log-in of just now. */

/* Something secret, from where the options say. */
XOS_MUST_USE enum xos_status token_ask(
    const char *prompt, size_t max, bool twice, struct xos_secret **out, struct xos_err *err);
/* The current token if its holder logged in just now; else asks for the password and gets one for five
 * minutes. */
XOS_MUST_USE enum xos_status token_fresh(
    const struct xos_cli *cli, struct xos_chain *out, struct xos_err *err);

#endif
