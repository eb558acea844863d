#include "jobs/outcome.h"

#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define MAGIC "xos-job-status-1"

const char *xos_job_end_name(enum xos_job_end end)
{
	switch (end) {
	case XOS_END_EXITED:
		return "exited";
	case XOS_END_SIGNALLED:
		return "signalled";
	case XOS_END_FAILED:
		return "failed";
	case XOS_END_LOST:
		return "lost";
	}
	return "unknown";
}

const char *xos_job_cause_name(enum xos_job_cause cause)
{
	switch (cause) {
	case XOS_CAUSE_SELF:
		return "self";
	case XOS_CAUSE_CANCELLED:
		return "cancelled";
	case XOS_CAUSE_WALL:
		return "wall";
	case XOS_CAUSE_CPU:
		return "cpu";
	case XOS_CAUSE_MEMORY:
		return "memory";
	case XOS_CAUSE_POLICY:
		return "policy";
	case XOS_CAUSE_LOCK:
		return "lock";
	}
	return "unknown";
}

void xos_outcome_text(struct xos_job_outcome *o, const char *text)
{
	size_t n = strnlen(text, sizeof(o->text) - 1);

	memcpy(o->text, text, n);
	o->text[n] = 0;
	while (n > 0 && !xos_utf8_valid(xos_bytes_str(o->text)))
		o->text[--n] = 0;
}

void xos_outcome_encode(struct xos_buf *b, const struct xos_job_outcome *o)
{
	xos_buf_lp_str(b, MAGIC);
	xos_buf_u8(b, (uint8_t)o->end);
	xos_buf_u8(b, (uint8_t)o->cause);
	xos_buf_u32(b, o->value);
	xos_buf_u64(b, (uint64_t)o->started);
	xos_buf_u64(b, (uint64_t)o->ended);
	xos_buf_u64(b, o->wall_ms);
	xos_buf_u64(b, o->user_us);
	xos_buf_u64(b, o->system_us);
	xos_buf_u64(b, o->memory_kib);
	xos_buf_u64(b, o->dropped_out);
	xos_buf_u64(b, o->dropped_err);
	xos_buf_lp_str(b, o->isolation);
	xos_buf_lp_str(b, o->text);
}

enum xos_status xos_outcome_decode(
    struct xos_bytes in, struct xos_job_outcome *o, struct xos_err *err)
{
	struct xos_job_outcome f = {0};
	struct xos_reader r;
	char magic[sizeof(MAGIC)] = "";
	uint8_t end = 0, cause = 0;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, magic, sizeof(magic));
	xos_reader_u8(&r, &end);
	xos_reader_u8(&r, &cause);
	xos_reader_u32(&r, &f.value);
	xos_reader_i64(&r, &f.started);
	xos_reader_i64(&r, &f.ended);
	xos_reader_u64(&r, &f.wall_ms);
	xos_reader_u64(&r, &f.user_us);
	xos_reader_u64(&r, &f.system_us);
	xos_reader_u64(&r, &f.memory_kib);
	xos_reader_u64(&r, &f.dropped_out);
	xos_reader_u64(&r, &f.dropped_err);
	xos_reader_lp_str(&r, f.isolation, sizeof(f.isolation));
	xos_reader_lp_str(&r, f.text, sizeof(f.text));
	if (xos_reader_end(&r) != XOS_OK || strcmp(magic, MAGIC) != 0 || end < XOS_END_EXITED ||
	    end > XOS_END_LOST || cause < XOS_CAUSE_SELF || cause > XOS_CAUSE_LOCK ||
	    f.value > 255 || !xos_utf8_valid(xos_bytes_str(f.isolation)) ||
	    !xos_utf8_valid(xos_bytes_str(f.text)))
		return xos_err_set(err, XOS_MALFORMED, "job-status", "a job's status is malformed");
	f.end = end;
	f.cause = cause;
	*o = f;
	return XOS_OK;
}

enum xos_status xos_outcome_write(
    const char *run, const struct xos_job_outcome *o, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, XOS_OUTCOME_MAX);
	xos_outcome_encode(&b, o);
	st = xos_buf_status(&b);
	if (st != XOS_OK || !xos_path_join(path, sizeof(path), run, "status"))
		st = xos_err_set(err, XOS_INTERNAL, "job-status", "a job's status does not fit");
	else
		st = xos_file_write(path, 0640, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	return st;
}

enum xos_status xos_outcome_read(const char *run, struct xos_job_outcome *o, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_buf b;
	enum xos_status st;

	if (!xos_path_join(path, sizeof(path), run, "status"))
		return xos_err_set(err, XOS_INTERNAL, "job-status", "%s: path too long", run);
	xos_buf_init(&b, XOS_OUTCOME_MAX);
	st = xos_file_read(path, XOS_OUTCOME_MAX, &b, err);
	if (st == XOS_OK)
		st = xos_outcome_decode(xos_buf_bytes(&b), o, err);
	if (st == XOS_MALFORMED)
		xos_err_prefix(err, st, "%s", path);
	xos_buf_free(&b);
	return st;
}
