#ifndef XOS_SERVICE_TRUSTWATCH_H
#define XOS_SERVICE_TRUSTWATCH_H

#include "service/health.h"
#include "token/trust.h"

/*
 * What a service tells of the trust list that it goes by: the warning "trust" in /health/ready (xos_trust_health), and
 * in /metrics xos_trust_list_serial and xos_trust_certificate_days.
 */
struct xos_trust_watch {
	/* The trust of the moment, one more owner; any thread. NULL: that below. */
	struct xos_trust *(*of)(void *ctx);
	void *ctx;
	const struct xos_trust *trust;
	const char *vo;
};
/* w and what it points to outlive h. Before serving. */
XOS_MUST_USE enum xos_status xos_trust_watch(
    struct xos_health *h, struct xos_trust_watch *w, struct xos_err *err);

#endif
