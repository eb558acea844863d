/*
 * What holds between an answer and the answer after a change, whatever the policies are: no second
 * evaluator is needed to see that these are broken. Generated policies and requests; seeded.
 */
#include "compare.h"
#include "policy/format.h"
#include "policy_test.h"

#define POLICIES 150
#define REQUESTS 25

struct pair { /* a policy before and after, and what to ask it */
	struct m_pool pool;
	struct m_policy p, q;
	struct built before, after;
	struct xos_policy_answer a;
	unsigned long seed;
};

static struct pair *pair_new(void)
{
	struct pair *t = calloc(1, sizeof(*t));
	ck_assert_ptr_nonnull(t);
	xos_policy_answer_init(&t->a);
	return t;
}

/* The policy of a seed, built, and a copy in q that the case changes. */
static void begin(struct pair *t, unsigned long seed)
{
	t->seed = seed;
	draw_from(seed);
	make_policy(&t->pool, &t->p);
	build(&t->p, &t->before);
	t->q = t->p;
}

static void end(struct pair *t)
{
	built_free(&t->before);
	built_free(&t->after);
}

static void pair_free(struct pair *t)
{
	xos_policy_answer_free(&t->a);
	free(t);
}

static struct outcome ask(struct pair *t, const struct m_policy *p, const struct built *b,
    const struct m_request *r, unsigned nchain)
{
	const struct xos_policy_set *chain[M_CHAIN] = {b->chain[0], b->chain[1]};
	struct xos_policy_request req = r->req;
	req.chain = chain;
	req.nchain = req.subject.kind == XOS_SUBJECT_MEMBER ? nchain : 0;
	return ask_engine(p, b, &req, &t->a);
}

#define PERMITTED(o) ((o).decision == XOS_POLICY_PERMITTED)

#define ck_holds(t, what) ck_assert_msg(what, "policy of seed %lu: not %s", (t)->seed, #what)

static bool shadow_of_nothing(const struct outcome *o)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (o->fired[i])
			return false;
	return true;
}

static void ck_same(struct pair *t, const struct outcome *x, const struct outcome *y)
{
	ck_holds(t, x->decision == y->decision);
	ck_holds(t, x->wall == y->wall && x->cpu == y->cpu && x->classes == y->classes);
	ck_holds(t, x->duties == y->duties);
	ck_holds(t, x->change.what == y->change.what && x->change.after == y->change.after);
	ck_holds(t, shadow_of_nothing(x) == shadow_of_nothing(y));
	for (unsigned i = 0; i < SLOTS; i++) {
		ck_holds(t, x->levels[i].there == y->levels[i].there);
		ck_holds(t, x->levels[i].stand == y->levels[i].stand);
		ck_holds(t, x->levels[i].refuses == y->levels[i].refuses);
	}
}

static void shuffle(struct m_set *set)
{
	for (unsigned i = set->n; i > 1; i--) {
		unsigned k = below(i);
		struct m_statement s = set->list[k];
		set->list[k] = set->list[i - 1];
		set->list[i - 1] = s;
	}
}

START_TEST(order_never_matters)
{
	struct pair *t = pair_new();
	for (unsigned long seed = 1; seed <= POLICIES; seed++) {
		begin(t, seed);
		for (unsigned i = 0; i < t->q.n; i++)
			shuffle(&t->q.sets[i]);
		for (unsigned i = 0; i < t->q.nchain; i++)
			shuffle(&t->q.chain[i]);
		build(&t->q, &t->after);
		ck_holds(t, t->after.dropped == 0);
		for (unsigned i = 0; i < REQUESTS; i++) {
			struct m_request r;
			make_request(&r);
			struct outcome x = ask(t, &t->p, &t->before, &r, t->p.nchain);
			struct outcome y = ask(t, &t->q, &t->after, &r, t->p.nchain);
			ck_same(t, &x, &y);
		}
		end(t);
	}
	pair_free(t);
}
END_TEST

/* One more statement somewhere in q; false if the language refuses it. */
static bool add(struct pair *t, enum m_effect *effect)
{
	unsigned which = below(t->q.n + t->q.nchain);
	struct m_set *set = which < t->q.n ? &t->q.sets[which] : &t->q.chain[which - t->q.n];
	*effect = make_effect(set->level);
	if (set->n == M_STATEMENTS)
		return false;
	set->list[set->n++] = make_statement(&t->pool, set, *effect);
	build(&t->q, &t->after);
	if (!t->after.dropped)
		return true;
	built_free(&t->after);
	return false;
}

