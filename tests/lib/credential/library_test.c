/* The library where there is no xos-credd, or one that does not answer; with one, tests/system/credentials.bats has it. */
#include <check.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xos/credential.h>

#include "base/clock.h"
#include "credential/keyring.h"
#include "credential/runtime.h"

static char dir[64], path[96];

static void setup(void)
{
	strcpy(dir, "/tmp/xos-library-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
}

static void teardown(void)
{
	unlink(path);
	rmdir(dir);
}

static struct xos_credd *opened(int timeout_ms)
{
	struct xos_err err;
	struct xos_credd *c = NULL;
	const struct xos_open_options o = {
	    .size = sizeof(o), .socket = path, .timeout_ms = timeout_ms};
	ck_assert_int_eq(xos_open(&o, &c, &err), XOS_OK);
	return c;
}

/* Each call ends, with the same two codes. */
static void all_fail(struct xos_credd *c, const char *code)
{
	static const unsigned char digest[32];
	static const char pem[] = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n";
	struct xos_err err;
	struct xos_credential_id id;
	struct xos_signature sig;
	struct xos_verdict v;
	struct xos_pem *secret = NULL;
	struct xos_delegate_options d = {
	    .size = sizeof(d), .csr = digest, .csr_len = sizeof(digest), .actor = "test"};
	unsigned char *csr = NULL;
	char *text = NULL, file[256];
	size_t n = 0;
	int64_t t = 0;
#define FAILS(call)                                                                                \
	do {                                                                                       \
		memset(&err, 0, sizeof(err));                                                      \
		ck_assert_int_eq(call, XOS_UNAVAILABLE);                                           \
		ck_assert_int_eq(err.status, XOS_UNAVAILABLE);                                     \
		ck_assert_str_eq(err.code, code);                                                  \
	} while (0)
	FAILS(xos_credential_list(c, &text, &err));
	FAILS(xos_credential_create(c, 0, &id, &csr, &n, &err));
	FAILS(xos_credential_put(c, "s-1", pem, sizeof(pem) - 1, &t, &err));
	FAILS(xos_credential_chain(c, NULL, &id, &text, &err));
	FAILS(xos_credential_get(c, NULL, &secret, &err));
	FAILS(xos_credential_file(c, NULL, file, sizeof(file), &err));
	FAILS(xos_credential_sign(c, "", digest, sizeof(digest), &sig, &err));
	FAILS(xos_credential_delegate(c, NULL, &d, &text, &t, &err));
	FAILS(xos_credential_renew(c, NULL, &t, &err));
	FAILS(xos_credential_authorise(c, NULL, "{}", &v, &err));
	FAILS(xos_credential_destroy(c, "s-1", &err));
	FAILS(xos_credential_choose(c, "s-1", &err));
#undef FAILS
	ck_assert_ptr_null(text);
	ck_assert_ptr_null(csr);
	ck_assert_ptr_null(secret);
}

START_TEST(nobody_is_there)
{
	struct xos_credd *c = opened(0);
	all_fail(c, "credd-unreachable");
	xos_close(c);
}
END_TEST

START_TEST(a_frozen_one_is_waited_for_no_longer_than_said)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	struct xos_credd *c = opened(50);
	int64_t before = xos_clock_mono_ms();
	all_fail(c, "credd-timeout");
	ck_assert_int_ge(xos_clock_mono_ms() - before, 12 * 50);
	xos_close(c);
	close(fd);
}
END_TEST

