/*
 * A network process that was taken over: this test holds its two channels, and the auth and key
 * processes run as they do in xos-cad. Whatever it sends, it must neither get a token for somebody who
 * did not log in, nor swap keys or roles, nor change the membership, nor learn a verifier.
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/cad.h"
#include "auth/scram.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "ca/acts.h"
#include "ca/auth.h"
#include "ca/key.h"
#include "ca/messages.h"
#include "pki/jws.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define PASSWORD "correct horse battery"

static char *dir;
static struct xos_test_vo *vo;
static struct xos_err err;
static pid_t auth_pid, key_pid;
static struct xos_bulk *auth, *key;
static struct xos_channel *auth_ch, *key_ch;
static char *p_membership, *p_verifiers, *p_log, *p_key, *p_cert;

/* --- the two honest processes --- */

static void serve(const struct xos_bulk_handler *table, size_t n, void *ctx,
    struct xos_channel *const *channels, size_t nchannels)
{
	struct xos_channel_server server = {
	    .channels = channels, .nchannels = nchannels, .signal_fd = -1};
	struct xos_bulk_server *bulk = NULL;

	MUST(xos_bulk_server_new(table, n, ctx, &bulk, &err), &err);
	MUST(xos_bulk_serve(bulk, &server, &err), &err);
	xos_bulk_server_free(bulk);
}

static void run_key(int network_fd, int auth_fd)
{
	struct ca_key_opts o = {.vo = "demo",
	    .key = p_key,
	    .cert = p_cert,
	    .membership = p_membership,
	    .log = p_log,
	    .lifetime = 12 * 3600,
	    .lifetime_max = 24 * 3600};
	struct xos_channel *list[2] = {NULL, NULL};
	struct ca_key *k = NULL;

	MUST(xos_channel_new(network_fd, &list[0], &err), &err);
	MUST(xos_channel_new(auth_fd, &list[1], &err), &err);
	MUST(ca_key_new(&o, &k, &err), &err);
	serve(ca_key_table, ca_key_ntable, k, list, 2);
	ca_key_free(k);
	xos_channel_free(list[0]);
	xos_channel_free(list[1]);
}

static void run_auth(int network_fd, int to_key_fd)
{
	struct xos_trust *trust = xos_test_vo_trust(vo);
	struct ca_auth_opts o = {.vo = "demo",
	    .membership = p_membership,
	    .verifiers = p_verifiers,
	    .trust = trust,
	    .iterations = 4096};
	struct xos_channel *list[1] = {NULL};
	struct ca_auth *a = NULL;

	MUST(xos_channel_new(network_fd, &list[0], &err), &err);
	MUST(xos_channel_new(to_key_fd, &o.key, &err), &err);
	MUST(ca_auth_new(&o, &a, &err), &err);
	serve(ca_auth_table, ca_auth_ntable, a, list, 1);
	ca_auth_free(a);
	xos_channel_free(list[0]);
	xos_channel_free(o.key);
	xos_trust_free(trust);
}

/* Forks both; this process keeps the ends of the network process. */
static void start(void)
{
	int na[2], nk[2], ak[2];

	MUST(xos_channel_pair(na, &err), &err);
	MUST(xos_channel_pair(nk, &err), &err);
	MUST(xos_channel_pair(ak, &err), &err);
	key_pid = fork();
	if (key_pid == 0) {
		close(na[0]);
		close(na[1]);
		close(nk[0]);
		close(ak[0]);
		run_key(nk[1], ak[1]);
		_exit(0);
	}
	auth_pid = fork();
	if (auth_pid == 0) {
		close(na[0]);
		close(nk[0]);
		close(nk[1]);
		close(ak[1]);
		run_auth(na[1], ak[0]);
		_exit(0);
	}
	close(na[1]);
	close(nk[1]);
	close(ak[0]);
	close(ak[1]);
	MUST(xos_channel_new(na[0], &auth_ch, &err), &err);
	MUST(xos_channel_new(nk[0], &key_ch, &err), &err);
	MUST(xos_bulk_new(auth_ch, &auth, &err), &err);
	MUST(xos_bulk_new(key_ch, &key, &err), &err);
}

