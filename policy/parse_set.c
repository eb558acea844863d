/* A set: its head, its items, and what can only be seen when all of it has been read. */
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/text.h"
#include "policy/parser.h"

static const char *item_word(size_t i)
{
	static const char *const words[] = {"permit", "forbid", "limit", "duty", "check",
	    "delegate", "shadow", "accounts", "node", "define", "template", "use", "schema"};
	return i < sizeof(words) / sizeof(words[0]) ? words[i] : NULL;
}

static bool starts_item(const struct xos_policy_parser *p)
{
	for (size_t i = 0; item_word(i); i++)
		if (xos_parser_is(p, item_word(i)))
			return true;
	return false;
}

/* After an error: to the end of the item, so that the next one is checked as well. */
void xos_parser_skip(struct xos_policy_parser *p, size_t start)
{
	if (p->lexer.at == start)
		xos_parser_next(p); /* always move on, or the same error comes again */
	while (p->t.kind != XOS_TOKEN_END) {
		if (p->braces <= 1 && (xos_parser_is(p, "}") || (p->t.first && starts_item(p))))
			return;
		bool end = p->braces <= 1 && xos_parser_is(p, ";");
		bool close = p->braces == 2 && xos_parser_is(p, "}");
		xos_parser_next(p);
		if (end || (close && (starts_item(p) || xos_parser_is(p, "}"))))
			return;
	}
}

static bool parse_site_item(struct xos_policy_parser *p)
{
	if (p->set->level != XOS_POLICY_SITE)
		return xos_parser_error(p, NULL, "only the owner of a site says this",
		    "'%s' belongs into a site's set", p->word);
	return xos_parser_is(p, "node") ? xos_parser_node(p) : xos_parser_accounts(p);
}

/* What stands in a set but not in a template. */
static bool parse_definition(struct xos_policy_parser *p)
{
	if (p->use)
		return xos_parser_error(
		    p, NULL, "write it outside, in the set itself", "'%s' in a template", p->word);
	if (xos_parser_is(p, "define"))
		return xos_parser_define(p);
	if (xos_parser_is(p, "template"))
		return xos_parser_template(p);
	if (xos_parser_is(p, "use"))
		return xos_parser_use(p);
	if (xos_parser_is(p, "schema"))
		return xos_parser_schema(p);
	return parse_site_item(p);
}

bool xos_parser_item(struct xos_policy_parser *p)
{
	static const char *const effects[] = {
	    "permit", "forbid", "limit", "duty", "check", "delegate", "shadow"};
	char hint[80];
	for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++)
		if (xos_parser_is(p, effects[i]))
			return xos_parser_statement(p);
	if (starts_item(p))
		return parse_definition(p);
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (xos_parser_is(p, "quota"))
		return xos_parser_error(p, NULL,
		    "a statement that this version cannot carry out is never ignored: remove it",
		    "'quota' is not supported yet");
	return xos_parser_error(p, NULL,
	    xos_parser_suggest(hint, sizeof(hint), p->word,
	        "statements start with permit, forbid, limit, duty, check, delegate or shadow",
	        item_word),
	    "'%.*s' does not start a statement", xos_parser_shown(p), xos_parser_text(p));
}

static bool parse_number(struct xos_policy_parser *p, const char *what, uint64_t max, uint64_t *v)
{
	if (p->t.kind != XOS_TOKEN_WORD || !xos_parse_u64(p->word, max, v))
		return xos_parser_error(p, NULL, NULL, "%s must be a whole number, at most %llu",
		    what, (unsigned long long)max);
	xos_parser_next(p);
	return true;
}

/* The first component of a name, up to `end`, in the set's memory. */
static const char *keep_part(struct xos_policy_parser *p, const char *name, const char *end)
{
	const char *s =
	    end ? xos_policy_memory_string(p->set->memory, name, (size_t)(end - name)) : "";
	if (!s)
		xos_parser_memory(p);
	return s;
}

static bool check_node_name(struct xos_policy_parser *p, const struct xos_policy_token *at)
{
	struct xos_policy_set *set = p->set;
	const char *slash = strchr(set->name, '/');
	set->site = keep_part(p, set->name, slash);
	if (!set->site)
		return false;
	return (slash && xos_name_is_site(set->site) && xos_name_is_node(slash + 1)) ||
	       xos_parser_error(p, at, "write \"SITE/NODE\", for example \"lab/n1\"",
	           "'%s' is not the name of a node", set->name);
}

static bool check_owner_name(struct xos_policy_parser *p, const struct xos_policy_token *at)
{
	struct xos_policy_set *set = p->set;
	const char *colon = strchr(set->name, ':');
	set->vo = keep_part(p, set->name, colon);
	if (!set->vo)
		return false;
	return (colon && xos_name_is_vo(set->vo) && xos_name_is_member(set->vo, colon + 1)) ||
	       xos_parser_error(p, at, "write \"VO:NAME\", for example \"demo:alice\"",
	           "'%s' is not the name of a member", set->name);
}

