#include "local/accountmap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "local/accountmap_form.h"

struct xos_account_map {
	const uint8_t *p;
	size_t n;
	bool mapped;
	uint64_t seed;
	struct xos_map_layout l;
	struct xos_account_map_head head;
	char path[PATH_MAX];
	uid_t owner;
	struct stat file;
};

static enum xos_status damaged(struct xos_err *err, const char *path, const char *what)
{
	return xos_err_set(err, XOS_MALFORMED, "map",
	    "%s is no map of accounts (%s); xos-credd writes it anew when it starts", path, what);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool read_numbers(
    struct xos_reader *r, struct xos_account_map *m, uint32_t *vo, uint32_t *home, uint64_t *size)
{
	uint64_t built = 0;
	struct xos_account_map_head *h = &m->head;
	struct xos_map_layout *l = &m->l;
	uint32_t *const number[] = {&h->first, &h->last, &h->jobs_first, &h->jobs_last, &l->members,
	    &l->member_slots, &l->groups, &l->group_slots, &l->strings, vo, home};
	xos_reader_u64(r, size);
	xos_reader_u64(r, &m->seed);
	xos_reader_u64(r, &h->serial);
	xos_reader_u64(r, &built);
	for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++)
		xos_reader_u32(r, number[i]);
	h->built = built > INT64_MAX ? 0 : (int64_t)built;
	h->members = l->members;
	h->groups = l->groups;
	return !r->failed && h->first <= h->last && h->jobs_first <= h->jobs_last &&
	       h->first >= 1000 && (!h->jobs_last || h->jobs_first >= 1000);
}

static bool copy_text(char *out, size_t cap, const uint8_t *p, size_t n)
{
	if (n >= cap || memchr(p, 0, n))
		return false;
	memcpy(out, p, n);
	out[n] = '\0';
	return true;
}

static enum xos_status read_head(struct xos_account_map *m, struct xos_err *err)
{
	struct xos_reader r;
	struct xos_bytes magic;
	uint64_t size = 0;
	uint32_t vo = 0, home = 0;
	xos_reader_init(&r, (struct xos_bytes){m->p, m->n < XOS_MAP_HEAD ? m->n : XOS_MAP_HEAD});
	if (m->n < XOS_MAP_HEAD || !xos_reader_take(&r, 8, &magic) ||
	    memcmp(magic.p, XOS_MAP_MAGIC, 8) != 0)
		return damaged(err, m->path, "its head");
	if (!read_numbers(&r, m, &vo, &home, &size) || !xos_map_layout(&m->l) ||
	    m->l.size != m->n || size != m->n || (uint64_t)vo + home > m->l.strings)
		return damaged(err, m->path, "its size");
	const uint8_t *text = m->p + m->l.text;
	if (!copy_text(m->head.vo, sizeof(m->head.vo), text, vo) || !xos_name_is_vo(m->head.vo) ||
	    !copy_text(m->head.home, sizeof(m->head.home), text + vo, home) ||
	    (home && (m->head.home[0] != '/' || m->head.home[home - 1] != '/')))
		return damaged(err, m->path, "its names");
	return XOS_OK;
}

static void unmap(struct xos_account_map *m)
{
	if (m->mapped)
		munmap((void *)(uintptr_t)m->p, m->n);
	m->p = NULL;
	m->mapped = false;
}

