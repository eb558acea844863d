#include "ca/network/hub.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/text.h"
#include "ca/messages.h"
#include "ca/reload.h"
#include "ca/vos.h"
#include "net/loop.h"
#include "proc/pass.h"
#include "proc/supervisor.h"
#include "service/cert.h"

struct further {
	struct ca_network n;
	int control; /* the supervisor of its auth and key; -1: gone */
	struct xos_watch *watch;
	struct xos_service_cert *cert;
	char auth[XOS_VO_MAX + 8], key[XOS_VO_MAX + 8]; /* names in health */
};

struct ca_hub {
	struct ca_network *first;
	struct ca_vos *vos;
	struct further *further;
	size_t n; /* of them */
};

static enum xos_status open_further(struct ca_hub *h, size_t i, struct xos_err *err)
{
	struct further *f = &h->further[i];
	const struct ca_conf *conf = &h->vos->conf[i];
	char name[XOS_VO_MAX + 8];
	enum xos_status st = XOS_INTERNAL;

	f->control = -1;
	pthread_mutex_init(&f->n.lock, NULL);
	f->n.conf = conf;
	f->n.hub = h;
	h->n++;
	if (xos_str_printf(name, sizeof(name), "pair-%s", conf->common.vo) &&
	    xos_str_printf(f->auth, sizeof(f->auth), "auth@%s", conf->common.vo) &&
	    xos_str_printf(f->key, sizeof(f->key), "key@%s", conf->common.vo))
		st = xos_child_fd_take(name, &f->control, err);
	if (st == XOS_OK)
		st = ca_load_trust(conf, &f->n.trust, err);
	if (st == XOS_OK)
		st = xos_bulk_new(NULL, &f->n.auth, err);
	if (st == XOS_OK)
		st = xos_bulk_new(NULL, &f->n.key, err);
	return st == XOS_OK ? ca_network_status_new(conf, f->n.trust, f->n.key, &f->n.status, err)
	                    : st;
}

enum xos_status ca_hub_new(
    struct ca_network *first, struct xos_part_self *self, struct ca_hub **out, struct xos_err *err)
{
	struct ca_hub *h = calloc(1, sizeof(*h));
	enum xos_status st;

	(void)self;
	if (!h)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	h->first = first;
	st = ca_vos_load(first->conf, &h->vos, err);
	if (st == XOS_OK && h->vos->n) {
		h->further = calloc(h->vos->n, sizeof(*h->further));
		if (!h->further)
			st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	for (size_t i = 0; st == XOS_OK && i < h->vos->n; i++)
		st = open_further(h, i, err);
	if (st != XOS_OK) {
		ca_hub_free(h);
		return st;
	}
	*out = h;
	return XOS_OK;
}

void ca_hub_stop(struct ca_hub *h)
{
	for (size_t i = 0; h && i < h->n; i++) {
		xos_watch_free(h->further[i].watch);
		h->further[i].watch = NULL;
	}
}

void ca_hub_free(struct ca_hub *h)
{
	if (!h)
		return;
	for (size_t i = 0; h->further && i < h->n; i++) {
		struct further *f = &h->further[i];

		xos_service_cert_free(f->cert);
		ca_network_status_free(f->n.status);
		xos_trust_free(f->n.trust);
		xos_bulk_free(f->n.auth);
		xos_bulk_free(f->n.key);
		pthread_mutex_destroy(&f->n.lock);
		if (f->control >= 0)
			close(f->control);
	}
	free(h->further);
	ca_vos_free(h->vos);
	free(h);
}

size_t ca_hub_count(const struct ca_hub *h)
{
	return 1 + h->n;
}

const char *ca_hub_name(const struct ca_hub *h, size_t i)
{
	return i == 0 ? h->first->conf->common.vo : h->further[i - 1].n.conf->common.vo;
}

/* ---- trust ---- */

static enum xos_status add_trust(struct xos_trust *to, struct ca_network *n)
{
	struct xos_trust *t = ca_network_trust(n);
	enum xos_status st = xos_trust_join(to, t, NULL);

	xos_trust_free(t);
	return st;
}

struct xos_trust *ca_hub_trust(struct ca_hub *h)
{
	struct xos_trust *all = xos_trust_new();
	enum xos_status st = all ? add_trust(all, h->first) : XOS_INTERNAL;

	for (size_t i = 0; st == XOS_OK && i < h->n; i++)
		st = add_trust(all, &h->further[i].n);
	if (st == XOS_OK)
		return all;
	xos_trust_free(all);
	return NULL;
}

/* ---- joining the front of the first ---- */

/* Shows the identity of this VO to clients that believe its root. */
static enum xos_status show_identity(struct ca_hub *h, struct further *f, struct xos_err *err)
{
	struct xos_trust *trust = ca_network_trust(&f->n);
	struct xos_chain own = {.n = 0};
	enum xos_status st = xos_service_cert_chain(f->cert, &own, err);

