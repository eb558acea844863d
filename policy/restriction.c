/* A restriction as bytes: the writing half. The form is described in docs/policy-language.md. */
#include "policy/restriction.h"

#include <string.h>

#include "policy/ast.h"
#include "policy/wire.h"

/* ---- which version a set needs ---- */

static bool place_is_new(const struct xos_policy_place *place)
{
	for (size_t i = 0; i < place->n; i++) {
		const struct xos_policy_term *t = &place->terms[i];
		if (t->kind > XOS_TERM_FILE)
			return true;
		if (t->kind == XOS_TERM_KIND && strcmp(t->name, "job") != 0 &&
		    strcmp(t->name, "file") != 0)
			return true;
	}
	return false;
}

static bool cond_is_new(const struct xos_policy_cond *c)
{
	bool found = c->op > XOS_COND_TIME;
	if (c->op == XOS_COND_TIME)
		return c->u.window.days != XOS_POLICY_EVERY_DAY || c->u.window.clock.zone;
	if (c->op == XOS_COND_ON)
		return place_is_new(&c->u.place);
	for (size_t i = 0; c->op <= XOS_COND_NOT && i < c->n && !found; i++)
		found = cond_is_new(c->u.kids[i]);
	return found;
}

static bool statement_is_new(const struct xos_policy_statement *s)
{
	return s->change || s->nplaces > 1 || (s->nplaces && place_is_new(&s->places[0])) ||
	       (s->cond && cond_is_new(s->cond));
}

unsigned xos_wire_version(const struct xos_policy_set *set)
{
	bool found = false;
	for (size_t i = 0; i < set->n && !found; i++)
		found = statement_is_new(&set->statements[i]);
	return found ? 2 : 1;
}

/* ---- writing ---- */

static void put_text(struct xos_buf *out, const char *s)
{
	size_t n = s ? strlen(s) : 0;
	xos_buf_u16(out, (uint16_t)n);
	xos_buf_put(out, s ? s : "", n);
}

static void put_place(struct xos_buf *out, const struct xos_policy_place *place)
{
	xos_buf_u8(out, (uint8_t)place->n);
	for (size_t i = 0; i < place->n; i++) {
		xos_buf_u8(out, (uint8_t)place->terms[i].kind);
		put_text(out, place->terms[i].name);
	}
}

/* Version 1 has one place, which may be empty. */
static void put_places(struct xos_buf *out, const struct xos_policy_statement *s, unsigned version)
{
	static const struct xos_policy_place any;
	if (version == 1) {
		put_place(out, s->nplaces ? &s->places[0] : &any);
		return;
	}
	xos_buf_u16(out, (uint16_t)s->nplaces);
	for (size_t i = 0; i < s->nplaces; i++)
		put_place(out, &s->places[i]);
}

static void put_ip(struct xos_buf *out, const struct xos_policy_ip *ip)
{
	xos_buf_u8(out, ip->family);
	xos_buf_u8(out, ip->length);
	xos_buf_put(out, ip->addr, ip->family == 4 ? 4 : 16);
}

static void put_values(struct xos_buf *out, const struct xos_policy_cond *c)
{
	xos_buf_u16(out, (uint16_t)c->n);
	for (size_t i = 0; i < c->n; i++) {
		if (c->op == XOS_COND_IP)
			put_ip(out, &c->u.prefixes[i]);
		else if (c->op != XOS_COND_NOW && c->attr->type == XOS_POLICY_STRING)
			put_text(out, c->u.strings[i]);
		else
			xos_buf_u64(out, (uint64_t)c->u.numbers[i]);
	}
}

/* A zone by name, or none and an offset: from -14:00, so that it is never negative. */
static void put_clock(struct xos_buf *out, const struct xos_policy_set *set,
    const struct xos_policy_clock *clock, unsigned version)
{
	if (version > 1)
		put_text(out, clock->zone ? set->zones[clock->zone - 1] : NULL);
	if (!clock->zone)
		xos_buf_u16(out, (uint16_t)(clock->offset + XOS_WIRE_OFFSET));
}

static void put_window(struct xos_buf *out, const struct xos_policy_set *set,
    const struct xos_policy_window *w, unsigned version)
{
	xos_buf_u16(out, (uint16_t)w->start);
	xos_buf_u16(out, (uint16_t)w->end);
	if (version > 1)
		xos_buf_u8(out, w->days);
	put_clock(out, set, &w->clock, version);
}

