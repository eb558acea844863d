#ifndef XOS_VOPS_SCOPED_H
#define XOS_VOPS_SCOPED_H

#include <stdint.h>

#include "json/json.h"
#include "store/store.h"
#include "vops/messages.h"

/*
 * The sets beside those of the VO and of sites: of groups, of owners (members about what is their own), and of
 * nodes as their sites signed them. Functions that change something expect the caller's transaction.
 */
#define VOPS_SCOPED_MAX 4096u /* groups and owners with a set; nodes with one, of one site */

enum vops_scope { VOPS_SCOPE_GROUP, VOPS_SCOPE_OWNER };
const char *vops_scope_name(enum vops_scope s); /* "group", "owner" */

/* A set in force. Borrowed until the callback returns. */
struct vops_scoped {
	enum vops_scope kind;
	const char *name; /* "/demo/physics", "demo:alice" */
	uint64_t serial;
	struct xos_bytes text;
};
typedef enum xos_status (*vops_scoped_fn)(
    void *ctx, const struct vops_scoped *s, struct xos_err *err);
/* Every set of a group or an owner that is in force at now, groups first, by name. What fn returns ends it
 * unless it is OK. */
XOS_MUST_USE enum xos_status vops_scoped_each(
    struct xos_store *db, int64_t now, vops_scoped_fn fn, void *ctx, struct xos_err *err);

/* CONFLICT "lower-serial" unless higher than all before of that name, those withdrawn included; LIMIT
 * "sets-full". */
XOS_MUST_USE enum xos_status vops_scoped_add(struct xos_store *db, const struct vops_scoped *s,
    const char *by, int64_t now, struct xos_err *err);
/* From now on that group or owner has no set. NOT_FOUND "no-policy". */
XOS_MUST_USE enum xos_status vops_scoped_withdraw(struct xos_store *db, enum vops_scope kind,
    const char *name, const char *by, int64_t now, struct xos_err *err);
/* Version serial, 0 for the one in force, appended to text. NOT_FOUND "no-policy". */
XOS_MUST_USE enum xos_status vops_scoped_get(struct xos_store *db, enum vops_scope kind,
    const char *name, uint64_t serial, struct xos_buf *text, uint64_t *found, struct xos_err *err);
/* {"sets": [{"level", "name", "serial", "by", "pushed", "bytes", "withdrawn"?, "withdrawn_by"?}]}: all
 * versions kept, of one kind and name, or of all (name NULL). Node sets are in it when name is NULL. */
XOS_MUST_USE enum xos_status vops_scoped_list(
    struct xos_store *db, const char *name, struct xos_json **out, struct xos_err *err);

/* --- node sets --- */

struct vops_node_set {
	const char *node; /* as the site names it: "n1" */
	uint64_t serial;
	int64_t expires;
	struct xos_bytes compact;
};
typedef enum xos_status (*vops_node_set_fn)(
    void *ctx, const struct vops_node_set *s, struct xos_err *err);
/* Every node set of a site, by name, expired ones too: the node says which counts. */
XOS_MUST_USE enum xos_status vops_node_sets_each(
    struct xos_store *db, const char *site, vops_node_set_fn fn, void *ctx, struct xos_err *err);
/* CONFLICT "lower-serial" unless higher than the last; the very same set again is OK. LIMIT "sets-full". */
XOS_MUST_USE enum xos_status vops_node_set_put(struct xos_store *db, const char *site,
    const struct vops_node_set *s, int64_t now, struct xos_err *err);

#endif
