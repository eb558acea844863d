#include "jobs/vos.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/name.h"

/* What is no VO's name is passed over: a folder that is being put together or taken away. */
static int is_vo(const struct dirent *e)
{
	return xos_name_is_vo(e->d_name);
}

static bool same(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

/* The same by another way too, as far as they are there. */
static bool same_place(const char *a, const char *b)
{
	char real[2][PATH_MAX];

	return same(a, b) ||
	       (realpath(a, real[0]) && realpath(b, real[1]) && same(real[0], real[1]));
}

static enum xos_status conflict(
    struct xos_err *err, const char *path, const char *why, const char *vo)
{
	return xos_err_set(err, XOS_CONFLICT, "vos", "%s: %s VO %s", path, why, vo);
}

/* What the VOs of one node must have in common. */
static enum xos_status compare_first(const struct xos_jobs_config *first,
    const struct xos_jobs_config *c, const char *path, struct xos_err *err)
{
	const struct xos_service_conf *a = &first->common, *b = &c->common;

	if (!same(a->listen, b->listen) || !same(a->user_network, b->user_network))
		return conflict(
		    err, path, "listen and user_network must be those that it shares with", a->vo);
	if (!same(first->node, c->node) || !same(first->site, c->site))
		return conflict(err, path, "node and site must be those of", a->vo);
	if (c->vos)
		return conflict(err, path,
		    "`vos` stands in one jobd.conf only, that of the first VO here,", a->vo);
	return XOS_OK;
}

/* And what must be its own. */
static enum xos_status compare(const struct xos_jobs_config *other, const struct xos_jobs_config *c,
    const char *path, struct xos_err *err)
{
	const char *vo = other->common.vo;

	if (same(vo, c->common.vo))
		return conflict(err, path, "this node has a configuration already for", vo);
	if (same_place(other->common.state, c->common.state))
		return conflict(err, path, "`state` must be a folder of its own, not that of", vo);
	if (same_place(other->credd_socket, c->credd_socket))
		return conflict(err, path,
		    "`credd_socket` must be that of an xos-credd of its own, not the one of", vo);
	if (other->credd_user && same(other->credd_user, c->credd_user))
		return conflict(
		    err, path, "`credd_user` must be a user of its own, not the one of", vo);
	if (same_place(other->common.tls_key, c->common.tls_key))
		return conflict(err, path, "`tls_key` must be its own, not the one of", vo);
	return XOS_OK;
}

static enum xos_status load_one(const struct xos_jobs_config *first, struct xos_jobs_vos *v,
    const char *name, struct xos_err *err)
{
	struct xos_jobs_config *c;
	char path[PATH_MAX], dir[PATH_MAX];
	enum xos_status st;

	if (!xos_path_join(dir, sizeof(dir), first->vos, name) ||
	    !xos_path_join(path, sizeof(path), dir, "jobd.conf"))
		return xos_err_set(
		    err, XOS_LIMIT, "path", "a path below %s is too long", first->vos);
	if (access(path, F_OK) != 0)
		return XOS_OK; /* it has applied and is not admitted yet */
	if (v->n == XOS_JOBS_VOS_MAX)
		return xos_err_set(err, XOS_LIMIT, "vos", "%s: a node belongs to %d VOs at most",
		    first->vos, XOS_JOBS_VOS_MAX + 1);
	c = &v->conf[v->n];
	memcpy(v->path[v->n], path, strlen(path) + 1);
	st = xos_config_load(path, xos_jobs_keys, xos_jobs_nkeys, c, err);
	if (st != XOS_OK)
		return st;
	/* The first one may stand in the same folder, when the one before it was left. */
	if (same(first->common.vo, c->common.vo) &&
	    same_place(first->common.state, c->common.state)) {
		xos_config_free(xos_jobs_keys, xos_jobs_nkeys, c);
		return XOS_OK;
	}
	v->n++;
	if (strcmp(c->common.vo, name) != 0)
		return xos_err_set(err, XOS_CONFLICT, "vos",
		    "%s: it is for VO %s, and its folder is named otherwise", path, c->common.vo);
	st = compare_first(first, c, path, err);
	if (st == XOS_OK)
		st = compare(first, c, path, err);
	for (size_t i = 0; st == XOS_OK && i + 1 < v->n; i++)
		st = compare(&v->conf[i], c, path, err);
	return st;
}

enum xos_status xos_jobs_vos_load(
    const struct xos_jobs_config *first, struct xos_jobs_vos **out, struct xos_err *err)
{
	struct xos_jobs_vos *v = calloc(1, sizeof(*v));
	struct dirent **list = NULL;
	enum xos_status st = XOS_OK;
	int n = 0;

	*out = NULL;
	if (!v)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (first->vos && (n = scandir(first->vos, &list, is_vo, alphasort)) < 0 && errno != ENOENT)
		st = xos_err_errno(err, errno, "vos", "cannot list %s", first->vos);
	for (int i = 0; i < n; i++) {
		if (st == XOS_OK)
			st = load_one(first, v, list[i]->d_name, err);
		free(list[i]);
	}
	free(list);
	if (st != XOS_OK) {
		xos_jobs_vos_free(v);
		return st;
	}
	*out = v;
	return XOS_OK;
}

void xos_jobs_vos_free(struct xos_jobs_vos *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->n; i++)
		xos_config_free(xos_jobs_keys, xos_jobs_nkeys, &v->conf[i]);
	free(v);
}

/* Which of several it is about. */
struct one {
	void (*report)(void *ctx, const struct xos_err *err);
	void *ctx;
	const char *vo;
};

static void report_of(void *ctx, const struct xos_err *err)
{
	const struct one *o = ctx;
	struct xos_err e = *err;

	(void)xos_err_prefix(&e, e.status, "VO %s", o->vo);
	o->report(o->ctx, &e);
}

void xos_jobs_vos_check(const struct xos_jobs_config *first,
    void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_jobs_vos *v = NULL;

	if (!first->vos)
		return;
	if (xos_jobs_vos_load(first, &v, &err) != XOS_OK) {
		report(ctx, &err);
		return;
	}
	for (size_t i = 0; i < v->n; i++) {
		struct one o = {report, ctx, v->conf[i].common.vo};

		xos_jobs_config_check(&v->conf[i], report_of, &o);
	}
	xos_jobs_vos_free(v);
}
