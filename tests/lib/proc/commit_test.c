/* Group commit: what waits for a commit, what does not, and what becomes of it when the commit fails. */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "proc/channel.h"

enum { STAGE = 1, PLAIN = 2, REFUSE_STAGED = 3 };

/* The server's side, with a commit that ends when it is told to. */
static struct {
	struct xos_channel *client, *served;
	pthread_t thread;
	struct xos_channel_server server;
	bool staged; /* of the serving thread */
	int committed_ok, committed_bad;
	int fd; /* the client's end */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool hold, fail;
	int begun, ended, stages;
	int early; /* ticks while something was staged whose commit had not begun */
} w;

static enum xos_status on_stage(
    void *ctx, size_t from, struct xos_bytes in, struct xos_buf *reply, struct xos_err *err)
{
	(void)ctx;
	(void)from;
	(void)err;
	w.staged = true;
	pthread_mutex_lock(&w.lock);
	w.stages++;
	pthread_mutex_unlock(&w.lock);
	xos_buf_put(reply, in.p, in.n);
	return XOS_OK;
}

static enum xos_status on_plain(
    void *ctx, size_t from, struct xos_bytes in, struct xos_buf *reply, struct xos_err *err)
{
	(void)ctx;
	(void)from;
	(void)err;
	xos_buf_put(reply, in.p, in.n);
	return XOS_OK;
}

static enum xos_status on_refuse(
    void *ctx, size_t from, struct xos_bytes in, struct xos_buf *reply, struct xos_err *err)
{
	(void)ctx;
	(void)from;
	(void)in;
	(void)reply;
	w.staged = true;
	return xos_err_set(err, XOS_DENIED, "no", "no");
}

static bool on_staged(void *ctx)
{
	bool was = w.staged;
	(void)ctx;
	w.staged = false;
	return was;
}

static enum xos_status on_commit(void *ctx, struct xos_err *err)
{
	(void)ctx;
	pthread_mutex_lock(&w.lock);
	w.begun++;
	pthread_cond_broadcast(&w.changed);
	while (w.hold)
		pthread_cond_wait(&w.changed, &w.lock);
	w.ended++;
	bool fail = w.fail;
	pthread_mutex_unlock(&w.lock);
	return fail ? xos_err_set(err, XOS_UNAVAILABLE, "disk", "disk full") : XOS_OK;
}

static void on_committed(void *ctx, enum xos_status status, const struct xos_err *err)
{
	(void)ctx;
	w.committed_ok += status == XOS_OK;
	w.committed_bad += status != XOS_OK && strcmp(err->code, "disk") == 0;
}

static void on_tick(void *ctx)
{
	(void)ctx;
	pthread_mutex_lock(&w.lock);
	w.early += w.stages > w.begun;
	pthread_mutex_unlock(&w.lock);
}

static void *serve(void *arg)
{
	struct xos_err err = XOS_ERR_INIT;
	(void)arg;
	ck_assert_int_eq(xos_channel_serve(&w.server, &err), XOS_OK);
	return NULL;
}

static const struct xos_channel_handler table[] = {{STAGE, "stage", 1, on_stage},
    {PLAIN, "plain", 1, on_plain}, {REFUSE_STAGED, "refuse", 1, on_refuse}};

static void setup(void)
{
	int fds[2];
	memset(&w, 0, sizeof(w));
	xos_event_setup("test", XOS_ERROR + 1);
	signal(SIGPIPE, SIG_IGN);
	pthread_mutex_init(&w.lock, NULL);
	pthread_cond_init(&w.changed, NULL);
	ck_assert_int_eq(xos_channel_pair(fds, NULL), XOS_OK);
	w.fd = fds[0];
	ck_assert_int_eq(xos_channel_new(fds[0], &w.client, NULL), XOS_OK);
	ck_assert_int_eq(xos_channel_new(fds[1], &w.served, NULL), XOS_OK);
	w.server = (struct xos_channel_server){.channels = &w.served,
	    .nchannels = 1,
	    .table = table,
	    .ntable = sizeof(table) / sizeof(table[0]),
	    .signal_fd = -1,
	    .on_tick = on_tick,
	    .tick_ms = 1,
	    .commit = on_commit,
	    .staged = on_staged,
	    .committed = on_committed};
	ck_assert_int_eq(pthread_create(&w.thread, NULL, serve, NULL), 0);
}

static void finish(void)
{
	xos_channel_free(w.client);
	ck_assert_int_eq(pthread_join(w.thread, NULL), 0);
	xos_channel_free(w.served);
}

static void hold(bool on, bool fail)
{
	pthread_mutex_lock(&w.lock);
	w.hold = on;
	w.fail = fail;
	pthread_cond_broadcast(&w.changed);
	pthread_mutex_unlock(&w.lock);
}

static void await_begun(int n)
{
	pthread_mutex_lock(&w.lock);
	while (w.begun < n)
		pthread_cond_wait(&w.changed, &w.lock);
	pthread_mutex_unlock(&w.lock);
}

static enum xos_status call(uint16_t type, int64_t ms, struct xos_err *err)
{
	return xos_channel_call(
	    w.client, type, xos_bytes_str("x"), xos_clock_mono_ms() + ms, NULL, err);
}

struct caller {
	pthread_t thread;
	uint16_t type;
	enum xos_status rc;
	struct xos_err err;
};

static void *caller(void *arg)
{
	struct caller *c = arg;
	c->rc = call(c->type, 60000, &c->err);
	return NULL;
}

