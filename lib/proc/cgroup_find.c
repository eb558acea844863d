/* Which control groups this process may make: the mounts, its own place in them, and a try. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "proc/cgroup_internal.h"
#include "proc/network_internal.h"

#define DAEMON "xos-daemon"
#define JOBS "xos-jobs"

static const struct {
	const char *name, *controller, *v1_file, *v2_file;
} controls[XOS_CGROUP_CONTROLS] = {
    {"memory", "memory", "memory.limit_in_bytes", "memory.max"},
    {"processes", "pids", "pids.max", "pids.max"}, {"cpu", "cpu", "cpu.cfs_quota_us", "cpu.max"},
    {"freeze", "freezer", "freezer.state", "cgroup.freeze"},
    {"network", "", NULL, "cgroup.procs"}, /* no controller, and of no use in the older kind */
};

const char *xos_cgroup_control_name(unsigned control)
{
	for (size_t i = 0; i < XOS_CGROUP_CONTROLS; i++)
		if (control == 1u << i)
			return controls[i].name;
	return "";
}

/* Is word one of the words of list, which commas or spaces separate? */
static bool listed(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += n)
		if ((at == list || strchr(", ", at[-1])) && strchr(", \n", at[n]))
			return true;
	return false;
}

/* Where this process stands in the hierarchy of that controller; "": the unified one. */
static bool own_place(const char *controller, char out[PATH_MAX])
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char *line = NULL;
	size_t cap = 0;
	bool found = false;

	while (f && !found && getline(&line, &cap, f) > 0) {
		char *list = strchr(line, ':'), *place = list ? strchr(list + 1, ':') : NULL;

		if (!place)
			continue;
		*place++ = 0;
		place[strcspn(place, "\n")] = 0;
		found = controller[0] ? listed(list + 1, controller) : list[1] == 0;
		if (found)
			found = xos_str_copy(out, PATH_MAX, place);
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

/* The folder of that place below the mount of the hierarchy. */
static bool mounted(const char *controller, const char *place, char out[PATH_MAX])
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, root[PATH_MAX], point[PATH_MAX];
	size_t cap = 0;
	bool found = false;

	while (f && !found && getline(&line, &cap, f) > 0) {
		const char *type = strstr(line, " - ");

		/* Paths with escaped spaces are not mount points of cgroups on any machine that we know. */
		if (!type || sscanf(line, "%*s %*s %*s %4095s %4095s", root, point) != 2)
			continue;
		if (controller[0] ? strncmp(type, " - cgroup ", 10) != 0
		                  : strncmp(type, " - cgroup2 ", 11) != 0)
			continue;
		const char *options = strrchr(type, ' ');
		if (controller[0] && (!options || !listed(options + 1, controller)))
			continue;
		size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);
		if (strncmp(place, root, n) != 0)
			continue;
		found = xos_str_printf(
		    out, PATH_MAX, "%s%s", point, strcmp(place + n, "/") == 0 ? "" : place + n);
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

static bool base_of(const char *controller, char out[PATH_MAX])
{
	char place[PATH_MAX];
	size_t n;

	if (!own_place(controller, place))
		return false;
	n = strlen(place);
	if (n > strlen(DAEMON) && strcmp(place + n - strlen(DAEMON) - 1, "/" DAEMON) == 0)
		place[n - strlen(DAEMON) - 1] = 0;
	return mounted(controller, place[0] ? place : "/", out);
}

/* A folder of our own below our place: the root of a hierarchy may be written by capability only, which those that remove
 * groups have given up. In the unified hierarchy it hands the controller on, if it gets it. */
static bool own_folder(const char *controller, bool unified, char out[PATH_MAX])
{
	char base[PATH_MAX], want[64];

	if (!base_of(unified ? "" : controller, base) ||
	    !xos_path_join(out, PATH_MAX, base, JOBS) || (mkdir(out, 0755) != 0 && errno != EEXIST))
		return false;
	if (unified && controller[0] && xos_str_printf(want, sizeof(want), "+%s", controller) &&
	    xos_cgroup_write(base, "cgroup.subtree_control", want, NULL) == XOS_OK)
		(void)!xos_cgroup_write(out, "cgroup.subtree_control", want, NULL);
	return true;
}

enum xos_status xos_cgroup_write(
    const char *dir, const char *name, const char *text, struct xos_err *err)
{
	char path[PATH_MAX];
	int fd;

	if (!xos_path_join(path, sizeof(path), dir, name))
		return xos_err_set(err, XOS_LIMIT, "cgroup", "%s is too long", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
	int why = errno;
	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text)
	           ? XOS_OK
	           : xos_err_errno(err, why, "cgroup", "cannot write %s to %s", text, path);
}

bool xos_cgroup_read(const char *dir, const char *name, char *out, size_t cap)
{
	char path[PATH_MAX];
	int fd;
	ssize_t n = -1;

	if (!xos_path_join(path, sizeof(path), dir, name))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, out, cap - 1);
		close(fd);
	}
	out[n > 0 ? n : 0] = 0;
	return n >= 0;
}

/* ---- prepare ---- */

