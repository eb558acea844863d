/* Is a request well formed? What is not, is never decided. */
#include <string.h>

#include "base/clock.h"
#include "base/name.h"
#include "base/text.h"
#include "policy/index.h"

#define NOW_MAX INT64_C(253402300799) /* the end of the year 9999 */

static const char *check_names(const struct xos_policy_subject *s)
{
	if (s->ngroups > XOS_POLICY_GROUPS_MAX || s->nroles > XOS_POLICY_ROLES_MAX ||
	    s->nheld > XOS_POLICY_ROLES_MAX)
		return "too many groups or roles";
	for (size_t i = 0; i < s->ngroups; i++)
		if (!s->groups[i])
			return "a group that is not of the subject's VO";
	for (size_t i = 0; i < s->nroles; i++)
		if (!xos_name_is_role(s->roles[i]) || !xos_fqan_in_vo(s->roles[i], s->vo))
			return "a role that is not of the subject's VO";
	for (size_t i = 0; i < s->nheld; i++)
		if (!xos_name_is_role(s->held[i]) || !xos_fqan_in_vo(s->held[i], s->vo))
			return "a held role that is not of the subject's VO";
	return NULL;
}

/* A machine is what its certificate names, and nothing that a person is beside that. */
static const char *check_machine(const struct xos_policy_subject *s)
{
	if (!xos_name_is_vo(s->vo))
		return "the subject has no VO";
	if (s->kind == XOS_SUBJECT_NODE ? !xos_name_is_node(s->member)
	                                : !xos_name_is_service(s->member))
		return s->kind == XOS_SUBJECT_NODE ? "the subject is no node"
		                                   : "the subject is no service";
	if (s->ngroups || s->nroles || s->nheld || s->home || s->auth_method || s->auth_time ||
	    s->auth_mfa != -1)
		return "a node or service with groups, roles, a home, a log-in or a delegation";
	return NULL;
}

const char *xos_request_check_subject(const struct xos_policy_subject *s)
{
	if (s->kind == XOS_SUBJECT_LOCAL) {
		if (s->vo || s->ngroups || s->nroles || s->nheld || s->home)
			return "a local subject with a VO, groups, roles or a delegation";
		return NULL;
	}
	if (s->kind == XOS_SUBJECT_NODE || s->kind == XOS_SUBJECT_SERVICE)
		return check_machine(s);
	if (s->kind != XOS_SUBJECT_MEMBER)
		return "no subject";
	if (!xos_name_is_member(s->vo, s->member))
		return xos_name_is_vo(s->vo) ? "the subject is no member" : "the subject has no VO";
	return check_names(s);
}

static const char *check_needs(enum xos_policy_needs needs, const struct xos_policy_resource *r)
{
	switch (needs) {
	case XOS_NEEDS_NOTHING:
		return NULL;
	case XOS_NEEDS_SITE:
		return r->site ? NULL : "this action happens at a site, and the request names none";
	case XOS_NEEDS_NODE:
		return r->node ? NULL : "the resource is a node without a name";
	case XOS_NEEDS_JOB:
		return r->id && xos_policy_word_ok(r->id) ? NULL : "a job needs its id";
	case XOS_NEEDS_PATH:
		return r->id && xos_policy_path_ok(r->id)
		           ? NULL
		           : "a file needs its absolute path, without '.', '..' or empty "
		             "components";
	}
	return "the resource is of no known kind";
}

/* A site that has a set, and a node that its site declares, are named as they should be. */
static const char *check_place(
    const struct xos_policy *p, const struct xos_policy_resource *r, struct xos_known_place *known)
{
	if (r->site)
		known->site = xos_policy_find_scope(
		    p, XOS_POLICY_SITE, r->site, strnlen(r->site, XOS_SITE_MAX + 1));
	if (r->site && !known->site && !xos_name_is_site(r->site))
		return "the name of the site is malformed";
	if (known->site && r->node)
		known->declared = xos_compiled_node(
		    known->site->compiled, r->node, strnlen(r->node, XOS_NODE_MAX + 1));
	if (r->node && !known->declared && (!r->site || !xos_name_is_node(r->node)))
		return "a node without a site, or with a malformed name";
	return NULL;
}

