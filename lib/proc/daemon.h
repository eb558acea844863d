#ifndef XOS_PROC_DAEMON_H
#define XOS_PROC_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"

/*
 * A process named exactly: a pid alone may have passed to a stranger, the pair cannot. start is
 * field 22 of /proc/PID/stat, clock ticks since boot.
 */
struct xos_proc_id {
	pid_t pid;
	uint64_t start;
};

/* NOT_FOUND if there is no such process. A zombie still has a start time. */
XOS_MUST_USE enum xos_status xos_proc_start_time(pid_t pid, uint64_t *start, struct xos_err *err);
/* Does it run? A zombie does not. */
bool xos_proc_alive(const struct xos_proc_id *id);

/* Pid files hold "PID START\n". Writing names the calling process; reading is strict. */
XOS_MUST_USE enum xos_status xos_pidfile_write(const char *path, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_pidfile_read(
    const char *path, struct xos_proc_id *id, struct xos_err *err);

/* Sends a signal to exactly this process; NOT_FOUND if it is gone. */
XOS_MUST_USE enum xos_status xos_proc_signal(
    const struct xos_proc_id *id, int sig, struct xos_err *err);
/* Waits until it is gone: OK, or UNAVAILABLE after timeout_ms (code "proc-timeout"). */
XOS_MUST_USE enum xos_status xos_proc_wait_gone(
    const struct xos_proc_id *id, int64_t timeout_ms, struct xos_err *err);
/* SIGTERM, wait timeout_ms, then SIGKILL and wait again. OK also if it was gone already. */
XOS_MUST_USE enum xos_status xos_proc_stop(
    const struct xos_proc_id *id, int64_t timeout_ms, struct xos_err *err);

/*
 * Blocks SIGTERM, SIGINT and SIGHUP, ignores SIGPIPE, and gives a descriptor to read them from.
 * Call before threads start.
 */
XOS_MUST_USE enum xos_status xos_signal_fd(int *fd, struct xos_err *err);
/* The next signal number from it, 0 if there is none now. */
int xos_signal_next(int fd);

/*
 * Starts a program in the background: own session, standard input from /dev/null, standard output
 * and error appended to log_path (0640), nothing else inherited; "--ready-fd 3" is appended to its
 * arguments. Waits until it reports by xos_ready_report. On failure the process has been stopped
 * and err carries what it reported, or its exit status and where its log is.
 */
struct xos_daemon {
	const char *path;        /* of the program; found along PATH if it has no slash */
	const char *const *argv; /* NULL-terminated, argv[0] first */
	const char *log_path;
	int64_t timeout_ms;
};
XOS_MUST_USE enum xos_status xos_daemon_start(
    const struct xos_daemon *d, struct xos_proc_id *id, struct xos_err *err);

/*
 * Tells whoever started us, through the descriptor of --ready-fd (-1: nobody), one line: "ready"
 * when err is NULL, otherwise "failed STATUS CODE TEXT"; closes it. Success also goes to
 * $NOTIFY_SOCKET as READY=1 (sd_notify(3)), written by hand. Once only.
 */
void xos_ready_report(int ready_fd, const struct xos_err *err);
/* Another state for the service manager, for example "STOPPING=1"; no-op without $NOTIFY_SOCKET. */
void xos_notify(const char *state);

#endif
