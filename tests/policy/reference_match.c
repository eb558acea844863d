/*
 * The slow evaluator: what matches. Written from docs/policy-language.md, with no index, no
 * interning and no short cut; truth is "can be true" and "can be false".
 */
#include "model.h"

#include <time.h>

static const struct truth yes = {true, false}, no = {false, true}, open = {true, true};

static struct truth known(bool b)
{
	return b ? yes : no;
}

static struct truth both(struct truth a, struct truth b)
{
	return (struct truth){a.can_true && b.can_true, a.can_false || b.can_false};
}

static struct truth either(struct truth a, struct truth b)
{
	return (struct truth){a.can_true || b.can_true, a.can_false && b.can_false};
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* "/a/b" is at or below "/a", and not below "/". */
static bool below_name(const char *name, const char *top)
{
	size_t n = strlen(top);
	return strncmp(name, top, n) == 0 && (name[n] == 0 || name[n] == '/');
}

static bool below_path(const char *path, const char *top)
{
	return strcmp(top, "/") == 0 || below_name(path, top);
}

static bool in_group(const struct xos_policy_subject *s, const char *group, bool exactly)
{
	/* Everybody is in the root group of the own VO. */
	if (same(group + 1, s->vo))
		return true;
	for (size_t i = 0; i < s->ngroups; i++)
		if (exactly ? same(s->groups[i], group) : below_name(s->groups[i], group))
			return true;
	return false;
}

static bool in_role(const struct where *w, const char *role)
{
	if (same(w->extra_role, role))
		return true;
	for (size_t i = 0; i < w->req->subject.nroles; i++)
		if (same(w->req->subject.roles[i], role))
			return true;
	return false;
}

/* Who "any" is, by the set that says it. */
static bool is_any(const struct xos_policy_subject *s, const struct m_set *set)
{
	char vo[64];
	switch (set->level) {
	case L_VO:
		return same(s->vo, set->name);
	case L_OWNER: /* members of the owner's VO */
		snprintf(vo, sizeof(vo), "%.*s", (int)strcspn(set->name, ":"), set->name);
		return same(s->vo, vo);
	case L_GROUP: /* members of the group's subtree */
		return in_group(s, set->name, false);
	default:
		return true;
	}
}

/* A machine is meant by its whole name, a service by its kind, and both by the star of their VO. */
static bool is_machine(const struct xos_policy_subject *s, const struct m_who *who)
{
	char full[128], kind[128], all[64];
	bool node = s->kind == XOS_SUBJECT_NODE;
	if (who->kind != (node ? W_NODE : W_SERVICE))
		return false;
	snprintf(full, sizeof(full), "%s:%s", s->vo, s->member);
	snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(full, "/"), full);
	snprintf(all, sizeof(all), "%s:*", s->vo);
	return same(who->name, full) || same(who->name, all) || (!node && same(who->name, kind));
}

bool ref_who(const struct where *w, const struct m_set *set, const struct m_who *who)
{
	const struct xos_policy_subject *s = &w->req->subject;
	char full[128];
	if (s->kind == XOS_SUBJECT_LOCAL)
		return who->kind == W_LOCAL;
	if (s->kind != XOS_SUBJECT_MEMBER)
		return is_machine(s, who);
	snprintf(full, sizeof(full), "%s:%s", s->vo, s->member);
	switch (who->kind) {
	case W_ANY:
		return is_any(s, set);
	case W_VO:
		return same(s->vo, who->name);
	case W_GROUP:
		return in_group(s, who->name, false);
	case W_EXACTLY:
		return in_group(s, who->name, true);
	case W_ROLE:
		return in_role(w, who->name);
	case W_USER:
		return same(full, who->name);
	case W_HOME:
		return same(s->home, who->name);
	case W_LOCAL:
	case W_NODE:
	case W_SERVICE:
		break;
	}
	return false;
}

bool ref_valid(const struct m_set *set, int64_t now)
{
	return (!set->not_before || now >= set->not_before) &&
	       (!set->not_after || now < set->not_after);
}

const struct m_set *ref_find(const struct m_policy *p, enum m_level level, const char *name)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->sets[i].level == level && same(p->sets[i].name, name))
			return &p->sets[i];
	return NULL;
}

