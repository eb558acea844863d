/*
 * The engine against the slow evaluator of reference.c. The seed is fixed; XOS_POLICY_ROUNDS asks for more
 * rounds.
 */
#include "random.h"

#define REQUESTS 20

static const char *const role_list[] = {"/demo/Role=r"};

static struct outcome engine(const struct xos_policy *p, const struct xos_policy_set *chain,
    const struct world *w, struct xos_policy_answer *a)
{
	static const char *const nodes[] = {"n1", "n2", "n9", NULL};
	static const char *const kinds[] = {"node", "job", "job", "file", "file"};
	static const char *const ids[] = {NULL, "j1", "j2", "/d/f", "/dd"};
	struct xos_policy_value values[2];
	size_t ngroups = 0;
	while (ngroups < 3 && group_sets[w->groups][ngroups])
		ngroups++;
	struct xos_policy_request req = {.subject = {.kind = XOS_SUBJECT_MEMBER,
	                                     .vo = "demo",
	                                     .member = w->bob ? "bob" : "alice",
	                                     .groups = group_sets[w->groups],
	                                     .ngroups = ngroups,
	                                     .roles = role_list,
	                                     .nroles = w->role,
	                                     .held = role_list,
	                                     .nheld = !w->role,
	                                     .home = w->uni ? "uni" : NULL,
	                                     .auth_mfa = w->mfa == 2 ? -1 : (int)w->mfa},
	    .action = action_texts[w->action],
	    .resource = {.kind = kinds[w->kind],
	        .id = ids[w->kind],
	        .site = "lab",
	        .node = nodes[w->node]},
	    .now = NOON,
	    .chain = &chain,
	    .nchain = 1,
	    .values = values};
	if (w->kind == 0 && !req.resource.node)
		req.resource.kind = "site";
	if (w->src_given)
		values[req.nvalues++] = (struct xos_policy_value){
		    "ctx.src", XOS_POLICY_IP, 0, w->src_inside ? "10.1.2.3" : "11.1.2.3"};
	if (w->cpu_given)
		values[req.nvalues++] =
		    (struct xos_policy_value){"job.cpu", XOS_POLICY_NUMBER, w->cpu, NULL};
	enum xos_status status = xos_policy_decide(p, &req, a);
	struct outcome o = {.decision = a->decision, .classes = 8};
	ck_assert_int_eq(status == XOS_OK, o.decision == XOS_POLICY_PERMITTED);
	ck_assert_ptr_null(a->problem);
	for (size_t i = 0; i < a->nlimits; i++) {
		const struct xos_policy_limit *l = &a->limits[i];
		if (l->cap == XOS_CAP_WALL)
			o.wall = (unsigned)(l->number / 3600);
		if (l->cap != XOS_CAP_ACCOUNT_CLASS)
			continue;
		o.classes = 0;
		for (size_t j = 0; j < l->nnames; j++)
			o.classes |= 1u << (l->names[j][0] - 'p');
	}
	/* A way out is one: with that role it is permitted. */
	if (a->nway_out) {
		struct world with = *w;
		struct xos_policy_answer again;
		with.role = true;
		xos_policy_answer_init(&again);
		ck_assert_int_eq(engine(p, chain, &with, &again).decision, XOS_POLICY_PERMITTED);
		xos_policy_answer_free(&again);
	}
	return o;
}

static void make_engine(
    const struct level *levels, struct xos_policy **p, struct xos_policy_set **chain)
{
	struct xos_policy_part parts[3] = {0};
	for (unsigned i = 0; i < 3; i++)
		parts[i].set = build_level(i, &levels[i]);
	ck_assert_int_eq(xos_policy_new(parts, 3, NULL, p, NULL), XOS_OK);
	for (unsigned i = 0; i < 3; i++)
		xos_policy_set_unref(parts[i].set);
	*chain = build_level(L_DELEGATION, &levels[L_DELEGATION]);
	/* Restrictions travel encoded: what arrives must decide alike. */
	struct xos_policy_set *arrived;
	struct xos_buf wire;
	xos_buf_init(&wire, XOS_RESTRICTION_MAX);
	ck_assert_int_eq(xos_restriction_encode(*chain, &wire, NULL), XOS_OK);
	ck_assert_int_eq(xos_restriction_decode(xos_buf_bytes(&wire), &arrived, NULL), XOS_OK);
	xos_policy_set_unref(*chain);
	*chain = arrived;
	xos_buf_free(&wire);
}

static void ck_same(struct outcome got, struct outcome want)
{
	ck_assert_str_eq(words[got.decision], words[want.decision]);
	ck_assert_uint_eq(got.wall, want.wall);
	ck_assert_uint_eq(got.classes, want.classes);
}

static unsigned rounds(unsigned usual)
{
	const char *more = getenv("XOS_POLICY_ROUNDS");
	return more ? (unsigned)strtoul(more, NULL, 10) : usual;
}

START_TEST(engine_and_reference_agree)
{
	static struct pool pool;
	static struct level levels[L_COUNT];
	struct xos_policy_answer a;
	unsigned seen[3] = {0};
	draw_from(20261122);
	xos_policy_answer_init(&a);
	for (unsigned round = 0; round < rounds(3000); round++) {
		struct xos_policy *p;
		struct xos_policy_set *chain;
		make_levels(&pool, levels);
		make_engine(levels, &p, &chain);
		for (unsigned i = 0; i < REQUESTS; i++) {
			struct world w = make_world();
			struct outcome want = ref_decide(&w, levels);
			ck_same(engine(p, chain, &w, &a), want);
			seen[want.decision]++;
		}
		xos_policy_set_unref(chain);
		xos_policy_unref(p);
	}
	/* A world in which everything is refused would prove nothing. */
	unsigned total = seen[0] + seen[1] + seen[2];
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_gt(seen[i], total / 50);
	xos_policy_answer_free(&a);
}
END_TEST

