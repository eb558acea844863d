#ifndef XOS_POLICY_FORMAT_H
#define XOS_POLICY_FORMAT_H

#include "policy/set.h"

/* Lines are broken to stay within so many columns where there is a place to break them. */
#define XOS_POLICY_FORMAT_WIDTH 100u

/*
 * Formats the text of one set: one statement a line, two spaces a level, long statements broken
 * before their clauses, at most one empty line between statements, a final newline. Names, named
 * sets, templates, uses, quotes and the spelling of values stay as they are written: words, strings
 * and signs are the same before and after, in the same order, and so is every comment (without the
 * blanks at its end). So the meaning is the same, and the result formatted again is itself.
 *
 * The text must parse (policy/set.h), or its errors are in errs (may be NULL; overwritten), as
 * xos_policy_set_parse() tells them, and nothing is written. Appends to out, which the caller
 * initialised. OK, MALFORMED, LIMIT (a bound of the language, also if the result exceeds
 * XOS_POLICY_TEXT_MAX, or the maximum of out) or INTERNAL. Time and memory are linear in len.
 */
XOS_MUST_USE enum xos_status xos_policy_format(const char *text, size_t len, const char *filename,
    struct xos_buf *out, struct xos_policy_errors *errs);

/*
 * The same text under another serial: the number in its head is replaced, every other byte stays. text must
 * parse. Appends to out. MALFORMED if the head has no serial, LIMIT.
 */
XOS_MUST_USE enum xos_status xos_policy_renumber(
    const char *text, size_t len, uint64_t serial, struct xos_buf *out, struct xos_err *err);

#endif
