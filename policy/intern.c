/* Subjects and resources whose names are looked up once for many decisions. */
#include <stdlib.h>

#include "policy/index.h"

struct copier {
	struct xos_policy_memory *m;
	bool failed;
};

static const char *copy(struct copier *c, const char *s)
{
	char *p = s ? xos_policy_memory_string(c->m, s, strlen(s)) : NULL;
	c->failed |= s && !p;
	return p;
}

static const char *const *copy_list(struct copier *c, const char *const *list, size_t n)
{
	const char **to = n ? xos_policy_memory_take(c->m, n * sizeof(*to)) : NULL;
	c->failed |= n && !to;
	for (size_t i = 0; to && i < n; i++)
		to[i] = copy(c, list[i]);
	return to;
}

static bool copy_subject(
    struct xos_policy_subject *to, const struct xos_policy_subject *s, struct xos_policy_memory *m)
{
	struct copier c = {.m = m};
	*to = *s;
	to->vo = copy(&c, s->vo);
	to->member = copy(&c, s->member);
	to->groups = copy_list(&c, s->groups, s->ngroups);
	to->roles = copy_list(&c, s->roles, s->nroles);
	to->held = copy_list(&c, s->held, s->nheld);
	to->home = copy(&c, s->home);
	to->auth_method = copy(&c, s->auth_method);
	return !c.failed;
}

/* The VO's rows; the facts that other sets may name; the sets of the groups. */
static bool look_up(struct xos_policy_interned_subject *to)
{
	const struct xos_subject_facts *f = &to->facts;
	const struct xos_policy *p = to->policy;
	if (to->subject.kind != XOS_SUBJECT_LOCAL)
		to->vo =
		    xos_policy_find_scope(p, XOS_POLICY_VO, to->subject.vo, strlen(to->subject.vo));
	to->rows = xos_policy_memory_take(to->memory, (f->n + 1) * sizeof(*to->rows));
	to->groups = xos_policy_memory_take(to->memory, (f->n + 1) * sizeof(*to->groups));
	to->named = xos_policy_memory_take(to->memory, (f->n + 1) * sizeof(*to->named));
	if (!to->rows || !to->groups || !to->named)
		return false;
	for (size_t i = 0; i < f->n; i++) {
		const struct xos_fact *fact = &f->list[i];
		const struct xos_row *row = to->vo ? xos_compiled_row(to->vo->compiled, fact->hash,
		                                         fact->kind, fact->s, fact->n)
		                                   : NULL;
		const struct xos_policy_scope *group =
		    fact->kind == XOS_WHO_GROUP
		        ? xos_policy_find_scope(p, XOS_POLICY_GROUP, fact->s, fact->n)
		        : NULL;
		if (row)
			to->rows[to->nrows++] = row;
		if (group)
			to->groups[to->ngroups++] = group;
		if (xos_policy_names_abroad(p, fact->hash))
			to->named[to->nnamed++] = *fact;
	}
	return true;
}

enum xos_status xos_policy_intern_subject(struct xos_policy *p, const struct xos_policy_subject *s,
    struct xos_policy_interned_subject **out, struct xos_err *err)
{
	*out = NULL;
	bool failed = true;
	const char *problem = xos_request_check_subject(s);
	if (problem)
		return xos_err_set(err, XOS_MALFORMED, "policy-subject", "%s", problem);
	struct xos_policy_interned_subject *to = calloc(1, sizeof(*to));
	if (!to)
		return xos_err_set(err, XOS_INTERNAL, "out-of-memory", "out of memory");
	to->policy = xos_policy_ref(p);
	to->memory = xos_policy_memory_new();
	if (to->memory && copy_subject(&to->subject, s, to->memory))
		problem =
		    xos_subject_facts_make(&to->facts, &to->subject, NULL, to->memory, &failed);
	if (!problem && !failed && look_up(to)) {
		*out = to;
		return XOS_OK;
	}
	xos_policy_interned_subject_free(to);
	if (problem)
		return xos_err_set(err, XOS_MALFORMED, "policy-subject", "%s", problem);
	return xos_err_set(err, XOS_INTERNAL, "out-of-memory", "out of memory");
}

void xos_policy_interned_subject_free(struct xos_policy_interned_subject *s)
{
	if (!s)
		return;
	xos_policy_memory_free(s->memory);
	xos_policy_unref(s->policy);
	free(s);
}

static bool copy_resource(struct xos_policy_interned_resource *to,
    const struct xos_policy_resource *r, struct xos_policy_memory *m)
{
	struct copier c = {.m = m};
	to->resource = (struct xos_policy_resource){
	    .kind = copy(&c, r->kind),
	    .id = copy(&c, r->id),
	    .site = copy(&c, r->site),
	    .node = copy(&c, r->node),
	    .vo = copy(&c, r->vo),
	    .owner = copy(&c, r->owner),
	};
	if (c.failed)
		return false;
	xos_resource_facts_make(&to->facts, &to->resource, &to->place);
	return xos_resource_folders_make(&to->facts, &to->resource, m);
}

static bool find_places(struct xos_policy_interned_resource *to)
{
	const struct xos_policy_resource *r = &to->resource;
	const struct xos_resource_facts *f = &to->facts;
	const struct xos_policy *p = to->policy;
	if (f->node)
		to->node = xos_policy_find_scope(p, XOS_POLICY_NODE, f->place, f->place_len);
	if (!r->owner || !r->vo)
		return true;
	size_t n = strlen(r->vo), m = strlen(r->owner);
	char *name = xos_policy_memory_take(to->memory, n + m + 2);
	if (!name)
		return false;
	memcpy(name, r->vo, n);
	name[n] = ':';
	memcpy(name + n + 1, r->owner, m + 1);
	to->owner = xos_policy_find_scope(p, XOS_POLICY_OWNER, name, n + 1 + m);
	return true;
}

enum xos_status xos_policy_intern_resource(struct xos_policy *p,
    const struct xos_policy_resource *r, struct xos_policy_interned_resource **out,
    struct xos_err *err)
{
	*out = NULL;
	struct xos_known_place place;
	const char *problem = xos_request_check_resource(p, r, &place);
	if (problem)
		return xos_err_set(err, XOS_MALFORMED, "policy-resource", "%s", problem);
	struct xos_policy_interned_resource *to = calloc(1, sizeof(*to));
	if (!to)
		return xos_err_set(err, XOS_INTERNAL, "out-of-memory", "out of memory");
	to->policy = xos_policy_ref(p);
	to->place = place;
	to->memory = xos_policy_memory_new();
	if (to->memory && copy_resource(to, r, to->memory) && find_places(to)) {
		*out = to;
		return XOS_OK;
	}
	xos_policy_interned_resource_free(to);
	return xos_err_set(err, XOS_INTERNAL, "out-of-memory", "out of memory");
}

void xos_policy_interned_resource_free(struct xos_policy_interned_resource *r)
{
	if (!r)
		return;
	xos_policy_memory_free(r->memory);
	xos_policy_unref(r->policy);
	free(r);
}
