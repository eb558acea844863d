/* Messages between the processes of xos-cad, as a network process that was taken over may send them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ca/logquery.h"
#include "ca/messages.h"
#include "ca/key/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct xos_buf *b, struct xos_bytes in)
{
	if (!xos_bytes_eq(xos_buf_bytes(b), in))
		abort();
}

/* What is taken has one encoding. */
static void round_trip(uint8_t which, struct xos_bytes in)
{
	struct ca_login_begin begin;
	struct ca_login_finish finish;
	struct ca_grant grant;
	struct ca_issue issue;
	struct ca_status_answer status;
	struct ca_accept accept;
	struct ca_job_renew renew;
	struct ca_delegate delegate;
	struct ca_delegated delegated;
	struct xos_buf b;

	xos_buf_init(&b, 1 << 20);
	if (which == 0 && ca_login_begin_get(in, &begin, NULL) == XOS_OK) {
		ca_login_begin_put(&b, &begin);
		same(&b, in);
	} else if (which == 1 && ca_login_finish_get(in, &finish, NULL) == XOS_OK) {
		ca_login_finish_put(&b, &finish);
		same(&b, in);
	} else if (which == 2 && ca_grant_get(in, &grant, NULL) == XOS_OK) {
		ca_grant_put(&b, &grant);
		same(&b, in);
	} else if (which == 3 && ca_issue_get(in, &issue, NULL) == XOS_OK) {
		ca_issue_put(&b, &issue);
		same(&b, in);
		xos_cad_request_clear(&issue.request);
	} else if (which == 5 && ca_status_answer_get(in, &status, NULL) == XOS_OK) {
		ca_status_answer_put(&b, &status);
	} else if (which == 5 && ca_accept_get(in, &accept, NULL) == XOS_OK) {
		ca_accept_put(&b, &accept);
		same(&b, in);
	}
	b.n = 0;
	if (which == 3 && ca_job_renew_get(in, &renew, NULL) == XOS_OK) {
		ca_job_renew_put(&b, &renew);
		same(&b, in);
	} else if (which == 3 && ca_delegate_get(in, &delegate, NULL) == XOS_OK) {
		ca_delegate_put(&b, &delegate);
		same(&b, in);
	} else if (which == 3 && ca_delegated_get(in, &delegated, NULL) == XOS_OK) {
		ca_delegated_put(&b, &delegated);
		same(&b, in);
	}
	xos_buf_free(&b);
}

static void record(struct xos_bytes in)
{
	struct ca_replay replay = {.now = 0};
	struct ca_token_entry entry = {.number = 0};
	bool is_token = false;

	if (in.n &&
	    ca_record_read(in.p[0] % 5 == 4 ? CA_RECORD_DELEGATION : in.p[0] % 5,
	        (struct xos_bytes){in.p + 1, in.n - 1}, &replay, &entry, &is_token,
	        NULL) != XOS_OK &&
	    is_token)
		abort();
	if (is_token)
		ca_names_free(&entry.names);
}

/* A question of auth: what is taken has one encoding, and looks at no more of a record than there is. */
static void log_query(struct xos_bytes in)
{
	struct xos_bytes question, payload;
	struct ca_log_query q;
	struct xos_reader r;
	struct xos_buf b;
	uint16_t n = 0, type = 0;
	bool match = false;

	xos_reader_init(&r, in);
	if (!xos_reader_u16(&r, &n) || !xos_reader_take(&r, n, &question) ||
	    ca_log_query_get(question, &q, NULL) != XOS_OK)
		return;
	xos_buf_init(&b, 4096);
	ca_log_query_put(&b, &q);
	same(&b, question);
	xos_buf_free(&b);
	if (xos_reader_u16(&r, &type) && xos_reader_take(&r, r.left, &payload) &&
	    ca_log_query_match(&q, type, payload, &match, NULL) != XOS_OK && match)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	/* Apart, so that the seeds of the others keep their meaning. */
	if (data[0] == 255) {
		log_query((struct xos_bytes){data + 1, size - 1});
		return 0;
	}
	if (data[0] % 6 == 4)
		record((struct xos_bytes){data + 1, size - 1});
	else
		round_trip(data[0] % 6, (struct xos_bytes){data + 1, size - 1});
	return 0;
}
