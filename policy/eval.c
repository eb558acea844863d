#include "policy/eval.h"

#include <string.h>

#include "base/name.h"

/* Kleene's logic: unknown is what might be either. */
static enum xos_tri tri(bool b)
{
	return b ? XOS_TRUE : XOS_FALSE;
}

static enum xos_tri lesser(enum xos_tri a, enum xos_tri b)
{
	return a < b ? a : b;
}

static enum xos_tri unknown(struct xos_policy_eval *e, const char *name)
{
	if (e->missing)
		e->missing(e->arg, name);
	return XOS_UNKNOWN;
}

/* Everybody of a VO is in its root group, whether the token spells it out or not. */
static bool is_root_group(const char *group, const char *vo)
{
	return strcmp(group + 1, vo) == 0;
}

static bool in_group(const struct xos_policy_subject *s, const char *group, bool exactly)
{
	if (is_root_group(group, s->vo))
		return true;
	for (size_t i = 0; i < s->ngroups; i++)
		if (exactly ? strcmp(s->groups[i], group) == 0
		            : xos_group_within(s->groups[i], group))
			return true;
	return false;
}

static bool in_role(const struct xos_policy_eval *e, const char *role)
{
	const struct xos_policy_subject *s = &e->req->subject;
	if (e->extra_role && strcmp(e->extra_role, role) == 0)
		return true;
	for (size_t i = 0; i < s->nroles; i++)
		if (strcmp(s->roles[i], role) == 0)
			return true;
	return false;
}

static bool is_user(const struct xos_policy_subject *s, const char *name)
{
	size_t n = strlen(s->vo);
	return strncmp(name, s->vo, n) == 0 && name[n] == ':' &&
	       strcmp(name + n + 1, s->member) == 0;
}

/* What a subject is, is always known: the token carries all of it. */
static bool match_who(const struct xos_policy_eval *e, const struct xos_policy_set *set,
    const struct xos_policy_who *who)
{
	const struct xos_policy_subject *s = &e->req->subject;
	if (s->kind == XOS_SUBJECT_LOCAL)
		return who->kind == XOS_WHO_LOCAL;
	switch (who->kind) {
	case XOS_WHO_ANY:
		return set->level != XOS_POLICY_VO || strcmp(set->name, s->vo) == 0;
	case XOS_WHO_VO:
		return strcmp(who->name, s->vo) == 0;
	case XOS_WHO_GROUP:
		return in_group(s, who->name, false);
	case XOS_WHO_EXACTLY:
		return in_group(s, who->name, true);
	case XOS_WHO_ROLE:
		return in_role(e, who->name);
	case XOS_WHO_USER:
		return is_user(s, who->name);
	case XOS_WHO_HOME:
		return s->home && strcmp(who->name, s->home) == 0;
	case XOS_WHO_LOCAL:
		break;
	}
	return false;
}

static bool path_within(const char *path, const char *top)
{
	size_t n = strlen(top);
	if (n == 1) /* "/" */
		return true;
	return strncmp(path, top, n) == 0 && (path[n] == 0 || path[n] == '/');
}

static bool has_tag(const struct xos_policy_node *node, const char *tag)
{
	for (size_t i = 0; i < node->ntags; i++)
		if (strcmp(node->tags[i], tag) == 0)
			return true;
	return false;
}

static enum xos_tri match_node(struct xos_policy_eval *e, const char *name)
{
	const struct xos_policy_resource *r = &e->req->resource;
	size_t n = r->site ? strlen(r->site) : 0;
	if (!r->site || strncmp(name, r->site, n) != 0 || name[n] != '/')
		return XOS_FALSE;
	if (!r->node)
		return unknown(e, "resource.node"); /* some node of that site */
	return tri(strcmp(name + n + 1, r->node) == 0);
}