static void stop(void)
{
	int status = 0;

	xos_bulk_free(auth);
	xos_bulk_free(key);
	xos_channel_free(auth_ch);
	xos_channel_free(key_ch);
	waitpid(auth_pid, &status, 0);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	waitpid(key_pid, &status, 0);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void add_member(
    struct ca_membership *m, struct ca_verifiers *v, const char *name, const char *jti)
{
	struct xos_secret *pw = xos_secret_from(PASSWORD, strlen(PASSWORD));
	struct ca_act act = {.at = vo->now, .actor = "test", .verb = "x", .args = "{}", .jti = jti};
	struct xos_scram_verifier verifier;
	uint64_t number = 0;

	MUST(xos_scram_verifier_make(pw, 4096, &verifier, &err), &err);
	MUST(ca_verifiers_prepare(v, jti, name, &verifier, &err), &err);
	MUST(ca_member_add(m, name, vo->now, &number, &err), &err);
	MUST(ca_act_add(m, &act, &err), &err);
	MUST(ca_verifiers_settle(v, jti, true, vo->now, &err), &err);
	xos_secret_free(pw);
}

static void setup(void)
{
	struct ca_membership *m = NULL;
	struct ca_verifiers *v = NULL;
	struct xos_buf pem;

	dir = xos_test_dir_new();
	vo = xos_test_vo_new("demo", "lab", xos_clock_now());
	p_membership = xos_test_path(dir, "membership.db");
	p_verifiers = xos_test_path(dir, "verifiers.db");
	p_log = xos_test_path(dir, "issuance.log");
	p_key = xos_test_path(dir, "ca.key");
	p_cert = xos_test_path(dir, "ca.pem");
	MUST(xos_key_save(vo->ca_key, p_key, NULL, &err), &err);
	xos_buf_init(&pem, 65536);
	xos_cert_to_pem(vo->ca, &pem);
	MUST(xos_file_write(p_cert, 0644, xos_buf_bytes(&pem), &err), &err);
	xos_buf_free(&pem);
	MUST(ca_membership_open(p_membership, "demo", true, false, &m, &err), &err);
	MUST(ca_verifiers_open(p_verifiers, true, &v, &err), &err);
	MUST(xos_store_begin(m->store, &err), &err);
	add_member(m, v, "ada", "j1");
	add_member(m, v, "alice", "j2");
	MUST(ca_role_grant(m, "ada", "/demo/Role=admin", vo->now, &err), &err);
	MUST(xos_store_commit(m->store, &err), &err);
	ca_verifiers_close(v);
	ca_membership_close(m);
	start();
}

static void teardown(void)
{
	stop();
	free(p_membership);
	free(p_verifiers);
	free(p_log);
	free(p_key);
	free(p_cert);
	xos_test_vo_free(vo);
	xos_test_dir_free(dir);
}

/* --- what the network process says --- */

static int64_t soon(void)
{
	return xos_clock_mono_ms() + 20000;
}

struct member_side {
	struct xos_key *key;
	struct xos_cad_request request;
	uint8_t digest[XOS_SHA256_LEN];
	struct xos_scram_client *scram;
	struct xos_secret *password;
};

static void request_make(struct member_side *s, struct xos_key *k, const char *role)
{
	struct xos_csr csr;

	xos_cad_request_init(&s->request);
	MUST(xos_csr_make(k, &s->request.csr, &err), &err);
	if (role)
		MUST(xos_cad_request_add_role(&s->request, role, &err), &err);
	MUST(xos_cad_request_digest("demo", &s->request, &csr, s->digest, &err), &err);
}

static void member_new(struct member_side *s, const char *name, const char *pw, const char *role)
{
	memset(s, 0, sizeof(*s));
	MUST(xos_key_generate(&s->key, &err), &err);
	request_make(s, s->key, role);
	s->password = xos_secret_from(pw, strlen(pw));
	MUST(xos_scram_client_new(name, s->password, s->digest, &s->scram, &err), &err);
}

static void member_free(struct member_side *s)
{
	xos_cad_request_clear(&s->request);
	xos_scram_client_free(s->scram);
	xos_secret_free(s->password);
	xos_key_free(s->key);
}

/* The whole log-in with auth; digest: what network claims the request is. */
static enum xos_status prove(
    struct member_side *s, const uint8_t digest[XOS_SHA256_LEN], char grant[CA_GRANT_LEN + 1])
{
	struct ca_login_begin b = {.address = "192.0.2.1"};
	struct ca_login_finish f = {.address = "192.0.2.1"};
	struct ca_login_challenge c;
	struct ca_login_done done;
	struct xos_buf first, final, ask, answer;
	enum xos_status st;

	memset(&err, 0, sizeof(err));
	xos_buf_init(&first, 4096);
	xos_buf_init(&final, 4096);
	xos_buf_init(&ask, 8192);
	MUST(xos_scram_client_first(s->scram, &first, &err), &err);
	memcpy(b.digest, digest, sizeof(b.digest));
	b.message = xos_buf_bytes(&first);
	ca_login_begin_put(&ask, &b);
	MUST(xos_bulk_call(auth, CA_LOGIN_BEGIN, xos_buf_bytes(&ask), soon(), &answer, &err), &err);
	MUST(ca_login_challenge_get(xos_buf_bytes(&answer), &c, &err), &err);
	MUST(xos_scram_client_final(s->scram, c.message, &final, &err), &err);
	memcpy(f.sid, c.sid, sizeof(f.sid));
	xos_buf_free(&answer);
	f.message = xos_buf_bytes(&final);
	ask.n = 0;
	ca_login_finish_put(&ask, &f);
	st = xos_bulk_call(auth, CA_LOGIN_FINISH, xos_buf_bytes(&ask), soon(), &answer, &err);
	if (st == XOS_OK) {
		MUST(ca_login_done_get(xos_buf_bytes(&answer), &done, &err), &err);
		memcpy(grant, done.grant, sizeof(done.grant));
	}
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	xos_buf_free(&first);
	xos_buf_free(&final);
	return st;
}

static enum xos_status issue(
    const char *grant, const struct xos_cad_request *request, struct xos_buf *answer)
{
	struct ca_issue m = {.grant = "", .request = *request};
	struct xos_buf ask;
	enum xos_status st;

	memset(&err, 0, sizeof(err));
	MUST_TRUE(xos_str_copy(m.grant, sizeof(m.grant), grant));
	xos_buf_init(&ask, 65536);
	ca_issue_put(&ask, &m);
	st = xos_bulk_call(key, CA_ISSUE, xos_buf_bytes(&ask), soon(), answer, &err);
	xos_buf_free(&ask);
	return st;
}

static void refused(enum xos_status st, struct xos_buf *answer, const char *code)
{
	ck_assert_int_ne(st, XOS_OK);
	ck_assert_msg(strcmp(err.code, code) == 0, "%s: %s", err.code, err.text);
	ck_assert_uint_eq(answer->n, 0);
	xos_buf_free(answer);
}

START_TEST(an_honest_login_works_once)
{
	struct member_side s;
	char grant[CA_GRANT_LEN + 1] = "";
	struct xos_buf answer;

	member_new(&s, "alice", PASSWORD, NULL);
	ck_assert_msg(prove(&s, s.digest, grant) == XOS_OK, "%s", err.text);
	ck_assert_msg(issue(grant, &s.request, &answer) == XOS_OK, "%s", err.text);
	ck_assert_uint_gt(answer.n, 100);
	xos_buf_free(&answer);
	refused(issue(grant, &s.request, &answer), &answer, "grant-unknown");
	member_free(&s);
}
END_TEST

START_TEST(no_token_without_a_login)
{
	struct member_side s;
	char grant[CA_GRANT_LEN + 1];
	struct xos_buf answer;

	member_new(&s, "alice", PASSWORD, NULL);
	refused(issue("", &s.request, &answer), &answer, "grant-unknown");
	for (int i = 0; i < 20; i++) {
		xos_random_id(grant, CA_GRANT_LEN / 2);
		refused(issue(grant, &s.request, &answer), &answer, "grant-unknown");
	}
	member_free(&s);
	member_new(&s, "alice", "wrong horse battery", NULL);
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_DENIED);
	ck_assert_str_eq(err.code, "credentials");
	member_free(&s);
}
END_TEST

