/*
 * System call rules for jobs. A list of what is denied, not of what is allowed: a job is any program. Such a list grows old as the
 * kernel grows, so calls newer than it do not exist for jobs (NEWEST). Which calls are of no use to a program without privileges
 * is what the runtimes of containers found as well (the default profile that Moby publishes, profiles/seccomp/default.json, says
 * for which capability each waits); where we differ, the reason stands beside.
 */
#include "proc/workload.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* futex_requeue of Linux 6.7. From 424 on all architectures share their numbers; below it nothing is added any more, save on
 * x86 what the kernel itself puts into processes. */
#define NEWEST 456u

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#ifndef TIOCLINUX
#define TIOCLINUX 0x541C
#endif

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	    CLONE_NEWPID | CLONE_NEWNET)

static const char *const denied[] = {
    /* The tree of files is the owner's. Most need a capability, which a namespace of users would give. */
    "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr", "swapon", "swapoff", "quotactl",
    "quotactl_fd",
    /* Out of the job's own namespaces. */
    "setns",
    /* A file by its number passes over all folders on the way. */
    "open_by_handle_at",
    /* Keyrings belong to the account, not to the job: those of the member's sessions and other jobs are in reach. */
    "keyctl", "add_key", "request_key",
    /* Where holes in the kernel were found again and again, and no job needs: own programs in the kernel, page faults held
     * still from outside, operations that run where no rule of this list sees them. */
    "bpf", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
    /* Shows what others and the kernel do. */
    "perf_event_open", "syslog", "lookup_dcookie", "fanotify_init",
    /* The machine itself: kernel, modules, ports, clock, name. */
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module",
    "create_module", "query_module", "get_kernel_syms", "reboot", "iopl", "ioperm", "acct",
    "vhangup", "clock_settime", "clock_settime64", "settimeofday", "stime", "sethostname",
    "setdomainname",
    /* No program of this century asks for these. */
    "uselib", "ustat", "sysfs", "_sysctl", "nfsservctl", "afs_syscall", "getpmsg", "putpmsg",
    "tuxcall", "security", "vserver", "bdflush", "vm86", "vm86old", NULL};

/* Whoever shares its account with others and sees them could read their memory, keys included. A debugger has its place
 * where a job sees nobody but itself, which the runtimes of containers allow as well. */
static const char *const on_others[] = {"ptrace", "process_vm_readv", "process_vm_writev",
    "pidfd_getfd", "kcmp", "process_madvise", NULL};

/* The flags of clone3 stand in memory, out of sight; libraries then take clone. */
static const char *const absent[] = {"clone3", NULL};

static int refuse_all(scmp_filter_ctx ctx, int why, const char *const *names)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && names[i]; i++) {
		int call = seccomp_syscall_resolve_name(names[i]);
		if (call != __NR_SCMP_ERROR && call >= 0)
			rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint32_t)why), call, 0);
	}
	return rc;
}

static int refuse_if(scmp_filter_ctx ctx, int why, int call, struct scmp_arg_cmp arg)
{
	return call < 0 ? 0 : seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint32_t)why), call, 1, arg);
}

/* Any one of them is enough, so each has a rule. */
static int refuse_namespaces(scmp_filter_ctx ctx)
{
	int rc = 0;
	for (unsigned bit = 1; rc == 0 && bit; bit <<= 1) {
		if (bit & (unsigned)NAMESPACES)
			rc = refuse_if(
			    ctx, EPERM, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, bit, bit));
		if (rc == 0 && bit & (unsigned)(NAMESPACES | CLONE_NEWTIME))
			rc = refuse_if(
			    ctx, EPERM, SCMP_SYS(unshare), SCMP_A0(SCMP_CMP_MASKED_EQ, bit, bit));
	}
	return rc;
}

