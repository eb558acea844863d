#include "credd/fetch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/rca.h"
#include "api/vops.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/random.h"
#include "base/text.h"
#include "credd/renew.h"
#include "credd/tell.h"
#include "net/client.h"
#include "service/verifier.h"

#define CALL_MS 15000
#define RENEW_RETRY 300 /* seconds; with jitter */
#define HINT "is xos-server running there? This node goes on by what it has"

struct xos_credd_fetch {
	const struct xos_credd_self *self;
	struct xos_credd_source *source;
	struct xos_loop *loop;
	struct xos_credd_ops *ops; /* the loop's thread only */

	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop, woken;

	/* the thread's own from here on */
	struct xos_service_verifier *vops_verifier, *rca_verifier;
	struct xos_client *vops;
	struct xos_chain own;
	char etag[XOS_VOPS_ETAG_MAX];
	struct xos_credd_contact contact;
	struct xos_credd_told told;
	struct xos_credd_certificate certificate;
	struct xos_tls_pair pair[XOS_CREDD_PAIRS_MAX]; /* the node's first */
	size_t npairs;
};

/* From the thread to the loop: what is new. */
struct news {
	struct xos_credd_ops *ops; /* outlives the loop, which runs what is left when it is freed */
	struct xos_credd_view *view; /* NULL: the old one stays */
	struct xos_credd_contact contact;
	struct xos_credd_certificate certificate;
};

static void deliver(void *ctx)
{
	struct news *n = ctx;
	struct xos_credd_ops *ops = n->ops;
	ops->vops = n->contact;
	ops->certificate = n->certificate;
	if (n->view) {
		char serial[24], until[XOS_TIME_TEXT];
		(void)!xos_str_printf(serial, sizeof(serial), "%llu",
		    (unsigned long long)xos_bundle_serial(n->view->bundle));
		xos_time_format(n->view->until, until);
		XOS_EVENT(XOS_INFO, "bundle.taken", "serial", serial, "until", until, "accounts",
		    n->view->slice.present ? NULL : n->view->slice.why);
		xos_credd_decider_exchange(ops->decider, n->view);
	}
	free(n);
}

static void post(struct xos_credd_fetch *f, struct xos_credd_view *view)
{
	struct news *n = calloc(1, sizeof(*n));
	if (n)
		*n = (struct news){.ops = f->ops,
		    .view = view,
		    .contact = f->contact,
		    .certificate = f->certificate};
	if (!n || xos_loop_post(f->loop, deliver, n)) {
		XOS_EVENT(XOS_ERROR, "memory");
		xos_credd_view_free(view);
		free(n);
	}
}

static enum xos_status new_verifier(const struct xos_credd_fetch *f, const char *service,
    struct xos_service_verifier **out, struct xos_err *err)
{
	struct xos_service_verifier_options opts = {
	    .vo = f->self->conf->vo,
	    .kinds = XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .service = service,
	    .skew = XOS_KNOWN_SKEW,
	    .peer_is_server = true,
	};
	return xos_service_verifier_new(xos_credd_source_trust(f->source), &opts, out, err);
}

static enum xos_status new_client(const char *base, const struct xos_chain *own,
    const struct xos_service_verifier *verifier, struct xos_client **out, struct xos_err *err)
{
	struct xos_client_options opts = {
	    .base = base,
	    .own = own,
	    .verifier = xos_service_verifier_get(verifier),
	    .body_max = XOS_BUNDLE_MAX,
	    .total_ms = CALL_MS,
	    .hint = HINT,
	};
	return xos_client_new(&opts, out, err);
}

/* The node's certificate, as often as it changes: the client shows the one in use. */
static enum xos_status load_own(struct xos_credd_fetch *f, struct xos_err *err)
{
	struct xos_chain fresh = {.n = 0};
	enum xos_status st = xos_tls_pair_load(&f->pair[0], &fresh, err);
	if (st)
		return st;
	xos_chain_clear(&f->own);
	f->own = fresh;
	f->certificate.not_after = f->pair[0].not_after;
	f->certificate.renew_after = f->pair[0].renew_after;
	xos_client_free(f->vops);
	f->vops = NULL;
	return XOS_OK;
}

