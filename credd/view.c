#include "credd/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "local/zoneinfo.h"
#include "token/claims.h"
#include "token/verify.h"

static enum xos_status out_of_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

#define ZONES_MAX 64

/* The zones that the sets name, as this machine has them. */
struct zones {
	struct xos_policy_zone_data list[ZONES_MAX];
	struct xos_buf texts[ZONES_MAX];
	size_t n;
};

/* A zone that is not here makes its tests unknown: refusals will say so, the event says why. */
static void read_zones(struct zones *z, const struct xos_policy_set *set)
{
	size_t n;
	const char *const *names = xos_policy_set_zones(set, &n);
	for (size_t i = 0; i < n && z->n < ZONES_MAX; i++) {
		struct xos_err why = XOS_ERR_INIT;
		bool there = false;
		for (size_t j = 0; j < z->n && !there; j++)
			there = strcmp(z->list[j].name, names[i]) == 0;
		if (there)
			continue;
		if (xos_zoneinfo_read(NULL, names[i], &z->texts[z->n], &why)) {
			xos_event_err(
			    XOS_WARN, "policy.zone", &why, "zone", names[i], (const char *)NULL);
			continue;
		}
		z->list[z->n] =
		    (struct xos_policy_zone_data){names[i], xos_buf_bytes(&z->texts[z->n])};
		z->n++;
	}
}

static enum xos_status make_policy(
    struct xos_bundle *bundle, struct xos_policy **out, struct xos_err *err)
{
	struct xos_policy_part parts[2];
	struct zones *z = calloc(1, sizeof(*z));
	size_t n = 0;
	if (!z)
		return out_of_memory(err);
	if (bundle) {
		parts[n++] = (struct xos_policy_part){
		    .set = xos_bundle_vo_set(bundle),
		    .not_after = xos_bundle_expires(bundle),
		};
		if (xos_bundle_site_set(bundle))
			parts[n++] = (struct xos_policy_part){
			    .set = xos_bundle_site_set(bundle),
			    .not_after = xos_bundle_site_expires(bundle),
			};
	}
	for (size_t i = 0; i < n; i++)
		read_zones(z, parts[i].set);
	struct xos_policy_options options = {.zones = z->list, .nzones = z->n};
	enum xos_status st = xos_policy_new(parts, n, &options, out, err);
	if (st == XOS_MALFORMED) /* zone data that is none: without any, its tests are unknown */
		st = xos_policy_new(parts, n, NULL, out, err);
	for (size_t i = 0; i < z->n; i++)
		xos_buf_free(&z->texts[i]);
	free(z);
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
			xos_credd_slice_init(out, conf->vo, list[i].first, list[i].last, files);
			return;
		}
	}
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

static enum xos_status locked(const struct xos_credd_view *v, enum xos_lock_kind kind,
    const char *name, int64_t now, struct xos_err *err)
{
	char until[XOS_TIME_TEXT + 8] = "";
	const struct xos_lock *lock =
	    v->bundle ? xos_bundle_lock(v->bundle, kind, name, now) : NULL;
	if (!lock)
		return XOS_OK;
	if (lock->until != XOS_LOCK_NO_END) {
		memcpy(until, " until ", 8);
		xos_time_format(lock->until, until + 7);
	}
	return xos_err_set(err, XOS_DENIED, "locked", "The %s %s is locked%s%s%s (lock %s).",
	    xos_lock_kind_name(kind), lock->name, until, lock->message[0] ? ": " : "",
	    lock->message, lock->id);
}

static enum xos_status on_roster(
    const struct xos_credd_view *v, const struct xos_claims *c, struct xos_err *err)
{
	const struct xos_roster *roster = xos_bundle_roster(v->bundle);
	const struct xos_roster_member *m = xos_roster_find(roster, c->name);
	if (!m)
		return xos_err_set(err, XOS_DENIED, "roster",
		    "This node's roster (serial %llu) has no member %s; a new member appears "
		    "within "
		    "seconds.",
		    (unsigned long long)xos_roster_serial(roster), c->name);
	if (m->number != c->number)
		return xos_err_set(err, XOS_DENIED, "roster",
		    "The member %s has number %llu in this node's roster, not %llu as in the "
		    "token: log in "
		    "again.",
		    c->name, (unsigned long long)m->number, (unsigned long long)c->number);
	if (m->state != XOS_MEMBER_ACTIVE)
		return xos_err_set(err, XOS_DENIED, "roster",
		    "The membership of %s is %s: ask an administrator of the VO.", c->name,
		    xos_member_state_name(m->state));
	return XOS_OK;
}

enum xos_status xos_credd_view_standing(const struct xos_credd_view *v, const char *node,
    const struct xos_identity *id, int64_t now, struct xos_err *err)
{
	const struct xos_claims *c = id->claims;
	if (!v->bundle)
		return xos_credd_view_usable(v, now, err);
	bool machine = c->kind == XOS_KIND_NODE || c->kind == XOS_KIND_SERVICE;
	enum xos_status st =
	    machine ? locked(v, XOS_LOCK_NODE, c->name, now, err) : on_roster(v, c, err);
	if (!st && !machine)
		st = locked(v, XOS_LOCK_MEMBER, c->name, now, err);
	/* The end entity's: what was delegated of a locked token is refused with it. */
	if (!st)
		st = locked(v, XOS_LOCK_TOKEN, id->serial, now, err);
	if (!st)
		st = locked(v, XOS_LOCK_NODE, node, now, err);
	for (size_t i = 0; !st && i < c->ngroups; i++)
		st = locked(v, XOS_LOCK_GROUP, c->groups[i], now, err);
	for (size_t i = 0; !st && i < c->nroles; i++)
		st = locked(v, XOS_LOCK_ROLE, c->roles[i], now, err);
	if (!st && c->home_org[0])
		st = locked(v, XOS_LOCK_HOME, c->home_org, now, err);
	return st;
}

enum xos_status xos_credd_view_grant_standing(
    const struct xos_credd_view *v, const char *id, int64_t now, struct xos_err *err)
{
	enum xos_status st = locked(v, XOS_LOCK_JOB, id, now, err);
	return st ? st : locked(v, XOS_LOCK_GRANT, id, now, err);
}
