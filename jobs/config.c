#include "jobs/config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/name.h"
#include "base/text.h"
#include "jobs/vos.h"

#define AT(field) offsetof(struct xos_jobs_config, field)
#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)
#define DAY INT64_C(86400)

const struct xos_config_key xos_jobs_keys[] = {
    XOS_SERVICE_KEYS(struct xos_jobs_config, common),
    {"", "node", XOS_CONFIG_STRING, AT(node), true, NULL, 0, 0},
    {"", "site", XOS_CONFIG_STRING, AT(site), true, NULL, 0, 0},
    {"", "credd_socket", XOS_CONFIG_PATH, AT(credd_socket), true, NULL, 0, 0},
    {"", "credd_user", XOS_CONFIG_STRING, AT(credd_user), false, NULL, 0, 0},
    {"", "accounting", XOS_CONFIG_STRING, AT(accounting), false, NULL, 0, 0},
    {"", "rca", XOS_CONFIG_STRING, AT(rca), false, NULL, 0, 0},
    {"", "member", XOS_CONFIG_STRING, AT(member), false, NULL, 0, 0},
    {"", "vos", XOS_CONFIG_PATH, AT(vos), false, NULL, 0, 0},
    {"", "path", XOS_CONFIG_STRING, AT(path), false, NULL, 0, 0},
    {"", "seccomp", XOS_CONFIG_STRING, AT(seccomp), false, "default", 0, 0},
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
    {"", "on_lock", XOS_CONFIG_STRING, AT(on_lock), false, "freeze", 0, 0},
    {"", "freeze_max", XOS_CONFIG_DURATION, AT(freeze_max), false, "24h", 1, 366 * DAY},
};
const size_t xos_jobs_nkeys = sizeof(xos_jobs_keys) / sizeof(xos_jobs_keys[0]);

struct reporter {
	void (*report)(void *ctx, const struct xos_err *err);
	void *ctx;
};

static void complain(const struct reporter *r, const char *code, const char *text)
{
	struct xos_err err = XOS_ERR_INIT;

	xos_err_set(&err, XOS_MALFORMED, code, "%s", text);
	r->report(r->ctx, &err);
}

static void check_names(const struct xos_jobs_config *c, const struct reporter *r)
{
	if (!xos_name_is_node(c->node))
		complain(r, "config-node", "node: not the name of a node");
	if (!xos_name_is_site(c->site))
		complain(r, "config-site", "site: not the name of a site");
	if (c->member && !xos_name_is_member(c->common.vo, c->member))
		complain(r, "config-member", "member: not the name of a member");
	if (c->accounting && strncmp(c->accounting, "https://", 8) != 0)
		complain(r, "config-accounting", "accounting: expected https://address:port");
}

static void check_rights(const struct xos_jobs_config *c, const struct reporter *r)
{
	bool root = geteuid() == 0;

	if (root && c->member)
		complain(r, "config-member",
		    "member: only a daemon without root is tied to one member; remove the key, or "
		    "start "
		    "the daemon as that member's user");
	if (!root && !c->member)
		complain(r, "config-member",
		    "without root this daemon runs only its own user's jobs: add `member = NAME`, "
		    "the "
		    "member that this user is");
	if (root && !c->common.user_network)
		complain(r, "config-user",
		    "user_network: as root, name the user of the processes that face the network");
	if (!root && c->credd_user)
		complain(r, "config-user", "credd_user: only for a daemon started as root");
}

static void check_calls(const struct xos_jobs_config *c, const struct reporter *r)
{
	if (strcmp(c->seccomp, "default") != 0 && strcmp(c->seccomp, "none") != 0)
		complain(r, "config-seccomp",
		    "seccomp: expected default, or none for jobs without system call rules");
}

static void check_programs(const struct xos_jobs_config *c, const struct reporter *r)
{
	struct xos_err err = XOS_ERR_INIT;
	char monitor[PATH_MAX];

	if (xos_jobs_monitor(c, monitor, sizeof(monitor), &err) == XOS_OK &&
	    access(monitor, X_OK) != 0)
		xos_err_errno(&err, ENOENT, "config-monitor", "monitor: cannot run %s", monitor);
	if (err.status != XOS_OK)
		r->report(r->ctx, &err);
}

void xos_jobs_config_check(
    const void *conf, void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	const struct xos_jobs_config *c = conf;
	struct reporter r = {report, ctx};

	xos_service_conf_check(&c->common, report, ctx);
	check_names(c, &r);
	check_rights(c, &r);
	check_calls(c, &r);
	check_programs(c, &r);
	if (strcmp(c->on_lock, "freeze") != 0 && strcmp(c->on_lock, "stop") != 0)
		complain(&r, "config-on-lock", "on_lock: freeze or stop");
	if (c->wall_default > c->wall_max)
		complain(&r, "config-wall", "wall_default: longer than wall_max");
	xos_jobs_vos_check(c, report, ctx);
}

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

static enum xos_status by_folder(
    const char *given, const char *tail, char *out, size_t cap, struct xos_err *err)
{
	char dir[PATH_MAX] = "";
	enum xos_status st = given ? XOS_OK : own_folder(dir, err);

	if (st != XOS_OK)
		return st;
	if (!xos_str_copy(out, cap, given ? given : dir) ||
	    (!given && strlen(dir) + strlen(tail) >= cap))
		return xos_err_set(err, XOS_LIMIT, "own-folder", "%s: path too long", dir);
	if (!given)
		memcpy(out + strlen(dir), tail, strlen(tail) + 1);
	return XOS_OK;
}

enum xos_status xos_jobs_path(
    const struct xos_jobs_config *c, char *out, size_t cap, struct xos_err *err)
{
	return by_folder(c->path, ":/usr/local/bin:/usr/bin:/bin", out, cap, err);
}

enum xos_status xos_jobs_monitor(
    const struct xos_jobs_config *c, char *out, size_t cap, struct xos_err *err)
{
	return by_folder(c->monitor, "/xos-job-monitor", out, cap, err);
}
