#include "policytool/match.h"

#include <string.h>

#include "base/name.h"
#include "base/text.h"
#include "policytool/zones.h"

bool xos_policytool_matcher_init(struct xos_policytool_matcher *m, const struct xos_policy *policy,
    const struct xos_policy_options *zones, const struct xos_policy_request *req,
    const struct xos_policytool_open *open)
{
	const struct xos_policy_resource *r = &req->resource;
	const struct xos_policy_set *site =
	    r->site ? xos_policy_find_set(policy, XOS_POLICY_SITE, r->site) : NULL;
	*m = (struct xos_policytool_matcher){.req = req, .open = open, .zones = zones};
	if (site && r->node)
		m->node = xos_policy_set_node(site, r->node);
	/* The engine says what is wrong with a request that is not well formed; no set is asked then. */
	struct xos_policy_answer a;
	xos_policy_answer_init(&a);
	(void)!xos_policy_decide(policy, req, &a);
	bool formed = !a.problem;
	xos_policy_answer_free(&a);
	return formed;
}

bool xos_policytool_role_open(const struct xos_policytool_matcher *m, const char *role)
{
	for (size_t i = 0; i < m->open->nroles; i++)
		if (strcmp(m->open->roles[i], role) == 0)
			return true;
	return false;
}

/* Everybody of a VO is in its root group. */
static bool in_group(const struct xos_policy_subject *s, const char *group, bool exactly)
{
	if (strcmp(group + 1, s->vo) == 0)
		return true;
	for (size_t i = 0; i < s->ngroups; i++)
		if (exactly ? strcmp(s->groups[i], group) == 0
		            : xos_group_within(s->groups[i], group))
			return true;
	return false;
}

static bool is_user(const struct xos_policy_subject *s, const char *name)
{
	size_t n = strlen(s->vo);
	return strncmp(name, s->vo, n) == 0 && name[n] == ':' &&
	       strcmp(name + n + 1, s->member) == 0;
}

static bool is_anybody(const struct xos_policy_subject *s, const struct xos_policy_set *set)
{
	switch (set->level) {
	case XOS_POLICY_VO:
	case XOS_POLICY_OWNER:
		return set->vo && strcmp(set->vo, s->vo) == 0;
	case XOS_POLICY_GROUP:
		return in_group(s, set->name, false);
	case XOS_POLICY_SITE:
	case XOS_POLICY_NODE:
	case XOS_POLICY_DELEGATION:
	case XOS_POLICY_LEVELS:
		break;
	}
	return true;
}

/* "demo:*", "demo:data" and "demo:data/n1" are all the service data/n1. */
static bool is_machine(const struct xos_policy_subject *s, const struct xos_policy_who *who)
{
	size_t n = strlen(s->vo);
	if ((s->kind == XOS_SUBJECT_NODE) != (who->kind == XOS_WHO_NODE) ||
	    (who->kind != XOS_WHO_NODE && who->kind != XOS_WHO_SERVICE) ||
	    strncmp(who->name, s->vo, n) != 0 || who->name[n] != ':')
		return false;
	const char *name = who->name + n + 1;
	size_t kind = strcspn(s->member, "/");
	return strcmp(name, "*") == 0 || strcmp(name, s->member) == 0 ||
	       (who->kind == XOS_WHO_SERVICE && strlen(name) == kind &&
	           strncmp(name, s->member, kind) == 0);
}

bool xos_policytool_who(const struct xos_policytool_matcher *m, const struct xos_policy_set *set,
    const struct xos_policy_who *who)
{
	const struct xos_policy_subject *s = &m->req->subject;
	if (s->kind == XOS_SUBJECT_LOCAL)
		return who->kind == XOS_WHO_LOCAL;
	if (s->kind != XOS_SUBJECT_MEMBER)
		return is_machine(s, who);
	switch (who->kind) {
	case XOS_WHO_ANY:
		return is_anybody(s, set);
	case XOS_WHO_VO:
		return strcmp(who->name, s->vo) == 0;
	case XOS_WHO_GROUP:
		return in_group(s, who->name, false);
	case XOS_WHO_EXACTLY:
		return in_group(s, who->name, true);
	case XOS_WHO_ROLE:
		for (size_t i = 0; i < s->nroles; i++)
			if (strcmp(s->roles[i], who->name) == 0)
				return true;
		return false;
	case XOS_WHO_USER:
		return is_user(s, who->name);
	case XOS_WHO_HOME:
		return s->home && strcmp(who->name, s->home) == 0;
	case XOS_WHO_LOCAL:
	case XOS_WHO_NODE:
	case XOS_WHO_SERVICE:
		break;
	}
	return false;
}

