#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "api/jobs.h"
#include "base/text.h"
#include "pki/csr.h"

#define PATH_CAP 1024

static enum xos_status path_of(
    char out[PATH_CAP], const char *vo, const char *id, const char *tail, struct xos_err *err)
{
	if (!xos_name_is_vo(vo) || (id && !xos_job_id_valid(id)))
		return xos_err_set(err, XOS_MALFORMED, "job-id",
		    "\"%.64s\" is no job id (32 hexadecimal digits); xos-job list shows them",
		    id ? id : "");
	xos_str_printf(
	    out, PATH_CAP, "/v1/vo/%s/jobs%s%s%s", vo, id ? "/" : "", id ? id : "", tail);
	return XOS_OK;
}

static enum xos_status take_offer(
    const struct xos_json *doc, const char *id, struct xos_job_offer *out, struct xos_err *err)
{
	struct xos_job_offer o = {0};
	struct xos_buf csr;
	enum xos_status st;

	xos_buf_init(&csr, XOS_CSR_MAX);
	st = xos_json_copy_string(doc, "id", o.id, sizeof(o.id), err);
	if (st == XOS_OK && strcmp(o.id, id) != 0)
		st = xos_err_set(err, XOS_CONFLICT, "job-id",
		    "the node answered with job %s, but what was submitted is %s: not signing",
		    o.id, id);
	if (st == XOS_OK)
		st = xos_json_get_bytes(doc, "csr", XOS_CSR_MAX, &csr, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "not_after", &o.not_after, err);
	if (st == XOS_OK)
		st = xos_json_opt_int64(doc, "wall", 0, XOS_JOB_WALL_MAX, 0, &o.wall, err);
	if (st == XOS_OK) {
		o.csr = (uint8_t *)xos_buf_steal(&csr, &o.ncsr);
		if (!o.csr)
			st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	if (st == XOS_OK)
		*out = o;
	xos_buf_free(&csr);
	return st;
}

enum xos_status xos_jobs_submit(struct xos_client *client, const struct xos_job_spec *spec,
    struct xos_job_offer *out, struct xos_err *err)
{
	struct xos_json *body = NULL, *answer = NULL;
	char id[XOS_JOB_ID_TEXT], path[PATH_CAP];
	struct xos_buf canonical;
	enum xos_status st;

	*out = (struct xos_job_offer){0};
	xos_buf_init(&canonical, XOS_JOB_SPEC_MAX + 4096);
	st = xos_job_spec_encode(spec, &canonical, err);
	if (st == XOS_OK && xos_job_id(xos_buf_bytes(&canonical), id) != XOS_OK)
		st = xos_err_set(err, XOS_INTERNAL, "job-id", "cannot compute the job's id");
	if (st == XOS_OK)
		st = path_of(path, spec->vo, NULL, "", err);
	if (st != XOS_OK)
		goto out;
	body = xos_job_spec_to_json(spec);
	st = xos_client_json(client, "POST", path, body, &answer, err);
	if (st == XOS_OK && !answer)
		st = xos_err_set(err, XOS_UNAVAILABLE, "job-answer", "the node answered nothing");
	if (st == XOS_OK)
		st = take_offer(answer, id, out, err);
out:
	xos_json_free(answer);
	xos_json_free(body);
	xos_buf_free(&canonical);
	return st;
}

void xos_job_offer_free(struct xos_job_offer *o)
{
	if (!o)
		return;
	free(o->csr);
	*o = (struct xos_job_offer){0};
}

static enum xos_status put_credential(struct xos_client *client, const char *path,
    const struct xos_chain *delegation, const struct xos_json *grant, char note[XOS_JOB_NOTE_MAX],
    struct xos_err *err)
{
	struct xos_json *body = xos_json_object(), *answer = NULL;
	const char *said = NULL;
	enum xos_status st;

	xos_chain_to_json(body, "chain", delegation);
	if (grant)
		xos_json_set(body, "grant", xos_json_copy(grant));
	st = xos_client_json(client, "PUT", path, body, &answer, err);
	if (st == XOS_OK && answer)
		st = xos_json_opt_string(answer, "note", XOS_JOB_NOTE_MAX - 1, &said, err);
	if (st == XOS_OK && said)
		memcpy(note, said, strlen(said) + 1);
	xos_json_free(answer);
	xos_json_free(body);
	return st;
}

enum xos_status xos_jobs_credential(struct xos_client *client, const char *vo, const char *id,
    const struct xos_chain *delegation, const struct xos_json *grant, char note[XOS_JOB_NOTE_MAX],
    struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	char path[PATH_CAP];
	enum xos_status st = path_of(path, vo, id, "/credential", err);

	note[0] = '\0';
	if (st != XOS_OK)
		return st;
	st = put_credential(client, path, delegation, grant, note, &why);
	/* From before there were grants: it refuses the member that it does not know, before it does anything. */
	if (st == XOS_MALFORMED && grant && strcmp(why.code, "json-field") == 0) {
		why = (struct xos_err)XOS_ERR_INIT;
		st = put_credential(client, path, delegation, NULL, note, &why);
		xos_str_printf(note, XOS_JOB_NOTE_MAX,
		    "the node's job service is too old to have a credential renewed");
	}
	if (st != XOS_OK && err)
		*err = why;
	return st;
}

enum xos_status xos_jobs_grant_get(struct xos_client *client, const char *vo, const char *id,
    struct xos_json **out, struct xos_err *err)
{
	char path[PATH_CAP];
	enum xos_status st = path_of(path, vo, id, "/grant", err);

	*out = NULL;
	if (st == XOS_OK)
		st = xos_client_json(client, "GET", path, NULL, out, err);
	if (st == XOS_OK && !*out)
		st = xos_err_set(err, XOS_UNAVAILABLE, "job-answer", "the node answered nothing");
	return st;
}

enum xos_status xos_jobs_grant_put(struct xos_client *client, const char *vo, const char *id,
    const struct xos_json *grant, struct xos_err *err)
{
	char path[PATH_CAP];
	enum xos_status st = path_of(path, vo, id, "/grant", err);

	return st == XOS_OK ? xos_client_json(client, "PUT", path, grant, NULL, err) : st;
}

enum xos_status xos_jobs_get(struct xos_client *client, const char *vo, const char *id, int wait,
    struct xos_job_info *out, struct xos_err *err)
{
	char path[PATH_CAP], tail[32] = "";
	struct xos_json *doc = NULL;
	enum xos_status st;

	if (wait > 0)
		xos_str_printf(tail, sizeof(tail), "?wait=%d", wait);
	st = path_of(path, vo, id, tail, err);
	if (st == XOS_OK)
		st = xos_client_json(client, "GET", path, NULL, &doc, err);
	if (st == XOS_OK && !doc)
		st = xos_err_set(err, XOS_UNAVAILABLE, "job-answer", "the node answered nothing");
	if (st == XOS_OK)
		st = xos_job_info_from_json(doc, out, err);
	xos_json_free(doc);
	return st;
}

enum xos_status xos_jobs_list(struct xos_client *client, const char *vo,
    enum xos_status (*each)(void *ctx, const struct xos_job_info *i, struct xos_err *err),
    void *ctx, struct xos_err *err)
{
	const struct xos_json *list = NULL;
	struct xos_json *doc = NULL;
	struct xos_job_info i;
	char path[PATH_CAP];
	enum xos_status st = path_of(path, vo, NULL, "", err);

	if (st == XOS_OK)
		st = xos_client_json(client, "GET", path, NULL, &doc, err);
	if (st == XOS_OK && !doc)
		st = xos_err_set(err, XOS_UNAVAILABLE, "job-answer", "the node answered nothing");
	if (st == XOS_OK)
		st = xos_json_get_array(doc, "jobs", XOS_JOBS_LIST_MAX, &list, err);
	for (size_t n = 0; st == XOS_OK && n < xos_json_count(list); n++) {
		st = xos_job_info_from_json(xos_json_at(list, n), &i, err);
		if (st == XOS_OK)
			st = each(ctx, &i, err);
	}
	xos_json_free(doc);
	return st;
}

enum xos_status xos_jobs_output(struct xos_client *client, const char *vo, const char *id,
    const char *stream, uint64_t offset, int wait, struct xos_buf *out, bool *end,
    struct xos_err *err)
{
	struct xos_client_request req = {.method = "GET"};
	struct xos_answer *answer = NULL;
	char path[PATH_CAP], tail[128];
	const char *last;
	enum xos_status st;

	xos_str_printf(tail, sizeof(tail), "/output?stream=%s&offset=%llu&wait=%d", stream,
	    (unsigned long long)offset, wait);
	st = path_of(path, vo, id, tail, err);
	if (st != XOS_OK)
		return st;
	req.path = path;
	req.total_ms = ((int64_t)wait + 30) * 1000;
	st = xos_client_call(client, &req, &answer, err);
	if (st == XOS_OK)
		st = xos_answer_check(client, answer, err);
	if (st == XOS_OK) {
		struct xos_bytes body = xos_answer_body(answer);

		last = xos_answer_header(answer, "Xos-Output-End");
		*end = last && strcmp(last, "yes") == 0;
		xos_buf_put(out, body.p, body.n);
		st = xos_buf_status(out);
		if (st != XOS_OK)
			xos_err_set(err, st, "job-output", "the node sent more than was asked for");
	}
	xos_answer_free(answer);
	return st;
}

enum xos_status xos_jobs_cancel(
    struct xos_client *client, const char *vo, const char *id, struct xos_err *err)
{
	struct xos_json *body = xos_json_object();
	char path[PATH_CAP];
	enum xos_status st = path_of(path, vo, id, "/cancel", err);

	if (st == XOS_OK)
		st = xos_client_json(client, "POST", path, body, NULL, err);
	xos_json_free(body);
	return st;
}

enum xos_status xos_jobs_preview(struct xos_client *client, const char *vo, const char *text,
    struct xos_json **out, struct xos_err *err)
{
	char path[PATH_CAP];
	struct xos_json *body;
	enum xos_status st;

	if (!xos_name_is_vo(vo))
		return xos_err_set(err, XOS_MALFORMED, "vo-name", "\"%.64s\" is no VO", vo);
	xos_str_printf(path, sizeof(path), "/v1/vo/%s/preview", vo);
	body = xos_json_object();
	xos_json_set_string(body, "policy", text);
	st = xos_client_json(client, "POST", path, body, out, err);
	xos_json_free(body);
	if (st == XOS_OK && !*out)
		st = xos_err_set(err, XOS_UNAVAILABLE, "job-answer", "the node answered nothing");
	return st;
}
