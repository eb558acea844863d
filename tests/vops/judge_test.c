/*
 * Decisions for services by one view: on which basis, for whom, and what hostile callers and credentials get.
 * alice is in /demo/physics, bob in /demo/students, dave is locked; the site lab has n1 and n2.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/decision.h"
#include "base/clock.h"
#include "base/text.h"
#include "pki/jws.h"
#include "policy/restriction.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"
#include "vops/search.h"

#define VO_SET                                                                                     \
	"vo \"demo\" serial 4 { permit group /demo/physics action job.submit, job.show on any;"    \
	" permit role /demo/Role=gpu action job.submit on node:lab/n2;"                            \
	" limit group /demo/physics action job.submit on any { wall <= 24h; } }"
#define SITE_SET                                                                                   \
	"site \"lab\" serial 2 { node n1 { class compute; } node n2 { class compute; }"            \
	" permit vo demo action job.submit on site:lab; }"
#define ASK(who, node)                                                                             \
	"{\"subject\":{\"type\":\"user\",\"id\":\"demo:" who "\"},\"action\":{\"name\":"           \
	"\"job.submit\"},\"resource\":{\"type\":\"node\",\"id\":\"lab/" node "\"}}"

static struct xos_test_vo *vo, *other;
static struct xos_trust *trust;
static struct vops_view *view;
static struct vops_judge *judge;
static struct xos_chain alice, bob, service;
static struct xos_err err;
static int64_t now;

static const char *const physics[] = {"/demo/physics", "/demo", NULL};
static const char *const students[] = {"/demo/students", "/demo", NULL};
static const char *const names[] = {"/demo", "/demo/Role=gpu", "/demo/physics", "/demo/students"};
static const char *const gpu[] = {"/demo/Role=gpu"};
static const struct xos_roster_member roster[] = {
    {"alice", 1, XOS_MEMBER_ACTIVE}, {"bob", 2, XOS_MEMBER_ACTIVE}, {"dave", 4, XOS_MEMBER_ACTIVE}};
static const struct xos_membership_member members[] = {{"alice", 1, physics, NULL, 2, 0},
    {"bob", 2, students, gpu, 2, 1}, {"dave", 4, physics, NULL, 2, 0}};

static struct vops_part *part(uint8_t kind, const char *name, struct xos_bytes content)
{
	struct vops_part *p = NULL;

	MUST(vops_part_new(kind, name, kind, 0, content, trust, "demo", &p, &err), &err);
	return p;
}

static struct vops_part *signed_part(uint8_t kind, int64_t life)
{
	struct xos_lock lock = {.id = "l1",
	    .kind = XOS_LOCK_MEMBER,
	    .name = "dave",
	    .since = now,
	    .until = XOS_LOCK_NO_END,
	    .message = "lost laptop"};
	const struct xos_roster_fields r = {.vo = "demo",
	    .serial = 1,
	    .issued = now,
	    .expires = now + life,
	    .members = roster,
	    .n = 3};
	const struct xos_membership_fields m = {.vo = "demo",
	    .serial = 9,
	    .issued = now,
	    .expires = now + life,
	    .names = names,
	    .nnames = 4,
	    .members = members,
	    .n = 3};
	struct xos_locks_fields l = {.vo = "demo",
	    .by = XOS_SIGNER_CA,
	    .serial = 1,
	    .issued = now,
	    .expires = now + life,
	    .locks = &lock,
	    .n = 1};
	struct xos_buf out;

	xos_buf_init(&out, XOS_ROSTER_MAX);
	if (kind == VOPS_PART_ROSTER) {
		MUST(xos_roster_sign(vo->ca_key, &r, &out, &err), &err);
	} else if (kind == VOPS_PART_MEMBERSHIP) {
		MUST(xos_membership_sign(vo->ca_key, &m, &out, &err), &err);
	} else if (kind == VOPS_PART_LOCKS_CA) {
		MUST(xos_locks_sign(vo->ca_key, &l, &out, &err), &err);
	} else {
		l.by = XOS_SIGNER_RCA;
		l.n = 0;
		MUST(xos_locks_sign(vo->rca_key, &l, &out, &err), &err);
	}
	struct vops_part *p = part(kind, "", xos_buf_bytes(&out));
	xos_buf_free(&out);
	return p;
}

static struct vops_view *make_view(int64_t life, bool with_lists)
{
	struct vops_part **parts = calloc(6, sizeof(struct vops_part *));
	struct vops_view *v = NULL;
	size_t n = 0;

	parts[n++] = part(VOPS_PART_VO, "", xos_bytes_str(VO_SET));
	parts[n++] = part(VOPS_PART_SITE, "lab", xos_bytes_str(SITE_SET));
	for (uint8_t k = VOPS_PART_ROSTER; with_lists && k <= VOPS_PART_MEMBERSHIP; k++)
		parts[n++] = signed_part(k, life);
	MUST(vops_view_new("demo", trust, parts, n, &v, &err), &err);
	return v;
}

static void setup(void)
{
	const struct xos_test_who a = {.name = "alice", .number = 1, .groups = physics},
	                          b = {.name = "bob", .number = 2, .groups = students},
	                          s = {.name = "s.example", .service = "accounting"};

	now = xos_clock_now();
	err = (struct xos_err)XOS_ERR_INIT;
	vo = xos_test_vo_new("demo", "lab", now);
	other = xos_test_vo_new("demo", "lab", now);
	trust = xos_test_vo_trust(vo);
	xos_test_member(vo, &a, &alice);
	xos_test_member(vo, &b, &bob);
	xos_test_service(vo, &s, &service);
	view = make_view(3600, true);
	MUST(vops_judge_new(&judge, &err), &err);
}

static void teardown(void)
{
	vops_judge_free(judge);
	vops_view_unref(view);
	xos_chain_clear(&alice);
	xos_chain_clear(&bob);
	xos_chain_clear(&service);
	xos_trust_free(trust);
	xos_test_vo_free(vo);
	xos_test_vo_free(other);
}

static struct xos_identity *identify(const struct xos_chain *c)
{
	const struct xos_verify_opts o = {.now = now,
	    .skew = 300,
	    .kinds = XOS_KINDS_ALL,
	    .allow_delegation = true,
	    .vo = "demo"};
	struct xos_identity *id = NULL;

	MUST(xos_token_verify_chain(trust, c, &o, &id, &err), &err);
	return id;
}

/* One evaluation for that caller; the answer decoded when there is one. */
static enum xos_status ask_in(struct vops_view *v, const struct xos_chain *caller,
    const char *request, struct vops_verdict *verdict, struct xos_decision_answer **out)
{
	struct xos_identity *id = identify(caller);
	struct xos_bytes ders[XOS_CHAIN_MAX];
	struct xos_evaluations *e = NULL;
	struct xos_decision_request *r = NULL;
	const struct vops_told told = {.brief = false};
	struct xos_buf text;

	err = (struct xos_err)XOS_ERR_INIT;
	xos_buf_init(&text, XOS_DECISION_ANSWER_MAX);
	vops_judge_begin(judge, v, id, ders, xos_test_ders(caller, ders), "r1");
	enum xos_status st =
	    xos_evaluation_decode(xos_bytes_str(request), XOS_SEARCH_NOTHING, &e, &err);
	if (st == XOS_OK)
		st = xos_evaluations_item(e, 0, &r, &err);
	if (st == XOS_OK)
		st = vops_judge_decide(judge, r, &told, &text, verdict, &err);
	if (st == XOS_OK) {
		MUST(xos_decision_answer_decode(xos_buf_bytes(&text), out, &err), &err);
		/* What is told is what was decided. */
		ck_assert_int_eq((*out)->decision == XOS_POLICY_PERMITTED, verdict->permitted);
	}
	vops_judge_end(judge);
	xos_decision_request_free(r);
	xos_evaluations_free(e);
	xos_buf_free(&text);
	xos_identity_free(id);
	return st;
}

