#include "base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/text.h"

void xos_random(void *p, size_t n)
{
	uint8_t *at = p;
	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);
		if (got < 0) {
			if (errno == EINTR)
				continue;
			abort();
		}
		at += got;
		n -= (size_t)got;
	}
}

void xos_random_id(char *out, size_t n)
{
	out[0] = 0;
	while (n > 0) {
		uint8_t raw[32];
		size_t step = n < sizeof(raw) ? n : sizeof(raw);
		xos_random(raw, step);
		xos_hex_encode(out, raw, step);
		out += 2 * step;
		n -= step;
	}
}

uint64_t xos_random_below(uint64_t bound)
{
	if (bound == 0)
		abort();
	/* Values below 2^64 mod bound would favour small results: draw again. */
	uint64_t least = (0 - bound) % bound, v;
	do
		xos_random(&v, sizeof(v));
	while (v < least);
	return v % bound;
}
