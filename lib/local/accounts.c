/* The client's half of what xos-credd tells about accounts. */
#include <stdlib.h>
#include <string.h>

#include "local/call.h"

static enum xos_status ask(struct xos_local *l, enum xos_local_op op, struct xos_bytes question,
    char **json, struct xos_err *err)
{
	const struct xos_local_request req = {.op = op, .text = question};
	struct reply r = {.secret = NULL};
	enum xos_status st = local_call(l, &req, &r, err);
	if (!st)
		st = local_text(r.answer.text, json, err);
	local_reply_clear(&r);
	return st;
}

enum xos_status xos_local_whois(
    struct xos_local *l, struct xos_bytes question, char **json, struct xos_err *err)
{
	return ask(l, XOS_LOCAL_WHOIS, question, json, err);
}

enum xos_status xos_local_accounts(struct xos_local *l, char **json, struct xos_err *err)
{
	return ask(l, XOS_LOCAL_ACCOUNTS, XOS_BYTES_NONE, json, err);
}

enum xos_status xos_local_leases(
    struct xos_local *l, struct xos_bytes question, char **json, struct xos_err *err)
{
	return ask(l, XOS_LOCAL_LEASES, question, json, err);
}

enum xos_status xos_local_lease(
    struct xos_local *l, const char *job, struct xos_local_lease *out, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	struct xos_local_lease lease = {.json = NULL};
	enum xos_status st = local_request(&req, XOS_LOCAL_LEASE, job, NULL, 0, err);
	if (!st)
		st = local_call(l, &req, &r, err);
	if (!st)
		st = local_text(r.answer.text, &lease.json, err);
	if (!st) {
		lease.account = r.answer.account;
		memcpy(lease.subject, r.answer.subject, sizeof(lease.subject));
		*out = lease;
	}
	local_reply_clear(&r);
	return st;
}

void xos_local_lease_free(struct xos_local_lease *lease)
{
	if (!lease)
		return;
	free(lease->json);
	*lease = (struct xos_local_lease){.json = NULL};
}

enum xos_status xos_local_lease_end(
    struct xos_local *l, const char *job, struct xos_bytes json, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	enum xos_status st = local_request(&req, XOS_LOCAL_LEASE_END, job, NULL, 0, err);
	req.text = json;
	if (!st)
		st = local_call(l, &req, &r, err);
	local_reply_clear(&r);
	return st;
}
