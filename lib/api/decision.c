#include "api/decision_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/name.h"
#include "base/text.h"
#include "json/json.h"

static const struct {
	const char *type;
	enum xos_decision_id form;
} resource_types[] = {
    {"site", XOS_DECISION_ID_SITE},
    {"node", XOS_DECISION_ID_NODE},
    {"vo", XOS_DECISION_ID_VO},
    {"job", XOS_DECISION_ID_OBJECT},
    {"file", XOS_DECISION_ID_OBJECT},
    {"session", XOS_DECISION_ID_OBJECT},
    {"token", XOS_DECISION_ID_OBJECT},
};

/*
 * What sets add to the schema is named "<vo>.<name>". Which names there are, only the decision point
 * knows that holds the sets; here it must look like one, and not like a slip in a built-in name.
 */
bool xos_decision_is_own(const char *name)
{
	char vo[XOS_VO_MAX + 1];
	size_t nactions, nattrs, n = strcspn(name, ".");
	const struct xos_policy_action *actions = xos_policy_actions(&nactions);
	const struct xos_policy_attr *attrs = xos_policy_attrs(&nattrs);
	if (n > XOS_VO_MAX || !name[n] || !name[n + 1] || strlen(name) > XOS_DECISION_ACTION_MAX)
		return false;
	memcpy(vo, name, n);
	vo[n] = '\0';
	for (size_t i = 0; i < nactions; i++)
		if (strncmp(actions[i].name, name, n + 1) == 0)
			return false;
	for (size_t i = 0; i < nattrs; i++)
		if (strncmp(attrs[i].name, name, n + 1) == 0)
			return false;
	return xos_name_is_vo(vo);
}

bool xos_decision_resource_form(const char *type, enum xos_decision_id *form)
{
	for (size_t i = 0; i < sizeof(resource_types) / sizeof(resource_types[0]); i++) {
		if (strcmp(resource_types[i].type, type) != 0)
			continue;
		*form = resource_types[i].form;
		return true;
	}
	*form = XOS_DECISION_ID_OBJECT;
	return xos_decision_is_own(type);
}

/* AuthZEN lets every object carry properties; ours have a meaning for resources only. */
static enum xos_status no_properties(
    const struct xos_json *obj, const char *why, struct xos_err *err)
{
	const struct xos_json *props;
	enum xos_status st = xos_json_opt_object(obj, "properties", &props, err);
	if (st || !props || xos_json_count(props) == 0)
		return st;
	return xos_json_refuse(props, err, "%s", why);
}

static bool is_subject(enum xos_policy_subject_kind kind, const char *vo, const char *name)
{
	switch (kind) {
	case XOS_SUBJECT_MEMBER:
		return xos_name_is_member(vo, name);
	case XOS_SUBJECT_NODE:
		return xos_name_is_node(name);
	case XOS_SUBJECT_SERVICE:
		return xos_name_is_service(name);
	case XOS_SUBJECT_LOCAL:
		break;
	}
	return false;
}

static const struct {
	const char *type;
	enum xos_policy_subject_kind kind;
	const char *form;
} subject_types[] = {
    {"user", XOS_SUBJECT_MEMBER, "a user's id is <vo>:<member>"},
    {"local", XOS_SUBJECT_LOCAL, "a local subject's id is its account's name"},
    {"node", XOS_SUBJECT_NODE, "a node's id as a subject is <vo>:<host name>"},
    {"service", XOS_SUBJECT_SERVICE, "a service's id is <vo>:<kind>/<host name>"},
};
#define SUBJECT_TYPES (sizeof(subject_types) / sizeof(subject_types[0]))

const char *xos_decision_subject_type(enum xos_policy_subject_kind kind)
{
	for (size_t i = 0; i < SUBJECT_TYPES; i++)
		if (subject_types[i].kind == kind)
			return subject_types[i].type;
	return NULL;
}

const char *xos_decision_subject(struct xos_decision_request *r, const char *type, const char *id)
{
	struct xos_policy_subject *s = &r->request.subject;
	const char *colon = strchr(id, ':');
	size_t n = colon ? (size_t)(colon - id) : 0, i = 0;
	while (i < SUBJECT_TYPES && strcmp(subject_types[i].type, type) != 0)
		i++;
	if (i == SUBJECT_TYPES)
		return "the type of a subject is \"user\", \"local\", \"node\" or \"service\"";
	if (subject_types[i].kind == XOS_SUBJECT_LOCAL) {
		if (!id[0] || strlen(id) > XOS_DECISION_LOCAL_MAX)
			return subject_types[i].form;
		s->kind = XOS_SUBJECT_LOCAL;
		s->member = id;
		return NULL;
	}
	if (!colon || n > XOS_VO_MAX)
		return subject_types[i].form;
	memcpy(r->vo, id, n);
	r->vo[n] = '\0';
	if (!xos_name_is_vo(r->vo) || !is_subject(subject_types[i].kind, r->vo, colon + 1))
		return subject_types[i].form;
	s->kind = subject_types[i].kind;
	s->vo = r->vo;
	s->member = colon + 1;
	return NULL;
}

