/* What xos-vopsd keeps: versions and their times, proposals, sets of groups and owners, abilities of nodes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/abilities.h"
#include "cases/run.h"
#include "policy/format.h"
#include "store/sql.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"
#include "vops/abilities.h"
#include "vops/cases.h"
#include "vops/proposals.h"
#include "vops/scoped.h"
#include "vops/sets.h"
#include "vops/versions.h"

#define NOW INT64_C(1800000000)

static char *dir, *path;
static struct xos_store *db;
static struct xos_err err;

static void setup(void)
{
	dir = xos_test_dir_new();
	path = xos_test_path(dir, "sets.db");
	MUST(vops_sets_open(path, &db, &err), &err);
}

static void teardown(void)
{
	xos_store_close(db);
	free(path);
	xos_test_dir_free(dir);
}

static void expect(enum xos_status got, enum xos_status want, const char *code)
{
	ck_assert_msg(got == want, "%s, not %s: %s %s", xos_status_name(got), xos_status_name(want),
	    err.code, err.text);
	if (code)
		ck_assert_str_eq(err.code, code);
}

/* --- versions --- */

static enum xos_status add(uint64_t serial, int64_t planned, int64_t now)
{
	const struct vops_version v = {.serial = serial,
	    .text = xos_bytes_str("text"),
	    .kind = "push",
	    .author = "admin",
	    .planned = planned};

	return vops_version_add(db, &v, now, &err);
}

static uint64_t in_force(void)
{
	uint64_t serial = 0;

	MUST(vops_version_serial(db, 0, &serial, &err), &err);
	return serial;
}

static bool due(int64_t now)
{
	bool changed = false;

	MUST(vops_versions_due(db, now, &changed, &err), &err);
	return changed;
}

START_TEST(a_version_comes_at_its_time_and_a_clock_set_back_takes_nothing_away)
{
	expect(add(5, NOW, NOW), XOS_OK, NULL);
	ck_assert_uint_eq(in_force(), 5);
	expect(add(6, NOW + 100, NOW), XOS_OK, NULL);
	ck_assert(!due(NOW + 99));
	ck_assert_uint_eq(in_force(), 5);
	ck_assert(due(NOW + 100));
	ck_assert_uint_eq(in_force(), 6);
	ck_assert(!due(NOW - 1000));
	ck_assert_uint_eq(in_force(), 6);
	xos_store_close(db);
	MUST(vops_sets_open(path, &db, &err), &err);
	ck_assert_uint_eq(in_force(), 6);
}
END_TEST

START_TEST(serials_rise_also_among_what_is_planned)
{
	enum vops_version_state state = VOPS_VERSION_IN_FORCE;
	bool returns = false;

	expect(add(5, NOW, NOW), XOS_OK, NULL);
	expect(add(5, NOW, NOW), XOS_CONFLICT, "lower-serial");
	expect(add(4, NOW, NOW), XOS_CONFLICT, "lower-serial");
	expect(add(8, NOW + 100, NOW), XOS_OK, NULL);
	/* Behind one of a higher serial it would never count. */
	expect(add(7, NOW + 200, NOW), XOS_CONFLICT, "lower-serial");
	expect(add(8, NOW + 50, NOW), XOS_CONFLICT, "serial-used");
	expect(add(7, NOW, NOW), XOS_OK, NULL);
	ck_assert_uint_eq(in_force(), 7);
	/* What is pushed now with a higher serial overtakes what was planned. */
	expect(add(9, NOW, NOW), XOS_OK, NULL);
	ck_assert(!due(NOW + 1000));
	ck_assert_uint_eq(in_force(), 9);
	MUST(vops_version_state(db, 8, &state, &returns, &err), &err);
	ck_assert_int_eq(state, VOPS_VERSION_OVERTAKEN);
	expect(vops_version_cancel(db, 8, "admin", NOW, &err), XOS_CONFLICT, "not-planned");
}
END_TEST

