/* Formulas say what the engine does: on policies and requests that are drawn, with nothing and with much
 * left open. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policytool/reason.h"
#include "policytool/world.h"

#define NOON INT64_C(1795348800) /* a Sunday */

static uint64_t state;

static unsigned below(unsigned n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(state >> 33) % n;
}

#define PICK(list) list[below(sizeof(list) / sizeof(list[0]))]

static const char *const tests[] = {"auth.mfa", "auth.age < 2h", "auth.age >= 1h", "has ctx.src",
    "ip(ctx.src) in 10.0.0.0/8", "job.cpu <= 4", "job.cpu == 4", "job.cpu in {1, 8}",
    "auth.method == krb5", "auth.method in {krb5, saml}", "auth.method like \"s*l\"",
    "date in 2026-11-22 UTC", "time in sat,sun 08:00-20:00 +01:00", "on service:sshd",
    "who in {group /demo/a, user bob}", "now < 2026-11-22T11:00Z", "now >= 2026-11-22T13:00Z",
    "time in 08:00-12:00 UTC", "time in 22:00-06:00 UTC", "on tag:gpu", "on node:lab/n1",
    "group /demo/a", "user demo:bob", "home \"uni\"", "action == job.show", "subject.is_owner",
    "node demo:n1", "not service demo:data"};
static const char *const vo_whos[] = {"any", "group /demo/a", "group exactly /demo/a",
    "group /demo/a/b", "user demo:bob", "home \"uni\"", "node n1, service data/n1",
    "any, node *, service *", "service data"};
static const char *const site_whos[] = {"any", "vo demo", "group /demo/a", "user demo:bob", "local",
    "node demo:*", "service demo:data, node demo:n1", "any, node demo:*, service demo:*"};
static const char *const actions[] = {"job.submit", "job.*", "any"};
static const char *const places[] = {"any", "site:lab", "tag:gpu", "class:compute", "node:lab/n1",
    "class:compute & tag:gpu", "job:*"};
static const char *const classes[] = {"{pool}", "{pool, own}", "{own}", "{extra}"};

static void draw_cond(struct xos_buf *b, unsigned depth, bool roles)
{
	unsigned what = depth ? below(5) : 0;
	if (what == 4) {
		xos_buf_put_str(b, "not (");
		draw_cond(b, depth - 1, false);
		xos_buf_put_str(b, ")");
	} else if (what >= 2) {
		xos_buf_put_str(b, "(");
		draw_cond(b, depth - 1, roles);
		xos_buf_put_str(b, what == 2 ? " and " : " or ");
		draw_cond(b, depth - 1, roles);
		xos_buf_put_str(b, ")");
	} else if (roles && below(6) == 0) {
		xos_buf_put_str(b, "role /demo/Role=r");
	} else {
		xos_buf_put_str(b, PICK(tests));
	}
}

enum level { VO, SITE, NODE, GROUP, OWNER };

static const char *const group_whos[] = {
    "any", "group /demo/a", "group /demo/a/b", "user demo:bob"};
static const char *const owner_whos[] = {"any", "group /demo/a", "user demo:bob", "vo other",
    "group /other/x", "service data", "node *, any"};
static const char *const foreign_whos[] = {"any", "group /other/x", "group /demo/a", "vo other"};

static const char *draw_who(enum level level)
{
	switch (level) {
	case VO:
		return below(6) ? PICK(vo_whos) : "group /other/x";
	case SITE:
	case NODE:
		return below(6) ? PICK(site_whos) : PICK(foreign_whos);
	case GROUP:
		return PICK(group_whos);
	case OWNER:
		break;
	}
	return PICK(owner_whos);
}

static void draw_delegate(struct xos_buf *b, enum level level)
{
	static const char *const groups[] = {"group /demo/a", "group /demo/a/b, group /demo/c"};
	if (level == VO)
		xos_buf_printf(
		    b, "delegate %s action %s on %s", PICK(groups), PICK(actions), PICK(places));
	else
		xos_buf_printf(
		    b, "delegate node %s action %s", below(2) ? "n1" : "n1, n2", PICK(actions));
	if (below(3) == 0) {
		xos_buf_put_str(b, " when ");
		draw_cond(b, below(2), false);
	}
	xos_buf_put_str(b, ";\n");
}

