#include "jobs/front.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "jobs/preview.h"
#include "jobs/via.h"

#define ORDER_MS 20000
#define JANITOR_S 5

bool xos_job_front_admin(const struct xos_identity *who)
{
	char role[XOS_FQAN_MAX + 1];

	xos_str_printf(role, sizeof(role), "/%s/Role=admin", who->claims->vo);
	for (size_t i = 0; who->nsteps == 0 && i < who->claims->nroles; i++)
		if (strcmp(who->claims->roles[i], role) == 0)
			return true;
	return false;
}

bool xos_job_front_sees(const struct xos_identity *who, const struct xos_entry *e, bool admin)
{
	char via[sizeof(e->via)];

	if (strcmp(who->claims->name, e->member) == 0 && who->claims->number == e->number) {
		/* A delegated credential reaches what was submitted with it, no other job of its member. */
		return who->nsteps == 0 || (xos_job_via(who, via) && strcmp(via, e->via) == 0);
	}
	return admin && xos_job_front_admin(who);
}

enum xos_status xos_job_front_find(struct xos_job_front *f, const struct xos_request *req,
    bool admin, struct xos_entry *out, struct xos_err *err)
{
	const struct xos_identity *who = xos_request_identity(req);
	const char *id = xos_request_param(req, "id");
	enum xos_status st = XOS_OK;

	if (!xos_job_id_valid(id))
		st = xos_err_set(err, XOS_MALFORMED, "job-id",
		    "\"%.64s\" is no job id (32 hexadecimal digits)", id);
	if (st == XOS_OK)
		st = xos_table_get(f->table, id, out, err);
	if (st == XOS_OK && !xos_job_front_sees(who, out, admin))
		st = xos_err_set(err, XOS_DENIED, "job-not-yours",
		    "job %s was not submitted by %s%s", id, who->claims->name,
		    who->nsteps ? " with this delegated credential" : "");
	return st;
}

enum xos_status xos_job_front_order(struct xos_job_front *f, enum xos_order_type type,
    struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	enum xos_status st;
	bool fits;

	pthread_mutex_lock(&f->lock);
	fits = !f->orders_max || f->orders < f->orders_max;
	f->orders += fits;
	pthread_mutex_unlock(&f->lock);
	if (!fits) {
		if (reply)
			xos_buf_init(reply, 0);
		return xos_err_set(err, XOS_UNAVAILABLE, "channel-busy",
		    "as many requests of VO %s wait for this node as may at a time; try again",
		    f->c->common.vo);
	}
	st = xos_channel_call(
	    f->starter, (uint16_t)type, payload, xos_clock_mono_ms() + ORDER_MS, reply, err);
	pthread_mutex_lock(&f->lock);
	f->orders--;
	pthread_mutex_unlock(&f->lock);
	return st;
}

static const struct xos_route routes[] = {
    {"POST", "/v1/vo/{vo}/jobs", xos_job_route_submit, XOS_ROUTE_CERT, XOS_JOB_BODY_MAX},
    {"GET", "/v1/vo/{vo}/jobs", xos_job_route_list, XOS_ROUTE_CERT, 0},
    {"GET", "/v1/vo/{vo}/jobs/{id}", xos_job_route_show, XOS_ROUTE_CERT, 0},
    {"PUT", "/v1/vo/{vo}/jobs/{id}/credential", xos_job_route_credential, XOS_ROUTE_CERT,
        XOS_JOB_BODY_MAX},
    {"GET", "/v1/vo/{vo}/jobs/{id}/grant", xos_job_route_grant, XOS_ROUTE_CERT, 0},
    {"PUT", "/v1/vo/{vo}/jobs/{id}/grant", xos_job_route_extend, XOS_ROUTE_CERT, XOS_JOB_BODY_MAX},
    {"GET", "/v1/vo/{vo}/jobs/{id}/output", xos_job_route_output, XOS_ROUTE_CERT, 0},
    {"POST", "/v1/vo/{vo}/jobs/{id}/cancel", xos_job_route_cancel, XOS_ROUTE_CERT, 1024},
    {"POST", "/v1/vo/{vo}/preview", xos_job_route_preview, XOS_ROUTE_CERT, XOS_LOCAL_PREVIEW_MAX},
    {"GET", "/v1/vo/{vo}/status", xos_job_route_status, 0, 0},
};

static void *janitor(void *ctx)
{
	struct xos_job_front *f = ctx;
	struct timespec until;

	pthread_mutex_lock(&f->lock);
	while (!f->ending) {
		pthread_mutex_unlock(&f->lock);
		xos_job_front_resume(f);
		xos_job_front_expire(f);
		xos_table_clean(f->table, f->c->keep);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += JANITOR_S;
		pthread_mutex_lock(&f->lock);
		if (!f->ending)
			pthread_cond_timedwait(&f->wake, &f->lock, &until);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

static void end_janitor(struct xos_job_front *f)
{
	if (!f->janitor_runs)
		return;
	pthread_mutex_lock(&f->lock);
	f->ending = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->janitor, NULL);
	f->janitor_runs = false;
}

static enum xos_status open_table(struct xos_job_front *f, struct xos_err *err)
{
	char dir[PATH_MAX], run[PATH_MAX];

	if (!xos_path_join(dir, sizeof(dir), f->c->common.state, "front") ||
	    !xos_path_join(run, sizeof(run), f->c->common.state, "run"))
		return xos_err_set(err, XOS_LIMIT, "state", "path too long");
	return xos_table_open(dir, run, &f->table, err);
}

enum xos_status xos_job_front_routes(
    struct xos_job_front *f, struct xos_front *front, struct xos_err *err)
{
	return xos_front_routes(front, routes, sizeof(routes) / sizeof(routes[0]), f, err);
}

enum xos_status xos_job_front_open(const struct xos_jobs_config *c, struct xos_channel *starter,
    struct xos_job_front **out, struct xos_err *err)
{
	struct xos_job_front *f = calloc(1, sizeof(*f));
	enum xos_status st;

	*out = NULL;
	if (!f)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	f->c = c;
	f->starter = starter;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->wake, NULL);
	st = open_table(f, err);
	if (st == XOS_OK && !(f->trust = xos_trust_new()))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		st = xos_trust_load(f->trust, c->common.trust, err);
	if (st != XOS_OK) {
		xos_job_front_free(f);
		return st;
	}
	*out = f;
	return XOS_OK;
}

enum xos_status xos_job_front_begin(struct xos_job_front *f, struct xos_err *err)
{
	if (pthread_create(&f->janitor, NULL, janitor, f) != 0)
		return xos_err_set(err, XOS_INTERNAL, "thread", "cannot start a thread");
	f->janitor_runs = true;
	return XOS_OK;
}

void xos_job_front_end(struct xos_job_front *f)
{
	xos_job_front_wake(f, true);
	end_janitor(f);
}

void xos_job_front_free(struct xos_job_front *f)
{
	if (!f)
		return;
	xos_trust_free(f->trust);
	xos_table_free(f->table);
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
	free(f->waiters);
	free(f);
}
