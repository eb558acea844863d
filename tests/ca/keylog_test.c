/* What key tells about its log: to the network process nothing about anybody; to auth bounded pieces. */
#include "lying.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/loghead.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "ca/key/key.h"
#include "ca/key/keylog.h"
#include "ca/logquery.h"
#include "testsupport/must.h"

/* --- a network process that asks for more than it may --- */

static enum xos_status ask_key(uint16_t type, const void *p, size_t n)
{
	struct xos_bytes in = {p, n};
	struct xos_buf answer;
	enum xos_status st;

	memset(&err, 0, sizeof(err));
	st = xos_bulk_ask(key, type, in, soon(), &answer, &err);
	xos_buf_free(&answer);
	return st;
}

START_TEST(records_are_not_for_the_network_process)
{
	struct ca_log_query q = {.size = 1, .max = 1, .until = INT64_MAX};
	struct xos_buf b;

	xos_buf_init(&b, 1024);
	ca_log_query_put(&b, &q);
	ck_assert_int_eq(ask_key(CA_LOG_RECORDS, b.p, b.n), XOS_DENIED);
	ck_assert_str_eq(err.code, "channel-type");
	xos_buf_free(&b);
}
END_TEST

START_TEST(questions_that_are_none)
{
	static const uint8_t one[16] = {0, 0, 0, 0, 0, 0, 0, 1}, zeros[17] = {0};
	uint8_t all[16];

	memset(all, 0xff, sizeof(all));
	for (size_t n = 0; n < 16; n++) {
		ck_assert_int_eq(ask_key(CA_LOG_PROOF, zeros, n), XOS_MALFORMED);
		ck_assert_int_eq(ask_key(CA_LOG_GROWTH, zeros, n), XOS_MALFORMED);
	}
	ck_assert_int_eq(ask_key(CA_LOG_PROOF, zeros, 17), XOS_LIMIT);
	ck_assert_int_eq(ask_key(CA_LOG_HEAD, zeros, 1), XOS_LIMIT);
	ck_assert_int_eq(ask_key(CA_LOG_HEAD, zeros, 0), XOS_OK);
	ck_assert_int_eq(ask_key(CA_LOG_PROOF, one, 16), XOS_OK);
	ck_assert_int_eq(ask_key(CA_LOG_PROOF, zeros, 16), XOS_NOT_FOUND);
	ck_assert_int_eq(ask_key(CA_LOG_PROOF, all, 16), XOS_NOT_FOUND);
	ck_assert_int_eq(ask_key(CA_LOG_GROWTH, one, 16), XOS_OK);
	ck_assert_int_eq(ask_key(CA_LOG_GROWTH, all, 16), XOS_NOT_FOUND);
}
END_TEST

/* --- records --- */

static char *dir;
static struct ca_key k;

/* Three records a round: a token of alice, a lock of her by bob, and one that only names her. */
static void long_log(int rounds)
{
	struct xos_log_crypto crypto;
	struct xos_log_options o = {.name = "demo/ca", .crypto = &crypto};
	struct xos_key *own = NULL;
	char text[300], *path;

	dir = xos_test_dir_new();
	path = xos_test_path(dir, "log");
	MUST(xos_key_generate(&own, &err), &err);
	memset(&k, 0, sizeof(k));
	k.key = own;
	k.loghead.key = own;
	crypto = xos_loghead_crypto(&k.loghead);
	o.path = path;
	MUST(xos_log_open(&o, &k.log, &err), &err);
	for (int i = 1; i <= rounds; i++) {
		snprintf(
		    text, sizeof(text), "{\"member\":\"alice\",\"serial\":\"%08x\"}", (unsigned)i);
		MUST(xos_log_stage(k.log, 1, xos_bytes_str(text), NULL, &err), &err);
		snprintf(text, sizeof(text),
		    "{\"act\":%d,\"args\":{\"kind\":\"member\",\"name\":\"alice\"},\"by\":\"bob\"}",
		    2 * i - 1);
		MUST(xos_log_stage(k.log, 2, xos_bytes_str(text), NULL, &err), &err);
		snprintf(text, sizeof(text),
		    "{\"act\":%d,\"args\":{\"list\":[\"carol\",\"alice\"]},\"by\":\"bob\"}", 2 * i);
		MUST(xos_log_stage(k.log, 2, xos_bytes_str(text), NULL, &err), &err);
		if (i % 500 == 0)
			MUST(xos_log_commit(k.log, &err), &err);
	}
	MUST(xos_log_commit(k.log, &err), &err);
	free(path);
}

