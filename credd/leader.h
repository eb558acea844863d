#ifndef XOS_CREDD_LEADER_H
#define XOS_CREDD_LEADER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/status.h"

/*
 * The process session (setsid(2)) that somebody works in, by the process that leads it: its number, and when the kernel
 * started it, so that another process with the same number is not taken for it. Both are the kernel's word, in this
 * daemon's namespace; a peer says neither. It only ends credentials and chooses among them; it grants none.
 */
struct xos_credd_leader {
	uint32_t pid;   /* 0: none */
	uint64_t start; /* clock ticks since the boot */
};

/* Of the session of process pid. CONFLICT "no-session": its leader is gone (a daemon's); UNAVAILABLE "session-unknown":
 * /proc does not tell (hidepid). */
XOS_MUST_USE enum xos_status xos_credd_leader_of(
    pid_t pid, struct xos_credd_leader *out, struct xos_err *err);
/* What cannot be told just now (no descriptor is free) is not over: nothing ends because of it, and nothing is used. */
enum xos_credd_leader_state {
	XOS_CREDD_LEADER_GONE,
	XOS_CREDD_LEADER_THERE,
	XOS_CREDD_LEADER_UNKNOWN
};
enum xos_credd_leader_state xos_credd_leader_state(const struct xos_credd_leader *l);
bool xos_credd_leader_same(const struct xos_credd_leader *a, const struct xos_credd_leader *b);

/* The start time out of /proc/PID/stat; false: not of the form, or of a process that is over. */
bool xos_credd_stat_start(struct xos_bytes stat, uint64_t *start);
/* The text of /proc/PID/cgroup, in buf; false: not to be had. */
#define XOS_CREDD_CGROUP_MAX 4096
bool xos_credd_cgroup_read(pid_t pid, char buf[XOS_CREDD_CGROUP_MAX], struct xos_bytes *out);
/* Is there a component in it that is called as the group of this job (lib/proc/cgroup.h)? */
bool xos_credd_groups_name(struct xos_bytes text, const char *job);

#endif
