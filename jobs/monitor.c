#include "jobs/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "jobs/hold.h"
#include "jobs/outcome.h"
#include "jobs/place.h"
#include "jobs/pump.h"
#include "jobs/reaper.h"
#include "jobs/report.h"
#include "jobs/standing.h"

#define FROZEN_LOOK_MS                                                                             \
	1000 /* how often a job is looked at whose time would be over if it did not stand still */
#define WRITE_AGAIN_MS 500
#define PUMP_SLICE (1u << 20) /* read from one stream before the others get their turn */

enum stop {
	STOP_NOT,
	STOP_TERM, /* SIGTERM sent; SIGKILL at mon.deadline */
	STOP_KILL
};

struct monitor {
	struct xos_launch *l;
	struct xos_cgroups groups;
	struct xos_cgroup group; /* name "": none was made */
	struct xos_pump out, err;
	int report, sigfd, notify;
	pid_t reaper;
	enum stop stop;
	int64_t started_ms, deadline_ms; /* monotonic; 0: not yet */
	int64_t frozen_ms;               /* as far as known: see look_at_clock */
	bool gone, reported;
	int status; /* as from wait(2), if reported */
	struct xos_job_outcome o;
};

static enum xos_status open_file(const char *run, const char *name, int *fd, struct xos_err *err)
{
	char path[PATH_MAX];

	if (!xos_path_join(path, sizeof(path), run, name))
		return xos_err_set(err, XOS_LIMIT, "job-file", "%s: path too long", run);
	*fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (*fd < 0 || fchmod(*fd, 0640) != 0)
		return xos_err_errno(err, errno, "job-file", "cannot create %s", path);
	return XOS_OK;
}

/* A pipe whose write end the job may open again (/dev/stdout) under its own account. */
static enum xos_status make_stream(
    const struct xos_launch *l, const char *name, struct xos_pump *p, int *end, struct xos_err *err)
{
	int fds[2];
	enum xos_status st = open_file(l->run, name, &p->out, err);

	if (st != XOS_OK)
		return st;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return xos_err_errno(err, errno, "job-file", "cannot make a pipe");
	p->in = fds[0];
	*end = fds[1];
	p->left = l->output_max;
	if (fcntl(p->in, F_SETFL, O_NONBLOCK) != 0 ||
	    (l->isolate && fchown(*end, l->uid, l->gid) != 0))
		return xos_err_errno(err, errno, "job-file", "cannot set up a pipe");
	return XOS_OK;
}

static enum xos_status watch_signals(struct monitor *m, struct xos_err *err)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return xos_err_errno(err, errno, "job-signals", "cannot block signals");
	m->sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (m->sigfd < 0)
		return xos_err_errno(err, errno, "job-signals", "cannot watch signals");
	return XOS_OK;
}

/* The limits that hold for all its processes together. */
static enum xos_status make_group(
    struct monitor *m, struct xos_reaper_fds *fds, struct xos_err *err)
{
	const struct xos_launch_limits *l = &m->l->limits;
	struct xos_cgroup_limits limits = {XOS_CGROUP_NO_LIMIT, XOS_CGROUP_NO_LIMIT, l->processors};

	xos_cgroups_locate(m->l->group_can, m->l->group_unified, &m->groups);
	if (m->l->group_can & XOS_CGROUP_MEMORY)
		limits.memory = l->memory;
	/* The reaper is in there as well. */
	if (m->l->group_can & XOS_CGROUP_PROCESSES && l->processes != XOS_LIMIT_NONE)
		limits.processes = l->processes + 1;
	enum xos_status st = xos_cgroup_make(&m->groups, m->l->id, &limits, &m->group, err);
	if (st == XOS_OK && xos_launch_needs_net_rules(l))
		st = xos_cgroup_networks(&m->group, &l->networks, err);
	if (st == XOS_OK)
		st = xos_cgroup_doors(&m->group, fds->door, &fds->ndoors, err);
	if (st == XOS_OK)
		fds->cradle = xos_cgroup_cradle(&m->group);
	return st;
}

static enum xos_status start(struct monitor *m, struct xos_err *err)
{
	struct xos_reaper_fds fds = {.out = -1, .err = -1, .report = -1, .cradle = -1};
	int pair[2] = {-1, -1};
	enum xos_status st;

