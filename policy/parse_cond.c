/* Conditions: and, or, not, and the tests they are made of. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "policy/parser.h"

static struct xos_policy_cond *new_cond(struct xos_policy_parser *p, enum xos_policy_cond_op op)
{
	if (++p->nodes > XOS_POLICY_NODES_MAX) {
		xos_parser_error(p, NULL, "split it into several statements",
		    "the conditions of one statement have more than %u parts",
		    XOS_POLICY_NODES_MAX);
		return NULL;
	}
	struct xos_policy_cond *c = xos_policy_memory_take(p->set->memory, sizeof(*c));
	if (!c)
		xos_parser_memory(p);
	else
		c->op = op;
	return c;
}

unsigned xos_policy_cond_depth(const struct xos_policy_cond *c)
{
	unsigned deepest = 0;
	if (!c || c->op > XOS_COND_NOT)
		return 0;
	for (size_t i = 0; i < c->n; i++) {
		unsigned d = xos_policy_cond_depth(c->u.kids[i]);
		deepest = d > deepest ? d : deepest;
	}
	return deepest + 1;
}

struct xos_policy_cond *xos_parser_cond_not(struct xos_policy_parser *p, struct xos_policy_cond *c)
{
	struct xos_policy_cond *r = c ? new_cond(p, XOS_COND_NOT) : NULL;
	if (!r)
		return NULL;
	r->u.kids = xos_policy_memory_take(p->set->memory, sizeof(struct xos_policy_cond *));
	if (!r->u.kids) {
		xos_parser_memory(p);
		return NULL;
	}
	r->u.kids[0] = c;
	r->n = 1;
	return r;
}

static bool add_kid(
    struct xos_policy_parser *p, struct xos_policy_cond *c, struct xos_policy_cond *kid)
{
	struct xos_policy_cond **kids = xos_policy_memory_grow(
	    p->set->memory, c->u.kids, c->n, sizeof(struct xos_policy_cond *));
	if (!kids)
		return xos_parser_memory(p);
	c->u.kids = kids;
	kids[c->n++] = kid;
	return true;
}

/* "a and (b and c)" is "a and b and c": one form for one meaning. */
static bool add_flat(
    struct xos_policy_parser *p, struct xos_policy_cond *c, struct xos_policy_cond *kid)
{
	if (kid->op != c->op)
		return add_kid(p, c, kid);
	for (size_t i = 0; i < kid->n; i++)
		if (!add_kid(p, c, kid->u.kids[i]))
			return false;
	return true;
}

struct xos_policy_cond *xos_parser_cond_join(struct xos_policy_parser *p,
    enum xos_policy_cond_op op, struct xos_policy_cond *a, struct xos_policy_cond *b)
{
	if (!a || !b)
		return a ? a : b;
	if (a->op == op)
		return add_flat(p, a, b) ? a : NULL;
	struct xos_policy_cond *r = new_cond(p, op);
	return r && add_flat(p, r, a) && add_flat(p, r, b) ? r : NULL;
}

static bool parse_or(struct xos_policy_parser *p, unsigned depth, struct xos_policy_cond **out);

static const char *attr_word(size_t i)
{
	size_t n;
	const struct xos_policy_attr *a = xos_policy_attrs(&n);
	return i < n ? a[i].name : NULL;
}

static const struct xos_policy_attr *parse_attr(struct xos_policy_parser *p)
{
	char hint[80];
	const struct xos_policy_attr *a = NULL;
	if (p->t.kind == XOS_TOKEN_ERROR)
		return NULL;
	if (p->t.kind == XOS_TOKEN_WORD)
		a = xos_policy_attr_find(p->word, p->set->schema);
	if (!a) {
		xos_parser_error(p, NULL,
		    xos_parser_suggest(hint, sizeof(hint), p->word,
		        "`xos-policy schema` lists the attributes", attr_word),
		    "unknown attribute or test '%.*s'", (int)(p->t.len < 40 ? p->t.len : 40),
		    p->t.text);
		return NULL;
	}
	xos_parser_next(p);
	return a;
}