static void draw_statement(struct xos_buf *b, enum level level)
{
	unsigned effect = below(8);
	const char *who = draw_who(level);
	bool vo = level == VO, again = below(4) == 0;
	if (again && (level == VO || level == SITE) && below(2)) {
		draw_delegate(b, level);
		return;
	}
	bool permit = effect < 5;
	if (permit && vo && below(8) == 0)
		who = "role /demo/Role=r";
	xos_buf_printf(b, "%s %s action %s on %s",
	    permit       ? "permit"
	    : effect < 7 ? "forbid"
	                 : "limit",
	    who, PICK(actions), level == NODE ? "any" : PICK(places));
	if (level == OWNER && effect >= 4)
		xos_buf_put_str(b, " unless has subject.is_owner and subject.is_owner");
	if (below(3)) {
		xos_buf_put_str(b, " when ");
		draw_cond(b, below(4), permit);
	}
	if (effect == 7)
		xos_buf_printf(b, " { account_class in %s; }\n", PICK(classes));
	else
		xos_buf_put_str(b, ";\n");
}

static struct xos_policy_set *draw_set(const char *head, enum level level, unsigned most)
{
	static struct xos_policy_errors errs;
	struct xos_policy_set *set = NULL;
	struct xos_buf b;
	xos_buf_init(&b, 1 << 20);
	xos_buf_put_str(&b, head);
	for (unsigned i = below(most) + 1; i; i--)
		draw_statement(&b, level);
	xos_buf_put_str(&b, "}");
	const char *text = xos_buf_str(&b);
	/* Some of what is drawn can never apply, and is refused for it. */
	(void)!xos_policy_set_parse(text, b.n, "drawn", &set, &errs);
	xos_buf_free(&b);
	return set;
}

static struct xos_policy *draw_policy(void)
{
	struct xos_policy_part parts[8] = {{NULL, 0, 0}};
	struct xos_policy *p = NULL;
	size_t n = 0;
	/* Where much is granted, more depends on who asks of which VO. */
	bool open_handed = below(3) == 0;
	parts[n++].set = draw_set(
	    open_handed ? "vo \"demo\" serial 1 {\n"
	                  "permit home \"uni\", user demo:alice, node * action any;\n"
	                  "permit group /other/x action job.* on job:* when home \"uni\";\n"
	                : "vo \"demo\" serial 1 {\n",
	    VO, open_handed ? 2 : 5);
	parts[n++].set = draw_set(
	    open_handed ? "site \"lab\" serial 1 {\npermit any, node demo:*, service demo:* action "
	                  "any;\nnode n1 { class compute; tag gpu; }\nnode n2 { class login; }\n"
	                : "site \"lab\" serial 1 {\nnode n1 { class compute; tag gpu; }\n"
	                  "node n2 { class login; }\n",
	    SITE, open_handed ? 1 : 4);
	if (below(2))
		parts[n++].set =
		    draw_set("site \"far\" serial 1 {\nnode n1 { class compute; }\n", SITE, 2);
	if (below(2))
		parts[n++].set = draw_set("group \"/demo/a\" serial 1 {\n", GROUP, 3);
	if (below(3) == 0)
		parts[n++].set = draw_set("group \"/demo/a/b\" serial 1 {\n", GROUP, 3);
	if (below(2))
		parts[n++].set = draw_set("node \"lab/n1\" serial 1 {\n", NODE, 3);
	if (below(3))
		parts[n++].set = draw_set("owner \"demo:carol\" serial 1 {\n", OWNER, 3);
	if (below(4))
		parts[n++].set =
		    draw_set("vo \"other\" serial 1 {\npermit any, node *, service * action any;\n",
		        GROUP, 1);
	bool all = true;
	for (size_t i = 0; i < n; i++)
		all &= parts[i].set != NULL;
	if (all)
		ck_assert_int_eq(xos_policy_new(parts, n, NULL, &p, NULL), XOS_OK);
	for (size_t i = 0; i < n; i++)
		xos_policy_set_unref(parts[i].set);
	return p;
}

