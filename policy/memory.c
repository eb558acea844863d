#include "policy/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN 4096u
#define BLOCK_MAX (1024u * 1024)

struct xos_policy_block {
	struct xos_policy_block *next;
	size_t cap; /* a multiple of the alignment */
	max_align_t data[];
};

struct xos_policy_memory {
	struct xos_policy_block *first, *current;
	char *at;    /* the next piece */
	size_t left; /* bytes of the current block; a multiple of the alignment */
};

struct xos_policy_memory *xos_policy_memory_new(void)
{
	return calloc(1, sizeof(struct xos_policy_memory));
}

void xos_policy_memory_free(struct xos_policy_memory *m)
{
	if (!m)
		return;
	for (struct xos_policy_block *b = m->first; b;) {
		struct xos_policy_block *next = b->next;
		free(b);
		b = next;
	}
	free(m);
}

static void enter(struct xos_policy_memory *m, struct xos_policy_block *b)
{
	m->current = b;
	m->at = b ? (char *)b->data : NULL;
	m->left = b ? b->cap : 0;
}

void xos_policy_memory_reset(struct xos_policy_memory *m)
{
	enter(m, m->first);
}

static struct xos_policy_block *block_add(struct xos_policy_memory *m, size_t n)
{
	size_t cap = m->current ? m->current->cap * 2 : BLOCK_MIN;
	if (cap > BLOCK_MAX)
		cap = BLOCK_MAX;
	if (cap < n)
		cap = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	struct xos_policy_block *b = malloc(sizeof(*b) + cap);
	if (!b)
		return NULL;
	b->cap = cap;
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

static bool enter_next(struct xos_policy_memory *m, size_t n)
{
	struct xos_policy_block *b = m->current ? m->current->next : NULL;
	if (n > SIZE_MAX / 2)
		return false;
	if (!b || b->cap < n)
		b = block_add(m, n);
	if (b)
		enter(m, b);
	return b;
}

void *xos_policy_memory_raw(struct xos_policy_memory *m, size_t n)
{
	if (n > m->left && !enter_next(m, n))
		return NULL;
	/* What is left is a multiple of the alignment: n rounded up fits too. */
	n = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	void *p = m->at;
	m->at += n;
	m->left -= n;
	return p;
}

void *xos_policy_memory_take(struct xos_policy_memory *m, size_t n)
{
	void *p = xos_policy_memory_raw(m, n);
	return p ? memset(p, 0, n) : NULL;
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
