#include "credd/accounts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/text.h"

#define LOCAL_FILE_MAX (16u * 1024 * 1024)

const struct xos_credd_local_files xos_credd_local_files = {
    .passwd = "/etc/passwd",
    .group = "/etc/group",
    .subuid = "/etc/subuid",
    .subgid = "/etc/subgid",
};

/*
 * Numbers that belong to nobody's slice. Source: "Users, Groups, UIDs and GIDs on systemd Systems"
 * (systemd.io/UIDS-GIDS); docs/decisions/uid-ranges.md. 524288 to 1879048191 is the container range
 * with the last container's own 65536.
 */
static const struct {
	uint32_t first, last;
	const char *what;
} reserved[] = {
    {0, 999, "root and system users"},
    {60001, 60513, "systemd-homed's users"},
    {60514, 60577, "systemd-nspawn's host users"},
    {61184, 65519, "systemd's dynamic service users"},
    {65534, 65535, "nobody, and the 16-bit -1"},
    {524288, 1879048191, "systemd's containers"},
    {2147483648u, 4294967295u, "numbers that programs with signed integers misread"},
};

/* All that one slice hands out, held against one machine. */
struct search {
	struct xos_credd_slice *s;
	const struct xos_credd_span *span;
	size_t n;
	const struct xos_credd_span *at; /* the one that is in the way; NULL: the first */
};

/* The spans are sorted and none overlaps another: only the last that begins early enough can be met. */
static bool overlaps(struct search *x, uint64_t first, uint64_t last)
{
	size_t lo = 0, hi = x->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (x->span[mid].first <= last)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || x->span[lo - 1].last < first)
		return false;
	x->at = &x->span[lo - 1];
	return true;
}

static bool refuse(struct search *x, const char *fmt, ...) XOS_PRINTF(2, 3);

static bool refuse(struct search *x, const char *fmt, ...)
{
	char why[160], which[80] = "";
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (x->at && x->at->what[0])
		snprintf(which, sizeof(which), "its numbers%s, %u-%u: ", x->at->what, x->at->first,
		    x->at->last);
	snprintf(x->s->why, sizeof(x->s->why),
	    "the site's slice %u-%u is not used: %s%s; choose another "
	    "(docs/decisions/uid-ranges.md)",
	    x->s->first, x->s->last, which, why);
	x->s->present = false;
	return false;
}

/* The n-th field (from 0) between colons of a line, copied; false if there is none or no room. */
static bool field(struct xos_bytes line, size_t n, char *out, size_t cap)
{
	for (; n; n--) {
		const uint8_t *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
		if (!colon)
			return false;
		line.n -= (size_t)(colon + 1 - line.p);
		line.p = colon + 1;
	}
	const uint8_t *end = line.n ? memchr(line.p, ':', line.n) : NULL;
	size_t len = end ? (size_t)(end - line.p) : line.n;
	if (len >= cap)
		return false;
	if (len)
		memcpy(out, line.p, len);
	out[len] = '\0';
	return true;
}

static bool number(struct xos_bytes line, size_t n, uint64_t *v)
{
	char text[24];
	return field(line, n, text, sizeof(text)) && xos_parse_u64(text, UINT32_MAX, v);
}

typedef bool (*line_fn)(struct search *s, const char *path, struct xos_bytes line);

/* passwd(5): name:x:uid:gid:... A member's gid is its uid, so either number may be in the way. */
static bool passwd_line(struct search *s, const char *path, struct xos_bytes line)
{
	uint64_t uid, gid;
	char name[64] = "?";
	if (line.p[0] == '+' || line.p[0] == '-')
		return true; /* NIS, nsswitch.conf(5) "compat": no numbers of its own */
	if (!number(line, 2, &uid) || !number(line, 3, &gid))
		return refuse(s, "%s has a line that cannot be read", path);
	if (!overlaps(s, uid, uid) && !overlaps(s, gid, gid))
		return true;
	if (!field(line, 0, name, sizeof(name)))
		name[0] = '\0';
	return refuse(s, "the local user %s has a number in it", name);
}

