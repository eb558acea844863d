/* Accounts of a node as others see them: the map, what the socket tells and leases, and 100 000 members on two nodes. */
#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "fixture.h"
#include "json/json.h"
#include "local/accountmap.h"
#include "pki/csr.h"

#define JOBS_FIRST 1950000000u
#define RULES                                                                                      \
	"site \"lab\" serial %d { accounts vo demo uid 1900000000-1900999999%s; accounts vo demo " \
	"group /demo/physics gid 1960000001; accounts vo demo group /demo gid 1960000009; permit " \
	"vo demo action job.submit, job.show on site:lab; }"

static struct node *n;
static struct xos_err err;
static struct xos_local_answer answer;
static struct xos_buf plain;

static void offer(int serial, const char *more)
{
	char text[600];
	snprintf(text, sizeof(text), RULES, serial, more);
	err = (struct xos_err)XOS_ERR_INIT;
	MUST(node_offer(n,
	         &(struct xos_test_bundle){.serial = 10 + (uint64_t)serial, .site_text = text},
	         &err),
	    &err);
}

static void setup(void)
{
	xos_buf_init(&plain, XOS_LOCAL_BODY_MAX);
	n = node_new(NULL);
	n->conf.lease_quarantine = 60;
	node_restart(n);
	offer(1, " jobs 1950000000-1950000001 home \"/srv/homes/%\"");
}

static void teardown(void)
{
	xos_buf_free(&plain);
	node_free(n);
}

static enum xos_status op_as(const struct xos_credd_peer *peer, enum xos_local_op which,
    const char *job, const char *text, const struct xos_chain *chain)
{
	struct xos_local_request req = {.op = which, .text = xos_bytes_str(text)};
	struct xos_secret *secret = NULL;
	snprintf(req.job, sizeof(req.job), "%s", job);
	if (chain)
		req.nchain = xos_test_ders(chain, req.chain);
	answer = (struct xos_local_answer){.op = which};
	xos_buf_free(&plain);
	xos_buf_init(&plain, XOS_LOCAL_BODY_MAX);
	err = (struct xos_err)XOS_ERR_INIT;
	enum xos_status st =
	    xos_credd_ops_handle(&n->ops, peer, &req, &answer, &plain, &secret, &err);
	xos_secret_free(secret);
	return st;
}

static enum xos_status op(
    enum xos_local_op which, const char *job, const char *text, const struct xos_chain *chain)
{
	static const struct xos_credd_peer service = {.uid = 0, .service = true};
	return op_as(&service, which, job, text, chain);
}

/* A job of alice's with its delegation. */
static void accepted_job(const char *job)
{
	struct xos_chain delegated = {.n = 0};
	struct xos_csr csr;
	MUST(op(XOS_LOCAL_JOB_PREPARE, job, "", &n->alice), &err);
	MUST(xos_csr_parse(xos_buf_bytes(&plain), &csr, &err), &err);
	node_delegate(n, &n->alice, csr.spki, "n1", job, NULL, NULL, &delegated);
	MUST(op(XOS_LOCAL_JOB_ACCEPT, job, "", &delegated), &err);
	xos_chain_clear(&delegated);
}

static uint32_t lease(const char *job)
{
	ck_assert_msg(op(XOS_LOCAL_LEASE, job, "", NULL) == XOS_OK, "%s", err.text);
	return answer.account.uid;
}

static bool told(const char *part)
{
	ck_assert_ptr_nonnull(xos_buf_str(&plain));
	return strstr(xos_buf_str(&plain), part) != NULL;
}

