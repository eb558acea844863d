/* Literals, and the lists of them that stand in { } or have a name. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "policy/parser.h"

static bool number_parse(const struct xos_policy_parser *p, enum xos_policy_type type, int64_t *v)
{
	uint64_t u = 0;
	switch (type) {
	case XOS_POLICY_NUMBER:
		if (!xos_parse_u64(p->word, INT64_MAX, &u))
			return false;
		*v = (int64_t)u;
		return true;
	case XOS_POLICY_DURATION:
		return xos_duration_parse(p->word, v);
	case XOS_POLICY_SIZE:
		return xos_policy_size_parse(p->word, v);
	case XOS_POLICY_TIME:
		return xos_policy_date_parse(p->word, v);
	case XOS_POLICY_BOOL:
		*v = xos_parser_is(p, "true");
		return *v || xos_parser_is(p, "false");
	case XOS_POLICY_STRING:
	case XOS_POLICY_IP:
		break;
	}
	return false;
}

bool xos_parser_number(struct xos_policy_parser *p, enum xos_policy_type type, int64_t *v)
{
	static const char *const hints[XOS_POLICY_IP + 1] = {
	    [XOS_POLICY_BOOL] = "write true or false",
	    [XOS_POLICY_NUMBER] = "write a whole number",
	    [XOS_POLICY_DURATION] = "write a whole number with its unit: 90s, 15m, 12h, 7d, 2w",
	    [XOS_POLICY_SIZE] = "write a whole number with its unit: 512MiB, 4GiB, 10GB, 100B",
	    [XOS_POLICY_TIME] = "write a moment in UTC: 2026-12-01T00:00Z"};
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (p->t.kind != XOS_TOKEN_WORD || !number_parse(p, type, v))
		return xos_parser_error(p, NULL, hints[type], "'%.*s' is not a %s",
		    xos_parser_shown(p), xos_parser_text(p), xos_policy_type_name(type));
	xos_parser_next(p);
	return true;
}

bool xos_parser_prefix(struct xos_policy_parser *p, struct xos_policy_ip *ip)
{
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (p->t.kind != XOS_TOKEN_WORD || !xos_policy_prefix_parse(p->word, ip))
		return xos_parser_error(p, NULL,
		    "write 131.254.0.0/16 or 2001:db8::/32, with zero bits after the prefix",
		    "'%.60s' is not an address prefix", p->word);
	xos_parser_next(p);
	return true;
}

bool xos_parser_word_or_string(struct xos_policy_parser *p, const char **s)
{
	if (p->t.kind != XOS_TOKEN_WORD || p->t.len > XOS_POLICY_STRING_MAX)
		return xos_parser_string(p, XOS_POLICY_STRING_MAX, "a string", s);
	*s = xos_parser_keep(p);
	if (!*s)
		return false;
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

static int who_order(const void *a, const void *b)
{
	const struct xos_policy_who *x = a, *y = b;
	if (x->kind != y->kind)
		return (int)x->kind - (int)y->kind;
	return x->name && y->name ? strcmp(x->name, y->name) : 0;
}

size_t xos_policy_unique(void *v, size_t n, size_t size, int (*order)(const void *, const void *))
{
	char *p = v;
	size_t kept = n ? 1 : 0;
	if (n > 1)
		qsort(v, n, size, order);
	for (size_t i = 1; i < n; i++) {
		if (order(p + (kept - 1) * size, p + i * size) == 0)
			continue;
		memmove(p + kept * size, p + i * size, size);
		kept++;
	}
	return kept;
}

static size_t element_size(const struct xos_names *v)
{
	switch (v->kind) {
	case XOS_NAMES_PREFIXES:
		return sizeof(*v->u.prefixes);
	case XOS_NAMES_NUMBERS:
		return sizeof(*v->u.numbers);
	case XOS_NAMES_STRINGS:
		return sizeof(*v->u.strings);
	case XOS_NAMES_WHOS:
		return sizeof(*v->u.whos);
	case XOS_NAMES_PLACES:
		return sizeof(*v->u.places);
	case XOS_NAMES_ACTIONS:
		break;
	}
	return 0;
}

static bool count_nodes(struct xos_policy_parser *p, size_t n)
{
	p->nodes += (uint32_t)n;
	return p->nodes <= XOS_POLICY_NODES_MAX ||
	       xos_parser_error(p, NULL, "split it into several statements",
	           "the conditions of one statement have more than %u parts", XOS_POLICY_NODES_MAX);
}

/* Room for n more elements; the place of the first, NULL after an error. */
static void *make_room(struct xos_policy_parser *p, struct xos_names *v, size_t n)
{
	size_t size = element_size(v);
	const void *old = v->u.prefixes; /* all members of the union are pointers */
	if (n > XOS_POLICY_VALUES_IN_SET - v->n) {
		xos_parser_error(p, NULL, "split it into several statements",
		    "too many values in one set; at most %u", XOS_POLICY_VALUES_IN_SET);
		return NULL;
	}
	if (!count_nodes(p, n))
		return NULL;
	void *list = NULL;
	if (n == 1) {
		list = xos_policy_memory_grow(p->set->memory, old, v->n, size);
	} else {
		/* Capacities are powers of two, as memory_grow() wants them. */
		size_t cap = 4;
		while (cap < v->n + n)
			cap *= 2;
		list = xos_policy_memory_take(p->set->memory, cap * size);
		if (list && v->n)
			memcpy(list, old, v->n * size);
	}
	if (!list) {
		xos_parser_memory(p);
		return NULL;
	}
	v->u.prefixes = list;
	v->n += n;
	return (char *)list + (v->n - n) * size;
}

