#include "policy/eval.h"

#include "policy/index.h"

/* Kleene's logic: unknown is what might be either. */
static enum xos_tri tri(bool b)
{
	return b ? XOS_TRUE : XOS_FALSE;
}

static enum xos_tri unknown(struct xos_policy_eval *e, const char *name)
{
	if (e->missing)
		e->missing(e->arg, name);
	return XOS_UNKNOWN;
}

void xos_policy_eval_enter(struct xos_policy_eval *e, const struct xos_policy_compiled *set,
    struct xos_policy_zone *const *zones, bool any)
{
	e->set = set;
	e->zones = zones;
	e->any = any;
	e->code = e->action ? e->action->code : 0;
	for (size_t i = 0; !e->action && i < set->set->nown_actions; i++)
		if (strcmp(set->set->own_actions[i].name, e->req->action) == 0 &&
		    xos_policy_own_action_on(set->set, i, e->resource->kind))
			e->code = set->set->own_actions[i].code;
}

/* What a subject is, is always known: the token carries all of it. */
static bool match_who(
    const struct xos_policy_eval *e, const struct xos_policy_who *who, uint64_t hash)
{
	if (!who->name) /* those two have none */
		return who->kind == XOS_WHO_ANY ? e->any : e->subject->kind == XOS_SUBJECT_LOCAL;
	if (e->extra_role && who->kind == XOS_WHO_ROLE && strcmp(e->extra_role, who->name) == 0)
		return true;
	return xos_subject_has(e->who, hash, who->kind, who->name, strlen(who->name));
}

bool xos_eval_whos(
    const struct xos_policy_eval *e, const struct xos_policy_statement *s, size_t end)
{
	for (size_t i = 0; i < end; i++) {
		const struct xos_policy_who *w = &s->whos[i];
		if (match_who(e, w,
		        w->name ? xos_hash_name(
		                      XOS_HASH_WHO + (unsigned)w->kind, w->name, strlen(w->name))
		                : 0))
			return true;
	}
	return false;
}

static bool is_name(const struct xos_term *t, const char *s, size_t n)
{
	return t->n == n && memcmp(n <= sizeof(t->head) ? t->head : t->name, s, n) == 0;
}

static bool path_within(const char *path, const struct xos_term *t)
{
	if (t->n == 1) /* "/" */
		return true;
	return strncmp(path, t->n <= sizeof(t->head) ? t->head : t->name, t->n) == 0 &&
	       (path[t->n] == 0 || path[t->n] == '/');
}

static enum xos_tri match_node(struct xos_policy_eval *e, const struct xos_term *t)
{
	const struct xos_resource_facts *w = e->where;
	if (!w->site || t->n <= w->site_len || memcmp(t->name, w->place, w->site_len) != 0 ||
	    t->name[w->site_len] != '/')
		return XOS_FALSE;
	return unknown(e, "resource.node"); /* some node of that site */
}

/* Only the site's own declaration counts; without one, the node could be anything. */
static enum xos_tri match_label(struct xos_policy_eval *e, const struct xos_term *t)
{
	if (!e->where->site)
		return XOS_FALSE;
	if (!e->node)
		return unknown(e,
		    e->where->node ? "resource.node (not declared by its site)" : "resource.node");
	const struct xos_compiled_node *node = e->node;
	if (t->kind == XOS_TERM_CLASS)
		return XOS_FALSE; /* it is of none */
	for (size_t i = 0; i < node->ntags; i++)
		if (e->tags[i] == t->hash &&
		    is_name(t, node->node->tags[i], strlen(node->node->tags[i])))
			return XOS_TRUE;
	return XOS_FALSE;
}

/* "session:7" or "demo.dataset:a:b": the kind, a colon, the whole id. */
static enum xos_tri match_object(struct xos_policy_eval *e, const struct xos_term *t)
{
	const struct xos_resource_facts *w = e->where;
	const char *id = e->resource->id;
	if (t->of_kind != w->kind_len || memcmp(t->name, e->resource->kind, t->of_kind) != 0)
		return XOS_FALSE;
	return id ? tri(strcmp(t->name + t->of_kind + 1, id) == 0) : unknown(e, "resource.id");
}

static const struct xos_policy_value *service_of(const struct xos_policy_eval *e)
{
	return e->values->given >> XOS_ATTR_CTX_SERVICE & 1 ? e->values->list[XOS_ATTR_CTX_SERVICE]
	                                                    : NULL;
}

