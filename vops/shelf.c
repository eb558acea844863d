#include "vops/shelf.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "bundle/bundle.h"
#include "vops/sets.h"

/* Bundles of a site that are remembered: a node that missed more is sent all. */
#define REMEMBERED 32
/* Differences that are kept of a site. Nodes that are behind are behind by one or two; who asks by every serial that is
 * remembered, of every site, must not fill the memory with a roster each time. */
#define DELTAS_MAX 4

struct volume {
	struct xos_bundle_sight sight; /* serial 0: free */
	struct xos_archive parts; /* digests only; the bytes are gone, but for the current one */
	struct xos_shared *delta; /* from here to the current one; NULL: not made yet */
};

struct row {
	struct row *next;
	char site[XOS_SITE_MAX + 1];
	struct xos_shared *archive; /* the current one */
	struct volume volume[REMEMBERED];
	size_t newest; /* index of the current one */
};

struct vops_shelf {
	struct row *rows;
	size_t n;
};

struct vops_shelf *vops_shelf_new(void)
{
	return calloc(1, sizeof(struct vops_shelf));
}

static void volume_clear(struct volume *v)
{
	xos_bundle_sight_clear(&v->sight);
	xos_archive_clear(&v->parts);
	xos_shared_unref(v->delta);
	v->delta = NULL;
}

void vops_shelf_free(struct vops_shelf *s)
{
	if (!s)
		return;
	while (s->rows) {
		struct row *r = s->rows;

		s->rows = r->next;
		for (size_t i = 0; i < REMEMBERED; i++)
			volume_clear(&r->volume[i]);
		xos_shared_unref(r->archive);
		free(r);
	}
	free(s);
}

static struct row *row_of(const struct vops_shelf *s, const char *site)
{
	struct row *r = s->rows;

	while (r && strcmp(r->site, site) != 0)
		r = r->next;
	return r;
}

uint64_t vops_shelf_serial(const struct vops_shelf *s, const char *site)
{
	const struct row *r = row_of(s, site);

	return r ? r->volume[r->newest].sight.serial : 0;
}

static struct row *new_row(struct vops_shelf *s, const char *site)
{
	struct row *r = s->n < VOPS_SITES_MAX ? calloc(1, sizeof(*r)) : NULL;

	if (!r || !xos_str_copy(r->site, sizeof(r->site), site)) {
		free(r);
		return NULL;
	}
	r->next = s->rows;
	s->rows = r;
	s->n++;
	return r;
}

static void drop_deltas(struct row *r)
{
	for (size_t i = 0; i < REMEMBERED; i++) {
		xos_shared_unref(r->volume[i].delta);
		r->volume[i].delta = NULL;
	}
}

enum xos_status vops_shelf_put(
    struct vops_shelf *s, const char *site, struct xos_bytes archive, struct xos_err *err)
{
	struct row *r = row_of(s, site);
	struct volume fresh = {.delta = NULL};
	struct xos_shared *copy;
	struct xos_buf bytes;

	if (!r)
		r = new_row(s, site);
	if (!r)
		return xos_err_set(err, XOS_INTERNAL, "memory", "no room for a site's bundle");
	xos_buf_init(&bytes, XOS_BUNDLE_MAX);
	xos_buf_put(&bytes, archive.p, archive.n);
	enum xos_status st = xos_buf_status(&bytes);
	copy = xos_shared_take(&bytes);
	if (st == XOS_OK && !copy)
		st = XOS_INTERNAL;
	if (st != XOS_OK)
		xos_err_set(err, st, "bundle-size", "the bundle does not fit");
	/* Borrowed from the copy, which stays as long as it is the current one. */
	if (st == XOS_OK)
		st = xos_archive_read(xos_shared_bytes(copy), &fresh.parts, err);
	if (st == XOS_OK)
		st = xos_bundle_peek(&fresh.parts, &fresh.sight, err);
	if (st != XOS_OK) {
		volume_clear(&fresh);
		xos_shared_unref(copy);
		return st;
	}
	drop_deltas(r);
	r->newest = (r->newest + 1) % REMEMBERED;
	volume_clear(&r->volume[r->newest]);
	r->volume[r->newest] = fresh;
	xos_shared_unref(r->archive);
	r->archive = copy;
	return XOS_OK;
}

static struct volume *volume_of(struct row *r, uint64_t serial)
{
	for (size_t i = 0; serial && i < REMEMBERED; i++)
		if (r->volume[i].sight.serial == serial)
			return &r->volume[i];
	return NULL;
}

static void make_delta(struct row *r, struct volume *old)
{
	struct xos_buf delta;
	size_t kept = 0;

	for (size_t i = 0; i < REMEMBERED; i++)
		kept += r->volume[i].delta != NULL;
	if (kept >= DELTAS_MAX)
		drop_deltas(r);
	xos_buf_init(&delta, XOS_BUNDLE_MAX);
	xos_archive_delta(&delta, &r->volume[r->newest].parts, &old->parts);
	old->delta = xos_shared_take(&delta);
}

size_t vops_shelf_bytes(const struct vops_shelf *s)
{
	size_t n = 0;

	for (const struct row *r = s->rows; r; r = r->next) {
		n += xos_shared_bytes(r->archive).n;
		for (size_t i = 0; i < REMEMBERED; i++)
			n += xos_shared_bytes(r->volume[i].delta).n;
	}
	return n;
}

enum xos_status vops_shelf_give(struct vops_shelf *s, const char *site, uint64_t have,
    struct xos_shared **out, struct xos_err *err)
{
	struct row *r = row_of(s, site);
	struct volume *old = r ? volume_of(r, have) : NULL;

	if (!r || !r->volume[r->newest].sight.serial)
		return xos_err_set(
		    err, XOS_NOT_FOUND, "no-bundle", "there is no bundle of %s yet", site);
	*out = r->archive;
	if (old && !old->delta)
		make_delta(r, old);
	if (old && old->delta)
		*out = old->delta;
	return XOS_OK;
}

const struct xos_bundle_sight *vops_shelf_sight(
    const struct vops_shelf *s, const char *site, uint64_t serial)
{
	struct row *r = row_of(s, site);
	const struct volume *v = r ? volume_of(r, serial) : NULL;

	return v ? &v->sight : NULL;
}
