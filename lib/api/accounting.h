#ifndef XOS_API_ACCOUNTING_H
#define XOS_API_ACCOUNTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"
#include "json/json.h"
#include "net/client.h"
#include "token/verify.h"

/*
 * Accounting: one record for each job, its form, how it waits for xos-acctd and how it gets there.
 * docs/protocols/accounting.md describes it for people.
 */
#define XOS_RECORD_ID_LEN 32 /* hexadecimal digits: the job's id */
#define XOS_RECORD_MAX 16384 /* bytes of JSON */
#define XOS_RECORD_ACTORS_MAX 8
#define XOS_RECORD_SETS_MAX 16

struct xos_record {
	char id[XOS_RECORD_ID_LEN + 1];
	char vo[XOS_VO_MAX + 1];
	char member[XOS_MEMBER_MAX + 1]; /* for whom */
	uint64_t number;                 /* of the member */
	/* Who submitted, if not the member directly: the delegations on the way, first one first, each as
	 * xos_delegation_text says it. */
	char actors[XOS_RECORD_ACTORS_MAX][XOS_DELEGATION_TEXT];
	size_t nactors;
	char site[XOS_SITE_MAX + 1];
	char node[XOS_NODE_MAX + 1];
	char name[64];                     /* the job's name; may be "" */
	int64_t submitted, started, ended; /* started 0: it never ran */
	uint64_t wall_ms, cpu_user_us, cpu_system_us, memory_kib;
	char end[16];       /* "exited", "signalled", "failed", "lost" */
	int64_t value;      /* exit code or signal; -1 for the other ends */
	char cause[16];     /* "self", "cancelled", "wall", "cpu", "memory", "policy", "lock" */
	char text[256];     /* failed, lost: why */
	char deciders[512]; /* "vo demo:1, site lab:3": the statements that decided */
	struct {
		char level[16], name[XOS_NODE_MAX + XOS_SITE_MAX + 2];
		uint64_t serial;
	} sets[XOS_RECORD_SETS_MAX]; /* whose serials they were */
	size_t nsets;
	uint64_t bundle_serial;
	char account[32];
	uint64_t uid;
	char delegation[72]; /* "sha256:..." over the delegation's chain; "" if none was given */
	char isolation[128]; /* what separated the job: "account,pid,mount,ipc,tmp" or "none" */
};

struct xos_json *xos_record_to_json(const struct xos_record *r); /* NULL: out of memory */
/* Strict: every member that to_json writes, no other. */
XOS_MUST_USE enum xos_status xos_record_from_json(
    const struct xos_json *doc, struct xos_record *out, struct xos_err *err);
/* May this peer hand in this record? Service `jobs` of the record's VO and node; else DENIED with code
 * "record-node" or "record-sender". */
XOS_MUST_USE enum xos_status xos_record_sender(
    const struct xos_record *r, const struct xos_identity *who, struct xos_err *err);

/* --- the spool: a folder with one file ID.json for each record that was not acknowledged yet --- */

/* Durable when it returns; the same id again replaces the file. owner: (uid_t)-1 keeps ours. */
XOS_MUST_USE enum xos_status xos_spool_put(const char *dir, const struct xos_record *r,
    uint32_t owner, uint32_t group, struct xos_err *err);

/* One round over the spool: sends each record, oldest name first, and removes what was acknowledged.
 * A record that the server refuses for good (MALFORMED, DENIED, CONFLICT) is renamed to ID.refused,
 * with an event, so that it blocks nothing and is not lost. */
struct xos_spool_round {
	size_t sent, refused, left;
};
/* The first failure to reach the server ends the round with its status; counts are set anyway. */
XOS_MUST_USE enum xos_status xos_spool_send(
    const char *dir, struct xos_client *client, struct xos_spool_round *round, struct xos_err *err);
/* Milliseconds until the next round after so many failed ones in a row: from about 1 s to about 5 min,
 * each with jitter, so that nodes do not all come back at the same second. */
int64_t xos_spool_pause(unsigned failures);

/* --- client half --- */

/* Hands one record in; durable at the server when OK. sequence may be NULL. */
XOS_MUST_USE enum xos_status xos_records_post(
    struct xos_client *client, const struct xos_record *r, uint64_t *sequence, struct xos_err *err);
/* Records that the caller may see, in the order of the log; member and since (seconds) narrow them;
 * NULL and 0: all. */
XOS_MUST_USE enum xos_status xos_records_list(struct xos_client *client, const char *vo,
    const char *member, int64_t since,
    enum xos_status (*each)(
        void *ctx, uint64_t sequence, const struct xos_record *r, struct xos_err *err),
    void *ctx, struct xos_err *err);

#endif
