#include "policytool/trial.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ast.h"

struct known {
	char *real; /* the path without links, so that one file is one set */
	char *path;
	struct xos_policy_set *set;
	struct xos_policy_set
	    *trial; /* the same with every statement on trial; NULL: a delegation */
	bool *reached;
};

struct xos_policytool_trials {
	struct known *list;
	size_t n;
};

/* A policy, the same on trial, and where their sets stand in the list. */
struct ground {
	struct xos_policy *policy, *trial;
	size_t *sets, nsets;
	size_t *delegations;
};

struct xos_policytool_trials *xos_policytool_trials_new(void)
{
	return calloc(1, sizeof(struct xos_policytool_trials));
}

void xos_policytool_trials_free(struct xos_policytool_trials *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		free(t->list[i].real);
		free(t->list[i].path);
		free(t->list[i].reached);
		xos_policy_set_unref(t->list[i].set);
		xos_policy_set_unref(t->list[i].trial);
	}
	free(t->list);
	free(t);
}

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

/* The engine tells of every statement on trial that applies, and lets nothing hang on it. A set that
 * nobody has compiled yet is still ours to change. */
static enum xos_status load_trial(const char *path, struct known *k, struct xos_err *err)
{
	struct xos_policy_errors *errs = calloc(1, sizeof(*errs));
	if (!errs)
		return no_memory(err);
	enum xos_status st = xos_policytool_read(path, &k->set, errs, err);
	if (!st && xos_policytool_is_part(k->set))
		st = xos_policytool_read(path, &k->trial, errs, err);
	if (!st && k->trial)
		xos_cases_try(k->trial);
	free(errs);
	return st;
}

static enum xos_status load(
    struct xos_policytool_trials *t, const char *path, size_t *at, struct xos_err *err)
{
	struct known k = {.real = realpath(path, NULL)};
	for (size_t i = 0; k.real && i < t->n; i++)
		if (strcmp(t->list[i].real, k.real) == 0) {
			free(k.real);
			*at = i;
			return XOS_OK;
		}
	/* A file that is not there is told by whoever reads it. */
	enum xos_status st = load_trial(path, &k, err);
	if (!st) {
		k.path = strdup(path);
		k.reached = calloc(xos_policy_set_count(k.set) + 1, sizeof(*k.reached));
		struct known *list = reallocarray(t->list, t->n + 1, sizeof(*list));
		if (list)
			t->list = list;
		if (!list || !k.path || !k.reached || !k.real)
			st = no_memory(err);
	}
	if (st) {
		free(k.real);
		free(k.path);
		free(k.reached);
		xos_policy_set_unref(k.set);
		xos_policy_set_unref(k.trial);
		return st;
	}
	*at = t->n;
	t->list[t->n++] = k;
	return XOS_OK;
}

static void leave(struct ground *g)
{
	xos_policy_unref(g->policy);
	xos_policy_unref(g->trial);
	free(g->sets);
	free(g->delegations);
}

static enum xos_status compile(const struct xos_policytool_trials *t, const struct ground *g,
    bool trial, struct xos_policy **out, struct xos_err *err)
{
	struct xos_policytool_sets sets = {NULL, 0, 0};
	enum xos_status st = XOS_OK;
	for (size_t i = 0; !st && i < g->nsets; i++) {
		const struct known *k = &t->list[g->sets[i]];
		if (k->trial)
			st = xos_policytool_sets_add(
			    &sets, k->path, xos_policy_set_ref(trial ? k->trial : k->set), err);
	}
	if (!st)
		st = xos_policytool_sets_policy(&sets, out, err);
	xos_policytool_sets_free(&sets);
	return st;
}

/* The policies that a file names, or else those in its folder. */
static enum xos_status policy_paths(
    const struct xos_cases *c, struct xos_policytool_paths *paths, struct xos_err *err)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(c->path, '/');
	enum xos_status st = XOS_OK;
	for (size_t i = 0; !st && i < c->npolicies; i++)
		st = xos_policytool_find(paths, c->policies[i], ".xos", err);
	if (c->npolicies || st)
		return st;
	if (snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - c->path) : 1,
	        slash ? c->path : ".") >= (int)sizeof(dir))
		return xos_err_set(
		    err, XOS_LIMIT, "path-too-long", "%s: the path is too long", c->path);
	return xos_policytool_find(paths, dir[0] ? dir : "/", ".xos", err);
}

