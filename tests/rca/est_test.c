/*
 * EST with a network process that was taken over: whatever it says of the TLS connection, nobody is admitted without a
 * code or an approver, and no certificate is renewed for a key that the request does not prove.
 */
#include "lying.h"

#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "auth/code.h"
#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "pki/csr.h"
#include "rca/codes.h"
#include "rca/est.h"
#include "rca/nodes.h"
#include "store/sql.h"
#include "testsupport/csr.h"

static struct rca_est_request q;
static struct xos_json *answer;
static struct xos_key *other_key;

static void begin(void)
{
	rca_est_request_init(&q);
	MUST(xos_key_generate(&other_key, &err), &err);
}

static void end(void)
{
	rca_est_request_free(&q);
	xos_json_free(answer);
	answer = NULL;
	xos_key_free(other_key);
}

static struct xos_store *open_db(void)
{
	struct xos_store *db = NULL;
	char *path = xos_test_path(dir, "auth/nodes.db");

	MUST(rca_nodes_open(path, &db, &err), &err);
	MUST(xos_store_begin(db, &err), &err);
	free(path);
	return db;
}

static void close_db(struct xos_store *db)
{
	MUST(xos_store_commit(db, &err), &err);
	xos_store_close(db);
}

/* A code for this node ("": any) of the site lab, by somebody. */
static void make_code(const char *node, bool by_admin, int64_t until)
{
	struct rca_code c = {.site = "lab",
	    .by_admin = by_admin,
	    .since = xos_clock_now(),
	    .until = until,
	    .uses = 1};
	struct xos_secret *code = xos_code_make();
	uint8_t digest[XOS_SHA256_LEN];
	struct xos_store *db = NULL;

	c.by_number = 5;
	MUST_TRUE(code && xos_str_copy(c.node, sizeof(c.node), node) &&
	          xos_str_copy(c.by, sizeof(c.by), "admin"));
	MUST(xos_sha256((struct xos_bytes){xos_secret_data(code), xos_secret_len(code)}, digest),
	    &err);
	db = open_db();
	MUST(rca_code_add(db, digest, &c, &err), &err);
	close_db(db);
	xos_code_format(code, q.password);
	xos_secret_free(code);
}

static void user(const char *name)
{
	q.named = true;
	MUST_TRUE(xos_str_copy(q.user, sizeof(q.user), name));
}

static void csr(const struct xos_key *key, struct xos_test_csr what)
{
	xos_buf_free(&q.csr);
	xos_buf_init(&q.csr, XOS_CSR_MAX);
	xos_test_csr(key, &what, &q.csr);
}

static enum xos_status send(uint16_t type)
{
	xos_json_free(answer);
	answer = NULL;
	return ask_json(type, rca_est_request_encode(&q), &answer);
}

/* The certificate that was answered, which must be n1's for this key. */
static void take(const struct xos_key *key, struct xos_chain *out)
{
	xos_chain_clear(out);
	ck_assert(xos_json_has(answer, "chain"));
	MUST(xos_chain_from_json(answer, "chain", out, &err), &err);
	ck_assert(xos_key_same(xos_cert_key(out->cert[0]), key));
	out->key = xos_key_ref(key);
}

static void enrolled(void)
{
	user("n1");
	make_code("n1", true, xos_clock_now() + 600);
	csr(node_key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_ENROLL), XOS_OK, NULL);
	take(node_key, &q.chain);
}

START_TEST(a_code_admits_once)
{
	struct xos_chain one = {.n = 0};

	begin();
	enrolled();
	ck_assert(xos_cert_matches_host(q.chain.cert[0], "n1"));
	MUST(xos_chain_add(&one, q.chain.cert[0]), &err);
	/* The reply may have been lost: the same key has the same certificate, with the code that is used up and without. */
	csr(node_key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_ENROLL), XOS_OK, NULL);
	take(node_key, &q.chain);
	ck_assert_str_eq(xos_cert_serial_text(one.cert[0]), xos_cert_serial_text(q.chain.cert[0]));
	q.named = false;
	expect(send(RCA_EST_ENROLL), XOS_OK, NULL);
	/* Another key has nothing. */
	csr(other_key, (struct xos_test_csr){.cn = "n1"});
	user("n1");
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "login-needed");
	user("n2");
	csr(other_key, (struct xos_test_csr){.cn = "n2"});
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "login-needed");
	xos_chain_clear(&one);
	end();
}
END_TEST

