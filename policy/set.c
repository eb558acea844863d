#include "policy/set.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/ast.h"
#include "policy/compiled.h"

struct xos_policy_set *xos_policy_set_new(void)
{
	struct xos_policy_set *set = calloc(1, sizeof(*set));
	if (!set)
		return NULL;
	set->memory = xos_policy_memory_new();
	if (!set->memory) {
		free(set);
		return NULL;
	}
	atomic_init(&set->refs, 1);
	/* What a set means is fixed by the version it names; one that names none means the first. */
	set->schema = 1;
	set->name = "";
	return set;
}

struct xos_policy_set *xos_policy_set_ref(struct xos_policy_set *set)
{
	if (set)
		atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
	return set;
}

void xos_policy_set_unref(struct xos_policy_set *set)
{
	if (!set || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
		return;
	xos_policy_compiled_free(atomic_load_explicit(&set->compiled, memory_order_relaxed));
	xos_policy_memory_free(set->memory);
	free(set);
}

const char *xos_policy_level_name(enum xos_policy_level level)
{
	static const char *const names[XOS_POLICY_LEVELS] = {
	    "vo", "group", "site", "node", "owner", "delegation"};
	return (unsigned)level < XOS_POLICY_LEVELS ? names[level] : "unknown";
}

const char *xos_policy_effect_name(enum xos_policy_effect effect)
{
	static const char *const names[XOS_POLICY_EFFECTS] = {
	    "permit", "forbid", "limit", "duty", "check", "delegate"};
	return (unsigned)effect < XOS_POLICY_EFFECTS ? names[effect] : "unknown";
}

const char *xos_policy_change_name(enum xos_policy_change change)
{
	static const char *const names[] = {"", "continue", "drain", "stop"};
	return (unsigned)change <= XOS_CHANGE_STOP ? names[change] : "";
}

enum xos_policy_level xos_policy_set_level(const struct xos_policy_set *set)
{
	return set->level;
}

const char *xos_policy_set_name(const struct xos_policy_set *set)
{
	return set->name;
}

uint64_t xos_policy_set_serial(const struct xos_policy_set *set)
{
	return set->serial;
}

unsigned xos_policy_set_schema(const struct xos_policy_set *set)
{
	return set->schema;
}

const char *const *xos_policy_set_zones(const struct xos_policy_set *set, size_t *n)
{
	*n = set->nzones;
	return set->zones;
}

const struct xos_policy_attr *xos_policy_set_attr(
    const struct xos_policy_set *set, const char *name)
{
	for (size_t i = 0; i < set->nown_attrs; i++)
		if (strcmp(set->own_attrs[i].name, name) == 0)
			return &set->own_attrs[i];
	return xos_policy_attr_find(name, set->schema);
}

const struct xos_policy_action *xos_policy_set_action(
    const struct xos_policy_set *set, const char *name)
{
	for (size_t i = 0; i < set->nown_actions; i++)
		if (strcmp(set->own_actions[i].name, name) == 0)
			return &set->own_actions[i];
	return xos_policy_action_find(name, set->schema);
}

bool xos_policy_own_action_on(const struct xos_policy_set *set, size_t i, const char *kind)
{
	const struct xos_policy_own_kinds *of = &set->own_for[i];
	for (size_t j = 0; j < of->n; j++)
		if (strcmp(of->list[j], kind) == 0)
			return true;
	return of->n == 0;
}

bool xos_policy_set_has_kind(const struct xos_policy_set *set, const char *kind)
{
	for (size_t i = 0; i < set->nown_kinds; i++)
		if (strcmp(set->own_kinds[i], kind) == 0)
			return true;
	return xos_policy_kind_find(kind, set->schema) != NULL;
}

const struct xos_policy_accounts *xos_policy_set_accounts(
    const struct xos_policy_set *set, size_t *n)
{
	*n = set->naccounts;
	return set->accounts;
}

const struct xos_policy_account_group *xos_policy_set_account_groups(
    const struct xos_policy_set *set, size_t *n)
{
	*n = set->ngroups;
	return set->groups;
}

const struct xos_policy_node *xos_policy_set_nodes(const struct xos_policy_set *set, size_t *n)
{
	*n = set->nnodes;
	return set->nodes;
}

const struct xos_policy_node *xos_policy_set_node(
    const struct xos_policy_set *set, const char *name)
{
	size_t lo = 0, hi = set->nnodes;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(name, set->nodes[mid].name);
		if (c == 0)
			return &set->nodes[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

size_t xos_policy_set_count(const struct xos_policy_set *set)
{
	return set->n;
}

const struct xos_policy_statement *xos_policy_set_statement(
    const struct xos_policy_set *set, size_t i)
{
	return i < set->n ? &set->statements[i] : NULL;
}

enum xos_policy_effect xos_policy_statement_effect(const struct xos_policy_statement *s)
{
	return s->effect;
}

bool xos_policy_statement_shadow(const struct xos_policy_statement *s)
{
	return s->shadow;
}

const struct xos_policy_set *xos_policy_statement_set(const struct xos_policy_statement *s)
{
	return s->set;
}

uint32_t xos_policy_statement_number(const struct xos_policy_statement *s)
{
	return s->number;
}

uint32_t xos_policy_statement_line(const struct xos_policy_statement *s)
{
	return s->line;
}

const char *xos_policy_statement_id(const struct xos_policy_statement *s)
{
	return s->id;
}

const char *xos_policy_statement_because(const struct xos_policy_statement *s)
{
	return s->because;
}

const char *xos_policy_statement_contact(const struct xos_policy_statement *s)
{
	return s->contact;
}

enum xos_policy_change xos_policy_statement_change(
    const struct xos_policy_statement *s, int64_t *after)
{
	*after = s->change == XOS_CHANGE_STOP ? s->change_after : 0;
	return s->change;
}

enum xos_status xos_policy_set_load(const char *text, size_t len, const char *filename,
    struct xos_policy_set **out, struct xos_err *err)
{
	struct xos_policy_errors *errs = calloc(1, sizeof(*errs));
	*out = NULL;
	if (!errs)
		return xos_err_set(err, XOS_INTERNAL, "out-of-memory", "out of memory");
	enum xos_status status = xos_policy_set_parse(text, len, filename, out, errs);
	if (status != XOS_OK && errs->n) {
		const struct xos_policy_error *e = &errs->list[0];
		xos_err_set(err, status, "policy-malformed", "%s:%u:%u: %s%s%s%s", errs->filename,
		    e->line, e->col, e->text, e->hint[0] ? " (" : "", e->hint,
		    e->hint[0] ? ")" : "");
	} else if (status != XOS_OK) {
		xos_err_set(err, status, "out-of-memory", "out of memory");
	}
	free(errs);
	return status;
}

/* Messages quote the text, which may hold anything. */
static void put_safe(struct xos_buf *out, const char *s)
{
	char *copy = strdup(s);
	if (copy)
		xos_text_clean(copy);
	xos_buf_put_str(out, copy ? copy : "?");
	free(copy);
}

void xos_policy_errors_print(const struct xos_policy_errors *errs, struct xos_buf *out)
{
	for (size_t i = 0; i < errs->n; i++) {
		const struct xos_policy_error *e = &errs->list[i];
		put_safe(out, errs->filename);
		xos_buf_printf(out, ":%u:%u: error: ", e->line, e->col);
		put_safe(out, e->text);
		xos_buf_put_str(out, "\n");
		if (!e->hint[0])
			continue;
		xos_buf_put_str(out, "    hint: ");
		put_safe(out, e->hint);
		xos_buf_put_str(out, "\n");
	}
	if (errs->total > errs->n)
		xos_buf_printf(out, "%zu more errors\n", errs->total - errs->n);
}
