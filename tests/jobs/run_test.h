#ifndef XOS_TESTS_JOBS_RUN_TEST_H
#define XOS_TESTS_JOBS_RUN_TEST_H

#include <check.h>

Suite *codec_suite(void);
Suite *monitor_suite(void);
Suite *box_suite(void);
Suite *running_suite(void);

#endif
