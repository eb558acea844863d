#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "decide/record.h"

#define CURRENT "decisions.jsonl"
#define ASIDE "decisions-" /* and the time, and .jsonl */

struct xos_decision_log {
	struct xos_decision_log_options o;
	char folder[PATH_MAX], current[PATH_MAX];
	pthread_mutex_t lock; /* of what stands below */
	int fd;               /* -1: not open */
	uint64_t size;        /* of the current file */
	struct xos_decision_log_counts counts;
};

enum xos_status xos_decision_log_open(
    const struct xos_decision_log_options *o, struct xos_decision_log **out, struct xos_err *err)
{
	struct xos_decision_log *l = calloc(1, sizeof(*l));

	if (!l)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	l->o = *o;
	l->fd = -1;
	if (!xos_str_copy(l->folder, sizeof(l->folder), o->folder) ||
	    !xos_path_join(l->current, sizeof(l->current), l->folder, CURRENT)) {
		free(l);
		return xos_err_set(err, XOS_LIMIT, "path-too-long", "%s is too long", o->folder);
	}
	pthread_mutex_init(&l->lock, NULL);
	*out = l;
	return XOS_OK;
}

void xos_decision_log_close(struct xos_decision_log *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* A line that a crash left without its end would swallow the next one. */
static enum xos_status end_line(struct xos_decision_log *l, struct xos_err *err)
{
	char last = '\n';

	if (l->size && pread(l->fd, &last, 1, (off_t)l->size - 1) != 1)
		return xos_err_errno(err, errno, "decision-log", "cannot read %s", l->current);
	if (last == '\n')
		return XOS_OK;
	if (write(l->fd, "\n", 1) != 1)
		return xos_err_errno(err, errno, "decision-log", "cannot write %s", l->current);
	l->size++;
	return XOS_OK;
}

static enum xos_status open_current(struct xos_decision_log *l, struct xos_err *err)
{
	struct stat sb;
	enum xos_status st = xos_dir_make(l->folder, 0700, err);

	if (st != XOS_OK)
		return st;
	l->fd = open(l->current, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (l->fd < 0 || fstat(l->fd, &sb) != 0)
		st = xos_err_errno(err, errno, "decision-log", "cannot open %s", l->current);
	else if (!S_ISREG(sb.st_mode))
		st =
		    xos_err_set(err, XOS_DENIED, "decision-log", "%s is no plain file", l->current);
	if (st == XOS_OK) {
		l->size = (uint64_t)sb.st_size;
		st = end_line(l, err);
	}
	if (st != XOS_OK && l->fd >= 0) {
		close(l->fd);
		l->fd = -1;
	}
	return st;
}

static int put_aside(const struct dirent *e)
{
	return strncmp(e->d_name, ASIDE, strlen(ASIDE)) == 0;
}

/* Their names are times: in the order of the alphabet the oldest is the first. */
static void remove_oldest(struct xos_decision_log *l)
{
	struct dirent **names = NULL;
	char path[PATH_MAX];
	int n = scandir(l->folder, &names, put_aside, alphasort);

	for (int i = 0; i < n; i++) {
		if ((uint64_t)(n - i) > l->o.files &&
		    xos_path_join(path, sizeof(path), l->folder, names[i]->d_name))
			(void)unlink(path);
		free(names[i]);
	}
	free(names);
}

/* Never over a file that is there: two may fill up within one second. */
static enum xos_status rotate(struct xos_decision_log *l, struct xos_err *err)
{
	char when[XOS_TIME_TEXT], name[80], path[PATH_MAX];
	int linked = -1;

	xos_time_format(xos_clock_now(), when);
	for (unsigned i = 0; linked != 0 && i < 1000; i++) {
		if (!xos_str_printf(name, sizeof(name), ASIDE "%s-%03u.jsonl", when, i) ||
		    !xos_path_join(path, sizeof(path), l->folder, name))
			return xos_err_set(
			    err, XOS_LIMIT, "path-too-long", "%s is too long", l->folder);
		linked = link(l->current, path);
		if (linked != 0 && errno != EEXIST)
			break;
	}
	if (linked != 0 || unlink(l->current) != 0)
		return xos_err_errno(err, errno, "decision-log", "cannot put %s aside", l->current);
	close(l->fd);
	l->fd = -1;
	remove_oldest(l);
	return open_current(l, err);
}

/* All of it or nothing: a full disk leaves no half of a line. */
static enum xos_status append(
    struct xos_decision_log *l, struct xos_bytes line, struct xos_err *err)
{
	enum xos_status st = l->fd >= 0 ? XOS_OK : open_current(l, err);

	if (st == XOS_OK && l->size && l->size + line.n > l->o.bytes)
		st = rotate(l, err);
	if (st != XOS_OK)
		return st;
	ssize_t n = write(l->fd, line.p, line.n);
	if (n == (ssize_t)line.n) {
		l->size += line.n;
		return XOS_OK;
	}
	st = xos_err_errno(
	    err, n < 0 ? errno : ENOSPC, "decision-log", "cannot write %s", l->current);
	if (n > 0 && ftruncate(l->fd, (off_t)l->size) != 0) {
		close(l->fd);
		l->fd = -1;
	}
	return st;
}

static void note(struct xos_decision_log *l, enum xos_status st, const struct xos_err *err)
{
	bool was_good = l->counts.last_error[0] == '\0';

	if (st == XOS_OK) {
		l->counts.written++;
		l->counts.last_error[0] = '\0';
		if (!was_good)
			XOS_EVENT(XOS_INFO, "decision-log.recovered");
		return;
	}
	l->counts.lost++;
	(void)!xos_str_copy(l->counts.last_error, sizeof(l->counts.last_error), err->text);
	if (was_good)
		xos_event_err(XOS_ERROR, "decision-log.failed", err, (const char *)NULL);
}

static bool is_sampled(const struct xos_decision_log *l, enum xos_decision_outcome o)
{
	return l->o.sample_all || o == XOS_DECISION_PERMIT;
}

bool xos_decision_log_wants(struct xos_decision_log *l, enum xos_decision_outcome o)
{
	if (!l || l->o.sample == 0)
		return false;
	if (!is_sampled(l, o) || l->o.sample == 1 || xos_random_below(l->o.sample) == 0)
		return true;
	pthread_mutex_lock(&l->lock);
	l->counts.left_out++;
	pthread_mutex_unlock(&l->lock);
	return false;
}

void xos_decision_log_write(struct xos_decision_log *l, const struct xos_decision_record *r)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf line;

	xos_buf_init(&line, XOS_DECISION_RECORD_MAX);
	enum xos_status st =
	    xos_decision_record_encode(r, is_sampled(l, r->outcome) ? l->o.sample : 1, &line, &err);
	pthread_mutex_lock(&l->lock);
	if (st == XOS_OK)
		st = append(l, xos_buf_bytes(&line), &err);
	note(l, st, &err);
	pthread_mutex_unlock(&l->lock);
	xos_buf_free(&line);
}

void xos_decision_log_put(struct xos_decision_log *l, const struct xos_decision_record *r)
{
	if (xos_decision_log_wants(l, r->outcome))
		xos_decision_log_write(l, r);
}

void xos_decision_log_count(struct xos_decision_log *l, struct xos_decision_log_counts *out)
{
	*out = (struct xos_decision_log_counts){.written = 0};
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	*out = l->counts;
	pthread_mutex_unlock(&l->lock);
}
