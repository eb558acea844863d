#include "credd/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "credd/claims.h"
#include "decide/standing.h"
#include "decide/zones.h"
#include "token/claims.h"
#include "token/verify.h"

static enum xos_status out_of_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

/* All sets of the bundle; those under its own signature live as long as it. */
static enum xos_status make_policy(
    struct xos_bundle *bundle, struct xos_policy **out, struct xos_err *err)
{
	size_t n = 0, scoped = bundle ? xos_bundle_scoped_count(bundle) : 0;
	struct xos_policy_part *parts = calloc(scoped + 3, sizeof(*parts));
	if (!parts)
		return out_of_memory(err);
	if (bundle) {
		int64_t end = xos_bundle_expires(bundle);
		parts[n++] =
		    (struct xos_policy_part){.set = xos_bundle_vo_set(bundle), .not_after = end};
		for (size_t i = 0; i < scoped; i++)
			parts[n++] = (struct xos_policy_part){
			    .set = xos_bundle_scoped(bundle, i), .not_after = end};
		if (xos_bundle_site_set(bundle))
			parts[n++] = (struct xos_policy_part){
			    .set = xos_bundle_site_set(bundle),
			    .not_after = xos_bundle_site_expires(bundle),
			};
		if (xos_bundle_node_set(bundle))
			parts[n++] = (struct xos_policy_part){
			    .set = xos_bundle_node_set(bundle),
			    .not_after = xos_bundle_node_expires(bundle),
			};
	}
	enum xos_status st = xos_zones_policy(parts, n, out, err);
	free(parts);
	return st;
}

/* A bundle brings issuers that the trust folder may lack: after a rollover, say. */
static enum xos_status make_trust(const struct xos_trust *base, const struct xos_bundle *bundle,
    struct xos_trust **out, struct xos_err *err)
{
	struct xos_trust *t = xos_trust_new();
	enum xos_status st = t ? XOS_OK : out_of_memory(err);
	if (!st)
		st = xos_trust_join(t, base, err);
	for (size_t i = 0; !st && bundle && i < xos_bundle_issuer_count(bundle); i++)
		st = xos_trust_add_issuer(t, xos_bundle_issuer(bundle, i), err);
	if (st)
		xos_trust_free(t);
	else
		*out = t;
	return st;
}

static void make_slice(const struct xos_credd_self *self, const struct xos_bundle *bundle,
    const struct xos_credd_local_files *files, struct xos_credd_slice *out)
{
	const struct xos_credd_conf *conf = self->conf;
	*out = (struct xos_credd_slice){.present = false};
	(void)!xos_str_copy(out->vo, sizeof(out->vo), conf->vo);
	if (!self->root) {
		out->single = true;
		out->uid = self->uid;
		out->gid = self->gid;
		out->present = conf->member != NULL;
		if (conf->member)
			(void)!xos_str_copy(out->member, sizeof(out->member), conf->member);
		else
			(void)!xos_str_copy(out->why, sizeof(out->why),
			    "xos-credd runs without root and its configuration names no member");
		return;
	}
	const struct xos_policy_set *set = bundle ? xos_bundle_site_set(bundle) : NULL;
	size_t n = 0;
	const struct xos_policy_accounts *list = set ? xos_policy_set_accounts(set, &n) : NULL;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].vo, conf->vo) == 0) {
			xos_credd_slice_from(out, conf->vo, set, &list[i], files);
			xos_credd_slice_claim(out, conf->slices);
			return;
		}
	}
	xos_credd_slice_claim(out, conf->slices);
	(void)!xos_str_copy(out->why, sizeof(out->why),
	    set ? "the site's policy set gives this VO no accounts"
	        : "no policy set of this site has come yet");
}