/* What only auth may say to key is refused on the network's channel. */
START_TEST(network_cannot_speak_for_auth)
{
	struct ca_grant g = {.id = "00112233445566778899aabbccddeeff",
	    .vo = "demo",
	    .member = "ada",
	    .method = "password",
	    .time = xos_clock_now(),
	    .expires = xos_clock_now() + 20};
	struct member_side s;
	struct xos_buf ask, answer;
	static const uint16_t types[] = {CA_GRANT, CA_RECORD, CA_TOKENS, 99, 0};

	member_new(&s, "ada", PASSWORD, "/demo/Role=admin");
	memcpy(g.digest, s.digest, sizeof(g.digest));
	xos_buf_init(&ask, 4096);
	ca_grant_put(&ask, &g);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		memset(&err, 0, sizeof(err));
		refused(xos_bulk_call(key, types[i], xos_buf_bytes(&ask), soon(), &answer, &err),
		    &answer, "channel-type");
	}
	refused(issue(g.id, &s.request, &answer), &answer, "grant-unknown");
	/* nor the other way round: auth answers no request that is key's */
	memset(&err, 0, sizeof(err));
	refused(xos_bulk_call(auth, CA_ISSUE, xos_buf_bytes(&ask), soon(), &answer, &err), &answer,
	    "channel-type");
	xos_buf_free(&ask);
	member_free(&s);
}
END_TEST

