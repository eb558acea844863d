/* What a text says in vain: names that nobody uses, statements that say the same. */
#include "policy/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lint_set.h"
#include "policy/parser.h"

static const struct xos_policy_lint lints[XOS_LINTS] = {
    [XOS_LINT_UNUSED_NAME] = {"unused-name", "a named set that nothing uses"},
    [XOS_LINT_UNUSED_TEMPLATE] = {"unused-template", "a template that nothing uses"},
    [XOS_LINT_DUPLICATE] = {"duplicate", "a statement that says what another one says"},
    [XOS_LINT_FORBIDDEN_PERMIT] = {"forbidden-permit",
        "a permit wholly covered by a forbid without condition"},
    [XOS_LINT_UNGUARDED] = {"unguarded", "a test of an attribute that a request may lack"},
    [XOS_LINT_NEVER] = {"never", "a statement that can never apply"},
    [XOS_LINT_OLD_SCHEMA] = {"old-schema", "a set of schema 1, which is checked less strictly"},
    [XOS_LINT_WIDE_PERMIT] = {"wide-permit", "everybody, every action, everywhere, always"},
    [XOS_LINT_NO_REASON] = {"no-reason", "a forbid without because"},
    [XOS_LINT_PATTERN] = {"pattern", "a pattern without wildcards, or of nothing else"},
    [XOS_LINT_REDUNDANT] = {"redundant", "alternatives that others of the list contain"},
    [XOS_LINT_ALWAYS] = {"always", "a window that is always open"},
    [XOS_LINT_NOT_DELEGATED] = {"not-delegated", "a permit that counts only if it is delegated"},
};

const struct xos_policy_lint *xos_policy_lints(size_t *n)
{
	*n = XOS_LINTS;
	return lints;
}

void xos_lint_tell(struct xos_policy_errors *out, const struct xos_policy_token *at,
    enum xos_lint lint, const char *hint, const char *fmt, ...)
{
	out->total++;
	if (out->n == XOS_POLICY_ERRORS_MAX)
		return;
	struct xos_policy_error *e = &out->list[out->n++];
	char text[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	e->line = at->line;
	e->col = at->col;
	snprintf(e->text, sizeof(e->text), "%s [%s]", text, lints[lint].name);
	snprintf(e->hint, sizeof(e->hint), "%s", hint);
}

struct said { /* what a statement says, as a number */
	uint64_t hash;
	const struct xos_policy_statement *s;
};

/* By what is said, then by place: of several, the first is the original. */
static int said_order(const void *a, const void *b)
{
	const struct said *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->s->number > y->s->number) - (x->s->number < y->s->number);
}

static void say(const struct xos_policy_statement *s, struct xos_buf *out)
{
	struct xos_policy_statement bare = *s;
	bare.id = bare.because = bare.contact = NULL;
	out->n = 0;
	xos_policy_statement_text(&bare, out);
}

static bool say_hash(const struct xos_policy_statement *s, struct xos_buf *text, uint64_t *hash)
{
	say(s, text);
	*hash = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < text->n; i++)
		*hash = (*hash ^ text->p[i]) * UINT64_C(1099511628211);
	return xos_buf_status(text) == XOS_OK;
}

/* Hashes are compared first; the texts decide. */
static bool find_duplicates(const struct xos_policy_set *set, struct xos_policy_errors *out)
{
	struct said *list = malloc((set->n + 1) * sizeof(*list));
	struct xos_buf a, b;
	bool ok = list != NULL;
	xos_buf_init(&a, XOS_POLICY_TEXT_MAX);
	xos_buf_init(&b, XOS_POLICY_TEXT_MAX);
	for (size_t i = 0; ok && i < set->n; i++) {
		list[i].s = &set->statements[i];
		ok = say_hash(list[i].s, &a, &list[i].hash);
	}
	if (ok)
		qsort(list, set->n, sizeof(*list), said_order);
	for (size_t i = 1; ok && i < set->n && out->n < XOS_POLICY_ERRORS_MAX; i++) {
		struct xos_policy_token at = {.line = list[i].s->line, .col = 1};
		if (list[i].hash != list[i - 1].hash)
			continue;
		say(list[i - 1].s, &a);
		say(list[i].s, &b);
		if (a.n == b.n && memcmp(a.p, b.p, a.n) == 0)
			xos_lint_tell(out, &at, XOS_LINT_DUPLICATE, "remove one of the two",
			    "this says what line %u says", list[i - 1].s->line);
	}
	ok = ok && xos_buf_status(&a) == XOS_OK && xos_buf_status(&b) == XOS_OK;
	xos_buf_free(&a);
	xos_buf_free(&b);
	free(list);
	return ok;
}