enum xos_status xos_credd_view_new(const struct xos_credd_self *self, const struct xos_trust *base,
    struct xos_bundle *bundle, int64_t newest, const struct xos_credd_local_files *files,
    struct xos_credd_view **out, struct xos_err *err)
{
	struct xos_credd_view *v = calloc(1, sizeof(*v));
	if (!v)
		return out_of_memory(err);
	v->newest = newest;
	v->until_what = "no bundle has come yet";
	if (bundle) {
		v->bundle = xos_bundle_ref(bundle);
		int64_t old = xos_bundle_issued(bundle) + self->conf->max_age;
		v->until = xos_bundle_expires(bundle);
		v->until_what = xos_bundle_expires_first(bundle);
		if (old < v->until) {
			v->until = old;
			v->until_what = "greatest age";
		}
	}
	make_slice(self, bundle, files, &v->slice);
	enum xos_status st = make_trust(base, bundle, &v->trust, err);
	if (!st)
		st = make_policy(bundle, &v->policy, err);
	if (st)
		xos_credd_view_free(v);
	else
		*out = v;
	return st;
}

void xos_credd_view_free(struct xos_credd_view *v)
{
	if (!v)
		return;
	xos_policy_unref(v->policy);
	xos_trust_free(v->trust);
	xos_bundle_unref(v->bundle);
	free(v);
}

int64_t xos_credd_view_now(const struct xos_credd_view *v)
{
	int64_t now = xos_clock_now();
	return now < v->newest ? v->newest : now;
}

enum xos_status xos_credd_view_usable(
    const struct xos_credd_view *v, int64_t now, struct xos_err *err)
{
	char when[XOS_TIME_TEXT];
	if (!v->bundle)
		return xos_err_set(err, XOS_UNAVAILABLE, "no-bundle",
		    "This node has no policy bundle yet, so it decides nothing: see `xos-node "
		    "status`.");
	if (now <= v->until)
		return XOS_OK;
	xos_time_format(v->until, when);
	return xos_err_set(err, XOS_UNAVAILABLE, "bundle-old",
	    "This node's policy bundle (serial %llu) ended at %s (%s), so it decides nothing until "
	    "it "
	    "reaches the VO's policy server again: see `xos-node status`.",
	    (unsigned long long)xos_bundle_serial(v->bundle), when, v->until_what);
}

static const struct xos_lock *lock_of(
    const void *arg, enum xos_lock_kind kind, const char *name, int64_t now)
{
	return xos_bundle_lock(arg, kind, name, now);
}

static struct xos_standing standing(const struct xos_credd_view *v)
{
	return (struct xos_standing){.where = "This node's",
	    .roster = xos_bundle_roster(v->bundle),
	    .lock = lock_of,
	    .arg = v->bundle};
}

enum xos_status xos_credd_view_standing(const struct xos_credd_view *v, const char *node,
    const struct xos_identity *id, int64_t now, struct xos_err *err)
{
	if (!v->bundle)
		return xos_credd_view_usable(v, now, err);
	/* What was verified once is remembered; the trust list may have changed since. */
	enum xos_status st = xos_identity_listed(v->trust, id, err);
	const struct xos_standing s = standing(v);
	return st ? st : xos_standing_check(&s, id->claims, id->serial, node, now, err);
}

enum xos_status xos_credd_view_grant_standing(
    const struct xos_credd_view *v, const char *id, int64_t now, struct xos_err *err)
{
	if (!v->bundle)
		return XOS_OK;
	const struct xos_standing s = standing(v);
	return xos_standing_grant(&s, id, now, err);
}

const struct xos_lock *xos_credd_view_lock(
    const struct xos_credd_view *v, const char *node, const struct xos_identity *id, int64_t now)
{
	if (!v->bundle)
		return NULL;
	const struct xos_standing s = standing(v);
	const struct xos_lock *lock = xos_standing_lock(&s, id->claims, id->serial, node, now);
	for (size_t i = 0; !lock && i < id->nsteps; i++)
		if (id->steps[i]->id[0])
			lock = xos_standing_grant_lock(&s, id->steps[i]->id, now);
	return lock;
}

const struct xos_lock *xos_credd_view_grant_lock(
    const struct xos_credd_view *v, const char *id, int64_t now)
{
	if (!v->bundle)
		return NULL;
	const struct xos_standing s = standing(v);
	return xos_standing_grant_lock(&s, id, now);
}
