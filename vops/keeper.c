#include "vops/keeper.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/event.h"

#define PAUSE_MS 1000

struct vops_keeper {
	struct xos_relay *relay;
	const char *vo;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool started, stop, poked;
	struct vops_view *view; /* under lock, as is the next */
	struct xos_err err;     /* why the last attempt failed; OK: it did not */
	uint64_t generation;    /* of the view; the thread's own */
};

enum xos_status vops_keeper_new(
    struct xos_relay *relay, const char *vo, struct vops_keeper **out, struct xos_err *err)
{
	struct vops_keeper *k = calloc(1, sizeof(*k));
	pthread_condattr_t attr;

	if (!k)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	k->relay = relay;
	k->vo = vo;
	pthread_mutex_init(&k->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&k->wake, &attr);
	pthread_condattr_destroy(&attr);
	*out = k;
	return XOS_OK;
}

struct vops_view *vops_keeper_view(struct vops_keeper *k)
{
	pthread_mutex_lock(&k->lock);
	struct vops_view *v = k->view ? vops_view_ref(k->view) : NULL;
	pthread_mutex_unlock(&k->lock);
	return v;
}

/* The thread alone replaces the view, so it may read it without the lock. */
static struct vops_part *reuse(
    const struct vops_keeper *k, uint8_t kind, const char *name, uint64_t tag)
{
	for (size_t i = 0; k->view && i < k->view->nparts; i++) {
		struct vops_part *p = k->view->parts[i];

		if (p->kind == kind && p->tag == tag && strcmp(p->name, name) == 0)
			return vops_part_ref(p);
	}
	return NULL;
}

static enum xos_status fetch_part(struct vops_keeper *k, uint8_t kind, const char *name,
    struct vops_part **out, struct xos_err *err)
{
	struct xos_buf ask, reply;
	struct xos_reader r;
	struct xos_bytes content = XOS_BYTES_NONE;
	uint64_t tag = 0, not_after = 0;

	xos_buf_init(&ask, VOPS_PART_NAME_MAX + 16);
	xos_buf_u8(&ask, kind);
	xos_buf_lp_str(&ask, name);
	enum xos_status st =
	    xos_relay_ask(k->relay, VOPS_VIEW_PART, xos_buf_bytes(&ask), &reply, err);
	if (st == XOS_OK) {
		xos_reader_init(&r, xos_buf_bytes(&reply));
		xos_reader_u64(&r, &tag);
		xos_reader_u64(&r, &not_after);
		xos_reader_lp(&r, XOS_BULK_MAX, &content);
		st = xos_reader_end(&r);
		if (st != XOS_OK)
			xos_err_set(err, st, "channel-frame", "bad answer of the auth process");
	}
	if (st == XOS_OK)
		st = vops_part_new(
		    kind, name, tag, (int64_t)not_after, content, k->relay->trust, k->vo, out, err);
	xos_buf_free(&reply);
	xos_buf_free(&ask);
	return st;
}

static enum xos_status read_entry(
    struct vops_keeper *k, struct xos_reader *r, struct vops_part **out, struct xos_err *err)
{
	char name[VOPS_PART_NAME_MAX + 1] = "";
	uint8_t kind = 0;
	uint64_t tag = 0;

	xos_reader_u8(r, &kind);
	xos_reader_lp_str(r, name, sizeof(name));
	if (!xos_reader_u64(r, &tag))
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "bad list of parts");
	*out = reuse(k, kind, name, tag);
	return *out ? XOS_OK : fetch_part(k, kind, name, out, err);
}

/* All parts, or nothing: a view of half of a change would decide by what nobody wrote. */
static enum xos_status make(
    struct vops_keeper *k, struct xos_reader *r, struct vops_view **out, struct xos_err *err)
{
	struct vops_part **parts = NULL;
	uint32_t n = 0;
	size_t done = 0;
	enum xos_status st = XOS_OK;

	xos_reader_u32(r, &n);
	if (n > VOPS_VIEW_PARTS_MAX)
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "too many parts");
	parts = calloc(n + 1u, sizeof(struct vops_part *));
	if (!parts)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (; st == XOS_OK && done < n; done++)
		st = read_entry(k, r, &parts[done], err);
	if (st == XOS_OK && xos_reader_end(r) != XOS_OK)
		st = xos_err_set(err, XOS_MALFORMED, "channel-frame", "bad list of parts");
	if (st == XOS_OK)
		return vops_view_new(k->vo, k->relay->trust, parts, n, out, err);
	for (size_t i = 0; i < done; i++)
		vops_part_unref(parts[i]);
	free(parts);
	return st;
}

