#include "service/own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

enum xos_status xos_service_user(const char *user, uid_t *uid, gid_t *gid, struct xos_err *err)
{
	struct passwd pw, *found = NULL;
	char buf[16384];
	uint64_t number = 0;
	uint64_t group = 0;
	char first[64];
	const char *colon = strchr(user, ':');
	size_t len = colon ? (size_t)(colon - user) : strlen(user);

	if (!xos_str_printf(first, sizeof(first), "%.*s", (int)len, user))
		return xos_err_set(err, XOS_MALFORMED, "user", "\"%s\" is no user", user);
	bool numeric = xos_parse_u64(first, UINT32_MAX - 1, &number);
	if (colon && (!numeric || !xos_parse_u64(colon + 1, UINT32_MAX - 1, &group)))
		return xos_err_set(err, XOS_MALFORMED, "user",
		    "\"%s\" is not NUMBER:NUMBER for user and group", user);
	if (colon) {
		*uid = (uid_t)number;
		*gid = (gid_t)group;
		return XOS_OK;
	}
	int rc = numeric ? getpwuid_r((uid_t)number, &pw, buf, sizeof(buf), &found)
	                 : getpwnam_r(user, &pw, buf, sizeof(buf), &found);

	if (!found && numeric) {
		/* A number without an account is fine: its group has the same number. */
		*uid = (uid_t)number;
		*gid = (gid_t)number;
		return XOS_OK;
	}
	if (!found)
		return rc ? xos_err_errno(err, rc, "user", "cannot look the user %s up", user)
		          : xos_err_set(err, XOS_NOT_FOUND, "user",
		                "there is no user %s: create it, or name another in the "
		                "configuration",
		                user);
	*uid = pw.pw_uid;
	*gid = pw.pw_gid;
	return XOS_OK;
}

static enum xos_status own_entry(
    int dirfd, const char *dir, const char *name, uid_t uid, gid_t gid, struct xos_err *err)
{
	struct stat sb;
	enum xos_status st = XOS_OK;
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? XOS_OK /* a database's side file that went */
		                       : xos_err_errno(err, errno, "state-file",
		                             "cannot open %s/%s", dir, name);
	if (fstat(fd, &sb) != 0)
		st = xos_err_errno(err, errno, "state-file", "cannot look at %s/%s", dir, name);
	else if (S_ISREG(sb.st_mode) && sb.st_nlink > 1)
		st = xos_err_set(err, XOS_DENIED, "state-file",
		    "%s/%s has a second name; remove that first", dir, name);
	else if (S_ISREG(sb.st_mode) && sb.st_uid != uid && fchown(fd, uid, gid) != 0)
		st = xos_err_errno(err, errno, "state-file", "cannot give %s/%s away", dir, name);
	close(fd);
	return st;
}

static enum xos_status own_all(
    int dirfd, const char *dir, uid_t uid, gid_t gid, struct xos_err *err)
{
	int copy = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	enum xos_status st = XOS_OK;

	if (!d) {
		int saved = errno;

		if (copy >= 0)
			close(copy);
		return xos_err_errno(err, saved, "state-file", "cannot list %s", dir);
	}
	for (struct dirent *e; st == XOS_OK && (e = readdir(d));) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			st = own_entry(dirfd, dir, e->d_name, uid, gid, err);
	}
	closedir(d);
	return st;
}

enum xos_status xos_service_own(const char *dir, const char *user, struct xos_err *err)
{
	uid_t uid = 0;
	gid_t gid = 0;

	/* As root the folder may belong to the part's user already, which xos_dir_make would refuse. */
	if (access(dir, F_OK) != 0) {
		enum xos_status made = xos_dir_make(dir, 0700, err);
		if (made != XOS_OK)
			return made;
	}
	if (geteuid() != 0 || !user)
		return XOS_OK;
	enum xos_status st = xos_service_user(user, &uid, &gid, err);
	if (st != XOS_OK)
		return st;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return xos_err_errno(err, errno, "state-file", "cannot open %s", dir);
	st = own_all(fd, dir, uid, gid, err);
	if (st == XOS_OK && fchown(fd, uid, gid) != 0)
		st = xos_err_errno(err, errno, "state-file", "cannot give %s away", dir);
	close(fd);
	return st;
}
