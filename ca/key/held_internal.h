#ifndef XOS_CA_HELD_INTERNAL_H
#define XOS_CA_HELD_INTERNAL_H

/* Between held.c and held_read.c only. */

#include <stdbool.h>

#include "ca/key/held.h"
#include "pki/digest.h"

/* A member all of whose tokens are held. */
struct ca_held_member {
	uint64_t number;
	uint32_t cause; /* place in causes */
	bool locked;    /* else the membership itself ended or rests */
};

/* What was read from the membership. */
struct ca_picture {
	struct xos_lock *lock; /* by kind, then name */
	size_t nlocks;
	struct ca_cause *cause; /* of the locks, in their order, then of ended memberships */
	size_t ncauses;
	struct ca_held_member *member; /* by number */
	size_t nmembers;
	int64_t ends; /* of the first lock */
	uint8_t digest[XOS_SHA256_LEN];
};

/* At now; p is zeroed by the caller, who clears it also after a failure. old: the one before, for dates. */
XOS_MUST_USE enum xos_status ca_picture_read(struct ca_membership *m, int64_t now,
    const struct ca_picture *old, struct ca_picture *p, struct xos_err *err);
void ca_picture_clear(struct ca_picture *p);
/* NULL: the member is not held as such. */
const struct ca_held_member *ca_picture_member(const struct ca_picture *p, uint64_t number);
/* For bsearch: by kind, then name. */
int ca_picture_cmp_lock(const void *a, const void *b);

#endif
