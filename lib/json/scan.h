#ifndef XOS_JSON_SCAN_H
#define XOS_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * JSON read from front to end without a tree and without allocating, for small messages of known form
 * that are read often. It takes a part of what xos_json_parse takes, and means the same by it: objects,
 * strings, integers, true and false. Whatever else stands there, or is malformed, fails the scan; who
 * wants to know what was wrong, or expects more, parses with json.h.
 *
 *   xos_scan_open(&s);
 *   while (xos_scan_key(&s, &key))
 *           ... exactly one value ...
 *   if (!xos_scan_end(&s)) ...
 */
struct xos_scan {
	const uint8_t *p, *end;
	char *room; /* where strings go, each with its NUL */
	size_t left;
	bool first; /* no member of this object was read yet */
	bool failed;
};

/* room must have 1 byte more than in has, and lives as long as the strings are used. */
void xos_scan_init(struct xos_scan *s, struct xos_bytes in, char *room);
/* After a failure all of them return false and leave their outputs alone. */
bool xos_scan_open(struct xos_scan *s);
/* The next key of the object that was opened last and not closed; false at its end, too. */
bool xos_scan_key(struct xos_scan *s, const char **key);
bool xos_scan_string(struct xos_scan *s, size_t max, const char **out);
bool xos_scan_int(struct xos_scan *s, int64_t min, int64_t max, int64_t *out);
bool xos_scan_bool(struct xos_scan *s, bool *out);
/* Is the next value a string? */
bool xos_scan_at_string(struct xos_scan *s);
bool xos_scan_at_digit(struct xos_scan *s);
/* Nothing failed, and nothing but space follows. */
bool xos_scan_end(struct xos_scan *s);

#endif
