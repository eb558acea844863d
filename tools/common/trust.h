#ifndef XOS_CLI_TRUST_H
#define XOS_CLI_TRUST_H

#include "cli/vo.h"

/*
 * The trust list of a joined VO, <vo>/trust.jws. It is asked for when a tool talks to an authority and an hour has
 * passed (<vo>/trust.asked says when), and whenever a server shows a certificate whose issuer the list does not know.
 */

/* For xos_trust_ask; vo is a struct xos_cli_vo. Once in a program's life. */
bool xos_cli_trust_newer(void *vo, const char *name);
/* Before the first connection of a tool. url: an authority. What cannot be had or kept changes nothing. */
void xos_cli_trust_ask(const struct xos_cli_vo *vo, const char *url);
/* After the last one: keeps the list in force if it came meanwhile. */
void xos_cli_trust_keep(const struct xos_cli_vo *vo);
/* When joining: what came with the root, unless a newer one is there. */
XOS_MUST_USE enum xos_status xos_cli_trust_join(
    const char *dir, const struct xos_cli_join *join, struct xos_err *err);

#endif
