/* Certificate and key in two files that are replaced together, also when something comes in between. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "net/pair.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW INT64_C(1795000000)

static struct xos_test_vo *vo;
static struct xos_err err;
static char *dir, *cert, *key, *next_cert, *next_key;
static struct xos_tls_pair pair;
static struct xos_chain first, second;

static void make(struct xos_chain *out)
{
	const struct xos_test_who who = {
	    .name = "n1", .service = "jobs", .not_before = NOW - 100, .not_after = NOW + 900};

	xos_test_service(vo, &who, out);
}

static void setup(void)
{
	vo = xos_test_vo_new("demo", "lab", NOW);
	dir = xos_test_dir_new();
	cert = xos_test_path(dir, "jobs.pem");
	key = xos_test_path(dir, "jobs.key");
	next_cert = xos_test_path(dir, "jobs.pem.next");
	next_key = xos_test_path(dir, "jobs.key.next");
	MUST(xos_tls_pair_init(&pair, cert, key, &err), &err);
	make(&first);
	make(&second);
	MUST(xos_tls_pair_save(&pair, &first, &err), &err);
}

static void teardown(void)
{
	xos_chain_clear(&first);
	xos_chain_clear(&second);
	xos_tls_pair_clear(&pair);
	free(cert);
	free(key);
	free(next_cert);
	free(next_key);
	xos_test_dir_free(dir);
	xos_test_vo_free(vo);
}

/* What is there belongs together and is this one; nothing is left beside it. */
static void holds(const struct xos_chain *want)
{
	struct xos_chain got = {.n = 0};
	enum xos_status st = xos_tls_pair_load(&pair, &got, &err);

	ck_assert_msg(st == XOS_OK, "%s", err.text);
	ck_assert(xos_key_same(got.key, want->key));
	ck_assert(xos_key_same(xos_cert_key(got.cert[0]), want->key));
	ck_assert_uint_eq(got.n, want->n);
	ck_assert_int_ne(access(next_cert, F_OK), 0);
	ck_assert_int_ne(access(next_key, F_OK), 0);
	xos_chain_clear(&got);
}

static void put_key(const char *path, const struct xos_chain *c)
{
	MUST(xos_key_save(c->key, path, NULL, &err), &err);
}

static void put_cert(const char *path, const struct xos_chain *c)
{
	struct xos_buf pem;

	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	for (size_t i = 0; i < c->n; i++)
		xos_cert_to_pem(c->cert[i], &pem);
	MUST(xos_file_write(path, 0644, xos_buf_bytes(&pem), &err), &err);
	xos_buf_free(&pem);
}

START_TEST(replaced_together)
{
	struct stat sb;

	holds(&first);
	ck_assert_int_eq(pair.not_after, NOW + 900);
	ck_assert_int_ge(pair.renew_after, NOW + 400);
	ck_assert_int_le(pair.renew_after, NOW + 500);
	MUST(xos_tls_pair_save(&pair, &second, &err), &err);
	holds(&second);
	ck_assert_int_eq(stat(key, &sb), 0);
	ck_assert_uint_eq(sb.st_mode & 0777, 0600);
}
END_TEST

START_TEST(cut_off_at_every_step)
{
	/* Only the new key: nobody knows its certificate, so it goes. */
	put_key(next_key, &second);
	holds(&first);
	/* Both beside the old: the new ones count. */
	put_key(next_key, &second);
	put_cert(next_cert, &second);
	holds(&second);
	/* The key in place, its certificate still beside. */
	put_key(key, &first);
	put_cert(next_cert, &first);
	holds(&first);
	/* Nothing begun. */
	MUST(xos_tls_pair_finish(&pair, &err), &err);
	holds(&first);
}
END_TEST

START_TEST(a_certificate_for_another_key_is_not_saved)
{
	struct xos_chain mixed = {.n = 0};

	MUST(xos_chain_add(&mixed, second.cert[0]), &err);
	mixed.key = xos_key_ref(first.key);
	ck_assert_int_eq(xos_tls_pair_save(&pair, &mixed, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "renew-key");
	xos_chain_clear(&mixed);
	holds(&first);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("net pair");
	TCase *tc = tcase_create("pair");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, replaced_together);
	tcase_add_test(tc, cut_off_at_every_step);
	tcase_add_test(tc, a_certificate_for_another_key_is_not_saved);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