START_TEST(a_cancelled_version_never_counts)
{
	expect(add(5, NOW, NOW), XOS_OK, NULL);
	expect(add(6, NOW + 10, NOW), XOS_OK, NULL);
	expect(vops_version_cancel(db, 6, "bob", NOW, &err), XOS_OK, NULL);
	ck_assert(!due(NOW + 20));
	ck_assert_uint_eq(in_force(), 5);
	expect(add(6, NOW + 20, NOW + 20), XOS_CONFLICT, "serial-used");
	expect(vops_version_cancel(db, 5, "bob", NOW, &err), XOS_CONFLICT, "not-planned");
	expect(vops_version_cancel(db, 77, "bob", NOW, &err), XOS_NOT_FOUND, "no-policy");
}
END_TEST

START_TEST(a_database_of_before_has_its_newest_set_in_force)
{
	static const char *const old[] = {
	    "CREATE TABLE vo_sets (serial BIGINT PRIMARY KEY, text BLOB NOT NULL, author TEXT NOT "
	    "NULL,"
	    " pushed BIGINT NOT NULL);"
	    "CREATE TABLE sites (site TEXT PRIMARY KEY, spki BLOB NOT NULL, author TEXT NOT NULL,"
	    " since BIGINT NOT NULL);"
	    "INSERT INTO vo_sets VALUES (3, x'61', 'admin', 1700000000);"
	    "INSERT INTO vo_sets VALUES (4, x'62', 'admin', 1700000100);"};
	char *other = xos_test_path(dir, "old.db");
	const struct xos_store_options o = {.path = other, .migrations = old, .nmigrations = 1};
	struct xos_store *s = NULL;
	struct xos_buf text;
	uint64_t found = 0;

	MUST(xos_store_open(&o, &s, &err), &err);
	xos_store_close(s);
	MUST(vops_sets_open(other, &s, &err), &err);
	xos_buf_init(&text, 100);
	MUST(vops_vo_set_get(s, 0, &text, &found, &err), &err);
	ck_assert_uint_eq(found, 4);
	ck_assert_str_eq(xos_buf_str(&text), "b");
	xos_buf_free(&text);
	xos_store_close(s);
	free(other);
}
END_TEST

START_TEST(a_serial_is_replaced_and_not_a_byte_else)
{

	static const char plain[] = "# of 42\nvo \"demo\" serial 42 { permit group /demo action "
	                            "job.submit on any; }\n";
	struct xos_buf out;

	xos_buf_init(&out, 4096);
	MUST(xos_policy_renumber(plain, strlen(plain), 1234567, &out, &err), &err);
	ck_assert_str_eq(xos_buf_str(&out),
	    "# of 42\nvo \"demo\" serial 1234567 { permit group /demo "
	    "action job.submit on any; }\n");
	xos_buf_free(&out);
	xos_buf_init(&out, 4096);
	expect(xos_policy_renumber("delegation { }", 14, 5, &out, &err), XOS_MALFORMED, NULL);
	expect(xos_policy_renumber("vo \"demo\"", 9, 5, &out, &err), XOS_MALFORMED, NULL);
	xos_buf_free(&out);
	xos_buf_init(&out, 20);
	expect(xos_policy_renumber(plain, strlen(plain), 5, &out, &err), XOS_LIMIT, NULL);
	xos_buf_free(&out);
}
END_TEST

/* --- proposals --- */

static enum xos_status propose(int64_t made, int64_t *id)
{
	struct vops_proposal p = {
	    .verb = "policy.push", .author = "admin", .number = 1, .made = made};

	p.args = xos_json_object();
	enum xos_status st = vops_proposal_add(db, &p, &err);
	*id = p.id;
	xos_json_free(p.args);
	return st;
}

