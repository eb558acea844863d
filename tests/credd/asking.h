#ifndef XOS_TEST_CREDD_ASKING_H
#define XOS_TEST_CREDD_ASKING_H

#include "fixture.h"
#include "base/text.h"

#define LOCAL_UID 1000u /* no account of the VO */

/* One node, and one peer who asks it for operations on credentials. answer borrows from plain and secret, which the next
 * question clears, as err. */
extern struct node *n;
extern struct xos_credd_peer peer;
extern struct xos_local_answer answer;
extern struct xos_buf plain;
extern struct xos_secret *secret;
extern struct xos_err err;

void asking_setup(void);
void asking_teardown(void);
enum xos_status ask(const struct xos_local_request *req);
enum xos_status ask_op(enum xos_local_op which, const char *id);
void ask_refused(enum xos_local_op which, const char *id, enum xos_status want, const char *code);
/* A key for the peer: its id, and the SubjectPublicKeyInfo, in memory that lasts for the case. */
struct xos_bytes ask_create(unsigned flags, char id[XOS_LOCAL_JOB_MAX + 1]);
enum xos_status ask_put(const char *id, const struct xos_chain *chain);
/* alice's token for this key. */
void ask_token(struct xos_bytes spki, int64_t not_after, struct xos_chain *out);
/* A credential of alice's for the peer. */
void ask_make(unsigned flags, char id[XOS_LOCAL_JOB_MAX + 1]);

#endif
