#ifndef XOS_API_GRANT_H
#define XOS_API_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/jobs.h"
#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"
#include "json/json.h"
#include "net/client.h"
#include "pki/cert.h"
#include "token/claims.h"
#include "token/delegation.h"
#include "token/trust.h"
#include "token/verify.h"

/*
 * Grants: what a member signs so that a job keeps a valid credential for longer than the member's token lives.
 * docs/protocols/grants.md describes it for people.
 *
 *   POST /v1/vo/{vo}/grants               {"chain": ["<DER>", ...], "grant": "<JWS>"}   ->   {"grant": info}
 *   POST /v1/vo/{vo}/grants/{id}/renew    {"chain", "key", "proof": "<JWS>", "node": "<JWS>"}
 *                                         ->   {"chain", "not_after", "ends", "renew_after", "server_time"}
 *   commands (command.h), aud "ca": grant.list, grant.show, grant.revoke
 *
 * The grant is signed by the key of the member's own token; its id is the job's, which commits to what runs. A
 * renewal is signed by the job's key, and that signature by the key of the node that the grant names: who takes a
 * credential out of a job can use it until it ends, and not renew it elsewhere. What comes back is a certificate of
 * kind delegation for the same key (token/profile.h), which verifies wherever delegations of a member do.
 *
 * Codes of refusals. For good: NOT_FOUND "grant-unknown"; DENIED "grant-revoked", "grant-key" (another key's proof),
 * "grant-node" (another node), "member-unknown", "member-suspended", "locked"; EXPIRED "grant-ended". May succeed
 * later: UNAVAILABLE, and "no-delegation-authority" (the VO has no key for it yet), which is UNAVAILABLE as well;
 * EXPIRED and NOT_YET_VALID "grant-time" (a clock is wrong).
 */
#define XOS_GRANT_TYP "xos-grant+jws"
#define XOS_GRANT_RENEWAL_TYP "xos-grant-renewal+jws"
#define XOS_GRANT_NODE_TYP "xos-grant-node+jws"
#define XOS_GRANT_ACTOR "job"
/* What GET /v1/vo/{vo}/about gives as "grant_max" (seconds) counts; absent there: the VO takes no grants. */
#define XOS_GRANT_LIFE (7 * 86400) /* seconds from issued to ends, unless the authority says less */
#define XOS_GRANT_LIFE_MAX (366 * 86400)  /* that any authority may say */
#define XOS_GRANT_BODY_MAX (256 * 1024)   /* bytes of either body */
#define XOS_GRANT_PAYLOAD_MAX (64 * 1024) /* bytes of what a JWS here covers */
#define XOS_GRANT_PROOF_LIFE 120          /* seconds that our client gives a proof */
#define XOS_GRANT_PROOF_LIFE_MAX 300      /* longest that a server accepts */
#define XOS_GRANT_SKEW 300                /* between the node's clock and the server's */
#define XOS_GRANTS_MAX 10000              /* in one answer; a list comes in pages */

struct xos_grant {
	char vo[XOS_VO_MAX + 1];
	char id[XOS_JOB_ID_TEXT];
	char node[XOS_NODE_MAX + 1];
	uint8_t key[XOS_SHA256_LEN]; /* of the job's SPKI */
	char actor[XOS_ACTOR_MAX + 1];
	unsigned depth;
	struct xos_buf restriction; /* may be empty */
	char *roles[XOS_CLAIMS_ROLES_MAX];
	size_t nroles;
	int64_t issued, ends;
};

void xos_grant_init(struct xos_grant *g); /* actor "job", nothing else */
void xos_grant_clear(struct xos_grant *g);
XOS_MUST_USE enum xos_status xos_grant_add_role(
    struct xos_grant *g, const char *role, struct xos_err *err);
/* The step that the certificate under it carries; restriction is borrowed from g. */
XOS_MUST_USE enum xos_status xos_grant_step(
    const struct xos_grant *g, const char *member, struct xos_delegation *out, struct xos_err *err);

/* What is signed, as bytes: one encoding for one grant. Decoding initialises *out, takes nothing but what encoding
 * accepts, and leaves nothing to clear when it fails. */