static enum xos_status fetch(
    struct xos_credd_fetch *f, struct xos_credd_view **view, struct xos_err *err)
{
	const struct xos_credd_conf *conf = f->self->conf;
	struct xos_buf compact;
	bool changed = false;
	enum xos_status st = XOS_OK;
	xos_buf_init(&compact, XOS_BUNDLE_MAX);
	if (!f->own.n)
		st = load_own(f, err);
	if (!st && !f->vops)
		st = new_client(conf->vops, &f->own, f->vops_verifier, &f->vops, err);
	char etag[XOS_VOPS_ETAG_MAX];
	memcpy(etag, f->etag, sizeof(etag));
	if (!st)
		st = xos_vops_bundle(f->vops, conf->vo, conf->site, etag, &changed, &compact, err);
	if (!st && changed)
		st = xos_credd_source_take(f->source, xos_buf_bytes(&compact), view, err);
	/* A bundle that was refused is asked for again: it may have been mended. */
	if (!st)
		memcpy(f->etag, etag, sizeof(f->etag));
	xos_buf_free(&compact);
	return st;
}

static void ask_vops(struct xos_credd_fetch *f)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_view *view = NULL;
	int64_t refresh = f->self->conf->refresh;
	enum xos_status st = fetch(f, &view, &err);
	if (st) {
		/* Said once for each new reason: servers that are away are away for many intervals. */
		if (strcmp(err.text, f->contact.last_error) != 0)
			xos_event_err(XOS_WARN, "bundle.not-fetched", &err, (const char *)NULL);
		memcpy(f->contact.last_error, err.text, sizeof(err.text));
	} else {
		f->contact.last_ok = xos_clock_now();
		f->contact.last_error[0] = '\0';
		xos_credd_tell(&f->told, f->self->conf, f->vops);
	}
	f->contact.next = xos_clock_now() + refresh;
	post(f, view);
}

static enum xos_status renew(
    struct xos_credd_fetch *f, struct xos_tls_pair *p, struct xos_chain *old, struct xos_err *err)
{
	struct xos_client *client = NULL;
	struct xos_key *key = NULL;
	struct xos_chain fresh = {.n = 0};
	const struct xos_credd_conf *conf = f->self->conf;
	enum xos_status st = new_client(conf->rca, old, f->rca_verifier, &client, err);
	if (!st)
		st = xos_key_generate(&key, err);
	if (!st)
		st = xos_rca_renew(client, conf->vo, old, key, &fresh, err);
	if (!st) {
		fresh.key = key;
		key = NULL;
		st = xos_tls_pair_save(p, &fresh, err);
	}
	xos_chain_clear(&fresh);
	xos_key_free(key);
	xos_client_free(client);
	return st;
}

static void renew_pair(struct xos_credd_fetch *f, size_t i)
{
	struct xos_tls_pair *p = &f->pair[i];
	struct xos_err err = XOS_ERR_INIT;
	struct xos_chain old = {.n = 0};
	int64_t now = xos_clock_now();
	if (now < p->renew_after || now < p->retry_after)
		return;
	/* Read anew: somebody may have renewed it by hand. */
	enum xos_status st = xos_tls_pair_load(p, &old, &err);
	if (!st && now >= p->renew_after)
		st = renew(f, p, &old, &err);
	xos_chain_clear(&old);
	if (!st && i == 0)
		st = load_own(f, &err);
	else if (!st)
		st = xos_tls_pair_load(p, &old, &err);
	xos_chain_clear(&old);
	p->retry_after = now + RENEW_RETRY + (int64_t)xos_random_below(RENEW_RETRY);
	if (st)
		xos_event_err(XOS_WARN, "certificate.not-renewed", &err, "certificate",
		    p->certificate, (const char *)NULL);
	else
		XOS_EVENT(XOS_INFO, "certificate.renewed", "certificate", p->certificate);
	if (i == 0)
		memcpy(f->certificate.last_error, st ? err.text : "", st ? sizeof(err.text) : 1);
}

