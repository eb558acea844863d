#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "jobs/standing.h"

#define MAGIC "xos-job-standing-1"
#define ASKED_MAGIC "xos-job-asked-1"
#define ASKED_MAX 256

void xos_standing_encode(struct xos_buf *b, const struct xos_job_standing *s)
{
	xos_buf_lp_str(b, MAGIC);
	xos_buf_u8(b, (uint8_t)((s->refused ? 1 : 0) | (s->draining ? 2 : 0)));
	xos_buf_u8(b, (uint8_t)s->ending);
	xos_buf_u64(b, (uint64_t)s->frozen_since);
	xos_buf_u64(b, (uint64_t)s->frozen_mark);
	xos_buf_u64(b, s->frozen_ms);
	xos_buf_u64(b, (uint64_t)s->stops_at);
	xos_buf_u64(b, (uint64_t)s->stop_mark);
	xos_buf_u64(b, (uint64_t)s->stop_began);
	xos_buf_u64(b, (uint64_t)s->stop_after);
	xos_buf_lp_str(b, s->text);
}

static void get_time(struct xos_reader *r, int64_t *t)
{
	uint64_t v = 0;

	if (xos_reader_u64(r, &v) && v > INT64_MAX / 4)
		r->failed = true;
	*t = (int64_t)v;
}

enum xos_status xos_standing_decode(
    struct xos_bytes in, struct xos_job_standing *s, struct xos_err *err)
{
	struct xos_job_standing f = {0};
	char magic[sizeof(MAGIC)] = "";
	uint8_t flags = 0, ending = 0;
	struct xos_reader r;
	int64_t frozen_ms = 0;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, magic, sizeof(magic));
	xos_reader_u8(&r, &flags);
	xos_reader_u8(&r, &ending);
	get_time(&r, &f.frozen_since);
	get_time(&r, &f.frozen_mark);
	get_time(&r, &frozen_ms);
	get_time(&r, &f.stops_at);
	get_time(&r, &f.stop_mark);
	get_time(&r, &f.stop_began);
	get_time(&r, &f.stop_after);
	xos_reader_lp_str(&r, f.text, sizeof(f.text));
	if (xos_reader_end(&r) != XOS_OK || strcmp(magic, MAGIC) != 0 || flags > 3 ||
	    (ending && ending != XOS_CAUSE_POLICY && ending != XOS_CAUSE_LOCK) ||
	    !xos_utf8_valid(xos_bytes_str(f.text)))
		return xos_err_set(err, XOS_MALFORMED, "job-standing",
		    "what is remembered of a job's standing is malformed");
	f.refused = flags & 1;
	f.draining = flags & 2;
	f.ending = ending;
	f.frozen_ms = (uint64_t)frozen_ms;
	*s = f;
	return XOS_OK;
}

enum xos_status xos_standing_write(
    const char *run, const struct xos_job_standing *s, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, XOS_STANDING_MAX);
	xos_standing_encode(&b, s);
	if (xos_buf_status(&b) != XOS_OK || !xos_path_join(path, sizeof(path), run, "standing"))
		st = xos_err_set(err, XOS_INTERNAL, "job-standing", "a standing does not fit");
	else
		st = xos_file_write(path, 0640, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	return st;
}

static enum xos_status read_file(
    const char *run, const char *name, size_t max, struct xos_buf *b, struct xos_err *err)
{
	char path[PATH_MAX];

	xos_buf_init(b, max);
	if (!xos_path_join(path, sizeof(path), run, name))
		return xos_err_set(err, XOS_INTERNAL, "job-standing", "%s: path too long", run);
	return xos_file_read(path, max, b, err);
}

enum xos_status xos_standing_read(const char *run, struct xos_job_standing *s, struct xos_err *err)
{
	struct xos_buf b;
	enum xos_status st = read_file(run, "standing", XOS_STANDING_MAX, &b, err);

	if (st == XOS_OK)
		st = xos_standing_decode(xos_buf_bytes(&b), s, err);
	xos_buf_free(&b);
	return st;
}

enum xos_status xos_asked_write(const char *run, const struct xos_job_asked *a, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = XOS_OK;
	struct xos_buf b;
	int fd = -1;

	xos_buf_init(&b, ASKED_MAX);
	xos_buf_lp_str(&b, ASKED_MAGIC);
	xos_buf_lp_str(&b, a->source);
	xos_buf_u64(&b, (uint64_t)a->wall);
	if (xos_buf_status(&b) != XOS_OK || !xos_path_join(path, sizeof(path), run, "asked"))
		st = xos_err_set(err, XOS_INTERNAL, "job-asked", "%s: path too long", run);
	if (st == XOS_OK)
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (st == XOS_OK && (fd < 0 || write(fd, b.p, b.n) != (ssize_t)b.n))
		st = xos_err_errno(err, errno, "job-asked", "cannot write %s", path);
	if (fd >= 0)
		close(fd);
	xos_buf_free(&b);
	return st;
}

enum xos_status xos_asked_decode(struct xos_bytes in, struct xos_job_asked *a, struct xos_err *err)
{
	struct xos_job_asked f = {.wall = 0};
	char magic[sizeof(ASKED_MAGIC)] = "";
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, magic, sizeof(magic));
	xos_reader_lp_str(&r, f.source, sizeof(f.source));
	get_time(&r, &f.wall);
	if (xos_reader_end(&r) != XOS_OK || strcmp(magic, ASKED_MAGIC) != 0 ||
	    !xos_utf8_valid(xos_bytes_str(f.source)))
		return xos_err_set(err, XOS_MALFORMED, "job-asked",
		    "what is remembered of a job's submission is malformed");
	*a = f;
	return XOS_OK;
}

enum xos_status xos_asked_read(const char *run, struct xos_job_asked *a, struct xos_err *err)
{
	struct xos_buf b;
	enum xos_status st = read_file(run, "asked", ASKED_MAX, &b, err);

	if (st == XOS_OK)
		st = xos_asked_decode(xos_buf_bytes(&b), a, err);
	xos_buf_free(&b);
	return st;
}
