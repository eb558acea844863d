#ifndef XOS_POLICY_EDGES_H
#define XOS_POLICY_EDGES_H

#include "policy/decide.h"

/*
 * When may an answer become another one although nothing changed but the time? Windows begin and end, dates do, `now` passes
 * what it is compared with, a log-in grows old, a set becomes valid or ends. Whoever decided about work that goes on
 * asks for the next such moment and decides again then.
 */
struct xos_policy_edges {
	const char *action;        /* statements about others are not looked at; NULL: about all */
	int64_t now;               /* seconds since 1970 UTC */
	int64_t limit;             /* no further than this; at most a day ahead is looked */
	const int64_t *auth_times; /* of the subjects, for auth.age; 0: not known */
	size_t nauth_times;
};

/*
 * The earliest moment in (now, limit] from which on a decision by these sets may be another; limit (or a day from now, if that is
 * sooner) if there is none before. Never later than the true one, to the second: windows are looked at in local time, and where the
 * clocks of a zone are moved before a window's next end, the moment of that counts as one. May be earlier, since neither other parts of
 * a condition nor the days of a window are looked at. Takes one visit of each condition, once for each log-in where it
 * is about auth.age.
 */
int64_t xos_policy_next_edge(const struct xos_policy *p, const struct xos_policy_edges *q);
/* The same for a set beside the policy, which brings its zones: a restriction of a delegation. */
int64_t xos_policy_set_next_edge(
    const struct xos_policy *p, const struct xos_policy_set *set, const struct xos_policy_edges *q);

#endif
