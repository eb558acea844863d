#include "ca/vos.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

static int is_conf(const struct dirent *e)
{
	size_t n = strlen(e->d_name);
	return n > 5 && e->d_name[0] != '.' && strcmp(e->d_name + n - 5, ".conf") == 0;
}

static bool same(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

/* What the VOs of one server must have in common, and what they must not. */
static enum xos_status compare(const struct ca_conf *first, const struct ca_conf *c,
    const char *path, const struct ca_conf *other, struct xos_err *err)
{
	const struct xos_service_conf *a = &first->common, *b = &c->common;

	if (strcmp(a->listen, b->listen) != 0 || !same(a->user_network, b->user_network))
		return xos_err_set(err, XOS_CONFLICT, "vos",
		    "%s: listen and user_network must be those of VO %s, which it shares them with",
		    path, a->vo);
	if (!same(first->listen_http, c->listen_http))
		return xos_err_set(err, XOS_CONFLICT, "vos",
		    "%s: listen_http must be that of VO %s, as its network process serves both",
		    path, a->vo);
	if (c->vos)
		return xos_err_set(err, XOS_CONFLICT, "vos",
		    "%s: vos stands in the first "
		    "configuration only",
		    path);
	if (strcmp(other->common.vo, b->vo) == 0)
		return xos_err_set(
		    err, XOS_CONFLICT, "vos", "%s: VO %s is served already", path, b->vo);
	if (strcmp(other->common.state, b->state) == 0)
		return xos_err_set(err, XOS_CONFLICT, "vos",
		    "%s: its state is that of VO %s: each has a folder of its own", path,
		    other->common.vo);
	if (other->common.user_key && (same(other->common.user_key, b->user_key) ||
	                                  same(other->common.user_auth, b->user_auth)))
		return xos_err_set(err, XOS_CONFLICT, "vos",
		    "%s: user_auth and user_key must be users of its own, not those of VO %s", path,
		    other->common.vo);
	return XOS_OK;
}

static enum xos_status load_one(
    const struct ca_conf *first, struct ca_vos *v, const char *name, struct xos_err *err)
{
	struct ca_conf *c = &v->conf[v->n];
	char *path = v->path[v->n];
	enum xos_status st;

	if (v->n == XOS_PAIRS_MAX)
		return xos_err_set(err, XOS_LIMIT, "vos", "%s: at most %d configurations",
		    first->vos, XOS_PAIRS_MAX);
	if (!xos_path_join(path, PATH_MAX, first->vos, name))
		return xos_err_set(err, XOS_LIMIT, "path", "the path %s is too long", first->vos);
	st = xos_config_load(path, ca_conf_keys, ca_conf_nkeys, c, err);
	if (st != XOS_OK)
		return st;
	v->n++;
	st = compare(first, c, path, first, err);
	for (size_t i = 0; st == XOS_OK && i + 1 < v->n; i++)
		st = compare(first, c, path, &v->conf[i], err);
	v->pair[v->n - 1] = (struct xos_authority_pair){c->common.vo, path};
	return st;
}

enum xos_status ca_vos_load(const struct ca_conf *conf, struct ca_vos **out, struct xos_err *err)
{
	struct ca_vos *v = calloc(1, sizeof(*v));
	struct dirent **list = NULL;
	enum xos_status st = XOS_OK;
	int n = 0;

	if (!v)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (conf->vos && (n = scandir(conf->vos, &list, is_conf, alphasort)) < 0)
		st = xos_err_errno(err, errno, "vos", "cannot list %s", conf->vos);
	for (int i = 0; i < n; i++) {
		if (st == XOS_OK)
			st = load_one(conf, v, list[i]->d_name, err);
		free(list[i]);
	}
	free(list);
	if (st != XOS_OK) {
		ca_vos_free(v);
		return st;
	}
	*out = v;
	return XOS_OK;
}

void ca_vos_free(struct ca_vos *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->n; i++)
		xos_config_free(ca_conf_keys, ca_conf_nkeys, &v->conf[i]);
	free(v);
}

void ca_vos_check(
    const struct ca_conf *conf, void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	struct xos_err err = XOS_ERR_INIT;
	struct ca_vos *v = NULL;

	if (!conf->vos)
		return;
	if (ca_vos_load(conf, &v, &err) != XOS_OK) {
		report(ctx, &err);
		return;
	}
	for (size_t i = 0; i < v->n; i++)
		ca_conf_check(&v->conf[i], report, ctx);
	ca_vos_free(v);
}
