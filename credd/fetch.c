#include "credd/fetch.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/trustdoc.h"
#include "api/vops.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "credd/renew.h"
#include "credd/tell.h"
#include "net/client.h"
#include "service/keep.h"
#include "service/sshhost.h"
#include "service/verifier.h"

#define CALL_MS 15000
#define DELIVER_S 10
#define BACKOFF_MAX 60 /* seconds between questions to a server that does not answer */
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
	bool waiting; /* at the policy service, for something new */

	/* the thread's own from here on */
	struct xos_service_verifier *vops_verifier;
	struct xos_client *vops;
	struct xos_chain own;
	char etag[XOS_VOPS_ETAG_MAX];
	int64_t backoff; /* seconds; 0: the last question was answered */
	struct xos_credd_contact contact;
	struct xos_credd_told told;
	uint64_t in_force; /* serial of the bundle by which the loop decides; under lock */
	int64_t until;     /* how long it can; under lock */
	uint64_t posted;   /* serial of the one that was posted last */
	struct xos_credd_certificate certificate;
	struct xos_keep *keep[XOS_CREDD_PAIRS_MAX]; /* the node's first */
	char *path[XOS_CREDD_PAIRS_MAX];
	size_t nkeep;
	struct xos_sshhost *ssh; /* NULL: not wanted */
};

/* From the thread to the loop: what is new. */
struct news {
	struct xos_credd_fetch *fetch; /* waits for the delivery of a view */
	struct xos_credd_ops *ops; /* outlives the loop, which runs what is left when it is freed */
	struct xos_credd_view *view; /* NULL: the old one stays */
	struct xos_credd_contact contact;
	struct xos_credd_certificate certificate;
	struct xos_credd_witness_state witness;
};

static void deliver(void *ctx)
{
	struct news *n = ctx;
	struct xos_credd_ops *ops = n->ops;
	ops->vops = n->contact;
	ops->certificate = n->certificate;
	ops->witness = n->witness;
	if (n->view) {
		char serial[24], until[XOS_TIME_TEXT];
		(void)!xos_str_printf(serial, sizeof(serial), "%llu",
		    (unsigned long long)xos_bundle_serial(n->view->bundle));
		xos_time_format(n->view->until, until);
		XOS_EVENT(XOS_INFO, "bundle.taken", "serial", serial, "until", until, "accounts",
		    n->view->slice.present ? NULL : n->view->slice.why);
		uint64_t in_force = xos_bundle_serial(n->view->bundle);
		int64_t end = n->view->until;
		xos_credd_decider_exchange(ops->decider, n->view);
		pthread_mutex_lock(&n->fetch->lock);
		n->fetch->in_force = in_force;
		n->fetch->until = end;
		pthread_cond_broadcast(&n->fetch->changed);
		pthread_mutex_unlock(&n->fetch->lock);
	}
	xos_credd_decider_bar(ops->decider, n->contact.barred);
	free(n);
}

/* A node says that a bundle is in force once it decides by it, not before. */
static void wait_delivered(struct xos_credd_fetch *f)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += DELIVER_S;
	pthread_mutex_lock(&f->lock);
	while (!f->stop && f->in_force < f->posted &&
	       pthread_cond_timedwait(&f->changed, &f->lock, &until) == 0)
		;
	pthread_mutex_unlock(&f->lock);
}

static void post(struct xos_credd_fetch *f, struct xos_credd_view *view)
{
	struct news *n = calloc(1, sizeof(*n));
	if (n)
		*n = (struct news){.fetch = f,
		    .ops = f->ops,
		    .view = view,
		    .contact = f->contact,
		    .certificate = f->certificate};
	if (n)
		xos_credd_witness_state(xos_credd_source_witness(f->source), &n->witness);
	if (!n || xos_loop_post(f->loop, deliver, n)) {
		XOS_EVENT(XOS_ERROR, "memory");
		xos_credd_view_free(view);
		free(n);
	}
}

static enum xos_status new_verifier(const struct xos_credd_fetch *f, const char *service,
    const char *url, struct xos_service_verifier **out, struct xos_err *err)
{
	struct xos_service_verifier_options opts = {
	    .vo = f->self->conf->vo,
	    .kinds = XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .service = service,
	    .skew = XOS_KNOWN_SKEW,
	    .peer_is_server = true,
	    .list_url = url,
	};
	return xos_service_verifier_new(xos_credd_source_trust(f->source), &opts, out, err);
}

/* Who waits at the server is not to keep the daemon from ending, nor a wake from being heard. */
static bool give_up(void *ctx)
{
	struct xos_credd_fetch *f = ctx;
	pthread_mutex_lock(&f->lock);
	bool yes = f->stop || (f->woken && f->waiting);
	pthread_mutex_unlock(&f->lock);
	return yes;
}

