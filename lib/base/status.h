#ifndef XOS_BASE_STATUS_H
#define XOS_BASE_STATUS_H

/*
 * The one error convention. Functions that can fail return enum xos_status and, where a person will
 * want to know more, fill a struct xos_err that the caller supplies (NULL is accepted everywhere).
 * "Denied" and "could not decide" (UNAVAILABLE, LIMIT, INTERNAL) are different and both refuse.
 */

#include <xos/status.h>

#define XOS_MUST_USE __attribute__((warn_unused_result))
#define XOS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#define XOS_ERR_INIT                                                                               \
	{                                                                                          \
		.status = XOS_OK                                                                   \
	}

/* Fills *err (if any) and returns status, so that `return xos_err_set(...)` reads well. Control
 * characters in the text are replaced by '?': messages carry peers' bytes to terminals and logs.
 * `code` is a literal of lower-case words and hyphens. */
enum xos_status xos_err_set(struct xos_err *err, enum xos_status status, const char *code,
    const char *fmt, ...) XOS_PRINTF(4, 5);

/* Puts "fmt: " before the text of an error that is set, keeping status and code. Returns its
 * status. */
enum xos_status xos_err_prefix(struct xos_err *err, enum xos_status status, const char *fmt, ...)
    XOS_PRINTF(3, 4);

/* Adds strerror(errnum) after the text: "cannot open /x: Permission denied". EACCES and EPERM do
 * not make a status DENIED: an unreadable file is UNAVAILABLE, a missing one NOT_FOUND. */
enum xos_status xos_err_errno(
    struct xos_err *err, int errnum, const char *code, const char *fmt, ...) XOS_PRINTF(4, 5);

#ifdef __clang_analyzer__
/* The static analyser sees one file at a time: it must know that the result is the status given. */
void xos_err_seen(const void *err, ...);
#define xos_err_set(err, status, ...) (xos_err_seen((err), __VA_ARGS__), (status))
#define xos_err_prefix(err, status, ...) (xos_err_seen((err), __VA_ARGS__), (status))
#define xos_err_errno(err, ...) (xos_err_seen((err), __VA_ARGS__), XOS_UNAVAILABLE)
#endif

const char *xos_status_name(enum xos_status status); /* "malformed", never NULL */

/* Exit status of a tool: 0 done, 1 refused or negative answer, 2 usage, 3 not decided or reached.
 * MALFORMED, DENIED, EXPIRED, NOT_YET_VALID, NOT_FOUND, CONFLICT are 1; the rest are 3. */
int xos_status_exit(enum xos_status status);

#endif