START_TEST(order_never_matters)
{
	static struct pool pool;
	static struct level levels[L_COUNT];
	struct xos_policy_answer a;
	draw_from(7);
	xos_policy_answer_init(&a);
	for (unsigned round = 0; round < rounds(1000); round++) {
		struct xos_policy *p, *q;
		struct xos_policy_set *chain, *other;
		make_levels(&pool, levels);
		make_engine(levels, &p, &chain);
		for (unsigned i = 0; i < L_COUNT; i++) {
			for (size_t j = levels[i].n; j > 1; j--) {
				size_t k = below((unsigned)j);
				struct statement s = levels[i].list[k];
				levels[i].list[k] = levels[i].list[j - 1];
				levels[i].list[j - 1] = s;
			}
		}
		make_engine(levels, &q, &other);
		for (unsigned i = 0; i < REQUESTS; i++) {
			struct world w = make_world();
			struct outcome before = engine(p, chain, &w, &a);
			ck_same(engine(q, other, &w, &a), before);
		}
		xos_policy_set_unref(chain);
		xos_policy_set_unref(other);
		xos_policy_unref(p);
		xos_policy_unref(q);
	}
	xos_policy_answer_free(&a);
}
END_TEST

/* One more permit never shrinks what is allowed; one more of the rest never grows it. */
START_TEST(more_statements_go_one_way)
{
	static struct pool pool;
	static struct level levels[L_COUNT];
	struct xos_policy_answer a;
	draw_from(42);
	xos_policy_answer_init(&a);
	for (unsigned round = 0; round < rounds(2000); round++) {
		struct xos_policy *p, *q;
		struct xos_policy_set *chain, *other;
		make_levels(&pool, levels);
		make_engine(levels, &p, &chain);
		unsigned level = below(L_COUNT);
		enum xos_policy_effect effect = any_effect(level);
		levels[level].list[levels[level].n] = fitting(&pool, level, effect);
		levels[level].n++;
		make_engine(levels, &q, &other);
		for (unsigned i = 0; i < REQUESTS; i++) {
			struct world w = make_world();
			struct outcome before = engine(p, chain, &w, &a),
			               after = engine(q, other, &w, &a);
			if (effect == XOS_POLICY_PERMIT) {
				ck_assert(before.decision != XOS_POLICY_PERMITTED ||
				          after.decision == XOS_POLICY_PERMITTED);
				ck_assert_uint_eq(after.wall, before.wall);
			} else {
				ck_assert(after.decision != XOS_POLICY_PERMITTED ||
				          before.decision == XOS_POLICY_PERMITTED);
				ck_assert(
				    !before.wall || (after.wall && after.wall <= before.wall));
			}
		}
		xos_policy_set_unref(chain);
		xos_policy_set_unref(other);
		xos_policy_unref(p);
		xos_policy_unref(q);
	}
	xos_policy_answer_free(&a);
}
END_TEST

/* A decision visits only what its index finds: 2000 strangers' statements cost nothing. */
START_TEST(work_is_bounded)
{
	struct xos_buf text;
	struct xos_policy_answer a;
	xos_buf_init(&text, 1 << 20);
	xos_buf_put_str(
	    &text, "vo \"demo\" serial 1 { permit group /demo/physics action job.submit;");
	for (int i = 0; i < 2000; i++)
		xos_buf_printf(
		    &text, " forbid group /demo/g%d action any when auth.mfa or user bob;", i);
	xos_buf_put_str(&text, " }");
	struct xos_policy *p = must_build(
	    xos_buf_str(&text), "site \"lab\" serial 1 { permit any action any; }", NULL);
	struct xos_policy_request req = alice();
	xos_policy_answer_init(&a);
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_OK);
	ck_assert_uint_eq(a.statements, 2);
	ck_assert_uint_eq(a.nodes, 0);
	xos_policy_unref(p);
	/* And where all concern the request, each is visited once, each node at most once. */
	text.n = 0;
	xos_buf_put_str(&text, "vo \"demo\" serial 1 {");
	for (int i = 0; i < 2000; i++)
		xos_buf_put_str(
		    &text, " forbid group /demo action any when auth.mfa and user bob;");
	xos_buf_put_str(&text, " permit any action any; }");
	p = must_build(
	    xos_buf_str(&text), "site \"lab\" serial 1 { permit any action any; }", NULL);
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_OK);
	ck_assert_uint_eq(a.statements, 2002);
	ck_assert_uint_le(a.nodes, 3 * 2000);
	xos_policy_unref(p);
	xos_policy_answer_free(&a);
	xos_buf_free(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy random");
	TCase *tc = tcase_create("reference");
	tcase_set_timeout(tc, 3600);
	tcase_add_test(tc, engine_and_reference_agree);
	tcase_add_test(tc, order_never_matters);
	tcase_add_test(tc, more_statements_go_one_way);
	tcase_add_test(tc, work_is_bounded);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