	if (st == XOS_OK)
		st = xos_tls_server_also(xos_service_cert_tls(xos_front_cert(h->first->front)),
		    xos_trust_root(trust, f->n.conf->common.vo), &own, err);
	xos_chain_clear(&own);
	xos_trust_free(trust);
	return st;
}

void ca_hub_again(struct ca_hub *h)
{
	for (size_t i = 0; i < h->n; i++) {
		struct further *f = &h->further[i];
		struct xos_trust *fresh = ca_trust_again(f->n.conf, f->n.trust);
		struct xos_err err = XOS_ERR_INIT;

		xos_service_cert_again(f->cert, f->n.conf->common.vo);
		if (fresh)
			ca_network_trust_set(&f->n, fresh);
		if (show_identity(h, f, &err) != XOS_OK)
			xos_event_err(XOS_ERROR, "certificate.reload", &err, "vo",
			    f->n.conf->common.vo, (const char *)NULL);
	}
}

static enum xos_status join_one(struct ca_hub *h, struct further *f, struct xos_err *err)
{
	const struct xos_service_conf *c = &f->n.conf->common;
	struct xos_front *front = h->first->front;
	struct xos_health *health = xos_front_health(front);
	enum xos_status st =
	    xos_service_cert_new(c->tls_certificate, c->tls_key, NULL, &f->cert, err);

	if (st == XOS_OK)
		st = show_identity(h, f, err);
	/* Counted together with the first; its own figures would be families a second time. */
	f->n.front = front;
	f->n.logins = h->first->logins;
	f->n.commands = h->first->commands;
	if (st == XOS_OK)
		st = xos_health_check(health, c->vo, xos_service_cert_health, f->cert, err);
	if (st == XOS_OK)
		st = xos_monitor_watch_quietly(
		    h->first->monitor, health, f->auth, f->n.auth, CA_REPORT, err);
	if (st == XOS_OK)
		st = xos_monitor_watch_quietly(
		    h->first->monitor, health, f->key, f->n.key, CA_REPORT, err);
	return st;
}

enum xos_status ca_hub_join(struct ca_hub *h, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < h->n; i++) {
		st = join_one(h, &h->further[i], err);
		if (st != XOS_OK)
			st = xos_err_prefix(err, st, "VO %s", h->further[i].n.conf->common.vo);
	}
	return st;
}

/* ---- channels that come ---- */

static void attach(struct further *f, const int fds[2])
{
	struct xos_channel *ch[2] = {NULL, NULL};
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status st = xos_channel_new(fds[0], &ch[0], &err), second;

	/* Both are taken, also when one is refused. */
	second = xos_channel_new(fds[1], &ch[1], st == XOS_OK ? &err : NULL);
	if (st == XOS_OK && second == XOS_OK) {
		xos_bulk_attach(f->n.auth, ch[0]);
		xos_bulk_attach(f->n.key, ch[1]);
		XOS_EVENT(XOS_INFO, "pair.attached", "vo", f->n.conf->common.vo);
		return;
	}
	xos_channel_free(ch[0]);
	xos_channel_free(ch[1]);
	xos_event_err(
	    XOS_ERROR, "pair.not-attached", &err, "vo", f->n.conf->common.vo, (const char *)NULL);
}

static void on_control(void *ctx, unsigned events)
{
	struct further *f = ctx;
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status st;
	int fds[2];

	(void)events;
	while ((st = xos_fds_receive(f->control, fds, 2, &err)) == XOS_OK)
		attach(f, fds);
	if (st != XOS_UNAVAILABLE)
		return;
	/* Its supervisor is gone; ours ends us all in a moment and starts anew. */
	if (f->watch)
		xos_watch_set(f->watch, 0);
}

enum xos_status ca_hub_start(struct ca_hub *h, struct xos_err *err)
{
	for (size_t i = 0; i < h->n; i++) {
		struct further *f = &h->further[i];

		f->watch =
		    xos_watch_new(xos_front_loop(h->first->front), f->control, on_control, f);
		if (!f->watch)
			return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		xos_watch_set(f->watch, XOS_WATCH_READ);
		on_control(f, 0);
	}
	return XOS_OK;
}

enum xos_status ca_hub_pick(
    void *arg, const struct xos_request *req, void **ctx, struct xos_err *err)
{
	struct ca_network *first = arg;
	struct ca_hub *h = first->hub;
	const char *vo = xos_request_param(req, "vo");
	bool status = *ctx == first->status; /* what is given out over plain HTTP */

	(void)err;
	/* Routes without a VO, and names that are not served, are for the first one to answer. */
	if ((*ctx != first && !status) || !vo)
		return XOS_OK;
	for (size_t i = 0; i < h->n; i++) {
		struct ca_network *n = &h->further[i].n;

		if (strcmp(n->conf->common.vo, vo) == 0)
			*ctx = status ? (void *)n->status : (void *)n;
	}
	return XOS_OK;
}
