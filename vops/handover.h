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
	VOPS_PART_MEMBERSHIP,
	/* Texts again; of a group "/demo/physics", of an owner "demo:alice", of a node "lab/n1". */
	VOPS_PART_GROUP,
	VOPS_PART_OWNER,
	VOPS_PART_NODE
};
#define VOPS_VIEW_PARTS_MAX 20000u /* in all; what is beyond is refused, never left out */
#define VOPS_PART_NAME_MAX 300

/* Handlers of the table in auth.c. */
enum xos_status vops_handover_view(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status vops_handover_part(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status vops_handover_membership(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);

#endif
