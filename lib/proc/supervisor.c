#include "proc/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "proc/channel.h"
#include "proc/daemon.h"
#include "proc/ready.h"
#include "proc/spawn.h"

#define CHILDREN_MAX 16
#define CHILD_FDS_MAX 32
#define OUTLETS_MAX 8
#define BACKOFF_MAX_MS 30000
#define STEADY_MS 60000 /* having run this long, the next pause is the first one again */

struct running {
	pid_t pid; /* 0: not running */
	int pidfd;
	bool ready;
	struct ready_reader report;
};

struct set {
	const struct xos_supervisor *s;
	struct running child[CHILDREN_MAX];
	int (*links)[2];
	int outlets[OUTLETS_MAX][2];
	int signal_fd;
	bool stopping;                  /* asked to end */
	int64_t watchdog_ms, next_ping; /* 0: nobody waits for a sign of life */
};

/* The descriptors of child i in the order of their numbers from 3 on, and the list that names them. */
struct handout {
	int fds[CHILD_FDS_MAX];
	size_t n;
	struct xos_buf names;
};

static void hand(struct handout *h, const char *name, int fd)
{
	if (h->n == CHILD_FDS_MAX) {
		h->names.status = XOS_LIMIT;
		return;
	}
	xos_buf_printf(&h->names, "%s%s=%zu", h->n ? ":" : "", name, 3 + h->n);
	h->fds[h->n++] = fd;
}

static void hand_all(struct handout *h, const struct set *set, size_t i, int ready_fd)
{
	const struct xos_supervisor *s = set->s;
	*h = (struct handout){.n = 0};
	xos_buf_init(&h->names, 4096);
	hand(h, "ready", ready_fd);
	for (size_t f = 0; f < s->children[i].nfds; f++)
		hand(h, s->children[i].fds[f].name, s->children[i].fds[f].fd);
	for (size_t l = 0; l < s->nlinks; l++) {
		if (s->links[l].a == i)
			hand(h, s->links[l].name_a, set->links[l][0]);
		if (s->links[l].b == i)
			hand(h, s->links[l].name_b, set->links[l][1]);
	}
	for (size_t o = 0; o < s->noutlets; o++)
		if (s->outlets[o].child == i)
			hand(h, s->outlets[o].name, set->outlets[o][0]);
}

static _Noreturn void become_child(const struct xos_child *c, struct handout *h, pid_t parent)
{
	const char *names = xos_buf_str(&h->names);
	/* The parent may have died before the signal was armed. */
	if (!names || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
	    setenv("XOS_DESCRIPTORS", names, 1) != 0 || unsetenv("NOTIFY_SOCKET") != 0 ||
	    spawn_place_fds(h->fds, h->n) != 0)
		_exit(127);
	spawn_reset_signals();
	union {
		const char *const *in;
		char *const *out;
	} argv = {.in = c->argv}; /* execv(3) does not write to them */
	const char *exe = c->exe ? c->exe : "/proc/self/exe";
	execv(exe, argv.out);
	spawn_exec_failed(3, exe);
}

static enum xos_status spawn(struct set *set, size_t i, struct xos_err *err)
{
	const struct xos_child *c = &set->s->children[i];
	struct running *r = &set->child[i];
	struct handout h;
	int ready[2];
	if (pipe2(ready, O_CLOEXEC | O_NONBLOCK) != 0)
		return xos_err_errno(err, errno, "supervisor", "cannot make a pipe");
	hand_all(&h, set, i, ready[1]);
	enum xos_status rc = xos_buf_status(&h.names);
	if (rc != XOS_OK) {
		(void)xos_err_set(
		    err, rc, "supervisor", "%s is given too many descriptors", c->role);
		close(ready[0]);
		goto out;
	}
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		become_child(c, &h, parent);
	int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;
	if (pidfd < 0) {
		rc = xos_err_errno(err, errno, "supervisor", "cannot start %s", c->role);
		if (pid > 0) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		close(ready[0]);
		goto out;
	}
	*r = (struct running){.pid = pid, .pidfd = pidfd, .report = {.fd = ready[0]}};
out:
	close(ready[1]);
	xos_buf_free(&h.names);
	return rc;
}

static void close_links(struct set *set)
{
	for (size_t l = 0; l < set->s->nlinks; l++)
		for (int side = 0; side < 2; side++) {
			if (set->links[l][side] >= 0)
				close(set->links[l][side]);
			set->links[l][side] = -1;
		}
	for (size_t o = 0; o < set->s->noutlets; o++)
		for (int side = 0; side < 2; side++) {
			if (set->outlets[o][side] >= 0)
				close(set->outlets[o][side]);
			set->outlets[o][side] = -1;
		}
}

