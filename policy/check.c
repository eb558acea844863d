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

/* "/demo/physics/x" and "/demo/physics/Role=y" are within "/demo/physics". */
static bool within_group(const char *name, const char *group)
{
	size_t n = strlen(group);
	return strncmp(name, group, n) == 0 && (name[n] == 0 || name[n] == '/');
}

/* Is each place about objects: jobs, files, or objects of the VO's own kinds? */
static bool about_objects(const struct xos_policy_statement *s)
{
	for (size_t i = 0; i < s->nplaces; i++) {
		bool object = false;
		for (size_t j = 0; j < s->places[i].n; j++) {
			enum xos_policy_term_kind kind = s->places[i].terms[j].kind;
			object |= kind == XOS_TERM_FILE || kind == XOS_TERM_JOB ||
			          kind == XOS_TERM_KIND || kind == XOS_TERM_OBJECT;
		}
		if (!object)
			return false;
	}
	return s->nplaces != 0;
}

static const char *check_foreign(const struct xos_policy_statement *s, const char **hint)
{
	if (s->effect == XOS_POLICY_DELEGATE) {
		*hint = "it delegates to groups of its own";
		return "a name that is not of this VO";
	}
	if (about_objects(s))
		return NULL;
	*hint = "the first component is the VO's name; for principals of other VOs say on which of "
	        "this VO's objects: on file:/..., on job:*";
	return "a name that is not of this VO";
}

static const char *check_vo_who(
    const struct xos_policy_statement *s, const struct xos_policy_who *who, const char **hint)
{
	bool own = who->kind == XOS_WHO_VO ? strcmp(who->name, s->set->vo) == 0
	                                   : !who->name || within_vo(who->name, s->set->vo);
	switch (who->kind) {
	case XOS_WHO_VO:
		if (!own)
			return check_foreign(s, hint);
		*hint = "write any";
		return "every statement of a VO's set is about that VO";
	case XOS_WHO_GROUP:
	case XOS_WHO_EXACTLY:
	case XOS_WHO_ROLE:
	case XOS_WHO_USER:
	case XOS_WHO_NODE:
	case XOS_WHO_SERVICE:
		return own ? NULL : check_foreign(s, hint);
	case XOS_WHO_ANY:
	case XOS_WHO_HOME:
	case XOS_WHO_LOCAL:
		break;
	}
	return NULL;
}

static const char *check_group_who(const struct xos_policy_statement *s,
    const struct xos_policy_who *who, bool head, const char **hint)
{
	*hint = "a group's administrator writes for that group and those below it";
	if (who->kind == XOS_WHO_VO)
		return "a whole VO in the set of a group";
	if (!who->name || who->kind == XOS_WHO_HOME || (!head && within_vo(who->name, s->set->vo)))
		return NULL;
	if (who->kind == XOS_WHO_USER && within_vo(who->name, s->set->vo))
		return NULL; /* counts only while a member of the group */
	return within_group(who->name, s->set->name) ? NULL : "a name that is not of this group";
}

static const char *check_who(const struct xos_policy_statement *s, const struct xos_policy_who *who,
    bool head, const char **hint)
{
	enum xos_policy_level level = s->set->level;
	const char *problem = NULL;
	if (who->kind == XOS_WHO_LOCAL &&
	    (level == XOS_POLICY_VO || level == XOS_POLICY_GROUP || level == XOS_POLICY_OWNER)) {
		*hint = "the owner of a site lets them in";
		return level == XOS_POLICY_VO
		           ? "a VO has nothing to say about principals of no VO"
		           : "this set has nothing to say about principals of no VO";
	}
	if ((who->kind == XOS_WHO_NODE || who->kind == XOS_WHO_SERVICE) &&
	    (level == XOS_POLICY_GROUP || level == XOS_POLICY_DELEGATION)) {
		*hint = "the set of the VO, of a site or of an owner can speak of them";
		return level == XOS_POLICY_GROUP ? "nodes and services are in no group"
		                                 : "nodes and services hold no delegation";
	}
	if (level == XOS_POLICY_VO)
		problem = check_vo_who(s, who, hint);
	else if (level == XOS_POLICY_GROUP)
		problem = check_group_who(s, who, head, hint);
	if (!problem)
		*hint = NULL;
	return problem;
}

