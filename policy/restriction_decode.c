/*
 * A restriction as bytes: the reading half. What passes is rebuilt as a set, held to the same rules
 * as one from text, and written again: only bytes that come out the same are accepted.
 */
#include <string.h>

#include "base/name.h"
#include "base/text.h"
#include "policy/restriction.h"
#include "policy/wire.h"

/* The fewest bytes of a statement and of a condition. */
#define STATEMENT_MIN 18u
#define COND_MIN 2u

struct decoder {
	struct xos_reader r;
	struct xos_policy_set *set;
	unsigned nodes; /* in this statement */
	const char *problem;
	bool memory; /* it ran out */
};

static bool bad(struct decoder *d, const char *problem)
{
	if (!d->problem)
		d->problem = problem;
	return false;
}

static void *take(struct decoder *d, size_t n, size_t size)
{
	void *p = xos_policy_memory_take(d->set->memory, n ? n * size : size);
	if (!p)
		d->memory = true;
	return p;
}

static bool get_u8(struct decoder *d, uint8_t *v)
{
	return xos_reader_u8(&d->r, v) || bad(d, "it is cut short");
}

static bool get_u16(struct decoder *d, uint16_t *v)
{
	return xos_reader_u16(&d->r, v) || bad(d, "it is cut short");
}

static bool get_u64(struct decoder *d, uint64_t *v)
{
	return xos_reader_u64(&d->r, v) || bad(d, "it is cut short");
}