static struct xos_decision_answer *ask(
    const struct xos_chain *caller, const char *request, struct vops_verdict *v)
{
	struct xos_decision_answer *a = NULL;

	ck_assert_msg(ask_in(view, caller, request, v, &a) == XOS_OK, "%s", err.text);
	return a;
}

static void refused(
    const struct xos_chain *caller, const char *request, enum xos_status want, const char *code)
{
	struct xos_decision_answer *a = NULL;
	struct vops_verdict v;

	ck_assert_int_eq(ask_in(view, caller, request, &v, &a), want);
	ck_assert_str_eq(err.code, code);
}

/* ASK with the chain of c. */
static char *with_chain(const char *who, const struct xos_chain *c)
{
	struct xos_buf b;

	xos_buf_init(&b, 65536);
	xos_buf_printf(&b,
	    "{\"subject\":{\"type\":\"user\",\"id\":\"demo:%s\",\"properties\":{\"chain\":[", who);
	for (size_t i = 0; i < c->n; i++) {
		xos_buf_put_str(&b, i ? ",\"" : "\"");
		xos_base64_encode(&b, xos_cert_der(c->cert[i]));
		xos_buf_put_str(&b, "\"");
	}
	xos_buf_put_str(&b, "]}},\"action\":{\"name\":\"job.submit\"},\"resource\":{\"type\":"
	                    "\"node\",\"id\":\"lab/n1\"}}");
	return xos_buf_steal(&b, NULL);
}

