#include "asking.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

#include "pki/csr.h"

struct node *n;
struct xos_credd_peer peer;
struct xos_local_answer answer;
struct xos_buf plain;
struct xos_secret *secret;
struct xos_err err;

static void clear(void)
{
	xos_buf_free(&plain);
	xos_buf_init(&plain, XOS_LOCAL_BODY_MAX);
	xos_secret_free(secret);
	secret = NULL;
	err = (struct xos_err)XOS_ERR_INIT;
}

void asking_setup(void)
{
	n = node_new(&(struct xos_test_bundle){.serial = 5});
	peer = (struct xos_credd_peer){.uid = LOCAL_UID, .pid = getpid()};
	clear();
}

void asking_teardown(void)
{
	clear();
	node_free(n);
}

enum xos_status ask(const struct xos_local_request *req)
{
	clear();
	answer = (struct xos_local_answer){.op = req->op};
	return xos_credd_ops_handle(&n->ops, &peer, req, &answer, &plain, &secret, &err);
}

enum xos_status ask_op(enum xos_local_op which, const char *id)
{
	struct xos_local_request req = {.op = which};
	ck_assert(xos_str_copy(req.job, sizeof(req.job), id));
	if (which == XOS_LOCAL_CRED_SIGN)
		req.text = xos_bytes_str("a digest of thirty-two bytes....");
	return ask(&req);
}

void ask_refused(enum xos_local_op which, const char *id, enum xos_status want, const char *code)
{
	ck_assert_msg(ask_op(which, id) == want, "%s: %s", err.code, err.text);
	ck_assert_str_eq(err.code, code);
	ck_assert_ptr_null(secret);
}

struct xos_bytes ask_create(unsigned flags, char id[XOS_LOCAL_JOB_MAX + 1])
{
	static uint8_t spki[XOS_SPKI_MAX];
	struct xos_local_request req = {.op = XOS_LOCAL_CRED_CREATE, .flags = (uint8_t)flags};
	struct xos_csr csr;
	ck_assert_msg(ask(&req) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(xos_csr_parse(answer.text, &csr, &err), XOS_OK);
	memcpy(id, answer.id, XOS_LOCAL_JOB_MAX + 1);
	memcpy(spki, csr.spki.p, csr.spki.n);
	return (struct xos_bytes){spki, csr.spki.n};
}

enum xos_status ask_put(const char *id, const struct xos_chain *chain)
{
	struct xos_local_request req = {.op = XOS_LOCAL_CRED_PUT};
	ck_assert(xos_str_copy(req.job, sizeof(req.job), id));
	req.nchain = xos_test_ders(chain, req.chain);
	return ask(&req);
}

void ask_token(struct xos_bytes spki, int64_t not_after, struct xos_chain *out)
{
	static const char *const physics[] = {"/demo/physics", NULL};
	struct xos_test_who who = {
	    .name = "alice", .number = 1, .groups = physics, .spki = spki, .not_after = not_after};
	xos_test_member(n->vo, &who, out);
}

void ask_make(unsigned flags, char id[XOS_LOCAL_JOB_MAX + 1])
{
	struct xos_chain chain = {.n = 0};
	ask_token(ask_create(flags, id), 0, &chain);
	ck_assert_msg(ask_put(id, &chain) == XOS_OK, "%s", err.text);
	ck_assert_str_eq(answer.subject, "demo:alice");
	xos_chain_clear(&chain);
}
