/* The C library against the real program: killed, frozen, out of room, and asked by somebody else. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xos/credential.h>

#include "base/clock.h"
#include "pki/csr.h"
#include "pki/digest.h"
#include "program.h"

static struct xos_err err;

static struct xos_credd *library(int timeout_ms)
{
	struct xos_credd *c = NULL;
	const struct xos_open_options o = {.size = sizeof(o),
	    .socket = n->conf.socket,
	    .timeout_ms = timeout_ms,
	    .accept_user = 1,
	    .user = DAEMON_UID};
	ck_assert_msg(xos_open(&o, &c, &err) == XOS_OK, "%s", err.text);
	return c;
}

/* The daemon process, not its supervisor. */
static pid_t daemon_process(void)
{
	char path[64], text[64] = "";
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)daemon_pid, (int)daemon_pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_gt(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	return (pid_t)strtol(text, NULL, 10);
}

static void create(
    struct xos_credd *c, unsigned flags, struct xos_credential_id *id, struct xos_chain *token)
{
	static const char *const physics[] = {"/demo/physics", NULL};
	unsigned char *csr = NULL;
	size_t len = 0;
	struct xos_csr parsed;
	ck_assert_msg(xos_credential_create(c, flags, id, &csr, &len, &err) == XOS_OK, "%s: %s",
	    err.code, err.text);
	ck_assert_int_eq(xos_csr_parse((struct xos_bytes){csr, len}, &parsed, &err), XOS_OK);
	struct xos_test_who who = {
	    .name = "alice", .number = 1, .groups = physics, .spki = parsed.spki};
	xos_test_member(n->vo, &who, token);
	xos_free(csr);
}

/* Takes token. */
static enum xos_status put(
    struct xos_credd *c, const struct xos_credential_id *id, struct xos_chain *token)
{
	struct xos_buf pem;
	int64_t end = 0;
	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	for (size_t i = 0; i < token->n; i++)
		xos_cert_to_pem(token->cert[i], &pem);
	enum xos_status st =
	    xos_credential_put(c, id->text, (const char *)pem.p, pem.n, &end, &err);
	if (st == XOS_OK)
		ck_assert_int_gt(end, n->vo->now);
	xos_buf_free(&pem);
	xos_chain_clear(token);
	return st;
}

static void make(struct xos_credd *c, unsigned flags, struct xos_credential_id *id)
{
	struct xos_chain token = {.n = 0};
	create(c, flags, id, &token);
	ck_assert_msg(put(c, id, &token) == XOS_OK, "%s", err.text);
}

/* Signs and has the signature verified by the key of the certificate that credd gives. */
static void signs(struct xos_credd *c, const char *id, const struct xos_credential_id *want)
{
	struct xos_bytes text = xos_bytes_str("to be signed");
	uint8_t digest[XOS_SHA256_LEN];
	struct xos_signature sig;
	struct xos_chain chain = {.n = 0};
	char *pem = NULL;
	ck_assert_int_eq(xos_sha256(text, digest), XOS_OK);
	ck_assert_msg(xos_credential_sign(c, id, digest, sizeof(digest), &sig, &err) == XOS_OK,
	    "%s: %s", err.code, err.text);
	ck_assert_str_eq(sig.used.text, want->text);
	ck_assert_int_eq(xos_credential_chain(c, sig.used.text, NULL, &pem, &err), XOS_OK);
	ck_assert_int_eq(xos_chain_from_pem(xos_bytes_str(pem), &chain, &err), XOS_OK);
	ck_assert_int_eq(xos_key_verify(xos_cert_key(chain.cert[0]), text,
	                     (struct xos_bytes){sig.bytes, sig.len}, &err),
	    XOS_OK);
	xos_chain_clear(&chain);
	xos_free(pem);
}

