#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/internal.h"

/* All pages in one step, so that nothing can come between. */
static enum xos_status copy_pages(
    struct xos_store *s, sqlite3 *to, const char *path, struct xos_err *err)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", s->db, "main");
	int rc = b ? sqlite3_backup_step(b, -1) : sqlite3_errcode(to);
	int end = sqlite3_backup_finish(b);

	/* A copy that is to be read where nobody may write has no log beside it. */
	if (rc == SQLITE_DONE && end == SQLITE_OK)
		rc = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return XOS_OK;
	return xos_err_set(err, XOS_UNAVAILABLE, "store-copy", "cannot copy %s to %s: %s", s->path,
	    path, sqlite3_errstr(rc == SQLITE_DONE ? end : rc));
}

enum xos_status xos_store_copy(struct xos_store *s, const char *path, struct xos_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	sqlite3 *to = NULL;
	enum xos_status st;

	if (fd < 0)
		return xos_err_errno(err, errno, "store-copy", "cannot create %s", path);
	if (sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		st = xos_err_set(err, XOS_UNAVAILABLE, "store-copy", "cannot open %s", path);
	else
		st = copy_pages(s, to, path, err);
	if (sqlite3_close(to) != SQLITE_OK && st == XOS_OK)
		st = xos_err_set(err, XOS_INTERNAL, "store-copy", "cannot finish %s", path);
	if (st == XOS_OK && fsync(fd) != 0)
		st = xos_err_errno(err, errno, "store-copy", "cannot write %s", path);
	close(fd);
	if (st != XOS_OK)
		(void)unlink(path);
	return st;
}
