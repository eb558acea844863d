#ifndef XOS_RCA_GENERATIONS_H
#define XOS_RCA_GENERATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "pki/cert.h"
#include "pki/digest.h"
#include "store/store.h"

/*
 * The generations of each (node, service) in nodes.db: every certificate that it was given, by which key's request,
 * and whether it was used. A key is copied in silence; that both copies then renew shows. What a proof by a key
 * means is decided here and nowhere else; docs/decisions/generations.md has the reasons. Functions that change
 * something expect the caller's transaction. kind is "" for the node itself.
 */
#define RCA_GENERATIONS_KEPT 32 /* of each; a use of an older one is noticed all the same */
#define RCA_FROM_MAX 45         /* an address without its port */

/* A certificate whose key has just proved itself. */
struct rca_use {
	const char *node, *kind;
	const struct xos_cert *cert;
	int64_t iat;      /* of the proof: when its maker says that it was signed */
	const char *from; /* the peer's address, as the network process says; "" if it does not */
};

enum rca_verdict {
	RCA_USE_FIRST, /* nothing is known: a database from before there were generations */
	RCA_USE_CURRENT,
	RCA_USE_PREVIOUS, /* and its successor was never used: an answer was lost */
	RCA_USE_LATE,     /* signed before what this key has led to: a message that was held up */
	RCA_USE_FORMER,   /* from before the node was admitted as it is now */
	RCA_USE_TWICE     /* somebody else has the key as well */
};

struct rca_judgement {
	enum rca_verdict verdict;
	int64_t generation; /* of the certificate; 0: it is none that is kept */
	char why[256];      /* TWICE: "its key of generation 7 was used twice: ..." */
};

XOS_MUST_USE enum xos_status rca_generation_judge(struct xos_store *db, const struct rca_use *use,
    int64_t now, struct rca_judgement *out, struct xos_err *err);
/* The certificate is in use (FIRST and CURRENT; nothing to do for PREVIOUS). */
XOS_MUST_USE enum xos_status rca_generation_used(struct xos_store *db, const struct rca_use *use,
    const struct rca_judgement *j, int64_t now, struct xos_err *err);
/* fresh was issued on a request by use's key: the next generation. */
XOS_MUST_USE enum xos_status rca_generation_next(struct xos_store *db, const struct rca_use *use,
    const struct rca_judgement *j, const struct xos_cert *fresh, int64_t now, struct xos_err *err);
/* first was issued on an admission: what was before is over. */
XOS_MUST_USE enum xos_status rca_generation_begin(struct xos_store *db, const char *node,
    const char *kind, const struct xos_cert *first, int64_t now, struct xos_err *err);

/* --- the lock after a second use --- */

/* Bans the node for good, with a message that says what happened. *fresh: it was not locked for this before. */
XOS_MUST_USE enum xos_status rca_generation_lock(struct xos_store *db, const struct rca_use *use,
    const struct rca_judgement *j, int64_t now, bool *fresh, struct xos_err *err);
/* DENIED "key-used-twice" while the node is locked for that, also after a ban in its place has ended. */
XOS_MUST_USE enum xos_status rca_generation_standing(
    struct xos_store *db, const char *node, struct xos_err *err);
/* Before an unban. A node that was locked for a second use comes back only with the one key that an administrator
 * names (accept, a fingerprint): it becomes the current generation. DENIED "key-used-twice" without accept,
 * NOT_FOUND "no-generation" if no such key is kept. Nothing to do for other bans. */
XOS_MUST_USE enum xos_status rca_generation_unlock(
    struct xos_store *db, const char *node, const char *accept, int64_t now, struct xos_err *err);

/* Marks the node as rescued at this time, for the list. */
XOS_MUST_USE enum xos_status rca_generation_rescued(
    struct xos_store *db, const char *node, int64_t now, struct xos_err *err);

#endif