	st = make_stream(m->l, "stdout", &m->out, &fds.out, err);
	if (st == XOS_OK)
		st = make_stream(m->l, "stderr", &m->err, &fds.err, err);
	if (st == XOS_OK && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		st = xos_err_errno(err, errno, "job-file", "cannot make a socket pair");
	if (st == XOS_OK)
		st = make_group(m, &fds, err);
	if (st != XOS_OK)
		goto out;
	m->report = pair[0];
	fds.report = pair[1];
	if (fcntl(m->report, F_SETFL, O_NONBLOCK) != 0)
		st = xos_err_errno(err, errno, "job-file", "cannot set up a socket");
	else
		st = xos_reaper_start(m->l, &fds, &m->reaper, err);
	xos_secret_free(m->l->credential);
	m->l->credential = NULL;
out:
	if (fds.out >= 0)
		close(fds.out);
	if (fds.err >= 0)
		close(fds.err);
	if (pair[1] >= 0)
		close(pair[1]);
	for (size_t i = 0; i < fds.ndoors; i++)
		close(fds.door[i]);
	if (fds.cradle >= 0)
		close(fds.cradle);
	return st;
}

/*
 * From here on only files in the job's folder and group are written and one child of the same user is signalled: root without
 * capabilities can do both. But in the older hierarchy what is frozen dies only when it is thawed, so that all of it must have its signal
 * before, and the job's processes are another user's.
 */
static void drop_capabilities(const struct monitor *m)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct keep[2] = {{0}, {0}};

	if (m->groups.can & XOS_CGROUP_FREEZE &&
	    !(xos_cgroups_unified(&m->groups) & XOS_CGROUP_FREEZE))
		keep[0].permitted = keep[0].effective = 1u << CAP_KILL;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	syscall(SYS_capset, &head, keep);
}

static bool is_frozen(const struct monitor *m)
{
	return m->group.name[0] && xos_cgroup_is_frozen(&m->group);
}

/* What is frozen is not thawed to be ended, or once its end is on the way: nothing of it runs again. */
static void kill_job(struct monitor *m)
{
	bool frozen = is_frozen(m);
	struct xos_err err = XOS_ERR_INIT;

	m->stop = STOP_KILL;
	m->deadline_ms = 0;
	/* As root the death of process 1 is the death of all; without root the reaper does it. */
	if (m->l->isolate)
		kill(m->reaper, SIGKILL);
	else if (!frozen)
		xos_report_send(m->report, XOS_REPORT_KILL, 0, NULL);
	if (frozen && xos_cgroup_kill(&m->group, &err) != XOS_OK)
		xos_event_err(
		    XOS_WARN, "job.not-killed", &err, "job", m->l->id, (const char *)NULL);
}

static void end_job(struct monitor *m, enum xos_job_cause cause)
{
	if (m->stop != STOP_NOT)
		return;
	m->o.cause = cause;
	m->stop = STOP_TERM;
	m->deadline_ms = xos_clock_mono_ms() + (int64_t)m->l->grace * 1000;
	/* A frozen job can make no use of a grace, and must not be let run for one. */
	if (is_frozen(m))
		kill_job(m);
	else
		xos_report_send(m->report, XOS_REPORT_TERM, 0, NULL);
}

/* Somebody says that it is to end: the member, the node's owner, or the starter, which has then written down why. */
static void told_to_end(struct monitor *m)
{
	struct xos_job_standing s;
	bool known = xos_standing_read(m->l->run, &s, NULL) == XOS_OK && s.ending;

	if (m->stop == STOP_NOT && known)
		xos_outcome_text(&m->o, s.text);
	end_job(m, known ? (enum xos_job_cause)s.ending : XOS_CAUSE_CANCELLED);
}

static void take_report(struct monitor *m)
{
	struct xos_report r;

	while (m->report >= 0) {
		enum xos_status st = xos_report_receive(m->report, &r);

		if (st == XOS_UNAVAILABLE)
			return;
		if (st != XOS_OK) {
			close(m->report);
			m->report = -1;
			return;
		}
		switch (r.kind) {
		case XOS_REPORT_STARTED:
			m->o.started = xos_clock_now();
			m->started_ms = xos_clock_mono_ms();
			snprintf(m->o.isolation, sizeof(m->o.isolation), "%.127s", r.text);
			if (m->notify >= 0 && write(m->notify, "S", 1) == 1)
				XOS_EVENT(XOS_INFO, "job.started", "job", m->l->id);
			break;
		case XOS_REPORT_FAILED:
			m->o.end = XOS_END_FAILED;
			snprintf(m->o.text, sizeof(m->o.text), "%s", r.text);
			break;
		case XOS_REPORT_ENDED:
			m->reported = true;
			m->status = (int)r.value;
			break;
		case XOS_REPORT_CPU:
			end_job(m, XOS_CAUSE_CPU);
			break;
		default:
			break;
		}
	}
}

