#ifndef XOS_API_JOBS_H
#define XOS_API_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"
#include "json/json.h"
#include "net/client.h"
#include "pki/cert.h"

/*
 * Jobs: what xos-job and xos-jobd say to each other. docs/protocols/jobs.md describes it for people.
 *
 * A spec says what runs. Its canonical form is one byte string for one spec, and the job's id is the
 * beginning of that string's SHA-256. The member signs a delegation that names the id, so the signature
 * covers the command line and the environment; nobody on the way can run something else with it.
 */
#define XOS_JOB_ID_TEXT 33        /* 32 hexadecimal digits and NUL */
#define XOS_JOB_NONCE 16          /* bytes */
#define XOS_JOB_NAME_MAX 63       /* bytes; printable ASCII */
#define XOS_JOB_ARGS_MAX 1024     /* arguments, the program included */
#define XOS_JOB_ENV_MAX 256       /* variables */
#define XOS_JOB_SPEC_MAX 65536    /* bytes of the canonical form */
#define XOS_JOB_WALL_MAX 31622400 /* seconds */
#define XOS_JOB_BODY_MAX (256 * 1024)
#define XOS_JOB_WAIT_MAX 60             /* seconds that a server waits for news */
#define XOS_JOB_OUTPUT_MAX (256 * 1024) /* bytes in one answer */
#define XOS_JOBS_LIST_MAX 10000

struct xos_job_spec {
	char vo[XOS_VO_MAX + 1];
	char node[XOS_NODE_MAX + 1];
	uint8_t nonce[XOS_JOB_NONCE];
	char name[XOS_JOB_NAME_MAX + 1]; /* "" if none */
	char **argv;                     /* owned, as is env; both NULL-terminated */
	size_t nargs;
	char **env; /* "NAME=value", sorted by name, no name twice */
	size_t nenv;
	int64_t wall; /* seconds asked for; 0: none */
};

/* Empty, with a fresh nonce. */
XOS_MUST_USE enum xos_status xos_job_spec_new(
    const char *vo, const char *node, struct xos_job_spec **out, struct xos_err *err);
void xos_job_spec_free(struct xos_job_spec *s); /* NULL-safe */
XOS_MUST_USE enum xos_status xos_job_spec_arg(
    struct xos_job_spec *s, const char *arg, struct xos_err *err);
/* "NAME=value". MALFORMED for a name that is none or that the node sets itself (HOME, USER, LOGNAME,
 * X509_USER_PROXY, XOS_...), CONFLICT for one given twice, LIMIT. */
XOS_MUST_USE enum xos_status xos_job_spec_env(
    struct xos_job_spec *s, const char *assignment, struct xos_err *err);
/* All that a server demands of a spec; encode and decode ask it, too. */
XOS_MUST_USE enum xos_status xos_job_spec_check(const struct xos_job_spec *s, struct xos_err *err);

