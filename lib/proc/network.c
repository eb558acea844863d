/* Networks of a control group: prefixes, and handing the rules to the kernel. */
#include "proc/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "proc/network_internal.h"

/* ---- prefixes ---- */

static bool host_bits(const struct xos_net_prefix *p, size_t bytes)
{
	for (size_t bit = p->length; bit < bytes * 8; bit++)
		if (p->addr[bit / 8] & (0x80u >> bit % 8))
			return true;
	return false;
}

bool xos_net_prefix_parse(const char *text, struct xos_net_prefix *out)
{
	struct xos_net_prefix p = {.family = strchr(text, ':') ? 6 : 4};
	const char *slash = strchr(text, '/');
	char addr[INET6_ADDRSTRLEN];
	size_t bytes = p.family == 4 ? 4 : 16;
	uint64_t length;

	if (!slash || !xos_str_printf(addr, sizeof(addr), "%.*s", (int)(slash - text), text) ||
	    inet_pton(p.family == 4 ? AF_INET : AF_INET6, addr, p.addr) != 1 ||
	    !xos_parse_u64(slash + 1, bytes * 8, &length))
		return false;
	p.length = (uint8_t)length;
	if (host_bits(&p, bytes))
		return false;
	*out = p;
	return true;
}

static bool prefix_has(const struct xos_net_prefix *p, uint8_t family, const uint8_t *addr)
{
	for (size_t bit = 0; p->family == family && bit < p->length; bit++)
		if ((p->addr[bit / 8] ^ addr[bit / 8]) & (0x80u >> bit % 8))
			return false;
	return p->family == family;
}

bool xos_net_rules_allow(const struct xos_net_rules *rules, uint8_t family, const uint8_t *addr)
{
	bool open = !rules->limited;

	for (size_t i = 0; i < rules->nopen; i++)
		open = open || prefix_has(&rules->open[i], family, addr);
	for (size_t i = 0; i < rules->nclosed; i++)
		open = open && !prefix_has(&rules->closed[i], family, addr);
	return open;
}

/* ---- to the kernel ---- */

static const struct {
	unsigned type, attach;
} hooks[XOS_NET_HOOKS] = {
    [XOS_NET_OUT] = {BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS},
    [XOS_NET_IN] = {BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS},
    [XOS_NET_CONNECT4] = {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT},
    [XOS_NET_CONNECT6] = {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_CONNECT},
};

static int load(enum xos_net_hook hook, const struct xos_net_rules *rules)
{
	struct xos_net_code code;
	union bpf_attr a;
	int fd = -1;

	memset(&a, 0, sizeof(a));
	errno = ENOMEM;
	if (xos_net_code_make(&code, hook, rules)) {
		a.prog_type = hooks[hook].type;
		a.expected_attach_type = hooks[hook].attach;
		a.insns = (uint64_t)(uintptr_t)code.v;
		a.insn_cnt = (uint32_t)code.n;
		a.license = (uint64_t)(uintptr_t) "BSD";
		fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &a, sizeof(a));
	}
	free(code.v);
	return fd;
}

/* ALLOW_MULTI: what the owner attached above goes on to count as well. */
static bool attach(int group, int program, unsigned where)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.target_fd = (uint32_t)group;
	a.attach_bpf_fd = (uint32_t)program;
	a.attach_type = where;
	a.attach_flags = BPF_F_ALLOW_MULTI;
	return syscall(SYS_bpf, BPF_PROG_ATTACH, &a, sizeof(a)) == 0;
}

enum xos_status xos_net_attach(
    const char *dir, const struct xos_net_rules *rules, struct xos_err *err)
{
	int group = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum xos_status st = XOS_OK;

	if (group < 0)
		return xos_err_errno(err, errno, "network", "cannot open %s", dir);
	for (int i = 0; st == XOS_OK && i < XOS_NET_HOOKS; i++) {
		int program = load((enum xos_net_hook)i, rules);

		if (program < 0)
			st = xos_err_errno(
			    err, errno, "network", "the kernel takes no rules for networks");
		else if (!attach(group, program, hooks[i].attach))
			st = xos_err_errno(
			    err, errno, "network", "cannot set the rules for networks");
		if (program >= 0)
			close(program);
	}
	close(group);
	return st;
}

enum xos_status xos_net_loopback_up(struct xos_err *err)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
	int why = errno;

	if (fd >= 0)
		close(fd);
	return up ? XOS_OK
	          : xos_err_errno(err, why, "network", "cannot bring up the loopback device");
}
