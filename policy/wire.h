#ifndef XOS_POLICY_WIRE_H
#define XOS_POLICY_WIRE_H

#include "policy/ast.h"

/*
 * Private to policy/: the binary form of a restriction. A set is written in the lowest version that
 * can say it, so that it has one encoding and that older programs go on to read what they know.
 */
#define XOS_WIRE_VERSION 2u /* the highest */
#define XOS_WIRE_OFFSET (14 * 60)
#define XOS_WIRE_DAY_MAX 2932896u /* 9999-12-31 */

unsigned xos_wire_version(const struct xos_policy_set *set);
void xos_wire_put(struct xos_buf *out, const struct xos_policy_set *set);

/* The fewest bytes of a condition. */
#define XOS_WIRE_COND_MIN 2u

struct xos_wire_decoder {
	struct xos_reader r;
	struct xos_policy_set *set;
	unsigned version;
	unsigned nodes; /* in this statement */
	const char *problem;
	bool memory; /* it ran out */
};

/* Those that return bool give false after they have noted what is wrong. */
bool xos_wire_bad(struct xos_wire_decoder *d, const char *problem);
void *xos_wire_take(struct xos_wire_decoder *d, size_t n, size_t size); /* NULL: noted */
bool xos_wire_u8(struct xos_wire_decoder *d, uint8_t *v);
bool xos_wire_u16(struct xos_wire_decoder *d, uint16_t *v);
bool xos_wire_u32(struct xos_wire_decoder *d, uint32_t *v);
bool xos_wire_u64(struct xos_wire_decoder *d, uint64_t *v);
/* At most max bytes of UTF-8 without control characters. No bytes: *out is NULL. */
bool xos_wire_text(struct xos_wire_decoder *d, size_t max, const char **out);
bool xos_wire_number(struct xos_wire_decoder *d, enum xos_policy_type type, int64_t *v);
bool xos_wire_place(struct xos_wire_decoder *d, struct xos_policy_place *place);
/* Bits of actions, at least one, all of them known to the set. */
bool xos_wire_actions(struct xos_wire_decoder *d, uint64_t *mask);
bool xos_wire_cond(struct xos_wire_decoder *d, unsigned depth, struct xos_policy_cond **out);

#endif
