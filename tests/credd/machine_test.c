/* Nodes and services that ask for themselves, by their certificates. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "api/decision.h"
#include "fixture.h"

#define READ(type, id)                                                                             \
	"{\"subject\":{\"type\":\"" type "\",\"id\":\"demo:" id                                    \
	"\"},\"action\":{\"name\":\"file.read\"},"                                                 \
	"\"resource\":{\"type\":\"file\",\"id\":\"/replicas/x\"}}"

static struct node *n;
static struct xos_chain host, data, job;

/* n1 is called like a host and could be a member's name as well. */
static const struct xos_test_bundle usual = {.serial = 5,
    .vo_text = "vo \"demo\" serial 1 {\n"
               "  permit any action any on any;\n"
               "  permit service data action file.read on file:/replicas;\n"
               "  permit node n2 action file.read on file:/programs;\n"
               "}\n",
    .site_text = "site \"lab\" serial 1 {\n"
                 "  accounts vo demo uid 1900000000-1900999999;\n"
                 "  permit vo demo, node demo:*, service demo:* action any on site:lab;\n"
                 "}\n"};

static void setup(void)
{
	n = node_new(&usual);
	struct xos_test_who h = {.name = "n2"};
	struct xos_test_who d = {.name = "n2", .service = "data"};
	struct xos_test_who j = {.name = "n2", .service = "job"};
	xos_test_node(n->vo, &h, &host);
	xos_test_service(n->vo, &d, &data);
	xos_test_service(n->vo, &j, &job);
}

static void teardown(void)
{
	xos_chain_clear(&host);
	xos_chain_clear(&data);
	xos_chain_clear(&job);
	node_free(n);
}

static void decided(const struct xos_chain *chain, const char *request,
    enum xos_local_decision want, const char *subject, const char *reason)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_verdict v;
	struct xos_decision_answer *a = NULL;
	ck_assert_msg(node_ask(n, chain, request, 0, true, &v, &err) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(v.decision, want);
	ck_assert_str_eq(v.subject, subject);
	/* Nothing of a machine runs under an account of the VO's members. */
	ck_assert(!v.account.present);
	ck_assert_int_eq(xos_decision_answer_decode(xos_buf_bytes(&v.json), &a, &err), XOS_OK);
	if (reason)
		ck_assert_msg(strstr(a->reason_user, reason), "%s", a->reason_user);
	xos_decision_answer_free(a);
	xos_credd_verdict_free(&v);
}

static void refused(
    const struct xos_chain *chain, const char *request, enum xos_status want, const char *code)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_verdict v;
	ck_assert_int_eq(node_ask(n, chain, request, 0, true, &v, &err), want);
	ck_assert_str_eq(err.code, code);
}

START_TEST(a_service_is_decided_as_what_it_is)
{
	decided(&data, READ("service", "data/n2"), XOS_LOCAL_PERMIT, "service:demo:data/n2", NULL);
	decided(&job, READ("service", "job/n2"), XOS_LOCAL_DENY, "service:demo:job/n2", NULL);
	/* The permit of members does not cover a node. */
	decided(&host, READ("node", "n2"), XOS_LOCAL_DENY, "node:demo:n2", NULL);
	decided(&host,
	    "{\"subject\":{\"type\":\"node\",\"id\":\"demo:n2\"},\"action\":{\"name\":\"file."
	    "read\"},"
	    "\"resource\":{\"type\":\"file\",\"id\":\"/programs/x\"}}",
	    XOS_LOCAL_PERMIT, "node:demo:n2", NULL);
}
END_TEST

/* Neither another kind, nor another name, nor a member of the host's name. */
START_TEST(the_request_must_name_the_certificates_subject)
{
	static const char *const wrong[] = {READ("user", "n2"), READ("node", "n3"),
	    READ("service", "data/n2"), READ("local", "n2")};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		refused(&host, wrong[i], XOS_MALFORMED, "subject-mismatch");
	refused(&data, READ("service", "job/n2"), XOS_MALFORMED, "subject-mismatch");
	refused(&data, READ("service", "data/n3"), XOS_MALFORMED, "subject-mismatch");
	refused(&data, READ("node", "n2"), XOS_MALFORMED, "subject-mismatch");
	refused(&data, READ("user", "n2"), XOS_MALFORMED, "subject-mismatch");
	refused(&n->alice, READ("node", "alice"), XOS_MALFORMED, "subject-mismatch");
	refused(&n->alice, READ("service", "data/n2"), XOS_MALFORMED, "subject-mismatch");
}
END_TEST

