#ifndef XOS_CREDD_LEASES_H
#define XOS_CREDD_LEASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"
#include "local/message.h"

/*
 * Uids that single jobs have to themselves, where the site's set promises that (`jobs FIRST-LAST`). A uid is
 * leased to one job, until the job service says that nothing of that job is left; what is left holds it. A uid
 * that came back waits for a while, and of those the one that waits longest is used again, after all that never
 * were used. Everything stands in a journal, synced before it is told to anybody; docs/protocols/credd.md has
 * its lines. It is also what tells later who had a uid. Belongs to one thread.
 */
#define XOS_CREDD_LEASES_JOURNAL "leases"
#define XOS_CREDD_LEASES_OLD "leases.old"
#define XOS_CREDD_LEASES_MAX 65536        /* leases at one time */
#define XOS_CREDD_LEASES_BYTES (8u << 20) /* of the journal, before it begins anew */
#define XOS_CREDD_LEASES_READ_MAX (16u << 20)
#define XOS_CREDD_LEASE_WHY 160

struct xos_credd_lease {
	uint32_t uid;
	char job[XOS_LOCAL_JOB_MAX + 1];
	char member[XOS_MEMBER_MAX + 1];
	uint64_t number; /* of the member */
	int64_t since;
	int64_t taken_ms; /* by xos_clock_mono_ms; 0: before this start, as no connection is */
	int64_t held;     /* since when something is left, 0: not, or not known yet */
	char why[XOS_CREDD_LEASE_WHY]; /* what is left */
};

struct xos_credd_leases;

/* Reads dir's journal. A last line that was cut off is dropped: it was told to nobody. A journal that is damaged
 * otherwise gives an object that leases nothing and says why (xos_credd_leases_trouble).
 * quarantine: seconds that a uid waits before it is used again. */
XOS_MUST_USE enum xos_status xos_credd_leases_open(
    const char *dir, int64_t quarantine, struct xos_credd_leases **out, struct xos_err *err);
void xos_credd_leases_free(struct xos_credd_leases *l);                 /* NULL-safe */
const char *xos_credd_leases_trouble(const struct xos_credd_leases *l); /* NULL: none */

/*
 * A uid of first..last for this job; the same one again for the same job. CONFLICT (code "lease-member"): the job is
 * another member's; LIMIT "leases-all": none is free, and why; UNAVAILABLE "leases": the journal cannot be read or
 * written.
 */
struct xos_credd_lease_want {
	uint32_t first, last;
	const char *job, *member;
	uint64_t number;
	int64_t now;
};
XOS_MUST_USE enum xos_status xos_credd_leases_take(struct xos_credd_leases *l,
    const struct xos_credd_lease_want *want, uint32_t *uid, struct xos_err *err);
/* Nothing of the job is left. OK also when it has no lease. */
XOS_MUST_USE enum xos_status xos_credd_leases_give_back(
    struct xos_credd_leases *l, const char *job, int64_t now, struct xos_err *err);
/* Something is: why, for people. NOT_FOUND: the job has no lease. */
XOS_MUST_USE enum xos_status xos_credd_leases_hold(
    struct xos_credd_leases *l, const char *job, const char *why, int64_t now, struct xos_err *err);

/* Borrowed until the next change; NULL: none. */
const struct xos_credd_lease *xos_credd_leases_of_job(
    const struct xos_credd_leases *l, const char *job);
const struct xos_credd_lease *xos_credd_leases_of_uid(
    const struct xos_credd_leases *l, uint32_t uid);
/* In the order of their uids; NULL past the end. */
const struct xos_credd_lease *xos_credd_leases_at(const struct xos_credd_leases *l, size_t i);
size_t xos_credd_leases_count(const struct xos_credd_leases *l);
size_t xos_credd_leases_waiting(const struct xos_credd_leases *l); /* that came back and wait */

/*
 * Who had the uid at that time, from the journals. until: when it was given back; 0: not yet. NOT_FOUND (code
 * "lease-unknown"): nobody, as far as they go back. UNAVAILABLE: they cannot be read.
 */
XOS_MUST_USE enum xos_status xos_credd_leases_at_time(const struct xos_credd_leases *l,
    uint32_t uid, int64_t at, struct xos_credd_lease *out, int64_t *until, struct xos_err *err);

/* One line of the journal, without its end; for the two files' readers and for fuzzing. */
enum xos_credd_lease_event { XOS_LEASE_TAKEN, XOS_LEASE_HELD, XOS_LEASE_FREE };
struct xos_credd_lease_line {
	enum xos_credd_lease_event event;
	struct xos_credd_lease lease; /* of HELD and FREE the uid, the time (since) and why */
};
XOS_MUST_USE bool xos_credd_lease_line_read(struct xos_bytes in, struct xos_credd_lease_line *out);
void xos_credd_lease_line_write(struct xos_buf *out, const struct xos_credd_lease_line *line);

#endif
