#include "credd/renewer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/grant.h"
#include "base/clock.h"
#include "base/event.h"
#include "credd/grants.h"
#include "net/client.h"
#include "net/pair.h"
#include "service/verifier.h"

#define TICK_MS 1000
#define CALL_MS 15000
#define PAIR_MS 20000   /* how long the node's own certificate may be in renewal */
#define CLIENT_MS 60000 /* a connection is kept no longer: the node's certificate changes */
#define HINT "is xos-server running there? Jobs go on with the credential that they have"

struct xos_credd_renewer {
	struct xos_loop *loop;
	struct xos_credd_ops *ops; /* the loop's thread only */
	struct xos_timer *tick;
	char *vo, *url;

	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop;
	struct xos_credd_work *work; /* to be done; under lock */
	bool busy;                   /* under lock */

	/* the thread's own */
	struct xos_trust *trust;
	struct xos_tls_pair pair;
	struct xos_service_verifier *verifier;
	struct xos_chain own;
	struct xos_client *client;
	int64_t client_ms;
};

static struct xos_credd_now now_of(const struct xos_credd_renewer *r)
{
	return (struct xos_credd_now){
	    .wall = xos_credd_view_now(xos_credd_decider_view(r->ops->decider)),
	    .boot_ms = xos_credd_boot_ms()};
}

/* --- on the loop's thread --- */

static void on_tick(void *ctx)
{
	struct xos_credd_renewer *r = ctx;
	struct xos_credd_now now = now_of(r);
	xos_credd_renewals_tick(r->ops->renewals, &now);
}

