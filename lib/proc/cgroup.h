#ifndef XOS_PROC_CGROUP_H
#define XOS_PROC_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/*
 * Control groups (cgroups(7)) for what a daemon starts: limits that hold for all processes of a job together and that they
 * cannot take off, and a hand to freeze them by. Both kinds: the unified hierarchy (v2), and the older ones (v1) wherever a
 * controller still lives there; on hybrid machines each control comes from where it is. Which controls a machine
 * has for us is tried, not guessed.
 */
enum {
	XOS_CGROUP_MEMORY = 1,    /* memory and swap together */
	XOS_CGROUP_PROCESSES = 2, /* processes and threads */
	XOS_CGROUP_CPU = 4,       /* processors at the same time, as a share of time */
	XOS_CGROUP_FREEZE = 8,
	XOS_CGROUP_NETWORK = 16 /* which networks are reached: proc/network.h */
};
#define XOS_CGROUP_CONTROLS 5
const char *xos_cgroup_control_name(unsigned control); /* one of the above: "memory", ... */

struct xos_cgroups {
	unsigned can; /* of the above: what groups made here can do */
	struct {
		char dir
		    [PATH_MAX]; /* ours ("xos-jobs"), below which groups are made; "": no such controller */
		bool unified;
		char why[128];          /* if it cannot: for people */
	} control[XOS_CGROUP_CONTROLS]; /* by bit */
};

/*
 * Once, by a daemon as long as it is a single process: in the unified hierarchy a group hands controllers on only
 * while it has no process itself, so the daemon moves into a group of its own ("xos-daemon") below the one that it was started in, which
 * must be its own (systemd: Delegate=yes). Nothing to do on other machines. An error leaves all as it was; what is missing then shows
 * in xos_cgroups_find.
 */
XOS_MUST_USE enum xos_status xos_cgroups_prepare(struct xos_err *err);

/* Looks where this process may make groups, and tries each control on one that is removed again. */
void xos_cgroups_find(struct xos_cgroups *out);
/* The same without a try, for a process that was started by one that tried: can as found, unified by its bits. */
void xos_cgroups_locate(unsigned can, unsigned unified, struct xos_cgroups *out);
unsigned xos_cgroups_unified(const struct xos_cgroups *g);

#define XOS_CGROUP_NO_LIMIT UINT64_MAX
struct xos_cgroup_limits {
	uint64_t memory;     /* bytes */
	uint64_t processes;  /* processes and threads */
	uint64_t processors; /* as many as busy all the time */
};

struct xos_cgroup {                   /* one in each hierarchy that is used */
	const struct xos_cgroups *in; /* borrowed */
	char name[80];
};

/*
 * Makes the group and sets the limits; name is [A-Za-z0-9._-]+. CONFLICT: there is one of that name with processes in it; DENIED
 * "limit-not-enforceable": a limit is given that this machine cannot enforce. On failure nothing is left behind.
 */
XOS_MUST_USE enum xos_status xos_cgroup_make(const struct xos_cgroups *in, const char *name,
    const struct xos_cgroup_limits *limits, struct xos_cgroup *out, struct xos_err *err);
/* One that was made before, also by another process. NOT_FOUND. */
XOS_MUST_USE enum xos_status xos_cgroup_open(
    const struct xos_cgroups *in, const char *name, struct xos_cgroup *out, struct xos_err *err);
/* Descriptors into each of which a process of one thread writes "0" to join, whatever namespace it is in; that of the unified
 * hierarchy, if one is used, is the first. Close-on-exec, the caller closes them. */
XOS_MUST_USE enum xos_status xos_cgroup_doors(
    const struct xos_cgroup *g, int fds[XOS_CGROUP_CONTROLS], size_t *n, struct xos_err *err);
/* The group's folder in the unified hierarchy, for CLONE_INTO_CGROUP (clone3(2)): who is born in it needs not go through its door,
 * which takes the kernel milliseconds. -1: none is used there. Close-on-exec, the caller closes it. */
int xos_cgroup_cradle(const struct xos_cgroup *g);
/* In the process that joins: through all doors, which are closed. Async-signal-safe. */
XOS_MUST_USE bool xos_cgroup_join(const int *fds, size_t n);
/* Frozen: once all of it stands still; UNAVAILABLE "not-frozen" if that takes over a second, and it goes on stopping. */
XOS_MUST_USE enum xos_status xos_cgroup_freeze(
    const struct xos_cgroup *g, bool frozen, struct xos_err *err);
/* The same without waiting: asks it to freeze. */
XOS_MUST_USE enum xos_status xos_cgroup_freeze_begin(
    const struct xos_cgroup *g, struct xos_err *err);
/* Does all of it stand still? */
bool xos_cgroup_stands_still(const struct xos_cgroup *g);
/* Was it asked to freeze, whether all of it stands still yet or not? */
bool xos_cgroup_is_frozen(const struct xos_cgroup *g);
/* SIGKILL for all of it, frozen or not, so that nothing of what is frozen runs again: in the older hierarchy it is thawed once that is on
 * its way, in the unified one not at all. Needs the right to signal its processes, but not in the unified hierarchy of Linux 5.14 on. OK also when nobody
 * is there; CONFLICT: somebody still is, after a second. */
XOS_MUST_USE enum xos_status xos_cgroup_kill(const struct xos_cgroup *g, struct xos_err *err);
/* Has the kernel ended a process of it because its memory was used up? */
bool xos_cgroup_out_of_memory(const struct xos_cgroup *g);
/* Once its processes have ended. CONFLICT: they have not, in a second. */
XOS_MUST_USE enum xos_status xos_cgroup_remove(const struct xos_cgroup *g, struct xos_err *err);

#endif
