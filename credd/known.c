#include "credd/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "policy/restriction.h"

void xos_credd_known_free(struct xos_credd_known *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->nrestrictions; i++)
		xos_policy_set_unref(k->restriction[i]);
	xos_identity_free(k->id);
	free(k);
}

/* A restriction that cannot be read may be the one that forbids: never passed over. */
static enum xos_status take_step(struct xos_credd_known *k, const struct xos_delegation *step,
    const char *node, struct xos_err *err)
{
	if (step->node[0] && strcmp(step->node, node) != 0)
		return xos_err_set(err, XOS_DENIED, "wrong-node",
		    "the delegation is for the node %s only, and this is %s", step->node, node);
	if (!step->restriction_len)
		return XOS_OK;
	if (k->nrestrictions == sizeof(k->restriction) / sizeof(k->restriction[0]))
		return xos_err_set(
		    err, XOS_DENIED, "restriction", "more delegations than may follow");
	struct xos_bytes in = {step->restriction, step->restriction_len};
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = xos_restriction_decode(in, &k->restriction[k->nrestrictions], &why);
	if (st == XOS_INTERNAL)
		return xos_err_set(err, st, "memory", "%s", why.text);
	if (st)
		return xos_err_set(err, XOS_DENIED, "restriction",
		    "a restriction in the delegation cannot be understood, so nothing is allowed "
		    "by it: "
		    "%s",
		    why.text);
	k->nrestrictions++;
	return XOS_OK;
}

/* A host may be called like a member: its kind stands in front. */
static bool name_subject(struct xos_credd_known *k)
{
	const struct xos_claims *c = k->id->claims;
	const char *kind = c->kind == XOS_KIND_NODE      ? "node:"
	                   : c->kind == XOS_KIND_SERVICE ? "service:"
	                                                 : "";
	return xos_str_printf(k->subject, sizeof(k->subject), "%s%s:%s%s%s", kind, c->vo,
	    c->service, c->service[0] ? "/" : "", c->name);
}

enum xos_status xos_credd_known_make(const struct xos_trust *trust, const char *vo,
    const char *node, const struct xos_bytes *chain, size_t n, int64_t now,
    struct xos_credd_known **out, struct xos_err *err)
{
	struct xos_credd_known *k = calloc(1, sizeof(*k));
	if (!k)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	struct xos_verify_opts opts = {
	    .now = now,
	    .skew = XOS_CREDD_SKEW,
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER) | XOS_KIND_BIT(XOS_KIND_NODE) |
	             XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .allow_delegation = true,
	    .vo = vo,
	};
	enum xos_status st = xos_token_verify(trust, chain, n, &opts, &k->id, err);
	for (size_t i = 0; !st && i < k->id->nsteps; i++)
		st = take_step(k, k->id->steps[i], node, err);
	if (!st && !name_subject(k))
		st = xos_err_set(err, XOS_MALFORMED, "token-name", "a name that is too long");
	if (st)
		xos_credd_known_free(k);
	else
		*out = k;
	return st;
}

enum xos_status xos_credd_known_current(
    const struct xos_credd_known *k, int64_t now, struct xos_err *err)
{
	char age[XOS_TIME_TEXT];
	if (now > k->id->not_after + XOS_CREDD_SKEW) {
		xos_duration_format(now - k->id->not_after, age);
		return xos_err_set(err, XOS_EXPIRED, "token-expired",
		    "the credential of %s expired %s ago: log in again", k->subject, age);
	}
	if (now < k->id->not_before - XOS_CREDD_SKEW) {
		xos_duration_format(k->id->not_before - now, age);
		return xos_err_set(err, XOS_NOT_YET_VALID, "token-not-yet-valid",
		    "the credential of %s begins in %s by this node's clock: compare the clocks",
		    k->subject, age);
	}
	return XOS_OK;
}

enum xos_status xos_credd_chain_digest(
    const struct xos_bytes *chain, size_t n, uint8_t out[XOS_SHA256_LEN])
{
	struct xos_bytes parts[2 * XOS_CHAIN_MAX];
	uint8_t lengths[XOS_CHAIN_MAX][4];
	if (n > XOS_CHAIN_MAX)
		return XOS_LIMIT;
	for (size_t i = 0; i < n; i++) {
		for (int j = 0; j < 4; j++)
			lengths[i][j] = (uint8_t)(chain[i].n >> (24 - 8 * j));
		parts[2 * i] = (struct xos_bytes){lengths[i], 4};
		parts[2 * i + 1] = chain[i];
	}
	return xos_sha256_parts(parts, 2 * n, out);
}

/* Entries in two lists: of their bucket, and by last use. Index 0 means none. */
struct slot {
	uint8_t digest[XOS_SHA256_LEN];
	struct xos_credd_known *known;
	uint32_t next, newer, older;
};

