#ifndef XOS_POLICY_HASH_H
#define XOS_POLICY_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Private to policy/: hashes of names. They find, they never decide: whatever is found is compared
 * as text before it counts, so that a collision costs time and nothing else. Mixed at the end with
 * what kind of name it is (the finaliser of MurmurHash3).
 */
#define XOS_HASH_START UINT64_C(14695981039346656037)

/* One to eight bytes as a number; those of fewer than eight overlap. */
static inline uint64_t xos_hash_load(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	uint64_t whole;
	uint32_t first, last;
	if (n == 8) {
		memcpy(&whole, s, 8);
		return whole;
	}
	if (n < 4)
		return p[0] | (uint64_t)p[n / 2] << 8 | (uint64_t)p[n - 1] << 16;
	memcpy(&first, s, 4);
	memcpy(&last, s + n - 4, 4);
	return first | (uint64_t)last << 32;
}

/* A whole name, eight bytes at a time; not yet mixed. */
static inline uint64_t xos_hash_whole(const char *s, size_t n)
{
	uint64_t h = XOS_HASH_START ^ n;
	for (; n > 8; s += 8, n -= 8) {
		h = (h ^ xos_hash_load(s, 8)) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	return n ? (h ^ xos_hash_load(s, n)) * UINT64_C(0x9e3779b97f4a7c15) : h;
}

/* Paths and ids of objects are hashed byte by byte (FNV-1a): the hash of "/a/b" grows out of that of
 * "/a", and that of "kind:id" out of that of its kind. */
static inline uint64_t xos_hash_byte(uint64_t h, unsigned char c)
{
	return (h ^ c) * UINT64_C(1099511628211);
}

static inline uint64_t xos_hash_more(uint64_t h, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = xos_hash_byte(h, (unsigned char)s[i]);
	return h;
}

static inline uint64_t xos_hash_mix(uint64_t h, uint64_t salt)
{
	h ^= (salt + 1) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
	h ^= h >> 33;
	return h ? h : 1; /* 0 marks a free place in tables */
}

static inline uint64_t xos_hash_name(unsigned kind, const char *s, size_t n)
{
	return xos_hash_mix(xos_hash_whole(s, n), kind);
}

/* What kind of name: those of who, then those of resources, then the rest. */
enum {
	XOS_HASH_WHO = 0,
	XOS_HASH_TERM = 16,
	XOS_HASH_ANYWHERE = 40, /* statements about any place */
	XOS_HASH_SOME_NODE,     /* about a node, class, tag or service: found where the request */
	XOS_HASH_SOME_LABEL,    /* does not tell which */
	XOS_HASH_SOME_SERVICE,
	XOS_HASH_SOME_ID,
	XOS_HASH_ACTION,
	XOS_HASH_ATTR,
	XOS_HASH_ZONE,
	XOS_HASH_NODE, /* as its site declares it */
	XOS_HASH_SCOPE = 64
};

#endif
