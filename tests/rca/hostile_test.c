/*
 * A network process that was taken over: this test holds its channel, while auth and key run as they do
 * in xos-rcad. Whatever it sends, nobody is admitted, renewed or banned without the signature of the
 * person or node that may, and no certificate exists that the log lacks.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/chainjson.h"
#include "api/command.h"
#include "api/loghead.h"
#include "api/signer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "bundle/locks.h"
#include "pki/csr.h"
#include "rca/issue.h"
#include "rca/parts.h"
#include "service/bulk.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

static char *dir;
static struct xos_test_vo *vo, *twin;
static struct xos_trust *trust;
static struct rca_conf conf;
static struct xos_err err;
static pid_t auth_pid, key_pid;
static struct xos_channel *channel;
static struct xos_bulk *auth;
static struct xos_chain admin, alice;
static struct xos_key *node_key, *jobs_key;

/* --- the two honest processes --- */

struct honest {
	enum xos_part part;
	int fd[XOS_PARTS]; /* channels to the others, -1 for none */
	enum xos_status (*open)(struct xos_part_self *self, struct xos_err *err);
	enum xos_status (*serve)(struct xos_part_self *self, struct xos_err *err);
	void (*close)(struct xos_part_self *self);
};

static void run(const struct honest *h)
{
	const struct xos_service_run service = {.conf = &conf};
	struct xos_part_self self = {
	    .part = h->part, .run = &service, .signal_fd = -1, .listen_fd = -1};

	for (int p = 0; p < XOS_PARTS; p++) {
		if (h->fd[p] >= 0)
			MUST(xos_channel_new(h->fd[p], &self.to[p], &err), &err);
	}
	MUST(h->open(&self, &err), &err);
	MUST(h->serve(&self, &err), &err);
	h->close(&self);
	for (int p = 0; p < XOS_PARTS; p++)
		xos_channel_free(self.to[p]);
}

static void start(void)
{
	int na[2], ak[2];

	MUST(xos_channel_pair(na, &err), &err);
	MUST(xos_channel_pair(ak, &err), &err);
	const struct honest key = {
	    XOS_PART_KEY, {-1, ak[1], -1}, rca_key_open, rca_key_serve, rca_key_close};
	const struct honest checker = {
	    XOS_PART_AUTH, {na[1], -1, ak[0]}, rca_auth_open, rca_auth_serve, rca_auth_close};
	key_pid = fork();
	if (key_pid == 0) {
		close(na[0]);
		close(na[1]);
		close(ak[0]);
		run(&key);
		_exit(0);
	}
	auth_pid = fork();
	if (auth_pid == 0) {
		close(na[0]);
		close(ak[1]);
		run(&checker);
		_exit(0);
	}
	close(na[1]);
	close(ak[0]);
	close(ak[1]);
	MUST(xos_channel_new(na[0], &channel, &err), &err);
	MUST(xos_bulk_new(channel, &auth, &err), &err);
}

