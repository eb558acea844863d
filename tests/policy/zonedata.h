#ifndef XOS_TESTS_POLICY_ZONEDATA_H
#define XOS_TESTS_POLICY_ZONEDATA_H

#include "base/bytes.h"

/* TZif data of version 2 (RFC 9636), made here so that no test depends on the machine's own: these
 * transitions, and from the last of them on the rule of the footer. */
struct zone_maker {
	struct {
		int64_t at;
		uint8_t type;
	} transitions[400];
	size_t n;
	int32_t offsets[2]; /* of the types; 1 is summer time */
	const char *footer;
};
void zone_write(struct xos_buf *out, const struct zone_maker *z);

#endif
