/* The heads of statements: who, which actions, on what. */
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/text.h"
#include "policy/parser.h"

static const char *who_word(size_t i)
{
	static const char *const words[] = {
	    "any", "vo", "group", "exactly", "role", "user", "home", "local", "node", "service"};
	return i < sizeof(words) / sizeof(words[0]) ? words[i] : NULL;
}

/* What follows the current token in its text. */
static enum xos_policy_token_kind peek(const struct xos_policy_parser *p)
{
	struct xos_policy_lexer lexer = p->lexer;
	struct xos_policy_token t;
	xos_policy_lexer_next(&lexer, &t);
	return t.kind;
}

bool xos_parser_starts_who(const struct xos_policy_parser *p)
{
	/* Lists of strings have long been written that begin with one of these. */
	if (xos_parser_is(p, "node") || xos_parser_is(p, "service"))
		return peek(p) == XOS_TOKEN_WORD;
	for (size_t i = 0; who_word(i); i++)
		if (xos_parser_is(p, who_word(i)))
			return true;
	return false;
}

/* A group or, where allowed, a role; the VO in front is part of the name. */
static bool parse_fqan(struct xos_policy_parser *p, struct xos_policy_who *who)
{
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	bool group = p->t.kind == XOS_TOKEN_WORD && xos_name_is_group(p->word);
	bool role = p->t.kind == XOS_TOKEN_WORD && xos_name_is_role(p->word);
	if (role && who->kind == XOS_WHO_GROUP)
		who->kind = XOS_WHO_ROLE; /* "group /demo/Role=x": the VOMS way of saying it */
	if (who->kind == XOS_WHO_ROLE ? !role : !group)
		return xos_parser_error(p, NULL,
		    who->kind == XOS_WHO_ROLE ? "roles look like /demo/Role=editor"
		                              : "groups look like /demo/physics, with the VO first",
		    "'%.60s' is not the full name of a %s", p->word,
		    who->kind == XOS_WHO_ROLE ? "role" : "group");
	who->name = xos_parser_keep(p);
	if (!who->name)
		return false;
	xos_parser_next(p);
	return true;
}

static bool parse_user(struct xos_policy_parser *p, struct xos_policy_who *who)
{
	char vo[XOS_VO_MAX + 1] = "", full[XOS_VO_MAX + XOS_MEMBER_MAX + 2];
	const char *colon = strchr(p->word, ':');
	const char *member = colon ? colon + 1 : p->word;
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (!colon && !p->set->vo)
		return xos_parser_error(p, NULL, "write user VO:NAME, for example user demo:alice",
		    "the member '%.60s' lacks its VO", p->word);
	if (!colon && !xos_str_copy(vo, sizeof(vo), p->set->vo))
		return false;
	if (colon && (size_t)(colon - p->word) < sizeof(vo))
		memcpy(vo, p->word, (size_t)(colon - p->word));
	if (p->t.kind != XOS_TOKEN_WORD || !xos_name_is_member(vo, member) ||
	    !xos_str_printf(full, sizeof(full), "%s:%s", vo, member))
		return xos_parser_error(p, NULL, "members look like alice or demo:alice",
		    "'%.60s' is not the name of a member", p->word);
	who->name = xos_policy_memory_string(p->set->memory, full, strlen(full));
	if (!who->name)
		return xos_parser_memory(p);
	xos_parser_next(p);
	return true;
}

bool xos_policy_machine_ok(enum xos_policy_who_kind kind, const char *name)
{
	if (strcmp(name, "*") == 0)
		return true;
	return kind == XOS_WHO_NODE ? xos_name_is_node(name)
	                            : xos_name_is_service(name) || xos_name_is_service_kind(name);
}

