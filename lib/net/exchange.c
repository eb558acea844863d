#include "net/server_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/event.h"
#include "base/random.h"
#include "base/text.h"
#include "net/problem.h"

/* Shorter ones go out in one record with their head. */
#define APART_MIN 16384

#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

struct exchange *exchange_new(struct conn *conn)
{
	struct exchange *x = calloc(1, sizeof(*x));
	if (!x)
		return NULL;
	x->conn = conn;
	x->req.conn = conn;
	x->res.status = 200;
	xos_buf_init(&x->req.body, 0);
	xos_buf_init(&x->res.body, RESPONSE_BODY_MAX);
	atomic_init(&x->holds, 1);
	return x;
}

static void body_clear(struct xos_response *res)
{
	xos_buf_free(&res->body);
	xos_buf_init(&res->body, RESPONSE_BODY_MAX);
	xos_shared_unref(res->shared);
	res->shared = NULL;
}

static void response_clear(struct xos_response *res)
{
	for (size_t i = 0; i < res->nfields; i++) {
		free(res->field[i].name);
		free(res->field[i].value);
	}
	free(res->content_type);
	body_clear(res);
	*res = (struct xos_response){.status = 200};
	xos_buf_init(&res->body, RESPONSE_BODY_MAX);
}

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	http_head_clear(&x->req.head);
	http_target_clear(&x->req.target);
	xos_buf_free(&x->req.body);
	response_clear(&x->res);
	free(x);
}

void exchange_name(struct exchange *x)
{
	const char *given = x->req.head.text ? http_head_get(&x->req.head, "X-Request-Id") : NULL;
	if (!given || !xos_event_request_valid(given) ||
	    !xos_str_copy(x->req.id, sizeof(x->req.id), given))
		xos_random_id(x->req.id, 8);
}

bool exchange_run(struct exchange *x)
{
	const struct route *r = x->req.route;
	const struct xos_server_options *o = &x->conn->server->o;
	void *ctx = r->ctx;
	enum xos_status st = XOS_OK;
	xos_event_request(x->req.id);
	if (o->pick)
		st = o->pick(o->pick_arg, &x->req, &ctx, &x->err);
	if (st == XOS_OK)
		st = r->pub->handle(ctx, &x->req, &x->res, &x->err);
	xos_event_request(NULL);
	/* After a deferral somebody else may have finished x already: only the count is ours. */
	if (st != XOS_OK)
		x->status = st;
	return atomic_fetch_sub(&x->holds, 1) == 1;
}

void xos_response_defer(struct xos_response *res)
{
	atomic_fetch_add(&CONTAINER_OF(res, struct exchange, res)->holds, 1);
}

void xos_response_finish(
    struct xos_response *res, enum xos_status status, const struct xos_err *err)
{
	struct exchange *x = CONTAINER_OF(res, struct exchange, res);
	if (status != XOS_OK) {
		x->status = status;
		if (err)
			x->err = *err;
	}
	if (atomic_fetch_sub(&x->holds, 1) == 1)
		server_exchange_done(x);
}

/* An error for a client that shows what it gets to a person as it is. */
static void plain_text(struct exchange *x, const char *realm)
{
	char challenge[128];
	int status = xos_problem_http_status(&x->err);
	bool ours = x->status == XOS_INTERNAL;
	struct xos_buf text;
	xos_buf_init(&text, XOS_ERR_TEXT_MAX + 64);
	xos_buf_printf(&text, "%s\n",
	    ours ? "an error inside the server, which its log describes" : x->err.text);
	xos_response_status(&x->res, status);
	if (status == 401 &&
	    xos_str_printf(challenge, sizeof(challenge), "Basic realm=\"%s\"", realm))
		xos_response_header(&x->res, "WWW-Authenticate", challenge);
	xos_response_body(&x->res, "text/plain; charset=utf-8", xos_buf_bytes(&text));
	xos_buf_free(&text);
}

void exchange_settle(struct exchange *x)
{
	const char *realm = x->conn->server->o.realm;
	if (x->status == XOS_OK && x->res.failed)
		x->status = xos_err_set(
		    &x->err, XOS_INTERNAL, "response", "the response could not be built");
	if (x->status == XOS_OK)
		return;
	if (x->err.status != x->status)
		xos_err_set(
		    &x->err, x->status, "unexplained", "refused (%s)", xos_status_name(x->status));
	if (x->status == XOS_INTERNAL)
		xos_event_err(XOS_ERROR, "request.failed", &x->err, "request", x->req.id, "route",
		    x->req.route ? x->req.route->pub->pattern : NULL, (const char *)NULL);
	response_clear(&x->res);
	if (x->allow[0])
		xos_response_header(&x->res, "Allow", x->allow);
	if (xos_problem_http_status(&x->err) == 503)
		xos_response_header(&x->res, "Retry-After", "1");
	if (realm)
		plain_text(x, realm);
	else
		xos_response_problem(&x->res, &x->err);
}

void xos_response_status(struct xos_response *res, int status)
{
	if (status < 200 || status > 599)
		res->failed = true;
	res->status = status;
}

