/* The asking half of AuthZEN's evaluations. */
#include <string.h>

#include "api/evaluations.h"
#include "net/client.h"

#define AT_A_TIME 2000u

/* {"subject", "action", "context", "options", "evaluations": [{"resource"} ...]} */
static enum xos_status encode(const struct xos_policy_request *req, const char *const *nodes,
    size_t n, struct xos_json **out, struct xos_err *err)
{
	struct xos_policy_request one = *req;
	struct xos_json *doc = NULL, *list = xos_json_array(), *options = xos_json_object();
	struct xos_buf text;

	one.resource = (struct xos_policy_resource){.kind = "vo", .vo = req->subject.vo};
	xos_buf_init(&text, XOS_DECISION_REQUEST_MAX);
	enum xos_status st = xos_decision_request_encode(&one, &text, err);
	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&text), XOS_DECISION_REQUEST_MAX, &doc, err);
	for (size_t i = 0; st == XOS_OK && i < n; i++) {
		struct xos_json *item = xos_json_object(), *resource = xos_json_object();

		xos_json_set_string(resource, "type", "node");
		xos_json_set_string(resource, "id", nodes[i]);
		xos_json_set(item, "resource", resource);
		xos_json_add(list, item);
	}
	xos_json_set_string(options, "detail", "brief");
	xos_json_set(doc, "options", options);
	xos_json_set(doc, "evaluations", list);
	xos_buf_free(&text);
	*out = doc;
	return st;
}

static enum xos_status decode_one(const struct xos_json *v, size_t i,
    xos_evaluations_answered answered, void *ctx, struct xos_err *err)
{
	struct xos_decision_answer *a = NULL;
	struct xos_buf text;

	xos_buf_init(&text, XOS_DECISION_ANSWER_MAX);
	enum xos_status st = xos_json_dump(v, &text, err);
	if (st == XOS_OK)
		st = xos_decision_answer_decode(xos_buf_bytes(&text), &a, err);
	if (st == XOS_OK)
		st = answered(ctx, i, a, err);
	xos_decision_answer_free(a);
	xos_buf_free(&text);
	return st;
}

/* A server that answers fewer, or more, did not answer this. */
static enum xos_status decode(const struct xos_json *doc, size_t first, size_t n,
    xos_evaluations_answered answered, void *ctx, struct xos_err *err)
{
	const struct xos_json *list = NULL;
	enum xos_status st =
	    xos_json_get_array(doc, "evaluations", XOS_EVALUATIONS_MAX, &list, err);

	if (st == XOS_OK && xos_json_count(list) != n)
		st = xos_json_refuse(
		    list, err, "%zu answers to %zu questions", xos_json_count(list), n);
	for (size_t i = 0; st == XOS_OK && i < n; i++)
		st = decode_one(xos_json_at(list, i), first + i, answered, ctx, err);
	return st;
}

enum xos_status xos_evaluations_ask(struct xos_client *c, const struct xos_policy_request *req,
    const char *const *nodes, size_t n, xos_evaluations_answered answered, void *ctx,
    struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	for (size_t at = 0; st == XOS_OK && at < n; at += AT_A_TIME) {
		size_t some = n - at < AT_A_TIME ? n - at : AT_A_TIME;
		struct xos_json *in = NULL, *out = NULL;

		st = encode(req, nodes + at, some, &in, err);
		if (st == XOS_OK)
			st = xos_client_json(c, "POST", "/access/v1/evaluations", in, &out, err);
		if (st == XOS_OK)
			st = decode(out, at, some, answered, ctx, err);
		xos_json_free(out);
		xos_json_free(in);
	}
	return st;
}
