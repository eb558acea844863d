#include "policy/index.h"

#include <stdlib.h>
#include <string.h>

/* Kinds of key beside those of who and of terms. */
enum { KEY_WHO = 0, KEY_TERM = 16, KEY_ANYWHERE = 40, KEY_SOME_NODE, KEY_SOME_LABEL };

struct pair {
	uint64_t key;
	uint32_t statement;
};

/* FNV-1a, then mixed (the finaliser of MurmurHash3): a hash to find, not to protect. */
#define FNV_START UINT64_C(14695981039346656037)
static uint64_t hash_more(uint64_t h, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * UINT64_C(1099511628211);
	return h;
}

static uint64_t make_key(uint64_t h, unsigned kind, unsigned action)
{
	h ^= (uint64_t)(kind * 64 + action + 1) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ (h >> 33);
}

static uint64_t string_key(const char *s, unsigned kind, unsigned action)
{
	return make_key(hash_more(FNV_START, s ? s : "", s ? strlen(s) : 0), kind, action);
}

/* The narrowest term: the one that fewest requests have. Terms are sorted by kind; see ast.h. */
static const struct xos_policy_term *narrowest(const struct xos_policy_place *place)
{
	static const uint8_t rank[XOS_TERM_COUNT] = {[XOS_TERM_SITE] = 0,
	    [XOS_TERM_KIND] = 1,
	    [XOS_TERM_CLASS] = 2,
	    [XOS_TERM_TAG] = 3,
	    [XOS_TERM_NODE] = 4,
	    [XOS_TERM_FILE] = 5,
	    [XOS_TERM_JOB] = 6};
	const struct xos_policy_term *best = NULL;
	for (size_t i = 0; i < place->n; i++)
		if (place->terms[i].kind < XOS_TERM_OBJECT &&
		    (!best || rank[place->terms[i].kind] > rank[best->kind]))
			best = &place->terms[i];
	return best;
}

/* At most two keys an action: a node, class or tag may also have to be found when the request does
 * not tell which node, since then it might be that one. */
static unsigned statement_keys(
    const struct xos_policy_statement *s, unsigned action, uint64_t keys[2])
{
	if (s->set->level == XOS_POLICY_VO) {
		/* With alternatives it is found by everybody: what is found is evaluated in full. */
		bool one = s->nwhos == 1;
		keys[0] = string_key(one ? s->whos[0].name : NULL,
		    KEY_WHO + (unsigned)(one ? s->whos[0].kind : XOS_WHO_ANY), action);
		return 1;
	}
	const struct xos_policy_term *t = s->nplaces == 1 ? narrowest(&s->places[0]) : NULL;
	if (!t) {
		keys[0] = string_key(NULL, KEY_ANYWHERE, action);
		return 1;
	}
	keys[0] = string_key(t->name, KEY_TERM + (unsigned)t->kind, action);
	if (t->kind == XOS_TERM_NODE)
		keys[1] = string_key(NULL, KEY_SOME_NODE, action);
	else if (t->kind == XOS_TERM_CLASS || t->kind == XOS_TERM_TAG)
		keys[1] = string_key(NULL, KEY_SOME_LABEL, action);
	else
		return 1;
	return 2;
}

static int pair_order(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->statement < y->statement ? -1 : x->statement > y->statement;
}

static size_t make_pairs(const struct xos_policy_set *set, struct pair *pairs)
{
	size_t nactions, n = 0;
	const struct xos_policy_action *actions = xos_policy_actions(&nactions);
	for (uint32_t i = 0; i < set->n; i++) {
		for (size_t j = 0; j < nactions; j++) {
			uint64_t keys[2];
			if (!(set->statements[i].actions >> actions[j].code & 1))
				continue;
			unsigned nkeys = statement_keys(&set->statements[i], actions[j].code, keys);
			for (unsigned k = 0; k < nkeys; k++, n++)
				if (pairs)
					pairs[n] = (struct pair){keys[k], i};
		}
	}
	return n;
}

static void place_bucket(struct xos_policy_scope *scope, struct xos_policy_bucket b)
{
	size_t at = b.key & scope->mask;
	while (scope->buckets[at].count)
		at = (at + 1) & scope->mask;
	scope->buckets[at] = b;
}

enum xos_status xos_policy_scope_build(
    struct xos_policy_scope *scope, const struct xos_policy_set *set)
{
	enum xos_status status = XOS_INTERNAL;
	size_t n = make_pairs(set, NULL), distinct = 0, size = 4;
	struct pair *pairs = malloc((n + 1) * sizeof(*pairs));
	if (!pairs)
		return XOS_INTERNAL;
	make_pairs(set, pairs);
	qsort(pairs, n, sizeof(*pairs), pair_order);
	for (size_t i = 0; i < n; i++)
		distinct += i == 0 || pairs[i].key != pairs[i - 1].key;
	while (size < distinct * 2)
		size *= 2;
	scope->buckets = calloc(size, sizeof(*scope->buckets));
	scope->entries = malloc((n + 1) * sizeof(*scope->entries));
	if (!scope->buckets || !scope->entries)
		goto out;
	scope->mask = size - 1;
	for (size_t i = 0, start = 0; i < n; i++) {
		scope->entries[i] = pairs[i].statement;
		if (i + 1 < n && pairs[i + 1].key == pairs[i].key)
			continue;
		place_bucket(scope, (struct xos_policy_bucket){
		                        pairs[i].key, (uint32_t)start, (uint32_t)(i + 1 - start)});
		start = i + 1;
	}
	status = XOS_OK;
out:
	free(pairs);
	if (status != XOS_OK)
		xos_policy_scope_clear(scope);
	return status;
}

