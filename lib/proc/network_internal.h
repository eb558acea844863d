#ifndef XOS_PROC_NETWORK_INTERNAL_H
#define XOS_PROC_NETWORK_INTERNAL_H

#include "proc/network.h"

struct bpf_insn;

/* Where the kernel asks: each packet that leaves a group's sockets or reaches them, and each connect(2). */
enum xos_net_hook { XOS_NET_OUT, XOS_NET_IN, XOS_NET_CONNECT4, XOS_NET_CONNECT6 };
#define XOS_NET_HOOKS 4

struct xos_net_code {
	struct bpf_insn *v; /* the caller frees it, also after a failure */
	size_t n, cap;
	bool failed;
};

/* The program that answers by these rules. */
XOS_MUST_USE bool xos_net_code_make(
    struct xos_net_code *c, enum xos_net_hook hook, const struct xos_net_rules *rules);

/* Sets them for the group in this folder of the unified hierarchy. */
XOS_MUST_USE enum xos_status xos_net_attach(
    const char *dir, const struct xos_net_rules *rules, struct xos_err *err);

#endif