START_TEST(a_job_has_a_uid_to_itself)
{
	accepted_job("j1");
	accepted_job("j2");
	ck_assert_uint_eq(lease("j1"), JOBS_FIRST);
	ck_assert_uint_eq(answer.account.gid, JOBS_FIRST);
	ck_assert_str_eq(answer.account.name, "demo.alice");
	ck_assert_str_eq(answer.subject, "demo:alice");
	ck_assert_str_eq(
	    xos_buf_str(&plain), "{\"groups\":[1960000009,1960000001],\"isolated\":true}");
	ck_assert_uint_eq(lease("j2"), JOBS_FIRST + 1);
	ck_assert_uint_eq(lease("j1"), JOBS_FIRST);
	/* Only that uid gets the job's credential: not the member's, not another job's. */
	const struct xos_credd_peer own = {.uid = JOBS_FIRST, .since_ms = INT64_MAX},
	                            member = {.uid = ALICE_UID},
	                            other = {.uid = JOBS_FIRST + 1, .since_ms = INT64_MAX};
	ck_assert_int_eq(op_as(&own, XOS_LOCAL_CREDENTIAL, "j1", "", NULL), XOS_OK);
	ck_assert_int_eq(op_as(&member, XOS_LOCAL_CREDENTIAL, "j1", "", NULL), XOS_NOT_FOUND);
	ck_assert_int_eq(op_as(&other, XOS_LOCAL_CREDENTIAL, "j1", "", NULL), XOS_NOT_FOUND);
	/* Also after a start anew. */
	node_restart(n);
	ck_assert_int_eq(op_as(&own, XOS_LOCAL_CREDENTIAL, "j1", "", NULL), XOS_OK);
	ck_assert_int_eq(op_as(&member, XOS_LOCAL_CREDENTIAL, "j1", "", NULL), XOS_NOT_FOUND);
	ck_assert_uint_eq(lease("j1"), JOBS_FIRST);
	/* The delegation handed over again: still permitted as the member's account, still that uid's. */
	accepted_job("j1");
	ck_assert_uint_eq(answer.account.uid, ALICE_UID);
	ck_assert_int_eq(op_as(&member, XOS_LOCAL_CREDENTIAL, "j1", "", NULL), XOS_NOT_FOUND);
	ck_assert_uint_eq(lease("j1"), JOBS_FIRST);
	/* It asks about its own member, and nobody else. */
	ck_assert_int_eq(op_as(&own, XOS_LOCAL_AUTHORISE, "", SUBMIT("alice"), &n->alice), XOS_OK);
	ck_assert_int_eq(op_as(&own, XOS_LOCAL_AUTHORISE, "", SUBMIT("bob"), &n->bob), XOS_DENIED);
	ck_assert_str_eq(err.code, "not-yours");
}
END_TEST

START_TEST(a_uid_comes_back_when_nothing_is_left)
{
	accepted_job("j1");
	accepted_job("j2");
	accepted_job("j3");
	lease("j1");
	lease("j2");
	ck_assert_int_eq(op(XOS_LOCAL_LEASE, "j3", "", NULL), XOS_LIMIT);
	ck_assert_str_eq(err.code, "leases-all");
	MUST(op(XOS_LOCAL_LEASE_END, "j1", "{\"left\":\"files remain in /x\"}", NULL), &err);
	MUST(op(XOS_LOCAL_LEASES, "", "{}", NULL), &err);
	ck_assert(told("\"left\":\"files remain in /x\"") && told("\"more\":false"));
	MUST(op(XOS_LOCAL_LEASES, "", "{\"after\":1950000000}", NULL), &err);
	ck_assert(!told("1950000000,") && told("\"job\":\"j2\""));
	ck_assert_int_eq(op(XOS_LOCAL_LEASE, "j3", "", NULL), XOS_LIMIT);
	MUST(op(XOS_LOCAL_LEASE_END, "j1", "{}", NULL), &err);
	/* It waits for a minute. */
	ck_assert_int_eq(op(XOS_LOCAL_LEASE, "j3", "", NULL), XOS_LIMIT);
	/* Questions that are none. */
	static const char *const bad[] = {"[]", "{\"left\":7}", "{\"x\":1}", "{", "nonsense"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(op(XOS_LOCAL_LEASE_END, "j2", bad[i], NULL), XOS_MALFORMED);
	ck_assert_int_eq(op(XOS_LOCAL_LEASES, "", "{\"after\":-1}", NULL), XOS_MALFORMED);
	ck_assert_int_eq(op(XOS_LOCAL_LEASE, "none", "", NULL), XOS_NOT_FOUND);
	MUST(op(XOS_LOCAL_JOB_PREPARE, "j4", "", &n->alice), &err);
	ck_assert_int_eq(op(XOS_LOCAL_LEASE, "j4", "", NULL), XOS_NOT_FOUND);
}
END_TEST

START_TEST(without_a_range_the_member_has_the_account)
{
	offer(2, " home \"/srv/homes/%\"");
	accepted_job("j1");
	ck_assert_uint_eq(lease("j1"), ALICE_UID);
	ck_assert(told("\"isolated\":false") && told("\"home\":\"/srv/homes/demo.alice\""));
	ck_assert_uint_eq(xos_credd_leases_count(n->leases), 0);
	/* A promise that comes later holds for later jobs; one that goes leaves what it gave. */
	offer(3, " jobs 1950000000-1950000001");
	accepted_job("j2");
	ck_assert_uint_eq(lease("j2"), JOBS_FIRST);
	offer(4, "");
	ck_assert_uint_eq(lease("j2"), JOBS_FIRST);
	ck_assert(told("\"isolated\":true"));
}
END_TEST

START_TEST(only_services_ask)
{
	static const enum xos_local_op ops[] = {XOS_LOCAL_WHOIS, XOS_LOCAL_ACCOUNTS,
	    XOS_LOCAL_LEASE, XOS_LOCAL_LEASE_END, XOS_LOCAL_LEASES};
	const struct xos_credd_peer alice = {.uid = ALICE_UID};
	accepted_job("j1");
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		ck_assert_int_eq(op_as(&alice, ops[i], "j1", "{\"uid\":1}", NULL), XOS_DENIED);
		ck_assert_str_eq(err.code, "service-only");
	}
}
END_TEST

