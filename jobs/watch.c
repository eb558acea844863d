#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "jobs/front.h"

/* Clients ask again; a front that is told to end has answered everybody before it is killed. */
#define WAIT_S 5

enum xos_status xos_job_route_list(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_job_front *f = ctx;
	const struct xos_identity *who = xos_request_identity(req);
	struct xos_json *doc, *list;
	struct xos_entry *all = NULL;
	size_t n = 0, told = 0;
	enum xos_status st;

	st = xos_table_all(f->table, &all, &n, err);
	if (st != XOS_OK)
		return st;
	list = xos_json_array();
	for (size_t i = 0; i < n && told < XOS_JOBS_LIST_MAX; i++) {
		struct xos_job_info info;

		if (!xos_job_front_sees(who, &all[i], true) ||
		    xos_table_info(f->table, &all[i], f->c->node, &info, NULL) != XOS_OK)
			continue;
		xos_json_add(list, xos_job_info_to_json(&info));
		told++;
	}
	free(all);
	doc = xos_json_object();
	xos_json_set(doc, "jobs", list);
	xos_response_json(res, 200, doc);
	return XOS_OK;
}

static bool is_output(const struct xos_request *req)
{
	return xos_request_query(req, "stream") != NULL;
}

/* --- output --- */

struct want {
	const char *stream;
	uint64_t offset, wait;
};

static enum xos_status read_want(const struct xos_request *req, struct want *w, struct xos_err *err)
{
	static const char *const names[] = {"stream", "offset", "wait", NULL};
	enum xos_status st = xos_request_query_only(req, names, err);

	w->stream = xos_request_query(req, "stream");
	if (st == XOS_OK &&
	    (!w->stream || (strcmp(w->stream, "stdout") != 0 && strcmp(w->stream, "stderr") != 0)))
		st = xos_err_set(
		    err, XOS_MALFORMED, "job-stream", "stream: expected stdout or stderr");
	if (st == XOS_OK)
		st = xos_request_query_u64(req, "offset", 0, INT64_MAX, &w->offset, err);
	if (st == XOS_OK)
		st = xos_request_query_u64(req, "wait", 0, XOS_JOB_WAIT_MAX, &w->wait, err);
	return st;
}

/*
 * What there is from the offset on. *news: bytes, or the end. Whether the job has ended is asked before
 * the file is read: what a job wrote is complete once its status stands.
 */
static enum xos_status read_output(struct xos_job_front *f, const struct xos_entry *e,
    const struct want *w, struct xos_buf *out, bool *end, struct xos_err *err)
{
	bool over = xos_table_ended(f->table, e);
	uint8_t *chunk = NULL;
	struct stat sb;
	ssize_t n = 0;
	int fd = -1;
	enum xos_status st = xos_table_output(f->table, e->id, w->stream, &fd, err);

	*end = over;
	if (st == XOS_NOT_FOUND)
		return XOS_OK;
	if (st != XOS_OK)
		return st;
	chunk = malloc(XOS_JOB_OUTPUT_MAX);
	if (!chunk || fstat(fd, &sb) != 0)
		st = xos_err_set(err, XOS_INTERNAL, "job-output", "cannot read the job's output");
	else if (w->offset < (uint64_t)sb.st_size)
		n = pread(fd, chunk, XOS_JOB_OUTPUT_MAX, (off_t)w->offset);
	if (n < 0)
		st =
		    xos_err_set(err, XOS_UNAVAILABLE, "job-output", "cannot read the job's output");
	if (st == XOS_OK && n > 0) {
		xos_buf_put(out, chunk, (size_t)n);
		*end = over && w->offset + (uint64_t)n >= (uint64_t)sb.st_size;
		st = xos_buf_status(out);
	}
	free(chunk);
	close(fd);
	return st;
}

static void answer_output(struct xos_response *res, const struct xos_buf *b, bool end)
{
	xos_response_status(res, 200);
	xos_response_header(res, "Xos-Output-End", end ? "yes" : "no");
	xos_response_header(res, "Cache-Control", "no-store");
	xos_response_body(res, "application/octet-stream", xos_buf_bytes(b));
}

/* Answers if there is news, or if last; *told says whether it did. */
static enum xos_status try_output(struct xos_job_front *f, const struct xos_request *req,
    struct xos_response *res, const struct xos_entry *e, bool last, bool *told, struct xos_err *err)
{
	struct xos_buf b;
	struct want w;
	bool end = false;
	enum xos_status st = read_want(req, &w, err);

	if (st != XOS_OK)
		return st;
	xos_buf_init(&b, XOS_JOB_OUTPUT_MAX);
	st = read_output(f, e, &w, &b, &end, err);
	*told = st == XOS_OK && (last || end || b.n > 0);
	if (*told)
		answer_output(res, &b, end);
	xos_buf_free(&b);
	return st;
}

static enum xos_status try_show(struct xos_job_front *f, const struct xos_request *req,
    struct xos_response *res, const struct xos_entry *e, bool last, bool *told, struct xos_err *err)
{
	struct xos_job_info info;
	enum xos_status st;

