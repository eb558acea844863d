/* Which delegated credential a job was submitted with. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/via.h"

#define A "00112233445566778899aabbccddeeff"
#define B "ff112233445566778899aabbccddeeff"

static struct xos_delegation job_a = {.actor = "job", .id = A}, job_b = {.actor = "job", .id = B};

static void via(char out[XOS_VIA_TEXT], struct xos_delegation **steps, size_t n)
{
	const struct xos_identity who = {.steps = steps, .nsteps = n};

	ck_assert(xos_job_via(&who, out));
}

START_TEST(a_delegation_is_named_by_actor_and_id)
{
	char text[XOS_VIA_TEXT];

	via(text, NULL, 0);
	ck_assert_str_eq(text, "");
	via(text, (struct xos_delegation *[]){&job_a}, 1);
	ck_assert_str_eq(text, "job " A);
}
END_TEST

/* Actor and id of what a job passes on are its own words. */
START_TEST(no_job_takes_the_name_of_another)
{
	char real[XOS_VIA_TEXT], forged[XOS_VIA_TEXT], other[XOS_VIA_TEXT];
	struct xos_delegation longest = {.actor = "job"};

	via(real, (struct xos_delegation *[]){&job_b}, 1);
	via(forged, (struct xos_delegation *[]){&job_a, &job_b}, 2);
	ck_assert_str_ne(real, forged);
	ck_assert(strncmp(forged, "job " B " (", strlen("job " B " (")) == 0);
	via(other, (struct xos_delegation *[]){&job_b, &job_b}, 2);
	ck_assert_str_ne(other, forged);
	via(other, (struct xos_delegation *[]){&job_a, &job_b}, 2);
	ck_assert_str_eq(other, forged);
	/* Nor where there is no room for the whole id. */
	memset(longest.id, 'x', XOS_GRANT_ID_MAX);
	memset(longest.actor, 'a', XOS_ACTOR_MAX);
	via(real, (struct xos_delegation *[]){&longest}, 1);
	via(forged, (struct xos_delegation *[]){&job_a, &longest}, 2);
	via(other, (struct xos_delegation *[]){&job_b, &longest}, 2);
	ck_assert_str_ne(real, forged);
	ck_assert_str_ne(other, forged);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("via");
	TCase *t = tcase_create("via");

	tcase_add_test(t, a_delegation_is_named_by_actor_and_id);
	tcase_add_test(t, no_job_takes_the_name_of_another);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
