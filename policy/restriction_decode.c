/*
 * A restriction as bytes: the reading half. What passes is rebuilt as a set, held to the same rules
 * as one from text, and written again: only bytes that come out the same are accepted.
 */
#include <string.h>

#include "base/name.h"
#include "policy/restriction.h"
#include "policy/wire.h"

/* The fewest bytes of a statement. */
#define STATEMENT_MIN 18u

static bool get_names(struct xos_wire_decoder *d, struct xos_policy_cap_value *v)
{
	uint16_t n;
	if (!xos_wire_u16(d, &n))
		return false;
	if (n == 0 || n > XOS_POLICY_VALUES_IN_SET)
		return xos_wire_bad(d, "too many names, or none");
	v->n = n;
	v->names = xos_wire_take(d, n, sizeof(*v->names));
	for (size_t i = 0; v->names && i < n; i++) {
		if (!xos_wire_text(d, 63, &v->names[i]))
			return false;
		bool class = v->cap == XOS_CAP_ACCOUNT_CLASS;
		if (!v->names[i] ||
		    (class && (!xos_policy_word_ok(v->names[i]) ||
		                  (i && strcmp(v->names[i - 1], v->names[i]) >= 0))))
			return xos_wire_bad(d, "names malformed or out of order");
	}
	if (v->names && v->cap != XOS_CAP_ACCOUNT_CLASS && !xos_networks_ok(v))
		return xos_wire_bad(d, "networks malformed or out of order");
	return v->names != NULL;
}

static bool get_caps(struct xos_wire_decoder *d, struct xos_policy_statement *s)
{
	uint8_t n, cap;
	if (!xos_wire_u8(d, &n))
		return false;
	if (n > XOS_CAP_COUNT || (n != 0) != (s->effect == XOS_POLICY_LIMIT))
		return xos_wire_bad(d, "a limit without caps, or caps without a limit");
	s->ncaps = n;
	s->caps = xos_wire_take(d, n, sizeof(*s->caps));
	for (size_t i = 0; s->caps && i < n; i++) {
		struct xos_policy_cap_value *v = &s->caps[i];
		if (!xos_wire_u8(d, &cap))
			return false;
		if (cap >= XOS_CAP_COUNT || (i && cap <= (uint8_t)v[-1].cap))
			return xos_wire_bad(d, "an unknown cap, or caps out of order");
		v->cap = (enum xos_policy_cap)cap;
		if (xos_policy_cap_is_set(v->cap)
		        ? !get_names(d, v)
		        : !xos_wire_number(d, XOS_POLICY_NUMBER, &v->number))
			return false;
		if (!xos_policy_cap_is_set(v->cap) && v->number == 0)
			return xos_wire_bad(d, "a limit of nothing");
	}
	return s->caps != NULL;
}

/* By the terms, one after the other. */
static int place_order(const struct xos_policy_place *a, const struct xos_policy_place *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		const struct xos_policy_term *x = &a->terms[i], *y = &b->terms[i];
		int c =
		    x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : strcmp(x->name, y->name);
		if (c)
			return c;
	}
	return a->n < b->n ? -1 : a->n > b->n;
}

/* Version 1 has one place, which may be empty; from version 2 on as many as there are, none empty. */
static bool get_places(struct xos_wire_decoder *d, struct xos_policy_statement *s)
{
	uint16_t n = 1;
	if (d->version > 1 && !xos_wire_u16(d, &n))
		return false;
	if (n > XOS_POLICY_VALUES_IN_SET)
		return xos_wire_bad(d, "too many places");
	s->places = xos_wire_take(d, n, sizeof(*s->places));
	for (size_t i = 0; s->places && i < n; i++) {
		if (!xos_wire_place(d, &s->places[i]))
			return false;
		s->nplaces += s->places[i].n != 0;
	}
	if (!s->places)
		return false;
	if (d->version > 1 && s->nplaces != n)
		return xos_wire_bad(d, "an empty place");
	for (size_t i = 1; i < s->nplaces; i++)
		if (place_order(&s->places[i - 1], &s->places[i]) >= 0)
			return xos_wire_bad(d, "places out of order");
	return true;
}

/* What shall happen to running work. */
static bool get_change(struct xos_wire_decoder *d, struct xos_policy_statement *s)
{
	uint8_t change;
	if (d->version == 1)
		return true;
	if (!xos_wire_u8(d, &change))
		return false;
	if (change > XOS_CHANGE_STOP)
		return xos_wire_bad(d, "an unknown change");
	s->change = (enum xos_policy_change)change;
	return s->change != XOS_CHANGE_STOP ||
	       xos_wire_number(d, XOS_POLICY_DURATION, &s->change_after);
}

/* Who is written nowhere: it binds whoever holds it. */
static bool get_head(struct xos_wire_decoder *d, struct xos_policy_statement *s)
{
	uint8_t effect;
	if (!xos_wire_u8(d, &effect))
		return false;
	if (effect != XOS_POLICY_CHECK && effect != XOS_POLICY_LIMIT)
		return xos_wire_bad(d, "a delegation cannot say this");
	s->effect = (enum xos_policy_effect)effect;
	if (!xos_wire_text(d, 63, &s->id) ||
	    !xos_wire_text(d, XOS_POLICY_BECAUSE_MAX, &s->because) ||
	    !xos_wire_text(d, XOS_POLICY_BECAUSE_MAX, &s->contact))
		return false;
	if (s->id && !xos_policy_word_ok(s->id))
		return xos_wire_bad(d, "a malformed id");
	struct xos_reader before = d->r;
	if (!xos_wire_u64(d, &s->actions))
		return false;
	if (s->actions != XOS_POLICY_ACTION_ALL) {
		d->r = before;
		if (!xos_wire_actions(d, &s->actions))
			return false;
	}
	return get_places(d, s);
}

