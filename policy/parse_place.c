/* Resources: where a statement applies. */
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "policy/parser.h"

static const struct {
	const char *prefix;
	enum xos_policy_term_kind kind;
} kinds[] = {{"site", XOS_TERM_SITE}, {"node", XOS_TERM_NODE}, {"class", XOS_TERM_CLASS},
    {"tag", XOS_TERM_TAG}, {"job", XOS_TERM_JOB}, {"file", XOS_TERM_FILE},
    {"service", XOS_TERM_SERVICE}};

/* What stands before the ':' of the current word, if it is a kind of resource or term. */
static bool term_kind(
    const struct xos_policy_parser *p, enum xos_policy_term_kind *kind, size_t *len)
{
	char name[64];
	const char *colon = strchr(p->word, ':');
	*len = colon ? (size_t)(colon - p->word) : 0;
	if (p->t.kind != XOS_TOKEN_WORD || !colon || *len >= sizeof(name))
		return false;
	memcpy(name, p->word, *len);
	name[*len] = 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(name, kinds[i].prefix) != 0)
			continue;
		*kind = kinds[i].kind;
		return true;
	}
	*kind = XOS_TERM_OBJECT;
	return xos_policy_set_has_kind(p->set, name);
}

bool xos_parser_starts_place(const struct xos_policy_parser *p)
{
	enum xos_policy_term_kind kind;
	size_t len;
	return term_kind(p, &kind, &len);
}

bool xos_policy_term_ok(enum xos_policy_term_kind kind, const char *name)
{
	const char *slash = strchr(name, '/'), *colon = strchr(name, ':');
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
	case XOS_TERM_SERVICE:
		return xos_policy_word_ok(name);
	case XOS_TERM_FILE:
		return xos_policy_path_ok(name);
	case XOS_TERM_OBJECT:
		return colon && xos_policy_word_ok(colon + 1);
	case XOS_TERM_KIND:
	case XOS_TERM_COUNT:
		break;
	}
	return false;
}

static bool parse_term(struct xos_policy_parser *p, struct xos_policy_term *term)
{
	static const char usage[] = "write any, site:lab, node:lab/n1, class:compute, tag:gpu, "
	                            "job:ID, job:*, file:/path, file:*, or service:sshd";
	size_t len;
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (!term_kind(p, &term->kind, &len))
		return xos_parser_error(p, NULL, usage, "'%.*s' is not a resource",
		    xos_parser_shown(p), xos_parser_text(p));
	const char *name = p->word + len + 1;
	size_t n = strlen(name);
	bool labels = term->kind == XOS_TERM_CLASS || term->kind == XOS_TERM_TAG ||
	              term->kind == XOS_TERM_SERVICE;
	if (strcmp(name, "*") == 0 && !labels) {
		term->kind = XOS_TERM_KIND;
		name = p->word;
		n = len;
	} else if (term->kind == XOS_TERM_OBJECT) {
		name = p->word;
		n = p->t.len;
	}
	if (term->kind != XOS_TERM_KIND && !xos_policy_term_ok(term->kind, name))
		return xos_parser_error(p, NULL, usage, "'%.80s' is not a resource", p->word);
	term->name = xos_policy_memory_string(p->set->memory, name, n);
	if (!term->name)
		return xos_parser_memory(p);
	xos_parser_next(p);
	return true;
}

static int term_order(const void *a, const void *b)
{
	const struct xos_policy_term *x = a, *y = b;
	return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

static int place_order(const void *a, const void *b)
{
	const struct xos_policy_place *x = a, *y = b;
	for (size_t i = 0; i < x->n && i < y->n; i++) {
		int c = term_order(&x->terms[i], &y->terms[i]);
		if (c)
			return c;
	}
	return (x->n > y->n) - (x->n < y->n);
}

size_t xos_policy_places_unique(struct xos_policy_place *places, size_t n)
{
	return xos_policy_unique(places, n, sizeof(*places), place_order);
}

bool xos_parser_place_make(struct xos_policy_parser *p, const struct xos_policy_token *at,
    struct xos_policy_term *terms, size_t n, struct xos_policy_place *place)
{
	qsort(terms, n, sizeof(terms[0]), term_order);
	for (size_t i = 1; i < n; i++)
		if (term_order(&terms[i - 1], &terms[i]) == 0)
			return xos_parser_error(p, at, NULL, "the same resource twice");
	place->terms = xos_policy_memory_take(p->set->memory, n * sizeof(terms[0]));
	if (!place->terms)
		return xos_parser_memory(p);
	memcpy(place->terms, terms, n * sizeof(terms[0]));
	place->n = n;
	return true;
}

bool xos_parser_place(struct xos_policy_parser *p, struct xos_policy_place *place)
{
	struct xos_policy_term terms[XOS_POLICY_TERMS_MAX];
	struct xos_policy_token at = p->t;
	size_t n = 0;
	*place = (struct xos_policy_place){NULL, 0};
	if (xos_parser_accept(p, "any"))
		return true;
	do {
		if (n == XOS_POLICY_TERMS_MAX)
			return xos_parser_error(p, NULL, NULL,
			    "more than %u resources in one intersection", XOS_POLICY_TERMS_MAX);
		if (!parse_term(p, &terms[n++]))
			return false;
	} while (xos_parser_accept(p, "&"));
	return xos_parser_place_make(p, &at, terms, n, place);
}

bool xos_parser_places(struct xos_policy_parser *p, struct xos_policy_place **places, size_t *n)
{
	struct xos_names list = {.kind = XOS_NAMES_PLACES};
	*n = 0;
	if (xos_parser_accept(p, "any"))
		return true;
	do {
		if (!xos_parser_list_add(p, &list))
			return false;
	} while (xos_parser_accept(p, ","));
	xos_parser_list_end(&list);
	*places = list.u.places;
	*n = list.n;
	return true;
}
