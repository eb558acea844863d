#include "service/trustwatch.h"

#include "base/clock.h"

#define DAY 86400

static struct xos_trust *current(const struct xos_trust_watch *w)
{
	return w->of ? w->of(w->ctx) : xos_trust_ref(w->trust);
}

static enum xos_status warn(void *ctx, struct xos_err *err)
{
	const struct xos_trust_watch *w = ctx;
	struct xos_trust *trust = current(w);
	enum xos_status st = xos_trust_health(trust, w->vo, xos_clock_now(), err);

	xos_trust_free(trust);
	return st;
}

static void figures(void *ctx, struct xos_buf *text)
{
	const struct xos_trust_watch *w = ctx;
	struct xos_trust *trust = current(w);
	const struct xos_trust_list *l = xos_trust_list(trust, w->vo);
	int64_t now = xos_clock_now();

	xos_metric_head(text, "xos_trust_list_serial",
	    "Serial of the trust list in force; 0: there is none.", "gauge");
	xos_buf_printf(text, "xos_trust_list_serial{vo=\"%s\"} %llu\n", w->vo,
	    (unsigned long long)(l ? l->serial : 0));
	if (l && l->n) {
		xos_metric_head(text, "xos_trust_certificate_days",
		    "Days until the end of each certificate below the root.", "gauge");
		for (size_t i = 0; i < l->n; i++) {
			const struct xos_trust_entry *e = &l->entry[i];

			xos_buf_printf(text,
			    "xos_trust_certificate_days{vo=\"%s\",role=\"%s\",state=\"%s\","
			    "serial=\"%s\"} %lld\n",
			    w->vo, xos_trust_role_name(e->role), xos_trust_state_name(e->state),
			    xos_cert_serial_text(e->cert),
			    (long long)((xos_cert_not_after(e->cert) - now) / DAY));
		}
	}
	xos_trust_free(trust);
}

enum xos_status xos_trust_watch(
    struct xos_health *h, struct xos_trust_watch *w, struct xos_err *err)
{
	enum xos_status st = xos_health_warning(h, "trust", warn, w, err);

	return st == XOS_OK ? xos_health_source(h, figures, w, err) : st;
}
