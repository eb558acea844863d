#include "vops/candidate.h"

#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "cases/run.h"
#include "decide/zones.h"
#include "vops/abilities.h"
#include "vops/cases.h"
#include "vops/scoped.h"

#define PARTS_MAX 20000u

struct parts {
	struct vops_auth *a;
	const struct vops_candidate *c;
	const char *site; /* whose node sets are being read */
	const struct xos_key *key;
	bool trial; /* every statement on trial (cases/run.h) */
	struct xos_policy_part *list;
	size_t n, cap;
};

static void parts_free(struct parts *p)
{
	for (size_t i = 0; i < p->n; i++)
		xos_policy_set_unref(p->list[i].set);
	free(p->list);
}

/* Takes set. */
static enum xos_status add(
    struct parts *p, struct xos_policy_set *set, int64_t not_after, struct xos_err *err)
{
	if (p->n == p->cap && p->cap < PARTS_MAX) {
		size_t cap = p->cap ? 2 * p->cap : 64;
		struct xos_policy_part *list = reallocarray(p->list, cap, sizeof(*list));

		if (list) {
			p->list = list;
			p->cap = cap;
		}
	}
	if (p->n == p->cap) {
		xos_policy_set_unref(set);
		return xos_err_set(err, XOS_LIMIT, "sets-full", "too many sets to load together");
	}
	if (p->trial)
		xos_cases_try(set);
	p->list[p->n++] = (struct xos_policy_part){.set = set, .not_after = not_after};
	return XOS_OK;
}

/* What was stored and cannot be read now (an expired site set) is not in force either. */
static void passed_over(const char *what, const char *name, const struct xos_err *why)
{
	xos_event_err(XOS_INFO, "set.passed-over", why, what, name, (const char *)NULL);
}

static enum xos_status add_scoped(void *ctx, const struct vops_scoped *s, struct xos_err *err)
{
	struct parts *p = ctx;
	struct xos_policy_set *set = NULL;
	struct xos_err why = XOS_ERR_INIT;

	if (xos_policy_set_load((const char *)s->text.p, s->text.n, s->name, &set, &why) == XOS_OK)
		return add(p, set, 0, err);
	passed_over(vops_scope_name(s->kind), s->name, &why);
	return XOS_OK;
}

static enum xos_status add_signed(struct parts *p, struct xos_siteset *s, struct xos_err *err)
{
	enum xos_status st = add(p, xos_policy_set_ref(s->set), s->expires, err);

	xos_siteset_free(s);
	return st;
}

static enum xos_status add_node(void *ctx, const struct vops_node_set *s, struct xos_err *err)
{
	struct parts *p = ctx;
	struct xos_siteset *set = NULL;
	struct xos_err why = XOS_ERR_INIT;

	if (xos_nodeset_verify(p->key, p->site, s->node, s->compact, p->c->now, XOS_BUNDLE_SKEW,
	        &set, &why) == XOS_OK)
		return add_signed(p, set, err);
	passed_over("node", s->node, &why);
	return XOS_OK;
}

static enum xos_status add_site(void *ctx, const char *site, struct xos_err *err)
{
	struct parts *p = ctx;
	struct xos_siteset *set = NULL;
	struct xos_key *key = NULL;
	struct xos_err why = XOS_ERR_INIT;
	struct xos_buf compact;

	xos_buf_init(&compact, XOS_SITESET_MAX);
	enum xos_status st = vops_site_key(p->a->db, site, &key, err);
	if (st == XOS_OK)
		st = vops_site_set_get(p->a->db, site, &compact, err);
	if (st == XOS_OK && compact.n) {
		if (xos_siteset_verify(key, site, xos_buf_bytes(&compact), p->c->now,
		        XOS_BUNDLE_SKEW, &set, &why) == XOS_OK)
			st = add_signed(p, set, err);
		else
			passed_over("site", site, &why);
	}
	p->site = site;
	p->key = key;
	if (st == XOS_OK)
		st = vops_node_sets_each(p->a->db, site, add_node, p, err);
	xos_key_free(key);
	xos_buf_free(&compact);
	return st;
}

/* The candidate itself is parsed again for the trial: its statements would stay on trial. */
static enum xos_status add_candidate(struct parts *p, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;

	if (!p->trial)
		return add(p, xos_policy_set_ref(p->c->set), 0, err);
	enum xos_status st =
	    xos_policy_set_load((const char *)p->c->text.p, p->c->text.n, "pushed set", &set, err);
	return st == XOS_OK ? add(p, set, 0, err) : st;
}

static enum xos_status compile(struct vops_auth *a, const struct vops_candidate *c, bool trial,
    struct xos_policy **out, struct xos_err *err)
{
	struct parts p = {.a = a, .c = c, .trial = trial};
	enum xos_status st = add_candidate(&p, err);

	if (st == XOS_OK)
		st = vops_scoped_each(a->db, c->now, add_scoped, &p, err);
	if (st == XOS_OK)
		st = vops_sites_each(a->db, add_site, &p, err);
	if (st == XOS_OK)
		st = xos_zones_policy(p.list, p.n, out, err);
	if (st != XOS_OK)
		xos_err_prefix(err, st, "the set does not load together with those in force");
	parts_free(&p);
	return st;
}

enum xos_status vops_candidate_check(
    struct vops_auth *a, const struct vops_candidate *c, struct xos_err *err)
{
	struct xos_policy *policy = NULL, *trial = NULL;
	enum xos_status st = compile(a, c, false, &policy, err);

	if (st == XOS_OK)
		st = compile(a, c, true, &trial, err);
	if (st == XOS_OK)
		st = vops_cases_run(a, c->cases, policy, trial, c->now, err);
	if (st == XOS_OK && !c->force)
		st = vops_abilities_check(a, c->set, c->now, err);
	xos_policy_unref(policy);
	xos_policy_unref(trial);
	return st;
}
