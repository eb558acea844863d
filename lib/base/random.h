#ifndef XOS_BASE_RANDOM_H
#define XOS_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* From getrandom(2); aborts if the kernel cannot deliver, since no caller could go on safely. */
void xos_random(void *p, size_t n);
/* A lower-case hexadecimal identifier of n random bytes: out gets 2n+1 bytes. */
void xos_random_id(char *out, size_t n);
/* For jitter: uniform in [0, bound). bound > 0. */
uint64_t xos_random_below(uint64_t bound);

#endif
