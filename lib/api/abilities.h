#ifndef XOS_API_ABILITIES_H
#define XOS_API_ABILITIES_H

#include "json/json.h"
#include "net/client.h"

/*
 * What a node's enforcement points tell of requests and can enforce, as the node tells the VO's policy service:
 *   {"site", "node", "schema", "services": [{"service", "actions", "attributes", "caps": [{"name", "least"?}], "duties"}],
 *    "zones"?}
 * schema: the newest version of the policy schema that its engine knows. zones: the IANA time zones that the machine has data
 * of; without, nobody knows. least: the smallest value of the cap that can be enforced.
 */
#define XOS_ABILITIES_MAX 65536u /* bytes of the document */
#define XOS_ABILITIES_SERVICES_MAX 8u
#define XOS_ABILITIES_LIST_MAX 256u /* attributes, actions, duties of a service */
#define XOS_ABILITIES_ZONES_MAX 2000u
#define XOS_ABILITIES_WORD_MAX 127u

/* One service alone, as it tells xos-credd. MALFORMED says where. */
XOS_MUST_USE enum xos_status xos_abilities_service_check(
    const struct xos_json *service, struct xos_err *err);
/* Parses and checks the whole document. */
XOS_MUST_USE enum xos_status xos_abilities_parse(
    struct xos_bytes in, struct xos_json **out, struct xos_err *err);
/* PUT, with the node's certificate. */
XOS_MUST_USE enum xos_status xos_abilities_put(struct xos_client *c, const char *vo,
    const char *node, struct xos_bytes document, struct xos_err *err);

#endif