START_TEST(a_swapped_key_is_refused)
{
	struct member_side s, evil;
	char grant[CA_GRANT_LEN + 1] = "";
	struct xos_buf answer;

	/* told to auth as it is, swapped for key */
	member_new(&s, "alice", PASSWORD, NULL);
	member_new(&evil, "alice", "x", NULL);
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_OK);
	refused(issue(grant, &evil.request, &answer), &answer, "request-changed");
	/* and the grant is spent */
	refused(issue(grant, &s.request, &answer), &answer, "grant-unknown");
	member_free(&s);
	/* swapped for auth already */
	member_new(&s, "alice", PASSWORD, NULL);
	ck_assert_int_eq(prove(&s, evil.digest, grant), XOS_DENIED);
	ck_assert_str_eq(err.code, "scram-binding");
	member_free(&s);
	member_free(&evil);
}
END_TEST

START_TEST(added_roles_and_lifetime_are_refused)
{
	struct member_side s;
	char grant[CA_GRANT_LEN + 1] = "";
	struct xos_buf answer;

	member_new(&s, "ada", PASSWORD, NULL);
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_OK);
	MUST(xos_cad_request_add_role(&s.request, "/demo/Role=admin", &err), &err);
	refused(issue(grant, &s.request, &answer), &answer, "request-changed");
	member_free(&s);
	member_new(&s, "ada", PASSWORD, NULL);
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_OK);
	s.request.lifetime = 24 * 3600;
	refused(issue(grant, &s.request, &answer), &answer, "request-changed");
	member_free(&s);
}
END_TEST

START_TEST(roles_that_are_not_held_are_refused)
{
	struct member_side s;
	char grant[CA_GRANT_LEN + 1] = "";
	struct xos_buf answer;

	member_new(&s, "alice", PASSWORD, "/demo/Role=admin");
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_OK);
	refused(issue(grant, &s.request, &answer), &answer, "role-not-held");
	member_free(&s);
	member_new(&s, "alice", PASSWORD, "/other/Role=admin");
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_OK);
	refused(issue(grant, &s.request, &answer), &answer, "role-not-held");
	member_free(&s);
	member_new(&s, "ada", PASSWORD, "/demo/Role=admin");
	ck_assert_int_eq(prove(&s, s.digest, grant), XOS_OK);
	ck_assert_int_eq(issue(grant, &s.request, &answer), XOS_OK);
	xos_buf_free(&answer);
	member_free(&s);
}
END_TEST