XOS_MUST_USE enum xos_status xos_grant_encode(
    const struct xos_grant *g, struct xos_buf *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_grant_decode(
    struct xos_bytes payload, struct xos_grant *out, struct xos_err *err);

/* token: the member's chain with its key. Of fields, vo, roles and issued are not read: they become those of the
 * token, and now. Gives {"chain", "grant"}, to register and to hand to the node. DENIED "grant-signer" for a delegation or a
 * robot's token: these give no grants. */
XOS_MUST_USE enum xos_status xos_grant_sign(const struct xos_chain *token,
    const struct xos_grant *fields, int64_t now, struct xos_json **out, struct xos_err *err);

struct xos_grant_signed {
	struct xos_grant grant;
	struct xos_identity *who;       /* the member, verified, acting directly */
	uint8_t digest[XOS_SHA256_LEN]; /* of the JWS */
};
void xos_grant_signed_free(struct xos_grant_signed *s);

struct xos_grant_opts {
	const struct xos_trust *trust;
	const char *vo;
	int64_t now;
	int64_t skew;           /* tolerated, seconds */
	xos_revoked_fn revoked; /* may be NULL */
	void *arg;
};
/*
 * {"chain", "grant"}: the chain (kind user, no delegation, not restricted, not expired), the signature by its key,
 * form, VO, each role among the token's, issued not in the future, ends not past. *out only on XOS_OK. Codes:
 * "grant-vo", "grant-role", "grant-time", "grant-ended", and those of verify.h and jws.h. Not here: how long a grant may
 * be, whether the member stands, and that the job is what the id says.
 */
XOS_MUST_USE enum xos_status xos_grant_open(const struct xos_json *doc,
    const struct xos_grant_opts *opts, struct xos_grant_signed **out, struct xos_err *err);

/* --- renewal --- */

/* Appends the proof: by the job's key. */
XOS_MUST_USE enum xos_status xos_grant_prove(const char *vo, const char *id,
    const struct xos_key *job, int64_t now, struct xos_buf *proof, struct xos_err *err);
/* The node's half: its chain with its key over that proof. job: its public half will do. Gives the body. */
XOS_MUST_USE enum xos_status xos_grant_countersign(const char *vo, struct xos_bytes proof,
    const struct xos_key *job, const struct xos_chain *node, struct xos_json **body,
    struct xos_err *err);

struct xos_grant_renewal {
	char id[XOS_JOB_ID_TEXT];
	struct xos_key *key;       /* the job's, public; it signed the proof */
	struct xos_identity *node; /* verified, of kind node; its key signed the proof's digest */
	char jti[33];
	int64_t exp;
};
void xos_grant_renewal_free(struct xos_grant_renewal *r);
/*
 * From the bytes of the body: node's chain (kind node, of this VO, no delegation), both signatures, VO, times. *out
 * only on XOS_OK. opts->skew is not read: XOS_GRANT_SKEW for the proof, none for the chain. Codes: "grant-vo",
 * "grant-time", "grant-proof" (the node signed another one), and those of verify.h and jws.h. Not here: jti once, and that
 * grant, key and node belong together.
 */
XOS_MUST_USE enum xos_status xos_grant_renewal_open(struct xos_bytes body,
    const struct xos_grant_opts *opts, struct xos_grant_renewal **out, struct xos_err *err);

struct xos_grant_renewed {
	struct xos_chain chain;          /* of kind delegation, and its issuer; no key */
	int64_t not_after, ends;         /* of the certificate, of the grant */
	int64_t renew_after;             /* from when on the next one is due: half of its life */
	int64_t server_time, local_time; /* at the same moment, within half a round trip */
};
void xos_grant_renewed_clear(struct xos_grant_renewed *r);
struct xos_json *xos_grant_renewed_encode(const struct xos_grant_renewed *r);
/* Reads an answer into *out (zeroed or cleared) and checks that it is what was asked for: under trust, for that key and
 * that grant. */
XOS_MUST_USE enum xos_status xos_grant_renewed_decode(const struct xos_json *answer,
    const struct xos_trust *trust, const char *vo, const char *id, const struct xos_key *key,
    struct xos_grant_renewed *out, struct xos_err *err);

/* --- what the authority says of a grant --- */

enum xos_grant_state { XOS_GRANT_ACTIVE = 1, XOS_GRANT_ENDED, XOS_GRANT_REVOKED };
const char *xos_grant_state_name(enum xos_grant_state s); /* "active", "ended", "revoked" */

struct xos_grant_info {
	char id[XOS_JOB_ID_TEXT];
	char member[XOS_MEMBER_MAX + 1];
	char node[XOS_NODE_MAX + 1];
	char actor[XOS_ACTOR_MAX + 1];
	char key[XOS_FINGERPRINT_TEXT];
	char roles[1024]; /* for people, spaces between; cut */
	char text[256];   /* REVOKED: why, and by whom; else "" */
	unsigned depth;
	bool restricted;
	enum xos_grant_state state;
	int64_t issued, registered, ends;
	int64_t revoked;            /* when; 0: not */
	uint64_t renewals;          /* how many certificates */
	int64_t renewed, not_after; /* the last of them: when, and its end; 0: none */
};
struct xos_json *xos_grant_info_to_json(const struct xos_grant_info *i);
XOS_MUST_USE enum xos_status xos_grant_info_from_json(
    const struct xos_json *doc, struct xos_grant_info *out, struct xos_err *err);

/* --- client half: all against xos-cad --- */

/* grant: what xos_grant_sign gave; not taken. The same again is OK; with a later end it extends the grant. CONFLICT
 * "grant-other" (registered with other contents, or another member's) and "grant-shorter"; DENIED "grant-too-long". out may be
 * NULL. */
XOS_MUST_USE enum xos_status xos_grants_register(struct xos_client *client, const char *vo,
    const struct xos_json *grant, struct xos_grant_info *out, struct xos_err *err);
/* token: the caller's own chain with its key. member NULL: the caller's; "*": everybody's; that and another's for
 * administrators. */
XOS_MUST_USE enum xos_status xos_grants_list(struct xos_client *client,
    const struct xos_chain *token, const char *vo, const char *member,
    enum xos_status (*each)(void *ctx, const struct xos_grant_info *i, struct xos_err *err),
    void *ctx, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_grants_get(struct xos_client *client,
    const struct xos_chain *token, const char *vo, const char *id, struct xos_grant_info *out,
    struct xos_err *err);
/* reason: shown to who asks; NULL: none. Again is OK. */
XOS_MUST_USE enum xos_status xos_grants_revoke(struct xos_client *client,
    const struct xos_chain *token, const char *vo, const char *id, const char *reason,
    struct xos_grant_info *out, struct xos_err *err);
/* body: what xos_grant_countersign gave; not taken. key: the job's. out is cleared by the caller. */
XOS_MUST_USE enum xos_status xos_grants_renew(struct xos_client *client, const char *vo,
    const char *id, const struct xos_json *body, const struct xos_key *key,
    const struct xos_trust *trust, struct xos_grant_renewed *out, struct xos_err *err);

#endif
