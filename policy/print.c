/* Canonical text: what parses back to an equal set. */
#include <string.h>

#include "base/clock.h"
#include "policy/ast.h"

void xos_policy_string_print(struct xos_buf *out, const char *s)
{
	xos_buf_put_str(out, "\"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			xos_buf_put_str(out, "\\");
		xos_buf_put(out, s, 1);
	}
	xos_buf_put_str(out, "\"");
}

void xos_policy_who_print(struct xos_buf *out, const struct xos_policy_who *who)
{
	static const char *const words[] = {"any", "vo ", "group ", "group exactly ", "role ",
	    "user ", "home ", "local", "node ", "service "};
	xos_buf_put_str(out, words[who->kind]);
	if (who->kind == XOS_WHO_HOME)
		xos_policy_string_print(out, who->name);
	else if (who->name)
		xos_buf_put_str(out, who->name);
}

void xos_policy_place_print(struct xos_buf *out, const struct xos_policy_place *place)
{
	static const char *const words[XOS_TERM_COUNT] = {"site:", "node:", "class:", "tag:", "",
	    "job:", "file:", [XOS_TERM_OBJECT] = "", [XOS_TERM_SERVICE] = "service:"};
	if (!place->n)
		xos_buf_put_str(out, "any");
	for (size_t i = 0; i < place->n; i++) {
		const struct xos_policy_term *t = &place->terms[i];
		xos_buf_printf(out, "%s%s%s%s", i ? " & " : "", words[t->kind], t->name,
		    t->kind == XOS_TERM_KIND ? ":*" : "");
	}
}

void xos_policy_whos_print(struct xos_buf *out, const struct xos_policy_statement *s)
{
	for (size_t i = 0; i < s->nwhos; i++) {
		xos_buf_put_str(out, i ? ", " : "");
		xos_policy_who_print(out, &s->whos[i]);
	}
}

void xos_policy_places_print(struct xos_buf *out, const struct xos_policy_statement *s)
{
	if (!s->nplaces)
		xos_buf_put_str(out, "any");
	for (size_t i = 0; i < s->nplaces; i++) {
		xos_buf_put_str(out, i ? ", " : "");
		xos_policy_place_print(out, &s->places[i]);
	}
}

static const char *action_name(const struct xos_policy_set *set, uint8_t code)
{
	const struct xos_policy_action *a = xos_policy_action_by_code(code);
	if (code >= XOS_POLICY_ACTION_OWN && code - XOS_POLICY_ACTION_OWN < (int)set->nown_actions)
		a = &set->own_actions[code - XOS_POLICY_ACTION_OWN];
	return a ? a->name : NULL;
}

static void print_actions(struct xos_buf *out, const struct xos_policy_set *set, uint64_t mask)
{
	const char *comma = "";
	for (uint8_t code = 1; code < XOS_POLICY_ACTIONS_MAX; code++) {
		const char *name = mask >> code & 1 ? action_name(set, code) : NULL;
		if (!name)
			continue;
		xos_buf_printf(out, "%s%s", comma, name);
		comma = ", ";
	}
}

static const char *cmp_text(enum xos_policy_cmp cmp)
{
	static const char *const texts[] = {"", "==", "!=", "<", "<=", ">", ">="};
	return texts[cmp];
}

static void print_value(struct xos_buf *out, const struct xos_policy_cond *c, size_t i)
{
	if (c->op == XOS_COND_IP)
		xos_policy_ip_print(out, &c->u.prefixes[i]);
	else if (c->attr->type == XOS_POLICY_STRING)
		xos_policy_string_print(out, c->u.strings[i]);
	else
		xos_policy_number_print(out, c->attr->type, c->u.numbers[i]);
}

static void print_values(struct xos_buf *out, const struct xos_policy_cond *c)
{
	xos_buf_put_str(out, "{");
	for (size_t i = 0; i < c->n; i++) {
		xos_buf_put_str(out, i ? ", " : "");
		print_value(out, c, i);
	}
	xos_buf_put_str(out, "}");
}

static void print_clock(
    struct xos_buf *out, const struct xos_policy_set *set, const struct xos_policy_clock *clock)
{
	int o = clock->offset < 0 ? -clock->offset : clock->offset;
	if (clock->zone)
		xos_buf_printf(out, " %s", set->zones[clock->zone - 1]);
	else if (o)
		xos_buf_printf(out, " %c%02d:%02d", clock->offset < 0 ? '-' : '+', o / 60, o % 60);
	else
		xos_buf_put_str(out, " UTC");
}

