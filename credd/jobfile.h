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
	struct xos_secret *key;       /* private key, PEM */
	uint8_t spki[XOS_SHA256_LEN]; /* digest of its public half */
	struct xos_chain chain;       /* the delegation without key; n is 0 while it is awaited */
	int64_t not_after;            /* of the delegation; 0 while it is awaited */
	struct xos_credd_job *next;   /* for the table */
};

struct xos_credd_job *xos_credd_job_new(void); /* NULL if out of memory */
void xos_credd_job_free(struct xos_credd_job *job);

/*
 * The file: "XOSJ", version 1 (one byte), then as lib/base writes them: text id, vo, member; 64 bits
 * number; text account name; 32 bits uid, gid; 64 bits created, not_after; one byte with the number
 * of certificates and each as text; text key. The account is kept and not computed anew: whose
 * credential it is must not change with a later policy set.
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
