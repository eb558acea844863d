#include "jobs/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "jobs/child.h"
#include "jobs/place.h"
#include "jobs/report.h"
#include "jobs/tree.h"

#define CPU_LOOK_MS 1000

struct reaper {
	const struct xos_launch *l;
	int report;
	pid_t main;
	bool ended, cpu_told;
};

static void close_all_but(int a, int b, int c, int d)
{
	for (int fd = 3; fd < 64; fd++)
		if (fd != a && fd != b && fd != c && fd != d)
			close(fd);
	syscall(SYS_close_range, 64U, ~0U, 0);
}

/* What this process may do once the program runs: signal its children, nothing else. */
static void keep_kill_only(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}, {0}};

	data[0].permitted = data[0].effective = 1u << CAP_KILL;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(SYS_capset, &head, data);
}

static void signal_all(const struct reaper *r, int sig)
{
	struct xos_tree t;

	if (r->l->isolate) {
		kill(-1, sig); /* everybody in this namespace but ourselves */
	} else if (xos_tree_load(getpid(), &t, NULL) == XOS_OK) {
		xos_tree_signal(&t, sig);
		xos_tree_free(&t);
	}
}

static void reap(struct reaper *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == r->main) {
			r->ended = true;
			xos_report_send(r->report, XOS_REPORT_ENDED, (uint32_t)status, NULL);
		}
}

/* Until nobody is left: what forks while we look is found the next time round. */
static _Noreturn void finish(struct reaper *r)
{
	struct timespec pause = {0, 2000000};

	for (;;) {
		signal_all(r, SIGKILL);
		reap(r);
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			_exit(0);
		nanosleep(&pause, NULL);
	}
}

static void look_at_cpu(struct reaper *r)
{
	struct xos_tree t;
	struct rusage done;
	uint64_t seconds;

	if (r->cpu_told || xos_tree_load(getpid(), &t, NULL) != XOS_OK)
		return;
	getrusage(RUSAGE_CHILDREN, &done);
	seconds =
	    xos_tree_seconds(&t) + (uint64_t)done.ru_utime.tv_sec + (uint64_t)done.ru_stime.tv_sec;
	xos_tree_free(&t);
	if (seconds >= r->l->limits.cpu) {
		r->cpu_told = true;
		xos_report_send(r->report, XOS_REPORT_CPU, 0, NULL);
	}
}

static void obey(struct reaper *r)
{
	struct xos_report cmd;

	switch (xos_report_receive(r->report, &cmd)) {
	case XOS_OK:
		if (cmd.kind == XOS_REPORT_TERM)
			signal_all(r, SIGTERM);
		else if (cmd.kind == XOS_REPORT_KILL)
			finish(r);
		break;
	case XOS_NOT_FOUND: /* the monitor is gone */
		finish(r);
	default:
		break;
	}
}

static _Noreturn void serve(struct reaper *r, int sigfd)
{
	struct pollfd p[2] = {{.fd = r->report, .events = POLLIN}, {.fd = sigfd, .events = POLLIN}};
	int wait = r->l->limits.cpu == XOS_LIMIT_NONE ? -1 : CPU_LOOK_MS;
	struct signalfd_siginfo si;

	for (;;) {
		int n = poll(p, 2, wait);

		if (n < 0 && errno != EINTR)
			finish(r);
		if (n > 0 && p[1].revents) {
			if (read(sigfd, &si, sizeof(si)) < 0)
				p[1].revents = 0;
			reap(r);
		}
		if (r->ended)
			finish(r);
		if (n > 0 && p[0].revents)
			obey(r);
		if (wait > 0)
			look_at_cpu(r);
	}
}

static _Noreturn void refuse(int report, const char *text)
{
	xos_report_send(report, XOS_REPORT_FAILED, 0, text);
	_exit(1);
}

/* Forks the program; what keeps it from running comes back through a pipe that exec closes. */
static void start_program(struct reaper *r, const struct xos_reaper_fds *fds)
{
	struct xos_child_fds cf = {.out = fds->out, .err = fds->err};
	char text[256];
	int p[2];
	ssize_t n;

	if (pipe2(p, O_CLOEXEC) != 0)
		refuse(r->report, "cannot make a pipe");
	r->main = fork();
	if (r->main < 0)
		refuse(r->report, "cannot fork");
	if (r->main == 0) {
		cf.report = p[1];
		xos_job_child(r->l, &cf);
	}
	close(p[1]);
	n = read(p[0], text, sizeof(text) - 1);
	close(p[0]);
	if (n > 0) {
		text[n] = 0;
		refuse(r->report, text);
	}
	close(fds->out);
	close(fds->err);
}

/* inside: born in the unified hierarchy's group, whose door is the first. */
static _Noreturn void reaper_main(
    struct xos_launch *l, const struct xos_reaper_fds *fds, bool inside)
{
	struct reaper r = {.l = l, .report = fds->report};
	struct xos_err err = XOS_ERR_INIT;
	char isolation[128] = "";
	enum xos_status st;
	sigset_t chld;
	int sigfd;

	prctl(PR_SET_NAME, "xos-job-reaper", 0, 0, 0);
	if (!xos_cgroup_join(fds->door + inside, fds->ndoors - inside))
		refuse(r.report, "cannot enter the job's control group");
	close_all_but(fds->out, fds->err, fds->report, -1);
	if (l->isolate)
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	else
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	sigfd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sigfd < 0)
		refuse(r.report, "cannot watch for the program's end");
	st = xos_launch_without_network(&l->limits) ? xos_net_loopback_up(&err) : XOS_OK;
	if (st != XOS_OK)
		refuse(r.report, err.text);
	if (l->isolate)
		st = xos_place_enter(l, isolation, sizeof(isolation), &err);
	else
		st = xos_place_plain(l, isolation, sizeof(isolation), &err);
	xos_secret_free(l->credential);
	l->credential = NULL;
	if (st == XOS_OK)
		st = xos_place_note(l, isolation, sizeof(isolation), &err);
	if (st != XOS_OK)
		refuse(r.report, err.text);
	start_program(&r, fds);
	if (l->isolate)
		keep_kill_only();
	xos_report_send(r.report, XOS_REPORT_STARTED, 0, isolation);
	serve(&r, sigfd);
}

enum xos_status xos_reaper_start(
    struct xos_launch *l, const struct xos_reaper_fds *fds, pid_t *pid, struct xos_err *err)
{
	unsigned long flags = SIGCHLD;
	long p;

	if (l->isolate)
		flags |= CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC;
	if (xos_launch_without_network(&l->limits))
		flags |= CLONE_NEWNET; /* as root; else policy's limit has refused the job */
	struct clone_args born = {.flags = (flags & ~(unsigned long)SIGCHLD) | CLONE_INTO_CGROUP,
	    .exit_signal = SIGCHLD,
	    .cgroup = (uint64_t)(uint32_t)fds->cradle};

	bool inside = fds->cradle >= 0;
	p = inside ? syscall(SYS_clone3, &born, sizeof(born)) : -1;
	if (p < 0) { /* an older kernel: through all doors */
		inside = false;
		p = syscall(SYS_clone, flags, NULL, NULL, NULL, 0UL);
	}
	if (p < 0)
		return xos_err_errno(err, errno, "job-namespace",
		    "cannot make the job's process and mount namespaces");
	if (p == 0)
		reaper_main(l, fds, inside);
	*pid = (pid_t)p;
	return XOS_OK;
}
