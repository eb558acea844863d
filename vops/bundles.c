#include "vops/bundles.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/vops.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "vops/contacts.h"
#include "vops/messages.h"
#include "vops/shelf.h"

#define LOOK_MS 1000
/* A change is news for all who wait, at once; each answer is a copy of what changed, a roster for example. So many bytes
 * of it are handed out, then others are given time to be sent. */
#define SETTLE_BYTES (16u * 1024 * 1024)
#define SETTLE_MS 50
#define HURRY_MS 500 /* questions make it fetch at most so often */

struct waiter {
	const struct xos_request *req;
	struct xos_response *res;
	int64_t until_ms;
	uint64_t have;
	char site[XOS_SITE_MAX + 1];
};

struct vops_bundles {
	struct xos_relay *relay;
	struct xos_lockout *lockout;
	int64_t life, since; /* since: when we began */
	pthread_t thread;
	bool started;
	pthread_mutex_t fetching; /* one transfer from auth at a time; taken before lock */
	pthread_mutex_t lock;     /* of all below */
	pthread_cond_t wake;
	bool stop, poked;
	int64_t hurried_ms;
	struct vops_shelf *shelf;
	struct vops_contacts *contacts;
	struct waiter *waiters;
	size_t nwaiters, room;
	size_t given; /* bytes of bodies that were handed out in this round */
	bool behind;  /* some who wait were left for the next round */
};

/* ---- from auth to the shelf ---- */

static enum xos_status put(
    struct vops_bundles *b, const char *site, struct xos_bytes reply, struct xos_err *err)
{
	struct xos_bytes archive = XOS_BYTES_NONE;
	char etag[XOS_VOPS_ETAG_MAX] = "";
	struct xos_reader r;
	uint8_t changed = 0;
	enum xos_status st;

	xos_reader_init(&r, reply);
	xos_reader_u8(&r, &changed);
	xos_reader_lp_str(&r, etag, sizeof(etag));
	xos_reader_lp(&r, XOS_BUNDLE_MAX, &archive);
	if (xos_reader_end(&r) != XOS_OK)
		return xos_err_set(err, XOS_INTERNAL, "bundle", "bad answer of the auth process");
	if (!changed)
		return XOS_OK;
	pthread_mutex_lock(&b->lock);
	st = vops_shelf_put(b->shelf, site, archive, err);
	pthread_mutex_unlock(&b->lock);
	return st;
}

/* Brings the shelf up to date by what auth says. The others wait for one transfer. */
static enum xos_status refresh(struct vops_bundles *b, const char *site, struct xos_err *err)
{
	char etag[XOS_VOPS_ETAG_MAX] = "";
	struct xos_buf message, reply;
	uint64_t serial;

	pthread_mutex_lock(&b->fetching);
	pthread_mutex_lock(&b->lock);
	serial = vops_shelf_serial(b->shelf, site);
	pthread_mutex_unlock(&b->lock);
	if (serial)
		xos_str_printf(etag, sizeof(etag), "\"%llu\"", (unsigned long long)serial);
	xos_buf_init(&message, 1024);
	xos_buf_lp_str(&message, site);
	xos_buf_lp_str(&message, etag);
	enum xos_status st =
	    xos_relay_ask(b->relay, VOPS_BUNDLE, xos_buf_bytes(&message), &reply, err);
	if (st == XOS_OK)
		st = put(b, site, xos_buf_bytes(&reply), err);
	pthread_mutex_unlock(&b->fetching);
	xos_buf_free(&reply);
	xos_buf_free(&message);
	return st;
}

/* ---- a node asks ---- */

struct ask {
	const char *site;
	uint64_t have, wait, in_force;
	int64_t until;
};

static enum xos_status read_ask(const struct xos_request *req, struct ask *a, struct xos_err *err)
{
	static const char *const allowed[] = {"site", "wait", "in_force", "until", NULL};
	const char *match = xos_request_header(req, "If-None-Match");
	const char *until = xos_request_query(req, "until");
	enum xos_status st = xos_request_query_only(req, allowed, err);
	size_t n = match ? strlen(match) : 0;
	char digits[32];

