#ifndef XOS_RCA_CODES_H
#define XOS_RCA_CODES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/name.h"
#include "base/status.h"
#include "json/json.h"
#include "pki/digest.h"
#include "store/store.h"

/*
 * One-time codes for joining, in nodes.db. Whoever may approve nodes of a site makes the code on the own machine and
 * registers its SHA-256; the code itself is with the node's owner alone until the node joins. Functions that change
 * something expect the caller's transaction.
 */
#define RCA_CODES_MAX 1000 /* of one site that are good at the same time */
#define RCA_CODE_ID_LEN 16 /* hexadecimal digits */
#define RCA_CODE_USES_MAX 1000
#define RCA_CODE_LIFE_MAX (30 * 86400)

struct rca_code {
	char id[RCA_CODE_ID_LEN + 1];
	char site[XOS_SITE_MAX + 1];
	char node[XOS_NODE_MAX + 1]; /* "": for any node of the site */
	char by[XOS_MEMBER_MAX + 1]; /* who made it */
	uint64_t by_number;
	bool by_admin; /* made as a VO administrator, not as an approver of the site */
	int64_t since, until;
	int64_t uses; /* left */
};

/* Keeps a new code; c->id is filled. CONFLICT "code-known"; LIMIT "codes-full". */
XOS_MUST_USE enum xos_status rca_code_add(struct xos_store *db,
    const uint8_t digest[XOS_SHA256_LEN], struct rca_code *c, struct xos_err *err);

/*
 * Checks a code as a node gave it, and uses it up once, within the caller's transaction: if that is rolled back, the
 * code was not used. Spelled as lib/auth/code.h accepts it. Everything that does not fit (no such code, over, used up,
 * revoked, of another node) is one DENIED "join-code" with one text. Whether the application's site is out->site, and
 * whether out->by may still approve, the caller checks, and answers rca_code_refuse() if not.
 */
XOS_MUST_USE enum xos_status rca_code_take(struct xos_store *db, const char *code, const char *node,
    int64_t now, struct rca_code *out, struct xos_err *err);
/* That one refusal. */
enum xos_status rca_code_refuse(struct xos_err *err);

/* NOT_FOUND "no-code". */
XOS_MUST_USE enum xos_status rca_code_get(
    struct xos_store *db, const char *id, struct rca_code *out, struct xos_err *err);
/* {"codes": [{"id", "site", "node"?, "by", "since", "until", "uses"}]}: those of a site ("": of all) that are still good. */
XOS_MUST_USE enum xos_status rca_code_list(struct xos_store *db, const char *site, int64_t now,
    struct xos_json **out, struct xos_err *err);
/* NOT_FOUND "no-code". */
XOS_MUST_USE enum xos_status rca_code_revoke(
    struct xos_store *db, const char *id, struct xos_err *err);
/* Forgets what ended more than a month ago. */
XOS_MUST_USE enum xos_status rca_code_expire(
    struct xos_store *db, int64_t now, struct xos_err *err);

#endif
