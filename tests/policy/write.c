/* From the model to the language. Each statement stands on a line of its own. */
#include "model.h"

#include <time.h>

static void put_who(struct xos_buf *out, const struct m_who *who)
{
	static const char *const kinds[] = {"any", "vo ", "group ", "exactly ", "role ", "user ",
	    "home ", "local", "node ", "service "};
	xos_buf_put_str(out, kinds[who->kind]);
	if (who->name)
		xos_buf_printf(out, who->kind == W_HOME ? "\"%s\"" : "%s", who->name);
}

static void put_place(struct xos_buf *out, const struct m_place *p)
{
	static const char *const kinds[] = {
	    "site:", "node:", "class:", "tag:", "", "job:", "file:", "service:", ""};
	for (unsigned i = 0; i < p->n; i++)
		xos_buf_printf(out, "%s%s%s%s", i ? " & " : "", kinds[p->terms[i].kind],
		    p->terms[i].name, p->terms[i].kind == T_KIND ? ":*" : "");
}

/* short_form: with the words that stand for several. All of them: only "any" says that. */
static void put_actions(struct xos_buf *out, unsigned mask, bool short_form)
{
	static const struct {
		unsigned mask;
		const char *text;
	} short_forms[] = {{7, "job.*"}, {3 << 3, "file.*"}, {3 << 6, "token.*"}};
	const char *comma = "";
	if (mask == ACTIONS_ALL) {
		xos_buf_put_str(out, "any");
		return;
	}
	for (unsigned i = 0; i < 3 && short_form; i++) {
		if ((mask & short_forms[i].mask) != short_forms[i].mask)
			continue;
		xos_buf_printf(out, "%s%s", comma, short_forms[i].text);
		mask &= ~short_forms[i].mask;
		comma = ", ";
	}
	for (unsigned i = 0; i < ACTIONS; i++) {
		if (!(mask >> i & 1))
			continue;
		xos_buf_printf(out, "%s%s", comma, action_names[i]);
		comma = ", ";
	}
}

static void put_value(struct xos_buf *out, enum m_attr attr, int64_t v)
{
	if (attr == A_CPU || attr == A_LICENCES)
		xos_buf_printf(out, "%lld", (long long)v);
	else if (attr == A_MEMORY)
		xos_buf_printf(out, "%lldGiB", (long long)(v >> 30));
	else
		xos_buf_printf(out, "%lldh", (long long)(v / 3600));
}

static void put_zone(struct xos_buf *out, enum m_zone zone)
{
	static const char *const names[Z_COUNT] = {
	    "UTC", "+05:30", "-08:00", "Europe/Paris", "America/New_York", "Atlantis/Nowhere"};
	xos_buf_printf(out, " %s", names[zone]);
}

static void put_window(struct xos_buf *out, const struct m_window *w)
{
	static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
	const char *comma = " ";
	xos_buf_put_str(out, "time in");
	for (unsigned i = 0; i < 7; i++) {
		if (!(w->days >> i & 1))
			continue;
		xos_buf_printf(out, "%s%s", comma, names[i]);
		comma = ",";
	}
	xos_buf_printf(
	    out, " %02d:%02d-%02d:%02d", w->start / 60, w->start % 60, w->end / 60, w->end % 60);
	put_zone(out, w->zone);
}

