#include "lying.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/cad.h"
#include "api/command.h"
#include "auth/scram.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "ca/membership/acts.h"
#include "ca/auth/auth.h"
#include "ca/key/key.h"
#include "ca/messages.h"
#include "pki/jws.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"
#include "token/authority.h"

static char *dir;
struct xos_test_vo *vo;
struct xos_err err;
static pid_t auth_pid;
pid_t key_pid;
static int key_end; /* the other end of the channel to key, to see what waits there */
struct xos_bulk *auth, *key;
static struct xos_channel *auth_ch, *key_ch;
char *p_verifiers;
char *p_log;
static char *p_membership, *p_key, *p_cert, *p_delegation_key, *p_delegation_cert;
bool lying_without_delegations;

/* --- the two honest processes --- */

static void serve(
    const struct xos_bulk_handler *table, size_t n, void *ctx, struct xos_channel_server server)
{
	struct xos_bulk_server *bulk = NULL;

	server.signal_fd = -1;

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
	    .delegation_key = lying_without_delegations ? NULL : p_delegation_key,
	    .delegation_cert = p_delegation_cert,
	    .lifetime = 12 * 3600,
	    .lifetime_max = 24 * 3600};
	struct xos_channel *list[2] = {NULL, NULL};
	struct ca_key *k = NULL;

	(void)signal(SIGXFSZ, SIG_IGN); /* a full disk gives an error */
	MUST(xos_channel_new(network_fd, &list[0], &err), &err);
	MUST(xos_channel_new(auth_fd, &list[1], &err), &err);
	MUST(ca_key_new(&o, &k, &err), &err);
	ca_key_group(k);
	serve(ca_key_table, ca_key_ntable, k,
	    (struct xos_channel_server){.channels = list,
	        .nchannels = 2,
	        .commit = ca_key_group_commit,
	        .staged = ca_key_group_staged,
	        .committed = ca_key_group_committed});
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
	    .iterations = 4096,
	    .renew_max = 24 * 3600,
	    .grant_max = 7 * 86400,
	    .delegations = !lying_without_delegations};
	struct xos_channel *list[1] = {NULL};
	struct ca_auth *a = NULL;

	MUST(xos_channel_new(network_fd, &list[0], &err), &err);
	MUST(xos_channel_new(to_key_fd, &o.key, &err), &err);
	MUST(ca_auth_new(&o, &a, &err), &err);
	serve(ca_auth_table, ca_auth_ntable, a,
	    (struct xos_channel_server){.channels = list, .nchannels = 1});
	ca_auth_free(a);
	xos_channel_free(list[0]);
	xos_channel_free(o.key);
	xos_trust_free(trust);
}

