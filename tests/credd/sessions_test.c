/* Credentials of sessions, by the operations on them, as peers of several uids would ask. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asking.h"
#include "base/clock.h"
#include "base/file.h"
#include "pki/digest.h"

START_TEST(a_token_is_put_and_got)
{
	char id[XOS_LOCAL_JOB_MAX + 1];
	struct xos_chain back = {.n = 0};
	ask_make(XOS_LOCAL_EXPORT, id);
	ck_assert_int_eq(strncmp(id, "s-", 2), 0);
	ck_assert_msg(ask_op(XOS_LOCAL_CRED_GET, id) == XOS_OK, "%s", err.text);
	ck_assert_str_eq(answer.id, id);
	struct xos_bytes pem = {xos_secret_data(secret), xos_secret_len(secret)};
	ck_assert_msg(xos_chain_from_pem(pem, &back, &err) == XOS_OK, "%s", err.text);
	ck_assert_ptr_nonnull(back.key);
	ck_assert(xos_key_same(back.key, xos_cert_key(back.cert[0])));
	xos_chain_clear(&back);
	/* By default, and as certificates alone. */
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_GET, ""), XOS_OK);
	ck_assert_str_eq(answer.id, id);
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_CHAIN, ""), XOS_OK);
	ck_assert_uint_eq(answer.nchain, 2);
	ck_assert_int_gt(answer.not_after, n->vo->now);
	ask_refused(XOS_LOCAL_CRED_RENEW, id, XOS_UNAVAILABLE, "not-renewable");
}
END_TEST

START_TEST(the_agent_signs_each_digest)
{
	static const uint8_t digest[64] = {1, 2, 3};
	static const size_t lengths[] = {32, 48, 64};
	char id[XOS_LOCAL_JOB_MAX + 1];
	ask_make(0, id);
	for (size_t i = 0; i < 3; i++) {
		struct xos_local_request req = {
		    .op = XOS_LOCAL_CRED_SIGN, .text = {digest, lengths[i]}};
		ck_assert_msg(ask(&req) == XOS_OK, "%s", err.text);
		ck_assert_str_eq(answer.id, id);
		ck_assert_uint_gt(answer.text.n, 60);
	}
	/* Over SHA-256 of what was to be signed it is what X.509 verifies. */
	uint8_t hash[XOS_SHA256_LEN], sig[128];
	struct xos_bytes text = xos_bytes_str("to be signed");
	ck_assert_int_eq(xos_sha256(text, hash), XOS_OK);
	struct xos_local_request req = {.op = XOS_LOCAL_CRED_SIGN, .text = {hash, sizeof(hash)}};
	ck_assert_int_eq(ask(&req), XOS_OK);
	size_t len = answer.text.n;
	ck_assert_uint_le(len, sizeof(sig));
	memcpy(sig, answer.text.p, len);
	struct xos_cert *leaf = NULL;
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_CHAIN, id), XOS_OK);
	ck_assert_int_eq(xos_cert_parse(answer.chain[0], &leaf, &err), XOS_OK);
	ck_assert_int_eq(
	    xos_key_verify(xos_cert_key(leaf), text, (struct xos_bytes){sig, len}, &err), XOS_OK);
	ck_assert_int_eq(xos_key_verify(xos_cert_key(leaf), xos_bytes_str("other"),
	                     (struct xos_bytes){sig, len}, &err),
	    XOS_DENIED);
	xos_cert_free(leaf);
}
END_TEST

START_TEST(what_was_made_to_stay_does_not_leave)
{
	char id[XOS_LOCAL_JOB_MAX + 1];
	ask_make(0, id);
	ask_refused(XOS_LOCAL_CRED_GET, id, XOS_DENIED, "not-exportable");
	ask_refused(XOS_LOCAL_CRED_GET, "", XOS_DENIED, "not-exportable");
	/* Also for root, and after a restart. */
	node_restart(n);
	ask_refused(XOS_LOCAL_CRED_GET, id, XOS_DENIED, "not-exportable");
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_SIGN, id), XOS_OK);
}
END_TEST

