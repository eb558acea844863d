#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "credd/leader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* /proc is the kernel's, but the name of a process and of a group are somebody else's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_bytes in = {data, size};
	uint64_t start = 7;
	if (!xos_credd_stat_start(in, &start) && start != 7)
		abort();
	if (xos_credd_groups_name(in, "5f1c") && !memmem(data, size, "/xos-5f1c", 9))
		abort();
	return 0;
}
