#include "token/kind.h"

#include <string.h>

static const char *const names[] = {
    [XOS_KIND_NONE] = "none",
    [XOS_KIND_USER] = "user",
    [XOS_KIND_NODE] = "node",
    [XOS_KIND_SERVICE] = "service",
    [XOS_KIND_DELEGATION] = "delegation",
    [XOS_KIND_POLICY] = "policy",
    [XOS_KIND_ACCOUNTING] = "accounting",
};

bool xos_kind_valid(unsigned v)
{
	return v > XOS_KIND_NONE && v <= XOS_KIND_LAST;
}

const char *xos_kind_name(enum xos_kind kind)
{
	return xos_kind_valid(kind) ? names[kind] : names[XOS_KIND_NONE];
}

enum xos_kind xos_kind_parse(const char *name)
{
	for (unsigned k = XOS_KIND_USER; k <= XOS_KIND_LAST; k++)
		if (name && strcmp(name, names[k]) == 0)
			return k;
	return XOS_KIND_NONE;
}
