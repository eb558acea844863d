/* Large requests and replies over a real channel pair, and a peer that lies about its pieces. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "service/bulk.h"
#include "service/report.h"

enum { ECHO = 1, LIMITED = 2, REFUSE = 3, OTHER = 4, WHO = 5 };

static enum xos_status echo(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	(void)ctx;
	(void)from;
	(void)err;
	if (payload.n)
		xos_buf_put(reply, payload.p, payload.n);
	return XOS_OK;
}

static enum xos_status refuse(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	(void)ctx;
	(void)from;
	(void)payload;
	xos_buf_put_str(reply, "half");
	return xos_err_set(err, XOS_DENIED, "test-refused", "no");
}

static enum xos_status who(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	(void)ctx;
	(void)from;
	(void)payload;
	(void)err;
	xos_buf_put_str(reply, xos_event_request_get());
	return XOS_OK;
}

static const struct xos_bulk_handler table[] = {
    {WHO, "who", 1, 0, who},
    {ECHO, "echo", 1, XOS_BULK_MAX, echo},
    {LIMITED, "limited", 1, 1000, echo},
    {REFUSE, "refuse", 1, XOS_BULK_MAX, refuse},
    {OTHER, "other", 2, XOS_BULK_MAX, echo},
};

static struct xos_channel *client, *peer;
static struct xos_bulk *bulk;
static pthread_t server_thread;

static void *serve(void *arg)
{
	struct xos_bulk_server *s = NULL;
	struct xos_err err = XOS_ERR_INIT;
	struct xos_channel *const list[1] = {peer};
	struct xos_channel_server outer = {.channels = list, .nchannels = 1, .signal_fd = -1};

	(void)arg;
	ck_assert_int_eq(xos_bulk_server_new(table, 5, NULL, &s, &err), XOS_OK);
	ck_assert_int_eq(xos_bulk_serve(s, &outer, &err), XOS_OK);
	xos_bulk_server_free(s);
	return NULL;
}

static void setup(void)
{
	int fds[2];

	ck_assert_int_eq(xos_channel_pair(fds, NULL), XOS_OK);
	ck_assert_int_eq(xos_channel_new(fds[0], &client, NULL), XOS_OK);
	ck_assert_int_eq(xos_channel_new(fds[1], &peer, NULL), XOS_OK);
	ck_assert_int_eq(xos_bulk_new(client, &bulk, NULL), XOS_OK);
	ck_assert_int_eq(pthread_create(&server_thread, NULL, serve, NULL), 0);
}

static void teardown(void)
{
	xos_bulk_free(bulk);
	xos_channel_free(client);
	pthread_join(server_thread, NULL);
	xos_channel_free(peer);
}

static int64_t soon(void)
{
	return xos_clock_mono_ms() + 60000;
}

static void round_trip(size_t n)
{
	uint8_t *data = malloc(n ? n : 1);
	struct xos_buf reply;
	struct xos_err err = XOS_ERR_INIT;

	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)(i * 31 + i / 257);
	enum xos_status st =
	    xos_bulk_call(bulk, ECHO, (struct xos_bytes){data, n}, soon(), &reply, &err);
	ck_assert_msg(st == XOS_OK, "%zu bytes: %s", n, err.text);
	ck_assert_uint_eq(reply.n, n);
	ck_assert(n == 0 || memcmp(reply.p, data, n) == 0);
	xos_buf_free(&reply);
	free(data);
}

START_TEST(sizes_come_back_whole)
{
	const size_t piece = XOS_CHANNEL_PAYLOAD_MAX - 16 - 4 - XOS_EVENT_REQUEST_MAX;
	const size_t sizes[] = {
	    0, 1, piece - 1, piece, piece + 1, 2 * piece, 2 * piece + 1, 5000000};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		round_trip(sizes[i]);
}
END_TEST

START_TEST(every_server_reports)
{
	struct xos_report *r = calloc(1, sizeof(*r));
	struct xos_buf reply;
	struct xos_err err = XOS_ERR_INIT;

	ck_assert_int_eq(
	    xos_bulk_call(bulk, XOS_BULK_REPORT, XOS_BYTES_NONE, soon(), &reply, &err), XOS_OK);
	ck_assert_int_eq(xos_report_decode(xos_buf_bytes(&reply), r, &err), XOS_OK);
	ck_assert_uint_eq(r->nfindings, 0);
	xos_buf_free(&reply);
	ck_assert_int_eq(
	    xos_bulk_call(bulk, XOS_BULK_REPORT, xos_bytes_str("x"), soon(), &reply, &err),
	    XOS_LIMIT);
	xos_buf_free(&reply);
	free(r);
}
END_TEST

START_TEST(a_peer_that_comes_again)
{
	struct xos_bulk *away = NULL;
	struct xos_buf reply;
	struct xos_err err = XOS_ERR_INIT;

	ck_assert_int_eq(xos_bulk_new(NULL, &away, &err), XOS_OK);
	ck_assert_int_eq(
	    xos_bulk_call(away, ECHO, xos_bytes_str("x"), soon(), &reply, &err), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "part-away");
	xos_buf_free(&reply);
	/* A peer that died, then one that serves. */
	int fds[2];
	struct xos_channel *dead = NULL;
	ck_assert_int_eq(xos_channel_pair(fds, NULL), XOS_OK);
	ck_assert_int_eq(xos_channel_new(fds[0], &dead, NULL), XOS_OK);
	close(fds[1]);
	xos_bulk_attach(away, dead);
	ck_assert_int_eq(
	    xos_bulk_call(away, ECHO, xos_bytes_str("x"), soon(), &reply, &err), XOS_UNAVAILABLE);
	xos_buf_free(&reply);
	xos_bulk_attach(away, client);
	ck_assert_int_eq(
	    xos_bulk_call(away, ECHO, xos_bytes_str("x"), soon(), &reply, &err), XOS_OK);
	ck_assert_uint_eq(reply.n, 1);
	xos_buf_free(&reply);
	xos_bulk_free(away);
	client = NULL; /* it was taken */
}
END_TEST

