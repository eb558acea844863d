/* The bounded reader: the first byte of each step chooses what is read next. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool step(struct xos_reader *r, uint8_t what)
{
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	struct xos_bytes v;
	char s[16];
	switch (what % 7) {
	case 0:
		return xos_reader_u8(r, &u8);
	case 1:
		return xos_reader_u16(r, &u16);
	case 2:
		return xos_reader_u32(r, &u32);
	case 3:
		return xos_reader_u64(r, &u64);
	case 4:
		return xos_reader_take(r, what, &v);
	case 5:
		return xos_reader_lp(r, what, &v);
	default:
		return xos_reader_lp_str(r, s, sizeof(s)) && strlen(s) < sizeof(s);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_reader r;
	uint8_t what;
	xos_reader_init(&r, (struct xos_bytes){data, size});
	while (xos_reader_u8(&r, &what)) {
		struct xos_reader before = r;
		if (!step(&r, what) && (r.p != before.p || r.left != before.left || !r.failed))
			abort();
		if (r.left > before.left)
			abort();
	}
	if (xos_reader_end(&r) == XOS_OK)
		abort(); /* the loop ends with a failed read */
	return 0;
}
