/* What a statement of a level may say. */
#include <string.h>

#include "base/name.h"
#include "policy/ast.h"

static bool within_vo(const char *name, const char *vo)
{
	if (name[0] == '/')
		return xos_fqan_in_vo(name, vo);
	size_t n = strlen(vo);
	return strncmp(name, vo, n) == 0 && name[n] == ':';
}

static const char *check_who(
    const struct xos_policy_statement *s, const struct xos_policy_who *who, const char **hint)
{
	if (s->set->level != XOS_POLICY_VO)
		return NULL;
	switch (who->kind) {
	case XOS_WHO_LOCAL:
		*hint = "the owner of a site lets them in";
		return "a VO has nothing to say about principals of no VO";
	case XOS_WHO_VO:
		*hint = "write any";
		return "every statement of a VO's set is about that VO";
	case XOS_WHO_GROUP:
	case XOS_WHO_EXACTLY:
	case XOS_WHO_ROLE:
	case XOS_WHO_USER:
		if (within_vo(who->name, s->set->name))
			return NULL;
		*hint = "the first component is the VO's name; principals of other VOs are not "
		        "supported yet";
		return "a name that is not of this VO";
	case XOS_WHO_ANY:
	case XOS_WHO_HOME:
		break;
	}
	return NULL;
}

static const char *check_whos(
    const struct xos_policy_statement *s, bool narrowing, const char **hint)
{
	for (size_t i = 0; i < s->nwhos; i++) {
		if (narrowing && s->whos[i].kind == XOS_WHO_ROLE) {
			*hint = "turn it round (unless role ...), or hang it on a group";
			return "it would apply because a role is present, and roles can be left "
			       "out";
		}
		const char *problem = check_who(s, &s->whos[i], hint);
		if (problem)
			return problem;
	}
	return NULL;
}

/* Terms are sorted by kind, so that two of one kind are neighbours. */
static const char *check_place(
    const struct xos_policy_statement *s, const struct xos_policy_place *place, const char **hint)
{
	const char *site = s->set->site;
	size_t n = site ? strlen(site) : 0;
	for (size_t i = 0; i < place->n; i++) {
		const struct xos_policy_term *t = &place->terms[i];
		if (i && t->kind == t[-1].kind && t->kind != XOS_TERM_TAG &&
		    t->kind != XOS_TERM_FILE) {
			*hint = "'&' means both at once";
			return "nothing is both: this never matches";
		}
		if (!site)
			continue;
		*hint = "an owner writes about the own site and its nodes only";
		if (t->kind == XOS_TERM_SITE && strcmp(t->name, site) != 0)
			return "another site's resource";
		if (t->kind == XOS_TERM_NODE &&
		    (strncmp(t->name, site, n) != 0 || t->name[n] != '/'))
			return "another site's node";
		if (t->kind == XOS_TERM_NODE && s->set->level == XOS_POLICY_NODE &&
		    strcmp(t->name, s->set->name) != 0)
			return "another node's resource";
		*hint = NULL;
	}
	return NULL;
}

/*
 * Roles are on request, so a refusal or cap that comes with a role would be escaped by not asking
 * for it. `positive`: c becoming true can make the statement apply.
 */
static const char *check_cond(const struct xos_policy_statement *s, const struct xos_policy_cond *c,
    bool positive, bool narrowing, const char **hint)
{
	if (c->op <= XOS_COND_NOT) {
		for (size_t i = 0; i < c->n; i++) {
			const char *problem = check_cond(
			    s, c->u.kids[i], positive != (c->op == XOS_COND_NOT), narrowing, hint);
			if (problem)
				return problem;
		}
		return NULL;
	}
	if (c->op == XOS_COND_ON)
		return check_place(s, &c->u.place, hint);
	if (c->op != XOS_COND_WHO)
		return NULL;
	if (narrowing && positive && c->u.who.kind == XOS_WHO_ROLE) {
		*hint = "turn it round (unless role ...), or hang it on a group";
		return "it would apply because a role is present, and roles can be left out";
	}
	return check_who(s, &c->u.who, hint);
}

static const char *check_level(const struct xos_policy_statement *s, const char **hint)
{
	enum xos_policy_level level = s->set->level;
	if (level == XOS_POLICY_DELEGATION) {
		if (s->shadow || (s->effect != XOS_POLICY_CHECK && s->effect != XOS_POLICY_LIMIT)) {
			*hint = "a delegation only narrows: use check and limit";
			return "a delegation cannot say this";
		}
		return NULL;
	}
	if (s->effect == XOS_POLICY_CHECK) {
		*hint = "use permit ... when, or forbid ... unless";
		return "check belongs into a delegation";
	}
	if (level == XOS_POLICY_NODE && s->effect == XOS_POLICY_PERMIT) {
		*hint = "permit in the site's set; letting the site delegate to nodes is not "
		        "supported yet";
		return "a node's set only narrows";
	}
	return NULL;
}

const char *xos_policy_statement_check(const struct xos_policy_statement *s, const char **hint)
{
	/* A check passes on true: there a role that is present only opens what the check closed. */
	bool narrowing = s->effect != XOS_POLICY_PERMIT && s->effect != XOS_POLICY_CHECK;
	const char *problem = check_level(s, hint);
	if (!problem)
		problem = check_whos(s, narrowing, hint);
	for (size_t i = 0; !problem && i < s->nplaces; i++)
		problem = check_place(s, &s->places[i], hint);
	if (!problem && s->cond)
		problem = check_cond(s, s->cond, true, narrowing, hint);
	return problem;
}
