/* Requests of one frame, many at a time, beside those of many frames. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "service/bulk.h"

enum { ECHO = 1, REFUSE = 2, LONG = 3 };
#define LONG_BYTES 400000

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

static enum xos_status long_reply(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	static const uint8_t block[LONG_BYTES / 4];

	(void)ctx;
	(void)from;
	(void)payload;
	(void)err;
	for (int i = 0; i < 4; i++)
		xos_buf_put(reply, block, sizeof(block));
	return XOS_OK;
}

static const struct xos_bulk_handler table[] = {{ECHO, "echo", 1, XOS_BULK_MAX, echo},
    {REFUSE, "refuse", 1, XOS_BULK_MAX, refuse}, {LONG, "long", 1, XOS_BULK_MAX, long_reply}};

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
	ck_assert_int_eq(
	    xos_bulk_server_new(table, sizeof(table) / sizeof(table[0]), NULL, &s, &err), XOS_OK);
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

static void *asker(void *arg)
{
	(void)arg;
	for (int i = 0; i < 300; i++) {
		struct xos_buf reply;
		struct xos_err err = XOS_ERR_INIT;

		ck_assert_int_eq(
		    xos_bulk_ask(bulk, ECHO, xos_bytes_str("short"), soon(), &reply, &err), XOS_OK);
		ck_assert_str_eq(xos_buf_str(&reply), "short");
		xos_buf_free(&reply);
	}
	return NULL;
}

static void round_trip(size_t n)
{
	uint8_t *data = malloc(n);
	struct xos_buf reply;
	struct xos_err err = XOS_ERR_INIT;

	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)(i * 31 + i / 257);
	ck_assert_int_eq(
	    xos_bulk_call(bulk, ECHO, (struct xos_bytes){data, n}, soon(), &reply, &err), XOS_OK);
	ck_assert(xos_bytes_eq(xos_buf_bytes(&reply), (struct xos_bytes){data, n}));
	xos_buf_free(&reply);
	free(data);
}

START_TEST(short_ones_beside_a_long_one)
{
	pthread_t t[4];

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, asker, NULL), 0);
	for (int i = 0; i < 5; i++)
		round_trip(3000000);
	for (size_t i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}
END_TEST

START_TEST(asking_is_for_one_frame)
{
	struct xos_buf reply;
	struct xos_err err = XOS_ERR_INIT;
	uint8_t *data = calloc(1, XOS_CHANNEL_PAYLOAD_MAX);
	struct xos_bytes in = {data, XOS_CHANNEL_PAYLOAD_MAX};

	ck_assert_int_eq(xos_bulk_ask(bulk, ECHO, in, soon(), &reply, &err), XOS_LIMIT);
	ck_assert_str_eq(err.code, "channel-payload");
	ck_assert_uint_eq(reply.n, 0);
	ck_assert_int_eq(
	    xos_bulk_ask(bulk, LONG, xos_bytes_str("x"), soon(), &reply, &err), XOS_LIMIT);
	ck_assert_uint_eq(reply.n, 0);
	ck_assert_int_eq(
	    xos_bulk_call(bulk, LONG, xos_bytes_str("x"), soon(), &reply, &err), XOS_OK);
	ck_assert_uint_eq(reply.n, LONG_BYTES);
	xos_buf_free(&reply);
	ck_assert_int_eq(
	    xos_bulk_ask(bulk, REFUSE, xos_bytes_str("x"), soon(), &reply, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "test-refused");
	ck_assert_uint_eq(reply.n, 0);
	round_trip(10);
	free(data);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bulk ask");
	TCase *tc = tcase_create("ask");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, short_ones_beside_a_long_one);
	tcase_add_test(tc, asking_is_for_one_frame);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
