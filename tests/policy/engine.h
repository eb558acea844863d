#ifndef XOS_TESTS_POLICY_ENGINE_H
#define XOS_TESTS_POLICY_ENGINE_H

/* Policies of any number of sets, for the tests of the engine. */
#include "policy_test.h"

#define MOST_SETS 8

/* Texts up to a NULL. */
static inline struct xos_policy *must_build_all(const char *const *texts)
{
	struct xos_policy_part parts[MOST_SETS] = {{NULL, 0, 0}};
	struct xos_policy *p = NULL;
	struct xos_err err = XOS_ERR_INIT;
	size_t n = 0;
	for (; texts[n]; n++)
		parts[n].set = must_parse(texts[n]);
	ck_assert_msg(xos_policy_new(parts, n, NULL, &p, &err) == XOS_OK, "%s", err.text);
	while (n)
		xos_policy_set_unref(parts[--n].set);
	return p;
}
#define BUILD(...) must_build_all((const char *const[]){__VA_ARGS__, NULL})

/* Decides from strings and from what was interned, and demands that both say the same. */
static inline enum xos_policy_decision both_ways(
    struct xos_policy *p, const struct xos_policy_request *req, struct xos_policy_answer *a)
{
	struct xos_policy_answer other;
	struct xos_policy_interned_subject *s;
	struct xos_policy_interned_resource *r;
	struct xos_policy_request known = *req;
	enum xos_status status = xos_policy_decide(p, req, a);
	ck_assert_ptr_null(a->problem);
	ck_assert_int_eq(status == XOS_OK, a->decision == XOS_POLICY_PERMITTED);
	ck_assert_int_eq(xos_policy_intern_subject(p, &req->subject, &s, NULL), XOS_OK);
	ck_assert_int_eq(xos_policy_intern_resource(p, &req->resource, &r, NULL), XOS_OK);
	known.interned_subject = s;
	known.interned_resource = r;
	memset(&known.subject, 0, sizeof(known.subject));
	memset(&known.resource, 0, sizeof(known.resource));
	xos_policy_answer_init(&other);
	ck_assert_int_eq(xos_policy_decide(p, &known, &other), status);
	struct xos_buf one, two;
	xos_buf_init(&one, 10000);
	xos_buf_init(&two, 10000);
	xos_policy_answer_explain(a, &one);
	xos_policy_answer_explain(&other, &two);
	ck_assert_str_eq(xos_buf_str(&one), xos_buf_str(&two));
	ck_assert_uint_eq(a->statements, other.statements);
	xos_buf_free(&one);
	xos_buf_free(&two);
	xos_policy_answer_free(&other);
	xos_policy_interned_subject_free(s);
	xos_policy_interned_resource_free(r);
	return a->decision;
}

#define ck_both(p, req, expected)                                                                  \
	do {                                                                                       \
		struct xos_policy_answer a_;                                                       \
		xos_policy_answer_init(&a_);                                                       \
		enum xos_policy_decision got_ = both_ways(p, req, &a_);                            \
		ck_assert_str_eq(words[got_], words[expected]);                                    \
		xos_policy_answer_free(&a_);                                                       \
	} while (0)

#endif
