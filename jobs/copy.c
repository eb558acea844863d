#include "jobs/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "jobs/hold.h"
#include "jobs/place.h"
#include "jobs/tree.h"

#define NEW_FILE "." XOS_CRED_FILE ".new"
#define CHILD_MS 5000

static enum xos_status write_new(
    const char *path, struct xos_secret *credential, struct xos_err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	enum xos_status st;

	if (fd < 0)
		return xos_err_errno(err, errno, "job-copy", "cannot create %s", path);
	st = xos_fd_write_all(
	    fd, (struct xos_bytes){xos_secret_data(credential), xos_secret_len(credential)}, err);
	if (close(fd) != 0 && st == XOS_OK)
		st = xos_err_errno(err, errno, "job-copy", "cannot write %s", path);
	return st;
}

static enum xos_status exchange(const char *dir, struct xos_secret *credential, struct xos_err *err)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	enum xos_status st;

	if (!xos_path_join(path, sizeof(path), dir, XOS_CRED_FILE) ||
	    !xos_path_join(fresh, sizeof(fresh), dir, NEW_FILE))
		return xos_err_set(err, XOS_LIMIT, "job-copy", "%s: path too long", dir);
	unlink(fresh); /* of one that was cut off */
	st = write_new(fresh, credential, err);
	if (st == XOS_OK && rename(fresh, path) != 0)
		st = xos_err_errno(err, errno, "job-copy", "cannot replace %s", path);
	if (st != XOS_OK)
		unlink(fresh);
	return st;
}

/* --- as root --- */

static bool become(const struct xos_copy *c, int root)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}, {0}};

	if (fchdir(root) != 0 || chroot(".") != 0 || chdir("/") != 0 || setgroups(0, NULL) != 0)
		return false;
	/* Neither tells whether it worked; what they were set to does. */
	setfsgid(c->gid);
	setfsuid(c->uid);
	if ((gid_t)setfsgid((gid_t)-1) != c->gid || (uid_t)setfsuid((uid_t)-1) != c->uid) {
		errno = EPERM;
		return false;
	}
	return syscall(SYS_capset, &head, none) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static _Noreturn void child(
    const struct xos_copy *c, int root, struct xos_secret *credential, int report)
{
	struct xos_err err = XOS_ERR_INIT;
	size_t n;

	umask(077);
	if (!become(c, root))
		(void)xos_err_errno(
		    &err, errno, "job-copy", "cannot take the job's place for its account");
	else if (exchange(c->cred, credential, &err) == XOS_OK)
		_exit(0);
	n = strlen(err.text);
	_exit(write(report, err.text, n) == (ssize_t)n ? 1 : 2);
}

/* What the child says is a text for people; that it ended well is its exit status. */
static enum xos_status wait_for(pid_t pid, int report, struct xos_err *err)
{
	struct pollfd p = {.fd = report, .events = POLLIN};
	char text[256] = "it did not end in time";
	int status = 0, ready;
	ssize_t n = 0;

	do
		ready = poll(&p, 1, CHILD_MS);
	while (ready < 0 && errno == EINTR);
	if (ready > 0)
		n = read(report, text, sizeof(text) - 1);
	if (ready > 0 && n >= 0)
		text[n] = 0;
	if (ready <= 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return xos_err_errno(err, errno, "job-copy", "lost the child");
	if (ready > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return XOS_OK;
	return xos_err_set(err, XOS_UNAVAILABLE, "job-copy",
	    "the job's own copy of its credential: %s", text[0] ? text : "it died");
}

static enum xos_status in_child(
    const struct xos_copy *c, int root, struct xos_secret *credential, struct xos_err *err)
{
	enum xos_status st;
	int report[2];
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) != 0)
		return xos_err_errno(err, errno, "job-copy", "cannot make a pipe");
	pid = fork();
	if (pid == 0) {
		close(report[0]);
		child(c, root, credential, report[1]);
	}
	close(report[1]);
	st = pid < 0 ? xos_err_errno(err, errno, "job-copy", "cannot fork")
	             : wait_for(pid, report[0], err);
	close(report[0]);
	return st;
}

/* Process 1 of the job: the monitor's only child. 0: there is none. */
static pid_t first_process(pid_t monitor)
{
	struct xos_tree t;
	pid_t found = 0;

	if (xos_tree_load(monitor, &t, NULL) != XOS_OK)
		return 0;
	for (size_t i = 0; i < t.n; i++)
		if (t.v[i].parent == monitor)
			found = t.v[i].pid;
	xos_tree_free(&t);
	return found;
}

static enum xos_status not_running(struct xos_err *err)
{
	return xos_err_set(err, XOS_NOT_FOUND, "job-over", "the job does not run");
}

/* The root folder of the job. The monitor is looked for before and after: as long as the same one holds the lock and has
 * that child, the numbers were not given to other processes in between. */
static enum xos_status open_root(const struct xos_copy *c, int *root, struct xos_err *err)
{
	pid_t monitor = 0, again = 0, first;
	char path[64];
	enum xos_status st = xos_hold_who(c->run, &monitor, err);

	if (st != XOS_OK)
		return st;
	first = monitor ? first_process(monitor) : 0;
	if (!first)
		return not_running(err);
	snprintf(path, sizeof(path), "/proc/%ld/root", (long)first);
	*root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*root < 0)
		return errno == ENOENT
		           ? not_running(err)
		           : xos_err_errno(err, errno, "job-copy", "cannot open %s", path);
	st = xos_hold_who(c->run, &again, err);
	if (st == XOS_OK && (again != monitor || first_process(monitor) != first))
		st = not_running(err);
	if (st != XOS_OK) {
		close(*root);
		*root = -1;
	}
	return st;
}

enum xos_status xos_copy_exchange(
    const struct xos_copy *c, struct xos_secret *credential, struct xos_err *err)
{
	enum xos_status st;
	int root = -1;

	struct xos_err why = XOS_ERR_INIT;

	if (!c->isolate && access(c->cred, F_OK) != 0)
		return not_running(err);
	if (!c->isolate)
		return exchange(c->cred, credential, &why) == XOS_OK
		           ? XOS_OK
		           : xos_err_set(err, XOS_UNAVAILABLE, "job-copy",
		                 "the job's own copy of its credential: %s", why.text);
	if (c->uid == 0)
		return xos_err_set(err, XOS_INTERNAL, "job-copy", "a job of root's has no copy");
	st = open_root(c, &root, err);
	if (st == XOS_OK)
		st = in_child(c, root, credential, err);
	if (root >= 0)
		close(root);
	return st;
}
