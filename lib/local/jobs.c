/* What services ask about jobs and their credentials. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "local/call.h"

enum xos_status xos_local_job_prepare(struct xos_local *l, const char *job,
    const struct xos_bytes *chain, size_t nchain, uint8_t **csr, size_t *ncsr, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	char *copy = NULL;
	enum xos_status st = local_request(&req, XOS_LOCAL_JOB_PREPARE, job, chain, nchain, err);
	if (!st)
		st = local_call(l, &req, &r, err);
	if (!st)
		st = local_text(r.answer.text, &copy, err);
	if (!st) {
		*csr = (uint8_t *)copy;
		*ncsr = r.answer.text.n;
	}
	local_reply_clear(&r);
	return st;
}

enum xos_status xos_local_preview(struct xos_local *l, const struct xos_bytes *chain, size_t nchain,
    struct xos_bytes question, char **json, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	enum xos_status st = local_request(&req, XOS_LOCAL_PREVIEW, NULL, chain, nchain, err);
	req.text = question;
	if (!st)
		st = local_call(l, &req, &r, err);
	if (!st)
		st = local_text(r.answer.text, json, err);
	local_reply_clear(&r);
	return st;
}

enum xos_status xos_local_abilities(struct xos_local *l, struct xos_bytes json, struct xos_err *err)
{
	struct xos_local_request req = {.op = XOS_LOCAL_ABILITIES, .text = json};
	struct reply r = {.secret = NULL};
	enum xos_status st = local_call(l, &req, &r, err);
	local_reply_clear(&r);
	return st;
}

enum xos_status xos_local_standing(
    struct xos_local *l, struct xos_bytes question, char **json, struct xos_err *err)
{
	struct xos_local_request req = {.op = XOS_LOCAL_STANDING, .text = question};
	struct reply r = {.secret = NULL};
	enum xos_status st = local_call(l, &req, &r, err);
	if (!st)
		st = local_text(r.answer.text, json, err);
	local_reply_clear(&r);
	return st;
}

enum xos_status xos_local_job_accept(struct xos_local *l, const char *job,
    const struct xos_bytes *chain, size_t nchain, struct xos_local_job *out, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	enum xos_status st = local_request(&req, XOS_LOCAL_JOB_ACCEPT, job, chain, nchain, err);
	if (!st)
		st = local_call(l, &req, &r, err);
	if (!st) {
		*out = (struct xos_local_job){
		    .account = r.answer.account,
		    .not_after = r.answer.not_after,
		};
		memcpy(out->subject, r.answer.subject, sizeof(out->subject));
	}
	local_reply_clear(&r);
	return st;
}

enum xos_status xos_local_job_grant(struct xos_local *l, const char *job,
    const struct xos_bytes *chain, size_t nchain, struct xos_bytes grant, int64_t *ends,
    struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	enum xos_status st = local_request(&req, XOS_LOCAL_JOB_GRANT, job, chain, nchain, err);
	req.text = grant;
	if (!st)
		st = local_call(l, &req, &r, err);
	if (!st)
		*ends = r.answer.not_after;
	local_reply_clear(&r);
	return st;
}

enum xos_status xos_local_renewals(
    struct xos_local *l, const char *question, char **json, struct xos_err *err)
{
	struct xos_local_request req = {.op = XOS_LOCAL_RENEWALS, .text = xos_bytes_str(question)};
	struct reply r = {.secret = NULL};
	enum xos_status st = local_call(l, &req, &r, err);
	if (!st)
		st = local_text(r.answer.text, json, err);
	local_reply_clear(&r);
	return st;
}

static enum xos_status credential(struct xos_local *l, enum xos_local_op op, const char *job,
    struct xos_secret **pem, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	enum xos_status st = local_request(&req, op, job, NULL, 0, err);
	if (!st)
		st = local_call(l, &req, &r, err);
	if (!st) {
		struct xos_secret *s = xos_secret_from(r.answer.text.p, r.answer.text.n);
		if (s)
			*pem = s;
		else
			st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	local_reply_clear(&r);
	return st;
}

enum xos_status xos_local_job_credential(
    struct xos_local *l, const char *job, struct xos_secret **pem, struct xos_err *err)
{
	return credential(l, XOS_LOCAL_JOB_CREDENTIAL, job, pem, err);
}

enum xos_status xos_local_credential(
    struct xos_local *l, const char *job, struct xos_secret **pem, struct xos_err *err)
{
	return credential(l, XOS_LOCAL_CREDENTIAL, job, pem, err);
}

enum xos_status xos_local_job_release(struct xos_local *l, const char *job, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	enum xos_status st = local_request(&req, XOS_LOCAL_JOB_RELEASE, job, NULL, 0, err);
	if (!st)
		st = local_call(l, &req, &r, err);
	local_reply_clear(&r);
	return st;
}

enum xos_status xos_local_list(
    struct xos_local *l, struct xos_local_entry **entries, size_t *n, struct xos_err *err)
{
	struct xos_local_request req = {.op = XOS_LOCAL_LIST};
	struct xos_local_entry *list = NULL;
	struct reply r = {.secret = NULL};
	size_t count = 0;
	enum xos_status st = local_call(l, &req, &r, err);
	if (st)
		return st;
	size_t room = r.answer.nentries;
	list = calloc(room ? room : 1, sizeof(*list));
	if (!list) {
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		goto out;
	}
	while (count < room && xos_local_entry_next(&r.answer, &list[count]))
		count++;
	*entries = list;
	*n = count;
out:
	local_reply_clear(&r);
	return st;
}