void xos_eval_place(struct xos_policy_eval *e)
{
	const struct xos_resource_facts *w = e->where;
	const struct xos_compiled_node *node = e->node;
	e->is[XOS_TERM_KIND] = (struct xos_fact){w->kind, e->resource->kind, w->kind_len, 0};
	e->is[XOS_TERM_SITE] = (struct xos_fact){w->site, w->place, w->site_len, 0};
	e->is[XOS_TERM_NODE] = (struct xos_fact){w->node, w->place, w->place_len, 0};
	if (w->is_job)
		e->is[XOS_TERM_JOB] = (struct xos_fact){w->id, e->resource->id, w->id_len, 0};
	if (node && node->class_hash)
		e->is[XOS_TERM_CLASS] =
		    (struct xos_fact){node->class_hash, node->node->class_name, node->class_len, 0};
}

/* Of a kind that is not one known name. */
static enum xos_tri match_other(struct xos_policy_eval *e, const struct xos_term *t)
{
	const struct xos_resource_facts *w = e->where;
	switch ((enum xos_policy_term_kind)t->kind) {
	case XOS_TERM_SITE:
	case XOS_TERM_JOB:
	case XOS_TERM_KIND:
		return XOS_FALSE; /* at no site, no job; each resource is of a kind */
	case XOS_TERM_NODE:
		return match_node(e, t);
	case XOS_TERM_CLASS:
	case XOS_TERM_TAG:
		return match_label(e, t);
	case XOS_TERM_FILE:
		return tri(w->is_file && path_within(e->resource->id, t));
	case XOS_TERM_OBJECT:
		return match_object(e, t);
	case XOS_TERM_SERVICE: {
		const struct xos_policy_value *v = service_of(e);
		return v ? tri(strcmp(v->string, t->name) == 0) : unknown(e, "ctx.service");
	}
	case XOS_TERM_COUNT:
		break;
	}
	return XOS_UNKNOWN;
}

static inline enum xos_tri match_term(struct xos_policy_eval *e, const struct xos_term *t)
{
	const struct xos_fact *is = &e->is[t->kind];
	if (!is->hash)
		return match_other(e, t);
	return tri(is->hash == t->hash && is_name(t, is->s, is->n));
}

/* All terms of one alternative; *next: behind its last. */
static enum xos_tri match_terms(
    struct xos_policy_eval *e, const struct xos_term *t, const struct xos_term **next)
{
	enum xos_tri result = match_term(e, t);
	while (!t->last) {
		t++;
		if (result != XOS_FALSE)
			result = xos_tri_and(result, match_term(e, t));
	}
	*next = t + 1;
	return result;
}

enum xos_tri xos_eval_places(struct xos_policy_eval *e, const struct xos_rule *r, size_t *first)
{
	const struct xos_term *t = &e->set->terms[r->terms];
	enum xos_tri result = r->nplaces ? XOS_FALSE : XOS_TRUE;
	*first = 0;
	if (r->nplaces == 1)
		return match_terms(e, t, &t);
	for (size_t i = 0; i < r->nplaces && result != XOS_TRUE; i++) {
		enum xos_tri one = match_terms(e, t, &t);
		if (one == XOS_FALSE)
			continue;
		if (result == XOS_FALSE)
			*first = i;
		result = one > result ? one : result;
	}
	return result;
}

/* An attribute that a set declares is found by name. A plain number stands for seconds or bytes too,
 * and a text for an address: whoever encoded the request need not know the set. */
static const struct xos_policy_value *own_value(
    const struct xos_policy_eval *e, const struct xos_policy_attr *attr)
{
	const struct xos_policy_request *req = e->req;
	for (size_t i = 0; i < req->nvalues; i++) {
		const struct xos_policy_value *v = &req->values[i];
		if (strcmp(v->name, attr->name) != 0)
			continue;
		bool fits = v->type == attr->type ||
		            (v->type == XOS_POLICY_NUMBER && (attr->type == XOS_POLICY_DURATION ||
		                                                 attr->type == XOS_POLICY_SIZE)) ||
		            (v->type == XOS_POLICY_STRING && attr->type == XOS_POLICY_IP);
		return fits ? v : NULL;
	}
	return NULL;
}

static const struct xos_policy_value *value_of(
    const struct xos_policy_eval *e, const struct xos_policy_attr *attr)
{
	if (attr->code >= XOS_POLICY_ATTR_OWN)
		return own_value(e, attr);
	return e->values->given >> attr->code & 1 ? e->values->list[attr->code] : NULL;
}