static void put_day(struct xos_buf *out, int64_t t)
{
	struct tm tm;
	time_t there = t;
	gmtime_r(&there, &tm);
	xos_buf_printf(out, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static void put_moment(struct xos_buf *out, int64_t t)
{
	put_day(out, t);
	xos_buf_printf(out, "T%02d:%02dZ", (int)(t / 3600 % 24), (int)(t / 60 % 60));
}

static void put_prefixes(struct xos_buf *out, unsigned bits)
{
	static const char *const prefixes[] = {
	    "10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32", "10.1.2.3"};
	const char *comma = "";
	xos_buf_put_str(out, "ip(ctx.src) in {");
	for (unsigned i = 0; i < 4; i++) {
		if (!(bits >> i & 1))
			continue;
		xos_buf_printf(out, "%s%s", comma, prefixes[i]);
		comma = ", ";
	}
	xos_buf_put_str(out, "}");
}

static const char *const comparisons[M_CMPS] = {"<", "<=", "==", "!=", ">=", ">"};

static void put_test(struct xos_buf *out, const struct m_cond *c)
{
	const char *name = attr_names[c->attr];
	switch (c->op) {
	case C_HAS:
		xos_buf_printf(out, "has %s", name);
		return;
	case C_BOOL:
		xos_buf_put_str(out, name);
		return;
	case C_NUMBER:
		xos_buf_printf(out, "%s %s ", name, comparisons[c->cmp]);
		put_value(out, c->attr, c->a);
		return;
	case C_AMONG:
		xos_buf_printf(out, "%s in {", name);
		put_value(out, c->attr, c->a);
		xos_buf_put_str(out, ", ");
		put_value(out, c->attr, c->b);
		xos_buf_put_str(out, "}");
		return;
	case C_IS:
		xos_buf_printf(out, "%s %s %s", name, comparisons[c->cmp], c->text);
		return;
	case C_ONE_OF:
		xos_buf_printf(out, "%s in {%s, \"%s\"}", name, c->text, c->text2);
		return;
	case C_LIKE:
		xos_buf_printf(out, "%s like \"%s\"", name, c->text);
		return;
	case C_IP:
		put_prefixes(out, (unsigned)c->a);
		return;
	case C_NOW:
		xos_buf_printf(out, "now %s ", comparisons[c->cmp]);
		put_moment(out, c->a);
		return;
	case C_TIME:
		put_window(out, &c->window);
		return;
	default: /* C_DATE */
		xos_buf_put_str(out, "date in ");
		put_day(out, c->a);
		xos_buf_put_str(out, "..");
		put_day(out, c->b);
		put_zone(out, c->window.zone);
	}
}

/* "group /a or user b", or "who in {group /a, user b}". */
static void put_each(
    struct xos_buf *out, const struct m_cond *c, unsigned n, const char *before, const char *open)
{
	xos_buf_put_str(out, c->b ? open : "(");
	for (unsigned i = 0; i < n; i++) {
		if (i)
			xos_buf_put_str(out, c->b ? ", " : " or ");
		xos_buf_put_str(out, c->b ? "" : before);
		if (c->op == C_WHO)
			put_who(out, &c->whos[i]);
		else
			put_place(out, &c->places[i]);
	}
	xos_buf_put_str(out, c->b ? "}" : ")");
}

static void put_cond(struct xos_buf *out, const struct m_cond *c)
{
	switch (c->op) {
	case C_AND:
	case C_OR:
		xos_buf_put_str(out, "(");
		put_cond(out, c->x);
		xos_buf_put_str(out, c->op == C_AND ? " and " : " or ");
		put_cond(out, c->y);
		xos_buf_put_str(out, ")");
		return;
	case C_NOT:
		xos_buf_put_str(out, "not (");
		put_cond(out, c->x);
		xos_buf_put_str(out, ")");
		return;
	case C_WHO:
		put_each(out, c, c->nwhos, "", "who in {");
		return;
	case C_ON:
		put_each(out, c, c->nplaces, "on ", "on {");
		return;
	case C_ACTION:
		xos_buf_put_str(out, "action in {");
		put_actions(out, c->actions, false);
		xos_buf_put_str(out, "}");
		return;
	default:
		put_test(out, c);
	}
}

static void put_caps(struct xos_buf *out, const struct m_statement *s)
{
	static const char *const classes[] = {"p", "q", "r"};
	const char *comma = "";
	xos_buf_put_str(out, " {");
	if (s->wall)
		xos_buf_printf(out, " wall <= %uh;", s->wall);
	if (s->cpu)
		xos_buf_printf(out, " cpu <= %u;", s->cpu);
	if (s->classes)
		xos_buf_put_str(out, " account_class in {");
	for (unsigned i = 0; i < 3; i++) {
		if (!(s->classes >> i & 1))
			continue;
		xos_buf_printf(out, "%s%s", comma, classes[i]);
		comma = ", ";
	}
	xos_buf_put_str(out, s->classes ? "}; }" : " }");
}

static void put_change(struct xos_buf *out, const struct m_statement *s)
{
	static const char *const changes[] = {"", "continue", "drain", "stop"};
	if (!s->change)
		return;
	xos_buf_printf(out, " on change %s", changes[s->change]);
	if (s->change == M_STOP)
		xos_buf_printf(out, " after %um", s->stop_after);
}

static void put_whos(struct xos_buf *out, const struct m_statement *s)
{
	for (unsigned i = 0; i < s->nwhos; i++) {
		xos_buf_put_str(out, i ? ", " : "");
		if (s->effect == M_DELEGATE && s->whos[i].kind == W_ANY)
			xos_buf_printf(out, "node %s", s->whos[i].name);
		else
			put_who(out, &s->whos[i]);
	}
}

static void put_places(struct xos_buf *out, const struct m_statement *s)
{
	for (unsigned i = 0; i < s->nplaces; i++) {
		xos_buf_put_str(out, i ? ", " : "");
		put_place(out, &s->places[i]);
	}
}

/* What of the head the statement says through names, which are then defined before it. */
static unsigned named(const struct m_statement *s)
{
	unsigned style = s->style & (BY_NAME_WHO | BY_NAME_PLACE | BY_NAME_ACTIONS);
	if (s->effect == M_CHECK || s->effect == M_DELEGATE)
		return 0;
	if (s->actions == ACTIONS_ALL)
		style &= ~(unsigned)BY_NAME_ACTIONS;
	return style & ~((s->nwhos ? 0 : BY_NAME_WHO) | (s->nplaces ? 0 : BY_NAME_PLACE));
}

static void put_definitions(struct xos_buf *out, const struct m_statement *s, unsigned number)
{
	if (named(s) & BY_NAME_WHO) {
		xos_buf_printf(out, "define $w%u { ", number);
		put_whos(out, s);
		xos_buf_put_str(out, " } ");
	}
	if (named(s) & BY_NAME_PLACE) {
		xos_buf_printf(out, "define $p%u { ", number);
		put_places(out, s);
		xos_buf_put_str(out, " } ");
	}
	if (named(s) & BY_NAME_ACTIONS) {
		xos_buf_printf(out, "define $a%u { ", number);
		put_actions(out, s->actions, s->style & 1);
		xos_buf_put_str(out, " } ");
	}
}

static void put_head(struct xos_buf *out, const struct m_statement *s, unsigned number)
{
	xos_buf_put_str(out, " ");
	if (named(s) & BY_NAME_WHO)
		xos_buf_printf(out, "$w%u", number);
	else
		put_whos(out, s);
	if (named(s) & BY_NAME_ACTIONS) {
		xos_buf_printf(out, " action $a%u", number);
	} else {
		xos_buf_put_str(out, " action ");
		put_actions(out, s->actions, s->style & 1);
	}
	if (s->nplaces)
		xos_buf_put_str(out, " on ");
	if (named(s) & BY_NAME_PLACE)
		xos_buf_printf(out, "$p%u", number);
	else
		put_places(out, s);
}

static void put_body(struct xos_buf *out, const struct m_statement *s, unsigned number)
{
	static const char *const effects[] = {
	    "permit", "forbid", "limit", "duty", "check", "delegate"};
	static const char *const duties[] = {"record", "notify \"x\"", "notify \"y\""};
	xos_buf_printf(out, "%s%s", s->shadow ? "shadow " : "", effects[s->effect]);
	if (s->effect == M_CHECK)
		xos_buf_put_str(out, " ");
	else
		put_head(out, s, number);
	bool unless = s->style & BY_UNLESS && s->effect != M_CHECK;
	if (s->cond && s->effect != M_CHECK)
		xos_buf_put_str(out, unless ? " unless not (" : " when ");
	if (s->cond)
		put_cond(out, s->cond);
	if (s->cond && unless)
		xos_buf_put_str(out, ")");
	if (s->effect == M_LIMIT)
		put_caps(out, s);
	if (s->effect == M_DUTY)
		xos_buf_printf(out, " { %s; }", duties[s->duty]);
	put_change(out, s);
	xos_buf_put_str(out, ";");
}

static void put_statement(struct xos_buf *out, const struct m_statement *s, unsigned number)
{
	bool template = s->style & BY_TEMPLATE && s->cond;
	put_definitions(out, s, number);
	if (template)
		xos_buf_printf(out, "template t%u($n number) { ", number);
	put_body(out, s, number);
	if (template)
		xos_buf_printf(out, " } use t%u(%u);", number, number);
	xos_buf_put_str(out, "\n");
}

void write_set(struct xos_buf *out, const struct m_set *set)
{
	static const char *const levels[] = {"vo", "site", "node", "owner", "group", "delegation"};
	if (set->level == L_DELEGATION)
		xos_buf_printf(out, "delegation by user \"%s\"", set->name);
	else
		xos_buf_printf(out, "%s \"%s\" serial %llu", levels[set->level], set->name,
		    (unsigned long long)set->serial);
	if (set->schema != 1)
		xos_buf_printf(out, " schema %u", set->schema);
	xos_buf_put_str(out, " {");
	for (size_t i = 0; i < m_nnodes && set->level == L_SITE; i++) {
		const struct m_node *n = &m_nodes[i];
		if (strcmp(n->site, set->name) != 0)
			continue;
		xos_buf_printf(out, " node %s {", n->name);
		if (n->class_name)
			xos_buf_printf(out, " class %s;", n->class_name);
		for (size_t j = 0; j < 3 && n->tags[j]; j++)
			xos_buf_printf(out, " tag %s;", n->tags[j]);
		xos_buf_put_str(out, " }");
	}
	if (set->declares) {
		xos_buf_put_str(out, " schema { kind demo.dataset; action demo.annotate");
		for (unsigned i = 0, n = 0; i < OWN_KINDS; i++)
			if (set->about >> i & 1)
				xos_buf_printf(out, "%s%s", n++ ? ", " : " for ", own_kinds[i]);
		xos_buf_put_str(out, "; attribute demo.licences number optional for any; }");
	}
	xos_buf_put_str(out, "\n");
	for (unsigned i = 0; i < set->n; i++)
		put_statement(out, &set->list[i], i);
	xos_buf_put_str(out, "}\n");
}

static const char *or_none(const char *s)
{
	return s ? s : "-";
}

void write_request(struct xos_buf *out, const struct xos_policy_request *req)
{
	const struct xos_policy_subject *s = &req->subject;
	const struct xos_policy_resource *r = &req->resource;
	xos_buf_printf(out, "subject %s vo %s home %s method %s time %lld mfa %d\n",
	    or_none(s->member), or_none(s->vo), or_none(s->home), or_none(s->auth_method),
	    (long long)s->auth_time, s->auth_mfa);
	for (size_t i = 0; i < s->ngroups; i++)
		xos_buf_printf(out, "group %s\n", s->groups[i]);
	for (size_t i = 0; i < s->nroles; i++)
		xos_buf_printf(out, "role %s\n", s->roles[i]);
	for (size_t i = 0; i < s->nheld; i++)
		xos_buf_printf(out, "held %s\n", s->held[i]);
	xos_buf_printf(out, "action %s on %s id %s site %s node %s vo %s owner %s\n", req->action,
	    or_none(r->kind), or_none(r->id), or_none(r->site), or_none(r->node), or_none(r->vo),
	    or_none(r->owner));
	for (size_t i = 0; i < req->nvalues; i++)
		xos_buf_printf(out, "%s = %lld %s\n", req->values[i].name,
		    (long long)req->values[i].number, or_none(req->values[i].string));
	put_moment(out, req->now);
	xos_buf_printf(out, " and %d s, chain %zu\n", (int)(req->now % 60), req->nchain);
}