static const char *check_whos(
    const struct xos_policy_statement *s, bool narrowing, const char **hint)
{
	bool others = s->set->level != XOS_POLICY_OWNER || !s->nwhos;
	for (size_t i = 0; i < s->nwhos; i++) {
		const struct xos_policy_who *who = &s->whos[i];
		if (narrowing && who->kind == XOS_WHO_ROLE) {
			*hint = "turn it round (unless role ...), or hang it on a group";
			return "it would apply because a role is present, and roles can be left "
			       "out";
		}
		const char *problem = check_who(s, who, true, hint);
		if (problem)
			return problem;
		if (s->effect == XOS_POLICY_DELEGATE && who->kind != XOS_WHO_GROUP) {
			*hint = "write delegate group /demo/physics action job.*;";
			return "only to groups can be delegated";
		}
		others |= who->kind != XOS_WHO_USER || strcmp(who->name, s->set->name) != 0;
	}
	if (others)
		return NULL;
	*hint = "what a job may do for you stands in a delegation";
	return "this never applies: the owner is not bound by the own set";
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
			*hint = "'&' means both at once; alternatives are separated by commas";
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

struct walk { /* through the condition of a statement */
	const struct xos_policy_statement *s;
	bool narrowing;
	const char **hint;
	const struct xos_policy_cond *at; /* the test with which something is wrong */
};

/*
 * Roles are on request, so a refusal or cap that comes with a role would be escaped by not asking
 * for it. `positive`: c becoming true can make the statement apply.
 */
static const char *check_test(struct walk *w, const struct xos_policy_cond *c, bool positive)
{
	if (c->op == XOS_COND_ON)
		return check_place(w->s, &c->u.place, w->hint);
	if (c->op != XOS_COND_WHO)
		return NULL;
	if (w->narrowing && positive && c->u.who.kind == XOS_WHO_ROLE) {
		*w->hint = "turn it round (unless role ...), or hang it on a group";
		return "it would apply because a role is present, and roles can be left out";
	}
	return check_who(w->s, &c->u.who, false, w->hint);
}

static const char *check_cond(struct walk *w, const struct xos_policy_cond *c, bool positive)
{
	const char *problem = NULL;
	if (c->op > XOS_COND_NOT) {
		problem = check_test(w, c, positive);
		w->at = problem ? c : NULL;
		return problem;
	}
	for (size_t i = 0; !problem && i < c->n; i++)
		problem = check_cond(w, c->u.kids[i], positive != (c->op == XOS_COND_NOT));
	return problem;
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
	if (s->effect != XOS_POLICY_DELEGATE)
		return NULL;
	if (level != XOS_POLICY_VO && level != XOS_POLICY_SITE) {
		*hint = "a VO delegates to its groups, a site to its nodes";
		return "delegate belongs into the set of a VO or a site";
	}
	if (s->shadow) {
		*hint = "put the permits on trial that it would let count";
		return "delegate cannot be on trial";
	}
	return NULL;
}

static bool everywhere(const struct xos_policy_statement *s)
{
	for (size_t i = 0; i < s->nplaces; i++)
		if (s->places[i].n == 1 && s->places[i].terms[0].kind == XOS_TERM_SITE)
			return true;
	return s->nplaces == 0;
}

static bool has_action(const struct xos_policy_statement *s, const char *name)
{
	const struct xos_policy_action *a = xos_policy_action_find(name, s->set->schema);
	return a && s->actions >> a->code & 1;
}

/*
 * An unconditional forbid of the one thing that its author needs to take it back: the log-in of
 * everybody, an administrator too; the log-in of the site's own people.
 */
static const char *check_lock_out(const struct xos_policy_statement *s, const char **hint)
{
	const struct xos_policy_set *set = s->set;
	if (s->effect != XOS_POLICY_FORBID || s->shadow || s->cond || !everywhere(s))
		return NULL;
	for (size_t i = 0; i < s->nwhos; i++) {
		const struct xos_policy_who *who = &s->whos[i];
		bool all = who->kind == XOS_WHO_ANY || (who->kind == XOS_WHO_GROUP && set->vo &&
		                                           strcmp(who->name + 1, set->vo) == 0);
		if (set->level == XOS_POLICY_VO && all && has_action(s, "token.issue")) {
			*hint = "leave the administrators out: unless group /VO/admins";
			return "nobody could log in any more, an administrator neither";
		}
		if (set->site && who->kind == XOS_WHO_LOCAL && has_action(s, "session.open")) {
			*hint = "without a permit they are refused already";
			return "the owner of the machine would be locked out";
		}
	}
	return NULL;
}

const char xos_policy_problem_unguarded[] = "a test of an attribute that a request may lack";

const char *xos_policy_statement_check(
    const struct xos_policy_statement *s, const char **hint, const struct xos_policy_cond **at)
{
	/* A check passes on true: there a role that is present only opens what the check closed. */
	bool narrowing = s->effect != XOS_POLICY_PERMIT && s->effect != XOS_POLICY_CHECK &&
	                 s->effect != XOS_POLICY_DELEGATE;
	const char *problem = check_level(s, hint);
	if (!problem)
		problem = check_whos(s, narrowing, hint);
	for (size_t i = 0; !problem && i < s->nplaces; i++)
		problem = check_place(s, &s->places[i], hint);
	struct walk walk = {.s = s, .narrowing = narrowing, .hint = hint};
	if (!problem && s->cond)
		problem = check_cond(&walk, s->cond, true);
	*at = walk.at;
	size_t bytes;
	if (!problem)
		problem = xos_policy_patterns_check(s, &bytes, hint);
	if (problem || s->set->schema < 2)
		return problem;
	/* What follows would have refused sets that were accepted under version 1. */
	problem = check_lock_out(s, hint);
	if (!problem && s->cond && xos_policy_never(s)) {
		*hint = "look at its condition: parts of it exclude each other, or the actions";
		problem = "this never applies";
	}
	if (!problem && xos_policy_unguarded(s, NULL)) {
		*hint = "write has ATTRIBUTE and ...";
		problem = xos_policy_problem_unguarded;
	}
	return problem;
}
