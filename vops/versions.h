#ifndef XOS_VOPS_VERSIONS_H
#define XOS_VOPS_VERSIONS_H

#include <stdint.h>

#include "json/json.h"
#include "store/store.h"

/*
 * The versions of the VO's set in sets.db. One is planned for a time, becomes active once that has come, and is then
 * active for ever: the one in force is the active one with the highest serial, so that no clock that is set back
 * brings an older one back, which nodes would refuse. A version whose time comes after one of a higher serial
 * was active is overtaken and never counts. Functions that change something expect the caller's transaction.
 */
struct vops_version {
	uint64_t serial;
	struct xos_bytes text;
	const char *
	    kind; /* "push", "rollback", or "return": what follows one that was put in force until a time */
	const char *author, *approver, *comment; /* the last two may be NULL */
	int64_t planned;                         /* seconds; not after now: at once */
};

/* CONFLICT "lower-serial" unless it is higher than the one in force and than those planned before it;
 * "serial-used". */
XOS_MUST_USE enum xos_status vops_version_add(
    struct xos_store *db, const struct vops_version *v, int64_t now, struct xos_err *err);
/* Those whose time has come become active. *changed: something else is in force than before. */
XOS_MUST_USE enum xos_status vops_versions_due(
    struct xos_store *db, int64_t now, bool *changed, struct xos_err *err);
/* The serial in force, 0: none; of planned ones what will be at that time. */
XOS_MUST_USE enum xos_status vops_version_serial(
    struct xos_store *db, int64_t at, uint64_t *serial, struct xos_err *err);
/* A serial above every other. */
XOS_MUST_USE enum xos_status vops_version_next(
    struct xos_store *db, uint64_t *serial, struct xos_err *err);

enum vops_version_state {
	VOPS_VERSION_PLANNED,
	VOPS_VERSION_IN_FORCE,
	VOPS_VERSION_REPLACED,
	VOPS_VERSION_OVERTAKEN,
	VOPS_VERSION_CANCELLED
};
const char *vops_version_state_name(enum vops_version_state s); /* "planned", "in force", ... */
/* *returns: it is what follows another. NOT_FOUND "no-policy". */
XOS_MUST_USE enum xos_status vops_version_state(struct xos_store *db, uint64_t serial,
    enum vops_version_state *out, bool *returns, struct xos_err *err);
/* CONFLICT "not-planned". */
XOS_MUST_USE enum xos_status vops_version_cancel(
    struct xos_store *db, uint64_t serial, const char *by, int64_t now, struct xos_err *err);

/* Version serial, 0 for the one in force, appended to text. NOT_FOUND "no-policy". *found (may be NULL): its
 * serial. */
XOS_MUST_USE enum xos_status vops_vo_set_get(struct xos_store *db, uint64_t serial,
    struct xos_buf *text, uint64_t *found, struct xos_err *err);
/* {"sets": [{"serial", "state", "kind", "by", "approver"?, "comment"?, "pushed", "from", "until"?, "bytes"}]},
 * newest first. */
XOS_MUST_USE enum xos_status vops_vo_set_list(
    struct xos_store *db, struct xos_json **out, struct xos_err *err);

#endif