static bool send_work(void *ctx, struct xos_credd_work *w)
{
	struct xos_credd_renewer *r = ctx;
	pthread_mutex_lock(&r->lock);
	bool free_now = !r->stop && !r->busy;
	if (free_now) {
		r->work = w;
		r->busy = true;
		pthread_cond_signal(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
	return free_now;
}

static enum xos_status take(void *ctx, struct xos_credd_job *job, const struct xos_chain *chain,
    int64_t ends, int64_t now, struct xos_err *err)
{
	const struct xos_credd_renewer *r = ctx;
	return xos_credd_grant_renewed(
	    r->ops->jobs, r->ops->decider, r->ops->self->conf->node, job, chain, ends, now, err);
}

struct result {
	struct xos_credd_renewer *renewer;
	struct xos_credd_work *work;
};

static void deliver(void *ctx)
{
	struct result *x = ctx;
	struct xos_credd_renewer *r = x->renewer;
	struct xos_credd_now now = now_of(r);
	pthread_mutex_lock(&r->lock);
	r->busy = false;
	pthread_mutex_unlock(&r->lock);
	xos_credd_renewals_done(r->ops->renewals, x->work, &now);
	free(x);
}

/* --- on its own --- */

static bool give_up(void *ctx)
{
	struct xos_credd_renewer *r = ctx;
	pthread_mutex_lock(&r->lock);
	bool stop = r->stop;
	pthread_mutex_unlock(&r->lock);
	return stop;
}

static void drop_client(struct xos_credd_renewer *r)
{
	xos_client_free(r->client);
	r->client = NULL;
	xos_chain_clear(&r->own);
}

/* The node's certificate as it now is. Locked: the thread that renews it replaces both files. */
static enum xos_status read_own(struct xos_credd_renewer *r, struct xos_err *err)
{
	int lock = -1;
	enum xos_status st = xos_tls_pair_lock(&r->pair, xos_clock_mono_ms() + PAIR_MS, &lock, err);
	if (!st)
		st = xos_tls_pair_load(&r->pair, &r->own, err);
	xos_tls_pair_unlock(lock);
	return st;
}

static enum xos_status connect_to(struct xos_credd_renewer *r, struct xos_err *err)
{
	if (r->client && xos_clock_mono_ms() - r->client_ms < CLIENT_MS)
		return XOS_OK;
	drop_client(r);
	enum xos_status st = read_own(r, err);
	if (st)
		return st;
	const struct xos_client_options o = {
	    .base = r->url,
	    .own = &r->own,
	    .verifier = xos_service_verifier_get(r->verifier),
	    .total_ms = CALL_MS,
	    .give_up = give_up,
	    .give_up_ctx = r,
	    .hint = HINT,
	};
	r->client_ms = xos_clock_mono_ms();
	return xos_client_new(&o, &r->client, err);
}

static enum xos_status register_grant(
    struct xos_credd_renewer *r, struct xos_credd_work *w, struct xos_err *err)
{
	struct xos_grant_info info;
	struct xos_json *doc = xos_credd_grant_json(xos_buf_bytes(&w->wire));
	if (!doc)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	enum xos_status st = xos_grants_register(r->client, r->vo, doc, &info, err);
	if (!st)
		w->ends = info.ends;
	xos_json_free(doc);
	return st;
}

static enum xos_status renew(
    struct xos_credd_renewer *r, struct xos_credd_work *w, struct xos_err *err)
{
	struct xos_grant_renewed got = {.ends = 0};
	struct xos_json *body = NULL;
	struct xos_key *key = NULL;
	struct xos_buf proof;
	struct xos_bytes pem = {xos_secret_data(w->key), xos_secret_len(w->key)};
	enum xos_status st = xos_key_from_pem(pem, &key, err);
	xos_buf_init(&proof, XOS_GRANT_BODY_MAX);
	if (!st)
		st = xos_grant_prove(r->vo, w->job, key, xos_clock_now(), &proof, err);
	if (!st)
		st = xos_grant_countersign(r->vo, xos_buf_bytes(&proof), key, &r->own, &body, err);
	if (!st)
		st = xos_grants_renew(r->client, r->vo, w->job, body, key, r->trust, &got, err);
	if (!st) {
		w->chain = got.chain;
		got.chain = (struct xos_chain){.n = 0};
		w->ends = got.ends;
	}
	xos_grant_renewed_clear(&got);
	xos_json_free(body);
	xos_buf_free(&proof);
	xos_key_free(key);
	return st;
}

static void do_work(struct xos_credd_renewer *r, struct xos_credd_work *w)
{
	w->status = connect_to(r, &w->err);
	if (!w->status)
		w->status = w->registers ? register_grant(r, w, &w->err) : renew(r, w, &w->err);
	if (w->status == XOS_NOT_FOUND && strcmp(w->err.code, "no-such-path") == 0)
		w->status = xos_err_set(&w->err, XOS_UNAVAILABLE, "grants-not-known",
		    "the authority at %s is too old to renew credentials of jobs", r->url);
	if (w->status)
		drop_client(r);
}

static void hand_back(struct xos_credd_renewer *r, struct xos_credd_work *w)
{
	struct result *x = calloc(1, sizeof(*x));
	if (x)
		*x = (struct result){.renewer = r, .work = w};
	if (!x || xos_loop_post(r->loop, deliver, x)) {
		/* The job stays busy until the next start: said, since nothing else would show it. */
		XOS_EVENT(XOS_ERROR, "memory", "job", w->job);
		xos_credd_work_free(w);
		free(x);
	}
}

static void *run(void *ctx)
{
	struct xos_credd_renewer *r = ctx;
	pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		struct xos_credd_work *w = r->work;
		if (!w) {
			pthread_cond_wait(&r->changed, &r->lock);
			continue;
		}
		r->work = NULL;
		pthread_mutex_unlock(&r->lock);
		do_work(r, w);
		hand_back(r, w);
		pthread_mutex_lock(&r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* --- both ends of its life --- */

static enum xos_status prepare(struct xos_credd_renewer *r, struct xos_err *err)
{
	const struct xos_credd_conf *conf = r->ops->self->conf;
	const struct xos_service_verifier_options v = {.vo = conf->vo,
	    .kinds = XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .service = "ca",
	    .skew = XOS_KNOWN_SKEW,
	    .peer_is_server = true,
	    .list_url = conf->ca};
	const struct xos_credd_renewals_options o = {
	    .jobs = r->ops->jobs, .send = send_work, .take = take, .ctx = r};
	r->vo = strdup(conf->vo);
	r->url = strdup(conf->ca);
	r->tick = xos_timer_new(r->loop, on_tick, r);
	if (!r->vo || !r->url || !r->tick || !r->trust)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	enum xos_status st = xos_tls_pair_init(&r->pair, conf->tls_certificate, conf->tls_key, err);
	if (!st)
		st = xos_service_verifier_new(r->trust, &v, &r->verifier, err);
	return st ? st : xos_credd_renewals_new(&o, &r->ops->renewals, err);
}

enum xos_status xos_credd_renewer_start(struct xos_loop *loop, struct xos_credd_ops *ops,
    const struct xos_trust *trust, struct xos_credd_renewer **out, struct xos_err *err)
{
	*out = NULL;
	if (!ops->self->conf->ca)
		return XOS_OK;
	struct xos_credd_renewer *r = calloc(1, sizeof(*r));
	if (!r)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	r->loop = loop;
	r->ops = ops;
	r->trust = xos_trust_ref(trust);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	enum xos_status st = prepare(r, err);
	if (!st) {
		r->running = pthread_create(&r->thread, NULL, run, r) == 0;
		if (!r->running)
			st = xos_err_set(err, XOS_INTERNAL, "thread", "cannot start a thread");
	}
	if (st) {
		xos_credd_renewer_stop(r);
		xos_credd_renewer_free(r);
		return st;
	}
	xos_timer_every(r->tick, TICK_MS);
	*out = r;
	return XOS_OK;
}

void xos_credd_renewer_stop(struct xos_credd_renewer *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	if (r->running)
		pthread_join(r->thread, NULL);
	r->running = false;
	xos_timer_free(r->tick);
	r->tick = NULL;
}

void xos_credd_renewer_free(struct xos_credd_renewer *r)
{
	if (!r)
		return;
	xos_credd_renewals_free(r->ops->renewals);
	r->ops->renewals = NULL;
	xos_credd_work_free(r->work);
	drop_client(r);
	xos_service_verifier_free(r->verifier);
	xos_tls_pair_clear(&r->pair);
	xos_trust_free(r->trust);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r->vo);
	free(r->url);
	free(r);
}
