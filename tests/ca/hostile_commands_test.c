/* A lying network process and commands: it changes no membership and learns no verifier. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "api/command.h"
#include "base/clock.h"
#include "base/text.h"
#include "ca/auth/verifiers.h"
#include "lying.h"
#include "testsupport/must.h"

static struct xos_json *group_args(const char *group)
{
	struct xos_json *args = xos_json_object();

	xos_json_set_string(args, "group", group);
	return args;
}

START_TEST(commands_need_an_administrators_signature)
{
	struct xos_json *args = group_args("/demo/physics");
	struct xos_chain ada, alice, forged, node;
	struct xos_buf body;

	xos_buf_init(&body, 1 << 20);
	token_of("ada", 1, "/demo/Role=admin", &ada);
	token_of("alice", 2, NULL, &alice);
	ck_assert_int_eq(command(&alice, "group.add", args, &body), XOS_DENIED);
	ck_assert_str_eq(err.code, "not-administrator");
	/* a token that says more than the membership does now */
	token_of("alice", 2, "/demo/Role=admin", &forged);
	ck_assert_int_eq(command(&forged, "group.add", args, &body), XOS_DENIED);
	ck_assert_str_eq(err.code, "not-administrator");
	xos_chain_clear(&forged);
	/* the number of somebody else */
	token_of("ada", 7, "/demo/Role=admin", &forged);
	ck_assert_int_eq(command(&forged, "group.add", args, &body), XOS_DENIED);
	xos_chain_clear(&forged);
	/* another key than the token's */
	token_of("ada", 1, "/demo/Role=admin", &forged);
	xos_key_free(forged.key);
	forged.key = xos_key_ref(alice.key);
	ck_assert_int_eq(command(&forged, "group.add", args, &body), XOS_DENIED);
	xos_chain_clear(&forged);
	/* a node */
	struct xos_test_who who = {.name = "n1.example"};
	memset(&node, 0, sizeof(node));
	xos_test_node(vo, &who, &node);
	ck_assert_int_eq(command(&node, "group.add", args, &body), XOS_DENIED);
	xos_chain_clear(&node);
	/* the right one, once */
	ck_assert_msg(command(&ada, "group.add", args, &body) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(again(&body), XOS_DENIED);
	ck_assert_str_eq(err.code, "command-replayed");
	xos_chain_clear(&ada);
	xos_chain_clear(&alice);
	xos_json_free(args);
	xos_buf_free(&body);
}
END_TEST

START_TEST(changed_commands_are_refused)
{
	struct xos_json *args = group_args("/demo/physics");
	struct xos_chain ada;
	struct xos_buf body, bad;
	size_t tried = 0;

	xos_buf_init(&body, 1 << 20);
	token_of("ada", 1, "/demo/Role=admin", &ada);
	/* one that works as it is, and any number of times: only what was changed can refuse it */
	ck_assert_int_eq(command(&ada, "group.list", NULL, &body), XOS_OK);
	ck_assert_int_eq(again(&body), XOS_OK);
	/* The issuer's certificate that a client sends along only helps to build the path: it is not
	 * covered by the command, and a damaged one is passed over where the issuer is known. */
	const char *text = xos_buf_str(&body), *second = strstr(text, "\",\"");
	const char *rest = strstr(second, "\"],");
	for (size_t at = 0; at < body.n; at += 13, tried++) {
		if (at >= (size_t)(second - text) && at < (size_t)(rest - text))
			continue;
		xos_buf_init(&bad, 1 << 20);
		xos_buf_put(&bad, body.p, body.n);
		bad.p[at] ^= 1;
		ck_assert_int_ne(again(&bad), XOS_OK);
		xos_buf_free(&bad);
	}
	ck_assert_uint_gt(tried, 100);
	/* a refused command was used up: it cannot succeed later */
	struct xos_json *sub = group_args("/demo/physics/hep");
	ck_assert_int_eq(command(&ada, "group.add", sub, &body), XOS_NOT_FOUND);
	struct xos_buf other;
	xos_buf_init(&other, 1 << 20);
	ck_assert_int_eq(command(&ada, "group.add", args, &other), XOS_OK);
	ck_assert_int_eq(again(&body), XOS_DENIED);
	ck_assert_str_eq(err.code, "command-replayed");
	xos_buf_free(&other);
	xos_json_free(sub);
	xos_json_free(args);
	xos_chain_clear(&ada);
	xos_buf_free(&body);
}
END_TEST

static bool contains(const struct xos_buf *b, const char *needle, size_t n)
{
	return b->n >= n && memmem(b->p, b->n, needle, n);
}

/* No answer to anything that network may ask holds a stored or server key. */
START_TEST(verifiers_do_not_come_out)
{
	struct xos_scram_verifier v;
	struct ca_verifiers *store = NULL;
	struct xos_chain ada;
	struct xos_json *args = xos_json_object(), *doc = NULL;
	char stored[64], text[XOS_SCRAM_VERIFIER_TEXT];
	struct xos_buf ask, answer;
	static const char *const verbs[] = {
	    "member.list", "member.show", "vo.describe", "lock.list"};

	MUST(ca_verifiers_open(p_verifiers, false, &store, &err), &err);
	MUST(ca_verifiers_get(store, "alice", XOS_SCRAM_PASSWORD, xos_clock_now(), &v, &err), &err);
	ca_verifiers_close(store);
	MUST(xos_scram_verifier_format(&v, text), &err);
	MUST_TRUE(xos_str_copy(stored, sizeof(stored), strrchr(text, ':') + 1));
	token_of("ada", 1, "/demo/Role=admin", &ada);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i], "member.show") == 0)
			xos_json_set_string(args, "name", "alice");
		MUST(xos_command_sign(
		         &ada, "demo", "ca", verbs[i], args, xos_clock_now(), &doc, &err),
		    &err);
		if (strcmp(verbs[i], "member.show") == 0) {
			xos_json_free(args);
			args = xos_json_object();
		}
		struct xos_buf body;
		xos_buf_init(&body, 1 << 20);
		MUST(xos_json_dump(doc, &body, &err), &err);
		xos_buf_init(&ask, 1 << 20);
		xos_buf_lp_str(&ask, "x");
		xos_buf_lp(&ask, xos_buf_bytes(&body));
		ck_assert_msg(xos_bulk_call(auth, CA_COMMAND, xos_buf_bytes(&ask), soon(), &answer,
		                  &err) == XOS_OK,
		    "%s: %s", verbs[i], err.text);
		ck_assert_uint_gt(answer.n, 10);
		ck_assert(!contains(&answer, stored, strlen(stored)));
		ck_assert(!contains(&answer, "SCRAM-SHA-256$", 14));
		xos_buf_free(&answer);
		xos_buf_free(&ask);
		xos_buf_free(&body);
		xos_json_free(doc);
	}
	xos_json_free(args);
	xos_chain_clear(&ada);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ca-hostile-commands");
	TCase *t = tcase_create("hostile");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, lying_setup, lying_teardown);
	tcase_add_test(t, commands_need_an_administrators_signature);
	tcase_add_test(t, changed_commands_are_refused);
	tcase_add_test(t, verifiers_do_not_come_out);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