START_TEST(a_proposal_ends_once_and_for_good)
{
	struct vops_proposal p;
	int64_t id = 0;

	expect(propose(NOW, &id), XOS_OK, NULL);
	MUST(vops_proposals_due(db, NOW + VOPS_PROPOSAL_LIFE - 1, &err), &err);
	MUST(vops_proposal_get(db, id, &p, &err), &err);
	ck_assert_str_eq(p.state, "open");
	vops_proposal_clear(&p);
	MUST(vops_proposals_due(db, NOW + VOPS_PROPOSAL_LIFE, &err), &err);
	/* A clock that is set back opens it no more. */
	MUST(vops_proposals_due(db, NOW, &err), &err);
	expect(vops_proposal_close(db, id, "approved", "bob", NOW, &err), XOS_CONFLICT,
	    "proposal-closed");
	expect(propose(NOW, &id), XOS_OK, NULL);
	expect(vops_proposal_close(db, id, "approved", "bob", NOW, &err), XOS_OK, NULL);
	expect(vops_proposal_close(db, id, "rejected", "bob", NOW, &err), XOS_CONFLICT,
	    "proposal-closed");
	expect(vops_proposal_get(db, id + 1, &p, &err), XOS_NOT_FOUND, "no-proposal");
}
END_TEST

START_TEST(open_proposals_are_bounded)
{
	int64_t id = 0;

	for (unsigned i = 0; i < VOPS_PROPOSALS_OPEN_MAX; i++)
		expect(propose(NOW, &id), XOS_OK, NULL);
	expect(propose(NOW, &id), XOS_LIMIT, "proposals-full");
}
END_TEST

/* --- sets of groups and owners --- */

static int64_t clock_now = NOW;

static enum xos_status put(enum vops_scope kind, const char *name, uint64_t serial)
{
	const struct vops_scoped s = {
	    .kind = kind, .name = name, .serial = serial, .text = xos_bytes_str("text")};

	return vops_scoped_add(db, &s, "carol", clock_now, &err);
}

static enum xos_status collect(void *ctx, const struct vops_scoped *s, struct xos_err *e)
{
	(void)e;
	size_t n = strlen(ctx);
	snprintf((char *)ctx + n, 200 - n, "%s:%s:%llu ", vops_scope_name(s->kind), s->name,
	    (unsigned long long)s->serial);
	return XOS_OK;
}

START_TEST(of_each_group_and_owner_the_newest_set_is_handed_out)
{
	char all[200] = "";

	expect(put(VOPS_SCOPE_OWNER, "demo:alice", 7), XOS_OK, NULL);
	expect(put(VOPS_SCOPE_GROUP, "/demo/b", 1), XOS_OK, NULL);
	expect(put(VOPS_SCOPE_GROUP, "/demo/a", 2), XOS_OK, NULL);
	expect(put(VOPS_SCOPE_GROUP, "/demo/a", 4), XOS_OK, NULL);
	expect(put(VOPS_SCOPE_GROUP, "/demo/a", 3), XOS_CONFLICT, "lower-serial");
	MUST(vops_scoped_each(db, NOW, collect, all, &err), &err);
	ck_assert_str_eq(all, "group:/demo/a:4 group:/demo/b:1 owner:demo:alice:7 ");
	/* Withdrawn: none, not the one before; and its serial is used up. */
	expect(vops_scoped_withdraw(db, VOPS_SCOPE_GROUP, "/demo/a", "admin", NOW, &err), XOS_OK,
	    NULL);
	expect(vops_scoped_withdraw(db, VOPS_SCOPE_GROUP, "/demo/a", "admin", NOW, &err),
	    XOS_NOT_FOUND, "no-policy");
	all[0] = 0;
	MUST(vops_scoped_each(db, NOW, collect, all, &err), &err);
	ck_assert_str_eq(all, "group:/demo/b:1 owner:demo:alice:7 ");
	expect(put(VOPS_SCOPE_GROUP, "/demo/a", 4), XOS_CONFLICT, "lower-serial");
	expect(put(VOPS_SCOPE_GROUP, "/demo/a", 5), XOS_OK, NULL);
}
END_TEST