static bool parse_cmp(struct xos_policy_parser *p, enum xos_policy_cmp *cmp)
{
	static const struct {
		const char *text;
		enum xos_policy_cmp cmp;
	} ops[] = {{"==", XOS_CMP_EQ}, {"!=", XOS_CMP_NE}, {"<", XOS_CMP_LT}, {"<=", XOS_CMP_LE},
	    {">", XOS_CMP_GT}, {">=", XOS_CMP_GE}};
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (!xos_parser_accept(p, ops[i].text))
			continue;
		*cmp = ops[i].cmp;
		return true;
	}
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	return xos_parser_error(p, NULL, NULL, "expected a comparison (== != < <= > >=) or 'in'");
}

bool xos_parser_number(struct xos_policy_parser *p, enum xos_policy_type type, int64_t *v)
{
	static const char *const hints[] = {[XOS_POLICY_BOOL] = "write true or false",
	    [XOS_POLICY_NUMBER] = "write a whole number",
	    [XOS_POLICY_DURATION] = "write a whole number with its unit: 90s, 15m, 12h, 7d, 2w",
	    [XOS_POLICY_SIZE] = "write a whole number with its unit: 512MiB, 4GiB, 10GB, 100B",
	    [XOS_POLICY_TIME] = "write a moment in UTC: 2026-12-01T00:00Z"};
	uint64_t u = 0;
	bool ok = false;
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (type == XOS_POLICY_NUMBER && (ok = xos_parse_u64(p->word, INT64_MAX, &u)))
		*v = (int64_t)u;
	else if (type == XOS_POLICY_DURATION)
		ok = xos_duration_parse(p->word, v);
	else if (type == XOS_POLICY_SIZE)
		ok = xos_policy_size_parse(p->word, v);
	else if (type == XOS_POLICY_TIME)
		ok = xos_policy_date_parse(p->word, v);
	else if (type == XOS_POLICY_BOOL &&
	         (ok = xos_parser_is(p, "true") || xos_parser_is(p, "false")))
		*v = xos_parser_is(p, "true");
	if (!ok || p->t.kind != XOS_TOKEN_WORD)
		return xos_parser_error(p, NULL, hints[type], "'%.*s' is not a %s",
		    (int)(p->t.len < 40 ? p->t.len : 40), p->t.text, xos_policy_type_name(type));
	xos_parser_next(p);
	return true;
}

static int number_order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

int xos_policy_string_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts and drops what is there twice; gives the new count. */
static size_t unique(void *v, size_t n, size_t size, int (*order)(const void *, const void *))
{
	char *p = v;
	size_t kept = n ? 1 : 0;
	qsort(v, n, size, order);
	for (size_t i = 1; i < n; i++) {
		if (order(p + (kept - 1) * size, p + i * size) == 0)
			continue;
		memmove(p + kept * size, p + i * size, size);
		kept++;
	}
	return kept;
}

