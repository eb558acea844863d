#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "proc/channel.h"

enum { ECHO = 1, REFUSE = 2, SLOW = 3, PRIVATE = 4, HUGE_REPLY = 5, UNNAMED = 6 };

struct world {
	struct xos_channel *client[2], *served[2];
	int fd[2][2];
	pthread_t thread;
	struct xos_channel_server server;
	int commits, fail_commits, handled;
};

static struct world w;

static enum xos_status on_echo(
    void *ctx, size_t from, struct xos_bytes in, struct xos_buf *reply, struct xos_err *err)
{
	struct world *world = ctx;
	(void)from;
	(void)err;
	world->handled++;
	xos_buf_put(reply, in.p, in.n);
	return XOS_OK;
}

static enum xos_status on_refuse(
    void *ctx, size_t from, struct xos_bytes in, struct xos_buf *reply, struct xos_err *err)
{
	(void)ctx;
	(void)from;
	(void)in;
	xos_buf_put_str(reply, "must not be seen");
	return xos_err_set(err, XOS_EXPIRED, "token-expired", "expired at noon");
}

static enum xos_status on_slow(
    void *ctx, size_t from, struct xos_bytes in, struct xos_buf *reply, struct xos_err *err)
{
	usleep(200 * 1000);
	return on_echo(ctx, from, in, reply, err);
}

static enum xos_status on_huge(
    void *ctx, size_t from, struct xos_bytes in, struct xos_buf *reply, struct xos_err *err)
{
	static const char block[1024];
	(void)ctx;
	(void)from;
	(void)in;
	(void)err;
	for (int i = 0; i < 1000; i++)
		xos_buf_put(reply, block, sizeof(block));
	return XOS_OK;
}

static enum xos_status on_unnamed(
    void *ctx, size_t from, struct xos_bytes in, struct xos_buf *reply, struct xos_err *err)
{
	(void)ctx;
	(void)from;
	(void)in;
	(void)reply;
	(void)err;
	return XOS_NOT_FOUND; /* forgot to fill err */
}

static enum xos_status on_commit(void *ctx, struct xos_err *err)
{
	struct world *world = ctx;
	world->commits++;
	if (world->fail_commits)
		return xos_err_set(err, XOS_UNAVAILABLE, "disk", "disk full");
	return XOS_OK;
}

static const struct xos_channel_handler table[] = {
    {ECHO, "echo", 3, on_echo},
    {REFUSE, "refuse", 3, on_refuse},
    {SLOW, "slow", 3, on_slow},
    {PRIVATE, "private", 2, on_echo},
    {HUGE_REPLY, "huge", 3, on_huge},
    {UNNAMED, "unnamed", 3, on_unnamed},
};

static void *serve(void *arg)
{
	struct world *world = arg;
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_int_eq(xos_channel_serve(&world->server, &err), XOS_OK);
	return NULL;
}

static void setup(void)
{
	memset(&w, 0, sizeof(w));
	xos_event_setup("test", XOS_ERROR + 1);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(xos_channel_pair(w.fd[i], NULL), XOS_OK);
		ck_assert_int_eq(xos_channel_new(w.fd[i][0], &w.client[i], NULL), XOS_OK);
		ck_assert_int_eq(xos_channel_new(w.fd[i][1], &w.served[i], NULL), XOS_OK);
	}
	w.server = (struct xos_channel_server){.channels = w.served,
	    .nchannels = 2,
	    .table = table,
	    .ntable = sizeof(table) / sizeof(table[0]),
	    .ctx = &w,
	    .signal_fd = -1};
}

static void start(void)
{
	ck_assert_int_eq(pthread_create(&w.thread, NULL, serve, &w), 0);
}

/* Serving ends when every peer has closed. */
static void finish(void)
{
	for (int i = 0; i < 2; i++)
		xos_channel_free(w.client[i]);
	ck_assert_int_eq(pthread_join(w.thread, NULL), 0);
	for (int i = 0; i < 2; i++)
		xos_channel_free(w.served[i]);
}

static enum xos_status call(
    int i, uint16_t type, const char *text, int64_t ms, struct xos_buf *reply, struct xos_err *err)
{
	return xos_channel_call(
	    w.client[i], type, xos_bytes_str(text), xos_clock_mono_ms() + ms, reply, err);
}