/* Killed when the node was admitted and nothing else was kept: as it stands in the database then. */
START_TEST(killed_half_way_the_same_key_goes_on)
{
	struct xos_chain one = {.n = 0};
	struct xos_store *db;

	begin();
	enrolled();
	MUST(xos_chain_add(&one, q.chain.cert[0]), &err);
	db = open_db();
	MUST(xos_sql_run(db, NULL, &err, "DELETE FROM est_requests", ""), &err);
	MUST(xos_sql_run(db, NULL, &err, "DELETE FROM est_nodes", ""), &err);
	close_db(db);
	csr(node_key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_REENROLL), XOS_DENIED, "est-node");
	csr(other_key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "login-needed");
	csr(node_key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_ENROLL), XOS_OK, NULL);
	take(node_key, &q.chain);
	ck_assert_str_eq(xos_cert_serial_text(one.cert[0]), xos_cert_serial_text(q.chain.cert[0]));
	expect(send(RCA_EST_REENROLL), XOS_OK, NULL);
	xos_chain_clear(&one);
	end();
}
END_TEST

START_TEST(which_codes_admit)
{
	begin();
	user("n1");
	csr(node_key, (struct xos_test_csr){.cn = "n1"});
	MUST_TRUE(xos_str_copy(q.password, sizeof(q.password), "guess"));
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "login-needed");
	make_code("n2", true, xos_clock_now() + 600);
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "login-needed");
	make_code("", true, xos_clock_now() - 1);
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "login-needed");
	/* Of an approver of a site whose owner named none. */
	make_code("", false, xos_clock_now() + 600);
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "login-needed");
	/* What fails later does not use the code up. */
	make_code("", true, xos_clock_now() + 600);
	csr(node_key, (struct xos_test_csr){.cn = "n1", .san = "DNS:bank.example"});
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "est-hosts");
	csr(node_key, (struct xos_test_csr){.cn = "n1", .san = "DNS:n1,IP:192.0.2.7"});
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "est-hosts");
	MUST_TRUE(xos_str_copy(q.from, sizeof(q.from), "192.0.2.7"));
	expect(send(RCA_EST_ENROLL), XOS_OK, NULL);
	take(node_key, &q.chain);
	ck_assert(xos_cert_matches_host(q.chain.cert[0], "192.0.2.7"));
	/* The name is taken now, also for who has a good code. */
	make_code("n1", true, xos_clock_now() + 600);
	csr(other_key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_ENROLL), XOS_CONFLICT, "node-taken");
	end();
}
END_TEST

START_TEST(guessing_is_slowed_down)
{
	enum xos_status st = XOS_DENIED;
	int n = 0;

	begin();
	user("n1");
	MUST_TRUE(xos_str_copy(q.password, sizeof(q.password), "guess"));
	MUST_TRUE(xos_str_copy(q.from, sizeof(q.from), "2001:db8::1"));
	csr(node_key, (struct xos_test_csr){.cn = "n1"});
	for (; st == XOS_DENIED && n < 100; n++)
		st = send(RCA_EST_ENROLL);
	expect(st, XOS_LIMIT, "join-throttled");
	/* Who sits elsewhere is not made to wait for it; who sits next to it is. */
	MUST_TRUE(xos_str_copy(q.from, sizeof(q.from), "2001:db8::2"));
	expect(send(RCA_EST_ENROLL), XOS_LIMIT, "join-throttled");
	MUST_TRUE(xos_str_copy(q.from, sizeof(q.from), "2001:db8:1::1"));
	make_code("n1", true, xos_clock_now() + 600);
	expect(send(RCA_EST_ENROLL), XOS_OK, NULL);
	end();
}
END_TEST