static bool is_owner(const struct xos_policy_eval *e)
{
	const struct xos_policy_resource *r = e->resource;
	const struct xos_policy_subject *s = e->subject;
	return s->kind == XOS_SUBJECT_MEMBER && strcmp(r->owner, s->member) == 0 &&
	       strcmp(r->vo, s->vo) == 0;
}

/* A number attribute: from the context, or computed. False if it is not known. */
static bool number_of(
    const struct xos_policy_eval *e, const struct xos_policy_attr *attr, int64_t *v)
{
	const struct xos_policy_subject *s = e->subject;
	if (attr->from_context) {
		const struct xos_policy_value *given = value_of(e, attr);
		*v = given ? given->number : 0;
		return given != NULL;
	}
	switch (attr->code) {
	case XOS_ATTR_AUTH_AGE:
		/* A time yet to come says that a clock is wrong, not that the log-in is fresh. */
		if (s->auth_time <= 0 || s->auth_time > e->req->now)
			return false;
		*v = e->req->now - s->auth_time;
		return true;
	case XOS_ATTR_AUTH_MFA:
		*v = s->auth_mfa == 1;
		return s->auth_mfa == 0 || s->auth_mfa == 1;
	case XOS_ATTR_IS_OWNER:
		if (!e->resource->owner)
			return false;
		*v = is_owner(e);
		return true;
	default:
		return false;
	}
}

static const char *string_of(const struct xos_policy_eval *e, const struct xos_policy_attr *attr)
{
	if (attr->from_context) {
		const struct xos_policy_value *given = value_of(e, attr);
		return given ? given->string : NULL;
	}
	if (attr->code == XOS_ATTR_AUTH_METHOD)
		return e->subject->auth_method;
	return attr->code == XOS_ATTR_RESOURCE_ID ? e->resource->id : NULL;
}

static bool ip_of(const struct xos_policy_eval *e, const struct xos_policy_attr *attr,
    struct xos_policy_ip *own, const struct xos_policy_ip **ip)
{
	const struct xos_policy_value *given = value_of(e, attr);
	if (!given)
		return false;
	*ip = attr->code < XOS_POLICY_ATTR_OWN ? &e->values->ips[attr->code] : own;
	return *ip != own || xos_policy_ip_parse(given->string, own);
}

static bool compare(unsigned cmp, int64_t a, int64_t b)
{
	switch (cmp) {
	case XOS_CMP_EQ:
		return a == b;
	case XOS_CMP_NE:
		return a != b;
	case XOS_CMP_LT:
		return a < b;
	case XOS_CMP_LE:
		return a <= b;
	case XOS_CMP_GT:
		return a > b;
	case XOS_CMP_GE:
		return a >= b;
	default:
		return false;
	}
}

static enum xos_tri test_string(struct xos_policy_eval *e, const struct xos_code *c)
{
	const char *s = string_of(e, c->attr);
	if (!s)
		return unknown(e, c->attr->name);
	bool found = false;
	for (size_t i = 0; i < c->cond->n && !found; i++)
		found = c->op == XOS_COND_LIKE
		            ? xos_policy_like_steps(c->cond->u.strings[i], s, &e->steps)
		            : strcmp(s, c->cond->u.strings[i]) == 0;
	return tri(found != (c->op == XOS_COND_COMPARE && c->cmp == XOS_CMP_NE));
}

static enum xos_tri test_number(struct xos_policy_eval *e, const struct xos_code *c)
{
	int64_t v;
	if (!number_of(e, c->attr, &v))
		return unknown(e, c->attr->name);
	if (c->op == XOS_COND_BOOL)
		return tri(v == 1);
	if (c->op == XOS_COND_COMPARE)
		return tri(compare(c->cmp, v, c->u.number));
	for (size_t i = 0; i < c->cond->n; i++)
		if (c->cond->u.numbers[i] == v)
			return XOS_TRUE;
	return XOS_FALSE;
}

static enum xos_tri test_ip(struct xos_policy_eval *e, const struct xos_code *c)
{
	struct xos_policy_ip own;
	const struct xos_policy_ip *ip;
	if (!ip_of(e, c->attr, &own, &ip))
		return unknown(e, c->attr->name);
	for (size_t i = 0; i < c->cond->n; i++)
		if (xos_policy_prefix_has(&c->cond->u.prefixes[i], ip))
			return XOS_TRUE;
	return XOS_FALSE;
}

