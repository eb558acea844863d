#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "proc/cgroup_internal.h"
#include "proc/network_internal.h"

#define PREFIX "xos-"
#define PERIOD_US 100000u
/* For what the kernel does a moment later: a second in all. */
#define TRIES 500
#define PAUSE_NS 2000000L
enum { MEMORY, PROCESSES, CPU, FREEZE, NETWORK }; /* places of the controls */

static enum xos_status folder(
    const struct xos_cgroup *g, size_t i, char out[PATH_MAX], struct xos_err *err)
{
	return xos_path_join(out, PATH_MAX, g->in->control[i].dir, g->name)
	           ? XOS_OK
	           : xos_err_set(err, XOS_LIMIT, "cgroup", "%s is too long", g->in->control[i].dir);
}

/* Controls of one hierarchy share a folder: is i the first that has this one? */
static bool is_first(const struct xos_cgroups *in, size_t i)
{
	if (!(in->can & (1u << i)))
		return false;
	for (size_t k = 0; k < i; k++)
		if (in->can & (1u << k) && strcmp(in->control[k].dir, in->control[i].dir) == 0)
			return false;
	return true;
}

static enum xos_status name_it(
    const struct xos_cgroups *in, const char *name, struct xos_cgroup *out, struct xos_err *err)
{
	static const char allowed[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

	out->in = in;
	if (!name[0] || strspn(name, allowed) != strlen(name) ||
	    !xos_str_printf(out->name, sizeof(out->name), PREFIX "%s", name))
		return xos_err_set(
		    err, XOS_MALFORMED, "cgroup", "\"%s\" cannot be a group's name", name);
	return XOS_OK;
}

static enum xos_status make_folders(const struct xos_cgroup *g, struct xos_err *err)
{
	char dir[PATH_MAX];
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < XOS_CGROUP_CONTROLS; i++) {
		if (!is_first(g->in, i))
			continue;
		st = folder(g, i, dir, err);
		/* One that was left by a crash is empty, else this fails. */
		if (st == XOS_OK && rmdir(dir) != 0 && errno != ENOENT)
			return xos_err_set(err, XOS_CONFLICT, "cgroup", "%s has processes: %s", dir,
			    strerror(errno));
		if (st == XOS_OK && mkdir(dir, 0755) != 0)
			st = xos_err_errno(err, errno, "cgroup", "cannot make %s", dir);
	}
	return st;
}

static enum xos_status set_memory(
    const char *dir, bool unified, uint64_t bytes, struct xos_err *err)
{
	char text[32], now[64];

	xos_str_printf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	enum xos_status st =
	    xos_cgroup_write(dir, unified ? "memory.max" : "memory.limit_in_bytes", text, err);
	/* Swap counts as memory; a kernel that does not account it has no such file. */
	if (st == XOS_OK && unified && xos_cgroup_read(dir, "memory.swap.max", now, sizeof(now)))
		st = xos_cgroup_write(dir, "memory.swap.max", "0", err);
	if (st == XOS_OK && unified && xos_cgroup_read(dir, "memory.oom.group", now, sizeof(now)))
		st = xos_cgroup_write(dir, "memory.oom.group", "1", err);
	if (st == XOS_OK && !unified) {
		if (xos_cgroup_read(dir, "memory.memsw.limit_in_bytes", now, sizeof(now)))
			st = xos_cgroup_write(dir, "memory.memsw.limit_in_bytes", text, err);
		else
			st = xos_cgroup_write(dir, "memory.swappiness", "0", err);
	}
	return st;
}

static enum xos_status set_cpu(const char *dir, bool unified, uint64_t n, struct xos_err *err)
{
	char text[64];
	unsigned long long quota = (unsigned long long)n * PERIOD_US;

	if (n == 0 || n > 1000000)
		return xos_err_set(err, XOS_DENIED, "limit-not-enforceable",
		    "a job cannot run on %llu processors", (unsigned long long)n);
	if (unified) {
		xos_str_printf(text, sizeof(text), "%llu %u", quota, PERIOD_US);
		return xos_cgroup_write(dir, "cpu.max", text, err);
	}
	xos_str_printf(text, sizeof(text), "%u", PERIOD_US);
	enum xos_status st = xos_cgroup_write(dir, "cpu.cfs_period_us", text, err);
	xos_str_printf(text, sizeof(text), "%llu", quota);
	return st == XOS_OK ? xos_cgroup_write(dir, "cpu.cfs_quota_us", text, err) : st;
}

