#ifndef XOS_BUNDLE_ADMISSION_H
#define XOS_BUNDLE_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "bundle/signed.h"

/*
 * Terms on which a VO's resource authority may admit nodes of a site, signed by the site's key, which no VO holds:
 *   {"vo", "site", "serial", "issued", "expires", "approvers": [member], "rescue"}
 * approvers are members of that VO; an empty list means that nobody approves. rescue is for how many seconds
 * after its end a node's certificate may be renewed with the old key; 0: not at all.
 */
#define XOS_ADMISSION_TYP "xos-admission+jws"
#define XOS_ADMISSION_MAX (16u * 1024) /* compact form, bytes */
#define XOS_ADMISSION_APPROVERS_MAX 64u
#define XOS_ADMISSION_RESCUE_MAX (90 * 86400)

struct xos_admission {
	char vo[XOS_VO_MAX + 1];
	char site[XOS_SITE_MAX + 1];
	uint64_t serial; /* 1 or more */
	int64_t issued, expires;
	char approvers[XOS_ADMISSION_APPROVERS_MAX][XOS_MEMBER_MAX + 1];
	size_t napprovers;
	int64_t rescue; /* seconds */
};

/* Is member one of the approvers? */
bool xos_admission_names(const struct xos_admission *a, const char *member);

/* Appends the compact form. MALFORMED: a name, number or time that the verifier would not take. */
XOS_MUST_USE enum xos_status xos_admission_sign(const struct xos_key *site_key,
    const struct xos_admission *a, struct xos_buf *out, struct xos_err *err);

/* Verifies under the site's key; times are checked against now with skew. *out is filled on success only. DENIED:
 * another key ("foreign-signer"), terms of another VO ("wrong-vo") or site ("wrong-site"). */
XOS_MUST_USE enum xos_status xos_admission_verify(const struct xos_key *site_key, const char *vo,
    const char *site, struct xos_bytes compact, int64_t now, int64_t skew,
    struct xos_admission *out, struct xos_err *err);

#endif