START_TEST(a_locked_member_gets_none)
{
	const struct xos_lock lock = {.id = "l1",
	    .kind = XOS_LOCK_MEMBER,
	    .name = "alice",
	    .since = n->vo->now - 60,
	    .until = n->vo->now + 3600};
	char text[600];
	accepted_job("j1");
	snprintf(text, sizeof(text), RULES, 2, " jobs 1950000000-1950000001");
	MUST(node_offer(n,
	         &(struct xos_test_bundle){.serial = 12,
	             .site_text = text,
	             .locks_ca = &lock,
	             .nlocks_ca = 1,
	             .locks_serial = 2},
	         &err),
	    &err);
	ck_assert_int_eq(op(XOS_LOCAL_LEASE, "j1", "", NULL), XOS_DENIED);
	ck_assert_uint_eq(xos_credd_leases_count(n->leases), 0);
}
END_TEST

START_TEST(who_a_uid_is)
{
	accepted_job("j1");
	lease("j1");
	MUST(op(XOS_LOCAL_WHOIS, "", "{\"uid\":1900000001}", NULL), &err);
	ck_assert(told("\"member\":\"alice\"") && told("\"account\":\"demo.alice\"") &&
	          told("\"state\":\"active\""));
	MUST(op(XOS_LOCAL_WHOIS, "", "{\"uid\":1900000004}", NULL), &err);
	ck_assert(told("\"member\":\"dave\"") && told("\"state\":\"suspended\""));
	MUST(op(XOS_LOCAL_WHOIS, "", "{\"uid\":1950000000}", NULL), &err);
	ck_assert(told("\"lease\":{") && told("\"job\":\"j1\"") && told("\"member\":\"alice\""));
	MUST(op(XOS_LOCAL_WHOIS, "", "{\"uid\":1950000000,\"at\":\"2020-01-01T00:00:00Z\"}", NULL),
	    &err);
	ck_assert(!told("member") && !told("lease"));
	static const char *const nobody[] = {"{\"uid\":0}", "{\"uid\":1900000000}",
	    "{\"uid\":1900000005}", "{\"uid\":1950000001}", "{\"uid\":4294967295}"};
	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		MUST(op(XOS_LOCAL_WHOIS, "", nobody[i], NULL), &err);
		ck_assert_msg(!told("member"), "%s: %s", nobody[i], xos_buf_str(&plain));
	}
	static const char *const bad[] = {"{}", "{\"uid\":-1}", "{\"uid\":4294967296}",
	    "{\"uid\":1,\"at\":5}", "{\"uid\":1,\"at\":\"now\"}", "{\"uid\":1,\"x\":1}"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(op(XOS_LOCAL_WHOIS, "", bad[i], NULL), XOS_MALFORMED);
	MUST(op(XOS_LOCAL_ACCOUNTS, "", "", NULL), &err);
	ck_assert(told("\"with_account\":4") && told("\"leased\":1") &&
	          told("\"first\":1950000000") && told("\"group\":\"/demo/physics\""));
}
END_TEST

