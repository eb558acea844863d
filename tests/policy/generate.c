/* Policies drawn from the small world. What the language forbids is mostly avoided, not always. */
#include "model.h"

#define PICK(list) ((list)[below(sizeof(list) / sizeof((list)[0]))])

static struct m_who make_who(const struct m_set *set, bool roles)
{
	static const struct m_who demo[] = {{W_ANY, NULL}, {W_ANY, NULL}, {W_GROUP, "/demo"},
	    {W_GROUP, "/demo/a"}, {W_GROUP, "/demo/a/x"}, {W_GROUP, "/demo/b"},
	    {W_EXACTLY, "/demo/a"}, {W_USER, "demo:alice"}, {W_USER, "demo:bob"}, {W_HOME, "uni"}};
	static const struct m_who bio[] = {{W_ANY, NULL}, {W_GROUP, "/bio"}, {W_GROUP, "/bio/x"},
	    {W_GROUP, "/bio/x/y"}, {W_EXACTLY, "/bio/x"}, {W_USER, "bio:carol"}, {W_HOME, "uni"}};
	static const struct m_who sites[] = {
	    {W_ANY, NULL}, {W_VO, "demo"}, {W_VO, "bio"}, {W_LOCAL, NULL}};
	static const struct m_who group[] = {{W_ANY, NULL}, {W_GROUP, "/demo/a"},
	    {W_GROUP, "/demo/a/x"}, {W_EXACTLY, "/demo/a"}, {W_EXACTLY, "/demo/a/x"}};
	static const struct m_who machines[] = {{W_NODE, "demo:n1"},
	    {W_NODE, "demo:n2.lab.example"}, {W_NODE, "demo:*"}, {W_SERVICE, "demo:data"},
	    {W_SERVICE, "demo:data/n1"}, {W_SERVICE, "demo:job/n1"}, {W_SERVICE, "demo:*"}};
	static const struct m_who bio_machines[] = {{W_NODE, "bio:n1"}, {W_NODE, "bio:*"},
	    {W_SERVICE, "bio:data"}, {W_SERVICE, "bio:data/n1"}};
	bool of_bio = set->name[0] == 'b' || once_in(6);
	/* Groups have none of them, and nothing is delegated to any. */
	if (set->level != L_GROUP && set->level != L_DELEGATION && once_in(5))
		return of_bio ? PICK(bio_machines) : PICK(machines);
	if (set->level == L_GROUP)
		return roles && once_in(6) ? (struct m_who){W_ROLE, "/demo/a/Role=s"} : PICK(group);
	if (roles && once_in(8))
		return (struct m_who){W_ROLE, of_bio ? "/bio/Role=r" : "/demo/Role=r"};
	if ((set->level == L_SITE || set->level == L_NODE) && below(2))
		return PICK(sites);
	return of_bio ? PICK(bio) : PICK(demo);
}

static struct m_place make_place(const struct m_set *set)
{
	static const struct m_term terms[] = {{T_SITE, "lab"}, {T_SITE, "far"}, {T_NODE, "lab/n1"},
	    {T_NODE, "lab/n2"}, {T_CLASS, "c1"}, {T_CLASS, "c2"}, {T_TAG, "t1"}, {T_TAG, "t1"},
	    {T_TAG, "t2"}, {T_KIND, "job"}, {T_KIND, "file"}, {T_JOB, "j1"}, {T_FILE, "/d"},
	    {T_FILE, "/"}, {T_FILE, "/d/f"}, {T_SERVICE, "jobd"}, {T_SERVICE, "sshd"},
	    {T_OBJECT, "session:s1"}, {T_KIND, "session"}};
	struct m_place p = {.n = 1 + once_in(4) + once_in(12)};
	for (unsigned i = 0; i < p.n; i++) {
		p.terms[i] = PICK(terms);
		/* An owner of machines speaks of the own ones only. */
		if (set->level == L_SITE && p.terms[i].kind == T_SITE)
			p.terms[i].name = set->name;
		if (set->level == L_NODE && p.terms[i].kind == T_NODE)
			p.terms[i].name = set->name;
	}
	return p;
}

