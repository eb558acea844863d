#ifndef XOS_CLI_RULES_H
#define XOS_CLI_RULES_H

#include "api/cad.h"
#include "cli/cli.h"

/*
 * After a log-in that was refused with "rules-not-accepted": fetches the VO's rules, shows them and asks, if it may, or, with
 * accept (the text of --accept-rules), compares the version; then sends the acceptance, proven by the password or
 * code of login. OK: log in again. Nothing is accepted without one of the two.
 */
XOS_MUST_USE enum xos_status xos_cli_accept_rules(struct xos_client *client,
    const struct xos_cad_login *login, bool may_ask, const char *accept, struct xos_err *err);

#endif
