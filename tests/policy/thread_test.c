/* Threads decide while policies are swapped: nothing but counted, immutable sets is shared. For the thread
 * sanitizer above all. */
#include <pthread.h>

#include "policy_test.h"

#define THREADS 4
#define DECISIONS 2000

static const char vo_text[] =
    "vo \"demo\" serial 1 { define $a { group /demo/a, group /demo/physics } permit $a action any "
    "on "
    "site:lab, tag:x when time in 00:00-24:00 Europe/Paris or not time in 08:00-09:00 UTC; limit "
    "any "
    "action any { account_class in {p, q}; wall <= 1h; } duty any action any { record; } }";
static const char site_text[] = "site \"lab\" serial 1 { node n1; permit any action job.*; forbid "
                                "any action job.submit on class:c "
                                "when job.cpu > 4; }";

struct shared {
	pthread_mutex_t lock; /* guards current alone */
	struct xos_policy *current;
	struct xos_policy_set *vo, *site, *chain;
};

/* A new policy of the same sets, in the place of the one that others still decide with. */
static bool swap(struct shared *s)
{
	struct xos_policy_part parts[2] = {{.set = s->vo}, {.set = s->site}};
	struct xos_policy *p, *old;
	if (xos_policy_new(parts, 2, NULL, &p, NULL) != XOS_OK)
		return false;
	pthread_mutex_lock(&s->lock);
	old = s->current;
	s->current = p;
	pthread_mutex_unlock(&s->lock);
	xos_policy_unref(old);
	return true;
}

static void *work(void *arg)
{
	struct shared *s = arg;
	struct xos_policy_request req = alice();
	const struct xos_policy_set *chain[] = {s->chain};
	struct xos_policy_answer a;
	uintptr_t permitted = 0;
	xos_policy_answer_init(&a);
	req.chain = chain;
	req.nchain = 1;
	for (unsigned i = 0; i < DECISIONS; i++) {
		struct xos_policy_interned_subject *subject = NULL;
		pthread_mutex_lock(&s->lock);
		struct xos_policy *p = xos_policy_ref(s->current);
		pthread_mutex_unlock(&s->lock);
		if (i % 8 == 0 &&
		    xos_policy_intern_subject(p, &req.subject, &subject, NULL) == XOS_OK)
			req.interned_subject = subject;
		if (xos_policy_decide(p, &req, &a) == XOS_OK && a.nlimits == 2 && a.nduties == 1)
			permitted++;
		req.interned_subject = NULL;
		xos_policy_interned_subject_free(subject);
		xos_policy_unref(p);
	}
	xos_policy_answer_free(&a);
	return (void *)permitted;
}

START_TEST(threads_decide_while_policies_are_swapped)
{
	struct shared s = {.lock = PTHREAD_MUTEX_INITIALIZER,
	    .vo = must_parse(vo_text),
	    .site = must_parse(site_text),
	    .chain = must_parse("delegation { check action in {job.submit} and on site:lab; }")};
	pthread_t threads[THREADS];
	ck_assert(swap(&s));
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &s), 0);
	for (unsigned i = 0; i < 200; i++)
		ck_assert(swap(&s));
	for (unsigned i = 0; i < THREADS; i++) {
		void *permitted;
		ck_assert_int_eq(pthread_join(threads[i], &permitted), 0);
		ck_assert_uint_eq((uintptr_t)permitted, DECISIONS);
	}
	xos_policy_unref(s.current);
	xos_policy_set_unref(s.vo);
	xos_policy_set_unref(s.site);
	xos_policy_set_unref(s.chain);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy thread");
	TCase *tc = tcase_create("threads");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, threads_decide_while_policies_are_swapped);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
