/* System call rules. The lists are tried with glibc 2.36, OpenSSL 3.0, SQLite 3.40 and libevent 2.1. */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proc/confine.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define XOS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define XOS_SANITIZED 1
#endif
#ifndef XOS_SANITIZED
#define XOS_SANITIZED 0
#endif

static const char *const base[] = {
    /* descriptors that are open */
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev",
    "pwritev2", "close", "close_range", "lseek", "_llseek", "fstat", "fstat64", "fsync",
    "fdatasync", "sync_file_range", "fallocate", "fadvise64", "ftruncate", "ftruncate64", "flock",
    "fcntl", "fcntl64", "dup", "dup2", "dup3", "pipe", "pipe2", "sendfile", "copy_file_range",
    "splice",
    /* files, where the path rules allow */
    "open", "openat", "stat", "lstat", "newfstatat", "fstatat64", "statx", "statfs", "statfs64",
    "fstatfs", "fstatfs64", "access", "faccessat", "readlink", "readlinkat", "getcwd", "getdents64",
    "chdir", "fchdir", "umask", "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
    /* sockets that are open: channels, log, connections */
    "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg", "sendmmsg", "recv", "send",
    "getsockname", "getpeername", "getsockopt", "setsockopt", "shutdown", "socketpair",
    /* waiting and time */
    "poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "epoll_create",
    "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd",
    "eventfd2", "timerfd_create", "timerfd_settime", "timerfd_gettime", "signalfd4", "nanosleep",
    "clock_nanosleep", "clock_gettime", "clock_gettime64", "clock_getres", "gettimeofday", "time",
    "times", "getitimer", "setitimer", "timer_create", "timer_settime", "timer_delete", "alarm",
    /* memory and threads */
    "brk", "munmap", "mremap", "madvise", "mlock", "mlock2", "munlock", "msync", "mincore",
    "memfd_create", "membarrier", "futex", "futex_time64", "futex_waitv", "set_robust_list",
    "get_robust_list", "rseq", "set_tid_address", "gettid", "getpid", "getppid", "sched_yield",
    "sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_getscheduler", "getcpu",
    "arch_prctl", "prctl", "exit", "exit_group", "restart_syscall",
    /* signals to itself */
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigsuspend",
    "rt_sigtimedwait", "sigaltstack", "sigreturn", "pause",
    /* who and where am I */
    "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "getpgrp",
    "getpgid", "getsid", "uname", "sysinfo", "getrusage", "getrlimit", "ugetrlimit", "prlimit64",
    "getrandom", "getpriority", "capget", "landlock_create_ruleset", "landlock_add_rule",
    "landlock_restrict_self", "seccomp", NULL};

static const char *const net_server[] = {"accept", "accept4", "listen", NULL};
static const char *const net_client[] = {"connect", NULL};
static const char *const net_bind[] = {"bind", "listen", NULL};
static const char *const file_write[] = {"creat", "mkdir", "mkdirat", "rename", "renameat",
    "renameat2", "unlink", "unlinkat", "rmdir", "link", "linkat", "symlink", "symlinkat", "chmod",
    "fchmod", "fchmodat", "chown", "fchown", "fchownat", "lchown", "truncate", "truncate64",
    "utime", "utimes", "utimensat", "futimesat", "sync", "syncfs", NULL};
static const char *const spawn[] = {"fork", "vfork", "clone", "clone3", "execve", "execveat",
    "wait4", "waitid", "waitpid", "kill", "tkill", "tgkill", "pidfd_open", "pidfd_send_signal",
    "setsid", "setpgid", "setuid", "setgid", "setresuid", "setresgid", "setreuid", "setregid",
    "setgroups", "capset", "setrlimit", "setpriority", "chroot", "mount", "umount2", "unshare",
    "setns", "pivot_root", "ioctl", "keyctl", "add_key", "request_key", "sched_setscheduler",
    "sethostname", NULL};

/* glibc and others try these first and go on without them if they do not exist. */
static const char *const absent[] = {"openat2", "faccessat2", "fchmodat2", NULL};

/* Nothing of ours asks for these, so whoever does is not ours any more. */
static const char *const deadly[] = {"execve", "execveat", "ptrace", "process_vm_readv",
    "process_vm_writev", "kexec_load", "kexec_file_load", "init_module", "finit_module",
    "delete_module", "bpf", "userfaultfd", "perf_event_open", "mount", "umount2", "pivot_root",
    "chroot", "unshare", "setns", "reboot", "swapon", "swapoff", "iopl", "ioperm",
    "open_by_handle_at", "io_uring_setup", "io_uring_enter", "io_uring_register", "add_key",
    "request_key", "keyctl", "setuid", "setgid", "setresuid", "setresgid", "setreuid", "setregid",
    "setgroups", NULL};

