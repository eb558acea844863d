#ifndef XOS_RCA_AUTH_H
#define XOS_RCA_AUTH_H

#include <limits.h>

#include "rca/guess.h"
#include "rca/nodes.h"
#include "rca/parts.h"
#include "service/bulk.h"
#include "service/gate.h"
#include "token/trust.h"

/* The auth process's own state, shared by its files. */
struct rca_auth {
	const struct rca_conf *conf;
	struct xos_trust *trust;
	struct xos_store *db;
	struct xos_bulk *key; /* to the key process */
	struct xos_gate *gate;
	struct rca_guess *guess;
	struct xos_buf locks; /* the signed list, until it changes or grows old */
	int64_t locks_issued;
	char list[PATH_MAX]; /* the trust list that was fetched last */
	struct xos_buf ssh;  /* the statement about the ssh authority, until it grows old */
	int64_t ssh_issued;
	int64_t expired_at; /* when old applications were last looked for */
};

/* Sends JSON to the key process; answer may be NULL. Takes doc. */
XOS_MUST_USE enum xos_status rca_auth_ask_key(struct rca_auth *a, enum rca_message type,
    struct xos_json *doc, struct xos_json **answer, struct xos_err *err);
/* Has a certificate made; gives {"chain"} as it stands in answers. */
XOS_MUST_USE enum xos_status rca_auth_issue(struct rca_auth *a, const struct rca_issue_request *r,
    struct xos_json **answer, struct xos_err *err);
/* May whoever proved who they are have a new certificate? Fills the request for it, which the caller initialised. For
 * doors whose proof does not say when it was made: a second use of the key is not looked for (renew.c does). */
XOS_MUST_USE enum xos_status rca_auth_renewal(struct rca_auth *a, struct xos_rca_renewal *r,
    struct rca_issue_request *out, struct xos_err *err);
/* answer, of rca_auth_issue, is the first of an admission: its generations begin (rca/generations.h). In the
 * caller's transaction. */
XOS_MUST_USE enum xos_status rca_auth_begin(struct rca_auth *a, const char *node, const char *kind,
    const struct xos_json *answer, struct xos_err *err);

/* Messages about keeping certificates (renew.c); ctx is a struct rca_auth. */
enum xos_status rca_auth_on_renew(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status rca_auth_on_confirm(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status rca_auth_on_rescue(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status rca_auth_on_ssh_host(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status rca_auth_on_ssh_authority(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);

/* Used once, durably; in a transaction of its own. */
XOS_MUST_USE enum xos_status rca_auth_use_once(
    struct rca_auth *a, const char *id, int64_t expires, struct xos_err *err);
/* What is signed of locks is out of date. */
void rca_auth_forget_locks(struct rca_auth *a);
/* The node leaves, or somebody removes it: in a transaction of its own. As rca_node_leave. */
XOS_MUST_USE enum xos_status rca_auth_leave(
    struct rca_auth *a, const char *node, const char *by, int64_t now, struct xos_err *err);

/* Messages of the network process about who admits (admission.c). */
#define RCA_HANDLE(name)                                                                           \
	enum xos_status rca_handle_##name(void *auth, size_t from, struct xos_bytes payload,       \
	    struct xos_buf *reply, struct xos_err *err)
RCA_HANDLE(roster);
RCA_HANDLE(ca_locks);
RCA_HANDLE(terms);
RCA_HANDLE(join);
RCA_HANDLE(leave);

#endif