/* The node as its site declares it, in a set that is valid. */
static const struct m_node *declared(const struct where *w)
{
	const struct xos_policy_resource *r = &w->req->resource;
	const struct m_set *site = r->site ? ref_find(w->policy, L_SITE, r->site) : NULL;
	if (!site || !ref_valid(site, w->req->now))
		return NULL;
	for (size_t i = 0; i < m_nnodes; i++)
		if (same(m_nodes[i].site, r->site) && same(m_nodes[i].name, r->node))
			return &m_nodes[i];
	return NULL;
}

static struct truth ref_label(const struct where *w, const struct m_term *t)
{
	const struct m_node *node = declared(w);
	if (!w->req->resource.site)
		return no;
	if (!node)
		return open; /* some node of the site, or one that it never declared */
	if (t->kind == T_CLASS)
		return known(same(node->class_name, t->name));
	for (size_t i = 0; i < 3; i++)
		if (same(node->tags[i], t->name))
			return yes;
	return no;
}

static struct truth ref_node(const struct where *w, const char *name)
{
	const struct xos_policy_resource *r = &w->req->resource;
	char full[128];
	size_t n = strcspn(name, "/");
	if (!r->site || strlen(r->site) != n || strncmp(r->site, name, n) != 0)
		return no;
	if (!r->node)
		return open;
	snprintf(full, sizeof(full), "%s/%s", r->site, r->node);
	return known(same(full, name));
}

static const struct xos_policy_value *given(const struct where *w, enum m_attr attr)
{
	for (size_t i = 0; i < w->req->nvalues; i++)
		if (same(w->req->values[i].name, attr_names[attr]))
			return &w->req->values[i];
	return NULL;
}

/* "session:s1": the kind and the whole id. */
static struct truth ref_object(const struct xos_policy_resource *r, const char *name)
{
	size_t n = strlen(r->kind);
	if (strncmp(name, r->kind, n) != 0 || name[n] != ':')
		return no;
	return r->id ? known(same(r->id, name + n + 1)) : open;
}

static struct truth ref_term(const struct where *w, const struct m_term *t)
{
	const struct xos_policy_resource *r = &w->req->resource;
	switch (t->kind) {
	case T_SITE:
		return known(same(r->site, t->name));
	case T_NODE:
		return ref_node(w, t->name);
	case T_CLASS:
	case T_TAG:
		return ref_label(w, t);
	case T_KIND:
		return known(same(r->kind, t->name));
	case T_JOB:
		return known(same(r->kind, "job") && same(r->id, t->name));
	case T_FILE:
		return known(same(r->kind, "file") && below_path(r->id, t->name));
	case T_SERVICE:
		return given(w, A_SERVICE) ? known(same(given(w, A_SERVICE)->string, t->name))
		                           : open;
	case T_OBJECT:
		return ref_object(r, t->name);
	}
	return open;
}

static struct truth ref_places(const struct where *w, const struct m_place *places, unsigned n)
{
	struct truth result = n ? no : yes;
	for (unsigned i = 0; i < n; i++) {
		struct truth one = yes;
		for (unsigned j = 0; j < places[i].n; j++)
			one = both(one, ref_term(w, &places[i].terms[j]));
		result = either(result, one);
	}
	return result;
}

/* ---- attributes ---- */

/* A number, a duration, a size or a yes-no; false: it is missing. */
static bool number_of(const struct where *w, enum m_attr attr, int64_t *v)
{
	const struct xos_policy_subject *s = &w->req->subject;
	const struct xos_policy_resource *r = &w->req->resource;
	const struct xos_policy_value *value = given(w, attr);
	switch (attr) {
	case A_AGE:
		*v = w->req->now - s->auth_time;
		return s->auth_time > 0 && *v >= 0;
	case A_MFA:
		*v = s->auth_mfa;
		return s->auth_mfa >= 0;
	case A_OWNER:
		*v = s->kind == XOS_SUBJECT_MEMBER && same(s->vo, r->vo) &&
		     same(s->member, r->owner);
		return r->owner != NULL;
	default:
		*v = value ? value->number : 0;
		return value != NULL;
	}
}

static const char *text_of(const struct where *w, enum m_attr attr)
{
	const struct xos_policy_value *value = given(w, attr);
	if (attr == A_METHOD)
		return w->req->subject.auth_method;
	if (attr == A_ID)
		return w->req->resource.id;
	return value ? value->string : NULL;
}