START_TEST(refusals_come_back_as_they_are)
{
	struct xos_buf reply;
	struct xos_err err = XOS_ERR_INIT;

	ck_assert_int_eq(
	    xos_bulk_call(bulk, REFUSE, xos_bytes_str("x"), soon(), &reply, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "test-refused");
	ck_assert_uint_eq(reply.n, 0);
	xos_buf_free(&reply);
	round_trip(10);
}
END_TEST

START_TEST(too_long_and_not_allowed)
{
	char data[1001] = {0};
	struct xos_buf reply;
	struct xos_err err = XOS_ERR_INIT;
	struct xos_bytes in = {(const uint8_t *)data, sizeof(data)};

	ck_assert_int_eq(xos_bulk_call(bulk, LIMITED, in, soon(), &reply, &err), XOS_LIMIT);
	xos_buf_free(&reply);
	in.n = 1000;
	ck_assert_int_eq(xos_bulk_call(bulk, LIMITED, in, soon(), &reply, &err), XOS_OK);
	xos_buf_free(&reply);
	ck_assert_int_eq(xos_bulk_call(bulk, LIMITED, in, soon(), NULL, &err), XOS_OK);
	ck_assert_int_eq(xos_bulk_call(bulk, OTHER, in, soon(), &reply, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "channel-type");
	xos_buf_free(&reply);
	ck_assert_int_eq(xos_bulk_call(bulk, 99, in, soon(), &reply, &err), XOS_DENIED);
	xos_buf_free(&reply);
}
END_TEST

static enum xos_status piece_for(
    const char *request, uint16_t type, uint32_t total, uint32_t offset, const char *bytes)
{
	struct xos_buf frame, reply;

	xos_buf_init(&frame, 1000);
	xos_buf_u16(&frame, type);
	xos_buf_u32(&frame, total);
	xos_buf_u32(&frame, offset);
	xos_buf_lp_str(&frame, request);
	xos_buf_put_str(&frame, bytes);
	xos_buf_init(&reply, 10);
	enum xos_status st =
	    xos_channel_call(client, XOS_BULK_PIECE, xos_buf_bytes(&frame), soon(), &reply, NULL);
	xos_buf_free(&reply);
	xos_buf_free(&frame);
	return st;
}

static enum xos_status piece(uint16_t type, uint32_t total, uint32_t offset, const char *bytes)
{
	return piece_for("", type, total, offset, bytes);
}

static enum xos_status more(uint32_t offset)
{
	struct xos_buf frame, reply;

	xos_buf_init(&frame, 1000);
	xos_buf_u32(&frame, offset);
	xos_buf_init(&reply, 10);
	enum xos_status st =
	    xos_channel_call(client, XOS_BULK_MORE, xos_buf_bytes(&frame), soon(), &reply, NULL);
	xos_buf_free(&reply);
	xos_buf_free(&frame);
	return st;
}

START_TEST(a_lying_peer_gets_nowhere)
{
	ck_assert_int_eq(piece(ECHO, 10, 5, "hello"), XOS_MALFORMED); /* no first piece */
	ck_assert_int_eq(piece(ECHO, 10, 0, "hello"), XOS_OK);
	ck_assert_int_eq(piece(ECHO, 11, 5, "hello"), XOS_MALFORMED); /* another total */
	ck_assert_int_eq(piece(ECHO, 10, 5, "hello"), XOS_MALFORMED); /* forgotten by now */
	ck_assert_int_eq(piece(ECHO, 10, 0, "hello"), XOS_OK);
	ck_assert_int_eq(piece(LIMITED, 10, 5, "hello"), XOS_MALFORMED); /* another type */
	ck_assert_int_eq(piece(ECHO, 3, 0, "hello"), XOS_MALFORMED);     /* more than its total */
	ck_assert_int_eq(piece(ECHO, 10, 0, ""), XOS_MALFORMED);         /* an empty piece */
	ck_assert_int_eq(piece(ECHO, UINT32_MAX, 0, "hello"), XOS_LIMIT);
	ck_assert_int_eq(more(0), XOS_MALFORMED);
	ck_assert_int_eq(more(UINT32_MAX), XOS_MALFORMED);
	ck_assert_int_eq(piece(ECHO, 10, 0, "hello"), XOS_OK); /* left unfinished */
	round_trip(300000);
}
END_TEST

START_TEST(the_id_of_a_request_goes_along_and_is_checked)
{
	struct xos_buf reply;
	struct xos_err err = XOS_ERR_INIT;

	xos_event_request("0123abc.d_e-F");
	ck_assert_int_eq(xos_bulk_call(bulk, WHO, XOS_BYTES_NONE, soon(), &reply, &err), XOS_OK);
	ck_assert_str_eq(xos_buf_str(&reply), "0123abc.d_e-F");
	xos_buf_free(&reply);
	/* over with the request */
	xos_event_request(NULL);
	ck_assert_int_eq(xos_bulk_call(bulk, WHO, XOS_BYTES_NONE, soon(), &reply, &err), XOS_OK);
	ck_assert_uint_eq(reply.n, 0);
	xos_buf_free(&reply);
	/* nobody forges a line of the event log with it */
	ck_assert_int_eq(piece_for("a\nlevel=info", ECHO, 1, 0, "x"), XOS_MALFORMED);
	ck_assert_int_eq(piece_for("a b", ECHO, 1, 0, "x"), XOS_MALFORMED);
	char longest[XOS_EVENT_REQUEST_MAX + 2];
	memset(longest, 'a', sizeof(longest));
	longest[XOS_EVENT_REQUEST_MAX + 1] = '\0';
	ck_assert_int_eq(piece_for(longest, ECHO, 1, 0, "x"), XOS_MALFORMED);
	xos_event_request(longest);
	ck_assert_str_eq(xos_event_request_get(), "");
	round_trip(10);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bulk");
	TCase *tc = tcase_create("bulk");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_id_of_a_request_goes_along_and_is_checked);
	tcase_add_test(tc, every_server_reports);
	tcase_add_test(tc, a_peer_that_comes_again);
	tcase_add_test(tc, sizes_come_back_whole);
	tcase_add_test(tc, refusals_come_back_as_they_are);
	tcase_add_test(tc, too_long_and_not_allowed);
	tcase_add_test(tc, a_lying_peer_gets_nowhere);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
