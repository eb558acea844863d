#include "proc/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

/* The fields of /proc/PID/stat after the command, which stands in brackets and may hold anything. */
static enum xos_status read_stat(pid_t pid, char *state, uint64_t *start, struct xos_err *err)
{
	char path[64];
	struct xos_buf text;
	xos_str_printf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	enum xos_status rc = xos_file_read(path, 4096, &text, err);
	if (rc != XOS_OK)
		return xos_err_set(
		    err, XOS_NOT_FOUND, "no-process", "there is no process %ld", (long)pid);
	const char *s = xos_buf_str(&text);
	char *save = NULL, *field = s ? strrchr((char *)text.p, ')') : NULL;
	field = field ? strtok_r(field + 1, " ", &save) : NULL;
	*state = field ? field[0] : 0;
	for (int i = 3; field && i < 22; i++)
		field = strtok_r(NULL, " ", &save);
	if (!xos_parse_u64(field, UINT64_MAX, start))
		rc = xos_err_set(err, XOS_INTERNAL, "proc-stat", "cannot understand %s", path);
	xos_buf_free(&text);
	return rc;
}

enum xos_status xos_proc_start_time(pid_t pid, uint64_t *start, struct xos_err *err)
{
	char state;
	return read_stat(pid, &state, start, err);
}

bool xos_proc_alive(const struct xos_proc_id *id)
{
	char state;
	uint64_t start;
	return id->pid > 0 && read_stat(id->pid, &state, &start, NULL) == XOS_OK &&
	       start == id->start && state != 'Z' && state != 'X';
}

enum xos_status xos_pidfile_write(const char *path, struct xos_err *err)
{
	char text[64];
	uint64_t start;
	enum xos_status rc = xos_proc_start_time(getpid(), &start, err);
	if (rc != XOS_OK)
		return rc;
	xos_str_printf(text, sizeof(text), "%ld %llu\n", (long)getpid(), (unsigned long long)start);
	return xos_file_write(path, 0644, xos_bytes_str(text), err);
}

enum xos_status xos_pidfile_read(const char *path, struct xos_proc_id *id, struct xos_err *err)
{
	struct xos_buf text;
	uint64_t pid, start;
	enum xos_status rc = xos_file_read(path, 64, &text, err);
	if (rc != XOS_OK)
		return rc;
	const char *whole = xos_buf_str(&text);
	char *s = (char *)text.p, *space = whole ? strchr(s, ' ') : NULL;
	char *end = whole && strlen(s) == text.n ? strchr(s, '\n') : NULL;
	bool good = space && end && space < end && !end[1];
	if (good) {
		*space = *end = 0;
		good = xos_parse_u64(s, INT32_MAX, &pid) && pid > 0 &&
		       xos_parse_u64(space + 1, UINT64_MAX, &start);
	}
	if (good)
		*id = (struct xos_proc_id){(pid_t)pid, start};
	else
		rc = xos_err_set(
		    err, XOS_MALFORMED, "pidfile", "%s is not a pid file of ours", path);
	xos_buf_free(&text);
	return rc;
}

/* A descriptor for exactly this process. The start time is compared after it is open: from then on
 * the pid cannot pass to anybody else. -1: gone. */
static int open_exactly(const struct xos_proc_id *id)
{
	if (id->pid <= 0)
		return -1;
	int fd = pidfd_open(id->pid, 0);
	if (fd < 0)
		return -1;
	if (xos_proc_alive(id))
		return fd;
	close(fd);
	return -1;
}

enum xos_status xos_proc_signal(const struct xos_proc_id *id, int sig, struct xos_err *err)
{
	int fd = open_exactly(id);
	if (fd < 0)
		return xos_err_set(err, XOS_NOT_FOUND, "no-process",
		    "process %ld is not running any more", (long)id->pid);
	enum xos_status rc = XOS_OK;
	if (pidfd_send_signal(fd, sig, NULL, 0) != 0)
		rc =
		    xos_err_errno(err, errno, "signal", "cannot signal process %ld", (long)id->pid);
	close(fd);
	return rc;
}

enum xos_status xos_proc_wait_gone(
    const struct xos_proc_id *id, int64_t timeout_ms, struct xos_err *err)
{
	int64_t deadline = xos_clock_mono_ms() + timeout_ms;
	int fd = open_exactly(id);
	if (fd < 0)
		return XOS_OK;
	enum xos_status rc = XOS_OK;
	for (;;) {
		int64_t left = deadline - xos_clock_mono_ms();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int n = poll(&p, 1, left < 0 ? 0 : (int)(left < 60000 ? left : 60000));
		if (n > 0)
			break;
		if (n < 0 && errno != EINTR)
			rc = xos_err_errno(err, errno, "proc-wait", "cannot wait");
		else if (left <= 0)
			rc = xos_err_set(err, XOS_UNAVAILABLE, "proc-timeout",
			    "process %ld is still running", (long)id->pid);
		if (rc != XOS_OK)
			break;
	}
	close(fd);
	return rc;
}

enum xos_status xos_proc_stop(const struct xos_proc_id *id, int64_t timeout_ms, struct xos_err *err)
{
	static const int signals[] = {SIGTERM, SIGKILL};
	enum xos_status rc = XOS_OK;
	for (size_t i = 0; i < 2; i++) {
		rc = xos_proc_signal(id, signals[i], err);
		if (rc == XOS_NOT_FOUND)
			return XOS_OK;
		if (rc == XOS_OK)
			rc = xos_proc_wait_gone(id, timeout_ms, err);
		if (rc == XOS_OK)
			return rc;
	}
	return rc;
}

enum xos_status xos_signal_fd(int *fd, struct xos_err *err)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	int rc = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (rc != 0)
		return xos_err_errno(err, rc, "signals", "cannot block signals");
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	if (sigaction(SIGPIPE, &ignore, NULL) != 0)
		return xos_err_errno(err, errno, "signals", "cannot ignore SIGPIPE");
	*fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *fd >= 0 ? XOS_OK
	                : xos_err_errno(err, errno, "signals", "cannot make a signal descriptor");
}

int xos_signal_next(int fd)
{
	struct signalfd_siginfo info;
	ssize_t n = fd >= 0 ? read(fd, &info, sizeof(info)) : -1;
	return n == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}
