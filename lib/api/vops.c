#include "api/vops.h"

#include "base/clock.h"
#include "base/text.h"

#define ANSWER_S 15 /* beyond the wait */

static const char *vo_path(struct xos_buf *b, const char *vo, const char *rest)
{
	xos_buf_put_str(b, "/v1/vo/");
	xos_path_encode(b, vo);
	xos_buf_put_str(b, rest);
	return xos_buf_str(b);
}

static enum xos_status no_path(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "the path of a request does not fit");
}

static const char *bundle_path(struct xos_buf *b, const struct xos_vops_question *q)
{
	char until[XOS_TIME_TEXT];

	vo_path(b, q->vo, "/bundle?site=");
	xos_path_encode(b, q->site);
	if (q->wait)
		xos_buf_printf(b, "&wait=%lld", (long long)q->wait);
	if (q->in_force)
		xos_buf_printf(b, "&in_force=%llu", (unsigned long long)q->in_force);
	if (q->in_force && q->until) {
		xos_time_format(q->until, until);
		xos_buf_put_str(b, "&until=");
		xos_path_encode(b, until);
	}
	return xos_buf_str(b);
}

enum xos_status xos_vops_bundle(struct xos_client *c, const struct xos_vops_question *q,
    char etag[XOS_VOPS_ETAG_MAX], bool *changed, struct xos_buf *out, struct xos_err *err)
{
	struct xos_client_header match = {.name = "If-None-Match", .value = etag};
	struct xos_client_request req = {.method = "GET",
	    .headers = &match,
	    .nheaders = etag[0] ? 1 : 0,
	    .total_ms = q->wait ? (q->wait + ANSWER_S) * 1000 : 0};
	struct xos_answer *answer = NULL;
	struct xos_buf path;

	xos_buf_init(&path, 1024);
	req.path = bundle_path(&path, q);
	enum xos_status st = req.path ? xos_client_call(c, &req, &answer, err) : no_path(err);
	if (st != XOS_OK)
		goto out;
	if (xos_answer_status(answer) == 304 && etag[0]) {
		*changed = false;
		goto out;
	}
	st = xos_answer_check(c, answer, err);
	if (st != XOS_OK)
		goto out;
	struct xos_bytes body = xos_answer_body(answer);
	xos_buf_put(out, body.p, body.n);
	st = xos_buf_status(out);
	if (st != XOS_OK) {
		xos_err_set(err, st, "bundle-size", "the bundle does not fit");
		goto out;
	}
	const char *tag = xos_answer_header(answer, "ETag");
	/* Without a tag that we can keep the next call fetches all again: slower, never wrong. */
	if (!tag || !xos_str_copy(etag, XOS_VOPS_ETAG_MAX, tag))
		etag[0] = 0;
	*changed = true;
out:
	xos_answer_free(answer);
	xos_buf_free(&path);
	return st;
}

enum xos_status xos_vops_site_set(struct xos_client *c, const char *vo, const char *site,
    struct xos_bytes compact, struct xos_err *err)
{
	struct xos_client_request req = {
	    .method = "PUT", .content_type = "application/jose", .body = compact};
	struct xos_answer *answer = NULL;
	struct xos_buf path;

	xos_buf_init(&path, 1024);
	vo_path(&path, vo, "/sites/");
	xos_path_encode(&path, site);
	xos_buf_put_str(&path, "/set");
	req.path = xos_buf_str(&path);
	enum xos_status st = req.path ? xos_client_call(c, &req, &answer, err) : no_path(err);
	if (st == XOS_OK)
		st = xos_answer_check(c, answer, err);
	xos_answer_free(answer);
	xos_buf_free(&path);
	return st;
}

enum xos_status xos_vops_log_growth(struct xos_client *c, const char *vo, const char *log,
    uint64_t from, uint64_t to, struct xos_json **doc, struct xos_err *err)
{
	struct xos_buf path;

	xos_buf_init(&path, 1024);
	vo_path(&path, vo, "/logs/");
	xos_path_encode(&path, log);
	xos_buf_printf(&path, "/consistency?from=%llu&to=%llu", (unsigned long long)from,
	    (unsigned long long)to);
	const char *text = xos_buf_str(&path);
	enum xos_status st = text ? xos_client_json(c, "GET", text, NULL, doc, err) : no_path(err);
	if (st == XOS_OK && !*doc)
		st = xos_err_set(err, XOS_UNAVAILABLE, "log-proof", "the server answered nothing");
	xos_buf_free(&path);
	return st;
}