static void print_window(
    struct xos_buf *out, const struct xos_policy_set *set, const struct xos_policy_window *w)
{
	static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
	const char *comma = "";
	xos_buf_put_str(out, "time in ");
	for (int i = 0; w->days != XOS_POLICY_EVERY_DAY && i < 7; i++) {
		int last = i;
		while (last < 6 && w->days >> i & 1 && w->days >> (last + 1) & 1)
			last++;
		if (!(w->days >> i & 1))
			continue;
		xos_buf_printf(out, "%s%s", comma, days[i]);
		if (last != i)
			xos_buf_printf(out, "-%s", days[last]);
		comma = ",";
		i = last;
	}
	xos_buf_printf(out, "%s%02d:%02d-%02d:%02d", *comma ? " " : "", w->start / 60,
	    w->start % 60, w->end / 60, w->end % 60);
	print_clock(out, set, &w->clock);
}

static void print_dates(
    struct xos_buf *out, const struct xos_policy_set *set, const struct xos_policy_dates *d)
{
	char first[XOS_TIME_TEXT], last[XOS_TIME_TEXT];
	xos_time_format((int64_t)d->first * 86400, first);
	xos_time_format((int64_t)d->last * 86400, last);
	xos_buf_printf(out, "date in %.10s..%.10s", first, last);
	print_clock(out, set, &d->clock);
}

static void print_cond(
    struct xos_buf *out, const struct xos_policy_set *set, const struct xos_policy_cond *c);

static void print_kid(struct xos_buf *out, const struct xos_policy_set *set,
    const struct xos_policy_cond *c, size_t i)
{
	const struct xos_policy_cond *kid = c->u.kids[i];
	bool parens = (kid->op == XOS_COND_OR && c->op != XOS_COND_OR) ||
	              (kid->op == XOS_COND_AND && c->op == XOS_COND_NOT);
	xos_buf_put_str(out, parens ? "(" : "");
	print_cond(out, set, kid);
	xos_buf_put_str(out, parens ? ")" : "");
}

static void print_tree(
    struct xos_buf *out, const struct xos_policy_set *set, const struct xos_policy_cond *c)
{
	if (c->op == XOS_COND_NOT)
		xos_buf_put_str(out, "not ");
	for (size_t i = 0; i < c->n; i++) {
		if (i)
			xos_buf_put_str(out, c->op == XOS_COND_AND ? " and " : " or ");
		print_kid(out, set, c, i);
	}
}

static void print_cond(
    struct xos_buf *out, const struct xos_policy_set *set, const struct xos_policy_cond *c)
{
	switch (c->op) {
	case XOS_COND_AND:
	case XOS_COND_OR:
	case XOS_COND_NOT:
		print_tree(out, set, c);
		break;
	case XOS_COND_WHO:
		xos_policy_who_print(out, &c->u.who);
		break;
	case XOS_COND_ON:
		xos_buf_put_str(out, "on ");
		xos_policy_place_print(out, &c->u.place);
		break;
	case XOS_COND_ACTION:
		xos_buf_put_str(out, "action in {");
		print_actions(out, set, c->u.actions);
		xos_buf_put_str(out, "}");
		break;
	case XOS_COND_HAS:
		xos_buf_printf(out, "has %s", c->attr->name);
		break;
	case XOS_COND_BOOL:
		xos_buf_put_str(out, c->attr->name);
		break;
	case XOS_COND_COMPARE:
		xos_buf_printf(out, "%s %s ", c->attr->name, cmp_text(c->cmp));
		print_value(out, c, 0);
		break;
	case XOS_COND_IN:
		xos_buf_printf(out, "%s in ", c->attr->name);
		print_values(out, c);
		break;
	case XOS_COND_IP:
		xos_buf_printf(out, "ip(%s) in ", c->attr->name);
		print_values(out, c);
		break;
	case XOS_COND_NOW:
		xos_buf_printf(out, "now %s ", cmp_text(c->cmp));
		xos_policy_number_print(out, XOS_POLICY_TIME, c->u.numbers[0]);
		break;
	case XOS_COND_TIME:
		print_window(out, set, &c->u.window);
		break;
	case XOS_COND_DATE:
		print_dates(out, set, &c->u.dates);
		break;
	case XOS_COND_LIKE:
		xos_buf_printf(out, "%s like ", c->attr->name);
		print_values(out, c);
		break;
	case XOS_COND_OPS:
		break;
	}
}

