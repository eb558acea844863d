#ifndef XOS_BASE_TEXT_H
#define XOS_BASE_TEXT_H

#include "base/bytes.h"

/* Text encodings (RFC 4648) and small string helpers. Decoders are strict: no white space, no
 * missing or surplus padding, no stray bits in the last character. */

void xos_hex_encode(char *out, const uint8_t *p, size_t n); /* writes 2n+1 bytes, lower case */
/* Decoders append to a buffer that the caller initialised: OK, MALFORMED (nothing was appended), or
 * the buffer's status. Hexadecimal digits may be of either case. */
XOS_MUST_USE enum xos_status xos_hex_decode(struct xos_buf *out, const char *s, size_t n);
void xos_base64_encode(struct xos_buf *out, struct xos_bytes in);    /* with padding */
void xos_base64url_encode(struct xos_buf *out, struct xos_bytes in); /* without padding */
XOS_MUST_USE enum xos_status xos_base64_decode(struct xos_buf *out, const char *s, size_t n);
XOS_MUST_USE enum xos_status xos_base64url_decode(struct xos_buf *out, const char *s, size_t n);

/* Copies with truncation refused: false (and out[0] = 0) if src does not fit with its NUL. */
XOS_MUST_USE bool xos_str_copy(char *out, size_t cap, const char *src);
bool xos_str_printf(char *out, size_t cap, const char *fmt, ...) XOS_PRINTF(3, 4);
bool xos_utf8_valid(struct xos_bytes s);
/* Bytes of the well-formed character at p, of which n bytes are there; 0 if there is none. */
size_t xos_utf8_length(const uint8_t *p, size_t n);
/* Is the character of len bytes at p one that no terminal may be given: a control character (C0, DEL,
 * C1), a separator of lines or paragraphs, or one that is invisible and changes how the text around it
 * is shown: the controls of direction (Unicode's UAX 9), with which one name looks like another, fillers
 * and tags? Joiners (U+200C, U+200D) are not: words and emoji are spelled with them. */
bool xos_utf8_is_control(const uint8_t *p, size_t len);
/* Replaces control characters (as above) and bytes that are not UTF-8 by '?', in place. */
void xos_text_clean(char *s);
/* Whole string, decimal, no sign, no leading zeros but "0" itself, at most max. */
XOS_MUST_USE bool xos_parse_u64(const char *s, uint64_t max, uint64_t *v);

#endif
