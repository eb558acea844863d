#include "jobs/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "service/cert.h"
#include "service/trustwatch.h"
#include "service/verifier.h"

#define TICK_MS 50
#define CERT_TICKS 100 /* between looks at the further certificates */
#define WORKERS 4      /* for each VO; as many of its requests wait for its starter at a time */

struct member_vo {
	struct xos_job_front *front;
	/* Of further VOs: the first one's is the listener's own. */
	struct xos_service_cert *cert;
	uint8_t shown[XOS_SHA256_LEN]; /* fingerprint of the certificate that clients see */
	char warning[XOS_VO_MAX + 8];  /* of its trust list, in health */
};

struct xos_job_hub {
	struct member_vo vo[1 + XOS_JOBS_VOS_MAX];
	size_t n;
	struct xos_trust *trust; /* of all of them */
	struct xos_trust_watch
	    watch; /* of the first one's list; of the others there are warnings */
	struct xos_service_verifier *verifier;
	struct xos_front *front;
	unsigned ticks;
};

/* Shows this VO's identity to clients that believe its root; again only if it is another one. */
static enum xos_status show_identity(
    struct xos_job_hub *h, struct member_vo *v, struct xos_err *err)
{
	struct xos_chain own = {.n = 0};
	enum xos_status st = xos_service_cert_chain(v->cert, &own, err);

	if (st == XOS_OK &&
	    memcmp(v->shown, xos_cert_fingerprint(own.cert[0]), XOS_SHA256_LEN) != 0) {
		st = xos_tls_server_also(xos_service_cert_tls(xos_front_cert(h->front)),
		    xos_trust_root(v->front->trust, v->front->c->common.vo), &own, err);
		if (st == XOS_OK)
			memcpy(v->shown, xos_cert_fingerprint(own.cert[0]), XOS_SHA256_LEN);
	}
	xos_chain_clear(&own);
	return st;
}

/* After their courier renewed one, or somebody by hand. */
static void identities_again(struct xos_job_hub *h)
{
	for (size_t i = 1; i < h->n; i++) {
		struct xos_err err = XOS_ERR_INIT;
		const char *vo = h->vo[i].front->c->common.vo;

		xos_service_cert_again(h->vo[i].cert, vo);
		if (show_identity(h, &h->vo[i], &err) != XOS_OK)
			xos_event_err(
			    XOS_ERROR, "certificate.reload", &err, "vo", vo, (const char *)NULL);
	}
}

static void on_hup(void *ctx)
{
	identities_again(ctx);
}

static void on_tick(void *ctx)
{
	struct xos_job_hub *h = ctx;

	for (size_t i = 0; i < h->n; i++)
		xos_job_front_wake(h->vo[i].front, false);
	if (++h->ticks % CERT_TICKS == 0)
		identities_again(h);
}

static enum xos_status pick(
    void *arg, const struct xos_request *req, void **ctx, struct xos_err *err)
{
	struct xos_job_hub *h = arg;
	const struct xos_identity *who = xos_request_identity(req);
	const char *vo = xos_request_param(req, "vo");
	struct xos_job_front *f = NULL;

	/* Health and metrics are nobody's. */
	if (*ctx != h->vo[0].front)
		return XOS_OK;
	for (size_t i = 0; i < h->n && vo; i++)
		if (strcmp(h->vo[i].front->c->common.vo, vo) == 0)
			f = h->vo[i].front;
	if (!f)
		return xos_err_set(err, XOS_NOT_FOUND, "no-vo",
		    "node %s does not belong to a VO \"%.64s\"", h->vo[0].front->c->node,
		    vo ? vo : "");
	/* The listener believes the roots of all VOs; each VO only its own. */
	if (who && strcmp(who->claims->vo, vo) != 0)
		return xos_err_set(err, XOS_DENIED, "other-vo",
		    "your certificate is of VO %s, and this is VO %s", who->claims->vo, vo);
	*ctx = f;
	return XOS_OK;
}

static enum xos_status open_verifier(struct xos_job_hub *h, struct xos_err *err)
{
	/* No skew: tokens begin five minutes early for clocks that are behind, and what has ended by this
	 * node's clock starts nothing. */
	struct xos_service_verifier_options opts = {
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER), .allow_delegation = true};
	enum xos_status st = XOS_OK;

	/* A token must lead to the root of the VO that it names: one root can speak for no other VO. */
	if (h->n == 1)
		opts.vo = h->vo[0].front->c->common.vo;
	h->trust = xos_trust_new();
	if (!h->trust)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t i = 0; st == XOS_OK && i < h->n; i++)
		st = xos_trust_join(h->trust, h->vo[i].front->trust, err);
	return st == XOS_OK ? xos_service_verifier_new(h->trust, &opts, &h->verifier, err) : st;
}

