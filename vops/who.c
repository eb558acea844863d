/* Whom a decision is about: the certificate that came, the caller's own, or the membership. */
#include "vops/who.h"

#include <string.h>

#include "base/text.h"
#include "decide/subject.h"

void vops_who_clear(struct vops_who *who)
{
	xos_known_free(who->known);
	xos_policy_interned_subject_free(who->interned);
	*who = (struct vops_who){.basis = NULL};
}

/* Locks and roster; what they refuse they refuse for every action and place. */
static void judge_standing(struct vops_view *v, struct vops_who *who, int64_t now)
{
	struct xos_err *why = &who->refused;

	if (vops_view_usable(v, now, why) != XOS_OK)
		return;
	const struct xos_standing s = vops_view_standing(v);
	enum xos_status st = xos_standing_check(&s, who->claims, who->serial, NULL, now, why);
	const struct xos_identity *id = who->known ? who->known->id : NULL;

	for (size_t i = 0; st == XOS_OK && id && i < id->nsteps; i++)
		if (id->steps[i]->id[0])
			st = xos_standing_grant(&s, id->steps[i]->id, now, why);
}

/* Roles that the person could have asked for, if the membership is known. */
static void find_held(const struct vops_view *v, struct vops_who *who)
{
	const struct xos_claims *c = who->claims;
	const struct xos_membership_member *m = v->membership && c->kind == XOS_KIND_USER
	                                            ? xos_membership_find(v->membership, c->name)
	                                            : NULL;

	if (!m || m->number != c->number)
		return;
	who->held = m->roles;
	who->nheld = m->nroles;
}

static enum xos_status by_token(struct vops_view *v, const struct xos_bytes *chain, size_t n,
    const uint8_t *digest, int64_t now, struct vops_who *who, struct xos_err *err)
{
	enum xos_status st = vops_view_known(v, chain, n, digest, now, &who->known, &who->refused);

	if (st == XOS_MALFORMED || st == XOS_INTERNAL) {
		*err = who->refused;
		return st;
	}
	who->basis = "token";
	if (st != XOS_OK)
		return XOS_OK; /* a credential that is good for nothing: refused, and why */
	who->claims = who->known->id->claims;
	who->serial = who->known->id->serial;
	find_held(v, who);
	judge_standing(v, who, now);
	return XOS_OK;
}

static enum xos_status by_chain(struct vops_view *v, const struct xos_chain *chain, int64_t now,
    struct vops_who *who, struct xos_err *err)
{
	struct xos_bytes ders[XOS_CHAIN_MAX];
	uint8_t digest[XOS_SHA256_LEN];

	for (size_t i = 0; i < chain->n; i++)
		ders[i] = xos_cert_der(chain->cert[i]);
	if (xos_known_digest(ders, chain->n, digest) != XOS_OK)
		return xos_err_set(err, XOS_MALFORMED, "chain", "a chain that is too long");
	return by_token(v, ders, chain->n, digest, now, who, err);
}

static void describe(
    struct vops_who *who, const struct vops_view *v, const struct xos_membership_member *m)
{
	struct xos_claims *c = &who->member;

	c->kind = XOS_KIND_USER;
	(void)!xos_str_copy(c->vo, sizeof(c->vo), v->vo);
	(void)!xos_str_copy(c->name, sizeof(c->name), m->name);
	c->number = m->number;
	/* Claims own their lists elsewhere; these are borrowed, and nobody frees or changes them. */
	c->groups = (char **)(uintptr_t)m->groups;
	c->ngroups = m->ngroups;
	who->claims = c;
	who->held = m->roles;
	who->nheld = m->nroles;
}

void vops_who_member(
    struct vops_view *v, const struct xos_membership_member *m, int64_t now, struct vops_who *who)
{
	vops_who_clear(who);
	who->basis = "membership";
	describe(who, v, m);
	judge_standing(v, who, now);
}

static enum xos_status by_membership(struct vops_view *v, const struct xos_policy_subject *s,
    int64_t now, struct vops_who *who, struct xos_err *err)
{
	const struct xos_membership_member *m = NULL;

	if (s->kind != XOS_SUBJECT_MEMBER)
		return xos_err_set(err, XOS_MALFORMED, "subject-chain",
		    "only members are known here by name: say which node or service by its "
		    "certificates, subject.properties.chain");
	if (strcmp(s->vo, v->vo) != 0)
		xos_err_set(&who->refused, XOS_DENIED, "other-vo",
		    "This policy service knows the members of the VO %s only.", v->vo);
	else if (!v->membership || now > xos_membership_expires(v->membership))
		xos_err_set(&who->refused, XOS_UNAVAILABLE, "no-membership",
		    "The policy service has no membership that is valid now: ask with the "
		    "member's certificates, or again later.");
	else if (!(m = xos_membership_find(v->membership, s->member)))
		xos_err_set(&who->refused, XOS_DENIED, "no-member",
		    "The VO %s has no active member %s, or one that acts by tokens only.", v->vo,
		    s->member);
	if (m)
		vops_who_member(v, m, now, who);
	else
		who->basis = "membership";
	return XOS_OK;
}

static enum xos_status mismatch(const struct vops_who *who, struct xos_err *err)
{
	return xos_err_set(err, XOS_MALFORMED, "subject-mismatch",
	    "the request names another subject than the certificates, which are of %s",
	    who->known->subject);
}

enum xos_status vops_who_find(struct vops_view *v, const struct vops_caller *caller,
    const struct xos_decision_request *r, int64_t now, struct vops_who *who, struct xos_err *err)
{
	const struct xos_policy_subject *s = &xos_decision_request_get(r)->subject;
	bool self = xos_subject_is(s, caller->id->claims);
	struct xos_chain chain = {.n = 0};
	enum xos_status st;

	vops_who_clear(who);
	if (caller->id->claims->kind == XOS_KIND_USER && !self)
		return xos_err_set(err, XOS_DENIED, "not-yours",
		    "a member may ask about itself (%s:%s) only; nodes and services may ask about "
		    "others",
		    caller->id->claims->vo, caller->id->claims->name);
	st = xos_evaluations_chain(r, &chain, err);
	if (st == XOS_OK && chain.n)
		st = by_chain(v, &chain, now, who, err);
	else if (st == XOS_OK && self)
		st = by_token(
		    v, caller->chain, caller->nchain, caller->id->chain_digest, now, who, err);
	else if (st == XOS_OK)
		st = by_membership(v, s, now, who, err);
	xos_chain_clear(&chain);
	if (st == XOS_OK && who->known && !xos_subject_is(s, who->claims))
		st = mismatch(who, err);
	if (st != XOS_OK)
		vops_who_clear(who);
	return st;
}
