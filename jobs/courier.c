#include "jobs/courier.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "api/accounting.h"
#include "api/rca.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/random.h"
#include "net/pair.h"
#include "proc/daemon.h"
#include "proc/supervisor.h"
#include "service/cert.h"
#include "service/client.h"

#define SKEW 300
#define IDLE_MS 200        /* between looks into an empty spool */
#define SLOW_MS 60000      /* and where nothing is sent */
#define TAINTED_SPREAD 100 /* seconds */
#define RENEW_RETRY 300    /* seconds after a failure, at most */

struct xos_courier {
	const struct xos_jobs_config *c;
	char spool[PATH_MAX];
	struct xos_trust *trust;
	struct xos_service_cert *cert;
	struct xos_tls_pair pair;          /* certificate and key, which the courier renews */
	struct xos_service_client *client; /* NULL: to be made anew */
	unsigned failures;                 /* in a row */
	bool noticed;                      /* that the issuer of the certificate is tainted */
};

enum xos_status xos_courier_open(
    const struct xos_jobs_config *c, struct xos_courier **out, struct xos_err *err)
{
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
		st = xos_tls_pair_init(&k->pair, c->common.tls_certificate, c->common.tls_key, err);
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
	xos_tls_pair_clear(&k->pair);
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

/* The same name for a new key, which the old one vouches for. */
static enum xos_status renew(
    struct xos_courier *k, const struct xos_chain *old, struct xos_err *err)
{
	const struct xos_service_client_options o = {.url = k->c->rca,
	    .vo = k->c->common.vo,
	    .service = "rca",
	    .trust = k->trust,
	    .own = old,
	    .skew = SKEW};
	struct xos_service_client *client = NULL;
	struct xos_chain fresh = {.n = 0};
	struct xos_key *key = NULL;
	enum xos_status st = xos_service_client_new(&o, &client, err);

	if (st == XOS_OK)
		st = xos_key_generate(&key, err);
	if (st == XOS_OK)
		st = xos_rca_renew(
		    xos_service_client(client), k->c->common.vo, old, key, &fresh, err);
	if (st == XOS_OK) {
		fresh.key = xos_key_ref(key);
		st = xos_tls_pair_save(&k->pair, &fresh, err);
	}
	xos_chain_clear(&fresh);
	xos_key_free(key);
	xos_service_client_free(client);
	return st;
}

/* As xos-credd does it: all nodes hear of it at once. */
static bool issuer_tainted(struct xos_courier *k)
{
	struct xos_chain own = {.n = 0};
	bool tainted = xos_chain_load(k->pair.certificate, &own, NULL) == XOS_OK &&
	               xos_trust_tainted(k->trust, k->c->common.vo, &own);

	xos_chain_clear(&own);
	if (tainted && !k->noticed)
		k->pair.retry_after = xos_clock_now() + (int64_t)xos_random_below(TAINTED_SPREAD);
	k->noticed = tainted;
	return tainted;
}

/* Past half of its life, with chance; the front notices by itself that the files are new. */
static void renew_if_due(struct xos_courier *k)
{
	struct xos_tls_pair *p = &k->pair;
	struct xos_chain old = {.n = 0};
	struct xos_err err = XOS_ERR_INIT;
	int64_t now = xos_clock_now(), pause;

	bool tainted = k->c->rca && issuer_tainted(k);
	if (!k->c->rca || (now < p->renew_after && !tainted) || now < p->retry_after)
		return;
	/* Read anew: somebody may have renewed it by hand. */
	enum xos_status st = xos_tls_pair_load(p, &old, &err);
	bool due = st == XOS_OK && (now >= p->renew_after || tainted);
	if (due)
		st = renew(k, &old, &err);
	xos_chain_clear(&old);
	if (due && st == XOS_OK)
		st = xos_tls_pair_load(p, &old, &err);
	xos_chain_clear(&old);
	pause = (p->not_after - p->not_before) / 20;
	pause = pause < 1 || pause > RENEW_RETRY ? RENEW_RETRY : pause;
	p->retry_after = now + pause + (int64_t)xos_random_below((uint64_t)pause);
	if (st != XOS_OK) {
		xos_event_err(XOS_WARN, "certificate.not-renewed", &err, "certificate",
		    p->certificate, (const char *)NULL);
	} else if (due) {
		XOS_EVENT(XOS_INFO, "certificate.renewed", "certificate", p->certificate);
		xos_service_client_free(k->client);
		k->client = NULL;
	}
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
		renew_if_due(k);
		wait = k->c->accounting ? round_trip(k) : SLOW_MS;
	}
}
