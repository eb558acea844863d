/* A set's statements by who, and in long rows by action and narrowest resource. */
#include <stdlib.h>

#include "policy/compiled.h"

/* Before sorting: one for each principal of each statement. */
struct naming {
	uint64_t hash;    /* 0: by no name */
	const char *name; /* NULL: any, local, or nobody said */
	uint32_t statement;
	uint16_t who;
	uint8_t kind;
	uint8_t order; /* those by no name come first: nobody said, any, local, the rest */
};

/* Where a statement's terms and condition stand; shared by its rules. */
struct placed {
	uint32_t terms, code, numbers;
	uint8_t nnumbers;
	bool done;
};

struct found {
	uint64_t key;
	struct xos_entry entry;
};

struct builder {
	struct xos_policy_compiled c; /* its arrays each for themselves, until they are packed */
	const struct xos_policy_set *set;
	struct xos_coder coder;
	struct naming *namings;
	size_t nnamings;
	struct placed *placed;
	struct found *found;
	size_t nfound, found_cap;
};

static struct naming make_naming(const struct xos_policy_statement *s, size_t at, size_t who)
{
	struct naming n = {.statement = (uint32_t)at, .who = (uint16_t)who};
	if (!s->nwhos)
		return n;
	const struct xos_policy_who *w = &s->whos[who];
	n.name = w->name;
	n.kind = (uint8_t)w->kind;
	n.order = w->kind == XOS_WHO_ANY ? 1 : w->kind == XOS_WHO_LOCAL ? 2 : 3;
	if (n.order == 3)
		n.hash = xos_hash_name(XOS_HASH_WHO + (unsigned)w->kind, w->name, strlen(w->name));
	return n;
}

static int same_row_order(const struct naming *x, const struct naming *y)
{
	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->order < 3)
		return 0;
	/* Two names of one hash are two rows. */
	return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

static int naming_order(const void *a, const void *b)
{
	const struct naming *x = a, *y = b;
	int c = same_row_order(x, y);
	if (c)
		return c;
	return x->statement < y->statement ? -1 : x->statement > y->statement;
}

static bool list_namings(struct builder *b)
{
	size_t n = 0;
	for (size_t i = 0; i < b->set->n; i++)
		n += b->set->statements[i].nwhos ? b->set->statements[i].nwhos : 1;
	b->namings = malloc((n + 1) * sizeof(*b->namings));
	b->placed = calloc(b->set->n + 1, sizeof(*b->placed));
	b->c.rules = malloc((n + 1) * sizeof(*b->c.rules));
	b->c.actions = malloc((n + 1) * sizeof(*b->c.actions));
	if (!b->namings || !b->placed || !b->c.rules || !b->c.actions)
		return false;
	for (size_t i = 0; i < b->set->n; i++) {
		const struct xos_policy_statement *s = &b->set->statements[i];
		for (size_t j = 0; j < (s->nwhos ? s->nwhos : 1); j++) {
			b->namings[b->nnamings++] = make_naming(s, i, j);
			if (s->nwhos)
				b->c.who_kinds |= (uint16_t)(1u << s->whos[j].kind);
		}
	}
	qsort(b->namings, b->nnamings, sizeof(*b->namings), naming_order);
	return true;
}

/* Any VO can say of its members where they are at home: a VO grants by the home of its own only. */
static bool grants_by_home(
    const struct xos_policy_set *set, const struct xos_policy_statement *s, size_t who)
{
	return set->level == XOS_POLICY_VO && s->effect == XOS_POLICY_PERMIT && s->nwhos &&
	       s->whos[who].kind == XOS_WHO_HOME;
}

static uint8_t flags_of(
    const struct xos_policy_set *set, const struct xos_policy_statement *s, size_t who)
{
	unsigned flags = s->shadow ? XOS_RULE_SHADOW : 0;
	if (grants_by_home(set, s, who))
		flags |= XOS_RULE_HOMES;
	if (s->change != XOS_CHANGE_NONE)
		flags |= XOS_RULE_CHANGE;
	for (size_t i = 0; i < s->ncaps; i++)
		if (xos_policy_cap_is_set(s->caps[i].cap))
			flags |= XOS_RULE_CLASSES;
	return (uint8_t)flags;
}

