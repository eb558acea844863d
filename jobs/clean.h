#ifndef XOS_JOBS_CLEAN_H
#define XOS_JOBS_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Is nothing left of whoever had this uid? As root. A job with a uid of its own can write only in its work folder and
 * in folders that end with it (place.h), so what is looked at is what can outlive that: processes, the work folder,
 * entries of shared temporary folders, System V objects, keys.
 */
#define XOS_CLEAN_WHY 160

/* Where to look; for tests. */
struct xos_clean_places {
	const char *proc;           /* "/proc" */
	const char *const *folders; /* shared ones, NULL-terminated */
};
extern const struct xos_clean_places xos_clean_here;

/* False: something is left, or it cannot be told; why says what and where, for people. work: the job's work folder,
 * NULL: it has none. */
bool xos_clean_is(
    const struct xos_clean_places *at, uint32_t uid, const char *work, char why[XOS_CLEAN_WHY]);
/* Ends processes of the uid and empties its keyrings; what remains xos_clean_is tells. The uid must be nobody's. */
void xos_clean_up(const struct xos_clean_places *at, uint32_t uid);

#endif