START_TEST(echo_and_errors)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf reply;
	start();
	ck_assert_int_eq(call(0, ECHO, "hello", 5000, &reply, &err), XOS_OK);
	ck_assert_str_eq(xos_buf_str(&reply), "hello");
	xos_buf_free(&reply);
	ck_assert_int_eq(call(1, ECHO, "", 5000, &reply, &err), XOS_OK);
	ck_assert_uint_eq(reply.n, 0);
	xos_buf_free(&reply);
	ck_assert_int_eq(call(1, ECHO, "x", 5000, NULL, &err), XOS_OK);
	ck_assert_int_eq(call(0, REFUSE, "", 5000, &reply, &err), XOS_EXPIRED);
	ck_assert_str_eq(err.code, "token-expired");
	ck_assert_str_eq(err.text, "expired at noon");
	ck_assert_uint_eq(reply.n, 0);
	ck_assert_int_eq(call(0, UNNAMED, "", 5000, &reply, &err), XOS_NOT_FOUND);
	ck_assert_str_eq(err.code, "not-found");
	ck_assert_int_eq(call(0, HUGE_REPLY, "", 5000, &reply, &err), XOS_LIMIT);
	ck_assert_str_eq(err.code, "channel-reply");
	ck_assert_int_eq(call(0, 77, "", 5000, &reply, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "channel-type");
	ck_assert_int_eq(call(0, ECHO, "still here", 5000, NULL, NULL), XOS_OK);
	finish();
}
END_TEST

START_TEST(only_from_its_channel)
{
	struct xos_err err = XOS_ERR_INIT;
	start();
	ck_assert_int_eq(call(1, PRIVATE, "", 5000, NULL, &err), XOS_OK);
	int before = w.handled;
	ck_assert_int_eq(call(0, PRIVATE, "", 5000, NULL, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "channel-not-allowed");
	ck_assert_int_eq(w.handled, before);
	finish();
}
END_TEST

START_TEST(sizes)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf reply;
	uint8_t *big = malloc(XOS_CHANNEL_PAYLOAD_MAX + 1);
	memset(big, 'z', XOS_CHANNEL_PAYLOAD_MAX + 1);
	start();
	struct xos_bytes in = {big, XOS_CHANNEL_PAYLOAD_MAX};
	ck_assert_int_eq(
	    xos_channel_call(w.client[0], ECHO, in, xos_clock_mono_ms() + 5000, &reply, &err),
	    XOS_OK);
	ck_assert(xos_bytes_eq(xos_buf_bytes(&reply), in));
	xos_buf_free(&reply);
	in.n++;
	ck_assert_int_eq(
	    xos_channel_call(w.client[0], ECHO, in, xos_clock_mono_ms() + 5000, &reply, &err),
	    XOS_LIMIT);
	finish();
	free(big);
}
END_TEST

START_TEST(late_replies_are_dropped)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf reply;
	start();
	ck_assert_int_eq(call(0, SLOW, "first", 20, &reply, &err), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "channel-timeout");
	ck_assert_int_eq(call(0, ECHO, "second", 10000, &reply, &err), XOS_OK);
	ck_assert_str_eq(xos_buf_str(&reply), "second");
	xos_buf_free(&reply);
	finish();
}
END_TEST

static char names[4][2] = {"a", "b", "c", "d"};

static void *caller(void *arg)
{
	char text[32];
	struct xos_buf reply;
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "%s-%d", (const char *)arg, i);
		ck_assert_int_eq(call(0, ECHO, text, 30000, &reply, NULL), XOS_OK);
		ck_assert_str_eq(xos_buf_str(&reply), text);
		xos_buf_free(&reply);
	}
	return NULL;
}

START_TEST(threads_share_a_channel)
{
	pthread_t t[4];
	start();
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, caller, names[i]), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	ck_assert_int_eq(w.handled, 800);
	finish();
}
END_TEST

START_TEST(waiting_for_a_turn_ends_too)
{
	pthread_t t;
	struct xos_err err = XOS_ERR_INIT;
	/* Nobody serves: the first caller holds the channel until its own deadline. */
	ck_assert_int_eq(call(0, ECHO, "x", 30, NULL, &err), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "channel-timeout");
	start();
	ck_assert_int_eq(pthread_create(&t, NULL, caller, names[0]), 0);
	for (int i = 0; i < 50; i++) {
		enum xos_status rc = call(0, ECHO, "x", 0, NULL, &err);
		ck_assert(rc == XOS_OK || strcmp(err.code, "channel-timeout") == 0);
	}
	pthread_join(t, NULL);
	finish();
}
END_TEST

START_TEST(peer_gone)
{
	struct xos_err err = XOS_ERR_INIT;
	xos_channel_free(w.served[0]);
	ck_assert_int_eq(call(0, ECHO, "x", 5000, NULL, &err), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "channel-closed");
	xos_channel_free(w.client[0]);
	xos_channel_free(w.client[1]);
	xos_channel_free(w.served[1]);
	xos_channel_free(NULL);
}
END_TEST

