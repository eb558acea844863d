#ifndef XOS_RCA_NODES_H
#define XOS_RCA_NODES_H

#include <stdint.h>

#include "api/rca.h"
#include "bundle/locks.h"
#include "store/store.h"

/*
 * nodes.db: applications, admitted nodes with their services, bans, the VO's own servers. Belongs to the
 * auth process. Functions that change something expect the caller's transaction.
 */
#define RCA_PENDING_MAX 1000   /* applications that may wait at the same time */
#define RCA_PENDING_NAME_MAX 8 /* of those, for one node name */

XOS_MUST_USE enum xos_status rca_nodes_open(
    const char *path, struct xos_store **out, struct xos_err *err);

/* --- applications --- */

struct rca_application {
	char id[XOS_RCA_ID_LEN + 1];
	enum xos_rca_state state;
	int64_t created;
	char message[256];
	struct xos_json *outcome; /* {"chain", "services"} when approved; else NULL */
	struct xos_rca_application *app;
};
void rca_application_free(struct rca_application *a);

/* Does it prove its keys, and ask for nothing that a node cannot have? */
XOS_MUST_USE enum xos_status rca_application_check(
    const struct xos_rca_application *app, struct xos_err *err);
/* Keeps it as pending, however many wait: for what was admitted beforehand. */
XOS_MUST_USE enum xos_status rca_application_insert(struct xos_store *db,
    const struct xos_rca_application *app, int64_t now, char id[XOS_RCA_ID_LEN + 1],
    struct xos_err *err);
/* Keeps it as pending. The same key for the same node gives the id that it has already. CONFLICT with
 * code "node-taken" if the name is an admitted node's; LIMIT if too many wait. */
XOS_MUST_USE enum xos_status rca_application_add(struct xos_store *db,
    const struct xos_rca_application *app, int64_t now, char id[XOS_RCA_ID_LEN + 1],
    struct xos_err *err);
XOS_MUST_USE enum xos_status rca_application_get(
    struct xos_store *db, const char *id, struct rca_application **out, struct xos_err *err);
/* The ids of what waits, oldest first; freed by the caller with free(). */
XOS_MUST_USE enum xos_status rca_application_pending(
    struct xos_store *db, char (**ids)[XOS_RCA_ID_LEN + 1], size_t *n, struct xos_err *err);
/* pending -> approved or denied. CONFLICT if it was decided before. outcome: NULL when denied. */
XOS_MUST_USE enum xos_status rca_application_decide(struct xos_store *db, const char *id,
    enum xos_rca_state state, const char *message, const struct xos_json *outcome, int64_t now,
    struct xos_err *err);
/* Forgets what waited for longer than life, and what was decided longer ago. */
XOS_MUST_USE enum xos_status rca_application_expire(
    struct xos_store *db, int64_t now, int64_t life, struct xos_err *err);

/* --- nodes --- */

/* Admits the node of an application with its services. CONFLICT "node-taken" if it is there. */
XOS_MUST_USE enum xos_status rca_node_admit(
    struct xos_store *db, const struct xos_rca_application *app, int64_t now, struct xos_err *err);
/* The same, and how it came in; once more after it left: code "node-left" while certificates from before may be good,
 * unless `again` says that this is known. A node that is banned is not admitted anew. */
struct rca_admit {
	const char *by;   /* who approved, or made the code */
	const char *code; /* its id; NULL: approved by hand */
	bool again;
};
XOS_MUST_USE enum xos_status rca_node_admit_by(struct xos_store *db,
    const struct xos_rca_application *app, const struct rca_admit *how, int64_t now,
    struct xos_err *err);
/* Forgets a node of this name that left. OK also if there was none. */
XOS_MUST_USE enum xos_status rca_node_make_room(
    struct xos_store *db, const char *node, bool again, int64_t now, struct xos_err *err);
/* OK and the hosts of an admitted node that has not left, is not banned and, service given, has that service (not
 * "jobs" of another). NOT_FOUND "no-node", DENIED "node-banned" with the message. */
XOS_MUST_USE enum xos_status rca_node_standing(struct xos_store *db, const char *node,
    const char *service, int64_t now, char hosts[XOS_RCA_HOSTS_MAX][XOS_NODE_MAX + 1],
    size_t *nhosts, struct xos_err *err);