static void put_cond(struct xos_buf *out, const struct xos_policy_set *set,
    const struct xos_policy_cond *c, unsigned version)
{
	xos_buf_u8(out, (uint8_t)c->op);
	switch (c->op) {
	case XOS_COND_AND:
	case XOS_COND_OR:
	case XOS_COND_NOT:
		xos_buf_u16(out, (uint16_t)c->n);
		for (size_t i = 0; i < c->n; i++)
			put_cond(out, set, c->u.kids[i], version);
		return;
	case XOS_COND_WHO:
		xos_buf_u8(out, (uint8_t)c->u.who.kind);
		put_text(out, c->u.who.name);
		return;
	case XOS_COND_ON:
		put_place(out, &c->u.place);
		return;
	case XOS_COND_ACTION:
		xos_buf_u64(out, c->u.actions);
		return;
	case XOS_COND_HAS:
	case XOS_COND_BOOL:
		xos_buf_u8(out, c->attr->code);
		return;
	case XOS_COND_COMPARE:
	case XOS_COND_IN:
	case XOS_COND_IP:
	case XOS_COND_NOW:
	case XOS_COND_LIKE:
		xos_buf_u8(out, c->op == XOS_COND_NOW ? 0 : c->attr->code);
		xos_buf_u8(out, (uint8_t)c->cmp);
		put_values(out, c);
		return;
	case XOS_COND_TIME:
		put_window(out, set, &c->u.window, version);
		return;
	case XOS_COND_DATE:
		xos_buf_u32(out, (uint32_t)c->u.dates.first);
		xos_buf_u32(out, (uint32_t)c->u.dates.last);
		put_clock(out, set, &c->u.dates.clock, version);
		return;
	case XOS_COND_OPS:
		return;
	}
}

static void put_caps(struct xos_buf *out, const struct xos_policy_statement *s)
{
	xos_buf_u8(out, (uint8_t)s->ncaps);
	for (size_t i = 0; i < s->ncaps; i++) {
		const struct xos_policy_cap_value *v = &s->caps[i];
		xos_buf_u8(out, (uint8_t)v->cap);
		if (!xos_policy_cap_is_set(v->cap)) {
			xos_buf_u64(out, (uint64_t)v->number);
			continue;
		}
		xos_buf_u16(out, (uint16_t)v->n);
		for (size_t j = 0; j < v->n; j++)
			put_text(out, v->names[j]);
	}
}

static void put_statement(
    struct xos_buf *out, const struct xos_policy_statement *s, unsigned version)
{
	xos_buf_u8(out, (uint8_t)s->effect);
	put_text(out, s->id);
	put_text(out, s->because);
	put_text(out, s->contact);
	xos_buf_u64(out, s->actions);
	put_places(out, s, version);
	xos_buf_u8(out, s->cond != NULL);
	if (s->cond)
		put_cond(out, s->set, s->cond, version);
	put_caps(out, s);
	if (version == 1)
		return;
	xos_buf_u8(out, (uint8_t)s->change);
	if (s->change == XOS_CHANGE_STOP)
		xos_buf_u64(out, (uint64_t)s->change_after);
}

void xos_wire_put(struct xos_buf *out, const struct xos_policy_set *set)
{
	unsigned version = xos_wire_version(set);
	xos_buf_u8(out, (uint8_t)version);
	xos_buf_u8(out, (uint8_t)set->schema);
	put_text(out, set->name);
	xos_buf_u16(out, (uint16_t)set->n);
	for (size_t i = 0; i < set->n; i++)
		put_statement(out, &set->statements[i], version);
}

enum xos_status xos_restriction_encode(
    const struct xos_policy_set *set, struct xos_buf *out, struct xos_err *err)
{
	struct xos_buf b;
	if (set->level != XOS_POLICY_DELEGATION)
		return xos_err_set(err, XOS_MALFORMED, "restriction-level",
		    "only a delegation goes into a certificate; this is a policy of the %s %s",
		    xos_policy_level_name(set->level), set->name);
	if (set->n > UINT16_MAX)
		return xos_err_set(err, XOS_LIMIT, "restriction-too-large",
		    "the restriction has %zu statements; make it shorter", set->n);
	xos_buf_init(&b, XOS_RESTRICTION_MAX);
	xos_wire_put(&b, set);
	enum xos_status status = xos_buf_status(&b);
	if (status == XOS_LIMIT)
		xos_err_set(err, status, "restriction-too-large",
		    "the restriction needs more than %u bytes in the certificate; make it shorter",
		    XOS_RESTRICTION_MAX);
	else if (status != XOS_OK)
		xos_err_set(err, status, "out-of-memory", "out of memory");
	if (status == XOS_OK) {
		xos_buf_put(out, b.p, b.n);
		status = xos_buf_status(out);
		if (status != XOS_OK)
			xos_err_set(err, status, "restriction-room", "no room for the restriction");
	}
	xos_buf_free(&b);
	return status;
}
