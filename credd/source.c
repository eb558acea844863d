#include "credd/source.h"

#include <limits.h>
#include <stdlib.h>

#include "api/signer.h"
#include "api/trustkeep.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "bundle/archive.h"
#include "bundle/stored.h"
#include "credd/publish.h"

struct xos_credd_source {
	const struct xos_credd_self *self;
	struct xos_trust *trust;
	struct xos_key *site_key;
	struct xos_bundle_seen seen;
	char list[PATH_MAX],
	    kept[PATH_MAX];        /* the trust list: for all on this node, and our own copy */
	uint64_t stored;           /* serial of the list that stands in both */
	struct xos_buf archive;    /* of the bundle in force; n 0: none */
	struct xos_bundle *before; /* the last that was verified; NULL: none */
	struct xos_credd_witness *witness;
};

/* The highest list is kept in our own folder, whatever becomes of the one that others follow too. */
static enum xos_status follow_lists(struct xos_credd_source *s, struct xos_err *err)
{
	const struct xos_credd_conf *conf = s->self->conf;
	if (!xos_path_join(s->list, sizeof(s->list), conf->trust, XOS_TRUST_FILE) ||
	    !xos_path_join(s->kept, sizeof(s->kept), conf->state, XOS_TRUST_FILE))
		return xos_err_set(
		    err, XOS_LIMIT, "path", "the path of the trust folder is too long");
	return xos_trust_follow(s->trust, s->kept, err);
}

static void store_list(const struct xos_credd_source *s, const char *path)
{
	struct xos_err why = XOS_ERR_INIT;
	if (xos_trust_keep_store(s->trust, s->self->conf->vo, path, &why))
		xos_event_err(XOS_ERROR, "trust.not-stored", &why, (const char *)NULL);
}

void xos_credd_source_lists(struct xos_credd_source *s)
{
	const struct xos_trust_list *l = xos_trust_list(s->trust, s->self->conf->vo);
	char serial[24];
	if (!l || l->serial == s->stored)
		return;
	(void)!xos_str_printf(serial, sizeof(serial), "%llu", (unsigned long long)l->serial);
	XOS_EVENT(XOS_INFO, "trust.list", "serial", serial);
	store_list(s, s->kept);
	store_list(s, s->list);
	s->stored = l->serial;
}

/* The bundle's signer vouches for nothing in it; the root's signature does. */
static void take_list(struct xos_credd_source *s, struct xos_bytes compact)
{
	struct xos_err why = XOS_ERR_INIT;
	if (compact.n && xos_trust_take_list(s->trust, compact, NULL, &why))
		xos_event_err(XOS_WARN, "trust.list-refused", &why, (const char *)NULL);
	xos_credd_source_lists(s);
}

