#ifndef XOS_VOPS_FETCH_H
#define XOS_VOPS_FETCH_H

#include "service/bulk.h"
#include "service/cert.h"
#include "token/trust.h"
#include "vops/conf.h"

/*
 * The thread that asks xos-cad and xos-rcad for roster and locks, at an interval with jitter and when
 * poked, and hands what came to auth, which verifies it. What cannot be fetched leaves the last good in
 * force; health says so.
 */
struct vops_fetch;

/* All borrowed; they outlive the fetcher. */
struct vops_fetch_options {
	const struct vops_conf *conf;
	const struct xos_trust *trust;
	struct xos_service_cert *cert; /* our client certificate */
	struct xos_bulk *auth;
};
XOS_MUST_USE enum xos_status vops_fetch_new(
    const struct vops_fetch_options *o, struct vops_fetch **out, struct xos_err *err);
XOS_MUST_USE enum xos_status vops_fetch_start(struct vops_fetch *f, struct xos_err *err);
void vops_fetch_poke(struct vops_fetch *f); /* fetch now; any thread */
void vops_fetch_free(struct vops_fetch *f); /* stops the thread and waits for it */
/* For xos_health_check: UNAVAILABLE names what is old, since when and why. */
enum xos_status vops_fetch_health(void *fetch, struct xos_err *err);

#endif
