#ifndef XOS_CLI_DAEMONS_H
#define XOS_CLI_DAEMONS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "proc/daemon.h"

/*
 * Daemons that a tool starts and stops by itself, on machines with systemd or without. A folder holds
 * `log/PROGRAM.log` and `run/PROGRAM.pid`; a pid file names its process by pid and start time, so that
 * stopping never hits a stranger.
 */
#define XOS_CLI_START_MS 60000
#define XOS_CLI_STOP_MS 15000

/* From here on programs are looked for in the folder of this one, and in the sbin beside it, before PATH:
 * the daemons are those of the same installation, and cron's short PATH does not matter. */
XOS_MUST_USE enum xos_status xos_cli_daemon_path(struct xos_err *err);
/* Makes dir/log and dir/run. */
XOS_MUST_USE enum xos_status xos_cli_daemon_folders(const char *dir, struct xos_err *err);
bool xos_cli_daemon_running(const char *dir, const char *program, struct xos_proc_id *id);
/* Starts `program run --config CONF` unless it runs; waits until it is ready. */
XOS_MUST_USE enum xos_status xos_cli_daemon_start(
    const char *dir, const char *program, const char *conf, struct xos_err *err);
/* OK also if it does not run. */
XOS_MUST_USE enum xos_status xos_cli_daemon_stop(
    const char *dir, const char *program, struct xos_err *err);

/* A TCP port on address (IPv4 or IPv6) that is free now. The descriptor holds it (bound, not
 * listening) until the caller closes it. */
XOS_MUST_USE enum xos_status xos_cli_free_port(
    const char *address, int *fd, int64_t *port, struct xos_err *err);

#endif
