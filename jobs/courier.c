#include "jobs/courier.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "api/accounting.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "proc/daemon.h"
#include "proc/supervisor.h"
#include "service/cert.h"
#include "service/client.h"
#include "service/keep.h"

#define SKEW 300
#define IDLE_MS 200   /* between looks into an empty spool */
#define SLOW_MS 60000 /* and where nothing is sent */

struct xos_courier {
	const struct xos_jobs_config *c;
	char spool[PATH_MAX];
	struct xos_trust *trust;
	struct xos_service_cert *cert;
	struct xos_keep *keep;             /* of that certificate, which the courier renews */
	struct xos_service_client *client; /* NULL: to be made anew */
	unsigned failures;                 /* in a row */
};

enum xos_status xos_courier_open(
    const struct xos_jobs_config *c, struct xos_courier **out, struct xos_err *err)
{
	const struct xos_keep_options ko = {.certificate = c->common.tls_certificate,
	    .key = c->common.tls_key,
	    .url = c->rca,
	    .vo = c->common.vo};
	struct xos_courier *k = calloc(1, sizeof(*k));
	enum xos_status st;

	*out = NULL;
	if (!k)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	k->c = c;
	k->trust = xos_trust_new();
	if (!k->trust || !xos_path_join(k->spool, sizeof(k->spool), c->common.state, "spool"))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	else
		st = xos_trust_load(k->trust, c->common.trust, err);
	if (st == XOS_OK)
		st = xos_service_cert_new(
		    c->common.tls_certificate, c->common.tls_key, NULL, &k->cert, err);
	if (st == XOS_OK)
		st = xos_keep_new(&ko, &k->keep, err);
	if (st != XOS_OK) {
		xos_courier_free(k);
		return st;
	}
	*out = k;
	return XOS_OK;
}

void xos_courier_free(struct xos_courier *k)
{
	if (!k)
		return;
	xos_service_client_free(k->client);
	xos_service_cert_free(k->cert);
	xos_keep_free(k->keep);
	xos_trust_free(k->trust);
	free(k);
}

static enum xos_status connect_anew(struct xos_courier *k, struct xos_err *err)
{
	struct xos_chain own = {.n = 0};
	struct xos_service_client_options opts = {.url = k->c->accounting,
	    .vo = k->c->common.vo,
	    .service = "accounting",
	    .trust = k->trust,
	    .own = &own,
	    .skew = SKEW};
	enum xos_status st;

	if (k->client)
		return XOS_OK;
	if (xos_service_cert_poll(k->cert, err) != XOS_OK)
		xos_event_err(XOS_WARN, "certificate.reload", err, (const char *)NULL);
	st = xos_service_cert_chain(k->cert, &own, err);
	if (st == XOS_OK)
		st = xos_service_client_new(&opts, &k->client, err);
	xos_chain_clear(&own);
	return st;
}

/* --- the certificate that front and courier share --- */

/* The front notices by itself that the files are new. */
static void keep(struct xos_courier *k)
{
	struct xos_err err = XOS_ERR_INIT;
	enum xos_kept did;

	if (!k->c->rca)
		return;
	if (xos_keep_round(k->keep, k->trust, false, &did, &err) != XOS_OK)
		xos_event_err(XOS_WARN, "certificate.not-renewed", &err, "certificate",
		    k->c->common.tls_certificate, (const char *)NULL);
	if (did != XOS_KEPT_RENEWED && did != XOS_KEPT_RESCUED)
		return;
	XOS_EVENT(XOS_INFO, did == XOS_KEPT_RENEWED ? "certificate.renewed" : "certificate.rescued",
	    "certificate", k->c->common.tls_certificate);
	xos_service_client_free(k->client);
	k->client = NULL;
}

/* Milliseconds until the next round. */
static int64_t round_trip(struct xos_courier *k)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_spool_round round = {0};
	enum xos_status st = connect_anew(k, &err);

	if (st == XOS_OK)
		st = xos_spool_send(k->spool, xos_service_client(k->client), &round, &err);
	if (st == XOS_OK) {
		if (k->failures)
			XOS_EVENT(XOS_INFO, "records.sent-again");
		k->failures = 0;
		return IDLE_MS;
	}
	if (k->failures++ == 0)
		xos_event_err(XOS_WARN, "records.waiting", &err, (const char *)NULL);
	/* A new connection next time, with the certificate as it is then. */
	xos_service_client_free(k->client);
	k->client = NULL;
	return xos_spool_pause(k->failures);
}

enum xos_status xos_courier_serve(struct xos_courier *k, int signal_fd, struct xos_err *err)
{
	struct pollfd p = {.fd = signal_fd, .events = POLLIN};
	int64_t wait = 0;

	xos_child_ready();
	for (;;) {
		int sig;

		if (poll(&p, 1, (int)wait) < 0 && errno != EINTR)
			return xos_err_errno(err, errno, "poll", "cannot wait");
		while ((sig = xos_signal_next(signal_fd)) != 0)
			if (sig != SIGHUP)
				return XOS_OK;
		keep(k);
		wait = k->c->accounting ? round_trip(k) : SLOW_MS;
	}
}
