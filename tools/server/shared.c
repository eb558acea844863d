#include "server/shared.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/daemons.h"

#define UIDS 16

static enum xos_status link_path(
    const char *host, const char *vo, char out[PATH_MAX], struct xos_err *err)
{
	if (xos_str_printf(
	        out, PATH_MAX, "%s/%s/vos/%s.conf", host, xos_server_kinds[XOS_CAD].folder, vo))
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "path", "a path below %s is too long", host);
}

enum xos_status xos_server_shared_check(const struct xos_server_init *o, struct xos_err *err)
{
	const struct xos_server *h = o->host;
	char path[PATH_MAX];
	struct stat sb;
	enum xos_status st = link_path(h->dir, o->vo, path, err);

	if (st)
		return st;
	if (h->host)
		return xos_err_set(err, XOS_CONFLICT, "server-shared",
		    "%s shares the xos-cad of %s: name that folder", h->dir, h->host);
	if (strcmp(h->vo, o->vo) == 0 || lstat(path, &sb) == 0)
		return xos_err_set(err, XOS_CONFLICT, "server-shared",
		    "the xos-cad of %s serves a VO %s already", h->dir, o->vo);
	if (o->uid_base && o->uid_base < h->uid_base + UIDS && h->uid_base < o->uid_base + UIDS)
		return xos_err_set(err, XOS_CONFLICT, "server-shared",
		    "the daemons of %s have the users from %lld on: name others by --uid-base",
		    h->dir, (long long)h->uid_base);
	*strrchr(path, '/') = '\0';
	if (stat(path, &sb) != 0 || !S_ISDIR(sb.st_mode))
		return xos_err_set(err, XOS_NOT_FOUND, "server-shared",
		    "there is no folder %s: make it, and add \"vos = vos\" to the cad.conf beside "
		    "it",
		    path);
	return XOS_OK;
}

/* Only if it runs: whoever stopped it did so for a reason. */
static enum xos_status start_anew(const struct xos_server *s, struct xos_err *err)
{
	const struct xos_server_kind *k = &xos_server_kinds[XOS_CAD];
	struct xos_proc_id id;
	char conf[PATH_MAX];
	enum xos_status st = XOS_OK;

	if (!xos_cli_daemon_running(s->host, k->program, &id))
		return XOS_OK;
	if (!xos_str_printf(conf, sizeof(conf), "%s/%s/%s.conf", s->host, k->folder, k->folder))
		return xos_err_set(err, XOS_LIMIT, "path", "a path below %s is too long", s->host);
	st = xos_cli_daemon_stop(s->host, k->program, err);
	return st ? st : xos_cli_daemon_start(s->host, k->program, conf, err);
}

enum xos_status xos_server_shared_join(
    const struct xos_server *s, bool changed, struct xos_err *err)
{
	char link[PATH_MAX], conf[PATH_MAX];
	enum xos_status st = link_path(s->host, s->vo, link, err);

	if (!st)
		st = xos_server_path(s, xos_server_kinds[XOS_CAD].folder, "cad.conf", conf, err);
	if (st)
		return st;
	if (symlink(conf, link) == 0)
		changed = true;
	else if (errno != EEXIST)
		return xos_err_errno(err, errno, "server-shared", "cannot make the link %s", link);
	st = changed ? start_anew(s, err) : XOS_OK;
	/* The other VOs of that server must not stay away for this one's sake. */
	if (st && unlink(link) == 0) {
		enum xos_status again = start_anew(s, NULL);
		(void)again; /* the first failure is the one to tell */
	}
	return st;
}

enum xos_status xos_server_shared_leave(const struct xos_server *s, struct xos_err *err)
{
	char link[PATH_MAX];
	enum xos_status st = link_path(s->host, s->vo, link, err);

	if (st)
		return st;
	if (unlink(link) != 0)
		return errno == ENOENT
		           ? XOS_OK
		           : xos_err_errno(err, errno, "server-shared", "cannot remove %s", link);
	return start_anew(s, err);
}