/* Every operation, by another uid, by a service user and by root: as if there were none. */
START_TEST(another_uid_sees_nothing)
{
	static const enum xos_local_op ops[] = {
	    XOS_LOCAL_CRED_SIGN, XOS_LOCAL_CRED_GET, XOS_LOCAL_CRED_CHAIN, XOS_LOCAL_CRED_RENEW};
	static const struct {
		uid_t uid;
		bool service;
	} others[] = {{LOCAL_UID + 1, false}, {ALICE_UID, false}, {7, true}, {0, true}};
	char id[XOS_LOCAL_JOB_MAX + 1];
	ask_make(XOS_LOCAL_EXPORT, id);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		peer.uid = others[i].uid;
		peer.service = others[i].service;
		for (size_t j = 0; j < sizeof(ops) / sizeof(ops[0]); j++) {
			ask_refused(ops[j], id, XOS_NOT_FOUND, "no-credential");
			ask_refused(ops[j], "", XOS_NOT_FOUND, "no-credential");
		}
		ck_assert_int_eq(ask_put(id, &n->alice), XOS_NOT_FOUND);
		ck_assert_str_eq(err.code, "no-credential");
		if (peer.uid)
			ask_refused(XOS_LOCAL_CRED_DESTROY, id, XOS_NOT_FOUND, "no-credential");
		ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_LIST, ""), XOS_OK);
		ck_assert_ptr_null(memmem(answer.text.p, answer.text.n, id, strlen(id)));
	}
	peer = (struct xos_credd_peer){.uid = LOCAL_UID, .pid = getpid()};
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_SIGN, id), XOS_OK);
	/* What the log-in module does when a session is over. */
	peer = (struct xos_credd_peer){.uid = 0, .service = true};
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_DESTROY, id), XOS_OK);
	peer = (struct xos_credd_peer){.uid = LOCAL_UID, .pid = getpid()};
	ask_refused(XOS_LOCAL_CRED_SIGN, id, XOS_NOT_FOUND, "no-credential");
}
END_TEST

START_TEST(only_the_chain_for_its_key_is_taken)
{
	char id[XOS_LOCAL_JOB_MAX + 1], other[XOS_LOCAL_JOB_MAX + 1];
	struct xos_chain chain = {.n = 0}, bad = {.n = 0};
	ask_refused(XOS_LOCAL_CRED_SIGN, "s-0000", XOS_NOT_FOUND, "no-credential");
	ask_token(ask_create(0, id), 0, &chain);
	ask_refused(XOS_LOCAL_CRED_SIGN, id, XOS_CONFLICT, "no-chain");
	/* Another key's token; a node's certificate; one that has ended; a delegation bound to another node. */
	ck_assert_int_eq(ask_put(id, &n->alice), XOS_DENIED);
	ck_assert_str_eq(err.code, "credential-key");
	struct xos_bytes spki = ask_create(0, other);
	xos_test_node(n->vo, &(struct xos_test_who){.name = "n2", .spki = spki}, &bad);
	ck_assert_int_eq(ask_put(other, &bad), XOS_DENIED);
	ck_assert_str_eq(err.code, "token-kind");
	xos_chain_clear(&bad);
	ask_token(spki, n->vo->now - 100, &bad);
	ck_assert_int_eq(ask_put(other, &bad), XOS_EXPIRED);
	xos_chain_clear(&bad);
	const struct xos_delegation elsewhere = {
	    .actor = "job", .node = "n2", .id = "j1", .not_after = n->vo->now + 3600};
	xos_test_delegate(n->vo, &n->alice, spki, &elsewhere, NULL, &bad);
	ck_assert_int_eq(ask_put(other, &bad), XOS_DENIED);
	ck_assert_str_eq(err.code, "wrong-node");
	xos_chain_clear(&bad);
	/* A delegation for this node is a credential, too; then only the same member's. */
	node_delegate(n, &n->carol, spki, "n1", "j1", NULL, NULL, &bad);
	ck_assert_msg(ask_put(other, &bad) == XOS_OK, "%s", err.text);
	ck_assert_str_eq(answer.subject, "demo:carol");
	xos_chain_clear(&bad);
	ask_token(spki, 0, &bad);
	ck_assert_int_eq(ask_put(other, &bad), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "credential-member");
	xos_chain_clear(&bad);
	/* The right one, and again: a newer token for the same key. */
	ck_assert_int_eq(ask_put(id, &chain), XOS_OK);
	ck_assert_int_eq(ask_put(id, &chain), XOS_OK);
	xos_chain_clear(&chain);
}
END_TEST

