/* Requests as they are said. */
#include <string.h>

#include "api/decision_scan.h"
#include "base/text.h"
#include "json/json.h"

static enum xos_status bad_request(struct xos_err *err, const char *what)
{
	return xos_err_set(
	    err, XOS_MALFORMED, "decision-request", "cannot state this request: %s", what);
}

static enum xos_status encode_subject(
    const struct xos_policy_subject *s, struct xos_json *root, struct xos_err *err)
{
	char id[XOS_DECISION_SUBJECT_MAX + 1];
	bool of_vo = s->kind != XOS_SUBJECT_LOCAL;
	const char *type = xos_decision_subject_type(s->kind);
	if (!type)
		return bad_request(err, "a subject of unknown kind");
	if (!s->member || (of_vo && !s->vo) ||
	    !xos_str_printf(
	        id, sizeof(id), "%s%s%s", of_vo ? s->vo : "", of_vo ? ":" : "", s->member))
		return bad_request(err, "the subject has no name, or one that is too long");
	struct xos_json *subject = xos_json_object();
	xos_json_set_string(subject, "type", type);
	xos_json_set_string(subject, "id", id);
	xos_json_set(root, "subject", subject);
	return XOS_OK;
}

static enum xos_status encode_resource(
    const struct xos_policy_resource *res, struct xos_json *root, struct xos_err *err)
{
	char place[XOS_DECISION_PLACE_MAX + 1];
	const char *id = res->id;
	enum xos_decision_id form;
	if (!res->kind || !xos_decision_resource_form(res->kind, &form))
		return bad_request(err, "a resource of unknown kind");
	if (form == XOS_DECISION_ID_SITE)
		id = res->site;
	else if (form == XOS_DECISION_ID_VO)
		id = res->vo;
	else if (form == XOS_DECISION_ID_NODE)
		id = res->site && res->node &&
		             xos_str_printf(place, sizeof(place), "%s/%s", res->site, res->node)
		         ? place
		         : NULL;
	if (!id || !id[0])
		return bad_request(err, "the resource has no name");
	struct xos_json *to = xos_json_object();
	xos_json_set_string(to, "type", res->kind);
	xos_json_set_string(to, "id", id);
	if (form == XOS_DECISION_ID_OBJECT && (res->site || res->node || res->vo || res->owner)) {
		struct xos_json *props = xos_json_object();
		xos_json_set_string(props, "site", res->site);
		xos_json_set_string(props, "node", res->node);
		xos_json_set_string(props, "vo", res->vo);
		xos_json_set_string(props, "owner", res->owner);
		xos_json_set(to, "properties", props);
	}
	xos_json_set(root, "resource", to);
	return XOS_OK;
}

static void encode_value(const struct xos_policy_value *v, struct xos_json *context)
{
	switch (v->type) {
	case XOS_POLICY_BOOL:
		xos_json_set_bool(context, v->name, v->number != 0);
		return;
	case XOS_POLICY_NUMBER:
	case XOS_POLICY_DURATION:
	case XOS_POLICY_SIZE:
		xos_json_set_int(context, v->name, v->number);
		return;
	case XOS_POLICY_TIME:
		xos_json_set_time(context, v->name, v->number);
		return;
	case XOS_POLICY_STRING:
	case XOS_POLICY_IP:
		xos_json_set_string(context, v->name, v->string);
		return;
	}
}

static enum xos_status check_value(
    const struct xos_policy_request *req, size_t at, struct xos_err *err)
{
	const struct xos_policy_value *v = &req->values[at];
	const struct xos_policy_attr *attr = v->name ? xos_decision_attr(v->name) : NULL;
	bool text = v->type == XOS_POLICY_STRING || v->type == XOS_POLICY_IP;
	bool known = attr ? attr->type == v->type : v->name && xos_decision_is_own(v->name);
	if (!known || (text && !v->string))
		return bad_request(err, "an attribute of unknown name or wrong type");
	for (size_t i = 0; i < at; i++)
		if (strcmp(req->values[i].name, v->name) == 0)
			return bad_request(err, "an attribute that is given twice");
	return XOS_OK;
}

static enum xos_status encode_context(
    const struct xos_policy_request *req, struct xos_json *root, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	if (!req->nvalues)
		return XOS_OK;
	struct xos_json *context = xos_json_object();
	for (size_t i = 0; !st && i < req->nvalues; i++) {
		st = check_value(req, i, err);
		if (!st)
			encode_value(&req->values[i], context);
	}
	xos_json_set(root, "context", context);
	return st;
}

enum xos_status xos_decision_request_encode(
    const struct xos_policy_request *req, struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *root = xos_json_object(), *action = xos_json_object();
	enum xos_status st = encode_subject(&req->subject, root, err);
	xos_json_set_string(action, "name", req->action);
	xos_json_set(root, "action", action);
	if (!st && !req->action)
		st = bad_request(err, "it has no action");
	if (!st)
		st = encode_resource(&req->resource, root, err);
	if (!st)
		st = encode_context(req, root, err);
	if (!st)
		st = xos_json_dump(root, out, err);
	xos_json_free(root);
	return st;
}
