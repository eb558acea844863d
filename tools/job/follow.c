#include "job/follow.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define WAIT_S 30
#define AWAY_MS 60000 /* how long a service may be away while we wait */

/* A service that restarts is worth waiting for. *since: when it was last there. */
static bool worth_waiting(enum xos_status st, int64_t *since)
{
	struct timespec pause = {0, 200000000};

	if (st == XOS_OK) {
		*since = xos_clock_mono_ms();
		return true;
	}
	if (st != XOS_UNAVAILABLE || xos_clock_mono_ms() - *since > AWAY_MS)
		return false;
	nanosleep(&pause, NULL);
	return true;
}

static enum xos_status goes_on(enum xos_status st, const char *id, struct xos_err *err)
{
	char text[XOS_ERR_TEXT_MAX];

	if (st != XOS_UNAVAILABLE || !err)
		return st;
	snprintf(text, sizeof(text), "%s", err->text);
	return xos_err_set(err, st, "job-unreachable",
	    "%.300s; the job goes on: xos-job wait %s asks again", text, id);
}

enum xos_status job_copy(struct xos_cli_client *c, const char *vo, const char *id,
    const char *stream, int fd, bool follow, struct xos_err *err)
{
	int64_t since = xos_clock_mono_ms();
	uint64_t offset = 0;
	bool end = false, more = true;
	enum xos_status st = XOS_OK;

	while (!end && more) {
		struct xos_buf b;

		xos_buf_init(&b, 2 * XOS_JOB_OUTPUT_MAX);
		st = xos_jobs_output(
		    xos_cli_client(c), vo, id, stream, offset, follow ? WAIT_S : 0, &b, &end, err);
		if (st == XOS_OK && b.n > 0)
			st = xos_fd_write_all(fd, xos_buf_bytes(&b), err);
		if (st == XOS_OK)
			offset += b.n;
		more = follow ? worth_waiting(st, &since) : st == XOS_OK && b.n > 0;
		xos_buf_free(&b);
	}
	return goes_on(st, id, err);
}

struct errors {
	struct xos_cli_client *c;
	const char *vo, *id;
	enum xos_status st;
	struct xos_err err;
};

static void *copy_errors(void *ctx)
{
	struct errors *e = ctx;

	e->st = job_copy(e->c, e->vo, e->id, "stderr", STDERR_FILENO, true, &e->err);
	return NULL;
}

enum xos_status job_follow(const struct job_nodes *n, const struct job_node *node,
    struct xos_cli_client *c, const char *id, struct xos_err *err)
{
	struct errors e = {.vo = n->vo->name, .id = id};
	pthread_t thread;
	enum xos_status st = job_client(n, node, &e.c, err);

	if (st != XOS_OK)
		return st;
	if (pthread_create(&thread, NULL, copy_errors, &e) != 0) {
		st = xos_err_set(err, XOS_INTERNAL, "thread", "cannot start a thread");
	} else {
		st = job_copy(c, n->vo->name, id, "stdout", STDOUT_FILENO, true, err);
		pthread_join(thread, NULL);
		if (st == XOS_OK && e.st != XOS_OK) {
			st = e.st;
			*err = e.err;
		}
	}
	xos_cli_client_free(e.c);
	return st;
}

enum xos_status job_wait(struct xos_cli_client *c, const char *vo, const char *id,
    struct xos_job_info *info, struct xos_err *err)
{
	int64_t since = xos_clock_mono_ms();
	enum xos_status st;

	do {
		st = xos_jobs_get(xos_cli_client(c), vo, id, WAIT_S, info, err);
		if (st == XOS_OK && info->state != XOS_JOB_WAITING &&
		    info->state != XOS_JOB_RUNNING)
			return XOS_OK;
	} while (worth_waiting(st, &since));
	return goes_on(st, id, err);
}