static void print_caps(struct xos_buf *out, const struct xos_policy_statement *s)
{
	for (size_t i = 0; i < s->ncaps; i++) {
		const struct xos_policy_cap_value *v = &s->caps[i];
		const struct xos_policy_cap_info *info = xos_policy_cap_info(v->cap);
		xos_buf_printf(out, "%s%s ", i ? " " : "", info->name);
		if (info->type == XOS_POLICY_IP && strcmp(v->names[0], "closed") == 0) {
			xos_buf_put_str(out, "closed;");
		} else if (xos_policy_cap_is_set(v->cap)) {
			for (size_t j = 0; j < v->n; j++)
				xos_buf_printf(out, "%s%s", j ? ", " : "in {", v->names[j]);
			xos_buf_put_str(out, "};");
		} else {
			xos_buf_put_str(out, "<= ");
			xos_policy_number_print(out, info->type, v->number);
			xos_buf_put_str(out, ";");
		}
	}
}

static void print_duties(struct xos_buf *out, const struct xos_policy_statement *s)
{
	for (size_t i = 0; i < s->nduties; i++) {
		xos_buf_printf(out, "%s%s", i ? " " : "", s->duties[i].name);
		if (s->duties[i].arg) {
			xos_buf_put_str(out, " ");
			xos_policy_string_print(out, s->duties[i].arg);
		}
		xos_buf_put_str(out, ";");
	}
}

void xos_policy_statement_label(const struct xos_policy_statement *s, struct xos_buf *out)
{
	const struct xos_policy_set *set = s->set;
	xos_buf_put_str(out, set->name[0] ? set->name : xos_policy_level_name(set->level));
	if (s->id) {
		xos_buf_put_str(out, "@");
		xos_buf_put_str(out, s->id);
		return;
	}
	/* Every answer has some of them: without printf. */
	char number[12];
	size_t at = sizeof(number) - 1;
	uint32_t n = s->number;
	number[at] = '\0';
	do
		number[--at] = (char)('0' + n % 10);
	while (n /= 10);
	number[--at] = ':';
	xos_buf_put_str(out, number + at);
}

/* "delegate node n1, n2": the places are the nodes, with the site in front. */
static void print_nodes(struct xos_buf *out, const struct xos_policy_statement *s)
{
	for (size_t i = 0; i < s->nplaces; i++)
		xos_buf_printf(out, "%s%s", i ? ", " : " node ",
		    s->places[i].terms[0].name + strlen(s->set->name) + 1);
}

static void print_head(struct xos_buf *out, const struct xos_policy_statement *s, bool id)
{
	bool delegation = s->set->level == XOS_POLICY_DELEGATION;
	xos_buf_put_str(out, s->shadow ? "shadow " : "");
	xos_buf_put_str(out, xos_policy_effect_name(s->effect));
	if (id && s->id)
		xos_buf_printf(out, " @%s", s->id);
	if (s->effect == XOS_POLICY_CHECK) {
		xos_buf_put_str(out, " ");
		print_cond(out, s->set, s->cond);
		return;
	}
	bool nodes = s->effect == XOS_POLICY_DELEGATE && s->set->level == XOS_POLICY_SITE;
	if (nodes) {
		print_nodes(out, s);
	} else if (!delegation) {
		xos_buf_put_str(out, " ");
		xos_policy_whos_print(out, s);
	}
	if (s->actions != XOS_POLICY_ACTION_ALL) {
		xos_buf_put_str(out, " action ");
		print_actions(out, s->set, s->actions);
	} else if (!delegation) {
		xos_buf_put_str(out, " action any");
	}
	if (!nodes && (s->nplaces || !delegation)) {
		xos_buf_put_str(out, " on ");
		xos_policy_places_print(out, s);
	}
}

void xos_policy_statement_head(const struct xos_policy_statement *s, struct xos_buf *out)
{
	print_head(out, s, false);
}