/* A declared attribute is there whatever its value is: one of another type, which no test can use,
 * must not count as left out. */
static bool has_attr(const struct xos_policy_eval *e, const struct xos_policy_attr *attr)
{
	const struct xos_policy_request *req = e->req;
	int64_t v;
	if (attr->code >= XOS_POLICY_ATTR_OWN) {
		for (size_t i = 0; i < req->nvalues; i++)
			if (strcmp(req->values[i].name, attr->name) == 0)
				return true;
		return false;
	}
	if (attr->from_context)
		return value_of(e, attr) != NULL;
	return attr->type == XOS_POLICY_STRING ? string_of(e, attr) != NULL
	                                       : number_of(e, attr, &v);
}

/* Local time of a clock; the last zone's offset is kept, since one window seldom comes alone. */
static bool local_time(
    struct xos_policy_eval *e, const struct xos_policy_clock *clock, int64_t *local)
{
	int64_t now = e->req->now;
	*local = now + (int64_t)clock->offset * 60;
	if (!clock->zone)
		return true;
	const struct xos_policy_zone *zone =
	    e->zones ? e->zones[clock->zone - 1]
	             : xos_policy_find_zone(e->policy, e->set->set->zones[clock->zone - 1]);
	if (!zone)
		return false;
	if (zone != e->zone) {
		e->offset = xos_policy_zone_offset(zone, now);
		e->zone = zone;
	}
	*local = now + e->offset;
	return true;
}

static enum xos_tri test_local(struct xos_policy_eval *e, const struct xos_code *c)
{
	int64_t local;
	const struct xos_policy_clock *clock =
	    c->op == XOS_COND_TIME ? &c->u.window.clock : &c->u.dates.clock;
	if (!local_time(e, clock, &local))
		return unknown(e, e->set->set->zones[clock->zone - 1]);
	return tri(c->op == XOS_COND_TIME ? xos_policy_window_has(&c->u.window, local)
	                                  : xos_policy_dates_have(&c->u.dates, local));
}

static enum xos_tri test(struct xos_policy_eval *e, const struct xos_code *c)
{
	const struct xos_term *next;
	switch ((enum xos_policy_cond_op)c->op) {
	case XOS_COND_WHO:
		return tri(match_who(e, &c->cond->u.who, c->u.hash));
	case XOS_COND_ON:
		return c->cond->u.place.n ? match_terms(e, &e->set->terms[c->u.terms], &next)
		                          : XOS_TRUE;
	case XOS_COND_ACTION:
		return tri(c->cond->u.actions >> e->code & 1);
	case XOS_COND_HAS:
		return tri(has_attr(e, c->attr));
	case XOS_COND_BOOL:
	case XOS_COND_COMPARE:
	case XOS_COND_IN:
	case XOS_COND_LIKE:
		return c->attr->type == XOS_POLICY_STRING ? test_string(e, c) : test_number(e, c);
	case XOS_COND_IP:
		return test_ip(e, c);
	case XOS_COND_NOW:
		return tri(compare(c->cmp, e->req->now, c->u.number));
	case XOS_COND_TIME:
	case XOS_COND_DATE:
		return test_local(e, c);
	case XOS_COND_AND:
	case XOS_COND_OR:
	case XOS_COND_NOT:
	case XOS_COND_OPS:
		break;
	}
	return XOS_UNKNOWN;
}

/* Recursion is bounded: no condition is deeper than XOS_POLICY_DEPTH_MAX. */
static enum xos_tri eval(struct xos_policy_eval *e, const struct xos_code *c)
{
	e->nodes++;
	if (c->op == XOS_COND_NOT)
		return (enum xos_tri)(XOS_TRUE - eval(e, c + 1));
	if (c->op != XOS_COND_AND && c->op != XOS_COND_OR)
		return test(e, c);
	enum xos_tri stop = c->op == XOS_COND_AND ? XOS_FALSE : XOS_TRUE;
	enum xos_tri result = (enum xos_tri)(XOS_TRUE - stop);
	const struct xos_code *end = c + c->size;
	for (const struct xos_code *kid = c + 1; kid < end && result != stop; kid += kid->size) {
		enum xos_tri v = eval(e, kid);
		if (c->op == XOS_COND_AND ? v < result : v > result)
			result = v;
	}
	return result;
}

enum xos_tri xos_eval_cond(struct xos_policy_eval *e, const struct xos_rule *r)
{
	return r->code ? eval(e, &e->set->code[r->code - 1]) : XOS_TRUE;
}
