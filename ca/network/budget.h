#ifndef XOS_CA_BUDGET_H
#define XOS_CA_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* So many things a second, and no more; nothing is saved up. Zeroed at first; the caller locks. */
struct ca_budget {
	int64_t second;
	unsigned used;
};

/* May one more be done? now_ms: a monotonic clock. */
bool ca_budget_take(struct ca_budget *b, unsigned max, int64_t now_ms);

#endif