static const char *const in_a[] = {"/demo/a"}, *const in_b[] = {"/demo", "/demo/a/b"};
static const char *const role[] = {"/demo/Role=r"};
static struct xos_policy_value values[4];

static struct xos_policy_subject draw_machine(void)
{
	static const char *const nodes[] = {"n1", "n1", "n2"};
	static const char *const services[] = {"data/n1", "data/n2", "job/n1"};
	bool node = below(2);
	return (struct xos_policy_subject){.kind = node ? XOS_SUBJECT_NODE : XOS_SUBJECT_SERVICE,
	    .vo = below(5) ? "demo" : "other",
	    .member = node ? PICK(nodes) : PICK(services),
	    .auth_mfa = -1};
}

/* What a formula is asked about: it says nothing that is left open. */
static struct xos_policy_request draw_base(void)
{
	struct xos_policy_request req = {.subject = {.kind = XOS_SUBJECT_MEMBER,
	                                     .vo = "demo",
	                                     .member = below(2) ? "alice" : "bob",
	                                     .home = below(2) ? "uni" : NULL,
	                                     .auth_mfa = -1},
	    .action = below(2) ? "job.submit" : "job.show",
	    .resource = {.kind = "node", .site = "lab"},
	    .now = NOON};
	unsigned groups = below(3);
	req.subject.groups = groups == 1 ? in_a : groups == 2 ? in_b : NULL;
	req.subject.ngroups = groups;
	static const char *const nodes[] = {"n1", "n2", "n3"};
	req.resource.node = PICK(nodes);
	if (strcmp(req.action, "job.show") == 0) {
		req.resource.kind = "job";
		req.resource.id = "7";
		req.resource.vo = "demo";
		req.resource.owner = below(3) ? req.subject.member : "carol";
	}
	if (below(8) == 0)
		req.resource.site = "far";
	if (below(4) == 0) {
		static const char *const in_x[] = {"/other/x"};
		req.subject.vo = "other";
		req.subject.groups = in_x;
		req.subject.ngroups = 1;
		if (req.resource.owner)
			req.resource.owner = below(3) ? NULL : "carol";
	}
	if (below(10) == 0)
		req.subject = (struct xos_policy_subject){
		    .kind = XOS_SUBJECT_LOCAL, .member = "root", .auth_mfa = -1};
	if (below(8) == 0)
		req.subject = draw_machine();
	return req;
}

static void fill(struct xos_policy_request *req, bool member)
{
	static const char *const homes[] = {"uni", "elsewhere"};
	static const char *const methods[] = {"krb5", "saml", "password"};
	static const char *const addresses[] = {"10.1.2.3", "192.0.2.1"};
	static const int64_t times[] = {NOON, NOON - 2 * 3600, NOON + 3600, NOON + 12 * 3600};
	req->now = PICK(times);
	if (member)
		req->subject.home = below(3) ? PICK(homes) : NULL;
	if (member && below(4))
		req->subject.auth_method = PICK(methods);
	if (member && below(4))
		req->subject.auth_time = req->now - (int64_t)below(4) * 3600 - 60;
	req->subject.auth_mfa = member ? (int)below(3) - 1 : -1;
	if (member && strcmp(req->subject.vo, "demo") == 0 && below(2)) {
		req->subject.roles = role;
		req->subject.nroles = 1;
	}
	req->nvalues = 0;
	if (below(3))
		values[req->nvalues++] =
		    (struct xos_policy_value){"ctx.src", XOS_POLICY_IP, 0, PICK(addresses)};
	if (strcmp(req->action, "job.submit") == 0 && below(3))
		values[req->nvalues++] = (struct xos_policy_value){
		    "job.cpu", XOS_POLICY_NUMBER, (int64_t[]){1, 4, 5, 8, 9}[below(5)], NULL};
	if (below(3) == 0)
		values[req->nvalues++] = (struct xos_policy_value){
		    "ctx.service", XOS_POLICY_STRING, 0, below(2) ? "sshd" : "jobd"};
	req->values = values;
}