static bool check_group_name(struct xos_policy_parser *p, const struct xos_policy_token *at)
{
	static const char hint[] = "write the full name, for example \"/demo/physics\"";
	struct xos_policy_set *set = p->set;
	if (!xos_name_is_group(set->name))
		return xos_parser_error(p, at, hint, "'%s' is not the name of a group", set->name);
	const char *slash = strchr(set->name + 1, '/');
	if (!slash)
		return xos_parser_error(p, at, "the whole VO is the business of the VO's set",
		    "'%s' is the group of everybody", set->name);
	set->vo = keep_part(p, set->name + 1, slash);
	return set->vo != NULL;
}

static bool parse_level_name(struct xos_policy_parser *p)
{
	struct xos_policy_set *set = p->set;
	struct xos_policy_token at = p->t;
	if (!xos_parser_string(p, XOS_POLICY_STRING_MAX, "the name of the set", &set->name))
		return false;
	switch (set->level) {
	case XOS_POLICY_VO:
		set->vo = set->name;
		return xos_name_is_vo(set->name) ||
		       xos_parser_error(p, &at,
		           "lower-case letters, digits and '-', at most 15 bytes",
		           "'%.60s' is not the name of a VO", set->name);
	case XOS_POLICY_SITE:
		set->site = set->name;
		return xos_name_is_site(set->name) ||
		       xos_parser_error(p, &at,
		           "lower-case letters, digits and '-', at most 31 bytes",
		           "'%.60s' is not the name of a site", set->name);
	case XOS_POLICY_NODE:
		return check_node_name(p, &at);
	case XOS_POLICY_OWNER:
		return check_owner_name(p, &at);
	case XOS_POLICY_GROUP:
		return check_group_name(p, &at);
	case XOS_POLICY_DELEGATION:
	case XOS_POLICY_LEVELS:
		break;
	}
	return false;
}

static bool parse_version(struct xos_policy_parser *p)
{
	uint64_t schema = 0;
	struct xos_policy_token at;
	if (!xos_parser_accept(p, "schema"))
		return true;
	at = p->t;
	if (!parse_number(p, "the schema version", UINT32_MAX, &schema))
		return false;
	if (schema == 0 || schema > XOS_POLICY_SCHEMA)
		return xos_parser_error(p, &at, "update this program, or write schema 2",
		    "schema version %llu is not known here", (unsigned long long)schema);
	p->set->schema = (unsigned)schema;
	return true;
}

static bool parse_delegation(struct xos_policy_parser *p)
{
	struct xos_policy_set *set = p->set;
	if (xos_parser_accept(p, "by")) {
		struct xos_policy_token at = p->t;
		if (!xos_parser_expect(p, "user", "write: delegation by user \"alice\" { ... }") ||
		    !xos_parser_string(p, XOS_MEMBER_MAX, "the delegator's name", &set->name))
			return false;
		if (!xos_name_is_member("x", set->name))
			return xos_parser_error(
			    p, &at, NULL, "'%s' is not the name of a member", set->name);
	}
	return parse_version(p);
}

static bool parse_head(struct xos_policy_parser *p)
{
	struct xos_policy_set *set = p->set;
	unsigned level = 0;
	while (level < XOS_POLICY_LEVELS &&
	       !xos_parser_accept(p, xos_policy_level_name((enum xos_policy_level)level)))
		level++;
	if (level == XOS_POLICY_LEVELS)
		return xos_parser_error(p, NULL,
		    "start with: vo \"NAME\" serial N {, group, site, node, owner, or delegation {",
		    "a policy set starts with vo, group, site, node, owner or delegation");
	set->level = (enum xos_policy_level)level;
	if (set->level == XOS_POLICY_DELEGATION)
		return parse_delegation(p);
	if (!parse_level_name(p) ||
	    !xos_parser_expect(p, "serial", "each change of a set raises its serial") ||
	    !parse_number(p, "the serial", INT64_MAX, &set->serial))
		return false;
	if (set->serial == 0)
		return xos_parser_error(p, NULL, NULL, "serials start at 1");
	return parse_version(p);
}

