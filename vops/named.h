#ifndef XOS_VOPS_NAMED_H
#define XOS_VOPS_NAMED_H

#include "base/bytes.h"
#include "bundle/bundle.h"

/* Sets with their names on the way from auth to key: of groups, of owners, of nodes. Owns copies. */
struct vops_named {
	struct xos_bundle_named *list; /* for struct xos_bundle_fields */
	size_t n, room;
};

/* LIMIT past XOS_BUNDLE_SCOPED_MAX. */
XOS_MUST_USE enum xos_status vops_named_add(struct vops_named *l, const char *name, uint64_t serial,
    struct xos_bytes bytes, struct xos_err *err);
void vops_named_free(struct vops_named *l);
/* u32 how many, each: lp name, u64 serial, lp bytes */
void vops_named_encode(struct xos_buf *out, const struct vops_named *l);
/* A failure shows in the reader, or as INTERNAL. */
XOS_MUST_USE enum xos_status vops_named_decode(
    struct xos_reader *r, struct vops_named *out, struct xos_err *err);

#endif
