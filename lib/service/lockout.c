#include "service/lockout.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/signer.h"
#include "base/clock.h"
#include "bundle/locks.h"
#include "service/gate.h"

#define SKEW 300
#define ISSUERS_MAX 8
#define LISTS 2 /* of locks: of the ca, of the rca */

struct xos_lockout {
	const char *vo;
	const struct xos_trust *trust;
	pthread_mutex_t lock; /* of what stands below */
	struct xos_locks *locks[LISTS];
	struct xos_gate *gate; /* holds the administrators */
};

enum xos_status xos_lockout_new(
    const char *vo, const struct xos_trust *trust, struct xos_lockout **out, struct xos_err *err)
{
	struct xos_lockout *s = calloc(1, sizeof(*s));
	const struct xos_gate_options o = {.vo = vo, .trust = trust};

	if (!s)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	s->vo = vo;
	s->trust = trust;
	pthread_mutex_init(&s->lock, NULL);
	enum xos_status st = xos_gate_new(&o, &s->gate, err);
	if (st != XOS_OK)
		xos_lockout_free(s);
	else
		*out = s;
	return st;
}

void xos_lockout_free(struct xos_lockout *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < LISTS; i++)
		xos_locks_free(s->locks[i]);
	xos_gate_free(s->gate);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static enum xos_status take_locks(
    struct xos_lockout *s, size_t which, struct xos_bytes compact, int64_t now, struct xos_err *err)
{
	const struct xos_cert *cert[ISSUERS_MAX];
	struct xos_bundle_certs certs = {.cert = cert};
	const struct xos_bundle_trust trust = {.vo = s->vo,
	    .signer = xos_api_signer,
	    .signed_at = xos_api_signed_at,
	    .arg = (void *)(uintptr_t)s->trust,
	    .now = now,
	    .skew = SKEW};
	struct xos_locks *fresh = NULL;

	certs.n = xos_trust_issuers(s->trust, s->vo, cert, ISSUERS_MAX);
	enum xos_status st = xos_locks_verify(compact,
	    which == XOS_LOCKOUT_LOCKS_CA ? XOS_SIGNER_CA : XOS_SIGNER_RCA, &certs, &trust, &fresh,
	    err);
	if (st != XOS_OK)
		return st;
	pthread_mutex_lock(&s->lock);
	if (s->locks[which] && xos_locks_serial(fresh) < xos_locks_serial(s->locks[which])) {
		st = xos_err_set(err, XOS_CONFLICT, "older-list",
		    "a list of locks that is older than the one in force");
	} else {
		xos_locks_free(s->locks[which]);
		s->locks[which] = fresh;
		fresh = NULL;
	}
	pthread_mutex_unlock(&s->lock);
	xos_locks_free(fresh);
	return st;
}

enum xos_status xos_lockout_take(struct xos_lockout *s, enum xos_lockout_list which,
    struct xos_bytes compact, int64_t now, struct xos_err *err)
{
	if (which != XOS_LOCKOUT_ADMINISTRATORS)
		return take_locks(s, which, compact, now, err);
	pthread_mutex_lock(&s->lock);
	enum xos_status st = xos_gate_list(s->gate, compact, now, err);
	pthread_mutex_unlock(&s->lock);
	return st;
}

static enum xos_status known(const struct xos_lockout *s, int64_t now, struct xos_err *err)
{
	static const char *const names[LISTS] = {"xos-cad", "xos-rcad"};

	for (size_t i = 0; i < LISTS; i++)
		if (!s->locks[i] || now >= xos_locks_expires(s->locks[i]))
			return xos_err_set(err, XOS_UNAVAILABLE, "locks-unknown",
			    "this server has no list of locks of %s that still counts, and lets "
			    "nobody in "
			    "without: try again in a few seconds; /health/ready says why",
			    names[i]);
	return XOS_OK;
}

static enum xos_status locked(const struct xos_lockout *s, enum xos_lock_kind kind,
    const char *name, int64_t now, struct xos_err *err)
{
	bool fqan = kind == XOS_LOCK_GROUP || kind == XOS_LOCK_ROLE;
	const struct xos_lock *l = NULL;

	for (size_t i = 0; !l && i < LISTS; i++)
		l = fqan ? xos_locks_find_fqan(s->locks[i], name, now)
		         : xos_locks_find(s->locks[i], kind, name, now);
	if (!l)
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "locked", "the %s %s is locked%s%s (lock %s)",
	    xos_lock_kind_name(l->kind), l->name, l->message[0] ? ": " : "", l->message, l->id);
}

static enum xos_status check(
    const struct xos_lockout *s, const struct xos_identity *id, int64_t now, struct xos_err *err)
{
	const struct xos_claims *c = id->claims;
	bool machine = c->kind == XOS_KIND_NODE || c->kind == XOS_KIND_SERVICE;
	enum xos_status st = known(s, now, err);

	if (st == XOS_OK)
		st = locked(s, machine ? XOS_LOCK_NODE : XOS_LOCK_MEMBER, c->name, now, err);
	if (st == XOS_OK)
		st = locked(s, XOS_LOCK_TOKEN, id->serial, now, err);
	for (size_t i = 0; st == XOS_OK && i < c->ngroups; i++)
		st = locked(s, XOS_LOCK_GROUP, c->groups[i], now, err);
	for (size_t i = 0; st == XOS_OK && i < c->nroles; i++)
		st = locked(s, XOS_LOCK_ROLE, c->roles[i], now, err);
	if (st == XOS_OK && c->home_org[0])
		st = locked(s, XOS_LOCK_HOME, c->home_org, now, err);
	return st;
}

enum xos_status xos_lockout_check(
    struct xos_lockout *s, const struct xos_identity *id, int64_t now, struct xos_err *err)
{
	pthread_mutex_lock(&s->lock);
	enum xos_status st = check(s, id, now, err);
	pthread_mutex_unlock(&s->lock);
	return st;
}

enum xos_status xos_lockout_administers(
    struct xos_lockout *s, const struct xos_identity *id, int64_t now, struct xos_err *err)
{
	pthread_mutex_lock(&s->lock);
	enum xos_status st = xos_gate_standing(s->gate, id, now, err);
	pthread_mutex_unlock(&s->lock);
	return st;
}
