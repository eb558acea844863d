#include "ca/key/terms.h"

#include "ca/membership/robots.h"
#include "ca/membership/rules.h"
#include "ca/membership/sealed.h"
#include "ca/membership/standing.h"
#include "ca/membership/vo.h"
#include "policy/restriction.h"

void ca_terms_init(struct ca_terms *t)
{
	t->end = 0;
	xos_buf_init(&t->restriction, XOS_RESTRICTION_MAX);
}

void ca_terms_free(struct ca_terms *t)
{
	xos_buf_free(&t->restriction);
}

enum xos_status ca_terms_find(struct ca_membership *m, const struct ca_member *member,
    int64_t authenticated, int64_t now, struct ca_terms *out, struct xos_err *err)
{
	struct ca_vo vo;
	enum xos_status st = ca_vo_get(m, &vo, err);

	if (st == XOS_OK)
		st = ca_standing_in(m, &vo, member, now, err);
	if (st == XOS_OK)
		st = ca_rules_in(m, &vo, member, err);
	if (st == XOS_OK)
		st = ca_sealed_fresh(member, authenticated, now, err);
	if (st == XOS_OK)
		st = ca_standing_end(m, &vo, member, now, &out->end, err);
	if (st == XOS_OK && member->kind == CA_ROBOT)
		st = ca_robot_restriction(m, member->number, &out->restriction, err);
	return st;
}
