/*
 * A network process that was taken over: whatever it sends, nobody is admitted without the signature of an
 * administrator, and no certificate exists that the log lacks.
 */
#include "lying.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "api/loghead.h"
#include "base/clock.h"
#include "bundle/administrators.h"
#include "pki/csr.h"
#include "rca/issue.h"

START_TEST(a_node_is_admitted_by_an_administrator)
{
	struct xos_chain node = {.n = 0}, jobs = {.n = 0};
	struct xos_json *list = NULL;
	const struct xos_json *nodes = NULL;

	admitted(&node, &jobs);
	expect_identity(&node, XOS_KIND_NODE, NULL);
	expect_identity(&jobs, XOS_KIND_SERVICE, "jobs");
	MUST(ask(RCA_NODES, XOS_BYTES_NONE, &list), &err);
	MUST(xos_json_get_array(list, "nodes", 10, &nodes, &err), &err);
	ck_assert_uint_eq(xos_json_count(nodes), 1);
	xos_json_free(list);
	xos_chain_clear(&node);
	xos_chain_clear(&jobs);
}
END_TEST

static void same_bytes(struct xos_buf *to, const struct xos_buf *from)
{
	xos_buf_free(to);
	xos_buf_init(to, XOS_CSR_MAX);
	xos_buf_put(to, from->p, from->n);
}

START_TEST(sending_an_application_again_makes_no_second_one)
{
	char one[XOS_RCA_ID_LEN + 1], two[XOS_RCA_ID_LEN + 1];
	struct xos_rca_application *a = application("n1", "jobs"), *b = application("n1", "jobs");

	same_bytes(&b->csr, &a->csr);
	same_bytes(&b->services[0].csr, &a->services[0].csr);
	MUST(apply(a, one), &err);
	MUST(apply(b, two), &err);
	ck_assert_str_eq(one, two);
}
END_TEST

START_TEST(who_may_not_approve)
{
	char id[XOS_RCA_ID_LEN + 1];
	struct xos_chain late = {.n = 0}, foreign = {.n = 0}, node = {.n = 0};
	const struct xos_test_who n9 = {.name = "n9"};

	MUST(apply(application("n1", "jobs"), id), &err);
	expect(approve(&alice, id), XOS_DENIED, "not-administrator");
	member(&late, vo, "admin", true, xos_clock_now() - 3600);
	expect(approve(&late, id), XOS_EXPIRED, NULL);
	member(&foreign, twin, "admin", true, 0);
	expect(approve(&foreign, id), XOS_DENIED, NULL);
	xos_test_node(vo, &n9, &node);
	expect(approve(&node, id), XOS_DENIED, "token-kind");
	expect(approve_as(&admin, "vops", id, 0), XOS_DENIED, "command-audience");
	expect(approve_as(&admin, "rca", id, -1000), XOS_EXPIRED, "command-time");
	expect(approve_as(&admin, "rca", id, 1000), XOS_NOT_YET_VALID, "command-time");
	/* Still pending, and approved by the one who may, once. */
	expect(approve(&admin, id), XOS_OK, NULL);
	expect(approve(&admin, id), XOS_CONFLICT, "decided");
	xos_chain_clear(&late);
	xos_chain_clear(&foreign);
	xos_chain_clear(&node);
}
END_TEST

START_TEST(an_administrator_who_left_or_is_locked)
{
	char id[XOS_RCA_ID_LEN + 1];

	MUST(apply(application("n1", "jobs"), id), &err);
	expect(administrators(vo->ca_key, 0, 2, true, "admin"), XOS_OK, NULL);
	expect(approve(&admin, id), XOS_DENIED, "locked");
	expect(administrators(vo->ca_key, 0, 3, false, NULL), XOS_OK, NULL);
	expect(approve(&admin, id), XOS_DENIED, "not-administrator");
	/* What was said before does not come back, nor does what others say count. */
	expect(administrators(vo->ca_key, 1, 1, true, NULL), XOS_CONFLICT, "older-list");
	expect(administrators(vo->rca_key, 0, 9, true, NULL), XOS_DENIED, NULL);
	expect(administrators(twin->ca_key, 0, 9, true, NULL), XOS_DENIED, NULL);
	expect(approve(&admin, id), XOS_DENIED, "not-administrator");
	expect(administrators(vo->ca_key, 0, 4, true, NULL), XOS_OK, NULL);
	expect(approve(&admin, id), XOS_OK, NULL);
}
END_TEST

