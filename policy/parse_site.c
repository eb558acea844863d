/* What only the owner of a site says about its nodes; about accounts: parse_accounts.c. */
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "policy/parser.h"

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
