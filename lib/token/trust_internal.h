#ifndef XOS_TOKEN_TRUST_INTERNAL_H
#define XOS_TOKEN_TRUST_INTERNAL_H

/* Shared between trust.c and verify.c only; not a public header. */

#include <stdatomic.h>

#include "token/trust.h"

struct xos_trust {
	atomic_uint refs;
	const struct xos_cert **roots;
	size_t nroots;
	const struct xos_cert **issuers;
	size_t nissuers;
};

/* The VO whose root this certificate is by its subject; NULL if it is none. Borrowed. */
const char *trust_root_vo(const struct xos_cert *c);

#endif
