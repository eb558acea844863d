/* Host certificates of ssh, against ssh-keygen's own keys and eyes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "pki/sshcert.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

static struct xos_err err;
static struct xos_key *ca;
static char *dir;

static void setup(void)
{
	dir = xos_test_dir_new();
	MUST(xos_key_generate(&ca, &err), &err);
}

static void teardown(void)
{
	xos_key_free(ca);
	xos_test_dir_free(dir);
}

/* By the shell, which knows the folder as D and the two others as A and B. */
static void run(const char *command, const char *a, const char *b)
{
	ck_assert(setenv("D", dir, 1) == 0 && setenv("A", a, 1) == 0 && setenv("B", b, 1) == 0);
	ck_assert_int_eq(system(command), 0);
}

static void host_key(const char *type, const char *size, struct xos_ssh_key *out)
{
	char *path = xos_test_path(dir, "key.pub");
	struct xos_buf line;

	run("rm -f $D/key $D/key.pub; ssh-keygen -q -N '' -t $A $B -f $D/key", type, size);
	xos_buf_init(&line, XOS_SSH_LINE_MAX);
	MUST(xos_file_read(path, XOS_SSH_LINE_MAX, &line, &err), &err);
	MUST(xos_ssh_key_from_line(xos_buf_bytes(&line), out, &err), &err);
	xos_buf_free(&line);
	free(path);
}

static struct xos_sshcert fields(const struct xos_ssh_key *key)
{
	struct xos_sshcert c = {
	    .key = *key, .serial = 77, .nprincipals = 2, .after = 1000, .before = 2000};

	MUST_TRUE(xos_str_copy(c.id, sizeof(c.id), "demo/node/n1") &&
	          xos_str_copy(c.principals[0], sizeof(c.principals[0]), "n1.example.org") &&
	          xos_str_copy(c.principals[1], sizeof(c.principals[1]), "192.0.2.7"));
	return c;
}

static void sign(const struct xos_sshcert *c, struct xos_buf *blob)
{
	xos_buf_init(blob, XOS_SSH_CERT_MAX);
	MUST(xos_sshcert_sign(ca, c, blob, &err), &err);
}

START_TEST(every_kind_of_host_key_is_read_back_and_by_ssh_keygen)
{
	static const char *const kinds[][2] = {{"ed25519", ""}, {"ecdsa", "-b 256"},
	    {"ecdsa", "-b 384"}, {"ecdsa", "-b 521"}, {"rsa", "-b 2048"}};
	char *path = xos_test_path(dir, "key-cert.pub");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct xos_ssh_key key, own;
		struct xos_sshcert got;
		struct xos_buf blob, line;

		host_key(kinds[i][0], kinds[i][1], &key);
		const struct xos_sshcert c = fields(&key);
		sign(&c, &blob);
		MUST(xos_sshcert_read(xos_buf_bytes(&blob), &got, &err), &err);
		ck_assert(got.key.n == key.n && memcmp(got.key.blob, key.blob, key.n) == 0);
		MUST(xos_ssh_key_of(ca, &own, &err), &err);
		ck_assert(
		    got.authority.n == own.n && memcmp(got.authority.blob, own.blob, own.n) == 0);
		ck_assert_str_eq(got.id, "demo/node/n1");
		ck_assert_uint_eq(got.nprincipals, 2);
		ck_assert_str_eq(got.principals[1], "192.0.2.7");
		ck_assert(got.serial == 77 && got.after == 1000 && got.before == 2000);
		xos_buf_init(&line, XOS_SSH_LINE_MAX);
		xos_ssh_line(&line, xos_buf_bytes(&blob));
		MUST(xos_sshcert_from_line(xos_buf_bytes(&line), &got, &err), &err);
		xos_buf_put_str(&line, "\n");
		MUST(xos_file_write(path, 0644, xos_buf_bytes(&line), &err), &err);
		run("ssh-keygen -L -f $D/key-cert.pub >$D/seen && grep -q 'host certificate' "
		    "$D/seen && "
		    "grep -q 'n1.example.org' $D/seen && grep -q \"$A\" $D/seen && grep -q \"$B\" "
		    "$D/seen",
		    "Key ID: .demo/node/n1.", "Serial: 77");
		xos_buf_free(&line);
		xos_buf_free(&blob);
	}
	free(path);
}
END_TEST

