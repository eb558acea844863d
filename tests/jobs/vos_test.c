/* Which jobd.conf of further VOs go together with the first one's. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "jobs/vos.h"

static char dir[64];
static struct xos_jobs_config first;

static void put(const char *vo, const char *text)
{
	char path[256];

	ck_assert(xos_str_printf(path, sizeof(path), "%s/vos/%s", dir, vo));
	ck_assert_int_eq(xos_dir_make(path, 0755, NULL), XOS_OK);
	ck_assert(xos_str_printf(path, sizeof(path), "%s/vos/%s/jobd.conf", dir, vo));
	ck_assert_int_eq(xos_file_write(path, 0644, xos_bytes_str(text), NULL), XOS_OK);
}

/* A good one but for the line that begins like `instead`, which is replaced. */
static const char *conf(const char *vo, const char *instead)
{
	static char text[2048];
	const char *const lines[] = {"vo = %s", "listen = 127.0.0.1:1", "node = n1", "site = lab",
	    "state = jobd", "trust = trust", "tls_certificate = tls/jobs.pem",
	    "tls_key = tls/jobs.key", "credd_socket = run/credd.sock", "credd_user = 1899999052",
	    "user_network = 1899999051"};
	size_t n = 0, key = instead ? strcspn(instead, "=") : 0;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char line[128];

		if (i == 0)
			snprintf(line, sizeof(line), "vo = %s", vo);
		else
			snprintf(line, sizeof(line), "%s", lines[i]);
		if (!key || strncmp(line, instead, key) != 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\n", line);
	}
	snprintf(text + n, sizeof(text) - n, "%s\n", instead ? instead : "");
	return text;
}

static void load_first(void)
{
	char path[128];
	const char *text =
	    "vo = demo\nlisten = 127.0.0.1:1\nnode = n1\nsite = lab\nstate = jobd\ntrust = trust\n"
	    "tls_certificate = tls/jobs.pem\ntls_key = tls/jobs.key\n"
	    "credd_socket = run/credd.sock\ncredd_user = 1899999050\nuser_network = 1899999051\n"
	    "vos = vos\n";

	ck_assert(xos_str_printf(path, sizeof(path), "%s/jobd.conf", dir));
	ck_assert_int_eq(xos_file_write(path, 0644, xos_bytes_str(text), NULL), XOS_OK);
	ck_assert_int_eq(
	    xos_config_load(path, xos_jobs_keys, xos_jobs_nkeys, &first, NULL), XOS_OK);
}

static void set_up(void)
{
	static const char *const there[] = {"jobd", "tls/jobs.key", "run/credd.sock"};
	char path[128];

	snprintf(dir, sizeof(dir), "/tmp/xos-vos-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
		ck_assert(xos_str_printf(path, sizeof(path), "%s/%s", dir, there[i]));
		ck_assert_int_eq(xos_dir_make(path, 0755, NULL), XOS_OK);
	}
	load_first();
}

static void tear_down(void)
{
	char command[128];

	xos_config_free(xos_jobs_keys, xos_jobs_nkeys, &first);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0); /* NOLINT: our own folder */
}

static enum xos_status load(size_t *n, struct xos_err *err)
{
	struct xos_jobs_vos *v = NULL;
	enum xos_status st = xos_jobs_vos_load(&first, &v, err);

	*n = v ? v->n : 0;
	ck_assert(st == XOS_OK || !v);
	xos_jobs_vos_free(v);
	return st;
}