/* What a taken-over network process could send. */
static const struct {
	const char *bytes;
	size_t n;
	bool answered;
} bad[] = {
    {"x", 1, false},
    {"XOS\1", 4, false},
    {"XOS\1\0\0\0\1\0\0\0\0\0\0\0", 15, false},
    {"XOS\2\0\0\0\1\0\0\0\0\0\0\0\1", 16, false},
    {"XOS\1\0\0\0\1\0\0\0\0\0\0\0\0", 16, false}, /* id 0 */
    {"XOS\1\1\0\0\1\0\0\0\0\0\0\0\5", 16, false}, /* a reply nobody asked for */
    {"XOS\1\2\0\0\1\0\0\0\0\0\0\0\6", 16, true},  /* unknown kind */
    {"XOS\1\0\1\0\1\0\0\0\0\0\0\0\7", 16, true},  /* a request with a status */
    {"XOS\1\0\377\0\1\0\0\0\0\0\0\0\10", 16, true},
};

START_TEST(malformed_requests)
{
	struct xos_err err = XOS_ERR_INIT;
	char in[256];
	start();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(send(w.fd[1][0], bad[i].bytes, bad[i].n, 0), (ssize_t)bad[i].n);
		ck_assert_int_eq(call(0, ECHO, "others go on", 5000, NULL, &err), XOS_OK);
	}
	for (int answers = 0; answers < 3; answers++) {
		ssize_t n;
		while ((n = recv(w.fd[1][0], in, sizeof(in), MSG_DONTWAIT)) < 0)
			usleep(1000);
		ck_assert_int_ge(n, 16);
		ck_assert_int_eq(in[4], 1);
		ck_assert_int_eq(in[5], XOS_MALFORMED);
		ck_assert_int_eq(in[15], 6 + answers); /* none for those without an id */
	}
	static char oversize[16 + XOS_CHANNEL_PAYLOAD_MAX + 100] = "XOS\1\0\0\0\1\0\0\0\0\0\0\0\11";
	if (send(w.fd[1][0], oversize, sizeof(oversize), MSG_DONTWAIT) > 0) {
		ck_assert_int_eq(call(0, ECHO, "x", 5000, NULL, &err), XOS_OK);
		while (recv(w.fd[1][0], in, sizeof(in), MSG_DONTWAIT) < 0)
			usleep(1000);
		ck_assert_int_eq(in[5], XOS_MALFORMED);
	}
	ck_assert_int_eq(call(1, ECHO, "and so does it", 5000, NULL, &err), XOS_OK);
	finish();
}
END_TEST

