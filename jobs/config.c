#include "jobs/config.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/file.h"
#include "base/name.h"

#define AT(field) offsetof(struct xos_jobs_config, field)
#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)
#define DAY INT64_C(86400)

static const struct xos_config_key keys[] = {
    {"", "vo", XOS_CONFIG_STRING, AT(vo), true, NULL, 0, 0},
    {"", "listen", XOS_CONFIG_STRING, AT(listen), true, NULL, 0, 0},
    {"", "state", XOS_CONFIG_PATH, AT(state), true, NULL, 0, 0},
    {"", "trust", XOS_CONFIG_PATH, AT(trust), true, NULL, 0, 0},
    {"", "tls_certificate", XOS_CONFIG_PATH, AT(tls_certificate), true, NULL, 0, 0},
    {"", "tls_key", XOS_CONFIG_PATH, AT(tls_key), true, NULL, 0, 0},
    {"", "user_network", XOS_CONFIG_STRING, AT(user_network), false, NULL, 0, 0},
    {"", "node", XOS_CONFIG_STRING, AT(node), true, NULL, 0, 0},
    {"", "site", XOS_CONFIG_STRING, AT(site), true, NULL, 0, 0},
    {"", "credd_socket", XOS_CONFIG_PATH, AT(credd_socket), true, NULL, 0, 0},
    {"", "accounting", XOS_CONFIG_STRING, AT(accounting), false, NULL, 0, 0},
    {"", "member", XOS_CONFIG_STRING, AT(member), false, NULL, 0, 0},
    {"", "path", XOS_CONFIG_STRING, AT(path), false, NULL, 0, 0},
    {"", "monitor", XOS_CONFIG_PATH, AT(monitor), false, NULL, 0, 0},
    {"", "wall_default", XOS_CONFIG_DURATION, AT(wall_default), false, "24h", 1, 366 * DAY},
    {"", "wall_max", XOS_CONFIG_DURATION, AT(wall_max), false, "7d", 1, 366 * DAY},
    {"", "kill_grace", XOS_CONFIG_DURATION, AT(kill_grace), false, "10s", 1, 3600},
    {"", "waiting_max", XOS_CONFIG_DURATION, AT(waiting_max), false, "5m", 1, DAY},
    {"", "keep", XOS_CONFIG_DURATION, AT(keep), false, "7d", 60, 366 * DAY},
    {"", "output_max", XOS_CONFIG_NUMBER, AT(output_max), false, "16777216", 4096, 64 * GIB},
    {"", "tmp_size", XOS_CONFIG_NUMBER, AT(tmp_size), false, "268435456", MIB, 1024 * GIB},
    {"", "jobs_max", XOS_CONFIG_NUMBER, AT(jobs_max), false, "256", 1, 10000},
    {"", "jobs_member_max", XOS_CONFIG_NUMBER, AT(jobs_member_max), false, "64", 1, 10000},
};
#define NKEYS (sizeof(keys) / sizeof(keys[0]))

/* The folder that this program stands in. */
static enum xos_status own_folder(char out[PATH_MAX], struct xos_err *err)
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
	char *slash;

	if (n <= 0)
		return xos_err_set(err, XOS_UNAVAILABLE, "own-folder",
		    "cannot read /proc/self/exe: set `path` and `monitor` in the configuration");
	out[n] = 0;
	slash = strrchr(out, '/');
	if (slash && slash != out)
		*slash = 0;
	return XOS_OK;
}

static enum xos_status fill_programs(struct xos_jobs_config *c, struct xos_err *err)
{
	char dir[PATH_MAX];
	enum xos_status st;

	if (c->path && c->monitor)
		return XOS_OK;
	st = own_folder(dir, err);
	if (st != XOS_OK)
		return st;
	if (!c->path && asprintf(&c->path, "%s:/usr/local/bin:/usr/bin:/bin", dir) < 0)
		c->path = NULL;
	if (!c->monitor && asprintf(&c->monitor, "%s/xos-job-monitor", dir) < 0)
		c->monitor = NULL;
	if (!c->path || !c->monitor)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	return XOS_OK;
}

static enum xos_status check(const char *path, const struct xos_jobs_config *c, struct xos_err *err)
{
	if (!xos_name_is_vo(c->vo))
		return xos_err_set(
		    err, XOS_MALFORMED, "config-vo", "%s: vo: \"%s\" is no VO name", path, c->vo);
	if (!xos_name_is_node(c->node))
		return xos_err_set(err, XOS_MALFORMED, "config-node",
		    "%s: node: \"%s\" is no node name", path, c->node);
	if (!xos_name_is_site(c->site))
		return xos_err_set(err, XOS_MALFORMED, "config-site",
		    "%s: site: \"%s\" is no site name", path, c->site);
	if (c->member && !xos_name_is_member(c->vo, c->member))
		return xos_err_set(err, XOS_MALFORMED, "config-member",
		    "%s: member: \"%s\" is no member name", path, c->member);
	if (c->wall_default > c->wall_max)
		return xos_err_set(err, XOS_MALFORMED, "config-wall",
		    "%s: wall_default is longer than wall_max", path);
	if (geteuid() == 0 && c->member)
		return xos_err_set(err, XOS_MALFORMED, "config-member",
		    "%s: member: only a daemon without root is tied to one member; "
		    "remove the key or start it as that member's user",
		    path);
	if (geteuid() != 0 && !c->member)
		return xos_err_set(err, XOS_MALFORMED, "config-member",
		    "%s: without root this daemon runs only its own user's jobs: "
		    "add `member = NAME`, the member that this user is",
		    path);
	return XOS_OK;
}

enum xos_status xos_jobs_config_load(
    const char *path, struct xos_jobs_config *out, struct xos_err *err)
{
	struct xos_jobs_config c = {0};
	enum xos_status st;

	st = xos_config_load(path, keys, NKEYS, &c, err);
	if (st != XOS_OK)
		return st;
	st = check(path, &c, err);
	if (st == XOS_OK)
		st = fill_programs(&c, err);
	if (st != XOS_OK) {
		xos_jobs_config_free(&c);
		return st;
	}
	*out = c;
	return XOS_OK;
}

void xos_jobs_config_free(struct xos_jobs_config *c)
{
	if (c)
		xos_config_free(keys, NKEYS, c);
}
