/* The question whether somebody may do something to something. */
#include <string.h>

#include "base/name.h"
#include "base/text.h"
#include "policytool/world.h"

struct xos_cases_ask *xos_policytool_world_ask(const struct xos_policytool_principal *p,
    const char *action, const struct xos_policytool_thing *t)
{
	struct xos_cases_ask *ask = xos_cases_ask_copy(p->ask);
	char vo[XOS_VO_MAX + 8];
	const char *on = t->on;
	if (t->own_vo && p->vo && xos_str_printf(vo, sizeof(vo), "vo:%s", p->vo))
		on = vo;
	bool owns = p->vo && !p->machine;
	const char *owner = t->own && owns ? xos_cases_ask_get(p->ask, "subject") : t->owner;
	const struct {
		const char *field, *value;
	} fields[] = {
	    {"action", action}, {"on", on}, {"at", t->at}, {"vo", t->vo}, {"owner", owner}};
	for (size_t i = 0; ask && i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].value &&
		    xos_cases_ask_set(ask, fields[i].field, fields[i].value, NULL)) {
			xos_cases_ask_free(ask);
			return NULL;
		}
	if (ask && (!on || (t->own && !owns))) {
		xos_cases_ask_free(ask);
		return NULL;
	}
	return ask;
}