static void long_log_end(void)
{
	xos_log_close(k.log);
	xos_key_free(k.key);
	xos_test_dir_free(dir);
}

/* Asks; gives how many records came. */
static size_t ask(const struct ca_log_query *q, uint64_t *next, enum xos_status *st)
{
	const struct xos_json *records = NULL;
	struct xos_json *doc = NULL;
	struct xos_buf b, reply;
	size_t n = 0;

	memset(&err, 0, sizeof(err));
	xos_buf_init(&b, 1024);
	xos_buf_init(&reply, XOS_BULK_MAX);
	ca_log_query_put(&b, q);
	*st = ca_handle_log_records(&k, 1, xos_buf_bytes(&b), &reply, &err);
	if (*st == XOS_OK) {
		MUST(xos_json_parse(xos_buf_bytes(&reply), XOS_BULK_MAX, &doc, &err), &err);
		MUST(xos_json_get_array(doc, "records", 1000, &records, &err), &err);
		MUST(xos_json_opt_uint64(doc, "next", INT64_MAX, 0, next, &err), &err);
		n = xos_json_count(records);
	}
	xos_json_free(doc);
	xos_buf_free(&b);
	xos_buf_free(&reply);
	return n;
}

/* All pages; asks is how many it took. */
static size_t all(struct ca_log_query q, int *asks)
{
	enum xos_status st = XOS_OK;
	uint64_t next = 1;
	size_t n = 0;

	for (*asks = 0; next; ++*asks) {
		uint64_t at = next;

		n += ask(&q, &next, &st);
		ck_assert_msg(st == XOS_OK, "%s", err.text);
		ck_assert(!next || (q.backward ? *asks == 0 || next < at : next > at));
		if (q.backward)
			q.to = next;
		else
			q.from = next;
	}
	return n;
}

static struct ca_log_query query(uint64_t size)
{
	return (struct ca_log_query){.size = size, .max = CA_LOG_PAGE, .until = INT64_MAX};
}

START_TEST(pages)
{
	const uint64_t size = 12000;
	struct ca_log_query q = query(size);
	enum xos_status st;
	uint64_t next = 0;
	int asks = 0;

	long_log(4000);
	ck_assert_uint_eq(all(q, &asks), size);
	ck_assert_int_eq(asks, (int)(size / CA_LOG_PAGE));
	q.from = 11990;
	ck_assert_uint_eq(all(q, &asks), 11);
	q.to = 11995;
	ck_assert_uint_eq(all(q, &asks), 6);
	q.to = 11989;
	ck_assert_uint_eq(all(q, &asks), 0);
	q = query(100);
	q.to = size;
	ck_assert_uint_eq(all(q, &asks), 100);
	q.max = 7;
	ck_assert_uint_eq(ask(&q, &next, &st), 7);
	ck_assert_uint_eq(next, 8);
	/* Nothing fits: still only so many are looked at. */
	q = query(size);
	strcpy(q.member, "nobody");
	ck_assert_uint_eq(ask(&q, &next, &st), 0);
	ck_assert_uint_eq(next, CA_LOG_LOOK + 1);
	ck_assert_uint_eq(all(q, &asks), 0);
	ck_assert_int_eq(asks, 3);
	long_log_end();
}
END_TEST

