#ifndef XOS_LOCAL_ACCOUNTMAP_FORM_H
#define XOS_LOCAL_ACCOUNTMAP_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "local/accountmap.h"

/* Private to lib/local: what writer and reader of the account map share. */
#define XOS_MAP_MAGIC "XOSACCT1"
#define XOS_MAP_HEAD 128      /* bytes */
#define XOS_MAP_RECORD 16     /* bytes of a member's and of a group's record */
#define XOS_MAP_PROBE_MAX 128 /* steps of a look-up; the writer finds a seed that keeps to it */

/* A name's or a number's first slot. The seed is drawn anew for each file, so that who chooses names cannot
 * choose collisions. What is found is compared before it counts. */
static inline uint64_t xos_map_mix(uint64_t h)
{
	h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ (h >> 33);
}

static inline uint64_t xos_map_hash_name(uint64_t seed, const char *s, size_t n)
{
	uint64_t h = seed ^ n;
	for (size_t i = 0; i < n; i++)
		h = xos_map_mix(h ^ (unsigned char)s[i]) + seed;
	return h;
}

static inline uint64_t xos_map_hash_number(uint64_t seed, uint32_t v)
{
	return xos_map_mix(seed ^ v);
}

/* Where the sections begin, from the counts. */
struct xos_map_layout {
	uint32_t members, member_slots, groups, group_slots, strings;
	size_t member, by_name, by_uid, group, by_group, by_gid, text, size;
};

/* False: counts that no writer writes. */
bool xos_map_layout(struct xos_map_layout *l);

#endif
