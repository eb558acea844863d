#include "cli/daemons.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

enum xos_status xos_cli_daemon_path(struct xos_err *err)
{
	char own[PATH_MAX], *slash;
	const char *path = getenv("PATH");
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	if (n <= 0)
		return xos_err_errno(err, errno, "own-path", "cannot tell where this program is");
	own[n] = '\0';
	if (!(slash = strrchr(own, '/')))
		return xos_err_set(err, XOS_INTERNAL, "own-path", "%s is no path", own);
	*slash = '\0';
	struct xos_buf b;
	xos_buf_init(&b, 1 << 20);
	xos_buf_printf(
	    &b, "%s:%s/../sbin:%s", own, own, path ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
	const char *whole = xos_buf_str(&b);
	enum xos_status st = XOS_OK;
	if (!whole || setenv("PATH", whole, 1) != 0)
		st = xos_err_set(err, XOS_LIMIT, "path", "PATH is too long");
	xos_buf_free(&b);
	return st;
}

static enum xos_status path_of(const char *dir, const char *folder, const char *program,
    const char *ending, char out[PATH_MAX], struct xos_err *err)
{
	if (!xos_str_printf(out, PATH_MAX, "%s/%s/%s%s", dir, folder, program, ending))
		return xos_err_set(err, XOS_LIMIT, "path", "a path below %s is too long", dir);
	return XOS_OK;
}

enum xos_status xos_cli_daemon_folders(const char *dir, struct xos_err *err)
{
	static const char *const folders[] = {"log", "run"};
	char path[PATH_MAX];
	enum xos_status st = XOS_OK;
	for (size_t i = 0; !st && i < 2; i++) {
		if (!(st = path_of(dir, folders[i], "", "", path, err)))
			st = xos_dir_make(path, 0755, err);
	}
	return st;
}

bool xos_cli_daemon_running(const char *dir, const char *program, struct xos_proc_id *id)
{
	char path[PATH_MAX];
	return path_of(dir, "run", program, ".pid", path, NULL) == XOS_OK &&
	       xos_pidfile_read(path, id, NULL) == XOS_OK && xos_proc_alive(id);
}

static enum xos_status write_pid(
    const char *dir, const char *program, const struct xos_proc_id *id, struct xos_err *err)
{
	char path[PATH_MAX], text[64];
	enum xos_status st = path_of(dir, "run", program, ".pid", path, err);
	if (st)
		return st;
	snprintf(text, sizeof(text), "%ld %llu\n", (long)id->pid, (unsigned long long)id->start);
	return xos_file_write(path, 0644, xos_bytes_str(text), err);
}

enum xos_status xos_cli_daemon_start(
    const char *dir, const char *program, const char *conf, struct xos_err *err)
{
	char log[PATH_MAX];
	struct xos_proc_id id;
	if (xos_cli_daemon_running(dir, program, &id))
		return XOS_OK;
	enum xos_status st = path_of(dir, "log", program, ".log", log, err);
	if (st)
		return st;
	const char *argv[] = {program, "run", "--config", conf, NULL};
	const struct xos_daemon daemon = {
	    .path = program, .argv = argv, .log_path = log, .timeout_ms = XOS_CLI_START_MS};
	if ((st = xos_daemon_start(&daemon, &id, err)))
		return xos_err_prefix(err, st, "starting %s", program);
	st = write_pid(dir, program, &id, err);
	/* Without a pid file nobody could stop it later. */
	if (st && xos_proc_stop(&id, XOS_CLI_STOP_MS, NULL))
		return xos_err_prefix(
		    err, st, "%s runs as process %ld and cannot be stopped", program, (long)id.pid);
	return st;
}

enum xos_status xos_cli_daemon_stop(const char *dir, const char *program, struct xos_err *err)
{
	struct xos_proc_id id;
	char path[PATH_MAX];
	if (xos_cli_daemon_running(dir, program, &id)) {
		enum xos_status st = xos_proc_stop(&id, XOS_CLI_STOP_MS, err);
		if (st)
			return xos_err_prefix(err, st, "stopping %s", program);
	}
	if (path_of(dir, "run", program, ".pid", path, NULL) == XOS_OK)
		(void)unlink(path);
	return XOS_OK;
}

enum xos_status xos_cli_free_port(const char *address, int *fd, int64_t *port, struct xos_err *err)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = {.any = {.sa_family = AF_INET}};
	socklen_t len = sizeof(at.v4);
	if (inet_pton(AF_INET, address, &at.v4.sin_addr) != 1) {
		memset(&at, 0, sizeof(at));
		at.any.sa_family = AF_INET6;
		len = sizeof(at.v6);
		if (inet_pton(AF_INET6, address, &at.v6.sin6_addr) != 1)
			return xos_err_set(
			    err, XOS_MALFORMED, "address", "'%s' is no IP address", address);
	}
	*fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd >= 0 && bind(*fd, &at.any, len) == 0 && getsockname(*fd, &at.any, &len) == 0) {
		*port = ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
		return XOS_OK;
	}
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return xos_err_set(err, XOS_UNAVAILABLE, "address",
	    "cannot listen on %s: give an address of this machine", address);
}
