#ifndef XOS_VOPS_HANDOVER_H
#define XOS_VOPS_HANDOVER_H

#include "vops/auth.h"

/*
 * What the auth process hands to the network process to decide by (messages 40 to 49). Everything was verified
 * when it came in; the signed lists go as they are, and are verified once more there.
 */
enum vops_part_kind {
	VOPS_PART_VO = 1, /* text of the VO's set */
	VOPS_PART_SITE,   /* text of a site's set; not_after: until when it is signed */
	VOPS_PART_ROSTER, /* compact, as are those below */
	VOPS_PART_LOCKS_CA,
	VOPS_PART_LOCKS_RCA,
	VOPS_PART_MEMBERSHIP
};
#define VOPS_VIEW_PARTS_MAX (VOPS_SITES_MAX + 8u)
#define VOPS_PART_NAME_MAX 300

/* Handlers of the table in auth.c. */
enum xos_status vops_handover_view(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status vops_handover_part(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status vops_handover_membership(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);

#endif