/* What was good when it was put is judged each time. */
START_TEST(locks_and_ends_come_after_acceptance)
{
	char id[XOS_LOCAL_JOB_MAX + 1], soon[XOS_LOCAL_JOB_MAX + 1];
	struct xos_chain chain = {.n = 0};
	ask_make(XOS_LOCAL_EXPORT, id);
	ask_token(
	    ask_create(XOS_LOCAL_EXPORT, soon), n->vo->now - 30, &chain); /* within the skew */
	ck_assert_msg(ask_put(soon, &chain) == XOS_OK, "%s", err.text);
	xos_chain_clear(&chain);
	ask_refused(XOS_LOCAL_CRED_SIGN, soon, XOS_EXPIRED, "token-expired");
	ask_refused(XOS_LOCAL_CRED_GET, soon, XOS_EXPIRED, "token-expired");
	struct xos_lock lock = {.id = "L1",
	    .kind = XOS_LOCK_MEMBER,
	    .since = n->vo->now - 10,
	    .until = XOS_LOCK_NO_END};
	strcpy(lock.name, "alice");
	strcpy(lock.message, "stolen");
	struct xos_test_bundle b = {
	    .serial = 6, .locks_serial = 2, .locks_ca = &lock, .nlocks_ca = 1};
	ck_assert_msg(node_offer(n, &b, &err) == XOS_OK, "%s", err.text);
	ask_refused(XOS_LOCAL_CRED_SIGN, id, XOS_DENIED, "locked");
	ask_refused(XOS_LOCAL_CRED_GET, id, XOS_DENIED, "locked");
	ask_refused(XOS_LOCAL_CRED_CHAIN, id, XOS_DENIED, "locked");
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_LIST, ""), XOS_OK);
	ck_assert_ptr_nonnull(memmem(answer.text.p, answer.text.n, "stolen", 6));
}
END_TEST

START_TEST(nothing_is_lost_in_a_restart_and_nothing_survives_a_boot)
{
	char id[XOS_LOCAL_JOB_MAX + 1], half[XOS_LOCAL_JOB_MAX + 1], path[PATH_MAX];
	struct xos_chain chain = {.n = 0};
	struct stat sb;
	ask_make(XOS_LOCAL_EXPORT, id);
	ask_token(ask_create(0, half), 0, &chain);
	snprintf(path, sizeof(path), "%s/sessions/%s", n->conf.state, id);
	ck_assert_int_eq(stat(path, &sb), 0);
	ck_assert_int_eq(sb.st_mode & 07777, 0600);
	node_restart(n);
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_GET, id), XOS_OK);
	ck_assert_msg(ask_put(half, &chain) == XOS_OK, "%s", err.text);
	xos_chain_clear(&chain);
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_DESTROY, half), XOS_OK);
	node_restart(n);
	ask_refused(XOS_LOCAL_CRED_SIGN, half, XOS_NOT_FOUND, "no-credential");
	/* As if the machine had been started again: the identifier of the boot is another. */
	struct xos_credd_sessions *later = NULL;
	char *dir = xos_test_path(n->conf.state, "sessions");
	const struct xos_credd_sessions_options o = {
	    .dir = dir, .boot = "00000000-0000-0000-0000-000000000002", .max = 9, .per_user = 9};
	MUST(xos_credd_sessions_open(&o, &later, &err), &err);
	ck_assert_uint_eq(xos_credd_sessions_count(later), 0);
	ck_assert_int_ne(access(path, F_OK), 0);
	xos_credd_sessions_free(later);
	free(dir);
}
END_TEST

START_TEST(a_damaged_record_is_set_aside)
{
	char id[XOS_LOCAL_JOB_MAX + 1], path[PATH_MAX], aside[PATH_MAX], left[PATH_MAX];
	ask_make(XOS_LOCAL_EXPORT, id);
	snprintf(path, sizeof(path), "%s/sessions/%s", n->conf.state, id);
	snprintf(aside, sizeof(aside), "%s/sessions/.damaged-%s", n->conf.state, id);
	ck_assert_int_eq(truncate(path, 300), 0);
	/* And what was being written when the daemon was killed is taken away. */
	snprintf(left, sizeof(left), "%s/sessions/.xos-0123", n->conf.state);
	ck_assert_int_eq(xos_file_write(left, 0600, xos_bytes_str("half a key"), &err), XOS_OK);
	node_restart(n);
	ck_assert_int_ne(access(left, F_OK), 0);
	ask_refused(XOS_LOCAL_CRED_GET, id, XOS_NOT_FOUND, "no-credential");
	ck_assert_int_eq(access(aside, F_OK), 0);
}
END_TEST