static enum xos_status enter(struct xos_policytool_trials *t, const struct xos_cases *c,
    struct ground *g, struct xos_err *err)
{
	struct xos_policytool_paths paths = {NULL, 0, 0};
	enum xos_status st = policy_paths(c, &paths, err);
	if (!st) {
		g->sets = calloc(paths.n + 1, sizeof(*g->sets));
		g->delegations = calloc(c->ndelegations + 1, sizeof(*g->delegations));
		if (!g->sets || !g->delegations)
			st = no_memory(err);
	}
	for (size_t i = 0; !st && i < paths.n; i++) {
		st = load(t, paths.list[i], &g->sets[g->nsets], err);
		g->nsets += st == XOS_OK;
	}
	for (size_t i = 0; !st && i < c->ndelegations; i++) {
		st = load(t, c->delegations[i], &g->delegations[i], err);
		if (!st && t->list[g->delegations[i]].trial)
			st = xos_err_set(err, XOS_MALFORMED, "cases-malformed",
			    "%s: %s is no delegation", c->path, c->delegations[i]);
	}
	xos_policytool_paths_free(&paths);
	if (!st)
		st = compile(t, g, false, &g->policy, err);
	return st ? st : compile(t, g, true, &g->trial, err);
}

static void reach(struct xos_policytool_trials *t, const struct xos_policy_statement *s)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->list[i].set == s->set || t->list[i].trial == s->set)
			t->list[i].reached[s->number - 1] = true;
}

static void reach_carried(struct xos_policytool_trials *t, const struct xos_policy_request *req)
{
	const struct xos_policy_action *action =
	    xos_policy_action_find(req->action, XOS_POLICY_SCHEMA);
	for (size_t i = 0; action && i < req->nchain; i++)
		for (size_t j = 0; j < req->chain[i]->n; j++)
			if (req->chain[i]->statements[j].actions >> action->code & 1)
				reach(t, &req->chain[i]->statements[j]);
}

struct listener {
	struct xos_policytool_trials *trials;
	xos_cases_told *told;
	void *arg;
};

static void listen_to(void *ctx, const struct xos_cases_outcome *o)
{
	const struct listener *l = ctx;
	for (size_t i = 0; i < o->trial->nshadows; i++)
		reach(l->trials, o->trial->shadows[i].statement);
	reach_carried(l->trials, o->request);
	l->told(l->arg, o);
}

static enum xos_status run(struct xos_policytool_trials *t, const struct xos_cases *cases,
    const struct ground *g, int64_t now, xos_cases_told *told, void *arg, struct xos_err *err)
{
	const struct xos_policy_set **delegations =
	    calloc(cases->ndelegations + 1, sizeof(*delegations));
	struct listener l = {t, told, arg};
	if (!delegations)
		return no_memory(err);
	for (size_t i = 0; i < cases->ndelegations; i++)
		delegations[i] = t->list[g->delegations[i]].set;
	const struct xos_cases_ground ground = {
	    .policy = g->policy, .trial = g->trial, .delegations = delegations};
	enum xos_status st = xos_cases_run(&ground, cases, now, listen_to, &l, err);
	free(delegations);
	return st;
}

enum xos_status xos_policytool_trials_run(struct xos_policytool_trials *t,
    const struct xos_cases *cases, int64_t now, xos_cases_told *told, void *arg,
    struct xos_err *err)
{
	struct ground g = {.policy = NULL};
	enum xos_status st = enter(t, cases, &g, err);
	if (!st)
		st = run(t, cases, &g, now, told, arg, err);
	leave(&g);
	return st;
}

size_t xos_policytool_trials_sets(const struct xos_policytool_trials *t)
{
	return t->n;
}

const struct xos_policy_set *xos_policytool_trials_set(
    const struct xos_policytool_trials *t, size_t i, const char **path, const bool **reached)
{
	*path = t->list[i].path;
	*reached = t->list[i].reached;
	return t->list[i].set;
}
