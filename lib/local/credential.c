#include "local/credential.h"

#include <stdlib.h>
#include <string.h>

#include "local/call.h"

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

static enum xos_status ask(struct xos_local *l, enum xos_local_op op, const char *id,
    struct reply *out, struct xos_err *err)
{
	struct xos_local_request req;
	enum xos_status st = local_request(&req, op, id, NULL, 0, err);
	return st ? st : local_call(l, &req, out, err);
}

static void take_id(const struct xos_local_answer *a, struct xos_local_id *out)
{
	memcpy(out->text, a->id, sizeof(out->text));
}

static uint8_t *copy(struct xos_bytes in)
{
	uint8_t *p = malloc(in.n + 1);
	if (!p)
		return NULL;
	if (in.n)
		memcpy(p, in.p, in.n);
	p[in.n] = '\0';
	return p;
}

enum xos_status xos_local_cred_create(struct xos_local *l, unsigned flags, struct xos_local_id *id,
    uint8_t **csr, size_t *ncsr, struct xos_err *err)
{
	struct xos_local_request req = {.op = XOS_LOCAL_CRED_CREATE, .flags = (uint8_t)flags};
	struct reply r = {.secret = NULL};
	enum xos_status st = local_call(l, &req, &r, err);
	if (st)
		return st;
	uint8_t *p = copy(r.answer.text);
	if (p) {
		*csr = p;
		*ncsr = r.answer.text.n;
		take_id(&r.answer, id);
	} else {
		st = no_memory(err);
	}
	local_reply_clear(&r);
	return st;
}

enum xos_status xos_local_cred_put(struct xos_local *l, const char *id,
    const struct xos_bytes *chain, size_t nchain, struct xos_local_put *out, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	enum xos_status st = local_request(&req, XOS_LOCAL_CRED_PUT, id, chain, nchain, err);
	if (!st)
		st = local_call(l, &req, &r, err);
	if (st)
		return st;
	memcpy(out->subject, r.answer.subject, sizeof(out->subject));
	out->not_after = r.answer.not_after;
	local_reply_clear(&r);
	return XOS_OK;
}

enum xos_status xos_local_cred_sign(struct xos_local *l, const char *id, struct xos_bytes digest,
    struct xos_local_signature *out, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	enum xos_status st = local_request(&req, XOS_LOCAL_CRED_SIGN, id, NULL, 0, err);
	req.text = digest;
	if (!st)
		st = local_call(l, &req, &r, err);
	if (st)
		return st;
	if (r.answer.text.n && r.answer.text.n <= sizeof(out->p)) {
		memcpy(out->p, r.answer.text.p, r.answer.text.n);
		out->n = r.answer.text.n;
		take_id(&r.answer, &out->id);
	} else {
		st = xos_err_set(err, XOS_MALFORMED, "credd-protocol",
		    "xos-credd answered with a signature of %zu bytes", r.answer.text.n);
	}
	local_reply_clear(&r);
	return st;
}

enum xos_status xos_local_cred_list(struct xos_local *l, bool all, char **json, struct xos_err *err)
{
	struct xos_local_request req = {
	    .op = XOS_LOCAL_CRED_LIST, .flags = all ? XOS_LOCAL_ALL : 0};
	struct reply r = {.secret = NULL};
	enum xos_status st = local_call(l, &req, &r, err);
	if (st)
		return st;
	char *text = (char *)copy(r.answer.text);
	if (text)
		*json = text;
	else
		st = no_memory(err);
	local_reply_clear(&r);
	return st;
}

enum xos_status xos_local_cred_get(struct xos_local *l, const char *id, struct xos_local_id *used,
    struct xos_secret **pem, struct xos_err *err)
{
	struct reply r = {.secret = NULL};
	enum xos_status st = ask(l, XOS_LOCAL_CRED_GET, id, &r, err);
	if (st)
		return st;
	struct xos_secret *s = xos_secret_from(r.answer.text.p, r.answer.text.n);
	if (s) {
		*pem = s;
		take_id(&r.answer, used);
	} else {
		st = no_memory(err);
	}
	local_reply_clear(&r);
	return st;
}

enum xos_status xos_local_cred_destroy(struct xos_local *l, const char *id, struct xos_err *err)
{
	struct reply r = {.secret = NULL};
	enum xos_status st = ask(l, XOS_LOCAL_CRED_DESTROY, id, &r, err);
	local_reply_clear(&r);
	return st;
}

void xos_local_chain_clear(struct xos_local_chain *c)
{
	if (!c)
		return;
	free(c->memory);
	*c = (struct xos_local_chain){.n = 0};
}

/* The answer's memory, in which its certificates stand, becomes the chain's. */
static void take_chain(struct reply *r, struct xos_local_chain *out)
{
	*out = (struct xos_local_chain){.not_after = r->answer.not_after, .n = r->answer.nchain};
	take_id(&r->answer, &out->id);
	memcpy(out->cert, r->answer.chain, sizeof(out->cert));
	out->memory = r->plain;
	r->plain = NULL;
	local_reply_clear(r);
}

enum xos_status xos_local_cred_chain(
    struct xos_local *l, const char *id, struct xos_local_chain *out, struct xos_err *err)
{
	struct reply r = {.secret = NULL};
	enum xos_status st = ask(l, XOS_LOCAL_CRED_CHAIN, id, &r, err);
	if (!st)
		take_chain(&r, out);
	return st;
}

enum xos_status xos_local_delegate(struct xos_local *l, const char *id,
    const struct xos_local_step *step, struct xos_local_chain *out, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	enum xos_status st = local_request(&req, XOS_LOCAL_DELEGATE, id, NULL, 0, err);
	req.step = *step;
	if (!st)
		st = local_call(l, &req, &r, err);
	if (!st)
		take_chain(&r, out);
	return st;
}

enum xos_status xos_local_cred_renew(
    struct xos_local *l, const char *id, int64_t *not_after, struct xos_err *err)
{
	struct reply r = {.secret = NULL};
	enum xos_status st = ask(l, XOS_LOCAL_CRED_RENEW, id, &r, err);
	if (!st)
		*not_after = r.answer.not_after;
	local_reply_clear(&r);
	return st;
}
