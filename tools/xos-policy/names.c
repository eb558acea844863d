#include "policytool/names.h"

#include <string.h>

static void place_names(const struct xos_policy_place *p, const struct xos_policytool_namer *n)
{
	for (size_t i = 0; i < p->n; i++)
		n->term(n->arg, &p->terms[i]);
}

static void cond_names(const struct xos_policy_cond *c, const struct xos_policytool_namer *n)
{
	if (c->op <= XOS_COND_NOT)
		for (size_t i = 0; i < c->n; i++)
			cond_names(c->u.kids[i], n);
	else if (c->op == XOS_COND_WHO)
		n->who(n->arg, &c->u.who);
	else if (c->op == XOS_COND_ON)
		place_names(&c->u.place, n);
	else if (c->attr && c->attr->code == XOS_ATTR_RESOURCE_ID)
		n->id(n->arg, c);
}

void xos_policytool_names(
    const struct xos_policy_statement *s, const struct xos_policytool_namer *namer)
{
	for (size_t i = 0; i < s->nwhos; i++)
		namer->who(namer->arg, &s->whos[i]);
	for (size_t i = 0; i < s->nplaces; i++)
		place_names(&s->places[i], namer);
	if (s->cond)
		cond_names(s->cond, namer);
}

/* The pattern with its '*' replaced; 0: too long, or empty. */
static size_t fill(const char *pattern, const char *star, char text[XOS_POLICY_STRING_MAX + 1])
{
	size_t n = 0;
	for (const char *p = pattern; *p; p++) {
		const char one[2] = {*p == '?' ? 'x' : *p, 0};
		const char *s = *p == '*' ? star : one;
		size_t len = strlen(s);
		if (n + len > XOS_POLICY_STRING_MAX)
			return 0;
		memcpy(text + n, s, len);
		n += len;
	}
	text[n] = 0;
	return n;
}

void xos_policytool_like_examples(
    const char *pattern, void (*told)(void *arg, const char *text), void *arg)
{
	static const char *const stars[] = {"", "x", "xx", "x/x"};
	char text[XOS_POLICY_STRING_MAX + 1];
	for (size_t i = 0; i < sizeof(stars) / sizeof(stars[0]); i++) {
		size_t n = fill(pattern, stars[i], text);
		if (!n)
			continue;
		told(arg, text);
		/* One letter more, another one at the end, one less. */
		if (n < XOS_POLICY_STRING_MAX) {
			memcpy(text + n, "x", 2);
			told(arg, text);
		}
		text[n] = 0;
		char last = text[n - 1];
		text[n - 1] = last == 'y' ? 'z' : 'y';
		/* Characters are whole or not at all. */
		if (!((unsigned char)last & 0x80))
			told(arg, text);
		text[n - 1] = 0;
		if (n > 1 && !((unsigned char)last & 0x80))
			told(arg, text);
	}
}
