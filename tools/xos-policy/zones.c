#include "policytool/zones.h"

#include <stdlib.h>
#include <string.h>

#include "local/zoneinfo.h"
#include "policy/zone.h"

struct xos_policytool_zones {
	struct xos_policy_zone_data *list;
	struct xos_buf *texts;
	size_t n;
	struct xos_policy_options options;
};

static bool is_there(const struct xos_policytool_zones *z, const char *name)
{
	for (size_t i = 0; i < z->n; i++)
		if (strcmp(z->list[i].name, name) == 0)
			return true;
	return false;
}

static enum xos_status add_zone(
    struct xos_policytool_zones *z, const char *name, struct xos_err *err)
{
	const char *dir = getenv("TZDIR");
	if (is_there(z, name))
		return XOS_OK;
	struct xos_policy_zone_data *list = reallocarray(z->list, z->n + 1, sizeof(*list));
	if (list)
		z->list = list;
	struct xos_buf *texts = reallocarray(z->texts, z->n + 1, sizeof(*texts));
	if (texts)
		z->texts = texts;
	if (!list || !texts)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (xos_zoneinfo_read(dir && dir[0] ? dir : NULL, name, &texts[z->n], NULL))
		return XOS_OK;
	list[z->n] = (struct xos_policy_zone_data){name, xos_buf_bytes(&texts[z->n])};
	z->n++;
	return XOS_OK;
}

enum xos_status xos_policytool_zones_load(
    const struct xos_policytool_sets *sets, struct xos_policytool_zones **out, struct xos_err *err)
{
	struct xos_policytool_zones *z = calloc(1, sizeof(*z));
	enum xos_status st = XOS_OK;
	*out = z;
	if (!z)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t i = 0; !st && i < sets->n; i++) {
		size_t n;
		const char *const *names = xos_policy_set_zones(sets->list[i].set, &n);
		for (size_t j = 0; !st && j < n; j++)
			st = add_zone(z, names[j], err);
	}
	z->options = (struct xos_policy_options){.zones = z->list, .nzones = z->n};
	return st;
}

void xos_policytool_zones_free(struct xos_policytool_zones *z)
{
	if (!z)
		return;
	for (size_t i = 0; i < z->n; i++)
		xos_buf_free(&z->texts[i]);
	free(z->texts);
	free(z->list);
	free(z);
}

const struct xos_policy_options *xos_policytool_zones_options(const struct xos_policytool_zones *z)
{
	return z ? &z->options : NULL;
}

bool xos_policytool_zone_offset(
    const struct xos_policy_options *zones, const char *name, int64_t now, int64_t *offset)
{
	struct xos_policy_zone *zone = NULL;
	for (size_t i = 0; zones && i < zones->nzones; i++) {
		if (strcmp(zones->zones[i].name, name) != 0)
			continue;
		if (xos_policy_zone_parse(zones->zones[i].tzif, &zone, NULL) != XOS_OK)
			return false;
		*offset = xos_policy_zone_offset(zone, now);
		xos_policy_zone_free(zone);
		return true;
	}
	return false;
}
