#include "vops/fetch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/random.h"
#include "pki/digest.h"
#include "service/client.h"
#include "vops/messages.h"

#define CALL_MS 10000
#define AUTH_MS 30000

struct source {
	const char *service, *path;
	uint8_t sent[XOS_SHA256_LEN]; /* of what auth took last */
	int64_t good;                 /* when it was last fetched and taken */
	struct xos_err err;           /* why not, since then */
};

struct vops_fetch {
	struct vops_fetch_options o;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool started, stop, poked;
	int64_t since;                      /* when we began */
	struct source source[VOPS_OBJECTS]; /* under lock, but `sent` */
};

enum xos_status vops_fetch_new(
    const struct vops_fetch_options *o, struct vops_fetch **out, struct xos_err *err)
{
	struct vops_fetch *f = calloc(1, sizeof(*f));
	pthread_condattr_t attr;

	if (!f)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	f->o = *o;
	f->since = xos_clock_now();
	f->source[VOPS_ROSTER] = (struct source){.service = "ca", .path = "roster"};
	f->source[VOPS_LOCKS_CA] = (struct source){.service = "ca", .path = "locks"};
	f->source[VOPS_LOCKS_RCA] = (struct source){.service = "rca", .path = "locks"};
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->wake, &attr);
	pthread_condattr_destroy(&attr);
	*out = f;
	return XOS_OK;
}

static enum xos_status hand_over(
    struct vops_fetch *f, enum vops_object o, struct xos_bytes compact, struct xos_err *err)
{
	struct source *s = &f->source[o];
	uint8_t digest[XOS_SHA256_LEN];
	struct xos_buf message, reply;
	enum xos_status st = xos_sha256(compact, digest);

	if (st != XOS_OK)
		return xos_err_set(err, st, "digest", "SHA-256 failed");
	if (memcmp(digest, s->sent, sizeof(digest)) == 0)
		return XOS_OK;
	xos_buf_init(&message, XOS_BULK_MAX);
	xos_buf_u8(&message, (uint8_t)o);
	xos_buf_lp(&message, compact);
	st = xos_bulk_call(f->o.auth, VOPS_OBJECT, xos_buf_bytes(&message),
	    xos_clock_mono_ms() + AUTH_MS, &reply, err);
	if (st == XOS_OK)
		memcpy(s->sent, digest, sizeof(digest));
	xos_buf_free(&reply);
	xos_buf_free(&message);
	return st;
}

static enum xos_status fetch_one(struct vops_fetch *f, enum vops_object o,
    struct xos_service_client *client, struct xos_err *err)
{
	struct xos_buf compact;

	xos_buf_init(&compact, XOS_ROSTER_MAX);
	enum xos_status st = xos_vops_source(
	    xos_service_client(client), f->o.conf->common.vo, f->source[o].path, &compact, err);
	if (st == XOS_OK)
		st = hand_over(f, o, xos_buf_bytes(&compact), err);
	xos_buf_free(&compact);
	return st;
}

static void note(
    struct vops_fetch *f, enum vops_object o, enum xos_status st, const struct xos_err *err)
{
	struct source *s = &f->source[o];

	pthread_mutex_lock(&f->lock);
	bool was_good = s->err.status == XOS_OK;
	if (st == XOS_OK) {
		s->good = xos_clock_now();
		s->err = (struct xos_err)XOS_ERR_INIT;
	} else {
		s->err = *err;
	}
	pthread_mutex_unlock(&f->lock);
	/* Once when it begins and once when it ends, not every ten seconds. */
	if (st != XOS_OK && was_good)
		xos_event_err(XOS_WARN, "fetch.failed", err, "object", vops_object_name(o),
		    (const char *)NULL);
	if (st == XOS_OK && !was_good)
		XOS_EVENT(XOS_INFO, "fetch.recovered", "object", vops_object_name(o));
}

static enum xos_status connect_to(struct vops_fetch *f, const char *service, const char *url,
    struct xos_service_client **out, struct xos_err *err)
{
	struct xos_chain own = {.n = 0};
	enum xos_status st = xos_service_cert_chain(f->o.cert, &own, err);
	const struct xos_service_client_options o = {.url = url,
	    .vo = f->o.conf->common.vo,
	    .service = service,
	    .trust = f->o.trust,
	    .own = &own,
	    .skew = 300,
	    .total_ms = CALL_MS};

	if (st == XOS_OK)
		st = xos_service_client_new(&o, out, err);
	xos_chain_clear(&own);
	return st;
}

static void fetch_from(struct vops_fetch *f, const char *service, const char *url)
{
	struct xos_service_client *client = NULL;
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status opened = connect_to(f, service, url, &client, &err);

	for (int o = 0; o < VOPS_OBJECTS; o++) {
		if (strcmp(f->source[o].service, service) != 0)
			continue;
		enum xos_status st = opened;

		if (st == XOS_OK)
			st = fetch_one(f, (enum vops_object)o, client, &err);
		note(f, (enum vops_object)o, st, &err);
	}
	xos_service_client_free(client);
}

/* Waits for the interval with its jitter, a poke or the end. */
static bool pause_or_stop(struct vops_fetch *f)
{
	uint64_t ms = (uint64_t)f->o.conf->refresh * 1000;
	struct timespec until;

	ms += xos_random_below(ms / 10 + 1);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&f->lock);
	while (!f->stop && !f->poked &&
	       pthread_cond_timedwait(&f->wake, &f->lock, &until) != ETIMEDOUT)
		;
	f->poked = false;
	bool stop = f->stop;
	pthread_mutex_unlock(&f->lock);
	return stop;
}

static void *loop(void *arg)
{
	struct vops_fetch *f = arg;

	do {
		fetch_from(f, "ca", f->o.conf->ca_url);
		fetch_from(f, "rca", f->o.conf->rca_url);
	} while (!pause_or_stop(f));
	return NULL;
}

enum xos_status vops_fetch_start(struct vops_fetch *f, struct xos_err *err)
{
	int rc = pthread_create(&f->thread, NULL, loop, f);

	if (rc)
		return xos_err_errno(err, rc, "thread", "cannot start a thread");
	f->started = true;
	return XOS_OK;
}

void vops_fetch_poke(struct vops_fetch *f)
{
	pthread_mutex_lock(&f->lock);
	f->poked = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
}

void vops_fetch_free(struct vops_fetch *f)
{
	if (!f)
		return;
	if (f->started) {
		pthread_mutex_lock(&f->lock);
		f->stop = true;
		pthread_cond_signal(&f->wake);
		pthread_mutex_unlock(&f->lock);
		pthread_join(f->thread, NULL);
	}
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

enum xos_status vops_fetch_health(void *fetch, struct xos_err *err)
{
	struct vops_fetch *f = fetch;
	int64_t now = xos_clock_now(), allowed = 6 * f->o.conf->refresh;
	enum xos_status st = XOS_OK;
	char age[XOS_TIME_TEXT];

	pthread_mutex_lock(&f->lock);
	for (int o = 0; st == XOS_OK && o < VOPS_OBJECTS; o++) {
		struct source *s = &f->source[o];
		int64_t since = s->good ? s->good : f->since;

		if (s->err.status == XOS_OK || (s->good && now - since <= allowed))
			continue;
		xos_duration_format(now - since, age);
		st = xos_err_set(err, XOS_UNAVAILABLE, "object-old",
		    "the %s could not be fetched for %s, the last good one stays in force: %s",
		    vops_object_name((enum vops_object)o), age, s->err.text);
	}
	pthread_mutex_unlock(&f->lock);
	return st;
}
