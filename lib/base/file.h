#ifndef XOS_BASE_FILE_H
#define XOS_BASE_FILE_H

#include <sys/types.h>

#include "base/bytes.h"
#include "base/secret.h"

/*
 * Files as a careful program handles them. Every error names the path and what to do. Nothing here
 * follows a symbolic link in the last component when writing.
 */

/* Reads a regular file of at most max bytes. Initialises *out, which the caller frees; empty on
 * error. */
XOS_MUST_USE enum xos_status xos_file_read(
    const char *path, size_t max, struct xos_buf *out, struct xos_err *err);
/* The same into secret memory; refuses a file that group or others may read or write, or that
 * belongs to neither this user nor root (code "file-mode": says `chmod 600 PATH`). */
XOS_MUST_USE enum xos_status xos_file_read_secret(
    const char *path, size_t max, struct xos_secret **out, struct xos_err *err);
/* Replaces a file atomically and durably: temporary file in the same folder, mode set before the
 * first byte, fsync, rename, fsync of the folder. DENIED "file-kind": a device, pipe or socket is there. */
XOS_MUST_USE enum xos_status xos_file_write(
    const char *path, mode_t mode, struct xos_bytes in, struct xos_err *err);
/* The same for what is worth nothing after a boot: as atomic, but nothing waits for the disk. It survives the process, not
 * the machine. */
XOS_MUST_USE enum xos_status xos_file_write_fleeting(
    const char *path, mode_t mode, struct xos_bytes in, struct xos_err *err);
/* Creates a file that must not exist yet (CONFLICT if it does), durably. */
XOS_MUST_USE enum xos_status xos_file_create(
    const char *path, mode_t mode, struct xos_bytes in, struct xos_err *err);
/* Makes path and missing parents with mode, whatever the umask. If path exists it must be a folder
 * of ours (root takes anybody's) and not writable by others, nor by its group unless mode says so;
 * existing parents must not be writable by everybody, except sticky ones such as /tmp. */
XOS_MUST_USE enum xos_status xos_dir_make(const char *path, mode_t mode, struct xos_err *err);
/* Finds the first parent of path, or path itself, that users other than the owner cannot search.
 * OK: all can be searched; DENIED: err names the folder. */
XOS_MUST_USE enum xos_status xos_dir_searchable(const char *path, struct xos_err *err);
/* Takes an exclusive lock on path (created 0600); CONFLICT names the holder's pid. The descriptor
 * holds the lock; closing it, or death, releases it. */
XOS_MUST_USE enum xos_status xos_file_lock(const char *path, int *fd, struct xos_err *err);
/* write(2) until done; EINTR is retried. */
XOS_MUST_USE enum xos_status xos_fd_write_all(int fd, struct xos_bytes in, struct xos_err *err);
/* a "/" b into out; false if it does not fit. */
XOS_MUST_USE bool xos_path_join(char *out, size_t cap, const char *a, const char *b);

#endif