START_TEST(a_member_is_judged_by_its_own_token)
{
	struct vops_verdict v;
	struct xos_decision_answer *a = ask(&alice, ASK("alice", "n1"), &v);

	ck_assert(v.permitted);
	ck_assert_str_eq(v.basis, "token");
	ck_assert_int_eq(a->limits[XOS_CAP_WALL].number, 86400);
	xos_decision_answer_free(a);
	a = ask(&bob, ASK("bob", "n1"), &v);
	ck_assert(!v.permitted && !v.undecided);
	xos_decision_answer_free(a);
}
END_TEST

/* A group's and a node's set count as on a node; none of another name is taken for them. */
static const struct {
	uint8_t kind;
	const char *name, *text;
	int64_t not_after;
	bool permitted;
} sets[] = {
    {VOPS_PART_GROUP, "/demo/physics",
        "group \"/demo/physics\" serial 1 { forbid group /demo/physics action job.submit on any; }",
        0, false},
    {VOPS_PART_GROUP, "/demo/students",
        "group \"/demo/students\" serial 1 { forbid group /demo/students action job.submit on any; "
        "}",
        0, true},
    {VOPS_PART_NODE, "lab/n1",
        "node \"lab/n1\" serial 1 { forbid vo demo action job.submit on node:lab/n1; }", 0, false},
    {VOPS_PART_NODE, "lab/n2",
        "node \"lab/n2\" serial 1 { forbid vo demo action job.submit on node:lab/n2; }", 0, true},
    {VOPS_PART_NODE, "lab/n1", "node \"lab/n1\" serial 1 { }", 0, true},
    {VOPS_PART_NODE, "lab/n1", "node \"lab/n1\" serial 1 { }", 1, false}, /* ended */
};

START_TEST(sets_of_groups_and_nodes_count)
{
	struct vops_part **parts = calloc(7, sizeof(struct vops_part *)), *wrong = NULL, *more;
	struct xos_bytes text = xos_bytes_str(sets[_i].text);
	struct vops_view *v = NULL;
	struct xos_decision_answer *a = NULL;
	struct vops_verdict verdict;
	size_t n = 0;

	MUST(vops_part_new(sets[_i].kind, sets[_i].name, 1, sets[_i].not_after, text, trust, "demo",
	         &more, &err),
	    &err);
	parts[n++] = part(VOPS_PART_VO, "", xos_bytes_str(VO_SET));
	parts[n++] = part(VOPS_PART_SITE, "lab", xos_bytes_str(SITE_SET));
	for (uint8_t k = VOPS_PART_ROSTER; k <= VOPS_PART_MEMBERSHIP; k++)
		parts[n++] = signed_part(k, 3600);
	parts[n++] = more;
	MUST(vops_view_new("demo", trust, parts, n, &v, &err), &err);
	ck_assert_int_eq(ask_in(v, &alice, ASK("alice", "n1"), &verdict, &a), XOS_OK);
	ck_assert_int_eq(verdict.permitted, sets[_i].permitted);
	xos_decision_answer_free(a);
	ck_assert_int_eq(
	    vops_part_new(sets[_i].kind, "/demo/else", 1, 0, text, trust, "demo", &wrong, &err),
	    XOS_DENIED);
	vops_judge_free(judge);
	MUST(vops_judge_new(&judge, &err), &err);
	vops_view_unref(v);
}
END_TEST

