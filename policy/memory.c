#include "policy/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN 4096u

struct block {
	struct block *next;
	size_t cap, used;
	max_align_t data[];
};

struct xos_policy_memory {
	struct block *first, *current;
};

struct xos_policy_memory *xos_policy_memory_new(void)
{
	return calloc(1, sizeof(struct xos_policy_memory));
}

void xos_policy_memory_free(struct xos_policy_memory *m)
{
	if (!m)
		return;
	for (struct block *b = m->first; b;) {
		struct block *next = b->next;
		free(b);
		b = next;
	}
	free(m);
}

void xos_policy_memory_reset(struct xos_policy_memory *m)
{
	for (struct block *b = m->first; b; b = b->next)
		b->used = 0;
	m->current = m->first;
}

static struct block *block_add(struct xos_policy_memory *m, size_t n)
{
	size_t cap = m->current ? m->current->cap * 2 : BLOCK_MIN;
	if (cap > 1024 * 1024)
		cap = 1024 * 1024;
	if (cap < n)
		cap = n;
	struct block *b = malloc(sizeof(*b) + cap);
	if (!b)
		return NULL;
	b->cap = cap;
	b->used = 0;
	/* Blocks behind the current one were too small for this piece; they keep their turn. */
	if (m->current) {
		b->next = m->current->next;
		m->current->next = b;
	} else {
		b->next = NULL;
		m->first = b;
	}
	return b;
}

void *xos_policy_memory_take(struct xos_policy_memory *m, size_t n)
{
	if (n > SIZE_MAX / 2)
		return NULL;
	n = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	struct block *b = m->current;
	if (b && b->cap - b->used < n && b->next && b->next->cap >= n)
		b = b->next;
	if (!b || b->cap - b->used < n) {
		b = block_add(m, n);
		if (!b)
			return NULL;
	}
	m->current = b;
	void *p = (char *)b->data + b->used;
	b->used += n;
	return memset(p, 0, n);
}

char *xos_policy_memory_string(struct xos_policy_memory *m, const char *p, size_t n)
{
	char *s = xos_policy_memory_take(m, n + 1);
	if (s)
		memcpy(s, p, n);
	return s;
}

void *xos_policy_memory_grow(struct xos_policy_memory *m, const void *old, size_t n, size_t elem)
{
	/* Capacities are powers of two from 4: a full array has exactly that many. */
	if (n != 0 && (n < 4 || (n & (n - 1)) != 0)) {
		union {
			const void *c;
			void *p;
		} same = {.c = old};
		return same.p;
	}
	size_t cap = n < 4 ? 4 : n * 2;
	if (cap > SIZE_MAX / 2 / elem)
		return NULL;
	void *p = xos_policy_memory_take(m, cap * elem);
	if (p && n)
		memcpy(p, old, n * elem);
	return p;
}