/* One value of the kind that c holds, added to it. */
static bool add_value(struct xos_policy_parser *p, struct xos_policy_cond *c, bool prefixes)
{
	struct xos_policy_memory *m = p->set->memory;
	if (c->n == XOS_POLICY_VALUES_IN_SET || ++p->nodes > XOS_POLICY_NODES_MAX)
		return xos_parser_error(p, NULL, "split it into several statements",
		    "too many values in one set; at most %u", XOS_POLICY_VALUES_IN_SET);
	if (prefixes) {
		struct xos_policy_ip ip;
		if (p->t.kind == XOS_TOKEN_ERROR)
			return false;
		if (p->t.kind != XOS_TOKEN_WORD || !xos_policy_prefix_parse(p->word, &ip))
			return xos_parser_error(p, NULL,
			    "write 131.254.0.0/16 or 2001:db8::/32, with zero bits after the "
			    "prefix",
			    "'%.60s' is not an address prefix", p->word);
		xos_parser_next(p);
		c->u.prefixes = xos_policy_memory_grow(m, c->u.prefixes, c->n, sizeof(ip));
		if (!c->u.prefixes)
			return xos_parser_memory(p);
		c->u.prefixes[c->n++] = ip;
		return true;
	}
	if (c->attr->type == XOS_POLICY_STRING) {
		const char *s = NULL;
		if (p->t.kind == XOS_TOKEN_WORD && strlen(p->word) <= XOS_POLICY_STRING_MAX) {
			s = xos_parser_keep(p);
			if (!s)
				return false;
			xos_parser_next(p);
		} else if (!xos_parser_string(p, XOS_POLICY_STRING_MAX, "a string", &s)) {
			return false;
		}
		c->u.strings = xos_policy_memory_grow(m, c->u.strings, c->n, sizeof(s));
		if (!c->u.strings)
			return xos_parser_memory(p);
		c->u.strings[c->n++] = s;
		return true;
	}
	int64_t v = 0;
	if (!xos_parser_number(p, c->attr->type, &v))
		return false;
	c->u.numbers = xos_policy_memory_grow(m, c->u.numbers, c->n, sizeof(v));
	if (!c->u.numbers)
		return xos_parser_memory(p);
	c->u.numbers[c->n++] = v;
	return true;
}

static bool parse_values(struct xos_policy_parser *p, struct xos_policy_cond *c, bool prefixes)
{
	if (prefixes && !xos_parser_is(p, "{"))
		return add_value(p, c, prefixes);
	if (!xos_parser_expect(p, "{", "a set of values stands in { }"))
		return false;
	do {
		if (!add_value(p, c, prefixes))
			return false;
	} while (xos_parser_accept(p, ","));
	if (!xos_parser_expect(p, "}", "values are separated by commas"))
		return false;
	if (prefixes)
		c->n = unique(c->u.prefixes, c->n, sizeof(*c->u.prefixes), xos_policy_prefix_order);
	else if (c->attr->type == XOS_POLICY_STRING)
		c->n = unique(c->u.strings, c->n, sizeof(*c->u.strings), xos_policy_string_order);
	else
		c->n = unique(c->u.numbers, c->n, sizeof(*c->u.numbers), number_order);
	return true;
}

static struct xos_policy_cond *parse_ip(struct xos_policy_parser *p)
{
	struct xos_policy_cond *c = new_cond(p, XOS_COND_IP);
	struct xos_policy_token at;
	if (!c || !xos_parser_expect(p, "(", "write ip(ctx.src) in 131.254.0.0/16"))
		return NULL;
	at = p->t;
	c->attr = parse_attr(p);
	if (!c->attr)
		return NULL;
	if (c->attr->type != XOS_POLICY_IP) {
		xos_parser_error(p, &at, NULL, "%s is a %s, not an address", c->attr->name,
		    xos_policy_type_name(c->attr->type));
		return NULL;
	}
	if (!xos_parser_expect(p, ")", NULL) ||
	    !xos_parser_expect(p, "in", "write ip(ctx.src) in 131.254.0.0/16") ||
	    !parse_values(p, c, true))
		return NULL;
	return c;
}

/* "08:00" at s; 24:00 is the end of a day. */
static bool clock_minutes(const char *s, bool end, int16_t *v)
{
	for (int i = 0; i < 5; i++)
		if (i == 2 ? s[i] != ':' : s[i] < '0' || s[i] > '9')
			return false;
	int h = (s[0] - '0') * 10 + s[1] - '0', m = (s[3] - '0') * 10 + s[4] - '0';
	*v = (int16_t)(h * 60 + m);
	return (h < 24 && m < 60) || (end && h == 24 && m == 0);
}