START_TEST(killed_at_any_step_it_loses_nothing)
{
	struct xos_credential_id id;
	struct xos_chain token = {.n = 0}, back = {.n = 0};
	struct xos_pem *pem = NULL;
	size_t len = 0;
	program_begin(&(struct xos_test_bundle){.serial = 3});
	struct xos_credd *c = library(0);
	create(c, XOS_CREDENTIAL_EXPORT, &id, &token);
	ck_assert_int_eq(kill(daemon_process(), SIGKILL), 0);
	ck_assert_msg(put(c, &id, &token) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(kill(daemon_process(), SIGKILL), 0);
	signs(c, NULL, &id);
	/* And the whole service. */
	ck_assert_int_eq(program_stop(), 0);
	program_must_start(0);
	ck_assert_msg(xos_credential_get(c, id.text, &pem, &err) == XOS_OK, "%s", err.text);
	const char *text = xos_pem_text(pem, &len);
	ck_assert_uint_eq(strlen(text), len);
	ck_assert_int_eq(xos_chain_from_pem(xos_bytes_str(text), &back, &err), XOS_OK);
	ck_assert_ptr_nonnull(back.key);
	xos_chain_clear(&back);
	xos_pem_free(pem);
	ck_assert_int_eq(xos_credential_destroy(c, id.text, &err), XOS_OK);
	ck_assert_int_eq(kill(daemon_process(), SIGKILL), 0);
	ck_assert_int_eq(xos_credential_destroy(c, id.text, &err), XOS_NOT_FOUND);
	xos_close(c);
}
END_TEST

START_TEST(frozen_it_is_not_waited_for)
{
	static const unsigned char digest[32];
	struct xos_credential_id id;
	struct xos_signature sig;
	program_begin(&(struct xos_test_bundle){.serial = 3});
	struct xos_credd *c = library(0), *hasty = library(200);
	make(c, 0, &id);
	pid_t p = daemon_process();
	ck_assert_int_eq(kill(p, SIGSTOP), 0);
	int64_t before = xos_clock_mono_ms();
	ck_assert_int_eq(xos_credential_sign(hasty, id.text, digest, sizeof(digest), &sig, &err),
	    XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "credd-timeout");
	ck_assert_int_ge(xos_clock_mono_ms() - before, 200);
	ck_assert_int_eq(kill(p, SIGCONT), 0);
	signs(c, id.text, &id);
	xos_close(hasty);
	xos_close(c);
}
END_TEST

START_TEST(a_choice_holds_in_the_session)
{
	struct xos_credential_id first, second;
	program_begin(&(struct xos_test_bundle){.serial = 3});
	struct xos_credd *c = library(0);
	make(c, 0, &first);
	make(c, 0, &second);
	enum xos_status st = xos_credential_choose(c, first.text, &err);
	if (st == XOS_UNAVAILABLE) { /* containers often have no keyrings */
		ck_assert_str_eq(err.code, "keyring");
		xos_close(c);
		return;
	}
	ck_assert_msg(st == XOS_OK, "%s", err.text);
	signs(c, NULL, &first);
	ck_assert_int_eq(xos_credential_choose(c, second.text, &err), XOS_OK);
	signs(c, NULL, &second);
	ck_assert_int_eq(xos_credential_choose(c, "s-none", &err), XOS_NOT_FOUND);
	signs(c, NULL, &second);
	signs(c, first.text, &first);
	/* With what was chosen the choice goes. */
	ck_assert_int_eq(xos_credential_destroy(c, second.text, &err), XOS_OK);
	signs(c, NULL, &first);
	ck_assert_int_eq(xos_credential_choose(c, NULL, &err), XOS_OK);
	xos_close(c);
}
END_TEST

static char other_id[XOS_CREDENTIAL_ID_MAX + 1];

/* What another user gets who knows its name: 0 if nothing. */
static int as_other(void)
{
	static const unsigned char digest[32];
	struct xos_signature sig;
	struct xos_pem *pem = NULL;
	char *text = NULL;
	struct xos_credd *c = library(0);
	int bad = xos_credential_sign(c, other_id, digest, 32, &sig, &err) != XOS_NOT_FOUND ||
	          xos_credential_sign(c, NULL, digest, 32, &sig, &err) != XOS_NOT_FOUND ||
	          xos_credential_get(c, other_id, &pem, &err) != XOS_NOT_FOUND ||
	          xos_credential_chain(c, other_id, NULL, &text, &err) != XOS_NOT_FOUND ||
	          xos_credential_destroy(c, other_id, &err) != XOS_NOT_FOUND ||
	          xos_credential_list(c, &text, &err) != XOS_OK || strstr(text, other_id) != NULL;
	xos_free(text);
	xos_close(c);
	return bad;
}

/* A token of his own serves a local user, whatever account the VO's members have here. */
static int as_local_user(void)
{
	struct xos_credential_id id;
	struct xos_verdict v;
	struct xos_credd *c = library(0);
	make(c, 0, &id);
	signs(c, NULL, &id);
	/* But it does not make him that account. */
	int bad = xos_credential_authorise(c, NULL, SUBMIT("alice"), &v, &err) != XOS_DENIED ||
	          strcmp(err.code, "not-yours") != 0;
	xos_close(c);
	return bad;
}

/* The member's own account asks about what it may do. */
static int as_member(void)
{
	struct xos_credential_id id;
	struct xos_verdict v;
	struct xos_credd *c = library(0);
	make(c, 0, &id);
	int bad = xos_credential_authorise(c, NULL, SUBMIT("alice"), &v, &err) != XOS_OK ||
	          v.permitted != 1 || v.undecided != 0;
	if (!bad)
		xos_verdict_clear(&v);
	xos_close(c);
	return bad;
}

static int in_child(uid_t uid, int (*fn)(void))
{
	int status;
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (setgroups(0, NULL) || setgid(uid) || setuid(uid))
			_exit(98);
		_exit(fn());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(each_user_has_what_is_his)
{
	struct xos_credential_id id;
	if (geteuid() != 0)
		return; /* needs other uids */
	program_begin(&(struct xos_test_bundle){.serial = 3});
	struct xos_credd *c = library(0);
	make(c, XOS_CREDENTIAL_EXPORT, &id);
	memcpy(other_id, id.text, sizeof(other_id));
	ck_assert_int_eq(in_child(OTHER_UID, as_other), 0);
	ck_assert_int_eq(in_child(ALICE_UID, as_other), 0);
	ck_assert_int_eq(in_child(OTHER_UID, as_local_user), 0);
	ck_assert_int_eq(in_child(ALICE_UID, as_member), 0);
	signs(c, NULL, &id);
	xos_close(c);
}
END_TEST

/* As many as fit: then an error that says so, and all that was said to be there is there. */
START_TEST(a_full_tmpfs_takes_nothing_back)
{
	struct xos_credential_id id[64], more;
	unsigned char *csr = NULL;
	size_t len = 0, made = 0;
	char conf[PATH_MAX + 64];
	program_prepare(&(struct xos_test_bundle){.serial = 3});
	char *small = xos_test_path(n->dir, "small");
	ck_assert_int_eq(mkdir(small, 0700), 0);
	if (mount("tmpfs", small, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=0700") != 0) {
		free(small);
		return; /* only a machine's root mounts */
	}
	snprintf(conf, sizeof(conf), "sessions = %s\n", small);
	program_conf(true, conf);
	program_must_start(0);
	struct xos_credd *c = library(0);
	enum xos_status st = XOS_OK;
	for (; made < 64; made++) {
		st = xos_credential_create(c, XOS_CREDENTIAL_EXPORT, &id[made], &csr, &len, &err);
		if (st)
			break;
		xos_free(csr);
		csr = NULL;
	}
	ck_assert_uint_gt(made, 0);
	ck_assert_uint_lt(made, 64);
	ck_assert_int_eq(st, XOS_UNAVAILABLE);
	ck_assert_msg(strstr(err.text, "space") != NULL, "%s", err.text);
	program_stop();
	program_must_start(0);
	/* One less makes room for a chain, which is longer than none. */
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(xos_credential_destroy(c, id[i].text, &err), XOS_OK);
	make(c, XOS_CREDENTIAL_EXPORT, &more);
	signs(c, more.text, &more);
	for (size_t i = 3; i < made; i++)
		ck_assert_msg(
		    xos_credential_destroy(c, id[i].text, &err) == XOS_OK, "%s", err.text);
	xos_close(c);
	program_stop();
	ck_assert_int_eq(umount(small), 0);
	free(small);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("agent");
	TCase *t = tcase_create("agent");
	tcase_add_checked_fixture(t, NULL, program_teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, killed_at_any_step_it_loses_nothing);
	tcase_add_test(t, frozen_it_is_not_waited_for);
	tcase_add_test(t, a_choice_holds_in_the_session);
	tcase_add_test(t, each_user_has_what_is_his);
	tcase_add_test(t, a_full_tmpfs_takes_nothing_back);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
