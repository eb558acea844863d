#ifndef XOS_POLICY_RUN_H
#define XOS_POLICY_RUN_H

#include "policy/index.h"

/* Private to policy/: one decision while it is being made. */

/* A level of the answer while it is being looked at. */
struct xos_level {
	struct xos_policy_verdict *verdict;
	enum xos_tri grant; /* the best of its permits, whether they count or not */
	const struct xos_policy_statement *permit;
	struct xos_policy_on_change lost; /* of permits that are about this and do not grant */
	struct xos_level *grantor;        /* whose grant its permits are: a group's are the VO's */
};

struct xos_delegate { /* a delegate statement that is about this request */
	const struct xos_policy_statement *statement;
	bool unknown;
};

/* One that is unknown, to be asked again for what it lacked. */
struct xos_doubt {
	const struct xos_policy_compiled *set;
	struct xos_policy_zone *const *zones;
	const struct xos_rule *rule;
	const struct xos_level *level; /* of a permit or delegate; NULL: it refuses by itself */
	struct xos_doubt *next;
	bool any;
};

struct xos_run {
	const struct xos_policy *policy;
	struct xos_policy_eval eval;
	struct xos_policy_memory *memory;
	struct xos_level *levels;
	struct xos_policy_verdict *verdicts;
	size_t nlevels, most_levels;
	struct xos_policy_fired *forbids, *checks, *shadows;
	size_t nforbids, nchecks, nshadows;
	struct xos_delegate *delegates;
	size_t ndelegates;
	struct xos_policy_limit *limits;      /* by cap; from is NULL where there is none */
	const char **classes;                 /* what remains of them, once two limits met */
	bool class_unknown;                   /* a limit of account classes may not apply */
	const struct xos_policy_scope *scope; /* whose statements are looked at; of no delegation */
	struct xos_policy_duty *duties;
	size_t nduties;
	uint64_t *have_duties; /* bits by number: those that are among them */
	struct xos_policy_on_change change, class_change; /* the second: if no class remains */
	struct xos_doubt *doubts;
	const char **unknown;
	size_t nunknown;
	bool again;          /* looking for a way out: only the decision counts */
	bool failed;         /* out of memory */
	bool refused, maybe; /* a reason that stands for certain; one that hangs on the unknown */
};

/* visit.c */
void xos_run_refuse(struct xos_run *r, struct xos_level *l, bool unknown);
/* All statements of the set that was entered that may be about the request. rows: those of the
 * subject, if they are known. */
void xos_run_set(
    struct xos_run *r, struct xos_level *l, const struct xos_row *const *rows, size_t nrows);
/* Those of a delegation, which nothing indexes. */
void xos_run_delegation(struct xos_run *r, struct xos_level *l);
void *xos_run_more(struct xos_run *r, void *old, size_t n, size_t size);

/* merge.c */
void xos_merge_limit(struct xos_run *r, const struct xos_level *l, const struct xos_rule *rule,
    const struct xos_policy_statement *s, bool unknown);
/* networks.c */
void xos_merge_networks(struct xos_run *r, struct xos_policy_limit *l,
    const struct xos_policy_cap_value *v, const struct xos_policy_statement *s);
void xos_merge_duties(struct xos_run *r, const struct xos_policy_statement *s);
void xos_merge_change(struct xos_policy_on_change *to, const struct xos_policy_statement *s);
void xos_merge_changes(struct xos_policy_on_change *to, const struct xos_policy_on_change *from);

#endif
