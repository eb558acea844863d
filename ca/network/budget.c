#include "ca/network/budget.h"

bool ca_budget_take(struct ca_budget *b, unsigned max, int64_t now_ms)
{
	if (now_ms / 1000 != b->second) {
		b->second = now_ms / 1000;
		b->used = 0;
	}
	if (b->used >= max)
		return false;
	b->used++;
	return true;
}
