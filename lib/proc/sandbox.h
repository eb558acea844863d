#ifndef XOS_PROC_SANDBOX_H
#define XOS_PROC_SANDBOX_H

#include <stdbool.h>

#include "base/status.h"

/*
 * What a process may still do, stated in one struct in one file of each process. System calls that
 * it did not ask for fail with EPERM; those that no process of ours needs (execve without SPAWN,
 * ptrace, mount, modules, bpf, ...) kill it, so that the attempt shows in the supervisor's events.
 * The base group is always there: I/O on open descriptors, memory, threads, time, random numbers,
 * signals to itself, opening files (where the path rules say so).
 */
enum xos_sandbox_allow {
	XOS_ALLOW_NET_SERVER = 1, /* accept on sockets that are bound already, and listen */
	XOS_ALLOW_NET_CLIENT = 2, /* make sockets, connect, resolve names */
	XOS_ALLOW_FILE_WRITE = 4, /* create, rename, remove, change modes (SQLite needs it) */
	XOS_ALLOW_SPAWN = 8,      /* fork, execute, wait, signal others, change user */
	XOS_ALLOW_NET_BIND = 16   /* make and bind listening sockets */
};

struct xos_sandbox {
	const char *name; /* for events: "cad/key" */
	unsigned allow;   /* of enum xos_sandbox_allow */
	/*
	 * Path rules (Landlock), NULL-terminated lists of files or folders with all below; NULL is
	 * an empty list. What every program needs (/usr, /lib, /etc/ssl, /dev/null, /dev/urandom
	 * and, with NET_CLIENT, the resolver's files) can always be read. A missing read_only path
	 * is passed over, a missing read_write path is an error. Descriptors already open are not
	 * touched.
	 */
	const char *const *read_only;
	const char *const *read_write;
	bool any_path; /* no path rules */
};

/*
 * Enters it for good: all threads that start later inherit it, so call it before any does. Sets
 * no_new_privs. Where the kernel lacks Landlock, or the build is for a sanitizer that needs more
 * system calls (then seccomp is left out), an event "sandbox.weak" says so and the result is OK.
 */
XOS_MUST_USE enum xos_status xos_sandbox_enter(const struct xos_sandbox *s, struct xos_err *err);

#endif