static bool add_rule(struct builder *b, const struct naming *n)
{
	const struct xos_policy_statement *s = &b->set->statements[n->statement];
	struct placed *p = &b->placed[n->statement];
	if (!p->done && (!xos_code_places(&b->coder, s->places, s->nplaces, &p->terms) ||
	                    !xos_code_cond(&b->coder, s->cond, &p->code) ||
	                    !xos_code_numbers(&b->coder, s, &p->numbers, &p->nnumbers)))
		return false;
	p->done = true;
	const struct xos_term *only = s->nplaces == 1 ? &b->coder.terms[p->terms] : NULL;
	b->c.actions[b->c.nrules] = s->actions;
	b->c.rules[b->c.nrules++] = (struct xos_rule){
	    .term = only ? only->hash : 0,
	    .term_kind = only ? only->kind : XOS_TERM_COUNT,
	    .statement = n->statement,
	    .terms = p->terms,
	    .code = p->code,
	    .numbers = p->numbers,
	    .nnumbers = p->nnumbers,
	    .nplaces = (uint16_t)s->nplaces,
	    .who = n->who,
	    .effect = (uint8_t)s->effect,
	    .flags = flags_of(b->set, s, n->who),
	};
	return true;
}

/* The narrowest term: the one that fewest requests have. */
static const struct xos_term *narrowest(const struct xos_term *t)
{
	static const uint8_t rank[XOS_TERM_COUNT] = {[XOS_TERM_SITE] = 1,
	    [XOS_TERM_KIND] = 2,
	    [XOS_TERM_SERVICE] = 3,
	    [XOS_TERM_CLASS] = 4,
	    [XOS_TERM_TAG] = 5,
	    [XOS_TERM_NODE] = 6,
	    [XOS_TERM_FILE] = 7,
	    [XOS_TERM_OBJECT] = 8,
	    [XOS_TERM_JOB] = 9};
	const struct xos_term *best = t;
	while (!t->last) {
		t++;
		if (rank[t->kind] > rank[best->kind])
			best = t;
	}
	return best;
}

static unsigned components(const char *path)
{
	unsigned n = 0;
	for (; *path; path++)
		n += *path == '/';
	return n;
}

static bool add_found(struct builder *b, uint64_t key, uint32_t rule, uint16_t place)
{
	if (b->nfound == b->found_cap) {
		size_t cap = b->found_cap ? b->found_cap * 2 : 1024;
		struct found *p = realloc(b->found, cap * sizeof(*p));
		if (!p)
			return false;
		b->found = p;
		b->found_cap = cap;
	}
	b->found[b->nfound++] = (struct found){key, {rule, place}};
	return true;
}

/* One place of one rule, under each action. It may also have to be found when the request does not
 * tell which node or service, since then it might be that one. */
static bool add_place(struct builder *b, const struct xos_row *row, uint32_t at, uint16_t place,
    const uint64_t terms[2])
{
	uint64_t actions = b->c.actions[at];
	for (unsigned action = 0; action <= XOS_ANY_ACTION; action++) {
		bool here = actions == XOS_POLICY_ACTION_ALL
		                ? action == XOS_ANY_ACTION
		                : action < XOS_ANY_ACTION && (actions >> action & 1);
		for (unsigned i = 0; here && i < 2; i++)
			if (terms[i] &&
			    !add_found(b, xos_bucket_key(row->hash, action, terms[i]), at, place))
				return false;
	}
	return true;
}