void xos_policy_statement_text(const struct xos_policy_statement *s, struct xos_buf *out)
{
	print_head(out, s, true);
	if (s->cond && s->effect != XOS_POLICY_CHECK) {
		xos_buf_put_str(out, " when ");
		print_cond(out, s->set, s->cond);
	}
	if (s->ncaps || s->nduties) {
		xos_buf_put_str(out, " { ");
		print_caps(out, s);
		print_duties(out, s);
		xos_buf_put_str(out, " }");
	}
	if (s->because) {
		xos_buf_put_str(out, " because ");
		xos_policy_string_print(out, s->because);
	}
	if (s->contact) {
		xos_buf_put_str(out, " contact ");
		xos_policy_string_print(out, s->contact);
	}
	if (s->change != XOS_CHANGE_NONE)
		xos_buf_printf(out, " on change %s", xos_policy_change_name(s->change));
	if (s->change == XOS_CHANGE_STOP) {
		xos_buf_put_str(out, " after ");
		xos_policy_number_print(out, XOS_POLICY_DURATION, s->change_after);
	}
	/* A block ends a statement by itself. */
	bool block = s->ncaps || s->nduties;
	bool tail = s->because || s->contact || s->change != XOS_CHANGE_NONE;
	xos_buf_put_str(out, block && !tail ? "" : ";");
}

static void print_schema(struct xos_buf *out, const struct xos_policy_set *set)
{
	if (!set->nown_kinds && !set->nown_actions && !set->nown_attrs)
		return;
	xos_buf_put_str(out, "  schema {\n");
	for (size_t i = 0; i < set->nown_kinds; i++)
		xos_buf_printf(out, "    kind %s;\n", set->own_kinds[i]);
	for (size_t i = 0; i < set->nown_actions; i++) {
		xos_buf_printf(out, "    action %s", set->own_actions[i].name);
		for (size_t j = 0; j < set->own_for[i].n; j++)
			xos_buf_printf(out, "%s%s", j ? ", " : " for ", set->own_for[i].list[j]);
		xos_buf_put_str(out, ";\n");
	}
	for (size_t i = 0; i < set->nown_attrs; i++) {
		const struct xos_policy_attr *a = &set->own_attrs[i];
		uint64_t mask = a->given ? a->given : a->optional;
		xos_buf_printf(out, "    attribute %s %s %s for ", a->name,
		    xos_policy_type_name(a->type), a->given ? "given" : "optional");
		if (mask == XOS_POLICY_ACTION_ALL)
			xos_buf_put_str(out, "any");
		else
			print_actions(out, set, mask);
		xos_buf_put_str(out, ";\n");
	}
	xos_buf_put_str(out, "  }\n");
}

static void print_accounts(struct xos_buf *out, const struct xos_policy_set *set)
{
	for (size_t i = 0; i < set->naccounts; i++) {
		const struct xos_policy_accounts *a = &set->accounts[i];
		xos_buf_printf(out, "  accounts vo %s uid %u-%u", a->vo, a->first, a->last);
		if (a->jobs_first)
			xos_buf_printf(out, " jobs %u-%u", a->jobs_first, a->jobs_last);
		if (a->home) {
			xos_buf_put_str(out, " home ");
			xos_policy_string_print(out, a->home);
		}
		xos_buf_put_str(out, ";\n");
	}
	for (size_t i = 0; i < set->ngroups; i++)
		xos_buf_printf(out, "  accounts vo %s group %s gid %u;\n", set->groups[i].vo,
		    set->groups[i].group, set->groups[i].gid);
}

static void print_site(struct xos_buf *out, const struct xos_policy_set *set)
{
	print_accounts(out, set);
	for (size_t i = 0; i < set->nnodes; i++) {
		const struct xos_policy_node *node = &set->nodes[i];
		xos_buf_printf(out, "  node %s {", node->name);
		if (node->class_name)
			xos_buf_printf(out, " class %s;", node->class_name);
		for (size_t j = 0; j < node->ntags; j++)
			xos_buf_printf(out, "%s%s", j ? ", " : " tag ", node->tags[j]);
		xos_buf_put_str(out, node->ntags ? "; }\n" : " }\n");
	}
}

void xos_policy_set_text(const struct xos_policy_set *set, struct xos_buf *out)
{
	if (set->level == XOS_POLICY_DELEGATION) {
		xos_buf_put_str(out, "delegation");
		if (set->name[0])
			xos_buf_printf(out, " by user \"%s\"", set->name);
		if (set->schema != 1)
			xos_buf_printf(out, " schema %u", set->schema);
	} else {
		xos_buf_printf(out, "%s \"%s\" serial %llu schema %u",
		    xos_policy_level_name(set->level), set->name, (unsigned long long)set->serial,
		    set->schema);
	}
	xos_buf_put_str(out, " {\n");
	print_schema(out, set);
	print_site(out, set);
	for (size_t i = 0; i < set->n; i++) {
		xos_buf_put_str(out, "  ");
		xos_policy_statement_text(&set->statements[i], out);
		xos_buf_put_str(out, "\n");
	}
	xos_buf_put_str(out, "}\n");
}
