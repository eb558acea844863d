#ifndef XOS_POLICY_EVAL_H
#define XOS_POLICY_EVAL_H

#include "policy/ast.h"
#include "policy/decide.h"

/* Private to policy/: three-valued evaluation of one statement for one request. */

enum xos_tri { XOS_FALSE, XOS_UNKNOWN, XOS_TRUE };

#define XOS_POLICY_CODES XOS_POLICY_ATTRS_MAX

struct xos_policy_eval {
	const struct xos_policy_request *req;
	const struct xos_policy_action *action;
	const char *extra_role; /* tried as if it were active; NULL: none */
	const struct xos_policy_node
	    *node;    /* as the site declares it; NULL: not, or no node given */
	bool at_site; /* the resource is at a site */
	const struct xos_policy_value *values[XOS_POLICY_CODES];
	struct xos_policy_ip ips[XOS_POLICY_CODES];
	uint32_t statements, nodes; /* work done */
	/* Called for each attribute that was needed and missing; NULL: not wanted. */
	void (*missing)(void *arg, const char *name);
	void *arg;
};

/* Checks the form of a request and fills e. NULL, or what is wrong with it. */
const char *xos_policy_eval_init(struct xos_policy_eval *e, const struct xos_policy_request *req);

/* Does the statement apply: who, place and condition (not the action). */
enum xos_tri xos_policy_eval_statement(
    struct xos_policy_eval *e, const struct xos_policy_statement *s);

#endif