static bool get_statement(struct xos_wire_decoder *d, struct xos_policy_statement *s)
{
	uint8_t has_cond;
	const char *hint = NULL;
	d->nodes = 0;
	s->set = d->set;
	if (!get_head(d, s) || !xos_wire_u8(d, &has_cond))
		return false;
	bool check = s->effect == XOS_POLICY_CHECK;
	if (has_cond > 1 ||
	    (check && (!has_cond || s->nplaces || s->actions != XOS_POLICY_ACTION_ALL)))
		return xos_wire_bad(d, "a check is a condition and nothing else");
	if (has_cond && !xos_wire_cond(d, 0, &s->cond))
		return false;
	if (d->nodes > XOS_POLICY_NODES_MAX)
		return xos_wire_bad(d, "a condition that is too large or too deep");
	if (!get_caps(d, s) || !get_change(d, s))
		return false;
	const struct xos_policy_cond *at;
	const char *problem = xos_policy_statement_check(s, &hint, &at);
	return !problem || xos_wire_bad(d, problem);
}

static bool get_statements(struct xos_wire_decoder *d)
{
	struct xos_policy_set *set = d->set;
	uint16_t n;
	if (!xos_wire_u16(d, &n))
		return false;
	/* Memory follows the bytes that are really there, not the number they promise. */
	if (n > d->r.left / STATEMENT_MIN)
		return xos_wire_bad(d, "it is cut short");
	set->statements = xos_wire_take(d, n, sizeof(*set->statements));
	for (size_t i = 0; set->statements && i < n; i++) {
		set->statements[i].number = (uint32_t)i + 1;
		if (!get_statement(d, &set->statements[i]))
			return false;
		for (size_t j = 0; set->statements[i].id && j < i; j++)
			if (set->statements[j].id &&
			    strcmp(set->statements[j].id, set->statements[i].id) == 0)
				return xos_wire_bad(d, "an id twice");
	}
	set->n = n;
	return set->statements != NULL;
}

static bool get_set(struct xos_wire_decoder *d)
{
	struct xos_policy_set *set = d->set;
	uint8_t version, schema;
	set->level = XOS_POLICY_DELEGATION;
	if (!xos_wire_u8(d, &version) || !xos_wire_u8(d, &schema))
		return false;
	if (version == 0 || version > XOS_WIRE_VERSION || schema == 0 || schema > XOS_POLICY_SCHEMA)
		return xos_wire_bad(d, "a version that this program does not know");
	d->version = version;
	set->schema = schema;
	if (!xos_wire_text(d, XOS_MEMBER_MAX, &set->name))
		return false;
	if (!set->name)
		set->name = "";
	else if (!xos_name_is_member("x", set->name))
		return xos_wire_bad(d, "the delegator's name is malformed");
	if (!get_statements(d))
		return false;
	return xos_reader_end(&d->r) == XOS_OK || xos_wire_bad(d, "bytes after its end");
}

/* One set, one form: whatever the checks above let through must also come out the same. */
static bool canonical(struct xos_wire_decoder *d, struct xos_bytes in)
{
	struct xos_buf again;
	xos_buf_init(&again, XOS_RESTRICTION_MAX);
	xos_wire_put(&again, d->set);
	bool same = xos_buf_status(&again) == XOS_OK && xos_bytes_eq(xos_buf_bytes(&again), in);
	d->memory |= xos_buf_status(&again) == XOS_INTERNAL;
	xos_buf_free(&again);
	return same || xos_wire_bad(d, "it is not in canonical form");
}

enum xos_status xos_restriction_decode(
    struct xos_bytes in, struct xos_policy_set **out, struct xos_err *err)
{
	struct xos_wire_decoder d = {.set = NULL};
	*out = NULL;
	if (in.n > XOS_RESTRICTION_MAX)
		return xos_err_set(err, XOS_MALFORMED, "restriction-malformed",
		    "the delegation's restriction has %zu bytes; at most %u are allowed", in.n,
		    XOS_RESTRICTION_MAX);
	d.set = xos_policy_set_new();
	if (!d.set)
		return xos_err_set(err, XOS_INTERNAL, "out-of-memory", "out of memory");
	xos_reader_init(&d.r, in);
	if (get_set(&d) && canonical(&d, in)) {
		*out = d.set;
		return XOS_OK;
	}
	xos_policy_set_unref(d.set);
	if (d.memory)
		return xos_err_set(err, XOS_INTERNAL, "out-of-memory", "out of memory");
	return xos_err_set(err, XOS_MALFORMED, "restriction-malformed",
	    "the delegation's restriction is malformed: %s", d.problem ? d.problem : "cut short");
}

enum xos_status xos_restriction_text(struct xos_bytes in, struct xos_buf *out, struct xos_err *err)
{
	struct xos_policy_set *set;
	enum xos_status status = xos_restriction_decode(in, &set, err);
	if (status != XOS_OK)
		return status;
	xos_policy_set_text(set, out);
	xos_policy_set_unref(set);
	status = xos_buf_status(out);
	if (status != XOS_OK)
		xos_err_set(
		    err, status, "restriction-room", "no room for the text of the restriction");
	return status;
}