static bool parse_zone(struct xos_policy_parser *p, int16_t *offset)
{
	const char *w = p->word;
	*offset = 0;
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (xos_parser_accept(p, "UTC") || xos_parser_accept(p, "Z"))
		return true;
	if ((w[0] == '+' || w[0] == '-') && strlen(w) == 6 && clock_minutes(w + 1, false, offset) &&
	    *offset <= 14 * 60) {
		if (w[0] == '-')
			*offset = (int16_t) - *offset;
		xos_parser_next(p);
		return true;
	}
	return xos_parser_error(p, NULL, "write UTC, or a fixed offset from it such as +01:00",
	    "'%.*s' is not a time zone that is supported yet", (int)(p->t.len < 40 ? p->t.len : 40),
	    p->t.text);
}

static struct xos_policy_cond *parse_time(struct xos_policy_parser *p)
{
	struct xos_policy_cond *c = new_cond(p, XOS_COND_TIME);
	if (!c || !xos_parser_expect(p, "in", "write time in 08:00-20:00 UTC"))
		return NULL;
	struct xos_policy_window *w = &c->u.window;
	if (strlen(p->word) != 11 || p->word[5] != '-' ||
	    !clock_minutes(p->word, false, &w->start) ||
	    !clock_minutes(p->word + 6, true, &w->end) || w->start == w->end) {
		if (p->t.kind != XOS_TOKEN_ERROR)
			xos_parser_error(p, NULL, "write time in 08:00-20:00 UTC",
			    "'%.40s' is not a window of time", p->word);
		return NULL;
	}
	xos_parser_next(p);
	w->days = XOS_POLICY_EVERY_DAY;
	return parse_zone(p, &w->clock.offset) ? c : NULL;
}

static struct xos_policy_cond *parse_now(struct xos_policy_parser *p)
{
	struct xos_policy_cond *c = new_cond(p, XOS_COND_NOW);
	int64_t *v = c ? xos_policy_memory_take(p->set->memory, sizeof(*v)) : NULL;
	if (!v)
		xos_parser_memory(p);
	if (!v || !parse_cmp(p, &c->cmp) || !xos_parser_number(p, XOS_POLICY_TIME, v))
		return NULL;
	c->u.numbers = v;
	c->n = 1;
	return c;
}

static struct xos_policy_cond *parse_action(struct xos_policy_parser *p)
{
	struct xos_policy_cond *c = new_cond(p, XOS_COND_ACTION);
	if (!c)
		return NULL;
	bool differs = xos_parser_is(p, "!=");
	if (differs || xos_parser_is(p, "==")) {
		xos_parser_next(p);
		if (!xos_parser_action(p, &c->u.actions))
			return NULL;
		return differs ? xos_parser_cond_not(p, c) : c;
	}
	if (!xos_parser_expect(p, "in", "write action in {job.submit, file.read}") ||
	    !xos_parser_expect(p, "{", "write action in {job.submit, file.read}"))
		return NULL;
	do {
		if (!xos_parser_action(p, &c->u.actions))
			return NULL;
	} while (xos_parser_accept(p, ","));
	return xos_parser_expect(p, "}", "actions are separated by commas") ? c : NULL;
}

