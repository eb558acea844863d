#include "vops/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "decide/zones.h"

#define CACHE_MAX 4096

static enum xos_status out_of_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

struct vops_view *vops_view_ref(struct vops_view *v)
{
	atomic_fetch_add(&v->refs, 1);
	return v;
}

void vops_view_unref(struct vops_view *v)
{
	if (!v || atomic_fetch_sub(&v->refs, 1) > 1)
		return;
	xos_known_cache_free(v->cache);
	xos_policy_unref(v->policy);
	for (size_t i = 0; i < v->nparts; i++)
		vops_part_unref(v->parts[i]);
	free(v->parts);
	free(v->sites);
	free(v->nodes);
	xos_trust_free(v->trust);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

static void ends(struct vops_view *v, int64_t at, const char *what)
{
	if (v->until && v->until <= at)
		return;
	v->until = at;
	v->until_what = what;
}

static void take_lists(struct vops_view *v)
{
	for (size_t i = 0; i < v->nparts; i++) {
		const struct vops_part *p = v->parts[i];

		if (p->roster) {
			v->roster = p->roster;
			ends(v, xos_roster_expires(p->roster), "the roster");
		} else if (p->locks) {
			bool ca = p->kind == VOPS_PART_LOCKS_CA;

			v->locks[ca ? 0 : 1] = p->locks;
			ends(v, xos_locks_expires(p->locks),
			    ca ? "the locks of the ca" : "the locks of the rca");
		} else if (p->membership) {
			v->membership = p->membership;
		}
	}
}

static int by_place(const void *a, const void *b)
{
	const struct vops_place *x = a, *y = b;
	int d = strcmp(x->site, y->site);

	return d || !x->node || !y->node ? d : strcmp(x->node, y->node);
}

static enum xos_status take_places(struct vops_view *v, struct xos_err *err)
{
	size_t sites = 0, nodes = 0, n;

	for (size_t i = 0; i < v->nparts; i++) {
		if (v->parts[i]->kind != VOPS_PART_SITE)
			continue;
		sites++;
		(void)xos_policy_set_nodes(v->parts[i]->set, &n);
		nodes += n;
	}
	v->sites = calloc(sites + 1, sizeof(*v->sites));
	v->nodes = calloc(nodes + 1, sizeof(*v->nodes));
	if (!v->sites || !v->nodes)
		return out_of_memory(err);
	for (size_t i = 0; i < v->nparts; i++) {
		if (v->parts[i]->kind != VOPS_PART_SITE)
			continue;
		const char *site = xos_policy_set_name(v->parts[i]->set);
		const struct xos_policy_node *list = xos_policy_set_nodes(v->parts[i]->set, &n);

		v->sites[v->nsites++] = (struct vops_place){.site = site};
		for (size_t j = 0; j < n; j++)
			v->nodes[v->nnodes++] =
			    (struct vops_place){.site = site, .node = list[j].name};
	}
	qsort(v->sites, v->nsites, sizeof(*v->sites), by_place);
	qsort(v->nodes, v->nnodes, sizeof(*v->nodes), by_place);
	return XOS_OK;
}

static enum xos_status make_policy(struct vops_view *v, struct xos_err *err)
{
	struct xos_policy_part *sets = calloc(v->nparts + 1, sizeof(*sets));
	size_t n = 0;

	if (!sets)
		return out_of_memory(err);
	for (size_t i = 0; i < v->nparts; i++)
		if (v->parts[i]->set)
			sets[n++] = (struct xos_policy_part){
			    .set = v->parts[i]->set, .not_after = v->parts[i]->not_after};
	enum xos_status st = xos_zones_policy(sets, n, &v->policy, err);
	free(sets);
	return st;
}

enum xos_status vops_view_new(const char *vo, const struct xos_trust *trust,
    struct vops_part **parts, size_t n, struct vops_view **out, struct xos_err *err)
{
	struct vops_view *v = calloc(1, sizeof(*v));

	if (!v) {
		for (size_t i = 0; i < n; i++)
			vops_part_unref(parts[i]);
		free(parts);
		return out_of_memory(err);
	}
	atomic_init(&v->refs, 1);
	pthread_mutex_init(&v->lock, NULL);
	v->parts = parts;
	v->nparts = n;
	v->trust = xos_trust_ref(trust);
	enum xos_status st = xos_str_copy(v->vo, sizeof(v->vo), vo) ? XOS_OK : out_of_memory(err);
	take_lists(v);
	if (st == XOS_OK)
		st = take_places(v, err);
	if (st == XOS_OK)
		st = make_policy(v, err);
	if (st == XOS_OK)
		st = xos_known_cache_new(CACHE_MAX, &v->cache, err);
	if (st == XOS_OK)
		*out = v;
	else
		vops_view_unref(v);
	return st;
}

enum xos_status vops_view_usable(const struct vops_view *v, int64_t now, struct xos_err *err)
{
	char when[XOS_TIME_TEXT];

	if (!v->roster || !v->locks[0] || !v->locks[1])
		return xos_err_set(err, XOS_UNAVAILABLE, "no-lists",
		    "The policy service has no roster or no locks yet, so it decides nothing: its "
		    "/health/ready says what it waits for.");
	if (now <= v->until)
		return XOS_OK;
	xos_time_format(v->until, when);
	return xos_err_set(err, XOS_UNAVAILABLE, "lists-old",
	    "What the policy service knows ended at %s (%s), so it decides nothing until it "
	    "reaches the VO's authorities again.",
	    when, v->until_what);
}

static const struct xos_lock *lock_of(
    const void *arg, enum xos_lock_kind kind, const char *name, int64_t now)
{
	const struct vops_view *v = arg;
	const struct xos_lock *hit = NULL;

	for (size_t i = 0; i < 2 && !hit; i++) {
		if (!v->locks[i])
			continue;
		if (kind == XOS_LOCK_GROUP || kind == XOS_LOCK_ROLE)
			hit = xos_locks_find_fqan(v->locks[i], name, now);
		else
			hit = xos_locks_find(v->locks[i], kind, name, now);
	}
	return hit;
}

struct xos_standing vops_view_standing(const struct vops_view *v)
{
	return (struct xos_standing){
	    .where = "The policy service's", .roster = v->roster, .lock = lock_of, .arg = v};
}

enum xos_status vops_view_known(struct vops_view *v, const struct xos_bytes *chain, size_t n,
    const uint8_t digest[XOS_SHA256_LEN], int64_t now, struct xos_known **out, struct xos_err *err)
{
	struct xos_known *k = NULL;
	enum xos_status st = XOS_OK;

	pthread_mutex_lock(&v->lock);
	k = xos_known_cache_get(v->cache, digest);
	if (k)
		xos_known_ref(k);
	pthread_mutex_unlock(&v->lock);
	if (!k) {
		/* Outside the lock: a verification takes as long as a thousand decisions. */
		st = xos_known_make(v->trust, v->vo, NULL, chain, n, now, &k, err);
		if (st == XOS_OK) {
			xos_known_ref(k);
			pthread_mutex_lock(&v->lock);
			(void)xos_known_cache_put(v->cache, digest, k);
			pthread_mutex_unlock(&v->lock);
		}
	}
	/* The chain was good when it was put in; time has passed since. */
	if (st == XOS_OK)
		st = xos_known_current(k, now, err);
	if (st == XOS_OK)
		*out = k;
	else
		xos_known_free(k);
	return st;
}