static enum xos_status new_client(struct xos_credd_fetch *f, const char *base,
    const struct xos_chain *own, const struct xos_service_verifier *verifier,
    struct xos_client **out, struct xos_err *err)
{
	struct xos_client_options opts = {
	    .base = base,
	    .own = own,
	    .verifier = xos_service_verifier_get(verifier),
	    .body_max = XOS_BUNDLE_MAX,
	    .total_ms = CALL_MS,
	    .give_up = give_up,
	    .give_up_ctx = f,
	    .hint = HINT,
	};
	return xos_client_new(&opts, out, err);
}

/* The node's certificate, as often as it changes: the client shows the one in use. */
static void take_own(struct xos_credd_fetch *f)
{
	struct xos_chain fresh = {.n = 0};
	if (xos_keep_chain(f->keep[0], &fresh, NULL)) {
		xos_chain_clear(&fresh);
		return;
	}
	xos_chain_clear(&f->own);
	f->own = fresh;
	xos_client_free(f->vops);
	f->vops = NULL;
}

static void show_own(struct xos_credd_fetch *f)
{
	const struct xos_keep_state *s = xos_keep_state(f->keep[0]);
	struct xos_credd_certificate *c = &f->certificate;
	c->not_after = s->not_after;
	c->renew_after = s->renew_after;
	c->confirmed = s->confirmed;
	c->refused = s->refused;
	memcpy(c->spki, s->spki, sizeof(c->spki));
	memcpy(c->last_error, s->last.text, sizeof(c->last_error));
}

/* A bundle that is refused may be signed by a key of which the next trust list tells. */
static bool newer_list(struct xos_credd_fetch *f)
{
	const struct xos_credd_conf *conf = f->self->conf;
	struct xos_err why = XOS_ERR_INIT;
	bool news = false;
	if (xos_trust_doc_refresh(
	        xos_credd_source_trust(f->source), conf->vops, conf->vo, &news, &why))
		xos_event_err(XOS_WARN, "trust.not-refreshed", &why, (const char *)NULL);
	return news;
}

/* One question; *changed and *view: what came. */
static enum xos_status ask_once(struct xos_credd_fetch *f, int64_t wait, bool *changed,
    struct xos_credd_view **view, struct xos_err *err)
{
	const struct xos_credd_conf *conf = f->self->conf;
	struct xos_vops_question q = {.vo = conf->vo, .site = conf->site, .wait = wait};
	char etag[XOS_VOPS_ETAG_MAX];
	struct xos_buf came;
	xos_buf_init(&came, XOS_BUNDLE_MAX);
	memcpy(etag, f->etag, sizeof(etag));
	pthread_mutex_lock(&f->lock);
	q.in_force = f->in_force;
	q.until = f->until;
	pthread_mutex_unlock(&f->lock);
	enum xos_status st = xos_vops_bundle(f->vops, &q, etag, changed, &came, err);
	/* Who is refused may have missed why. */
	if (st == XOS_DENIED)
		(void)newer_list(f);
	if (!st && *changed) {
		st = xos_credd_source_take(f->source, xos_buf_bytes(&came), view, err);
		if (st == XOS_DENIED && newer_list(f))
			st = xos_credd_source_take(f->source, xos_buf_bytes(&came), view, err);
	}
	/* A bundle that was refused is asked for again: it may have been mended. */
	if (!st)
		memcpy(f->etag, etag, sizeof(f->etag));
	xos_buf_free(&came);
	return st;
}

/* The server took us to have more than we have, or what came does not go with it: all of it, then. */
static bool no_whole(const struct xos_err *err)
{
	return strcmp(err->code, "bundle-part") == 0 || strcmp(err->code, "archive") == 0 ||
	       strcmp(err->code, "bundle-size") == 0;
}

static enum xos_status fetch(
    struct xos_credd_fetch *f, int64_t wait, struct xos_credd_view **view, struct xos_err *err)
{
	const struct xos_credd_conf *conf = f->self->conf;
	bool changed = false;
	enum xos_status st = XOS_OK;
	if (!f->own.n)
		st = xos_err_set(err, XOS_NOT_FOUND, "no-certificate", "%s",
		    f->certificate.last_error[0] ? f->certificate.last_error
		                                 : "the node has no certificate");
	if (!st && !f->vops)
		st = new_client(f, conf->vops, &f->own, f->vops_verifier, &f->vops, err);
	if (!st)
		st = ask_once(f, wait, &changed, view, err);
	if (st && err && f->etag[0] && no_whole(err)) {
		f->etag[0] = '\0';
		*err = (struct xos_err)XOS_ERR_INIT;
		st = ask_once(f, 0, &changed, view, err);
	}
	return st;
}