/* Only the root of all has no type. */
static bool is_root(const char *dir)
{
	char path[PATH_MAX];

	return xos_path_join(path, sizeof(path), dir, "cgroup.type") && access(path, F_OK) != 0;
}

static enum xos_status move_into(const char *dir, const char *child, struct xos_err *err)
{
	char pids[65536], *at = pids;
	enum xos_status st = XOS_OK;

	if (!xos_cgroup_read(dir, "cgroup.procs", pids, sizeof(pids)))
		return xos_err_errno(err, errno, "cgroup", "cannot read the processes of %s", dir);
	for (char *pid; st == XOS_OK && (pid = strsep(&at, "\n"));)
		if (pid[0])
			st = xos_cgroup_write(child, "cgroup.procs", pid, err);
	return st;
}

enum xos_status xos_cgroups_prepare(struct xos_err *err)
{
	char dir[PATH_MAX], child[PATH_MAX], have[4096], want[64];
	enum xos_status st = XOS_OK;

	if (!base_of("", dir) || !xos_cgroup_read(dir, "cgroup.controllers", have, sizeof(have)))
		return XOS_OK;
	if (!is_root(dir)) {
		if (!xos_path_join(child, sizeof(child), dir, DAEMON))
			return xos_err_set(err, XOS_LIMIT, "cgroup", "%s is too long", dir);
		if (mkdir(child, 0755) != 0 && errno != EEXIST)
			return xos_err_errno(err, errno, "cgroup", "cannot make %s", child);
		st = move_into(dir, child, err);
	}
	for (size_t i = 0; st == XOS_OK && i < XOS_CGROUP_CONTROLS; i++)
		if (controls[i].controller[0] && listed(have, controls[i].controller) &&
		    xos_str_printf(want, sizeof(want), "+%s", controls[i].controller))
			st = xos_cgroup_write(dir, "cgroup.subtree_control", want, err);
	return st;
}

/* ---- find ---- */

/* Makes a group and looks for the file, which is there only if the controller is. */
static bool try_in(const char *dir, const char *file,
    bool (*attempt)(const char *group, char why[128]), char why[128])
{
	char group[PATH_MAX], path[PATH_MAX], name[64];
	bool can = false;

	xos_str_printf(name, sizeof(name), "xos-try-%ld", (long)getpid());
	if (!xos_path_join(group, sizeof(group), dir, name) ||
	    !xos_path_join(path, sizeof(path), group, file))
		return false;
	if (mkdir(group, 0755) != 0) {
		snprintf(why, 128, "no group can be made here: %s", strerror(errno));
		return false;
	}
	can = access(path, W_OK) == 0;
	if (!can)
		snprintf(why, 128, "groups made here have no %s", file);
	else if (attempt)
		can = attempt(group, why);
	(void)rmdir(group);
	return can;
}

/* Does the kernel take rules for networks from us? Any will do. */
static bool try_networks(const char *group, char why[128])
{
	struct xos_net_rules *rules = calloc(1, sizeof(*rules));
	struct xos_err err = XOS_ERR_INIT;
	bool can = rules && xos_net_attach(group, rules, &err) == XOS_OK;

	if (!can)
		snprintf(why, 128, "%.120s", rules ? err.text : "out of memory");
	free(rules);
	return can;
}

static void find_one(struct xos_cgroups *g, size_t i)
{
	char dir[PATH_MAX];

	bool network = 1u << i == XOS_CGROUP_NETWORK;

	snprintf(g->control[i].why, sizeof(g->control[i].why), "the kernel has no controller %s",
	    network ? "of the unified hierarchy" : controls[i].controller);
	for (int unified = 1; unified >= (network ? 1 : 0); unified--) {
		if (!own_folder(controls[i].controller, unified, dir) ||
		    !try_in(dir, unified ? controls[i].v2_file : controls[i].v1_file,
		        network ? try_networks : NULL, g->control[i].why))
			continue;
		memcpy(g->control[i].dir, dir, sizeof(dir));
		g->control[i].unified = unified;
		g->control[i].why[0] = 0;
		g->can |= 1u << i;
		return;
	}
}

void xos_cgroups_find(struct xos_cgroups *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < XOS_CGROUP_CONTROLS; i++)
		find_one(out, i);
}

void xos_cgroups_locate(unsigned can, unsigned unified, struct xos_cgroups *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < XOS_CGROUP_CONTROLS; i++) {
		unsigned bit = 1u << i;
		char base[PATH_MAX];

		out->control[i].unified = unified & bit;
		if (can & bit && base_of(unified & bit ? "" : controls[i].controller, base) &&
		    xos_path_join(out->control[i].dir, sizeof(out->control[i].dir), base, JOBS))
			out->can |= bit;
		else
			snprintf(out->control[i].why, sizeof(out->control[i].why),
			    "there is no controller %s", controls[i].controller);
	}
}

unsigned xos_cgroups_unified(const struct xos_cgroups *g)
{
	unsigned bits = 0;

	for (size_t i = 0; i < XOS_CGROUP_CONTROLS; i++)
		bits |= g->control[i].unified ? 1u << i : 0;
	return bits;
}
