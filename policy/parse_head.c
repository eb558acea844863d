/* The heads of statements: who, which actions, on what. */
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/text.h"
#include "policy/parser.h"

static const char *who_word(size_t i)
{
	static const char *const words[] = {
	    "any", "vo", "group", "exactly", "role", "user", "home", "local"};
	return i < sizeof(words) / sizeof(words[0]) ? words[i] : NULL;
}

bool xos_parser_starts_who(const struct xos_policy_parser *p)
{
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
	if (!colon && p->set->level != XOS_POLICY_VO)
		return xos_parser_error(p, NULL, "write user VO:NAME, for example user demo:alice",
		    "the member '%.60s' lacks its VO", p->word);
	if (!colon && !xos_str_copy(vo, sizeof(vo), p->set->name))
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
	return xos_parser_error(p, NULL,
	    xos_parser_suggest(hint, sizeof(hint), p->word,
	        "say who: any, group, exactly, role, user, home, vo or local", who_word),
	    "expected who this is about, found '%.*s'", (int)(p->t.len < 40 ? p->t.len : 40),
	    p->t.text);
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

static const char *action_word(size_t i)
{
	size_t n;
	const struct xos_policy_action *a = xos_policy_actions(&n);
	return i < n ? a[i].name : NULL;
}

/* "job.*": what the schema version of the set has under that prefix. */
static uint64_t prefix_actions(const char *word, unsigned schema)
{
	uint64_t mask = 0;
	size_t n, len = strlen(word);
	const struct xos_policy_action *a = xos_policy_actions(&n);
	if (len < 3 || strcmp(word + len - 2, ".*") != 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (a[i].since <= schema && strncmp(a[i].name, word, len - 1) == 0)
			mask |= UINT64_C(1) << a[i].code;
	return mask;
}

bool xos_parser_action(struct xos_policy_parser *p, uint64_t *mask)
{
	char hint[80];
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (p->t.kind != XOS_TOKEN_WORD)
		return xos_parser_error(
		    p, NULL, "for example job.submit, or job.*", "expected the name of an action");
	const struct xos_policy_action *a = xos_policy_action_find(p->word, p->set->schema);
	uint64_t more = a ? UINT64_C(1) << a->code : prefix_actions(p->word, p->set->schema);
	if (!more)
		return xos_parser_error(p, NULL,
		    xos_parser_suggest(hint, sizeof(hint), p->word,
		        "`xos-policy schema` lists the actions", action_word),
		    "unknown action '%.60s'", p->word);
	*mask |= more;
	xos_parser_next(p);
	return true;
}

bool xos_parser_actions(struct xos_policy_parser *p, bool narrowing, uint64_t *mask)
{
	*mask = 0;
	if (xos_parser_accept(p, "any")) {
		/* What narrows covers actions yet to come; what grants never grows by itself. */
		*mask = narrowing ? UINT64_MAX : xos_policy_all_actions(p->set->schema);
		return true;
	}
	do {
		if (!xos_parser_action(p, mask))
			return false;
	} while (xos_parser_accept(p, ","));
	return true;
}

static bool term_name_ok(enum xos_policy_term_kind kind, const char *name)
{
	const char *slash = strchr(name, '/');
	char site[XOS_SITE_MAX + 1] = "";
	switch (kind) {
	case XOS_TERM_SITE:
		return xos_name_is_site(name);
	case XOS_TERM_NODE:
		if (!slash || (size_t)(slash - name) >= sizeof(site))
			return false;
		memcpy(site, name, (size_t)(slash - name));
		return xos_name_is_site(site) && xos_name_is_node(slash + 1);
	case XOS_TERM_CLASS:
	case XOS_TERM_TAG:
	case XOS_TERM_JOB:
		return xos_policy_word_ok(name);
	case XOS_TERM_FILE:
		return xos_policy_path_ok(name);
	case XOS_TERM_KIND:
		return strcmp(name, "job") == 0 || strcmp(name, "file") == 0;
	case XOS_TERM_OBJECT:
	case XOS_TERM_SERVICE:
	case XOS_TERM_COUNT:
		break;
	}
	return false;
}

static bool parse_term(struct xos_policy_parser *p, struct xos_policy_term *term)
{
	static const struct {
		const char *prefix;
		enum xos_policy_term_kind kind;
	} kinds[] = {{"site:", XOS_TERM_SITE}, {"node:", XOS_TERM_NODE}, {"class:", XOS_TERM_CLASS},
	    {"tag:", XOS_TERM_TAG}, {"job:", XOS_TERM_JOB}, {"file:", XOS_TERM_FILE}};
	static const char usage[] = "write any, site:lab, node:lab/n1, class:compute, tag:gpu, "
	                            "job:ID, job:*, file:/path or file:*";
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (xos_parser_is(p, "change"))
		return xos_parser_error(p, NULL,
		    "a clause that this version cannot carry out is never ignored: remove it",
		    "'on change' is not supported yet");
	for (size_t i = 0; p->t.kind == XOS_TOKEN_WORD && i < sizeof(kinds) / sizeof(kinds[0]);
	     i++) {
		size_t n = strlen(kinds[i].prefix);
		if (strncmp(p->word, kinds[i].prefix, n) != 0)
			continue;
		const char *name = p->word + n;
		term->kind = kinds[i].kind;
		if (strcmp(p->word, "job:*") == 0 || strcmp(p->word, "file:*") == 0) {
			term->kind = XOS_TERM_KIND;
			name = strcmp(p->word, "job:*") == 0 ? "job" : "file";
		}
		if (!term_name_ok(term->kind, name))
			return xos_parser_error(
			    p, NULL, usage, "'%.80s' is not a resource", p->word);
		term->name = xos_policy_memory_string(p->set->memory, name, strlen(name));
		if (!term->name)
			return xos_parser_memory(p);
		xos_parser_next(p);
		return true;
	}
	return xos_parser_error(p, NULL, usage, "'%.*s' is not a resource",
	    (int)(p->t.len < 60 ? p->t.len : 60), p->t.text);
}

static int term_order(const void *a, const void *b)
{
	const struct xos_policy_term *x = a, *y = b;
	return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

bool xos_parser_place(struct xos_policy_parser *p, struct xos_policy_place *place)
{
	*place = (struct xos_policy_place){NULL, 0};
	if (xos_parser_accept(p, "any"))
		return true;
	struct xos_policy_term terms[XOS_POLICY_TERMS_MAX];
	struct xos_policy_token at = p->t;
	size_t n = 0;
	do {
		if (n == XOS_POLICY_TERMS_MAX)
			return xos_parser_error(p, NULL, NULL,
			    "more than %u resources in one intersection", XOS_POLICY_TERMS_MAX);
		if (!parse_term(p, &terms[n++]))
			return false;
	} while (xos_parser_accept(p, "&"));
	qsort(terms, n, sizeof(terms[0]), term_order);
	for (size_t i = 1; i < n; i++)
		if (term_order(&terms[i - 1], &terms[i]) == 0)
			return xos_parser_error(p, &at, NULL, "the same resource twice");
	place->terms = xos_policy_memory_take(p->set->memory, n * sizeof(terms[0]));
	if (!place->terms)
		return xos_parser_memory(p);
	memcpy(place->terms, terms, n * sizeof(terms[0]));
	place->n = n;
	return true;
}
