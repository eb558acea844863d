#ifndef XOS_BASE_SECRET_H
#define XOS_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * Memory for passwords and keys: locked if the limits allow, left out of core dumps, fixed in size,
 * wiped when freed. There is no way to print one.
 */
struct xos_secret;

struct xos_secret *xos_secret_new(size_t n); /* zeroed; NULL if out of memory */
struct xos_secret *xos_secret_from(const void *p, size_t n);
void xos_secret_free(struct xos_secret *s);
uint8_t *xos_secret_data(struct xos_secret *s);
size_t xos_secret_len(const struct xos_secret *s);
bool xos_secret_locked(const struct xos_secret *s);     /* did the limits allow it? */
void xos_secret_shrink(struct xos_secret *s, size_t n); /* n <= len; wipes what is cut */

/* Does this process's limit (RLIMIT_MEMLOCK) let another n bytes be locked? They are tried and let go. */
bool xos_secret_would_lock(size_t n);

void xos_wipe(void *p, size_t n);                          /* not optimised away */
bool xos_ct_equal(const void *a, const void *b, size_t n); /* constant time in the contents */

/* Reads one line, or all up to end of file, from fd without the line end (\n or \r\n): at most max
 * bytes, no NUL, not empty. For --password-stdin and descriptors. */
XOS_MUST_USE enum xos_status xos_secret_read_line(
    int fd, size_t max, struct xos_secret **out, struct xos_err *err);
/* Prompts on /dev/tty with echo off. UNAVAILABLE without a terminal; a signal or ^C gives
 * the terminal back first and then takes its course (DENIED if the program survives it). */
XOS_MUST_USE enum xos_status xos_secret_prompt(
    const char *prompt, size_t max, struct xos_secret **out, struct xos_err *err);

#endif
