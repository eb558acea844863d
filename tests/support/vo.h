#ifndef XOS_TESTSUPPORT_VO_H
#define XOS_TESTSUPPORT_VO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "bundle/bundle.h"
#include "pki/cert.h"
#include "pki/issue.h"
#include "pki/key.h"
#include "token/claims.h"
#include "token/delegation.h"
#include "token/trust.h"

/*
 * A whole VO in memory, for tests: root, the two issuers, the policy signer, a site's key, and makers
 * of everything that they sign. Nothing here returns an error: a maker that fails ends the test with
 * what failed and where, so that a test never goes on with half a VO. All times are relative to the
 * `now` that the test gives.
 */
struct xos_test_vo {
	char vo[XOS_VO_MAX + 1];
	char site[XOS_SITE_MAX + 1];
	int64_t now;
	struct xos_key *root_key, *ca_key, *rca_key, *policy_key, *site_key;
	struct xos_cert *root, *ca, *rca, *policy;
};

struct xos_test_vo *xos_test_vo_new(const char *vo, const char *site, int64_t now);
void xos_test_vo_free(struct xos_test_vo *v);
/* Trust in this VO's root, with both issuers. */
struct xos_trust *xos_test_vo_trust(const struct xos_test_vo *v);
/* Writes root.pem and issuers.pem into dir (made, 0755). */
void xos_test_vo_trust_dir(const struct xos_test_vo *v, const char *dir);
/* Writes the public half of the site's key. */
void xos_test_vo_site_key(const struct xos_test_vo *v, const char *path);

/* What a credential says. Zero: default. Lists end with NULL. */
struct xos_test_who {
	const char *name;          /* member, or host name */
	uint64_t number;           /* members: 1 */
	const char *const *groups; /* members */
	const char *const *roles;  /* members */
	const char *home;          /* members */
	int64_t auth_time;         /* members: now - 60 */
	const char *auth_method;   /* members: password */
	bool auth_mfa;             /* members */
	const char *service;       /* kind service */
	int64_t not_before;        /* now - 300 */
	int64_t not_after;         /* now + 12 h */
	struct xos_bytes spki;     /* somebody else's key; the chain then has none */
};
/* Fresh key (unless who->spki is given), certificate and issuer; *out is zeroed by the caller, who clears it. */
void xos_test_member(
    const struct xos_test_vo *v, const struct xos_test_who *who, struct xos_chain *out);
void xos_test_node(
    const struct xos_test_vo *v, const struct xos_test_who *who, struct xos_chain *out);
void xos_test_service(
    const struct xos_test_vo *v, const struct xos_test_who *who, struct xos_chain *out);
/* "token file": PEM of certificate, key, rest (0600). */
void xos_test_chain_save(const struct xos_chain *chain, const char *path);

/* Delegates: leaf for spki, then the signer's chain. fields as for xos_delegation_sign; key (may be
 * NULL) is put into the chain, so that it can delegate on. */
void xos_test_delegate(const struct xos_test_vo *v, const struct xos_chain *signer,
    struct xos_bytes spki, const struct xos_delegation *fields, const struct xos_key *key,
    struct xos_chain *out);
/* What the authority issues under a grant: leaf of kind delegation, and its issuer, which is made anew each time. step:
 * as for xos_token_issue_delegation. A key of who's own, unless who->spki is given. */
void xos_test_renewed(const struct xos_test_vo *v, const struct xos_test_who *who,
    const struct xos_delegation *step, struct xos_chain *out);
/* Borrowed DER of each certificate; returns their number. */
size_t xos_test_ders(const struct xos_chain *chain, struct xos_bytes out[XOS_CHAIN_MAX]);
/* The bytes of a restriction from its text (delegation by user "alice" { ... }). */
void xos_test_restriction(const char *text, struct xos_buf *out);

/* A bundle. Zero: default. */
struct xos_test_bundle {
	uint64_t serial;                /* 1 */
	int64_t issued;                 /* now */
	int64_t expires;                /* issued + 12 h */
	const char *vo_text;            /* the VO set; a set without statements */
	const char *site_text;          /* the site set; NULL: none */
	const struct xos_key *site_key; /* NULL: the site's own */
	const struct xos_chain *signer; /* certificate and key; NULL: the VO's policy signer */
	const struct xos_roster_member *members;
	size_t nmembers;
	const struct xos_lock *locks_ca, *locks_rca;
	size_t nlocks_ca, nlocks_rca;
	uint64_t roster_serial, locks_serial; /* 1 */
	/* Texts of the sets of the group /demo/physics, of the owner demo:alice, of the node n1; NULL: none. */
	const char *group_text, *owner_text, *node_text;
	uint64_t group_serial, owner_serial; /* 1 */
	const char *node;                    /* n1: whose set the bundle says it is */
	struct xos_bytes head, trust;        /* n 0: none */
};
void xos_test_bundle(
    const struct xos_test_vo *v, const struct xos_test_bundle *b, struct xos_buf *out);

/* A fresh folder below $TMPDIR (0700); removed with all below by the second. */
char *xos_test_dir_new(void);
void xos_test_dir_free(char *dir);
/* dir "/" name, malloc'd. */
char *xos_test_path(const char *dir, const char *name);

#endif
