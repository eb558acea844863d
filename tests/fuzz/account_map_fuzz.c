/* A map of accounts that anybody may have written: look-ups stay inside it, end, and keep to its ranges. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "local/accountmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void member(const struct xos_account_map *m, const struct xos_account_map_member *a)
{
	const struct xos_account_map_head *h = xos_account_map_head(m);
	struct xos_account_map_member again;
	check(a->name[0] && a->uid >= 1000 && a->uid >= h->first && a->uid <= h->last);
	if (xos_account_map_by_name(m, a->name, &again))
		check(strcmp(again.name, a->name) == 0);
	if (xos_account_map_by_uid(m, a->uid, &again))
		check(again.uid == a->uid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_account_map *m = NULL;
	struct xos_account_map_member a;
	struct xos_account_map_group g, again;
	if (xos_account_map_use((struct xos_bytes){data, size}, &m, NULL) != XOS_OK)
		return 0;
	const struct xos_account_map_head *h = xos_account_map_head(m);
	for (uint32_t i = 0; i < h->members && i < 64; i++)
		if (xos_account_map_at(m, i, &a))
			member(m, &a);
	for (uint32_t i = 0; i < h->groups && i < 64; i++)
		if (xos_account_map_group_at(m, i, &g)) {
			check(g.gid >= 1000 && g.name[0]);
			if (xos_account_map_group_by_name(m, g.name, &again))
				check(strcmp(again.name, g.name) == 0);
			if (xos_account_map_group_by_gid(m, g.gid, &again))
				check(again.gid == g.gid);
		}
	if (xos_account_map_by_name(m, "demo.alice", &a))
		member(m, &a);
	xos_account_map_free(m);
	return 0;
}
