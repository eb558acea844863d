#ifndef XOS_POLICY_MEMORY_H
#define XOS_POLICY_MEMORY_H

#include <stddef.h>

/*
 * Private to policy/: memory that is taken piece by piece and given back all at once. After a reset
 * the blocks are used again, so that a repeated decision allocates nothing.
 */
struct xos_policy_memory;

struct xos_policy_memory *xos_policy_memory_new(void);
void xos_policy_memory_free(struct xos_policy_memory *m);
void xos_policy_memory_reset(struct xos_policy_memory *m);
/* Aligned for any type; NULL: out of memory. take: zeroed; raw: what it holds is not set. */
void *xos_policy_memory_take(struct xos_policy_memory *m, size_t n);
void *xos_policy_memory_raw(struct xos_policy_memory *m, size_t n);
char *xos_policy_memory_string(
    struct xos_policy_memory *m, const char *p, size_t n); /* adds a NUL */
/* An array of *n elements with room for one more: old, or a copy twice as large. */
void *xos_policy_memory_grow(struct xos_policy_memory *m, const void *old, size_t n, size_t elem);

#endif
