/* SIGHUP in the three processes: what of the configuration counts at once, and the trust folder. */
#include "ca/reload.h"

#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "ca/network/hub.h"
#include "service/reload.h"

const char *const ca_conf_reloads[] = {"token.lifetime", "token.lifetime_max", "limits.connections",
    "limits.connections_per_address", "limits.request", "limits.idle", NULL};

/* NULL after an event: what was stays. */
static struct ca_conf *again(const struct xos_service_run *run)
{
	struct xos_err err = XOS_ERR_INIT;
	void *fresh = NULL;

	if (xos_service_conf_again(run->program, run->config_path, run->config_fd, &fresh, &err) ==
	    XOS_OK)
		return fresh;
	xos_event_err(XOS_ERROR, "config.not-applied", &err, (const char *)NULL);
	return NULL;
}

void ca_key_hup(void *key)
{
	struct ca_key *k = key;
	const struct xos_service_run *run = k->watch.run;
	struct ca_conf *fresh = again(run);
	char life[XOS_TIME_TEXT], most[XOS_TIME_TEXT];

	if (!fresh)
		return;
	k->lifetime = fresh->lifetime;
	k->lifetime_max = fresh->lifetime_max;
	xos_service_conf_free(run->program, fresh);
	xos_duration_format(k->lifetime, life);
	xos_duration_format(k->lifetime_max, most);
	XOS_EVENT(XOS_INFO, "config.applied", "lifetime", life, "lifetime_max", most);
}

static bool same_cert(const struct xos_cert *a, const struct xos_cert *b)
{
	struct xos_bytes x = xos_cert_der(a), y = xos_cert_der(b);

	return x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
}

/* Certificates of issuers come and go; the root of the VO that is served stays what it is. */
struct xos_trust *ca_trust_again(const struct ca_conf *conf, const struct xos_trust *old)
{
	const struct xos_cert *was = xos_trust_root(old, conf->common.vo);
	struct xos_err err = XOS_ERR_INIT;
	struct xos_trust *fresh = NULL;
	enum xos_status st = ca_load_trust(conf, &fresh, &err);

	if (st == XOS_OK && !same_cert(xos_trust_root(fresh, conf->common.vo), was)) {
		st = xos_err_set(&err, XOS_CONFLICT, "second-root",
		    "%s holds another root of VO %s: a new root counts from the next start",
		    conf->common.trust, conf->common.vo);
		xos_trust_free(fresh);
	}
	if (st == XOS_OK) {
		struct xos_bytes list = xos_trust_list_compact(old, conf->common.vo);

		/* The list in the folder may have been taken away, or an older one put there. */
		if (list.n && xos_trust_take_list(fresh, list, NULL, NULL) == XOS_INTERNAL) {
			xos_trust_free(fresh);
			return NULL;
		}
		XOS_EVENT(XOS_INFO, "trust.loaded", "folder", conf->common.trust);
		return fresh;
	}
	xos_event_err(XOS_ERROR, "trust.kept", &err, (const char *)NULL);
	return NULL;
}

void ca_auth_hup(void *auth)
{
	struct ca_auth *a = auth;
	struct xos_trust *fresh = ca_trust_again(a->watch.run->conf, a->trust);

	if (!fresh)
		return;
	xos_trust_free(a->trust);
	a->trust = fresh;
}

void ca_network_hup(void *network)
{
	struct ca_network *n = network;
	struct xos_trust *trust = ca_trust_again(n->conf, n->trust), *all;
	struct ca_conf *fresh = again(n->run);

	if (trust)
		ca_network_trust_set(n, trust);
	ca_hub_again(n->hub);
	all = ca_hub_trust(n->hub);
	if (all)
		xos_service_verifier_trust(n->verifier, all);
	xos_trust_free(all);
	if (fresh) {
		xos_front_limits(n->front, &fresh->common.limits);
		xos_service_conf_free(n->run->program, fresh);
	}
}