bool xos_policytool_foreign_home(const struct xos_policytool_matcher *m,
    const struct xos_policy_statement *s, const struct xos_policy_who *who)
{
	const char *vo = m->req->subject.vo;
	return who->kind == XOS_WHO_HOME && s->effect == XOS_POLICY_PERMIT &&
	       s->set->level == XOS_POLICY_VO && !(vo && strcmp(vo, s->set->name) == 0);
}

static enum xos_policytool_tri known(bool b)
{
	return b ? XOS_KNOWN_TRUE : XOS_KNOWN_FALSE;
}

static bool path_within(const char *path, const char *top)
{
	size_t n = strlen(top);
	return n == 1 || (strncmp(path, top, n) == 0 && (path[n] == 0 || path[n] == '/'));
}

static enum xos_policytool_tri match_node(const struct xos_policy_resource *r, const char *name)
{
	size_t n = r->site ? strlen(r->site) : 0;
	if (!r->site || strncmp(name, r->site, n) != 0 || name[n] != '/')
		return XOS_KNOWN_FALSE;
	return r->node ? known(strcmp(name + n + 1, r->node) == 0) : XOS_NOT_KNOWN;
}

static bool has_tag(const struct xos_policy_node *node, const char *tag)
{
	for (size_t i = 0; i < node->ntags; i++)
		if (strcmp(node->tags[i], tag) == 0)
			return true;
	return false;
}

/* "demo.dataset:42": the kind ends at the first ':'. */
static bool is_object(const struct xos_policy_resource *r, const char *name)
{
	size_t n = strlen(r->kind);
	return r->id && strncmp(name, r->kind, n) == 0 && name[n] == ':' &&
	       strcmp(name + n + 1, r->id) == 0;
}

static const struct xos_policy_value *given(
    const struct xos_policytool_matcher *m, const char *name)
{
	for (size_t i = 0; i < m->req->nvalues; i++)
		if (strcmp(m->req->values[i].name, name) == 0)
			return &m->req->values[i];
	return NULL;
}

enum xos_policytool_tri xos_policytool_term(
    const struct xos_policytool_matcher *m, const struct xos_policy_term *t)
{
	const struct xos_policy_resource *r = &m->req->resource;
	const struct xos_policy_value *v;
	switch (t->kind) {
	case XOS_TERM_SITE:
		return known(r->site && strcmp(r->site, t->name) == 0);
	case XOS_TERM_NODE:
		return match_node(r, t->name);
	case XOS_TERM_CLASS:
	case XOS_TERM_TAG:
		if (!r->site)
			return XOS_KNOWN_FALSE;
		if (!m->node)
			return XOS_NOT_KNOWN;
		return known(
		    t->kind == XOS_TERM_TAG
		        ? has_tag(m->node, t->name)
		        : m->node->class_name && strcmp(m->node->class_name, t->name) == 0);
	case XOS_TERM_KIND:
		return known(strcmp(r->kind, t->name) == 0);
	case XOS_TERM_JOB:
		return known(strcmp(r->kind, "job") == 0 && strcmp(r->id, t->name) == 0);
	case XOS_TERM_FILE:
		return known(strcmp(r->kind, "file") == 0 && path_within(r->id, t->name));
	case XOS_TERM_OBJECT:
		return known(is_object(r, t->name));
	case XOS_TERM_SERVICE:
		v = given(m, "ctx.service");
		if (v)
			return known(strcmp(v->string, t->name) == 0);
		return m->open->attributes ? XOS_LEFT_OPEN : XOS_NOT_KNOWN;
	case XOS_TERM_COUNT:
		break;
	}
	return XOS_NOT_KNOWN;
}

bool xos_policytool_action(
    struct xos_policytool_matcher *m, const struct xos_policy_set *set, uint64_t actions)
{
	if (m->last != set) {
		const struct xos_policy_action *a = xos_policy_set_action(set, m->req->action);
		/* Bit 0 stands for what a set does not know. */
		m->code = a ? a->code : 0;
		if (m->code >= XOS_POLICY_ACTION_OWN &&
		    !xos_policy_own_action_on(
		        set, m->code - XOS_POLICY_ACTION_OWN, m->req->resource.kind))
			m->code = 0;
		m->last = set;
	}
	return actions >> m->code & 1;
}

static uint64_t bit_of(const struct xos_policytool_matcher *m)
{
	const struct xos_policy_action *a =
	    xos_policy_action_find(m->req->action, XOS_POLICY_SCHEMA);
	return UINT64_C(1) << (a ? a->code : 0);
}

bool xos_policytool_always(
    const struct xos_policytool_matcher *m, const struct xos_policy_attr *attr)
{
	return attr && attr->given & bit_of(m);
}