/* {"nodes": [...]} as api/rca.h reads it. */
XOS_MUST_USE enum xos_status rca_node_list(
    struct xos_store *db, int64_t now, struct xos_json **out, struct xos_err *err);
/* until XOS_LOCK_NO_END: for good. A second ban replaces the first. NOT_FOUND "no-node". */
XOS_MUST_USE enum xos_status rca_node_ban(struct xos_store *db, const char *node, int64_t now,
    int64_t until, const char *message, struct xos_err *err);
/* Who banned, for the record; a ban without it is the authority's own. */
XOS_MUST_USE enum xos_status rca_node_ban_by(
    struct xos_store *db, const char *node, const char *by, struct xos_err *err);
/* NOT_FOUND "no-ban". */
XOS_MUST_USE enum xos_status rca_node_unban(
    struct xos_store *db, const char *node, struct xos_err *err);
/*
 * The owner's own bans (bans.c), beside those of the VO above: each side lifts its own, so that neither's no is the
 * other's to lift.
 */
XOS_MUST_USE enum xos_status rca_owner_ban(struct xos_store *db, const char *node, int64_t now,
    int64_t until, const char *message, const char *by, struct xos_err *err);
/* NOT_FOUND "no-ban". */
XOS_MUST_USE enum xos_status rca_owner_unban(
    struct xos_store *db, const char *node, struct xos_err *err);
/* DENIED "node-banned" while one is in force. */
XOS_MUST_USE enum xos_status rca_owner_ban_check(
    struct xos_store *db, const char *node, int64_t now, struct xos_err *err);
/* The id under which a ban of that side stands in the lock list; "" if there is none. */
XOS_MUST_USE enum xos_status rca_node_ban_id(struct xos_store *db, const char *node, bool owner,
    int64_t now, char id[XOS_LOCK_ID_MAX + 1], struct xos_err *err);
/* Which sides ban the node at now? */
XOS_MUST_USE enum xos_status rca_node_bans(struct xos_store *db, const char *node, int64_t now,
    bool *vo, bool *owner, struct xos_err *err);

/* The node left, or was removed by somebody: no certificate any more. until: the last second at which one of its
 * certificates may be good. NOT_FOUND "no-node", CONFLICT "node-left". */
XOS_MUST_USE enum xos_status rca_node_leave(struct xos_store *db, const char *node, int64_t now,
    int64_t until, const char *by, struct xos_err *err);

/* The site of an admitted node, also of one that left. NOT_FOUND "no-node". */
XOS_MUST_USE enum xos_status rca_node_site(
    struct xos_store *db, const char *node, char site[XOS_SITE_MAX + 1], struct xos_err *err);

/* Keeps serial, key and end of a certificate that was issued; service "" is the node's own. */
XOS_MUST_USE enum xos_status rca_certificate_note(struct xos_store *db, const char *node,
    const char *service, const struct xos_cert *cert, struct xos_err *err);
/* When the last of the node's certificates ends; unknown if there is one from before they were noted. */
XOS_MUST_USE enum xos_status rca_certificate_end(
    struct xos_store *db, const char *node, int64_t unknown, int64_t *end, struct xos_err *err);
/* All that is known of an admitted node, for its approvers (record.c). NOT_FOUND "no-node". */
XOS_MUST_USE enum xos_status rca_node_describe(struct xos_store *db, const char *node, int64_t now,
    struct xos_json **out, struct xos_err *err);

/* Bans of both sides in force, and nodes that left and whose certificates may still be good, malloc'd; one lock a node. */
XOS_MUST_USE enum xos_status rca_node_locks(
    struct xos_store *db, int64_t now, struct xos_lock **out, size_t *n, struct xos_err *err);

/* --- the VO's own servers --- */

XOS_MUST_USE enum xos_status rca_server_put(struct xos_store *db, const char *service,
    const char *name, const char *const *hosts, size_t nhosts, int64_t now, struct xos_err *err);
/* NOT_FOUND "no-node". */
XOS_MUST_USE enum xos_status rca_server_hosts(struct xos_store *db, const char *service,
    const char *name, char hosts[XOS_RCA_HOSTS_MAX][XOS_NODE_MAX + 1], size_t *nhosts,
    struct xos_err *err);

/* --- counters --- */

/* The next serial of lock lists: durable with the caller's transaction. */
XOS_MUST_USE enum xos_status rca_lock_serial_next(
    struct xos_store *db, uint64_t *serial, struct xos_err *err);

#endif