/* --- commands --- */

static enum xos_status command(
    const struct xos_chain *token, const char *verb, struct xos_json *args, struct xos_buf *body)
{
	struct xos_json *doc = NULL;
	struct xos_buf ask, answer;
	enum xos_status st;

	memset(&err, 0, sizeof(err));
	MUST(xos_command_sign(token, "demo", "ca", verb, args, xos_clock_now(), &doc, &err), &err);
	body->n = 0;
	MUST(xos_json_dump(doc, body, &err), &err);
	xos_buf_init(&ask, 1 << 20);
	xos_buf_lp_str(&ask, "192.0.2.1");
	xos_buf_lp(&ask, xos_buf_bytes(body));
	st = xos_bulk_call(auth, CA_COMMAND, xos_buf_bytes(&ask), soon(), &answer, &err);
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	xos_json_free(doc);
	return st;
}

static enum xos_status again(const struct xos_buf *body)
{
	struct xos_buf ask, answer;
	enum xos_status st;

	memset(&err, 0, sizeof(err));
	xos_buf_init(&ask, 1 << 20);
	xos_buf_lp_str(&ask, "192.0.2.1");
	xos_buf_lp(&ask, xos_buf_bytes(body));
	st = xos_bulk_call(auth, CA_COMMAND, xos_buf_bytes(&ask), soon(), &answer, &err);
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	return st;
}

static struct xos_json *group_args(const char *group)
{
	struct xos_json *args = xos_json_object();

	xos_json_set_string(args, "group", group);
	return args;
}

static void token_of(const char *name, uint64_t number, const char *role, struct xos_chain *out)
{
	const char *groups[] = {"/demo", NULL}, *roles[] = {role, NULL};
	struct xos_test_who who = {
	    .name = name, .number = number, .groups = groups, .roles = roles};

	memset(out, 0, sizeof(*out));
	xos_test_member(vo, &who, out);
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

/* Garbage of all lengths, to both, for every type: no answer but a refusal, and both live on. */
START_TEST(garbage_gains_nothing)
{
	uint8_t junk[600];
	struct member_side s;
	char grant[CA_GRANT_LEN + 1] = "";
	struct xos_buf answer;

	for (int i = 0; i < 400; i++) {
		static const uint16_t types[] = {
		    CA_LOGIN_BEGIN, CA_LOGIN_FINISH, CA_COMMAND, CA_ISSUE, CA_GRANT};
		struct xos_bytes in = {junk, (size_t)(i * 7) % sizeof(junk)};
		uint16_t type = types[i % 5];

		xos_random(junk, sizeof(junk));
		/* lengths that look right, sometimes */
		if (i % 3 == 0)
			memset(junk, 0, 4), junk[3] = (uint8_t)(i % 32);
		struct xos_bulk *to = type >= CA_ISSUE ? key : auth;
		ck_assert_int_ne(xos_bulk_call(to, type, in, soon(), &answer, &err), XOS_OK);
		ck_assert_uint_eq(answer.n, 0);
		xos_buf_free(&answer);
	}
	member_new(&s, "alice", PASSWORD, NULL);
	ck_assert_msg(prove(&s, s.digest, grant) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(issue(grant, &s.request, &answer), XOS_OK);
	xos_buf_free(&answer);
	member_free(&s);
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
	MUST(ca_verifiers_get(store, "alice", &v, &err), &err);
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
	Suite *s = suite_create("ca-hostile-network");
	TCase *t = tcase_create("hostile");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, an_honest_login_works_once);
	tcase_add_test(t, no_token_without_a_login);
	tcase_add_test(t, network_cannot_speak_for_auth);
	tcase_add_test(t, a_swapped_key_is_refused);
	tcase_add_test(t, added_roles_and_lifetime_are_refused);
	tcase_add_test(t, roles_that_are_not_held_are_refused);
	tcase_add_test(t, commands_need_an_administrators_signature);
	tcase_add_test(t, changed_commands_are_refused);
	tcase_add_test(t, garbage_gains_nothing);
	tcase_add_test(t, verifiers_do_not_come_out);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
