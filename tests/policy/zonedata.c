#include "zonedata.h"

#include <string.h>

static void put_header(struct xos_buf *out, char version, size_t times, size_t types, size_t chars)
{
	xos_buf_put_str(out, "TZif");
	xos_buf_u8(out, (uint8_t)version);
	for (int i = 0; i < 15; i++)
		xos_buf_u8(out, 0);
	xos_buf_u32(out, 0); /* UT/local indicators */
	xos_buf_u32(out, 0); /* standard/wall indicators */
	xos_buf_u32(out, 0); /* leap seconds */
	xos_buf_u32(out, (uint32_t)times);
	xos_buf_u32(out, (uint32_t)types);
	xos_buf_u32(out, (uint32_t)chars);
}

static void put_type(struct xos_buf *out, int32_t offset, uint8_t summer, uint8_t name)
{
	xos_buf_u32(out, (uint32_t)offset);
	xos_buf_u8(out, summer);
	xos_buf_u8(out, name);
}

void zone_write(struct xos_buf *out, const struct zone_maker *z)
{
	/* The part of version 1 may be as good as empty: one type, no transition. */
	put_header(out, '2', 0, 1, 4);
	put_type(out, z->offsets[0], 0, 0);
	xos_buf_put(out, "STD", 4);
	put_header(out, '2', z->n, 2, 8);
	for (size_t i = 0; i < z->n; i++)
		xos_buf_u64(out, (uint64_t)z->transitions[i].at);
	for (size_t i = 0; i < z->n; i++)
		xos_buf_u8(out, z->transitions[i].type);
	put_type(out, z->offsets[0], 0, 0);
	put_type(out, z->offsets[1], 1, 4);
	xos_buf_put(out, "STD\0DST", 8);
	xos_buf_printf(out, "\n%s\n", z->footer);
}
