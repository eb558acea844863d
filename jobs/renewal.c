#include "jobs/renewal.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define FILE_NAME "renewal"

static enum xos_status take_state(
    const struct xos_json *doc, struct xos_job_renewal *r, struct xos_err *err)
{
	static const char *const states[] = {"none", "renewing", "failing", "ended", "refused"};
	enum xos_status st = xos_json_copy_string(doc, "state", r->state, sizeof(r->state), err);

	if (st != XOS_OK)
		return st;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(r->state, states[i]) == 0)
			return XOS_OK;
	return xos_json_refuse(doc, err, "state: \"%s\" is not known", r->state);
}

static enum xos_status take_times(
    const struct xos_json *doc, struct xos_job_renewal *r, struct xos_err *err)
{
	enum xos_status st = xos_json_opt_time(doc, "until", 0, &r->until, err);

	if (st == XOS_OK)
		st = xos_json_opt_time(doc, "renews_until", 0, &r->renews_until, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(doc, "failing_since", 0, &r->failing_since, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(doc, "refused", 0, &r->refused, err);
	return st;
}

/* A newer xos-credd may say more. */
enum xos_status xos_job_renewal_from_json(
    const struct xos_json *doc, struct xos_job_renewal *out, struct xos_err *err)
{
	struct xos_job_renewal r = {.renewed = 0};
	const char *text = NULL;
	enum xos_status st = xos_json_copy_string(doc, "job", r.job, sizeof(r.job), err);

	if (st == XOS_OK && !xos_job_id_valid(r.job))
		st = xos_json_refuse(doc, err, "job: no job id");
	if (st == XOS_OK)
		st = take_state(doc, &r, err);
	if (st == XOS_OK)
		st = take_times(doc, &r, err);
	if (st == XOS_OK)
		st = xos_json_opt_uint64(doc, "renewed", UINT32_MAX, 0, &r.renewed, err);
	if (st == XOS_OK)
		st = xos_json_opt_string(doc, "text", sizeof(r.text) - 1, &text, err);
	if (st != XOS_OK)
		return st;
	if (text)
		memcpy(r.text, text, strlen(text) + 1);
	*out = r;
	return XOS_OK;
}

static void set_time(struct xos_json *doc, const char *key, int64_t t)
{
	if (t)
		xos_json_set_time(doc, key, t);
}

static struct xos_json *to_json(const struct xos_job_renewal *r)
{
	struct xos_json *doc = xos_json_object();

	xos_json_set_string(doc, "job", r->job);
	xos_json_set_string(doc, "state", r->state);
	set_time(doc, "until", r->until);
	set_time(doc, "renews_until", r->renews_until);
	set_time(doc, "failing_since", r->failing_since);
	set_time(doc, "refused", r->refused);
	xos_json_set_int(doc, "renewed", (int64_t)r->renewed);
	if (r->text[0])
		xos_json_set_text(doc, "text", r->text);
	return doc;
}

enum xos_status xos_job_renewal_read(
    const char *run, struct xos_job_renewal *out, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	char path[PATH_MAX];
	struct xos_buf b;
	enum xos_status st;

	if (!xos_path_join(path, sizeof(path), run, FILE_NAME))
		return xos_err_set(err, XOS_LIMIT, "job-renewal", "%s: path too long", run);
	xos_buf_init(&b, XOS_JOB_RENEWAL_MAX);
	st = xos_file_read(path, XOS_JOB_RENEWAL_MAX, &b, err);
	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&b), XOS_JOB_RENEWAL_MAX, &doc, err);
	if (st == XOS_OK)
		st = xos_job_renewal_from_json(doc, out, err);
	xos_json_free(doc);
	xos_buf_free(&b);
	return st;
}

enum xos_status xos_job_renewal_write(
    const char *run, const struct xos_job_renewal *r, struct xos_err *err)
{
	struct xos_json *doc;
	char path[PATH_MAX];
	struct xos_buf b;
	enum xos_status st;

	if (!xos_path_join(path, sizeof(path), run, FILE_NAME))
		return xos_err_set(err, XOS_LIMIT, "job-renewal", "%s: path too long", run);
	doc = to_json(r);
	xos_buf_init(&b, XOS_JOB_RENEWAL_MAX);
	st = xos_json_dump(doc, &b, err);
	if (st == XOS_OK)
		st = xos_file_write(path, 0640, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	xos_json_free(doc);
	return st;
}

void xos_job_renewal_tell(const char *run, struct xos_job_info *i)
{
	struct xos_job_renewal r;

	snprintf(i->renew_state, sizeof(i->renew_state), "none");
	if (xos_job_renewal_read(run, &r, NULL) != XOS_OK)
		return;
	snprintf(i->renew_state, sizeof(i->renew_state), "%s", r.state);
	snprintf(i->renew_text, sizeof(i->renew_text), "%s", r.text);
	i->renews_until = r.renews_until;
	i->renew_failing_since = r.refused ? r.refused : r.failing_since;
	if (r.until)
		i->credential_until = r.until;
}