START_TEST(former_versions_are_bounded)
{
	struct xos_buf text;
	uint64_t found = 0;

	for (uint64_t i = 1; i <= 30; i++, clock_now += 60)
		expect(put(VOPS_SCOPE_GROUP, "/demo/a", i), XOS_OK, NULL);
	xos_buf_init(&text, 100);
	expect(vops_scoped_get(db, VOPS_SCOPE_GROUP, "/demo/a", 11, &text, &found, &err), XOS_OK,
	    NULL);
	expect(vops_scoped_get(db, VOPS_SCOPE_GROUP, "/demo/a", 10, &text, &found, &err),
	    XOS_NOT_FOUND, "no-policy");
	xos_buf_free(&text);
}
END_TEST

START_TEST(no_member_fills_the_bundle_or_keeps_nodes_fetching)
{
	char *big = calloc(1, VOPS_OWNER_TEXT_MAX + 2), name[64];
	struct vops_scoped s = {.kind = VOPS_SCOPE_OWNER, .name = "demo:alice"};
	enum xos_status st = XOS_OK;
	unsigned i = 0;

	ck_assert_ptr_nonnull(big);
	memset(big, 'x', VOPS_OWNER_TEXT_MAX + 1);
	s.serial = 1;
	s.text = xos_bytes_str(big);
	expect(vops_scoped_add(db, &s, "alice", NOW, &err), XOS_LIMIT, "set-size");
	big[VOPS_OWNER_TEXT_MAX] = 0;
	s.text = xos_bytes_str(big);
	for (; st == XOS_OK && i < 1000; i++) {
		snprintf(name, sizeof(name), "demo:m%u", i);
		s.name = name;
		st = vops_scoped_add(db, &s, "m", NOW, &err);
	}
	expect(st, XOS_LIMIT, "sets-full");
	ck_assert_uint_le(i, VOPS_OWNER_ALL_MAX / VOPS_OWNER_TEXT_MAX + 1);
	/* Groups have a share of their own. */
	for (i = 1; i <= VOPS_SCOPED_MINUTE; i++)
		expect(put(VOPS_SCOPE_GROUP, "/demo/a", i), XOS_OK, NULL);
	expect(put(VOPS_SCOPE_GROUP, "/demo/a", i), XOS_LIMIT, "push-throttled");
	clock_now += 60;
	expect(put(VOPS_SCOPE_GROUP, "/demo/a", i), XOS_OK, NULL);
	free(big);
}
END_TEST

/* --- cases --- */

static const char cases_head[] = "subject z\n  is demo:z\n  groups /demo\n";

static enum xos_status run_cases(const char *set_text, const struct xos_json *travelling)
{
	struct vops_auth a = {.db = db};
	struct xos_policy_set *set = NULL, *trial_set = NULL;
	struct xos_policy *policy = NULL, *trial = NULL;
	struct xos_policy_part part = {.not_after = 0};

	MUST(xos_policy_set_load(set_text, strlen(set_text), "set", &set, &err), &err);
	MUST(xos_policy_set_load(set_text, strlen(set_text), "set", &trial_set, &err), &err);
	xos_cases_try(trial_set);
	part.set = set;
	MUST(xos_policy_new(&part, 1, NULL, &policy, &err), &err);
	part.set = trial_set;
	MUST(xos_policy_new(&part, 1, NULL, &trial, &err), &err);
	enum xos_status st = vops_cases_run(&a, travelling, policy, trial, NOW, &err);
	xos_policy_unref(policy);
	xos_policy_unref(trial);
	xos_policy_set_unref(set);
	xos_policy_set_unref(trial_set);
	return st;
}