static struct xos_account_map *open_map(const char *state)
{
	char *path = xos_test_path(state, "accounts.map");
	struct xos_account_map *m = NULL;
	enum xos_status st = xos_account_map_open(path, geteuid(), &m, &err);
	free(path);
	return st ? NULL : m;
}

START_TEST(the_map_follows_the_bundle)
{
	struct xos_account_map_member a;
	struct xos_account_map *m = open_map(n->conf.state);
	ck_assert_ptr_nonnull(m);
	ck_assert_uint_eq(xos_account_map_head(m)->members, 4);
	ck_assert_str_eq(xos_account_map_head(m)->home, "/srv/homes/");
	ck_assert(xos_account_map_by_name(m, "demo.dave", &a));
	ck_assert_int_eq(a.state, XOS_ACCOUNT_SUSPENDED);
	ck_assert_uint_eq(a.uid, 1900000004);
	/* Nothing new, nothing written. */
	offer(1, " jobs 1950000000-1950000001 home \"/srv/homes/%\"");
	struct xos_account_map_head before = *xos_account_map_head(m);
	ck_assert_int_eq(xos_account_map_refresh(m, &err), XOS_OK);
	if (geteuid() ==
	    0) /* the fixture's daemon is uid 1, and believes no file of ours otherwise */
		ck_assert_mem_eq(&before, xos_account_map_head(m), sizeof(before));
	offer(2, " home \"/srv/other/%\"");
	ck_assert_int_eq(xos_account_map_refresh(m, &err), XOS_OK);
	ck_assert_str_eq(xos_account_map_head(m)->home, "/srv/other/");
	ck_assert_uint_eq(xos_account_map_head(m)->jobs_first, 0);
	xos_account_map_free(m);
	/* One that was damaged is made again at the next start; a site that gives no accounts takes it away. */
	char *path = xos_test_path(n->conf.state, "accounts.map");
	MUST(xos_file_write(path, 0644, xos_bytes_str("nonsense"), &err), &err);
	node_restart(n);
	m = open_map(n->conf.state);
	ck_assert_ptr_nonnull(m);
	xos_account_map_free(m);
	MUST(node_offer(n,
	         &(struct xos_test_bundle){.serial = 20,
	             .site_text = "site \"lab\" serial 9 { permit vo demo action job.submit; }"},
	         &err),
	    &err);
	ck_assert_int_ne(access(path, F_OK), 0);
	free(path);
}
END_TEST

/* ---- 100 000 members on two nodes of the site, 1 000 accounts in use by 16 processes ---- */

#define MANY 100000u
#define PROCESSES 16
#define USED 1000u

/* Another node of the same VO and site, with the bundle that the first one took. */
static struct xos_credd_view *second_node(struct xos_bytes bundle, struct xos_credd_conf *conf,
    struct xos_credd_self *self, struct xos_credd_source **source)
{
	struct xos_credd_view *view = NULL;
	*conf = n->conf;
	conf->node = strdup("n2");
	conf->state = xos_test_path(n->dir, "state2");
	*self = n->self;
	self->conf = conf;
	MUST(xos_dir_make(conf->state, 0700, &err), &err);
	MUST(xos_credd_source_new(self, source, &err), &err);
	MUST(xos_credd_source_take(*source, bundle, &view, &err), &err);
	return view;
}

