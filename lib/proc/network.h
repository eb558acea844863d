#ifndef XOS_PROC_NETWORK_H
#define XOS_PROC_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "proc/cgroup.h"

/*
 * Which networks the processes of a control group may reach. The kernel asks a small program of ours for each packet of
 * the group's sockets, whatever their protocol, and for each connect(2), so that a closed door is an error at once and no
 * time-out. It is the group's: no process in it can take it off, and it goes with the group.
 */
#define XOS_NET_PREFIXES_MAX 256u

struct xos_net_prefix {
	uint8_t family; /* 4 or 6 */
	uint8_t length; /* in bits */
	uint8_t addr[16];
};

struct xos_net_rules {
	bool limited; /* only what is in open may be reached; with none in there, nothing */
	uint16_t nopen, nclosed;
	struct xos_net_prefix open[XOS_NET_PREFIXES_MAX];
	struct xos_net_prefix closed[XOS_NET_PREFIXES_MAX]; /* not even if open */
};

/* "10.0.0.0/8", "2001:db8::/32": zero bits after the prefix. */
XOS_MUST_USE bool xos_net_prefix_parse(const char *text, struct xos_net_prefix *out);
/* Decides as the kernel will: for tests, and to say what a rule means. addr: 4 or 16 bytes by family. */
bool xos_net_rules_allow(const struct xos_net_rules *rules, uint8_t family, const uint8_t *addr);

/* Before anything runs in the group. DENIED "limit-not-enforceable" without XOS_CGROUP_NETWORK. */
XOS_MUST_USE enum xos_status xos_cgroup_networks(
    const struct xos_cgroup *g, const struct xos_net_rules *rules, struct xos_err *err);

/* In a network namespace of its own, which is new: this machine's own addresses (127.0.0.1, ::1) work in there. */
XOS_MUST_USE enum xos_status xos_net_loopback_up(struct xos_err *err);

#endif