/* One of the four parts, by AuthZEN's rule for defaults: as a whole from the item or from them. */
static enum xos_status part(const struct xos_decision_parts *p, const char *name, bool optional,
    const struct xos_json **out, struct xos_err *err)
{
	const struct xos_json *from =
	    p->defaults && !xos_json_has(p->item, name) ? p->defaults : p->item;
	if (!xos_json_has(from, name) && optional) {
		*out = NULL;
		return XOS_OK;
	}
	return xos_json_get_object(from, name, out, err);
}

/* AuthZEN 10.1.1: what a receiver does not know it ignores. It is told in the answer. */
static enum xos_status only(const struct xos_decision_parts *p, const struct xos_json *obj,
    const char *const *keys, struct xos_decision_request *r, struct xos_err *err)
{
	const struct xos_json *value;
	const char *key;
	void *it = NULL;
	if (!p->authzen)
		return xos_json_only(obj, keys, err);
	while (xos_json_next(obj, &it, &key, &value)) {
		const char *const *k = keys;
		while (*k && strcmp(*k, key) != 0)
			k++;
		if (!*k && r->nignored < XOS_DECISION_IGNORED_MAX)
			r->ignored[r->nignored++] = key;
	}
	return XOS_OK;
}
#define ONLY(p, obj, r, err, ...)                                                                  \
	only((p), (obj), (const char *const[]){__VA_ARGS__, NULL}, (r), (err))

/* The certificate chain alone may come with a subject; whoever decides verifies it. */
static enum xos_status subject_properties(
    const struct xos_decision_parts *p, const struct xos_json *subject, struct xos_err *err)
{
	const struct xos_json *props = NULL;
	static const char *const why =
	    "what a subject is comes from its certificate: leave the properties out";
	if (!p->authzen)
		return no_properties(subject, why, err);
	enum xos_status st = xos_json_opt_object(subject, "properties", &props, err);
	if (st || !props)
		return st;
	if (xos_json_count(props) != (xos_json_has(props, "chain") ? 1u : 0u))
		return xos_json_refuse(props, err,
		    "what a subject is comes from its certificate: only the property chain "
		    "is taken, never groups, roles or others");
	return XOS_OK;
}

/* Only the kind of those that are searched for. */
static enum xos_status searched_kind(const struct xos_json *subject, const char *type,
    struct xos_decision_request *r, struct xos_err *err)
{
	if (strcmp(type, "user") != 0)
		return xos_json_refuse(subject, err, "only subjects of the type user can be found");
	r->request.subject.kind = XOS_SUBJECT_MEMBER;
	return XOS_OK;
}

static enum xos_status decode_subject(
    const struct xos_decision_parts *p, struct xos_decision_request *r, struct xos_err *err)
{
	const struct xos_json *subject = NULL;
	const char *type = "", *id = "";
	enum xos_status st = part(p, "subject", false, &subject, err);
	if (!st)
		st = ONLY(p, subject, r, err, "type", "id", "properties");
	if (!st)
		st = subject_properties(p, subject, err);
	if (!st)
		st = xos_json_get_string(subject, "type", 31, &type, err);
	if (!st && p->any_subject)
		return searched_kind(subject, type, r, err);
	if (!st)
		st = xos_json_get_string(subject, "id", XOS_DECISION_SUBJECT_MAX, &id, err);
	if (st)
		return st;
	r->subject = subject;
	const char *problem = xos_decision_subject(r, type, id);
	return problem ? xos_json_refuse(subject, err, "%s", problem) : XOS_OK;
}

static enum xos_status decode_action(
    const struct xos_decision_parts *p, struct xos_decision_request *r, struct xos_err *err)
{
	const struct xos_json *action = NULL;
	enum xos_status st = p->any_action ? XOS_OK : part(p, "action", false, &action, err);
	if (p->any_action)
		return XOS_OK;
	if (!st)
		st = ONLY(p, action, r, err, "name", "properties");
	if (!st)
		st =
		    no_properties(action, "an action has no properties here: use the context", err);
	if (!st)
		st = xos_json_get_string(
		    action, "name", XOS_DECISION_ACTION_MAX, &r->request.action, err);
	if (!st && !xos_policy_action_find(r->request.action, XOS_POLICY_SCHEMA) &&
	    !xos_decision_is_own(r->request.action))
		st = xos_json_refuse(action, err,
		    "there is no action of that name: see `xos-policy "
		    "check --help` for the list");
	return st;
}