START_TEST(a_member_asks_about_nobody_else)
{
	char *text = with_chain("alice", &alice);

	refused(&bob, ASK("alice", "n1"), XOS_DENIED, "not-yours");
	refused(&bob, text, XOS_DENIED, "not-yours");
	free(text);
}
END_TEST

START_TEST(a_service_asks_by_membership)
{
	struct vops_verdict v;
	struct xos_decision_answer *a = ask(&service, ASK("alice", "n1"), &v);

	ck_assert(v.permitted);
	ck_assert_str_eq(v.basis, "membership");
	xos_decision_answer_free(a);
	/* bob holds the role that would help, but no role is active. */
	a = ask(&service, ASK("bob", "n2"), &v);
	ck_assert(!v.permitted);
	ck_assert_uint_eq(a->nway_out, 1);
	ck_assert_str_eq(a->way_out[0], "/demo/Role=gpu");
	xos_decision_answer_free(a);
}
END_TEST

static const struct {
	const char *request, *say;
} strangers[] = {
    {ASK("dave", "n1"), "lost laptop"},
    {ASK("eve", "n1"), "no active member"},
    {"{\"subject\":{\"type\":\"user\",\"id\":\"other:alice\"},\"action\":{\"name\":\"job.submit\"},"
     "\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\"}}",
        "demo only"},
};

START_TEST(who_may_not_act_is_refused_and_told_why)
{
	struct vops_verdict v;
	struct xos_decision_answer *a = ask(&service, strangers[_i].request, &v);

	ck_assert(!v.permitted && !v.undecided);
	ck_assert_ptr_nonnull(strstr(a->reason_user, strangers[_i].say));
	xos_decision_answer_free(a);
}
END_TEST

START_TEST(a_node_is_asked_about_with_its_chain)
{
	refused(&service,
	    "{\"subject\":{\"type\":\"node\",\"id\":\"demo:n1\"},\"action\":{\"name\":\"job."
	    "submit\"},"
	    "\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\"}}",
	    XOS_MALFORMED, "subject-chain");
}
END_TEST

START_TEST(a_chain_wins_over_the_membership)
{
	static const char *const active[] = {"/demo/Role=gpu", NULL};
	const struct xos_test_who who = {
	    .name = "bob", .number = 2, .groups = students, .roles = active};
	struct xos_chain with_role = {.n = 0};
	struct vops_verdict v;

	xos_test_member(vo, &who, &with_role);
	char *text = with_chain("bob", &with_role);
	char *n2 = strstr(text, "lab/n1");
	n2[5] = '2';
	struct xos_decision_answer *a = ask(&service, text, &v);
	ck_assert(v.permitted);
	ck_assert_str_eq(v.basis, "token");
	xos_decision_answer_free(a);
	free(text);
	xos_chain_clear(&with_role);
}
END_TEST

START_TEST(a_chain_of_somebody_else_is_refused)
{
	char *text = with_chain("alice", &bob);

	refused(&service, text, XOS_MALFORMED, "subject-mismatch");
	free(text);
}
END_TEST

/* The same names under another root; a token that ended; a number that is not the member's; a locked member. */
START_TEST(bad_chains_permit_nothing)
{
	const struct xos_test_who who[] = {
	    {.name = "alice", .number = 1, .groups = physics},
	    {.name = "alice",
	        .number = 1,
	        .groups = physics,
	        .not_before = now - 7200,
	        .not_after = now - 3600},
	    {.name = "alice", .number = 8, .groups = physics},
	    {.name = "dave", .number = 4, .groups = physics},
	};
	struct xos_chain chain = {.n = 0};
	struct vops_verdict v;

	xos_test_member(_i == 0 ? other : vo, &who[_i], &chain);
	char *text = with_chain(who[_i].name, &chain);
	struct xos_decision_answer *a = ask(&service, text, &v);
	ck_assert(!v.permitted);
	ck_assert_uint_gt(strlen(a->reason_user), 0);
	xos_decision_answer_free(a);
	free(text);
	xos_chain_clear(&chain);
}
END_TEST