const char *xos_request_check_resource(
    const struct xos_policy *p, const struct xos_policy_resource *r, struct xos_known_place *known)
{
	const struct xos_word *w = r->kind ? xos_policy_word(p, XOS_VOC_KIND, r->kind) : NULL;
	*known = (struct xos_known_place){.kind = w};
	if (!w)
		return "the resource is of no known kind";
	const char *problem = check_needs(w->needs, r);
	if (!problem && r->id && strlen(r->id) > XOS_POLICY_ID_MAX)
		problem = "the id of the resource is too long";
	if (!problem)
		problem = check_place(p, r, known);
	if (problem)
		return problem;
	if (r->vo && !xos_name_is_vo(r->vo))
		return "the VO of the resource is malformed";
	if (r->owner && !(r->vo && xos_name_is_member(r->vo, r->owner)))
		return "the owner of the resource is no member of its VO";
	return NULL;
}

static const char *check_value(const struct xos_policy_value *v)
{
	if (v->type == XOS_POLICY_IP) /* its form bounds it */
		return v->string ? NULL : "the value of an attribute is out of range";
	if (v->type == XOS_POLICY_STRING
	        ? !v->string ||
	              strnlen(v->string, XOS_POLICY_STRING_MAX + 1) > XOS_POLICY_STRING_MAX
	        : v->number < 0)
		return "the value of an attribute is out of range";
	if (v->type == XOS_POLICY_BOOL && v->number > 1)
		return "the value of an attribute is out of range";
	return NULL;
}

/* One that only a set declares: found by name when it is asked for. */
static const char *check_own(const struct xos_policy_request *req, size_t at)
{
	struct xos_policy_ip ip;
	const struct xos_policy_value *v = &req->values[at];
	for (size_t i = 0; i < at; i++)
		if (strcmp(req->values[i].name, v->name) == 0)
			return "an attribute is given twice";
	if (v->type == XOS_POLICY_IP && !xos_policy_ip_parse(v->string, &ip))
		return "an attribute is not an address";
	return NULL;
}

static const char *take_values(struct xos_policy_eval *e)
{
	const struct xos_policy_request *req = e->req;
	struct xos_request_values *to = e->values;
	to->given = 0;
	if (req->nvalues > XOS_POLICY_VALUES_MAX)
		return "too many attributes";
	for (size_t i = 0; i < req->nvalues; i++) {
		const struct xos_policy_value *v = &req->values[i];
		const struct xos_word *w =
		    v->name ? xos_policy_word(e->policy, XOS_VOC_ATTR, v->name) : NULL;
		if (!w || (w->attr && !w->attr->from_context))
			return "an attribute that the schema does not have";
		if (w->attr && w->attr->type != v->type)
			return "an attribute of the wrong type";
		const char *problem = check_value(v);
		if (!problem && !w->attr)
			problem = check_own(req, i);
		if (problem)
			return problem;
		if (!w->attr)
			continue;
		if (to->given >> w->attr->code & 1)
			return "an attribute is given twice";
		if (v->type == XOS_POLICY_IP &&
		    !xos_policy_ip_parse(v->string, &to->ips[w->attr->code]))
			return "an attribute is not an address";
		to->given |= UINT64_C(1) << w->attr->code;
		to->list[w->attr->code] = v;
	}
	return NULL;
}

static const char *check_chain(const struct xos_policy_eval *e)
{
	const struct xos_policy_request *req = e->req;
	if (req->nchain > XOS_POLICY_CHAIN_MAX)
		return "too long a chain of delegations";
	for (size_t i = 0; i < req->nchain; i++)
		if (!req->chain[i] || req->chain[i]->level != XOS_POLICY_DELEGATION)
			return "a delegation that is none";
	if (!req->nchain || e->subject->kind == XOS_SUBJECT_MEMBER)
		return NULL;
	if (e->subject->kind == XOS_SUBJECT_LOCAL)
		return "a local subject with a VO, groups, roles or a delegation";
	if (e->subject->kind == XOS_SUBJECT_NODE || e->subject->kind == XOS_SUBJECT_SERVICE)
		return "a node or service with groups, roles, a home, a log-in or a delegation";
	return NULL;
}

/* A built-in action tells by itself; one that only sets declare happens where its resource is. */
static bool lacks_site(const struct xos_policy_eval *e, const struct xos_word *action)
{
	if (e->resource->site)
		return false;
	return action->action ? action->at_site : e->place.kind->at_site;
}

