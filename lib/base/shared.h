#ifndef XOS_BASE_SHARED_H
#define XOS_BASE_SHARED_H

#include "base/bytes.h"

/* Bytes that many hold at once and nobody changes: counted, freed by the last. Any thread. */
struct xos_shared;

/* Takes what is in b, which is empty afterwards, also on failure. NULL: b had failed, or out of memory. */
struct xos_shared *xos_shared_take(struct xos_buf *b);
struct xos_shared *xos_shared_ref(struct xos_shared *s);       /* gives s */
void xos_shared_unref(struct xos_shared *s);                   /* NULL-safe */
struct xos_bytes xos_shared_bytes(const struct xos_shared *s); /* NULL: none */

#endif
