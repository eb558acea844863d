/* The socket's places: whoever holds as many as it can get, service users are still served. */
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "credd/server.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

enum { PLACES = 8, MANY = 40 };

static atomic_bool service;

static bool is_service(void *ctx, uid_t uid)
{
	(void)ctx;
	(void)uid;
	return atomic_load(&service);
}

static enum xos_status handle(void *ctx, const struct xos_credd_peer *peer,
    const struct xos_local_request *req, struct xos_local_answer *answer, struct xos_buf *plain,
    struct xos_secret **secret, struct xos_err *err)
{
	(void)ctx;
	(void)peer;
	(void)req;
	(void)secret;
	(void)err;
	xos_buf_put_str(plain, "{}");
	answer->text = xos_buf_bytes(plain);
	return XOS_OK;
}

static void *run(void *loop)
{
	ck_assert_int_eq(xos_loop_run(loop, NULL), XOS_OK);
	return NULL;
}

/* Connects and asks; does an answer come? A place that is refused is closed without one. */
static int ask(const char *path, bool *answered)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	uint8_t frame[XOS_LOCAL_HEADER], back[64];
	const struct xos_local_header h = {
	    .kind = XOS_LOCAL_REQUEST, .op = XOS_LOCAL_STATUS, .number = 1};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	xos_local_header_write(frame, &h);
	*answered = send(fd, frame, sizeof(frame), MSG_NOSIGNAL) == (ssize_t)sizeof(frame) &&
	            poll(&p, 1, 3000) == 1 && recv(fd, back, sizeof(back), 0) > 0;
	return fd;
}

START_TEST(places_are_left_for_services)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_server *s = NULL;
	struct xos_loop *loop = NULL;
	char *dir = xos_test_dir_new(), *path = xos_test_path(dir, "credd.sock");
	int fds[PLACES + 1], listener, held = 0;
	pthread_t thread;
	bool answered;
	MUST(xos_loop_new(&loop, &err), &err);
	MUST(xos_credd_socket_bind(path, &listener, &err), &err);
	const struct xos_credd_server_options o = {.listen_fd = listener,
	    .connections_max = PLACES,
	    .handle = handle,
	    .is_service = is_service};
	MUST(xos_credd_server_new(loop, &o, &s, &err), &err);
	ck_assert_int_eq(pthread_create(&thread, NULL, run, loop), 0);
	for (int i = 0; i < PLACES; i++) {
		fds[i] = ask(path, &answered);
		held += answered;
	}
	ck_assert_int_gt(held, 0);
	atomic_store(&service, true);
	fds[PLACES] = ask(path, &answered);
	ck_assert(answered);
	ck_assert_int_eq(held, PLACES - PLACES / 4);
	for (int i = 0; i <= PLACES; i++)
		close(fds[i]);
	xos_loop_stop(loop);
	pthread_join(thread, NULL);
	xos_credd_server_free(s);
	xos_loop_free(loop);
	close(listener);
	free(path);
	xos_test_dir_free(dir);
}
END_TEST

/* Two requests in one piece, or more than was announced: told so once, with number 0, and hung up on. */
START_TEST(what_comes_before_the_answer_ends_the_connection)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_server *s = NULL;
	struct xos_loop *loop = NULL;
	char *dir = xos_test_dir_new(), *path = xos_test_path(dir, "credd.sock");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	uint8_t frames[2 * XOS_LOCAL_HEADER], back[512];
	const struct xos_local_header h = {
	    .kind = XOS_LOCAL_REQUEST, .op = XOS_LOCAL_STATUS, .number = 1};
	struct xos_local_header told;
	int listener;
	pthread_t thread;
	MUST(xos_loop_new(&loop, &err), &err);
	MUST(xos_credd_socket_bind(path, &listener, &err), &err);
	const struct xos_credd_server_options o = {.listen_fd = listener,
	    .connections_max = PLACES,
	    .handle = handle,
	    .is_service = is_service};
	MUST(xos_credd_server_new(loop, &o, &s, &err), &err);
	ck_assert_int_eq(pthread_create(&thread, NULL, run, loop), 0);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	xos_local_header_write(frames, &h);
	xos_local_header_write(frames + XOS_LOCAL_HEADER, &h);
	for (size_t n = XOS_LOCAL_HEADER + 1; n <= sizeof(frames); n += XOS_LOCAL_HEADER - 1) {
		size_t got = 0;
		ssize_t more;
		ck_assert_int_eq(send(fd, frames, n, MSG_NOSIGNAL), (int)n);
		while ((more = recv(fd, back + got, sizeof(back) - got, 0)) > 0)
			got += (size_t)more;
		ck_assert_uint_gt(got, XOS_LOCAL_HEADER);
		MUST(xos_local_header_read(back, &told, &err), &err);
		ck_assert_uint_eq(told.number, 0);
		ck_assert_uint_eq(got, XOS_LOCAL_HEADER + told.length);
		ck_assert_uint_eq(back[XOS_LOCAL_HEADER], XOS_MALFORMED);
		close(fd);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	}
	close(fd);
	xos_loop_stop(loop);
	pthread_join(thread, NULL);
	xos_credd_server_free(s);
	xos_loop_free(loop);
	close(listener);
	free(path);
	xos_test_dir_free(dir);
}
END_TEST

