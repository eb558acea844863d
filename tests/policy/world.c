/* The small world, and policies of it as text. */
#include "random.h"

static uint64_t state;

void draw_from(uint64_t seed)
{
	state = seed;
}

unsigned below(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state * UINT64_C(2685821657736338717)) >> 33) % n;
}

const char *const who_texts[WHO_COUNT] = {"any", "group /demo", "group /demo/a", "group /demo/a/x",
    "group /demo/b", "exactly /demo/a", "user demo:alice", "user demo:bob", "home \"uni\"",
    "role /demo/Role=r"};
const char *const action_texts[3] = {"job.submit", "job.show", "file.read"};
const char *const place_texts[PLACE_COUNT] = {"any", "site:lab", "node:lab/n1", "node:lab/n2",
    "class:c1", "class:c2", "tag:t1", "tag:t2", "tag:t1 & class:c2", "job:*", "job:j1", "file:/d",
    "file:/", "node:lab/n1 & tag:t2"};
const char *const group_sets[6][3] = {{NULL}, {"/demo/a"}, {"/demo/a/x"}, {"/demo/b"},
    {"/demo/a", "/demo/b"}, {"/demo", "/demo/a", "/demo/a/x"}};

struct world make_world(void)
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

enum xos_policy_effect any_effect(unsigned level)
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

struct xos_policy_set *build_level(unsigned level, const struct level *l)
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

struct statement fitting(struct pool *pool, unsigned level, enum xos_policy_effect effect)
{
	struct statement s = make_statement(pool, level, effect);
	if (level == L_NODE && s.place == 3)
		s.place = 0;
	if (level == L_NODE && s.cond)
		fit_cond(s.cond);
	return s;
}

void make_levels(struct pool *pool, struct level *levels)
{
	pool->n = 0;
	for (unsigned i = 0; i < L_COUNT; i++) {
		levels[i].n = i <= L_SITE ? below(STATEMENTS) : below(3);
		for (size_t j = 0; j < levels[i].n; j++)
			levels[i].list[j] = fitting(pool, i, any_effect(i));
	}
}