/* An absent text has no bytes: *out is NULL then. */
static bool get_text(struct decoder *d, size_t max, const char **out)
{
	uint16_t n;
	struct xos_bytes b;
	*out = NULL;
	if (!get_u16(d, &n))
		return false;
	if (n > max)
		return bad(d, "a text is too long");
	if (!xos_reader_take(&d->r, n, &b))
		return bad(d, "it is cut short");
	if (n == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (b.p[i] < 0x20 || b.p[i] == 0x7f)
			return bad(d, "a text has a control character in it");
	if (!xos_utf8_valid(b))
		return bad(d, "a text is not UTF-8");
	char *s = xos_policy_memory_string(d->set->memory, (const char *)b.p, n);
	d->memory |= !s;
	*out = s;
	return s != NULL;
}

static bool get_attr(struct decoder *d, const struct xos_policy_attr **attr)
{
	uint8_t code;
	if (!get_u8(d, &code))
		return false;
	*attr = xos_policy_attr_by_code(code);
	return (*attr && (*attr)->since <= d->set->schema) || bad(d, "an unknown attribute");
}

static bool get_number(struct decoder *d, enum xos_policy_type type, int64_t *v)
{
	uint64_t u;
	if (!get_u64(d, &u))
		return false;
	*v = (int64_t)u;
	/* The last second of the year 9999 is the last that has a text. */
	if (u > INT64_MAX || (type == XOS_POLICY_TIME && u > UINT64_C(253402300799)))
		return bad(d, "a number out of range");
	return true;
}

static bool term_ok(const struct xos_policy_term *t)
{
	const char *slash = strchr(t->name, '/');
	char site[XOS_SITE_MAX + 1] = "";
	switch (t->kind) {
	case XOS_TERM_SITE:
		return xos_name_is_site(t->name);
	case XOS_TERM_NODE:
		if (!slash || (size_t)(slash - t->name) >= sizeof(site))
			return false;
		memcpy(site, t->name, (size_t)(slash - t->name));
		return xos_name_is_site(site) && xos_name_is_node(slash + 1);
	case XOS_TERM_CLASS:
	case XOS_TERM_TAG:
	case XOS_TERM_JOB:
		return xos_policy_word_ok(t->name);
	case XOS_TERM_KIND:
		return strcmp(t->name, "job") == 0 || strcmp(t->name, "file") == 0;
	case XOS_TERM_FILE:
		return xos_policy_path_ok(t->name);
	case XOS_TERM_OBJECT:
	case XOS_TERM_SERVICE:
	case XOS_TERM_COUNT:
		break;
	}
	return false;
}

static bool get_place(struct decoder *d, struct xos_policy_place *place)
{
	uint8_t n, kind;
	if (!get_u8(d, &n))
		return false;
	if (n > XOS_POLICY_TERMS_MAX)
		return bad(d, "too many resources in one intersection");
	place->terms = take(d, n, sizeof(*place->terms));
	place->n = n;
	for (size_t i = 0; place->terms && i < n; i++) {
		struct xos_policy_term *t = &place->terms[i];
		if (!get_u8(d, &kind) || !get_text(d, 4096, &t->name))
			return false;
		t->kind = (enum xos_policy_term_kind)kind;
		if (kind >= XOS_TERM_COUNT || !t->name || !term_ok(t))
			return bad(d, "a malformed resource");
		if (i && (t->kind < t[-1].kind ||
		             (t->kind == t[-1].kind && strcmp(t->name, t[-1].name) <= 0)))
			return bad(d, "resources out of order");
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

static bool get_who(struct decoder *d, struct xos_policy_who *who)
{
	uint8_t kind;
	bool ok = false;
	if (!get_u8(d, &kind) || !get_text(d, XOS_POLICY_STRING_MAX, &who->name))
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
	return ok || bad(d, "a malformed principal");
}

static bool get_ip(struct decoder *d, struct xos_policy_ip *ip)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct xos_bytes b;
	if (!get_u8(d, &ip->family) || !get_u8(d, &ip->length))
		return false;
	if (!xos_reader_take(&d->r, ip->family == 4 ? 4 : 16, &b))
		return bad(d, "it is cut short");
	memcpy(ip->addr, b.p, b.n);
	if (!xos_policy_prefix_clean(ip))
		return bad(d, "a malformed address prefix");
	/* IPv4 inside IPv6 is written as IPv4: see xos_policy_ip_parse. */
	if (ip->family == 6 && memcmp(ip->addr, mapped, sizeof(mapped)) == 0)
		return bad(d, "a malformed address prefix");
	return true;
}

static bool get_values(struct decoder *d, struct xos_policy_cond *c)
{
	enum xos_policy_type type = c->op == XOS_COND_NOW ? XOS_POLICY_TIME : c->attr->type;
	bool prefixes = c->op == XOS_COND_IP, texts = !prefixes && type == XOS_POLICY_STRING;
	bool one = c->op == XOS_COND_COMPARE || c->op == XOS_COND_NOW;
	uint16_t n;
	if (!get_u16(d, &n))
		return false;
	if (n == 0 || n > XOS_POLICY_VALUES_IN_SET || (one && n != 1))
		return bad(d, "too many values, or none");
	d->nodes += n;
	c->n = n;
	void *p = take(d, n, prefixes ? sizeof(struct xos_policy_ip) : sizeof(int64_t));
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
		    : texts  ? !get_text(d, XOS_POLICY_STRING_MAX, &c->u.strings[i])
		             : !get_number(d, type, &c->u.numbers[i]))
			return false;
		if (texts && !c->u.strings[i])
			return bad(d, "an empty text");
		if (i == 0)
			continue;
		if (prefixes)
			order = xos_policy_prefix_order(&c->u.prefixes[i - 1], &c->u.prefixes[i]);
		else if (texts)
			order = strcmp(c->u.strings[i - 1], c->u.strings[i]);
		else
			order = c->u.numbers[i - 1] < c->u.numbers[i] ? -1 : 1;
		if (order >= 0)
			return bad(d, "values out of order");
	}
	return true;
}

static bool get_compare(struct decoder *d, struct xos_policy_cond *c)
{
	uint8_t cmp, zero;
	if (c->op == XOS_COND_NOW ? !get_u8(d, &zero) : !get_attr(d, &c->attr))
		return false;
	if (c->op == XOS_COND_NOW && zero)
		return bad(d, "a time with an attribute");
	if (!get_u8(d, &cmp))
		return false;
	bool compares = c->op == XOS_COND_COMPARE || c->op == XOS_COND_NOW;
	if (compares ? cmp < XOS_CMP_EQ || cmp >= XOS_CMP_OPS : cmp != 0)
		return bad(d, "an unknown comparison");
	c->cmp = (enum xos_policy_cmp)cmp;
	if (c->attr) {
		enum xos_policy_type t = c->attr->type;
		if ((t == XOS_POLICY_IP) != (c->op == XOS_COND_IP) || t == XOS_POLICY_BOOL ||
		    (t == XOS_POLICY_STRING && compares && cmp > XOS_CMP_NE))
			return bad(d, "an attribute of the wrong type");
	}
	return get_values(d, c);
}

static bool get_window(struct decoder *d, struct xos_policy_window *w)
{
	uint16_t start, end, offset;
	if (!get_u16(d, &start) || !get_u16(d, &end) || !get_u16(d, &offset))
		return false;
	if (start >= 1440 || end > 1440 || start == end || offset > 2 * XOS_WIRE_OFFSET)
		return bad(d, "a malformed window of time");
	w->start = (int16_t)start;
	w->end = (int16_t)end;
	w->days = XOS_POLICY_EVERY_DAY;
	w->clock.offset = (int16_t)((int)offset - XOS_WIRE_OFFSET);
	return true;
}

