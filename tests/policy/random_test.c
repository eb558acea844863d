/*
 * The engine against an evaluator that is slow and plainly right: no index, no sharing, truth as
 * "can be true" and "can be false". Policies and requests are drawn from a small world, so that most
 * statements concern most requests. The seed is fixed; XOS_POLICY_ROUNDS asks for more rounds.
 */
#include "policy_test.h"

#define REQUESTS 20
#define STATEMENTS 12 /* of one level, at most */

static uint64_t state;

static unsigned below(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state * UINT64_C(2685821657736338717)) >> 33) % n;
}

/* ---- the world ---- */
static const char *const who_texts[] = {"any", "group /demo", "group /demo/a", "group /demo/a/x",
    "group /demo/b", "exactly /demo/a", "user demo:alice", "user demo:bob", "home \"uni\"",
    "role /demo/Role=r"};
enum { WHO_ROLE = 9, WHO_COUNT = 10 };
static const char *const action_texts[] = {"job.submit", "job.show", "file.read"};
static const char *const place_texts[] = {"any", "site:lab", "node:lab/n1", "node:lab/n2",
    "class:c1", "class:c2", "tag:t1", "tag:t2", "tag:t1 & class:c2", "job:*", "job:j1", "file:/d",
    "file:/", "node:lab/n1 & tag:t2"};
enum { PLACE_COUNT = 14 };
static const char *const group_sets[][3] = {{NULL}, {"/demo/a"}, {"/demo/a/x"}, {"/demo/b"},
    {"/demo/a", "/demo/b"}, {"/demo", "/demo/a", "/demo/a/x"}};
static const char *const role_list[] = {"/demo/Role=r"};

struct world { /* a request, as choices */
	unsigned groups, action, node, kind, mfa;
	bool role, bob, uni, src_given, src_inside, cpu_given;
	int64_t cpu;
};

struct truth {
	bool can_true, can_false;
};
static const struct truth yes = {true, false}, no = {false, true}, open = {true, true};

static struct truth known(bool b)
{
	return b ? yes : no;
}

static bool in_groups(const struct world *w, const char *name, bool exactly)
{
	size_t n = strlen(name);
	if (strcmp(name, "/demo") == 0)
		return true;
	for (size_t i = 0; i < 3 && group_sets[w->groups][i]; i++) {
		const char *g = group_sets[w->groups][i];
		if (strcmp(g, name) == 0 || (!exactly && strncmp(g, name, n) == 0 && g[n] == '/'))
			return true;
	}
	return false;
}

static bool ref_who(const struct world *w, unsigned who)
{
	switch (who) {
	case 0:
		return true;
	case 1:
	case 2:
	case 3:
	case 4:
		return in_groups(w, who_texts[who] + 6, false);
	case 5:
		return in_groups(w, "/demo/a", true);
	case 6:
		return !w->bob;
	case 7:
		return w->bob;
	case 8:
		return w->uni;
	default:
		return w->role;
	}
}

/* nodes: 0 n1 (c1, t1), 1 n2 (c2, t1 t2), 2 n9 (not declared), 3 none given */
static struct truth label(const struct world *w, bool n1, bool n2)
{
	if (w->node >= 2)
		return open;
	return known(w->node == 0 ? n1 : n2);
}

static struct truth both(struct truth a, struct truth b)
{
	return (struct truth){a.can_true && b.can_true, a.can_false || b.can_false};
}

static struct truth is_node(const struct world *w, unsigned node)
{
	return w->node == 3 ? open : known(w->node == node);
}

/* kinds: 0 node or site, 1 job j1, 2 job j2, 3 file /d/f, 4 file /dd */
static struct truth ref_place(const struct world *w, unsigned place)
{
	switch (place) {
	case 2:
		return is_node(w, 0);
	case 3:
		return is_node(w, 1);
	case 4:
		return label(w, true, false);
	case 5:
		return label(w, false, true);
	case 6:
		return label(w, true, true);
	case 7:
		return label(w, false, true);
	case 8:
		return both(label(w, true, true), label(w, false, true));
	case 9:
		return known(w->kind == 1 || w->kind == 2);
	case 10:
		return known(w->kind == 1);
	case 11:
		return known(w->kind == 3);
	case 12:
		return known(w->kind == 3 || w->kind == 4);
	case 13:
		return both(is_node(w, 0), label(w, false, true));
	default:
		return yes;
	}
}