	(void)req;
	if (!last && !xos_table_ended(f->table, e))
		return XOS_OK;
	st = xos_table_info(f->table, e, f->c->node, &info, err);
	if (st == XOS_OK)
		xos_response_json(res, 200, xos_job_info_to_json(&info));
	*told = st == XOS_OK;
	return st;
}

/* --- waiting --- */

static enum xos_status defer(struct xos_job_front *f, const struct xos_request *req,
    struct xos_response *res, const struct xos_entry *e, uint64_t wait, bool *told,
    struct xos_err *err)
{
	struct xos_waiter *grown;
	enum xos_status st = XOS_OK;

	pthread_mutex_lock(&f->lock);
	grown = f->nwaiters < XOS_FRONT_WAITERS_MAX
	            ? realloc(f->waiters, (f->nwaiters + 1) * sizeof(*grown))
	            : NULL;
	if (grown) {
		f->waiters = grown;
		grown[f->nwaiters] = (struct xos_waiter){.req = req,
		    .res = res,
		    .until_ms =
		        xos_clock_mono_ms() + (wait < WAIT_S ? (int64_t)wait : WAIT_S) * 1000};
		memcpy(grown[f->nwaiters].id, e->id, sizeof(e->id));
		/* Before anybody else can see it: the answer may be given at once. */
		xos_response_defer(res);
		f->nwaiters++;
	} else {
		st = xos_err_set(err, XOS_LIMIT, "job-waiters",
		    "too many requests wait for jobs on this node; try again");
	}
	pthread_mutex_unlock(&f->lock);
	*told = grown != NULL;
	return st;
}

static enum xos_status try_answer(struct xos_job_front *f, const struct xos_request *req,
    struct xos_response *res, const struct xos_entry *e, bool last, bool *told, struct xos_err *err)
{
	return is_output(req) ? try_output(f, req, res, e, last, told, err)
	                      : try_show(f, req, res, e, last, told, err);
}

static enum xos_status answer_or_wait(struct xos_job_front *f, const struct xos_request *req,
    struct xos_response *res, const struct xos_entry *e, uint64_t wait, struct xos_err *err)
{
	bool told = false;
	enum xos_status st = try_answer(f, req, res, e, wait == 0, &told, err);

	if (st == XOS_OK && !told)
		st = defer(f, req, res, e, wait, &told, err);
	return st;
}

enum xos_status xos_job_route_output(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_job_front *f = ctx;
	struct xos_entry e;
	struct want w = {NULL, 0, 0};
	enum xos_status st = xos_job_front_find(f, req, false, &e, err);

	if (st == XOS_OK)
		st = read_want(req, &w, err);
	return st == XOS_OK ? answer_or_wait(f, req, res, &e, w.wait, err) : st;
}

enum xos_status xos_job_route_show(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	static const char *const names[] = {"wait", NULL};
	struct xos_job_front *f = ctx;
	struct xos_entry e;
	uint64_t wait = 0;
	enum xos_status st = xos_job_front_find(f, req, true, &e, err);

	if (st == XOS_OK)
		st = xos_request_query_only(req, names, err);
	if (st == XOS_OK)
		st = xos_request_query_u64(req, "wait", 0, XOS_JOB_WAIT_MAX, &wait, err);
	return st == XOS_OK ? answer_or_wait(f, req, res, &e, wait, err) : st;
}

/* True: answered, and not the waiter's business any more. */
static bool settle_waiter(struct xos_job_front *f, const struct xos_waiter *w, bool stop)
{
	bool told = false, last = stop || w->until_ms <= xos_clock_mono_ms();
	struct xos_err err = XOS_ERR_INIT;
	struct xos_entry e;
	enum xos_status st = xos_table_get(f->table, w->id, &e, &err);

	if (st == XOS_OK)
		st = try_answer(f, w->req, w->res, &e, last, &told, &err);
	if (st == XOS_OK && !told)
		return false;
	xos_response_finish(w->res, st, &err);
	return true;
}

void xos_job_front_wake(struct xos_job_front *f, bool stop)
{
	size_t i = 0;

	pthread_mutex_lock(&f->lock);
	while (i < f->nwaiters) {
		if (settle_waiter(f, &f->waiters[i], stop))
			f->waiters[i] = f->waiters[--f->nwaiters];
		else
			i++;
	}
	pthread_mutex_unlock(&f->lock);
}

enum xos_status xos_job_route_status(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_job_front *f = ctx;
	struct xos_json *doc = xos_json_object();
	char text[256];

	(void)req;
	(void)err;
	xos_json_set_string(doc, "vo", f->c->common.vo);
	xos_json_set_string(doc, "site", f->c->site);
	xos_json_set_string(doc, "node", f->c->node);
	xos_json_set_string(doc, "mode", f->c->member ? "user" : "root");
	if (f->c->member) {
		xos_str_printf(text, sizeof(text),
		    "this daemon runs without root: it runs only the jobs of its own user %u for "
		    "member %s",
		    (unsigned)geteuid(), f->c->member);
		xos_json_set_string(doc, "message", text);
	}
	xos_response_json(res, 200, doc);
	return XOS_OK;
}
