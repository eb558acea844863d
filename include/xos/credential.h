#ifndef XOS_CREDENTIAL_H
#define XOS_CREDENTIAL_H

#include <stddef.h>
#include <stdint.h>

#include <xos/status.h>

/*
 * The credentials that xos-credd keeps for this process's uid on this machine: of its log-in sessions, and of its jobs.
 * Private keys are made in xos-credd and may stay there: it signs, as an agent, and delegates. Link with -lxos
 * (pkg-config xos); xos_credential(3) has an example, docs/protocols/credential.md the bytes.
 *
 * The uid, which the kernel tells xos-credd, is the boundary: no call reaches what another uid has, and a credential of
 * another uid is XOS_NOT_FOUND like one that is not there. Session and control group only choose a default.
 *
 * Threads: one struct xos_credd serves one thread at a time; different ones are independent. The library has no
 * globals, installs no signal handlers, makes no threads, and leaves no descriptor to programs that are executed. After
 * fork(2) the child may go on using its copy. Each call ends within the time-out, also when xos-credd is frozen.
 *
 * Errors: every call gives a status; if it is not XOS_OK, *err (which may be NULL) says more, and no output was set. The
 * codes of what xos-credd refuses stand in the protocol. XOS_UNAVAILABLE with code "credd-unreachable" or
 * "credd-timeout": it could not be reached, or did not answer in time; XOS_DENIED with "credd-user": the socket belongs
 * to somebody whom it must not belong to.
 *
 * Memory: what is given out by pointer to pointer belongs to the caller, who gives it to xos_free() (struct xos_pem: to
 * xos_pem_free()). What is handed in is borrowed for the call.
 */

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define XOS_API __attribute__((visibility("default"), warn_unused_result))
#define XOS_API_VOID __attribute__((visibility("default")))
#else
#define XOS_API
#define XOS_API_VOID
#endif

struct xos_credd;

struct xos_open_options {
	size_t size;            /* sizeof(struct xos_open_options) */
	const char *socket;     /* NULL: $XOS_CREDD_SOCKET, else /run/xos/credd.sock */
	int timeout_ms;         /* of one call; 0: 10 000 */
	int accept_user;        /* not 0: the socket may also belong to uid `user`, not */
	unsigned int user;      /* only to root or to this process's own uid */
	const char *credential; /* what NULL for an id means; NULL: see below */
};

/* Does not connect yet. options NULL: all defaults. A path from the environment chooses whom to ask and grants nothing:
 * whose socket it is is checked. XOS_MALFORMED: a path that is no socket's. */
XOS_API enum xos_status xos_open(
    const struct xos_open_options *options, struct xos_credd **out, struct xos_err *err);
XOS_API_VOID void xos_close(struct xos_credd *c); /* NULL is accepted */

/*
 * A credential is named by its id. NULL or "" is the default: `credential` of the options; else the one that was chosen
 * in this session (xos_credential_choose); else xos-credd chooses, of those in time: the newest made in this process
 * session, that of the job in whose control group this process is, the newest.
 */
#define XOS_CREDENTIAL_ID_MAX 63
struct xos_credential_id {
	char text[XOS_CREDENTIAL_ID_MAX + 1];
};

/* A JSON object: {"credentials": [{"id", "kind", "subject", "state", "not_after", "chain", "default", ...}], "more"}. */
XOS_API enum xos_status xos_credential_list(struct xos_credd *c, char **json, struct xos_err *err);

#define XOS_CREDENTIAL_EXPORT 1u  /* the key may be got out of xos-credd again */
#define XOS_CREDENTIAL_SESSION 2u /* ends with the process session (setsid(2)) of this process */
/* Has a key made (EC P-256). csr: the request for its certificate, PKCS#10 in DER. Without a certificate it is forgotten
 * after ten minutes. XOS_LIMIT: there are too many. */
XOS_API enum xos_status xos_credential_create(struct xos_credd *c, unsigned int flags,
    struct xos_credential_id *id, unsigned char **csr, size_t *csr_len, struct xos_err *err);
/* Gives the certificate for that key and its chain, PEM, leaf first: a member's token, or a delegation. It is verified.
 * May be done again with a newer one of the same member. not_after (may be NULL): seconds since 1970. */
XOS_API enum xos_status xos_credential_put(struct xos_credd *c, const char *id, const char *pem,
    size_t pem_len, int64_t *not_after, struct xos_err *err);

/* Certificates, PEM, leaf first; used (may be NULL): which credential it is. */
XOS_API enum xos_status xos_credential_chain(struct xos_credd *c, const char *id,
    struct xos_credential_id *used, char **pem, struct xos_err *err);