static void hand_over(struct set *set)
{
	int fds[OUTLETS_MAX];
	for (size_t o = 0; o < set->s->noutlets; o++)
		fds[o] = set->outlets[o][1];
	if (set->s->noutlets)
		set->s->hand_over(set->s->ctx, fds);
}

static enum xos_status spawn_all(struct set *set, struct xos_err *err)
{
	enum xos_status rc = XOS_OK;
	for (size_t l = 0; rc == XOS_OK && l < set->s->nlinks; l++)
		rc = xos_channel_pair(set->links[l], err);
	for (size_t o = 0; rc == XOS_OK && o < set->s->noutlets; o++)
		rc = xos_channel_pair(set->outlets[o], err);
	for (size_t i = 0; rc == XOS_OK && i < set->s->nchildren; i++)
		rc = spawn(set, i, err);
	if (rc == XOS_OK)
		hand_over(set);
	/* The children hold the ends now; ours would hide that one of them has died. */
	close_links(set);
	return rc;
}

static void forget(struct running *r)
{
	if (r->report.fd >= 0)
		close(r->report.fd);
	close(r->pidfd);
	*r = (struct running){.pid = 0};
}

/* Reaps child i, which has ended, and says how. */
static void reap(struct set *set, size_t i, bool expected, struct xos_err *err)
{
	struct running *r = &set->child[i];
	const char *role = set->s->children[i].role;
	char how[48], pid[24];
	int status = 0;
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		xos_str_printf(how, sizeof(how), "exit status %d", WEXITSTATUS(status));
	else
		xos_str_printf(how, sizeof(how), "signal %d", WTERMSIG(status));
	xos_str_printf(pid, sizeof(pid), "%ld", (long)r->pid);
	XOS_EVENT(expected ? XOS_INFO : XOS_ERROR, expected ? "child.stopped" : "child.died",
	    "role", role, "pid", pid, "how", how);
	if (!expected)
		(void)xos_err_set(
		    err, XOS_UNAVAILABLE, "child-died", "the process %s ended (%s)", role, how);
	forget(r);
}

static void stop_one(struct set *set, size_t i)
{
	static const int signals[] = {SIGTERM, SIGKILL};
	struct running *r = &set->child[i];
	int64_t patience = set->s->stop_timeout_ms ? set->s->stop_timeout_ms : 10000;
	for (size_t k = 0; r->pid && k < 2; k++) {
		struct pollfd p = {.fd = r->pidfd, .events = POLLIN};
		(void)pidfd_send_signal(r->pidfd, signals[k], NULL, 0);
		int64_t deadline = xos_clock_mono_ms() + patience, left = patience;
		int n;
		do {
			n = poll(&p, 1, k ? -1 : (int)left);
			left = deadline - xos_clock_mono_ms();
		} while (n < 0 && errno == EINTR && (k || left > 0));
		if (n > 0)
			reap(set, i, true, NULL);
	}
}

static void stop_all(struct set *set)
{
	for (size_t i = set->s->nchildren; i-- > 0;)
		stop_one(set, i);
}

static void reload(struct set *set)
{
	char text[96];
	/* sd_notify(3): the time tells the manager which of its own reloads this is. */
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (xos_str_printf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
	        (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000))
		xos_notify(text);
	bool tell = !set->s->on_hup || set->s->on_hup(set->s->ctx);
	for (size_t i = 0; tell && i < set->s->nchildren; i++)
		if (set->child[i].pid)
			(void)pidfd_send_signal(set->child[i].pidfd, SIGHUP, NULL, 0);
	xos_notify(
	    tell ? "READY=1\nSTATUS=Serving; configuration read again."
	         : "READY=1\nSTATUS=Serving by the old configuration: the new one is not good.");
}

static void take_signals(struct set *set)
{
	for (int sig; (sig = xos_signal_next(set->signal_fd)) != 0;) {
		if (sig == SIGHUP)
			reload(set);
		else
			set->stopping = true;
	}
}

static enum xos_status take_report(struct set *set, size_t i, struct xos_err *err)
{
	struct running *r = &set->child[i];
	bool whole = false;
	ready_take(&r->report, &whole);
	if (!whole)
		return XOS_OK;
	enum xos_status rc = ready_result(&r->report, err);
	close(r->report.fd);
	r->report.fd = -1;
	r->ready = rc == XOS_OK;
	if (rc != XOS_OK && err && strcmp(err->code, "start-silent") == 0)
		return XOS_OK; /* its death, which follows, says more */
	return rc == XOS_OK ? rc : xos_err_prefix(err, rc, "%s", set->s->children[i].role);
}

