#ifndef XOS_POLICYTOOL_NAMES_H
#define XOS_POLICYTOOL_NAMES_H

#include "policy/ast.h"

/* What statements name, in heads and conditions, each as often as it stands there. */
struct xos_policytool_namer {
	void (*who)(void *arg, const struct xos_policy_who *who);
	void (*term)(void *arg, const struct xos_policy_term *term);
	void (*id)(void *arg, const struct xos_policy_cond *test); /* of resource.id */
	void *arg;
};

void xos_policytool_names(
    const struct xos_policy_statement *s, const struct xos_policytool_namer *namer);

/* Texts that tell patterns apart: some that the pattern matches, each '?' a letter, each '*' nothing, a
 * letter or two, and some that it just does not match. The longest are left out. */
void xos_policytool_like_examples(
    const char *pattern, void (*told)(void *arg, const char *text), void *arg);

#endif