/* The canonical form, appended. Decoding takes nothing but what encoding gives. */
XOS_MUST_USE enum xos_status xos_job_spec_encode(
    const struct xos_job_spec *s, struct xos_buf *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_job_spec_decode(
    struct xos_bytes in, struct xos_job_spec **out, struct xos_err *err);
/* The id of a canonical form. */
XOS_MUST_USE enum xos_status xos_job_id(struct xos_bytes canonical, char out[XOS_JOB_ID_TEXT]);
bool xos_job_id_valid(const char *id);
/* The body of POST jobs; vo and node are the server's, not the body's. */
struct xos_json *xos_job_spec_to_json(const struct xos_job_spec *s); /* NULL: out of memory */
XOS_MUST_USE enum xos_status xos_job_spec_from_json(const struct xos_json *doc, const char *vo,
    const char *node, struct xos_job_spec **out, struct xos_err *err);

enum xos_job_state {
	XOS_JOB_WAITING = 1, /* for its credential */
	XOS_JOB_RUNNING,
	XOS_JOB_DONE,      /* ran to an end of its own, or into a limit: see cause */
	XOS_JOB_CANCELLED, /* asked to end */
	XOS_JOB_FAILED     /* never ran, or its end is unknown: see text */
};
const char *xos_job_state_name(enum xos_job_state state); /* "waiting" */

struct xos_job_info {
	char id[XOS_JOB_ID_TEXT];
	char node[XOS_NODE_MAX + 1];
	char member[XOS_MEMBER_MAX + 1];
	char name[XOS_JOB_NAME_MAX + 1];
	char command[256]; /* the arguments, for people; cut */
	char via[100]; /* submitted with a delegation: whose, "job ID"; "" by the member directly */
	/* Of the end: "self", "cancelled", "wall", "cpu", "memory", "policy", "lock"; "" before. */
	char cause[16];
	char text[256]; /* FAILED, and causes policy and lock: why; else "" */
	enum xos_job_state state;
	bool ran;                          /* its program was started */
	int code, signal;                  /* -1: not that way */
	int64_t submitted, started, ended; /* 0: not yet */
	int64_t wall;                      /* seconds that it may run; 0: not said */
	int64_t credential_until;          /* end of the delegation; 0: none yet */
	/* Whether the node has it renewed: "none", "renewing", "failing", "ended", "refused"; "" if nothing is known. */
	char renew_state[16];
	char renew_text[256]; /* why not; "" */
	int64_t renews_until,
	    renew_failing_since; /* end of the grant; since when it does not succeed; 0 */
	/* While it runs and sets or locks of now are against it. */
	int64_t frozen_since; /* 0: it is not frozen */
	bool draining;        /* it may end by itself; nothing like it begins */
	int64_t stops_at;     /* when it is ended; 0: that is not planned */
	char standing_text
	    [512]; /* level, statement or lock, reason, contact; "" if nothing is against it */
	uint64_t dropped_stdout, dropped_stderr; /* bytes of output past the cap */
};
struct xos_json *xos_job_info_to_json(const struct xos_job_info *i);
XOS_MUST_USE enum xos_status xos_job_info_from_json(
    const struct xos_json *doc, struct xos_job_info *out, struct xos_err *err);

/* --- client half: all against one node's xos-jobd --- */

struct xos_job_offer {
	char id
	    [XOS_JOB_ID_TEXT]; /* as the client computed it; the server's answer must be the same */
	uint8_t *csr;          /* DER, malloc'd */
	size_t ncsr;
	int64_t not_after; /* latest end of the delegation that the node takes */
	int64_t wall;      /* seconds that the job will get */
};
/* Submits. DENIED with code "policy-denied": the text names level, statement and reason. CONFLICT if the
 * server answers with another id than the spec's (code "job-id"). */
XOS_MUST_USE enum xos_status xos_jobs_submit(struct xos_client *client,
    const struct xos_job_spec *spec, struct xos_job_offer *out, struct xos_err *err);
void xos_job_offer_free(struct xos_job_offer *o);
/* Hands the delegation over (leaf first), and the grant as xos_grant_sign gave it (NULL: none; not taken); the job has started
 * when this returns OK. note: why the credential is not renewed in spite of the grant; "" if it is. */
#define XOS_JOB_NOTE_MAX 512
XOS_MUST_USE enum xos_status xos_jobs_credential(struct xos_client *client, const char *vo,
    const char *id, const struct xos_chain *delegation, const struct xos_json *grant,
    char note[XOS_JOB_NOTE_MAX], struct xos_err *err);
/* The grant that was given for a job that runs, {"chain", "grant"}: nothing of it is verified. NOT_FOUND "grant-none". */
XOS_MUST_USE enum xos_status xos_jobs_grant_get(struct xos_client *client, const char *vo,
    const char *id, struct xos_json **out, struct xos_err *err);
/* A longer one, which the authority has already. grant is not taken. */
XOS_MUST_USE enum xos_status xos_jobs_grant_put(struct xos_client *client, const char *vo,
    const char *id, const struct xos_json *grant, struct xos_err *err);
/* wait: up to that many seconds until the job ends. */
XOS_MUST_USE enum xos_status xos_jobs_get(struct xos_client *client, const char *vo, const char *id,
    int wait, struct xos_job_info *out, struct xos_err *err);
/* Calls each for every job that the caller may see. */
XOS_MUST_USE enum xos_status xos_jobs_list(struct xos_client *client, const char *vo,
    enum xos_status (*each)(void *ctx, const struct xos_job_info *i, struct xos_err *err),
    void *ctx, struct xos_err *err);
/* Bytes of stream ("stdout" or "stderr") from offset on, appended to out; waits up to wait seconds for
 * the first one. *end: the job has ended and nothing follows. */
XOS_MUST_USE enum xos_status xos_jobs_output(struct xos_client *client, const char *vo,
    const char *id, const char *stream, uint64_t offset, int wait, struct xos_buf *out, bool *end,
    struct xos_err *err);
XOS_MUST_USE enum xos_status xos_jobs_cancel(
    struct xos_client *client, const char *vo, const char *id, struct xos_err *err);

/* POST preview: what would become of the jobs of that node if this text were the VO's policy set, for administrators.
 * *out: {"asked", "more", "jobs": [{"job", "member"?, "now", "then", "change"?, "after"?, "why"?}]}, those that would not be
 * permitted any more. */
XOS_MUST_USE enum xos_status xos_jobs_preview(struct xos_client *client, const char *vo,
    const char *text, struct xos_json **out, struct xos_err *err);

#endif
