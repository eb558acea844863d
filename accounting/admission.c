#include "accounting/admission.h"

#include <stdlib.h>

#include "base/clock.h"
#include "service/fetch.h"
#include "service/lockout.h"

/* In the order in which they are asked. */
static const struct {
	struct xos_fetch_source from;
	enum xos_lockout_list list;
} sources[] = {
    {{.service = "ca", .path = "administrators", .name = "list of administrators"},
        XOS_LOCKOUT_ADMINISTRATORS},
    {{.service = "ca", .path = "locks", .name = "locks of xos-cad"}, XOS_LOCKOUT_LOCKS_CA},
    {{.service = "rca", .path = "locks", .name = "locks of xos-rcad"}, XOS_LOCKOUT_LOCKS_RCA},
};
#define SOURCES (sizeof(sources) / sizeof(sources[0]))

struct xos_acct_admission {
	struct xos_fetch_source source[SOURCES];
	struct xos_lockout *lockout;
	struct xos_fetch *fetch; /* NULL: the configuration names nobody to ask */
};

static enum xos_status take(void *ctx, size_t source, struct xos_bytes object, struct xos_err *err)
{
	struct xos_acct_admission *a = ctx;

	return xos_lockout_take(a->lockout, sources[source].list, object, xos_clock_now(), err);
}

/* For /health/ready of a service that was set up before acctd.conf had these keys. */
static enum xos_status nobody_to_ask(void *ctx, struct xos_err *err)
{
	(void)ctx;
	return xos_err_set(err, XOS_UNAVAILABLE, "no-ca",
	    "acctd.conf does not say whom to ask who is locked, so nobody is let in: add ca_url "
	    "and "
	    "rca_url, the addresses (https://ADDRESS:PORT) of xos-cad and xos-rcad");
}

static enum xos_status open_fetch(struct xos_acct_admission *a, const struct xos_acct_config *c,
    const struct xos_trust *trust, struct xos_front *front, struct xos_err *err)
{
	for (size_t i = 0; i < SOURCES; i++) {
		a->source[i] = sources[i].from;
		a->source[i].url =
		    sources[i].list == XOS_LOCKOUT_LOCKS_RCA ? c->rca_url : c->ca_url;
	}
	const struct xos_fetch_options o = {.vo = c->common.vo,
	    .trust = trust,
	    .cert = xos_front_cert(front),
	    .sources = a->source,
	    .nsources = SOURCES,
	    .refresh = c->refresh,
	    .take = take,
	    .ctx = a};
	enum xos_status st = xos_fetch_new(&o, &a->fetch, err);
	return st == XOS_OK ? xos_health_check(xos_front_health(front), "sources", xos_fetch_health,
	                          a->fetch, err)
	                    : st;
}

enum xos_status xos_acct_admission_new(const struct xos_acct_config *c,
    const struct xos_trust *trust, struct xos_front *front, struct xos_acct_admission **out,
    struct xos_err *err)
{
	struct xos_acct_admission *a = calloc(1, sizeof(*a));

	if (!a)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	enum xos_status st = xos_lockout_new(c->common.vo, trust, &a->lockout, err);
	if (st == XOS_OK && c->ca_url && c->rca_url)
		st = open_fetch(a, c, trust, front, err);
	else if (st == XOS_OK)
		st = xos_health_check(xos_front_health(front), "sources", nobody_to_ask, NULL, err);
	if (st != XOS_OK)
		xos_acct_admission_free(a);
	else
		*out = a;
	return st;
}

enum xos_status xos_acct_admission_start(struct xos_acct_admission *a, struct xos_err *err)
{
	return a->fetch ? xos_fetch_start(a->fetch, err) : XOS_OK;
}

void xos_acct_admission_free(struct xos_acct_admission *a)
{
	if (!a)
		return;
	xos_fetch_free(a->fetch);
	xos_lockout_free(a->lockout);
	free(a);
}

enum xos_status xos_acct_admit(
    struct xos_acct_admission *a, const struct xos_identity *who, struct xos_err *err)
{
	return xos_lockout_check(a->lockout, who, xos_clock_now(), err);
}

enum xos_status xos_acct_administers(
    struct xos_acct_admission *a, const struct xos_identity *who, struct xos_err *err)
{
	return xos_lockout_administers(a->lockout, who, xos_clock_now(), err);
}