/* A node by its host name, a service by its kind or by kind and host name: as in its certificate. */
static bool parse_machine(struct xos_policy_parser *p, struct xos_policy_who *who)
{
	char vo[XOS_VO_MAX + 1] = "";
	char full[XOS_VO_MAX + 1 + XOS_SERVICE_KIND_MAX + 1 + XOS_NODE_MAX + 1];
	bool node = who->kind == XOS_WHO_NODE;
	const char *colon = strchr(p->word, ':'), *name = colon ? colon + 1 : p->word;
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (!colon && !p->set->vo)
		return xos_parser_error(p, NULL,
		    node ? "write node VO:NAME, for example node demo:n1.lab.example"
		         : "write service VO:KIND, for example service demo:data",
		    "the %s '%.60s' lacks its VO", node ? "node" : "service", p->word);
	if (!colon && !xos_str_copy(vo, sizeof(vo), p->set->vo))
		return false;
	if (colon && (size_t)(colon - p->word) < sizeof(vo))
		memcpy(vo, p->word, (size_t)(colon - p->word));
	if (p->t.kind != XOS_TOKEN_WORD || !xos_name_is_vo(vo) ||
	    !xos_policy_machine_ok(who->kind, name) ||
	    !xos_str_printf(full, sizeof(full), "%s:%s", vo, name))
		return xos_parser_error(p, NULL,
		    node
		        ? "nodes look like n1.lab.example, demo:n1.lab.example or demo:*; a place "
		          "is "
		          "written on node:lab/n1"
		        : "services look like data, demo:data, demo:data/n1.lab.example or demo:*; "
		          "which one asks is written on service:data",
		    "'%.60s' is not the name of a %s", p->word, node ? "node" : "service");
	who->name = xos_policy_memory_string(p->set->memory, full, strlen(full));
	if (!who->name)
		return xos_parser_memory(p);
	xos_parser_next(p);
	return true;
}

bool xos_parser_who(struct xos_policy_parser *p, struct xos_policy_who *who)
{
	char hint[80];
	*who = (struct xos_policy_who){.kind = XOS_WHO_ANY};
	if (xos_parser_accept(p, "any"))
		return true;
	if (xos_parser_accept(p, "local")) {
		who->kind = XOS_WHO_LOCAL;
		return true;
	}
	if (xos_parser_accept(p, "group")) {
		who->kind = xos_parser_accept(p, "exactly") ? XOS_WHO_EXACTLY : XOS_WHO_GROUP;
		return parse_fqan(p, who);
	}
	if (xos_parser_accept(p, "exactly")) {
		who->kind = XOS_WHO_EXACTLY;
		return parse_fqan(p, who);
	}
	if (xos_parser_accept(p, "role")) {
		who->kind = XOS_WHO_ROLE;
		return parse_fqan(p, who);
	}
	if (xos_parser_accept(p, "user")) {
		who->kind = XOS_WHO_USER;
		return parse_user(p, who);
	}
	if (xos_parser_accept(p, "node")) {
		who->kind = XOS_WHO_NODE;
		return parse_machine(p, who);
	}
	if (xos_parser_accept(p, "service")) {
		who->kind = XOS_WHO_SERVICE;
		return parse_machine(p, who);
	}
	if (xos_parser_accept(p, "home")) {
		who->kind = XOS_WHO_HOME;
		return xos_parser_string(
		    p, XOS_POLICY_STRING_MAX, "the home organisation", &who->name);
	}
	if (xos_parser_accept(p, "vo")) {
		who->kind = XOS_WHO_VO;
		if (!xos_name_is_vo(p->word))
			return xos_parser_error(
			    p, NULL, NULL, "'%.60s' is not the name of a VO", p->word);
		who->name = xos_parser_keep(p);
		if (!who->name)
			return false;
		xos_parser_next(p);
		return true;
	}
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (xos_parser_starts_place(p))
		return xos_parser_error(p, NULL,
		    "a resource stands after on; who acts is written node VO:NAME, service VO:KIND",
		    "expected who this is about, found the resource '%.60s'", p->word);
	return xos_parser_error(p, NULL,
	    xos_parser_suggest(hint, sizeof(hint), p->word,
	        "say who: any, group, exactly, role, user, home, vo, node, service or local",
	        who_word),
	    "expected who this is about, found '%.*s'", xos_parser_shown(p), xos_parser_text(p));
}

