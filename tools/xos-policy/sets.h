#ifndef XOS_POLICYTOOL_SETS_H
#define XOS_POLICYTOOL_SETS_H

#include "policy/decide.h"
#include "policy/set.h"

/*
 * Policy sets from files, and the policy that they make together.
 *
 * A folder stands for the files of a suffix in it and below it. Hidden names are left out; symbolic
 * links to files are followed, those to folders are not (they could lead round in circles), unless
 * the folder is named itself. Depth and number are bounded.
 */
#define XOS_POLICYTOOL_FILES_MAX 10000u
#define XOS_POLICYTOOL_DEPTH_MAX 32u

struct xos_policytool_paths {
	char **list;
	size_t n, cap;
};

/* Adds path, or if it is a folder what is in it, sorted. NOT_FOUND also for a folder without any
 * such file. */
XOS_MUST_USE enum xos_status xos_policytool_find(
    struct xos_policytool_paths *paths, const char *path, const char *suffix, struct xos_err *err);
void xos_policytool_paths_free(struct xos_policytool_paths *paths); /* and empties */

/* Reads and parses one set. errs is overwritten: errs->total is 0 if the file could not be read,
 * and err then says why; otherwise err tells the first error with its place. */
XOS_MUST_USE enum xos_status xos_policytool_read(const char *path, struct xos_policy_set **set,
    struct xos_policy_errors *errs, struct xos_err *err);

struct xos_policytool_set {
	char *path;
	struct xos_policy_set *set;
};

struct xos_policytool_sets {
	struct xos_policytool_set *list;
	size_t n, cap;
};

/* Takes set (also when it fails); path is copied. */
XOS_MUST_USE enum xos_status xos_policytool_sets_add(struct xos_policytool_sets *sets,
    const char *path, struct xos_policy_set *set, struct xos_err *err);
/* Reads a file, or the *.xos files of a folder, and adds the sets. The first error ends it. */
XOS_MUST_USE enum xos_status xos_policytool_sets_load(
    struct xos_policytool_sets *sets, const char *path, struct xos_err *err);
void xos_policytool_sets_free(struct xos_policytool_sets *sets); /* and empties */
/* Compiles what is no delegation, with the time zones that all the sets need. The error names the files of two sets for one name. */
XOS_MUST_USE enum xos_status xos_policytool_sets_policy(
    const struct xos_policytool_sets *sets, struct xos_policy **out, struct xos_err *err);
/* A delegation's statements are handed to decisions; everything else is part of the policy. */
bool xos_policytool_is_part(const struct xos_policy_set *set);

#endif
