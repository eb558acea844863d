#ifndef XOS_TEST_TOKEN_FIXTURE_H
#define XOS_TEST_TOKEN_FIXTURE_H

/* A whole VO in memory, at a fixed time: root, authorities, trust, and tokens as asked for. Every
 * function ends the program with a message if it fails: what it does is not under test there. */

#include "base/status.h"
#include "pki/issue.h"
#include "token/authority.h"
#include "token/profile.h"
#include "token/verify.h"

#define T0 ((int64_t)1800000000) /* 2027-01-15 08:00:00 UTC */
#define HOUR 3600
#define DAY 86400

struct vo {
	char name[16];
	struct xos_key *root_key, *user_key, *node_key;
	struct xos_cert *root, *user_ca, *node_ca;
	struct xos_issuer *root_issuer, *user_issuer, *node_issuer;
	struct xos_trust *trust;
};

struct vo *vo_new(const char *name);
void vo_free(struct vo *vo);

void must(enum xos_status st, const struct xos_err *err, const char *what);
struct xos_claims *user_claims(const char *vo, const char *member);
struct xos_claims *machine_claims(
    enum xos_kind kind, const char *vo, const char *name, const char *service);
struct xos_key *new_key(void);

/* A chain with key: certificate, issuer. From T0 - 300 to T0 + 12 hours. */
void issue_chain(struct xos_issuer *issuer, const struct xos_claims *claims, int64_t from,
    int64_t to, struct xos_chain *out);
void user_chain(struct vo *vo, const char *member, struct xos_chain *out);
void node_chain(struct vo *vo, const char *name, struct xos_chain *out);
void service_chain(struct vo *vo, const char *kind, const char *name, struct xos_chain *out);
/* A new key's delegation by the chain's owner: proxy, then the whole chain. */
void delegate_chain(
    const struct xos_chain *from, const struct xos_delegation *d, struct xos_chain *out);
/* Puts a certificate made elsewhere in front of a chain. Takes cert and key over. */
void prepend(const struct xos_chain *from, struct xos_cert *cert, struct xos_key *key,
    struct xos_chain *out);

struct xos_delegation job_delegation(void); /* on node n1.demo.example, one hour, depth 1 */

#endif