size_t lying_queued(void)
{
	int n = 0;

	ck_assert_int_eq(ioctl(key_end, FIONREAD, &n), 0);
	return (size_t)n;
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
	key_end = nk[1];
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
	close(key_end);
	if (key_pid > 0) {
		waitpid(key_pid, &status, 0);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
}

void lying_kill_key(void)
{
	kill(key_pid, SIGKILL);
	waitpid(key_pid, NULL, 0);
	key_pid = -1;
}

static void add_member(
    struct ca_membership *m, struct ca_verifiers *v, const char *name, const char *jti)
{
	struct xos_secret *pw = xos_secret_from(PASSWORD, strlen(PASSWORD));
	struct ca_act act = {.at = vo->now, .actor = "test", .verb = "x", .args = "{}", .jti = jti};
	struct ca_verifier_change change = {.until = 0};
	uint64_t number = 0;

	MUST_TRUE(xos_str_copy(change.member, sizeof(change.member), name));
	MUST(xos_scram_verifier_make(pw, 4096, &change.verifier, &err), &err);
	MUST(ca_verifiers_prepare(v, jti, &change, &err), &err);
	MUST(ca_member_add(m, name, vo->now, &number, &err), &err);
	MUST(ca_act_add(m, &act, &err), &err);
	MUST(ca_verifiers_settle(v, jti, true, vo->now, &err), &err);
	xos_secret_free(pw);
}

/* The authority's second key, as the root would sign it. */
static void make_delegations(void)
{
	struct xos_issuer *root = NULL;
	struct xos_cert *cert = NULL;
	struct xos_key *k = NULL;
	struct xos_buf pem;

	MUST(xos_key_generate(&k, &err), &err);
	MUST(xos_issuer_new(vo->root, vo->root_key, &root, &err), &err);
	MUST(xos_authority_issuer(root, "demo", XOS_KIND_BIT(XOS_KIND_DELEGATION), xos_key_spki(k),
	         vo->now - 86400, vo->now + (int64_t)30 * 86400, &cert, &err),
	    &err);
	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	xos_cert_to_pem(cert, &pem);
	MUST(xos_file_write(p_delegation_cert, 0644, xos_buf_bytes(&pem), &err), &err);
	MUST(xos_key_save(k, p_delegation_key, NULL, &err), &err);
	xos_buf_free(&pem);
	xos_issuer_free(root);
	xos_cert_free(cert);
	xos_key_free(k);
}

void lying_setup(void)
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
	p_delegation_key = xos_test_path(dir, "delegation.key");
	p_delegation_cert = xos_test_path(dir, "delegation.pem");
	make_delegations();
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

void lying_teardown(void)
{
	stop();
	free(p_membership);
	free(p_verifiers);
	free(p_log);
	free(p_key);
	free(p_cert);
	free(p_delegation_key);
	free(p_delegation_cert);
	xos_test_vo_free(vo);
	xos_test_dir_free(dir);
}

/* --- what the network process says --- */

int64_t soon(void)
{
	return xos_clock_mono_ms() + 20000;
}

static void request_make(struct member_side *s, struct xos_key *k, const char *role)
{
	struct xos_csr csr;

	xos_cad_request_init(&s->request);
	MUST(xos_csr_make(k, &s->request.csr, &err), &err);
	if (role)
		MUST(xos_cad_request_add_role(&s->request, role, &err), &err);
	MUST(xos_cad_request_digest("demo", &s->request, &csr, s->digest, &err), &err);
}

static void side_new(struct member_side *s, const char *name, enum xos_scram_kind kind,
    const char *pw, const char *role)
{
	memset(s, 0, sizeof(*s));
	MUST(xos_key_generate(&s->key, &err), &err);
	request_make(s, s->key, role);
	s->password = xos_secret_from(pw, strlen(pw));
	MUST(xos_scram_client_new(name, kind, s->password, s->digest, &s->scram, &err), &err);
}

void member_new(struct member_side *s, const char *name, const char *pw, const char *role)
{
	side_new(s, name, XOS_SCRAM_PASSWORD, pw, role);
}

void member_new_totp(struct member_side *s, const char *name, const char *totp)
{
	struct xos_csr csr;

	member_new(s, name, PASSWORD, NULL);
	xos_scram_client_free(s->scram);
	MUST_TRUE(xos_str_copy(s->request.totp, sizeof(s->request.totp), totp));
	MUST(xos_cad_request_digest("demo", &s->request, &csr, s->bound, &err), &err);
	MUST(xos_scram_client_new(name, XOS_SCRAM_PASSWORD, s->password, s->bound, &s->scram, &err),
	    &err);
}

void member_new_code(struct member_side *s, const char *name, const char *code)
{
	side_new(s, name, XOS_SCRAM_CODE, code, NULL);
}

void member_free(struct member_side *s)
{
	xos_cad_request_clear(&s->request);
	xos_buf_free(&s->final);
	xos_scram_client_free(s->scram);
	xos_secret_free(s->password);
	xos_key_free(s->key);
}

enum xos_status begin_status(struct member_side *s, const uint8_t digest[XOS_SHA256_LEN])
{
	struct ca_login_begin b = {.address = "192.0.2.1"};
	struct ca_login_challenge c;
	struct xos_buf first, ask, answer;
	enum xos_status st;

	memset(&err, 0, sizeof(err));
	xos_buf_init(&first, 4096);
	xos_buf_init(&ask, 8192);
	xos_buf_init(&s->final, 4096);
	MUST(xos_scram_client_first(s->scram, &first, &err), &err);
	memcpy(b.digest, digest, sizeof(b.digest));
	memcpy(b.totp, s->request.totp, sizeof(b.totp));
	b.message = xos_buf_bytes(&first);
	ca_login_begin_put(&ask, &b);
	st = xos_bulk_call(auth, CA_LOGIN_BEGIN, xos_buf_bytes(&ask), soon(), &answer, &err);
	if (st == XOS_OK) {
		MUST(ca_login_challenge_get(xos_buf_bytes(&answer), &c, &err), &err);
		MUST(xos_scram_client_final(s->scram, c.message, &s->final, &err), &err);
		memcpy(s->sid, c.sid, sizeof(s->sid));
	}
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	xos_buf_free(&first);
	return st;
}

void begin(struct member_side *s, const uint8_t digest[XOS_SHA256_LEN])
{
	MUST(begin_status(s, digest), &err);
}

enum xos_status finish(struct member_side *s, char grant[CA_GRANT_LEN + 1])
{
	struct ca_login_finish f = {.address = "192.0.2.1", .message = xos_buf_bytes(&s->final)};
	struct ca_login_done done;
	struct xos_buf ask, answer;
	enum xos_status st;

	memset(&err, 0, sizeof(err));
	memcpy(f.sid, s->sid, sizeof(f.sid));
	xos_buf_init(&ask, 8192);
	ca_login_finish_put(&ask, &f);
	st = xos_bulk_call(auth, CA_LOGIN_FINISH, xos_buf_bytes(&ask), soon(), &answer, &err);
	if (st == XOS_OK) {
		MUST(ca_login_done_get(xos_buf_bytes(&answer), &done, &err), &err);
		memcpy(grant, done.grant, sizeof(done.grant));
	}
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	xos_buf_free(&s->final);
	return st;
}

enum xos_status prove(
    struct member_side *s, const uint8_t digest[XOS_SHA256_LEN], char grant[CA_GRANT_LEN + 1])
{
	begin(s, digest);
	return finish(s, grant);
}

enum xos_status issue(
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

/* --- commands --- */

enum xos_status command_result(const struct xos_chain *token, const char *verb,
    struct xos_json *args, struct xos_json **result)
{
	const struct xos_json *r = NULL;
	struct xos_json *doc = NULL, *all = NULL;
	struct xos_buf body, ask, answer;
	enum xos_status st;

	memset(&err, 0, sizeof(err));
	*result = NULL;
	xos_buf_init(&body, 1 << 20);
	xos_buf_init(&ask, 1 << 20);
	MUST(xos_command_sign(token, "demo", "ca", verb, args, xos_clock_now(), &doc, &err), &err);
	MUST(xos_json_dump(doc, &body, &err), &err);
	xos_buf_lp_str(&ask, "192.0.2.1");
	xos_buf_lp(&ask, xos_buf_bytes(&body));
	st = xos_bulk_call(auth, CA_COMMAND, xos_buf_bytes(&ask), soon(), &answer, &err);
	if (st == XOS_OK) {
		MUST(xos_json_parse(xos_buf_bytes(&answer), 1 << 20, &all, &err), &err);
		MUST(xos_json_get_object(all, "result", &r, &err), &err);
		*result = xos_json_copy(r);
	}
	xos_json_free(all);
	xos_json_free(doc);
	xos_json_free(args);
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	xos_buf_free(&body);
	return st;
}

enum xos_status command(
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

enum xos_status again(const struct xos_buf *body)
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

void token_of(const char *name, uint64_t number, const char *role, struct xos_chain *out)
{
	const char *groups[] = {"/demo", NULL}, *roles[] = {role, NULL};
	struct xos_test_who who = {
	    .name = name, .number = number, .groups = groups, .roles = roles};

	memset(out, 0, sizeof(*out));
	xos_test_member(vo, &who, out);
}

void refused(enum xos_status st, struct xos_buf *answer, const char *code)
{
	ck_assert_int_ne(st, XOS_OK);
	ck_assert_msg(strcmp(err.code, code) == 0, "%s: %s", err.code, err.text);
	ck_assert_uint_eq(answer->n, 0);
	xos_buf_free(answer);
}