void xos_policy_scope_clear(struct xos_policy_scope *scope)
{
	free(scope->buckets);
	free(scope->entries);
	xos_policy_set_unref(scope->set);
	*scope = (struct xos_policy_scope){.set = NULL};
}

struct finder {
	const struct xos_policy_scope *scope;
	struct xos_policy_memory *memory;
	const struct xos_policy_bucket **found;
	size_t n;
	unsigned action;
	bool failed;
};

static void look_up(struct finder *f, uint64_t key)
{
	const struct xos_policy_bucket *b;
	size_t at = key & f->scope->mask;
	for (b = &f->scope->buckets[at]; b->count && b->key != key; b = &f->scope->buckets[at])
		at = (at + 1) & f->scope->mask;
	if (!b->count || f->failed)
		return;
	const struct xos_policy_bucket **found =
	    xos_policy_memory_grow(f->memory, f->found, f->n, sizeof(*found));
	if (!found) {
		f->failed = true;
		return;
	}
	f->found = found;
	found[f->n++] = b;
}

static void find_string(struct finder *f, unsigned kind, const char *s)
{
	look_up(f, string_key(s, kind, f->action));
}

/* s and each name above it, cut at '/': "/a/b" gives "/a/b" and "/a". */
static void find_within(struct finder *f, unsigned kind, const char *s)
{
	uint64_t h = FNV_START;
	for (const char *p = s; *p;) {
		size_t n = 1 + strcspn(p + 1, "/");
		h = hash_more(h, p, n);
		look_up(f, make_key(h, kind, f->action));
		p += n;
	}
}

static void find_pair(struct finder *f, unsigned kind, const char *a, char between, const char *b)
{
	/* request.c refused a request without them. NOLINTNEXTLINE */
	uint64_t h = hash_more(FNV_START, a, strlen(a));
	h = hash_more(hash_more(h, &between, 1), b, strlen(b));
	look_up(f, make_key(h, kind, f->action));
}

static void find_root_group(struct finder *f, const char *vo)
{
	uint64_t h = hash_more(hash_more(FNV_START, "/", 1), vo, strlen(vo));
	look_up(f, make_key(h, KEY_WHO + XOS_WHO_GROUP, f->action));
	look_up(f, make_key(h, KEY_WHO + XOS_WHO_EXACTLY, f->action));
}

static void find_who(struct finder *f, const struct xos_policy_eval *e)
{
	const struct xos_policy_subject *s = &e->req->subject;
	find_string(f, KEY_WHO + XOS_WHO_ANY, NULL);
	if (s->kind != XOS_SUBJECT_MEMBER)
		return;
	find_root_group(f, s->vo);
	find_pair(f, KEY_WHO + XOS_WHO_USER, s->vo, ':', s->member);
	for (size_t i = 0; i < s->ngroups; i++) {
		find_within(f, KEY_WHO + XOS_WHO_GROUP, s->groups[i]);
		find_string(f, KEY_WHO + XOS_WHO_EXACTLY, s->groups[i]);
	}
	for (size_t i = 0; i < s->nroles; i++)
		find_string(f, KEY_WHO + XOS_WHO_ROLE, s->roles[i]);
	if (e->extra_role)
		find_string(f, KEY_WHO + XOS_WHO_ROLE, e->extra_role);
	if (s->home)
		find_string(f, KEY_WHO + XOS_WHO_HOME, s->home);
}

static void find_where(struct finder *f, const struct xos_policy_eval *e)
{
	const struct xos_policy_resource *r = &e->req->resource;
	find_string(f, KEY_ANYWHERE, NULL);
	find_string(f, KEY_TERM + XOS_TERM_KIND, r->kind);
	if (r->site)
		find_string(f, KEY_TERM + XOS_TERM_SITE, r->site);
	if (r->node)
		find_pair(f, KEY_TERM + XOS_TERM_NODE, r->site, '/', r->node);
	else
		find_string(f, KEY_SOME_NODE, NULL);
	if (!e->node)
		find_string(f, KEY_SOME_LABEL, NULL);
	else if (e->node->class_name)
		find_string(f, KEY_TERM + XOS_TERM_CLASS, e->node->class_name);
	for (size_t i = 0; e->node && i < e->node->ntags; i++)
		find_string(f, KEY_TERM + XOS_TERM_TAG, e->node->tags[i]);
	if (strcmp(r->kind, "job") == 0)
		find_string(f, KEY_TERM + XOS_TERM_JOB, r->id);
	if (strcmp(r->kind, "file") == 0) {
		find_string(f, KEY_TERM + XOS_TERM_FILE, "/");
		if (r->id[1])
			find_within(f, KEY_TERM + XOS_TERM_FILE, r->id);
	}
}

static int bucket_order(const void *a, const void *b)
{
	const struct xos_policy_bucket *x = *(const struct xos_policy_bucket *const *)a;
	const struct xos_policy_bucket *y = *(const struct xos_policy_bucket *const *)b;
	return (x > y) - (x < y);
}

bool xos_policy_scope_find(const struct xos_policy_scope *scope, const struct xos_policy_eval *e,
    struct xos_policy_memory *m, const struct xos_policy_bucket ***out, size_t *n)
{
	struct finder f = {.scope = scope, .memory = m, .action = e->action->code};
	if (scope->set->level == XOS_POLICY_VO)
		find_who(&f, e);
	else
		find_where(&f, e);
	/* Groups share their parents: each bucket counts once. */
	size_t kept = 0;
	if (f.n > 1)
		qsort(f.found, f.n, sizeof(*f.found), bucket_order);
	for (size_t i = 0; i < f.n; i++)
		if (!kept || f.found[kept - 1] != f.found[i])
			f.found[kept++] = f.found[i];
	*out = f.found;
	*n = kept;
	return !f.failed;
}