bool xos_policytool_is_owner(const struct xos_policytool_matcher *m)
{
	const struct xos_policy_subject *s = &m->req->subject;
	const struct xos_policy_resource *r = &m->req->resource;
	return r->owner && r->vo && s->kind == XOS_SUBJECT_MEMBER && s->vo &&
	       strcmp(r->vo, s->vo) == 0 && strcmp(r->owner, s->member) == 0;
}

/* An attribute's value: false if it is not known. Exactly one of number and string is set. */
static bool value_of(const struct xos_policytool_matcher *m, const struct xos_policy_attr *attr,
    int64_t *number, const char **string)
{
	const struct xos_policy_subject *s = &m->req->subject;
	*number = 0;
	*string = NULL;
	if (attr->from_context) {
		const struct xos_policy_value *v = given(m, attr->name);
		if (!v || v->type != attr->type)
			return false;
		*number = v->number;
		*string = v->string;
		return true;
	}
	switch (attr->code) {
	case XOS_ATTR_AUTH_AGE:
		*number = m->req->now - s->auth_time;
		return s->auth_time > 0 && s->auth_time <= m->req->now;
	case XOS_ATTR_AUTH_METHOD:
		*string = s->auth_method;
		return s->auth_method != NULL;
	case XOS_ATTR_AUTH_MFA:
		*number = s->auth_mfa == 1;
		return s->auth_mfa == 0 || s->auth_mfa == 1;
	case XOS_ATTR_IS_OWNER:
		*number = xos_policytool_is_owner(m);
		return m->req->resource.owner != NULL;
	case XOS_ATTR_RESOURCE_ID:
		*string = m->req->resource.id;
		return m->req->resource.id != NULL;
	default:
		return false;
	}
}

/* May a request say it though this one does not? What follows from subject and resource is settled. */
static bool may_come(const struct xos_policytool_matcher *m, const struct xos_policy_attr *attr)
{
	if (!m->open->attributes || attr->code == XOS_ATTR_IS_OWNER ||
	    attr->code == XOS_ATTR_RESOURCE_ID)
		return false;
	if (m->req->subject.kind != XOS_SUBJECT_MEMBER && !attr->from_context)
		return false;
	return attr->code >= XOS_POLICY_ATTR_OWN || (attr->given | attr->optional) & bit_of(m);
}

static bool compare(enum xos_policy_cmp cmp, int64_t a, int64_t b)
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
	case XOS_CMP_OPS:
		break;
	}
	return false;
}

static bool test_string(const struct xos_policy_cond *c, const char *s)
{
	bool found = false;
	for (size_t i = 0; i < c->n && !found; i++)
		found = c->op == XOS_COND_LIKE ? xos_policy_like(c->u.strings[i], s)
		                               : strcmp(c->u.strings[i], s) == 0;
	return found != (c->op == XOS_COND_COMPARE && c->cmp == XOS_CMP_NE);
}

static bool test_number(const struct xos_policy_cond *c, int64_t v)
{
	if (c->op == XOS_COND_BOOL)
		return v == 1;
	if (c->op == XOS_COND_COMPARE)
		return compare(c->cmp, v, c->u.numbers[0]);
	for (size_t i = 0; i < c->n; i++)
		if (c->u.numbers[i] == v)
			return true;
	return false;
}

static bool test_ip(const struct xos_policy_cond *c, const char *s)
{
	struct xos_policy_ip ip;
	if (!xos_policy_ip_parse(s, &ip))
		return false;
	for (size_t i = 0; i < c->n; i++)
		if (xos_policy_prefix_has(&c->u.prefixes[i], &ip))
			return true;
	return false;
}

static enum xos_policytool_tri test_time(const struct xos_policytool_matcher *m,
    const struct xos_policy_set *set, const struct xos_policy_cond *c)
{
	int64_t now = m->req->now;
	if (m->open->time)
		return XOS_LEFT_OPEN;
	if (c->op == XOS_COND_NOW)
		return known(compare(c->cmp, now, c->u.numbers[0]));
	const struct xos_policy_clock *clock =
	    c->op == XOS_COND_TIME ? &c->u.window.clock : &c->u.dates.clock;
	int64_t offset = (int64_t)clock->offset * 60;
	if (clock->zone &&
	    !xos_policytool_zone_offset(m->zones, set->zones[clock->zone - 1], now, &offset))
		return XOS_NOT_KNOWN;
	return known(c->op == XOS_COND_TIME ? xos_policy_window_has(&c->u.window, now + offset)
	                                    : xos_policy_dates_have(&c->u.dates, now + offset));
}

