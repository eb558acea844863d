#ifndef XOS_TESTSUPPORT_MUST_H
#define XOS_TESTSUPPORT_MUST_H

#include <stdbool.h>

#include "base/status.h"

/* For makers, not for what is under test: ends the program when a preparation fails. */
void xos_test_must(
    enum xos_status st, const struct xos_err *err, const char *what, const char *file, int line);
#define MUST(call, err) xos_test_must((call), (err), #call, __FILE__, __LINE__)
#define MUST_TRUE(condition)                                                                       \
	xos_test_must((condition) ? XOS_OK : XOS_INTERNAL, NULL, #condition, __FILE__, __LINE__)

#endif