static void take_signals(struct monitor *m)
{
	struct signalfd_siginfo si;
	struct rusage use;

	while (read(m->sigfd, &si, sizeof(si)) == sizeof(si))
		if (si.ssi_signo == SIGTERM)
			told_to_end(m);
	if (wait4(m->reaper, NULL, WNOHANG, &use) != m->reaper)
		return;
	m->gone = true;
	m->o.user_us = (uint64_t)use.ru_utime.tv_sec * 1000000u + (uint64_t)use.ru_utime.tv_usec;
	m->o.system_us = (uint64_t)use.ru_stime.tv_sec * 1000000u + (uint64_t)use.ru_stime.tv_usec;
	m->o.memory_kib = (uint64_t)use.ru_maxrss;
}

static int64_t wall_end(const struct monitor *m)
{
	return m->started_ms + (int64_t)m->l->limits.wall * 1000 + m->frozen_ms;
}

static int next_wait(const struct monitor *m)
{
	int64_t at = m->deadline_ms, now = xos_clock_mono_ms();

	if (m->stop == STOP_NOT && m->started_ms > 0)
		at = wall_end(m);
	if (at == 0)
		return -1;
	at -= now;
	return at <= 0 ? 0 : at > 3600000 ? 3600000 : (int)at;
}

/* The time for which it was frozen is none of its own. True: it is frozen now. */
static bool count_frozen(struct monitor *m, int64_t now)
{
	struct xos_job_standing s;

	if (xos_standing_read(m->l->run, &s, NULL) != XOS_OK)
		return false;
	m->frozen_ms = (int64_t)xos_standing_frozen(&s, now);
	return s.frozen_mark != 0;
}

/* How long it was frozen is only asked for where it matters: when its time would be over. */
static void look_at_wall(struct monitor *m, int64_t now)
{
	bool frozen = count_frozen(m, now);

	if (!frozen && now >= wall_end(m))
		end_job(m, XOS_CAUSE_WALL);
	else if (frozen && wall_end(m) < now + FROZEN_LOOK_MS)
		m->frozen_ms += now + FROZEN_LOOK_MS - wall_end(m);
}

static void look_at_clock(struct monitor *m)
{
	int64_t now = xos_clock_mono_ms();

	if (m->stop == STOP_NOT && m->started_ms > 0 && now >= wall_end(m))
		look_at_wall(m, now);
	else if (m->stop == STOP_TERM && now >= m->deadline_ms)
		kill_job(m);
}

static void watch(struct monitor *m)
{
	while (!m->gone) {
		struct pollfd p[4] = {{.fd = m->sigfd, .events = POLLIN},
		    {.fd = m->report, .events = POLLIN}, {.fd = m->out.in, .events = POLLIN},
		    {.fd = m->err.in, .events = POLLIN}};

		if (poll(p, 4, next_wait(m)) < 0 && errno != EINTR)
			kill_job(m);
		if (p[2].revents)
			xos_pump_run(&m->out, PUMP_SLICE);
		if (p[3].revents)
			xos_pump_run(&m->err, PUMP_SLICE);
		take_report(m);
		take_signals(m);
		look_at_clock(m);
	}
	take_report(m);
	/* What is in the pipes now is all that the job wrote; a writer that got away does not count. */
	xos_pump_run(&m->out, PUMP_SLICE);
	xos_pump_run(&m->err, PUMP_SLICE);
}