bool ref_has(const struct where *w, enum m_attr attr)
{
	int64_t v;
	if (attr == A_METHOD || attr == A_SERVICE || attr == A_SRC || attr == A_ID)
		return text_of(w, attr) != NULL;
	return number_of(w, attr, &v);
}

static bool compare(enum m_cmp cmp, int64_t x, int64_t y)
{
	const bool result[M_CMPS] = {
	    [M_LT] =
	        x<y, [M_LE] = x <= y, [M_EQ] = x == y, [M_NE] = x != y, [M_GE] = x >= y, [M_GT] = x>
	            y};
	return result[cmp];
}

/* Every way of cutting the text: slow, and right. */
static bool like(const char *text, const char *pattern)
{
	if (!*pattern)
		return !*text;
	if (*pattern == '*')
		return like(text, pattern + 1) || (*text && like(text + 1, pattern));
	return *text && (*pattern == '?' || *pattern == *text) && like(text + 1, pattern + 1);
}

static struct truth ref_text(const struct where *w, const struct m_cond *c)
{
	const char *s = text_of(w, c->attr);
	if (!s)
		return open;
	if (c->op == C_LIKE)
		return known(like(s, c->text));
	if (c->op == C_ONE_OF)
		return known(same(s, c->text) || same(s, c->text2));
	return known(same(s, c->text) == (c->cmp == M_EQ));
}

static struct truth ref_number(const struct where *w, const struct m_cond *c)
{
	int64_t v;
	if (!number_of(w, c->attr, &v))
		return open;
	if (c->op == C_BOOL)
		return known(v == 1);
	if (c->op == C_AMONG)
		return known(v == c->a || v == c->b);
	return known(compare(c->cmp, v, c->a));
}

/* The world has few addresses: whether one is in a prefix is a matter of how its text begins. */
static struct truth ref_ip(const struct where *w, const struct m_cond *c)
{
	static const char *const starts[] = {"10.", "192.0.2.", "2001:db8:", "10.1.2.3"};
	const char *s = text_of(w, c->attr);
	bool found = false;
	if (!s)
		return open;
	/* IPv4 inside IPv6 is IPv4. */
	if (strncmp(s, "::ffff:", 7) == 0)
		s += 7;
	for (unsigned i = 0; i < 4; i++)
		found |= (c->a >> i & 1) && strncmp(s, starts[i], strlen(starts[i])) == 0;
	return known(found);
}

/* ---- time ---- */

/* The n-th Sunday of a month (n = 5: the last) at an hour UTC. */
int64_t ref_sunday(int year, int month, int n, int hour)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = 1, .tm_hour = hour};
	int64_t first = timegm(&tm), t;
	t = first + (7 - tm.tm_wday) % 7 * 86400 + (n - 1) * 7 * 86400;
	time_t there = t;
	gmtime_r(&there, &tm);
	return tm.tm_mon == month - 1 ? t : t - 7 * 86400;
}

/* Summer time: in Europe from the last Sunday of March to that of October, both at 01:00 UTC; in the
 * east of the United States from the second of March to the first of November, at 02:00 local time. */
static int64_t offset(enum m_zone zone, int64_t t)
{
	time_t there = t;
	struct tm tm;
	gmtime_r(&there, &tm);
	int year = tm.tm_year + 1900;
	switch (zone) {
	case Z_EAST:
		return 5 * 3600 + 1800;
	case Z_WEST:
		return -8 * 3600;
	case Z_PARIS:
		return t >= ref_sunday(year, 3, 5, 1) && t < ref_sunday(year, 10, 5, 1) ? 7200
		                                                                        : 3600;
	case Z_NEW_YORK:
		return t >= ref_sunday(year, 3, 2, 7) && t < ref_sunday(year, 11, 1, 6) ? -14400
		                                                                        : -18000;
	default:
		return 0;
	}
}

static bool on_day(unsigned days, int wday) /* 0: Sunday, as in struct tm */
{
	return !days || (days >> ((wday + 6) % 7) & 1);
}

