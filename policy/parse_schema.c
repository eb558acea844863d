/* What a set adds to the schema: schema { kind demo.dataset; action demo.annotate for dataset; } */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "policy/parser.h"

#define OWN_ACTIONS_MAX (XOS_POLICY_ACTIONS_MAX - XOS_POLICY_ACTION_OWN)
#define OWN_ATTRS_MAX (XOS_POLICY_ATTRS_MAX - XOS_POLICY_ATTR_OWN)
#define OWN_KINDS_MAX 16u

static const char usage[] =
    "write schema { attribute demo.licences number optional for job.submit; "
    "action demo.annotate for file; kind demo.dataset; }";

/* A VO may have the name of a built-in component; what it adds would then look built in. */
static bool built_in(const char *vo)
{
	static const char *const words[] = {"auth", "subject", "ctx", "job", "token", "resource",
	    "file", "session", "node", "site", "vo", "class", "tag", "service"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(vo, words[i]) == 0)
			return true;
	return false;
}

static bool name_ok(const struct xos_policy_parser *p)
{
	char vo[XOS_VO_MAX + 1] = "";
	const char *dot = strchr(p->word, '.');
	size_t n = dot ? (size_t)(dot - p->word) : sizeof(vo);
	if (n >= sizeof(vo) || !xos_policy_word_ok(p->word) || !xos_policy_word_ok(dot + 1))
		return false;
	memcpy(vo, p->word, n);
	if (!xos_name_is_vo(vo) || built_in(vo))
		return false;
	return !p->set->vo || strcmp(vo, p->set->vo) == 0;
}

static bool parse_name(struct xos_policy_parser *p, const char **name)
{
	*name = "";
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (p->t.kind != XOS_TOKEN_WORD || !name_ok(p))
		return xos_parser_error(p, NULL,
		    "what a VO adds begins with its name and a dot: demo.licences",
		    "'%.*s' is not a name for an addition", xos_parser_shown(p),
		    xos_parser_text(p));
	if (xos_policy_set_attr(p->set, p->word) || xos_policy_set_action(p->set, p->word) ||
	    xos_policy_set_has_kind(p->set, p->word))
		return xos_parser_error(p, NULL, NULL, "%.60s is there already", p->word);
	*name = xos_parser_keep(p);
	if (!*name)
		return false;
	xos_parser_next(p);
	return true;
}

static bool full(struct xos_policy_parser *p, const char *what, size_t max)
{
	return xos_parser_error(p, NULL, NULL, "a set adds at most %zu %s", max, what);
}

/* Arrays are taken whole, so that conditions may point into them. */
static void *array(struct xos_policy_parser *p, void *old, size_t n, size_t size)
{
	void *v = old ? old : xos_policy_memory_take(p->set->memory, n * size);
	if (!v)
		xos_parser_memory(p);
	return v;
}

static bool parse_kind(struct xos_policy_parser *p)
{
	struct xos_policy_set *set = p->set;
	const char *name = NULL;
	if (!parse_name(p, &name))
		return false;
	if (set->nown_kinds == OWN_KINDS_MAX)
		return full(p, "kinds", OWN_KINDS_MAX);
	set->own_kinds = array(p, set->own_kinds, OWN_KINDS_MAX, sizeof(*set->own_kinds));
	if (!set->own_kinds)
		return false;
	set->own_kinds[set->nown_kinds++] = name;
	return true;
}

/* "dataset" is short for "demo.dataset". */
static bool take_kind(
    struct xos_policy_parser *p, const char *action, struct xos_policy_own_kinds *kinds)
{
	char full[2 * 64];
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	snprintf(full, sizeof(full), "%.*s.%.63s", (int)strcspn(action, "."), action, p->word);
	const char *name = xos_policy_set_has_kind(p->set, p->word) ? p->word : full;
	if (p->t.kind != XOS_TOKEN_WORD || !xos_policy_set_has_kind(p->set, name))
		return xos_parser_error(p, NULL, "declare it first: kind demo.dataset;",
		    "'%.*s' is not a kind of resource", xos_parser_shown(p), xos_parser_text(p));
	for (size_t i = 0; i < kinds->n; i++)
		if (strcmp(kinds->list[i], name) == 0)
			return xos_parser_error(p, NULL, NULL, "%.60s twice", name);
	/* Each once, so there are never more than there are kinds. */
	kinds->list =
	    xos_policy_memory_grow(p->set->memory, kinds->list, kinds->n, sizeof(*kinds->list));
	name = xos_policy_memory_string(p->set->memory, name, strlen(name));
	if (!kinds->list || !name)
		return xos_parser_memory(p);
	kinds->list[kinds->n++] = name;
	xos_parser_next(p);
	return true;
}

