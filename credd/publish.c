#include "credd/publish.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "local/accountmap.h"

/* Everything that goes into the file, in the order of the roster. */
struct content {
	struct xos_account_map_fields f;
	struct xos_account_map_member *member;
	struct xos_account_map_group group[XOS_POLICY_ACCOUNT_GROUPS_MAX];
};

static void fill_head(const struct xos_credd_view *v, struct xos_account_map_head *h)
{
	const struct xos_credd_slice *s = &v->slice;
	*h = (struct xos_account_map_head){.first = s->first,
	    .last = s->last,
	    .jobs_first = s->jobs_first,
	    .jobs_last = s->jobs_last,
	    .serial = xos_roster_serial(xos_bundle_roster(v->bundle)),
	    .built = xos_clock_now()};
	memcpy(h->vo, s->vo, sizeof(h->vo));
	if (s->home) /* the parser bounds it; without the % at its end */
		(void)!xos_str_printf(
		    h->home, sizeof(h->home), "%.*s", (int)strlen(s->home) - 1, s->home);
}

static enum xos_status fill_groups(
    const struct xos_credd_slice *s, struct content *c, struct xos_err *err)
{
	uint32_t n = 0;
	for (size_t i = 0; i < s->ngroups && n < XOS_POLICY_ACCOUNT_GROUPS_MAX; i++) {
		c->group[n].gid = s->groups[i].gid;
		if (!xos_account_group_name(s->groups[i].group, c->group[n].name))
			return xos_err_set(
			    err, XOS_INTERNAL, "map", "%s is no group's name", s->groups[i].group);
		n++;
	}
	c->f.head.groups = n;
	c->f.group = c->group;
	return XOS_OK;
}

static enum xos_status fill_members(
    const struct xos_credd_view *v, struct content *c, struct xos_err *err)
{
	const struct xos_roster *r = xos_bundle_roster(v->bundle);
	size_t n = xos_roster_count(r);
	struct xos_credd_account a;
	c->member = calloc(n ? n : 1, sizeof(*c->member));
	if (!c->member)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t i = 0; i < n; i++) {
		const struct xos_roster_member *m = xos_roster_at(r, i);
		struct xos_account_map_member *to = &c->member[c->f.head.members];
		if (xos_credd_account(&v->slice, m->name, m->number, &a, NULL))
			continue; /* beyond the slice */
		memcpy(to->name, a.name, sizeof(to->name));
		to->uid = a.uid;
		to->gid = a.gid;
		to->state = m->state == XOS_MEMBER_REMOVED     ? XOS_ACCOUNT_REMOVED
		            : m->state == XOS_MEMBER_SUSPENDED ? XOS_ACCOUNT_SUSPENDED
		                                               : XOS_ACCOUNT_ACTIVE;
		c->f.head.members++;
	}
	c->f.member = c->member;
	return XOS_OK;
}

static bool same_groups(const struct xos_account_map *m, const struct content *c)
{
	struct xos_account_map_group g;
	for (uint32_t i = 0; i < c->f.head.groups; i++)
		if (!xos_account_map_group_at(m, i, &g) || g.gid != c->group[i].gid ||
		    strcmp(g.name, c->group[i].name) != 0)
			return false;
	return true;
}

/* Does the file hold this already? Rosters of one serial are the same. */
static bool stands(const struct xos_credd_self *self, const char *path, const struct content *c,
    struct xos_credd_map *state)
{
	struct xos_account_map *m = NULL;
	if (xos_account_map_open(path, self->uid, &m, NULL))
		return false;
	struct xos_account_map_head a = *xos_account_map_head(m), b = c->f.head;
	bool same = a.first == b.first && a.last == b.last && a.jobs_first == b.jobs_first &&
	            a.jobs_last == b.jobs_last && a.serial == b.serial && a.groups == b.groups &&
	            strcmp(a.vo, b.vo) == 0 && strcmp(a.home, b.home) == 0 && same_groups(m, c);
	if (same)
		*state = (struct xos_credd_map){.built = a.built, .members = a.members};
	xos_account_map_free(m);
	return same;
}

static enum xos_status write_map(
    const char *path, const struct xos_credd_view *v, struct content *c, struct xos_err *err)
{
	struct xos_buf b;
	xos_buf_init(&b, XOS_ACCOUNT_MAP_SIZE_MAX);
	enum xos_status st = fill_members(v, c, err);
	if (!st)
		st = xos_account_map_make(&c->f, &b, err);
	if (!st)
		st = xos_file_write(path, 0644, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	free(c->member);
	return st;
}

static enum xos_status publish(const struct xos_credd_self *self, const char *path,
    struct xos_credd_view *v, struct xos_err *err)
{
	struct content *c = calloc(1, sizeof(*c));
	if (!c)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	fill_head(v, &c->f.head);
	enum xos_status st = fill_groups(&v->slice, c, err);
	if (!st && !stands(self, path, c, &v->map)) {
		st = write_map(path, v, c, err);
		if (!st)
			v->map = (struct xos_credd_map){
			    .built = c->f.head.built, .members = c->f.head.members};
	}
	free(c);
	return st;
}

void xos_credd_map_publish(const struct xos_credd_self *self, struct xos_credd_view *v)
{
	char path[PATH_MAX];
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = XOS_OK;
	v->map = (struct xos_credd_map){.built = 0};
	if (!self->root || !v->bundle)
		return;
	if (!xos_path_join(path, sizeof(path), self->conf->state, XOS_CREDD_MAP_FILE))
		st = xos_err_set(&why, XOS_LIMIT, "path", "the state folder's path is too long");
	else if (v->slice.present)
		st = publish(self, path, v, &why);
	else if (unlink(path) != 0 && errno != ENOENT)
		st = xos_err_errno(&why, errno, "map", "cannot remove %s", path);
	if (!st)
		return;
	(void)!xos_str_copy(v->map.error, sizeof(v->map.error), why.text);
	xos_event_err(XOS_ERROR, "accounts.map-not-written", &why, (const char *)NULL);
}
