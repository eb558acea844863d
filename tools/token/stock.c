#include "tokentool/stock.h"

#include <string.h>

#include "api/evaluations.h"

struct question {
	const char *member, *node;
	int64_t now, until;
};

static enum xos_status answered(
    void *ctx, size_t i, const struct xos_decision_answer *a, struct xos_err *err)
{
	const struct xos_decision_limit *l = &a->limits[XOS_CAP_LIFETIME];
	struct question *q = ctx;

	(void)i;
	if (a->decision == XOS_POLICY_UNDECIDED)
		return xos_err_set(err, XOS_UNAVAILABLE, "policy-undecided",
		    "whether %s may have proxies for stock programs on %s could not be decided: %s",
		    q->member, q->node, a->reason_user);
	if (a->decision != XOS_POLICY_PERMITTED)
		return xos_err_set(err, XOS_DENIED, "policy-denied", "%s", a->reason_user);
	if (a->nduties)
		return xos_err_set(err, XOS_DENIED, "duty-unknown",
		    "policy demands \"%s\" of whoever makes such a proxy, and this tool cannot do "
		    "that",
		    a->duties[0].name);
	if (l->set && l->number < q->until - q->now)
		q->until = q->now + l->number;
	return XOS_OK;
}

enum xos_status token_stock_permitted(const struct xos_cli_vo *vo, const char *member,
    const char *node, int64_t now, int64_t *until, struct xos_err *err)
{
	struct question q = {.member = member, .node = node, .now = now, .until = *until};
	struct xos_policy_value lifetime = {
	    .name = "token.lifetime", .type = XOS_POLICY_DURATION, .number = *until - now};
	const struct xos_policy_request req = {
	    .subject = {.kind = XOS_SUBJECT_MEMBER, .vo = vo->name, .member = member},
	    .action = "token.stock",
	    .values = &lifetime,
	    .nvalues = lifetime.number > 0};
	struct xos_cli_client *vops = NULL;
	const char *slash = strchr(node, '/');
	enum xos_status st;

	if (!slash || slash == node || !slash[1])
		return xos_cli_usage(
		    err, "--node: with --stock write SITE/NODE, not \"%s\" (xos-node list)", node);
	st = xos_cli_client_new(vo, "vops", NULL, true, &vops, err);
	if (st == XOS_OK)
		st = xos_evaluations_ask(xos_cli_client(vops), &req, &node, 1, answered, &q, err);
	xos_cli_client_free(vops);
	if (st == XOS_OK)
		*until = q.until;
	return st;
}