/* ---- conditions ---- */
enum cond_kind {
	C_AND,
	C_OR,
	C_NOT,
	C_WHO,
	C_ON,
	C_ACTION,
	C_MFA,
	C_CPU,
	C_IP,
	C_HAS,
	C_NOW,
	C_KINDS
};

struct cond {
	enum cond_kind kind;
	unsigned a, b;
	struct cond *x, *y;
};

struct pool {
	struct cond list[4096];
	size_t n;
};

static struct cond *make_cond(struct pool *pool, unsigned depth, bool roles)
{
	struct cond *c = &pool->list[pool->n++];
	ck_assert_uint_lt(pool->n, 4096);
	*c = (struct cond){.kind = depth ? below(C_KINDS) : C_WHO + below(C_KINDS - C_WHO)};
	c->b = below(4);
	c->a = c->kind == C_WHO  ? below(roles ? WHO_COUNT : WHO_ROLE)
	       : c->kind == C_ON ? below(PLACE_COUNT)
	                         : below(3);
	if (c->kind <= C_NOT)
		c->x = make_cond(pool, depth - 1, roles);
	if (c->kind <= C_OR)
		c->y = make_cond(pool, depth - 1, roles);
	return c;
}

static void print_cond(struct xos_buf *out, const struct cond *c)
{
	static const char *const cmp[] = {"<", "==", ">=", "!="};
	switch (c->kind) {
	case C_AND:
	case C_OR:
		xos_buf_put_str(out, "(");
		print_cond(out, c->x);
		xos_buf_put_str(out, c->kind == C_AND ? " and " : " or ");
		print_cond(out, c->y);
		xos_buf_put_str(out, ")");
		return;
	case C_NOT:
		xos_buf_put_str(out, "not (");
		print_cond(out, c->x);
		xos_buf_put_str(out, ")");
		return;
	case C_WHO:
		xos_buf_put_str(out, who_texts[c->a]);
		return;
	case C_ON:
		xos_buf_printf(out, "on %s", place_texts[c->a]);
		return;
	case C_ACTION:
		xos_buf_printf(out, "action in {%s}", action_texts[c->a]);
		return;
	case C_MFA:
		xos_buf_put_str(out, "auth.mfa");
		return;
	case C_CPU:
		xos_buf_printf(out, "job.cpu %s %u", cmp[c->b], c->a + 1);
		return;
	case C_IP:
		xos_buf_put_str(out, "ip(ctx.src) in 10.0.0.0/8");
		return;
	case C_HAS:
		xos_buf_put_str(out, c->a ? "has job.cpu" : "has ctx.src");
		return;
	default:
		xos_buf_printf(out, "now %s 2026-11-22T12:00Z", cmp[c->b]);
	}
}

static bool ref_compare(unsigned cmp, int64_t x, int64_t y)
{
	return cmp == 0 ? x < y : cmp == 1 ? x == y : cmp == 2 ? x >= y : x != y;
}

static struct truth ref_cond(const struct world *w, const struct cond *c)
{
	struct truth x = no, y = no;
	if (c->x)
		x = ref_cond(w, c->x);
	if (c->y)
		y = ref_cond(w, c->y);
	switch (c->kind) {
	case C_AND:
		return both(x, y);
	case C_OR:
		return (struct truth){x.can_true || y.can_true, x.can_false && y.can_false};
	case C_NOT:
		return (struct truth){x.can_false, x.can_true};
	case C_WHO:
		return known(ref_who(w, c->a));
	case C_ON:
		return ref_place(w, c->a);
	case C_ACTION:
		return known(w->action == c->a);
	case C_MFA:
		return w->mfa == 2 ? open : known(w->mfa == 1);
	case C_CPU:
		return w->cpu_given ? known(ref_compare(c->b, w->cpu, c->a + 1)) : open;
	case C_IP:
		return w->src_given ? known(w->src_inside) : open;
	case C_HAS:
		return known(c->a ? w->cpu_given : w->src_given);
	default:
		return known(ref_compare(c->b, NOON, NOON));
	}
}