/* Words put into a terminal are typed by whoever owns it. */
static int refuse_ioctls(scmp_filter_ctx ctx)
{
	static const uint64_t requests[] = {TIOCSTI, TIOCLINUX};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < sizeof(requests) / sizeof(requests[0]); i++)
		rc = refuse_if(ctx, EPERM, SCMP_SYS(ioctl),
		    SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, requests[i]));
	return rc;
}

/* Each family is a door into kernel code, and what a job's network is limited by knows the internet's only. */
static int refuse_families(scmp_filter_ctx ctx)
{
	static const int calls[] = {SCMP_SYS(socket), SCMP_SYS(socketpair)};
	int rc = 0;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		for (unsigned family = 0; rc == 0 && family < AF_NETLINK; family++)
			if (family != AF_UNIX && family != AF_INET && family != AF_INET6)
				rc = refuse_if(
				    ctx, EAFNOSUPPORT, calls[i], SCMP_A0(SCMP_CMP_EQ, family, 0));
		if (rc == 0)
			rc = refuse_if(
			    ctx, EAFNOSUPPORT, calls[i], SCMP_A0(SCMP_CMP_GT, AF_NETLINK, 0));
	}
	return rc;
}

static int add_all(scmp_filter_ctx ctx, const struct xos_workload *w)
{
	int rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc == 0)
		rc = refuse_all(ctx, EPERM, denied);
	if (rc == 0 && !w->own_processes)
		rc = refuse_all(ctx, EPERM, on_others);
	if (rc == 0)
		rc = refuse_all(ctx, ENOSYS, absent);
	if (rc == 0)
		rc = refuse_namespaces(ctx);
	if (rc == 0)
		rc = refuse_ioctls(ctx);
	if (rc == 0)
		rc = refuse_families(ctx);
	return rc;
}

/*
 * What libseccomp cannot say: numbers above one, and a bit of an argument unless all are set (personality(0xffffffff) asks only). A
 * personality may not make memory executable or map address 0 behind the program's back; what else it changes (no random addresses,
 * for debuggers; an old uname) concerns nobody but the program. Other architectures have other numbers; the rules above kill
 * what comes in by those.
 */
static bool refuse_by_number(void)
{
	const uint32_t arg = offsetof(struct seccomp_data, args[0]) +
	                     (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, NEWEST, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_personality, 0, 4),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, arg),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xffffffff, 2, 0),
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, READ_IMPLIES_EXEC | MMAP_PAGE_ZERO, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

struct xos_workload_rules {
	size_t n;
	struct sock_filter code[];
};

/* libseccomp gives a program to a descriptor only. */
static struct xos_workload_rules *take(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	size_t n = size > 0 ? (size_t)size / sizeof(struct sock_filter) : 0;
	struct xos_workload_rules *r = n ? malloc(sizeof(*r) + (size_t)size) : NULL;

	if (!r)
		return NULL;
	r->n = n;
	if (n > BPF_MAXINSNS || pread(fd, r->code, (size_t)size, 0) != size) {
		free(r);
		return NULL;
	}
	return r;
}

enum xos_status xos_workload_make(
    const struct xos_workload *w, struct xos_workload_rules **out, struct xos_err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int fd = memfd_create("rules", MFD_CLOEXEC);
	int rc = !ctx ? -ENOMEM : fd < 0 ? -errno : add_all(ctx, w);

	if (rc == 0)
		rc = seccomp_export_bpf(ctx, fd);
	*out = rc == 0 ? take(fd) : NULL;
	seccomp_release(ctx);
	if (fd >= 0)
		close(fd);
	return *out ? XOS_OK
	            : xos_err_errno(
	                  err, rc ? -rc : ENOMEM, "workload", "cannot make system call rules");
}

void xos_workload_free(struct xos_workload_rules *rules)
{
	free(rules);
}

bool xos_workload_enter(const struct xos_workload_rules *rules)
{
	/* The kernel only reads it. */
	const struct sock_fprog program = {
	    (unsigned short)rules->n, (struct sock_filter *)(uintptr_t)rules->code};
	return refuse_by_number() && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
