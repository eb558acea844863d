#ifndef XOS_TEST_SERVICE_AUTHORITY_DAEMON_H
#define XOS_TEST_SERVICE_AUTHORITY_DAEMON_H

#include "service/main.h"

#define WAIT_MS 30000

/* A service of three processes: /say goes through all of them, /cheat tries to leave auth out, /who says
 * who asked. A motto of "broken" is a key process that does not start. */
extern const struct xos_service_program test_daemon;

#endif
