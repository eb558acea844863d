#ifndef XOS_JSON_WRITE_H
#define XOS_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * JSON written straight into a buffer, for messages that are written often: no tree, no allocation
 * but the buffer's. Compact, members in the order of the calls; the caller pairs what it opens. The
 * buffer's status says at the end whether all went well. What is signed is built with json.h, whose
 * form is canonical.
 */
struct xos_json_writer {
	struct xos_buf *out;
	bool comma; /* something stands before, at this depth */
};

void xos_json_writer_init(struct xos_json_writer *w, struct xos_buf *out);
/* key NULL: an element of an array, or the document itself. */
void xos_json_write_open(struct xos_json_writer *w, const char *key, char bracket); /* '{' or '[' */
void xos_json_write_close(struct xos_json_writer *w, char bracket);
/* NULL leaves the member out. Bytes that are not UTF-8 are replaced by '?', as xos_json_set_text
 * does. Keys are written as they are. */
void xos_json_write_text(struct xos_json_writer *w, const char *key, const char *s);
void xos_json_write_bytes(struct xos_json_writer *w, const char *key, struct xos_bytes s);
void xos_json_write_int(struct xos_json_writer *w, const char *key, int64_t v);
void xos_json_write_bool(struct xos_json_writer *w, const char *key, bool v);
void xos_json_write_time(struct xos_json_writer *w, const char *key, int64_t t); /* RFC 3339 */
void xos_json_write_texts(
    struct xos_json_writer *w, const char *key, const char *const *list, size_t n);

#endif