static struct m_cond *new_cond(struct m_pool *pool, enum m_op op)
{
	struct m_cond *c = &pool->list[pool->n++];
	if (pool->n == sizeof(pool->list) / sizeof(pool->list[0]))
		abort();
	*c = (struct m_cond){.op = op};
	return c;
}

static void make_window(struct m_window *w)
{
	static const int minutes[] = {0, 60, 90, 120, 180, 480, 720, 1200, 1320, 1439};
	*w = (struct m_window){.start = PICK(minutes), .zone = below(Z_COUNT)};
	w->days = below(2) ? 0 : below(128);
	w->end = once_in(8) ? 1440 : PICK(minutes);
	if (w->end == w->start)
		w->end = w->start == 0 ? 1440 : w->start - 30;
}

static void make_text(struct m_cond *c, const struct m_set *set)
{
	static const char *const ids[] = {"/d/f", "j1", "/dd", "s1"};
	static const char *const methods[] = {"password", "krb5", "saml", "x"};
	static const char *const services[] = {"sshd", "jobd", "datad", "ssh"};
	static const char *const patterns[] = {"*", "s*", "*d", "????", "*s*h*", "jobd", "??*",
	    "*a*a*", "ssh*", "?*?*?*?*?", "/d*", "j?"};
	c->attr = below(2) ? A_METHOD : A_SERVICE;
	c->cmp = below(2) ? M_EQ : M_NE;
	c->text = c->attr == A_METHOD ? PICK(methods) : PICK(services);
	c->text2 = c->attr == A_METHOD ? PICK(methods) : PICK(services);
	if (set->schema > 1 && once_in(3)) {
		c->attr = A_ID;
		c->text = PICK(ids);
		c->text2 = PICK(ids);
	}
	if (c->op == C_LIKE)
		c->text = PICK(patterns);
}

static void make_number(struct m_cond *c)
{
	static const enum m_attr attrs[] = {
	    A_AGE, A_WALL, A_CPU, A_CPU, A_MEMORY, A_LIFETIME, A_LICENCES};
	c->attr = PICK(attrs);
	c->cmp = below(M_CMPS);
	c->a = below(5);
	c->b = below(5);
	if (c->attr == A_MEMORY) {
		c->a <<= 30;
		c->b <<= 30;
	} else if (c->attr != A_CPU && c->attr != A_LICENCES) {
		c->a *= 3600;
		c->b *= 3600;
	}
}

static struct m_cond *make_leaf(struct m_pool *pool, const struct m_set *set, bool roles)
{
	struct m_cond *c = new_cond(pool, C_WHO + below(C_OPS - C_WHO));
	switch (c->op) {
	case C_WHO:
		c->nwhos = 1 + once_in(3);
		for (unsigned i = 0; i < c->nwhos; i++)
			c->whos[i] = make_who(set, roles);
		c->b = below(2);
		break;
	case C_ON:
		c->nplaces = 1 + once_in(3);
		for (unsigned i = 0; i < c->nplaces; i++)
			c->places[i] = make_place(set);
		c->b = below(2);
		break;
	case C_ACTION:
		c->actions = 1 + below(255) + (set->declares && below(2)) * 256;
		break;
	case C_HAS:
		c->attr = below(A_COUNT);
		break;
	case C_BOOL:
		c->attr = below(2) ? A_MFA : A_OWNER;
		break;
	case C_NUMBER:
	case C_AMONG:
		make_number(c);
		break;
	case C_IS:
	case C_ONE_OF:
	case C_LIKE:
		make_text(c, set);
		break;
	case C_IP:
		c->attr = A_SRC;
		c->a = 1 + below(7);
		break;
	case C_NOW:
		c->cmp = below(M_CMPS);
		c->a = NOON + (int64_t)below(3) * 60 - 60;
		break;
	case C_TIME:
		make_window(&c->window);
		break;
	default: /* 2026-10-24, 2026-11-22 */
		make_window(&c->window);
		c->a = INT64_C(1792800000) + (int64_t)below(2) * 29 * 86400;
		c->b = c->a + (int64_t)below(4) * 86400;
	}
	return c;
}