static enum xos_tri match_term(struct xos_policy_eval *e, const struct xos_policy_term *t)
{
	const struct xos_policy_resource *r = &e->req->resource;
	switch (t->kind) {
	case XOS_TERM_SITE:
		return tri(r->site && strcmp(r->site, t->name) == 0);
	case XOS_TERM_NODE:
		return match_node(e, t->name);
	case XOS_TERM_CLASS:
	case XOS_TERM_TAG:
		/* Only the site's own declaration counts; without one, the node could be anything. */
		if (!e->at_site)
			return XOS_FALSE;
		if (!e->node)
			return unknown(e,
			    r->node ? "resource.node (not declared by its site)" : "resource.node");
		if (t->kind == XOS_TERM_TAG)
			return tri(has_tag(e->node, t->name));
		return tri(e->node->class_name && strcmp(e->node->class_name, t->name) == 0);
	case XOS_TERM_KIND:
		return tri(strcmp(r->kind, t->name) == 0);
	case XOS_TERM_JOB:
		return tri(strcmp(r->kind, "job") == 0 && strcmp(r->id, t->name) == 0);
	case XOS_TERM_FILE:
		return tri(strcmp(r->kind, "file") == 0 && path_within(r->id, t->name));
	case XOS_TERM_OBJECT:
	case XOS_TERM_SERVICE:
	case XOS_TERM_COUNT:
		break;
	}
	return XOS_UNKNOWN;
}

static enum xos_tri match_place(struct xos_policy_eval *e, const struct xos_policy_place *place)
{
	enum xos_tri result = XOS_TRUE;
	for (size_t i = 0; i < place->n && result != XOS_FALSE; i++)
		result = lesser(result, match_term(e, &place->terms[i]));
	return result;
}

/* A number attribute: from the context, or computed. False if it is not known. */
static bool number_of(
    const struct xos_policy_eval *e, const struct xos_policy_attr *attr, int64_t *v)
{
	const struct xos_policy_request *req = e->req;
	if (attr->from_context) {
		if (!e->values[attr->code])
			return false;
		*v = e->values[attr->code]->number;
		return true;
	}
	if (strcmp(attr->name, "auth.age") == 0) {
		/* A time yet to come says that a clock is wrong, not that the log-in is fresh. */
		if (req->subject.auth_time <= 0 || req->subject.auth_time > req->now)
			return false;
		*v = req->now - req->subject.auth_time;
		return true;
	}
	if (strcmp(attr->name, "auth.mfa") == 0) {
		*v = req->subject.auth_mfa == 1;
		return req->subject.auth_mfa == 0 || req->subject.auth_mfa == 1;
	}
	if (strcmp(attr->name, "subject.is_owner") == 0) {
		const struct xos_policy_resource *r = &req->resource;
		*v = r->owner && req->subject.kind == XOS_SUBJECT_MEMBER &&
		     strcmp(r->vo, req->subject.vo) == 0 &&
		     strcmp(r->owner, req->subject.member) == 0;
		return r->owner != NULL;
	}
	return false;
}

static const char *string_of(const struct xos_policy_eval *e, const struct xos_policy_attr *attr)
{
	if (attr->from_context)
		return e->values[attr->code] ? e->values[attr->code]->string : NULL;
	return strcmp(attr->name, "auth.method") == 0 ? e->req->subject.auth_method : NULL;
}

static bool compare(enum xos_policy_cmp cmp, int64_t a, int64_t b)
{
	switch (cmp) {
	case XOS_CMP_EQ:
		return a == b;
	case XOS_CMP_NE:
		return a != b;
	case XOS_CMP_LT:
		return a < b;
	case XOS_CMP_LE:
		return a <= b;
	case XOS_CMP_GT:
		return a > b;
	case XOS_CMP_GE:
		return a >= b;
	case XOS_CMP_OPS:
		break;
	}
	return false;
}

static enum xos_tri test_string(struct xos_policy_eval *e, const struct xos_policy_cond *c)
{
	const char *s = string_of(e, c->attr);
	if (!s)
		return unknown(e, c->attr->name);
	bool found = false;
	for (size_t i = 0; i < c->n && !found; i++)
		found = strcmp(s, c->u.strings[i]) == 0;
	return tri(found != (c->op == XOS_COND_COMPARE && c->cmp == XOS_CMP_NE));
}

static enum xos_tri test_number(struct xos_policy_eval *e, const struct xos_policy_cond *c)
{
	int64_t v;
	if (!number_of(e, c->attr, &v))
		return unknown(e, c->attr->name);
	if (c->op == XOS_COND_BOOL)
		return tri(v == 1);
	if (c->op == XOS_COND_COMPARE)
		return tri(compare(c->cmp, v, c->u.numbers[0]));
	for (size_t i = 0; i < c->n; i++)
		if (c->u.numbers[i] == v)
			return XOS_TRUE;
	return XOS_FALSE;
}