struct lint_run {
	struct xos_policy_errors *out;
	bool failed;
};

static void look(const struct xos_policy_parser *p, void *arg)
{
	struct lint_run *run = arg;
	struct xos_policy_errors *out = run->out;
	struct xos_policy_token start = {.line = 1, .col = 1};
	if (p->set->schema < 2)
		xos_lint_tell(out, &start, XOS_LINT_OLD_SCHEMA, "write schema 2 after the serial",
		    "this set means schema 1");
	for (size_t i = 0; i < p->nnames; i++)
		if (!p->names[i].used)
			xos_lint_tell(out, &p->names[i].at, XOS_LINT_UNUSED_NAME, "remove it",
			    "nothing uses $%s", p->names[i].name);
	for (size_t i = 0; i < p->ntemplates; i++)
		if (!p->templates[i].used)
			xos_lint_tell(out, &p->templates[i].at, XOS_LINT_UNUSED_TEMPLATE,
			    "remove it", "nothing uses the template %s", p->templates[i].name);
	xos_lint_statements(p->set, out);
	run->failed = !find_duplicates(p->set, out);
}

enum xos_status xos_policy_lint(const char *text, size_t len, const char *filename,
    struct xos_policy_errors *errs, struct xos_policy_errors *warnings)
{
	struct xos_policy_set *set;
	struct lint_run run = {.out = warnings};
	memset(warnings, 0, sizeof(*warnings));
	snprintf(
	    warnings->filename, sizeof(warnings->filename), "%s", filename ? filename : "policy");
	enum xos_status status = xos_parser_run(text, len, filename, &set, errs, look, &run);
	xos_policy_set_unref(set);
	return status == XOS_OK && run.failed ? XOS_INTERNAL : status;
}

static bool delegates_to(const struct xos_policy_statement *s, const struct xos_policy_set *to)
{
	for (size_t i = 0; i < s->nplaces && to->level == XOS_POLICY_NODE; i++)
		if (strcmp(s->places[i].terms[0].name, to->name) == 0)
			return true;
	for (size_t i = 0; i < s->nwhos && to->level == XOS_POLICY_GROUP; i++) {
		size_t n = strlen(s->whos[i].name);
		if (strncmp(to->name, s->whos[i].name, n) == 0 &&
		    (to->name[n] == 0 || to->name[n] == '/'))
			return true;
	}
	return false;
}

/* Does `above` delegate anything to `to`? Only if it is the set that could. */
static bool covers(const struct xos_policy_set *above, const struct xos_policy_set *to, bool *found)
{
	bool site = to->level == XOS_POLICY_NODE;
	if (above->level != (site ? XOS_POLICY_SITE : XOS_POLICY_VO) ||
	    strcmp(above->name, site ? to->site : to->vo) != 0)
		return false;
	*found = true;
	for (size_t i = 0; i < above->n; i++)
		if (above->statements[i].effect == XOS_POLICY_DELEGATE &&
		    delegates_to(&above->statements[i], to))
			return true;
	return false;
}

void xos_policy_lint_together(
    const struct xos_policy_set *const *sets, size_t n, struct xos_policy_errors *warnings)
{
	memset(warnings, 0, sizeof(*warnings));
	for (size_t i = 0; i < n; i++) {
		const struct xos_policy_set *set = sets[i];
		const struct xos_policy_statement *permit = NULL;
		bool found = false, covered = false;
		if (set->level != XOS_POLICY_NODE && set->level != XOS_POLICY_GROUP)
			continue;
		for (size_t j = 0; j < set->n && !permit; j++)
			if (set->statements[j].effect == XOS_POLICY_PERMIT)
				permit = &set->statements[j];
		for (size_t j = 0; permit && j < n && !covered; j++)
			covered = covers(sets[j], set, &found);
		if (!permit || covered || !found)
			continue;
		struct xos_policy_token at = {.line = permit->line, .col = 1};
		bool node = set->level == XOS_POLICY_NODE;
		xos_lint_tell(warnings, &at, XOS_LINT_NOT_DELEGATED,
		    node ? "write delegate node NODE action ... in the site's set"
		         : "write delegate group GROUP action ... in the VO's set",
		    "%s: no permit of this set counts: %s %s delegates nothing to it", set->name,
		    node ? "site" : "VO", node ? set->site : set->vo);
	}
}