static bool add_places(struct builder *b, struct xos_row *row, uint32_t at)
{
	const struct xos_rule *r = &b->c.rules[at];
	row->any_action |= b->c.actions[at] == XOS_POLICY_ACTION_ALL;
	if (!r->nplaces || r->nplaces > XOS_PLACES_INDEXED) {
		const uint64_t anywhere[2] = {XOS_HASH_ANYWHERE, 0};
		row->kinds |= (uint16_t)(1u << XOS_TERM_COUNT);
		return add_place(b, row, at, XOS_ANY_PLACE, anywhere);
	}
	/* Only now: a set without any place has no terms. */
	const struct xos_term *t = &b->coder.terms[r->terms];
	for (uint16_t i = 0; i < r->nplaces; i++) {
		const struct xos_term *best = narrowest(t);
		uint64_t terms[2] = {best->hash, 0};
		row->kinds |= (uint16_t)(1u << best->kind);
		if (best->kind == XOS_TERM_NODE)
			terms[1] = XOS_HASH_SOME_NODE;
		else if (best->kind == XOS_TERM_CLASS || best->kind == XOS_TERM_TAG)
			terms[1] = XOS_HASH_SOME_LABEL;
		else if (best->kind == XOS_TERM_SERVICE)
			terms[1] = XOS_HASH_SOME_SERVICE;
		else if (best->kind == XOS_TERM_OBJECT)
			terms[1] = XOS_HASH_SOME_ID;
		else if (best->kind == XOS_TERM_FILE && components(best->name) > b->c.depth)
			b->c.depth = (uint16_t)components(best->name);
		if (!add_place(b, row, at, i, terms))
			return false;
		while (!t->last)
			t++;
		t++;
	}
	return true;
}

static void put_row(struct xos_policy_compiled *c, const struct xos_row *row)
{
	uint32_t at = (uint32_t)row->hash & c->row_mask;
	for (; c->rows[at].n; at = (at + 1) & c->row_mask)
		c->rows[at].passed = true;
	c->rows[at] = *row;
}

/* Those by no name: nobody said, any, local. */
static void put_unnamed(struct xos_policy_compiled *c, const struct xos_row *row, unsigned order)
{
	uint32_t *const places[] = {&c->always, &c->any, &c->local};
	uint32_t at = c->row_mask + 1 + order;
	c->rows[at] = *row;
	*places[order] = at + 1;
}

static bool add_row(struct builder *b, size_t first, size_t n)
{
	const struct naming *of = &b->namings[first];
	struct xos_row row = {.hash = of->order == 3 ? of->hash : of->order,
	    .name = of->name,
	    .len = of->name ? (uint16_t)strlen(of->name) : 0,
	    .first = b->c.nrules,
	    .n = (uint32_t)n,
	    .kind = of->kind,
	    .searched = n > XOS_ROW_SCAN};
	if (row.len)
		memcpy(row.head, row.name, row.len < XOS_ROW_NAME ? row.len : XOS_ROW_NAME);
	for (size_t i = 0; i < n; i++) {
		if (!add_rule(b, &b->namings[first + i]))
			return false;
		const struct xos_rule *rule = &b->c.rules[row.first + i];
		row.actions |= b->c.actions[row.first + i];
		if (!row.searched && rule->effect == XOS_POLICY_PERMIT &&
		    !(rule->flags & XOS_RULE_SHADOW))
			row.permits |= (uint16_t)(1u << i);
	}
	for (size_t i = 0; row.searched && i < n; i++)
		if (!add_places(b, &row, row.first + (uint32_t)i))
			return false;
	if (of->order == 3)
		put_row(&b->c, &row);
	else
		put_unnamed(&b->c, &row, of->order);
	return true;
}

static bool add_rows(struct builder *b)
{
	size_t distinct = 0, size = 2;
	for (size_t i = 0; i < b->nnamings; i++)
		distinct += i == 0 || same_row_order(&b->namings[i - 1], &b->namings[i]) != 0;
	while (size < distinct * 2)
		size *= 2;
	b->c.nrows = (uint32_t)size + 3;
	b->c.row_mask = (uint32_t)size - 1;
	b->c.rows = calloc(b->c.nrows, sizeof(*b->c.rows));
	if (!b->c.rows)
		return false;
	for (size_t i = 0, n; i < b->nnamings; i += n) {
		n = 1;
		while (
		    i + n < b->nnamings && same_row_order(&b->namings[i], &b->namings[i + n]) == 0)
			n++;
		if (!add_row(b, i, n))
			return false;
	}
	return true;
}

static int found_order(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->entry.rule != y->entry.rule)
		return x->entry.rule < y->entry.rule ? -1 : 1;
	return (int)x->entry.place - (int)y->entry.place;
}

