#ifndef XOS_VOPS_MESSAGES_H
#define XOS_VOPS_MESSAGES_H

#include "api/vops.h"
#include "base/bytes.h"
#include "bundle/bundle.h"
#include "vops/named.h"

/*
 * What the three processes of xos-vopsd say to each other, over service/bulk.h. Fields have a 32-bit
 * length before them (lp) where their length is not fixed; everything is read to its exact end.
 */
enum vops_message {
	/* network -> auth */
	VOPS_COMMAND = 1,    /* body of POST commands -> {"result"} */
	VOPS_SITE_SET,       /* lp site, lp compact -> nothing */
	VOPS_BUNDLE,         /* lp site, lp etag -> u8 changed, lp etag, lp compact */
	VOPS_OBJECT,         /* u8 enum vops_object, lp compact -> nothing */
	VOPS_ADMINISTRATORS, /* lp compact -> nothing */
	/* what the network process decides by (handover.h) */
	VOPS_VIEW =
	    40, /* u64 generation -> u64 generation, u8 changed; if so u32 n, n times u8 kind, lp name,
	                       * u64 tag */
	VOPS_VIEW_PART =
	    41, /* u8 kind, lp name -> u64 tag, u64 not_after (0: no end), lp content */
	VOPS_MEMBERSHIP = 42, /* lp compact -> nothing */
	VOPS_TRUST = 50,      /* compact trust list -> nothing; XOS_RELAY_TRUST */
	VOPS_HEAD = 25,       /* u8 enum xos_vo_log, lp what log/head answers -> nothing */
	/* auth -> key */
	VOPS_SIGN = 100,     /* struct vops_parts -> u64 serial, lp compact */
	VOPS_KEY_TRUST = 150 /* compact trust list -> nothing */
};

/* What is fetched from the other authorities. */
enum vops_object { VOPS_ROSTER, VOPS_LOCKS_CA, VOPS_LOCKS_RCA, VOPS_OBJECTS };
const char *vops_object_name(enum vops_object o); /* "roster", ... */

/* The parts of one bundle. Borrowed. */
struct vops_parts {
	char site[XOS_SITE_MAX + 1];
	struct xos_bytes vo_text, site_set, object[VOPS_OBJECTS];
	struct vops_named groups, owners, nodes;            /* owned; vops_parts_free */
	struct xos_bytes head[XOS_BUNDLE_HEADS_MAX], trust; /* compact; n 0: none */
};
void vops_parts_free(struct vops_parts *p);
void vops_parts_encode(struct xos_buf *out, const struct vops_parts *p);
XOS_MUST_USE enum xos_status vops_parts_decode(
    struct xos_bytes in, struct vops_parts *out, struct xos_err *err);

#endif