static enum xos_status map_file(struct xos_account_map *m, int fd, struct xos_err *err)
{
	if (fstat(fd, &m->file) != 0)
		return xos_err_errno(err, errno, "map", "cannot look at %s", m->path);
	if (!S_ISREG(m->file.st_mode) || (m->file.st_uid != 0 && m->file.st_uid != m->owner) ||
	    m->file.st_mode & (S_IWGRP | S_IWOTH))
		return xos_err_set(err, XOS_DENIED, "map-owner",
		    "%s is not believed: it must be a file of root or of xos-credd's user (%u) "
		    "that "
		    "nobody else can write",
		    m->path, (unsigned)m->owner);
	if (m->file.st_size < XOS_MAP_HEAD || m->file.st_size > (off_t)XOS_ACCOUNT_MAP_SIZE_MAX)
		return damaged(err, m->path, "its size");
	m->n = (size_t)m->file.st_size;
	void *p = mmap(NULL, m->n, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return xos_err_errno(err, errno, "map", "cannot map %s", m->path);
	m->p = p;
	m->mapped = true;
	return read_head(m, err);
}

enum xos_status xos_account_map_open(
    const char *path, uid_t owner, struct xos_account_map **out, struct xos_err *err)
{
	struct xos_account_map *m = calloc(1, sizeof(*m));
	if (!m)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	m->owner = owner;
	if (!xos_str_copy(m->path, sizeof(m->path), path)) {
		free(m);
		return xos_err_set(err, XOS_LIMIT, "path", "the path of the map is too long");
	}
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum xos_status st = fd < 0 ? xos_err_errno(err, errno, "map", "cannot open %s", path)
	                            : map_file(m, fd, err);
	if (fd >= 0)
		close(fd);
	if (st)
		xos_account_map_free(m);
	else
		*out = m;
	return st;
}

enum xos_status xos_account_map_refresh(struct xos_account_map *m, struct xos_err *err)
{
	struct stat now;
	struct xos_account_map *fresh = NULL;
	if (!m->mapped)
		return XOS_OK;
	if (lstat(m->path, &now) == 0 && now.st_ino == m->file.st_ino &&
	    now.st_dev == m->file.st_dev && now.st_size == m->file.st_size &&
	    now.st_mtim.tv_sec == m->file.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == m->file.st_mtim.tv_nsec)
		return XOS_OK;
	enum xos_status st = xos_account_map_open(m->path, m->owner, &fresh, err);
	if (st)
		return st;
	unmap(m);
	*m = *fresh;
	free(fresh); /* its mapping is m's now */
	return XOS_OK;
}

void xos_account_map_free(struct xos_account_map *m)
{
	if (!m)
		return;
	unmap(m);
	free(m);
}

enum xos_status xos_account_map_use(
    struct xos_bytes in, struct xos_account_map **out, struct xos_err *err)
{
	struct xos_account_map *m = calloc(1, sizeof(*m));
	if (!m)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	strcpy(m->path, "the map");
	m->p = in.p;
	m->n = in.n;
	enum xos_status st = read_head(m, err);
	if (st)
		free(m);
	else
		*out = m;
	return st;
}

const struct xos_account_map_head *xos_account_map_head(const struct xos_account_map *m)
{
	return &m->head;
}

/* A record, as far as it can be believed: its name lies within the strings. */
struct entry {
	uint32_t number, gid;
	struct xos_bytes name;
	unsigned state;
};

static bool entry_at(const struct xos_account_map *m, bool group, uint32_t i, struct entry *e)
{
	if (i >= (group ? m->l.groups : m->l.members))
		return false;
	const uint8_t *p = m->p + (group ? m->l.group : m->l.member) + (size_t)i * XOS_MAP_RECORD;
	uint32_t at = get32(p + 8), len = (uint32_t)p[12] << 8 | p[13];
	if (!len || at > m->l.strings || len > m->l.strings - at)
		return false;
	*e = (struct entry){.number = get32(p),
	    .gid = get32(p + 4),
	    .name = {m->p + m->l.text + at, len},
	    .state = (unsigned)p[14] << 8 | p[15]};
	return true;
}

static bool take_member(
    const struct xos_account_map *m, const struct entry *e, struct xos_account_map_member *out)
{
	const struct xos_account_map_head *h = &m->head;
	struct xos_account_map_member a = {.uid = e->number, .gid = e->gid};
	if (e->number < h->first || e->number > h->last || e->gid < h->first || e->gid > h->last ||
	    e->state > XOS_ACCOUNT_REMOVED ||
	    !copy_text(a.name, sizeof(a.name), e->name.p, e->name.n))
		return false;
	a.state = (enum xos_account_state)e->state;
	*out = a;
	return true;
}

static bool take_group(const struct entry *e, struct xos_account_map_group *out)
{
	struct xos_account_map_group g = {.gid = e->number};
	if (e->number < 1000 || !copy_text(g.name, sizeof(g.name), e->name.p, e->name.n))
		return false;
	*out = g;
	return true;
}

/* One table of slots; at least half of a writer's are empty. */
struct table {
	bool group, by_name;
	const char *name;
	size_t n;
	uint32_t number;
};

static bool find(const struct xos_account_map *m, const struct table *t, struct entry *e)
{
	uint32_t slots = t->group ? m->l.group_slots : m->l.member_slots;
	size_t at = t->group ? (t->by_name ? m->l.by_group : m->l.by_gid)
	                     : (t->by_name ? m->l.by_name : m->l.by_uid);
	uint64_t h = t->by_name ? xos_map_hash_name(m->seed, t->name, t->n)
	                        : xos_map_hash_number(m->seed, t->number);
	for (unsigned step = 0; step <= XOS_MAP_PROBE_MAX; step++, h++) {
		uint32_t i = get32(m->p + at + (size_t)(h & (slots - 1)) * 4);
		if (!i)
			return false;
		if (!entry_at(m, t->group, i - 1, e))
			continue;
		if (t->by_name ? e->name.n == t->n && memcmp(e->name.p, t->name, t->n) == 0
		               : e->number == t->number)
			return true;
	}
	return false;
}

bool xos_account_map_by_name(
    const struct xos_account_map *m, const char *name, struct xos_account_map_member *out)
{
	struct table t = {.by_name = true, .name = name, .n = strnlen(name, XOS_ACCOUNT_MAX + 1)};
	struct entry e;
	return t.n <= XOS_ACCOUNT_MAX && find(m, &t, &e) && take_member(m, &e, out);
}

bool xos_account_map_by_uid(
    const struct xos_account_map *m, uint32_t uid, struct xos_account_map_member *out)
{
	struct table t = {.number = uid};
	struct entry e;
	/* The commonest miss of all, every local user, needs no look. */
	return uid >= m->head.first && uid <= m->head.last && find(m, &t, &e) &&
	       take_member(m, &e, out);
}

bool xos_account_map_group_by_name(
    const struct xos_account_map *m, const char *name, struct xos_account_map_group *out)
{
	struct table t = {.group = true,
	    .by_name = true,
	    .name = name,
	    .n = strnlen(name, XOS_ACCOUNT_MAP_GROUP_MAX + 1)};
	struct entry e;
	return t.n <= XOS_ACCOUNT_MAP_GROUP_MAX && find(m, &t, &e) && take_group(&e, out);
}

bool xos_account_map_group_by_gid(
    const struct xos_account_map *m, uint32_t gid, struct xos_account_map_group *out)
{
	struct table t = {.group = true, .number = gid};
	struct entry e;
	return gid >= 1000 && find(m, &t, &e) && take_group(&e, out);
}

bool xos_account_map_at(
    const struct xos_account_map *m, uint32_t i, struct xos_account_map_member *out)
{
	struct entry e;
	return entry_at(m, false, i, &e) && take_member(m, &e, out);
}

bool xos_account_map_group_at(
    const struct xos_account_map *m, uint32_t i, struct xos_account_map_group *out)
{
	struct entry e;
	return entry_at(m, true, i, &e) && take_group(&e, out);
}
