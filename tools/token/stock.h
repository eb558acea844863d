#ifndef XOS_TOKENTOOL_STOCK_H
#define XOS_TOKENTOOL_STOCK_H

#include "cli/vo.h"

/*
 * May the member of the current token make a proxy for stock programs of this node ("site/node") that lives until *until?
 * Asks the VO's policy service (action token.stock); *until is cut to what policy allows (lifetime). DENIED with what
 * decided and why; UNAVAILABLE if it could not be decided or asked.
 */
XOS_MUST_USE enum xos_status token_stock_permitted(const struct xos_cli_vo *vo, const char *member,
    const char *node, int64_t now, int64_t *until, struct xos_err *err);

#endif
