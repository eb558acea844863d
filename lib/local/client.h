#ifndef XOS_LOCAL_CLIENT_H
#define XOS_LOCAL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/secret.h"
#include "base/status.h"
#include "local/message.h"

/*
 * The blocking client of credd's socket. One object serves one thread at a time. No globals, no
 * signals (MSG_NOSIGNAL), no descriptor left to children (CLOEXEC), no environment read. Each call
 * ends within the time-out, also when credd is frozen. A connection that credd closed since the
 * last call is opened again once, before anything of the new call was answered; operations may be
 * repeated without harm (see docs/protocols/credd.md).
 *
 * The server must be root, this process's own user, or the user named in the options: credd's socket
 * may stand in a folder where another user could have put a socket of his own.
 */
struct xos_local;

struct xos_local_options {
	const char *path; /* of the socket; copied */
	int timeout_ms;   /* of one call, connecting included; 0: 10 000 */
	bool other_user;  /* accept `user` as the server's user as well */
	uid_t user;
};

/* Does not connect yet. MALFORMED if the path does not fit a socket address. */
XOS_MUST_USE enum xos_status xos_local_new(
    const struct xos_local_options *opt, struct xos_local **out, struct xos_err *err);
void xos_local_free(struct xos_local *l); /* NULL-safe */

/*
 * Every call: XOS_OK when credd carried the operation out; what credd refused comes back with its
 * status, code and text. UNAVAILABLE (code "credd-unreachable" or "credd-timeout") when credd could
 * not be reached or did not answer in time; DENIED with code "credd-user" for a server of another
 * user. Outputs are set on XOS_OK only.
 */

/* How credd stands, one JSON object (docs/protocols/credd.md); malloc'd. */
XOS_MUST_USE enum xos_status xos_local_status(
    struct xos_local *l, char **json, struct xos_err *err);

struct xos_local_verdict {
	enum xos_local_decision decision; /* anything but XOS_LOCAL_PERMIT refuses */
	char *json;                       /* AuthZEN answer; malloc'd, NUL-terminated */
	char subject[XOS_LOCAL_SUBJECT_MAX + 1];
	struct xos_local_account account;
	int64_t not_after; /* of the chain */
};
/*
 * May the holder of this chain do what the AuthZEN request says? The subject is what the chain
 * proves; the request must name the same member. Peers that are no service
 * users may ask about chains of their own uid only. A chain that does not verify is an error (its own
 * status and code), not a verdict.
 */
XOS_MUST_USE enum xos_status xos_local_authorise(struct xos_local *l, const struct xos_bytes *chain,
    size_t nchain, const char *request_json, struct xos_local_verdict *out, struct xos_err *err);
void xos_local_verdict_free(struct xos_local_verdict *v); /* NULL-safe */

/*
 * Service users only: makes a key for a job that the holder of `chain` submits, keeps it in credd
 * and gives the certification request (DER, malloc'd). Asking again for the same job and the same
 * submitter gives the same key; another submitter is CONFLICT.
 */
XOS_MUST_USE enum xos_status xos_local_job_prepare(struct xos_local *l, const char *job,
    const struct xos_bytes *chain, size_t nchain, uint8_t **csr, size_t *ncsr, struct xos_err *err);

struct xos_local_job {
	char subject[XOS_LOCAL_SUBJECT_MAX + 1]; /* for whom: "<vo>:<member>" */
	struct xos_local_account account;
	int64_t not_after;
};
/*
 * Service users only: hands the delegation over. credd checks that it verifies now, is a delegation
 * for the job's key, this node and this job, and that its delegator is who submitted; then keeps it,
 * across restarts. DENIED with a code that says which of these failed (docs/protocols/credd.md).
 */
XOS_MUST_USE enum xos_status xos_local_job_accept(struct xos_local *l, const char *job,
    const struct xos_bytes *chain, size_t nchain, struct xos_local_job *out, struct xos_err *err);

/* Service users only: the job's token file (PEM: certificate, private key, chain), for the job's own
 * credential folder. */
XOS_MUST_USE enum xos_status xos_local_job_credential(
    struct xos_local *l, const char *job, struct xos_secret **pem, struct xos_err *err);
/* Service users only: forgets the job and wipes its key. OK also when there is no such job. */
XOS_MUST_USE enum xos_status xos_local_job_release(
    struct xos_local *l, const char *job, struct xos_err *err);

