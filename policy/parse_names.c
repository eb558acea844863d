/* Named sets: define $campus { 131.254.0.0/16, 2001:db8::/32 } */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "policy/parser.h"

static const char *const kind_names[] = {[XOS_NAMES_PREFIXES] = "address prefixes",
    [XOS_NAMES_NUMBERS] = "numbers",
    [XOS_NAMES_STRINGS] = "strings",
    [XOS_NAMES_ACTIONS] = "actions",
    [XOS_NAMES_WHOS] = "principals",
    [XOS_NAMES_PLACES] = "resources"};

struct xos_name_slot *xos_name_find(struct xos_name_table *table, const char *name)
{
	const size_t slots = sizeof(table->slots) / sizeof(table->slots[0]);
	uint32_t h = 2166136261u;
	for (const char *s = name; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	size_t i = h % slots;
	while (table->slots[i].name && strcmp(table->slots[i].name, name) != 0)
		i = (i + 1) % slots;
	return &table->slots[i];
}

static struct xos_names *find(struct xos_policy_parser *p)
{
	/* Written nowhere: a made-up argument. */
	if (p->use && p->use->trial && p->t.line == 0)
		return (struct xos_names *)(uintptr_t)&p->use->made_up[p->use->param];
	struct xos_name_slot *slot = xos_name_find(&p->name_table, p->word);
	if (slot->name) {
		p->names[slot->i].used = true;
		return &p->names[slot->i];
	}
	xos_parser_error(p, NULL, "write define $NAME { ... } above its first use",
	    "there is no set named $%.60s", p->word);
	return NULL;
}

struct xos_names *xos_parser_named(struct xos_policy_parser *p, enum xos_names_kind kind)
{
	struct xos_names *names = find(p);
	if (!names || names->kind == kind)
		return names;
	xos_parser_error(p, NULL,
	    names->kind == XOS_NAMES_NUMBERS ? "strings that look like numbers stand in quotes"
	                                     : NULL,
	    "$%.60s holds %s, not %s", names->name, kind_names[names->kind], kind_names[kind]);
	return NULL;
}

/* The first value tells of which kind they all are. */
static bool guess_kind(struct xos_policy_parser *p, struct xos_names *names)
{
	struct xos_policy_ip ip;
	int64_t v;
	uint64_t u;
	if (p->t.kind == XOS_TOKEN_NAME) {
		const struct xos_names *other = find(p);
		if (!other)
			return false;
		names->kind = other->kind;
		names->type = other->type;
		return true;
	}
	names->kind = XOS_NAMES_NUMBERS;
	if (p->t.kind == XOS_TOKEN_STRING)
		names->kind = XOS_NAMES_STRINGS;
	else if (xos_parser_starts_who(p))
		names->kind = XOS_NAMES_WHOS;
	else if (xos_parser_starts_place(p))
		names->kind = XOS_NAMES_PLACES;
	else if (xos_policy_prefix_parse(p->word, &ip))
		names->kind = XOS_NAMES_PREFIXES;
	else if (xos_policy_named_actions(p->set, p->word))
		names->kind = XOS_NAMES_ACTIONS;
	else if (xos_parse_u64(p->word, INT64_MAX, &u))
		names->type = XOS_POLICY_NUMBER;
	else if (xos_duration_parse(p->word, &v))
		names->type = XOS_POLICY_DURATION;
	else if (xos_policy_size_parse(p->word, &v))
		names->type = XOS_POLICY_SIZE;
	else if (xos_policy_date_parse(p->word, &v))
		names->type = XOS_POLICY_TIME;
	else
		names->kind = XOS_NAMES_STRINGS;
	return true;
}

static bool parse_name(struct xos_policy_parser *p, const char **name)
{
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (p->t.kind != XOS_TOKEN_NAME || !xos_policy_word_ok(p->word))
		return xos_parser_error(p, NULL, "write define $campus { 131.254.0.0/16 }",
		    "expected the name of a set, with a '$' in front");
	if (xos_name_find(&p->name_table, p->word)->name)
		return xos_parser_error(p, NULL, NULL, "$%.60s is defined already", p->word);
	*name = xos_parser_keep(p);
	if (!*name)
		return false;
	xos_parser_next(p);
	return true;
}

bool xos_parser_define(struct xos_policy_parser *p)
{
	struct xos_names names = {.name = NULL};
	xos_parser_next(p);
	names.at = p->t;
	if (!parse_name(p, &names.name) ||
	    !xos_parser_expect(p, "{", "write define $campus { 131.254.0.0/16 }"))
		return false;
	p->nodes = 0;
	if (!guess_kind(p, &names))
		return false;
	do {
		if (!xos_parser_list_add(p, &names))
			return false;
	} while (xos_parser_accept(p, ","));
	xos_parser_list_end(&names);
	if (!xos_parser_expect(p, "}", "values are separated by commas"))
		return false;
	xos_parser_accept(p, ";");
	if (p->nnames == XOS_POLICY_NAMES_MAX) {
		/* It is read to its end: nothing to skip. */
		xos_parser_error(
		    p, &names.at, NULL, "more than %u named sets", XOS_POLICY_NAMES_MAX);
		return true;
	}
	struct xos_names *list =
	    xos_policy_memory_grow(p->set->memory, p->names, p->nnames, sizeof(names));
	if (!list)
		return xos_parser_memory(p);
	p->names = list;
	*xos_name_find(&p->name_table, names.name) =
	    (struct xos_name_slot){names.name, (uint16_t)p->nnames};
	list[p->nnames++] = names;
	return true;
}
