#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "local/accountmap_form.h"

#define SEEDS 16 /* tries; with slots half empty the first one does */

bool xos_account_group_name(const char *fqan, char out[XOS_ACCOUNT_MAP_GROUP_MAX + 1])
{
	if (!xos_name_is_group(fqan) || !xos_str_copy(out, XOS_ACCOUNT_MAP_GROUP_MAX + 1, fqan + 1))
		return false;
	for (char *c = out; *c; c++)
		if (*c == '/')
			*c = '+';
	return true;
}

static uint32_t slots_for(uint32_t n)
{
	uint32_t slots = 8;
	while (slots < 2 * n)
		slots *= 2;
	return slots;
}

bool xos_map_layout(struct xos_map_layout *l)
{
	if (l->members > XOS_ACCOUNT_MAP_MEMBERS_MAX || l->groups > XOS_ACCOUNT_MAP_GROUPS_MAX ||
	    l->member_slots != slots_for(l->members) || l->group_slots != slots_for(l->groups) ||
	    l->strings > XOS_ACCOUNT_MAP_SIZE_MAX)
		return false;
	l->member = XOS_MAP_HEAD;
	l->by_name = l->member + (size_t)l->members * XOS_MAP_RECORD;
	l->by_uid = l->by_name + (size_t)l->member_slots * 4;
	l->group = l->by_uid + (size_t)l->member_slots * 4;
	l->by_group = l->group + (size_t)l->groups * XOS_MAP_RECORD;
	l->by_gid = l->by_group + (size_t)l->group_slots * 4;
	l->text = l->by_gid + (size_t)l->group_slots * 4;
	l->size = l->text + l->strings;
	return l->size <= XOS_ACCOUNT_MAP_SIZE_MAX;
}

/* Both kinds of entries, seen alike. */
struct names {
	const struct xos_account_map_fields *f;
	bool groups;
};

static const char *name_at(const struct names *s, uint32_t i)
{
	return s->groups ? s->f->group[i].name : s->f->member[i].name;
}

static uint32_t number_at(const struct names *s, uint32_t i)
{
	return s->groups ? s->f->group[i].gid : s->f->member[i].uid;
}

enum filled { FILLED, TOO_FAR, TWICE };

static enum filled fill(
    const struct names *s, uint32_t n, uint64_t seed, bool by_name, uint32_t *slot, uint32_t slots)
{
	memset(slot, 0, (size_t)slots * sizeof(*slot));
	for (uint32_t i = 0; i < n; i++) {
		const char *name = name_at(s, i);
		uint64_t h = by_name ? xos_map_hash_name(seed, name, strlen(name))
		                     : xos_map_hash_number(seed, number_at(s, i));
		unsigned steps = 0;
		for (; slot[h & (slots - 1)]; h++) {
			uint32_t j = slot[h & (slots - 1)] - 1;
			if (by_name ? strcmp(name_at(s, j), name) == 0
			            : number_at(s, j) == number_at(s, i))
				return TWICE;
			if (++steps == XOS_MAP_PROBE_MAX)
				return TOO_FAR;
		}
		slot[h & (slots - 1)] = i + 1;
	}
	return FILLED;
}

/* The four tables, by one seed. */
struct tables {
	uint32_t *slot[4];
	uint64_t seed;
};

static enum xos_status fill_tables(const struct xos_account_map_fields *f,
    const struct xos_map_layout *l, struct tables *t, struct xos_err *err)
{
	const struct names s[2] = {{f, false}, {f, true}};
	const uint32_t n[2] = {l->members, l->groups}, slots[2] = {l->member_slots, l->group_slots};
	for (int i = 0; i < 4; i++)
		if (!(t->slot[i] = calloc(slots[i / 2], sizeof(uint32_t))))
			return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (int try = 0; try < SEEDS; try++) {
		enum filled done = FILLED;
		xos_random(&t->seed, sizeof(t->seed));
		for (int i = 0; done == FILLED && i < 4; i++)
			done = fill(
			    &s[i / 2], n[i / 2], t->seed, i % 2 == 0, t->slot[i], slots[i / 2]);
		if (done == FILLED)
			return XOS_OK;
		if (done == TWICE)
			return xos_err_set(err, XOS_MALFORMED, "map",
			    "a name or a number stands twice among the accounts");
	}
	return xos_err_set(
	    err, XOS_LIMIT, "map", "the names of the accounts collide whatever the seed");
}

static bool within(uint32_t v, uint32_t first, uint32_t last)
{
	return v >= first && v <= last;
}

