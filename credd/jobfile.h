#ifndef XOS_CREDD_JOBFILE_H
#define XOS_CREDD_JOBFILE_H

#include <stdint.h>

#include "base/name.h"
#include "base/secret.h"
#include "base/status.h"
#include "credd/accounts.h"
#include "local/message.h"
#include "pki/cert.h"
#include "pki/digest.h"
#include "base/bytes.h"

#define XOS_CREDD_GRANT_MAX (96u * 1024) /* bytes of grant and chain together */
#define XOS_CREDD_RENEW_TEXT 256

/*
 * The member's grant for a job, as it is kept: its credential is renewed by it. Beside what stands in the file there is
 * how the next try is planned (renewals.h), which begins anew with each start.
 */
struct xos_credd_grant {
	struct xos_buf
	    wire; /* one byte with the number of certificates, each as text; text: the grant. Of the member who signed */
	int64_t token_ends; /* of that chain: until then the authority takes the grant */
	int64_t ends;       /* how far it goes, as the authority said last */
	int64_t taken;      /* when the credential in use came */
	uint32_t renewed;   /* how often it was exchanged */
	bool registered;    /* the authority has it */
	uint8_t depth;
	uint8_t restriction[XOS_SHA256_LEN]; /* digest of what the job is restricted to */
	/* A definite no; "" while there is none. */
	char refusal[XOS_ERR_CODE_MAX];
	int64_t refused;

	/* Not in the file. */
	char text
	    [XOS_CREDD_RENEW_TEXT]; /* of the refusal (this is kept) or of the last failure; "" */
	int64_t next;               /* by the clock on the wall; 0: not planned yet */
	int64_t next_ms,
	    wait_ms; /* milliseconds since boot, suspend included: at the latest, not before */
	int64_t failing_since;
	unsigned failures; /* in a row */
	bool busy, over;
	bool unheard;     /* renewed although the authority never said that it has it: tried once */
	uint64_t changed; /* for who follows */
};
struct xos_credd_grant *xos_credd_grant_new(void); /* NULL if out of memory */
void xos_credd_grant_free(struct xos_credd_grant *g);
/* What a grant's wire holds, borrowed from it. */
XOS_MUST_USE bool xos_credd_grant_parts(struct xos_bytes wire,
    struct xos_bytes chain[XOS_CHAIN_MAX], size_t *n, struct xos_bytes *grant);

/* One job as it is kept. */
struct xos_credd_job {
	char id[XOS_LOCAL_JOB_MAX + 1];
	char vo[XOS_VO_MAX + 1];
	char member[XOS_MEMBER_MAX + 1];
	uint64_t number;
	struct xos_credd_account account; /* whose uid gets the credential */
	/* Not in the file: the computed uid and gid while account has the uid that is leased to the job; 0: it has
	 * none, and account is the computed one. */
	uint32_t computed;
	int64_t created;
	struct xos_secret *key;        /* private key, PEM */
	uint8_t spki[XOS_SHA256_LEN];  /* digest of its public half */
	struct xos_chain chain;        /* the delegation without key; n is 0 while it is awaited */
	int64_t not_after;             /* of the delegation; 0 while it is awaited */
	struct xos_credd_grant *grant; /* NULL: its credential is not renewed */
	int64_t running;               /* when it was last said that it runs; not in the file */
	bool over;                     /* seen so by the sweep, first at over_since_ms */
	int64_t over_since_ms;
	struct xos_credd_job *next; /* for the table */
};

struct xos_credd_job *xos_credd_job_new(void); /* NULL if out of memory */
void xos_credd_job_free(struct xos_credd_job *job);

/*
 * The file: "XOSJ", version 1 (one byte), then as lib/base writes them: text id, vo, member; 64 bits
 * number; text account name; 32 bits uid, gid; 64 bits created, not_after; one byte with the number
 * of certificates and each as text; text key. The account is kept and not computed anew: whose
 * credential it is must not change with a later policy set. Version 2, if and only if there is a grant, goes on with 64 bits
 * token_ends, ends, taken; 32 bits renewed; bytes registered and depth; 32 bytes restriction; text refusal, 64 bits refused,
 * text its text; text wire.
 */
XOS_MUST_USE enum xos_status xos_credd_job_write(
    const char *dir, const struct xos_credd_job *job, struct xos_err *err);
/* MALFORMED: damaged, or not the job that the name says. */
XOS_MUST_USE enum xos_status xos_credd_job_read(
    const char *dir, const char *id, struct xos_credd_job **out, struct xos_err *err);
/* The same from bytes, which should stand in secret memory. */
XOS_MUST_USE enum xos_status xos_credd_job_decode(
    struct xos_bytes in, struct xos_credd_job **out, struct xos_err *err);

#endif