static bool actions_ok(const struct decoder *d, uint64_t mask)
{
	return mask && !(mask & ~xos_policy_all_actions(d->set->schema));
}

static bool get_cond(struct decoder *d, unsigned depth, struct xos_policy_cond **out);

static bool get_kids(struct decoder *d, unsigned depth, struct xos_policy_cond *c)
{
	uint16_t n;
	if (!get_u16(d, &n))
		return false;
	if (c->op == XOS_COND_NOT ? n != 1 : n < 2)
		return bad(d, "an operator with the wrong number of parts");
	if (n > XOS_POLICY_NODES_MAX || n > d->r.left / COND_MIN)
		return bad(d, "a condition with more parts than it can have");
	c->n = n;
	c->u.kids = take(d, n, sizeof(struct xos_policy_cond *));
	for (size_t i = 0; c->u.kids && i < n; i++) {
		if (!get_cond(d, depth + 1, &c->u.kids[i]))
			return false;
		if (c->op != XOS_COND_NOT && c->u.kids[i]->op == c->op)
			return bad(d, "an operator that should have been joined with its parent");
	}
	return c->u.kids != NULL;
}

static bool get_cond(struct decoder *d, unsigned depth, struct xos_policy_cond **out)
{
	uint8_t op;
	if (!get_u8(d, &op))
		return false;
	if (op == 0 || op >= XOS_COND_OPS)
		return bad(d, "an unknown condition");
	if (++d->nodes > XOS_POLICY_NODES_MAX ||
	    (op <= XOS_COND_NOT && depth >= XOS_POLICY_DEPTH_MAX))
		return bad(d, "a condition that is too large or too deep");
	struct xos_policy_cond *c = *out = take(d, 1, sizeof(*c));
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
		return get_place(d, &c->u.place);
	case XOS_COND_ACTION:
		return get_u64(d, &c->u.actions) &&
		       (actions_ok(d, c->u.actions) || bad(d, "an unknown action"));
	case XOS_COND_HAS:
		return get_attr(d, &c->attr);
	case XOS_COND_BOOL:
		return get_attr(d, &c->attr) && (c->attr->type == XOS_POLICY_BOOL ||
		                                    bad(d, "an attribute of the wrong type"));
	case XOS_COND_COMPARE:
	case XOS_COND_IN:
	case XOS_COND_IP:
	case XOS_COND_NOW:
		return get_compare(d, c);
	case XOS_COND_TIME:
		return get_window(d, &c->u.window);
	case XOS_COND_LIKE:
	case XOS_COND_DATE:
	case XOS_COND_OPS:
		break;
	}
	return bad(d, "an unknown condition");
}

static bool get_names(struct decoder *d, struct xos_policy_cap_value *v)
{
	uint16_t n;
	if (!get_u16(d, &n))
		return false;
	if (n == 0 || n > XOS_POLICY_VALUES_IN_SET)
		return bad(d, "too many names, or none");
	v->n = n;
	v->names = take(d, n, sizeof(*v->names));
	for (size_t i = 0; v->names && i < n; i++) {
		if (!get_text(d, 63, &v->names[i]))
			return false;
		if (!v->names[i] || !xos_policy_word_ok(v->names[i]) ||
		    (i && strcmp(v->names[i - 1], v->names[i]) >= 0))
			return bad(d, "names malformed or out of order");
	}
	return v->names != NULL;
}

static bool get_caps(struct decoder *d, struct xos_policy_statement *s)
{
	uint8_t n, cap;
	if (!get_u8(d, &n))
		return false;
	if (n > XOS_CAP_COUNT || (n != 0) != (s->effect == XOS_POLICY_LIMIT))
		return bad(d, "a limit without caps, or caps without a limit");
	s->ncaps = n;
	s->caps = take(d, n, sizeof(*s->caps));
	for (size_t i = 0; s->caps && i < n; i++) {
		struct xos_policy_cap_value *v = &s->caps[i];
		if (!get_u8(d, &cap))
			return false;
		if (cap >= XOS_CAP_COUNT || (i && cap <= (uint8_t)v[-1].cap))
			return bad(d, "an unknown cap, or caps out of order");
		v->cap = (enum xos_policy_cap)cap;
		if (v->cap == XOS_CAP_ACCOUNT_CLASS ? !get_names(d, v)
		                                    : !get_number(d, XOS_POLICY_NUMBER, &v->number))
			return false;
		if (v->cap != XOS_CAP_ACCOUNT_CLASS && v->number == 0)
			return bad(d, "a limit of nothing");
	}
	return s->caps != NULL;
}

