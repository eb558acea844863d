/* Is a request well formed? What is not, is never decided. */
#include <string.h>

#include "base/clock.h"
#include "base/name.h"
#include "base/text.h"
#include "policy/eval.h"

#define NOW_MAX INT64_C(253402300799) /* the end of the year 9999 */

static const char *check_names(const struct xos_policy_subject *s)
{
	if (s->ngroups > XOS_POLICY_GROUPS_MAX || s->nroles > XOS_POLICY_ROLES_MAX ||
	    s->nheld > XOS_POLICY_ROLES_MAX)
		return "too many groups or roles";
	for (size_t i = 0; i < s->ngroups; i++)
		if (!xos_name_is_group(s->groups[i]) || !xos_fqan_in_vo(s->groups[i], s->vo))
			return "a group that is not of the subject's VO";
	for (size_t i = 0; i < s->nroles; i++)
		if (!xos_name_is_role(s->roles[i]) || !xos_fqan_in_vo(s->roles[i], s->vo))
			return "a role that is not of the subject's VO";
	for (size_t i = 0; i < s->nheld; i++)
		if (!xos_name_is_role(s->held[i]) || !xos_fqan_in_vo(s->held[i], s->vo))
			return "a held role that is not of the subject's VO";
	return NULL;
}

static const char *check_subject(const struct xos_policy_request *req)
{
	const struct xos_policy_subject *s = &req->subject;
	if (s->kind == XOS_SUBJECT_LOCAL) {
		if (s->vo || s->ngroups || s->nroles || s->nheld || s->home || req->nchain)
			return "a local subject with a VO, groups, roles or a delegation";
		return req->resource.site ? NULL : "a local subject needs a site";
	}
	if (s->kind != XOS_SUBJECT_MEMBER)
		return "no subject";
	if (!xos_name_is_vo(s->vo))
		return "the subject has no VO";
	if (!xos_name_is_member(s->vo, s->member))
		return "the subject is no member";
	return check_names(s);
}

static bool known_kind(const char *kind)
{
	static const char *const kinds[] = {
	    "site", "node", "job", "file", "session", "vo", "token"};
	for (size_t i = 0; kind && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

static const char *check_resource(const struct xos_policy_eval *e)
{
	const struct xos_policy_resource *r = &e->req->resource;
	if (!known_kind(r->kind))
		return "the resource is of no known kind";
	if (strcmp(r->kind, "job") == 0 && !(r->id && xos_policy_word_ok(r->id)))
		return "a job needs its id";
	if (strcmp(r->kind, "file") == 0 && !(r->id && xos_policy_path_ok(r->id)))
		return "a file needs its absolute path, without '.', '..' or empty components";
	if (r->site && !xos_name_is_site(r->site))
		return "the name of the site is malformed";
	if (r->node && (!r->site || !xos_name_is_node(r->node)))
		return "a node without a site, or with a malformed name";
	if ((strcmp(r->kind, "site") == 0 || e->action->at_site) && !r->site)
		return "this action happens at a site, and the request names none";
	if (strcmp(r->kind, "node") == 0 && !r->node)
		return "the resource is a node without a name";
	if (r->vo && !xos_name_is_vo(r->vo))
		return "the VO of the resource is malformed";
	if (r->owner && !(r->vo && xos_name_is_member(r->vo, r->owner)))
		return "the owner of the resource is no member of its VO";
	return NULL;
}

static const char *take_values(struct xos_policy_eval *e)
{
	const struct xos_policy_request *req = e->req;
	if (req->nvalues > XOS_POLICY_VALUES_MAX)
		return "too many attributes";
	for (size_t i = 0; i < req->nvalues; i++) {
		const struct xos_policy_value *v = &req->values[i];
		const struct xos_policy_attr *a =
		    v->name ? xos_policy_attr_find(v->name, XOS_POLICY_SCHEMA) : NULL;
		if (!a || !a->from_context)
			return "an attribute that the schema does not have";
		if (a->type != v->type)
			return "an attribute of the wrong type";
		if (e->values[a->code])
			return "an attribute is given twice";
		bool text = v->type == XOS_POLICY_STRING || v->type == XOS_POLICY_IP;
		if (text ? !v->string || strlen(v->string) > XOS_POLICY_STRING_MAX : v->number < 0)
			return "the value of an attribute is out of range";
		if (v->type == XOS_POLICY_BOOL && v->number > 1)
			return "the value of an attribute is out of range";
		if (v->type == XOS_POLICY_IP && !xos_policy_ip_parse(v->string, &e->ips[a->code]))
			return "an attribute is not an address";
		e->values[a->code] = v;
	}
	return NULL;
}

const char *xos_policy_eval_init(struct xos_policy_eval *e, const struct xos_policy_request *req)
{
	*e = (struct xos_policy_eval){.req = req, .at_site = req->resource.site != NULL};
	e->action = req->action ? xos_policy_action_find(req->action, XOS_POLICY_SCHEMA) : NULL;
	if (!e->action)
		return "an action that the schema does not have";
	if (req->now < 0 || req->now > NOW_MAX)
		return "the time is out of range";
	if (req->nchain > XOS_POLICY_CHAIN_MAX)
		return "too long a chain of delegations";
	for (size_t i = 0; i < req->nchain; i++)
		if (!req->chain[i] || req->chain[i]->level != XOS_POLICY_DELEGATION)
			return "a delegation that is none";
	const char *problem = check_subject(req);
	if (!problem)
		problem = check_resource(e);
	if (!problem)
		problem = take_values(e);
	return problem;
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

enum xos_status xos_policy_value_parse(
    const char *name, const char *text, struct xos_policy_value *out, struct xos_err *err)
{
	const struct xos_policy_attr *a = xos_policy_attr_find(name, XOS_POLICY_SCHEMA);
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