bool xos_parser_whos(struct xos_policy_parser *p, struct xos_policy_who **whos, size_t *n)
{
	struct xos_names list = {.kind = XOS_NAMES_WHOS};
	do {
		if (!xos_parser_list_add(p, &list))
			return false;
	} while (xos_parser_accept(p, ","));
	xos_parser_list_end(&list);
	*whos = list.u.whos;
	*n = list.n;
	return true;
}

uint64_t xos_policy_all_actions(unsigned schema)
{
	uint64_t mask = 0;
	size_t n;
	const struct xos_policy_action *a = xos_policy_actions(&n);
	for (size_t i = 0; i < n; i++)
		if (a[i].since <= schema)
			mask |= UINT64_C(1) << a[i].code;
	return mask;
}

uint64_t xos_policy_set_all_actions(const struct xos_policy_set *set)
{
	uint64_t mask = xos_policy_all_actions(set->schema);
	for (size_t i = 0; i < set->nown_actions; i++)
		mask |= UINT64_C(1) << set->own_actions[i].code;
	return mask;
}

static const char *action_word(size_t i)
{
	size_t n;
	const struct xos_policy_action *a = xos_policy_actions(&n);
	return i < n ? a[i].name : NULL;
}

/* "job.*": what the schema version of the set has under that prefix, and what the set adds. */
static uint64_t prefix_actions(const char *word, const struct xos_policy_set *set)
{
	uint64_t mask = 0;
	size_t n, len = strlen(word);
	const struct xos_policy_action *a = xos_policy_actions(&n);
	if (len < 3 || strcmp(word + len - 2, ".*") != 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (a[i].since <= set->schema && strncmp(a[i].name, word, len - 1) == 0)
			mask |= UINT64_C(1) << a[i].code;
	for (size_t i = 0; i < set->nown_actions; i++)
		if (strncmp(set->own_actions[i].name, word, len - 1) == 0)
			mask |= UINT64_C(1) << set->own_actions[i].code;
	return mask;
}

uint64_t xos_policy_named_actions(const struct xos_policy_set *set, const char *word)
{
	const struct xos_policy_action *a = xos_policy_set_action(set, word);
	return a ? UINT64_C(1) << a->code : prefix_actions(word, set);
}

bool xos_parser_action(struct xos_policy_parser *p, uint64_t *mask)
{
	char hint[80];
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (p->t.kind == XOS_TOKEN_NAME) {
		const struct xos_names *names = xos_parser_named(p, XOS_NAMES_ACTIONS);
		if (!names)
			return false;
		*mask |= names->u.actions;
		xos_parser_next(p);
		return true;
	}
	if (p->t.kind != XOS_TOKEN_WORD)
		return xos_parser_error(
		    p, NULL, "for example job.submit, or job.*", "expected the name of an action");
	uint64_t more = xos_policy_named_actions(p->set, p->word);
	if (!more) {
		const char *advice = "schema 2 has it: write so after the serial";
		if (!xos_policy_action_find(p->word, XOS_POLICY_SCHEMA))
			advice = xos_parser_suggest(hint, sizeof(hint), p->word,
			    "`xos-policy schema` lists the actions", action_word);
		return xos_parser_error(p, NULL, advice, "unknown action '%.60s'", p->word);
	}
	*mask |= more;
	p->all_named |= more >> XOS_POLICY_ACTION_OWN && p->word[strlen(p->word) - 1] == '*';
	xos_parser_next(p);
	return true;
}

bool xos_parser_actions(struct xos_policy_parser *p, bool narrowing, uint64_t *mask)
{
	*mask = 0;
	if (xos_parser_accept(p, "any")) {
		/* What narrows covers actions yet to come; what grants never grows by itself. */
		*mask = narrowing ? XOS_POLICY_ACTION_ALL : xos_policy_set_all_actions(p->set);
		p->all_named |= !narrowing;
		return true;
	}
	do {
		if (!xos_parser_action(p, mask))
			return false;
	} while (xos_parser_accept(p, ","));
	return true;
}
