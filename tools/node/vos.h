#ifndef XOS_NODE_VOS_H
#define XOS_NODE_VOS_H

#include "node/layout.h"

/*
 * The VOs of a node. What belongs to the first one joined lies in the node's folder itself; each further one has
 * vos/NAME with the same layout: keys, certificates, trust, configurations, state, logs, socket. They share node.conf
 * and the site's key above them, the port and process of xos-jobd's front, and slices/, where each xos-credd says
 * which numbers are its members' accounts.
 */
#define XOS_NODE_LEFT_CONF "left.conf" /* jobd.conf of a VO that is being left */
#define XOS_NODE_VOS_MAX 7             /* as many as one xos-jobd serves */

struct xos_node_part {
	struct xos_node n; /* dir is the part's own folder */
	char vo[XOS_VO_MAX + 1];
	bool joined; /* has its certificates; else an application waits */
	bool first;  /* lies in the node's folder itself */
};

struct xos_node_parts {
	struct xos_node_part part[XOS_NODE_VOS_MAX];
	size_t n;
};

/* The VOs of the node in top->dir: the first one joined, then by name. *out is calloc'd. */
XOS_MUST_USE enum xos_status xos_node_parts_load(
    const struct xos_node *top, struct xos_node_parts **out, struct xos_err *err);
void xos_node_parts_free(struct xos_node_parts *p);
/* Only those that joined, and only vo if it is not NULL. NOT_FOUND with code "node-unjoined" or "vo-not-joined". */
XOS_MUST_USE enum xos_status xos_node_parts_select(
    struct xos_node_parts *p, const struct xos_node *top, const char *vo, struct xos_err *err);

/* n, a node's own folder, becomes the part of it for this VO, which is made if it is new. member: without root and for
 * a further VO, whose jobs run here; NULL: as in the node's own. */
XOS_MUST_USE enum xos_status xos_node_enter(
    struct xos_node *n, const char *vo, const char *member, struct xos_err *err);
/* An application to vo waits in n: the folder is taken. */
XOS_MUST_USE enum xos_status xos_node_applied(
    const struct xos_node *n, const char *vo, struct xos_err *err);
/* The node's own folder, for messages. */
const char *xos_node_top(const struct xos_node *n);

/* What a node that was joined by an earlier version lacks: where further VOs are found, and the numbers of accounts
 * compared. *credd: its configuration got a line that counts from a restart on. */
XOS_MUST_USE enum xos_status xos_node_ready_for_vos(
    const struct xos_node *top, bool *credd, struct xos_err *err);
/* The jobd.conf by which xos-jobd serves all VOs of the node. */
XOS_MUST_USE enum xos_status xos_node_jobd_conf(
    const struct xos_node *top, char out[PATH_MAX], struct xos_err *err);
/* Removes a part's files; those that all VOs share stay. */
XOS_MUST_USE enum xos_status xos_node_part_remove(
    const struct xos_node *top, const struct xos_node_part *p, struct xos_err *err);

#endif
