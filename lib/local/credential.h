#ifndef XOS_LOCAL_CREDENTIAL_H
#define XOS_LOCAL_CREDENTIAL_H

#include "local/client.h"

/*
 * The credentials that credd keeps for the caller's uid, by the client of client.h: those of its sessions and of its
 * jobs. id NULL or "": the default, which credd chooses (docs/protocols/credential.md). Errors as in client.h; a
 * credential of another uid is NOT_FOUND like one that is not there.
 */
struct xos_local_id {
	char text[XOS_LOCAL_JOB_MAX + 1];
};

/* Makes a key. flags: XOS_LOCAL_EXPORT, XOS_LOCAL_SESSION. csr: DER, malloc'd. */
XOS_MUST_USE enum xos_status xos_local_cred_create(struct xos_local *l, unsigned flags,
    struct xos_local_id *id, uint8_t **csr, size_t *ncsr, struct xos_err *err);

struct xos_local_put {
	char subject[XOS_LOCAL_SUBJECT_MAX + 1];
	int64_t not_after;
};
/* The chain for that key, DER, leaf first. May be put again, for the same member. */
XOS_MUST_USE enum xos_status xos_local_cred_put(struct xos_local *l, const char *id,
    const struct xos_bytes *chain, size_t nchain, struct xos_local_put *out, struct xos_err *err);

#define XOS_LOCAL_SIGNATURE_MAX 1024
struct xos_local_signature {
	struct xos_local_id id;
	uint8_t p[XOS_LOCAL_SIGNATURE_MAX];
	size_t n;
};
/* Signs a digest of 32, 48 or 64 bytes (SHA-256, SHA-384, SHA-512): ECDSA, DER SEQUENCE of r and s. */
XOS_MUST_USE enum xos_status xos_local_cred_sign(struct xos_local *l, const char *id,
    struct xos_bytes digest, struct xos_local_signature *out, struct xos_err *err);

/* JSON, malloc'd. all: everybody's, for service users. */
XOS_MUST_USE enum xos_status xos_local_cred_list(
    struct xos_local *l, bool all, char **json, struct xos_err *err);
/* Token file: PEM of certificate, private key, chain. DENIED "not-exportable". */
XOS_MUST_USE enum xos_status xos_local_cred_get(struct xos_local *l, const char *id,
    struct xos_local_id *used, struct xos_secret **pem, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_local_cred_destroy(
    struct xos_local *l, const char *id, struct xos_err *err);

/* Certificates, leaf first, in memory of its own. */
struct xos_local_chain {
	struct xos_local_id id;
	int64_t not_after;
	struct xos_bytes cert[XOS_LOCAL_CHAIN_MAX];
	size_t n;
	uint8_t *memory;
};
void xos_local_chain_clear(struct xos_local_chain *c);
XOS_MUST_USE enum xos_status xos_local_cred_chain(
    struct xos_local *l, const char *id, struct xos_local_chain *out, struct xos_err *err);
/* Delegates the credential to whoever made step's request: the new leaf, then the delegator's chain. id in *out is the
 * delegator's. */
XOS_MUST_USE enum xos_status xos_local_delegate(struct xos_local *l, const char *id,
    const struct xos_local_step *step, struct xos_local_chain *out, struct xos_err *err);
/* Asks for a renewal now. UNAVAILABLE "not-renewable": nothing was given by which it could be renewed. */
XOS_MUST_USE enum xos_status xos_local_cred_renew(
    struct xos_local *l, const char *id, int64_t *not_after, struct xos_err *err);

#endif
