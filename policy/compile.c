/* From sets to a policy: scopes found by level and name, and the words that they use together. */
#include <stdlib.h>
#include <string.h>

#include "policy/index.h"

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "out-of-memory", "out of memory");
}

static uint64_t scope_hash(enum xos_policy_level level, const char *name, size_t n)
{
	return xos_hash_name(XOS_HASH_SCOPE + (unsigned)level, name, n);
}

static uint64_t word_hash(unsigned vocabulary, const char *name, size_t n)
{
	return xos_hash_name(XOS_HASH_ACTION + vocabulary, name, n);
}

/* Of "/demo". */
static uint64_t root_hash(const char *vo, size_t n)
{
	char root[1 + XOS_VO_MAX];
	if (n > XOS_VO_MAX)
		return 0; /* the name of no VO */
	root[0] = '/';
	memcpy(root + 1, vo, n);
	return xos_hash_whole(root, n + 1);
}

static enum xos_status check_part(
    const struct xos_policy_set *set, size_t *total, struct xos_err *err)
{
	if (!set || set->level >= XOS_POLICY_DELEGATION)
		return xos_err_set(err, XOS_MALFORMED, "policy-level",
		    "a delegation is handed to each decision; it is no part of a policy");
	*total += set->n;
	if (*total > XOS_POLICY_STATEMENTS_MAX)
		return xos_err_set(err, XOS_LIMIT, "policy-too-large",
		    "the sets together have more than %u statements", XOS_POLICY_STATEMENTS_MAX);
	return XOS_OK;
}

static enum xos_status place_scope(struct xos_policy *p, size_t i, struct xos_err *err)
{
	const struct xos_policy_scope *s = &p->scopes[i];
	uint32_t at = (uint32_t)s->hash & p->mask;
	for (; p->table[at]; at = (at + 1) & p->mask) {
		const struct xos_policy_scope *have = &p->scopes[p->table[at] - 1];
		if (have->set->level == s->set->level && strcmp(have->set->name, s->set->name) == 0)
			return xos_err_set(err, XOS_CONFLICT, "policy-twice",
			    "two sets for the %s %s: give one of each",
			    xos_policy_level_name(s->set->level), s->set->name);
	}
	p->table[at] = (uint32_t)i + 1;
	return XOS_OK;
}

static enum xos_status add_scopes(
    struct xos_policy *p, const struct xos_policy_part *parts, size_t n, struct xos_err *err)
{
	size_t total = 0, size = 4;
	while (size < n * 2)
		size *= 2;
	p->scopes = calloc(n + 1, sizeof(*p->scopes));
	p->table = calloc(size, sizeof(*p->table));
	if (!p->scopes || !p->table)
		return no_memory(err);
	p->mask = (uint32_t)size - 1;
	for (size_t i = 0; i < n; i++) {
		struct xos_policy_set *set = parts[i].set;
		enum xos_status status = check_part(set, &total, err);
		if (status != XOS_OK)
			return status;
		struct xos_policy_scope *s = &p->scopes[i];
		s->set = xos_policy_set_ref(set);
		p->n++;
		s->compiled = xos_policy_set_compiled(set);
		s->not_before = parts[i].not_before;
		s->not_after = parts[i].not_after;
		s->name = set->name;
		s->len = (uint32_t)strlen(set->name);
		s->level = (uint8_t)set->level;
		s->serial = set->serial;
		s->hash = scope_hash(set->level, set->name, s->len);
		s->term = xos_hash_name(XOS_HASH_TERM + XOS_TERM_SITE, s->name, s->len);
		s->who = xos_hash_name(XOS_HASH_WHO + XOS_WHO_VO, s->name, s->len);
		s->root = root_hash(s->name, s->len);
		memcpy(s->head, s->name, s->len < XOS_SCOPE_NAME ? s->len : XOS_SCOPE_NAME);
		p->of_level[set->level]++;
		status = s->compiled ? place_scope(p, i, err) : no_memory(err);
		if (status != XOS_OK)
			return status;
	}
	return XOS_OK;
}

/* ---- who is named outside of the own VO's set ---- */

static bool of_own_vo(const struct xos_policy_set *set, const struct xos_row *row)
{
	if (set->level != XOS_POLICY_VO || !set->vo)
		return false;
	size_t n = strlen(set->vo);
	if (row->kind == XOS_WHO_USER)
		return strncmp(row->name, set->vo, n) == 0 && row->name[n] == ':';
	if (row->kind == XOS_WHO_GROUP || row->kind == XOS_WHO_EXACTLY || row->kind == XOS_WHO_ROLE)
		return xos_fqan_in_vo(row->name, set->vo);
	return false;
}