	*a = (struct ask){.site = xos_request_query(req, "site")};
	if (st == XOS_OK && (!a->site || !xos_name_is_site(a->site)))
		st = xos_err_set(err, XOS_MALFORMED, "site-name", "say which site: ?site=NAME");
	if (st == XOS_OK)
		st = xos_request_query_u64(req, "wait", 0, VOPS_WAIT_MAX, &a->wait, err);
	if (st == XOS_OK)
		st = xos_request_query_u64(req, "in_force", 0, INT64_MAX, &a->in_force, err);
	if (st == XOS_OK && until && !xos_time_parse(until, &a->until))
		st = xos_err_set(err, XOS_MALFORMED, "query", "until: no time");
	/* A tag that is none of ours is as good as none: all is sent. */
	if (n > 2 && n < sizeof(digits) && match[0] == '"' && match[n - 1] == '"') {
		memcpy(digits, match + 1, n - 2);
		digits[n - 2] = 0;
		(void)!xos_parse_u64(digits, INT64_MAX, &a->have);
	}
	return st;
}

static enum xos_status check_node(
    struct vops_bundles *b, const struct xos_identity *id, struct xos_err *err)
{
	if (!id || id->claims->kind != XOS_KIND_NODE)
		return xos_err_set(err, XOS_DENIED, "token-kind", "bundles are given to nodes");
	/* A node that is banned is told so, and nothing else. Before the lists of locks have come nobody is
	 * refused: what it gets says itself who is locked. */
	enum xos_status st = xos_lockout_check(b->lockout, id, xos_clock_now(), err);
	return st == XOS_UNAVAILABLE ? XOS_OK : st;
}

static void note(struct vops_bundles *b, const struct xos_identity *id, const struct ask *a)
{
	struct vops_contact c = {.serial = a->in_force, .seen = xos_clock_now(), .until = a->until};
	struct xos_err err = XOS_ERR_INIT;

	if (!xos_str_copy(c.node, sizeof(c.node), id->claims->name) ||
	    !xos_str_copy(c.site, sizeof(c.site), a->site))
		return;
	pthread_mutex_lock(&b->lock);
	if (vops_contacts_note(b->contacts, &c, &err) != XOS_OK)
		xos_event_err(XOS_WARN, "contact.not-kept", &err, (const char *)NULL);
	pthread_mutex_unlock(&b->lock);
}

/* Under the lock. Is there something else than what it has? */
static bool is_news(const struct vops_bundles *b, const char *site, uint64_t have)
{
	uint64_t serial = vops_shelf_serial(b->shelf, site);

	return serial && serial != have;
}

/* Under the lock. */
static enum xos_status answer(struct vops_bundles *b, const char *site, uint64_t have,
    struct xos_response *res, struct xos_err *err)
{
	uint64_t serial = vops_shelf_serial(b->shelf, site);
	struct xos_shared *body = NULL;
	char etag[XOS_VOPS_ETAG_MAX];
	enum xos_status st;

	xos_str_printf(etag, sizeof(etag), "\"%llu\"", (unsigned long long)serial);
	xos_response_header(res, "ETag", etag);
	if (serial == have) {
		xos_response_status(res, 304);
		return XOS_OK;
	}
	st = vops_shelf_give(b->shelf, site, have, &body, err);
	if (st == XOS_OK) {
		xos_response_shared(res, XOS_VOPS_BUNDLE_TYPE, body);
		b->given += xos_shared_bytes(body).n;
	}
	return st;
}

/* Under the lock. False: no room; the caller answers at once. */
static bool hold(struct vops_bundles *b, const struct ask *a, const struct xos_request *req,
    struct xos_response *res)
{
	if (b->stop || b->nwaiters >= VOPS_WAITERS_MAX)
		return false;
	if (b->nwaiters == b->room) {
		size_t room = b->room ? 2 * b->room : 64;
		struct waiter *grown = realloc(b->waiters, room * sizeof(*grown));

		if (!grown)
			return false;
		b->waiters = grown;
		b->room = room;
	}
	struct waiter *w = &b->waiters[b->nwaiters];
	*w = (struct waiter){.req = req,
	    .res = res,
	    .until_ms = xos_clock_mono_ms() + (int64_t)a->wait * 1000,
	    .have = a->have};
	if (!xos_str_copy(w->site, sizeof(w->site), a->site))
		return false;
	/* Before anybody else can see it: the answer may be given at once. */
	xos_response_defer(res);
	b->nwaiters++;
	return true;
}

static enum xos_status on_bundle(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct vops_bundles *b = ctx;
	const struct xos_identity *id = xos_request_identity(req);
	bool known = false;
	struct ask a;
	enum xos_status st = xos_relay_check_vo(b->relay, req, err);

	if (st == XOS_OK)
		st = check_node(b, id, err);
	if (st == XOS_OK)
		st = read_ask(req, &a, err);
	if (st != XOS_OK)
		return st;
	note(b, id, &a);
	pthread_mutex_lock(&b->lock);
	known = vops_shelf_serial(b->shelf, a.site) != 0;
	pthread_mutex_unlock(&b->lock);
	/* Later the thread keeps it current; who does not wait gets what there is this moment. */
	if (!known || !a.wait)
		st = refresh(b, a.site, err);
	if (st != XOS_OK)
		return st;
	pthread_mutex_lock(&b->lock);
	if (is_news(b, a.site, a.have) || !a.wait || !hold(b, &a, req, res))
		st = answer(b, a.site, a.have, res, err);
	pthread_mutex_unlock(&b->lock);
	return st;
}

