#include "jobs/preview.h"

#include <stdlib.h>
#include <string.h>

#define JOBS_MAX 1000 /* what credd takes at once */

/* What was asked for, which is what is decided by; not what was given in the end. */
static int64_t wall_asked(struct xos_job_front *f, const char *id)
{
	struct xos_job_spec *spec = NULL;
	struct xos_buf b;
	int64_t wall = 0;

	xos_buf_init(&b, XOS_JOB_SPEC_MAX);
	if (xos_table_spec(f->table, id, &b, NULL) == XOS_OK &&
	    xos_job_spec_decode(xos_buf_bytes(&b), &spec, NULL) == XOS_OK)
		wall = spec->wall;
	xos_job_spec_free(spec);
	xos_buf_free(&b);
	return wall;
}

/* Adds {"jobs": [...]} of what runs to the question. *more: there are others. */
static enum xos_status add_jobs(
    struct xos_job_front *f, struct xos_json *doc, size_t *more, struct xos_err *err)
{
	struct xos_entry *all = NULL;
	size_t n = 0, told = 0;
	enum xos_status st = xos_table_all(f->table, &all, &n, err);

	if (st != XOS_OK)
		return st;
	struct xos_json *list = xos_json_array();
	for (size_t i = 0; i < n; i++) {
		const struct xos_entry *e = &all[i];

		if (e->phase != XOS_PHASE_STARTED || xos_table_ended(f->table, e))
			continue;
		if (told == JOBS_MAX) {
			(*more)++;
			continue;
		}
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "job", e->id);
		if (e->source[0])
			xos_json_set_string(o, "src", e->source);
		int64_t wall = wall_asked(f, e->id);
		if (wall)
			xos_json_set_int(o, "wall", wall);
		xos_json_add(list, o);
		told++;
	}
	xos_json_set(doc, "jobs", list);
	free(all);
	return XOS_OK;
}

static enum xos_status make_order(const struct xos_request *req, const struct xos_json *doc,
    struct xos_buf *out, struct xos_err *err)
{
	size_t n = 0;
	const struct xos_bytes *chain = xos_request_chain(req, &n);
	struct xos_buf question;

	if (n == 0 || n > XOS_CHAIN_MAX)
		return xos_err_set(err, XOS_LIMIT, "chain-too-long", "too many certificates");
	xos_buf_init(&question, XOS_LOCAL_PREVIEW_MAX);
	enum xos_status st = xos_json_dump(doc, &question, err);
	if (st == XOS_LIMIT)
		st = xos_err_set(err, XOS_LIMIT, "preview-size",
		    "the set and the jobs of this node are too large to be previewed: %d bytes "
		    "together",
		    XOS_LOCAL_PREVIEW_MAX);
	if (st == XOS_OK) {
		xos_buf_lp(out, xos_buf_bytes(&question));
		xos_buf_u8(out, (uint8_t)n);
		for (size_t i = 0; i < n; i++)
			xos_buf_lp(out, chain[i]);
		st = xos_buf_status(out);
		if (st != XOS_OK)
			xos_err_set(err, st, "order", "an order is too long");
	}
	xos_buf_free(&question);
	return st;
}

static enum xos_status read_answer(
    const struct xos_buf *reply, size_t more, struct xos_json **doc, struct xos_err *err)
{
	struct xos_reader r;
	struct xos_bytes json = XOS_BYTES_NONE;
	int64_t told = 0;

	xos_reader_init(&r, xos_buf_bytes(reply));
	xos_reader_lp(&r, XOS_LOCAL_PEM_MAX, &json);
	if (xos_reader_end(&r) != XOS_OK)
		return xos_err_set(err, XOS_INTERNAL, "order", "bad answer of the starter");
	enum xos_status st = xos_json_parse(json, XOS_LOCAL_PEM_MAX, doc, err);
	if (st == XOS_OK)
		st = xos_json_get_int64(*doc, "more", 0, INT32_MAX, &told, err);
	if (st == XOS_OK)
		xos_json_set_int(*doc, "more", told + (int64_t)more);
	return st;
}

static enum xos_status answer(struct xos_job_front *f, const struct xos_request *req,
    struct xos_json *doc, struct xos_json **out, struct xos_err *err)
{
	struct xos_buf order, reply;
	size_t more = 0;

	xos_buf_init(&order, XOS_CHANNEL_PAYLOAD_MAX - 1024);
	xos_buf_init(&reply, 0);
	enum xos_status st = add_jobs(f, doc, &more, err);
	if (st == XOS_OK)
		st = make_order(req, doc, &order, err);
	if (st == XOS_OK)
		st = xos_job_front_order(f, XOS_ORDER_PREVIEW, xos_buf_bytes(&order), &reply, err);
	if (st == XOS_OK)
		st = read_answer(&reply, more, out, err);
	xos_buf_free(&order);
	xos_buf_free(&reply);
	return st;
}

enum xos_status xos_job_route_preview(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_job_front *f = ctx;
	struct xos_json *doc = NULL, *out = NULL;
	enum xos_status st = XOS_OK;

	if (!xos_job_front_admin(xos_request_identity(req)))
		st = xos_err_set(err, XOS_DENIED, "not-administrator",
		    "a preview tells about everybody's jobs: it is for administrators of the VO");
	if (st == XOS_OK)
		st = xos_json_parse(xos_request_body(req), XOS_LOCAL_PREVIEW_MAX, &doc, err);
	if (st == XOS_OK)
		st = XOS_JSON_ONLY(doc, err, "policy");
	if (st == XOS_OK)
		st = answer(f, req, doc, &out, err);
	if (st == XOS_OK) {
		xos_response_json(res, 200, out);
		out = NULL;
	}
	xos_json_free(out);
	xos_json_free(doc);
	return st;
}

enum xos_status xos_preview_ask(
    struct xos_local *credd, struct xos_bytes order, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_bytes question = XOS_BYTES_NONE, chain[XOS_CHAIN_MAX];
	struct xos_reader r;
	uint8_t n = 0;
	char *json = NULL;

	xos_reader_init(&r, order);
	xos_reader_lp(&r, XOS_LOCAL_PREVIEW_MAX, &question);
	xos_reader_u8(&r, &n);
	if (n == 0 || n > XOS_CHAIN_MAX)
		return xos_err_set(
		    err, XOS_MALFORMED, "order", "an order to the starter is malformed");
	for (size_t i = 0; i < n; i++)
		xos_reader_lp(&r, XOS_LOCAL_CERT_MAX, &chain[i]);
	if (xos_reader_end(&r) != XOS_OK)
		return xos_err_set(
		    err, XOS_MALFORMED, "order", "an order to the starter is malformed");
	enum xos_status st = xos_local_preview(credd, chain, n, question, &json, err);
	if (st == XOS_OK) {
		xos_buf_lp(reply, xos_bytes_str(json));
		st = xos_buf_status(reply);
		if (st != XOS_OK)
			xos_err_set(err, st, "order", "the preview does not fit an answer");
	}
	free(json);
	return st;
}