START_TEST(no_byte_can_be_changed_left_out_or_added)
{
	struct xos_ssh_key key;
	struct xos_sshcert got;
	struct xos_buf blob;

	host_key("ed25519", "", &key);
	const struct xos_sshcert c = fields(&key);
	sign(&c, &blob);
	for (size_t i = 0; i < blob.n; i++) {
		blob.p[i] ^= 1;
		ck_assert_int_ne(xos_sshcert_read(xos_buf_bytes(&blob), &got, &err), XOS_OK);
		blob.p[i] ^= 1;
		ck_assert_int_ne(
		    xos_sshcert_read((struct xos_bytes){blob.p, i}, &got, &err), XOS_OK);
	}
	MUST(xos_sshcert_read(xos_buf_bytes(&blob), &got, &err), &err);
	xos_buf_put_str(&blob, "x");
	ck_assert_int_eq(xos_sshcert_read(xos_buf_bytes(&blob), &got, &err), XOS_MALFORMED);
	xos_buf_free(&blob);
}
END_TEST

static void refuse_fields(const struct xos_sshcert *c)
{
	struct xos_buf blob;

	xos_buf_init(&blob, XOS_SSH_CERT_MAX);
	ck_assert_int_eq(xos_sshcert_sign(ca, c, &blob, &err), XOS_MALFORMED);
	ck_assert_uint_eq(blob.n, 0);
	xos_buf_free(&blob);
}

START_TEST(fields_that_would_mean_more_are_not_signed)
{
	struct xos_ssh_key key;

	host_key("ed25519", "", &key);
	struct xos_sshcert c = fields(&key);
	c.nprincipals = 0; /* would be good for every host */
	refuse_fields(&c);
	c = fields(&key);
	c.principals[1][0] = '\0';
	refuse_fields(&c);
	c = fields(&key);
	memcpy(c.principals[1], "a,b", 4);
	refuse_fields(&c);
	c = fields(&key);
	c.after = c.before;
	refuse_fields(&c);
	c = fields(&key);
	memcpy(c.id, "a b", 4);
	refuse_fields(&c);
}
END_TEST

/* Made by ssh-keygen: another kind, another authority's key. */
START_TEST(what_is_no_host_certificate_of_ours_is_refused)
{
	char *path = xos_test_path(dir, "key-cert.pub");
	struct xos_ssh_key key;
	struct xos_sshcert got;
	struct xos_buf line;

	host_key("ed25519", "", &key);
	run("ssh-keygen -q -N '' -t ecdsa -b 256 -f $D/$A; ssh-keygen -q -s $D/ca -I $B -n root "
	    "$D/key.pub",
	    "ca", "demo/node/n1");
	xos_buf_init(&line, XOS_SSH_LINE_MAX);
	MUST(xos_file_read(path, XOS_SSH_LINE_MAX, &line, &err), &err);
	ck_assert_int_eq(xos_sshcert_from_line(xos_buf_bytes(&line), &got, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "ssh-kind");
	xos_buf_free(&line);
	run("rm -f $D/ca; ssh-keygen -q -N '' -t $A -f $D/ca; ssh-keygen -q -s $D/ca -h -I $B -n "
	    "n1 $D/key.pub",
	    "ed25519", "demo/node/n1");
	xos_buf_init(&line, XOS_SSH_LINE_MAX);
	MUST(xos_file_read(path, XOS_SSH_LINE_MAX, &line, &err), &err);
	ck_assert_int_ne(xos_sshcert_from_line(xos_buf_bytes(&line), &got, &err), XOS_OK);
	xos_buf_free(&line);
	free(path);
}
END_TEST

static void refuse_line(const char *line)
{
	struct xos_ssh_key key;

	ck_assert_int_ne(xos_ssh_key_from_line(xos_bytes_str(line), &key, &err), XOS_OK);
}

START_TEST(lines_that_are_no_keys)
{
	refuse_line("");
	refuse_line("\n");
	refuse_line("ssh-ed25519");
	refuse_line("ssh-ed25519 ");
	refuse_line("ssh-ed25519 AAAA");
	refuse_line("ssh-dss AAAAB3NzaC1kc3MAAAAA");
	/* The type inside is another one; a key of 31 bytes; two lines. */
	refuse_line("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	refuse_line(
	    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAHwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	refuse_line(
	    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nx");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pki-sshcert");
	TCase *tc = tcase_create("sshcert");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, every_kind_of_host_key_is_read_back_and_by_ssh_keygen);
	tcase_add_test(tc, no_byte_can_be_changed_left_out_or_added);
	tcase_add_test(tc, fields_that_would_mean_more_are_not_signed);
	tcase_add_test(tc, what_is_no_host_certificate_of_ours_is_refused);
	tcase_add_test(tc, lines_that_are_no_keys);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
