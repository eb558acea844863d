#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "local/message.h"

static const enum xos_local_op ops[] = {XOS_LOCAL_STATUS, XOS_LOCAL_AUTHORISE,
    XOS_LOCAL_JOB_PREPARE, XOS_LOCAL_JOB_ACCEPT, XOS_LOCAL_JOB_CREDENTIAL, XOS_LOCAL_JOB_RELEASE,
    XOS_LOCAL_CREDENTIAL, XOS_LOCAL_LIST, XOS_LOCAL_RENEWALS, XOS_LOCAL_JOB_GRANT,
    XOS_LOCAL_CRED_CREATE, XOS_LOCAL_CRED_PUT, XOS_LOCAL_CRED_SIGN, XOS_LOCAL_CRED_LIST,
    XOS_LOCAL_CRED_GET, XOS_LOCAL_CRED_DESTROY, XOS_LOCAL_CRED_CHAIN, XOS_LOCAL_DELEGATE,
    XOS_LOCAL_CRED_RENEW};
#define NOPS (sizeof(ops) / sizeof(ops[0]))

static struct xos_local_request full(enum xos_local_op op)
{
	struct xos_local_request r = {.op = op, .job = "job-1.x_Y", .nchain = 2};
	r.chain[0] = xos_bytes_str("leaf");
	r.chain[1] = xos_bytes_str("issuer");
	r.text = xos_bytes_str("{\"the length of a SHA-256\":  12}");
	r.step = (struct xos_local_step){.csr = xos_bytes_str("request"),
	    .actor = "job",
	    .node = "n1",
	    .id = "j-1",
	    .until = 99,
	    .depth = 2,
	    .restriction = xos_bytes_str("only this")};
	return r;
}

START_TEST(requests_come_back_as_they_went)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_local_request in = full(ops[_i]), out;
	struct xos_buf b;
	xos_buf_init(&b, XOS_LOCAL_BODY_MAX);
	ck_assert_int_eq(xos_local_request_encode(&in, &b, &err), XOS_OK);
	ck_assert_int_eq(xos_local_request_decode(ops[_i], xos_buf_bytes(&b), &out, &err), XOS_OK);
	if (out.job[0])
		ck_assert_str_eq(out.job, in.job);
	if (out.nchain) {
		ck_assert_uint_eq(out.nchain, 2);
		ck_assert(xos_bytes_eq(out.chain[1], in.chain[1]));
	}
	if (out.text.n)
		ck_assert(xos_bytes_eq(out.text, in.text));
	/* Cut anywhere, or longer by one byte: refused. */
	for (size_t n = 0; n < b.n; n++)
		ck_assert_int_eq(
		    xos_local_request_decode(ops[_i], (struct xos_bytes){b.p, n}, &out, &err),
		    XOS_MALFORMED);
	xos_buf_u8(&b, 0);
	ck_assert_int_eq(
	    xos_local_request_decode(ops[_i], xos_buf_bytes(&b), &out, &err), XOS_MALFORMED);
	xos_buf_free(&b);
}
END_TEST

static void round_trip(
    const struct xos_local_answer *in, struct xos_local_answer *out, uint8_t *body)
{
	struct xos_err err = XOS_ERR_INIT;
	size_t n = xos_local_answer_size(in);
	ck_assert_uint_le(n, 65536);
	ck_assert_int_eq(xos_local_answer_encode(in, body, n, &err), XOS_OK);
	/* The size is exact: another one is a bug of ours and no answer. */
	ck_assert_int_eq(xos_local_answer_encode(in, body, n + 1, &err), XOS_INTERNAL);
	if (n > 1)
		ck_assert_int_eq(xos_local_answer_encode(in, body, n - 1, &err), XOS_INTERNAL);
	ck_assert_int_eq(xos_local_answer_encode(in, body, n, &err), XOS_OK);
	ck_assert_int_eq(
	    xos_local_answer_decode(in->op, (struct xos_bytes){body, n}, out, &err), XOS_OK);
	struct xos_local_answer other;
	for (size_t cut = 0; cut < n; cut++)
		ck_assert_int_eq(
		    xos_local_answer_decode(in->op, (struct xos_bytes){body, cut}, &other, &err),
		    XOS_MALFORMED);
	body[n] = 0;
	ck_assert_int_eq(
	    xos_local_answer_decode(in->op, (struct xos_bytes){body, n + 1}, &other, &err),
	    XOS_MALFORMED);
}