static int open_descriptors(void)
{
	int n = 0;
	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Descriptors that nobody asked for are not taken: a peer must not use up ours, nor lend us its own. */
START_TEST(passed_descriptors_are_dropped)
{
	union {
		char room[CMSG_SPACE(16 * sizeof(int))];
		struct cmsghdr align;
	} control = {.room = {0}};
	char frame[] = "XOS\1\0\0\0\1\0\0\0\0\0\0\0\1hello";
	struct iovec part = {frame, sizeof(frame) - 1};
	struct msghdr msg = {.msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control.room,
	    .msg_controllen = sizeof(control.room)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	struct xos_err err = XOS_ERR_INIT;
	char in[256];
	ssize_t n;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(16 * sizeof(int));
	for (size_t i = 0; i < 16; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &w.fd[0][0], sizeof(int));
	start();
	int before = open_descriptors();
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(sendmsg(w.fd[1][0], &msg, 0), (ssize_t)part.iov_len);
		while ((n = recv(w.fd[1][0], in, sizeof(in), MSG_DONTWAIT)) < 0)
			usleep(1000);
		ck_assert_int_eq(in[5], XOS_OK); /* the request itself is none the worse */
	}
	ck_assert_int_eq(open_descriptors(), before);
	ck_assert_int_eq(call(0, ECHO, "others go on", 5000, NULL, &err), XOS_OK);
	finish();
}
END_TEST

static void *liar(void *arg)
{
	const char *reply = arg;
	char in[64];
	ck_assert_int_gt(recv(w.fd[0][1], in, sizeof(in), 0), 0);
	ck_assert_int_gt(send(w.fd[0][1], reply + 1, (size_t)(unsigned char)reply[0], 0), 0);
	return NULL;
}

START_TEST(malformed_replies)
{
	static const char *const replies[] = {
	    "\1x", "\20XOS\1\0\0\0\1\0\0\0\0\0\0\0\1", /* a request */
	    "\20XOS\1\1\0\0\1\0\0\0\0\0\0\0\7",        /* an id not yet used */
	    "\20XOS\1\1\0\0\2\0\0\0\0\0\0\0\1",        /* another type */
	    "\20XOS\1\1\2\0\1\0\0\0\0\0\0\0\1",        /* an error without code and text */
	    "\34XOS\1\1\2\0\1\0\0\0\0\0\0\0\1\0\0\0\2A!\0\0\0\1bz", /* a code that is none */
	};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf reply;
	pthread_t t;
	char bytes[64];
	memcpy(bytes, replies[_i], 1 + (size_t)(unsigned char)replies[_i][0]);
	/* The liar's end must block. */
	int fds[2];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	struct xos_channel *ch = NULL;
	ck_assert_int_eq(xos_channel_new(fds[0], &ch, &err), XOS_OK);
	w.fd[0][1] = fds[1];
	ck_assert_int_eq(pthread_create(&t, NULL, liar, bytes), 0);
	ck_assert_int_eq(xos_channel_call(ch, ECHO, xos_bytes_str("x"), xos_clock_mono_ms() + 5000,
	                     &reply, &err),
	    XOS_MALFORMED);
	ck_assert_str_eq(err.code, "channel-frame");
	pthread_join(t, NULL);
	xos_channel_free(ch);
	close(fds[1]);
}
END_TEST

START_TEST(a_peer_that_never_reads)
{
	struct xos_err err = XOS_ERR_INIT;
	static char ask[16 + 100000] = "XOS\1\0\0\0\1\0\0\0\0\0\0\0\1";
	start();
	/* Its answers fill its own queue; the other channel is served all the same. */
	for (int i = 0; i < 5; i++) {
		ask[15] = (char)(i + 1);
		(void)!send(w.fd[1][0], ask, sizeof(ask), MSG_DONTWAIT);
	}
	ck_assert_int_eq(call(0, ECHO, "x", 30000, NULL, &err), XOS_OK);
	finish();
}
END_TEST

START_TEST(commit_comes_before_replies)
{
	struct xos_err err = XOS_ERR_INIT;
	w.server.commit = on_commit;
	start();
	ck_assert_int_eq(call(0, ECHO, "x", 5000, NULL, &err), XOS_OK);
	ck_assert_int_eq(w.commits, 1);
	ck_assert_int_eq(call(0, REFUSE, "x", 5000, NULL, &err), XOS_EXPIRED);
	ck_assert_int_eq(w.commits, 1); /* nothing to commit */
	w.fail_commits = 1;
	ck_assert_int_eq(call(0, ECHO, "x", 5000, NULL, &err), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "disk");
	ck_assert_int_eq(call(0, REFUSE, "x", 5000, NULL, &err), XOS_EXPIRED);
	finish();
}
END_TEST

START_TEST(one_commit_for_many_channels)
{
	char in[64];
	static const char ask[16] = "XOS\1\0\0\0\1\0\0\0\0\0\0\0\1";
	w.server.commit = on_commit;
	/* Both are waiting when the serving begins, and hang up after asking. */
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(send(w.fd[i][0], ask, sizeof(ask), 0), 16);
	start();
	for (int i = 0; i < 2; i++)
		while (recv(w.fd[i][0], in, sizeof(in), MSG_DONTWAIT) < 0)
			usleep(1000);
	finish();
	ck_assert_int_eq(w.handled, 2);
	ck_assert_int_eq(w.commits, 1);
}
END_TEST

static int ticks;

static void on_tick(void *ctx)
{
	(void)ctx;
	if (++ticks == 3)
		kill(getpid(), SIGTERM);
}

START_TEST(ticks_and_signals)
{
	ticks = 0;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	w.server.signal_fd = signalfd(-1, &set, SFD_NONBLOCK);
	w.server.on_tick = on_tick;
	w.server.tick_ms = 5;
	ck_assert_int_eq(xos_channel_serve(&w.server, NULL), XOS_OK);
	ck_assert_int_ge(ticks, 3);
	close(w.server.signal_fd);
}
END_TEST

START_TEST(wrong_descriptors)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_channel *ch = NULL;
	int p[2];
	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(xos_channel_new(p[0], &ch, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_channel_new(-1, &ch, &err), XOS_MALFORMED);
	ck_assert_ptr_null(ch);
	close(p[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("channel");
	TCase *tc = tcase_create("channel");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, echo_and_errors);
	tcase_add_test(tc, only_from_its_channel);
	tcase_add_test(tc, sizes);
	tcase_add_test(tc, late_replies_are_dropped);
	tcase_add_test(tc, threads_share_a_channel);
	tcase_add_test(tc, waiting_for_a_turn_ends_too);
	tcase_add_test(tc, peer_gone);
	tcase_add_test(tc, malformed_requests);
	tcase_add_test(tc, passed_descriptors_are_dropped);
	tcase_add_loop_test(tc, malformed_replies, 0, 6);
	tcase_add_test(tc, a_peer_that_never_reads);
	tcase_add_test(tc, commit_comes_before_replies);
	tcase_add_test(tc, one_commit_for_many_channels);
	tcase_add_test(tc, ticks_and_signals);
	tcase_add_test(tc, wrong_descriptors);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