static bool is_test(const struct m_cond *c)
{
	return c->op >= C_BOOL && c->op <= C_IP;
}

/* positive: that it becomes true can make the statement apply. */
static struct m_cond *make_cond(
    struct m_pool *pool, const struct m_set *set, unsigned depth, bool narrowing, bool positive)
{
	if (!depth || below(5) < 2) {
		struct m_cond *c = make_leaf(pool, set, !(narrowing && positive));
		if (set->schema < 2 || !is_test(c) || once_in(20))
			return c;
		/* From version 2 on, what may be missing is guarded. */
		struct m_cond *has = new_cond(pool, C_HAS), *guard = has;
		has->attr = c->attr;
		bool open = below(2);
		if (open) {
			guard = new_cond(pool, C_NOT);
			guard->x = has;
		}
		struct m_cond *all = new_cond(pool, open ? C_OR : C_AND);
		all->x = guard;
		all->y = c;
		return all;
	}
	struct m_cond *c = new_cond(pool, below(3));
	c->x = make_cond(pool, set, depth - 1, narrowing, positive != (c->op == C_NOT));
	if (c->op != C_NOT)
		c->y = make_cond(pool, set, depth - 1, narrowing, positive);
	return c;
}

static void make_delegate(struct m_statement *s, const struct m_set *set)
{
	static const struct m_who groups[] = {
	    {W_GROUP, "/demo/a"}, {W_GROUP, "/demo/a/x"}, {W_GROUP, "/demo"}};
	s->nwhos = 1;
	s->whos[0] = PICK(groups);
	if (set->level == L_SITE)
		s->whos[0] = (struct m_who){W_ANY, below(3) ? "n1" : "n2"};
}

struct m_statement make_statement(
    struct m_pool *pool, const struct m_set *set, enum m_effect effect)
{
	bool grants = effect == M_PERMIT || effect == M_DELEGATE || effect == M_CHECK;
	struct m_statement s = {.effect = effect};
	if (effect == M_DELEGATE)
		make_delegate(&s, set);
	else if (set->level != L_DELEGATION)
		s.nwhos = 1 + once_in(4) + once_in(12);
	for (unsigned i = 0; i < s.nwhos && effect != M_DELEGATE; i++)
		s.whos[i] = make_who(set, grants);
	s.nplaces = below(5) < 3 ? 0 : 1 + once_in(4) + once_in(12);
	if (effect == M_DELEGATE && set->level == L_SITE)
		s.nplaces = 0;
	for (unsigned i = 0; i < s.nplaces; i++)
		s.places[i] = make_place(set);
	s.actions = below(3) ? 1 + below(ACTIONS_BUILT_IN) : ACTIONS_BUILT_IN;
	s.actions |= set->declares && below(2) ? 256 : 0;
	/* "any" in what narrows is about actions as well that the set does not know. */
	if (!grants && once_in(4))
		s.actions = ACTIONS_ALL;
	if (effect == M_CHECK || below(5) < 2)
		s.cond = make_cond(pool, set, 1 + below(3), !grants, true);
	if (effect == M_LIMIT) {
		s.wall = below(4);
		s.cpu = below(3);
		s.classes = s.wall + s.cpu == 0 || below(3) == 0 ? 1 + below(7) : 0;
	}
	/* Enough that is permitted: some permits ask for nothing. */
	if (effect == M_PERMIT && set->level != L_GROUP && below(3) == 0) {
		s.nwhos = 1;
		s.whos[0] = (struct m_who){W_ANY, NULL};
		s.nplaces = 0;
		if (set->level != L_DELEGATION && below(2)) {
			bool bio =
			    set->name[0] == 'b' ||
			    ((set->level == L_SITE || set->level == L_NODE) && below(3) == 0);
			s.nwhos = 3;
			s.whos[1] = (struct m_who){W_NODE, bio ? "bio:*" : "demo:*"};
			s.whos[2] = (struct m_who){W_SERVICE, bio ? "bio:*" : "demo:*"};
		}
		s.actions |= ACTIONS_BUILT_IN;
	}
	s.duty = below(3);
	s.shadow = set->level != L_DELEGATION && effect != M_DELEGATE && once_in(14);
	if (effect != M_DUTY && effect != M_DELEGATE)
		s.change = once_in(3) ? below(4) : M_UNSAID;
	s.stop_after = 1 + below(3);
	s.style = below(32);
	return s;
}

