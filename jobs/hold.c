#include "jobs/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/file.h"

static int open_lock(const char *run, struct xos_err *err)
{
	char path[PATH_MAX];
	int fd;

	if (!xos_path_join(path, sizeof(path), run, "lock")) {
		xos_err_set(err, XOS_LIMIT, "job-lock", "%s: path too long", run);
		return -1;
	}
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		xos_err_errno(err, errno, "job-lock", "cannot open %s", path);
	return fd;
}

enum xos_status xos_hold_take(const char *run, int *fd, struct xos_err *err)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int f = open_lock(run, err);
	int why;

	if (f < 0)
		return XOS_UNAVAILABLE;
	if (fcntl(f, F_SETLK, &l) != 0) {
		why = errno;
		close(f);
		if (why == EAGAIN || why == EACCES)
			return xos_err_set(
			    err, XOS_CONFLICT, "job-held", "%s: another monitor has this job", run);
		return xos_err_errno(err, why, "job-lock", "cannot lock %s/lock", run);
	}
	*fd = f;
	return XOS_OK;
}

enum xos_status xos_hold_who(const char *run, pid_t *pid, struct xos_err *err)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int f = open_lock(run, err);

	if (f < 0)
		return XOS_UNAVAILABLE;
	if (fcntl(f, F_GETLK, &l) != 0) {
		int why = errno;

		close(f);
		return xos_err_errno(err, why, "job-lock", "cannot ask who holds %s/lock", run);
	}
	close(f);
	*pid = l.l_type == F_UNLCK ? 0 : l.l_pid;
	return XOS_OK;
}
