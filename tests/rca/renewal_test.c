/*
 * A network process that was taken over: whatever it sends, nothing is renewed without the present key, and
 * nobody is banned, or no longer banned, without the signature of an administrator.
 */
#include "lying.h"

#include <signal.h>

#include "api/chainjson.h"
#include "api/signer.h"
#include "base/clock.h"
#include "bundle/locks.h"

static enum xos_status renew(const struct xos_chain *old, const struct xos_key *fresh,
    int64_t offset, struct xos_json **answer)
{
	struct xos_json *body = NULL;

	MUST(xos_rca_renewal_sign("demo", old, fresh, xos_clock_now() + offset, &body, &err), &err);
	return ask_json(RCA_RENEW, body, answer);
}

START_TEST(renewal_keeps_the_name_and_is_good_once)
{
	struct xos_chain node = {.n = 0}, jobs = {.n = 0}, fresh = {.n = 0};
	struct xos_key *next = NULL;
	struct xos_json *body = NULL, *answer = NULL;

	admitted(&node, &jobs);
	MUST(xos_key_generate(&next, &err), &err);
	MUST(xos_rca_renewal_sign("demo", &node, next, xos_clock_now(), &body, &err), &err);
	struct xos_json *again = xos_json_copy(body);
	expect(ask_json(RCA_RENEW, body, &answer), XOS_OK, NULL);
	MUST(xos_chain_from_json(answer, "chain", &fresh, &err), &err);
	ck_assert(xos_key_same(xos_cert_key(fresh.cert[0]), next));
	expect_identity(&fresh, XOS_KIND_NODE, NULL);
	expect(ask_json(RCA_RENEW, again, NULL), XOS_DENIED, "command-replayed");
	xos_json_free(answer);
	xos_key_free(next);
	xos_chain_clear(&fresh);
	xos_chain_clear(&node);
	xos_chain_clear(&jobs);
}
END_TEST

START_TEST(renewal_needs_the_present_key)
{
	struct xos_chain node = {.n = 0}, jobs = {.n = 0}, other = {.n = 0};
	struct xos_key *next = NULL;
	const struct xos_test_who n9 = {.name = "n9"}, ca = {.name = "n1", .service = "ca"};

	admitted(&node, &jobs);
	MUST(xos_key_generate(&next, &err), &err);
	/* A certificate that stands open on the wire, with another key. */
	struct xos_chain stolen = node;
	stolen.key = next;
	expect(renew(&stolen, next, 0, NULL), XOS_DENIED, NULL);
	expect(renew(&node, next, -1000, NULL), XOS_EXPIRED, "renewal-time");
	expect(renew(&node, next, 1000, NULL), XOS_NOT_YET_VALID, "renewal-time");
	expect(renew(&alice, next, 0, NULL), XOS_DENIED, "token-kind");
	/* Good certificates of a node that nobody admitted, and of a server that is none of ours. */
	xos_test_node(vo, &n9, &other);
	expect(renew(&other, next, 0, NULL), XOS_NOT_FOUND, "no-node");
	xos_chain_clear(&other);
	xos_test_service(vo, &ca, &other);
	expect(renew(&other, next, 0, NULL), XOS_NOT_FOUND, "no-node");
	xos_chain_clear(&other);
	xos_key_free(next);
	xos_chain_clear(&node);
	xos_chain_clear(&jobs);
}
END_TEST

static struct xos_locks *lock_list(void)
{
	const struct xos_cert *cert[] = {vo->ca, vo->rca};
	const struct xos_bundle_certs certs = {cert, 2};
	const struct xos_bundle_trust bt = {.vo = "demo",
	    .signer = xos_api_signer,
	    .arg = trust,
	    .now = xos_clock_now(),
	    .skew = 300};
	struct xos_locks *l = NULL;
	struct xos_buf reply;

	MUST(xos_bulk_call(parts.to_auth, RCA_LOCKS, XOS_BYTES_NONE, xos_clock_mono_ms() + 60000,
	         &reply, &err),
	    &err);
	MUST(xos_locks_verify(xos_buf_bytes(&reply), XOS_SIGNER_RCA, &certs, &bt, &l, &err), &err);
	xos_buf_free(&reply);
	return l;
}

/* Checks the list, whose serial must have grown, for a lock of n1. */
static void expect_lock(bool locked, uint64_t *serial)
{
	struct xos_locks *l = lock_list();
	const struct xos_lock *k = xos_locks_find(l, XOS_LOCK_NODE, "n1", xos_clock_now());

	ck_assert_int_eq(k != NULL, locked);
	if (k)
		ck_assert_str_eq(k->message, "stolen");
	ck_assert_uint_gt(xos_locks_serial(l), *serial);
	*serial = xos_locks_serial(l);
	xos_locks_free(l);
}

START_TEST(a_ban_ends_renewal_and_stands_in_the_lock_list)
{
	struct xos_chain node = {.n = 0}, jobs = {.n = 0};
	struct xos_json *args = with("node", "n1");
	uint64_t serial = 0;

	admitted(&node, &jobs);
	expect_lock(false, &serial);
	xos_json_set_string(args, "message", "stolen");
	expect(
	    ask_json(RCA_COMMAND, sign_at(&admin, "rca", "node.ban", args, 0), NULL), XOS_OK, NULL);
	expect(renew(&node, jobs_key, 0, NULL), XOS_DENIED, "node-banned");
	expect(renew(&jobs, jobs_key, 0, NULL), XOS_DENIED, "node-banned");
	expect_lock(true, &serial);
	/* Killed and started again, it knows both the ban and the serial. */
	stop(SIGKILL);
	start();
	expect_lock(true, &serial);
	args = with("node", "n1");
	expect(ask_json(RCA_COMMAND, sign_at(&alice, "rca", "node.unban", args, 0), NULL),
	    XOS_DENIED, "not-administrator");
	args = with("node", "n1");
	expect(ask_json(RCA_COMMAND, sign_at(&admin, "rca", "node.unban", args, 0), NULL), XOS_OK,
	    NULL);
	expect_lock(false, &serial);
	expect(renew(&node, jobs_key, 0, NULL), XOS_OK, NULL);
	xos_chain_clear(&node);
	xos_chain_clear(&jobs);
}
END_TEST

int main(void)
{
	TCase *tc = lying_case("renewal");

	tcase_add_test(tc, renewal_keeps_the_name_and_is_good_once);
	tcase_add_test(tc, renewal_needs_the_present_key);
	tcase_add_test(tc, a_ban_ends_renewal_and_stands_in_the_lock_list);
	return run_case(tc);
}
