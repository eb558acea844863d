/* Applications: a bounded queue that strangers write, decided once. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/auth/applications.h"
#include "store/sql.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW 1800000000

static char *dir, *p_membership, *p_verifiers;
static struct ca_membership *m;
static struct ca_verifiers *v;
static struct xos_err err;
static struct xos_application a;
static char id[XOS_APPLY_ID_LEN + 1];

static void setup(void)
{
	struct xos_secret *pw = xos_secret_from("long enough", 11);

	dir = xos_test_dir_new();
	p_membership = xos_test_path(dir, "membership.db");
	p_verifiers = xos_test_path(dir, "verifiers.db");
	MUST(ca_membership_open(p_membership, "demo", true, false, &m, &err), &err);
	MUST(ca_verifiers_open(p_verifiers, true, &v, &err), &err);
	/* speed, not durability, is what a flood of a thousand needs here */
	MUST(xos_store_exec(m->store, "PRAGMA synchronous = OFF", &err), &err);
	MUST(xos_store_exec(v->store, "PRAGMA synchronous = OFF", &err), &err);
	memset(&a, 0, sizeof(a));
	strcpy(a.name, "zoe");
	strcpy(a.contact, "zoe@site.example");
	MUST(xos_scram_verifier_make(pw, 4096, &a.verifier, &err), &err);
	xos_secret_free(pw);
}

static void teardown(void)
{
	ca_verifiers_close(v);
	ca_membership_close(m);
	free(p_membership);
	free(p_verifiers);
	xos_test_dir_free(dir);
}

static enum xos_status apply(const char *address, int64_t now)
{
	memset(&err, 0, sizeof(err));
	return ca_application_add(m, v, &a, address, now, id, &err);
}

static void decide(const char *what, enum ca_application_state state, int64_t now)
{
	MUST(xos_store_begin(m->store, &err), &err);
	MUST(ca_application_decide(m, what, state, "", now, &err), &err);
	MUST(xos_store_commit(m->store, &err), &err);
}

static int64_t count(struct xos_store *s, const char *sql)
{
	int64_t n = 0;

	MUST(xos_sql_int(s, &n, &err, sql, ""), &err);
	return n;
}

START_TEST(one_address_has_few_places)
{
	char first[XOS_APPLY_ID_LEN + 1];

	MUST(apply("[2001:db8::1]", NOW), &err);
	memcpy(first, id, sizeof(first));
	for (int i = 1; i < CA_APPLICATIONS_ADDRESS; i++)
		MUST(apply("[2001:db8::2]", NOW), &err);
	/* another address of the same network is the same place */
	ck_assert_int_eq(apply("[2001:db8::3]", NOW), XOS_LIMIT);
	ck_assert_str_eq(err.code, "applications-address");
	MUST(apply("192.0.2.1", NOW), &err);
	decide(first, CA_DENIED, NOW);
	MUST(apply("[2001:db8::3]", NOW), &err);
	/* a name that was only applied for is free */
	ck_assert_int_eq(count(m->store, "SELECT COUNT(*) FROM members"), 0);
}
END_TEST

START_TEST(a_flood_fills_a_bounded_queue_and_what_is_old_makes_room)
{
	char address[32];

	for (int i = 0; i < CA_APPLICATIONS_MAX; i++) {
		snprintf(address, sizeof(address), "10.0.%d.%d", i / 256, i % 256);
		MUST(apply(address, NOW + i), &err);
	}
	/* a refusal costs no tidying, which would find this */
	MUST(xos_sql_run(v->store, NULL, &err, "INSERT INTO applied VALUES ('left', 'x')", ""),
	    &err);
	ck_assert_int_eq(apply("192.0.2.1", NOW + 2000), XOS_LIMIT);
	ck_assert_str_eq(err.code, "applications-full");
	ck_assert_int_eq(count(v->store, "SELECT COUNT(*) FROM applied"), CA_APPLICATIONS_MAX + 1);
	MUST(apply("192.0.2.1", NOW + CA_APPLICATIONS_WAIT), &err);
	ck_assert_int_eq(count(v->store, "SELECT COUNT(*) FROM applied"), CA_APPLICATIONS_MAX);
}
END_TEST

START_TEST(an_application_is_decided_once_and_its_verifier_goes)
{
	struct ca_application got;
	struct xos_scram_verifier kept;

	MUST(apply("192.0.2.1", NOW), &err);
	MUST(ca_application_verifier(v, id, &kept, &err), &err);
	ck_assert_int_eq(memcmp(&kept, &a.verifier, sizeof(kept)), 0);
	MUST(ca_applications_tidy(m, v, NOW, &err), &err);
	MUST(ca_application_verifier(v, id, &kept, &err), &err);
	decide(id, CA_APPROVED, NOW);
	MUST(xos_store_begin(m->store, &err), &err);
	ck_assert_int_eq(ca_application_decide(m, id, CA_DENIED, "", NOW, &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "application-decided");
	xos_store_rollback(m->store);
	MUST(ca_applications_tidy(m, v, NOW, &err), &err);
	ck_assert_int_ne(ca_application_verifier(v, id, &kept, &err), XOS_OK);
	MUST(ca_application_get(m, id, &got, &err), &err);
	ck_assert_int_eq(got.state, CA_APPROVED);
	/* told for a while, then forgotten */
	MUST(ca_applications_tidy(m, v, NOW + CA_APPLICATIONS_TOLD, &err), &err);
	ck_assert_int_eq(ca_application_get(m, id, &got, &err), XOS_NOT_FOUND);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-applications");
	TCase *t = tcase_create("applications");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, one_address_has_few_places);
	tcase_add_test(t, a_flood_fills_a_bounded_queue_and_what_is_old_makes_room);
	tcase_add_test(t, an_application_is_decided_once_and_its_verifier_goes);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