static bool add_named(struct xos_policy_parser *p, struct xos_names *into)
{
	const struct xos_names *from = xos_parser_named(p, into->kind);
	if (!from)
		return false;
	if (into->kind == XOS_NAMES_NUMBERS && from->type != into->type)
		return xos_parser_error(p, NULL, NULL, "$%s holds values of type %s, not %s",
		    from->name, xos_policy_type_name(from->type), xos_policy_type_name(into->type));
	xos_parser_next(p);
	if (into->kind == XOS_NAMES_ACTIONS) {
		into->u.actions |= from->u.actions;
		return true;
	}
	void *at = make_room(p, into, from->n);
	if (!at)
		return false;
	memcpy(at, from->u.prefixes, from->n * element_size(into));
	return true;
}

static bool add_literal(struct xos_policy_parser *p, struct xos_names *into)
{
	union {
		struct xos_policy_ip ip;
		int64_t number;
		const char *string;
		struct xos_policy_who who;
		struct xos_policy_place place;
	} v = {.number = 0};
	bool ok = false;
	switch (into->kind) {
	case XOS_NAMES_PREFIXES:
		ok = xos_parser_prefix(p, &v.ip);
		break;
	case XOS_NAMES_NUMBERS:
		ok = xos_parser_number(p, into->type, &v.number);
		break;
	case XOS_NAMES_STRINGS:
		ok = xos_parser_word_or_string(p, &v.string);
		break;
	case XOS_NAMES_WHOS:
		ok = xos_parser_who(p, &v.who);
		break;
	case XOS_NAMES_PLACES:
		ok = xos_parser_place(p, &v.place) &&
		     (v.place.n || xos_parser_error(p, NULL, "leave the others out",
		                       "'any' among other resources"));
		break;
	case XOS_NAMES_ACTIONS:
		return xos_parser_action(p, &into->u.actions);
	}
	void *at = ok ? make_room(p, into, 1) : NULL;
	if (!at)
		return false;
	memcpy(at, &v, element_size(into));
	return true;
}

bool xos_parser_list_add(struct xos_policy_parser *p, struct xos_names *into)
{
	return p->t.kind == XOS_TOKEN_NAME ? add_named(p, into) : add_literal(p, into);
}

void xos_parser_list_end(struct xos_names *into)
{
	size_t size = element_size(into);
	switch (into->kind) {
	case XOS_NAMES_PREFIXES:
		into->n =
		    xos_policy_unique(into->u.prefixes, into->n, size, xos_policy_prefix_order);
		break;
	case XOS_NAMES_NUMBERS:
		into->n = xos_policy_unique(into->u.numbers, into->n, size, number_order);
		break;
	case XOS_NAMES_STRINGS:
		into->n =
		    xos_policy_unique(into->u.strings, into->n, size, xos_policy_string_order);
		break;
	case XOS_NAMES_WHOS:
		into->n = xos_policy_unique(into->u.whos, into->n, size, who_order);
		break;
	case XOS_NAMES_PLACES:
		into->n = xos_policy_places_unique(into->u.places, into->n);
		break;
	case XOS_NAMES_ACTIONS:
		break;
	}
}

/* A named set alone is taken as it is: nothing is copied, however often it is used. */
static bool take_named(struct xos_policy_parser *p, struct xos_names *into)
{
	const struct xos_names *from = xos_parser_named(p, into->kind);
	if (!from || (into->kind == XOS_NAMES_NUMBERS && from->type != into->type))
		return from && add_named(p, into); /* tells what is wrong */
	if (!count_nodes(p, from->n))
		return false;
	into->n = from->n;
	into->u = from->u;
	xos_parser_next(p);
	return true;
}

bool xos_parser_list(struct xos_policy_parser *p, struct xos_names *into)
{
	if (p->t.kind == XOS_TOKEN_NAME)
		return take_named(p, into);
	if (!xos_parser_expect(p, "{", "a set of values stands in { }, or is named: $campus"))
		return false;
	do {
		if (!xos_parser_list_add(p, into))
			return false;
	} while (xos_parser_accept(p, ","));
	xos_parser_list_end(into);
	return xos_parser_expect(p, "}", "values are separated by commas");
}
