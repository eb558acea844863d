#include "policytool/recorded.h"

#include <string.h>

#include "api/decision.h"
#include "policy/restriction.h"

bool xos_policytool_is_recorded(const struct xos_json *doc)
{
	return xos_json_has(doc, "decision") && xos_json_has(doc, "request");
}

void xos_policytool_recorded_free(struct xos_policytool_recorded *r)
{
	for (size_t i = 0; i < r->nchain; i++)
		xos_policy_set_unref((struct xos_policy_set *)(uintptr_t)r->chain[i]);
	*r = (struct xos_policytool_recorded){.nchain = 0};
}

static enum xos_status read_step(
    const struct xos_json *v, struct xos_policytool_recorded *out, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	struct xos_buf bytes;

	xos_buf_init(&bytes, XOS_RESTRICTION_MAX);
	enum xos_status st = xos_json_as_object(v, err);
	if (st == XOS_OK)
		st = xos_json_get_bytes(v, "restriction", XOS_RESTRICTION_MAX, &bytes, err);
	/* A step that restricts nothing. */
	if (st == XOS_OK && bytes.n)
		st = xos_restriction_decode(xos_buf_bytes(&bytes), &set, err);
	if (st == XOS_OK && set)
		out->chain[out->nchain++] = set;
	xos_buf_free(&bytes);
	return st;
}

static enum xos_status read_chain(
    const struct xos_json *doc, struct xos_policytool_recorded *out, struct xos_err *err)
{
	const struct xos_json *list = NULL;
	enum xos_status st =
	    xos_json_opt_array(doc, "delegations", XOS_DELEGATION_DEPTH_MAX + 1, &list, err);

	for (size_t i = 0; st == XOS_OK && i < xos_json_count(list); i++)
		st = read_step(xos_json_at(list, i), out, err);
	return st;
}

static struct xos_json *copy_with(
    const struct xos_json *obj, const char *key, struct xos_json *child)
{
	struct xos_json *copy = obj ? xos_json_copy(obj) : xos_json_object();

	xos_json_set(copy, key, child);
	return copy;
}

/* The authentication was that long ago, then. */
static enum xos_status properties(
    const struct xos_json *subject, int64_t now, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *o = xos_json_object();
	const struct xos_json *v;
	const char *key;
	void *it = NULL;
	int64_t at = 0;
	enum xos_status st = xos_json_opt_time(subject, "auth_time", 0, &at, err);

	while (st == XOS_OK && xos_json_next(subject, &it, &key, &v))
		if (strcmp(key, "auth_time") != 0)
			xos_json_set(o, key, xos_json_copy(v));
	if (st == XOS_OK && at)
		xos_json_set_int(o, "auth_age", at < now ? now - at : 0);
	if (st == XOS_OK)
		*out = o;
	else
		xos_json_free(o);
	return st;
}

/* The place that the decision point filled in, where the request left it open. */
static enum xos_status complete_place(const struct xos_json *resource, const struct xos_json *place,
    struct xos_json **out, struct xos_err *err)
{
	static const char *const named_by_id[] = {"site", "node", "vo", "token"};
	static const char *const parts[] = {"site", "node"};
	const char *type = NULL, *text = NULL;
	const struct xos_json *props = NULL;
	struct xos_json *all;
	enum xos_status st = xos_json_get_string(resource, "type", 64, &type, err);

	for (size_t i = 0; st == XOS_OK && i < sizeof(named_by_id) / sizeof(named_by_id[0]); i++)
		if (strcmp(type, named_by_id[i]) == 0) {
			*out = xos_json_copy(resource);
			return XOS_OK;
		}
	if (st == XOS_OK)
		st = xos_json_opt_object(resource, "properties", &props, err);
	if (st != XOS_OK)
		return st;
	all = props ? xos_json_copy(props) : xos_json_object();
	for (size_t i = 0; st == XOS_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
		st = xos_json_opt_string(place, parts[i], XOS_DECISION_TEXT_MAX, &text, err);
		if (st == XOS_OK && text && !xos_json_has(all, parts[i]))
			xos_json_set_string(all, parts[i], text);
	}
	*out = copy_with(resource, "properties", all);
	return st;
}

static enum xos_status rebuild(
    const struct xos_json *doc, int64_t now, struct xos_json **out, struct xos_err *err)
{
	const struct xos_json *request = NULL, *who = NULL, *place = NULL;
	const struct xos_json *subject = NULL, *resource = NULL, *context = NULL;
	struct xos_json *props = NULL, *where = NULL, *when;
	enum xos_status st = xos_json_get_object(doc, "request", &request, err);

	if (st == XOS_OK)
		st = xos_json_get_object(doc, "subject", &who, err);
	if (st == XOS_OK)
		st = xos_json_get_object(doc, "place", &place, err);
	if (st == XOS_OK)
		st = xos_json_get_object(request, "subject", &subject, err);
	if (st == XOS_OK)
		st = xos_json_get_object(request, "resource", &resource, err);
	if (st == XOS_OK)
		st = xos_json_opt_object(request, "context", &context, err);
	if (st == XOS_OK)
		st = properties(who, now, &props, err);
	if (st == XOS_OK)
		st = complete_place(resource, place, &where, err);
	if (st != XOS_OK) {
		xos_json_free(props);
		xos_json_free(where);
		return st;
	}
	*out = copy_with(request, "subject", copy_with(subject, "properties", props));
	xos_json_set(*out, "resource", where);
	when = context ? xos_json_copy(context) : xos_json_object();
	xos_json_set_time(when, "now", now);
	xos_json_set(*out, "context", when);
	return XOS_OK;
}

enum xos_status xos_policytool_recorded_read(
    struct xos_json **doc, struct xos_policytool_recorded *out, struct xos_err *err)
{
	struct xos_json *request = NULL;
	int64_t now = 0;
	enum xos_status st =
	    xos_json_copy_string(*doc, "decision", out->decision, sizeof(out->decision), err);

	out->engine = xos_json_has(*doc, "by");
	if (st == XOS_OK)
		st = xos_json_opt_uint64(*doc, "sample", INT64_MAX, 1, &out->sample, err);
	if (st == XOS_OK)
		st = xos_json_get_time(*doc, "time", &now, err);
	if (st == XOS_OK)
		st = read_chain(*doc, out, err);
	if (st == XOS_OK)
		st = rebuild(*doc, now, &request, err);
	if (st == XOS_OK) {
		xos_json_free(*doc);
		*doc = request;
	}
	return st;
}
