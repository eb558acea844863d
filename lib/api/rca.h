#ifndef XOS_API_RCA_H
#define XOS_API_RCA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"
#include "json/json.h"
#include "net/client.h"
#include "pki/cert.h"
#include "pki/digest.h"
#include "token/claims.h"
#include "token/trust.h"
#include "token/verify.h"

/*
 * xos-rcad: how nodes and their services come to certificates. docs/protocols/README.md has the
 * table; commands (node.approve, node.deny, node.ban, node.unban, node.applications) go through
 * api/command.h with the audience XOS_RCA_AUD.
 */
#define XOS_RCA_AUD "rca"
#define XOS_RCA_ID_LEN 32 /* hexadecimal digits of an application's id */
#define XOS_RCA_HOSTS_MAX 16
#define XOS_RCA_SERVICES_MAX 8
#define XOS_RCA_URL_MAX 255
#define XOS_RCA_MESSAGE_MAX 200
#define XOS_RCA_ABOUT_MAX 16 /* entries; keys up to 31 bytes, values up to 200, both text */
#define XOS_RCA_BODY_MAX (128 * 1024)

/* --- applications --- */

struct xos_rca_service {
	char kind[XOS_SERVICE_MAX + 1]; /* "jobs" */
	char url[XOS_RCA_URL_MAX + 1];  /* where it will serve; "" if not yet known */
	struct xos_buf csr;             /* DER */
};

struct xos_rca_application {
	char node[XOS_NODE_MAX + 1];
	char site[XOS_SITE_MAX + 1];
	char hosts[XOS_RCA_HOSTS_MAX]
	          [XOS_NODE_MAX + 1]; /* DNS names and addresses for stock clients */
	size_t nhosts;
	struct xos_json
	    *about;         /* object of strings: what the node says of itself, for the approver */
	struct xos_buf csr; /* DER */
	struct xos_rca_service services[XOS_RCA_SERVICES_MAX];
	size_t nservices;
};

struct xos_rca_application *xos_rca_application_new(void); /* NULL if out of memory */
void xos_rca_application_free(struct xos_rca_application *a);
/* As a document of its own; NULL if out of memory. */
struct xos_json *xos_rca_application_encode(const struct xos_rca_application *a);
/* Strict: names, at least one host, no double service kind, no unknown member. The CSRs are not
 * looked into. */
XOS_MUST_USE enum xos_status xos_rca_application_decode(
    const struct xos_json *doc, struct xos_rca_application **out, struct xos_err *err);
/* Is s a DNS name or an address as it may stand in a certificate? *ip (may be NULL): which. */
bool xos_rca_host_valid(const char *s, bool *ip);

/* Sends one; the id is the handle for asking how it went. */
XOS_MUST_USE enum xos_status xos_rca_apply(struct xos_client *c, const char *vo,
    const struct xos_rca_application *a, char id[XOS_RCA_ID_LEN + 1], struct xos_err *err);

enum xos_rca_state { XOS_RCA_PENDING, XOS_RCA_APPROVED, XOS_RCA_DENIED };
const char *xos_rca_state_name(enum xos_rca_state s); /* "pending", "approved", "denied" */

struct xos_rca_outcome {
	enum xos_rca_state state;
	char message[256];      /* of the administrator; "" if none */
	struct xos_chain chain; /* APPROVED: the node's certificate and its issuer */
	struct {
		char kind[XOS_SERVICE_MAX + 1];
		struct xos_chain chain;
	} services[XOS_RCA_SERVICES_MAX];
	size_t nservices;
};
void xos_rca_outcome_free(struct xos_rca_outcome *o);
/* NOT_FOUND: no such application. The certificates are not verified here. */
XOS_MUST_USE enum xos_status xos_rca_poll(struct xos_client *c, const char *vo, const char *id,
    struct xos_rca_outcome **out, struct xos_err *err);

/* --- renewal --- */

/*
 * A node or service asks for a certificate with the same name for a new key. It proves the old key
 * twice: by TLS towards the front end, and by a JWS that the front end only carries:
 *
 *   POST /v1/vo/{vo}/renew   {"proof": "<xos-renewal+jws>", "chain": ["<DER>", ...]} -> {"chain": [...]}
 *   payload {"vo", "aud": "rca", "csr": base64 DER, "iat", "exp", "jti"}, signed by the chain's key
 */
#define XOS_RCA_RENEWAL_TYP "xos-renewal+jws"
#define XOS_RCA_RENEWAL_LIFE 300 /* seconds */

/* old: current chain with its key; the client must use the same one for TLS. fresh: the new private key.
 * *out (zeroed): the new chain, without the key. */
XOS_MUST_USE enum xos_status xos_rca_renew(struct xos_client *c, const char *vo,
    const struct xos_chain *old, const struct xos_key *fresh, struct xos_chain *out,
    struct xos_err *err);
/* The body that xos_rca_renew sends, for tests and other carriers. */
XOS_MUST_USE enum xos_status xos_rca_renewal_sign(const char *vo, const struct xos_chain *old,
    const struct xos_key *fresh, int64_t now, struct xos_json **body, struct xos_err *err);

struct xos_rca_renewal {
	struct xos_identity *who; /* verified: kind node or service of this VO */
	struct xos_chain chain;   /* as presented */
	struct xos_buf csr;       /* DER, not looked into yet; empty where the proof has none */
	char jti[33];
	int64_t iat, exp;
	struct xos_json *payload; /* all that was signed */
};
void xos_rca_renewal_free(struct xos_rca_renewal *r);
/* Server half: chain (kind node or service, not expired), signature by its key, VO, audience, times.
 * Whether it was seen before (jti) and whether the node is banned is the caller's. */
XOS_MUST_USE enum xos_status xos_rca_renewal_open(struct xos_bytes body,
    const struct xos_trust *trust, const char *vo, int64_t now, struct xos_rca_renewal **out,
    struct xos_err *err);

/* --- the nodes of a VO --- */

struct xos_rca_node {
	char node[XOS_NODE_MAX + 1];
	char site[XOS_SITE_MAX + 1];
	char state[16];                        /* "active", "banned", "left" */
	char message[XOS_RCA_MESSAGE_MAX + 1]; /* of the ban; "" */
	int64_t rescued; /* when a certificate was renewed after its end, last; 0: never */
	struct {
		char kind[XOS_SERVICE_MAX + 1];
		char url[XOS_RCA_URL_MAX + 1];
	} services[XOS_RCA_SERVICES_MAX];
	size_t nservices;
};
struct xos_rca_nodes {
	struct xos_rca_node *node;
	size_t n;
};
void xos_rca_nodes_free(struct xos_rca_nodes *l);
XOS_MUST_USE enum xos_status xos_rca_nodes_get(
    struct xos_client *c, const char *vo, struct xos_rca_nodes **out, struct xos_err *err);
/* The address of a service on a node; NULL if it has none. */
const char *xos_rca_node_url(const struct xos_rca_node *n, const char *kind);

#endif