/* Failures make it ask less often, so that ten thousand nodes do not fall upon a server that comes back. */
static int64_t backed_off(struct xos_credd_fetch *f, bool failed)
{
	int64_t refresh = f->self->conf->refresh;
	int64_t most = refresh > BACKOFF_MAX ? refresh : BACKOFF_MAX;
	if (!failed) {
		f->backoff = 0;
		return refresh;
	}
	f->backoff = f->backoff ? 2 * f->backoff : refresh;
	if (f->backoff > most)
		f->backoff = most;
	return f->backoff;
}

/* Not beyond the time at which a certificate of this node's is to be renewed: the thread that waits renews. */
static int64_t may_wait(const struct xos_credd_fetch *f)
{
	int64_t wait = f->self->conf->wait, now = xos_clock_now();
	for (size_t i = 0; i < f->nkeep; i++) {
		int64_t left = xos_keep_state(f->keep[i])->renew_after - now;
		if (left < wait)
			wait = left > 0                        ? left
			       : f->self->conf->refresh < wait ? f->self->conf->refresh
			                                       : wait;
	}
	return wait;
}

/* Seconds until the next question; 0: at once, since the server lets us wait there. */
static int64_t ask_vops(struct xos_credd_fetch *f)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_view *view = NULL;
	const struct xos_credd_conf *conf = f->self->conf;
	/* The first question after a failure is answered at once, so that the status is current. */
	bool anew = !f->contact.last_ok || f->contact.last_error[0];
	int64_t wait = anew ? 0 : may_wait(f);
	int64_t asked = xos_clock_mono_ms(), next;
	pthread_mutex_lock(&f->lock);
	f->woken = false;
	f->waiting = wait != 0;
	pthread_mutex_unlock(&f->lock);
	enum xos_status st = fetch(f, wait, &view, &err);
	pthread_mutex_lock(&f->lock);
	f->waiting = false;
	pthread_mutex_unlock(&f->lock);
	/* Nothing was wrong: somebody wants it asked anew, or no more. */
	if (st && strcmp(err.code, "given-up") == 0)
		return 0;
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
	xos_credd_source_lists(f->source);
	/* The policy service says that this node is banned: it is not given a bundle that says so. */
	bool banned = st == XOS_DENIED && strcmp(err.code, "locked") == 0;
	if (banned || !st)
		memcpy(f->contact.barred, banned ? err.text : "", banned ? sizeof(err.text) : 1);
	next = backed_off(f, st && !banned);
	/* The next one waits there. A server that answers at once though asked to wait is asked at the interval. */
	if (!st && anew && conf->wait)
		next = 0;
	if (!st && wait && (view || xos_clock_mono_ms() - asked >= wait * 500))
		next = 0;
	f->contact.next = xos_clock_now() + (next ? next : conf->wait);
	if (view)
		f->posted = xos_bundle_serial(view->bundle);
	bool waits = view != NULL;
	post(f, view);
	if (waits)
		wait_delivered(f);
	return next;
}

/* What the bundles said of the VO's logs, as far as it is not proven yet. One round; what fails is asked again later. */
static void ask_proofs(struct xos_credd_fetch *f)
{
	struct xos_credd_witness *w = xos_credd_source_witness(f->source);
	struct xos_credd_witness_question q;
	bool asked = false;
	while (f->vops && !f->contact.last_error[0] &&
	       xos_credd_witness_next(w, xos_clock_mono_ms(), &q)) {
		struct xos_err err = XOS_ERR_INIT;
		struct xos_json *doc = NULL;
		enum xos_status st = xos_vops_log_growth(f->vops, f->self->conf->vo,
		    xos_vo_log_service(q.log), q.from, q.to, &doc, &err);
		xos_credd_witness_answer(w, &q, doc, st, &err, xos_clock_mono_ms());
		xos_json_free(doc);
		asked = true;
	}
	if (asked)
		post(f, NULL);
}

static void keep_one(struct xos_credd_fetch *f, size_t i)
{
	static const char *const events[] = {[XOS_KEPT_READ] = "certificate.read",
	    [XOS_KEPT_RENEWED] = "certificate.renewed",
	    [XOS_KEPT_RESCUED] = "certificate.rescued"};
	struct xos_err err = XOS_ERR_INIT;
	enum xos_kept did;
	const struct xos_trust *trust = xos_credd_source_trust(f->source);
	enum xos_status st = xos_keep_round(f->keep[i], trust, false, &did, &err);
	if (st)
		xos_event_err(XOS_WARN, "certificate.not-renewed", &err, "certificate", f->path[i],
		    (const char *)NULL);
	if (did != XOS_KEPT_NOTHING)
		XOS_EVENT(XOS_INFO, events[did], "certificate", f->path[i]);
	if (i != 0)
		return;
	if (did != XOS_KEPT_NOTHING)
		take_own(f);
	show_own(f);
}

