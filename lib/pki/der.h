#ifndef XOS_PKI_DER_H
#define XOS_PKI_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/*
 * A small strict DER (X.690) reader and writer, for structures of our own and for the parts of
 * X.509 that the issuing path touches. Single-byte tags, definite minimal lengths, minimal
 * integers; what is not exactly DER is refused, so that one value has one encoding.
 */
enum xos_der_tag {
	XOS_DER_BOOLEAN = 0x01,
	XOS_DER_INTEGER = 0x02,
	XOS_DER_BIT_STRING = 0x03,
	XOS_DER_OCTET_STRING = 0x04,
	XOS_DER_NULL = 0x05,
	XOS_DER_OID = 0x06,
	XOS_DER_ENUMERATED = 0x0a,
	XOS_DER_UTF8 = 0x0c,
	XOS_DER_PRINTABLE = 0x13,
	XOS_DER_IA5 = 0x16,
	XOS_DER_UTC_TIME = 0x17,
	XOS_DER_TIME = 0x18, /* GeneralizedTime */
	XOS_DER_SEQUENCE = 0x30,
	XOS_DER_SET = 0x31,
	XOS_DER_CONTEXT = 0x80, /* | n: [n] IMPLICIT of a primitive type */
	XOS_DER_CONTEXT_CONSTRUCTED =
	    0xa0 /* | n: [n] EXPLICIT, or IMPLICIT of a constructed type */
};

/*
 * Reading goes over an xos_reader (base/bytes.h): a failed step leaves cursor and outputs as they
 * were, marks the reader failed, and everything after fails too; xos_reader_end demands the exact
 * end.
 */

/* Is the next element of this tag? False at the end and in a failed reader; never fails the reader.
 */
bool xos_der_next_is(const struct xos_reader *r, uint8_t tag);
/* One element with this tag: its contents. */
bool xos_der_take(struct xos_reader *r, uint8_t tag, struct xos_bytes *contents);
/* One element of any single-byte tag: contents, and the element as a whole (either may be NULL). */
bool xos_der_any(
    struct xos_reader *r, uint8_t *tag, struct xos_bytes *contents, struct xos_bytes *whole);
/* The same as take, giving a reader over the contents. */
bool xos_der_enter(struct xos_reader *r, uint8_t tag, struct xos_reader *inner);
/* Contents with tag INTEGER (or ENUMERATED, or implicit): minimal, not negative, at most max. */
bool xos_der_u64(struct xos_reader *r, uint8_t tag, uint64_t max, uint64_t *v);
bool xos_der_bool(struct xos_reader *r, bool *v); /* 00 or ff only */
/* Text into out[cap] with a NUL: valid UTF-8, no control characters, at least one byte. */
bool xos_der_str(struct xos_reader *r, uint8_t tag, char *out, size_t cap);
/* GeneralizedTime in the one form YYYYMMDDHHMMSSZ, or UTCTime (two-digit years 1950-2049). */
bool xos_der_time(struct xos_reader *r, int64_t *t);
/* Contents of a BIT STRING without unused bits. */
bool xos_der_bits(struct xos_reader *r, struct xos_bytes *v);
/* An OBJECT IDENTIFIER equal to these contents. */
bool xos_der_oid_is(struct xos_reader *r, struct xos_bytes oid);

/* Is this exactly one strict DER element, nested at most 32 deep, with nothing after it? */
XOS_MUST_USE bool xos_der_is_strict(struct xos_bytes in);

/*
 * Writing. begin/end pairs nest at most XOS_DER_NEST deep; end writes the length. Errors (the
 * buffer's maximum, memory, nesting) are kept: check once at finish.
 */
#define XOS_DER_NEST 12

struct xos_der {
	struct xos_buf *buf;
	size_t start[XOS_DER_NEST];
	unsigned depth;
	bool failed;
};

void xos_der_init(struct xos_der *w, struct xos_buf *buf); /* appends to buf */
void xos_der_begin(struct xos_der *w, uint8_t tag);
void xos_der_end(struct xos_der *w);
void xos_der_put(struct xos_der *w, uint8_t tag, struct xos_bytes contents);
void xos_der_put_raw(struct xos_der *w, struct xos_bytes element); /* encoded already */
void xos_der_put_u64(struct xos_der *w, uint8_t tag, uint64_t v);
/* An unsigned big-endian number of any size as INTEGER. */
void xos_der_put_unsigned(struct xos_der *w, struct xos_bytes v);
void xos_der_put_bool(struct xos_der *w, bool v);
void xos_der_put_str(struct xos_der *w, uint8_t tag, const char *s);
void xos_der_put_bits(struct xos_der *w, struct xos_bytes v); /* no unused bits */
/* GeneralizedTime, and what RFC 5280 4.1.2.5 wants in a certificate: UTCTime until 2049. */
void xos_der_put_time(struct xos_der *w, int64_t t);
void xos_der_put_x509_time(struct xos_der *w, int64_t t);
XOS_MUST_USE enum xos_status xos_der_finish(const struct xos_der *w); /* OK, LIMIT or INTERNAL */

/* Object identifiers are carried as their DER contents: XOS_OID("\x55\x1d\x11") for 2.5.29.17. */
#define XOS_OID(literal) ((struct xos_bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

#endif
