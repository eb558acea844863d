#include "server/daemons.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "server/certs.h"
#include "server/run.h"

#define START_MS 60000
#define STOP_MS 15000

static enum xos_status pid_path(
    const struct xos_server *s, enum xos_server_daemon d, char out[PATH_MAX], struct xos_err *err)
{
	char name[64];
	snprintf(name, sizeof(name), "%s.pid", xos_server_kinds[d].program);
	return xos_server_path(s, "run", name, out, err);
}

static enum xos_status conf_path(
    const struct xos_server *s, enum xos_server_daemon d, char out[PATH_MAX], struct xos_err *err)
{
	char name[64];
	snprintf(name, sizeof(name), "%s.conf", xos_server_kinds[d].folder);
	return xos_server_path(s, xos_server_kinds[d].folder, name, out, err);
}

bool xos_server_running(
    const struct xos_server *s, enum xos_server_daemon d, struct xos_proc_id *id)
{
	char path[PATH_MAX];
	return pid_path(s, d, path, NULL) == XOS_OK && xos_pidfile_read(path, id, NULL) == XOS_OK &&
	       xos_proc_alive(id);
}

static enum xos_status write_pid(const struct xos_server *s, enum xos_server_daemon d,
    const struct xos_proc_id *id, struct xos_err *err)
{
	char path[PATH_MAX], text[64];
	enum xos_status st = pid_path(s, d, path, err);
	if (st)
		return st;
	snprintf(text, sizeof(text), "%ld %llu\n", (long)id->pid, (unsigned long long)id->start);
	return xos_file_write(path, 0644, xos_bytes_str(text), err);
}

static enum xos_status start_one(
    const struct xos_server *s, enum xos_server_daemon d, struct xos_err *err)
{
	const struct xos_server_kind *k = &xos_server_kinds[d];
	char conf[PATH_MAX], log[PATH_MAX], name[64];
	struct xos_proc_id id;
	enum xos_status st = conf_path(s, d, conf, err);
	snprintf(name, sizeof(name), "%s.log", k->program);
	if (!st)
		st = xos_server_path(s, "log", name, log, err);
	if (st)
		return st;
	const char *argv[] = {k->program, "run", "--config", conf, NULL};
	const struct xos_daemon daemon = {
	    .path = k->program, .argv = argv, .log_path = log, .timeout_ms = START_MS};
	if ((st = xos_daemon_start(&daemon, &id, err)))
		return xos_err_prefix(err, st, "starting %s", k->program);
	st = write_pid(s, d, &id, err);
	/* Without a pid file nobody could stop it later. */
	if (st && xos_proc_stop(&id, STOP_MS, NULL))
		return xos_err_prefix(err, st, "%s runs as process %ld and cannot be stopped",
		    k->program, (long)id.pid);
	return st;
}

static enum xos_status stop_one(
    const struct xos_server *s, enum xos_server_daemon d, struct xos_err *err)
{
	struct xos_proc_id id;
	char path[PATH_MAX];
	if (xos_server_running(s, d, &id)) {
		enum xos_status st = xos_proc_stop(&id, STOP_MS, err);
		if (st)
			return xos_err_prefix(err, st, "stopping %s", xos_server_kinds[d].program);
	}
	if (pid_path(s, d, path, NULL) == XOS_OK)
		(void)unlink(path);
	return XOS_OK;
}

/* Certificates that are due are issued off line, so xos-rcad must rest meanwhile. A daemon that
 * runs picks its new one up at its next start, so it rests as well. */
static enum xos_status renew_tls(const struct xos_server *s, struct xos_err *err)
{
	bool due[XOS_DAEMONS], any = false;
	enum xos_status st = XOS_OK;
	for (int d = 0; d < XOS_DAEMONS; d++) {
		if ((st = xos_server_tls_due(s, d, &due[d], err)))
			return st;
		any = any || due[d];
	}
	if (any)
		st = stop_one(s, XOS_RCAD, err);
	for (int d = 0; !st && d < XOS_DAEMONS; d++) {
		if (due[d] && !(st = stop_one(s, d, err)))
			st = xos_server_tls_issue(s, d, err);
	}
	return st;
}

enum xos_status xos_server_start(const struct xos_server *s, struct xos_err *err)
{
	static const char *const folders[] = {"log", "run"};
	char path[PATH_MAX];
	enum xos_status st = XOS_OK;
	for (size_t i = 0; !st && i < 2; i++) {
		if (!(st = xos_server_path(s, folders[i], NULL, path, err)))
			st = xos_dir_make(path, 0755, err);
	}
	if (!st)
		st = renew_tls(s, err);
	for (int d = 0; !st && d < XOS_DAEMONS; d++) {
		struct xos_proc_id id;
		if (!xos_server_running(s, d, &id))
			st = start_one(s, d, err);
	}
	return st;
}

enum xos_status xos_server_stop(const struct xos_server *s, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	for (int d = XOS_DAEMONS - 1; d >= 0; d--) {
		/* One that does not stop is no reason to leave the others running. */
		enum xos_status one = stop_one(s, d, st ? NULL : err);
		if (!st)
			st = one;
	}
	return st;
}

enum xos_status xos_server_check(const struct xos_server *s, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	for (int d = 0; !st && d < XOS_DAEMONS; d++) {
		char conf[PATH_MAX];
		if ((st = conf_path(s, d, conf, err)))
			return st;
		const char *argv[] = {
		    xos_server_kinds[d].program, "--check", "--config", conf, NULL};
		st = xos_server_run(argv, NULL, NULL, err);
	}
	return st;
}
