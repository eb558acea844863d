#include "jobs/table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "jobs/outcome.h"
#include "jobs/remove.h"
#include "jobs/renewal.h"
#include "jobs/standing.h"

#define REQUEST_MAX 4096
#define CHAIN_MAX (128 * 1024)
#define GRANT_MAX (256 * 1024)

struct slot {
	struct xos_entry e;
	bool ended; /* known to be; never false again */
};

struct xos_table {
	char dir[PATH_MAX], run[PATH_MAX];
	pthread_mutex_t lock;
	struct slot *slots;
	size_t n, cap;
};

static enum xos_status path_of(
    const char *dir, const char *id, const char *name, char out[PATH_MAX], struct xos_err *err)
{
	char job[PATH_MAX];

	if (!xos_job_id_valid(id) || !xos_path_join(job, sizeof(job), dir, id) ||
	    !xos_path_join(out, PATH_MAX, job, name))
		return xos_err_set(err, XOS_INTERNAL, "job-path", "no path for job %.40s", id);
	return XOS_OK;
}

static const char *const phases[] = {"", "waiting", "started", "failed", "cancelled"};

static enum xos_status write_request(
    const struct xos_table *t, const struct xos_entry *e, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object();
	char path[PATH_MAX];
	struct xos_buf b;
	enum xos_status st;

	xos_json_set_string(doc, "member", e->member);
	xos_json_set_int(doc, "number", (int64_t)e->number);
	xos_json_set_string(doc, "via", e->via);
	xos_json_set_string(doc, "source", e->source);
	xos_json_set_string(doc, "phase", phases[e->phase]);
	xos_json_set_time(doc, "submitted", e->submitted);
	xos_json_set_time(doc, "changed", e->changed);
	xos_json_set_int(doc, "wall", e->wall);
	xos_json_set_time(doc, "until", e->until);
	xos_json_set_text(doc, "text", e->text);
	xos_buf_init(&b, REQUEST_MAX);
	st = xos_json_dump(doc, &b, err);
	if (st == XOS_OK)
		st = path_of(t->dir, e->id, "request", path, err);
	if (st == XOS_OK)
		st = xos_file_write(path, 0600, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	xos_json_free(doc);
	return st;
}

static enum xos_status parse_request(
    const struct xos_json *doc, struct xos_entry *e, struct xos_err *err)
{
	char phase[16];
	enum xos_status st = XOS_JSON_ONLY(doc, err, "member", "number", "via", "source", "phase",
	    "submitted", "changed", "wall", "until", "text");

	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "member", e->member, sizeof(e->member), err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "number", INT64_MAX, &e->number, err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "via", e->via, sizeof(e->via), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "source", e->source, sizeof(e->source), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "phase", phase, sizeof(phase), err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "submitted", &e->submitted, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "changed", &e->changed, err);
	if (st == XOS_OK)
		st = xos_json_get_int64(doc, "wall", 0, XOS_JOB_WALL_MAX, &e->wall, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "until", &e->until, err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "text", e->text, sizeof(e->text), err);
	for (int p = XOS_PHASE_WAITING; st == XOS_OK && p <= XOS_PHASE_CANCELLED; p++)
		if (strcmp(phases[p], phase) == 0)
			e->phase = (enum xos_phase)p;
	if (st == XOS_OK && !e->phase)
		st = xos_json_refuse(doc, err, "phase: \"%s\"", phase);
	return st;
}

static enum xos_status read_request(
    const char *dir, const char *id, struct xos_entry *e, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	char path[PATH_MAX];
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, REQUEST_MAX);
	st = path_of(dir, id, "request", path, err);
	if (st == XOS_OK)
		st = xos_file_read(path, REQUEST_MAX, &b, err);
	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&b), REQUEST_MAX, &doc, err);
	if (st == XOS_OK)
		st = parse_request(doc, e, err);
	memcpy(e->id, id, XOS_JOB_ID_TEXT);
	xos_json_free(doc);
	xos_buf_free(&b);
	return st;
}

static enum xos_status append(struct xos_table *t, const struct xos_entry *e, struct xos_err *err)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		struct slot *grown = realloc(t->slots, cap * sizeof(*grown));

		if (!grown)
			return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		t->slots = grown;
		t->cap = cap;
	}
	t->slots[t->n++] = (struct slot){.e = *e};
	return XOS_OK;
}