static void show(const struct xos_policy *p, const struct xos_formula *f, bool engine,
    const struct xos_policy_request *req)
{
	struct xos_buf b;
	xos_buf_init(&b, 1 << 20);
	const struct xos_policy_set *vo = xos_policy_find_set(p, XOS_POLICY_VO, "demo");
	const struct xos_policy_set *sets[] = {vo, xos_policy_find_set(p, XOS_POLICY_SITE, "lab"),
	    xos_policy_find_set(p, XOS_POLICY_GROUP, "/demo/a"),
	    xos_policy_find_set(p, XOS_POLICY_GROUP, "/demo/a/b"),
	    xos_policy_find_set(p, XOS_POLICY_NODE, "lab/n1"),
	    xos_policy_find_set(p, XOS_POLICY_OWNER, "demo:carol"),
	    xos_policy_find_set(p, XOS_POLICY_VO, "other")};
	for (size_t i = 0; i < 7; i++)
		if (sets[i])
			xos_policy_set_text(sets[i], &b);
	xos_formula_text(f, &b);
	xos_buf_printf(&b, "\n%s:%s %s %s at %s/%s of %s, %zu groups",
	    req->subject.vo ? req->subject.vo : "-", req->subject.member, req->action,
	    req->resource.kind, req->resource.site, req->resource.node,
	    req->resource.owner ? req->resource.owner : "-", req->subject.ngroups);
	ck_abort_msg("seed %llu: the engine says %s, the formula not:\n%s",
	    (unsigned long long)state, engine ? "yes" : "no", xos_buf_str(&b));
}

static unsigned granted[XOS_POLICY_LEVELS];

static bool engine_permits(const struct xos_policy *p, const struct xos_policy_request *req)
{
	struct xos_policy_answer a;
	xos_policy_answer_init(&a);
	bool yes = xos_policy_decide(p, req, &a) == XOS_OK;
	for (size_t i = 0; i < a.nlevels; i++)
		granted[a.levels[i].level] += yes && a.levels[i].stand == XOS_STAND_GRANTS;
	ck_assert_msg(!a.problem, "%s", a.problem);
	xos_policy_answer_free(&a);
	return yes;
}

static unsigned permits, refusals, conditional;
static unsigned machines; /* permitted to nodes and services */
static unsigned across;   /* permitted to a member of another VO than the resource's */

static void compare(const struct xos_policy *p, struct xos_policy_memory *m)
{
	static const struct xos_policytool_open closed,
	    open = {.attributes = true, .time = true, .home = true, .roles = role, .nroles = 1};
	struct xos_policy_request base = draw_base();
	bool member = base.subject.kind == XOS_SUBJECT_MEMBER;
	const struct xos_policytool_open local = {.attributes = true, .time = true};
	const struct xos_formula *f =
	    xos_policytool_permitted(m, p, NULL, &base, member ? &open : &local);
	ck_assert_ptr_nonnull(f);
	conditional += f->kind != XOS_FORMULA_TRUE && f->kind != XOS_FORMULA_FALSE;
	for (unsigned i = 0; i < 12; i++) {
		struct xos_policy_request req = base;
		fill(&req, member);
		bool yes = engine_permits(p, &req);
		permits += yes;
		machines += yes && !member && req.subject.vo;
		across += yes && req.resource.vo && req.subject.vo &&
		          strcmp(req.resource.vo, req.subject.vo) != 0;
		refusals += !yes;
		if (xos_policytool_holds(f, p, NULL, &req) != yes)
			show(p, f, yes, &req);
		const struct xos_formula *c = xos_policytool_permitted(m, p, NULL, &req, &closed);
		ck_assert_ptr_nonnull(c);
		ck_assert(c->kind == XOS_FORMULA_TRUE || c->kind == XOS_FORMULA_FALSE);
		if ((c->kind == XOS_FORMULA_TRUE) != yes)
			show(p, c, yes, &req);
	}
}

static unsigned spoken;

/* Whoever a word of the command line means may do what the engine permits a member of the VO: a word
 * that is taken for somebody else agrees only by chance. */