/* A delegation counts with its restriction, and on its node only, unless it may be passed on. */
START_TEST(a_delegation_keeps_its_restriction)
{
	static const struct {
		const char *node, *restriction;
		unsigned depth, permitted;
	} cases[] = {
	    {"n1", "delegation by user \"alice\" { check action in {job.submit}; }", 0, true},
	    {"n1", "delegation by user \"alice\" { check action in {file.read}; }", 0, false},
	    {"n2", "delegation by user \"alice\" { check action in {job.submit}; }", 0, false},
	    {"n2", "delegation by user \"alice\" { check action in {job.submit}; }", 1, true},
	};
	struct xos_delegation d = {.depth = cases[_i].depth, .not_after = now + 1800};
	struct xos_chain chain = {.n = 0};
	struct xos_key *key = NULL;
	struct xos_buf restriction;
	struct vops_verdict v;

	MUST(xos_key_generate(&key, &err), &err);
	xos_buf_init(&restriction, 65536);
	xos_test_restriction(cases[_i].restriction, &restriction);
	(void)!xos_str_copy(d.actor, sizeof(d.actor), "job");
	(void)!xos_str_copy(d.node, sizeof(d.node), cases[_i].node);
	d.restriction = restriction.p;
	d.restriction_len = restriction.n;
	xos_test_delegate(vo, &alice, xos_key_spki(key), &d, key, &chain);
	char *text = with_chain("alice", &chain);
	struct xos_decision_answer *a = ask(&service, text, &v);
	ck_assert_int_eq(v.permitted, cases[_i].permitted);
	xos_decision_answer_free(a);
	free(text);
	xos_chain_clear(&chain);
	xos_key_free(key);
	xos_buf_free(&restriction);
}
END_TEST

START_TEST(what_is_missing_or_has_ended_decides_nothing)
{
	struct vops_view *v = make_view(3600, _i == 0);
	struct xos_decision_answer *a = NULL;
	struct vops_verdict verdict;

	v->until = _i == 0 ? now - 1 : v->until;
	ck_assert_int_eq(ask_in(v, &alice, ASK("alice", "n1"), &verdict, &a), XOS_OK);
	ck_assert(!verdict.permitted && verdict.undecided);
	xos_decision_answer_free(a);
	vops_judge_free(judge);
	judge = NULL;
	vops_view_unref(v);
	MUST(vops_judge_new(&judge, &err), &err);
}
END_TEST

/* --- searches --- */

static enum xos_status search(const struct xos_chain *caller, enum xos_search what,
    const char *request, const struct vops_search_key *key, struct xos_json **out)
{
	struct xos_identity *id = identify(caller);
	struct xos_bytes ders[XOS_CHAIN_MAX];
	struct xos_evaluations *e = NULL;
	struct xos_buf text;

	err = (struct xos_err)XOS_ERR_INIT;
	xos_buf_init(&text, 1 << 20);
	vops_judge_begin(judge, view, id, ders, xos_test_ders(caller, ders), "r1");
	enum xos_status st = xos_evaluation_decode(xos_bytes_str(request), what, &e, &err);
	if (st == XOS_OK)
		st = vops_search(judge, view, key, id, what, e, &text, &err);
	if (st == XOS_OK)
		MUST(xos_json_parse(xos_buf_bytes(&text), text.n, out, &err), &err);
	vops_judge_end(judge);
	xos_evaluations_free(e);
	xos_buf_free(&text);
	xos_identity_free(id);
	return st;
}

static size_t results(const struct xos_json *doc, const char **next)
{
	const struct xos_json *list = NULL, *page = NULL;

	MUST(xos_json_get_array(doc, "results", 1000, &list, &err), &err);
	MUST(xos_json_get_object(doc, "page", &page, &err), &err);
	MUST(xos_json_get_string(page, "next_token", 200, next, &err), &err);
	return xos_json_count(list);
}

#define FIND_NODES(rest)                                                                           \
	"{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\"},\"action\":{\"name\":\"job."       \
	"submit\"},"                                                                               \
	"\"resource\":{\"type\":\"node\"}" rest "}"