static enum xos_status load(struct xos_table *t, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	struct dirent *f;
	DIR *d = opendir(t->dir);

	if (!d)
		return xos_err_errno(err, errno, "jobs-folder", "cannot read %s", t->dir);
	while (st == XOS_OK && (f = readdir(d))) {
		struct xos_entry e = {.number = 0};
		struct xos_err why = XOS_ERR_INIT;

		if (!xos_job_id_valid(f->d_name))
			continue;
		/* A folder without a readable request was never acknowledged. */
		if (read_request(t->dir, f->d_name, &e, &why) == XOS_OK)
			st = append(t, &e, err);
		else
			xos_event_err(
			    XOS_WARN, "job.unreadable", &why, "job", f->d_name, (const char *)NULL);
	}
	closedir(d);
	return st;
}

enum xos_status xos_table_open(
    const char *dir, const char *run, struct xos_table **out, struct xos_err *err)
{
	struct xos_table *t = calloc(1, sizeof(*t));
	enum xos_status st;

	*out = NULL;
	if (!t)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	pthread_mutex_init(&t->lock, NULL);
	if (!xos_str_copy(t->dir, sizeof(t->dir), dir) ||
	    !xos_str_copy(t->run, sizeof(t->run), run))
		st = xos_err_set(err, XOS_LIMIT, "jobs-folder", "path too long");
	else
		st = load(t, err);
	if (st != XOS_OK) {
		xos_table_free(t);
		return st;
	}
	*out = t;
	return XOS_OK;
}

void xos_table_free(struct xos_table *t)
{
	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t->slots);
	free(t);
}

static struct slot *find(struct xos_table *t, const char *id)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->slots[i].e.id, id) == 0)
			return &t->slots[i];
	return NULL;
}

static bool has_status(const struct xos_table *t, const char *id)
{
	char path[PATH_MAX];

	return path_of(t->run, id, "status", path, NULL) == XOS_OK && access(path, F_OK) == 0;
}

static bool slot_ended(const struct xos_table *t, struct slot *s)
{
	if (!s->ended)
		s->ended = s->e.phase == XOS_PHASE_FAILED || s->e.phase == XOS_PHASE_CANCELLED ||
		           (s->e.phase == XOS_PHASE_STARTED && has_status(t, s->e.id));
	return s->ended;
}

static enum xos_status check_room(struct xos_table *t, const char *member,
    const struct xos_table_limits *limits, struct xos_err *err)
{
	size_t all = 0, own = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (slot_ended(t, &t->slots[i]))
			continue;
		all++;
		own += strcmp(t->slots[i].e.member, member) == 0;
	}
	if (own >= limits->of_member)
		return xos_err_set(err, XOS_LIMIT, "jobs-many",
		    "%s has %zu unfinished jobs on this node, the most it allows; wait for one "
		    "(xos-job list) or cancel it",
		    member, own);
	if (all >= limits->jobs)
		return xos_err_set(err, XOS_LIMIT, "jobs-many",
		    "this node has %zu unfinished jobs, the most it allows; try later or another "
		    "node",
		    all);
	return XOS_OK;
}

enum xos_status xos_table_room(struct xos_table *t, const char *member,
    const struct xos_table_limits *limits, struct xos_err *err)
{
	enum xos_status st;

	pthread_mutex_lock(&t->lock);
	st = check_room(t, member, limits, err);
	pthread_mutex_unlock(&t->lock);
	return st;
}

/* spec first: a folder counts as a job once its request is there. */
static enum xos_status write_new(const struct xos_table *t, const struct xos_entry *e,
    struct xos_bytes spec, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st;

	if (!xos_path_join(path, sizeof(path), t->dir, e->id))
		return xos_err_set(err, XOS_LIMIT, "jobs-folder", "path too long");
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return xos_err_errno(err, errno, "jobs-folder", "cannot make %s", path);
	st = path_of(t->dir, e->id, "spec", path, err);
	if (st == XOS_OK)
		st = xos_file_write(path, 0600, spec, err);
	return st == XOS_OK ? write_request(t, e, err) : st;
}

enum xos_status xos_table_add(struct xos_table *t, const struct xos_entry *e, struct xos_bytes spec,
    const struct xos_table_limits *limits, struct xos_err *err)
{
	enum xos_status st;

	pthread_mutex_lock(&t->lock);
	if (find(t, e->id))
		st = xos_err_set(err, XOS_CONFLICT, "job-exists", "job %s exists", e->id);
	else
		st = check_room(t, e->member, limits, err);
	if (st == XOS_OK)
		st = write_new(t, e, spec, err);
	if (st == XOS_OK)
		st = append(t, e, err);
	pthread_mutex_unlock(&t->lock);
	return st;
}

enum xos_status xos_table_get(
    struct xos_table *t, const char *id, struct xos_entry *out, struct xos_err *err)
{
	const struct slot *s;

	pthread_mutex_lock(&t->lock);
	s = find(t, id);
	if (s)
		*out = s->e;
	pthread_mutex_unlock(&t->lock);
	if (!s)
		return xos_err_set(err, XOS_NOT_FOUND, "job-unknown",
		    "there is no job %.40s on this node; xos-job list shows yours", id);
	return XOS_OK;
}