static void put_bucket(struct xos_policy_compiled *c, struct xos_bucket bucket)
{
	uint32_t at = (uint32_t)bucket.key & c->bucket_mask;
	while (c->buckets[at].n)
		at = (at + 1) & c->bucket_mask;
	c->buckets[at] = bucket;
}

static bool add_buckets(struct builder *b)
{
	size_t distinct = 0, size = 2;
	if (b->nfound)
		qsort(b->found, b->nfound, sizeof(*b->found), found_order);
	for (size_t i = 0; i < b->nfound; i++)
		distinct += i == 0 || b->found[i].key != b->found[i - 1].key;
	while (size < distinct * 2)
		size *= 2;
	b->c.buckets = calloc(size, sizeof(*b->c.buckets));
	b->c.entries = malloc((b->nfound + 1) * sizeof(*b->c.entries));
	if (!b->c.buckets || !b->c.entries)
		return false;
	b->c.bucket_mask = (uint32_t)size - 1;
	for (size_t i = 0, start = 0; i < b->nfound; i++) {
		b->c.entries[i] = b->found[i].entry;
		if (i + 1 < b->nfound && b->found[i + 1].key == b->found[i].key)
			continue;
		put_bucket(&b->c, (struct xos_bucket){
		                      b->found[i].key, (uint32_t)start, (uint32_t)(i + 1 - start)});
		start = i + 1;
	}
	return true;
}

static uint64_t label_hash(enum xos_policy_term_kind kind, const char *name)
{
	return name ? xos_hash_name(XOS_HASH_TERM + (unsigned)kind, name, strlen(name)) : 0;
}

static bool add_nodes(struct xos_policy_compiled *c)
{
	size_t size = 2, ntags = 0;
	const struct xos_policy_set *set = c->set;
	for (size_t i = 0; i < set->nnodes; i++)
		ntags += set->nodes[i].ntags;
	while (size < set->nnodes * 2)
		size *= 2;
	c->nodes = calloc(size, sizeof(*c->nodes));
	c->tags = malloc((ntags + 1) * sizeof(*c->tags));
	if (!c->nodes || !c->tags)
		return false;
	c->node_mask = (uint32_t)size - 1;
	ntags = 0;
	for (size_t i = 0; i < set->nnodes; i++) {
		const struct xos_policy_node *n = &set->nodes[i];
		uint64_t hash = xos_hash_name(XOS_HASH_NODE, n->name, strlen(n->name));
		uint32_t at = (uint32_t)hash & c->node_mask;
		while (c->nodes[at].node)
			at = (at + 1) & c->node_mask;
		struct xos_compiled_node *to = &c->nodes[at];
		*to = (struct xos_compiled_node){.hash = hash,
		    .node = n,
		    .class_hash = label_hash(XOS_TERM_CLASS, n->class_name),
		    .tags = (uint32_t)ntags,
		    .ntags = (uint16_t)n->ntags,
		    .len = (uint16_t)strlen(n->name),
		    .class_len = (uint16_t)(n->class_name ? strlen(n->class_name) : 0)};
		memcpy(to->head, n->name, to->len < sizeof(to->head) ? to->len : sizeof(to->head));
		for (size_t j = 0; j < n->ntags; j++)
			c->tags[ntags++] = label_hash(XOS_TERM_TAG, n->tags[j]);
	}
	return true;
}

/* ---- one block ---- */

struct packer {
	char *to; /* NULL: only counting */
	size_t n;
};

/* The members' order in memory is that of the calls. */
static void *pack(struct packer *p, void *list, size_t n, size_t size)
{
	void *at = p->to ? p->to + p->n : list;
	if (p->to && n)
		memcpy(at, list, n * size);
	p->n += (n * size + 15) / 16 * 16;
	return at;
}

