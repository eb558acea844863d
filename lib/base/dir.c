#include "base/file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

/* A parent that everybody may write to lets everybody replace what we make in it. */
static enum xos_status check_parent(const char *path, struct xos_err *err)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return xos_err_errno(err, errno, "folder-open", "cannot examine %s", path);
	if (!S_ISDIR(st.st_mode))
		return xos_err_set(err, XOS_MALFORMED, "folder-type", "%s is not a folder", path);
	if (st.st_mode & S_IWOTH && !(st.st_mode & S_ISVTX))
		return xos_err_set(err, XOS_DENIED, "folder-mode",
		    "everybody may write to the folder %s; run: chmod o-w %s", path, path);
	return XOS_OK;
}

static enum xos_status check_own(const char *path, mode_t mode, struct xos_err *err)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return xos_err_errno(err, errno, "folder-open", "cannot examine %s", path);
	if (!S_ISDIR(st.st_mode))
		return xos_err_set(err, XOS_MALFORMED, "folder-type",
		    "%s exists and is not a folder; choose another place or remove it", path);
	if (st.st_uid != geteuid() && geteuid() != 0)
		return xos_err_set(err, XOS_DENIED, "folder-owner",
		    "the folder %s belongs to uid %u, not to us (%u); choose another place", path,
		    (unsigned)st.st_uid, (unsigned)geteuid());
	mode_t open_to = st.st_mode & (S_IWGRP | S_IWOTH) & ~(mode & S_IWGRP);
	if (open_to)
		return xos_err_set(err, XOS_DENIED, "folder-mode",
		    "others may write to the folder %s (mode %04o); run: chmod go-w %s", path,
		    (unsigned)(st.st_mode & 07777), path);
	return XOS_OK;
}

static enum xos_status make_one(const char *path, mode_t mode, bool last, struct xos_err *err)
{
	if (mkdir(path, 0700) == 0) {
		/* The mode exactly, whatever the umask is. */
		if (chmod(path, mode) == 0)
			return XOS_OK;
		return xos_err_errno(err, errno, "folder-make", "cannot set the mode of %s", path);
	}
	if (errno != EEXIST)
		return xos_err_errno(err, errno, "folder-make", "cannot make the folder %s", path);
	return last ? check_own(path, mode, err) : check_parent(path, err);
}

enum xos_status xos_dir_make(const char *path, mode_t mode, struct xos_err *err)
{
	char at[PATH_MAX];
	if (!path[0] || !xos_str_copy(at, sizeof(at), path))
		return xos_err_set(err, XOS_MALFORMED, "folder-name", "%s is no folder name", path);
	for (size_t n = strlen(at); n > 1 && at[n - 1] == '/'; n--)
		at[n - 1] = 0;
	for (char *slash = strchr(at + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		enum xos_status rc = make_one(at, mode, false, err);
		*slash = '/';
		if (rc != XOS_OK)
			return rc;
	}
	return make_one(at, mode, true, err);
}

/* The longest part of path that exists, with symbolic links resolved. */
static enum xos_status resolve_existing(const char *path, char real[PATH_MAX], struct xos_err *err)
{
	char at[PATH_MAX];
	if (!(path[0] == '/' ? xos_str_copy(at, sizeof(at), path)
	                     : xos_str_printf(at, sizeof(at), "./%s", path)))
		return xos_err_set(err, XOS_MALFORMED, "folder-name", "%s is too long", path);
	while (!realpath(at, real)) {
		char *slash = strrchr(at, '/');
		if (errno != ENOENT || !slash)
			return xos_err_errno(err, errno, "folder-open", "cannot examine %s", at);
		slash[slash == at ? 1 : 0] = 0;
	}
	return XOS_OK;
}

enum xos_status xos_dir_searchable(const char *path, struct xos_err *err)
{
	char real[PATH_MAX];
	enum xos_status rc = resolve_existing(path, real, err);
	if (rc != XOS_OK)
		return rc;
	for (size_t n = strlen(real), i = 1; i <= n; i++) {
		struct stat st;
		if (i < n && i > 1 && real[i] != '/')
			continue;
		char keep = real[i];
		real[i] = 0;
		if (stat(real, &st) != 0)
			return xos_err_errno(err, errno, "folder-open", "cannot examine %s", real);
		if (S_ISDIR(st.st_mode) && !(st.st_mode & S_IXOTH))
			return xos_err_set(err, XOS_DENIED, "folder-search",
			    "other users cannot enter the folder %s; choose another place or run: "
			    "chmod o+x %s",
			    real, real);
		real[i] = keep;
	}
	return XOS_OK;
}
