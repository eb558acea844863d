#ifndef XOS_VOPS_AUTH_H
#define XOS_VOPS_AUTH_H

#include <limits.h>

#include "service/bulk.h"
#include "service/gate.h"
#include "token/trust.h"
#include "vops/parts.h"
#include "vops/sets.h"

/* The last bundle signed for a site. */
struct vops_current {
	char site[XOS_SITE_MAX + 1];
	uint64_t serial;
	uint64_t generation; /* of the parts it was made from */
	uint64_t heads;      /* the same of the heads of logs */
	int64_t issued;
	uint64_t list; /* serial of the trust list in it; 0: none */
	struct xos_buf compact;
};

/* The auth process's own state, shared by its files. */
struct vops_auth {
	const struct vops_conf *conf;
	struct xos_trust *trust;
	struct xos_store *db;
	struct xos_bulk *key;
	struct xos_gate *gate;
	uint64_t generation;  /* raised with every change of a part */
	uint64_t memberships; /* how many came since the start; no bundle has them */
	uint64_t heads;       /* raised with every new head of a log */
	struct vops_current *current[VOPS_SITES_MAX];
	size_t ncurrent;
	char list[PATH_MAX]; /* the trust list that was fetched last */
};

/* Carries a verified command of an administrator out (commands.c). */
XOS_MUST_USE enum xos_status vops_auth_command(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);
/* The trust under which rosters and locks are verified; valid as long as a. */
struct xos_bundle_trust vops_auth_trust(const struct vops_auth *a, int64_t now);

#endif
