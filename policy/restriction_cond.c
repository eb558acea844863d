/*
 * A restriction as bytes: the reading half, up to conditions. Whatever is read is checked as the parser of
 * texts checks it; restriction_decode.c makes a set of it.
 */
#include <string.h>

#include "base/name.h"
#include "base/text.h"
#include "policy/parser.h"
#include "policy/wire.h"
#include "policy/zone.h"

bool xos_wire_bad(struct xos_wire_decoder *d, const char *problem)
{
	if (!d->problem)
		d->problem = problem;
	return false;
}

void *xos_wire_take(struct xos_wire_decoder *d, size_t n, size_t size)
{
	void *p = xos_policy_memory_take(d->set->memory, n ? n * size : size);
	if (!p)
		d->memory = true;
	return p;
}

bool xos_wire_u8(struct xos_wire_decoder *d, uint8_t *v)
{
	return xos_reader_u8(&d->r, v) || xos_wire_bad(d, "it is cut short");
}

bool xos_wire_u16(struct xos_wire_decoder *d, uint16_t *v)
{
	return xos_reader_u16(&d->r, v) || xos_wire_bad(d, "it is cut short");
}

bool xos_wire_u32(struct xos_wire_decoder *d, uint32_t *v)
{
	return xos_reader_u32(&d->r, v) || xos_wire_bad(d, "it is cut short");
}

bool xos_wire_u64(struct xos_wire_decoder *d, uint64_t *v)
{
	return xos_reader_u64(&d->r, v) || xos_wire_bad(d, "it is cut short");
}

