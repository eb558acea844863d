#ifndef XOS_TEST_CREDD_SERVERS_H
#define XOS_TEST_CREDD_SERVERS_H

#include <stdint.h>
#include <sys/types.h>

#include "testsupport/vo.h"

/*
 * A server of the VO in a child process, over real TLS: what credd asks of vopsd (the bundle in the file
 * DIR/served, its tag being the file's time and size) and of rcad (renewal). service: what its certificate says it is.
 */
struct test_server {
	pid_t pid;
	uint16_t port;
};

void test_server_start(
    struct test_server *s, const struct xos_test_vo *vo, const char *service, const char *dir);
void test_server_stop(struct test_server *s);

#endif
