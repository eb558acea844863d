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

/* In the process itself, right before exec, after no_new_privs is set and the account is left; nobody can take it off. */
XOS_MUST_USE enum xos_status xos_workload_confine(
    const struct xos_workload *w, struct xos_err *err);

#endif