START_TEST(a_request_proves_its_key_and_names_its_node)
{
	begin();
	user("n1");
	make_code("n1", true, xos_clock_now() + 600);
	csr(node_key, (struct xos_test_csr){.cn = "n2"});
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "est-name");
	csr(node_key, (struct xos_test_csr){.o = "other", .cn = "n1"});
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "est-name");
	csr(node_key, (struct xos_test_csr){.ou = "user", .cn = "n1"});
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "est-name");
	csr(node_key, (struct xos_test_csr){.cn = "n1", .san = "URI:spiffe://demo/user/admin"});
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "est-name");
	csr(node_key, (struct xos_test_csr){.cn = "n1"});
	q.csr.p[q.csr.n - 1] ^= 1;
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "csr-signature");
	csr(node_key, (struct xos_test_csr){.cn = "n1"});
	xos_buf_u8(&q.csr, 0);
	expect(send(RCA_EST_ENROLL), XOS_MALFORMED, "csr-malformed");
	/* Neither does it become more by asking. */
	csr(node_key, (struct xos_test_csr){.o = "demo", .ou = "node", .cn = "n1", .ca = true});
	expect(send(RCA_EST_ENROLL), XOS_OK, NULL);
	take(node_key, &q.chain);
	ck_assert(!xos_cert_is_ca(q.chain.cert[0]));
	end();
}
END_TEST

START_TEST(a_challenge_names_the_connection)
{
	begin();
	user("n1");
	make_code("n1", true, xos_clock_now() + 600);
	csr(node_key, (struct xos_test_csr){.cn = "n1", .challenge = "c2VjcmV0"});
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "est-binding");
	xos_buf_put_str(&q.binding, "secreT");
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "est-binding");
	xos_buf_free(&q.binding);
	xos_buf_init(&q.binding, XOS_BINDING_MAX);
	xos_buf_put_str(&q.binding, "secret");
	expect(send(RCA_EST_ENROLL), XOS_OK, NULL);
	end();
}
END_TEST

static void application_id(char id[XOS_RCA_ID_LEN + 1])
{
	struct xos_json *list = NULL;
	const struct xos_json *apps = NULL;

	MUST(ask_json(RCA_COMMAND,
	         sign_at(&admin, "rca", "node.applications", xos_json_object(), 0), &list),
	    &err);
	const struct xos_json *result = NULL;
	MUST(xos_json_get_object(list, "result", &result, &err), &err);
	MUST(xos_json_get_array(result, "applications", 10, &apps, &err), &err);
	ck_assert_uint_eq(xos_json_count(apps), 1);
	MUST(xos_json_copy_string(xos_json_at(apps, 0), "id", id, XOS_RCA_ID_LEN + 1, &err), &err);
	xos_json_free(list);
}

START_TEST(without_a_code_it_waits)
{
	char id[XOS_RCA_ID_LEN + 1];

	begin();
	csr(node_key, (struct xos_test_csr){.cn = "n1", .san = "DNS:n1.example.org"});
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "login-needed");
	MUST_TRUE(xos_str_copy(q.site, sizeof(q.site), "lab"));
	for (int i = 0; i < 3; i++) {
		/* OpenSSL signs anew: the key says who asks, not the bytes. */
		csr(node_key, (struct xos_test_csr){.cn = "n1", .san = "DNS:n1.example.org"});
		expect(send(RCA_EST_ENROLL), XOS_OK, NULL);
		ck_assert(!xos_json_has(answer, "chain"));
	}
	application_id(id);
	MUST(approve(&admin, id), &err);
	expect(send(RCA_EST_ENROLL), XOS_OK, NULL);
	take(node_key, &q.chain);
	ck_assert(xos_cert_matches_host(q.chain.cert[0], "n1.example.org"));
	csr(other_key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_ENROLL), XOS_CONFLICT, "node-taken");
	end();
}
END_TEST

START_TEST(denied_is_said_and_a_code_is_stronger)
{
	char id[XOS_RCA_ID_LEN + 1];
	struct xos_json *args;

	begin();
	csr(node_key, (struct xos_test_csr){.cn = "n1"});
	MUST_TRUE(xos_str_copy(q.site, sizeof(q.site), "lab"));
	expect(send(RCA_EST_ENROLL), XOS_OK, NULL);
	application_id(id);
	args = with("id", id);
	xos_json_set_string(args, "message", "not ours");
	expect(ask_json(RCA_COMMAND, sign_at(&admin, "rca", "node.deny", args, 0), NULL), XOS_OK,
	    NULL);
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "application-denied");
	ck_assert_ptr_nonnull(strstr(err.text, "not ours"));
	user("n1");
	make_code("n1", true, xos_clock_now() + 600);
	expect(send(RCA_EST_ENROLL), XOS_OK, NULL);
	take(node_key, &q.chain);
	end();
}
END_TEST

