#include "bundle/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "bundle/open.h"

struct xos_bundle *xos_bundle_ref(struct xos_bundle *b)
{
	atomic_fetch_add(&b->refs, 1);
	return b;
}

void xos_bundle_unref(struct xos_bundle *b)
{
	if (!b || atomic_fetch_sub(&b->refs, 1) != 1)
		return;
	xos_policy_set_unref(b->vo_set);
	xos_siteset_free(b->site_set);
	xos_siteset_free(b->node_set);
	for (size_t i = 0; i < b->nscoped; i++)
		xos_policy_set_unref(b->scoped[i]);
	free(b->scoped);
	for (size_t i = 0; i < b->nheads; i++)
		xos_buf_free(&b->head[i]);
	xos_buf_free(&b->trust);
	xos_roster_free(b->roster);
	xos_locks_free(b->locks[0]);
	xos_locks_free(b->locks[1]);
	for (size_t i = 0; i < b->nissuers; i++)
		xos_cert_free(b->issuers[i].cert);
	free(b);
}

const char *xos_bundle_vo(const struct xos_bundle *b)
{
	return b->vo;
}

const char *xos_bundle_site(const struct xos_bundle *b)
{
	return b->site;
}

uint64_t xos_bundle_serial(const struct xos_bundle *b)
{
	return b->serial;
}

int64_t xos_bundle_issued(const struct xos_bundle *b)
{
	return b->issued;
}

static const char *first_end(const struct xos_bundle *b, int64_t *end)
{
	static const char *const of[2] = {"locks of the ca", "locks of the rca"};
	const char *what = "bundle";

	*end = b->expires;
	if (b->site_set && b->site_set->expires < *end) {
		*end = b->site_set->expires;
		what = "site set";
	}
	if (b->node_set && b->node_set->expires < *end) {
		*end = b->node_set->expires;
		what = "node set";
	}
	if (xos_roster_expires(b->roster) < *end) {
		*end = xos_roster_expires(b->roster);
		what = "roster";
	}
	for (size_t i = 0; i < 2; i++) {
		if (b->locks[i] && xos_locks_expires(b->locks[i]) < *end) {
			*end = xos_locks_expires(b->locks[i]);
			what = of[i];
		}
	}
	return what;
}

int64_t xos_bundle_expires(const struct xos_bundle *b)
{
	int64_t end = 0;

	first_end(b, &end);
	return end;
}

const char *xos_bundle_expires_first(const struct xos_bundle *b)
{
	int64_t end = 0;

	return first_end(b, &end);
}

struct xos_policy_set *xos_bundle_vo_set(const struct xos_bundle *b)
{
	return b->vo_set;
}

struct xos_policy_set *xos_bundle_site_set(const struct xos_bundle *b)
{
	return b->site_set ? b->site_set->set : NULL;
}

int64_t xos_bundle_site_expires(const struct xos_bundle *b)
{
	return b->site_set ? b->site_set->expires : 0;
}

struct xos_policy_set *xos_bundle_node_set(const struct xos_bundle *b)
{
	return b->node_set ? b->node_set->set : NULL;
}

int64_t xos_bundle_node_expires(const struct xos_bundle *b)
{
	return b->node_set ? b->node_set->expires : 0;
}

size_t xos_bundle_scoped_count(const struct xos_bundle *b)
{
	return b->nscoped;
}

struct xos_policy_set *xos_bundle_scoped(const struct xos_bundle *b, size_t i)
{
	return i < b->nscoped ? b->scoped[i] : NULL;
}

size_t xos_bundle_head_count(const struct xos_bundle *b)
{
	return b->nheads;
}

struct xos_bytes xos_bundle_head(const struct xos_bundle *b, size_t i)
{
	return i < b->nheads ? xos_buf_bytes(&b->head[i]) : XOS_BYTES_NONE;
}

struct xos_bytes xos_bundle_trust_list(const struct xos_bundle *b)
{
	return xos_buf_bytes(&b->trust);
}

const struct xos_roster *xos_bundle_roster(const struct xos_bundle *b)
{
	return b->roster;
}

