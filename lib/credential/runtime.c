#include "credential/runtime.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/text.h"

static enum xos_status unfit(struct xos_err *err, const char *dir, const char *why)
{
	return xos_err_set(err, XOS_UNAVAILABLE, "runtime-dir",
	    "%s is no place for a private key: %s. Log in so that there is a folder of the session "
	    "(XDG_RUNTIME_DIR), or use the credential without a file",
	    dir, why);
}

static enum xos_status check(const char *dir, struct xos_err *err)
{
	struct stat sb;
	struct statfs fs;
	if (dir[0] != '/')
		return unfit(err, dir, "it is no whole path");
	if (lstat(dir, &sb) != 0)
		return unfit(err, dir, errno == ENOENT ? "it is not there" : "it cannot be read");
	if (!S_ISDIR(sb.st_mode) || sb.st_uid != geteuid() || (sb.st_mode & 077) != 0)
		return unfit(err, dir, "it is no folder that this user alone can use (mode 0700)");
	if (statfs(dir, &fs) != 0 || (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC))
		return unfit(err, dir, "it is not in memory (a tmpfs)");
	return XOS_OK;
}

enum xos_status xos_runtime_path(const char *id, char out[PATH_MAX], struct xos_err *err)
{
	char usual[64];
	const char *dir = secure_getenv("XDG_RUNTIME_DIR");
	(void)!xos_str_printf(usual, sizeof(usual), "/run/user/%u", (unsigned)geteuid());
	if (!dir || !dir[0])
		dir = usual;
	enum xos_status st = check(dir, err);
	if (!st && !xos_str_printf(out, PATH_MAX, "%s/xos-%s.pem", dir, id))
		st = unfit(err, dir, "its path is too long");
	return st;
}