static enum xos_status decode_place(
    const struct xos_json *res, const char *id, struct xos_decision_request *r, struct xos_err *err)
{
	const char *slash = strchr(id, '/');
	size_t n = slash ? (size_t)(slash - id) : 0;
	if (!slash || n > XOS_SITE_MAX)
		return xos_json_refuse(res, err, "a node's id is <site>/<node>");
	memcpy(r->site, id, n);
	r->site[n] = '\0';
	if (!xos_name_is_site(r->site) || !xos_name_is_node(slash + 1))
		return xos_json_refuse(res, err, "a node's id is <site>/<node>");
	r->request.resource.site = r->site;
	r->request.resource.node = slash + 1;
	return XOS_OK;
}

static enum xos_status decode_properties(const struct xos_json *res, enum xos_decision_id form,
    struct xos_policy_resource *to, struct xos_err *err)
{
	const struct xos_json *props;
	enum xos_status st = xos_json_opt_object(res, "properties", &props, err);
	if (st || !props)
		return st;
	if (form != XOS_DECISION_ID_OBJECT && xos_json_count(props))
		return xos_json_refuse(
		    props, err, "a resource of this type is named by its id alone");
	if (form != XOS_DECISION_ID_OBJECT)
		return XOS_OK;
	st = XOS_JSON_ONLY(props, err, "site", "node", "vo", "owner");
	if (!st)
		st = xos_json_opt_string(props, "site", XOS_SITE_MAX, &to->site, err);
	if (!st)
		st = xos_json_opt_string(props, "node", XOS_NODE_MAX, &to->node, err);
	if (!st)
		st = xos_json_opt_string(props, "vo", XOS_VO_MAX, &to->vo, err);
	if (!st)
		st = xos_json_opt_string(props, "owner", XOS_MEMBER_MAX, &to->owner, err);
	if (st)
		return st;
	if ((to->site && !xos_name_is_site(to->site)) ||
	    (to->node && !xos_name_is_node(to->node)) || (to->vo && !xos_name_is_vo(to->vo)) ||
	    (to->owner && (!to->vo || !xos_name_is_member(to->vo, to->owner))))
		return xos_json_refuse(props, err,
		    "site, node, vo and owner are plain names, and an owner needs its vo");
	return XOS_OK;
}

static enum xos_status decode_resource(
    const struct xos_decision_parts *p, struct xos_decision_request *r, struct xos_err *err)
{
	struct xos_policy_resource *to = &r->request.resource;
	const struct xos_json *res = NULL;
	const char *id = "";
	enum xos_decision_id form = XOS_DECISION_ID_OBJECT;
	enum xos_status st = part(p, "resource", false, &res, err);
	if (!st)
		st = ONLY(p, res, r, err, "type", "id", "properties");
	if (!st)
		st = xos_json_get_string(res, "type", 31, &to->kind, err);
	if (!st && p->any_resource) {
		if (strcmp(to->kind, "site") != 0 && strcmp(to->kind, "node") != 0)
			st = xos_json_refuse(
			    res, err, "only resources of the types site and node can be found");
		return st ? st : no_properties(res, "what is searched for has no properties", err);
	}
	if (!st)
		st = xos_json_get_string(res, "id", XOS_DECISION_TEXT_MAX, &id, err);
	if (!st && !xos_decision_resource_form(to->kind, &form))
		st = xos_json_refuse(res, err,
		    "the type of a resource is site, node, vo, job, file, session or token");
	if (!st && !id[0])
		st = xos_json_refuse(res, err, "the id is empty");
	if (st)
		return st;
	if (form == XOS_DECISION_ID_SITE && !xos_name_is_site(id))
		return xos_json_refuse(res, err, "the id of a site is its name");
	if (form == XOS_DECISION_ID_VO && !xos_name_is_vo(id))
		return xos_json_refuse(res, err, "the id of a VO is its name");
	if (form == XOS_DECISION_ID_SITE)
		to->site = id;
	else if (form == XOS_DECISION_ID_VO)
		to->vo = id;
	else if (form == XOS_DECISION_ID_OBJECT)
		to->id = id;
	else
		st = decode_place(res, id, r, err);
	return st ? st : decode_properties(res, form, to, err);
}

static enum xos_status decode_value(const struct xos_json *context, const char *name,
    const struct xos_policy_attr *attr, struct xos_policy_value *out, struct xos_err *err)
{
	bool flag;
	*out = (struct xos_policy_value){.name = name, .type = attr->type};
	enum xos_status st;
	switch (attr->type) {
	case XOS_POLICY_BOOL:
		st = xos_json_get_bool(context, name, &flag, err);
		if (!st)
			out->number = flag;
		return st;
	case XOS_POLICY_NUMBER:
	case XOS_POLICY_DURATION:
	case XOS_POLICY_SIZE:
		return xos_json_get_int64(context, name, 0, INT64_MAX, &out->number, err);
	case XOS_POLICY_TIME:
		return xos_json_get_time(context, name, &out->number, err);
	case XOS_POLICY_STRING:
	case XOS_POLICY_IP:
		return xos_json_get_string(
		    context, name, XOS_DECISION_VALUE_MAX, &out->string, err);
	}
	return xos_err_set(err, XOS_INTERNAL, "schema", "an attribute of unknown type");
}