START_TEST(more_statements_go_one_way)
{
	struct pair *t = pair_new();
	unsigned seen[M_DELEGATE + 1] = {0};
	for (unsigned long seed = 1; seed <= 4 * POLICIES; seed++) {
		enum m_effect effect;
		begin(t, seed + 1000000);
		if (!add(t, &effect)) {
			built_free(&t->before);
			continue;
		}
		seen[effect]++;
		for (unsigned i = 0; i < REQUESTS; i++) {
			struct m_request r;
			make_request(&r);
			struct outcome x = ask(t, &t->p, &t->before, &r, t->p.nchain);
			struct outcome y = ask(t, &t->q, &t->after, &r, t->p.nchain);
			bool opens = effect == M_PERMIT || effect == M_DELEGATE;
			ck_holds(t,
			    opens ? !PERMITTED(x) || PERMITTED(y) : !PERMITTED(y) || PERMITTED(x));
			ck_holds(t, !x.wall || (y.wall && y.wall <= x.wall));
			ck_holds(t, !x.cpu || (y.cpu && y.cpu <= x.cpu));
			ck_holds(t, (y.classes & ~x.classes) == 0);
			ck_holds(t, (x.duties & ~y.duties) == 0);
			ck_holds(t, !opens || (x.wall == y.wall && x.classes == y.classes));
		}
		end(t);
	}
	for (unsigned i = 0; i <= M_DELEGATE; i++)
		ck_assert_uint_gt(seen[i], 10);
	pair_free(t);
}
END_TEST

static bool cond_asks_has(const struct m_cond *c)
{
	return c && (c->op == C_HAS || cond_asks_has(c->x) || cond_asks_has(c->y));
}

static void without_has(struct m_set *set)
{
	unsigned n = 0;
	for (unsigned i = 0; i < set->n; i++)
		if (!cond_asks_has(set->list[i].cond))
			set->list[n++] = set->list[i];
	set->n = n;
}

/* One attribute of the request less: of the k-th kind. False if it did not have it. */
static bool forget(struct m_request *r, unsigned k)
{
	struct xos_policy_subject *s = &r->req.subject;
	bool had = k == 0 ? s->auth_time != 0 : k == 1 ? s->auth_method != NULL : s->auth_mfa >= 0;
	if (k == 0)
		s->auth_time = 0;
	else if (k == 1)
		s->auth_method = NULL;
	else if (k == 2)
		s->auth_mfa = -1;
	if (k < 3)
		return had;
	k -= 3;
	if (k >= r->req.nvalues)
		return false;
	r->values[k] = r->values[--r->req.nvalues];
	return true;
}

/*
 * Where no condition asks `has`, an attribute less makes an answer stay or become undecided: what was refused
 * is never permitted for the lack of something, and what was denied for certain never by chance.
 */
START_TEST(what_is_missing_opens_no_door)
{
	struct pair *t = pair_new();
	unsigned changed = 0;
	for (unsigned long seed = 1; seed <= 2 * POLICIES; seed++) {
		t->seed = seed + 2000000;
		draw_from(t->seed);
		make_policy(&t->pool, &t->p);
		for (unsigned i = 0; i < t->p.n; i++)
			without_has(&t->p.sets[i]);
		for (unsigned i = 0; i < t->p.nchain; i++)
			without_has(&t->p.chain[i]);
		build(&t->p, &t->before);
		for (unsigned i = 0; i < REQUESTS; i++) {
			struct m_request full, r;
			make_request(&full);
			full.req.values = full.values;
			struct outcome x = ask(t, &t->p, &t->before, &full, t->p.nchain);
			for (unsigned k = 0; k < 8; k++) {
				r = full;
				r.req.values = r.values;
				if (!forget(&r, k))
					continue;
				struct outcome y = ask(t, &t->p, &t->before, &r, t->p.nchain);
				ck_holds(t,
				    y.decision == x.decision || y.decision == XOS_POLICY_UNDECIDED);
				ck_holds(t, !x.wall || (y.wall && y.wall <= x.wall));
				ck_holds(t, (y.classes & ~x.classes) == 0);
				ck_holds(t, (x.duties & ~y.duties) == 0);
				changed += x.decision != y.decision;
			}
		}
		built_free(&t->before);
	}
	ck_assert_uint_gt(changed, 100);
	pair_free(t);
}
END_TEST

