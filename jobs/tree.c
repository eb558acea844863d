#include "jobs/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define TREE_MAX 65536u

static bool is_pid(const char *name, pid_t *pid)
{
	uint64_t v;

	if (!xos_parse_u64(name, INT32_MAX, &v))
		return false;
	*pid = (pid_t)v;
	return true;
}

static ssize_t slurp(pid_t pid, const char *what, char *buf, size_t cap)
{
	char path[64];
	ssize_t n;
	int fd;

	xos_str_printf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, buf, cap);
	close(fd);
	return n;
}

/* The name in parentheses may hold anything, parentheses too: the fields follow the last one. */
static bool read_process(pid_t pid, struct xos_tree_process *p)
{
	unsigned long long user, sys;
	long long cuser, csys;
	char buf[1024];
	const char *rest;
	int parent;
	ssize_t n = slurp(pid, "stat", buf, sizeof(buf) - 1);

	if (n <= 0)
		return false;
	buf[n] = 0;
	rest = strrchr(buf, ')');
	/* The kernel wrote it: no number there is out of range. */
	if (!rest ||
	    /* NOLINTNEXTLINE(cert-err34-c) */
	    sscanf(rest + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld",
	        &parent, &user, &sys, &cuser, &csys) != 5)
		return false;
	*p = (struct xos_tree_process){.pid = pid,
	    .parent = parent,
	    .ticks =
	        user + sys + (uint64_t)(cuser > 0 ? cuser : 0) + (uint64_t)(csys > 0 ? csys : 0)};
	return true;
}

/* Marks what is below root, then drops the rest. */
static void keep_below(pid_t root, struct xos_tree *t)
{
	size_t kept = 0;
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < t->n; i++) {
			bool under = t->v[i].parent == root;

			for (size_t j = 0; j < t->n && !under && !t->v[i].below; j++)
				under = t->v[j].below && t->v[j].pid == t->v[i].parent;
			if (under && !t->v[i].below) {
				t->v[i].below = 1;
				more = true;
			}
		}
	}
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].below)
			t->v[kept++] = t->v[i];
	t->n = kept;
}

static enum xos_status grow(struct xos_tree *t, size_t *cap, struct xos_err *err)
{
	struct xos_tree_process *v;

	if (t->n < *cap)
		return XOS_OK;
	if (*cap >= TREE_MAX)
		return xos_err_set(err, XOS_LIMIT, "processes", "too many processes to look at");
	*cap = *cap ? *cap * 2 : 128;
	v = realloc(t->v, *cap * sizeof(*v));
	if (!v)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	t->v = v;
	return XOS_OK;
}

enum xos_status xos_tree_load(pid_t root, struct xos_tree *t, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	struct dirent *e;
	size_t cap = 0;
	DIR *d = opendir("/proc");

	*t = (struct xos_tree){NULL, 0};
	if (!d)
		return xos_err_errno(err, errno, "proc", "cannot open /proc");
	while (st == XOS_OK && (e = readdir(d))) {
		pid_t pid;

		if (!is_pid(e->d_name, &pid) || pid == root)
			continue;
		st = grow(t, &cap, err);
		if (st == XOS_OK && read_process(pid, &t->v[t->n]))
			t->n++;
	}
	closedir(d);
	if (st != XOS_OK)
		xos_tree_free(t);
	else
		keep_below(root, t);
	return st;
}

void xos_tree_free(struct xos_tree *t)
{
	free(t->v);
	*t = (struct xos_tree){NULL, 0};
}

void xos_tree_signal(const struct xos_tree *t, int sig)
{
	for (size_t i = 0; i < t->n; i++)
		kill(t->v[i].pid, sig);
}

uint64_t xos_tree_seconds(const struct xos_tree *t)
{
	uint64_t ticks = 0;
	long hz = sysconf(_SC_CLK_TCK);

	for (size_t i = 0; i < t->n; i++)
		ticks += t->v[i].ticks;
	return hz > 0 ? ticks / (uint64_t)hz : 0;
}

static bool is_marked(pid_t pid, const char *mark, char *buf, size_t cap)
{
	ssize_t n = slurp(pid, "environ", buf, cap);
	size_t len = strlen(mark) + 1;

	for (ssize_t at = 0; n > 0 && at + (ssize_t)len <= n;
	     at += (ssize_t)strnlen(buf + at, (size_t)(n - at)) + 1)
		if (memcmp(buf + at, mark, len) == 0)
			return true;
	return false;
}

size_t xos_tree_kill_marked(const char *id)
{
	const size_t cap = 1u << 18;
	char mark[64], *buf = malloc(cap);
	DIR *d = opendir("/proc");
	struct dirent *e;
	size_t killed = 0;
	pid_t pid;

	xos_str_printf(mark, sizeof(mark), "XOS_JOB_ID=%s", id);
	while (buf && d && (e = readdir(d)))
		if (is_pid(e->d_name, &pid) && pid != getpid() && is_marked(pid, mark, buf, cap) &&
		    kill(pid, SIGKILL) == 0)
			killed++;
	if (d)
		closedir(d);
	free(buf);
	return killed;
}
