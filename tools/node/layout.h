#ifndef XOS_NODE_LAYOUT_H
#define XOS_NODE_LAYOUT_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"

/*
 * One folder that holds a node of a site:
 *
 *   node.conf      what was decided at xos-node init
 *   site.pub       the site's public key, pinned: only sets that it signed count here
 *   trust/         root.pem, issuers.pem of the VO joined
 *   vo.conf        the VO joined and its resource authority, for renewals
 *   credd.conf, jobd.conf, and the state of both in credd/ and jobd/
 *   credd/node.*   key and certificate of the node;  tls/jobs.*, tls/data.*   those of its services
 *   application    the id of an application that waits for approval
 *   log/ run/      event logs; pid files and xos-credd's socket
 *   vos/NAME/      the same for each further VO that it joined (vos.h);  slices/   whose numbers are whose, as root
 */
struct xos_node {
	char dir[PATH_MAX]; /* absolute */
	char *name, *site, *address;
	char *data_url; /* where a data service of it serves; NULL: none */
	char *member;   /* without root: whose jobs run here; NULL as root */
	int64_t jobs_port;
	int64_t uid_base; /* as root: xos-credd's user; the next one is xos-jobd's; else 0 */
	int64_t
	    network_uid; /* as root: xos-jobd's user, the same for all VOs of the node; else 0 */
	char *
	    top; /* vos.h: the node's folder, of which this is the part for a further VO; NULL: it is itself */
};

/* Makes path absolute and keeps it; nothing needs to exist. */
XOS_MUST_USE enum xos_status xos_node_at(struct xos_node *n, const char *dir, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_node_load(
    struct xos_node *n, const char *dir, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_node_save(const struct xos_node *n, struct xos_err *err);
void xos_node_free(struct xos_node *n);

/* DIR/file into out[PATH_MAX]. */
XOS_MUST_USE enum xos_status xos_node_path(
    const struct xos_node *n, const char *file, char out[PATH_MAX], struct xos_err *err);
XOS_MUST_USE enum xos_status xos_node_write(const struct xos_node *n, const char *file, mode_t mode,
    struct xos_bytes in, struct xos_err *err);

/* Writes credd.conf and jobd.conf for a VO whose services are at these addresses. */
struct xos_node_urls {
	const char *vo, *vops, *rca, *accounting, *ca; /* accounting and ca may be NULL */
};
XOS_MUST_USE enum xos_status xos_node_write_configs(
    const struct xos_node *n, const struct xos_node_urls *urls, struct xos_err *err);

/* Puts a trust list (compact; empty: none) into trust/trust.jws unless there is one. The file belongs to xos-credd, which
 * brings newer ones; the folder does not. */
XOS_MUST_USE enum xos_status xos_node_list_place(
    const struct xos_node *n, struct xos_bytes list, struct xos_err *err);

#endif