static void compare_words(const struct xos_policy *p, struct xos_policy_memory *m)
{
	static const char *const words[] = {
	    "vo:demo", "demo", "/demo", "members of /demo", "demo:somebody"};
	static const struct xos_policytool_open closed;
	const struct xos_policy_request plain = {.subject = {.kind = XOS_SUBJECT_MEMBER,
	                                             .vo = "demo",
	                                             .member = "somebody",
	                                             .auth_mfa = -1},
	    .action = "job.submit",
	    .resource = {.kind = "node", .site = "lab", .node = "n1"},
	    .now = NOON};
	const struct xos_policytool_thing node = {.on = "node:lab/n1"};
	const struct xos_policytool_principal *who = NULL;
	struct xos_policytool_world *w = NULL;
	bool yes = engine_permits(p, &plain);
	ck_assert_int_eq(xos_policytool_world_new(&w, NULL), XOS_OK);
	ck_assert_int_eq(
	    xos_policytool_world_add(w, xos_policy_find_set(p, XOS_POLICY_VO, "demo"), NULL),
	    XOS_OK);
	ck_assert_int_eq(xos_policytool_world_finish(w, NULL), XOS_OK);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct xos_policy_request req;
		ck_assert_int_eq(xos_policytool_world_principal(w, words[i], &who, NULL), XOS_OK);
		struct xos_cases_ask *ask = xos_policytool_world_ask(who, "job.submit", &node);
		ck_assert_ptr_nonnull(ask);
		ck_assert_int_eq(xos_cases_ask_request(ask, p, NOON, &req, NULL), XOS_OK);
		const struct xos_formula *f = xos_policytool_permitted(m, p, NULL, &req, &closed);
		ck_assert_ptr_nonnull(f);
		if ((f->kind == XOS_FORMULA_TRUE) != yes)
			show(p, f, yes, &req);
		xos_cases_ask_free(ask);
	}
	spoken += yes;
	xos_policytool_world_free(w);
}

START_TEST(drawn)
{
	unsigned good = 0;
	state = 20261122;
	for (unsigned i = 0; i < 10000; i++) {
		struct xos_policy *p = draw_policy();
		if (!p)
			continue;
		good++;
		struct xos_policy_memory *m = xos_policy_memory_new();
		for (unsigned j = 0; j < 4; j++)
			compare(p, m);
		compare_words(p, m);
		xos_policy_memory_free(m);
		xos_policy_unref(p);
	}
	/* The comparison means something only if it met all that there is. */
	ck_assert_uint_gt(good, 1000);
	ck_assert_uint_gt(permits, 2000);
	ck_assert_uint_gt(refusals, 2000);
	ck_assert_uint_gt(conditional, 300);
	ck_assert_uint_gt(across, 20);
	ck_assert_uint_gt(machines, 100);
	ck_assert_uint_gt(spoken, 20);
	ck_assert_uint_gt(granted[XOS_POLICY_GROUP], 20);
	ck_assert_uint_gt(granted[XOS_POLICY_NODE], 20);
	ck_assert_uint_gt(granted[XOS_POLICY_OWNER], 20);
}
END_TEST

/* ---- how formulas read ---- */

static struct xos_policy *one_vo(const char *body)
{
	char text[2000];
	struct xos_policy_part part = {NULL, 0, 0};
	struct xos_policy *p = NULL;
	snprintf(text, sizeof(text), "vo \"demo\" serial 1 { %s }", body);
	ck_assert_int_eq(xos_policy_set_load(text, strlen(text), "t", &part.set, NULL), XOS_OK);
	ck_assert_int_eq(xos_policy_new(&part, 1, NULL, &p, NULL), XOS_OK);
	xos_policy_set_unref(part.set);
	return p;
}