/* Each link only narrows, whatever their order, and together they allow no more than each alone. */
START_TEST(chains_only_narrow)
{
	struct pair *t = pair_new();
	unsigned permitted = 0, narrowed = 0;
	for (unsigned long seed = 1; seed <= 8 * POLICIES; seed++) {
		begin(t, seed + 3000000);
		/* The other order. */
		t->q.chain[0] = t->p.chain[1];
		t->q.chain[1] = t->p.chain[0];
		if (t->p.nchain < 2) {
			built_free(&t->before);
			continue;
		}
		build(&t->q, &t->after);
		for (unsigned i = 0; i < REQUESTS; i++) {
			struct m_request r;
			make_request(&r);
			struct outcome none = ask(t, &t->p, &t->before, &r, 0);
			struct outcome first = ask(t, &t->p, &t->before, &r, 1);
			struct outcome second = ask(t, &t->q, &t->after, &r, 1);
			struct outcome both = ask(t, &t->p, &t->before, &r, 2);
			struct outcome turned = ask(t, &t->q, &t->after, &r, 2);
			ck_holds(t, both.decision == turned.decision);
			ck_holds(t, both.wall == turned.wall && both.classes == turned.classes);
			ck_holds(t, !PERMITTED(first) || PERMITTED(none));
			ck_holds(t, !PERMITTED(both) || (PERMITTED(first) && PERMITTED(second)));
			/* The meet of their classes may be empty; nothing else comes from both. */
			ck_holds(t, PERMITTED(both) || !both.classes ||
			                !(PERMITTED(first) && PERMITTED(second)));
			permitted += PERMITTED(both);
			narrowed += PERMITTED(none) && !PERMITTED(both);
		}
		end(t);
	}
	ck_assert_uint_gt(permitted, 100);
	ck_assert_uint_gt(narrowed, 100);
	pair_free(t);
}
END_TEST

/* The canonical text of a set is a set that decides alike, and its own canonical text. */
static struct xos_policy_set *through_text(
    const struct m_set *model, const struct xos_policy_set *set)
{
	(void)model;
	struct xos_buf once, twice;
	xos_buf_init(&once, XOS_POLICY_TEXT_MAX);
	xos_buf_init(&twice, XOS_POLICY_TEXT_MAX);
	xos_policy_set_text(set, &once);
	struct xos_policy_set *again = must_parse(xos_buf_str(&once));
	xos_policy_set_text(again, &twice);
	ck_assert_str_eq(xos_buf_str(&once), xos_buf_str(&twice));
	xos_buf_free(&once);
	xos_buf_free(&twice);
	return again;
}

/* What was written, formatted, and formatted again: a set that decides alike. */
static struct xos_policy_set *through_format(
    const struct m_set *model, const struct xos_policy_set *set)
{
	struct xos_buf text, once, twice;
	xos_buf_init(&text, XOS_POLICY_TEXT_MAX);
	xos_buf_init(&once, XOS_POLICY_TEXT_MAX);
	xos_buf_init(&twice, XOS_POLICY_TEXT_MAX);
	(void)set;
	write_set(&text, model);
	ck_assert_int_eq(xos_policy_format(xos_buf_str(&text), text.n, "set", &once, NULL), XOS_OK);
	ck_assert_int_eq(
	    xos_policy_format(xos_buf_str(&once), once.n, "set", &twice, NULL), XOS_OK);
	ck_assert_str_eq(xos_buf_str(&once), xos_buf_str(&twice));
	struct xos_policy_set *again = must_parse(xos_buf_str(&once));
	xos_buf_free(&text);
	xos_buf_free(&once);
	xos_buf_free(&twice);
	return again;
}

static void keeps_the_meaning(
    struct xos_policy_set *(*through)(const struct m_set *model, const struct xos_policy_set *set))
{
	struct pair *t = pair_new();
	for (unsigned long seed = 1; seed <= POLICIES; seed++) {
		begin(t, seed + 4000000);
		build_from(&t->p, &t->before, &t->after, through);
		for (unsigned i = 0; i < REQUESTS; i++) {
			struct m_request r;
			make_request(&r);
			struct outcome x = ask(t, &t->p, &t->before, &r, t->p.nchain);
			struct outcome y = ask(t, &t->p, &t->after, &r, t->p.nchain);
			ck_assert_ptr_null(what_differs(&x, &y));
		}
		end(t);
	}
	pair_free(t);
}

START_TEST(canonical_texts_keep_the_meaning)
{
	keeps_the_meaning(through_text);
}
END_TEST

START_TEST(formatting_keeps_the_meaning)
{
	keeps_the_meaning(through_format);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy metamorphic");
	TCase *tc = tcase_create("changes");
	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, order_never_matters);
	tcase_add_test(tc, more_statements_go_one_way);
	tcase_add_test(tc, what_is_missing_opens_no_door);
	tcase_add_test(tc, chains_only_narrow);
	tcase_add_test(tc, canonical_texts_keep_the_meaning);
	tcase_add_test(tc, formatting_keeps_the_meaning);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
