#include "lying.h"

#include <stdlib.h>

#include "api/chainjson.h"
#include "api/command.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "pki/csr.h"
#include "rca/parts.h"
#include "testparts/parts.h"

char *dir;
struct xos_test_vo *vo, *twin;
struct xos_trust *trust;
struct rca_conf conf;
struct xos_err err;
struct xos_chain admin, alice;
struct xos_key *node_key, *jobs_key;

struct xos_test_parts parts = {
    .auth = {rca_auth_open, rca_auth_serve, rca_auth_close},
    .key = {rca_key_open, rca_key_serve, rca_key_close},
    .conf = &conf,
};

enum xos_status administrators(
    const struct xos_key *signer, int64_t age, uint64_t act, bool there, const char *locked)
{
	static const struct xos_test_admin list[] = {{"admin", 5}};
	struct xos_buf out;

	xos_buf_init(&out, XOS_ADMINISTRATORS_MAX);
	xos_test_administrators(
	    signer, xos_clock_now() - age, act, list, there ? 1 : 0, locked, &out);
	enum xos_status st = ask(RCA_ADMINISTRATORS, xos_buf_bytes(&out), NULL);
	xos_buf_free(&out);
	return st;
}

void start_ignorant(void)
{
	xos_test_parts_start(&parts);
}

void start(void)
{
	start_ignorant();
	MUST(administrators(vo->ca_key, 0, 1, true, NULL), &err);
}

void stop(int sig)
{
	ck_assert(xos_test_parts_stop(&parts, sig) || sig);
}

void member(struct xos_chain *out, const struct xos_test_vo *v, const char *name, bool role,
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
	xos_test_parts_state(dir, "rca", vo->rca_key, vo->rca);
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

enum xos_status ask(uint16_t type, struct xos_bytes in, struct xos_json **out)
{
	struct xos_buf reply;

	err = (struct xos_err)XOS_ERR_INIT;
	enum xos_status st =
	    xos_bulk_call(parts.to_auth, type, in, xos_clock_mono_ms() + 60000, &reply, &err);
	if (st == XOS_OK && out)
		MUST(xos_json_parse(xos_buf_bytes(&reply), XOS_BULK_MAX, out, &err), &err);
	xos_buf_free(&reply);
	return st;
}

enum xos_status ask_json(uint16_t type, struct xos_json *in, struct xos_json **out)
{
	struct xos_buf text;

	xos_buf_init(&text, XOS_BULK_MAX);
	MUST(xos_json_dump(in, &text, &err), &err);
	enum xos_status st = ask(type, xos_buf_bytes(&text), out);
	xos_buf_free(&text);
	xos_json_free(in);
	return st;
}

struct xos_rca_application *application(const char *name, const char *service)
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

enum xos_status apply(struct xos_rca_application *a, char id[XOS_RCA_ID_LEN + 1])
{
	struct xos_json *answer = NULL;
	enum xos_status st = ask_json(RCA_APPLY, xos_rca_application_encode(a), &answer);

	if (st == XOS_OK)
		MUST(xos_json_copy_string(answer, "id", id, XOS_RCA_ID_LEN + 1, &err), &err);
	xos_json_free(answer);
	xos_rca_application_free(a);
	return st;
}

struct xos_json *sign_at(const struct xos_chain *by, const char *aud, const char *verb,
    struct xos_json *args, int64_t offset)
{
	struct xos_json *body = NULL;

	MUST(xos_command_sign(by, "demo", aud, verb, args, xos_clock_now() + offset, &body, &err),
	    &err);
	xos_json_free(args);
	return body;
}

struct xos_json *with(const char *key, const char *value)
{
	struct xos_json *args = xos_json_object();

	xos_json_set_string(args, key, value);
	return args;
}

enum xos_status approve_as(
    const struct xos_chain *by, const char *aud, const char *id, int64_t offset)
{
	return ask_json(
	    RCA_COMMAND, sign_at(by, aud, "node.approve", with("id", id), offset), NULL);
}

enum xos_status approve(const struct xos_chain *by, const char *id)
{
	return approve_as(by, "rca", id, 0);
}

void admitted(struct xos_chain *node, struct xos_chain *jobs)
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

void expect_identity(const struct xos_chain *chain, enum xos_kind kind, const char *service)
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

void expect(enum xos_status got, enum xos_status want, const char *code)
{
	ck_assert_msg(got == want, "%s, not %s: %s %s", xos_status_name(got), xos_status_name(want),
	    err.code, err.text);
	if (code)
		ck_assert_str_eq(err.code, code);
}

TCase *lying_case(const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	return tc;
}

int run_case(TCase *tc)
{
	Suite *s = suite_create("rca hostile");

	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
