#ifndef XOS_POLICY_HASH_H
#define XOS_POLICY_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Private to policy/: hashes of names. They find, they never decide: whatever is found is compared
 * as text before it counts, so that a collision costs time and nothing else. FNV-1a over the bytes,
 * since the hash of "/a/b" then grows out of that of "/a"; mixed at the end with what kind of name
 * it is (the finaliser of MurmurHash3).
 */
#define XOS_HASH_START UINT64_C(14695981039346656037)

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
	return xos_hash_mix(xos_hash_more(XOS_HASH_START, s, n), kind);
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