static bool group_line(struct search *s, const char *path, struct xos_bytes line)
{
	uint64_t gid;
	char name[64] = "?";
	if (line.p[0] == '+' || line.p[0] == '-')
		return true;
	if (!number(line, 2, &gid))
		return refuse(s, "%s has a line that cannot be read", path);
	if (!overlaps(s, gid, gid))
		return true;
	if (!field(line, 0, name, sizeof(name)))
		name[0] = '\0';
	return refuse(s, "the local group %s has a number in it", name);
}

/* subuid(5): name:first:count */
static bool sub_line(struct search *s, const char *path, struct xos_bytes line)
{
	uint64_t first, count;
	if (!number(line, 1, &first) || !number(line, 2, &count))
		return refuse(s, "%s has a line that cannot be read", path);
	if (!count || !overlaps(s, first, first + count - 1))
		return true;
	return refuse(s, "%s gives %llu-%llu away", path, (unsigned long long)first,
	    (unsigned long long)(first + count - 1));
}

static bool scan(struct search *s, const char *path, line_fn fn)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	bool ok = true;
	xos_buf_init(&b, LOCAL_FILE_MAX);
	enum xos_status st = xos_file_read(path, LOCAL_FILE_MAX, &b, &err);
	if (st && st != XOS_NOT_FOUND)
		ok = refuse(s, "%s", err.text);
	struct xos_bytes rest = st ? XOS_BYTES_NONE : xos_buf_bytes(&b);
	while (ok && rest.n) {
		const uint8_t *nl = memchr(rest.p, '\n', rest.n);
		struct xos_bytes line = {rest.p, nl ? (size_t)(nl - rest.p) : rest.n};
		size_t used = line.n + (nl ? 1 : 0);
		if (line.n && line.p[0] != '#')
			ok = fn(s, path, line);
		rest.p += used;
		rest.n -= used;
	}
	xos_buf_free(&b);
	return ok;
}

static int by_first(const void *a, const void *b)
{
	const struct xos_credd_span *x = a, *y = b;
	return x->first < y->first ? -1 : x->first > y->first;
}

size_t xos_credd_slice_spans(
    const struct xos_credd_slice *s, struct xos_credd_span out[XOS_CREDD_SPANS_MAX])
{
	size_t n = 0;
	out[n++] = (struct xos_credd_span){s->first, s->last, ""};
	if (s->jobs_first)
		out[n++] = (struct xos_credd_span){s->jobs_first, s->jobs_last, " for jobs"};
	for (size_t i = 0; i < s->ngroups && n < XOS_CREDD_SPANS_MAX; i++)
		out[n++] =
		    (struct xos_credd_span){s->groups[i].gid, s->groups[i].gid, " of a group"};
	qsort(out, n, sizeof(*out), by_first);
	return n;
}

static void hold_against(struct xos_credd_slice *s, const struct xos_credd_local_files *files)
{
	struct xos_credd_span span[XOS_CREDD_SPANS_MAX];
	struct search x = {.s = s, .span = span, .n = xos_credd_slice_spans(s, span)};
	for (size_t i = 1; i < x.n; i++) {
		if (span[i].first <= span[i - 1].last) {
			(void)refuse(&x, "%u has two uses in the site's set", span[i].first);
			return;
		}
	}
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (overlaps(&x, reserved[i].first, reserved[i].last)) {
			(void)refuse(&x, "%u-%u belong to %s", reserved[i].first, reserved[i].last,
			    reserved[i].what);
			return;
		}
	}
	s->present = scan(&x, files->passwd, passwd_line) && scan(&x, files->group, group_line) &&
	             scan(&x, files->subuid, sub_line) && scan(&x, files->subgid, sub_line);
}

static void slice_init(
    struct xos_credd_slice *out, const char *vo, const struct xos_credd_local_files *files)
{
	struct search x = {.s = out};
	if (!xos_str_copy(out->vo, sizeof(out->vo), vo) || out->last <= out->first)
		(void)refuse(&x, "it holds no member");
	else
		hold_against(out, files);
}

