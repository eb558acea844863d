#include "api/abilities.h"

#include <stdlib.h>

#include "base/name.h"
#include "base/text.h"

static enum xos_status check_words(
    const struct xos_json *v, const char *key, size_t max, struct xos_err *err)
{
	const char **list = NULL;
	size_t n = 0;
	enum xos_status st =
	    xos_json_get_strings(v, key, max, XOS_ABILITIES_WORD_MAX, &list, &n, err);

	free(list);
	return st;
}

static enum xos_status check_caps(const struct xos_json *service, struct xos_err *err)
{
	const struct xos_json *caps = NULL;
	enum xos_status st =
	    xos_json_get_array(service, "caps", XOS_ABILITIES_LIST_MAX, &caps, err);

	for (size_t i = 0; st == XOS_OK && i < xos_json_count(caps); i++) {
		const struct xos_json *cap = xos_json_at(caps, i);
		const char *name = NULL;
		int64_t least = 0;

		st = XOS_JSON_ONLY(cap, err, "name", "least");
		if (st == XOS_OK)
			st = xos_json_get_string(cap, "name", XOS_ABILITIES_WORD_MAX, &name, err);
		if (st == XOS_OK)
			st = xos_json_opt_int64(cap, "least", 0, INT64_MAX, 0, &least, err);
	}
	return st;
}

enum xos_status xos_abilities_service_check(const struct xos_json *service, struct xos_err *err)
{
	const char *name = NULL;
	enum xos_status st =
	    XOS_JSON_ONLY(service, err, "service", "actions", "attributes", "caps", "duties");

	if (st == XOS_OK)
		st = xos_json_get_string(service, "service", XOS_SERVICE_KIND_MAX, &name, err);
	if (st == XOS_OK && !xos_name_is_service_kind(name))
		st = xos_json_refuse(service, err, "\"%s\" is no name of a service", name);
	if (st == XOS_OK)
		st = check_words(service, "actions", XOS_ABILITIES_LIST_MAX, err);
	if (st == XOS_OK)
		st = check_words(service, "attributes", XOS_ABILITIES_LIST_MAX, err);
	if (st == XOS_OK)
		st = check_words(service, "duties", XOS_ABILITIES_LIST_MAX, err);
	return st == XOS_OK ? check_caps(service, err) : st;
}

static enum xos_status check(const struct xos_json *doc, struct xos_err *err)
{
	const struct xos_json *services = NULL;
	const char *site = NULL, *node = NULL;
	int64_t schema = 0;
	enum xos_status st = XOS_JSON_ONLY(doc, err, "site", "node", "schema", "services", "zones");

	if (st == XOS_OK)
		st = xos_json_get_string(doc, "site", XOS_SITE_MAX, &site, err);
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "node", XOS_NODE_MAX, &node, err);
	if (st == XOS_OK && (!xos_name_is_site(site) || !xos_name_is_node(node)))
		st = xos_json_refuse(doc, err, "no names of a site and a node");
	if (st == XOS_OK)
		st = xos_json_get_int64(doc, "schema", 1, 1000, &schema, err);
	if (st == XOS_OK)
		st =
		    xos_json_get_array(doc, "services", XOS_ABILITIES_SERVICES_MAX, &services, err);
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(services); i++)
		st = xos_abilities_service_check(xos_json_at(services, i), err);
	if (st == XOS_OK && xos_json_has(doc, "zones"))
		st = check_words(doc, "zones", XOS_ABILITIES_ZONES_MAX, err);
	return st;
}

enum xos_status xos_abilities_parse(struct xos_bytes in, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	enum xos_status st = xos_json_parse(in, XOS_ABILITIES_MAX, &doc, err);

	if (st == XOS_OK)
		st = check(doc, err);
	if (st == XOS_OK)
		*out = doc;
	else
		xos_json_free(doc);
	return st;
}

enum xos_status xos_abilities_put(struct xos_client *c, const char *vo, const char *node,
    struct xos_bytes document, struct xos_err *err)
{
	struct xos_client_request req = {
	    .method = "PUT", .content_type = "application/json", .body = document};
	struct xos_answer *answer = NULL;
	struct xos_buf path;
	enum xos_status st = XOS_OK;

	xos_buf_init(&path, 1024);
	xos_buf_put_str(&path, "/v1/vo/");
	xos_path_encode(&path, vo);
	xos_buf_put_str(&path, "/nodes/");
	xos_path_encode(&path, node);
	xos_buf_put_str(&path, "/abilities");
	req.path = xos_buf_str(&path);
	st = req.path ? xos_client_call(c, &req, &answer, err)
	              : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		st = xos_answer_check(c, answer, err);
	xos_answer_free(answer);
	xos_buf_free(&path);
	return st;
}
