#include "api/trustkeep.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/text.h"

static bool stands_there(const char *path, struct xos_bytes line)
{
	struct xos_buf text;
	bool same = xos_file_read(path, XOS_TRUST_LIST_MAX + 1, &text, NULL) == XOS_OK &&
	            xos_bytes_eq(xos_buf_bytes(&text), line);

	xos_buf_free(&text);
	return same;
}

/* Of a node's trust folder the daemon owns this file and no more. A reader that sees half of it refuses that and
 * reads again when the rest is there. */
static enum xos_status write_in_place(const char *path, struct xos_bytes line, struct xos_err *err)
{
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return xos_err_errno(err, errno, "trust-list", "cannot write %s", path);
	enum xos_status st = xos_fd_write_all(fd, line, err);
	if (st == XOS_OK && (ftruncate(fd, (off_t)line.n) != 0 || fsync(fd) != 0))
		st = xos_err_errno(err, errno, "trust-list", "cannot write %s", path);
	close(fd);
	return st;
}

enum xos_status xos_trust_keep_store(
    const struct xos_trust *trust, const char *vo, const char *path, struct xos_err *err)
{
	struct xos_bytes compact = xos_trust_list_compact(trust, vo);
	struct xos_err first = XOS_ERR_INIT;
	struct xos_buf line;
	enum xos_status st = XOS_OK;

	if (!compact.n)
		return XOS_OK;
	xos_buf_init(&line, XOS_TRUST_LIST_MAX + 1);
	xos_buf_put(&line, compact.p, compact.n);
	xos_buf_put_str(&line, "\n");
	if (xos_buf_status(&line) != XOS_OK)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	else if (!stands_there(path, xos_buf_bytes(&line)) &&
	         xos_file_write(path, 0644, xos_buf_bytes(&line), &first) != XOS_OK &&
	         write_in_place(path, xos_buf_bytes(&line), NULL) != XOS_OK)
		st = xos_err_set(err, first.status, first.code, "%s", first.text);
	xos_buf_free(&line);
	return st;
}

enum xos_status xos_trust_keep_take(const struct xos_trust *trust, struct xos_bytes compact,
    const char *path, bool *news, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = xos_trust_take_list(trust, compact, news, err);

	if (st != XOS_OK || !*news)
		return st;
	for (size_t i = 0; i < xos_trust_vo_count(trust); i++) {
		const char *vo = xos_trust_vo(trust, i);

		if (xos_bytes_eq(xos_trust_list_compact(trust, vo), compact) &&
		    xos_trust_keep_store(trust, vo, path, &why) != XOS_OK)
			xos_event_err(XOS_ERROR, "trust.not-stored", &why, (const char *)NULL);
	}
	return st;
}