/* A locked node takes its services with it; a lock of a member of that name does not matter. */
START_TEST(locks_of_nodes_deny_them)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_lock lock = {.id = "L1",
	    .kind = XOS_LOCK_MEMBER,
	    .since = n->vo->now - 10,
	    .until = XOS_LOCK_NO_END};
	struct xos_test_bundle b = usual;
	strcpy(lock.name, "n2");
	strcpy(lock.message, "stolen");
	b.serial = 6;
	b.locks_serial = 2;
	b.locks_ca = &lock;
	b.nlocks_ca = 1;
	ck_assert_msg(node_offer(n, &b, &err) == XOS_OK, "%s", err.text);
	decided(&data, READ("service", "data/n2"), XOS_LOCAL_PERMIT, "service:demo:data/n2", NULL);
	struct xos_lock banned = lock;
	banned.kind = XOS_LOCK_NODE;
	b.serial = 7;
	b.locks_serial = 3;
	b.locks_ca = NULL;
	b.nlocks_ca = 0;
	b.locks_rca = &banned;
	b.nlocks_rca = 1;
	ck_assert_msg(node_offer(n, &b, &err) == XOS_OK, "%s", err.text);
	decided(
	    &data, READ("service", "data/n2"), XOS_LOCAL_DENY, "service:demo:data/n2", "stolen");
	decided(&host, READ("node", "n2"), XOS_LOCAL_DENY, "node:demo:n2", "stolen");
}
END_TEST

START_TEST(what_is_for_members_refuses_them)
{
	struct xos_err err = XOS_ERR_INIT;
	const struct xos_known *k = NULL;
	struct xos_bytes der[XOS_CHAIN_MAX];
	/* Also when the chain is known already. */
	decided(&data, READ("service", "data/n2"), XOS_LOCAL_PERMIT, "service:demo:data/n2", NULL);
	size_t count = xos_test_ders(&data, der);
	ck_assert_int_eq(
	    xos_credd_decider_verify(n->decider, der, count, n->vo->now, &k, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "token-kind");
	count = xos_test_ders(&host, der);
	ck_assert_int_eq(
	    xos_credd_decider_verify(n->decider, der, count, n->vo->now, &k, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "token-kind");
	ck_assert_ptr_null(k);
	/* Only a service may ask about machines: no account is theirs. */
	struct xos_credd_verdict v;
	ck_assert_int_eq(
	    node_ask(n, &data, READ("service", "data/n2"), ALICE_UID, false, &v, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "not-yours");
	ck_assert_int_eq(
	    node_ask(n, &data, READ("service", "data/n2"), SLICE_FIRST, false, &v, &err),
	    XOS_DENIED);
}
END_TEST

/* What read_steps() of lib/token refuses to read, nobody can write either. */
START_TEST(machines_do_not_delegate)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_key *key = NULL;
	struct xos_delegation d = {.actor = "job", .not_after = n->vo->now + 3600};
	struct xos_cert *proxy = NULL;
	MUST(xos_key_generate(&key, &err), &err);
	ck_assert_int_eq(
	    xos_delegation_sign(&host, xos_key_spki(key), &d, n->vo->now, &proxy, &err),
	    XOS_DENIED);
	xos_key_free(key);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("machines");
	TCase *t = tcase_create("machines");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_service_is_decided_as_what_it_is);
	tcase_add_test(t, the_request_must_name_the_certificates_subject);
	tcase_add_test(t, locks_of_nodes_deny_them);
	tcase_add_test(t, what_is_for_members_refuses_them);
	tcase_add_test(t, machines_do_not_delegate);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