START_TEST(arguments_that_cannot_be)
{
	struct xos_err err;
	struct xos_credd *c = NULL;
	struct xos_open_options o = {.size = sizeof(o) - 1, .socket = path};
	char *text = NULL;
	ck_assert_int_eq(xos_open(&o, &c, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "options");
	o.size = sizeof(o);
	char longer[200];
	memset(longer, 'x', sizeof(longer));
	longer[199] = '\0';
	o.socket = longer;
	ck_assert_int_eq(xos_open(&o, &c, &err), XOS_MALFORMED);
	o.socket = path;
	o.credential = longer;
	ck_assert_int_eq(xos_open(&o, &c, &err), XOS_MALFORMED);
	ck_assert_ptr_null(c);
	c = opened(0);
	static const unsigned char digest[65];
	struct xos_signature sig;
	ck_assert_int_eq(xos_credential_sign(c, NULL, digest, 20, &sig, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_credential_sign(c, NULL, digest, 65, &sig, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_credential_destroy(c, NULL, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_credential_destroy(c, "../x", &err), XOS_MALFORMED);
	ck_assert_int_eq(
	    xos_credential_put(c, "s-1", "no certificate", 14, NULL, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_credential_chain(c, longer, NULL, &text, &err), XOS_MALFORMED);
	struct xos_delegate_options d = {.size = 3};
	ck_assert_int_eq(xos_credential_delegate(c, NULL, &d, &text, NULL, &err), XOS_MALFORMED);
	/* Nobody wants to know more. */
	ck_assert_int_eq(xos_credential_destroy(c, NULL, NULL), XOS_MALFORMED);
	xos_close(c);
	xos_close(NULL);
	xos_free(NULL);
	xos_pem_free(NULL);
	xos_verdict_clear(NULL);
}
END_TEST

static void no_place(const char *runtime)
{
	struct xos_err err = {.status = XOS_OK};
	char out[PATH_MAX];
	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", runtime, 1), 0);
	ck_assert_int_eq(xos_runtime_path("s-1", out, &err), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "runtime-dir");
}

/* A folder that others can write, that is a link, or that is no folder takes no key. */
START_TEST(only_a_folder_of_ones_own_takes_a_key)
{
	char out[PATH_MAX], link[128];
	ck_assert_int_eq(chmod(dir, 0755), 0);
	no_place(dir);
	ck_assert_int_eq(chmod(dir, 0700), 0);
	snprintf(link, sizeof(link), "%s/s", dir);
	ck_assert_int_eq(symlink(dir, link), 0);
	no_place(link);
	no_place("/etc/passwd");
	no_place("relative");
	no_place("/nowhere/at/all");
	/* In memory, where this machine has such a place. */
	char shm[] = "/dev/shm/xos-library-XXXXXX";
	if (!mkdtemp(shm))
		return;
	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", shm, 1), 0);
	if (xos_runtime_path("s-1", out, NULL) == XOS_OK)
		ck_assert(strncmp(out, shm, strlen(shm)) == 0 && strstr(out, "/xos-s-1.pem"));
	rmdir(shm);
}
END_TEST

static long add_key(const char *name)
{
	return syscall(SYS_add_key, "user", name, "x", (size_t)1, (long)KEY_SPEC_SESSION_KEYRING);
}

/* In a session keyring of its own; as root as another user, whose keys are counted. 0: as it should be; 77: no keyrings
 * here. */
static int out_of_quota(void)
{
	struct xos_err err = {.status = XOS_OK};
	char name[64], word[64];
	if (geteuid() == 0 && (setgid(1899999778) || setuid(1899999778)))
		return 77;
	if (syscall(SYS_keyctl, (long)KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 || add_key("a") < 0)
		return 77;
	if (xos_keyring_set("xos:credential:/x", "s-1", &err) != XOS_OK ||
	    !xos_keyring_get("xos:credential:/x", word, sizeof(word)) || strcmp(word, "s-1") != 0)
		return 1;
	/* No room for the word is no word. */
	if (xos_keyring_get("xos:credential:/x", word, 3))
		return 2;
	long last = 0;
	for (int i = 0; i < 100000 && last >= 0; i++) {
		snprintf(name, sizeof(name), "filler-%d", i);
		last = add_key(name);
	}
	if (last >= 0)
		return 77; /* whose keys are not counted */
	if (xos_keyring_set("xos:credential:/y", "s-2", &err) != XOS_LIMIT ||
	    strcmp(err.code, "keyring-quota") != 0)
		return 3;
	/* What was chosen before is still chosen, and can be given up. */
	if (!xos_keyring_get("xos:credential:/x", word, sizeof(word)) ||
	    xos_keyring_set("xos:credential:/x", NULL, &err) != XOS_OK ||
	    xos_keyring_get("xos:credential:/x", word, sizeof(word)))
		return 4;
	return 0;
}

START_TEST(a_keyring_that_is_full_is_told)
{
	int status = -1;
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(out_of_quota());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_msg(
	    WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77, "step %d", WEXITSTATUS(status));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("credential-library");
	TCase *t = tcase_create("library");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, nobody_is_there);
	tcase_add_test(t, a_frozen_one_is_waited_for_no_longer_than_said);
	tcase_add_test(t, arguments_that_cannot_be);
	tcase_add_test(t, a_keyring_that_is_full_is_told);
	tcase_add_test(t, only_a_folder_of_ones_own_takes_a_key);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
