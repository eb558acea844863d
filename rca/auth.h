#ifndef XOS_RCA_AUTH_H
#define XOS_RCA_AUTH_H

#include <limits.h>

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
	struct xos_buf locks; /* the signed list, until it changes or grows old */
	int64_t locks_issued;
	char list[PATH_MAX]; /* the trust list that was fetched last */
	int64_t expired_at;  /* when old applications were last looked for */
};

/* Sends JSON to the key process; answer may be NULL. Takes doc. */
XOS_MUST_USE enum xos_status rca_auth_ask_key(struct rca_auth *a, enum rca_message type,
    struct xos_json *doc, struct xos_json **answer, struct xos_err *err);
/* Has a certificate made; gives {"chain"} as it stands in answers. */
XOS_MUST_USE enum xos_status rca_auth_issue(struct rca_auth *a, const struct rca_issue_request *r,
    struct xos_json **answer, struct xos_err *err);
/* Carries a verified command of an administrator out (commands.c). */
XOS_MUST_USE enum xos_status rca_auth_command(
    struct rca_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);

#endif