static enum xos_status check(const struct xos_account_map_fields *f, struct xos_err *err)
{
	const struct xos_account_map_head *h = &f->head;
	if (!xos_name_is_vo(h->vo) || h->first > h->last || h->jobs_first > h->jobs_last ||
	    h->built < 0)
		return xos_err_set(err, XOS_MALFORMED, "map", "the ranges of accounts are none");
	for (uint32_t i = 0; i < h->members; i++)
		if (!within(f->member[i].uid, h->first, h->last) ||
		    !within(f->member[i].gid, h->first, h->last) || !f->member[i].name[0])
			return xos_err_set(err, XOS_MALFORMED, "map",
			    "the account %s has a number outside the site's slice",
			    f->member[i].name);
	for (uint32_t i = 0; i < h->groups; i++)
		if (f->group[i].gid < 1000 || !f->group[i].name[0])
			return xos_err_set(err, XOS_MALFORMED, "map", "the group %s has gid %u",
			    f->group[i].name, f->group[i].gid);
	return XOS_OK;
}

static void put_head(struct xos_buf *out, const struct xos_account_map_head *h,
    const struct xos_map_layout *l, uint64_t seed)
{
	size_t begin = out->n;
	xos_buf_put_str(out, XOS_MAP_MAGIC);
	xos_buf_u64(out, l->size);
	xos_buf_u64(out, seed);
	xos_buf_u64(out, h->serial);
	xos_buf_u64(out, (uint64_t)h->built);
	const uint32_t number[] = {h->first, h->last, h->jobs_first, h->jobs_last, l->members,
	    l->member_slots, l->groups, l->group_slots, l->strings, (uint32_t)strlen(h->vo),
	    (uint32_t)strlen(h->home)};
	for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++)
		xos_buf_u32(out, number[i]);
	while (out->n < begin + XOS_MAP_HEAD && xos_buf_status(out) == XOS_OK)
		xos_buf_u8(out, 0);
}

static void put_record(
    struct xos_buf *out, uint32_t number, uint32_t gid, uint32_t at, const char *name, int state)
{
	xos_buf_u32(out, number);
	xos_buf_u32(out, gid);
	xos_buf_u32(out, at);
	xos_buf_u16(out, (uint16_t)strlen(name));
	xos_buf_u16(out, (uint16_t)state);
}

static void put_slots(struct xos_buf *out, const uint32_t *slot, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		xos_buf_u32(out, slot[i]);
}

static void put(struct xos_buf *out, const struct xos_account_map_fields *f,
    const struct xos_map_layout *l, const struct tables *t)
{
	uint32_t at = (uint32_t)(strlen(f->head.vo) + strlen(f->head.home));
	put_head(out, &f->head, l, t->seed);
	for (uint32_t i = 0; i < l->members; i++) {
		const struct xos_account_map_member *m = &f->member[i];
		put_record(out, m->uid, m->gid, at, m->name, (int)m->state);
		at += (uint32_t)strlen(m->name);
	}
	put_slots(out, t->slot[0], l->member_slots);
	put_slots(out, t->slot[1], l->member_slots);
	for (uint32_t i = 0; i < l->groups; i++) {
		put_record(out, f->group[i].gid, f->group[i].gid, at, f->group[i].name, 0);
		at += (uint32_t)strlen(f->group[i].name);
	}
	put_slots(out, t->slot[2], l->group_slots);
	put_slots(out, t->slot[3], l->group_slots);
	xos_buf_put_str(out, f->head.vo);
	xos_buf_put_str(out, f->head.home);
	for (uint32_t i = 0; i < l->members; i++)
		xos_buf_put_str(out, f->member[i].name);
	for (uint32_t i = 0; i < l->groups; i++)
		xos_buf_put_str(out, f->group[i].name);
}

enum xos_status xos_account_map_make(
    const struct xos_account_map_fields *f, struct xos_buf *out, struct xos_err *err)
{
	struct tables t = {.seed = 0};
	struct xos_map_layout l = {.members = f->head.members, .groups = f->head.groups};
	enum xos_status st = XOS_OK;
	if (l.members > XOS_ACCOUNT_MAP_MEMBERS_MAX || l.groups > XOS_ACCOUNT_MAP_GROUPS_MAX)
		return xos_err_set(err, XOS_LIMIT, "map", "more accounts than a map takes");
	st = check(f, err);
	if (st)
		return st;
	l.member_slots = slots_for(l.members);
	l.group_slots = slots_for(l.groups);
	l.strings = (uint32_t)(strlen(f->head.vo) + strlen(f->head.home));
	for (uint32_t i = 0; i < l.members; i++)
		l.strings += (uint32_t)strlen(f->member[i].name);
	for (uint32_t i = 0; i < l.groups; i++)
		l.strings += (uint32_t)strlen(f->group[i].name);
	if (!xos_map_layout(&l))
		return xos_err_set(err, XOS_LIMIT, "map", "more accounts than a map takes");
	st = fill_tables(f, &l, &t, err);
	if (!st) {
		put(out, f, &l, &t);
		st = xos_buf_status(out);
		if (st)
			xos_err_set(err, st, "map", "the map of accounts does not fit");
	}
	for (int i = 0; i < 4; i++)
		free(t.slot[i]);
	return st;
}
