#include "service/fetch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/random.h"
#include "base/text.h"
#include "pki/digest.h"
#include "service/client.h"

#define CALL_MS 10000
#define ETAG_MAX 80
#define SPARE_CALL_MS 3000
#define SPARE_REST_MS 60000 /* at most, after failures: nothing is to wait for it in every round */

struct source {
	uint8_t sent[XOS_SHA256_LEN]; /* of what was taken last */
	char etag[ETAG_MAX];          /* what the server calls that; "": nothing */
	int64_t good;                 /* when it was last fetched and taken */
	struct xos_err err;           /* why not, since then */
	int64_t again_ms, rest_ms;    /* monotonic: not asked before; how long that was */
};

struct xos_fetch {
	struct xos_fetch_options o;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool started, stop, poked;
	int64_t since;                               /* when we began */
	struct source source[XOS_FETCH_SOURCES_MAX]; /* under lock, but `sent` and `etag` */
};

enum xos_status xos_fetch_new(
    const struct xos_fetch_options *o, struct xos_fetch **out, struct xos_err *err)
{
	struct xos_fetch *f = calloc(1, sizeof(*f));
	pthread_condattr_t attr;

	if (!f || o->nsources > XOS_FETCH_SOURCES_MAX) {
		free(f);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	f->o = *o;
	f->since = xos_clock_now();
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->wake, &attr);
	pthread_condattr_destroy(&attr);
	*out = f;
	return XOS_OK;
}

static enum xos_status hand_over(
    struct xos_fetch *f, size_t o, struct xos_bytes compact, struct xos_err *err)
{
	struct source *s = &f->source[o];
	uint8_t digest[XOS_SHA256_LEN];
	enum xos_status st = xos_sha256(compact, digest);

	if (st != XOS_OK)
		return xos_err_set(err, st, "digest", "SHA-256 failed");
	if (memcmp(digest, s->sent, sizeof(digest)) == 0)
		return XOS_OK;
	st = f->o.take(f->o.ctx, o, compact, err);
	if (st == XOS_OK)
		memcpy(s->sent, digest, sizeof(digest));
	return st;
}

/* GET of a compact JWS, appended to out; nothing, if it is what etag names. */
static enum xos_status get(struct xos_client *c, const char *vo, const char *what,
    char etag[ETAG_MAX], struct xos_buf *out, struct xos_err *err)
{
	struct xos_client_header match = {.name = "If-None-Match", .value = etag};
	struct xos_client_request req = {
	    .method = "GET", .headers = &match, .nheaders = etag[0] ? 1 : 0};
	struct xos_answer *answer = NULL;
	struct xos_buf path;
	enum xos_status st = XOS_INTERNAL;

	xos_buf_init(&path, 1024);
	xos_buf_put_str(&path, "/v1/vo/");
	xos_path_encode(&path, vo);
	xos_buf_put_str(&path, "/");
	xos_buf_put_str(&path, what);
	req.path = xos_buf_str(&path);
	st = req.path ? xos_client_call(c, &req, &answer, err)
	              : xos_err_set(err, XOS_INTERNAL, "memory", "the path does not fit");
	bool same = st == XOS_OK && etag[0] && xos_answer_status(answer) == 304;
	if (st == XOS_OK && !same)
		st = xos_answer_check(c, answer, err);
	if (st == XOS_OK && !same) {
		const char *tag = xos_answer_header(answer, "ETag");
		struct xos_bytes body = xos_answer_body(answer);

		xos_buf_put(out, body.p, body.n);
		st = xos_buf_status(out);
		if (st != XOS_OK)
			xos_err_set(err, st, "answer-size", "the answer does not fit");
		else if (!tag || !xos_str_copy(etag, ETAG_MAX, tag))
			etag[0] = '\0';
	}
	xos_answer_free(answer);
	xos_buf_free(&path);
	return st;
}

static enum xos_status fetch_one(
    struct xos_fetch *f, size_t o, struct xos_service_client *client, struct xos_err *err)
{
	struct xos_buf compact;
	char *etag = f->source[o].etag;

	xos_buf_init(&compact, XOS_FETCH_OBJECT_MAX);
	enum xos_status st =
	    get(xos_service_client(client), f->o.vo, f->o.sources[o].path, etag, &compact, err);
	if (st == XOS_OK && compact.n)
		st = hand_over(f, o, xos_buf_bytes(&compact), err);
	/* What was not taken is asked for again. */
	if (st != XOS_OK)
		etag[0] = '\0';
	xos_buf_free(&compact);
	return st;
}