/* An absent text has no bytes: *out is NULL then. */
bool xos_wire_text(struct xos_wire_decoder *d, size_t max, const char **out)
{
	uint16_t n;
	struct xos_bytes b;
	*out = NULL;
	if (!xos_wire_u16(d, &n))
		return false;
	if (n > max)
		return xos_wire_bad(d, "a text is too long");
	if (!xos_reader_take(&d->r, n, &b))
		return xos_wire_bad(d, "it is cut short");
	if (n == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (b.p[i] < 0x20 || b.p[i] == 0x7f)
			return xos_wire_bad(d, "a text has a control character in it");
	if (!xos_utf8_valid(b))
		return xos_wire_bad(d, "a text is not UTF-8");
	char *s = xos_policy_memory_string(d->set->memory, (const char *)b.p, n);
	d->memory |= !s;
	*out = s;
	return s != NULL;
}

static bool get_attr(struct xos_wire_decoder *d, const struct xos_policy_attr **attr)
{
	uint8_t code;
	if (!xos_wire_u8(d, &code))
		return false;
	*attr = xos_policy_attr_by_code(code);
	return (*attr && (*attr)->since <= d->set->schema) ||
	       xos_wire_bad(d, "an unknown attribute");
}

bool xos_wire_number(struct xos_wire_decoder *d, enum xos_policy_type type, int64_t *v)
{
	uint64_t u;
	if (!xos_wire_u64(d, &u))
		return false;
	*v = (int64_t)u;
	/* The last second of the year 9999 is the last that has a text. */
	if (u > INT64_MAX || (type == XOS_POLICY_TIME && u > UINT64_C(253402300799)))
		return xos_wire_bad(d, "a number out of range");
	return true;
}

/* What the language calls a resource, of a kind that the set's schema has. */
static bool term_ok(const struct xos_policy_set *set, const struct xos_policy_term *t)
{
	char kind[64] = "";
	size_t n = strcspn(t->name, ":");
	if (t->kind == XOS_TERM_KIND)
		return xos_policy_set_has_kind(set, t->name);
	if (t->kind == XOS_TERM_OBJECT) {
		memcpy(kind, t->name, n < sizeof(kind) ? n : 0);
		if (!xos_policy_set_has_kind(set, kind))
			return false;
	}
	return xos_policy_term_ok(t->kind, t->name);
}

bool xos_wire_place(struct xos_wire_decoder *d, struct xos_policy_place *place)
{
	uint8_t n, kind;
	if (!xos_wire_u8(d, &n))
		return false;
	if (n > XOS_POLICY_TERMS_MAX)
		return xos_wire_bad(d, "too many resources in one intersection");
	place->terms = xos_wire_take(d, n, sizeof(*place->terms));
	place->n = n;
	for (size_t i = 0; place->terms && i < n; i++) {
		struct xos_policy_term *t = &place->terms[i];
		if (!xos_wire_u8(d, &kind) || !xos_wire_text(d, 4096, &t->name))
			return false;
		t->kind = (enum xos_policy_term_kind)kind;
		if (kind >= XOS_TERM_COUNT || !t->name || !term_ok(d->set, t))
			return xos_wire_bad(d, "a malformed resource");
		if (i && (t->kind < t[-1].kind ||
		             (t->kind == t[-1].kind && strcmp(t->name, t[-1].name) <= 0)))
			return xos_wire_bad(d, "resources out of order");
	}
	return place->terms != NULL;
}

static bool user_ok(const char *name)
{
	char vo[XOS_VO_MAX + 1] = "";
	const char *colon = strchr(name, ':');
	if (!colon || (size_t)(colon - name) >= sizeof(vo))
		return false;
	memcpy(vo, name, (size_t)(colon - name));
	return xos_name_is_member(vo, colon + 1);
}

static bool get_who(struct xos_wire_decoder *d, struct xos_policy_who *who)
{
	uint8_t kind;
	bool ok = false;
	if (!xos_wire_u8(d, &kind) || !xos_wire_text(d, XOS_POLICY_STRING_MAX, &who->name))
		return false;
	who->kind = (enum xos_policy_who_kind)kind;
	if (kind == XOS_WHO_ANY || kind == XOS_WHO_LOCAL)
		ok = !who->name;
	else if (!who->name)
		ok = false;
	else if (kind == XOS_WHO_VO)
		ok = xos_name_is_vo(who->name);
	else if (kind == XOS_WHO_GROUP || kind == XOS_WHO_EXACTLY)
		ok = xos_name_is_group(who->name);
	else if (kind == XOS_WHO_ROLE)
		ok = xos_name_is_role(who->name);
	else if (kind == XOS_WHO_USER)
		ok = user_ok(who->name);
	else if (kind == XOS_WHO_HOME)
		ok = true;
	return ok || xos_wire_bad(d, "a malformed principal");
}

static bool get_ip(struct xos_wire_decoder *d, struct xos_policy_ip *ip)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct xos_bytes b;
	if (!xos_wire_u8(d, &ip->family) || !xos_wire_u8(d, &ip->length))
		return false;
	if (!xos_reader_take(&d->r, ip->family == 4 ? 4 : 16, &b))
		return xos_wire_bad(d, "it is cut short");
	memcpy(ip->addr, b.p, b.n);
	if (!xos_policy_prefix_clean(ip))
		return xos_wire_bad(d, "a malformed address prefix");
	/* IPv4 inside IPv6 is written as IPv4: see xos_policy_ip_parse. */
	if (ip->family == 6 && memcmp(ip->addr, mapped, sizeof(mapped)) == 0)
		return xos_wire_bad(d, "a malformed address prefix");
	return true;
}

static bool get_values(struct xos_wire_decoder *d, struct xos_policy_cond *c)
{
	enum xos_policy_type type = c->op == XOS_COND_NOW ? XOS_POLICY_TIME : c->attr->type;
	bool prefixes = c->op == XOS_COND_IP, texts = !prefixes && type == XOS_POLICY_STRING;
	bool one = c->op == XOS_COND_COMPARE || c->op == XOS_COND_NOW;
	uint16_t n;
	if (!xos_wire_u16(d, &n))
		return false;
	if (n == 0 || n > XOS_POLICY_VALUES_IN_SET || (one && n != 1))
		return xos_wire_bad(d, "too many values, or none");
	d->nodes += n;
	c->n = n;
	void *p = xos_wire_take(d, n, prefixes ? sizeof(struct xos_policy_ip) : sizeof(int64_t));
	if (!p)
		return false;
	if (prefixes)
		c->u.prefixes = p;
	else if (texts)
		c->u.strings = p;
	else
		c->u.numbers = p;
	for (size_t i = 0; i < n; i++) {
		int order;
		if (prefixes ? !get_ip(d, &c->u.prefixes[i])
		    : texts  ? !xos_wire_text(d, XOS_POLICY_STRING_MAX, &c->u.strings[i])
		             : !xos_wire_number(d, type, &c->u.numbers[i]))
			return false;
		if (texts && !c->u.strings[i])
			return xos_wire_bad(d, "an empty text");
		if (i == 0)
			continue;
		if (prefixes)
			order = xos_policy_prefix_order(&c->u.prefixes[i - 1], &c->u.prefixes[i]);
		else if (texts)
			order = strcmp(c->u.strings[i - 1], c->u.strings[i]);
		else
			order = c->u.numbers[i - 1] < c->u.numbers[i] ? -1 : 1;
		if (order >= 0)
			return xos_wire_bad(d, "values out of order");
	}
	return true;
}

