#ifndef XOS_TESTS_BUNDLE_TAKING_H
#define XOS_TESTS_BUNDLE_TAKING_H

#include "bundle/bundle.h"
#include "testsupport/vo.h"

/* A node that takes bundles, and what stands in a good one: shared by the tests of bundles. */
#define NOW INT64_C(1795000000)
#define HOUR 3600
#define SITE_TEXT "site \"lab\" serial 5 { permit vo demo action job.submit on site:lab; }\n"

extern struct xos_test_vo *vo, *twin;
extern struct xos_trust *trust;
extern struct xos_bundle_trust bt;
extern struct xos_bundle_seen seen;
extern struct xos_bundle_want want;
extern struct xos_buf compact;
extern struct xos_err err;

void taking_setup(void);
void taking_teardown(void);
struct xos_test_bundle good(void);
/* The bundle that by signs is in compact then. */
void make(const struct xos_test_vo *by, const struct xos_test_bundle *b);
/* What is in compact has to be taken, or refused so (code NULL: any). */
struct xos_bundle *take(void);
void refuse(enum xos_status status, const char *code);

#endif