enum xos_policytool_tri xos_policytool_test_value(const struct xos_policytool_matcher *m,
    const struct xos_policy_set *set, const struct xos_policy_cond *c)
{
	int64_t number;
	const char *string;
	if (c->op == XOS_COND_NOW || c->op == XOS_COND_TIME || c->op == XOS_COND_DATE)
		return test_time(m, set, c);
	bool is_known = value_of(m, c->attr, &number, &string);
	if (!is_known && may_come(m, c->attr))
		return XOS_LEFT_OPEN;
	if (c->op == XOS_COND_HAS)
		return known(is_known);
	if (!is_known)
		return XOS_NOT_KNOWN;
	if (c->op == XOS_COND_IP)
		return known(test_ip(c, string));
	return known(string ? test_string(c, string) : test_number(c, number));
}

void xos_policytool_node_name(char *out, size_t cap, const struct xos_policy_resource *res)
{
	(void)!xos_str_printf(out, cap, "%s/%s", res->site, res->node);
}

void xos_policytool_owner_name(char *out, size_t cap, const struct xos_policy_resource *res)
{
	(void)!xos_str_printf(out, cap, "%s:%s", res->vo, res->owner);
}

static size_t add_set(const struct xos_policy_set **out, size_t n, const struct xos_policy_set *set)
{
	for (size_t i = 0; i < n; i++)
		if (out[i] == set)
			return n;
	if (set && n < XOS_POLICYTOOL_SETS_MAX)
		out[n++] = set;
	return n;
}

static size_t add_groups(
    const struct xos_policy *policy, const char *group, const struct xos_policy_set **out, size_t n)
{
	char name[XOS_FQAN_MAX + 1];
	if (!xos_str_copy(name, sizeof(name), group))
		return n;
	for (char *slash = name; slash && name[0]; slash = strrchr(name, '/')) {
		if (slash != name)
			*slash = 0;
		n = add_set(out, n, xos_policy_find_set(policy, XOS_POLICY_GROUP, name));
		if (strrchr(name, '/') == name)
			break;
	}
	return n;
}

size_t xos_policytool_group_sets(const struct xos_policytool_matcher *m,
    const struct xos_policy *policy, const struct xos_policy_set *out[XOS_POLICYTOOL_SETS_MAX])
{
	const struct xos_policy_subject *s = &m->req->subject;
	char root[XOS_VO_MAX + 2];
	size_t n = 0;
	if (s->kind != XOS_SUBJECT_MEMBER)
		return 0;
	(void)!xos_str_printf(root, sizeof(root), "/%s", s->vo);
	n = add_groups(policy, root, out, n);
	for (size_t i = 0; i < s->ngroups; i++)
		n = add_groups(policy, s->groups[i], out, n);
	return n;
}

size_t xos_policytool_concerned(const struct xos_policytool_matcher *m,
    const struct xos_policy *policy, const struct xos_policy_set *out[XOS_POLICYTOOL_SETS_MAX])
{
	const struct xos_policy_resource *r = &m->req->resource;
	char name[XOS_SITE_MAX + XOS_NODE_MAX + 2];
	size_t n = xos_policytool_group_sets(m, policy, out);
	if (m->req->subject.vo)
		n = add_set(out, n, xos_policy_find_set(policy, XOS_POLICY_VO, m->req->subject.vo));
	if (r->vo)
		n = add_set(out, n, xos_policy_find_set(policy, XOS_POLICY_VO, r->vo));
	if (r->site)
		n = add_set(out, n, xos_policy_find_set(policy, XOS_POLICY_SITE, r->site));
	if (r->site && r->node) {
		xos_policytool_node_name(name, sizeof(name), r);
		n = add_set(out, n, xos_policy_find_set(policy, XOS_POLICY_NODE, name));
	}
	if (r->owner && !xos_policytool_is_owner(m)) {
		xos_policytool_owner_name(name, sizeof(name), r);
		n = add_set(out, n, xos_policy_find_set(policy, XOS_POLICY_OWNER, name));
	}
	for (size_t i = 0; i < m->req->nchain; i++)
		n = add_set(out, n, m->req->chain[i]);
	return n;
}

bool xos_policytool_covers(
    const struct xos_policy_statement *delegate, const struct xos_policy_set *below)
{
	if (below->level == XOS_POLICY_GROUP) {
		for (size_t i = 0; i < delegate->nwhos; i++) {
			const struct xos_policy_who *w = &delegate->whos[i];
			if (w->kind == XOS_WHO_GROUP && xos_group_within(below->name, w->name))
				return true;
		}
		return false;
	}
	/* Of a node's set: its places say for which nodes, and they are part of its head. */
	return below->level == XOS_POLICY_NODE;
}