static void set_bit(uint64_t *bits, uint64_t mask, uint64_t hash)
{
	uint64_t bit = hash & mask;
	bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

static void name_all(struct xos_policy *p, const struct xos_policy_scope *s)
{
	const struct xos_policy_compiled *c = s->compiled;
	if (!c) /* add_scopes gave up then */
		return;
	p->who_kinds |= (unsigned)c->who_kinds | c->cond_kinds;
	/* A group's set is found by the name of its group, whatever the sets say. */
	if (s->level == XOS_POLICY_GROUP) {
		p->who_kinds |= 1u << XOS_WHO_GROUP;
		set_bit(p->named, p->named_mask,
		    xos_hash_name(XOS_HASH_WHO + XOS_WHO_GROUP, s->name, s->len));
	}
	for (uint32_t i = 0; i < c->nrows; i++) {
		const struct xos_row *row = &c->rows[i];
		if (!row->name)
			continue;
		set_bit(p->named, p->named_mask, row->hash);
		if (!of_own_vo(c->set, row))
			set_bit(p->abroad, p->named_mask, row->hash);
	}
	for (uint32_t i = 0; i < c->ncode; i++)
		if (c->code[i].op == XOS_COND_WHO && c->code[i].u.hash)
			set_bit(p->named, p->named_mask, c->code[i].u.hash);
}

static enum xos_status add_named(struct xos_policy *p, struct xos_err *err)
{
	size_t names = 0, bits = 1024;
	for (size_t i = 0; i < p->n; i++)
		names +=
		    p->scopes[i].compiled ? (size_t)p->scopes[i].compiled->row_mask / 2 + 1 : 0;
	while (bits < names * 8)
		bits *= 2;
	p->named = calloc(bits / 64, sizeof(*p->named));
	p->abroad = calloc(bits / 64, sizeof(*p->abroad));
	if (!p->named || !p->abroad)
		return no_memory(err);
	p->named_mask = bits - 1;
	for (size_t i = 0; i < p->n; i++)
		name_all(p, &p->scopes[i]);
	return XOS_OK;
}

/* ---- words ---- */

static struct xos_word *word_place(const struct xos_policy *p, unsigned v, const char *name)
{
	size_t n = strlen(name);
	uint64_t hash = word_hash(v, name, n);
	uint32_t at = (uint32_t)hash & p->word_mask;
	for (;; at = (at + 1) & p->word_mask) {
		struct xos_word *w = &p->words[at];
		if (!w->hash || (w->hash == hash && w->vocabulary == v && w->len == n &&
		                    memcmp(w->name, name, n) == 0))
			return w;
	}
}

static struct xos_word *put_word(struct xos_policy *p, unsigned v, const char *name)
{
	struct xos_word *w = word_place(p, v, name);
	w->name = name;
	w->len = (uint32_t)strlen(name);
	w->hash = word_hash(v, name, w->len);
	w->term = xos_hash_name(XOS_HASH_TERM + XOS_TERM_KIND, name, w->len);
	w->vocabulary = (uint8_t)v;
	return w;
}

static void put_schema(struct xos_policy *p)
{
	size_t n;
	const struct xos_policy_action *actions = xos_policy_actions(&n);
	for (size_t i = 0; i < n; i++) {
		struct xos_word *w = put_word(p, XOS_VOC_ACTION, actions[i].name);
		w->action = &actions[i];
		w->at_site = actions[i].at_site;
	}
	const struct xos_policy_attr *attrs = xos_policy_attrs(&n);
	for (size_t i = 0; i < n; i++)
		put_word(p, XOS_VOC_ATTR, attrs[i].name)->attr = &attrs[i];
	const struct xos_policy_kind *kinds = xos_policy_kinds(&n);
	for (size_t i = 0; i < n; i++) {
		struct xos_word *w = put_word(p, XOS_VOC_KIND, kinds[i].name);
		w->at_site = kinds[i].at_site;
		w->needs = kinds[i].needs;
	}
}

static void put_own(struct xos_policy *p, const struct xos_policy_set *set)
{
	for (size_t i = 0; i < set->nown_actions; i++)
		put_word(p, XOS_VOC_ACTION, set->own_actions[i].name);
	for (size_t i = 0; i < set->nown_attrs; i++)
		put_word(p, XOS_VOC_ATTR, set->own_attrs[i].name);
	for (size_t i = 0; i < set->nown_kinds; i++)
		put_word(p, XOS_VOC_KIND, set->own_kinds[i]);
}

static enum xos_status add_words(struct xos_policy *p, struct xos_err *err)
{
	size_t actions, attrs, kinds, size = 64;
	xos_policy_actions(&actions);
	xos_policy_attrs(&attrs);
	xos_policy_kinds(&kinds);
	size_t n = actions + attrs + kinds;
	for (size_t i = 0; i < p->n; i++) {
		const struct xos_policy_set *set = p->scopes[i].set;
		n += set->nown_actions + set->nown_attrs + set->nown_kinds;
	}
	while (size < n * 4)
		size *= 2;
	p->words = calloc(size, sizeof(*p->words));
	if (!p->words)
		return no_memory(err);
	p->word_mask = (uint32_t)size - 1;
	put_schema(p);
	for (size_t i = 0; i < p->n; i++)
		put_own(p, p->scopes[i].set);
	return XOS_OK;
}

const struct xos_word *xos_policy_word(
    const struct xos_policy *p, enum xos_vocabulary v, const char *name)
{
	const struct xos_word *w = word_place(p, v, name);
	return w->hash ? w : NULL;
}

/* ---- zones ---- */

struct xos_policy_zone *xos_policy_find_zone(const struct xos_policy *p, const char *name)
{
	for (size_t i = 0; i < p->nzones; i++)
		if (strcmp(p->zones[i].name, name) == 0)
			return p->zones[i].zone;
	return NULL;
}

static enum xos_status add_zone(
    struct xos_policy *p, const struct xos_policy_zone_data *data, struct xos_err *err)
{
	struct xos_named_zone *to = &p->zones[p->nzones];
	if (!data->name || !xos_policy_zone_name_ok(data->name))
		return xos_err_set(
		    err, XOS_MALFORMED, "policy-zone", "a time zone without a proper name");
	to->name = xos_policy_memory_string(p->memory, data->name, strlen(data->name));
	if (!to->name)
		return no_memory(err);
	enum xos_status status = xos_policy_zone_parse(data->tzif, &to->zone, err);
	if (status != XOS_OK)
		return xos_err_prefix(err, status, "%s", data->name);
	p->nzones++;
	return XOS_OK;
}

static enum xos_status add_zones(
    struct xos_policy *p, const struct xos_policy_options *options, struct xos_err *err)
{
	size_t n = options ? options->nzones : 0;
	p->zones = calloc(n + 1, sizeof(*p->zones));
	if (!p->zones)
		return no_memory(err);
	for (size_t i = 0; i < n; i++) {
		enum xos_status status = add_zone(p, &options->zones[i], err);
		if (status != XOS_OK)
			return status;
	}
	for (size_t i = 0; i < p->n; i++) {
		struct xos_policy_scope *s = &p->scopes[i];
		s->zones =
		    xos_policy_memory_take(p->memory, (s->set->nzones + 1) * sizeof(*s->zones));
		if (!s->zones)
			return no_memory(err);
		for (size_t j = 0; j < s->set->nzones; j++)
			s->zones[j] = xos_policy_find_zone(p, s->set->zones[j]);
	}
	return XOS_OK;
}

/* ---- the whole ---- */

enum xos_status xos_policy_new(const struct xos_policy_part *parts, size_t n,
    const struct xos_policy_options *options, struct xos_policy **out, struct xos_err *err)
{
	*out = NULL;
	struct xos_policy *p = calloc(1, sizeof(*p));
	if (!p)
		return no_memory(err);
	atomic_init(&p->refs, 1);
	p->memory = xos_policy_memory_new();
	enum xos_status status = p->memory ? XOS_OK : no_memory(err);
	if (status == XOS_OK)
		status = add_scopes(p, parts, n, err);
	if (status == XOS_OK)
		status = add_named(p, err);
	if (status == XOS_OK)
		status = add_words(p, err);
	if (status == XOS_OK)
		status = add_zones(p, options, err);
	if (status == XOS_OK && !xos_policy_number_duties(p))
		status = no_memory(err);
	if (status == XOS_OK)
		*out = p;
	else
		xos_policy_unref(p);
	return status;
}

struct xos_policy *xos_policy_ref(struct xos_policy *p)
{
	if (p)
		atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void xos_policy_unref(struct xos_policy *p)
{
	if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < p->n; i++)
		xos_policy_set_unref(p->scopes[i].set);
	for (size_t i = 0; i < p->nzones; i++)
		xos_policy_zone_free(p->zones[i].zone);
	free(p->scopes);
	free(p->table);
	free(p->named);
	free(p->abroad);
	free(p->words);
	free(p->zones);
	xos_policy_memory_free(p->memory);
	free(p);
}

const struct xos_policy_scope *xos_policy_find_scope(
    const struct xos_policy *p, enum xos_policy_level level, const char *name, size_t n)
{
	uint64_t hash = scope_hash(level, name, n);
	for (uint32_t at = (uint32_t)hash & p->mask; p->table[at]; at = (at + 1) & p->mask) {
		const struct xos_policy_scope *s = &p->scopes[p->table[at] - 1];
		if (s->hash == hash && s->level == level && s->len == n &&
		    memcmp(n <= XOS_SCOPE_NAME ? s->head : s->name, name, n) == 0)
			return s;
	}
	return NULL;
}

const struct xos_policy_set *xos_policy_find_set(
    const struct xos_policy *p, enum xos_policy_level level, const char *name)
{
	const struct xos_policy_scope *s = name && level < XOS_POLICY_DELEGATION
	                                       ? xos_policy_find_scope(p, level, name, strlen(name))
	                                       : NULL;
	return s ? s->set : NULL;
}