START_TEST(every_kept_case_is_asked_and_one_is_told)
{
	static const char deny[] = "vo \"demo\" serial 2 { }";
	static const char allow[] =
	    "vo \"demo\" serial 2 { permit group /demo action token.issue on any; }";
	struct xos_buf text;
	char one[120];

	xos_buf_init(&text, VOPS_CASES_TEXT_MAX);
	xos_buf_put_str(&text, cases_head);
	for (int i = 0; i < 4000; i++) {
		snprintf(one, sizeof(one),
		    "case c%d\n  subject z\n  action token.issue\n  on vo:demo\n  expect permit\n",
		    i);
		xos_buf_put_str(&text, one);
	}
	MUST(xos_sql_run(db, NULL, &err,
	         "INSERT INTO cases (name, text, author, since) VALUES ('many.test', ?1, 'a', 1)",
	         "b", xos_buf_bytes(&text)),
	    &err);
	expect(run_cases(allow, NULL), XOS_OK, NULL);
	expect(run_cases(deny, NULL), XOS_DENIED, "case-failed");
	ck_assert_ptr_nonnull(
	    strstr(err.text, "many.test:4: the case \"c0\" fails: expect permit"));
	xos_buf_free(&text);
}
END_TEST

/* One file of cases that travels. */
static enum xos_status travel(const char *name, const char *more)
{
	struct xos_json *list = xos_json_array(), *one = xos_json_object();
	char text[2000];

	snprintf(text, sizeof(text), "%s%s", cases_head, more);
	xos_json_set_string(one, "name", name);
	xos_json_set_string(one, "text", text);
	xos_json_add(list, one);
	enum xos_status st = run_cases("vo \"demo\" serial 2 { }", list);
	xos_json_free(list);
	return st;
}

START_TEST(cases_that_travel_read_no_files)
{
	static const char good[] =
	    "case c\n  subject z\n  action token.issue\n  on vo:demo\n  expect deny\n";
	char with[1000];

	expect(travel("a.test", good), XOS_OK, NULL);
	/* Policies are those in force; a delegation would be a file. */
	snprintf(with, sizeof(with),
	    "case c\n  subject z\n  action token.issue\n  on vo:demo\n"
	    "  delegation /etc/passwd\n  expect deny\n");
	expect(travel("a.test", with), XOS_MALFORMED, "cases-malformed");
	expect(travel("../a.test", good), XOS_MALFORMED, "json-field");
	expect(travel("", good), XOS_MALFORMED, "json-field");
	expect(travel("a.test", "case c\n"), XOS_MALFORMED, "cases-malformed");
}
END_TEST

/* --- abilities --- */

#define JOBD                                                                                       \
	"{\"service\":\"jobd\",\"actions\":[\"job.submit\"],\"attributes\":[\"ctx.src\",\"job."    \
	"wall\"],"                                                                                 \
	"\"caps\":[{\"name\":\"wall\"},{\"name\":\"cpu\",\"least\":4}],\"duties\":[\"record\"]}"
#define NODE(schema)                                                                               \
	"{\"site\":\"lab\",\"node\":\"n1\",\"schema\":" schema ",\"services\":[" JOBD              \
	"],\"zones\":[\"Europe/Paris\"]}"

static enum xos_status hold(const char *document, const char *statements)
{
	struct xos_json *doc = NULL;
	struct xos_policy_set *set = NULL;
	char text[2000];

	snprintf(text, sizeof(text), "vo \"demo\" serial 1 schema 2 { %s }", statements);
	MUST(xos_abilities_parse(xos_bytes_str(document), &doc, &err), &err);
	MUST(xos_policy_set_load(text, strlen(text), "set", &set, &err), &err);
	enum xos_status st = vops_abilities_hold(doc, set, &err);
	xos_policy_set_unref(set);
	xos_json_free(doc);
	return st;
}

