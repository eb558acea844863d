#include "rca/rights.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static bool is_admin(const struct rca_signer *who)
{
	return who->why->status == XOS_OK;
}

static enum xos_status in_standing(
    struct rca_auth *a, const struct rca_signer *who, int64_t now, struct xos_err *err)
{
	return who->id ? xos_gate_member(a->gate, who->id, now, err)
	               : xos_gate_named(a->gate, who->name, who->number, now, err);
}

/* To whoever has nothing to do with the site no more is said than that. */
static enum xos_status not_admin(const struct rca_signer *who, struct xos_err *err)
{
	if (err)
		*err = *who->why;
	return who->why->status;
}

static enum xos_status refuse(const struct rca_signer *who, const char *site, enum rca_terms state,
    const struct xos_admission *terms, struct xos_err *err)
{
	char end[XOS_TIME_TEXT];

	if (!is_admin(who) && !xos_admission_names(terms, who->name))
		return not_admin(who, err);
	if (state == RCA_TERMS_REMOVED)
		return xos_err_set(err, XOS_DENIED, "site-removed",
		    "the site %s was removed, and its owner had published admission terms: nobody "
		    "approves its nodes unless it is registered again (xos-policy site add)",
		    site);
	if (state == RCA_TERMS_EXPIRED) {
		xos_time_format(terms->expires, end);
		return xos_err_set(err, XOS_DENIED, "terms-expired",
		    "the admission terms of the site %s ended at %s: nobody approves its nodes "
		    "until "
		    "its owner renews them (xos-node admission)",
		    site, end);
	}
	return xos_err_set(err, XOS_DENIED, "not-approver",
	    "the owner of the site %s says who approves its nodes (xos-node sites), and %s is not "
	    "among them; administrators of the VO may deny, ban and remove",
	    site, who->name);
}

enum xos_status rca_may_approve(struct rca_auth *a, const struct rca_signer *who, const char *site,
    int64_t now, enum rca_side *side, struct xos_err *err)
{
	struct xos_admission terms;
	enum rca_terms state = RCA_TERMS_REMOVED;
	enum xos_status st = rca_site_terms(a->db, site, now, &state, &terms, err);

	if (st != XOS_OK)
		return st;
	if (state == RCA_TERMS_NONE) {
		*side = RCA_SIDE_VO;
		return is_admin(who) ? XOS_OK : not_admin(who, err);
	}
	if (state != RCA_TERMS_FORCE || !xos_admission_names(&terms, who->name))
		return refuse(who, site, state, &terms, err);
	*side = RCA_SIDE_OWNER;
	return in_standing(a, who, now, err);
}

enum xos_status rca_may_stop(struct rca_auth *a, const struct rca_signer *who, const char *site,
    int64_t now, enum rca_side *side, struct xos_err *err)
{
	struct xos_err own = XOS_ERR_INIT;

	/* Who is both acts for the owner: that no is the one which an administrator cannot lift. */
	if (rca_may_approve(a, who, site, now, side, &own) == XOS_OK)
		return XOS_OK;
	*side = RCA_SIDE_VO;
	if (is_admin(who))
		return XOS_OK;
	if (err)
		*err = own;
	return own.status;
}

bool rca_may_see(struct rca_auth *a, const struct rca_signer *who, const char *site, int64_t now)
{
	struct xos_admission terms;
	enum rca_terms state = RCA_TERMS_NONE;

	if (is_admin(who))
		return true;
	return rca_site_terms(a->db, site, now, &state, &terms, NULL) == XOS_OK &&
	       (state == RCA_TERMS_FORCE || state == RCA_TERMS_EXPIRED) &&
	       xos_admission_names(&terms, who->name) && in_standing(a, who, now, NULL) == XOS_OK;
}

enum xos_status rca_may_look(
    struct rca_auth *a, const struct rca_signer *who, int64_t now, struct xos_err *err)
{
	bool named = false;
	enum xos_status st = XOS_OK;

	if (is_admin(who))
		return XOS_OK;
	st = rca_site_named(a->db, who->name, &named, err);
	if (st == XOS_OK)
		st = named ? in_standing(a, who, now, err) : not_admin(who, err);
	return st;
}