/* The interval, a tenth more or less: nodes that started together drift apart. */
static void rest(struct xos_credd_fetch *f)
{
	int64_t ms = f->self->conf->refresh * 1000;
	ms += (int64_t)xos_random_below((uint64_t)ms / 5 + 1) - ms / 10;
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&f->lock);
	while (!f->stop && !f->woken && pthread_cond_timedwait(&f->changed, &f->lock, &until) == 0)
		;
	f->woken = false;
	pthread_mutex_unlock(&f->lock);
}

static bool stopping(struct xos_credd_fetch *f)
{
	pthread_mutex_lock(&f->lock);
	bool stop = f->stop;
	pthread_mutex_unlock(&f->lock);
	return stop;
}

static void *run(void *ctx)
{
	struct xos_credd_fetch *f = ctx;
	while (!stopping(f)) {
		if (f->self->conf->vops)
			ask_vops(f);
		for (size_t i = 0; f->self->conf->rca && i < f->npairs && !stopping(f); i++)
			renew_pair(f, i);
		if (!stopping(f))
			rest(f);
	}
	return NULL;
}

static enum xos_status prepare(struct xos_credd_fetch *f, struct xos_err *err)
{
	const struct xos_credd_conf *conf = f->self->conf;
	struct xos_err why = XOS_ERR_INIT;
	if (!conf->tls_key)
		return XOS_OK;
	enum xos_status st =
	    xos_tls_pair_init(&f->pair[0], conf->tls_certificate, conf->tls_key, err);
	if (!st)
		f->npairs = 1;
	if (!st)
		st = xos_credd_pairs_parse(conf->renew, f->pair, &f->npairs, err);
	if (!st)
		st = new_verifier(f, "vops", &f->vops_verifier, err);
	if (!st)
		st = new_verifier(f, "rca", &f->rca_verifier, err);
	if (st)
		return st;
	/* Without a certificate the node still decides; it is tried again with each question. */
	if (load_own(f, &why)) {
		memcpy(f->certificate.last_error, why.text, sizeof(why.text));
		xos_event_err(XOS_ERROR, "certificate.unusable", &why, (const char *)NULL);
	}
	return XOS_OK;
}

static void fetch_free(struct xos_credd_fetch *f)
{
	xos_client_free(f->vops);
	xos_service_verifier_free(f->vops_verifier);
	xos_service_verifier_free(f->rca_verifier);
	xos_chain_clear(&f->own);
	for (size_t i = 0; i < f->npairs; i++)
		xos_tls_pair_clear(&f->pair[i]);
	xos_credd_source_free(f->source);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

enum xos_status xos_credd_fetch_start(struct xos_loop *loop, struct xos_credd_ops *ops,
    struct xos_credd_source *source, struct xos_credd_fetch **out, struct xos_err *err)
{
	struct xos_credd_fetch *f = calloc(1, sizeof(*f));
	if (!f) {
		xos_credd_source_free(source);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, &attr);
	pthread_condattr_destroy(&attr);
	f->loop = loop;
	f->ops = ops;
	f->self = ops->self;
	f->source = source;
	enum xos_status st = prepare(f, err);
	if (!st && (f->self->conf->vops || f->self->conf->rca)) {
		f->running = pthread_create(&f->thread, NULL, run, f) == 0;
		if (!f->running)
			st = xos_err_set(err, XOS_INTERNAL, "thread", "cannot start a thread");
	}
	if (st) {
		fetch_free(f);
		return st;
	}
	ops->certificate = f->certificate;
	*out = f;
	return XOS_OK;
}

void xos_credd_fetch_wake(struct xos_credd_fetch *f)
{
	pthread_mutex_lock(&f->lock);
	f->woken = true;
	pthread_cond_signal(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

void xos_credd_fetch_stop(struct xos_credd_fetch *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_signal(&f->changed);
	pthread_mutex_unlock(&f->lock);
	if (f->running)
		pthread_join(f->thread, NULL);
	fetch_free(f);
}
