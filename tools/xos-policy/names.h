#ifndef XOS_POLICYTOOL_NAMES_H
#define XOS_POLICYTOOL_NAMES_H

#include "policy/ast.h"

/* What statements name, in heads and conditions, each as often as it stands there. */
struct xos_policytool_namer {
	void (*who)(void *arg, const struct xos_policy_who *who);
	void (*term)(void *arg, const struct xos_policy_term *term);
	void *arg;
};

void xos_policytool_names(
    const struct xos_policy_statement *s, const struct xos_policytool_namer *namer);

#endif
