#include "server/layout.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

/* Users of a daemon's processes, as offsets from uid_base: no two processes of different trust share
 * one. auth and key share a group through which they share the membership database. */
enum { USERS_PER_DAEMON = 4, USER_NETWORK = 0, USER_AUTH = 1, USER_KEY = 2 };

static void put_users(struct xos_buf *b, const struct xos_server *s, enum xos_server_daemon d)
{
	if (s->uid_base == 0)
		return;
	long long base = (long long)s->uid_base + d * USERS_PER_DAEMON;
	long long network = base + USER_NETWORK;
	if (s->host && d == XOS_CAD)
		network = (long long)s->host_uid_base + d * USERS_PER_DAEMON + USER_NETWORK;
	xos_buf_printf(b, "user_network = %lld\n", network);
	if (d != XOS_ACCTD)
		xos_buf_printf(b, "user_auth = %lld\n", base + USER_AUTH);
	xos_buf_printf(b, "user_key = %lld\n", base + USER_KEY);
}

static void put_peers(struct xos_buf *b, const struct xos_server *s, enum xos_server_daemon d)
{
	char url[128];
	if (d == XOS_CAD) {
		for (int i = 0; i < XOS_DAEMONS; i++) {
			xos_server_url(s, i, url);
			xos_buf_printf(b, "%s_url = %s\n", xos_server_kinds[i].service, url);
		}
		xos_server_http_url(s, url);
		if (url[0])
			xos_buf_printf(
			    b, "listen_http = %s\nhttp_url = %s\n", url + strlen("http://"), url);
	} else if (d == XOS_RCAD || d == XOS_VOPSD || d == XOS_ACCTD) {
		xos_server_url(s, XOS_CAD, url);
		xos_buf_printf(b, "ca_url = %s\n", url);
	}
	if (d == XOS_RCAD) {
		xos_server_est_url(s, url);
		if (url[0])
			xos_buf_printf(b, "listen_est = %s\n", url + strlen("https://"));
	}
	if (d == XOS_VOPSD || d == XOS_ACCTD) {
		xos_server_url(s, XOS_RCAD, url);
		xos_buf_printf(b, "rca_url = %s\n", url);
	}
	if (d == XOS_VOPSD) {
		xos_server_url(s, XOS_ACCTD, url);
		xos_buf_printf(b, "accounting_url = %s\n", url);
	}
}

/* Relative to this file, so that the folder can move; but not where another server reads it through a link. */
static void put_paths(struct xos_buf *b, const struct xos_server *s, enum xos_server_daemon d)
{
	char at[PATH_MAX] = "";
	if (s->host && d == XOS_CAD &&
	    xos_server_path(s, xos_server_kinds[d].folder, "", at, NULL) != XOS_OK)
		b->status = XOS_LIMIT;
	xos_buf_printf(b,
	    "state = %s%s\ntrust = %strust\ntls_certificate = %stls.pem\ntls_key = %stls.key\n", at,
	    at[0] ? "" : ".", at, at, at);
	if (d == XOS_CAD && !s->host)
		xos_buf_put_str(b, "vos = vos\n");
}

enum xos_status xos_server_write_config(
    const struct xos_server *s, enum xos_server_daemon d, struct xos_err *err)
{
	const struct xos_server_kind *k = &xos_server_kinds[d];
	bool v6 = false;
	for (const char *c = s->address; *c; c++)
		v6 = v6 || *c == ':';
	struct xos_buf b;
	char path[PATH_MAX], name[64];
	xos_buf_init(&b, 8192);
	xos_buf_printf(
	    &b, "# Written by xos-server init; see %s(8).\nvo = %s\n", k->program, s->vo);
	xos_buf_printf(&b, "listen = %s%s%s:%lld\n", v6 ? "[" : "", s->address, v6 ? "]" : "",
	    (long long)s->port[d]);
	put_paths(&b, s, d);
	put_users(&b, s, d);
	put_peers(&b, s, d);
	snprintf(name, sizeof(name), "%s.conf", k->folder);
	enum xos_status st = xos_server_path(s, k->folder, name, path, err);
	if (!st && (st = xos_buf_status(&b)))
		xos_err_set(err, st, "memory", "cannot put %s together", path);
	if (!st)
		st = xos_file_write(path, 0644, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	return st;
}