/* The token that was stolen, not the administrator. */
START_TEST(a_locked_token_commands_nobody)
{
	char id[XOS_RCA_ID_LEN + 1];
	char serial[1][XOS_SERIAL_TEXT] = {""};
	struct xos_administrator who = {.name = "admin", .number = 5};
	struct xos_administrators list = {.act = 2,
	    .issued = xos_clock_now(),
	    .expires = xos_clock_now() + 300,
	    .list = &who,
	    .n = 1,
	    .tokens = serial,
	    .ntokens = 1};
	struct xos_chain again = {.n = 0};
	struct xos_buf compact;

	strcpy(serial[0], xos_cert_serial_text(admin.cert[0]));
	xos_buf_init(&compact, XOS_ADMINISTRATORS_MAX);
	MUST(xos_administrators_sign(vo->ca_key, "demo", &list, &compact, &err), &err);
	MUST(ask(RCA_ADMINISTRATORS, xos_buf_bytes(&compact), NULL), &err);
	xos_buf_free(&compact);
	MUST(apply(application("n1", "jobs"), id), &err);
	expect(approve(&admin, id), XOS_DENIED, "locked");
	member(&again, vo, "admin", true, 0);
	expect(approve(&again, id), XOS_OK, NULL);
	xos_chain_clear(&again);
}
END_TEST

START_TEST(nobody_commands_before_the_administrators_are_known)
{
	char id[XOS_RCA_ID_LEN + 1];

	stop(0);
	start_ignorant();
	MUST(apply(application("n1", "jobs"), id), &err);
	expect(approve(&admin, id), XOS_UNAVAILABLE, "administrators-unknown");
	expect(approve(&alice, id), XOS_DENIED, "not-administrator");
	expect(administrators(vo->ca_key, 301, 1, true, NULL), XOS_EXPIRED, NULL);
	expect(approve(&admin, id), XOS_UNAVAILABLE, "administrators-unknown");
	expect(administrators(vo->ca_key, 0, 1, true, NULL), XOS_OK, NULL);
	expect(approve(&admin, id), XOS_OK, NULL);
}
END_TEST

START_TEST(a_command_is_good_once)
{
	struct xos_json *body = sign_at(&admin, "rca", "node.applications", NULL, 0);
	struct xos_json *again = xos_json_copy(body);

	expect(ask_json(RCA_COMMAND, body, NULL), XOS_OK, NULL);
	expect(ask_json(RCA_COMMAND, xos_json_copy(again), NULL), XOS_DENIED, "command-replayed");
	/* Nor after a crash of both. */
	stop(SIGKILL);
	start();
	expect(ask_json(RCA_COMMAND, again, NULL), XOS_DENIED, "command-replayed");
}
END_TEST

START_TEST(a_changed_command)
{
	char id[XOS_RCA_ID_LEN + 1], copy[8192];
	const char *compact = NULL;

	MUST(apply(application("n1", "jobs"), id), &err);
	struct xos_json *body = sign_at(&admin, "rca", "node.deny", with("id", id), 0);
	MUST(xos_json_get_string(body, "command", sizeof(copy) - 1, &compact, &err), &err);
	memcpy(copy, compact, strlen(compact) + 1);
	char *payload = strchr(copy, '.') + 20;
	*payload = *payload == 'A' ? 'B' : 'A';
	xos_json_set_string(body, "command", copy);
	expect(ask_json(RCA_COMMAND, body, NULL), XOS_DENIED, "signature");
}
END_TEST

