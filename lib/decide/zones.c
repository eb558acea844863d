#include "decide/zones.h"

#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "local/zoneinfo.h"

#define ZONES_MAX 64

struct zones {
	struct xos_policy_zone_data list[ZONES_MAX];
	struct xos_buf texts[ZONES_MAX];
	size_t n;
};

/* A zone that is not here makes its tests unknown: refusals will say so, the event says why. */
static void read_zones(struct zones *z, const struct xos_policy_set *set)
{
	size_t n;
	const char *const *names = xos_policy_set_zones(set, &n);
	for (size_t i = 0; i < n && z->n < ZONES_MAX; i++) {
		struct xos_err why = XOS_ERR_INIT;
		bool there = false;
		for (size_t j = 0; j < z->n && !there; j++)
			there = strcmp(z->list[j].name, names[i]) == 0;
		if (there)
			continue;
		if (xos_zoneinfo_read(NULL, names[i], &z->texts[z->n], &why)) {
			xos_event_err(
			    XOS_WARN, "policy.zone", &why, "zone", names[i], (const char *)NULL);
			continue;
		}
		z->list[z->n] =
		    (struct xos_policy_zone_data){names[i], xos_buf_bytes(&z->texts[z->n])};
		z->n++;
	}
}

enum xos_status xos_zones_policy(
    const struct xos_policy_part *parts, size_t n, struct xos_policy **out, struct xos_err *err)
{
	struct zones *z = calloc(1, sizeof(*z));
	if (!z)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t i = 0; i < n; i++)
		read_zones(z, parts[i].set);
	struct xos_policy_options options = {.zones = z->list, .nzones = z->n};
	enum xos_status st = xos_policy_new(parts, n, &options, out, err);
	if (st == XOS_MALFORMED) /* zone data that is none: without any, its tests are unknown */
		st = xos_policy_new(parts, n, NULL, out, err);
	for (size_t i = 0; i < z->n; i++)
		xos_buf_free(&z->texts[i]);
	free(z);
	return st;
}