/* A window over midnight belongs to the day on which it begins. */
static struct truth ref_time(const struct where *w, const struct m_window *window)
{
	time_t local = w->req->now + offset(window->zone, w->req->now);
	struct tm tm;
	if (window->zone == Z_NOWHERE)
		return open;
	gmtime_r(&local, &tm);
	int minute = tm.tm_hour * 60 + tm.tm_min;
	if (window->start < window->end)
		return known(on_day(window->days, tm.tm_wday) && minute >= window->start &&
		             minute < window->end);
	return known((on_day(window->days, tm.tm_wday) && minute >= window->start) ||
	             (on_day(window->days, (tm.tm_wday + 6) % 7) && minute < window->end));
}

/* a and b are the days as seconds at their midnights UTC; both included. */
static struct truth ref_date(const struct where *w, const struct m_cond *c)
{
	int64_t local = w->req->now + offset(c->window.zone, w->req->now);
	if (c->window.zone == Z_NOWHERE)
		return open;
	return known(local >= c->a && local < c->b + 86400);
}

/* An action that a set adds is to it one of the kinds that it says, and on others unknown to it. */
static bool named_action(const struct where *w, const struct m_set *set, unsigned actions)
{
	for (unsigned i = 0; i < ACTIONS - 1; i++)
		if ((actions >> i & 1) && same(action_names[i], w->req->action))
			return true;
	bool about = set->about == 0;
	for (unsigned i = 0; i < OWN_KINDS; i++)
		about |= (set->about >> i & 1) && same(own_kinds[i], w->req->resource.kind);
	return about && (actions >> (ACTIONS - 1) & 1) &&
	       same(action_names[ACTIONS - 1], w->req->action);
}

/* ---- conditions ---- */

static struct truth ref_cond(const struct where *w, const struct m_set *set, const struct m_cond *c)
{
	bool found = false;
	switch (c->op) {
	case C_AND:
		return both(ref_cond(w, set, c->x), ref_cond(w, set, c->y));
	case C_OR:
		return either(ref_cond(w, set, c->x), ref_cond(w, set, c->y));
	case C_NOT: {
		struct truth x = ref_cond(w, set, c->x);
		return (struct truth){x.can_false, x.can_true};
	}
	case C_WHO:
		for (unsigned i = 0; i < c->nwhos; i++)
			found |= ref_who(w, set, &c->whos[i]);
		return known(found);
	case C_ON:
		return ref_places(w, c->places, c->nplaces);
	case C_ACTION:
		return known(named_action(w, set, c->actions));
	case C_HAS:
		return known(ref_has(w, c->attr));
	case C_BOOL:
	case C_NUMBER:
	case C_AMONG:
		return ref_number(w, c);
	case C_IS:
	case C_ONE_OF:
	case C_LIKE:
		return ref_text(w, c);
	case C_IP:
		return ref_ip(w, c);
	case C_NOW:
		return known(compare(c->cmp, w->req->now, c->a));
	case C_TIME:
		return ref_time(w, &c->window);
	case C_DATE:
		return ref_date(w, c);
	case C_OPS:
		break;
	}
	return open;
}

/* A VO permits by where somebody is at home only what its own members do. */
static bool foreign_home(
    const struct where *w, const struct m_set *set, const struct m_statement *s, unsigned i)
{
	return s->effect == M_PERMIT && set->level == L_VO && s->whos[i].kind == W_HOME &&
	       !same(w->req->subject.vo, set->name);
}

struct truth ref_applies(
    const struct where *w, const struct m_set *set, const struct m_statement *s)
{
	struct truth t = yes;
	/* A delegation binds whoever holds it; a delegate speaks of a set, not of principals. */
	bool action = false, who = set->level == L_DELEGATION || s->effect == M_DELEGATE;
	if (s->effect != M_CHECK) {
		/* "any" in what narrows is about everything. */
		bool grants = s->effect == M_PERMIT || s->effect == M_DELEGATE;
		action = (s->actions == ACTIONS_ALL && !grants) || named_action(w, set, s->actions);
		for (unsigned i = 0; i < s->nwhos; i++)
			who |= ref_who(w, set, &s->whos[i]) && !foreign_home(w, set, s, i);
		t = both(known(action && who), ref_places(w, s->places, s->nplaces));
	}
	return s->cond ? both(t, ref_cond(w, set, s->cond)) : t;
}