START_TEST(a_taken_name)
{
	char first[XOS_RCA_ID_LEN + 1], second[XOS_RCA_ID_LEN + 1];
	struct xos_key *mine = node_key;

	MUST(apply(application("n1", "jobs"), first), &err);
	MUST(xos_key_generate(&node_key, &err), &err);
	MUST(apply(application("n1", "jobs"), second), &err);
	ck_assert_str_ne(first, second);
	expect(approve(&admin, first), XOS_OK, NULL);
	expect(approve(&admin, second), XOS_CONFLICT, "node-taken");
	expect(apply(application("n1", "jobs"), second), XOS_CONFLICT, "node-taken");
	xos_key_free(mine);
}
END_TEST

START_TEST(what_no_node_gets)
{
	static const char *const servers[] = {"ca", "rca", "vops", "accounting"};
	char id[XOS_RCA_ID_LEN + 1];

	for (size_t i = 0; i < 4; i++)
		expect(apply(application("n1", servers[i]), id), XOS_DENIED, "service-kind");
	struct xos_rca_application *a = application("n1", "jobs");
	a->csr.p[a->csr.n - 1] ^= 1; /* does not prove its key */
	ck_assert_int_ne(apply(a, id), XOS_OK);
	expect(apply(application("N1", "jobs"), id), XOS_MALFORMED, NULL);
	expect(ask(RCA_APPLICATION, xos_bytes_str("nothing"), NULL), XOS_NOT_FOUND, NULL);
	/* The key process listens to auth alone, and auth takes none of its requests. */
	expect(ask(RCA_ISSUE, xos_bytes_str("{}"), NULL), XOS_DENIED, "channel-type");
	expect(ask(RCA_SIGN_LOCKS, xos_bytes_str("{}"), NULL), XOS_DENIED, "channel-type");
	expect(ask(RCA_COMMAND, xos_bytes_str("{"), NULL), XOS_MALFORMED, NULL);
}
END_TEST

struct seen {
	const char *serial[2];
	size_t issued, hits;
};

static enum xos_status each(void *ctx, const struct xos_log_record *r, struct xos_err *e)
{
	struct seen *s = ctx;
	struct xos_json *doc = NULL;
	const char *serial = NULL;

	if (r->type != RCA_LOG_ISSUED)
		return XOS_OK;
	s->issued++;
	enum xos_status st = xos_json_parse(r->payload, XOS_LOG_PAYLOAD_MAX, &doc, e);
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "serial", 64, &serial, e);
	for (size_t i = 0; st == XOS_OK && i < 2; i++)
		s->hits += strcmp(serial, s->serial[i]) == 0;
	xos_json_free(doc);
	return st;
}

START_TEST(the_log_has_every_certificate)
{
	struct xos_chain node = {.n = 0}, jobs = {.n = 0};
	struct xos_loghead head = {.key = vo->rca_key};
	const struct xos_log_crypto crypto = xos_loghead_crypto(&head);
	struct xos_log_report report;
	char *path = xos_test_path(dir, "key/issued.log");

	admitted(&node, &jobs);
	stop(SIGKILL);
	struct seen s = {
	    .serial = {xos_cert_serial_text(node.cert[0]), xos_cert_serial_text(jobs.cert[0])}};
	enum xos_status st = xos_log_verify_file(path, &crypto, each, &s, &report, &err);
	ck_assert_msg(st == XOS_OK, "%s", err.text);
	ck_assert_uint_eq(s.issued, 2);
	ck_assert_uint_eq(s.hits, 2);
	free(path);
	xos_chain_clear(&node);
	xos_chain_clear(&jobs);
	start();
}
END_TEST

int main(void)
{
	TCase *tc = lying_case("hostile");

	tcase_add_test(tc, a_node_is_admitted_by_an_administrator);
	tcase_add_test(tc, sending_an_application_again_makes_no_second_one);
	tcase_add_test(tc, who_may_not_approve);
	tcase_add_test(tc, a_command_is_good_once);
	tcase_add_test(tc, an_administrator_who_left_or_is_locked);
	tcase_add_test(tc, a_locked_token_commands_nobody);
	tcase_add_test(tc, nobody_commands_before_the_administrators_are_known);
	tcase_add_test(tc, a_changed_command);
	tcase_add_test(tc, a_taken_name);
	tcase_add_test(tc, what_no_node_gets);
	tcase_add_test(tc, the_log_has_every_certificate);
	return run_case(tc);
}