const struct xos_policy_attr *xos_decision_attr(const char *name)
{
	const struct xos_policy_attr *attr = xos_policy_attr_find(name, XOS_POLICY_SCHEMA);
	return attr && attr->from_context ? attr : NULL;
}

/* Its type is that of the JSON value; the set that declares it says what a number means. */
static enum xos_status decode_own(const struct xos_json *context, const char *name,
    const struct xos_json *value, struct xos_policy_value *out, struct xos_err *err)
{
	struct xos_policy_attr attr = {.name = name};
	switch (xos_json_type(value)) {
	case XOS_JSON_BOOL:
		attr.type = XOS_POLICY_BOOL;
		break;
	case XOS_JSON_INTEGER:
		attr.type = XOS_POLICY_NUMBER;
		break;
	case XOS_JSON_STRING:
		attr.type = XOS_POLICY_STRING;
		break;
	default:
		return xos_json_refuse(value, err, "expected true, false, an integer or a string");
	}
	return decode_value(context, name, &attr, out, err);
}

/* Attributes have a dot in their names: nothing that a set can ask for is passed over. */
static bool no_attribute(
    const struct xos_decision_parts *p, const char *key, struct xos_decision_request *r)
{
	if (!p->authzen || strchr(key, '.'))
		return false;
	if (r->nignored < XOS_DECISION_IGNORED_MAX)
		r->ignored[r->nignored++] = key;
	return true;
}

static enum xos_status decode_context(
    const struct xos_decision_parts *p, struct xos_decision_request *r, struct xos_err *err)
{
	const struct xos_json *context = NULL, *value;
	const char *key;
	void *it = NULL;
	enum xos_status st = part(p, "context", true, &context, err);
	if (st || !context)
		return st;
	while (xos_json_next(context, &it, &key, &value)) {
		const struct xos_policy_attr *attr = xos_decision_attr(key);
		if (no_attribute(p, key, r))
			continue;
		if (!attr && !xos_decision_is_own(key))
			return xos_json_refuse(
			    value, err, "no attribute of that name comes from the context");
		if (r->request.nvalues == XOS_POLICY_VALUES_MAX)
			return xos_json_refuse(
			    context, err, "more than %u attributes", XOS_POLICY_VALUES_MAX);
		struct xos_policy_value *to = &r->values[r->request.nvalues];
		st = attr ? decode_value(context, attr->name, attr, to, err)
		          : decode_own(context, key, value, to, err);
		if (st)
			return st;
		r->request.nvalues++;
	}
	r->request.values = r->values;
	return XOS_OK;
}

enum xos_status xos_decision_request_from(
    const struct xos_decision_parts *p, struct xos_decision_request **out, struct xos_err *err)
{
	struct xos_decision_request *r = calloc(1, sizeof(*r));
	if (!r)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	enum xos_status st = decode_subject(p, r, err);
	if (!st)
		st = decode_action(p, r, err);
	if (!st)
		st = decode_resource(p, r, err);
	if (!st)
		st = decode_context(p, r, err);
	if (st)
		xos_decision_request_free(r);
	else
		*out = r;
	return st;
}

enum xos_status xos_decision_request_parse(
    struct xos_bytes in, struct xos_decision_request **out, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	struct xos_decision_request *r = NULL;
	enum xos_status st = xos_json_parse(in, XOS_DECISION_REQUEST_MAX, &doc, err);
	const struct xos_decision_parts parts = {.item = doc};
	if (!st)
		st = XOS_JSON_ONLY(doc, err, "subject", "action", "resource", "context");
	if (!st)
		st = xos_decision_request_from(&parts, &r, err);
	if (st) {
		xos_json_free(doc);
		return xos_err_prefix(err, st, "decision request");
	}
	r->doc = doc;
	*out = r;
	return XOS_OK;
}

enum xos_status xos_decision_request_decode(
    struct xos_bytes in, struct xos_decision_request **out, struct xos_err *err)
{
	struct xos_decision_request *r = xos_decision_request_scan(in);
	if (!r)
		return xos_decision_request_parse(in, out, err);
	*out = r;
	return XOS_OK;
}

void xos_decision_request_free(struct xos_decision_request *r)
{
	if (!r)
		return;
	xos_json_free(r->doc);
	free(r);
}

const struct xos_policy_request *xos_decision_request_get(const struct xos_decision_request *r)
{
	return &r->request;
}
