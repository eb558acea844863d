#include "credd/leader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define START_FIELD 22 /* proc(5) */
#define TEXT_MAX XOS_CREDD_CGROUP_MAX
#define GROUP_PREFIX "xos-"

/* Reads a file of /proc, which has no size; false: not there, or not for us. */
static bool read_proc(pid_t pid, const char *name, char *buf, struct xos_bytes *out)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size_t n = 0;
	ssize_t got = 1;
	while (n < TEXT_MAX && got > 0) {
		got = read(fd, buf + n, TEXT_MAX - n);
		if (got > 0)
			n += (size_t)got;
	}
	int why = errno;
	close(fd);
	errno = why;
	*out = (struct xos_bytes){(const uint8_t *)buf, n};
	return got >= 0 && n > 0;
}

/* The second field is a name in parentheses that may itself hold spaces and parentheses. */
bool xos_credd_stat_start(struct xos_bytes stat, uint64_t *start)
{
	const uint8_t *p = stat.n ? memrchr(stat.p, ')', stat.n) : NULL;
	char number[24];
	if (!p)
		return false;
	const uint8_t *end = stat.p + stat.n;
	/* What is over and only waits for its parent leads nothing any more. */
	if (end - p < 3 || p[2] == 'Z' || p[2] == 'X')
		return false;
	for (int field = 2; field < START_FIELD; field++) {
		p = memchr(p, ' ', (size_t)(end - p));
		if (!p)
			return false;
		p++;
	}
	const uint8_t *stop = memchr(p, ' ', (size_t)(end - p));
	size_t n = stop ? (size_t)(stop - p) : 0;
	if (!n || n >= sizeof(number))
		return false;
	memcpy(number, p, n);
	number[n] = '\0';
	return xos_parse_u64(number, UINT64_MAX, start);
}

static enum xos_credd_leader_state start_of(pid_t pid, uint64_t *start)
{
	char buf[TEXT_MAX];
	struct xos_bytes text;
	errno = 0;
	if (read_proc(pid, "stat", buf, &text))
		return xos_credd_stat_start(text, start) ? XOS_CREDD_LEADER_THERE
		                                         : XOS_CREDD_LEADER_GONE;
	return errno == ENOENT || errno == ESRCH ? XOS_CREDD_LEADER_GONE : XOS_CREDD_LEADER_UNKNOWN;
}

enum xos_status xos_credd_leader_of(pid_t pid, struct xos_credd_leader *out, struct xos_err *err)
{
	uint64_t start;
	pid_t sid = pid > 0 ? getsid(pid) : -1;
	if (sid <= 0 || getsid(sid) != sid)
		return xos_err_set(err, XOS_CONFLICT, "no-session",
		    "process %d is in no session whose first process still runs: a credential "
		    "cannot "
		    "end with it; ask for one that lasts until its token ends",
		    (int)pid);
	if (start_of(sid, &start) != XOS_CREDD_LEADER_THERE)
		return xos_err_set(err, XOS_UNAVAILABLE, "session-unknown",
		    "cannot tell when process %d, which leads the session, was started (is /proc "
		    "mounted with hidepid? a credential that lasts until its token ends needs no "
		    "session)",
		    (int)sid);
	*out = (struct xos_credd_leader){.pid = (uint32_t)sid, .start = start};
	return XOS_OK;
}

enum xos_credd_leader_state xos_credd_leader_state(const struct xos_credd_leader *l)
{
	uint64_t start = 0;
	enum xos_credd_leader_state st =
	    l->pid ? start_of((pid_t)l->pid, &start) : XOS_CREDD_LEADER_GONE;
	return st == XOS_CREDD_LEADER_THERE && start != l->start ? XOS_CREDD_LEADER_GONE : st;
}

bool xos_credd_leader_same(const struct xos_credd_leader *a, const struct xos_credd_leader *b)
{
	return a->pid && a->pid == b->pid && a->start == b->start;
}

bool xos_credd_cgroup_read(pid_t pid, char buf[XOS_CREDD_CGROUP_MAX], struct xos_bytes *out)
{
	return pid > 0 && read_proc(pid, "cgroup", buf, out);
}

bool xos_credd_groups_name(struct xos_bytes text, const char *job)
{
	char name[128];
	if (!xos_str_printf(name, sizeof(name), "/" GROUP_PREFIX "%s", job))
		return false;
	size_t len = strlen(name), left = text.n;
	for (const uint8_t *p = text.p; left && (p = memmem(p, left, name, len)); p += len) {
		left = text.n - (size_t)(p - text.p) - len;
		if (!left || p[len] == '/' || p[len] == '\n')
			return true;
	}
	return false;
}
