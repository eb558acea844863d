#ifndef XOS_API_VOPS_H
#define XOS_API_VOPS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"
#include "net/client.h"

/*
 * xos-vopsd as its clients see it. Commands (policy.push, site.register, ...) go through
 * api/command.h with the audience XOS_VOPS_AUD.
 */
#define XOS_VOPS_AUD "vops"
#define XOS_VOPS_ETAG_MAX 80

/*
 * GET the bundle for a site. etag: of the bundle that the caller has, "" for none. *changed false: it
 * is still current, out stays empty; true: the compact JWS is appended to out (verify it with
 * xos_bundle_verify: nothing about it is proven here) and etag replaced. The client's body_max must
 * allow XOS_BUNDLE_MAX. NOT_FOUND: the VO has no policy yet.
 */
XOS_MUST_USE enum xos_status xos_vops_bundle(struct xos_client *c, const char *vo, const char *site,
    char etag[XOS_VOPS_ETAG_MAX], bool *changed, struct xos_buf *out, struct xos_err *err);

/* PUT a site's signed set. */
XOS_MUST_USE enum xos_status xos_vops_site_set(struct xos_client *c, const char *vo,
    const char *site, struct xos_bytes compact, struct xos_err *err);
/* PUT the set of a node, as its site signed it. */
XOS_MUST_USE enum xos_status xos_vops_node_set(struct xos_client *c, const char *vo,
    const char *site, const char *node, struct xos_bytes compact, struct xos_err *err);

#endif
