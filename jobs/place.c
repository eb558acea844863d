#include "jobs/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

/* A job's leavings in these would outlive it, and another member's job could wait for them there. */
static const char *const private_dirs[] = {"/tmp", "/var/tmp", "/dev/shm"};
#define NPRIVATE (sizeof(private_dirs) / sizeof(private_dirs[0]))

struct kept {
	const char *path;
	int fd;
};

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == 0);
}

static bool in_private(const char *path)
{
	for (size_t i = 0; i < NPRIVATE; i++)
		if (is_below(path, private_dirs[i]))
			return true;
	return false;
}

/* Each component of path, made where it is missing. */
static enum xos_status make_parents(const char *path, struct xos_err *err)
{
	char part[PATH_MAX];

	if (!xos_str_copy(part, sizeof(part), path))
		return xos_err_set(err, XOS_LIMIT, "job-place", "%s: path too long", path);
	for (char *p = part + 1;; p++) {
		char c = *p;

		if (c != '/' && c != 0)
			continue;
		*p = 0;
		if (mkdir(part, 0755) != 0 && errno != EEXIST)
			return xos_err_errno(err, errno, "job-place", "cannot make %s", part);
		*p = c;
		if (c == 0)
			return XOS_OK;
	}
}

/* Opened before a private folder covers it, bound back after. */
static enum xos_status open_kept(const char *path, struct kept *k, struct xos_err *err)
{
	k->path = path;
	k->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (k->fd < 0)
		return xos_err_errno(err, errno, "job-place", "cannot open %s", path);
	return XOS_OK;
}

static enum xos_status bind_kept(const struct kept *k, struct xos_err *err)
{
	char from[64];
	enum xos_status st = make_parents(k->path, err);

	if (st != XOS_OK)
		return st;
	xos_str_printf(from, sizeof(from), "/proc/self/fd/%d", k->fd);
	if (mount(from, k->path, NULL, MS_BIND | MS_REC, NULL) != 0)
		return xos_err_errno(err, errno, "job-place", "cannot keep %s visible", k->path);
	return XOS_OK;
}

static enum xos_status cover(const char *dir, uint64_t size, struct xos_err *err)
{
	struct stat sb;
	char how[96];

	if (lstat(dir, &sb) != 0 || !S_ISDIR(sb.st_mode))
		return XOS_OK; /* not there, or a link to one of the others */
	xos_str_printf(
	    how, sizeof(how), "mode=1777,size=%llu,nr_inodes=65536", (unsigned long long)size);
	if (mount("tmpfs", dir, "tmpfs", MS_NOSUID | MS_NODEV, how) != 0)
		return xos_err_errno(
		    err, errno, "job-place", "cannot give the job its own %s", dir);
	return XOS_OK;
}

static enum xos_status private_folders(const struct xos_launch *l, struct xos_err *err)
{
	struct kept kept[XOS_LAUNCH_KEEP + 2];
	enum xos_status st = XOS_OK;
	size_t n = 0;

	for (size_t i = 0; st == XOS_OK && i < l->keep.n && i < XOS_LAUNCH_KEEP; i++)
		if (in_private(l->keep.v[i]))
			st = open_kept(l->keep.v[i], &kept[n++], err);
	if (st == XOS_OK && in_private(l->work))
		st = open_kept(l->work, &kept[n++], err);
	if (st == XOS_OK && in_private(l->cred))
		st = open_kept(l->cred, &kept[n++], err);
	for (size_t i = 0; st == XOS_OK && i < NPRIVATE; i++)
		st = cover(private_dirs[i], l->tmp_size, err);
	for (size_t i = 0; st == XOS_OK && i < n; i++)
		st = bind_kept(&kept[i], err);
	for (size_t i = 0; i < n; i++)
		if (kept[i].fd >= 0)
			close(kept[i].fd);
	return st;
}

static enum xos_status write_credential(const struct xos_launch *l, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st;
	int fd;

	if (!l->credential)
		return XOS_OK;
	if (!xos_path_join(path, sizeof(path), l->cred, XOS_CRED_FILE))
		return xos_err_set(err, XOS_LIMIT, "job-place", "%s: path too long", l->cred);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return xos_err_errno(err, errno, "job-credential", "cannot create %s", path);
	st = XOS_OK;
	if (l->isolate && fchown(fd, l->uid, l->gid) != 0)
		st = xos_err_errno(err, errno, "job-credential", "cannot give away %s", path);
	if (st == XOS_OK)
		st = xos_fd_write_all(fd,
		    (struct xos_bytes){
		        xos_secret_data(l->credential), xos_secret_len(l->credential)},
		    err);
	close(fd);
	return st;
}

static enum xos_status credential_tmpfs(const struct xos_launch *l, struct xos_err *err)
{
	char how[96];

	xos_str_printf(how, sizeof(how), "mode=0700,uid=%u,gid=%u,size=1m,nr_inodes=16",
	    (unsigned)l->uid, (unsigned)l->gid);
	if (mount("tmpfs", l->cred, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, how) != 0)
		return xos_err_errno(
		    err, errno, "job-place", "cannot mount the credential's tmpfs on %s", l->cred);
	return write_credential(l, err);
}

