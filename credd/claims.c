#include "credd/claims.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#define LOCK ".lock"
#define LOCK_MS 2000 /* it is held for a few reads and one write */
#define LOCK_AGAIN_MS 10

static void refuse(struct xos_credd_slice *s, const char *fmt, ...) XOS_PRINTF(2, 3);

static void refuse(struct xos_credd_slice *s, const char *fmt, ...)
{
	char why[160];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	snprintf(s->why, sizeof(s->why), "the site's slice %u-%u is not used: %s", s->first,
	    s->last, why);
	s->present = false;
}

bool xos_credd_claim_next(struct xos_bytes *rest, uint32_t *first, uint32_t *last)
{
	char text[XOS_CREDD_CLAIM_LINE + 1];
	uint64_t a, b;
	const uint8_t *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t n = end ? (size_t)(end - rest->p) : 0;
	if (!n || n >= XOS_CREDD_CLAIM_LINE || memchr(rest->p, 0, n))
		return false;
	memcpy(text, rest->p, n);
	text[n] = '\0';
	char *dash = strchr(text, '-');
	if (!dash)
		return false;
	*dash = '\0';
	if (!xos_parse_u64(text, UINT32_MAX, &a) || !xos_parse_u64(dash + 1, UINT32_MAX, &b) ||
	    a > b)
		return false;
	*first = (uint32_t)a;
	*last = (uint32_t)b;
	rest->p += n + 1;
	rest->n -= n + 1;
	return true;
}

/* -1: not within the time, or there is none; errno says. */
static int take_lock(const char *folder)
{
	const struct timespec pause = {0, LOCK_AGAIN_MS * 1000000L};
	int64_t end = xos_clock_mono_ms() + LOCK_MS;
	char path[PATH_MAX];
	if (!xos_path_join(path, sizeof(path), folder, LOCK)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || xos_clock_mono_ms() >= end) {
			close(fd);
			return -1;
		}
		(void)nanosleep(&pause, NULL);
	}
	return fd;
}

/* The range of ours that is claimed there; *fits false: what is there is no claim. */
static const struct xos_credd_span *meets(const struct xos_credd_span *ours, size_t n,
    struct xos_bytes claim, uint32_t *first, uint32_t *last, bool *fits)
{
	*fits = true;
	while (claim.n) {
		if (!xos_credd_claim_next(&claim, first, last)) {
			*fits = false;
			return NULL;
		}
		for (size_t i = 0; i < n; i++)
			if (*first <= ours[i].last && *last >= ours[i].first)
				return &ours[i];
	}
	return NULL;
}

/* Another VO's file against s. */
static void compare(struct xos_credd_slice *s, const char *folder, const char *vo)
{
	struct xos_credd_span ours[XOS_CREDD_SPANS_MAX];
	size_t n = xos_credd_slice_spans(s, ours);
	char path[PATH_MAX];
	struct xos_buf b;
	uint32_t first = 0, last = 0;
	bool fits = false;
	if (!xos_path_join(path, sizeof(path), folder, vo)) {
		refuse(s, "a path below %s is too long", folder);
		return;
	}
	xos_buf_init(&b, XOS_CREDD_CLAIM_MAX);
	enum xos_status st = xos_file_read(path, XOS_CREDD_CLAIM_MAX, &b, NULL);
	const struct xos_credd_span *hit =
	    st ? NULL : meets(ours, n, xos_buf_bytes(&b), &first, &last, &fits);
	/* What has gone meanwhile belongs to a VO that the node has left. */
	if (st != XOS_NOT_FOUND && !fits)
		refuse(s, "which numbers VO %s has on this node cannot be read in %s", vo, path);
	else if (hit)
		refuse(s,
		    "VO %s has %u-%u on this node, and came first; the site's owner must give "
		    "each VO numbers of its own",
		    vo, first, last);
	xos_buf_free(&b);
}

static void compare_all(struct xos_credd_slice *s, const char *folder)
{
	DIR *d = opendir(folder);
	size_t n = 0;
	if (!d) {
		refuse(s, "which numbers other VOs have on this node cannot be read in %s", folder);
		return;
	}
	for (const struct dirent *e; s->present && (e = readdir(d));) {
		if (!xos_name_is_vo(e->d_name) || strcmp(e->d_name, s->vo) == 0)
			continue;
		if (++n > XOS_CREDD_CLAIMS_MAX)
			refuse(s, "%s holds more than %d files", folder, XOS_CREDD_CLAIMS_MAX);
		else
			compare(s, folder, e->d_name);
	}
	closedir(d);
}

/* In place: the folder is not ours, and whoever reads holds the lock. */
static bool record(const struct xos_credd_slice *s, const char *folder)
{
	struct xos_credd_span span[XOS_CREDD_SPANS_MAX];
	size_t n = s->present ? xos_credd_slice_spans(s, span) : 0;
	char path[PATH_MAX];
	struct xos_buf b;
	if (!xos_path_join(path, sizeof(path), folder, s->vo))
		return false;
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	xos_buf_init(&b, XOS_CREDD_CLAIM_MAX);
	for (size_t i = 0; i < n; i++)
		xos_buf_printf(&b, "%u-%u\n", span[i].first, span[i].last);
	bool ok = xos_buf_status(&b) == XOS_OK && ftruncate(fd, 0) == 0 &&
	          xos_fd_write_all(fd, xos_buf_bytes(&b), NULL) == XOS_OK && fsync(fd) == 0;
	xos_buf_free(&b);
	close(fd);
	return ok;
}

void xos_credd_slice_claim(struct xos_credd_slice *s, const char *folder)
{
	if (!folder || s->single)
		return;
	int lock = take_lock(folder);
	if (lock < 0 && s->present)
		refuse(s, "what other VOs of this node have cannot be told: %s/%s: %s", folder,
		    LOCK, strerror(errno));
	if (lock < 0)
		return;
	if (s->present)
		compare_all(s, folder);
	if (!record(s, folder) && s->present)
		refuse(s, "it cannot be written down for the other VOs in %s/%s", folder, s->vo);
	close(lock);
}

static enum xos_status prepare_file(
    const char *folder, const char *name, uint32_t uid, uint32_t gid, struct xos_err *err)
{
	char path[PATH_MAX];
	if (!xos_path_join(path, sizeof(path), folder, name))
		return xos_err_set(err, XOS_LIMIT, "path", "a path below %s is too long", folder);
	int fd = open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return xos_err_errno(err, errno, "slices", "cannot make %s", path);
	enum xos_status st = XOS_OK;
	if (fchmod(fd, 0644) != 0 || (geteuid() == 0 && fchown(fd, uid, gid) != 0))
		st = xos_err_errno(err, errno, "slices", "cannot give %s to its user", path);
	close(fd);
	return st;
}

enum xos_status xos_credd_claims_prepare(
    const char *folder, const char *vo, uint32_t uid, uint32_t gid, struct xos_err *err)
{
	enum xos_status st = xos_dir_make(folder, 0755, err);
	if (!st)
		st = prepare_file(folder, LOCK, geteuid(), getegid(), err);
	return st ? st : prepare_file(folder, vo, uid, gid, err);
}
