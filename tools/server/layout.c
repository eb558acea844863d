#include "server/layout.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/file.h"
#include "base/text.h"

const struct xos_server_kind xos_server_kinds[XOS_DAEMONS] = {
    [XOS_RCAD] = {"xos-rcad", "rcad", "rca", "rca", true},
    [XOS_CAD] = {"xos-cad", "cad", "ca", "ca", true},
    [XOS_VOPSD] = {"xos-vopsd", "vopsd", "vops", "vops", false},
    [XOS_ACCTD] = {"xos-acctd", "acctd", "accounting", "accounting", false},
};

const struct xos_server_kind xos_server_delegation = {"xos-cad", "cad", "ca", "delegation", true};

#define PORT(name, index)                                                                          \
	{                                                                                          \
		"ports", name, XOS_CONFIG_NUMBER,                                                  \
		    offsetof(struct xos_server, port) + (index) * sizeof(int64_t), true, NULL, 1,  \
		    65535                                                                          \
	}

static const struct xos_config_key keys[] = {
    {"", "vo", XOS_CONFIG_STRING, offsetof(struct xos_server, vo), true, NULL, 0, 0},
    {"", "address", XOS_CONFIG_STRING, offsetof(struct xos_server, address), true, NULL, 0, 0},
    {"", "uid_base", XOS_CONFIG_NUMBER, offsetof(struct xos_server, uid_base), false, "0", 0,
        INT32_MAX - 100},
    {"", "host", XOS_CONFIG_PATH, offsetof(struct xos_server, host), false, NULL, 0, 0},
    {"", "host_uid_base", XOS_CONFIG_NUMBER, offsetof(struct xos_server, host_uid_base), false, "0",
        0, INT32_MAX - 100},
    PORT("rca", XOS_RCAD),
    PORT("ca", XOS_CAD),
    PORT("vops", XOS_VOPSD),
    PORT("accounting", XOS_ACCTD),
    {"ports", "http", XOS_CONFIG_NUMBER, offsetof(struct xos_server, http_port), false, "0", 0,
        65535},
    {"ports", "est", XOS_CONFIG_NUMBER, offsetof(struct xos_server, est_port), false, "0", 0,
        65535},
};
#define NKEYS (sizeof(keys) / sizeof(keys[0]))

enum xos_status xos_server_at(struct xos_server *s, const char *dir, struct xos_err *err)
{
	char cwd[PATH_MAX] = "";
	memset(s, 0, sizeof(*s));
	if (dir[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return xos_err_set(err, XOS_UNAVAILABLE, "cwd", "cannot tell the current folder");
	if (!xos_str_printf(s->dir, sizeof(s->dir), "%s%s%s", cwd, cwd[0] ? "/" : "", dir))
		return xos_err_set(err, XOS_LIMIT, "path", "the path %s is too long", dir);
	size_t n = strlen(s->dir);
	while (n > 1 && s->dir[n - 1] == '/')
		s->dir[--n] = '\0';
	return XOS_OK;
}

enum xos_status xos_server_path(const struct xos_server *s, const char *a, const char *b,
    char out[PATH_MAX], struct xos_err *err)
{
	if (!xos_str_printf(out, PATH_MAX, "%s/%s%s%s", s->dir, a, b ? "/" : "", b ? b : ""))
		return xos_err_set(err, XOS_LIMIT, "path", "a path below %s is too long", s->dir);
	return XOS_OK;
}

enum xos_status xos_server_load(struct xos_server *s, const char *dir, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = xos_server_at(s, dir, err);
	if (st)
		return st;
	if ((st = xos_server_path(s, "server.conf", NULL, path, err)))
		return st;
	if (access(path, F_OK) != 0)
		return xos_err_set(err, XOS_NOT_FOUND, "server-missing",
		    "%s holds no VO servers; set them up with: xos-server init --dir %s --vo NAME "
		    "--admin NAME",
		    s->dir, s->dir);
	if ((st = xos_config_load(path, keys, NKEYS, s, err)))
		return st;
	if (!xos_name_is_vo(s->vo)) {
		st = xos_err_set(
		    err, XOS_MALFORMED, "vo-name", "%s: '%s' is no VO name", path, s->vo);
		xos_server_free(s);
	}
	return st;
}

enum xos_status xos_server_save(const struct xos_server *s, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_buf b;
	xos_buf_init(&b, 4096);
	xos_buf_printf(&b,
	    "# What was decided when these servers were set up.\nvo = %s\naddress = %s\n", s->vo,
	    s->address);
	xos_buf_printf(&b, "uid_base = %lld\n", (long long)s->uid_base);
	if (s->host)
		xos_buf_printf(
		    &b, "host = %s\nhost_uid_base = %lld\n", s->host, (long long)s->host_uid_base);
	xos_buf_put_str(&b, "\n[ports]\n");
	for (int d = 0; d < XOS_DAEMONS; d++)
		xos_buf_printf(
		    &b, "%s = %lld\n", xos_server_kinds[d].service, (long long)s->port[d]);
	if (s->http_port)
		xos_buf_printf(&b, "http = %lld\n", (long long)s->http_port);
	if (s->est_port)
		xos_buf_printf(&b, "est = %lld\n", (long long)s->est_port);
	enum xos_status st = xos_server_path(s, "server.conf", NULL, path, err);
	if (!st && (st = xos_buf_status(&b)))
		xos_err_set(err, st, "memory", "cannot put %s together", path);
	if (!st)
		st = xos_file_write(path, 0644, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	return st;
}

void xos_server_free(struct xos_server *s)
{
	xos_config_free(keys, NKEYS, s);
}

static void url(const struct xos_server *s, const char *scheme, int64_t port, char out[128])
{
	bool v6 = strchr(s->address, ':');
	if (!xos_str_printf(out, 128, "%s://%s%s%s:%lld", scheme, v6 ? "[" : "", s->address,
	        v6 ? "]" : "", (long long)port))
		out[0] = '\0';
}

void xos_server_url(const struct xos_server *s, enum xos_server_daemon d, char out[128])
{
	url(s, "https", s->port[d], out);
}

void xos_server_http_url(const struct xos_server *s, char out[128])
{
	out[0] = '\0';
	if (s->http_port)
		url(s, "http", s->http_port, out);
}

void xos_server_est_url(const struct xos_server *s, char out[128])
{
	out[0] = '\0';
	if (s->est_port)
		url(s, "https", s->est_port, out);
}