static bool ended_badly(const struct set *set, size_t i)
{
	siginfo_t info = {.si_pid = 0};
	if (!set->child[i].pid ||
	    waitid(P_PID, (id_t)set->child[i].pid, &info, WEXITED | WNOWAIT | WNOHANG) != 0)
		return false;
	return info.si_pid != 0 && !(info.si_code == CLD_EXITED && info.si_status == 0);
}

/*
 * When one dies its neighbours end in good order, and may be seen first: the kernel closes the
 * channels of a dying process before it reports the death. The blame is not theirs.
 */
static size_t whom_to_blame(const struct set *set, size_t first)
{
	for (int tries = 0; tries < 20; tries++) {
		for (size_t i = 0; i < set->s->nchildren; i++)
			if (ended_badly(set, i))
				return i;
		(void)poll(NULL, 0, 10);
	}
	return first;
}

/* Half of the time after which the service manager takes us for dead, as sd_watchdog_enabled(3) says. */
static int64_t watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t us = 0, who = 0;
	if (!usec || !xos_parse_u64(usec, INT64_MAX, &us) || us < 2000)
		return 0;
	if (pid && (!xos_parse_u64(pid, INT32_MAX, &who) || (pid_t)who != getpid()))
		return 0;
	return (int64_t)(us / 2000);
}

static bool all_ready(const struct set *set)
{
	for (size_t i = 0; i < set->s->nchildren; i++)
		if (!set->child[i].ready)
			return false;
	return true;
}

/* Milliseconds until the next sign of life is due. None is given while a process is missing. */
static int64_t ping(struct set *set)
{
	if (!set->watchdog_ms)
		return 60000;
	int64_t left = set->next_ping - xos_clock_mono_ms();
	if (left > 0)
		return left;
	if (all_ready(set))
		xos_notify("WATCHDOG=1");
	set->next_ping = xos_clock_mono_ms() + set->watchdog_ms;
	return set->watchdog_ms;
}

/*
 * Waits for something to happen until deadline_ms (-1: for ever). Returns OK when a signal, a report
 * or the deadline came, an error when a child reported failure or ended.
 */
static enum xos_status watch(struct set *set, int64_t deadline_ms, struct xos_err *err)
{
	struct pollfd p[2 * CHILDREN_MAX + 1];
	size_t n = set->s->nchildren;
	p[2 * n] = (struct pollfd){set->signal_fd, POLLIN, 0};
	for (size_t i = 0; i < n; i++) {
		const struct running *r = &set->child[i];
		p[i] = (struct pollfd){r->pid ? r->pidfd : -1, POLLIN, 0};
		p[n + i] = (struct pollfd){r->pid ? r->report.fd : -1, POLLIN, 0};
	}
	int64_t left = deadline_ms < 0 ? -1 : deadline_ms - xos_clock_mono_ms();
	if (deadline_ms >= 0 && left < 0)
		left = 0;
	int64_t due = ping(set);
	if (left < 0 || left > due)
		left = due;
	if (poll(p, 2 * n + 1, left > 60000 ? 60000 : (int)left) < 0)
		return errno == EINTR ? XOS_OK
		                      : xos_err_errno(err, errno, "supervisor", "cannot wait");
	if (p[2 * n].revents)
		take_signals(set);
	/* Reports first: a child that said why it fails and ended is quoted. */
	for (size_t i = 0; i < n; i++) {
		enum xos_status rc = p[n + i].revents ? take_report(set, i, err) : XOS_OK;
		if (rc != XOS_OK)
			return rc;
	}
	for (size_t i = 0; i < n && !set->stopping; i++)
		if (p[i].revents) {
			reap(set, whom_to_blame(set, i), false, err);
			return XOS_UNAVAILABLE;
		}
	return XOS_OK;
}

static enum xos_status await_ready(struct set *set, struct xos_err *err)
{
	int64_t patience = set->s->ready_timeout_ms ? set->s->ready_timeout_ms : 30000;
	int64_t deadline = xos_clock_mono_ms() + patience;
	while (!all_ready(set) && !set->stopping) {
		enum xos_status rc = watch(set, deadline, err);
		if (rc != XOS_OK)
			return rc;
		for (size_t i = 0; xos_clock_mono_ms() >= deadline && i < set->s->nchildren; i++)
			if (!set->child[i].ready)
				return xos_err_set(err, XOS_UNAVAILABLE, "start-timeout",
				    "the process %s was not ready in time",
				    set->s->children[i].role);
	}
	return XOS_OK;
}

