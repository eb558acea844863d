#ifndef XOS_BUNDLE_OPEN_H
#define XOS_BUNDLE_OPEN_H

/* Inside lib/bundle only: what a bundle is made of. */
#include <stdatomic.h>

#include "bundle/bundle.h"

struct xos_bundle_issuer {
	struct xos_cert *cert;
	enum xos_signer as; /* CA or RCA: what the trust said it is */
};

struct xos_bundle {
	atomic_uint refs;
	char vo[XOS_VO_MAX + 1];
	char site[XOS_SITE_MAX + 1];
	uint64_t serial;
	int64_t issued, expires;
	struct xos_policy_set *vo_set;
	struct xos_siteset *site_set;
	struct xos_roster *roster;
	struct xos_locks *locks[2]; /* of the ca, of the rca */
	struct xos_bundle_issuer issuers[XOS_BUNDLE_ISSUERS_MAX];
	size_t nissuers;
	struct xos_buf trust; /* compact, unverified */
};

#endif
