#include "jobs/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "proc/cgroup.h"
#include "proc/workload.h"

/* 126 and 127 as a shell gives them: there but not runnable, not there. */
static _Noreturn void fail(int report, const char *what, const char *name)
{
	char text[256];
	int why = errno;
	size_t n;

	snprintf(text, sizeof(text), "cannot %s%s%s: %s", what, name ? " " : "", name ? name : "",
	    strerror(why));
	n = strlen(text);
	if (write(report, text, n) != (ssize_t)n)
		_exit(125);
	_exit(why == ENOENT ? 127 : 126);
}

static void reset_signals(void)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		sigaction(s, &dfl, NULL); /* fails for those that cannot be set: as wanted */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool limit(int what, uint64_t soft, uint64_t extra)
{
	struct rlimit now, want;

	if (soft == XOS_LIMIT_NONE)
		return true;
	if (getrlimit((__rlimit_resource_t)what, &now) != 0)
		return false;
	want.rlim_cur = soft;
	want.rlim_max = soft + extra;
	/* A bound that the daemon itself lives under stays, where it is the tighter one. */
	if (now.rlim_max != RLIM_INFINITY && want.rlim_max > now.rlim_max)
		want.rlim_max = now.rlim_max;
	if (want.rlim_cur > want.rlim_max)
		want.rlim_cur = want.rlim_max;
	return setrlimit((__rlimit_resource_t)what, &want) == 0;
}

/* What the job's group limits for all its processes is not limited for each as well. */
static uint64_t each(const struct xos_launch *l, unsigned control, uint64_t limit_of_each)
{
	return l->group_can & control ? XOS_LIMIT_NONE : limit_of_each;
}

/* What policy has no word for, so that no job takes from the machine what others need. None can be raised again. */
static bool set_fixed_limits(void)
{
	static const struct {
		int what;
		uint64_t most;
	} fixed[] = {
	    {RLIMIT_CORE, 0},              /* would hold the job's secrets */
	    {RLIMIT_MEMLOCK, 8u << 20},    /* bytes, of each process */
	    {RLIMIT_MSGQUEUE, 819200},     /* bytes, of the account */
	    {RLIMIT_SIGPENDING, 1u << 12}, /* signals and timers, of the account */
	    {RLIMIT_RTPRIO, 0},            /* no priority over others, ... */
	    {RLIMIT_NICE, 0},              /* ... nor a niceness below that at the start */
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (!limit(fixed[i].what, fixed[i].most, 0))
			return false;
	return true;
}

static bool set_limits(const struct xos_launch *l)
{
	const struct xos_launch_limits *m = &l->limits;

	/* The first SIGXCPU can be caught to tidy up; the hard end follows 5 s later. */
	return limit(RLIMIT_CPU, m->cpu, 5) &&
	       limit(RLIMIT_AS, each(l, XOS_CGROUP_MEMORY, m->memory), 0) &&
	       limit(RLIMIT_NOFILE, m->files, 0) && limit(RLIMIT_FSIZE, m->file_size, 0) &&
	       limit(RLIMIT_NPROC, each(l, XOS_CGROUP_PROCESSES, m->processes), 0) &&
	       set_fixed_limits();
}

static bool become(const struct xos_launch *l)
{
	uid_t r, e, s;

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			return false;
	if (setgroups(l->ngroups, l->groups) != 0 || setresgid(l->gid, l->gid, l->gid) != 0 ||
	    setresuid(l->uid, l->uid, l->uid) != 0)
		return false;
	errno = EPERM;
	return getresuid(&r, &e, &s) == 0 && r == l->uid && e == l->uid && s == l->uid &&
	       setuid(0) != 0;
}

static bool streams(const struct xos_child_fds *fds)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return null >= 0 && dup2(null, 0) == 0 && dup2(fds->out, 1) == 1 &&
	       dup2(fds->err, 2) == 2 &&
	       syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

_Noreturn void xos_job_child(const struct xos_launch *l, const struct xos_child_fds *fds)
{
	const struct xos_workload w = {.own_processes = l->isolate};
	struct xos_workload_rules *rules = NULL;
	int report = fds->report;

	if (!l->all_calls && xos_workload_make(&w, &rules, NULL) != XOS_OK)
		fail(report, "make the system call rules", NULL);
	if (setsid() < 0)
		fail(report, "start a session", NULL);
	if (!streams(fds))
		fail(report, "set up the job's descriptors", NULL);
	/* RLIMIT_NPROC is counted for the account, so it is set before becoming it; exec checks it. */
	if (!set_limits(l))
		fail(report, "set the job's limits", NULL);
	if (l->isolate && !become(l))
		fail(report, "become the job's account", NULL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fail(report, "set no_new_privs", NULL);
	if (!l->isolate)
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	umask(077);
	if (chdir(l->work) != 0)
		fail(report, "enter the job's folder", l->work);
	reset_signals();
	if (rules && !xos_workload_enter(rules))
		fail(report, "set the system call rules", NULL);
	environ = l->env.v; /* also what execvp takes PATH from */
	execvp(l->argv.v[0], l->argv.v);
	fail(report, "run", l->argv.v[0]);
}