enum xos_status xos_table_set(struct xos_table *t, const struct xos_entry *e, struct xos_err *err)
{
	struct slot *s;
	enum xos_status st;

	pthread_mutex_lock(&t->lock);
	s = find(t, e->id);
	if (s)
		st = write_request(t, e, err);
	else
		st = xos_err_set(err, XOS_NOT_FOUND, "job-unknown", "there is no job %s", e->id);
	if (st == XOS_OK)
		s->e = *e;
	pthread_mutex_unlock(&t->lock);
	return st;
}

static enum xos_status read_part(struct xos_table *t, const char *id, const char *name, size_t max,
    struct xos_buf *out, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = path_of(t->dir, id, name, path, err);

	return st == XOS_OK ? xos_file_read(path, max, out, err) : st;
}

enum xos_status xos_table_spec(
    struct xos_table *t, const char *id, struct xos_buf *out, struct xos_err *err)
{
	return read_part(t, id, "spec", XOS_JOB_SPEC_MAX, out, err);
}

enum xos_status xos_table_chain_put(
    struct xos_table *t, const char *id, struct xos_bytes order, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = path_of(t->dir, id, "chain", path, err);

	return st == XOS_OK ? xos_file_write(path, 0600, order, err) : st;
}

enum xos_status xos_table_chain_get(
    struct xos_table *t, const char *id, struct xos_buf *out, struct xos_err *err)
{
	return read_part(t, id, "chain", CHAIN_MAX, out, err);
}

enum xos_status xos_table_grant_put(
    struct xos_table *t, const char *id, struct xos_bytes grant, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = path_of(t->dir, id, "grant", path, err);

	return st == XOS_OK ? xos_file_write(path, 0600, grant, err) : st;
}

enum xos_status xos_table_grant_get(
    struct xos_table *t, const char *id, struct xos_buf *out, struct xos_err *err)
{
	return read_part(t, id, "grant", GRANT_MAX, out, err);
}

void xos_table_chain_drop(struct xos_table *t, const char *id)
{
	char path[PATH_MAX];

	if (path_of(t->dir, id, "chain", path, NULL) == XOS_OK)
		unlink(path);
}

/* A started job goes when its run folder has gone, which the starter decides. */
static bool may_go(const struct xos_table *t, struct slot *s, int64_t before)
{
	char run[PATH_MAX];

	if (s->e.phase == XOS_PHASE_STARTED)
		return s->e.changed < before && xos_path_join(run, sizeof(run), t->run, s->e.id) &&
		       access(run, F_OK) != 0 && errno == ENOENT;
	return s->e.phase != XOS_PHASE_WAITING && s->e.changed < before;
}

void xos_table_clean(struct xos_table *t, int64_t keep)
{
	int64_t before = xos_clock_now() - keep;
	char path[PATH_MAX];
	size_t i = 0;

	pthread_mutex_lock(&t->lock);
	while (i < t->n) {
		if (may_go(t, &t->slots[i], before) &&
		    xos_path_join(path, sizeof(path), t->dir, t->slots[i].e.id)) {
			xos_remove_below(path);
			if (rmdir(path) == 0 || errno == ENOENT) {
				t->slots[i] = t->slots[--t->n];
				continue;
			}
		}
		i++;
	}
	pthread_mutex_unlock(&t->lock);
}

