#include "base/shared.h"

#include <stdatomic.h>
#include <stdlib.h>

struct xos_shared {
	atomic_uint refs;
	struct xos_buf buf;
};

struct xos_shared *xos_shared_take(struct xos_buf *b)
{
	struct xos_shared *s = xos_buf_status(b) == XOS_OK ? calloc(1, sizeof(*s)) : NULL;
	size_t max = b->max;

	if (!s) {
		xos_buf_free(b);
		xos_buf_init(b, max);
		return NULL;
	}
	atomic_init(&s->refs, 1);
	s->buf = *b;
	xos_buf_init(b, max);
	return s;
}

struct xos_shared *xos_shared_ref(struct xos_shared *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void xos_shared_unref(struct xos_shared *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	xos_buf_free(&s->buf);
	free(s);
}

struct xos_bytes xos_shared_bytes(const struct xos_shared *s)
{
	return s ? xos_buf_bytes(&s->buf) : XOS_BYTES_NONE;
}