/* Names unknown on this architecture are passed over. */
static int add_list(scmp_filter_ctx ctx, uint32_t action, const char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		int call = seccomp_syscall_resolve_name(names[i]);
		if (call == __NR_SCMP_ERROR || call < 0)
			continue;
		int rc = seccomp_rule_add(ctx, action, call, 0);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static bool listed(const char *const *names, const char *name)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

/* What the process was allowed wins over the deadly list. */
static int add_deadly(scmp_filter_ctx ctx, unsigned allow)
{
	for (size_t i = 0; deadly[i]; i++) {
		const char *const one[] = {deadly[i], NULL};
		if (allow & XOS_ALLOW_SPAWN && listed(spawn, deadly[i]))
			continue;
		int rc = add_list(ctx, SCMP_ACT_KILL_PROCESS, one);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Memory is never writable and executable at once. */
static int add_memory(scmp_filter_ctx ctx)
{
	static const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect)};
	static const uint64_t modes[] = {PROT_NONE, PROT_WRITE, PROT_EXEC};
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		for (size_t m = 0; calls[i] >= 0 && m < sizeof(modes) / sizeof(modes[0]); m++) {
			int rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 1,
			    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, modes[m]));
			if (rc != 0)
				return rc;
		}
	return 0;
}

static int allow_if(scmp_filter_ctx ctx, int call, struct scmp_arg_cmp arg)
{
	return call < 0 ? 0 : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1, arg);
}

/* Threads, but no processes; signals to itself, but to nobody else; harmless ioctls. */
static int add_narrow(scmp_filter_ctx ctx)
{
	static const uint64_t ioctls[] = {FIONBIO, FIONREAD, TCGETS, TIOCGWINSZ, FIOCLEX};
	uint64_t self = (uint64_t)getpid();
	int rc =
	    allow_if(ctx, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	/* The flags of clone3 stand in memory, out of sight; glibc then takes clone. */
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (rc == 0)
		rc = allow_if(ctx, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, self, 0));
	if (rc == 0)
		rc = allow_if(ctx, SCMP_SYS(kill), SCMP_A0(SCMP_CMP_EQ, self, 0));
	for (size_t i = 0; rc == 0 && i < sizeof(ioctls) / sizeof(ioctls[0]); i++)
		rc = allow_if(
		    ctx, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, ioctls[i]));
	return rc;
}

static int add_sockets(scmp_filter_ctx ctx, unsigned allow)
{
	static const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};
	int rc = 0;
	for (size_t i = 0; i < 4; i++) {
		if (rc == 0 && allow & (XOS_ALLOW_NET_CLIENT | XOS_ALLOW_NET_BIND))
			rc = allow_if(ctx, SCMP_SYS(socket),
			    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0));
	}
	if (rc == 0 && allow & XOS_ALLOW_NET_CLIENT)
		rc = add_list(ctx, SCMP_ACT_ALLOW, net_client);
	/* The resolver's netlink socket is bound. */
	if (rc == 0 && allow & (XOS_ALLOW_NET_CLIENT | XOS_ALLOW_NET_BIND))
		rc = add_list(ctx, SCMP_ACT_ALLOW, net_bind);
	if (rc == 0 && allow & (XOS_ALLOW_NET_SERVER | XOS_ALLOW_NET_BIND))
		rc = add_list(ctx, SCMP_ACT_ALLOW, net_server);
	return rc;
}

static int add_all(scmp_filter_ctx ctx, unsigned allow)
{
	int rc = 0;
	if (allow & XOS_ALLOW_SPAWN)
		rc = add_list(ctx, SCMP_ACT_ALLOW, spawn);
	else
		rc = add_narrow(ctx);
	if (rc == 0)
		rc = add_list(ctx, SCMP_ACT_ALLOW, base);
	if (rc == 0)
		rc = add_memory(ctx);
	if (rc == 0)
		rc = add_sockets(ctx, allow);
	if (rc == 0 && allow & XOS_ALLOW_FILE_WRITE)
		rc = add_list(ctx, SCMP_ACT_ALLOW, file_write);
	if (rc == 0)
		rc = add_list(ctx, SCMP_ACT_ERRNO(ENOSYS), absent);
	if (rc == 0)
		rc = add_deadly(ctx, allow);
	return rc;
}

enum xos_status confine_calls(const struct xos_sandbox *s, const char **weak, struct xos_err *err)
{
	if (XOS_SANITIZED) {
		*weak = "seccomp (the build is for a sanitizer)";
		return XOS_OK;
	}
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!ctx)
		return xos_err_set(err, XOS_INTERNAL, "sandbox", "cannot make system call rules");
	int rc = add_all(ctx, s->allow);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc != 0)
		return xos_err_errno(err, -rc, "sandbox", "cannot set the system call rules");
	return XOS_OK;
}
