#ifndef XOS_CA_TERMS_H
#define XOS_CA_TERMS_H

#include "ca/membership/membership.h"

/* On what terms a member gets a token: the one question of the key process before it makes one. */
struct ca_terms {
	int64_t end;                /* no later */
	struct xos_buf restriction; /* of a robot; empty for others */
};
void ca_terms_init(struct ca_terms *t);
void ca_terms_free(struct ca_terms *t);
/* DENIED with the codes of standing.h, rules.h and sealed.h. authenticated: when that was. */
XOS_MUST_USE enum xos_status ca_terms_find(struct ca_membership *m, const struct ca_member *member,
    int64_t authenticated, int64_t now, struct ca_terms *out, struct xos_err *err);

#endif
