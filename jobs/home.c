#include "jobs/home.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static enum xos_status refuse(struct xos_err *err, const char *path, const char *why)
{
	return xos_err_set(err, XOS_DENIED, "home",
	    "the home %s is not used: %s; the node's owner must mend that, or the site's set say "
	    "another folder",
	    path, why);
}

/* Opens the folder that holds the last component, one step after the other; *last: that component. */
static enum xos_status open_parent(
    const char *path, int *fd, char last[NAME_MAX + 1], struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	struct stat sb;
	*fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return xos_err_errno(err, errno, "home", "cannot open /");
	for (const char *p = path + 1;; p += strlen(last) + 1) {
		size_t n = strcspn(p, "/");
		bool last_one = !p[n];
		if (fstat(*fd, &sb) != 0)
			st = xos_err_errno(err, errno, "home", "cannot look above %s", path);
		/* In one such as /tmp nobody can take away or rename what is root's. */
		else if (sb.st_uid != 0 || (sb.st_mode & (S_IWGRP | S_IWOTH) &&
		                               (last_one || !(sb.st_mode & S_ISVTX))))
			st = refuse(err, path,
			    "a folder above it is not root's, or others can write in it");
		else if (!n || n > NAME_MAX)
			st = refuse(err, path, "its path is none");
		if (st)
			break;
		memcpy(last, p, n);
		last[n] = '\0';
		if (last_one)
			return XOS_OK;
		int next = openat(*fd, last, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0 && (errno == ENOTDIR || errno == ELOOP))
			st = refuse(err, path, "a part of the path above it is a link or a file");
		else if (next < 0)
			st = xos_err_errno(
			    err, errno, "home", "cannot open a folder above %s", path);
		if (next < 0)
			break;
		close(*fd);
		*fd = next;
	}
	close(*fd);
	*fd = -1;
	return st;
}

static enum xos_status look(
    int parent, const char *name, const char *path, uid_t uid, bool *there, struct xos_err *err)
{
	struct stat sb;
	*there = fstatat(parent, name, &sb, AT_SYMLINK_NOFOLLOW) == 0;
	if (!*there)
		return errno == ENOENT
		           ? XOS_OK
		           : xos_err_errno(err, errno, "home", "cannot look at %s", path);
	if (!S_ISDIR(sb.st_mode))
		return refuse(err, path, "there is something that is no folder");
	if (sb.st_uid != uid)
		return refuse(err, path, "it belongs to another account");
	return XOS_OK;
}

/* Under another name first: a folder with its final name has its final owner, also after a crash. */
static enum xos_status make(
    int parent, const char *name, const char *path, uid_t uid, gid_t gid, struct xos_err *err)
{
	char fresh[NAME_MAX + 1];
	if (!xos_str_printf(fresh, sizeof(fresh), ".xos-new-%s", name))
		return refuse(err, path, "its name is too long");
	if (unlinkat(parent, fresh, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return xos_err_errno(err, errno, "home", "cannot clear the way for %s", path);
	if (mkdirat(parent, fresh, 0700) != 0)
		return xos_err_errno(err, errno, "home", "cannot make %s", path);
	if (fchmodat(parent, fresh, 0700, 0) != 0 ||
	    fchownat(parent, fresh, uid, gid, AT_SYMLINK_NOFOLLOW) != 0 ||
	    renameat2(parent, fresh, parent, name, RENAME_NOREPLACE) != 0) {
		int why = errno;
		(void)unlinkat(parent, fresh, AT_REMOVEDIR);
		return xos_err_errno(err, why, "home", "cannot make %s", path);
	}
	return XOS_OK;
}

enum xos_status xos_home_make(const char *path, uid_t uid, gid_t gid, struct xos_err *err)
{
	char name[NAME_MAX + 1] = "";
	bool there = false;
	int parent = -1;
	enum xos_status st = open_parent(path, &parent, name, err);
	if (st)
		return st;
	st = look(parent, name, path, uid, &there, err);
	if (!st && !there)
		st = make(parent, name, path, uid, gid, err);
	close(parent);
	return st;
}
