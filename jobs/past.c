#include "jobs/past.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

enum xos_status xos_origin_save(const struct xos_stage *s, const char *id, const char *source,
    const char *groups, struct xos_err *err)
{
	struct xos_json *o = xos_json_object();
	char path[PATH_MAX];
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, XOS_ORIGIN_MAX);
	xos_json_set_text(o, "source", source[0] ? source : NULL);
	xos_json_set_text(o, "groups", groups);
	st = xos_json_dump(o, &b, err);
	if (st == XOS_OK)
		st = xos_stage_path(s, id, "origin", path, err);
	if (st == XOS_OK)
		st = xos_file_write(path, 0600, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	xos_json_free(o);
	return st;
}

/* One that cannot be read is left out: the rest of the line still says who. */
static void add_origin(const struct xos_stage *s, const char *id, struct xos_json *o)
{
	char path[PATH_MAX];
	struct xos_json *origin = NULL;
	const char *source = NULL, *groups = NULL;
	struct xos_buf b;

	xos_buf_init(&b, XOS_ORIGIN_MAX);
	if (xos_stage_path(s, id, "origin", path, NULL) == XOS_OK &&
	    xos_file_read(path, XOS_ORIGIN_MAX, &b, NULL) == XOS_OK &&
	    xos_json_parse(xos_buf_bytes(&b), XOS_ORIGIN_MAX, &origin, NULL) == XOS_OK &&
	    xos_json_opt_string(origin, "source", 256, &source, NULL) == XOS_OK &&
	    xos_json_opt_string(origin, "groups", 2048, &groups, NULL) == XOS_OK) {
		xos_json_set_text(o, "source", source);
		xos_json_set_text(o, "groups", groups);
	}
	xos_buf_free(&b);
	xos_json_free(origin);
}

static struct xos_json *line_of(const struct xos_stage *s, const struct xos_record *r)
{
	struct xos_json *o = xos_json_object();

	xos_json_set_string(o, "job", r->id);
	xos_json_set_string(o, "member", r->member);
	xos_json_set_int(o, "number", (int64_t)r->number);
	xos_json_set_int(o, "uid", (int64_t)r->uid);
	xos_json_set_string(o, "account", r->account);
	xos_json_set_string(o, "isolation", r->isolation);
	add_origin(s, r->id, o);
	xos_json_set_text(o, "deciders", r->deciders);
	xos_json_set_int(o, "bundle", (int64_t)r->bundle_serial);
	xos_json_set_time(o, "submitted", r->submitted);
	if (r->started)
		xos_json_set_time(o, "started", r->started);
	xos_json_set_time(o, "ended", r->ended);
	xos_json_set_string(o, "end", r->end);
	return o;
}

/* A line that was cut off is ended before the next one, so that only that one is lost. */
static enum xos_status append(int fd, const char *path, struct xos_bytes line, struct xos_err *err)
{
	char last = '\n';
	struct stat sb;
	enum xos_status st = XOS_OK;

	if (fstat(fd, &sb) != 0 || (sb.st_size && pread(fd, &last, 1, sb.st_size - 1) != 1))
		return xos_err_errno(err, errno, "past", "cannot read %s", path);
	if (last != '\n')
		st = xos_fd_write_all(fd, xos_bytes_str("\n"), err);
	if (st == XOS_OK)
		st = xos_fd_write_all(fd, line, err);
	if (st == XOS_OK && fdatasync(fd) != 0)
		st = xos_err_errno(err, errno, "past", "cannot write %s", path);
	return st;
}

static enum xos_status write_line(const char *state, struct xos_bytes line, struct xos_err *err)
{
	char path[PATH_MAX], old[PATH_MAX];
	struct stat sb;
	enum xos_status st;
	int fd;

	if (!xos_path_join(path, sizeof(path), state, XOS_PAST_FILE) ||
	    !xos_path_join(old, sizeof(old), state, XOS_PAST_OLD))
		return xos_err_set(err, XOS_LIMIT, "state", "%s: path too long", state);
	if (lstat(path, &sb) == 0 && sb.st_size > (off_t)XOS_PAST_BYTES && rename(path, old) != 0)
		return xos_err_errno(err, errno, "past", "cannot put %s aside", path);
	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return xos_err_errno(err, errno, "past", "cannot open %s", path);
	st = append(fd, path, line, err);
	close(fd);
	return st;
}

enum xos_status xos_past_add(
    const char *state, const struct xos_stage *s, const struct xos_record *r, struct xos_err *err)
{
	struct xos_json *doc = line_of(s, r);
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, XOS_RECORD_MAX);
	st = xos_json_dump_line(doc, &b, err);
	if (st == XOS_OK)
		st = write_line(state, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	xos_json_free(doc);
	return st;
}