static enum xos_status set_limit(
    const struct xos_cgroup *g, size_t i, uint64_t value, struct xos_err *err)
{
	bool unified = g->in->control[i].unified;
	char dir[PATH_MAX], text[32];

	if (value == XOS_CGROUP_NO_LIMIT)
		return XOS_OK;
	if (!(g->in->can & (1u << i)))
		return xos_err_set(err, XOS_DENIED, "limit-not-enforceable",
		    "this machine cannot limit the %s of a job: %s",
		    xos_cgroup_control_name(1u << i), g->in->control[i].why);
	enum xos_status st = folder(g, i, dir, err);
	if (st != XOS_OK)
		return st;
	if (i == MEMORY)
		return set_memory(dir, unified, value, err);
	if (i == CPU)
		return set_cpu(dir, unified, value, err);
	xos_str_printf(text, sizeof(text), "%llu", (unsigned long long)value);
	return xos_cgroup_write(dir, "pids.max", text, err);
}

enum xos_status xos_cgroup_networks(
    const struct xos_cgroup *g, const struct xos_net_rules *rules, struct xos_err *err)
{
	char dir[PATH_MAX];

	if (!(g->in->can & XOS_CGROUP_NETWORK))
		return xos_err_set(err, XOS_DENIED, "limit-not-enforceable",
		    "this machine cannot limit the networks of a job: %s",
		    g->in->control[NETWORK].why);
	enum xos_status st = folder(g, NETWORK, dir, err);
	return st == XOS_OK ? xos_net_attach(dir, rules, err) : st;
}

static void drop(const struct xos_cgroup *g)
{
	char dir[PATH_MAX];

	for (size_t i = 0; i < XOS_CGROUP_CONTROLS; i++)
		if (is_first(g->in, i) && folder(g, i, dir, NULL) == XOS_OK)
			(void)rmdir(dir);
}

enum xos_status xos_cgroup_make(const struct xos_cgroups *in, const char *name,
    const struct xos_cgroup_limits *limits, struct xos_cgroup *out, struct xos_err *err)
{
	struct xos_cgroup g;
	enum xos_status st = name_it(in, name, &g, err);

	if (st == XOS_OK)
		st = make_folders(&g, err);
	if (st == XOS_CONFLICT)
		return st; /* what is there is another's */
	if (st == XOS_OK)
		st = set_limit(&g, MEMORY, limits->memory, err);
	if (st == XOS_OK)
		st = set_limit(&g, PROCESSES, limits->processes, err);
	if (st == XOS_OK)
		st = set_limit(&g, CPU, limits->processors, err);
	if (st == XOS_OK)
		*out = g;
	else
		drop(&g);
	return st;
}

enum xos_status xos_cgroup_open(
    const struct xos_cgroups *in, const char *name, struct xos_cgroup *out, struct xos_err *err)
{
	char dir[PATH_MAX];
	enum xos_status st = name_it(in, name, out, err);

	for (size_t i = 0; st == XOS_OK && i < XOS_CGROUP_CONTROLS; i++) {
		if (!is_first(in, i))
			continue;
		st = folder(out, i, dir, err);
		if (st == XOS_OK && access(dir, F_OK) != 0)
			st = xos_err_set(err, XOS_NOT_FOUND, "cgroup", "there is no group %s", dir);
	}
	return st;
}

/* In the older kind a single thread moves itself through "tasks" without the lock that keeps all of the machine from forking
 * meanwhile, for which the kernel lets milliseconds go by. */
static enum xos_status open_door(const struct xos_cgroup *g, size_t i, int *fd, struct xos_err *err)
{
	char dir[PATH_MAX], path[PATH_MAX];
	const char *file = g->in->control[i].unified ? "cgroup.procs" : "tasks";
	enum xos_status st = folder(g, i, dir, err);