static enum xos_status open_listener(
    struct xos_job_hub *h, const struct xos_jobs_config *c, int listen_fd, struct xos_err *err)
{
	struct xos_front_options opts = {.listen_fd = listen_fd,
	    .tls_certificate = c->common.tls_certificate,
	    .tls_key = c->common.tls_key,
	    .verifier = xos_service_verifier_get(h->verifier),
	    .workers = WORKERS * h->n,
	    .pick = pick,
	    .on_hup = on_hup,
	    .on_tick = on_tick,
	    .tick_ms = TICK_MS,
	    .ctx = h};
	enum xos_status st = xos_front_new(&opts, &h->front, err);

	if (st == XOS_OK)
		st = xos_job_front_routes(h->vo[0].front, h->front, err);
	h->watch = (struct xos_trust_watch){.trust = h->vo[0].front->trust, .vo = c->common.vo};
	return st == XOS_OK ? xos_trust_watch(xos_front_health(h->front), &h->watch, err) : st;
}

static enum xos_status trust_warning(void *ctx, struct xos_err *err)
{
	const struct xos_job_front *f = ctx;

	return xos_trust_health(f->trust, f->c->common.vo, xos_clock_now(), err);
}

static enum xos_status join_one(struct xos_job_hub *h, struct member_vo *v, struct xos_err *err)
{
	const struct xos_service_conf *c = &v->front->c->common;
	enum xos_status st =
	    xos_service_cert_new(c->tls_certificate, c->tls_key, NULL, &v->cert, err);

	if (st == XOS_OK)
		st = show_identity(h, v, err);
	if (st == XOS_OK)
		st = xos_health_check(
		    xos_front_health(h->front), c->vo, xos_service_cert_health, v->cert, err);
	snprintf(v->warning, sizeof(v->warning), "trust@%s", c->vo);
	return st == XOS_OK ? xos_health_warning(xos_front_health(h->front), v->warning,
	                          trust_warning, v->front, err)
	                    : st;
}

/* One VO's trust folder, that names another VO's root, would let that one in. */
static enum xos_status check_trust(const struct xos_job_front *f, struct xos_err *err)
{
	const char *vo = f->c->common.vo;

	for (size_t i = 0; i < xos_trust_vo_count(f->trust); i++)
		if (strcmp(xos_trust_vo(f->trust, i), vo) != 0)
			return xos_err_set(err, XOS_CONFLICT, "vos",
			    "%s: holds the root of VO %s; on a node of several VOs each has a "
			    "folder with its own root only",
			    f->c->common.trust, xos_trust_vo(f->trust, i));
	return XOS_OK;
}

static enum xos_status open_fronts(struct xos_job_hub *h, const struct xos_jobs_config *c,
    const struct xos_jobs_vos *vos, struct xos_channel *const *starters, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < 1 + vos->n; i++) {
		const struct xos_jobs_config *own = i == 0 ? c : &vos->conf[i - 1];

		st = xos_job_front_open(own, starters[i], &h->vo[i].front, err);
		if (st != XOS_OK)
			return xos_err_prefix(err, st, "VO %s", own->common.vo);
		h->n++;
		if (vos->n)
			st = check_trust(h->vo[i].front, err);
		/* Else one VO whose starter does not answer would have all threads. */
		h->vo[i].front->orders_max = vos->n ? WORKERS : 0;
	}
	return st;
}

enum xos_status xos_job_hub_open(const struct xos_jobs_config *c, const struct xos_jobs_vos *vos,
    struct xos_channel *const *starters, int listen_fd, struct xos_job_hub **out,
    struct xos_err *err)
{
	struct xos_job_hub *h = calloc(1, sizeof(*h));
	enum xos_status st;

	*out = NULL;
	if (!h)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	st = open_fronts(h, c, vos, starters, err);
	if (st == XOS_OK)
		st = open_verifier(h, err);
	if (st == XOS_OK)
		st = open_listener(h, c, listen_fd, err);
	for (size_t i = 1; st == XOS_OK && i < h->n; i++) {
		st = join_one(h, &h->vo[i], err);
		if (st != XOS_OK)
			st = xos_err_prefix(err, st, "VO %s", h->vo[i].front->c->common.vo);
	}
	if (st != XOS_OK) {
		xos_job_hub_free(h);
		return st;
	}
	*out = h;
	return XOS_OK;
}

enum xos_status xos_job_hub_serve(struct xos_job_hub *h, int signal_fd, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < h->n; i++)
		st = xos_job_front_begin(h->vo[i].front, err);
	if (st == XOS_OK)
		st = xos_front_run(h->front, signal_fd, err);
	for (size_t i = 0; i < h->n; i++)
		xos_job_front_end(h->vo[i].front);
	return st;
}

void xos_job_hub_free(struct xos_job_hub *h)
{
	if (!h)
		return;
	xos_front_free(h->front);
	xos_service_verifier_free(h->verifier);
	xos_trust_free(h->trust);
	for (size_t i = 0; i < h->n; i++) {
		xos_service_cert_free(h->vo[i].cert);
		xos_job_front_free(h->vo[i].front);
	}
	free(h);
}