static bool field_fits(const char *name, const char *value)
{
	static const char *const own[] = {
	    "Content-Length", "Connection", "Date", "Transfer-Encoding", "Content-Type"};
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcasecmp(name, own[i]) == 0)
			return false;
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-')
			return false;
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return *name != '\0';
}

void xos_response_header(struct xos_response *res, const char *name, const char *value)
{
	if (!field_fits(name, value) || res->nfields == RESPONSE_FIELDS_MAX) {
		res->failed = true;
		return;
	}
	struct response_field *f = &res->field[res->nfields++];
	f->name = strdup(name);
	f->value = strdup(value);
	if (!f->name || !f->value)
		res->failed = true;
}

static void content_type_set(struct xos_response *res, const char *type)
{
	free(res->content_type);
	res->content_type = type ? strdup(type) : NULL;
	if (type && (!res->content_type || !field_fits("X", type)))
		res->failed = true;
}

void xos_response_body(struct xos_response *res, const char *content_type, struct xos_bytes body)
{
	content_type_set(res, content_type);
	body_clear(res);
	xos_buf_put(&res->body, body.p, body.n);
	if (xos_buf_status(&res->body) != XOS_OK)
		res->failed = true;
}

void xos_response_shared(
    struct xos_response *res, const char *content_type, struct xos_shared *body)
{
	content_type_set(res, content_type);
	body_clear(res);
	res->shared = xos_shared_ref(body);
}

static void json_body(struct xos_response *res, int status, const char *type, struct xos_json *doc)
{
	xos_response_status(res, status);
	content_type_set(res, type);
	body_clear(res);
	if (xos_json_dump(doc, &res->body, NULL) != XOS_OK)
		res->failed = true;
	xos_json_free(doc);
}

void xos_response_json(struct xos_response *res, int status, struct xos_json *doc)
{
	json_body(res, status, "application/json", doc);
}

void xos_response_problem(struct xos_response *res, const struct xos_err *err)
{
	const struct exchange *x = CONTAINER_OF(res, struct exchange, res);
	json_body(res, xos_problem_http_status(err), XOS_PROBLEM_TYPE,
	    xos_problem_encode(err, x->req.id));
}

static const char *reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} all[] = {{200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"},
	    {304, "Not Modified"}, {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"},
	    {404, "Not Found"}, {405, "Method Not Allowed"}, {408, "Request Timeout"},
	    {409, "Conflict"}, {413, "Content Too Large"}, {429, "Too Many Requests"},
	    {431, "Request Header Fields Too Large"}, {500, "Internal Server Error"},
	    {503, "Service Unavailable"}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].status == status)
			return all[i].text;
	return "";
}

/* RFC 9110 5.6.7; made anew only when the second changes. The loop's thread only. */
static const char *http_date(void)
{
	static _Thread_local time_t made;
	static _Thread_local char text[40];
	time_t now = time(NULL);
	struct tm tm;
	if (now != made && gmtime_r(&now, &tm)) {
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		made = now;
	}
	return text;
}

static bool has_field(const struct xos_response *res, const char *name)
{
	for (size_t i = 0; i < res->nfields; i++)
		if (strcasecmp(res->field[i].name, name) == 0)
			return true;
	return false;
}

static bool bodiless(const struct xos_response *res)
{
	return res->status == 204 || res->status == 304;
}

/* What is sent as the body. */
static struct xos_bytes sent(const struct exchange *x)
{
	const struct xos_response *res = &x->res;
	bool head = x->req.head.method && strcmp(x->req.head.method, "HEAD") == 0;
	if (head || bodiless(res))
		return XOS_BYTES_NONE;
	return res->shared ? xos_shared_bytes(res->shared) : xos_buf_bytes(&res->body);
}

struct xos_bytes exchange_rest(const struct exchange *x)
{
	struct xos_bytes body = sent(x);
	return x->res.shared && body.n >= APART_MIN ? body : XOS_BYTES_NONE;
}

enum xos_status exchange_encode(struct exchange *x, bool keep_alive, struct xos_buf *out)
{
	const struct xos_response *res = &x->res;
	struct xos_bytes body = sent(x);
	xos_buf_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\nX-Request-Id: %s\r\n", res->status,
	    reason(res->status), http_date(), x->req.id);
	if (!bodiless(res))
		xos_buf_printf(out, "Content-Length: %zu\r\n",
		    res->shared ? xos_shared_bytes(res->shared).n : res->body.n);
	if (res->content_type && !bodiless(res))
		xos_buf_printf(out, "Content-Type: %s\r\n", res->content_type);
	/* Answers say who is who: no cache may keep them unless the handler says otherwise. */
	if (!has_field(res, "Cache-Control"))
		xos_buf_put_str(out, "Cache-Control: no-store\r\n");
	for (size_t i = 0; i < res->nfields; i++)
		xos_buf_printf(out, "%s: %s\r\n", res->field[i].name, res->field[i].value);
	if (!keep_alive)
		xos_buf_put_str(out, "Connection: close\r\n");
	xos_buf_put_str(out, "\r\n");
	if (!exchange_rest(x).n)
		xos_buf_put(out, body.p, body.n);
	return xos_buf_status(out);
}