/* ---- the thread ---- */

/* Under the lock: answers those for whom there is news, or whose time is over. */
static void settle(struct vops_bundles *b, bool all)
{
	int64_t now = xos_clock_mono_ms();
	size_t i = 0;

	b->given = 0;
	while (i < b->nwaiters && (all || b->given < SETTLE_BYTES)) {
		struct waiter w = b->waiters[i];
		struct xos_err err = XOS_ERR_INIT;

		if (!all && w.until_ms > now && !is_news(b, w.site, w.have)) {
			i++;
			continue;
		}
		b->waiters[i] = b->waiters[--b->nwaiters];
		enum xos_status st = answer(b, w.site, w.have, w.res, &err);
		xos_response_finish(w.res, st, &err);
	}
	b->behind = i < b->nwaiters;
}

/* A site that somebody waits for and that was not looked at in this round; false: none is left. */
static bool next_site(struct vops_bundles *b, char (*done)[XOS_SITE_MAX + 1], size_t ndone,
    char site[XOS_SITE_MAX + 1])
{
	for (size_t i = 0; i < b->nwaiters; i++) {
		size_t k = 0;

		while (k < ndone && strcmp(done[k], b->waiters[i].site) != 0)
			k++;
		if (k == ndone) {
			memcpy(site, b->waiters[i].site, XOS_SITE_MAX + 1);
			return true;
		}
	}
	return false;
}

static void look(struct vops_bundles *b)
{
	static const size_t max = 1000; /* VOPS_SITES_MAX */
	char(*done)[XOS_SITE_MAX + 1] = calloc(max, sizeof(*done));
	size_t n = 0;

	while (done && n < max) {
		struct xos_err err = XOS_ERR_INIT;

		pthread_mutex_lock(&b->lock);
		bool more = next_site(b, done, n, done[n]);
		pthread_mutex_unlock(&b->lock);
		if (!more)
			break;
		if (refresh(b, done[n], &err) != XOS_OK)
			xos_event_err(XOS_WARN, "bundle.not-current", &err, "site", done[n],
			    (const char *)NULL);
		n++;
	}
	free(done);
	pthread_mutex_lock(&b->lock);
	settle(b, false);
	while (b->behind && !b->stop) {
		struct timespec pause = {.tv_nsec = SETTLE_MS * 1000000L};

		pthread_mutex_unlock(&b->lock);
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&b->lock);
		settle(b, false);
	}
	pthread_mutex_unlock(&b->lock);
}

static bool pause_or_stop(struct vops_bundles *b)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LOOK_MS / 1000;
	pthread_mutex_lock(&b->lock);
	while (!b->stop && !b->poked &&
	       pthread_cond_timedwait(&b->wake, &b->lock, &until) != ETIMEDOUT)
		;
	b->poked = false;
	bool stop = b->stop;
	pthread_mutex_unlock(&b->lock);
	return stop;
}

static void *run(void *arg)
{
	struct vops_bundles *b = arg;

	while (!pause_or_stop(b))
		look(b);
	return NULL;
}

/* ---- who has enforced what ---- */

struct question {
	const char *lock, *gone;
	uint64_t vo_set;
};

/* By the bundle that is in force there: does it say what was asked for? */
static bool enforced(
    const struct vops_bundles *b, const struct vops_contact *c, const struct question *q)
{
	const struct xos_bundle_sight *s = vops_shelf_sight(b->shelf, c->site, c->serial);

	if (!s)
		return false;
	if (q->lock)
		return xos_bundle_sight_lock(s, q->lock);
	if (q->gone)
		return !xos_bundle_sight_lock(s, q->gone);
	return s->vo_set >= q->vo_set;
}

static struct xos_json *tell(
    const struct vops_bundles *b, const struct vops_contact *c, const struct question *q)
{
	struct xos_json *o = xos_json_object();
	int64_t worst = c->seen + b->life;

	xos_json_set_string(o, "node", c->node);
	xos_json_set_string(o, "site", c->site);
	xos_json_set_int(o, "serial", (int64_t)c->serial);
	xos_json_set_time(o, "seen", c->seen);
	/* Its own word, as far as a bundle can live at all. */
	xos_json_set_time(o, "until", c->until && c->until < worst ? c->until : worst);
	xos_json_set_bool(o, "enforced", enforced(b, c, q));
	return o;
}