static bool get_compare(struct xos_wire_decoder *d, struct xos_policy_cond *c)
{
	uint8_t cmp = 0, zero = 0;
	if (c->op == XOS_COND_NOW ? !xos_wire_u8(d, &zero) : !get_attr(d, &c->attr))
		return false;
	if (c->op == XOS_COND_NOW && zero)
		return xos_wire_bad(d, "a time with an attribute");
	if (!xos_wire_u8(d, &cmp))
		return false;
	bool compares = c->op == XOS_COND_COMPARE || c->op == XOS_COND_NOW;
	if (compares ? cmp < XOS_CMP_EQ || cmp >= XOS_CMP_OPS : cmp != 0)
		return xos_wire_bad(d, "an unknown comparison");
	c->cmp = (enum xos_policy_cmp)cmp;
	if (c->attr) {
		enum xos_policy_type t = c->attr->type;
		if ((t == XOS_POLICY_IP) != (c->op == XOS_COND_IP) || t == XOS_POLICY_BOOL ||
		    (c->op == XOS_COND_LIKE && t != XOS_POLICY_STRING) ||
		    (t == XOS_POLICY_STRING && compares && cmp > XOS_CMP_NE))
			return xos_wire_bad(d, "an attribute of the wrong type");
	}
	return get_values(d, c);
}

static bool get_zone(struct xos_wire_decoder *d, const char *name, uint16_t *number)
{
	struct xos_policy_set *set = d->set;
	/* As in texts: without a '/' it could be a word of the language. */
	if (!xos_policy_zone_name_ok(name) || !strchr(name, '/'))
		return xos_wire_bad(d, "the name of a time zone is malformed");
	for (size_t i = 0; i < set->nzones; i++) {
		*number = (uint16_t)(i + 1);
		if (strcmp(set->zones[i], name) == 0)
			return true;
	}
	if (set->nzones == XOS_POLICY_ZONES_MAX)
		return xos_wire_bad(d, "too many time zones");
	const char **zones =
	    xos_policy_memory_grow(set->memory, set->zones, set->nzones, sizeof(*zones));
	d->memory |= !zones;
	if (!zones)
		return false;
	set->zones = zones;
	zones[set->nzones++] = name;
	*number = (uint16_t)set->nzones;
	return true;
}

static bool get_clock(struct xos_wire_decoder *d, struct xos_policy_clock *clock)
{
	const char *name = NULL;
	uint16_t offset;
	if (d->version > 1 && !xos_wire_text(d, XOS_POLICY_ZONE_NAME_MAX, &name))
		return false;
	if (name)
		return get_zone(d, name, &clock->zone);
	if (!xos_wire_u16(d, &offset))
		return false;
	if (offset > 2 * XOS_WIRE_OFFSET)
		return xos_wire_bad(d, "a malformed offset from UTC");
	clock->offset = (int16_t)((int)offset - XOS_WIRE_OFFSET);
	return true;
}