START_TEST(answers_come_back_as_they_went)
{
	static uint8_t body[65537];
	const struct xos_local_entry entries[] = {{.job = "a",
	                                              .subject = "demo:alice",
	                                              .state = XOS_LOCAL_READY,
	                                              .uid = 7,
	                                              .not_after = 99},
	    {.job = "b", .subject = "demo:bob", .state = XOS_LOCAL_PREPARED, .uid = 8}};
	struct xos_local_answer in = {.op = ops[_i],
	    .decision = XOS_LOCAL_UNDECIDED,
	    .text = xos_bytes_str("text"),
	    .subject = "demo:alice",
	    .account = {true, "demo.alice", 1900000001, 1900000001},
	    .not_after = INT64_MAX,
	    .entries = entries,
	    .nentries = 2,
	    .id = "s-1",
	    .chain = {xos_bytes_str("leaf"), xos_bytes_str("issuer")},
	    .nchain = 2};
	struct xos_local_answer out;
	round_trip(&in, &out, body);
	if (ops[_i] == XOS_LOCAL_AUTHORISE) {
		ck_assert_int_eq(out.decision, XOS_LOCAL_UNDECIDED);
		ck_assert_str_eq(out.account.name, "demo.alice");
		ck_assert_uint_eq(out.account.gid, 1900000001);
		ck_assert_int_eq(out.not_after, INT64_MAX);
	}
	if (ops[_i] == XOS_LOCAL_LIST) {
		struct xos_local_entry e;
		ck_assert(xos_local_entry_next(&out, &e));
		ck_assert_str_eq(e.subject, "demo:alice");
		ck_assert(xos_local_entry_next(&out, &e));
		ck_assert_uint_eq(e.uid, 8);
		ck_assert(!xos_local_entry_next(&out, &e));
	}
}
END_TEST

START_TEST(refusals_carry_code_and_text_only)
{
	static uint8_t body[65537];
	struct xos_local_answer in = {.op = ops[_i],
	    .status = XOS_DENIED,
	    .code = "service-only",
	    .error = "not you",
	    .text = xos_bytes_str("secret")};
	struct xos_local_answer out;
	round_trip(&in, &out, body);
	ck_assert_int_eq(out.status, XOS_DENIED);
	ck_assert_str_eq(out.code, "service-only");
	ck_assert_str_eq(out.error, "not you");
	ck_assert_uint_eq(out.text.n, 0);
	ck_assert_uint_eq(xos_local_answer_size(&in), 1 + 4 + 12 + 4 + 7);
}
END_TEST

START_TEST(headers)
{
	uint8_t raw[XOS_LOCAL_HEADER];
	struct xos_err err = XOS_ERR_INIT;
	struct xos_local_header out, in = {.kind = XOS_LOCAL_ANSWER,
	                                 .op = XOS_LOCAL_LIST,
	                                 .number = 0xdeadbeef,
	                                 .length = 262144};
	xos_local_header_write(raw, &in);
	ck_assert_int_eq(xos_local_header_read(raw, &out, &err), XOS_OK);
	ck_assert_int_eq(out.kind, in.kind);
	ck_assert_int_eq(out.op, in.op);
	ck_assert_uint_eq(out.number, in.number);
	ck_assert_uint_eq(out.length, in.length);
	static const struct {
		size_t at;
		uint8_t value;
		enum xos_status want;
	} bad[] = {{0, 'x', XOS_MALFORMED}, {1, 'l', XOS_MALFORMED}, {2, 0, XOS_MALFORMED},
	    {2, 2, XOS_MALFORMED}, {3, 0, XOS_MALFORMED}, {3, 3, XOS_MALFORMED},
	    {4, 1, XOS_MALFORMED}, {5, 0, XOS_MALFORMED}, {5, 9, XOS_MALFORMED},
	    {6, 1, XOS_MALFORMED}, {7, 1, XOS_MALFORMED}, {15, 1, XOS_LIMIT}, {12, 255, XOS_LIMIT}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		xos_local_header_write(raw, &in);
		raw[bad[i].at] = bad[i].value;
		ck_assert_int_eq(xos_local_header_read(raw, &out, &err), bad[i].want);
	}
}
END_TEST

START_TEST(job_identifiers)
{
	char longest[XOS_LOCAL_JOB_MAX + 2];
	memset(longest, 'a', sizeof(longest));
	longest[XOS_LOCAL_JOB_MAX + 1] = '\0';
	ck_assert(!xos_local_job_valid(longest));
	longest[XOS_LOCAL_JOB_MAX] = '\0';
	ck_assert(xos_local_job_valid(longest));
	ck_assert(xos_local_job_valid("0"));
	static const char *const bad[] = {
	    "", ".", "..", ".x", "-x", "a/b", "a b", "a\n", "a\x80", "_"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!xos_local_job_valid(bad[i]), "accepted \"%s\"", bad[i]);
	ck_assert(!xos_local_job_valid(NULL));
}
END_TEST

