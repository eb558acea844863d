/* system call rules for programs that are not ours: what a job can no longer do, and what it still can */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/workload.h"

static bool confine(const struct xos_workload *w)
{
	struct xos_workload_rules *rules = NULL;
	bool done = xos_workload_make(w, &rules, NULL) == XOS_OK && xos_workload_enter(rules);

	xos_workload_free(rules);
	return done;
}

/* The result of a check in a confined process of its own: what it returned, or minus the signal. */
static int confined(bool own_processes, int (*check)(void))
{
	struct xos_workload w = {own_processes};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !confine(&w))
			_exit(255);
		_exit(check());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define NEED(x)                                                                                    \
	do {                                                                                       \
		if (!(x))                                                                          \
			return __LINE__ % 200 + 1;                                                 \
	} while (0)

/* Without arguments each would fail otherwise (EFAULT, EBADF, EINVAL), also for root: EPERM comes from the rules. */
static int check_denied(void)
{
	static const long calls[] = {SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot,
	    SYS_move_mount, SYS_open_tree, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick,
	    SYS_mount_setattr, SYS_swapon, SYS_swapoff, SYS_quotactl, SYS_setns,
	    SYS_open_by_handle_at, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_bpf,
	    SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
	    SYS_perf_event_open, SYS_syslog, SYS_fanotify_init, SYS_kexec_load, SYS_init_module,
	    SYS_finit_module, SYS_delete_module, SYS_reboot, SYS_acct, SYS_vhangup,
	    SYS_clock_settime, SYS_settimeofday, SYS_sethostname, SYS_setdomainname};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		errno = 0;
		if (syscall(calls[i], -1L, 0L, 0L, 0L, 0L, 0L) != -1 || errno != EPERM)
			return (int)i + 1;
	}
	return 0;
}

START_TEST(what_is_the_machines_is_denied)
{
	ck_assert_int_eq(confined(false, check_denied), 0);
	ck_assert_int_eq(confined(true, check_denied), 0);
}
END_TEST

static int check_namespaces(void)
{
	static const int flags[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET,
	    CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP, CLONE_NEWUSER | CLONE_FS};
	struct {
		uint64_t flags, rest[10];
	} args = {.flags = CLONE_NEWUSER};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		NEED(unshare(flags[i]) == -1 && errno == EPERM);
		NEED(syscall(SYS_clone, (unsigned long)flags[i] | SIGCHLD, 0UL, 0UL, 0UL, 0UL) ==
		         -1 &&
		     errno == EPERM);
	}
	NEED(syscall(SYS_unshare, 0x80UL) == -1 && errno == EPERM); /* of time */
	NEED(syscall(SYS_clone3, &args, sizeof(args)) == -1 && errno == ENOSYS);
	NEED(unshare(CLONE_FS | CLONE_FILES) == 0);
	return 0;
}

START_TEST(no_new_namespaces)
{
	ck_assert_int_eq(confined(true, check_namespaces), 0);
}
END_TEST

static int check_words(void)
{
	char c = 'x';

	NEED(ioctl(0, TIOCSTI, &c) == -1 && errno == EPERM);
	NEED(syscall(SYS_ioctl, 0L, (1UL << 32) | TIOCSTI, &c) == -1 && errno == EPERM);
	NEED(ioctl(-1, 0x541C, &c) == -1 && errno == EPERM);
	NEED(ioctl(-1, FIONREAD, &c) == -1 && errno == EBADF);
	NEED(personality(0xffffffff) >= 0);
	NEED(personality(ADDR_NO_RANDOMIZE) >= 0);
	NEED(personality(READ_IMPLIES_EXEC) == -1 && errno == EPERM);
	NEED(personality(0xffffffffUL & ~(unsigned long)ADDR_NO_RANDOMIZE) == -1 && errno == EPERM);
	NEED(personality(MMAP_PAGE_ZERO | ADDR_NO_RANDOMIZE) == -1 && errno == EPERM);
	return 0;
}

START_TEST(no_words_into_terminals_no_personalities)
{
	ck_assert_int_eq(confined(false, check_words), 0);
}
END_TEST