static void conclude(struct monitor *m)
{
	struct xos_job_outcome *o = &m->o;

	o->ended = xos_clock_now();
	if (m->group.name[0] && o->cause == XOS_CAUSE_SELF && xos_cgroup_out_of_memory(&m->group))
		o->cause = XOS_CAUSE_MEMORY;
	if (m->started_ms > 0) {
		int64_t now = xos_clock_mono_ms();

		m->frozen_ms = 0;
		(void)count_frozen(m, now);
		o->wall_ms = now - m->started_ms > m->frozen_ms
		                 ? (uint64_t)(now - m->started_ms - m->frozen_ms)
		                 : 0;
	}
	o->dropped_out = m->out.dropped;
	o->dropped_err = m->err.dropped;
	if (o->end == XOS_END_FAILED)
		return;
	if (m->reported && WIFEXITED(m->status)) {
		o->end = XOS_END_EXITED;
		o->value = (uint32_t)WEXITSTATUS(m->status);
	} else if (m->reported && WIFSIGNALED(m->status)) {
		o->end = XOS_END_SIGNALLED;
		o->value = (uint32_t)WTERMSIG(m->status);
	} else if (m->started_ms > 0) {
		/* Killed as a whole: by us after the grace, or its process 1 by root. */
		o->end = XOS_END_SIGNALLED;
		o->value = SIGKILL;
	} else {
		o->end = XOS_END_FAILED;
		snprintf(o->text, sizeof(o->text), "the job was stopped before its program ran");
	}
}

static void settle(struct monitor *m)
{
	int fds[] = {m->out.out, m->err.out};
	struct xos_err err = XOS_ERR_INIT;

	if (m->group.name[0] && xos_cgroup_remove(&m->group, &err) != XOS_OK)
		xos_event_err(
		    XOS_WARN, "job.group-left", &err, "job", m->l->id, (const char *)NULL);

	for (size_t i = 0; i < 2; i++)
		if (fds[i] >= 0 && fsync(fds[i]) != 0)
			XOS_EVENT(XOS_WARN, "job.output-not-synced", "job", m->l->id);
	if (!m->l->isolate)
		xos_place_plain_remove(m->l);
}

/* Only one monitor ever runs a job: the lock keeps out one that comes beside, these files one that
 * comes after. */
static enum xos_status claim(const struct xos_launch *l, int *lock, struct xos_err *err)
{
	char path[PATH_MAX], text[64];
	struct xos_job_outcome seen;
	enum xos_status st = xos_hold_take(l->run, lock, err);

	if (st != XOS_OK)
		return st;
	if (xos_outcome_read(l->run, &seen, err) != XOS_NOT_FOUND)
		return xos_err_set(err, XOS_CONFLICT, "job-ended", "%s has ended", l->id);
	xos_str_printf(text, sizeof(text), "%ld\n", (long)getpid());
	if (!xos_path_join(path, sizeof(path), l->run, "started"))
		return xos_err_set(err, XOS_LIMIT, "job-file", "%s: path too long", l->run);
	return xos_file_create(path, 0640, xos_bytes_str(text), err);
}

/* How a job ended is known here and nowhere else: on a full disk it waits for room, and the job counts as running until then. */
static enum xos_status write_down(const struct monitor *m, struct xos_err *err)
{
	for (bool told = false;; told = true) {
		struct xos_err why = XOS_ERR_INIT;
		enum xos_status st = xos_outcome_write(m->l->run, &m->o, &why);

		if (st == XOS_OK)
			return XOS_OK;
		if (st != XOS_UNAVAILABLE || access(m->l->run, F_OK) != 0)
			return xos_err_set(err, st, why.code, "%s", why.text);
		if (!told)
			xos_event_err(XOS_ERROR, "job.end-not-written", &why, "job", m->l->id,
			    (const char *)NULL);
		(void)poll(NULL, 0, WRITE_AGAIN_MS);
	}
}

enum xos_status xos_monitor_run(struct xos_launch *l, int notify_fd, struct xos_err *err)
{
	struct monitor m = {.l = l,
	    .out = {.in = -1, .out = -1},
	    .err = {.in = -1, .out = -1},
	    .report = -1,
	    .sigfd = -1,
	    .notify = notify_fd,
	    .o = {.cause = XOS_CAUSE_SELF}};
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st;
	int lock = -1;

	st = claim(l, &lock, err);
	if (st != XOS_OK)
		goto out;
	st = watch_signals(&m, &why);
	if (st == XOS_OK)
		st = start(&m, &why);
	if (st == XOS_OK) {
		if (l->isolate)
			drop_capabilities(&m);
		watch(&m);
	} else {
		m.o.end = XOS_END_FAILED;
		snprintf(m.o.text, sizeof(m.o.text), "%.255s", why.text);
	}
	conclude(&m);
	settle(&m);
	st = write_down(&m, err);
out:
	if (notify_fd >= 0)
		close(notify_fd);
	if (lock >= 0)
		close(lock);
	return st;
}