	if (st == XOS_OK && !xos_path_join(path, sizeof(path), dir, file))
		st = xos_err_set(err, XOS_LIMIT, "cgroup", "%s is too long", dir);
	if (st != XOS_OK)
		return st;
	*fd = open(path, O_WRONLY | O_CLOEXEC);
	return *fd < 0 ? xos_err_errno(err, errno, "cgroup", "cannot open %s", path) : XOS_OK;
}

enum xos_status xos_cgroup_doors(
    const struct xos_cgroup *g, int fds[XOS_CGROUP_CONTROLS], size_t *n, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	*n = 0;
	for (int unified = 1; unified >= 0; unified--)
		for (size_t i = 0; st == XOS_OK && i < XOS_CGROUP_CONTROLS; i++) {
			if (!is_first(g->in, i) || g->in->control[i].unified != (unified == 1))
				continue;
			st = open_door(g, i, &fds[*n], err);
			*n += st == XOS_OK;
		}
	while (st != XOS_OK && *n > 0)
		close(fds[--*n]);
	return st;
}

int xos_cgroup_cradle(const struct xos_cgroup *g)
{
	char dir[PATH_MAX];

	for (size_t i = 0; i < XOS_CGROUP_CONTROLS; i++)
		if (is_first(g->in, i) && g->in->control[i].unified)
			return folder(g, i, dir, NULL) == XOS_OK
			           ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
			           : -1;
	return -1;
}

bool xos_cgroup_join(const int *fds, size_t n)
{
	bool joined = true;

	for (size_t i = 0; i < n; i++) {
		joined = write(fds[i], "0", 1) == 1 && joined;
		close(fds[i]);
	}
	return joined;
}

static bool is_frozen(const char *dir, bool unified)
{
	char text[256];

	if (!unified)
		return xos_cgroup_read(dir, "freezer.state", text, sizeof(text)) &&
		       strncmp(text, "FROZEN", 6) == 0;
	return xos_cgroup_read(dir, "cgroup.events", text, sizeof(text)) &&
	       strstr(text, "frozen 1");
}

/* The kernel stops each process where it can be stopped, a little later. */
static enum xos_status wait_frozen(const char *dir, bool unified, struct xos_err *err)
{
	const struct timespec pause = {0, PAUSE_NS};

	for (int i = 0; i < TRIES; i++) {
		if (is_frozen(dir, unified))
			return XOS_OK;
		(void)nanosleep(&pause, NULL);
	}
	return xos_err_set(
	    err, XOS_UNAVAILABLE, "not-frozen", "%s does not stop: it is asked to, still", dir);
}

/* dir: where it is frozen. */
static enum xos_status set_frozen(
    const struct xos_cgroup *g, bool frozen, char dir[PATH_MAX], struct xos_err *err)
{
	if (!(g->in->can & XOS_CGROUP_FREEZE))
		return xos_err_set(err, XOS_DENIED, "freeze-not-enforceable",
		    "this machine cannot freeze a job: %s", g->in->control[FREEZE].why);
	enum xos_status st = folder(g, FREEZE, dir, err);
	if (st == XOS_OK && g->in->control[FREEZE].unified)
		st = xos_cgroup_write(dir, "cgroup.freeze", frozen ? "1" : "0", err);
	else if (st == XOS_OK)
		st = xos_cgroup_write(dir, "freezer.state", frozen ? "FROZEN" : "THAWED", err);
	return st;
}

enum xos_status xos_cgroup_freeze(const struct xos_cgroup *g, bool frozen, struct xos_err *err)
{
	char dir[PATH_MAX];
	enum xos_status st = set_frozen(g, frozen, dir, err);

	return st == XOS_OK && frozen ? wait_frozen(dir, g->in->control[FREEZE].unified, err) : st;
}

enum xos_status xos_cgroup_freeze_begin(const struct xos_cgroup *g, struct xos_err *err)
{
	char dir[PATH_MAX];

	return set_frozen(g, true, dir, err);
}

bool xos_cgroup_stands_still(const struct xos_cgroup *g)
{
	char dir[PATH_MAX];

	return g->in->can & XOS_CGROUP_FREEZE && folder(g, FREEZE, dir, NULL) == XOS_OK &&
	       is_frozen(dir, g->in->control[FREEZE].unified);
}