START_TEST(renewal_is_for_the_same_key_and_name)
{
	struct xos_chain first = {.n = 0};

	begin();
	enrolled();
	MUST(xos_chain_add(&first, q.chain.cert[0]), &err);
	csr(node_key,
	    (struct xos_test_csr){
	        .o = "demo", .ou = "node", .cn = "n1", .san = "DNS:n1,URI:spiffe://demo/node/n1"});
	expect(send(RCA_EST_REENROLL), XOS_OK, NULL);
	take(node_key, &q.chain);
	ck_assert_str_ne(
	    xos_cert_serial_text(first.cert[0]), xos_cert_serial_text(q.chain.cert[0]));
	/* Sent again, it makes no further certificate. */
	xos_chain_clear(&first);
	MUST(xos_chain_add(&first, q.chain.cert[0]), &err);
	csr(node_key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_REENROLL), XOS_OK, NULL);
	take(node_key, &q.chain);
	ck_assert_str_eq(
	    xos_cert_serial_text(first.cert[0]), xos_cert_serial_text(q.chain.cert[0]));
	/* With the certificate of n1, which stands open on the wire, and whatever request can be made without its key. */
	csr(other_key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_REENROLL), XOS_DENIED, "est-key");
	csr(node_key, (struct xos_test_csr){.cn = "n2"});
	expect(send(RCA_EST_REENROLL), XOS_DENIED, "est-name");
	csr(node_key, (struct xos_test_csr){.cn = "n1", .san = "DNS:bank.example"});
	expect(send(RCA_EST_REENROLL), XOS_DENIED, "est-hosts");
	xos_chain_clear(&q.chain);
	csr(node_key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_REENROLL), XOS_DENIED, "est-certificate");
	xos_chain_clear(&first);
	end();
}
END_TEST

START_TEST(who_may_not_renew)
{
	struct xos_chain jobs = {.n = 0};
	const struct xos_test_who n1 = {.name = "n1"};
	const struct xos_test_who late = {.name = "n1",
	    .not_before = xos_clock_now() - 7200,
	    .not_after = xos_clock_now() - 3600};

	begin();
	/* Joined as nodes of ours do. */
	admitted(&q.chain, &jobs);
	csr(node_key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_REENROLL), XOS_DENIED, "est-node");
	/* Nor does it become one of these by its request being sent again here, with whatever code. */
	user("n1");
	MUST_TRUE(xos_str_copy(q.password, sizeof(q.password), "guess"));
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "est-node");
	make_code("n1", true, xos_clock_now() + 600);
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "est-node");
	q.named = false;
	MUST_TRUE(xos_str_copy(q.site, sizeof(q.site), "lab"));
	expect(send(RCA_EST_ENROLL), XOS_CONFLICT, "node-taken");
	expect(send(RCA_EST_REENROLL), XOS_DENIED, "est-node");
	xos_chain_clear(&q.chain);
	/* Another VO's, a member's, one that has ended. */
	xos_test_node(twin, &n1, &q.chain);
	csr(q.chain.key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_REENROLL), XOS_DENIED, NULL);
	xos_chain_clear(&q.chain);
	MUST(xos_chain_add(&q.chain, alice.cert[0]), &err);
	csr(alice.key, (struct xos_test_csr){.cn = "alice"});
	expect(send(RCA_EST_REENROLL), XOS_DENIED, "token-kind");
	xos_chain_clear(&q.chain);
	xos_test_node(vo, &late, &q.chain);
	csr(q.chain.key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_REENROLL), XOS_EXPIRED, NULL);
	xos_chain_clear(&jobs);
	end();
}
END_TEST

START_TEST(a_ban_ends_it)
{
	begin();
	enrolled();
	expect(
	    ask_json(RCA_COMMAND, sign_at(&admin, "rca", "node.ban", with("node", "n1"), 0), NULL),
	    XOS_OK, NULL);
	csr(node_key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_REENROLL), XOS_DENIED, "node-banned");
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "node-banned");
	end();
}
END_TEST

