#include "server/daemons.h"

#include <stdbool.h>
#include <stdio.h>

#include "cli/daemons.h"
#include "server/certs.h"
#include "cli/run.h"
#include "server/shared.h"

static enum xos_status conf_path(
    const struct xos_server *s, enum xos_server_daemon d, char out[PATH_MAX], struct xos_err *err)
{
	char name[64];
	snprintf(name, sizeof(name), "%s.conf", xos_server_kinds[d].folder);
	return xos_server_path(s, xos_server_kinds[d].folder, name, out, err);
}

static enum xos_status stop_one(
    const struct xos_server *s, enum xos_server_daemon d, struct xos_err *err)
{
	return xos_cli_daemon_stop(s->dir, xos_server_kinds[d].program, err);
}

/* Certificates that are due are issued off line, so xos-rcad must rest meanwhile. A daemon that
 * runs picks its new one up at its next start, so it rests as well. */
static enum xos_status renew_tls(const struct xos_server *s, bool *cad, struct xos_err *err)
{
	bool due[XOS_DAEMONS] = {false}, any = false;
	enum xos_status st = XOS_OK;
	for (int d = 0; d < XOS_DAEMONS; d++) {
		if ((st = xos_server_tls_due(s, d, &due[d], err)))
			return st;
		any = any || due[d];
	}
	*cad = due[XOS_CAD];
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
	char conf[PATH_MAX];
	bool renewed = false;
	enum xos_status st = xos_cli_daemon_folders(s->dir, err);
	if (!st)
		st = renew_tls(s, &renewed, err);
	for (int d = 0; !st && d < XOS_DAEMONS; d++) {
		if (d == XOS_CAD && s->host)
			st = xos_server_shared_join(s, renewed, err);
		else if (!(st = conf_path(s, d, conf, err)))
			st = xos_cli_daemon_start(s->dir, xos_server_kinds[d].program, conf, err);
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
		st = xos_cli_run(argv, NULL, NULL, err);
	}
	return st;
}