struct xos_credd_cache {
	struct slot *slot; /* 1..max */
	uint32_t *bucket;
	uint32_t nbuckets; /* a power of two */
	uint32_t max, count, newest, oldest, free;
};

static void chain_free_slots(struct xos_credd_cache *c)
{
	c->free = 1;
	for (uint32_t i = 1; i <= c->max; i++)
		c->slot[i].next = i < c->max ? i + 1 : 0;
}

enum xos_status xos_credd_cache_new(size_t max, struct xos_credd_cache **out, struct xos_err *err)
{
	struct xos_credd_cache *c = calloc(1, sizeof(*c));
	if (!c)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	c->max = (uint32_t)max;
	for (c->nbuckets = 1; c->nbuckets < c->max * 2;)
		c->nbuckets *= 2;
	c->slot = calloc(c->max + 1, sizeof(*c->slot));
	c->bucket = calloc(c->nbuckets, sizeof(*c->bucket));
	if (!c->slot || !c->bucket) {
		xos_credd_cache_free(c);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	chain_free_slots(c);
	*out = c;
	return XOS_OK;
}

void xos_credd_cache_clear(struct xos_credd_cache *c)
{
	for (uint32_t i = 1; i <= c->max; i++) {
		xos_credd_known_free(c->slot[i].known);
		c->slot[i] = (struct slot){.known = NULL};
	}
	memset(c->bucket, 0, c->nbuckets * sizeof(*c->bucket));
	c->count = c->newest = c->oldest = 0;
	chain_free_slots(c);
}

void xos_credd_cache_free(struct xos_credd_cache *c)
{
	if (!c)
		return;
	if (c->slot && c->bucket)
		xos_credd_cache_clear(c);
	free(c->slot);
	free(c->bucket);
	free(c);
}

size_t xos_credd_cache_count(const struct xos_credd_cache *c)
{
	return c->count;
}

/* The digest is of bytes that somebody chose; finding many with equal leading bits costs more than
 * the verification that each needs to get in here. */
static uint32_t *bucket_of(struct xos_credd_cache *c, const uint8_t *digest)
{
	uint32_t h = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
	             (uint32_t)digest[2] << 8 | digest[3];
	return &c->bucket[h & (c->nbuckets - 1)];
}

static void age_remove(struct xos_credd_cache *c, uint32_t i)
{
	struct slot *s = &c->slot[i];
	if (s->newer)
		c->slot[s->newer].older = s->older;
	else
		c->newest = s->older;
	if (s->older)
		c->slot[s->older].newer = s->newer;
	else
		c->oldest = s->newer;
}

static void age_push(struct xos_credd_cache *c, uint32_t i)
{
	struct slot *s = &c->slot[i];
	s->newer = 0;
	s->older = c->newest;
	if (c->newest)
		c->slot[c->newest].newer = i;
	c->newest = i;
	if (!c->oldest)
		c->oldest = i;
}

static void drop(struct xos_credd_cache *c, uint32_t i)
{
	uint32_t *at = bucket_of(c, c->slot[i].digest);
	while (*at && *at != i)
		at = &c->slot[*at].next;
	if (*at)
		*at = c->slot[i].next;
	age_remove(c, i);
	xos_credd_known_free(c->slot[i].known);
	c->slot[i] = (struct slot){.next = c->free};
	c->free = i;
	c->count--;
}

static uint32_t find(struct xos_credd_cache *c, const uint8_t *digest)
{
	uint32_t i = *bucket_of(c, digest);
	while (i && memcmp(c->slot[i].digest, digest, XOS_SHA256_LEN) != 0)
		i = c->slot[i].next;
	return i;
}

const struct xos_credd_known *xos_credd_cache_get(
    struct xos_credd_cache *c, const uint8_t digest[XOS_SHA256_LEN])
{
	uint32_t i = find(c, digest);
	if (!i)
		return NULL;
	age_remove(c, i);
	age_push(c, i);
	return c->slot[i].known;
}

const struct xos_credd_known *xos_credd_cache_put(
    struct xos_credd_cache *c, const uint8_t digest[XOS_SHA256_LEN], struct xos_credd_known *k)
{
	uint32_t i = find(c, digest);
	if (i)
		drop(c, i);
	if (!c->free)
		drop(c, c->oldest);
	i = c->free;
	c->free = c->slot[i].next;
	uint32_t *at = bucket_of(c, digest);
	c->slot[i] = (struct slot){.known = k, .next = *at};
	memcpy(c->slot[i].digest, digest, XOS_SHA256_LEN);
	*at = i;
	age_push(c, i);
	c->count++;
	return k;
}