static struct xos_policy_cond *parse_attr_test(struct xos_policy_parser *p)
{
	struct xos_policy_token at = p->t;
	const struct xos_policy_attr *attr = parse_attr(p);
	struct xos_policy_cond *c = attr ? new_cond(p, XOS_COND_COMPARE) : NULL;
	if (!c)
		return NULL;
	c->attr = attr;
	if (attr->type == XOS_POLICY_IP) {
		xos_parser_error(p, &at, "write ip(ctx.src) in 131.254.0.0/16",
		    "%s is an address: compare it with ip()", attr->name);
		return NULL;
	}
	if (attr->type == XOS_POLICY_BOOL) {
		c->op = XOS_COND_BOOL;
		if (!xos_parser_is(p, "==") && !xos_parser_is(p, "!="))
			return c;
		int64_t want;
		if (!parse_cmp(p, &c->cmp) || !xos_parser_number(p, XOS_POLICY_BOOL, &want))
			return NULL;
		bool same = c->cmp == XOS_CMP_EQ;
		c->cmp = 0;
		return same == (want != 0) ? c : xos_parser_cond_not(p, c);
	}
	if (xos_parser_accept(p, "in")) {
		c->op = XOS_COND_IN;
		return parse_values(p, c, false) ? c : NULL;
	}
	at = p->t;
	if (!parse_cmp(p, &c->cmp))
		return NULL;
	if (attr->type == XOS_POLICY_STRING && c->cmp != XOS_CMP_EQ && c->cmp != XOS_CMP_NE) {
		xos_parser_error(p, &at, "strings have no order: use ==, != or in",
		    "%s is a string", attr->name);
		return NULL;
	}
	return add_value(p, c, false) ? c : NULL;
}

static bool parse_leaf(struct xos_policy_parser *p, struct xos_policy_cond **out)
{
	struct xos_policy_cond *c = NULL;
	if (xos_parser_starts_who(p)) {
		c = new_cond(p, XOS_COND_WHO);
		if (c && !xos_parser_who(p, &c->u.who))
			c = NULL;
	} else if (xos_parser_accept(p, "on")) {
		c = new_cond(p, XOS_COND_ON);
		if (c && !xos_parser_place(p, &c->u.place))
			c = NULL;
	} else if (xos_parser_accept(p, "has")) {
		c = new_cond(p, XOS_COND_HAS);
		if (c && !(c->attr = parse_attr(p)))
			c = NULL;
	} else if (xos_parser_accept(p, "action")) {
		c = parse_action(p);
	} else if (xos_parser_accept(p, "ip")) {
		c = parse_ip(p);
	} else if (xos_parser_accept(p, "time")) {
		c = parse_time(p);
	} else if (xos_parser_accept(p, "now")) {
		c = parse_now(p);
	} else {
		c = parse_attr_test(p);
	}
	*out = c;
	return c != NULL;
}

static bool too_deep(struct xos_policy_parser *p)
{
	return xos_parser_error(p, NULL, "split it into several statements",
	    "conditions nested deeper than %u", XOS_POLICY_DEPTH_MAX);
}

static bool parse_not(struct xos_policy_parser *p, unsigned depth, struct xos_policy_cond **out)
{
	if (depth > XOS_POLICY_DEPTH_MAX)
		return too_deep(p);
	if (xos_parser_accept(p, "not")) {
		if (!parse_not(p, depth + 1, out))
			return false;
		*out = xos_parser_cond_not(p, *out);
		return *out != NULL;
	}
	if (xos_parser_accept(p, "("))
		return parse_or(p, depth + 1, out) &&
		       xos_parser_expect(p, ")", "a ( is not closed");
	return parse_leaf(p, out);
}

static bool parse_and(struct xos_policy_parser *p, unsigned depth, struct xos_policy_cond **out)
{
	if (!parse_not(p, depth, out))
		return false;
	while (xos_parser_accept(p, "and")) {
		struct xos_policy_cond *more;
		if (!parse_not(p, depth, &more))
			return false;
		*out = xos_parser_cond_join(p, XOS_COND_AND, *out, more);
		if (!*out)
			return false;
	}
	return true;
}

static bool parse_or(struct xos_policy_parser *p, unsigned depth, struct xos_policy_cond **out)
{
	if (!parse_and(p, depth, out))
		return false;
	while (xos_parser_accept(p, "or")) {
		struct xos_policy_cond *more;
		if (!parse_and(p, depth, &more))
			return false;
		*out = xos_parser_cond_join(p, XOS_COND_OR, *out, more);
		if (!*out)
			return false;
	}
	return true;
}

bool xos_parser_cond(struct xos_policy_parser *p, struct xos_policy_cond **out)
{
	return parse_or(p, 0, out);
}
