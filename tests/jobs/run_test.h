#ifndef XOS_TESTS_JOBS_RUN_TEST_H
#define XOS_TESTS_JOBS_RUN_TEST_H

#include <check.h>

Suite *codec_suite(void);
Suite *monitor_suite(void);
Suite *frozen_suite(void);

#endif
