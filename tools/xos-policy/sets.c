#include "policytool/sets.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "policytool/zones.h"

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

static enum xos_status add_path(
    struct xos_policytool_paths *paths, const char *path, struct xos_err *err)
{
	if (paths->n == XOS_POLICYTOOL_FILES_MAX)
		return xos_err_set(err, XOS_LIMIT, "too-many-files",
		    "more than %u files; name the folders that matter", XOS_POLICYTOOL_FILES_MAX);
	if (paths->n == paths->cap) {
		size_t cap = paths->cap ? 2 * paths->cap : 16;
		char **list = reallocarray(paths->list, cap, sizeof(*list));
		if (!list)
			return no_memory(err);
		paths->list = list;
		paths->cap = cap;
	}
	paths->list[paths->n] = strdup(path);
	if (!paths->list[paths->n])
		return no_memory(err);
	paths->n++;
	return XOS_OK;
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);
	return n > m && strcmp(name + n - m, suffix) == 0;
}

static enum xos_status find_in(struct xos_policytool_paths *paths, const char *dir,
    const char *suffix, unsigned depth, struct xos_err *err);

/* A file that looks wanted is taken even if it cannot be read: whoever reads it tells why. */
static enum xos_status find_entry(struct xos_policytool_paths *paths, const char *dir,
    const char *name, const char *suffix, unsigned depth, struct xos_err *err)
{
	char path[PATH_MAX];
	struct stat st;
	if (name[0] == '.')
		return XOS_OK;
	if (!xos_path_join(path, sizeof(path), dir, name))
		return xos_err_set(
		    err, XOS_LIMIT, "path-too-long", "%s: the path is too long", dir);
	if (lstat(path, &st) != 0)
		return xos_err_errno(err, errno, "file-open", "cannot examine %s", path);
	if (S_ISDIR(st.st_mode))
		return find_in(paths, path, suffix, depth + 1, err);
	if (!ends_with(name, suffix))
		return XOS_OK;
	if (S_ISLNK(st.st_mode) && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return XOS_OK;
	return add_path(paths, path, err);
}

static enum xos_status find_in(struct xos_policytool_paths *paths, const char *dir,
    const char *suffix, unsigned depth, struct xos_err *err)
{
	struct dirent **names = NULL;
	enum xos_status st = XOS_OK;
	if (depth > XOS_POLICYTOOL_DEPTH_MAX)
		return xos_err_set(err, XOS_LIMIT, "too-deep", "%s: more than %u folders deep", dir,
		    XOS_POLICYTOOL_DEPTH_MAX);
	int n = scandir(dir, &names, NULL, alphasort);
	if (n < 0)
		return xos_err_errno(err, errno, "folder-open", "cannot read the folder %s", dir);
	for (int i = 0; i < n; i++) {
		if (!st)
			st = find_entry(paths, dir, names[i]->d_name, suffix, depth, err);
		free(names[i]);
	}
	free(names);
	return st;
}

enum xos_status xos_policytool_find(
    struct xos_policytool_paths *paths, const char *path, const char *suffix, struct xos_err *err)
{
	struct stat st;
	size_t before = paths->n;
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return add_path(paths, path, err);
	enum xos_status status = find_in(paths, path, suffix, 0, err);
	if (!status && paths->n == before)
		status = xos_err_set(
		    err, XOS_NOT_FOUND, "no-files", "the folder %s has no file *%s", path, suffix);
	return status;
}

void xos_policytool_paths_free(struct xos_policytool_paths *paths)
{
	for (size_t i = 0; i < paths->n; i++)
		free(paths->list[i]);
	free(paths->list);
	*paths = (struct xos_policytool_paths){NULL, 0, 0};
}

enum xos_status xos_policytool_read(const char *path, struct xos_policy_set **set,
    struct xos_policy_errors *errs, struct xos_err *err)
{
	struct xos_buf text;
	enum xos_status status;

	*set = NULL;
	memset(errs, 0, sizeof(*errs));
	/* One byte more than a set may have, so that the parser says what is wrong. */
	xos_buf_init(&text, XOS_POLICY_TEXT_MAX + 1);
	status = xos_file_read(path, XOS_POLICY_TEXT_MAX, &text, err);
	if (status == XOS_OK)
		status = xos_policy_set_parse((const char *)text.p, text.n, path, set, errs);
	if (status != XOS_OK && errs->n) {
		const struct xos_policy_error *e = &errs->list[0];
		xos_err_set(err, status, "policy-malformed", "%s:%u:%u: %s%s%s%s", path, e->line,
		    e->col, e->text, e->hint[0] ? " (" : "", e->hint, e->hint[0] ? ")" : "");
	}
	xos_buf_free(&text);
	return status;
}

enum xos_status xos_policytool_sets_add(struct xos_policytool_sets *sets, const char *path,
    struct xos_policy_set *set, struct xos_err *err)
{
	if (sets->n == sets->cap) {
		size_t cap = sets->cap ? 2 * sets->cap : 16;
		struct xos_policytool_set *list = reallocarray(sets->list, cap, sizeof(*list));
		if (!list)
			goto failed;
		sets->list = list;
		sets->cap = cap;
	}
	char *copy = strdup(path);
	if (!copy)
		goto failed;
	sets->list[sets->n++] = (struct xos_policytool_set){copy, set};
	return XOS_OK;
failed:
	xos_policy_set_unref(set);
	return no_memory(err);
}

enum xos_status xos_policytool_sets_load(
    struct xos_policytool_sets *sets, const char *path, struct xos_err *err)
{
	struct xos_policytool_paths paths = {NULL, 0, 0};
	struct xos_policy_errors *errs = calloc(1, sizeof(*errs));
	if (!errs)
		return no_memory(err);
	enum xos_status st = xos_policytool_find(&paths, path, ".xos", err);
	for (size_t i = 0; !st && i < paths.n; i++) {
		struct xos_policy_set *set = NULL;
		st = xos_policytool_read(paths.list[i], &set, errs, err);
		if (!st)
			st = xos_policytool_sets_add(sets, paths.list[i], set, err);
	}
	xos_policytool_paths_free(&paths);
	free(errs);
	return st;
}

void xos_policytool_sets_free(struct xos_policytool_sets *sets)
{
	for (size_t i = 0; i < sets->n; i++) {
		free(sets->list[i].path);
		xos_policy_set_unref(sets->list[i].set);
	}
	free(sets->list);
	*sets = (struct xos_policytool_sets){NULL, 0, 0};
}

bool xos_policytool_is_part(const struct xos_policy_set *set)
{
	return xos_policy_set_level(set) != XOS_POLICY_DELEGATION;
}

/* The engine tells that two sets have one name; which files they are, only we know. */
static enum xos_status name_both(
    const struct xos_policytool_sets *sets, enum xos_status st, struct xos_err *err)
{
	for (size_t i = 0; i < sets->n; i++)
		for (size_t j = 0; j < i; j++) {
			const struct xos_policy_set *a = sets->list[j].set, *b = sets->list[i].set;
			if (!xos_policytool_is_part(a) ||
			    xos_policy_set_level(a) != xos_policy_set_level(b) ||
			    strcmp(xos_policy_set_name(a), xos_policy_set_name(b)) != 0)
				continue;
			return xos_err_set(err, st, "policy-conflict",
			    "%s and %s are both the set of the %s %s; give one of them",
			    sets->list[j].path, sets->list[i].path,
			    xos_policy_level_name(xos_policy_set_level(a)), xos_policy_set_name(a));
		}
	return st;
}

enum xos_status xos_policytool_sets_policy(
    const struct xos_policytool_sets *sets, struct xos_policy **out, struct xos_err *err)
{
	struct xos_policy_part *parts = calloc(sets->n + 1, sizeof(*parts));
	size_t n = 0;
	*out = NULL;
	if (!parts)
		return no_memory(err);
	for (size_t i = 0; i < sets->n; i++)
		if (xos_policytool_is_part(sets->list[i].set))
			parts[n++].set = sets->list[i].set;
	struct xos_policytool_zones *zones = NULL;
	enum xos_status st = xos_policytool_zones_load(sets, &zones, err);
	if (!st)
		st = xos_policy_new(parts, n, xos_policytool_zones_options(zones), out, err);
	xos_policytool_zones_free(zones);
	free(parts);
	return st == XOS_CONFLICT ? name_both(sets, st, err) : st;
}