/* One life of the set: start, report, watch. Returns OK when asked to stop. */
static enum xos_status run_once(struct set *set, bool *reported, struct xos_err *err)
{
	enum xos_status rc = spawn_all(set, err);
	if (rc == XOS_OK)
		rc = await_ready(set, err);
	if (rc == XOS_OK && !set->stopping) {
		XOS_EVENT(XOS_INFO, "service.ready");
		if (!*reported)
			xos_ready_report(set->s->ready_fd, NULL);
		*reported = true;
	}
	while (rc == XOS_OK && !set->stopping)
		rc = watch(set, -1, err);
	if (set->stopping)
		xos_notify("STOPPING=1");
	stop_all(set);
	return set->stopping ? XOS_OK : rc;
}

static void pause_before_restart(struct set *set, int64_t *backoff)
{
	char ms[24];
	int64_t deadline = xos_clock_mono_ms() + *backoff;
	xos_str_printf(ms, sizeof(ms), "%lld", (long long)*backoff);
	XOS_EVENT(XOS_WARN, "service.restart", "pause_ms", ms);
	while (!set->stopping && xos_clock_mono_ms() < deadline) {
		enum xos_status rc = watch(set, deadline, NULL);
		(void)rc; /* no child is there that could fail */
	}
	*backoff = *backoff * 2 < BACKOFF_MAX_MS ? *backoff * 2 : BACKOFF_MAX_MS;
}

static enum xos_status run(struct set *set, struct xos_err *err)
{
	int64_t first = set->s->backoff_ms ? set->s->backoff_ms : 1000, backoff = first;
	bool reported = false;
	for (;;) {
		struct xos_err why = XOS_ERR_INIT;
		int64_t began = xos_clock_mono_ms();
		enum xos_status rc = run_once(set, &reported, &why);
		if (rc == XOS_OK && !reported) {
			/* Stopped while starting: whoever waits must not take it for ready. */
			rc = xos_err_set(
			    &why, XOS_UNAVAILABLE, "stopped", "stopped while it was starting");
		}
		if (rc == XOS_OK)
			return rc;
		xos_event_err(XOS_ERROR, "service.failed", &why, (const char *)NULL);
		if (!reported)
			xos_ready_report(set->s->ready_fd, &why);
		if (!reported || set->s->no_restart || set->stopping) {
			if (err)
				*err = why;
			return rc;
		}
		if (xos_clock_mono_ms() - began > STEADY_MS)
			backoff = first;
		pause_before_restart(set, &backoff);
		if (set->stopping)
			return XOS_OK;
	}
}

static enum xos_status check_use(const struct xos_supervisor *s, struct xos_err *err)
{
	bool good = s->nchildren > 0 && s->nchildren <= CHILDREN_MAX &&
	            s->noutlets <= OUTLETS_MAX && (!s->noutlets || s->hand_over);
	for (size_t l = 0; l < s->nlinks; l++)
		good = good && s->links[l].a < s->nchildren && s->links[l].b < s->nchildren;
	return good ? XOS_OK
	            : xos_err_set(err, XOS_INTERNAL, "supervisor", "wrong use of xos_supervise");
}

enum xos_status xos_supervise(const struct xos_supervisor *s, struct xos_err *err)
{
	enum xos_status rc = check_use(s, err);
	if (rc != XOS_OK)
		return rc;
	struct set set = {.s = s, .signal_fd = -1, .watchdog_ms = watchdog()};
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		set.child[i].report.fd = -1;
	for (size_t o = 0; o < OUTLETS_MAX; o++)
		set.outlets[o][0] = set.outlets[o][1] = -1;
	set.links = calloc(s->nlinks + 1, sizeof(*set.links));
	if (!set.links)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t l = 0; l < s->nlinks; l++)
		set.links[l][0] = set.links[l][1] = -1;
	rc = xos_signal_fd(&set.signal_fd, err);
	if (rc == XOS_OK && s->pid_file)
		rc = xos_pidfile_write(s->pid_file, err);
	if (rc == XOS_OK) {
		rc = run(&set, err);
		if (s->pid_file)
			unlink(s->pid_file);
	}
	if (set.signal_fd >= 0)
		close(set.signal_fd);
	free(set.links);
	return rc;
}