static void begin(struct caller *c, size_t n, uint16_t type)
{
	for (size_t i = 0; i < n; i++) {
		c[i] = (struct caller){.type = type};
		ck_assert_int_eq(pthread_create(&c[i].thread, NULL, caller, &c[i]), 0);
	}
}

static void join(struct caller *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pthread_join(c[i].thread, NULL);
}

/* While one commit runs: others are answered, and all that stage wait for one more. */
START_TEST(what_waits_shares_the_next_commit)
{
	struct caller first[1], more[50];
	struct xos_err err = XOS_ERR_INIT;
	hold(true, false);
	begin(first, 1, STAGE);
	await_begun(1);
	begin(more, 50, STAGE);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(call(PLAIN, 60000, &err), XOS_OK);
	/* Staged, and so not answered. */
	ck_assert_int_eq(call(STAGE, 20, &err), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "channel-timeout");
	ck_assert_int_eq(w.begun, 1);
	hold(false, false);
	join(first, 1);
	join(more, 50);
	for (size_t i = 0; i < 50; i++)
		ck_assert_int_eq(more[i].rc, XOS_OK);
	/* Most were taken while the first commit ran; each thread that came late may have cost one more. */
	ck_assert_int_ge(w.begun, 2);
	ck_assert_int_le(w.begun, 51);
	finish();
	ck_assert_int_eq(w.committed_ok, w.ended);
}
END_TEST

/* A tick opens a log anew: records that were staged in the old one would be gone, and their answers good. */
START_TEST(no_tick_comes_before_the_commit_that_is_waited_for)
{
	struct caller first[1];
	struct xos_err err = XOS_ERR_INIT;
	hold(true, false);
	begin(first, 1, STAGE);
	await_begun(1);
	ck_assert_int_eq(call(STAGE, 20, &err), XOS_UNAVAILABLE);
	ck_assert_int_eq(call(PLAIN, 60000, &err), XOS_OK); /* so the one before it is staged */
	hold(false, false);
	join(first, 1);
	await_begun(2);
	finish();
	ck_assert_int_eq(w.stages, 2);
	ck_assert_int_eq(w.early, 0);
}
END_TEST

START_TEST(a_commit_that_fails_fails_all_of_its_group)
{
	struct caller c[10];
	struct xos_err err = XOS_ERR_INIT;
	hold(true, true);
	begin(c, 10, STAGE);
	await_begun(1);
	ck_assert_int_eq(call(PLAIN, 60000, &err), XOS_OK);
	hold(false, true);
	join(c, 10);
	for (size_t i = 0; i < 10; i++) {
		ck_assert_int_eq(c[i].rc, XOS_UNAVAILABLE);
		ck_assert_str_eq(c[i].err.code, "disk");
	}
	hold(false, false);
	ck_assert_int_eq(call(STAGE, 60000, &err), XOS_OK);
	finish();
	ck_assert_int_ge(w.committed_bad, 1);
	ck_assert_int_eq(w.committed_ok, 1);
}
END_TEST

START_TEST(what_a_refused_request_staged_is_committed)
{
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_int_eq(call(REFUSE_STAGED, 60000, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "no");
	ck_assert_int_eq(w.ended, 1);
	hold(false, true);
	ck_assert_int_eq(call(REFUSE_STAGED, 60000, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "no");
	finish();
	ck_assert_int_eq(w.committed_bad, 1);
}
END_TEST

/* More than the channel lets fly, with replies out of order: each gets its own. */
static void *echo(void *arg)
{
	char text[32];
	struct xos_buf reply;
	for (int i = 0; i < 30; i++) {
		snprintf(text, sizeof(text), "%d-%d", *(int *)arg, i);
		ck_assert_int_eq(
		    xos_channel_call(w.client, i % 2 ? STAGE : PLAIN, xos_bytes_str(text),
		        xos_clock_mono_ms() + 60000, &reply, NULL),
		    XOS_OK);
		ck_assert_str_eq(xos_buf_str(&reply), text);
		xos_buf_free(&reply);
	}
	return NULL;
}

START_TEST(each_gets_its_own_answer)
{
	enum { N = XOS_CHANNEL_FLYING + 20 };
	pthread_t t[N];
	int number[N];
	for (int i = 0; i < N; i++) {
		number[i] = i;
		ck_assert_int_eq(pthread_create(&t[i], NULL, echo, &number[i]), 0);
	}
	for (int i = 0; i < N; i++)
		pthread_join(t[i], NULL);
	finish();
	ck_assert_int_le(w.ended, N * 15);
}
END_TEST

/* The serving ends while a commit runs: what was taken is committed. */
START_TEST(the_end_waits_for_the_commit)
{
	struct caller c[3];
	hold(true, false);
	begin(c, 1, STAGE);
	await_begun(1);
	begin(c + 1, 2, STAGE);
	ck_assert_int_eq(call(PLAIN, 60000, NULL), XOS_OK);
	ck_assert_int_eq(shutdown(w.fd, SHUT_WR), 0);
	hold(false, false);
	join(c, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert(c[i].rc == XOS_OK || c[i].rc == XOS_UNAVAILABLE);
	ck_assert_int_eq(c[0].rc, XOS_OK);
	finish();
	ck_assert_int_eq(w.ended, w.begun);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("commit");
	TCase *tc = tcase_create("commit");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, what_waits_shares_the_next_commit);
	tcase_add_test(tc, no_tick_comes_before_the_commit_that_is_waited_for);
	tcase_add_test(tc, a_commit_that_fails_fails_all_of_its_group);
	tcase_add_test(tc, what_a_refused_request_staged_is_committed);
	tcase_add_test(tc, each_gets_its_own_answer);
	tcase_add_test(tc, the_end_waits_for_the_commit);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