/* What one process does with its accounts; owner: whose each uid is, seen by all. Gives 0 if all is well. */
static int use_accounts(
    unsigned seed, const struct xos_credd_view *views[2], const char *states[2], atomic_uint *owner)
{
	struct xos_account_map *m[2] = {open_map(states[0]), open_map(states[1])};
	if (!m[0] || !m[1])
		return 1;
	for (unsigned i = 0; i < USED; i++) {
		unsigned number = 1 + (seed * 7919u + i * 61u) % MANY, before = 0;
		char name[32], member[32];
		struct xos_account_map_member a, b, c;
		struct xos_credd_account computed[2];
		snprintf(member, sizeof(member), "m%u", number);
		snprintf(name, sizeof(name), "demo.%s", member);
		for (int k = 0; k < 2; k++)
			if (xos_credd_account(&views[k]->slice, member, number, &computed[k], NULL))
				return 2;
		if (!xos_account_map_by_name(m[0], name, &a) ||
		    !xos_account_map_by_name(m[1], name, &b) || a.uid != b.uid || a.gid != b.gid ||
		    a.uid != computed[0].uid || a.uid != computed[1].uid)
			return 3;
		if (!xos_account_map_by_uid(m[1], a.uid, &c) || strcmp(c.name, name) != 0 ||
		    !xos_account_map_by_uid(m[0], a.uid, &c) || strcmp(c.name, name) != 0)
			return 4;
		/* Nobody else has it. */
		if (!atomic_compare_exchange_strong(&owner[a.uid - SLICE_FIRST], &before, number) &&
		    before != number)
			return 5;
	}
	xos_account_map_free(m[0]);
	xos_account_map_free(m[1]);
	return 0;
}

static void use_all(const struct xos_credd_view *views[2], const char *states[2])
{
	pid_t pid[PROCESSES];
	atomic_uint *owner = mmap(NULL, (MANY + 1) * sizeof(*owner), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(owner != MAP_FAILED);
	for (unsigned i = 0; i < PROCESSES; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			_exit(use_accounts(i / 2, views, states, owner));
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status = -1;
		ck_assert_int_eq(waitpid(pid[i], &status, 0), pid[i]);
		ck_assert_int_eq(status, 0);
	}
	munmap(owner, (MANY + 1) * sizeof(*owner));
}

START_TEST(the_same_uids_on_two_nodes)
{
	struct xos_roster_member *members = calloc(MANY, sizeof(*members));
	struct xos_credd_conf conf;
	struct xos_credd_self self;
	struct xos_credd_source *source = NULL;
	struct xos_credd_view *first = NULL;
	struct xos_buf bundle;
	char text[600];
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(members[i].name, sizeof(members[i].name), "m%u", i + 1);
		members[i].number = i + 1;
	}
	snprintf(text, sizeof(text), RULES, 2, "");
	const struct xos_test_bundle b = {.serial = 12,
	    .site_text = text,
	    .members = members,
	    .nmembers = MANY,
	    .roster_serial = 2};
	xos_buf_init(&bundle, XOS_BUNDLE_MAX);
	node_bundle(n, b, &bundle);
	free(members);
	int64_t begin = xos_clock_mono_ms();
	MUST(xos_credd_source_take(n->source, xos_buf_bytes(&bundle), &first, &err), &err);
	int64_t taken = xos_clock_mono_ms();
	struct xos_credd_view *second = second_node(xos_buf_bytes(&bundle), &conf, &self, &source);
	int64_t again = xos_clock_mono_ms();
	const struct xos_credd_view *views[2] = {first, second};
	const char *states[2] = {n->conf.state, conf.state};
	ck_assert_uint_eq(first->map.members, MANY);
	ck_assert_uint_eq(second->map.members, MANY);
	use_all(views, states);
	printf("100000 members: bundle taken with its map in %lld and %lld ms, used in %lld ms\n",
	    (long long)(taken - begin), (long long)(again - taken),
	    (long long)(xos_clock_mono_ms() - again));
	xos_credd_view_free(first);
	xos_credd_view_free(second);
	xos_credd_source_free(source);
	free(conf.node);
	free(conf.state);
	xos_buf_free(&bundle);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("credd-roster");
	TCase *t = tcase_create("roster");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_job_has_a_uid_to_itself);
	tcase_add_test(t, a_uid_comes_back_when_nothing_is_left);
	tcase_add_test(t, without_a_range_the_member_has_the_account);
	tcase_add_test(t, only_services_ask);
	tcase_add_test(t, a_locked_member_gets_none);
	tcase_add_test(t, who_a_uid_is);
	tcase_add_test(t, the_map_follows_the_bundle);
	tcase_add_test(t, the_same_uids_on_two_nodes);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
