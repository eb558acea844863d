#include <stdlib.h>
#include <string.h>

#include "decide/known.h"

/* Entries in two lists: of their bucket, and by last use. Index 0 means none. */
struct slot {
	uint8_t digest[XOS_SHA256_LEN];
	struct xos_known *known;
	uint32_t next, newer, older;
};

struct xos_known_cache {
	struct slot *slot; /* 1..max */
	uint32_t *bucket;
	uint32_t nbuckets; /* a power of two */
	uint32_t max, count, newest, oldest, free;
};

static void chain_free_slots(struct xos_known_cache *c)
{
	c->free = 1;
	for (uint32_t i = 1; i <= c->max; i++)
		c->slot[i].next = i < c->max ? i + 1 : 0;
}

enum xos_status xos_known_cache_new(size_t max, struct xos_known_cache **out, struct xos_err *err)
{
	struct xos_known_cache *c = calloc(1, sizeof(*c));
	if (!c)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	c->max = (uint32_t)max;
	for (c->nbuckets = 1; c->nbuckets < c->max * 2;)
		c->nbuckets *= 2;
	c->slot = calloc(c->max + 1, sizeof(*c->slot));
	c->bucket = calloc(c->nbuckets, sizeof(*c->bucket));
	if (!c->slot || !c->bucket) {
		xos_known_cache_free(c);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	chain_free_slots(c);
	*out = c;
	return XOS_OK;
}

void xos_known_cache_clear(struct xos_known_cache *c)
{
	for (uint32_t i = 1; i <= c->max; i++) {
		xos_known_free(c->slot[i].known);
		c->slot[i] = (struct slot){.known = NULL};
	}
	memset(c->bucket, 0, c->nbuckets * sizeof(*c->bucket));
	c->count = c->newest = c->oldest = 0;
	chain_free_slots(c);
}

void xos_known_cache_free(struct xos_known_cache *c)
{
	if (!c)
		return;
	if (c->slot && c->bucket)
		xos_known_cache_clear(c);
	free(c->slot);
	free(c->bucket);
	free(c);
}

size_t xos_known_cache_count(const struct xos_known_cache *c)
{
	return c->count;
}

/* The digest is of bytes that somebody chose; finding many with equal leading bits costs more than
 * the verification that each needs to get in here. */
static uint32_t *bucket_of(struct xos_known_cache *c, const uint8_t *digest)
{
	uint32_t h = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
	             (uint32_t)digest[2] << 8 | digest[3];
	return &c->bucket[h & (c->nbuckets - 1)];
}

static void age_remove(struct xos_known_cache *c, uint32_t i)
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

static void age_push(struct xos_known_cache *c, uint32_t i)
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

static void drop(struct xos_known_cache *c, uint32_t i)
{
	uint32_t *at = bucket_of(c, c->slot[i].digest);
	while (*at && *at != i)
		at = &c->slot[*at].next;
	if (*at)
		*at = c->slot[i].next;
	age_remove(c, i);
	xos_known_free(c->slot[i].known);
	c->slot[i] = (struct slot){.next = c->free};
	c->free = i;
	c->count--;
}

static uint32_t find(struct xos_known_cache *c, const uint8_t *digest)
{
	uint32_t i = *bucket_of(c, digest);
	while (i && memcmp(c->slot[i].digest, digest, XOS_SHA256_LEN) != 0)
		i = c->slot[i].next;
	return i;
}

struct xos_known *xos_known_cache_get(
    struct xos_known_cache *c, const uint8_t digest[XOS_SHA256_LEN])
{
	uint32_t i = find(c, digest);
	if (!i)
		return NULL;
	age_remove(c, i);
	age_push(c, i);
	return c->slot[i].known;
}

const struct xos_known *xos_known_cache_put(
    struct xos_known_cache *c, const uint8_t digest[XOS_SHA256_LEN], struct xos_known *k)
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