static bool get_window(struct xos_wire_decoder *d, struct xos_policy_window *w)
{
	uint16_t start, end;
	uint8_t days = XOS_POLICY_EVERY_DAY;
	if (!xos_wire_u16(d, &start) || !xos_wire_u16(d, &end) ||
	    (d->version > 1 && !xos_wire_u8(d, &days)))
		return false;
	if (start >= 1440 || end > 1440 || start == end || !days || days > XOS_POLICY_EVERY_DAY)
		return xos_wire_bad(d, "a malformed window of time");
	w->start = (int16_t)start;
	w->end = (int16_t)end;
	w->days = days;
	return get_clock(d, &w->clock);
}

static bool get_dates(struct xos_wire_decoder *d, struct xos_policy_dates *dates)
{
	uint32_t first, last;
	if (!xos_wire_u32(d, &first) || !xos_wire_u32(d, &last))
		return false;
	if (last > XOS_WIRE_DAY_MAX || first > last)
		return xos_wire_bad(d, "malformed dates");
	dates->first = (int32_t)first;
	dates->last = (int32_t)last;
	return get_clock(d, &dates->clock);
}

bool xos_wire_actions(struct xos_wire_decoder *d, uint64_t *mask)
{
	if (!xos_wire_u64(d, mask))
		return false;
	return (*mask && !(*mask & ~xos_policy_all_actions(d->set->schema))) ||
	       xos_wire_bad(d, "an unknown action");
}

static bool get_kids(struct xos_wire_decoder *d, unsigned depth, struct xos_policy_cond *c)
{
	uint16_t n;
	if (!xos_wire_u16(d, &n))
		return false;
	if (c->op == XOS_COND_NOT ? n != 1 : n < 2)
		return xos_wire_bad(d, "an operator with the wrong number of parts");
	if (n > XOS_POLICY_NODES_MAX || n > d->r.left / XOS_WIRE_COND_MIN)
		return xos_wire_bad(d, "a condition with more parts than it can have");
	c->n = n;
	c->u.kids = xos_wire_take(d, n, sizeof(struct xos_policy_cond *));
	for (size_t i = 0; c->u.kids && i < n; i++) {
		if (!xos_wire_cond(d, depth + 1, &c->u.kids[i]))
			return false;
		if (c->op != XOS_COND_NOT && c->u.kids[i]->op == c->op)
			return xos_wire_bad(
			    d, "an operator that should have been joined with its parent");
	}
	return c->u.kids != NULL;
}

bool xos_wire_cond(struct xos_wire_decoder *d, unsigned depth, struct xos_policy_cond **out)
{
	uint8_t op;
	if (!xos_wire_u8(d, &op))
		return false;
	if (op == 0 || op >= XOS_COND_OPS)
		return xos_wire_bad(d, "an unknown condition");
	if (++d->nodes > XOS_POLICY_NODES_MAX ||
	    (op <= XOS_COND_NOT && depth >= XOS_POLICY_DEPTH_MAX))
		return xos_wire_bad(d, "a condition that is too large or too deep");
	struct xos_policy_cond *c = *out = xos_wire_take(d, 1, sizeof(*c));
	if (!c)
		return false;
	c->op = (enum xos_policy_cond_op)op;
	switch (c->op) {
	case XOS_COND_AND:
	case XOS_COND_OR:
	case XOS_COND_NOT:
		return get_kids(d, depth, c);
	case XOS_COND_WHO:
		return get_who(d, &c->u.who);
	case XOS_COND_ON:
		return xos_wire_place(d, &c->u.place);
	case XOS_COND_ACTION:
		return xos_wire_actions(d, &c->u.actions);
	case XOS_COND_HAS:
		return get_attr(d, &c->attr);
	case XOS_COND_BOOL:
		return get_attr(d, &c->attr) &&
		       (c->attr->type == XOS_POLICY_BOOL ||
		           xos_wire_bad(d, "an attribute of the wrong type"));
	case XOS_COND_COMPARE:
	case XOS_COND_IN:
	case XOS_COND_IP:
	case XOS_COND_NOW:
	case XOS_COND_LIKE:
		return get_compare(d, c);
	case XOS_COND_TIME:
		return get_window(d, &c->u.window);
	case XOS_COND_DATE:
		return get_dates(d, &c->u.dates);
	case XOS_COND_OPS:
		break;
	}
	return xos_wire_bad(d, "an unknown condition");
}