static bool get_statement(struct decoder *d, struct xos_policy_statement *s)
{
	uint8_t effect, has_cond;
	struct xos_policy_place place;
	const char *hint = NULL;
	d->nodes = 0;
	if (!get_u8(d, &effect))
		return false;
	if (effect != XOS_POLICY_CHECK && effect != XOS_POLICY_LIMIT)
		return bad(d, "a delegation cannot say this");
	s->effect = (enum xos_policy_effect)effect;
	s->set = d->set;
	if (!get_text(d, 63, &s->id) || !get_text(d, XOS_POLICY_BECAUSE_MAX, &s->because) ||
	    !get_text(d, XOS_POLICY_BECAUSE_MAX, &s->contact) || !get_u64(d, &s->actions) ||
	    !get_place(d, &place) || !get_u8(d, &has_cond))
		return false;
	if (place.n) {
		s->places = take(d, 1, sizeof(*s->places));
		if (!s->places)
			return false;
		s->places[0] = place;
		s->nplaces = 1;
	}
	if (s->id && !xos_policy_word_ok(s->id))
		return bad(d, "a malformed id");
	if (s->actions != UINT64_MAX && !actions_ok(d, s->actions))
		return bad(d, "an unknown action");
	bool check = s->effect == XOS_POLICY_CHECK;
	if (has_cond > 1 || (check && (!has_cond || s->nplaces || s->actions != UINT64_MAX)))
		return bad(d, "a check is a condition and nothing else");
	if (has_cond && !get_cond(d, 0, &s->cond))
		return false;
	if (d->nodes > XOS_POLICY_NODES_MAX)
		return bad(d, "a condition that is too large or too deep");
	if (!get_caps(d, s))
		return false;
	const char *problem = xos_policy_statement_check(s, &hint);
	return !problem || bad(d, problem);
}

static bool get_set(struct decoder *d)
{
	struct xos_policy_set *set = d->set;
	uint8_t version, schema;
	uint16_t n;
	set->level = XOS_POLICY_DELEGATION;
	if (!get_u8(d, &version) || !get_u8(d, &schema))
		return false;
	if (version != XOS_WIRE_VERSION || schema == 0 || schema > XOS_POLICY_SCHEMA)
		return bad(d, "a version that this program does not know");
	set->schema = schema;
	if (!get_text(d, XOS_MEMBER_MAX, &set->name) || !get_u16(d, &n))
		return false;
	if (!set->name)
		set->name = "";
	else if (!xos_name_is_member("x", set->name))
		return bad(d, "the delegator's name is malformed");
	/* Memory follows the bytes that are really there, not the number they promise. */
	if (n > d->r.left / STATEMENT_MIN)
		return bad(d, "it is cut short");
	set->statements = take(d, n, sizeof(*set->statements));
	for (size_t i = 0; set->statements && i < n; i++) {
		set->statements[i].number = (uint32_t)i + 1;
		if (!get_statement(d, &set->statements[i]))
			return false;
		for (size_t j = 0; set->statements[i].id && j < i; j++)
			if (set->statements[j].id &&
			    strcmp(set->statements[j].id, set->statements[i].id) == 0)
				return bad(d, "an id twice");
	}
	set->n = n;
	if (!set->statements)
		return false;
	return xos_reader_end(&d->r) == XOS_OK || bad(d, "bytes after its end");
}

/* One set, one form: whatever the checks above let through must also come out the same. */
static bool canonical(struct decoder *d, struct xos_bytes in)
{
	struct xos_buf again;
	xos_buf_init(&again, XOS_RESTRICTION_MAX);
	xos_wire_put(&again, d->set);
	bool same = xos_buf_status(&again) == XOS_OK && xos_bytes_eq(xos_buf_bytes(&again), in);
	d->memory |= xos_buf_status(&again) == XOS_INTERNAL;
	xos_buf_free(&again);
	return same || bad(d, "it is not in canonical form");
}

enum xos_status xos_restriction_decode(
    struct xos_bytes in, struct xos_policy_set **out, struct xos_err *err)
{
	struct decoder d = {.set = NULL};
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
