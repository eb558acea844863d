#include "node/whois_jobs.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api/accounting.h"
#include "api/jobs.h"
#include "base/file.h"
#include "base/text.h"

#define PAST_MAX (32u << 20) /* bytes of one file of jobs that are over */
#define FOUND_MAX 1000

struct search {
	const struct xos_node *n;
	uint32_t uid;
	int64_t at;
	struct xos_json *list;
};

static bool known(const struct search *s, const char *job)
{
	const char *there = NULL;
	for (size_t i = 0; i < xos_json_count(s->list); i++)
		if (!xos_json_get_string(xos_json_at(s->list, i), "job", 64, &there, NULL) &&
		    strcmp(there, job) == 0)
			return true;
	return false;
}

/* A job that never started had no process. */
static bool ran_then(const struct search *s, const struct xos_json *o)
{
	int64_t uid = -1, started = 0, ended = INT64_MAX;
	const char *job = NULL;
	return !xos_json_get_int64(o, "uid", 0, UINT32_MAX, &uid, NULL) && uid == s->uid &&
	       xos_json_has(o, "started") && !xos_json_get_time(o, "started", &started, NULL) &&
	       (!xos_json_has(o, "ended") || !xos_json_get_time(o, "ended", &ended, NULL)) &&
	       started <= s->at && s->at <= ended &&
	       !xos_json_get_string(o, "job", 64, &job, NULL) && !known(s, job) &&
	       xos_json_count(s->list) < FOUND_MAX;
}

/* A line that was cut off by a crash is no line. */
static enum xos_status search_past(struct search *s, const char *file, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_buf b;
	xos_buf_init(&b, PAST_MAX);
	enum xos_status st = xos_node_path(s->n, file, path, err);
	if (!st)
		st = xos_file_read(path, PAST_MAX, &b, err);
	struct xos_bytes rest = st ? XOS_BYTES_NONE : xos_buf_bytes(&b);
	while (rest.n) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		size_t len = end ? (size_t)(end - rest.p) : rest.n;
		struct xos_json *o = NULL;
		if (len &&
		    !xos_json_parse((struct xos_bytes){rest.p, len}, XOS_RECORD_MAX, &o, NULL) &&
		    ran_then(s, o))
			xos_json_add(s->list, xos_json_copy(o));
		xos_json_free(o);
		rest.p += len + (end != NULL);
		rest.n -= len + (end != NULL);
	}
	xos_buf_free(&b);
	return st == XOS_NOT_FOUND ? XOS_OK : st;
}

static enum xos_status read_json(
    const char *dir, const char *name, struct xos_json **out, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_buf b;
	xos_buf_init(&b, XOS_RECORD_MAX);
	enum xos_status st = xos_path_join(path, sizeof(path), dir, name)
	                         ? xos_file_read(path, XOS_RECORD_MAX, &b, err)
	                         : xos_err_set(err, XOS_LIMIT, "path", "%s is too long", dir);
	if (!st)
		st = xos_json_parse(xos_buf_bytes(&b), XOS_RECORD_MAX, out, err);
	xos_buf_free(&b);
	return st;
}

static struct xos_json *running_json(const char *run, const struct xos_record *r)
{
	struct xos_json *o = xos_json_object(), *origin = NULL;
	const char *source = NULL, *groups = NULL;
	xos_json_set_string(o, "job", r->id);
	xos_json_set_string(o, "member", r->member);
	xos_json_set_int(o, "number", (int64_t)r->number);
	xos_json_set_int(o, "uid", (int64_t)r->uid);
	xos_json_set_string(o, "account", r->account);
	if (!read_json(run, "origin", &origin, NULL) &&
	    !xos_json_opt_string(origin, "source", 256, &source, NULL) &&
	    !xos_json_opt_string(origin, "groups", 2048, &groups, NULL)) {
		xos_json_set_text(o, "source", source);
		xos_json_set_text(o, "groups", groups);
	}
	xos_json_set_text(o, "deciders", r->deciders);
	xos_json_set_int(o, "bundle", (int64_t)r->bundle_serial);
	xos_json_set_time(o, "submitted", r->submitted);
	xos_json_set_time(o, "started", r->submitted);
	xos_json_set_bool(o, "running", true);
	xos_json_free(origin);
	return o;
}

/* Settled ones stand among those that are over, with their times. */
static void look_at_run(struct search *s, const char *run)
{
	struct xos_record r;
	struct xos_json *doc = NULL, *o = NULL;
	char done[PATH_MAX];
	if (!xos_path_join(done, sizeof(done), run, "done") || access(done, F_OK) == 0 ||
	    read_json(run, "record", &doc, NULL))
		return;
	if (!xos_record_from_json(doc, &r, NULL)) {
		o = running_json(run, &r);
		if (ran_then(s, o))
			xos_json_add(s->list, xos_json_copy(o));
	}
	xos_json_free(o);
	xos_json_free(doc);
}

static enum xos_status search_running(struct search *s, struct xos_err *err)
{
	char dir[PATH_MAX], run[PATH_MAX];
	enum xos_status st = xos_node_path(s->n, "jobd/run", dir, err);
	DIR *d = st ? NULL : opendir(dir);
	if (!st && !d)
		return errno == ENOENT ? XOS_OK
		                       : xos_err_errno(err, errno, "whois", "cannot read %s", dir);
	for (const struct dirent *e; d && (e = readdir(d));)
		if (xos_job_id_valid(e->d_name) && xos_path_join(run, sizeof(run), dir, e->d_name))
			look_at_run(s, run);
	if (d)
		closedir(d);
	return st;
}

enum xos_status xos_node_jobs_of(
    const struct xos_node *n, uint32_t uid, int64_t at, struct xos_json *list, struct xos_err *err)
{
	struct search s = {n, uid, at, list};
	enum xos_status st = search_past(&s, "jobd/past.jsonl.old", err);
	if (!st)
		st = search_past(&s, "jobd/past.jsonl", err);
	return st ? st : search_running(&s, err);
}