static int node_order(const void *a, const void *b)
{
	const struct xos_policy_node *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static int id_order(const void *a, const void *b)
{
	const struct xos_policy_statement *x = *(const struct xos_policy_statement *const *)a;
	const struct xos_policy_statement *y = *(const struct xos_policy_statement *const *)b;
	int c = strcmp(x->id, y->id);
	return c ? c : (x->number > y->number) - (x->number < y->number);
}

static void check_ids(struct xos_policy_parser *p)
{
	struct xos_policy_set *set = p->set;
	const struct xos_policy_statement **list = malloc((set->n + 1) * sizeof(*list));
	size_t n = 0;
	if (!list) {
		xos_parser_memory(p);
		return;
	}
	for (size_t i = 0; i < set->n; i++)
		if (set->statements[i].id)
			list[n++] = &set->statements[i];
	qsort(list, n, sizeof(const struct xos_policy_statement *), id_order);
	for (size_t i = 1; i < n; i++) {
		struct xos_policy_token at = {.line = list[i]->line, .col = 1};
		if (strcmp(list[i - 1]->id, list[i]->id) == 0)
			xos_parser_error(p, &at, "each id names one statement",
			    "two statements are @%s", list[i]->id);
	}
	free(list);
}

static void check_site(struct xos_policy_parser *p)
{
	struct xos_policy_set *set = p->set;
	if (set->nnodes)
		qsort(set->nodes, set->nnodes, sizeof(*set->nodes), node_order);
	for (size_t i = 1; i < set->nnodes; i++)
		if (strcmp(set->nodes[i - 1].name, set->nodes[i].name) == 0)
			xos_parser_error(
			    p, NULL, NULL, "node %s is declared twice", set->nodes[i].name);
	xos_parser_check_accounts(p);
}

/* Does it name fewer than everybody of a VO? Its root group has all of them. */
static bool some_only(const struct xos_policy_who *who)
{
	if (!who->name || who->kind == XOS_WHO_VO)
		return false;
	if (who->kind == XOS_WHO_NODE || who->kind == XOS_WHO_SERVICE)
		return who->name[strlen(who->name) - 1] != '*';
	return (who->kind != XOS_WHO_GROUP && who->kind != XOS_WHO_EXACTLY) ||
	       strchr(who->name + 1, '/');
}

/* Is the statement found by nothing narrower than its action? */
static bool unindexed(const struct xos_policy_statement *s)
{
	bool who = s->nwhos != 0, place = s->nplaces != 0;
	for (size_t i = 0; i < s->nwhos; i++)
		who &= some_only(&s->whos[i]);
	for (size_t i = 0; i < s->nplaces; i++) {
		bool narrow = false;
		for (size_t j = 0; j < s->places[i].n; j++) {
			const struct xos_policy_term *t = &s->places[i].terms[j];
			narrow |= t->kind != XOS_TERM_SITE && t->kind != XOS_TERM_KIND &&
			          t->kind != XOS_TERM_SERVICE && strcmp(t->name, "/") != 0;
		}
		place &= narrow;
	}
	return !who && !place;
}

static void check_indexed(struct xos_policy_parser *p)
{
	uint32_t counts[XOS_POLICY_ACTIONS_MAX] = {0};
	for (size_t i = 0; i < p->set->n; i++) {
		const struct xos_policy_statement *s = &p->set->statements[i];
		struct xos_policy_token at = {.line = s->line, .col = 1};
		if (p->set->level == XOS_POLICY_DELEGATION || !unindexed(s))
			continue;
		for (unsigned code = 0; code < XOS_POLICY_ACTIONS_MAX; code++) {
			if (!(s->actions >> code & 1) || counts[code]++ < XOS_POLICY_UNINDEXED_MAX)
				continue;
			xos_parser_error(p, &at,
			    "name a group, role or member, or a node, class, tag, job or file",
			    "more than %u statements about one action that say neither who nor "
			    "where: each would be looked at in every decision",
			    XOS_POLICY_UNINDEXED_MAX);
			return;
		}
	}
}

void xos_parser_set(struct xos_policy_parser *p)
{
	if (!parse_head(p) || !xos_parser_expect(p, "{", "the statements stand in { }"))
		return;
	while (!xos_parser_is(p, "}") && p->t.kind != XOS_TOKEN_END) {
		if (p->errs->total >= XOS_POLICY_ERRORS_MAX || p->status == XOS_INTERNAL ||
		    p->status == XOS_LIMIT)
			return;
		size_t start = p->lexer.at;
		if (!xos_parser_item(p))
			xos_parser_skip(p, start);
	}
	if (!xos_parser_expect(p, "}", "a '}' is missing somewhere above"))
		return;
	if (p->t.kind != XOS_TOKEN_END && p->t.kind != XOS_TOKEN_ERROR)
		xos_parser_error(
		    p, NULL, "one file holds one set", "text after the end of the set");
	xos_parser_unused(p);
	check_ids(p);
	check_site(p);
	check_indexed(p);
	for (size_t i = 0; i < p->set->n; i++)
		p->set->statements[i].set = p->set;
}