static int check_families(void)
{
	static const int open_ones[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
	int pair[2];

	for (int family = -1; family < 50; family++) {
		bool expected = false;

		for (size_t i = 0; i < 4; i++)
			expected |= family == open_ones[i];
		int fd = socket(family, family == AF_NETLINK ? SOCK_RAW : SOCK_DGRAM, 0);
		if (expected)
			NEED(fd >= 0 || errno != EPERM);
		else
			NEED(fd < 0 && errno == EAFNOSUPPORT);
		if (fd >= 0)
			close(fd);
	}
	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	NEED(socketpair(30, SOCK_STREAM, 0, pair) == -1 && errno == EAFNOSUPPORT); /* AF_TIPC */
	return 0;
}

START_TEST(sockets_of_the_internet_and_of_this_machine_only)
{
	ck_assert_int_eq(confined(true, check_families), 0);
}
END_TEST

/* A child traces itself for its parent. */
static int check_trace(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(errno);
		raise(SIGSTOP);
		_exit(0);
	}
	NEED(waitpid(pid, &status, WUNTRACED) == pid);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	ptrace(PTRACE_KILL, pid, NULL, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return 0;
}

static int check_read_memory(void)
{
	return syscall(SYS_process_vm_readv, (long)getpid(), 0L, 0L, 0L, 0L, 0L) == 0 ? 0 : errno;
}

START_TEST(debuggers_where_a_job_sees_only_itself)
{
	ck_assert_int_eq(confined(false, check_trace), EPERM);
	ck_assert_int_eq(confined(false, check_read_memory), EPERM);
	ck_assert_int_eq(confined(true, check_trace), 0);
	ck_assert_int_eq(confined(true, check_read_memory), 0);
}
END_TEST

static int check_newer(void)
{
	NEED(syscall(457L) == -1 && errno == ENOSYS); /* statmount of Linux 6.8 */
	NEED(syscall(467L, -1L, 0L, 0L) == -1 && errno == ENOSYS);
	NEED(syscall(0x3ffffffeL) == -1 && errno == ENOSYS);
	return 0;
}

START_TEST(calls_newer_than_the_rules_do_not_exist)
{
	ck_assert_int_eq(confined(true, check_newer), 0);
}
END_TEST

#ifdef __x86_64__
static int check_x32(void)
{
	return (int)syscall(0x40000000L | SYS_getpid);
}

static int check_i386(void)
{
	long result = 20; /* getpid there; mount would be 21 */

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	return (int)(result & 0x7f);
}
#endif

START_TEST(other_architectures_die)
{
#ifdef __x86_64__
	ck_assert_int_eq(confined(true, check_x32), -SIGSYS);
	/* A kernel without i386 lets it die by itself. */
	int end = confined(true, check_i386);
	ck_assert(end == -SIGSYS || end == -SIGSEGV);
#endif
}
END_TEST

static void *set_flag(void *arg)
{
	*(int *)arg = 1;
	return arg;
}

/* A program's daily life: threads, children, memory that is written and then executable (compilers), pipes, its own rules. */
static int check_ordinary(void)
{
	struct sched_param param = {0};
	pthread_t thread;
	int flag = 0, status, fds[2];

	NEED(pthread_create(&thread, NULL, set_flag, &flag) == 0);
	NEED(pthread_join(thread, NULL) == 0 && flag == 1);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "exit $(expr 40 + 2)", (char *)NULL);
		_exit(1);
	}
	NEED(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 42);
	void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(code != MAP_FAILED && mprotect(code, 4096, PROT_READ | PROT_EXEC) == 0);
	NEED(pipe2(fds, O_CLOEXEC) == 0 && sched_getparam(0, &param) == 0);
	NEED(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER);
	struct xos_workload more = {true};
	NEED(confine(&more));
	return 0;
}

START_TEST(ordinary_programs_do_not_notice)
{
	ck_assert_int_eq(confined(false, check_ordinary), 0);
	ck_assert_int_eq(confined(true, check_ordinary), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("workload");
	TCase *t = tcase_create("calls");

	tcase_add_test(t, what_is_the_machines_is_denied);
	tcase_add_test(t, no_new_namespaces);
	tcase_add_test(t, no_words_into_terminals_no_personalities);
	tcase_add_test(t, sockets_of_the_internet_and_of_this_machine_only);
	tcase_add_test(t, debuggers_where_a_job_sees_only_itself);
	tcase_add_test(t, calls_newer_than_the_rules_do_not_exist);
	tcase_add_test(t, other_architectures_die);
	tcase_add_test(t, ordinary_programs_do_not_notice);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