/* Private key and certificates, as a token file has them, in memory that is locked if the limits allow. XOS_DENIED
 * "not-exportable": the key was made to stay. */
struct xos_pem;
XOS_API enum xos_status xos_credential_get(
    struct xos_credd *c, const char *id, struct xos_pem **out, struct xos_err *err);
XOS_API const char *xos_pem_text(
    const struct xos_pem *pem, size_t *len);         /* ends with a NUL, not counted */
XOS_API_VOID void xos_pem_free(struct xos_pem *pem); /* wipes it; NULL is accepted */
/* The same into a file, 0600, for readers of X509_USER_PROXY: in $XDG_RUNTIME_DIR, else /run/user/UID, which must be
 * this user's own and on a tmpfs, and goes with the session (XOS_UNAVAILABLE "runtime-dir"). path[cap] gets its name. */
XOS_API enum xos_status xos_credential_file(
    struct xos_credd *c, const char *id, char *path, size_t cap, struct xos_err *err);

/* Signs a digest by SHA-256, SHA-384 or SHA-512 (32, 48 or 64 bytes), made by the caller: ECDSA, a DER SEQUENCE of r and
 * s, as TLS and X.509 have it. */
#define XOS_SIGNATURE_ROOM 1024
struct xos_signature {
	struct xos_credential_id used;
	size_t len;
	unsigned char bytes[XOS_SIGNATURE_ROOM];
};
XOS_API enum xos_status xos_credential_sign(struct xos_credd *c, const char *id,
    const unsigned char *digest, size_t digest_len, struct xos_signature *out, struct xos_err *err);

struct xos_delegate_options {
	size_t size;              /* sizeof(struct xos_delegate_options) */
	const unsigned char *csr; /* PKCS#10, DER, of whoever shall hold it */
	size_t csr_len;
	const char *actor;  /* who acts: [a-z][a-z0-9-]*, such as "transfer" */
	const char *node;   /* only on this node; NULL: as the credential allows */
	const char *grant;  /* an identifier that can be locked; NULL: none */
	int64_t until;      /* seconds since 1970; 0: as long as the credential; never longer */
	unsigned int depth; /* how many more steps may follow */
	const unsigned char *restriction; /* DER, of `xos-policy` (level user); NULL: none */
	size_t restriction_len;
};
/* Delegates the credential to another key. pem: the new certificate and the chain below it. */
XOS_API enum xos_status xos_credential_delegate(struct xos_credd *c, const char *id,
    const struct xos_delegate_options *options, char **pem, int64_t *until, struct xos_err *err);

/* Asks xos-credd to renew it now, and does not wait for it: not_after (may be NULL) is the end as it is. XOS_UNAVAILABLE
 * "not-renewable": nothing was given by which it could. */
XOS_API enum xos_status xos_credential_renew(
    struct xos_credd *c, const char *id, int64_t *not_after, struct xos_err *err);

/* May the holder of this credential do here what the request says (AuthZEN 1.0, docs/protocols/decision.md)? XOS_OK for
 * every answer, also for "no": look at permitted. Only about members whose account is this uid, unless this process is a
 * service user of xos-credd. */
struct xos_verdict {
	int permitted; /* 1; anything else refuses */
	int undecided; /* refused because something could not be decided */
	char *json;    /* the whole answer */
};
XOS_API enum xos_status xos_credential_authorise(struct xos_credd *c, const char *id,
    const char *request, struct xos_verdict *out, struct xos_err *err);
XOS_API_VOID void xos_verdict_clear(struct xos_verdict *v);

/* Ends it and wipes the key, with the file that xos_credential_file made. XOS_NOT_FOUND: there is none (any more).
 * XOS_DENIED "job-credential": it ends with its job. */
XOS_API enum xos_status xos_credential_destroy(
    struct xos_credd *c, const char *id, struct xos_err *err);

/* Makes it the default in this session, by a key in the kernel's session keyring (keyrings(7)) that holds its id; NULL:
 * no longer any. XOS_LIMIT "keyring-quota"; XOS_UNAVAILABLE "keyring": this kernel or container has none for us. The
 * credential itself stays as it is. */
XOS_API enum xos_status xos_credential_choose(
    struct xos_credd *c, const char *id, struct xos_err *err);

XOS_API_VOID void xos_free(void *p);

#undef XOS_API
#undef XOS_API_VOID

#ifdef __cplusplus
}
#endif

#endif