static void reads(const char *body, const char *expected)
{
	static const struct xos_policytool_open open = {
	    .attributes = true, .time = true, .roles = role, .nroles = 1};
	const struct xos_policy_request req = {.subject = {.kind = XOS_SUBJECT_MEMBER,
	                                           .vo = "demo",
	                                           .member = "alice",
	                                           .auth_mfa = -1},
	    .action = "token.issue",
	    .resource = {.kind = "vo", .vo = "demo"},
	    .now = NOON};
	struct xos_policy *p = one_vo(body);
	struct xos_policy_memory *m = xos_policy_memory_new();
	struct xos_buf b;
	xos_buf_init(&b, 100000);
	const struct xos_formula *f = xos_policytool_permitted(m, p, NULL, &req, &open);
	ck_assert_ptr_nonnull(f);
	xos_formula_text(f, &b);
	ck_assert_str_eq(xos_buf_str(&b), expected);
	xos_buf_free(&b);
	xos_policy_memory_free(m);
	xos_policy_unref(p);
}

START_TEST(texts)
{
	reads("permit any action token.issue;", "always");
	reads("permit any action job.submit;", "never");
	reads("permit any action token.issue when auth.mfa and auth.age < 2h;",
	    "auth.age < 2h and auth.mfa");
	reads("permit any action token.issue; forbid any action token.issue when auth.age > 4h;",
	    "auth.age <= 4h");
	reads("permit any action token.issue; forbid any action token.issue unless auth.mfa;",
	    "auth.mfa");
	reads("permit any action token.issue; forbid any action token.issue when auth.mfa;",
	    "not auth.mfa");
	reads("permit any action token.issue; forbid any action token.issue unless role "
	      "/demo/Role=r or auth.mfa;",
	    "auth.mfa or role /demo/Role=r");
	/* One says more than the other. */
	reads(
	    "permit any action token.issue when auth.age < 2h; forbid any action token.issue when "
	    "auth.age > 4h;",
	    "auth.age < 2h");
	reads(
	    "permit any action token.issue when auth.age < 2h; permit any action token.issue when "
	    "auth.age < 4h;",
	    "auth.age < 4h");
	/* Both cannot be. */
	reads(
	    "permit any action token.issue when auth.age < 2h; forbid any action token.issue when "
	    "auth.age < 4h;",
	    "never");
	reads("permit any action token.issue when has ctx.src and ip(ctx.src) in 10.0.0.0/8;",
	    "ip(ctx.src) in {10.0.0.0/8}");
	reads("permit any action token.issue when not has ctx.src and ip(ctx.src) in 10.0.0.0/8;",
	    "never");
	reads("permit any action token.issue when time in 08:00-20:00 UTC; permit any action "
	      "token.issue unless time in 08:00-20:00 UTC;",
	    "always");
	/* What may be unknown is not covered by itself and its opposite. */
	reads("permit any action token.issue when auth.mfa; permit any action token.issue unless "
	      "auth.mfa;",
	    "auth.mfa or not auth.mfa");
}
END_TEST

START_TEST(bounds)
{
	static const struct xos_policytool_open open = {.attributes = true, .time = true};
	const struct xos_policy_request req = {.subject = {.kind = XOS_SUBJECT_MEMBER,
	                                           .vo = "demo",
	                                           .member = "alice",
	                                           .auth_mfa = -1},
	    .action = "token.issue",
	    .resource = {.kind = "vo", .vo = "demo"},
	    .now = NOON};
	struct xos_policy *p =
	    one_vo("limit any action token.issue unless auth.mfa { lifetime <= 2h; } "
	           "limit any action token.issue { lifetime <= 1d; } "
	           "limit any action job.submit { wall <= 1d; } "
	           "duty any action token.issue { record; }");
	struct xos_policy_memory *m = xos_policy_memory_new();
	struct xos_buf b;
	xos_buf_init(&b, 100000);
	xos_policytool_bounds(m, p, NULL, &req, &open, &b, NULL, NULL);
	ck_assert_str_eq(xos_buf_str(&b),
	    "{ lifetime <= 1d; }\n{ lifetime <= 2h; } unless auth.mfa\n{ record; }\n");
	xos_buf_free(&b);
	xos_policy_memory_free(m);
	xos_policy_unref(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("policytool-reason");
	TCase *t = tcase_create("reason");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, drawn);
	tcase_add_test(t, texts);
	tcase_add_test(t, bounds);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