/* ---- statements ---- */
enum { L_VO, L_SITE, L_NODE, L_DELEGATION, L_COUNT };

struct statement {
	enum xos_policy_effect effect;
	bool shadow;
	unsigned who, actions, place, wall, classes;
	struct cond *cond;
};

struct level {
	struct statement list[STATEMENTS + 1];
	size_t n;
};

static struct statement make_statement(
    struct pool *pool, unsigned level, enum xos_policy_effect effect)
{
	bool permit = effect == XOS_POLICY_PERMIT;
	struct statement s = {.effect = effect,
	    .shadow = level != L_DELEGATION && below(12) == 0,
	    .who = level == L_DELEGATION ? 0 : below(permit ? WHO_COUNT : WHO_ROLE),
	    .actions = 1 + below(7),
	    .place = below(2) ? 0 : below(PLACE_COUNT),
	    .wall = 1 + below(5),
	    .classes = 1 + below(7)};
	if (effect == XOS_POLICY_CHECK || below(2))
		s.cond = make_cond(pool, 3, permit || effect == XOS_POLICY_CHECK);
	return s;
}

static enum xos_policy_effect any_effect(unsigned level)
{
	static const enum xos_policy_effect usual[] = {XOS_POLICY_PERMIT, XOS_POLICY_PERMIT,
	    XOS_POLICY_PERMIT, XOS_POLICY_FORBID, XOS_POLICY_LIMIT};
	if (level == L_DELEGATION)
		return below(2) ? XOS_POLICY_CHECK : XOS_POLICY_LIMIT;
	if (level == L_NODE)
		return below(2) ? XOS_POLICY_FORBID : XOS_POLICY_LIMIT;
	return usual[below(5)];
}

static void print_mask(struct xos_buf *out, unsigned mask, const char *const *names)
{
	const char *comma = "";
	for (unsigned i = 0; i < 3; i++) {
		if (!(mask >> i & 1))
			continue;
		xos_buf_printf(out, "%s%s", comma, names[i]);
		comma = ", ";
	}
}

static void print_statement(struct xos_buf *out, unsigned level, const struct statement *s)
{
	static const char *const classes[] = {"p", "q", "r"};
	xos_buf_printf(out, "%s%s ", s->shadow ? "shadow " : "", xos_policy_effect_name(s->effect));
	if (s->effect == XOS_POLICY_CHECK) {
		print_cond(out, s->cond);
		xos_buf_put_str(out, ";\n");
		return;
	}
	if (level != L_DELEGATION)
		xos_buf_printf(out, "%s ", who_texts[s->who]);
	xos_buf_put_str(out, "action ");
	print_mask(out, s->actions, action_texts);
	xos_buf_printf(out, " on %s", place_texts[s->place]);
	if (s->cond) {
		xos_buf_put_str(out, " when ");
		print_cond(out, s->cond);
	}
	if (s->effect == XOS_POLICY_LIMIT) {
		xos_buf_printf(out, " { wall <= %uh; account_class in {", s->wall);
		print_mask(out, s->classes, classes);
		xos_buf_put_str(out, "}; }");
	}
	xos_buf_put_str(out, ";\n");
}

static struct xos_policy_set *build_level(unsigned level, const struct level *l)
{
	static const char site[] = "site \"lab\" serial 1 { node n1 { class c1; tag t1; }"
	                           " node n2 { class c2; tag t1, t2; }\n";
	static const char *const heads[] = {
	    "vo \"demo\" serial 1 {\n", site, "node \"lab/n1\" serial 1 {\n", "delegation {\n"};
	struct xos_buf out;
	xos_buf_init(&out, 1 << 20);
	xos_buf_put_str(&out, heads[level]);
	for (size_t i = 0; i < l->n; i++)
		print_statement(&out, level, &l->list[i]);
	xos_buf_put_str(&out, "}\n");
	struct xos_policy_set *set = must_parse(xos_buf_str(&out));
	xos_buf_free(&out);
	return set;
}