enum xos_status xos_table_all(
    struct xos_table *t, struct xos_entry **out, size_t *n, struct xos_err *err)
{
	pthread_mutex_lock(&t->lock);
	*n = t->n;
	*out = calloc(t->n ? t->n : 1, sizeof(**out));
	for (size_t i = 0; *out && i < t->n; i++)
		(*out)[i] = t->slots[i].e;
	pthread_mutex_unlock(&t->lock);
	return *out ? XOS_OK : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

bool xos_table_ended(struct xos_table *t, const struct xos_entry *e)
{
	struct slot *s;
	bool ended;

	pthread_mutex_lock(&t->lock);
	s = find(t, e->id);
	ended = !s || slot_ended(t, s);
	pthread_mutex_unlock(&t->lock);
	return ended;
}

/* Name and command line, for people. */
static void describe_spec(struct xos_table *t, const char *id, struct xos_job_info *i)
{
	struct xos_job_spec *spec = NULL;
	struct xos_buf b;
	size_t at = 0, cap = sizeof(i->command);

	xos_buf_init(&b, XOS_JOB_SPEC_MAX);
	if (xos_table_spec(t, id, &b, NULL) == XOS_OK &&
	    xos_job_spec_decode(xos_buf_bytes(&b), &spec, NULL) == XOS_OK) {
		memcpy(i->name, spec->name, sizeof(i->name));
		for (size_t n = 0; n < spec->nargs; n++) {
			if (n && at + 1 < cap)
				i->command[at++] = ' ';
			for (const char *p = spec->argv[n]; *p && at + 1 < cap; p++)
				i->command[at++] = *p;
		}
		/* Not in the middle of a character. */
		i->command[at] = 0;
		while (at > 0 && !xos_utf8_valid(xos_bytes_str(i->command)))
			i->command[--at] = 0;
	}
	xos_job_spec_free(spec);
	xos_buf_free(&b);
}

/* As the starter wrote it; what cannot be read tells nothing. */
static void tell_standing(const char *run, struct xos_job_info *i)
{
	struct xos_job_standing s;

	if (xos_standing_read(run, &s, NULL) != XOS_OK)
		return;
	i->frozen_since = s.frozen_since;
	i->draining = s.draining;
	i->stops_at = s.stops_at;
	memcpy(i->standing_text, s.text, sizeof(i->standing_text));
}

static void tell_outcome(const struct xos_job_outcome *o, struct xos_job_info *i)
{
	i->ran = o->started != 0;
	i->started = o->started;
	i->ended = o->ended;
	i->dropped_stdout = o->dropped_out;
	i->dropped_stderr = o->dropped_err;
	i->state = o->cause == XOS_CAUSE_CANCELLED ? XOS_JOB_CANCELLED : XOS_JOB_DONE;
	if (o->end == XOS_END_EXITED)
		i->code = (int)o->value;
	else if (o->end == XOS_END_SIGNALLED)
		i->signal = (int)o->value;
	else if (i->state != XOS_JOB_CANCELLED)
		i->state = XOS_JOB_FAILED;
	xos_str_printf(i->cause, sizeof(i->cause), "%s", xos_job_cause_name(o->cause));
	xos_str_printf(i->text, sizeof(i->text), "%s", o->text);
}

static enum xos_status tell_started(
    struct xos_table *t, const char *id, struct xos_job_info *i, struct xos_err *err)
{
	struct xos_job_outcome o;
	char path[PATH_MAX];
	struct stat sb;
	enum xos_status st;

	if (!xos_path_join(path, sizeof(path), t->run, id))
		return xos_err_set(err, XOS_INTERNAL, "job-path", "path too long");
	st = xos_outcome_read(path, &o, err);
	if (st == XOS_OK) {
		tell_outcome(&o, i);
	} else if (st == XOS_NOT_FOUND) {
		i->state = XOS_JOB_RUNNING;
		xos_job_renewal_tell(path, i);
		tell_standing(path, i);
		st = path_of(t->run, id, "started", path, err);
		if (st == XOS_OK && lstat(path, &sb) == 0) {
			i->ran = true;
			i->started = (int64_t)sb.st_mtime;
		}
	}
	return st;
}

enum xos_status xos_table_info(struct xos_table *t, const struct xos_entry *e, const char *node,
    struct xos_job_info *out, struct xos_err *err)
{
	struct xos_job_info i = {.code = -1, .signal = -1};
	enum xos_status st = XOS_OK;
	size_t n;

	memcpy(i.id, e->id, sizeof(i.id));
	memcpy(i.member, e->member, sizeof(i.member));
	memcpy(i.text, e->text, sizeof(i.text));
	memcpy(i.via, e->via, sizeof(i.via));
	n = strlen(i.via);
	if (n && i.via[n - 1] == ' ') /* an actor without an id */
		i.via[n - 1] = 0;
	i.submitted = e->submitted;
	i.wall = e->wall;
	i.credential_until = e->until;
	if (!xos_str_copy(i.node, sizeof(i.node), node))
		i.node[0] = 0;
	describe_spec(t, e->id, &i);
	switch (e->phase) {
	case XOS_PHASE_WAITING:
		i.state = XOS_JOB_WAITING;
		break;
	case XOS_PHASE_STARTED:
		st = tell_started(t, e->id, &i, err);
		break;
	case XOS_PHASE_FAILED:
		i.state = XOS_JOB_FAILED;
		i.ended = e->changed;
		break;
	case XOS_PHASE_CANCELLED:
		i.state = XOS_JOB_CANCELLED;
		i.ended = e->changed;
		break;
	}
	if (st == XOS_OK)
		*out = i;
	return st;
}

enum xos_status xos_table_output(
    struct xos_table *t, const char *id, const char *stream, int *fd, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = path_of(t->run, id, stream, path, err);

	if (st != XOS_OK)
		return st;
	*fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		return xos_err_errno(err, errno, "job-output", "cannot open the job's %s", stream);
	return XOS_OK;
}
