#ifndef XOS_PROC_WORKLOAD_H
#define XOS_PROC_WORKLOAD_H

#include <stdbool.h>

#include "base/status.h"

/*
 * System call rules for a program that we start but did not write: it may do what an ordinary program does, and gets
 * EPERM for what only tools of the machine's owner need (mounts, namespaces, keyrings, bpf, modules, clocks, ...), ENOSYS for calls
 * newer than these rules, EAFNOSUPPORT for sockets that are neither unix, IPv4, IPv6 nor netlink. What comes in by the calls
 * of another architecture (i386, x32) dies. The rules and their reasons stand in workload.c.
 */
struct xos_workload {
	bool
	    own_processes; /* it is in a process namespace of its own: then it may trace what it can see */
};

/* Made while there is memory, before the limits of the program are set. */
struct xos_workload_rules;
XOS_MUST_USE enum xos_status xos_workload_make(
    const struct xos_workload *w, struct xos_workload_rules **out, struct xos_err *err);
void xos_workload_free(struct xos_workload_rules *rules); /* NULL-safe */
/* In the process itself, right before exec, after no_new_privs is set and the account is left; nobody can take it off. Takes no
 * memory; false: errno says why. */
XOS_MUST_USE bool xos_workload_enter(const struct xos_workload_rules *rules);

#endif
