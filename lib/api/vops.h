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
#define XOS_VOPS_BUNDLE_TYPE "application/vnd.xos.bundle" /* an archive: bundle/archive.h */

/*
 * GET the bundle for a site. etag: of the bundle that the caller has, "" for none. *changed false: it
 * is still current, out stays empty; true: an archive (bundle/archive.h) is appended to out and etag replaced: the whole bundle, or, if
 * an etag was given, perhaps only what is new against that one (xos_archive_merge). Verify it with
 * xos_bundle_verify: nothing about it is proven here. The client's body_max must
 * allow XOS_BUNDLE_MAX. NOT_FOUND: the VO has no policy yet. DENIED "locked": the node is banned.
 */
struct xos_vops_question {
	const char *vo, *site;
	int64_t wait;      /* seconds until the answer that it is still current; 0: at once */
	uint64_t in_force; /* serial of the bundle by which this node decides; 0: none */
	int64_t until;     /* how long it can by that one; 0: not said */
};
XOS_MUST_USE enum xos_status xos_vops_bundle(struct xos_client *c,
    const struct xos_vops_question *q, char etag[XOS_VOPS_ETAG_MAX], bool *changed,
    struct xos_buf *out, struct xos_err *err);

/* GET the proof that a log of the VO ("ca", "rca", "accounting") grew: {"path", ...}, for xos_logproof_growth. */
struct xos_json;
XOS_MUST_USE enum xos_status xos_vops_log_growth(struct xos_client *c, const char *vo,
    const char *log, uint64_t from, uint64_t to, struct xos_json **doc, struct xos_err *err);

/* PUT a site's signed set. */
XOS_MUST_USE enum xos_status xos_vops_site_set(struct xos_client *c, const char *vo,
    const char *site, struct xos_bytes compact, struct xos_err *err);

#endif
