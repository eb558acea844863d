#include "server/init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/daemons.h"
#include "cli/remove.h"
#include "server/certs.h"
#include "cli/run.h"
#include "server/rollover.h"
#include "server/shared.h"

/* Ports that are free now, all held until all are found so that none is given twice. */
static enum xos_status choose_ports(struct xos_server *s, struct xos_err *err)
{
	int64_t *port[XOS_DAEMONS + 2] = {
	    [XOS_DAEMONS] = &s->http_port, [XOS_DAEMONS + 1] = &s->est_port};
	int fd[XOS_DAEMONS + 2];
	enum xos_status st = XOS_OK;
	for (int d = 0; d < XOS_DAEMONS; d++)
		port[d] = &s->port[d];
	for (int d = 0; d < XOS_DAEMONS + 2; d++) {
		fd[d] = -1;
		if (!st)
			st = xos_cli_free_port(s->address, &fd[d], port[d], err);
	}
	for (int d = 0; d < XOS_DAEMONS + 2; d++) {
		if (fd[d] >= 0)
			close(fd[d]);
	}
	return st;
}

/* Room for further VOs (shared.h). */
static enum xos_status make_vos(const struct xos_server *s, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = xos_server_path(s, xos_server_kinds[XOS_CAD].folder, "vos", path, err);
	return st ? st : xos_dir_make(path, 0755, err);
}

static enum xos_status init_daemon(const struct xos_server *s, enum xos_server_daemon d,
    const struct xos_server_init *o, struct xos_err *err)
{
	const struct xos_server_kind *k = &xos_server_kinds[d];
	char dir[PATH_MAX];
	enum xos_status st = xos_server_path(s, k->folder, NULL, dir, err);
	if (st)
		return st;
	if (d == XOS_CAD) {
		const char *argv[] = {k->program, "init", "--dir", dir, "--vo", s->vo, "--admin",
		    o->admin, "--password-stdin", NULL};
		st = xos_cli_run(argv, o->password, NULL, err);
	} else {
		const char *argv[] = {k->program, "init", "--dir", dir, "--vo", s->vo, NULL};
		st = xos_cli_run(argv, NULL, NULL, err);
	}
	if (!st)
		st = xos_server_sign(s, d, err);
	if (!st)
		st = xos_server_write_config(s, d, err);
	return st;
}

static enum xos_status fill(
    struct xos_server *s, const struct xos_server_init *o, struct xos_err *err)
{
	char root[PATH_MAX];
	enum xos_status st = xos_dir_make(s->dir, 0755, err);
	if (!st)
		st = xos_server_path(s, "root", NULL, root, err);
	if (!st) {
		const char *argv[] = {"xos-cad", "root-init", "--dir", root, "--vo", s->vo, NULL};
		st = xos_cli_run(argv, NULL, NULL, err);
	}
	if (!st)
		st = choose_ports(s, err);
	if (o->host) {
		s->port[XOS_CAD] = o->host->port[XOS_CAD];
		s->http_port = o->host->http_port;
	}
	for (int d = 0; !st && d < XOS_DAEMONS; d++)
		st = init_daemon(s, d, o, err);
	if (!st)
		st = xos_server_write_trust(s, err);
	if (!st && !s->host)
		st = make_vos(s, err);
	if (!st)
		st = xos_server_root_crl(s, err);
	if (!st)
		st = xos_server_first_list(s, err);
	if (!st)
		st = xos_server_save(s, err);
	return st;
}

static enum xos_status check_names(const struct xos_server_init *o, struct xos_err *err)
{
	if (!xos_name_is_vo(o->vo))
		return xos_err_set(err, XOS_MALFORMED, "vo-name",
		    "'%s' is no VO name: lower-case letters, digits and '-', at most %d, a letter "
		    "first",
		    o->vo, XOS_VO_MAX);
	if (!xos_name_is_member(o->vo, o->admin))
		return xos_err_set(err, XOS_MALFORMED, "member-name",
		    "'%s' is no member name: lower-case letters, digits, '.', '_' and '-', a "
		    "letter first",
		    o->admin);
	return XOS_OK;
}

static enum xos_status check_address(const char *address, struct xos_err *err)
{
	int64_t port;
	int fd;
	enum xos_status st = xos_cli_free_port(address, &fd, &port, err);
	if (!st)
		close(fd);
	return st;
}

static enum xos_status not_free(const char *dir, int why, struct xos_err *err)
{
	if (why != ENOTEMPTY && why != EEXIST)
		return xos_err_errno(err, why, "server-folder", "cannot use %s for a new VO", dir);
	return xos_err_set(err, XOS_CONFLICT, "server-exists",
	    "%s is not free for the servers of a new VO (to start what is there: xos-server start "
	    "--dir %s)",
	    dir, dir);
}

/* An empty folder may stand there already. */
static enum xos_status check_free(const char *dir, struct xos_err *err)
{
	DIR *d = opendir(dir);
	bool empty = true;
	if (!d)
		return errno == ENOENT ? XOS_OK : not_free(dir, errno, err);
	for (struct dirent *e; (e = readdir(d));)
		empty = empty && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0);
	closedir(d);
	return empty ? XOS_OK : not_free(dir, ENOTEMPTY, err);
}

enum xos_status xos_server_init_check(const struct xos_server_init *o, struct xos_err *err)
{
	struct xos_server s;
	enum xos_status st = check_names(o, err);
	if (!st)
		st = xos_server_at(&s, o->dir, err);
	if (!st)
		st = check_address(o->address, err);
	if (!st && o->host)
		st = xos_server_shared_check(o, err);
	return st ? st : check_free(s.dir, err);
}

enum xos_status xos_server_init(const struct xos_server_init *o, struct xos_err *err)
{
	struct xos_server final, s;
	enum xos_status st = xos_server_init_check(o, err);
	if (!st)
		st = xos_server_at(&final, o->dir, err);
	if (st)
		return st;
	/* rename(2) replaces nothing but an empty folder; this removes nothing but that. */
	if (rmdir(final.dir) != 0 && errno != ENOENT)
		return not_free(final.dir, errno, err);
	s = final;
	if (!xos_str_printf(s.dir, sizeof(s.dir), "%s.setup", final.dir))
		return xos_err_set(err, XOS_LIMIT, "path", "the path %s is too long", o->dir);
	if ((st = xos_cli_remove_tree(s.dir, err)))
		return st;
	union {
		const char *in;
		char *out;
	} vo = {.in = o->vo}, address = {.in = o->address}, host = {.in = NULL};
	s.vo = vo.out;
	s.address = address.out;
	s.uid_base = o->uid_base;
	if (o->host) {
		host.in = o->host->dir;
		s.host = host.out;
		s.host_uid_base = o->host->uid_base;
	}
	st = fill(&s, o, err);
	if (!st && rename(s.dir, final.dir) != 0)
		st = xos_err_errno(err, errno, "rename", "cannot move %s to %s", s.dir, final.dir);
	if (!st && o->host) {
		/* Its paths are absolute: written anew where it is now. */
		memcpy(s.dir, final.dir, sizeof(s.dir));
		return xos_server_write_config(&s, XOS_CAD, err);
	}
	if (st && xos_cli_remove_tree(s.dir, NULL))
		return xos_err_prefix(err, st, "(%s is left over; remove it)", s.dir);
	return st;
}