/* As nodes of ours renew, by a key: seconds from now, as its clock says. */
static enum xos_status renew(
    const struct xos_chain *old, const struct xos_key *fresh, int64_t offset)
{
	struct xos_json *body = NULL;
	struct xos_buf payload;

	xos_buf_init(&payload, XOS_BULK_MAX);
	xos_buf_put_str(&payload, "192.0.2.1\n");
	MUST(xos_rca_renewal_sign("demo", old, fresh, xos_clock_now() + offset, &body, &err), &err);
	MUST(xos_json_dump(body, &payload, &err), &err);
	xos_json_free(answer);
	answer = NULL;
	enum xos_status st = ask(RCA_RENEW, xos_buf_bytes(&payload), &answer);
	xos_buf_free(&payload);
	xos_json_free(body);
	return st;
}

START_TEST(a_key_used_twice_elsewhere_counts_here_as_well)
{
	struct xos_chain first = {.n = 0}, next = {.n = 0};

	begin();
	enrolled();
	MUST(xos_chain_from_json(answer, "chain", &first, &err), &err);
	first.key = xos_key_ref(node_key);
	csr(node_key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_REENROLL), XOS_OK, NULL);
	take(node_key, &q.chain);
	/* The certificate of before is no theft at the other door, it is late. */
	expect(renew(&first, other_key, 5), XOS_DENIED, "renewal-former");
	expect(renew(&q.chain, other_key, 5), XOS_OK, NULL);
	MUST(xos_chain_from_json(answer, "chain", &next, &err), &err);
	next.key = xos_key_ref(other_key);
	expect(renew(&next, jobs_key, 10), XOS_OK, NULL);
	/* By now it is. */
	expect(renew(&q.chain, jobs_key, 15), XOS_DENIED, "key-used-twice");
	expect(send(RCA_EST_REENROLL), XOS_DENIED, "node-banned");
	expect(send(RCA_EST_ENROLL), XOS_DENIED, "node-banned");
	xos_chain_clear(&first);
	xos_chain_clear(&next);
	end();
}
END_TEST

START_TEST(another_key_only_where_it_is_allowed)
{
	begin();
	stop(0);
	conf.est_rekey = true;
	start();
	enrolled();
	csr(other_key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_REENROLL), XOS_OK, NULL);
	take(other_key, &q.chain);
	/* And not one after another. */
	csr(jobs_key, (struct xos_test_csr){.cn = "n1"});
	expect(send(RCA_EST_REENROLL), XOS_LIMIT, "est-again");
	end();
}
END_TEST

START_TEST(messages_are_read_strictly)
{
	struct xos_json *doc;

	begin();
	csr(node_key, (struct xos_test_csr){.cn = "n1"});
	doc = rca_est_request_encode(&q);
	xos_json_set_string(doc, "colour", "blue");
	expect(ask_json(RCA_EST_ENROLL, doc, NULL), XOS_MALFORMED, NULL);
	doc = rca_est_request_encode(&q);
	xos_json_set_string(doc, "user", "n1");
	expect(ask_json(RCA_EST_ENROLL, doc, NULL), XOS_MALFORMED, NULL);
	doc = rca_est_request_encode(&q);
	xos_json_set_string(doc, "site", "../lab");
	expect(ask_json(RCA_EST_ENROLL, doc, NULL), XOS_MALFORMED, NULL);
	user("N 1");
	expect(send(RCA_EST_ENROLL), XOS_MALFORMED, "node-name");
	end();
}
END_TEST

int main(void)
{
	TCase *tc = lying_case("est");

	tcase_add_test(tc, a_code_admits_once);
	tcase_add_test(tc, killed_half_way_the_same_key_goes_on);
	tcase_add_test(tc, which_codes_admit);
	tcase_add_test(tc, guessing_is_slowed_down);
	tcase_add_test(tc, a_request_proves_its_key_and_names_its_node);
	tcase_add_test(tc, a_challenge_names_the_connection);
	tcase_add_test(tc, without_a_code_it_waits);
	tcase_add_test(tc, denied_is_said_and_a_code_is_stronger);
	tcase_add_test(tc, renewal_is_for_the_same_key_and_name);
	tcase_add_test(tc, who_may_not_renew);
	tcase_add_test(tc, a_ban_ends_it);
	tcase_add_test(tc, a_key_used_twice_elsewhere_counts_here_as_well);
	tcase_add_test(tc, another_key_only_where_it_is_allowed);
	tcase_add_test(tc, messages_are_read_strictly);
	return run_case(tc);
}