void xos_credd_slice_init(struct xos_credd_slice *out, const char *vo, uint32_t first,
    uint32_t last, const struct xos_credd_local_files *files)
{
	*out = (struct xos_credd_slice){.first = first, .last = last};
	slice_init(out, vo, files);
}

void xos_credd_slice_from(struct xos_credd_slice *out, const char *vo,
    const struct xos_policy_set *set, const struct xos_policy_accounts *a,
    const struct xos_credd_local_files *files)
{
	size_t n = 0, from = 0, to = 0;
	const struct xos_policy_account_group *groups = xos_policy_set_account_groups(set, &n);
	/* Sorted by group, so that a VO's stand together. */
	while (from < n && strcmp(groups[from].vo, vo) != 0)
		from++;
	for (to = from; to < n && strcmp(groups[to].vo, vo) == 0;)
		to++;
	*out = (struct xos_credd_slice){.first = a->first,
	    .last = a->last,
	    .jobs_first = a->jobs_first,
	    .jobs_last = a->jobs_last,
	    .home = a->home,
	    .groups = from < to ? groups + from : NULL,
	    .ngroups = to - from};
	slice_init(out, vo, files);
}

static bool member_of(const struct xos_claims *c, const char *group)
{
	for (size_t i = 0; i < c->ngroups; i++)
		if (xos_group_within(c->groups[i], group))
			return true;
	return false;
}

enum xos_status xos_credd_account_groups(const struct xos_credd_slice *slice,
    const struct xos_claims *claims, struct xos_credd_groups *out, struct xos_err *err)
{
	struct xos_credd_groups g = {.n = 0};
	for (size_t i = 0; slice->present && !slice->single && i < slice->ngroups; i++) {
		if (!member_of(claims, slice->groups[i].group))
			continue;
		if (g.n == XOS_CREDD_GROUPS_MAX)
			return xos_err_set(err, XOS_LIMIT, "account-groups",
			    "%s is in more than %d groups that the site gives gids; the site's "
			    "owner "
			    "must name fewer",
			    claims->name, XOS_CREDD_GROUPS_MAX);
		g.gid[g.n++] = slice->groups[i].gid;
	}
	*out = g;
	return XOS_OK;
}

enum xos_status xos_credd_account_home(const struct xos_credd_slice *slice,
    const struct xos_credd_account *account, char **out, struct xos_err *err)
{
	*out = NULL;
	if (!slice->home || slice->single)
		return XOS_OK;
	size_t n = strlen(slice->home) - 1; /* without the % at its end */
	char *home = malloc(n + sizeof(account->name));
	if (!home)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	memcpy(home, slice->home, n);
	memcpy(home + n, account->name, sizeof(account->name));
	*out = home;
	return XOS_OK;
}

enum xos_status xos_credd_account(const struct xos_credd_slice *slice, const char *member,
    uint64_t num, struct xos_credd_account *out, struct xos_err *err)
{
	struct xos_credd_account a = {.uid = 0};
	if (!slice->present)
		return xos_err_set(err, XOS_NOT_FOUND, "no-account",
		    "no member has an account here: %s", slice->why);
	if (!xos_name_is_member(slice->vo, member) ||
	    !xos_str_printf(a.name, sizeof(a.name), "%s.%s", slice->vo, member))
		return xos_err_set(err, XOS_NOT_FOUND, "no-account",
		    "%s.%s is too long for an account's name", slice->vo, member);
	if (slice->single) {
		if (strcmp(member, slice->member) != 0)
			return xos_err_set(err, XOS_NOT_FOUND, "no-account",
			    "without root this node serves the member %s only", slice->member);
		a.uid = slice->uid;
		a.gid = slice->gid;
	} else {
		/* Number 0 is nobody's; compared so that no sum can wrap. */
		if (!num || num > (uint64_t)slice->last - slice->first)
			return xos_err_set(err, XOS_NOT_FOUND, "no-account",
			    "member number %llu is outside the site's slice of %u accounts",
			    (unsigned long long)num, slice->last - slice->first);
		a.uid = a.gid = slice->first + (uint32_t)num;
	}
	*out = a;
	return XOS_OK;
}
