#include "credd/leases.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/text.h"

struct waiting {
	uint32_t uid;
	int64_t since;
};

struct xos_credd_leases {
	char path[PATH_MAX], old[PATH_MAX], dir[PATH_MAX];
	int64_t quarantine;
	int fd;
	off_t size;
	struct xos_credd_lease *live; /* sorted by uid */
	size_t nlive, live_room;
	struct waiting *wait; /* oldest first; the first `done` were used again */
	size_t nwait, done, wait_room;
	uint32_t next; /* no uid from here on is known to have been used */
	char trouble[XOS_ERR_TEXT_MAX];
};

static enum xos_status memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

static size_t place(const struct xos_credd_leases *l, uint32_t uid)
{
	size_t lo = 0, hi = l->nlive;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (l->live[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct xos_credd_lease *find_uid(const struct xos_credd_leases *l, uint32_t uid)
{
	size_t i = place(l, uid);
	return i < l->nlive && l->live[i].uid == uid ? &l->live[i] : NULL;
}

static struct xos_credd_lease *find_job(const struct xos_credd_leases *l, const char *job)
{
	for (size_t i = 0; i < l->nlive; i++)
		if (strcmp(l->live[i].job, job) == 0)
			return &l->live[i];
	return NULL;
}

static void stop_waiting(struct xos_credd_leases *l, uint32_t uid)
{
	for (size_t i = l->done; i < l->nwait; i++) {
		if (l->wait[i].uid != uid)
			continue;
		memmove(&l->wait[l->done + 1], &l->wait[l->done], (i - l->done) * sizeof(*l->wait));
		l->done++;
		return;
	}
}

static bool grow(void **list, size_t *room, size_t need, size_t size)
{
	if (need <= *room)
		return true;
	size_t more = *room ? 2 * *room : 64;
	void *p = realloc(*list, more * size);
	if (!p)
		return false;
	*list = p;
	*room = more;
	return true;
}

static bool make_room(struct xos_credd_leases *l)
{
	if (l->done > 1024 && l->done > l->nwait / 2) {
		memmove(l->wait, l->wait + l->done, (l->nwait - l->done) * sizeof(*l->wait));
		l->nwait -= l->done;
		l->done = 0;
	}
	return grow((void **)&l->live, &l->live_room, l->nlive + 1, sizeof(*l->live)) &&
	       grow((void **)&l->wait, &l->wait_room, l->nwait + 1, sizeof(*l->wait));
}

/* What the line says, carried out. There is room. False: it contradicts what stood before. */
static bool apply(struct xos_credd_leases *l, const struct xos_credd_lease_line *line)
{
	const struct xos_credd_lease *e = &line->lease;
	struct xos_credd_lease *there = find_uid(l, e->uid);
	size_t i = place(l, e->uid);
	switch (line->event) {
	case XOS_LEASE_TAKEN:
		if (there || l->nlive == XOS_CREDD_LEASES_MAX)
			return false;
		stop_waiting(l, e->uid);
		memmove(&l->live[i + 1], &l->live[i], (l->nlive - i) * sizeof(*l->live));
		l->live[i] = *e;
		l->nlive++;
		break;
	case XOS_LEASE_HELD:
		if (!there)
			return false;
		if (!there->held)
			there->held = e->since;
		memcpy(there->why, e->why, sizeof(there->why));
		break;
	case XOS_LEASE_FREE:
		/* A journal that begins anew begins with those that wait. */
		if (there) {
			memmove(
			    &l->live[i], &l->live[i + 1], (l->nlive - i - 1) * sizeof(*l->live));
			l->nlive--;
		} else {
			stop_waiting(l, e->uid);
		}
		l->wait[l->nwait++] = (struct waiting){e->uid, e->since};
		break;
	}
	if (e->uid >= l->next)
		l->next = e->uid + 1;
	return true;
}

static void snapshot_lease(const struct xos_credd_lease *lease, struct xos_buf *out)
{
	struct xos_credd_lease_line line = {.event = XOS_LEASE_TAKEN, .lease = *lease};
	xos_credd_lease_line_write(out, &line);
	if (!lease->held)
		return;
	line.event = XOS_LEASE_HELD;
	line.lease.since = lease->held;
	xos_credd_lease_line_write(out, &line);
}

static enum xos_status open_journal(struct xos_credd_leases *l, struct xos_err *err)
{
	struct stat sb;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = open(l->path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (l->fd < 0 || fstat(l->fd, &sb) != 0)
		return xos_err_errno(err, errno, "leases", "cannot open %s", l->path);
	l->size = sb.st_size;
	return XOS_OK;
}

/* The old one keeps its name until the new one, which holds all that still counts, has taken its place. */
static enum xos_status begin_anew(struct xos_credd_leases *l, struct xos_err *err)
{
	struct xos_buf b;
	xos_buf_init(&b, XOS_CREDD_LEASES_READ_MAX);
	for (size_t i = l->done; i < l->nwait; i++) {
		struct xos_credd_lease_line line = {.event = XOS_LEASE_FREE,
		    .lease = {.uid = l->wait[i].uid, .since = l->wait[i].since}};
		xos_credd_lease_line_write(&b, &line);
	}
	for (size_t i = 0; i < l->nlive; i++)
		snapshot_lease(&l->live[i], &b);
	enum xos_status st = xos_buf_status(&b);
	if (st)
		(void)xos_err_set(err, st, "leases", "too many leases for a new journal");
	if (!st && ((unlink(l->old) != 0 && errno != ENOENT) || link(l->path, l->old) != 0))
		st = xos_err_errno(err, errno, "leases", "cannot put %s aside", l->path);
	if (!st)
		st = xos_file_write(l->path, 0600, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	return st ? st : open_journal(l, err);
}

/* Durable, or as if it had never been: a line that is there in part would be taken for damage. */
static enum xos_status append(
    struct xos_credd_leases *l, const struct xos_credd_lease_line *line, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	struct xos_buf b;
	if (l->trouble[0])
		return xos_err_set(err, XOS_UNAVAILABLE, "leases", "%s", l->trouble);
	if (!make_room(l))
		return memory(err);
	if (l->size > (off_t)XOS_CREDD_LEASES_BYTES && begin_anew(l, &why))
		xos_event_err(XOS_WARN, "leases.not-begun-anew", &why, (const char *)NULL);
	xos_buf_init(&b, 1024);
	xos_credd_lease_line_write(&b, line);
	enum xos_status st = xos_buf_status(&b);
	if (st)
		(void)memory(err);
	else if (l->fd < 0 && open_journal(l, err))
		st = XOS_UNAVAILABLE;
	else if (xos_fd_write_all(l->fd, xos_buf_bytes(&b), &why) || fdatasync(l->fd) != 0)
		st = xos_err_set(err, XOS_UNAVAILABLE, "leases",
		    "the lease cannot be written down in %s: %s", l->path,
		    why.status ? why.text : strerror(errno));
	if (!st) {
		l->size += (off_t)b.n;
		if (!apply(l, line))
			st = xos_err_set(err, XOS_INTERNAL, "leases", "a lease that contradicts");
	} else if (l->fd >= 0 && ftruncate(l->fd, l->size) != 0) {
		(void)xos_str_printf(l->trouble, sizeof(l->trouble),
		    "%s cannot be written and not be mended: %s; start xos-credd again once it can",
		    l->path, strerror(errno));
	}
	xos_buf_free(&b);
	return st;
}

static bool replay(struct xos_credd_leases *l, struct xos_bytes rest, size_t *good)
{
	size_t whole = rest.n;
	while (rest.n) {
		struct xos_credd_lease_line line;
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		*good = whole - rest.n;
		if (!end)
			return true;
		if (!xos_credd_lease_line_read(
		        (struct xos_bytes){rest.p, (size_t)(end - rest.p)}, &line) ||
		    !make_room(l) || !apply(l, &line))
			return false;
		rest.n -= (size_t)(end + 1 - rest.p);
		rest.p = end + 1;
	}
	*good = whole;
	return true;
}

static enum xos_status load(struct xos_credd_leases *l, struct xos_err *err)
{
	struct xos_buf b;
	size_t good = 0;
	xos_buf_init(&b, XOS_CREDD_LEASES_READ_MAX);
	enum xos_status st = xos_file_read(l->path, XOS_CREDD_LEASES_READ_MAX, &b, err);
	if (st == XOS_NOT_FOUND)
		st = XOS_OK;
	else if (!st && !replay(l, xos_buf_bytes(&b), &good))
		st = xos_err_set(err, XOS_MALFORMED, "leases",
		    "%s is damaged at byte %zu, so that nobody knows which uids are free: stop the "
		    "node's jobs, see that no process or file of the range is left, and move the "
		    "file away",
		    l->path, good);
	if (!st)
		st = open_journal(l, err);
	if (!st && good < b.n) {
		XOS_EVENT(XOS_WARN, "leases.cut", "path", l->path);
		if (ftruncate(l->fd, (off_t)good) != 0 || fdatasync(l->fd) != 0)
			st = xos_err_errno(err, errno, "leases", "cannot mend %s", l->path);
		l->size = (off_t)good;
	}
	xos_buf_free(&b);
	return st;
}

enum xos_status xos_credd_leases_open(
    const char *dir, int64_t quarantine, struct xos_credd_leases **out, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	struct xos_credd_leases *l = calloc(1, sizeof(*l));
	if (!l)
		return memory(err);
	l->fd = -1;
	l->quarantine = quarantine;
	if (!xos_path_join(l->path, sizeof(l->path), dir, XOS_CREDD_LEASES_JOURNAL) ||
	    !xos_path_join(l->old, sizeof(l->old), dir, XOS_CREDD_LEASES_OLD)) {
		free(l);
		return xos_err_set(err, XOS_LIMIT, "state-folder", "%s is too long", dir);
	}
	if (load(l, &why)) {
		xos_event_err(XOS_ERROR, "leases.unusable", &why, (const char *)NULL);
		memcpy(l->trouble, why.text, sizeof(l->trouble));
	}
	*out = l;
	return XOS_OK;
}

void xos_credd_leases_free(struct xos_credd_leases *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	free(l->live);
	free(l->wait);
	free(l);
}

const char *xos_credd_leases_trouble(const struct xos_credd_leases *l)
{
	return l->trouble[0] ? l->trouble : NULL;
}

/* The one that has waited longest, if it has waited long enough. */
static bool waited(
    const struct xos_credd_leases *l, const struct xos_credd_lease_want *w, uint32_t *uid)
{
	for (size_t i = l->done; i < l->nwait; i++) {
		const struct waiting *c = &l->wait[i];
		/* A clock that was set back makes nobody wait for longer than it should. */
		if (w->now >= c->since && w->now - c->since < l->quarantine)
			continue;
		if (c->uid >= w->first && c->uid <= w->last) {
			*uid = c->uid;
			return true;
		}
	}
	return false;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* One between those that were used: the site has moved the range to lower numbers. */
static bool between(
    const struct xos_credd_leases *l, const struct xos_credd_lease_want *w, uint32_t *uid)
{
	size_t n = 0;
	uint64_t want = w->first;
	uint32_t *used = calloc(l->nlive + l->nwait - l->done + 1, sizeof(*used));
	if (!used)
		return false;
	for (size_t i = 0; i < l->nlive; i++)
		used[n++] = l->live[i].uid;
	for (size_t i = l->done; i < l->nwait; i++)
		used[n++] = l->wait[i].uid;
	qsort(used, n, sizeof(*used), by_number);
	for (size_t i = 0; i < n && used[i] <= want; i++)
		if (used[i] == want)
			want++;
	free(used);
	*uid = (uint32_t)want;
	return want <= w->last;
}

static bool choose(
    const struct xos_credd_leases *l, const struct xos_credd_lease_want *w, uint32_t *uid)
{
	/* What is remembered stays bounded in a range of millions. */
	if (l->nwait - l->done >= XOS_CREDD_LEASES_MAX && waited(l, w, uid))
		return true;
	*uid = l->next > w->first ? l->next : w->first;
	return *uid <= w->last || waited(l, w, uid) || between(l, w, uid);
}

static enum xos_status none_left(
    const struct xos_credd_leases *l, const struct xos_credd_lease_want *w, struct xos_err *err)
{
	size_t held = 0, used = 0;
	for (size_t i = 0; i < l->nlive; i++) {
		if (l->live[i].uid < w->first || l->live[i].uid > w->last)
			continue;
		used++;
		held += l->live[i].held != 0;
	}
	return xos_err_set(err, XOS_LIMIT, "leases-all",
	    "none of this node's %llu uids for jobs is free: %zu jobs run, of %zu something is "
	    "left, "
	    "the others wait before they are used again; `xos-node accounts` says which",
	    (unsigned long long)w->last - w->first + 1, used - held, held);
}

enum xos_status xos_credd_leases_take(struct xos_credd_leases *l,
    const struct xos_credd_lease_want *w, uint32_t *uid, struct xos_err *err)
{
	struct xos_credd_lease_line line = {.event = XOS_LEASE_TAKEN,
	    .lease = {.number = w->number, .since = w->now, .taken_ms = xos_clock_mono_ms()}};
	const struct xos_credd_lease *there = find_job(l, w->job);
	if (there && (strcmp(there->member, w->member) != 0 || there->number != w->number))
		return xos_err_set(err, XOS_CONFLICT, "lease-member",
		    "job %s has a uid, and is of another member", w->job);
	if (there) {
		*uid = there->uid;
		return XOS_OK;
	}
	if (!xos_local_job_valid(w->job) ||
	    !xos_str_copy(line.lease.job, sizeof(line.lease.job), w->job) ||
	    !xos_str_copy(line.lease.member, sizeof(line.lease.member), w->member))
		return xos_err_set(err, XOS_MALFORMED, "job", "no job's or member's name");
	if (l->nlive == XOS_CREDD_LEASES_MAX || !choose(l, w, &line.lease.uid))
		return none_left(l, w, err);
	enum xos_status st = append(l, &line, err);
	if (!st)
		*uid = line.lease.uid;
	return st;
}

enum xos_status xos_credd_leases_give_back(
    struct xos_credd_leases *l, const char *job, int64_t now, struct xos_err *err)
{
	const struct xos_credd_lease *there = find_job(l, job);
	struct xos_credd_lease_line line = {.event = XOS_LEASE_FREE};
	if (!there)
		return XOS_OK;
	line.lease.uid = there->uid;
	line.lease.since = now;
	return append(l, &line, err);
}

enum xos_status xos_credd_leases_hold(
    struct xos_credd_leases *l, const char *job, const char *why, int64_t now, struct xos_err *err)
{
	const struct xos_credd_lease *there = find_job(l, job);
	struct xos_credd_lease_line line = {.event = XOS_LEASE_HELD};
	if (!there)
		return xos_err_set(err, XOS_NOT_FOUND, "lease-unknown", "job %s has no uid", job);
	line.lease.uid = there->uid;
	line.lease.since = now;
	(void)xos_str_printf(line.lease.why, sizeof(line.lease.why), "%.*s",
	    XOS_CREDD_LEASE_WHY - 1, why[0] ? why : "something is left");
	for (char *c = line.lease.why; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			*c = '?';
	/* Told every few minutes: what is known stands there already. */
	if (there->held && strcmp(there->why, line.lease.why) == 0)
		return XOS_OK;
	return append(l, &line, err);
}

const struct xos_credd_lease *xos_credd_leases_of_job(
    const struct xos_credd_leases *l, const char *job)
{
	return find_job(l, job);
}

const struct xos_credd_lease *xos_credd_leases_of_uid(
    const struct xos_credd_leases *l, uint32_t uid)
{
	return find_uid(l, uid);
}

const struct xos_credd_lease *xos_credd_leases_at(const struct xos_credd_leases *l, size_t i)
{
	return i < l->nlive ? &l->live[i] : NULL;
}

size_t xos_credd_leases_count(const struct xos_credd_leases *l)
{
	return l->nlive;
}

size_t xos_credd_leases_waiting(const struct xos_credd_leases *l)
{
	return l->nwait - l->done;
}

/* Looks through one journal for who had the uid then; *found as far as known from the one before. */
static void look_back(struct xos_bytes rest, uint32_t uid, int64_t at, bool *found,
    struct xos_credd_lease *lease, int64_t *until)
{
	while (rest.n) {
		struct xos_credd_lease_line line;
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		if (!end)
			return;
		if (xos_credd_lease_line_read(
		        (struct xos_bytes){rest.p, (size_t)(end - rest.p)}, &line) &&
		    line.lease.uid == uid) {
			if (line.event == XOS_LEASE_TAKEN && line.lease.since <= at) {
				*found = true;
				*lease = line.lease;
				*until = 0;
			} else if (line.event == XOS_LEASE_FREE && *found && !*until &&
			           line.lease.since >= lease->since) {
				*until = line.lease.since;
			} else if (line.event == XOS_LEASE_HELD && *found && !*until) {
				lease->held = line.lease.since;
				memcpy(lease->why, line.lease.why, sizeof(lease->why));
			}
		}
		rest.n -= (size_t)(end + 1 - rest.p);
		rest.p = end + 1;
	}
}

enum xos_status xos_credd_leases_at_time(const struct xos_credd_leases *l, uint32_t uid, int64_t at,
    struct xos_credd_lease *out, int64_t *until, struct xos_err *err)
{
	const char *const path[] = {l->old, l->path};
	struct xos_credd_lease lease = {.uid = uid};
	bool found = false;
	*until = 0;
	for (size_t i = 0; i < 2; i++) {
		struct xos_buf b;
		enum xos_status st = xos_file_read(path[i], XOS_CREDD_LEASES_READ_MAX, &b, err);
		if (!st)
			look_back(xos_buf_bytes(&b), uid, at, &found, &lease, until);
		xos_buf_free(&b);
		if (st && st != XOS_NOT_FOUND)
			return xos_err_prefix(err, XOS_UNAVAILABLE, "who had the uid");
	}
	/* Given back before then, and to nobody since. */
	if (!found || (*until && *until < at))
		return xos_err_set(err, XOS_NOT_FOUND, "lease-unknown",
		    "uid %u was no job's at that time, as far as this node remembers", uid);
	*out = lease;
	return XOS_OK;
}