START_TEST(requests_that_do_not_fit_are_not_sent)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	struct xos_local_request r = full(XOS_LOCAL_AUTHORISE);
	uint8_t *big = calloc(1, XOS_LOCAL_TEXT_MAX + 1);
	ck_assert_ptr_nonnull(big);
	xos_buf_init(&b, XOS_LOCAL_BODY_MAX);
	r.text = (struct xos_bytes){big, XOS_LOCAL_TEXT_MAX + 1};
	ck_assert_int_eq(xos_local_request_encode(&r, &b, &err), XOS_MALFORMED);
	r = full(XOS_LOCAL_AUTHORISE);
	r.nchain = 0;
	ck_assert_int_eq(xos_local_request_encode(&r, &b, &err), XOS_MALFORMED);
	r.nchain = XOS_LOCAL_CHAIN_MAX + 1;
	ck_assert_int_eq(xos_local_request_encode(&r, &b, &err), XOS_MALFORMED);
	xos_buf_free(&b);
	xos_buf_init(&b, XOS_LOCAL_BODY_MAX);
	r = full(XOS_LOCAL_AUTHORISE);
	r.nchain = XOS_LOCAL_CHAIN_MAX;
	for (size_t i = 0; i < r.nchain; i++)
		r.chain[i] = (struct xos_bytes){big, XOS_LOCAL_CERT_MAX};
	ck_assert_int_ne(xos_local_request_encode(&r, &b, &err), XOS_OK);
	r = full(XOS_LOCAL_JOB_RELEASE);
	strcpy(r.job, "../x");
	xos_buf_free(&b);
	xos_buf_init(&b, XOS_LOCAL_BODY_MAX);
	ck_assert_int_eq(xos_local_request_encode(&r, &b, &err), XOS_MALFORMED);
	xos_buf_free(&b);
	free(big);
}
END_TEST

static bool encodes(const struct xos_local_request *r)
{
	struct xos_buf b;
	xos_buf_init(&b, XOS_LOCAL_BODY_MAX);
	bool ok = xos_local_request_encode(r, &b, NULL) == XOS_OK;
	xos_buf_free(&b);
	return ok;
}

static bool decodes(enum xos_local_op op, const void *p, size_t n)
{
	struct xos_local_request out;
	return xos_local_request_decode(op, (struct xos_bytes){p, n}, &out, NULL) == XOS_OK;
}

START_TEST(flags_that_an_operation_does_not_know_are_refused)
{
	static const uint8_t most[] = {XOS_LOCAL_EXPORT | XOS_LOCAL_SESSION},
	                     all[] = {XOS_LOCAL_ALL}, more[] = {0x80};
	ck_assert(decodes(XOS_LOCAL_CRED_CREATE, most, 1));
	ck_assert(!decodes(XOS_LOCAL_CRED_CREATE, all, 1));
	ck_assert(!decodes(XOS_LOCAL_CRED_CREATE, more, 1));
	ck_assert(decodes(XOS_LOCAL_CRED_LIST, all, 1));
	ck_assert(!decodes(XOS_LOCAL_CRED_LIST, most, 1));
	ck_assert(!encodes(
	    &(struct xos_local_request){.op = XOS_LOCAL_CRED_LIST, .flags = XOS_LOCAL_EXPORT}));
}
END_TEST

START_TEST(a_digest_has_one_of_three_lengths)
{
	static const uint8_t bytes[65];
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		struct xos_local_request r = {
		    .op = XOS_LOCAL_CRED_SIGN, .text = {n ? bytes : NULL, n}};
		uint8_t wire[4 + 4 + sizeof(bytes)] = {[7] = (uint8_t)n};
		bool good = n == 32 || n == 48 || n == 64;
		ck_assert_int_eq(encodes(&r), good);
		ck_assert_int_eq(decodes(XOS_LOCAL_CRED_SIGN, wire, 8 + n), good);
	}
}
END_TEST

START_TEST(a_delegation_out_of_bounds_is_not_sent)
{
	static uint8_t big[XOS_LOCAL_RESTRICTION_MAX + 1];
	struct xos_local_request r = full(XOS_LOCAL_DELEGATE);
	ck_assert(encodes(&r));
	r.step.csr.n = 0;
	ck_assert(!encodes(&r));
	r.step.csr = (struct xos_bytes){big, XOS_LOCAL_CSR_MAX + 1};
	ck_assert(!encodes(&r));
	r = full(XOS_LOCAL_DELEGATE);
	r.step.actor[0] = '\0';
	ck_assert(!encodes(&r));
	r = full(XOS_LOCAL_DELEGATE);
	r.step.depth = XOS_LOCAL_DEPTH_MAX + 1;
	ck_assert(!encodes(&r));
	r.step.depth = XOS_LOCAL_DEPTH_MAX;
	r.step.until = -1;
	ck_assert(!encodes(&r));
	r.step.until = 0;
	r.step.restriction = (struct xos_bytes){big, sizeof(big)};
	ck_assert(!encodes(&r));
	r.step.restriction.n = XOS_LOCAL_RESTRICTION_MAX;
	ck_assert(encodes(&r));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("local-message");
	TCase *t = tcase_create("message");
	tcase_add_loop_test(t, requests_come_back_as_they_went, 0, NOPS);
	tcase_add_loop_test(t, answers_come_back_as_they_went, 0, NOPS);
	tcase_add_loop_test(t, refusals_carry_code_and_text_only, 0, NOPS);
	tcase_add_test(t, headers);
	tcase_add_test(t, job_identifiers);
	tcase_add_test(t, requests_that_do_not_fit_are_not_sent);
	tcase_add_test(t, flags_that_an_operation_does_not_know_are_refused);
	tcase_add_test(t, a_digest_has_one_of_three_lengths);
	tcase_add_test(t, a_delegation_out_of_bounds_is_not_sent);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
