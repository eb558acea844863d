#undef __clang_analyzer__ /* the functions themselves are meant here */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void put_code(struct xos_err *err, enum xos_status status, const char *code)
{
	err->status = status;
	if (!xos_str_copy(err->code, sizeof(err->code), code))
		memcpy(err->code, "internal", sizeof("internal"));
}

enum xos_status xos_err_set(
    struct xos_err *err, enum xos_status status, const char *code, const char *fmt, ...)
{
	if (!err)
		return status;
	/* Formatted aside: an argument may be err's own text. */
	char text[XOS_ERR_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		text[0] = 0;
	xos_text_clean(text);
	put_code(err, status, code);
	memcpy(err->text, text, sizeof(text));
	return status;
}

enum xos_status xos_err_prefix(struct xos_err *err, enum xos_status status, const char *fmt, ...)
{
	if (!err)
		return status;
	char before[XOS_ERR_TEXT_MAX], text[XOS_ERR_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(before, sizeof(before), fmt, ap);
	va_end(ap);
	if (n < 0)
		return err->status;
	memcpy(text, err->text, sizeof(text));
	struct xos_buf joined;
	xos_buf_init(&joined, sizeof(before) + sizeof(text) + 2);
	xos_buf_printf(&joined, "%s: %s", before, text);
	const char *whole = xos_buf_str(&joined);
	if (whole) {
		size_t len = strlen(whole);
		if (len >= sizeof(err->text))
			len = sizeof(err->text) - 1;
		memcpy(err->text, whole, len);
		err->text[len] = 0;
		xos_text_clean(err->text);
	}
	xos_buf_free(&joined);
	if (err->status == XOS_OK)
		err->status = status;
	return err->status;
}

static enum xos_status status_of_errno(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:
	case ESRCH:
		return XOS_NOT_FOUND;
	case EEXIST:
		return XOS_CONFLICT;
	case ENAMETOOLONG:
	case ELOOP:
	case EISDIR:
		return XOS_MALFORMED;
	case EMFILE:
	case ENFILE:
	case EFBIG:
		return XOS_LIMIT;
	case ENOMEM:
	case EINVAL:
	case EBADF:
	case EFAULT:
	case ENOSYS:
		return XOS_INTERNAL;
	default:
		return XOS_UNAVAILABLE;
	}
}

/* strerror_r comes in two shapes; _GNU_SOURCE gives the one that returns the text. */
enum xos_status xos_err_errno(
    struct xos_err *err, int errnum, const char *code, const char *fmt, ...)
{
	enum xos_status status = status_of_errno(errnum);
	if (!err)
		return status;
	char text[XOS_ERR_TEXT_MAX], room[128];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		text[0] = 0;
	const char *why = strerror_r(errnum, room, sizeof(room));
	/* The reason matters more than the end of a very long path. */
	size_t keep = sizeof(text) - 3 - strlen(why);
	return xos_err_set(err, status, code, "%.*s: %s", (int)keep, text, why);
}

const char *xos_status_name(enum xos_status status)
{
	switch (status) {
	case XOS_OK:
		return "ok";
	case XOS_MALFORMED:
		return "malformed";
	case XOS_DENIED:
		return "denied";
	case XOS_EXPIRED:
		return "expired";
	case XOS_NOT_YET_VALID:
		return "not-yet-valid";
	case XOS_NOT_FOUND:
		return "not-found";
	case XOS_CONFLICT:
		return "conflict";
	case XOS_UNAVAILABLE:
		return "unavailable";
	case XOS_LIMIT:
		return "limit";
	case XOS_INTERNAL:
		return "internal";
	}
	return "internal";
}

int xos_status_exit(enum xos_status status)
{
	switch (status) {
	case XOS_OK:
		return 0;
	case XOS_MALFORMED:
	case XOS_DENIED:
	case XOS_EXPIRED:
	case XOS_NOT_YET_VALID:
	case XOS_NOT_FOUND:
	case XOS_CONFLICT:
		return 1;
	default:
		return 3;
	}
}
