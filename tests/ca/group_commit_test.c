/* Many tokens share one sync of the log, and none leaves before its record is on the disk. */
#include "lying.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "log/log.h"
#include "pki/cert.h"
#include "testsupport/must.h"

#define CLIENTS 64
#define EACH 8

/* Counts seals: each is one group, written with one fdatasync. */
struct counted {
	uint64_t records, seals;
};

static struct counted count(void)
{
	struct counted c = {0, 0};
	struct xos_buf file;
	struct xos_reader r;
	struct xos_bytes skip, payload;
	uint32_t n = 0;
	uint16_t type = 0;
	uint64_t u = 0;

	MUST(xos_file_read(p_log, 1 << 26, &file, &err), &err);
	xos_reader_init(&r, xos_buf_bytes(&file));
	ck_assert(xos_reader_take(&r, 8, &skip) && xos_reader_lp(&r, 64, &skip) &&
	          xos_reader_u64(&r, &u));
	while (xos_reader_u32(&r, &n)) {
		ck_assert(xos_reader_u64(&r, &u) && xos_reader_u64(&r, &u) &&
		          xos_reader_u16(&r, &type) && xos_reader_take(&r, n - 18, &payload));
		c.seals += type == XOS_LOG_TYPE_SEAL;
		c.records += type != XOS_LOG_TYPE_SEAL;
	}
	xos_buf_free(&file);
	return c;
}

static bool recorded(const char *serial)
{
	struct xos_buf file;
	bool found;

	MUST(xos_file_read(p_log, 1 << 26, &file, &err), &err);
	found = memmem(file.p, file.n, serial, strlen(serial)) != NULL;
	xos_buf_free(&file);
	return found;
}

struct client {
	pthread_t thread;
	struct member_side side;
	char grant[EACH][CA_GRANT_LEN + 1];
	int issued, recorded;
};

/* Logs in before the race: the proof takes its time, and grants live for 30 seconds. */
static void client_new(struct client *c)
{
	member_new(&c->side, "alice", PASSWORD, NULL);
	for (int i = 0; i < EACH; i++) {
		if (i) {
			xos_scram_client_free(c->side.scram);
			MUST(xos_scram_client_new("alice", XOS_SCRAM_PASSWORD, c->side.password,
			         c->side.digest, &c->side.scram, &err),
			    &err);
		}
		MUST(prove(&c->side, c->side.digest, c->grant[i]), &err);
	}
}

static void *client_run(void *arg)
{
	struct client *c = arg;

	for (int i = 0; i < EACH; i++) {
		struct xos_err e = XOS_ERR_INIT;
		struct ca_issue m = {.grant = "", .request = c->side.request};
		struct xos_buf ask, answer;
		struct xos_reader r;
		struct xos_bytes der;
		struct xos_cert *cert = NULL;

		memcpy(m.grant, c->grant[i], sizeof(m.grant));
		xos_buf_init(&ask, 65536);
		ca_issue_put(&ask, &m);
		if (xos_bulk_ask(key, CA_ISSUE, xos_buf_bytes(&ask), soon(), &answer, &e) ==
		    XOS_OK) {
			xos_reader_init(&r, xos_buf_bytes(&answer));
			c->issued++;
			if (xos_reader_lp(&r, 65536, &der) &&
			    xos_cert_parse(der, &cert, &e) == XOS_OK)
				c->recorded += recorded(xos_cert_serial_text(cert));
		}
		xos_cert_free(cert);
		xos_buf_free(&ask);
		xos_buf_free(&answer);
	}
	return NULL;
}

START_TEST(many_clients_share_syncs)
{
	struct client *c = calloc(CLIENTS, sizeof(*c));
	struct counted before, after;
	int issued = 0, good = 0;
	size_t expected = 0;
	int64_t began;

	MUST_TRUE(c != NULL);
	for (int i = 0; i < CLIENTS; i++) {
		client_new(&c[i]);
		expected += 16 + 10 + 4 + CA_GRANT_LEN + 4 + c[i].side.request.csr.n + 4 + 8;
	}
	before = count();
	/* All of the first requests wait when key goes on. */
	kill(key_pid, SIGSTOP);
	for (int i = 0; i < CLIENTS; i++)
		ck_assert_int_eq(pthread_create(&c[i].thread, NULL, client_run, &c[i]), 0);
	while (lying_queued() < expected)
		(void)usleep(1000);
	began = xos_clock_mono_ms();
	kill(key_pid, SIGCONT);
	for (int i = 0; i < CLIENTS; i++) {
		pthread_join(c[i].thread, NULL);
		issued += c[i].issued;
		good += c[i].recorded;
		member_free(&c[i].side);
	}
	began = xos_clock_mono_ms() - began;
	after = count();
	after.records -= before.records;
	after.seals -= before.seals;
	printf("%d tokens for %d clients in %lld ms: %llu records, %llu syncs\n", issued, CLIENTS,
	    (long long)began, (unsigned long long)after.records, (unsigned long long)after.seals);
	ck_assert_int_eq(issued, CLIENTS * EACH);
	ck_assert_int_eq(good, issued); /* each was in the file when it came */
	ck_assert_uint_eq(after.records, (uint64_t)issued);
	/* The first 64 were waiting, and are taken 16 at a time; how the others fall depends on the machine. */
	ck_assert_uint_le(after.seals, (uint64_t)issued - CLIENTS + 8);
	free(c);
}
END_TEST

static size_t alices(void)
{
	const struct xos_json *tokens = NULL;
	struct xos_json *result = NULL;
	struct xos_chain alice;
	size_t n;

	token_of("alice", 2, NULL, &alice);
	MUST(command_result(&alice, "token.list", xos_json_object(), &result), &err);
	MUST(xos_json_get_array(result, "tokens", 1000, &tokens, &err), &err);
	n = xos_json_count(tokens);
	xos_json_free(result);
	xos_chain_clear(&alice);
	return n;
}

/* The disk is full: nobody gets a token, and no record is there in half. */
START_TEST(no_record_no_token)
{
	struct client *c = calloc(16, sizeof(*c));
	struct counted before, after;
	struct rlimit full = {0, RLIM_INFINITY};
	struct xos_buf answer, file;

	MUST_TRUE(c != NULL);
	for (int i = 0; i < 16; i++)
		client_new(&c[i]);
	before = count();
	MUST(xos_file_read(p_log, 1 << 26, &file, &err), &err);
	full.rlim_cur = file.n;
	xos_buf_free(&file);
	ck_assert_int_eq(prlimit(key_pid, RLIMIT_FSIZE, &full, NULL), 0);
	for (int i = 0; i < 16; i++)
		ck_assert_int_eq(pthread_create(&c[i].thread, NULL, client_run, &c[i]), 0);
	for (int i = 0; i < 16; i++) {
		pthread_join(c[i].thread, NULL);
		ck_assert_int_eq(c[i].issued, 0);
	}
	member_free(&c[0].side);
	client_new(&c[0]);
	size_t listed = alices();
	refused(issue(c[0].grant[0], &c[0].side.request, &answer), &answer, "log-write");
	ck_assert_uint_eq(alices(), listed);
	after = count();
	ck_assert_uint_eq(after.records, before.records);
	ck_assert_uint_eq(after.seals, before.seals);
	for (int i = 0; i < 16; i++)
		member_free(&c[i].side);
	free(c);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("group commit");
	TCase *tc = tcase_create("group");
	xos_event_setup("test", XOS_ERROR + 1);
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, lying_setup, lying_teardown);
	tcase_add_test(tc, many_clients_share_syncs);
	tcase_add_test(tc, no_record_no_token);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
