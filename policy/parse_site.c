/* What only the owner of a site says: slices of uids, and what its nodes are. */
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/text.h"
#include "policy/parser.h"

/*
 * Uids that must never be given to a VO's members (https://systemd.io/UIDS-GIDS, login.defs(5)): those
 * of the system and of its local users, those that systemd gives to dynamic users and containers,
 * those that useradd hands out in /etc/subuid, the overflow uid, and what is not a valid uid or is
 * negative where an old program takes it for an int.
 */
static const struct {
	uint32_t first, last;
	const char *what;
} taken[] = {
    {0, 999, "system accounts"},
    {1000, 60000, "local accounts"},
    {60001, 65535, "systemd and the overflow uid"},
    {100000, 600100000, "subordinate uids (/etc/subuid)"},
    {524288, 1879048191, "systemd's containers"},
    {2147483648u, 4294967295u, "numbers that many programs take for negative"},
};

static bool parse_range(struct xos_policy_parser *p, struct xos_policy_accounts *a)
{
	static const char usage[] = "write accounts vo demo uid 1900000000-1900999999;";
	char first[16] = "", last[16] = "";
	uint64_t lo = 0, hi = 0;
	const char *dash = strchr(p->word, '-');
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (dash && (size_t)(dash - p->word) < sizeof(first) && strlen(dash + 1) < sizeof(last)) {
		memcpy(first, p->word, (size_t)(dash - p->word));
		memcpy(last, dash + 1, strlen(dash + 1) + 1);
	}
	if (!xos_parse_u64(first, UINT32_MAX, &lo) || !xos_parse_u64(last, UINT32_MAX, &hi) ||
	    lo > hi)
		return xos_parser_error(p, NULL, usage, "'%.60s' is not a range of uids", p->word);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (lo <= taken[i].last && hi >= taken[i].first)
			return xos_parser_error(p, NULL,
			    "1879048192-2147483647 is free on every Linux",
			    "uids %u-%u belong to %s", taken[i].first, taken[i].last,
			    taken[i].what);
	a->first = (uint32_t)lo;
	a->last = (uint32_t)hi;
	xos_parser_next(p);
	return true;
}

bool xos_parser_accounts(struct xos_policy_parser *p)
{
	static const char usage[] = "write accounts vo demo uid 1900000000-1900999999;";
	struct xos_policy_set *set = p->set;
	struct xos_policy_accounts a = {0};
	xos_parser_next(p);
	if (!xos_parser_expect(p, "vo", usage))
		return false;
	if (p->t.kind != XOS_TOKEN_WORD || !xos_name_is_vo(p->word))
		return xos_parser_error(p, NULL, usage, "'%.60s' is not the name of a VO", p->word);
	a.vo = xos_parser_keep(p);
	if (!a.vo)
		return false;
	xos_parser_next(p);
	if (!xos_parser_expect(p, "uid", usage) || !parse_range(p, &a) ||
	    !xos_parser_expect(p, ";", "a statement ends with ';'"))
		return false;
	set->accounts =
	    xos_policy_memory_grow(set->memory, set->accounts, set->naccounts, sizeof(a));
	if (!set->accounts) {
		set->naccounts = 0;
		return xos_parser_memory(p);
	}
	set->accounts[set->naccounts++] = a;
	return true;
}

static const char *parse_label(struct xos_policy_parser *p)
{
	const char *s = NULL;
	if (p->t.kind == XOS_TOKEN_ERROR)
		return NULL;
	if (p->t.kind != XOS_TOKEN_WORD || !xos_policy_word_ok(p->word)) {
		xos_parser_error(p, NULL, "letters, digits, '.', '_' and '-', at most 63",
		    "'%.60s' is not the name of a class or tag", p->word);
		return NULL;
	}
	s = xos_parser_keep(p);
	if (s)
		xos_parser_next(p);
	return s;
}

static bool parse_tags(struct xos_policy_parser *p, const char ***tags, size_t *ntags)
{
	do {
		const char *tag = parse_label(p);
		if (!tag)
			return false;
		if (*ntags == XOS_POLICY_VALUES_IN_SET)
			return xos_parser_error(
			    p, NULL, NULL, "more than %u tags", XOS_POLICY_VALUES_IN_SET);
		*tags = xos_policy_memory_grow(p->set->memory, *tags, *ntags, sizeof(tag));
		if (!*tags)
			return xos_parser_memory(p);
		(*tags)[(*ntags)++] = tag;
	} while (xos_parser_accept(p, ","));
	return true;
}

static bool parse_node_part(
    struct xos_policy_parser *p, struct xos_policy_node *node, const char ***tags)
{
	if (xos_parser_accept(p, "class")) {
		if (node->class_name)
			return xos_parser_error(
			    p, NULL, "use tags for the rest", "a node has one class");
		node->class_name = parse_label(p);
		return node->class_name && xos_parser_expect(p, ";", "write class compute;");
	}
	if (xos_parser_accept(p, "tag"))
		return parse_tags(p, tags, &node->ntags) &&
		       xos_parser_expect(p, ";", "write tag gpu, fast;");
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	return xos_parser_error(p, NULL, "write node n1 { class compute; tag gpu; }",
	    "expected class or tag, found '%.*s'", xos_parser_shown(p), xos_parser_text(p));
}

bool xos_parser_node(struct xos_policy_parser *p)
{
	struct xos_policy_set *set = p->set;
	struct xos_policy_node node = {0};
	const char **tags = NULL;
	struct xos_policy_token at = p->t;
	xos_parser_next(p);
	if (p->t.kind != XOS_TOKEN_WORD || !xos_name_is_node(p->word))
		return xos_parser_error(p, NULL, "its host name in lower case, without the site",
		    "'%.60s' is not the name of a node", p->word);
	node.name = xos_parser_keep(p);
	if (!node.name)
		return false;
	xos_parser_next(p);
	if (!xos_parser_accept(p, ";")) {
		if (!xos_parser_expect(p, "{", "write node n1 { class compute; tag gpu; }"))
			return false;
		while (!xos_parser_is(p, "}"))
			if (!parse_node_part(p, &node, &tags))
				return false;
		xos_parser_next(p);
		xos_parser_accept(p, ";");
	}
	if (tags)
		qsort(tags, node.ntags, sizeof(*tags), xos_policy_string_order);
	for (size_t i = 1; tags && i < node.ntags; i++)
		if (strcmp(tags[i - 1], tags[i]) == 0) {
			/* It is read to its end: nothing to skip. */
			xos_parser_error(p, &at, NULL, "tag %s twice", tags[i]);
			return true;
		}
	node.tags = tags;
	set->nodes = xos_policy_memory_grow(set->memory, set->nodes, set->nnodes, sizeof(node));
	if (!set->nodes) {
		set->nnodes = 0;
		return xos_parser_memory(p);
	}
	set->nodes[set->nnodes++] = node;
	return true;
}