static void keep_ssh(struct xos_credd_fetch *f)
{
	struct xos_err err = XOS_ERR_INIT;
	size_t renewed = 0;
	if (!f->ssh || !f->own.n)
		return;
	if (xos_sshhost_round(
	        f->ssh, xos_credd_source_trust(f->source), &f->own, false, &renewed, &err))
		xos_event_err(XOS_WARN, "ssh-host.not-renewed", &err, (const char *)NULL);
	if (renewed)
		XOS_EVENT(XOS_INFO, "ssh-host.renewed", "keys", f->self->conf->ssh_host_keys);
}

/* The interval, a tenth more or less: nodes that started together drift apart. */
static void rest(struct xos_credd_fetch *f, int64_t seconds)
{
	int64_t ms = seconds * 1000;
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
		int64_t pause = f->self->conf->refresh;
		if (f->self->conf->vops)
			pause = ask_vops(f);
		if (f->self->conf->vops && !stopping(f))
			ask_proofs(f);
		for (size_t i = 0; i < f->nkeep && !stopping(f); i++)
			keep_one(f, i);
		if (!stopping(f))
			keep_ssh(f);
		post(f, NULL);
		if (!stopping(f) && pause)
			rest(f, pause);
	}
	return NULL;
}

/* The node's and those that it keeps for its services. */
static enum xos_status new_keepers(struct xos_credd_fetch *f, struct xos_err *err)
{
	const struct xos_credd_conf *conf = f->self->conf;
	struct xos_tls_pair pairs[XOS_CREDD_PAIRS_MAX];
	size_t n = 0;
	enum xos_status st =
	    xos_tls_pair_init(&pairs[0], conf->tls_certificate, conf->tls_key, err);
	if (!st)
		n = 1;
	if (!st)
		st = xos_credd_pairs_parse(conf->renew, pairs, &n, err);
	for (size_t i = 0; i < n; i++) {
		const struct xos_keep_options o = {.certificate = pairs[i].certificate,
		    .key = pairs[i].key,
		    .url = conf->rca,
		    .vo = conf->vo};
		if (!st)
			st = xos_keep_new(&o, &f->keep[i], err);
		if (!st)
			f->nkeep = i + 1;
		f->path[i] = pairs[i].certificate;
		pairs[i].certificate = NULL;
		xos_tls_pair_clear(&pairs[i]);
	}
	return st;
}

static enum xos_status new_ssh(struct xos_credd_fetch *f, struct xos_err *err)
{
	const struct xos_credd_conf *conf = f->self->conf;
	char out[PATH_MAX];
	if (!conf->ssh_host_keys || !conf->rca)
		return XOS_OK;
	if (!xos_path_join(out, sizeof(out), conf->state, "ssh"))
		return xos_err_set(err, XOS_LIMIT, "path", "%s is too long", conf->state);
	const struct xos_sshhost_options o = {
	    .keys = conf->ssh_host_keys, .out = out, .url = conf->rca, .vo = conf->vo};
	return xos_sshhost_new(&o, &f->ssh, err);
}

static enum xos_status prepare(struct xos_credd_fetch *f, struct xos_err *err)
{
	const struct xos_credd_conf *conf = f->self->conf;
	if (!conf->tls_key)
		return XOS_OK;
	enum xos_status st = new_keepers(f, err);
	if (!st)
		st = new_ssh(f, err);
	if (!st)
		st = new_verifier(f, "vops", conf->vops, &f->vops_verifier, err);
	if (st)
		return st;
	/* Without a certificate the node still decides; it is tried again with each question. */
	struct xos_err why = XOS_ERR_INIT;
	enum xos_kept did;
	if (xos_keep_read(f->keep[0], &did, &why))
		xos_event_err(XOS_ERROR, "certificate.unusable", &why, (const char *)NULL);
	take_own(f);
	show_own(f);
	return XOS_OK;
}

static void fetch_free(struct xos_credd_fetch *f)
{
	xos_client_free(f->vops);
	xos_service_verifier_free(f->vops_verifier);
	xos_chain_clear(&f->own);
	for (size_t i = 0; i < XOS_CREDD_PAIRS_MAX; i++) {
		xos_keep_free(f->keep[i]);
		free(f->path[i]);
	}
	xos_sshhost_free(f->ssh);
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
	xos_credd_witness_state(xos_credd_source_witness(f->source), &ops->witness);
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
