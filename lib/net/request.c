/* What handlers ask of a request. */
#include "net/server_internal.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

const char *xos_request_method(const struct xos_request *req)
{
	return req->head.method;
}

const char *xos_request_path(const struct xos_request *req)
{
	return req->target.path;
}

const char *xos_request_param(const struct xos_request *req, const char *name)
{
	const struct route *r = req->route;
	for (size_t i = 0; i < r->nsegments; i++)
		if (r->named[i] && strcmp(r->segment[i], name) == 0)
			return req->target.segment[i];
	return NULL;
}

const char *xos_request_query(const struct xos_request *req, const char *name)
{
	for (size_t i = 0; i < req->target.nquery; i++)
		if (strcmp(req->target.query[i].name, name) == 0)
			return req->target.query[i].value;
	return NULL;
}

enum xos_status xos_request_query_u64(const struct xos_request *req, const char *name,
    uint64_t fallback, uint64_t max, uint64_t *out, struct xos_err *err)
{
	const char *text = xos_request_query(req, name);
	uint64_t v = fallback;
	if (text && !xos_parse_u64(text, max, &v))
		return xos_err_set(err, XOS_MALFORMED, "query",
		    "%s in the query must be a number of at most %llu", name,
		    (unsigned long long)max);
	*out = v;
	return XOS_OK;
}

enum xos_status xos_request_query_only(
    const struct xos_request *req, const char *const *names, struct xos_err *err)
{
	for (size_t i = 0; i < req->target.nquery; i++) {
		const char *const *n = names;
		while (*n && strcmp(*n, req->target.query[i].name) != 0)
			n++;
		if (!*n)
			return xos_err_set(err, XOS_MALFORMED, "query",
			    "unknown parameter %s in the query", req->target.query[i].name);
	}
	return XOS_OK;
}

const char *xos_request_header(const struct xos_request *req, const char *name)
{
	return http_head_get(&req->head, name);
}

struct xos_bytes xos_request_body(const struct xos_request *req)
{
	return xos_buf_bytes(&req->body);
}

static bool is_json_type(const char *type)
{
	size_t n = type ? strcspn(type, "; \t") : 0;
	if (n < 12 || strncasecmp(type, "application/", 12) != 0)
		return false;
	return (n == 16 && strncasecmp(type + 12, "json", 4) == 0) ||
	       (n > 17 && strncasecmp(type + n - 5, "+json", 5) == 0);
}

enum xos_status xos_request_json(
    const struct xos_request *req, struct xos_json **out, struct xos_err *err)
{
	if (!is_json_type(xos_request_header(req, "Content-Type")))
		return xos_err_set(err, XOS_MALFORMED, "media-type",
		    "the body must be JSON with Content-Type: application/json");
	return xos_json_parse(xos_request_body(req), req->body.max, out, err);
}

const char *xos_request_peer(const struct xos_request *req)
{
	return req->conn->peer_text;
}

const char *xos_request_id(const struct xos_request *req)
{
	return req->id;
}

/* While a handler has the request nobody moves its connection. */
size_t xos_request_binding(const struct xos_request *req, uint8_t out[XOS_BINDING_MAX])
{
	return req->conn->ssl ? tls_binding(req->conn->ssl, out, XOS_BINDING_MAX) : 0;
}

const struct xos_bytes *xos_request_chain(const struct xos_request *req, size_t *n)
{
	*n = req->conn->peer.refused ? 0 : req->conn->peer.n;
	return req->conn->peer.ders;
}

void *xos_request_identity(const struct xos_request *req)
{
	return req->conn->peer.refused ? NULL : req->conn->peer.identity;
}