const char *xos_policy_eval_init(
    struct xos_policy_eval *e, const struct xos_policy *p, const struct xos_policy_request *req)
{
	const struct xos_policy_interned_subject *subject = req->interned_subject;
	const struct xos_policy_interned_resource *resource = req->interned_resource;
	e->policy = p;
	e->req = req;
	e->subject = subject ? &subject->subject : &req->subject;
	e->resource = resource ? &resource->resource : &req->resource;
	const struct xos_word *w =
	    req->action ? xos_policy_word(p, XOS_VOC_ACTION, req->action) : NULL;
	if (!w)
		return "an action that the schema does not have";
	e->action = w->action;
	if (req->now < 0 || req->now > NOW_MAX)
		return "the time is out of range";
	const char *problem = check_chain(e);
	if (!problem && !subject)
		problem = xos_request_check_subject(e->subject);
	/* Interned in another policy: this one may not know its kind. */
	if (resource && resource->policy == p)
		e->place = resource->place;
	else if (!problem)
		problem = xos_request_check_resource(p, e->resource, &e->place);
	if (!problem && lacks_site(e, w))
		problem = "this action happens at a site, and the request names none";
	if (!problem && e->subject->kind == XOS_SUBJECT_LOCAL && !e->resource->site)
		problem = "a local subject needs a site";
	return problem ? problem : take_values(e);
}

static bool parse_number(enum xos_policy_type type, const char *text, int64_t *v)
{
	uint64_t u;
	switch (type) {
	case XOS_POLICY_BOOL:
		*v = strcmp(text, "true") == 0;
		return *v || strcmp(text, "false") == 0;
	case XOS_POLICY_NUMBER:
		if (!xos_parse_u64(text, INT64_MAX, &u))
			return false;
		*v = (int64_t)u;
		return true;
	case XOS_POLICY_DURATION:
		return xos_duration_parse(text, v);
	case XOS_POLICY_SIZE:
		return xos_policy_size_parse(text, v);
	case XOS_POLICY_TIME:
		return xos_policy_date_parse(text, v);
	case XOS_POLICY_STRING:
	case XOS_POLICY_IP:
		break;
	}
	return false;
}

/* The set of the VO with whose name this begins, before a dot. */
static const struct xos_policy_set *set_of_vo(const struct xos_policy *p, const char *name)
{
	char vo[XOS_VO_MAX + 1];
	size_t n = strcspn(name, ".");
	if (n > XOS_VO_MAX)
		return NULL;
	memcpy(vo, name, n);
	vo[n] = 0;
	return xos_policy_find_set(p, XOS_POLICY_VO, vo);
}

static const struct xos_policy_attr *own_attr(const struct xos_policy_set *set, const char *name)
{
	const struct xos_policy_attr *a = set ? xos_policy_set_attr(set, name) : NULL;
	return a && a->code >= XOS_POLICY_ATTR_OWN ? a : NULL;
}

const struct xos_policy_attr *xos_policy_own_attr(const struct xos_policy *p, const char *name)
{
	const struct xos_policy_attr *a = p ? own_attr(set_of_vo(p, name), name) : NULL;
	for (size_t i = 0; p && !a && i < p->n; i++)
		a = own_attr(p->scopes[i].set, name);
	return a;
}

static const struct xos_policy_action *own_action(
    const struct xos_policy_set *set, const char *name)
{
	const struct xos_policy_action *a = set ? xos_policy_set_action(set, name) : NULL;
	return a && a->code >= XOS_POLICY_ACTION_OWN ? a : NULL;
}

const struct xos_policy_action *xos_policy_own_action(const struct xos_policy *p, const char *name)
{
	const struct xos_policy_action *a = p ? own_action(set_of_vo(p, name), name) : NULL;
	for (size_t i = 0; p && !a && i < p->n; i++)
		a = own_action(p->scopes[i].set, name);
	return a;
}

enum xos_status xos_policy_value_parse(const struct xos_policy *p, const char *name,
    const char *text, struct xos_policy_value *out, struct xos_err *err)
{
	const struct xos_policy_attr *a = xos_policy_attr_find(name, XOS_POLICY_SCHEMA);
	if (!a)
		a = xos_policy_own_attr(p, name);
	struct xos_policy_value v = {.name = name};
	struct xos_policy_ip ip;
	bool ok;
	if (!a || !a->from_context)
		return xos_err_set(err, XOS_MALFORMED, "policy-attribute",
		    "'%s' is not an attribute that a request may give; `xos-policy schema` lists "
		    "them",
		    name);
	v.type = a->type;
	if (a->type == XOS_POLICY_STRING || a->type == XOS_POLICY_IP) {
		v.string = text;
		ok = strlen(text) <= XOS_POLICY_STRING_MAX &&
		     (a->type == XOS_POLICY_STRING || xos_policy_ip_parse(text, &ip));
	} else {
		ok = parse_number(a->type, text, &v.number);
	}
	if (!ok)
		return xos_err_set(err, XOS_MALFORMED, "policy-value", "%s: '%s' is not a %s", name,
		    text, xos_policy_type_name(a->type));
	*out = v;
	return XOS_OK;
}
