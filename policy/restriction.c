/* A restriction as bytes: the writing half. The form is described in docs/policy-language.md. */
#include "policy/restriction.h"

#include <string.h>

#include "policy/ast.h"
#include "policy/wire.h"

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

static void put_cond(struct xos_buf *out, const struct xos_policy_cond *c)
{
	xos_buf_u8(out, (uint8_t)c->op);
	switch (c->op) {
	case XOS_COND_AND:
	case XOS_COND_OR:
	case XOS_COND_NOT:
		xos_buf_u16(out, (uint16_t)c->n);
		for (size_t i = 0; i < c->n; i++)
			put_cond(out, c->u.kids[i]);
		break;
	case XOS_COND_WHO:
		xos_buf_u8(out, (uint8_t)c->u.who.kind);
		put_text(out, c->u.who.name);
		break;
	case XOS_COND_ON:
		put_place(out, &c->u.place);
		break;
	case XOS_COND_ACTION:
		xos_buf_u64(out, c->u.actions);
		break;
	case XOS_COND_HAS:
	case XOS_COND_BOOL:
		xos_buf_u8(out, c->attr->code);
		break;
	case XOS_COND_COMPARE:
	case XOS_COND_IN:
	case XOS_COND_IP:
	case XOS_COND_NOW:
		xos_buf_u8(out, c->op == XOS_COND_NOW ? 0 : c->attr->code);
		xos_buf_u8(out, (uint8_t)c->cmp);
		put_values(out, c);
		break;
	case XOS_COND_TIME:
		xos_buf_u16(out, (uint16_t)c->u.window.start);
		xos_buf_u16(out, (uint16_t)c->u.window.end);
		/* From -14:00, so that it is never negative. */
		xos_buf_u16(out, (uint16_t)(c->u.window.clock.offset + XOS_WIRE_OFFSET));
		break;
	case XOS_COND_LIKE:
	case XOS_COND_DATE:
	case XOS_COND_OPS:
		break;
	}
}

static void put_caps(struct xos_buf *out, const struct xos_policy_statement *s)
{
	xos_buf_u8(out, (uint8_t)s->ncaps);
	for (size_t i = 0; i < s->ncaps; i++) {
		const struct xos_policy_cap_value *v = &s->caps[i];
		xos_buf_u8(out, (uint8_t)v->cap);
		if (v->cap != XOS_CAP_ACCOUNT_CLASS) {
			xos_buf_u64(out, (uint64_t)v->number);
			continue;
		}
		xos_buf_u16(out, (uint16_t)v->n);
		for (size_t j = 0; j < v->n; j++)
			put_text(out, v->names[j]);
	}
}

static void put_statement(struct xos_buf *out, const struct xos_policy_statement *s)
{
	xos_buf_u8(out, (uint8_t)s->effect);
	put_text(out, s->id);
	put_text(out, s->because);
	put_text(out, s->contact);
	xos_buf_u64(out, s->actions);
	put_place(out, s->nplaces ? &s->places[0] : &(struct xos_policy_place){NULL, 0});
	xos_buf_u8(out, s->cond != NULL);
	if (s->cond)
		put_cond(out, s->cond);
	put_caps(out, s);
}

void xos_wire_put(struct xos_buf *out, const struct xos_policy_set *set)
{
	xos_buf_u8(out, XOS_WIRE_VERSION);
	xos_buf_u8(out, (uint8_t)set->schema);
	put_text(out, set->name);
	xos_buf_u16(out, (uint16_t)set->n);
	for (size_t i = 0; i < set->n; i++)
		put_statement(out, &set->statements[i]);
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