/* --- what takes long --- */

struct order {
	int asked, served, before; /* before the service */
	bool done;
};

static bool last_is_service(void *ctx, uid_t uid)
{
	struct order *o = ctx;
	(void)uid;
	return o->asked++ == MANY;
}

static enum xos_status handle_slowly(void *ctx, const struct xos_credd_peer *peer,
    const struct xos_local_request *req, struct xos_local_answer *answer, struct xos_buf *plain,
    struct xos_secret **secret, struct xos_err *err)
{
	struct order *o = ctx;
	if (peer->service) {
		o->before = o->served;
		o->done = true;
	} else {
		o->served++;
		usleep(3000);
	}
	return handle(ctx, peer, req, answer, plain, secret, err);
}

static int ask_only(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	uint8_t frame[XOS_LOCAL_HEADER];
	const struct xos_local_header h = {
	    .kind = XOS_LOCAL_REQUEST, .op = XOS_LOCAL_STATUS, .number = 1};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	xos_local_header_write(frame, &h);
	ck_assert_int_eq(send(fd, frame, sizeof(frame), MSG_NOSIGNAL), (int)sizeof(frame));
	return fd;
}

/* Many connections that ask for what takes long (chains that nobody has seen) must not make a service wait for all of them: it
 * asks whether a job is to be frozen, and gives up after a second. */
START_TEST(a_service_waits_for_one_slow_request)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_server *s = NULL;
	struct xos_loop *loop = NULL;
	char *dir = xos_test_dir_new(), *path = xos_test_path(dir, "credd.sock");
	int fds[MANY + 1], listener;
	struct order order = {.asked = 0};
	struct pollfd p = {.events = POLLIN};
	pthread_t thread;
	MUST(xos_loop_new(&loop, &err), &err);
	MUST(xos_credd_socket_bind(path, &listener, &err), &err);
	const struct xos_credd_server_options o = {.listen_fd = listener,
	    .connections_max = 10 * MANY,
	    .handle = handle_slowly,
	    .is_service = last_is_service,
	    .ctx = &order};
	MUST(xos_credd_server_new(loop, &o, &s, &err), &err);
	for (int i = 0; i <= MANY; i++)
		fds[i] = ask_only(path);
	ck_assert_int_eq(pthread_create(&thread, NULL, run, loop), 0);
	for (int i = 0; i <= MANY; i++) {
		p.fd = fds[i];
		ck_assert_int_eq(poll(&p, 1, 30000), 1);
	}
	xos_loop_stop(loop);
	pthread_join(thread, NULL);
	ck_assert(order.done);
	ck_assert_int_eq(order.served, MANY);
	ck_assert_int_le(order.before, 1);
	for (int i = 0; i <= MANY; i++)
		close(fds[i]);
	xos_credd_server_free(s);
	xos_loop_free(loop);
	close(listener);
	free(path);
	xos_test_dir_free(dir);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("credd-server");
	TCase *c = tcase_create("server");
	SRunner *r;
	int failed;
	tcase_add_test(c, places_are_left_for_services);
	tcase_add_test(c, what_comes_before_the_answer_ends_the_connection);
	tcase_add_test(c, a_service_waits_for_one_slow_request);
	tcase_set_timeout(c, 60);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