enum m_effect make_effect(enum m_level level)
{
	static const enum m_effect vo[] = {
	    M_PERMIT, M_PERMIT, M_PERMIT, M_PERMIT, M_FORBID, M_LIMIT, M_DUTY, M_DELEGATE};
	static const enum m_effect node[] = {M_PERMIT, M_PERMIT, M_FORBID, M_LIMIT, M_DUTY};
	if (level == L_DELEGATION)
		return below(2) ? M_CHECK : M_LIMIT;
	return level == L_VO || level == L_SITE ? PICK(vo) : PICK(node);
}

/* Many statements about the same people, told apart by where: an index treats those in its own way. */
static void crowd(struct m_pool *pool, struct m_set *set)
{
	static const enum m_effect effects[] = {
	    M_PERMIT, M_PERMIT, M_PERMIT, M_LIMIT, M_DUTY, M_DUTY, M_DUTY, M_FORBID};
	struct m_who who = make_who(set, false);
	for (unsigned n = 18 + below(13); set->n < n; set->n++) {
		struct m_statement *s = &set->list[set->n];
		*s = make_statement(pool, set, PICK(effects));
		s->nwhos = 1;
		s->whos[0] = who;
		if (!s->nplaces && below(4)) {
			s->nplaces = 1;
			s->places[0] = make_place(set);
		}
	}
}

static void make_set(struct m_pool *pool, struct m_set *set, enum m_level level, const char *name)
{
	*set = (struct m_set){.level = level, .name = name, .serial = 1 + below(9)};
	set->schema = 1 + below(2);
	/* The VO itself declares what it adds; others repeat it where they use it. */
	bool demo = strcmp(name, "demo") == 0;
	set->declares = demo || (level != L_DELEGATION && strncmp(name, "bio", 3) != 0 && below(2));
	if (set->declares)
		set->about = below(1u << OWN_KINDS);
	if (once_in(30))
		set->not_after = NOON + (int64_t)below(2);
	if (once_in(30))
		set->not_before = NOON + (int64_t)below(2);
	unsigned n = level == L_VO || level == L_SITE ? 10 : level == L_DELEGATION ? 3 : 5;
	if (level != L_DELEGATION && once_in(12)) {
		crowd(pool, set);
		return;
	}
	for (n = below(n + 1); set->n < n; set->n++)
		set->list[set->n] = make_statement(pool, set, make_effect(level));
}

void make_policy(struct m_pool *pool, struct m_policy *p)
{
	static const struct {
		enum m_level level;
		const char *name;
		unsigned often; /* in eighths */
	} sets[] = {{L_VO, "demo", 8}, {L_SITE, "lab", 8}, {L_VO, "bio", 6}, {L_SITE, "far", 3},
	    {L_NODE, "lab/n1", 5}, {L_NODE, "lab/n2", 2}, {L_GROUP, "/demo/a", 5},
	    {L_GROUP, "/demo/a/x", 3}, {L_OWNER, "demo:alice", 5}, {L_OWNER, "bio:carol", 4}};
	pool->n = 0;
	p->n = 0;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (below(8) < sets[i].often)
			make_set(pool, &p->sets[p->n++], sets[i].level, sets[i].name);
	p->nchain = once_in(3) ? 1 + below(2) : 0;
	for (unsigned i = 0; i < p->nchain; i++) {
		make_set(pool, &p->chain[i], L_DELEGATION, i ? "bob" : "alice");
		p->chain[i].not_before = p->chain[i].not_after = 0;
	}
}