bool xos_cgroup_is_frozen(const struct xos_cgroup *g)
{
	char dir[PATH_MAX], text[256];

	if (!(g->in->can & XOS_CGROUP_FREEZE) || folder(g, FREEZE, dir, NULL) != XOS_OK)
		return false;
	if (g->in->control[FREEZE].unified)
		return xos_cgroup_read(dir, "cgroup.freeze", text, sizeof(text)) && text[0] == '1';
	return xos_cgroup_read(dir, "freezer.state", text, sizeof(text)) &&
	       strncmp(text, "THAWED", 6) != 0;
}

/* One round: false once there is nobody. What is frozen forks nothing, and what is thawed meanwhile dies before it does. */
static bool kill_round(const char *dir)
{
	char path[PATH_MAX];
	bool some = false;
	FILE *f = xos_path_join(path, sizeof(path), dir, "cgroup.procs") ? fopen(path, "re") : NULL;
	char line[32];
	uint64_t pid;

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		/* 0: of another process namespace, which we are not in. */
		if (!xos_parse_u64(line, INT32_MAX, &pid) || pid < 2)
			continue;
		some = true;
		(void)!kill((pid_t)pid, SIGKILL);
	}
	if (f)
		fclose(f);
	return some;
}

/* The hierarchy whose list of processes is gone by: where they are frozen, if they can be. */
static size_t kill_place(const struct xos_cgroup *g)
{
	size_t i = 0;

	if (g->in->can & XOS_CGROUP_FREEZE)
		return FREEZE;
	while (i < XOS_CGROUP_CONTROLS && !(g->in->can & (1u << i)))
		i++;
	return i;
}

enum xos_status xos_cgroup_kill(const struct xos_cgroup *g, struct xos_err *err)
{
	const struct timespec pause = {0, PAUSE_NS};
	char dir[PATH_MAX];
	size_t i = kill_place(g);

	if (i == XOS_CGROUP_CONTROLS)
		return XOS_OK; /* there is no group */
	bool unified = g->in->control[i].unified;
	enum xos_status st = folder(g, i, dir, err);
	/* Older kernels have no such file. */
	if (st == XOS_OK && unified)
		(void)!xos_cgroup_write(dir, "cgroup.kill", "1", NULL);
	for (int tries = 0; st == XOS_OK && kill_round(dir); tries++) {
		if (i == FREEZE && !unified)
			st = xos_cgroup_freeze(g, false, err);
		if (st == XOS_OK && tries >= TRIES)
			st =
			    xos_err_set(err, XOS_CONFLICT, "cgroup", "%s still has processes", dir);
		if (st == XOS_OK)
			(void)nanosleep(&pause, NULL);
	}
	return st;
}

bool xos_cgroup_out_of_memory(const struct xos_cgroup *g)
{
	char dir[PATH_MAX], text[1024];
	const char *at;

	if (!(g->in->can & XOS_CGROUP_MEMORY) || folder(g, MEMORY, dir, NULL) != XOS_OK ||
	    !xos_cgroup_read(dir,
	        g->in->control[MEMORY].unified ? "memory.events" : "memory.oom_control", text,
	        sizeof(text)))
		return false;
	at = strstr(text, "oom_kill ");
	return at && strtoull(at + strlen("oom_kill "), NULL, 10) > 0;
}

enum xos_status xos_cgroup_remove(const struct xos_cgroup *g, struct xos_err *err)
{
	const struct timespec pause = {0, PAUSE_NS};
	char dir[PATH_MAX];
	enum xos_status st = XOS_OK;
	int tries = 0; /* for all hierarchies together */

	for (size_t i = 0; i < XOS_CGROUP_CONTROLS; i++) {
		if (!is_first(g->in, i) || folder(g, i, dir, err) != XOS_OK)
			continue;
		/* The kernel takes a moment to let go of a process that has ended. */
		while (rmdir(dir) != 0 && errno != ENOENT) {
			int why = errno;
			if (why != EBUSY)
				st = xos_err_errno(err, why, "cgroup", "cannot remove %s", dir);
			else if (++tries >= TRIES)
				st = xos_err_set(
				    err, XOS_CONFLICT, "cgroup", "%s still has processes", dir);
			if (why != EBUSY || tries >= TRIES)
				break;
			(void)nanosleep(&pause, NULL);
		}
	}
	return st;
}
