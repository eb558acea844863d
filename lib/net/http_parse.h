#ifndef XOS_NET_HTTP_PARSE_H
#define XOS_NET_HTTP_PARSE_H

/*
 * HTTP/1.1 requests as bytes (RFC 9112), read strictly: what two parsers could read differently is
 * refused, because that difference is how requests are smuggled past a front. Inside lib/net, and
 * for fuzz targets.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define HTTP_FIELDS_MAX 64
#define HTTP_SEGMENTS_MAX 24
#define HTTP_QUERY_MAX 16

struct http_field {
	const char *name, *value;
};

struct http_head {
	char *text; /* owns what the rest points to */
	const char *method, *target;
	int minor; /* of HTTP/1.x */
	struct http_field field[HTTP_FIELDS_MAX];
	size_t nfields;
	uint64_t length; /* Content-Length; 0 without */
	bool chunked, keep_alive, expect_continue;
};

/* in: request line and fields to the empty line, all with their CRLFs. *out is zeroed by the caller.
 * MALFORMED "http-syntax", "http-version", "transfer-encoding"; LIMIT "header-too-long". */
XOS_MUST_USE enum xos_status http_head_parse(
    struct xos_bytes in, struct http_head *out, struct xos_err *err);
void http_head_clear(struct http_head *h);
const char *http_head_get(const struct http_head *h, const char *name); /* first; NULL */

/* Length of the head at the start of in, its empty line included; 0: not all there yet. from: where
 * to begin the search, bytes before were searched in vain. */
size_t http_head_length(struct xos_bytes in, size_t from);

/* An origin-form target: path segments and query, decoded. */
struct http_target {
	char *text; /* owns what the rest points to */
	char *path; /* as sent; owned as well */
	const char *segment[HTTP_SEGMENTS_MAX];
	size_t nsegments; /* "/" has none */
	struct http_field query[HTTP_QUERY_MAX];
	size_t nquery;
};

XOS_MUST_USE enum xos_status http_target_parse(
    const char *target, struct http_target *out, struct xos_err *err);
void http_target_clear(struct http_target *t);

/*
 * Chunked bodies (RFC 9112 7.1), fed piece by piece. Chunk extensions are skipped, trailers
 * refused.
 */
struct http_chunks {
	enum {
		CHUNK_SIZE,
		CHUNK_EXT,
		CHUNK_SIZE_LF,
		CHUNK_DATA,
		CHUNK_CR,
		CHUNK_LF,
		CHUNK_END_CR,
		CHUNK_END_LF,
		CHUNK_DONE
	} state;
	unsigned digits, ext;
	uint64_t left;
};

/* Takes from *in (advancing it) until done or used up; data goes to body, whose maximum is the
 * bound. MALFORMED, LIMIT "body-too-long". */
XOS_MUST_USE enum xos_status http_chunks_feed(
    struct http_chunks *c, struct xos_bytes *in, struct xos_buf *body, struct xos_err *err);

#endif