size_t xos_bundle_issuer_count(const struct xos_bundle *b)
{
	return b->nissuers;
}

const struct xos_cert *xos_bundle_issuer(const struct xos_bundle *b, size_t i)
{
	return i < b->nissuers ? b->issuers[i].cert : NULL;
}

const struct xos_lock *xos_bundle_lock(
    const struct xos_bundle *b, enum xos_lock_kind kind, const char *name, int64_t now)
{
	const struct xos_lock *hit = NULL;

	for (size_t i = 0; i < 2 && !hit; i++) {
		if (!b->locks[i])
			continue;
		if (kind == XOS_LOCK_GROUP || kind == XOS_LOCK_ROLE)
			hit = xos_locks_find_fqan(b->locks[i], name, now);
		else
			hit = xos_locks_find(b->locks[i], kind, name, now);
	}
	return hit;
}

const struct xos_lock *xos_bundle_lock_at(const struct xos_bundle *b, size_t i)
{
	for (size_t l = 0; l < 2; l++) {
		if (!b->locks[l])
			continue;
		if (i < xos_locks_count(b->locks[l]))
			return xos_locks_at(b->locks[l], i);
		i -= xos_locks_count(b->locks[l]);
	}
	return NULL;
}

static void raise_to(uint64_t *v, uint64_t to)
{
	if (to > *v)
		*v = to;
}

static void raise_time(int64_t *v, int64_t to)
{
	if (to > *v)
		*v = to;
}

static const uint8_t nobody[XOS_SHA256_LEN];

bool xos_bundle_seen_forget(struct xos_bundle_seen *seen,
    bool (*counts)(void *arg, const uint8_t fingerprint[XOS_SHA256_LEN]), void *arg)
{
	uint64_t *const of[XOS_BUNDLE_BY_N] = {[XOS_BUNDLE_BY_POLICY] = &seen->bundle,
	    [XOS_BUNDLE_BY_ROSTER] = &seen->roster,
	    [XOS_BUNDLE_BY_CA] = &seen->locks_ca,
	    [XOS_BUNDLE_BY_RCA] = &seen->locks_rca};
	bool any = false;

	for (size_t i = 0; i < XOS_BUNDLE_BY_N; i++) {
		if (memcmp(seen->by[i], nobody, sizeof(nobody)) == 0 || counts(arg, seen->by[i]))
			continue;
		*of[i] = 0;
		if (i == XOS_BUNDLE_BY_POLICY)
			seen->vo_set = 0;
		memset(seen->by[i], 0, sizeof(seen->by[i]));
		any = true;
	}
	return any;
}

void xos_bundle_seen_raise(struct xos_bundle_seen *seen, const struct xos_bundle *b)
{
	/* None of its serials is below what was seen, so that all of them are now by who signed this one. */
	for (size_t i = 0; i < XOS_BUNDLE_BY_N; i++)
		if (memcmp(b->by[i], nobody, sizeof(nobody)) != 0)
			memcpy(seen->by[i], b->by[i], sizeof(seen->by[i]));
	raise_to(&seen->bundle, b->serial);
	raise_to(&seen->vo_set, xos_policy_set_serial(b->vo_set));
	raise_to(&seen->roster, xos_roster_serial(b->roster));
	raise_time(&seen->newest, b->issued);
	raise_time(&seen->newest, xos_roster_issued(b->roster));
	if (b->site_set) {
		raise_to(&seen->site_set, b->site_set->serial);
		raise_time(&seen->newest, b->site_set->issued);
	}
	if (b->node_set) {
		raise_to(&seen->node_set, b->node_set->serial);
		raise_time(&seen->newest, b->node_set->issued);
	}
	if (b->locks[0]) {
		raise_to(&seen->locks_ca, xos_locks_serial(b->locks[0]));
		raise_time(&seen->newest, xos_locks_issued(b->locks[0]));
	}
	if (b->locks[1]) {
		raise_to(&seen->locks_rca, xos_locks_serial(b->locks[1]));
		raise_time(&seen->newest, xos_locks_issued(b->locks[1]));
	}
}