static bool parse_action(struct xos_policy_parser *p)
{
	struct xos_policy_set *set = p->set;
	struct xos_policy_action a = {.since = 1, .what = "added by the set"};
	struct xos_policy_own_kinds kinds = {NULL, 0};
	if (p->all_named)
		return xos_parser_error(p, NULL, "move the schema to the top of the set",
		    "an action is added below where 'any' or '.*' named all of them");
	if (!parse_name(p, &a.name))
		return false;
	if (set->nown_actions == OWN_ACTIONS_MAX)
		return full(p, "actions", OWN_ACTIONS_MAX);
	a.code = (uint8_t)(XOS_POLICY_ACTION_OWN + set->nown_actions);
	if (xos_parser_accept(p, "for")) {
		do {
			if (!take_kind(p, a.name, &kinds))
				return false;
		} while (xos_parser_accept(p, ","));
		if (kinds.list)
			qsort(kinds.list, kinds.n, sizeof(*kinds.list), xos_policy_string_order);
	}
	set->own_actions = array(p, set->own_actions, OWN_ACTIONS_MAX, sizeof(a));
	set->own_for = array(p, set->own_for, OWN_ACTIONS_MAX, sizeof(kinds));
	if (!set->own_actions || !set->own_for)
		return false;
	set->own_for[set->nown_actions] = kinds;
	set->own_actions[set->nown_actions++] = a;
	return true;
}

static bool parse_type(struct xos_policy_parser *p, enum xos_policy_type *type)
{
	for (unsigned t = XOS_POLICY_BOOL; t <= XOS_POLICY_IP; t++) {
		if (!xos_parser_accept(p, xos_policy_type_name((enum xos_policy_type)t)))
			continue;
		*type = (enum xos_policy_type)t;
		return true;
	}
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	return xos_parser_error(p, NULL, "types: bool, number, duration, size, time, string, ip",
	    "'%.*s' is not a type", xos_parser_shown(p), xos_parser_text(p));
}

static bool parse_attribute(struct xos_policy_parser *p)
{
	struct xos_policy_set *set = p->set;
	struct xos_policy_attr a = {.since = 1, .from_context = true, .what = "added by the set"};
	if (!parse_name(p, &a.name) || !parse_type(p, &a.type))
		return false;
	bool given = xos_parser_accept(p, "given");
	if (!given && !xos_parser_expect(p, "optional",
	                  "say whether every request has it: given for ..., or optional for ..."))
		return false;
	if (!xos_parser_expect(p, "for", usage) ||
	    !xos_parser_actions(p, true, given ? &a.given : &a.optional))
		return false;
	if (set->nown_attrs == OWN_ATTRS_MAX)
		return full(p, "attributes", OWN_ATTRS_MAX);
	a.code = (uint8_t)(XOS_POLICY_ATTR_OWN + set->nown_attrs);
	set->own_attrs = array(p, set->own_attrs, OWN_ATTRS_MAX, sizeof(a));
	if (!set->own_attrs)
		return false;
	set->own_attrs[set->nown_attrs++] = a;
	return true;
}

static bool parse_part(struct xos_policy_parser *p)
{
	bool ok;
	if (xos_parser_accept(p, "kind"))
		ok = parse_kind(p);
	else if (xos_parser_accept(p, "action"))
		ok = parse_action(p);
	else if (xos_parser_accept(p, "attribute"))
		ok = parse_attribute(p);
	else if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	else
		return xos_parser_error(p, NULL, usage,
		    "expected kind, action or attribute, found '%.*s'", xos_parser_shown(p),
		    xos_parser_text(p));
	return ok && xos_parser_expect(p, ";", "each addition ends with ';'");
}

bool xos_parser_schema(struct xos_policy_parser *p)
{
	if (p->set->level == XOS_POLICY_DELEGATION)
		return xos_parser_error(p, NULL, "a certificate names what every verifier knows",
		    "a delegation cannot add to the schema");
	xos_parser_next(p);
	if (!xos_parser_expect(p, "{", usage))
		return false;
	while (!xos_parser_is(p, "}"))
		if (!parse_part(p))
			return false;
	xos_parser_next(p);
	xos_parser_accept(p, ";");
	return true;
}