/* A process that leads a session of its own until it is told to end. */
static pid_t leader_new(void)
{
	int ready[2];
	char c;
	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (setsid() < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

START_TEST(it_ends_with_the_session)
{
	char bound[XOS_LOCAL_JOB_MAX + 1], swept[XOS_LOCAL_JOB_MAX + 1],
	    stays[XOS_LOCAL_JOB_MAX + 1];
	pid_t leader = leader_new();
	ask_make(XOS_LOCAL_EXPORT, stays);
	peer.pid = leader;
	ask_make(XOS_LOCAL_EXPORT | XOS_LOCAL_SESSION, swept);
	ask_make(XOS_LOCAL_EXPORT | XOS_LOCAL_SESSION, bound);
	/* Within the session its own is the default; outside the newest, whichever it is. */
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_CHAIN, ""), XOS_OK);
	ck_assert_str_ne(answer.id, stays);
	node_restart(n); /* and it is the same session after that */
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_SIGN, bound), XOS_OK);
	kill(leader, SIGKILL);
	/* Over is over, though nobody has waited for the process yet. */
	siginfo_t info;
	ck_assert_int_eq(waitid(P_PID, (id_t)leader, &info, WEXITED | WNOWAIT), 0);
	ask_refused(XOS_LOCAL_CRED_SIGN, bound, XOS_EXPIRED, "session-over");
	ask_refused(XOS_LOCAL_CRED_SIGN, bound, XOS_NOT_FOUND, "no-credential");
	ck_assert_int_eq(waitpid(leader, NULL, 0), leader);
	peer.pid = getpid();
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_CHAIN, ""), XOS_OK);
	ck_assert_str_eq(answer.id, stays);
	xos_credd_sessions_sweep(n->sessions, n->vo->now, xos_clock_mono_ms());
	ck_assert_uint_eq(xos_credd_sessions_count(n->sessions), 1);
	ask_refused(XOS_LOCAL_CRED_SIGN, swept, XOS_NOT_FOUND, "no-credential");
	/* Nobody leads the session of a process that is not there. */
	struct xos_local_request req = {.op = XOS_LOCAL_CRED_CREATE, .flags = XOS_LOCAL_SESSION};
	peer.pid = leader;
	ck_assert_int_eq(ask(&req), XOS_CONFLICT);
	ck_assert_str_eq(err.code, "no-session");
}
END_TEST

/* now by the node's clock, hours by the other one, from the beginning of the case. */
static size_t left_after(int64_t now, int64_t mono_ms, int64_t seconds)
{
	xos_credd_sessions_sweep(n->sessions, now, mono_ms + seconds * 1000);
	return xos_credd_sessions_count(n->sessions);
}

START_TEST(what_has_ended_is_swept)
{
	char id[XOS_LOCAL_JOB_MAX + 1], half[XOS_LOCAL_JOB_MAX + 1];
	int64_t now = n->vo->now, later = now + 13 * 3600;
	ask_make(0, id);
	(void)ask_create(0, half);
	int64_t mono = xos_clock_mono_ms();
	ck_assert_uint_eq(left_after(now, mono, XOS_CREDD_AWAITED_KEEP - 60), 2);
	ck_assert_uint_eq(left_after(now, mono, XOS_CREDD_AWAITED_KEEP + 60), 1);
	ck_assert_uint_eq(left_after(now, mono, 12 * 3600), 1);
	ck_assert_uint_eq(left_after(later, mono, 13 * 3600), 1);
	ck_assert_uint_eq(left_after(later, mono, 12 * 3600 + XOS_CREDD_ENDED_KEEP + 60), 0);
}
END_TEST

/* The clock jumps a year ahead, and is put right within the hour. */
START_TEST(a_clock_that_jumps_costs_nothing)
{
	char id[XOS_LOCAL_JOB_MAX + 1], half[XOS_LOCAL_JOB_MAX + 1];
	int64_t now = n->vo->now, wrong = now + 365 * 86400;
	ask_make(0, id);
	(void)ask_create(0, half);
	int64_t mono = xos_clock_mono_ms();
	ck_assert_uint_eq(left_after(wrong, mono, 60), 2);
	ck_assert_uint_eq(left_after(wrong, mono, 500), 2);
	ck_assert_uint_eq(left_after(now, mono, 540), 2);
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_SIGN, id), XOS_OK);
	ck_assert_uint_eq(
	    left_after(wrong, mono, 4000), 1); /* the one without a chain has waited enough */
}
END_TEST