static enum xos_tri test_ip(struct xos_policy_eval *e, const struct xos_policy_cond *c)
{
	if (!e->values[c->attr->code])
		return unknown(e, c->attr->name);
	for (size_t i = 0; i < c->n; i++)
		if (xos_policy_prefix_has(&c->u.prefixes[i], &e->ips[c->attr->code]))
			return XOS_TRUE;
	return XOS_FALSE;
}

static bool has_attr(const struct xos_policy_eval *e, const struct xos_policy_attr *attr)
{
	int64_t v;
	if (attr->type == XOS_POLICY_STRING)
		return string_of(e, attr) != NULL;
	if (attr->type == XOS_POLICY_IP)
		return e->values[attr->code] != NULL;
	return number_of(e, attr, &v);
}

static enum xos_tri in_window(const struct xos_policy_window *w, int64_t now)
{
	if (w->clock.zone)
		return XOS_UNKNOWN;
	return tri(xos_policy_window_has(w, now + (int64_t)w->clock.offset * 60));
}

static enum xos_tri test(
    struct xos_policy_eval *e, const struct xos_policy_set *set, const struct xos_policy_cond *c)
{
	switch (c->op) {
	case XOS_COND_WHO:
		return tri(match_who(e, set, &c->u.who));
	case XOS_COND_ON:
		return match_place(e, &c->u.place);
	case XOS_COND_ACTION:
		return tri(c->u.actions >> e->action->code & 1);
	case XOS_COND_HAS:
		return tri(has_attr(e, c->attr));
	case XOS_COND_BOOL:
	case XOS_COND_COMPARE:
	case XOS_COND_IN:
		return c->attr->type == XOS_POLICY_STRING ? test_string(e, c) : test_number(e, c);
	case XOS_COND_IP:
		return test_ip(e, c);
	case XOS_COND_NOW:
		return tri(compare(c->cmp, e->req->now, c->u.numbers[0]));
	case XOS_COND_TIME:
		return in_window(&c->u.window, e->req->now);
	case XOS_COND_LIKE:
	case XOS_COND_DATE:
	case XOS_COND_AND:
	case XOS_COND_OR:
	case XOS_COND_NOT:
	case XOS_COND_OPS:
		break;
	}
	return XOS_UNKNOWN;
}

/* Recursion is bounded: no condition is deeper than XOS_POLICY_DEPTH_MAX. */
static enum xos_tri eval(
    struct xos_policy_eval *e, const struct xos_policy_set *set, const struct xos_policy_cond *c)
{
	e->nodes++;
	if (c->op == XOS_COND_NOT)
		return (enum xos_tri)(XOS_TRUE - eval(e, set, c->u.kids[0]));
	if (c->op != XOS_COND_AND && c->op != XOS_COND_OR)
		return test(e, set, c);
	enum xos_tri stop = c->op == XOS_COND_AND ? XOS_FALSE : XOS_TRUE;
	enum xos_tri result = (enum xos_tri)(XOS_TRUE - stop);
	for (size_t i = 0; i < c->n && result != stop; i++) {
		enum xos_tri kid = eval(e, set, c->u.kids[i]);
		if (c->op == XOS_COND_AND ? kid < result : kid > result)
			result = kid;
	}
	return result;
}

static bool match_whos(const struct xos_policy_eval *e, const struct xos_policy_statement *s)
{
	for (size_t i = 0; i < s->nwhos; i++)
		if (match_who(e, s->set, &s->whos[i]))
			return true;
	return false;
}

static enum xos_tri match_places(struct xos_policy_eval *e, const struct xos_policy_statement *s)
{
	enum xos_tri result = s->nplaces ? XOS_FALSE : XOS_TRUE;
	for (size_t i = 0; i < s->nplaces && result != XOS_TRUE; i++) {
		enum xos_tri one = match_place(e, &s->places[i]);
		result = one > result ? one : result;
	}
	return result;
}

enum xos_tri xos_policy_eval_statement(
    struct xos_policy_eval *e, const struct xos_policy_statement *s)
{
	enum xos_tri result;
	e->statements++;
	if (s->nwhos && !match_whos(e, s))
		return XOS_FALSE;
	result = match_places(e, s);
	if (result != XOS_FALSE && s->cond)
		result = lesser(result, eval(e, s->set, s->cond));
	return result;
}