enum xos_status xos_credd_source_new(
    const struct xos_credd_self *self, struct xos_credd_source **out, struct xos_err *err)
{
	const struct xos_credd_conf *conf = self->conf;
	struct xos_credd_source *s = calloc(1, sizeof(*s));
	if (!s || !(s->trust = xos_trust_new())) {
		free(s);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	s->self = self;
	xos_buf_init(&s->archive, XOS_BUNDLE_MAX);
	enum xos_status st = xos_trust_load(s->trust, conf->trust, err);
	if (!st)
		st = follow_lists(s, err);
	if (!st && !xos_trust_root(s->trust, conf->vo))
		st = xos_err_set(err, XOS_NOT_FOUND, "no-root",
		    "%s has no root of the VO %s: join the node again", conf->trust, conf->vo);
	if (!st)
		st = xos_key_public_load(conf->site_key, &s->site_key, err);
	if (!st)
		st = xos_bundle_seen_load(conf->state, &s->seen, err);
	if (!st)
		st = xos_credd_witness_new(conf->state, conf->vo, s->trust, &s->witness, err);
	if (st)
		xos_credd_source_free(s);
	else
		*out = s;
	return st;
}

void xos_credd_source_free(struct xos_credd_source *s)
{
	if (!s)
		return;
	xos_credd_witness_free(s->witness);
	xos_key_free(s->site_key);
	xos_trust_free(s->trust);
	xos_buf_free(&s->archive);
	xos_bundle_unref(s->before);
	free(s);
}

void xos_credd_source_pace(struct xos_credd_source *s)
{
	xos_trust_pace(s->trust);
}

const struct xos_trust *xos_credd_source_trust(const struct xos_credd_source *s)
{
	return s->trust;
}

struct xos_credd_witness *xos_credd_source_witness(struct xos_credd_source *s)
{
	return s->witness;
}

static bool counts(void *arg, const uint8_t fingerprint[XOS_SHA256_LEN])
{
	const struct xos_credd_source *s = arg;
	return !xos_trust_judge(s->trust, s->self->conf->vo, fingerprint, "", INT64_MIN, NULL);
}

/* What a bundle has to satisfy at a moment. */
struct demand {
	struct xos_bundle_trust trust;
	struct xos_bundle_want want;
};

static void demand_init(struct demand *d, struct xos_credd_source *s, int64_t now)
{
	const struct xos_credd_conf *conf = s->self->conf;
	if (xos_bundle_seen_forget(&s->seen, counts, s))
		XOS_EVENT(XOS_WARN, "bundle.serials-forgotten", "why",
		    "the key that gave them is revoked");
	d->trust = (struct xos_bundle_trust){
	    .vo = conf->vo,
	    .signer = xos_api_signer,
	    .signed_at = xos_api_signed_at,
	    .arg = s->trust,
	    .now = now,
	    .skew = XOS_BUNDLE_SKEW,
	};
	d->want = (struct xos_bundle_want){
	    .trust = &d->trust,
	    .site = conf->site,
	    .node = conf->node,
	    .site_key = s->site_key,
	    .root = xos_trust_root(s->trust, conf->vo),
	    .seen = &s->seen,
	    .before = s->before,
	};
}

static void remember(struct xos_credd_source *s, struct xos_bundle *bundle)
{
	xos_bundle_unref(s->before);
	s->before = bundle ? xos_bundle_ref(bundle) : NULL;
}

static int64_t held_now(const struct xos_credd_source *s)
{
	int64_t now = xos_clock_now();
	return now < s->seen.newest ? s->seen.newest : now;
}

/* With the archive as it is to be kept. */
static enum xos_status load(
    struct xos_credd_source *s, int64_t now, struct xos_bundle **out, struct xos_err *err)
{
	struct demand d;
	demand_init(&d, s, now);
	xos_buf_free(&s->archive);
	xos_buf_init(&s->archive, XOS_BUNDLE_MAX);
	d.want.kept = &s->archive;
	enum xos_status st = xos_bundle_load(s->self->conf->state, &d.want, out, err);
	if (st) {
		xos_buf_free(&s->archive);
		xos_buf_init(&s->archive, XOS_BUNDLE_MAX);
	}
	return st;
}

enum xos_status xos_credd_source_stored(
    struct xos_credd_source *s, struct xos_credd_view **out, struct xos_err *err)
{
	struct xos_bundle *bundle = NULL;
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = load(s, held_now(s), &bundle, &why);
	/* It was good when it was stored. Verified at that time it gives the roster and says when
	 * it ended; the view's own end keeps it from deciding anything. */
	if (st == XOS_EXPIRED)
		st = load(s, s->seen.newest, &bundle, &why);
	if (st == XOS_INTERNAL)
		return xos_err_set(err, st, why.code, "%s", why.text);
	if (st && st != XOS_NOT_FOUND)
		xos_event_err(XOS_ERROR, "bundle.stored-refused", &why, (const char *)NULL);
	st = xos_credd_view_new(
	    s->self, s->trust, bundle, s->seen.newest, &xos_credd_local_files, out, err);
	if (!st)
		xos_credd_map_publish(s->self, *out);
	remember(s, bundle);
	xos_bundle_unref(bundle);
	return st;
}

/* Of what came and what this node has: what came may be only what is new. */
static enum xos_status join(const struct xos_credd_source *s, struct xos_bytes came,
    struct xos_buf *out, struct xos_err *err)
{
	struct xos_archive fresh = {.n = 0}, old = {.n = 0};
	enum xos_status st = xos_archive_read(came, &fresh, err);
	if (!st && s->archive.n)
		st = xos_archive_read(xos_buf_bytes(&s->archive), &old, err);
	if (!st) {
		xos_archive_merge(out, &fresh, &old);
		st = xos_buf_status(out);
		if (st)
			xos_err_set(err, st, "bundle-size", "the bundle does not fit");
	}
	xos_archive_clear(&fresh);
	xos_archive_clear(&old);
	return st;
}

/* The view before anything is kept: what makes none must not come back at the next start. */
static enum xos_status use(struct xos_credd_source *s, struct xos_bundle *bundle,
    struct xos_buf *kept, struct xos_credd_view **out, struct xos_err *err)
{
	struct xos_bundle_seen seen = s->seen;
	struct xos_err why = XOS_ERR_INIT;
	take_list(s, xos_bundle_trust_list(bundle));
	xos_bundle_seen_raise(&seen, bundle);
	enum xos_status st = xos_credd_view_new(
	    s->self, s->trust, bundle, seen.newest, &xos_credd_local_files, out, err);
	if (st)
		return st;
	if (xos_bundle_store(s->self->conf->state, xos_buf_bytes(kept), bundle, &s->seen, &why))
		xos_event_err(XOS_ERROR, "bundle.not-stored", &why, (const char *)NULL);
	s->seen = seen;
	xos_credd_map_publish(s->self, *out);
	remember(s, bundle);
	xos_buf_free(&s->archive);
	s->archive = *kept;
	xos_buf_init(kept, 0);
	return XOS_OK;
}

enum xos_status xos_credd_source_take(struct xos_credd_source *s, struct xos_bytes came,
    struct xos_credd_view **out, struct xos_err *err)
{
	struct demand d;
	struct xos_bundle *bundle = NULL;
	struct xos_buf whole, kept;
	xos_buf_init(&whole, 2 * XOS_BUNDLE_MAX + 64);
	xos_buf_init(&kept, XOS_BUNDLE_MAX);
	demand_init(&d, s, held_now(s));
	d.want.kept = &kept;
	enum xos_status st = join(s, came, &whole, err);
	if (!st)
		st = xos_bundle_verify(xos_buf_bytes(&whole), &d.want, &bundle, err);
	if (!st)
		st = use(s, bundle, &kept, out, err);
	if (!st)
		xos_credd_witness_see(s->witness, bundle, held_now(s));
	xos_bundle_unref(bundle);
	xos_buf_free(&whole);
	xos_buf_free(&kept);
	return st;
}
