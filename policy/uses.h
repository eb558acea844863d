#ifndef XOS_POLICY_USES_H
#define XOS_POLICY_USES_H

#include "policy/set.h"

/*
 * What a statement needs of whoever carries out its decisions, so that it can be held against what a machine says
 * that it can.
 */
enum xos_policy_use {
	XOS_POLICY_USES_ATTRIBUTE, /* given by the enforcement point, not computed by the engine */
	XOS_POLICY_USES_CAP,       /* number: its value; 0 for a set of names */
	XOS_POLICY_USES_DUTY,
	XOS_POLICY_USES_ZONE
};
/* Names live as long as the set. False ends it. */
typedef bool (*xos_policy_use_fn)(
    void *ctx, enum xos_policy_use use, const char *name, int64_t number);
/* The same name may come more than once. False: fn ended it. */
bool xos_policy_statement_uses(
    const struct xos_policy_statement *s, xos_policy_use_fn fn, void *ctx);

/* Could it match a request about something on that node? Classes and tags are not asked: they may come and go. */
bool xos_policy_statement_reaches(
    const struct xos_policy_statement *s, const char *site, const char *node);
/* Is it about that action, in the words of its set? */
bool xos_policy_statement_acts(const struct xos_policy_statement *s, const char *action);
/* Does a request for that action have the attribute, always or sometimes? Those that the set declares itself go with every action. */
bool xos_policy_attr_goes_with(
    const struct xos_policy_set *set, const char *attr, const char *action);

#endif