/*
 * In a plain chroot "/" is a folder of somebody else's mount, and the kernel cannot change how that mount
 * propagates. So the same tree is bound below a tmpfs of our own and becomes the root. The tmpfs lies on
 * /proc because that is certainly a mount, so that it can be made private first; the job gets its own
 * /proc anyway.
 */
static enum xos_status root_of_its_own(struct xos_err *err)
{
	static const char root[] = "/proc/root";

	if (mount(NULL, "/proc", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return xos_err_errno(err, errno, "job-place",
		    "neither / nor /proc is a mount point, so that the job's mounts would show "
		    "outside; "
		    "mount /proc");
	if (mount("tmpfs", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") != 0 ||
	    mkdir(root, 0755) != 0 || mount("/", root, NULL, MS_BIND | MS_REC, NULL) != 0 ||
	    mount(NULL, root, NULL, MS_REC | MS_SLAVE, NULL) != 0 || chroot(root) != 0 ||
	    chdir("/") != 0)
		return xos_err_errno(
		    err, errno, "job-place", "cannot give the job a root folder of its own");
	return XOS_OK;
}

/* Mounts of the host still arrive, unmounts too; nothing of ours goes out. */
static enum xos_status keep_mounts_in(struct xos_err *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
		return XOS_OK;
	if (errno != EINVAL)
		return xos_err_errno(err, errno, "job-place", "cannot make mounts private");
	return root_of_its_own(err);
}

/*
 * A uid that goes from job to job: what one leaves would be the next one's. So everything but the job's own folders is
 * read-only for it, mounts that are made outside later do not arrive, and all that it can write goes with it.
 */
static enum xos_status write_nowhere_else(const struct xos_launch *l, struct xos_err *err)
{
	struct mount_attr shut = {.attr_set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE};
	struct mount_attr open_again = {.attr_clr = MOUNT_ATTR_RDONLY};
	const char *const own[] = {
	    private_dirs[0], private_dirs[1], private_dirs[2], l->work, l->cred, "/proc"};
	struct stat sb;

	if (mount(l->work, l->work, NULL, MS_BIND, NULL) != 0)
		return xos_err_errno(err, errno, "job-place", "cannot set %s apart", l->work);
	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &shut, sizeof(shut)) != 0)
		return xos_err_errno(err, errno, "job-place",
		    "cannot keep a job with a uid of its own from writing elsewhere (Linux 5.12 or "
		    "newer is needed)");
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (lstat(own[i], &sb) == 0 && S_ISDIR(sb.st_mode) &&
		    mount_setattr(AT_FDCWD, own[i], 0, &open_again, sizeof(open_again)) != 0)
			return xos_err_errno(
			    err, errno, "job-place", "cannot let the job write in %s", own[i]);
	return XOS_OK;
}

enum xos_status xos_place_enter(
    const struct xos_launch *l, char *isolation, size_t cap, struct xos_err *err)
{
	enum xos_status st;

	umask(022); /* folders made below must let the job through; the program gets its own */
	st = keep_mounts_in(err);
	if (st != XOS_OK)
		return st;
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
		return xos_err_errno(err, errno, "job-place", "cannot mount the job's own /proc");
	st = private_folders(l, err);
	if (st == XOS_OK)
		st = credential_tmpfs(l, err);
	if (st == XOS_OK && l->alone)
		st = write_nowhere_else(l, err);
	if (st == XOS_OK && !xos_str_printf(isolation, cap, "%saccount,pid,mount,ipc,tmp%s",
	                        l->alone ? "job-" : "", l->alone ? ",read-only" : ""))
		st = xos_err_set(err, XOS_INTERNAL, "job-place", "no room for a note");
	return st;
}

enum xos_status xos_place_plain(
    const struct xos_launch *l, char *isolation, size_t cap, struct xos_err *err)
{
	if (mkdir(l->cred, 0700) != 0)
		return xos_err_errno(err, errno, "job-place", "cannot make %s", l->cred);
	if (!xos_str_copy(isolation, cap, "none"))
		return xos_err_set(err, XOS_INTERNAL, "job-place", "no room for a note");
	return write_credential(l, err);
}

enum xos_status xos_place_note(
    const struct xos_launch *l, char *isolation, size_t cap, struct xos_err *err)
{
	const char *network = xos_launch_without_network(&l->limits)   ? "network"
	                      : xos_launch_needs_net_rules(&l->limits) ? "networks"
	                                                               : NULL;
	const char *notes[] = {l->all_calls ? NULL : "calls", network};

	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		size_t n = strcmp(isolation, "none") == 0 ? 0 : strlen(isolation);

		if (notes[i] &&
		    !xos_str_printf(isolation + n, cap - n, "%s%s", n ? "," : "", notes[i]))
			return xos_err_set(err, XOS_INTERNAL, "job-place", "no room for a note");
	}
	return XOS_OK;
}

void xos_place_plain_remove(const struct xos_launch *l)
{
	char path[PATH_MAX];

	if (xos_path_join(path, sizeof(path), l->cred, XOS_CRED_FILE))
		unlink(path);
	rmdir(l->cred);
}
