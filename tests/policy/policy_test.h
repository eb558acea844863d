#ifndef XOS_TESTS_POLICY_TEST_H
#define XOS_TESTS_POLICY_TEST_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/decide.h"
#include "policy/restriction.h"

/* A set from text; the test fails with the errors if it does not parse. */
static inline struct xos_policy_set *must_parse(const char *text)
{
	static struct xos_policy_errors errs;
	struct xos_policy_set *set = NULL;
	struct xos_buf out;
	if (xos_policy_set_parse(text, strlen(text), "test", &set, &errs) != XOS_OK) {
		xos_buf_init(&out, 100000);
		xos_policy_errors_print(&errs, &out);
		ck_abort_msg("%s\nin: %s", xos_buf_str(&out), text);
	}
	return set;
}

/* The text must be refused, and its first error must say this. */
static inline void must_refuse(const char *text, const char *message)
{
	static struct xos_policy_errors errs;
	struct xos_policy_set *set = NULL;
	enum xos_status status = xos_policy_set_parse(text, strlen(text), "test", &set, &errs);
	ck_assert_msg(status != XOS_OK && !set, "accepted: %s", text);
	ck_assert_uint_ge(errs.n, 1);
	ck_assert_msg(strstr(errs.list[0].text, message), "'%s' instead of '%s' for: %s",
	    errs.list[0].text, message, text);
}

/* A policy from up to three texts (NULL: none). */
static inline struct xos_policy *must_build(const char *vo, const char *site, const char *node)
{
	const char *texts[] = {vo, site, node};
	struct xos_policy_part parts[3] = {0};
	struct xos_policy *p = NULL;
	struct xos_err err = XOS_ERR_INIT;
	size_t n = 0;
	for (size_t i = 0; i < 3; i++)
		if (texts[i])
			parts[n++].set = must_parse(texts[i]);
	ck_assert_msg(xos_policy_new(parts, n, NULL, &p, &err) == XOS_OK, "%s", err.text);
	while (n)
		xos_policy_set_unref(parts[--n].set);
	return p;
}

static const char *const physics[] = {"/demo", "/demo/physics"};

/* Alice of /demo/physics, at noon of 2026-11-22 UTC, submits a job to n1 of lab. */
#define NOON INT64_C(1795348800)
static inline struct xos_policy_request alice(void)
{
	return (struct xos_policy_request){.subject = {.kind = XOS_SUBJECT_MEMBER,
	                                       .vo = "demo",
	                                       .member = "alice",
	                                       .groups = physics,
	                                       .ngroups = 2,
	                                       .auth_mfa = -1},
	    .action = "job.submit",
	    .resource = {.kind = "node", .site = "lab", .node = "n1"},
	    .now = NOON};
}

static inline enum xos_policy_decision decide(
    const struct xos_policy *p, const struct xos_policy_request *req)
{
	struct xos_policy_answer a;
	xos_policy_answer_init(&a);
	enum xos_status status = xos_policy_decide(p, req, &a);
	enum xos_policy_decision d = a.decision;
	ck_assert_int_eq(status == XOS_OK, d == XOS_POLICY_PERMITTED);
	ck_assert_int_eq(status == XOS_DENIED, d == XOS_POLICY_DENIED);
	xos_policy_answer_free(&a);
	return d;
}

static const char *const words[] = {"undecided", "deny", "permit"};

#define ck_decision(p, req, expected)                                                              \
	do {                                                                                       \
		enum xos_policy_decision got_ = decide(p, req);                                    \
		ck_assert_str_eq(words[got_], words[expected]);                                    \
	} while (0)

#define PERMIT XOS_POLICY_PERMITTED
#define DENY XOS_POLICY_DENIED
#define UNDECIDED XOS_POLICY_UNDECIDED

static inline int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

#endif
