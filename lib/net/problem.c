#include "net/problem.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *code;
	int status;
} by_code[] = {
    {"body-too-long", 413},
    {"json-too-long", 413},
    {"header-too-long", 431},
    {"method-not-allowed", 405},
    {"client-certificate-needed", 401},
    {"login-needed", 401},
    {"http-version", 505},
    {"transfer-encoding", 501},
    {"request-timeout", 408},
    {"media-type", 415},
};

int xos_problem_http_status(const struct xos_err *err)
{
	for (size_t i = 0; i < sizeof(by_code) / sizeof(by_code[0]); i++)
		if (strcmp(err->code, by_code[i].code) == 0)
			return by_code[i].status;
	switch (err->status) {
	case XOS_MALFORMED:
		return 400;
	case XOS_EXPIRED:
	case XOS_NOT_YET_VALID:
		return 401;
	case XOS_DENIED:
		return 403;
	case XOS_NOT_FOUND:
		return 404;
	case XOS_CONFLICT:
		return 409;
	case XOS_LIMIT:
		return 429;
	case XOS_UNAVAILABLE:
		return 503;
	case XOS_OK:
	case XOS_INTERNAL:
		break;
	}
	return 500;
}

struct xos_json *xos_problem_encode(const struct xos_err *err, const char *request_id)
{
	char urn[XOS_ERR_CODE_MAX + 32];
	const char *code = err->code[0] ? err->code : "error";
	const char *text = err->text;
	struct xos_json *doc = xos_json_object();
	if (err->status == XOS_INTERNAL || err->status == XOS_OK)
		text = "an error inside the server, which its log describes under this request";
	snprintf(urn, sizeof(urn), "urn:xos:problem:%s", code);
	xos_json_set_text(doc, "type", urn);
	xos_json_set_string(
	    doc, "title", xos_status_name(err->status ? err->status : XOS_INTERNAL));
	xos_json_set_int(doc, "status", xos_problem_http_status(err));
	xos_json_set_text(doc, "detail", text);
	xos_json_set_text(doc, "code", code);
	if (request_id) {
		char instance[128];
		snprintf(instance, sizeof(instance), "urn:xos:request:%s", request_id);
		xos_json_set_text(doc, "instance", instance);
	}
	return doc;
}

/* What an HTTP status alone says, when nothing better is there. */
static enum xos_status class_of(int http_status)
{
	switch (http_status) {
	case 401:
	case 403:
		return XOS_DENIED;
	case 404:
	case 410:
		return XOS_NOT_FOUND;
	case 409:
	case 412:
		return XOS_CONFLICT;
	case 413:
	case 429:
	case 431:
		return XOS_LIMIT;
	case 408:
	case 502:
	case 503:
	case 504:
		return XOS_UNAVAILABLE;
	default:
		break;
	}
	return http_status >= 400 && http_status < 500 ? XOS_MALFORMED : XOS_UNAVAILABLE;
}

static enum xos_status class_named(const char *title, int http_status)
{
	for (int s = XOS_MALFORMED; s <= XOS_INTERNAL; s++)
		if (strcmp(title, xos_status_name((enum xos_status)s)) == 0)
			return (enum xos_status)s;
	return class_of(http_status);
}

/* Codes are for programs to compare: nothing but what our own look like. */
static bool code_ok(const char *code)
{
	size_t n = strlen(code);
	return n > 0 && n < XOS_ERR_CODE_MAX &&
	       strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

enum xos_status xos_problem_decode(
    int http_status, struct xos_bytes body, const char *where, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const char *title = NULL, *code = NULL, *detail = NULL;
	enum xos_status st = class_of(http_status);
	bool ours = xos_json_parse(body, 64 * 1024, &doc, NULL) == XOS_OK &&
	            xos_json_get_string(doc, "title", 64, &title, NULL) == XOS_OK &&
	            xos_json_get_string(doc, "code", XOS_ERR_CODE_MAX - 1, &code, NULL) == XOS_OK &&
	            xos_json_get_string(doc, "detail", XOS_ERR_TEXT_MAX, &detail, NULL) == XOS_OK &&
	            code_ok(code);
	if (ours) {
		st = class_named(title, http_status);
		xos_err_set(err, st, "problem", "%s", detail);
		if (err)
			snprintf(err->code, sizeof(err->code), "%s", code);
	} else {
		xos_err_set(
		    err, st, "http-status", "%s answered with HTTP status %d", where, http_status);
	}
	xos_json_free(doc);
	return st;
}
