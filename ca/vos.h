#ifndef XOS_CA_VOS_H
#define XOS_CA_VOS_H

#include "ca/conf.h"
#include "service/authority.h"

/*
 * Several VOs on one server: the folder `vos` of the first one's configuration holds a configuration for each
 * further VO, NAME.conf, complete as if it were alone: state, trust, TLS identity, users of auth and key. All
 * name the same address and the same user of the network process, which is the only thing that they share.
 */
struct ca_vos {
	struct ca_conf conf[XOS_PAIRS_MAX];
	char path[XOS_PAIRS_MAX][PATH_MAX];
	struct xos_authority_pair pair[XOS_PAIRS_MAX];
	size_t n;
};

/* Loads them all, in the order of their files' names; none if conf names no folder. *out is calloc'd. */
XOS_MUST_USE enum xos_status ca_vos_load(
    const struct ca_conf *conf, struct ca_vos **out, struct xos_err *err);
void ca_vos_free(struct ca_vos *v);
/* For --check: that they can be loaded and go together; each by its own checks too. */
void ca_vos_check(
    const struct ca_conf *conf, void (*report)(void *ctx, const struct xos_err *err), void *ctx);

#endif
