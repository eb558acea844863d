#ifndef XOS_TEST_NET_FIXTURE_H
#define XOS_TEST_NET_FIXTURE_H

#include <pthread.h>
#include <stddef.h>

#include "net/server.h"

/* A server of the test's own in a thread of its own, and a bare socket to talk to it. */
struct fixture {
	struct xos_loop *loop;
	struct xos_pool *pool;
	struct xos_server *server;
	pthread_t thread;
	int port;
};

/* listen, pool and what is 0 in opts are filled in. Routes: see fixture.c. */
void fixture_start(struct fixture *f, struct xos_server_options opts);
void fixture_stop(struct fixture *f);

/* Waits until n requests for /slow have been in a handler since the start. */
void fixture_await_slow(int n);

int raw_connect(int port);
void raw_send(int fd, const void *p, size_t n);
void raw_say(int fd, const char *text);
/* Reads until the peer closes, n bytes came or ms passed; NUL-terminated; gives the length. */
size_t raw_read(int fd, char *out, size_t cap, int ms);
/* The same until one whole response with Content-Length came. */
size_t raw_response(int fd, char *out, size_t cap, int ms);
/* "HTTP/1.1 404 ..." -> 404; 0 if it is no status line. */
int raw_status(const char *response);
/* 1 if the peer has closed within ms. */
int raw_closed(int fd, int ms);

#endif
