#ifndef XOS_BUNDLE_OPEN_H
#define XOS_BUNDLE_OPEN_H

/* Inside lib/bundle only: what a bundle is made of. */
#include <stdatomic.h>

#include "bundle/archive.h"
#include "bundle/bundle.h"
#include "json/json.h"

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
	struct xos_siteset *site_set, *node_set;
	struct xos_policy_set **scoped; /* of groups and owners */
	size_t nscoped;
	struct xos_buf head[XOS_BUNDLE_HEADS_MAX], trust; /* compact */
	size_t nheads;
	struct xos_roster *roster;
	struct xos_locks *locks[2]; /* of the ca, of the rca */
	struct xos_bundle_issuer issuers[XOS_BUNDLE_ISSUERS_MAX];
	size_t nissuers;
	uint8_t by[XOS_BUNDLE_BY_N][XOS_SHA256_LEN]; /* as in struct xos_bundle_seen */
};

/* A verification on its way. */
struct xos_bundle_step {
	const struct xos_bundle_want *want;
	struct xos_bundle_trust trust; /* with the clock never earlier than what was seen */
	struct xos_archive archive;
	bool *used; /* by place in the archive: the manifest names it */
	struct xos_json *doc;
	struct xos_bundle *b;
};
/* With manifest and issuers verified: the rest. */
enum xos_status xos_bundle_step_parts(struct xos_bundle_step *s, struct xos_err *err);
enum xos_status xos_bundle_lower(
    struct xos_err *err, const char *what, uint64_t got, uint64_t seen);

#endif