/* A node's set cannot speak of another node: those places become "any". */
static void fit_cond(struct cond *c)
{
	if (c->kind == C_ON && c->a == 3)
		c->a = 0;
	if (c->x)
		fit_cond(c->x);
	if (c->y)
		fit_cond(c->y);
}

static struct statement fitting(struct pool *pool, unsigned level, enum xos_policy_effect effect)
{
	struct statement s = make_statement(pool, level, effect);
	if (level == L_NODE && s.place == 3)
		s.place = 0;
	if (level == L_NODE && s.cond)
		fit_cond(s.cond);
	return s;
}

/* ---- the slow evaluator ---- */
struct outcome {
	enum xos_policy_decision decision;
	unsigned wall, classes; /* 0: no limit */
};

static struct truth ref_applies(const struct world *w, const struct statement *s)
{
	struct truth t = yes;
	if (s->effect != XOS_POLICY_CHECK) {
		t = both(known(s->actions >> w->action & 1), known(ref_who(w, s->who)));
		t = both(t, ref_place(w, s->place));
	}
	return s->cond ? both(t, ref_cond(w, s->cond)) : t;
}

static struct outcome ref_decide(const struct world *w, const struct level *levels)
{
	struct outcome o = {.classes = 8};
	bool refused = false, maybe = false, open_limit = false;
	for (unsigned level = 0; level < L_COUNT; level++) {
		bool grants = false, might = false;
		if (level == L_NODE && w->node != 0)
			continue; /* the set is n1's */
		for (size_t i = 0; i < levels[level].n; i++) {
			const struct statement *s = &levels[level].list[i];
			struct truth t = ref_applies(w, s);
			if (s->shadow)
				continue;
			if (s->effect == XOS_POLICY_PERMIT) {
				grants |= !t.can_false;
				might |= t.can_true;
			} else if (s->effect == XOS_POLICY_FORBID) {
				refused |= !t.can_false;
				maybe |= t.can_true && t.can_false;
			} else if (s->effect == XOS_POLICY_CHECK) {
				refused |= !t.can_true;
				maybe |= t.can_true && t.can_false;
			} else if (t.can_true) {
				if (!o.wall || s->wall < o.wall)
					o.wall = s->wall;
				o.classes = o.classes == 8 ? s->classes : o.classes & s->classes;
				open_limit |= t.can_false;
			}
		}
		if (level <= L_SITE && !grants) {
			refused |= !might;
			maybe |= might;
		}
	}
	if (o.classes == 0) {
		refused |= !open_limit;
		maybe |= open_limit;
	}
	o.decision = refused ? XOS_POLICY_DENIED
	             : maybe ? XOS_POLICY_UNDECIDED
	                     : XOS_POLICY_PERMITTED;
	return o;
}

/* ---- both ---- */
static struct world make_world(void)
{
	struct world w = {.groups = below(6),
	    .action = below(3),
	    .node = below(4),
	    .kind = below(5),
	    .mfa = below(3),
	    .role = below(2),
	    .bob = below(3) == 0,
	    .uni = below(2),
	    .src_given = below(2),
	    .src_inside = below(2),
	    .cpu_given = below(2),
	    .cpu = below(4)};
	return w;
}

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
	ck_assert_int_eq(xos_policy_new(parts, 3, p, NULL), XOS_OK);
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

static void make_levels(struct pool *pool, struct level *levels)
{
	pool->n = 0;
	for (unsigned i = 0; i < L_COUNT; i++) {
		levels[i].n = i <= L_SITE ? below(STATEMENTS) : below(3);
		for (size_t j = 0; j < levels[i].n; j++)
			levels[i].list[j] = fitting(pool, i, any_effect(i));
	}
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
	state = 20261122;
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
	state = 7;
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
	state = 42;
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
