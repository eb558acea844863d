#ifndef XOS_BASE_BYTES_H
#define XOS_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Borrowed bytes: never freed through this type, valid as long as their owner. */
struct xos_bytes {
	const uint8_t *p;
	size_t n;
};

#define XOS_BYTES_NONE ((struct xos_bytes){NULL, 0})
struct xos_bytes xos_bytes_str(const char *s); /* without the NUL; NULL gives none */
bool xos_bytes_eq(struct xos_bytes a, struct xos_bytes b);

/*
 * A growable buffer with a hard maximum. Appending past the maximum or out of memory fails the
 * buffer: later appends do nothing, and xos_buf_status says why, so that a writer checks once at
 * the end. Not for secrets (see secret.h).
 */
struct xos_buf {
	uint8_t *p;
	size_t n, cap, max;
	enum xos_status status;
};

void xos_buf_init(struct xos_buf *b, size_t max);
void xos_buf_free(struct xos_buf *b); /* NULL-safe; b may be used again after xos_buf_init */
void xos_buf_put(struct xos_buf *b, const void *p, size_t n);
void xos_buf_put_str(struct xos_buf *b, const char *s); /* without NUL */
void xos_buf_printf(struct xos_buf *b, const char *fmt, ...) XOS_PRINTF(2, 3);
/* Big-endian integers and values with a 32-bit length before them, as the reader takes them. */
void xos_buf_u8(struct xos_buf *b, uint8_t v);
void xos_buf_u16(struct xos_buf *b, uint16_t v);
void xos_buf_u32(struct xos_buf *b, uint32_t v);
void xos_buf_u64(struct xos_buf *b, uint64_t v);
void xos_buf_lp(struct xos_buf *b, struct xos_bytes v);
void xos_buf_lp_str(struct xos_buf *b, const char *s);
XOS_MUST_USE enum xos_status xos_buf_status(const struct xos_buf *b); /* OK, LIMIT or INTERNAL */
struct xos_bytes xos_buf_bytes(const struct xos_buf *b);
/* NUL-terminates (not counted in n) and gives the text, NULL if the buffer failed. The buffer keeps
 * it. */
const char *xos_buf_str(struct xos_buf *b);
/* Gives the malloc'd text or bytes away and empties b; NULL if it failed. Always NUL-terminated. */
char *xos_buf_steal(struct xos_buf *b, size_t *n);

/*
 * The bounded reader: every untrusted byte comes through here. A failed read leaves cursor and
 * output as they were and marks the reader failed; everything after fails too, so that a parser may
 * check once, at xos_reader_end, which also demands the exact end.
 */
struct xos_reader {
	const uint8_t *p;
	size_t left;
	bool failed;
};

void xos_reader_init(struct xos_reader *r, struct xos_bytes in);
bool xos_reader_u8(struct xos_reader *r, uint8_t *v);
bool xos_reader_u16(struct xos_reader *r, uint16_t *v);
bool xos_reader_u32(struct xos_reader *r, uint32_t *v);
bool xos_reader_u64(struct xos_reader *r, uint64_t *v);
/* 64 bits that must fit a signed number, such as a time. */
bool xos_reader_i64(struct xos_reader *r, int64_t *v);
bool xos_reader_take(struct xos_reader *r, size_t n, struct xos_bytes *v);
/* A 32-bit length and that many bytes, at most max. */
bool xos_reader_lp(struct xos_reader *r, size_t max, struct xos_bytes *v);
/* The same, copied into out[cap] as a string; a NUL byte inside, or no room, is a failure. */
bool xos_reader_lp_str(struct xos_reader *r, char *out, size_t cap);
XOS_MUST_USE enum xos_status xos_reader_end(const struct xos_reader *r); /* OK or MALFORMED */

#endif