START_TEST(there_is_an_end_to_how_many)
{
	struct xos_local_request req = {.op = XOS_LOCAL_CRED_CREATE};
	char id[XOS_LOCAL_JOB_MAX + 1];
	for (int i = 0; i < 8; i++)
		(void)ask_create(0, id);
	ck_assert_int_eq(ask(&req), XOS_LIMIT);
	ck_assert_str_eq(err.code, "too-many");
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_DESTROY, id), XOS_OK);
	(void)ask_create(0, id);
	/* One uid's limit is not the others', until all together are too many. */
	peer.uid++;
	for (int i = 0; i < 8; i++)
		(void)ask_create(0, id);
	peer.uid++;
	for (int i = 0; i < 4; i++)
		(void)ask_create(0, id);
	ck_assert_int_eq(ask(&req), XOS_LIMIT);
	ck_assert_str_eq(err.code, "sessions-max");
}
END_TEST

/* As a full tmpfs would answer: what was acknowledged stays, what was not is not there. */
START_TEST(what_cannot_be_written_is_not_taken)
{
	char id[XOS_LOCAL_JOB_MAX + 1], half[XOS_LOCAL_JOB_MAX + 1];
	struct xos_chain chain = {.n = 0};
	struct xos_local_request req = {.op = XOS_LOCAL_CRED_CREATE};
	ask_make(XOS_LOCAL_EXPORT, id);
	ask_token(ask_create(0, half), 0, &chain);
	char *dir = xos_test_path(n->conf.state, "sessions"),
	     *away = xos_test_path(n->conf.state, "away");
	ck_assert_int_eq(rename(dir, away), 0);
	ck_assert_int_eq(ask_put(half, &chain), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "session-file");
	ck_assert_int_eq(ask(&req), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "session-file");
	ck_assert_int_eq(rename(away, dir), 0);
	ask_refused(XOS_LOCAL_CRED_SIGN, half, XOS_CONFLICT, "no-chain");
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_GET, id), XOS_OK);
	ck_assert_int_eq(ask_put(half, &chain), XOS_OK);
	ck_assert_uint_eq(xos_credd_sessions_count(n->sessions), 2);
	xos_chain_clear(&chain);
	free(dir);
	free(away);
}
END_TEST

/* A list of what has ended costs no look at a chain, however often it is asked for and whatever was forgotten. */
START_TEST(what_has_ended_is_listed_without_verifying_it)
{
	char id[XOS_LOCAL_JOB_MAX + 1];
	struct xos_bytes der[XOS_CHAIN_MAX];
	struct xos_chain chain = {.n = 0};
	const struct xos_known *known = NULL;
	const struct xos_credd_counts *counts = xos_credd_decider_counts(n->decider);
	ask_token(ask_create(0, id), 0, &chain);
	size_t count = xos_test_ders(&chain, der);
	MUST(xos_credd_decider_verify(n->decider, der, count, n->vo->now, &known, &err), &err);
	struct xos_identity who = *known->id;
	struct xos_known over = *known;
	over.id = &who;
	who.not_after = n->vo->now - 100;
	MUST(xos_credd_sessions_put(n->sessions, LOCAL_UID, id, &over, der, count, &err), &err);
	uint64_t before = counts->hits + counts->misses;
	ck_assert_int_eq(ask_op(XOS_LOCAL_CRED_LIST, ""), XOS_OK);
	ck_assert_ptr_nonnull(memmem(answer.text.p, answer.text.n, "\"over\"", strlen("\"over\"")));
	ck_assert_uint_eq(counts->hits + counts->misses, before);
	xos_chain_clear(&chain);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sessions");
	TCase *t = tcase_create("sessions");
	tcase_add_checked_fixture(t, asking_setup, asking_teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_token_is_put_and_got);
	tcase_add_test(t, the_agent_signs_each_digest);
	tcase_add_test(t, what_was_made_to_stay_does_not_leave);
	tcase_add_test(t, another_uid_sees_nothing);
	tcase_add_test(t, only_the_chain_for_its_key_is_taken);
	tcase_add_test(t, locks_and_ends_come_after_acceptance);
	tcase_add_test(t, nothing_is_lost_in_a_restart_and_nothing_survives_a_boot);
	tcase_add_test(t, a_damaged_record_is_set_aside);
	tcase_add_test(t, it_ends_with_the_session);
	tcase_add_test(t, what_has_ended_is_swept);
	tcase_add_test(t, a_clock_that_jumps_costs_nothing);
	tcase_add_test(t, there_is_an_end_to_how_many);
	tcase_add_test(t, what_cannot_be_written_is_not_taken);
	tcase_add_test(t, what_has_ended_is_listed_without_verifying_it);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