START_TEST(a_set_is_held_against_what_a_node_knows)
{
	static const char *const good[] = {
	    "permit group /demo action job.submit on any when has job.wall and job.wall <= 2h;",
	    "limit group /demo action job.submit on any { wall <= 2h; cpu <= 4; }",
	    "duty group /demo action job.submit on any { record; }",
	    "permit group /demo action job.submit on any when time in 08:00-18:00 Europe/Paris;",
	    /* About what no service of the node does, or about other nodes. */
	    "permit group /demo action session.open on any when has session.tty and session.tty;",
	    "permit group /demo action job.submit on site:far when has job.cpu and job.cpu <= 2;",
	    "permit group /demo action job.submit on node:lab/n2 when has job.cpu and job.cpu <= "
	    "2;",
	    /* What goes with another action only is the linter's business. */
	    "permit group /demo action job.submit, token.issue on any when auth.age <= 1h;",
	};
	static const char *const bad[] = {
	    "permit group /demo action job.submit on any when has job.cpu and job.cpu <= 2;",
	    "permit group /demo action job.* on site:lab when not (has job.memory and job.memory > "
	    "1GiB);",
	    "limit group /demo action job.submit on node:lab/n1 { cpu <= 3; }",
	    "limit group /demo action job.submit on tag:x { memory <= 1GiB; }",
	    "duty group /demo action job.submit on any { notify \"ops\"; }",
	    "permit group /demo action job.submit on any when time in 08:00-18:00 Asia/Tokyo;",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		expect(hold(NODE("2"), good[i]), XOS_OK, NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		expect(hold(NODE("2"), bad[i]), XOS_DENIED, "node-lacks");
		ck_assert_ptr_nonnull(strstr(err.text, "n1"));
	}
	expect(hold(NODE("1"), ""), XOS_DENIED, "node-lacks");
}
END_TEST

START_TEST(what_is_no_word_of_a_node_is_refused)
{
	static const char *const bad[] = {"", "[]", "{}", "{\"site\":\"lab\"}",
	    "{\"site\":\"../x\",\"node\":\"n1\",\"schema\":2,\"services\":[]}",
	    "{\"site\":\"lab\",\"node\":\"n1\",\"schema\":2,\"services\":[],\"more\":1}",
	    "{\"site\":\"lab\",\"node\":\"n1\",\"schema\":0,\"services\":[]}",
	    "{\"site\":\"lab\",\"node\":\"n1\",\"schema\":2,\"services\":[{}]}",
	    "{\"site\":\"lab\",\"node\":\"n1\",\"schema\":2,\"services\":[" JOBD "," JOBD "," JOBD
	    "," JOBD "," JOBD "," JOBD "," JOBD "," JOBD "," JOBD "]}",
	    NODE("2") "x"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct xos_json *doc = NULL;

		ck_assert_int_eq(
		    xos_abilities_parse(xos_bytes_str(bad[i]), &doc, &err), XOS_MALFORMED);
		ck_assert_ptr_null(doc);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vops-sets");
	TCase *c = tcase_create("sets");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, a_version_comes_at_its_time_and_a_clock_set_back_takes_nothing_away);
	tcase_add_test(c, serials_rise_also_among_what_is_planned);
	tcase_add_test(c, a_cancelled_version_never_counts);
	tcase_add_test(c, a_database_of_before_has_its_newest_set_in_force);
	tcase_add_test(c, a_serial_is_replaced_and_not_a_byte_else);
	tcase_add_test(c, a_proposal_ends_once_and_for_good);
	tcase_add_test(c, open_proposals_are_bounded);
	tcase_add_test(c, of_each_group_and_owner_the_newest_set_is_handed_out);
	tcase_add_test(c, former_versions_are_bounded);
	tcase_add_test(c, no_member_fills_the_bundle_or_keeps_nodes_fetching);
	tcase_add_test(c, every_kept_case_is_asked_and_one_is_told);
	tcase_add_test(c, cases_that_travel_read_no_files);
	tcase_add_test(c, a_set_is_held_against_what_a_node_knows);
	tcase_add_test(c, what_is_no_word_of_a_node_is_refused);
	suite_add_tcase(s, c);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
