#include "jobs/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void fail(int report)
{
	int why = errno;

	if (write(report, &why, sizeof(why)) != (ssize_t)sizeof(why))
		_exit(126);
	_exit(127);
}

static _Noreturn void become_monitor(const char *program, const char *id, int order, int report)
{
	char name[] = "xos-job-monitor", arg[XOS_JOB_ID_LEN + 1], lang[] = "LANG=C.UTF-8";
	char *argv[] = {name, arg, NULL}, *env[] = {lang, NULL};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	sigset_t none;

	memcpy(arg, id, sizeof(arg));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	if (null < 0 || dup2(order, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0 || chdir("/") != 0)
		fail(report);
	execve(program, argv, env);
	fail(report);
}

/* A child that forks the monitor and ends at once. */
static pid_t fork_twice(const char *program, const char *id, int order, int report)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (setsid() < 0)
		fail(report);
	pid = fork();
	if (pid < 0)
		fail(report);
	if (pid == 0)
		become_monitor(program, id, order, report);
	_exit(0);
}

enum xos_status xos_monitor_spawn(
    const char *program, const struct xos_launch *l, struct xos_err *err)
{
	int order[2] = {-1, -1}, report[2] = {-1, -1}, why = 0;
	enum xos_status st;
	pid_t pid;
	ssize_t n;

	if (pipe2(order, O_CLOEXEC) != 0 || pipe2(report, O_CLOEXEC) != 0) {
		st = xos_err_errno(err, errno, "job-start", "cannot make a pipe");
		goto out;
	}
	pid = fork_twice(program, l->id, order[0], report[1]);
	if (pid < 0) {
		st = xos_err_errno(err, errno, "job-start", "cannot start a monitor");
		goto out;
	}
	close(order[0]);
	close(report[1]);
	order[0] = report[1] = -1;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	do
		n = read(report[0], &why, sizeof(why));
	while (n < 0 && errno == EINTR);
	if (n != 0)
		st = xos_err_errno(err, n > 0 ? why : EIO, "job-start", "cannot run %s", program);
	else
		st = xos_launch_send(order[1], l, err);
out:
	for (int i = 0; i < 2; i++) {
		if (order[i] >= 0)
			close(order[i]);
		if (report[i] >= 0)
			close(report[i]);
	}
	return st;
}