static void pack_all(struct packer *p, const struct builder *b, struct xos_policy_compiled *c)
{
	const struct xos_policy_compiled *from = &b->c;
	size_t ntags = 0;
	for (size_t i = 0; i < b->set->nnodes; i++)
		ntags += b->set->nodes[i].ntags;
	p->n = (sizeof(*c) + XOS_LINE - 1) / XOS_LINE * XOS_LINE;
	c->rows = pack(p, from->rows, from->nrows, sizeof(*c->rows));
	c->terms = pack(p, b->coder.terms, b->coder.nterms, sizeof(*c->terms));
	c->nodes = pack(p, from->nodes, (size_t)from->node_mask + 1, sizeof(*c->nodes));
	c->actions = pack(p, from->actions, from->nrules, sizeof(*c->actions));
	c->rules = pack(p, from->rules, from->nrules, sizeof(*c->rules));
	c->code = pack(p, b->coder.code, b->coder.ncode, sizeof(*c->code));
	c->numbers = pack(p, b->coder.numbers, b->coder.nnumbers, sizeof(*c->numbers));
	c->buckets = pack(p, from->buckets, (size_t)from->bucket_mask + 1, sizeof(*c->buckets));
	c->entries = pack(p, from->entries, b->nfound, sizeof(*c->entries));
	c->tags = pack(p, from->tags, ntags, sizeof(*c->tags));
}

static struct xos_policy_compiled *pack_block(const struct builder *b)
{
	struct xos_policy_compiled c = b->c;
	struct packer p = {.to = NULL};
	c.cond_kinds = b->coder.who_kinds;
	c.ncode = (uint32_t)b->coder.ncode;
	pack_all(&p, b, &c);
	c.bytes = p.n = (p.n + XOS_LINE - 1) / XOS_LINE * XOS_LINE;
	p.to = aligned_alloc(XOS_LINE, p.n);
	if (!p.to)
		return NULL;
	pack_all(&p, b, &c);
	memcpy(p.to, &c, sizeof(c));
	return (struct xos_policy_compiled *)(void *)p.to;
}

static struct xos_policy_compiled *compile(const struct xos_policy_set *set)
{
	struct builder b = {.set = set, .c = {.set = set, .level = (uint8_t)set->level}};
	struct xos_policy_compiled *made = NULL;
	if (list_namings(&b) && add_rows(&b) && add_buckets(&b) && add_nodes(&b.c))
		made = pack_block(&b);
	free(b.namings);
	free(b.placed);
	free(b.found);
	free(b.coder.terms);
	free(b.coder.code);
	free(b.coder.numbers);
	free(b.c.rows);
	free(b.c.rules);
	free(b.c.actions);
	free(b.c.buckets);
	free(b.c.entries);
	free(b.c.nodes);
	free(b.c.tags);
	return made;
}

void xos_policy_compiled_free(struct xos_policy_compiled *c)
{
	free(c);
}

const struct xos_policy_compiled *xos_policy_set_compiled(const struct xos_policy_set *set)
{
	/* The one thing about a set that changes after parsing, and only from NULL. */
	_Atomic(struct xos_policy_compiled *) *place =
	    &((struct xos_policy_set *)(uintptr_t)set)->compiled;
	struct xos_policy_compiled *have = atomic_load_explicit(place, memory_order_acquire);
	if (have)
		return have;
	struct xos_policy_compiled *made = compile(set);
	if (!made)
		return NULL;
	if (atomic_compare_exchange_strong_explicit(
	        place, &have, made, memory_order_acq_rel, memory_order_acquire))
		return made;
	xos_policy_compiled_free(made); /* another thread was faster */
	return have;
}

const struct xos_bucket *xos_compiled_bucket(const struct xos_policy_compiled *c, uint64_t key)
{
	for (uint32_t at = (uint32_t)key & c->bucket_mask;; at = (at + 1) & c->bucket_mask) {
		const struct xos_bucket *b = &c->buckets[at];
		if (!b->n)
			return NULL;
		if (b->key == key)
			return b;
	}
}

const struct xos_compiled_node *xos_compiled_node(
    const struct xos_policy_compiled *c, const char *name, size_t len)
{
	uint64_t hash = xos_hash_name(XOS_HASH_NODE, name, len);
	for (uint32_t at = (uint32_t)hash & c->node_mask;; at = (at + 1) & c->node_mask) {
		const struct xos_compiled_node *n = &c->nodes[at];
		if (!n->node)
			return NULL;
		if (n->hash == hash && n->len == len &&
		    memcmp(len <= sizeof(n->head) ? n->head : n->node->name, name, len) == 0)
			return n;
	}
}