static void note(struct xos_fetch *f, size_t o, enum xos_status st, const struct xos_err *err)
{
	struct source *s = &f->source[o];

	pthread_mutex_lock(&f->lock);
	bool was_good = s->err.status == XOS_OK;
	if (st == XOS_OK) {
		s->good = xos_clock_now();
		s->err = (struct xos_err)XOS_ERR_INIT;
		s->rest_ms = 0;
	} else {
		s->err = *err;
		s->rest_ms = s->rest_ms ? 2 * s->rest_ms : f->o.refresh * 1000;
		if (s->rest_ms > SPARE_REST_MS)
			s->rest_ms = SPARE_REST_MS;
		if (f->o.sources[o].spare)
			s->again_ms = xos_clock_mono_ms() + s->rest_ms;
	}
	pthread_mutex_unlock(&f->lock);
	/* Once when it begins and once when it ends, not every round. */
	if (st != XOS_OK && was_good)
		xos_event_err(XOS_WARN, "fetch.failed", err, "object", f->o.sources[o].name,
		    (const char *)NULL);
	if (st == XOS_OK && !was_good)
		XOS_EVENT(XOS_INFO, "fetch.recovered", "object", f->o.sources[o].name);
}

static enum xos_status connect_to(struct xos_fetch *f, const struct xos_fetch_source *s,
    struct xos_service_client **out, struct xos_err *err)
{
	struct xos_chain own = {.n = 0};
	enum xos_status st = xos_service_cert_chain(f->o.cert, &own, err);
	const struct xos_service_client_options o = {.url = s->url,
	    .body_max = XOS_FETCH_OBJECT_MAX,
	    .vo = f->o.vo,
	    .service = s->service,
	    .trust = f->o.trust,
	    .own = &own,
	    .skew = 300,
	    .total_ms = s->spare ? SPARE_CALL_MS : CALL_MS};

	if (st == XOS_OK)
		st = xos_service_client_new(&o, out, err);
	xos_chain_clear(&own);
	return st;
}

/* All that the service of source `first` has, over one connection; returns the first source after it. */
static size_t fetch_from(struct xos_fetch *f, size_t first)
{
	const struct xos_fetch_source *s = f->o.sources;
	struct xos_service_client *client = NULL;
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status opened = XOS_OK;
	size_t o = first;

	for (; o < f->o.nsources && strcmp(s[o].service, s[first].service) == 0; o++) {
		if (f->source[o].again_ms > xos_clock_mono_ms())
			continue;
		if (!client && opened == XOS_OK)
			opened = connect_to(f, &s[o], &client, &err);
		enum xos_status st = opened;

		if (st == XOS_OK)
			st = fetch_one(f, o, client, &err);
		note(f, o, st, &err);
	}
	xos_service_client_free(client);
	return o;
}

/* Waits for the interval with its jitter, a poke or the end. */
static bool pause_or_stop(struct xos_fetch *f)
{
	uint64_t ms = (uint64_t)f->o.refresh * 1000;
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
	struct xos_fetch *f = arg;

	do {
		for (size_t o = 0; o < f->o.nsources;)
			o = fetch_from(f, o);
	} while (!pause_or_stop(f));
	return NULL;
}

enum xos_status xos_fetch_start(struct xos_fetch *f, struct xos_err *err)
{
	int rc = pthread_create(&f->thread, NULL, loop, f);

	if (rc)
		return xos_err_errno(err, rc, "thread", "cannot start a thread");
	f->started = true;
	return XOS_OK;
}

void xos_fetch_poke(struct xos_fetch *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->poked = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
}

void xos_fetch_free(struct xos_fetch *f)
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

static enum xos_status oldest(struct xos_fetch *f, bool spare, struct xos_err *err)
{
	int64_t now = xos_clock_now(), allowed = 6 * f->o.refresh;
	enum xos_status st = XOS_OK;
	char age[XOS_TIME_TEXT];

	pthread_mutex_lock(&f->lock);
	for (size_t o = 0; st == XOS_OK && o < f->o.nsources; o++) {
		struct source *s = &f->source[o];
		int64_t since = s->good ? s->good : f->since;

		if (f->o.sources[o].spare != spare || s->err.status == XOS_OK ||
		    (s->good && now - since <= allowed))
			continue;
		xos_duration_format(now - since, age);
		st = xos_err_set(err, XOS_UNAVAILABLE, "object-old",
		    "the %s could not be fetched for %s, the last good one stays in force: %s",
		    f->o.sources[o].name, age, s->err.text);
	}
	pthread_mutex_unlock(&f->lock);
	return st;
}

enum xos_status xos_fetch_health(void *fetch, struct xos_err *err)
{
	return oldest(fetch, false, err);
}

enum xos_status xos_fetch_warning(void *fetch, struct xos_err *err)
{
	return oldest(fetch, true, err);
}
