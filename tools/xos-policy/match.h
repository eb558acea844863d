#ifndef XOS_POLICYTOOL_MATCH_H
#define XOS_POLICYTOOL_MATCH_H

#include "policytool/reason.h"

/* What of a statement is decided by a request that leaves things open. */
enum xos_policytool_tri { XOS_KNOWN_FALSE, XOS_KNOWN_TRUE, XOS_NOT_KNOWN, XOS_LEFT_OPEN };

struct xos_policytool_matcher {
	const struct xos_policy_request *req;
	const struct xos_policytool_open *open;
	const struct xos_policy_options *zones;
	const struct xos_policy_node *node; /* as its site declares it; NULL: not */
	/* The action's code, as the set asked last has it. */
	const struct xos_policy_set *last;
	uint8_t code;
};

/* Sets that one request can concern. */
#define XOS_POLICYTOOL_SETS_MAX 512u

/* False if nothing can permit the request: it is not well formed. */
bool xos_policytool_matcher_init(struct xos_policytool_matcher *m, const struct xos_policy *policy,
    const struct xos_policy_options *zones, const struct xos_policy_request *req,
    const struct xos_policytool_open *open);

bool xos_policytool_role_open(const struct xos_policytool_matcher *m, const char *role);
bool xos_policytool_who(const struct xos_policytool_matcher *m, const struct xos_policy_set *set,
    const struct xos_policy_who *who);
/* Any VO can say of its members where they are at home: a VO's permit by home is nothing to others. */
bool xos_policytool_foreign_home(const struct xos_policytool_matcher *m,
    const struct xos_policy_statement *s, const struct xos_policy_who *who);
enum xos_policytool_tri xos_policytool_term(
    const struct xos_policytool_matcher *m, const struct xos_policy_term *t);
bool xos_policytool_action(
    struct xos_policytool_matcher *m, const struct xos_policy_set *set, uint64_t actions);
enum xos_policytool_tri xos_policytool_test_value(const struct xos_policytool_matcher *m,
    const struct xos_policy_set *set, const struct xos_policy_cond *c);
/* Does every request for this action give the attribute? */
bool xos_policytool_always(
    const struct xos_policytool_matcher *m, const struct xos_policy_attr *attr);
bool xos_policytool_is_owner(const struct xos_policytool_matcher *m);

/* The sets of the subject's groups and of the groups above. */
size_t xos_policytool_group_sets(const struct xos_policytool_matcher *m,
    const struct xos_policy *policy, const struct xos_policy_set *out[XOS_POLICYTOOL_SETS_MAX]);
/* All whose forbids, checks, limits and duties bind. */
size_t xos_policytool_concerned(const struct xos_policytool_matcher *m,
    const struct xos_policy *policy, const struct xos_policy_set *out[XOS_POLICYTOOL_SETS_MAX]);
/* Does this delegate statement name the group or node whose set it is? */
bool xos_policytool_covers(
    const struct xos_policy_statement *delegate, const struct xos_policy_set *below);
/* "lab/n1", "demo:alice" */
void xos_policytool_node_name(char *out, size_t cap, const struct xos_policy_resource *res);
void xos_policytool_owner_name(char *out, size_t cap, const struct xos_policy_resource *res);

#endif