static enum xos_status on_enforcement(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	static const char *const allowed[] = {"lock", "gone", "vo_set", NULL};
	struct vops_bundles *b = ctx;
	const struct xos_identity *id = xos_request_identity(req);
	struct question q = {
	    .lock = xos_request_query(req, "lock"), .gone = xos_request_query(req, "gone")};
	enum xos_status st = xos_relay_check_vo(b->relay, req, err);

	if (st == XOS_OK && (!id || id->claims->kind != XOS_KIND_USER || id->nsteps))
		st = xos_err_set(
		    err, XOS_DENIED, "token-kind", "members ask this, with their own token");
	if (st == XOS_OK)
		st = xos_lockout_check(b->lockout, id, xos_clock_now(), err);
	if (st == XOS_OK)
		st = xos_request_query_only(req, allowed, err);
	if (st == XOS_OK)
		st = xos_request_query_u64(req, "vo_set", 0, INT64_MAX, &q.vo_set, err);
	if (st != XOS_OK)
		return st;
	struct xos_json *doc = xos_json_object(), *nodes = xos_json_array();
	pthread_mutex_lock(&b->lock);
	/* Who asks has just changed something: it is fetched now, not at the next interval. */
	int64_t now_ms = xos_clock_mono_ms();
	if (now_ms - b->hurried_ms >= HURRY_MS) {
		b->hurried_ms = now_ms;
		xos_fetch_poke(b->relay->fetch);
	}
	for (size_t i = 0; i < vops_contacts_count(b->contacts); i++)
		xos_json_add(nodes, tell(b, vops_contacts_at(b->contacts, i), &q));
	pthread_mutex_unlock(&b->lock);
	xos_json_set(doc, "nodes", nodes);
	/* Who has not asked since may decide by a bundle from before. */
	xos_json_set_time(doc, "unknown_until", b->since + b->life);
	xos_response_json(res, 200, doc);
	return XOS_OK;
}

static const struct xos_route routes[] = {
    {"GET", "/v1/vo/{vo}/bundle", on_bundle, XOS_ROUTE_CERT, 0},
    {"GET", "/v1/vo/{vo}/enforcement", on_enforcement, XOS_ROUTE_CERT, 0},
};

/* ---- */

enum xos_status vops_bundles_new(struct xos_relay *relay, struct xos_lockout *lockout, int64_t life,
    struct vops_bundles **out, struct xos_err *err)
{
	struct vops_bundles *b = calloc(1, sizeof(*b));
	pthread_condattr_t attr;

	if (!b)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	pthread_mutex_init(&b->fetching, NULL);
	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&b->wake, &attr);
	pthread_condattr_destroy(&attr);
	b->relay = relay;
	b->lockout = lockout;
	b->life = life;
	b->since = xos_clock_now();
	b->shelf = vops_shelf_new();
	b->contacts = vops_contacts_new();
	enum xos_status st =
	    b->shelf && b->contacts
	        ? xos_front_routes(relay->front, routes, sizeof(routes) / sizeof(routes[0]), b, err)
	        : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st != XOS_OK)
		vops_bundles_free(b);
	else
		*out = b;
	return st;
}

enum xos_status vops_bundles_start(struct vops_bundles *b, struct xos_err *err)
{
	int rc = pthread_create(&b->thread, NULL, run, b);

	if (rc)
		return xos_err_errno(err, rc, "thread", "cannot start a thread");
	b->started = true;
	return XOS_OK;
}

void vops_bundles_poke(struct vops_bundles *b)
{
	pthread_mutex_lock(&b->lock);
	b->poked = true;
	pthread_cond_signal(&b->wake);
	pthread_mutex_unlock(&b->lock);
}

void vops_bundles_stop(struct vops_bundles *b)
{
	pthread_mutex_lock(&b->lock);
	b->stop = true;
	settle(b, true);
	pthread_cond_signal(&b->wake);
	pthread_mutex_unlock(&b->lock);
}

void vops_bundles_free(struct vops_bundles *b)
{
	if (!b)
		return;
	if (b->started) {
		vops_bundles_stop(b);
		pthread_join(b->thread, NULL);
	}
	vops_shelf_free(b->shelf);
	vops_contacts_free(b->contacts);
	free(b->waiters);
	pthread_cond_destroy(&b->wake);
	pthread_mutex_destroy(&b->lock);
	pthread_mutex_destroy(&b->fetching);
	free(b);
}