START_TEST(who_and_what)
{
	struct ca_log_query q = query(300);
	int asks = 0;

	long_log(100);
	strcpy(q.member, "alice");
	ck_assert_uint_eq(all(q, &asks), 300);
	q.own = true; /* not what names others, too */
	ck_assert_uint_eq(all(q, &asks), 200);
	strcpy(q.member, "carol");
	ck_assert_uint_eq(all(q, &asks), 0);
	strcpy(q.member, "bob");
	ck_assert_uint_eq(all(q, &asks), 200);
	strcpy(q.member, "ali"); /* a part of a name is another name */
	q.own = false;
	ck_assert_uint_eq(all(q, &asks), 0);
	q = query(300);
	q.backward = true;
	strcpy(q.serial, "00000007");
	ck_assert_uint_eq(all(q, &asks), 1);
	strcpy(q.serial, "0000007");
	ck_assert_uint_eq(all(q, &asks), 0);
	q.serial[0] = '\0';
	q.act = 13;
	ck_assert_uint_eq(all(q, &asks), 1);
	q.act = 201;
	ck_assert_uint_eq(all(q, &asks), 0);
	q.act = 2;
	q.own = true;
	strcpy(q.member, "alice");
	ck_assert_uint_eq(all(q, &asks), 0);
	strcpy(q.member, "bob");
	ck_assert_uint_eq(all(q, &asks), 1);
	long_log_end();
}
END_TEST

START_TEST(spans_of_time)
{
	struct ca_log_query q = query(300);
	int64_t now = xos_clock_now();
	int asks = 0;

	long_log(100);
	q.since = now - 10;
	q.until = now + 1000;
	ck_assert_uint_eq(all(q, &asks), 300);
	q.since = now + 500;
	ck_assert_uint_eq(all(q, &asks), 0);
	q.since = now + 500000; /* past the end by halves */
	q.until = INT64_MAX;
	ck_assert_uint_eq(all(q, &asks), 0);
	q.since = 0;
	q.until = now - 500000;
	ck_assert_uint_eq(all(q, &asks), 0);
	q.since = q.until = 0;
	ck_assert_uint_eq(all(q, &asks), 0);
	long_log_end();
}
END_TEST

START_TEST(questions_of_auth_that_are_none)
{
	struct ca_log_query q = query(300), got;
	enum xos_status st = XOS_OK;
	uint64_t next = 0;
	struct xos_buf b;

	long_log(10);
	ask(&q, &next, &st);
	ck_assert_int_eq(st, XOS_NOT_FOUND); /* more than there are */
	q.size = 30;
	q.max = 0;
	ask(&q, &next, &st);
	ck_assert_int_eq(st, XOS_MALFORMED);
	q.max = CA_LOG_PAGE + 1;
	ask(&q, &next, &st);
	ck_assert_int_eq(st, XOS_MALFORMED);
	q.max = 1;
	q.own = true; /* of nobody */
	ask(&q, &next, &st);
	ck_assert_int_eq(st, XOS_MALFORMED);
	q.own = false;
	xos_buf_init(&b, 1024);
	ca_log_query_put(&b, &q);
	ck_assert_int_eq(ca_log_query_get(xos_buf_bytes(&b), &got, NULL), XOS_OK);
	for (size_t n = 0; n < b.n; n++)
		ck_assert_int_eq(
		    ca_log_query_get((struct xos_bytes){b.p, n}, &got, NULL), XOS_MALFORMED);
	xos_buf_u8(&b, 0);
	ck_assert_int_eq(ca_log_query_get(xos_buf_bytes(&b), &got, NULL), XOS_MALFORMED);
	xos_buf_free(&b);
	long_log_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keylog");
	TCase *network = tcase_create("network"), *records = tcase_create("records");
	xos_event_setup("test", XOS_ERROR + 1);
	tcase_set_timeout(network, 120);
	tcase_add_checked_fixture(network, lying_setup, lying_teardown);
	tcase_add_test(network, records_are_not_for_the_network_process);
	tcase_add_test(network, questions_that_are_none);
	suite_add_tcase(suite, network);
	tcase_set_timeout(records, 120);
	tcase_add_test(records, pages);
	tcase_add_test(records, who_and_what);
	tcase_add_test(records, spans_of_time);
	tcase_add_test(records, questions_of_auth_that_are_none);
	suite_add_tcase(suite, records);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
