#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "base/text.h"

/* O_NONBLOCK: opening a FIFO that somebody put there must not hang us. */
static enum xos_status open_regular(
    const char *path, size_t max, int *fd, struct stat *st, struct xos_err *err)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*fd < 0)
		return xos_err_errno(err, errno, "file-open", "cannot open %s", path);
	enum xos_status rc = XOS_OK;
	if (fstat(*fd, st) != 0)
		rc = xos_err_errno(err, errno, "file-open", "cannot examine %s", path);
	else if (!S_ISREG(st->st_mode))
		rc = xos_err_set(err, XOS_MALFORMED, "file-type", "%s is not a regular file", path);
	else if ((uintmax_t)st->st_size > max)
		rc = xos_err_set(
		    err, XOS_LIMIT, "file-large", "%s is larger than %zu bytes", path, max);
	if (rc != XOS_OK) {
		close(*fd);
		*fd = -1;
	}
	return rc;
}

/* Reads to end of file, at most cap bytes. */
static ssize_t read_upto(int fd, uint8_t *p, size_t cap)
{
	size_t n = 0;
	while (n < cap) {
		ssize_t got = read(fd, p + n, cap - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

enum xos_status xos_file_read(
    const char *path, size_t max, struct xos_buf *out, struct xos_err *err)
{
	struct stat st;
	int fd = -1;
	xos_buf_init(out, max);
	enum xos_status rc = open_regular(path, max, &fd, &st, err);
	if (rc != XOS_OK)
		return rc;
	for (;;) {
		uint8_t block[16384];
		ssize_t got = read_upto(fd, block, sizeof(block));
		if (got < 0) {
			rc = xos_err_errno(err, errno, "file-read", "cannot read %s", path);
			break;
		}
		xos_buf_put(out, block, (size_t)got);
		rc = xos_buf_status(out);
		if (rc == XOS_LIMIT)
			(void)xos_err_set(
			    err, rc, "file-large", "%s is larger than %zu bytes", path, max);
		else if (rc != XOS_OK)
			(void)xos_err_set(err, rc, "memory", "out of memory reading %s", path);
		if (rc != XOS_OK || (size_t)got < sizeof(block))
			break;
	}
	close(fd);
	if (rc != XOS_OK)
		xos_buf_free(out);
	return rc;
}

static enum xos_status check_private(const char *path, const struct stat *st, struct xos_err *err)
{
	if (st->st_mode & (S_IRWXG | S_IRWXO))
		return xos_err_set(err, XOS_DENIED, "file-mode",
		    "%s holds a secret but others may use it (mode %04o); run: chmod 600 %s", path,
		    (unsigned)(st->st_mode & 07777), path);
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return xos_err_set(err, XOS_DENIED, "file-mode",
		    "%s holds a secret but belongs to uid %u; run: chown %u %s; chmod 600 %s", path,
		    (unsigned)st->st_uid, (unsigned)geteuid(), path, path);
	return XOS_OK;
}

enum xos_status xos_file_read_secret(
    const char *path, size_t max, struct xos_secret **out, struct xos_err *err)
{
	struct stat st;
	struct xos_secret *s = NULL;
	int fd = -1;
	enum xos_status rc = open_regular(path, max, &fd, &st, err);
	if (rc != XOS_OK)
		return rc;
	rc = check_private(path, &st, err);
	if (rc != XOS_OK)
		goto out;
	rc = XOS_INTERNAL;
	/* One byte more, to see a file that grows while it is read. */
	s = xos_secret_new((size_t)st.st_size + 1);
	if (!s) {
		(void)xos_err_set(err, rc, "memory", "out of memory reading %s", path);
		goto out;
	}
	ssize_t got = read_upto(fd, xos_secret_data(s), xos_secret_len(s));
	if (got < 0) {
		rc = xos_err_errno(err, errno, "file-read", "cannot read %s", path);
		goto out;
	}
	if (got != st.st_size) {
		rc = xos_err_set(err, XOS_CONFLICT, "file-changed",
		    "%s changed while it was read; try again", path);
		goto out;
	}
	xos_secret_shrink(s, (size_t)got);
	*out = s;
	s = NULL;
	rc = XOS_OK;
out:
	xos_secret_free(s);
	close(fd);
	return rc;
}

enum xos_status xos_fd_write_all(int fd, struct xos_bytes in, struct xos_err *err)
{
	while (in.n > 0) {
		ssize_t put = write(fd, in.p, in.n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return xos_err_errno(err, errno, "write", "cannot write");
		in.p += put;
		in.n -= (size_t)put;
	}
	return XOS_OK;
}

/* A file being made beside its final place. */
struct staged {
	int dir;
	const char *name; /* last component of the final path, borrowed */
	char temp[64];
	bool fleeting; /* need not survive the machine */
};

static enum xos_status stage_folder(struct staged *st, const char *path, struct xos_err *err)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	st->name = slash ? slash + 1 : path;
	if (!xos_str_copy(folder, sizeof(folder), path) || !st->name[0])
		return xos_err_set(err, XOS_MALFORMED, "file-name", "%s is no file name", path);
	if (!slash)
		memcpy(folder, ".", 2);
	else
		folder[slash == path ? 1 : slash - path] = 0;
	st->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (st->dir < 0)
		return xos_err_errno(
		    err, errno, "folder-open", "cannot open the folder %s", folder);
	return XOS_OK;
}

/* The mode is set before the first byte, and exactly, whatever the umask is. */
static enum xos_status stage_bytes(
    struct staged *st, const char *path, mode_t mode, struct xos_bytes in, struct xos_err *err)
{
	memcpy(st->temp, ".xos-", 6);
	xos_random_id(st->temp + 5, 12);
	int fd =
	    openat(st->dir, st->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return xos_err_errno(
		    err, errno, "file-write", "cannot create a file beside %s", path);
	enum xos_status rc = XOS_OK;
	if (fchmod(fd, mode) != 0)
		rc = xos_err_errno(err, errno, "file-write", "cannot set the mode of %s", path);
	if (rc == XOS_OK) {
		rc = xos_fd_write_all(fd, in, err);
		if (rc != XOS_OK)
			rc = xos_err_prefix(err, rc, "%s", path);
	}
	if (rc == XOS_OK && !st->fleeting && fsync(fd) != 0)
		rc = xos_err_errno(err, errno, "file-write", "cannot write %s to the disk", path);
	if (close(fd) != 0 && rc == XOS_OK)
		rc = xos_err_errno(err, errno, "file-write", "cannot write %s", path);
	if (rc != XOS_OK)
		(void)unlinkat(st->dir, st->temp, 0);
	return rc;
}

/* A device or a pipe that somebody names as the place for a file must not become one: /dev/null. */
static enum xos_status check_place(const struct staged *st, const char *path, struct xos_err *err)
{
	struct stat sb;
	if (fstatat(st->dir, st->name, &sb, AT_SYMLINK_NOFOLLOW) != 0 || S_ISREG(sb.st_mode) ||
	    S_ISLNK(sb.st_mode) || S_ISDIR(sb.st_mode))
		return XOS_OK; /* a folder is refused by rename itself */
	return xos_err_set(err, XOS_DENIED, "file-kind",
	    "%s is a device, a pipe or a socket, which no file replaces", path);
}

enum how { REPLACE, REPLACE_FLEETING, CREATE };

static enum xos_status write_file(
    const char *path, mode_t mode, struct xos_bytes in, enum how how, struct xos_err *err)
{
	struct staged st = {.dir = -1, .fleeting = how == REPLACE_FLEETING};
	bool replace = how != CREATE;
	enum xos_status rc = stage_folder(&st, path, err);
	if (rc != XOS_OK)
		return rc;
	rc = check_place(&st, path, err);
	if (rc == XOS_OK)
		rc = stage_bytes(&st, path, mode, in, err);
	if (rc != XOS_OK)
		goto out;
	/* link(2) fails where something exists already; rename(2) replaces it, a symbolic link too.
	 */
	int failed = replace ? renameat(st.dir, st.temp, st.dir, st.name)
	                     : linkat(st.dir, st.temp, st.dir, st.name, 0);
	int why = errno;
	if (failed || !replace)
		(void)unlinkat(st.dir, st.temp, 0);
	if (failed)
		rc = xos_err_errno(err, why, "file-write", "cannot create %s", path);
	else if (!st.fleeting && fsync(st.dir) != 0)
		rc = xos_err_errno(err, errno, "file-write", "cannot write the folder of %s", path);
out:
	close(st.dir);
	return rc;
}

enum xos_status xos_file_write(
    const char *path, mode_t mode, struct xos_bytes in, struct xos_err *err)
{
	return write_file(path, mode, in, REPLACE, err);
}

enum xos_status xos_file_write_fleeting(
    const char *path, mode_t mode, struct xos_bytes in, struct xos_err *err)
{
	return write_file(path, mode, in, REPLACE_FLEETING, err);
}

enum xos_status xos_file_create(
    const char *path, mode_t mode, struct xos_bytes in, struct xos_err *err)
{
	return write_file(path, mode, in, CREATE, err);
}

/* The pid in the file is only for the message; the lock itself is the kernel's. */
enum xos_status xos_file_lock(const char *path, int *fd, struct xos_err *err)
{
	int lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock < 0)
		return xos_err_errno(err, errno, "lock-open", "cannot open the lock file %s", path);
	char text[24] = "";
	if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		enum xos_status rc;
		int why = errno;
		ssize_t n = pread(lock, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = 0;
		text[strcspn(text, "\n")] = 0;
		if (why != EWOULDBLOCK)
			rc = xos_err_errno(err, why, "lock", "cannot lock %s", path);
		else
			rc = xos_err_set(err, XOS_CONFLICT, "locked",
			    "%s is in use by process %s; stop it first", path,
			    text[0] ? text : "?");
		close(lock);
		return rc;
	}
	xos_str_printf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(lock, 0) != 0 || pwrite(lock, text, strlen(text), 0) < 0) {
		enum xos_status rc = xos_err_errno(err, errno, "lock", "cannot write %s", path);
		close(lock);
		return rc;
	}
	*fd = lock;
	return XOS_OK;
}

bool xos_path_join(char *out, size_t cap, const char *a, const char *b)
{
	size_t n = strlen(a);
	return xos_str_printf(out, cap, "%s%s%s", a, n && a[n - 1] == '/' ? "" : "/", b);
}