static void stop(int sig)
{
	const pid_t pids[] = {auth_pid, key_pid};

	if (sig) {
		kill(auth_pid, sig);
		kill(key_pid, sig);
	}
	xos_bulk_free(auth);
	xos_channel_free(channel);
	for (size_t i = 0; i < 2; i++) {
		int status = 0;

		waitpid(pids[i], &status, 0);
		ck_assert(sig || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
	}
}

static void put_authority(void)
{
	struct xos_buf pem;
	char *path = xos_test_path(dir, "rca.key");

	MUST(xos_key_save(vo->rca_key, path, NULL, &err), &err);
	free(path);
	path = xos_test_path(dir, "rca.pem");
	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	xos_cert_to_pem(vo->rca, &pem);
	MUST(xos_file_write(path, 0644, xos_buf_bytes(&pem), &err), &err);
	xos_buf_free(&pem);
	free(path);
	for (size_t i = 0; i < 2; i++) {
		path = xos_test_path(dir, i ? "auth" : "key");
		MUST(xos_dir_make(path, 0700, &err), &err);
		free(path);
	}
}

static void member(struct xos_chain *out, const struct xos_test_vo *v, const char *name, bool role,
    int64_t not_after)
{
	static const char *const groups[] = {"/demo", NULL};
	static const char *const roles[] = {"/demo/Role=admin", NULL};
	const struct xos_test_who who = {.name = name,
	    .number = 5,
	    .groups = groups,
	    .roles = role ? roles : NULL,
	    .not_before = not_after ? not_after - 7200 : 0,
	    .not_after = not_after};

	xos_test_member(v, &who, out);
}

static void setup(void)
{
	int64_t now = xos_clock_now();

	dir = xos_test_dir_new();
	vo = xos_test_vo_new("demo", "lab", now);
	twin = xos_test_vo_new("demo", "lab", now);
	trust = xos_test_vo_trust(vo);
	conf = (struct rca_conf){.common = {.vo = (char *)(uintptr_t) "demo", .state = dir},
	    .node_life = 7 * 86400,
	    .server_life = 20 * 86400,
	    .lock_life = 86400,
	    .pending_life = 86400};
	conf.common.trust = xos_test_path(dir, "trust");
	xos_test_vo_trust_dir(vo, conf.common.trust);
	put_authority();
	MUST(xos_key_generate(&node_key, &err), &err);
	MUST(xos_key_generate(&jobs_key, &err), &err);
	member(&admin, vo, "admin", true, 0);
	member(&alice, vo, "alice", false, 0);
	start();
}

static void teardown(void)
{
	stop(0);
	xos_chain_clear(&admin);
	xos_chain_clear(&alice);
	xos_key_free(node_key);
	xos_key_free(jobs_key);
	xos_trust_free(trust);
	xos_test_vo_free(vo);
	xos_test_vo_free(twin);
	free(conf.common.trust);
	xos_test_dir_free(dir);
}

/* --- what the network process can send --- */

static enum xos_status ask(uint16_t type, struct xos_bytes in, struct xos_json **out)
{
	struct xos_buf reply;

	err = (struct xos_err)XOS_ERR_INIT;
	enum xos_status st =
	    xos_bulk_call(auth, type, in, xos_clock_mono_ms() + 60000, &reply, &err);
	if (st == XOS_OK && out)
		MUST(xos_json_parse(xos_buf_bytes(&reply), XOS_BULK_MAX, out, &err), &err);
	xos_buf_free(&reply);
	return st;
}

static enum xos_status ask_json(uint16_t type, struct xos_json *in, struct xos_json **out)
{
	struct xos_buf text;

	xos_buf_init(&text, XOS_BULK_MAX);
	MUST(xos_json_dump(in, &text, &err), &err);
	enum xos_status st = ask(type, xos_buf_bytes(&text), out);
	xos_buf_free(&text);
	xos_json_free(in);
	return st;
}

static struct xos_rca_application *application(const char *name, const char *service)
{
	struct xos_rca_application *a = xos_rca_application_new();
	struct xos_rca_service *s = &a->services[0];

	MUST_TRUE(xos_str_copy(a->node, sizeof(a->node), name) &&
	          xos_str_copy(a->site, sizeof(a->site), "lab") &&
	          xos_str_copy(a->hosts[0], sizeof(a->hosts[0]), "127.0.0.1") &&
	          xos_str_copy(s->kind, sizeof(s->kind), service) &&
	          xos_str_copy(s->url, sizeof(s->url), "https://127.0.0.1:1"));
	a->nhosts = 1;
	a->nservices = 1;
	a->about = xos_json_object();
	MUST(xos_csr_make(node_key, &a->csr, &err), &err);
	MUST(xos_csr_make(jobs_key, &s->csr, &err), &err);
	return a;
}

static enum xos_status apply(struct xos_rca_application *a, char id[XOS_RCA_ID_LEN + 1])
{
	struct xos_json *answer = NULL;
	enum xos_status st = ask_json(RCA_APPLY, xos_rca_application_encode(a), &answer);

	if (st == XOS_OK)
		MUST(xos_json_copy_string(answer, "id", id, XOS_RCA_ID_LEN + 1, &err), &err);
	xos_json_free(answer);
	xos_rca_application_free(a);
	return st;
}

static struct xos_json *sign_at(const struct xos_chain *by, const char *aud, const char *verb,
    struct xos_json *args, int64_t offset)
{
	struct xos_json *body = NULL;

	MUST(xos_command_sign(by, "demo", aud, verb, args, xos_clock_now() + offset, &body, &err),
	    &err);
	xos_json_free(args);
	return body;
}

static struct xos_json *with(const char *key, const char *value)
{
	struct xos_json *args = xos_json_object();

	xos_json_set_string(args, key, value);
	return args;
}

static enum xos_status approve_as(
    const struct xos_chain *by, const char *aud, const char *id, int64_t offset)
{
	return ask_json(
	    RCA_COMMAND, sign_at(by, aud, "node.approve", with("id", id), offset), NULL);
}

static enum xos_status approve(const struct xos_chain *by, const char *id)
{
	return approve_as(by, "rca", id, 0);
}

/* n1, with its job service, as it holds its certificates. */
static void admitted(struct xos_chain *node, struct xos_chain *jobs)
{
	char id[XOS_RCA_ID_LEN + 1];
	struct xos_json *answer = NULL;
	const struct xos_json *services = NULL;

	MUST(apply(application("n1", "jobs"), id), &err);
	MUST(approve(&admin, id), &err);
	MUST(ask(RCA_APPLICATION, xos_bytes_str(id), &answer), &err);
	MUST(xos_chain_from_json(answer, "chain", node, &err), &err);
	MUST(xos_json_get_array(answer, "services", 4, &services, &err), &err);
	MUST(xos_chain_from_json(xos_json_at(services, 0), "chain", jobs, &err), &err);
	node->key = xos_key_ref(node_key);
	jobs->key = xos_key_ref(jobs_key);
	xos_json_free(answer);
}

static void expect_identity(const struct xos_chain *chain, enum xos_kind kind, const char *service)
{
	struct xos_identity *id = NULL;
	const struct xos_verify_opts o = {.now = xos_clock_now(),
	    .kinds = XOS_KIND_BIT(kind),
	    .vo = "demo",
	    .name = "n1",
	    .service = service,
	    .host = "127.0.0.1"};

	enum xos_status st = xos_token_verify_chain(trust, chain, &o, &id, &err);
	ck_assert_msg(st == XOS_OK, "%s", err.text);
	ck_assert_int_le(id->not_after, xos_clock_now() + conf.node_life);
	xos_identity_free(id);
}

static void expect(enum xos_status got, enum xos_status want, const char *code)
{
	ck_assert_msg(got == want, "%s, not %s: %s %s", xos_status_name(got), xos_status_name(want),
	    err.code, err.text);
	if (code)
		ck_assert_str_eq(err.code, code);
}

/* --- cases --- */

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

	MUST(xos_bulk_call(
	         auth, RCA_LOCKS, XOS_BYTES_NONE, xos_clock_mono_ms() + 60000, &reply, &err),
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
	Suite *s = suite_create("rca hostile");
	TCase *tc = tcase_create("hostile");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, a_node_is_admitted_by_an_administrator);
	tcase_add_test(tc, sending_an_application_again_makes_no_second_one);
	tcase_add_test(tc, who_may_not_approve);
	tcase_add_test(tc, a_command_is_good_once);
	tcase_add_test(tc, a_changed_command);
	tcase_add_test(tc, a_taken_name);
	tcase_add_test(tc, what_no_node_gets);
	tcase_add_test(tc, renewal_keeps_the_name_and_is_good_once);
	tcase_add_test(tc, renewal_needs_the_present_key);
	tcase_add_test(tc, a_ban_ends_renewal_and_stands_in_the_lock_list);
	tcase_add_test(tc, the_log_has_every_certificate);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