static enum xos_status refresh(struct vops_keeper *k, struct xos_err *err)
{
	struct vops_view *fresh = NULL, *old;
	struct xos_buf ask, reply;
	struct xos_reader r;
	uint64_t generation = 0;
	uint8_t changed = 0;

	xos_buf_init(&ask, 8);
	xos_buf_u64(&ask, k->generation);
	enum xos_status st = xos_relay_ask(k->relay, VOPS_VIEW, xos_buf_bytes(&ask), &reply, err);
	if (st != XOS_OK)
		goto out;
	xos_reader_init(&r, xos_buf_bytes(&reply));
	xos_reader_u64(&r, &generation);
	if (!xos_reader_u8(&r, &changed)) {
		st = xos_err_set(err, XOS_MALFORMED, "channel-frame", "bad list of parts");
		goto out;
	}
	if (changed)
		st = make(k, &r, &fresh, err);
	if (st != XOS_OK || !fresh)
		goto out;
	pthread_mutex_lock(&k->lock);
	old = k->view;
	k->view = fresh;
	pthread_mutex_unlock(&k->lock);
	k->generation = generation;
	vops_view_unref(old);
	XOS_EVENT(XOS_DEBUG, "view.changed");
out:
	xos_buf_free(&reply);
	xos_buf_free(&ask);
	return st;
}

static void note(struct vops_keeper *k, enum xos_status st, const struct xos_err *err)
{
	pthread_mutex_lock(&k->lock);
	bool was_good = k->err.status == XOS_OK;
	k->err = st == XOS_OK ? (struct xos_err)XOS_ERR_INIT : *err;
	pthread_mutex_unlock(&k->lock);
	/* Once when it begins and once when it ends. */
	if (st != XOS_OK && was_good)
		xos_event_err(XOS_WARN, "view.failed", err, (const char *)NULL);
	if (st == XOS_OK && !was_good)
		XOS_EVENT(XOS_INFO, "view.recovered");
}

static bool pause_or_stop(struct vops_keeper *k)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PAUSE_MS / 1000;
	pthread_mutex_lock(&k->lock);
	while (!k->stop && !k->poked &&
	       pthread_cond_timedwait(&k->wake, &k->lock, &until) != ETIMEDOUT)
		;
	k->poked = false;
	bool stop = k->stop;
	pthread_mutex_unlock(&k->lock);
	return stop;
}

static void *loop(void *arg)
{
	struct vops_keeper *k = arg;

	do {
		struct xos_err err = XOS_ERR_INIT;
		enum xos_status st = refresh(k, &err);

		note(k, st, &err);
	} while (!pause_or_stop(k));
	return NULL;
}

enum xos_status vops_keeper_start(struct vops_keeper *k, struct xos_err *err)
{
	int rc = pthread_create(&k->thread, NULL, loop, k);

	if (rc)
		return xos_err_errno(err, rc, "thread", "cannot start a thread");
	k->started = true;
	return XOS_OK;
}

void vops_keeper_poke(struct vops_keeper *k)
{
	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->poked = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
}

void vops_keeper_stop(struct vops_keeper *k)
{
	if (!k || !k->started)
		return;
	pthread_mutex_lock(&k->lock);
	k->stop = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	k->started = false;
}

void vops_keeper_free(struct vops_keeper *k)
{
	if (!k)
		return;
	vops_keeper_stop(k);
	vops_view_unref(k->view);
	pthread_cond_destroy(&k->wake);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

enum xos_status vops_keeper_health(void *keeper, struct xos_err *err)
{
	struct vops_keeper *k = keeper;
	enum xos_status st = XOS_OK;

	pthread_mutex_lock(&k->lock);
	if (k->err.status != XOS_OK)
		st = xos_err_set(err, XOS_UNAVAILABLE, "view",
		    "what to decide by cannot be read, the last good view stays in force: %s",
		    k->err.text);
	else if (!k->view)
		st = xos_err_set(
		    err, XOS_UNAVAILABLE, "view", "nothing to decide by has been read yet");
	pthread_mutex_unlock(&k->lock);
	return st;
}
