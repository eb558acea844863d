/* Choices, from a seed or from bytes: the same policies for a test and for a fuzzer. */
#include "model.h"

static uint64_t state;
static const uint8_t *bytes;
static size_t left;

void draw_from(uint64_t seed)
{
	/* The finaliser of SplitMix64: neighbouring seeds have nothing in common. */
	seed += UINT64_C(0x9e3779b97f4a7c15);
	seed = (seed ^ (seed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	seed = (seed ^ (seed >> 27)) * UINT64_C(0x94d049bb133111eb);
	state = (seed ^ (seed >> 31)) | 1;
	bytes = NULL;
}

void draw_bytes(const uint8_t *p, size_t n)
{
	bytes = p;
	left = n;
	state = 0;
}

unsigned below(unsigned n)
{
	if (bytes) {
		if (!left)
			return 0;
		left--;
		return *bytes++ % n;
	}
	/* xorshift64* */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned)((state * UINT64_C(2685821657736338717)) >> 33) % n;
}

bool once_in(unsigned n)
{
	return below(n) == n - 1;
}
