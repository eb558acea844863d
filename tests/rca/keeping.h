/*
 * A node, n1, that was admitted and keeps its certificates: what it sends, and what the authority says of it then.
 */
#ifndef XOS_TESTS_RCA_KEEPING_H
#define XOS_TESTS_RCA_KEEPING_H

#include "lying.h"
#include "store/store.h"

extern struct xos_chain node, jobs; /* of n1, from admit() to done() */

void admit(void);
void done(void); /* frees what take() gave, too */
/* Sends body, which is taken, with what stands before it: "192.0.2.1\n", or "". */
enum xos_status send(
    uint16_t type, const char *from, struct xos_json *body, struct xos_json **answer);
/* The chain of an answer, with its key; done() frees it. */
void take(struct xos_json *answer, const struct xos_key *key, struct xos_chain *fresh);
/* At so many seconds from now, as far as the node's clock says. fresh: what came, or NULL. */
enum xos_status renew(
    const struct xos_chain *old, int64_t offset, const char *from, struct xos_chain *fresh);
enum xos_status confirm(const struct xos_chain *own, int64_t offset);
enum xos_status unban(const struct xos_chain *by, const char *accept);

/* The list says this state of n1 and, message not NULL, has it in that member. */
void listed(const char *state, const char *message, const char *member);
bool in_the_log(const char *text);
/* Stops the authority, changes its database, and starts it. */
void with_database(void (*change)(struct xos_store *db));
void forget(struct xos_store *db); /* there were no generations */

#endif