START_TEST(none_without_a_folder)
{
	size_t n;

	ck_assert_int_eq(load(&n, NULL), XOS_OK);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(several_in_the_order_of_their_names)
{
	struct xos_jobs_vos *v = NULL;
	char half[128];

	put("second", conf("second", NULL));
	put("other", conf("other", "credd_user = 1899999053"));
	/* One that has only applied, and a folder that is no VO's. */
	snprintf(half, sizeof(half), "%s/vos/applied", dir);
	ck_assert_int_eq(xos_dir_make(half, 0755, NULL), XOS_OK);
	put("Not-A-VO", "rubbish");
	ck_assert_int_eq(xos_jobs_vos_load(&first, &v, NULL), XOS_OK);
	ck_assert_uint_eq(v->n, 2);
	ck_assert_str_eq(v->conf[0].common.vo, "other");
	ck_assert_str_eq(v->conf[1].common.vo, "second");
	snprintf(half, sizeof(half), "%s/vos/second/jobd", dir);
	ck_assert_str_eq(v->conf[1].common.state, half);
	xos_jobs_vos_free(v);
}
END_TEST

/* What one VO would share with another, or have otherwise, that must not. */
static const char *const refused[] = {"vo = other", "listen = 127.0.0.1:2", "node = n2",
    "site = elsewhere", "state = ../../jobd", "credd_socket = ../../run/credd.sock",
    "credd_user = 1899999050", "user_network = 1899999060", "tls_key = ../../tls/jobs.key",
    "vos = vos"};
#define NREFUSED (sizeof(refused) / sizeof(refused[0]))

START_TEST(what_does_not_go_together)
{
	struct xos_err err = XOS_ERR_INIT;
	size_t n;

	put("second", conf("second", refused[_i]));
	ck_assert_int_eq(load(&n, &err), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "vos");
	ck_assert_ptr_nonnull(strstr(err.text, "second/jobd.conf"));
}
END_TEST

START_TEST(the_first_vo_again)
{
	struct xos_err err = XOS_ERR_INIT;
	size_t n;

	put("demo", conf("demo", NULL));
	ck_assert_int_eq(load(&n, &err), XOS_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err.text, "already"));
}
END_TEST

/* When the first VO was left, the next one's jobd.conf lies among the others. */
START_TEST(the_first_among_the_others)
{
	char path[128];
	size_t n;

	put("second", conf("second", "vos = .."));
	put("third", conf("third", "credd_user = 1899999053"));
	xos_config_free(xos_jobs_keys, xos_jobs_nkeys, &first);
	ck_assert(xos_str_printf(path, sizeof(path), "%s/vos/second/jobd", dir));
	ck_assert_int_eq(xos_dir_make(path, 0755, NULL), XOS_OK);
	ck_assert(xos_str_printf(path, sizeof(path), "%s/vos/second/jobd.conf", dir));
	ck_assert_int_eq(
	    xos_config_load(path, xos_jobs_keys, xos_jobs_nkeys, &first, NULL), XOS_OK);
	ck_assert_int_eq(load(&n, NULL), XOS_OK);
	ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(further_ones_share_nothing_either)
{
	struct xos_err err = XOS_ERR_INIT;
	size_t n;

	put("second", conf("second", NULL));
	put("third", conf("third", "credd_socket = ../second/run/credd.sock"));
	ck_assert_int_eq(load(&n, &err), XOS_CONFLICT); /* the user is the same too */
}
END_TEST

START_TEST(a_damaged_one_refuses_all)
{
	struct xos_err err = XOS_ERR_INIT;
	size_t n;

	put("second", "vo = second\nrubbish = 1\n");
	ck_assert_int_eq(load(&n, &err), XOS_MALFORMED);
}
END_TEST

START_TEST(too_many)
{
	struct xos_err err = XOS_ERR_INIT;
	char vo[16], text[64];
	size_t n;

	for (int i = 0; i < XOS_JOBS_VOS_MAX; i++) {
		snprintf(vo, sizeof(vo), "vo%d", i);
		snprintf(text, sizeof(text), "credd_user = %d", 1899999060 + i);
		put(vo, conf(vo, text));
	}
	ck_assert_int_eq(load(&n, &err), XOS_OK);
	ck_assert_uint_eq(n, XOS_JOBS_VOS_MAX);
	put("vx", conf("vx", "credd_user = 1899999090"));
	ck_assert_int_eq(load(&n, &err), XOS_LIMIT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("jobs/vos");
	TCase *c = tcase_create("vos");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, none_without_a_folder);
	tcase_add_test(c, several_in_the_order_of_their_names);
	tcase_add_loop_test(c, what_does_not_go_together, 0, NREFUSED);
	tcase_add_test(c, the_first_vo_again);
	tcase_add_test(c, the_first_among_the_others);
	tcase_add_test(c, further_ones_share_nothing_either);
	tcase_add_test(c, a_damaged_one_refuses_all);
	tcase_add_test(c, too_many);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
