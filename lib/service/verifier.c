#include "service/verifier.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/trustdoc.h"
#include "base/clock.h"

struct xos_service_verifier {
	struct xos_verifier face;
	struct xos_service_verifier_options o;
	char *vo, *service, *name, *list_url;
	pthread_mutex_t lock; /* of trust, which may be exchanged */
	struct xos_trust *trust;
};

static enum xos_status standing(
    const struct xos_service_verifier *v, const struct xos_identity *id, struct xos_err *err)
{
	return v->o.standing ? v->o.standing(v->o.arg, id, err) : XOS_OK;
}

static struct xos_trust *trust_of(struct xos_service_verifier *v)
{
	pthread_mutex_lock(&v->lock);
	struct xos_trust *trust = xos_trust_ref(v->trust);
	pthread_mutex_unlock(&v->lock);
	return trust;
}

/* The server has a new key of whose list we have not heard: ask, once, and look again. */
static bool newer_list(
    const struct xos_service_verifier *v, const struct xos_trust *trust, const struct xos_err *why)
{
	bool news = false;

	if (!why || !v->vo || strcmp(why->code, "issuer-unlisted") != 0)
		return false;
	/* Without one the refusal stands, and tells what is wrong. */
	return xos_trust_doc_refresh(trust, v->list_url, v->vo, &news, NULL) == XOS_OK && news;
}

static enum xos_status verify(
    void *ctx, const struct xos_bytes *ders, size_t n, void **identity, struct xos_err *err)
{
	struct xos_service_verifier *v = ctx;
	struct xos_identity *id = NULL;
	struct xos_verify_opts opts = {
	    .now = xos_clock_now(),
	    .skew = v->o.skew,
	    .kinds = v->o.kinds,
	    .allow_delegation = v->o.allow_delegation,
	    .vo = v->vo,
	    .name = v->name,
	    .service = v->service,
	    .purpose = v->o.peer_is_server ? XOS_PURPOSE_TLS_SERVER : XOS_PURPOSE_TLS_CLIENT,
	    .revoked = v->o.revoked,
	    .arg = v->o.arg,
	};
	struct xos_trust *trust = trust_of(v);
	enum xos_status st = xos_token_verify(trust, ders, n, &opts, &id, err);
	if (st == XOS_DENIED && v->list_url && newer_list(v, trust, err))
		st = xos_token_verify(trust, ders, n, &opts, &id, err);
	xos_trust_free(trust);
	if (st == XOS_OK)
		st = standing(v, id, err);
	if (st != XOS_OK) {
		xos_identity_free(id);
		return st;
	}
	*identity = id;
	return XOS_OK;
}

/* A connection may outlive the certificate that opened it, and the trust in who issued that. */
static enum xos_status recheck(void *ctx, void *identity, struct xos_err *err)
{
	struct xos_service_verifier *v = ctx;
	const struct xos_identity *id = identity;
	int64_t over = xos_clock_now() - id->not_after;
	char text[XOS_TIME_TEXT];
	if (over > v->o.skew) {
		xos_duration_format(over, text);
		return xos_err_set(err, XOS_EXPIRED, "token-expired",
		    "the certificate of %s expired %s ago", id->uri, text);
	}
	struct xos_trust *trust = trust_of(v);
	enum xos_status st = xos_identity_listed(trust, id, err);
	xos_trust_free(trust);
	return st == XOS_OK ? standing(v, id, err) : st;
}

static void free_identity(void *identity)
{
	xos_identity_free(identity);
}

static bool copy(char **out, const char *s)
{
	*out = s ? strdup(s) : NULL;
	return !s || *out;
}

enum xos_status xos_service_verifier_new(const struct xos_trust *trust,
    const struct xos_service_verifier_options *opts, struct xos_service_verifier **out,
    struct xos_err *err)
{
	struct xos_service_verifier *v = calloc(1, sizeof(*v));
	if (!v)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	v->o = *opts;
	v->trust = xos_trust_ref(trust);
	pthread_mutex_init(&v->lock, NULL);
	v->face = (struct xos_verifier){
	    .verify = verify, .recheck = recheck, .free_identity = free_identity, .ctx = v};
	bool copied = copy(&v->vo, opts->vo);
	copied &= copy(&v->service, opts->service);
	copied &= copy(&v->name, opts->name);
	copied &= copy(&v->list_url, opts->list_url);
	if (!copied) {
		xos_service_verifier_free(v);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	*out = v;
	return XOS_OK;
}

void xos_service_verifier_free(struct xos_service_verifier *v)
{
	if (!v)
		return;
	xos_trust_free(v->trust);
	pthread_mutex_destroy(&v->lock);
	free(v->vo);
	free(v->service);
	free(v->name);
	free(v->list_url);
	free(v);
}

void xos_service_verifier_trust(struct xos_service_verifier *v, const struct xos_trust *trust)
{
	struct xos_trust *fresh = xos_trust_ref(trust);
	pthread_mutex_lock(&v->lock);
	struct xos_trust *old = v->trust;
	v->trust = fresh;
	pthread_mutex_unlock(&v->lock);
	xos_trust_free(old);
}

const struct xos_verifier *xos_service_verifier_get(const struct xos_service_verifier *v)
{
	return &v->face;
}