/*
 * The caller's own credential, by the uid that the kernel says: token file as above. `job` chooses
 * among several of this uid (NULL or "": the newest); it never grants another's.
 */
XOS_MUST_USE enum xos_status xos_local_credential(
    struct xos_local *l, const char *job, struct xos_secret **pem, struct xos_err *err);

/*
 * Service users only: what would become of running jobs if a set of the VO came into force. chain: of the administrator
 * who asks, which credd verifies. question: {"policy": text, "jobs": [{"job", "src"?, "wall"?}]}. json:
 * {"asked", "jobs": [...], "more"}, see docs/protocols/credd.md; malloc'd.
 */
XOS_MUST_USE enum xos_status xos_local_preview(struct xos_local *l, const struct xos_bytes *chain,
    size_t nchain, struct xos_bytes question, char **json, struct xos_err *err);

/* Service users only: what a service tells of its requests and can enforce, for the VO's policy service:
 * {"service", "actions", "attributes", "caps": [{"name", "least"?}], "duties"}. */
XOS_MUST_USE enum xos_status xos_local_abilities(
    struct xos_local *l, struct xos_bytes json, struct xos_err *err);

/*
 * Service users only: hands over the member's grant for a job that was accepted, so that credd renews its credential. chain:
 * of the member who signed it. *ends: how far it goes. DENIED with a code that says what is wrong with it; UNAVAILABLE
 * "renewal-off": this credd renews nothing.
 */
XOS_MUST_USE enum xos_status xos_local_job_grant(struct xos_local *l, const char *job,
    const struct xos_bytes *chain, size_t nchain, struct xos_bytes grant, int64_t *ends,
    struct xos_err *err);
/* How renewal stands: of all jobs with a grant for service users, of own ones for others. question: {"epoch", "after"}, both
 * optional; json: {"epoch", "after", "more", "jobs": [...]}, see docs/protocols/credd.md; malloc'd. */
XOS_MUST_USE enum xos_status xos_local_renewals(
    struct xos_local *l, const char *question, char **json, struct xos_err *err);
/* Service users only: how it stands with jobs that run, by the sets and locks of now. question: {"since", "jobs": [{"job",
 * "src"?, "wall"?}]}, at most XOS_LOCAL_STANDING_JOBS. json: {"version", "now", "again"?, "jobs"?}, see
 * docs/protocols/credd.md; malloc'd. */
#define XOS_LOCAL_STANDING_JOBS 64
XOS_MUST_USE enum xos_status xos_local_standing(
    struct xos_local *l, struct xos_bytes question, char **json, struct xos_err *err);

/*
 * Service users only; docs/protocols/credd.md, "Accounts", has the objects. Who has this uid, or had it then;
 * how the node's accounts stand; the leases after a uid, 256 at most. question and json as there; json malloc'd.
 */
XOS_MUST_USE enum xos_status xos_local_whois(
    struct xos_local *l, struct xos_bytes question, char **json, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_local_accounts(
    struct xos_local *l, char **json, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_local_leases(
    struct xos_local *l, struct xos_bytes question, char **json, struct xos_err *err);

/* What a job runs as. */
struct xos_local_lease {
	char subject[XOS_LOCAL_SUBJECT_MAX + 1];
	struct xos_local_account account; /* with the uid of this job alone, if it is isolated */
	char *json;                       /* {"isolated", "groups": [gid], "home"?}; malloc'd */
};
/*
 * Service users only: the account under which an accepted job runs, with its groups and home; where the site
 * promises it, a uid that no other job has until xos_local_lease_end. The same answer for the same job. LIMIT
 * "leases-all": no uid is free.
 */
XOS_MUST_USE enum xos_status xos_local_lease(
    struct xos_local *l, const char *job, struct xos_local_lease *out, struct xos_err *err);
void xos_local_lease_free(struct xos_local_lease *lease); /* NULL-safe */
/* Service users only: nothing of the job is left ({}), or something is ({"left": what, for people}). */
XOS_MUST_USE enum xos_status xos_local_lease_end(
    struct xos_local *l, const char *job, struct xos_bytes json, struct xos_err *err);

/* The credentials that credd keeps: all of them for service users, own ones for others. malloc'd. */
XOS_MUST_USE enum xos_status xos_local_list(
    struct xos_local *l, struct xos_local_entry **entries, size_t *n, struct xos_err *err);

#endif