START_TEST(searches_find_what_is_permitted_and_nothing_else)
{
	static const struct vops_search_key key = {{1}};
	struct xos_json *doc = NULL;
	const char *next;

	MUST(search(&service, XOS_SEARCH_SUBJECT,
	         "{\"subject\":{\"type\":\"user\"},\"action\":{\"name\":\"job.submit\"},"
	         "\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\"}}",
	         &key, &doc),
	    &err);
	ck_assert_uint_eq(results(doc, &next), 1); /* not bob, not dave, who is locked */
	xos_json_free(doc);
	MUST(search(&alice, XOS_SEARCH_RESOURCE, FIND_NODES(""), &key, &doc), &err);
	ck_assert_uint_eq(results(doc, &next), 2);
	xos_json_free(doc);
	MUST(search(&alice, XOS_SEARCH_ACTION,
	         "{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\"},"
	         "\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\"}}",
	         &key, &doc),
	    &err);
	ck_assert_uint_eq(results(doc, &next), 1);
	xos_json_free(doc);
	ck_assert_int_eq(
	    search(&alice, XOS_SEARCH_SUBJECT,
	        "{\"subject\":{\"type\":\"user\"},\"action\":{\"name\":\"job.submit\"},"
	        "\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\"}}",
	        &key, &doc),
	    XOS_DENIED);
	ck_assert_int_eq(search(&bob, XOS_SEARCH_RESOURCE, FIND_NODES(""), &key, &doc), XOS_DENIED);
}
END_TEST

/* A token goes on where its page ended, for the same caller, request and process; a changed digit is found out. */
START_TEST(page_tokens_cannot_be_forged)
{
	static const struct vops_search_key key = {{1}}, restarted = {{2}};
	struct xos_json *first = NULL, *second = NULL;
	const char *next, *end;
	char text[512], token[128];

	MUST(search(
	         &alice, XOS_SEARCH_RESOURCE, FIND_NODES(",\"page\":{\"limit\":1}"), &key, &first),
	    &err);
	ck_assert_uint_eq(results(first, &next), 1);
	ck_assert_uint_gt(strlen(next), 0);
	strcpy(token, next);
	sprintf(text, FIND_NODES(",\"page\":{\"limit\":1,\"token\":\"%s\"}"), token);
	MUST(search(&alice, XOS_SEARCH_RESOURCE, text, &key, &second), &err);
	ck_assert_uint_eq(results(second, &end), 1);
	ck_assert_str_eq(end, "");
	xos_json_free(second);
	ck_assert_int_eq(
	    search(&alice, XOS_SEARCH_RESOURCE, text, &restarted, &second), XOS_MALFORMED);
	ck_assert_int_eq(search(&service, XOS_SEARCH_RESOURCE, text, &key, &second), XOS_MALFORMED);
	sprintf(text, FIND_NODES(",\"page\":{\"limit\":2,\"token\":\"%s\"}"), token);
	ck_assert_int_eq(search(&alice, XOS_SEARCH_RESOURCE, text, &key, &second), XOS_MALFORMED);
	for (size_t i = 0; token[i]; i++) {
		token[i] = token[i] == '0' ? '1' : '0';
		sprintf(text, FIND_NODES(",\"page\":{\"limit\":1,\"token\":\"%s\"}"), token);
		ck_assert_int_eq(
		    search(&alice, XOS_SEARCH_RESOURCE, text, &key, &second), XOS_MALFORMED);
		strcpy(token, next);
	}
	xos_json_free(first);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vops-judge");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 300);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_member_is_judged_by_its_own_token);
	tcase_add_loop_test(tc, sets_of_groups_and_nodes_count, 0, 6);
	tcase_add_test(tc, a_member_asks_about_nobody_else);
	tcase_add_test(tc, a_service_asks_by_membership);
	tcase_add_loop_test(tc, who_may_not_act_is_refused_and_told_why, 0, 3);
	tcase_add_test(tc, a_node_is_asked_about_with_its_chain);
	tcase_add_test(tc, a_chain_wins_over_the_membership);
	tcase_add_test(tc, a_chain_of_somebody_else_is_refused);
	tcase_add_loop_test(tc, bad_chains_permit_nothing, 0, 4);
	tcase_add_loop_test(tc, a_delegation_keeps_its_restriction, 0, 4);
	tcase_add_loop_test(tc, what_is_missing_or_has_ended_decides_nothing, 0, 2);
	tcase_add_test(tc, searches_find_what_is_permitted_and_nothing_else);
	tcase_add_test(tc, page_tokens_cannot_be_forged);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
