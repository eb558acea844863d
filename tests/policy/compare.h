#ifndef XOS_TESTS_POLICY_COMPARE_H
#define XOS_TESTS_POLICY_COMPARE_H

#include "model.h"

/* A policy of the model as the engine has it. */
struct built {
	struct xos_policy *policy, *empty; /* the second without any set */
	struct xos_policy_set *sets[M_SETS], *chain[M_CHAIN];
	unsigned nchain;
	unsigned dropped; /* statements that the language refuses */
};

/* Statements that the checks of the language refuse are taken out of p. */
void build(struct m_policy *p, struct built *b);
/* The same sets, each changed by a function that keeps its meaning. */
void build_from(const struct m_policy *p, const struct built *from, struct built *b,
    struct xos_policy_set *(*change)(const struct m_set *model, const struct xos_policy_set *set));
void built_free(struct built *b);
struct xos_policy_set *build_set(struct m_set *set, unsigned *dropped);

/* What the engine says, as the slow evaluator says it. */
struct outcome ask_engine(const struct m_policy *p, const struct built *b,
    const struct xos_policy_request *req, struct xos_policy_answer *a);
/* What differs, NULL if nothing does. */
const char *what_differs(const struct outcome *engine, const struct outcome *slow);

/* One request to both, way out and missing attributes included; what differs, or NULL. */
const char *compare_one(const struct m_policy *p, const struct built *b, struct m_request *r,
    struct xos_policy_answer *a, enum xos_policy_decision *decision);
/* Makes the policy as small as it can be while they differ, and prints it to stderr. */
void report_difference(const struct m_policy *p, struct m_request *r, const char *difference);

#endif
