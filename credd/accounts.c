#include "credd/accounts.h"

#include <stdarg.h>
#include <stdio.h>
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

static bool overlaps(const struct xos_credd_slice *s, uint64_t first, uint64_t last)
{
	return first <= s->last && last >= s->first;
}

static bool refuse(struct xos_credd_slice *s, const char *fmt, ...) XOS_PRINTF(2, 3);

static bool refuse(struct xos_credd_slice *s, const char *fmt, ...)
{
	char why[160];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	snprintf(s->why, sizeof(s->why),
	    "the site's slice %u-%u is not used: %s; choose another (docs/decisions/uid-ranges.md)",
	    s->first, s->last, why);
	s->present = false;
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

typedef bool (*line_fn)(struct xos_credd_slice *s, const char *path, struct xos_bytes line);

/* passwd(5): name:x:uid:gid:... A member's gid is its uid, so either number may be in the way. */
static bool passwd_line(struct xos_credd_slice *s, const char *path, struct xos_bytes line)
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

static bool group_line(struct xos_credd_slice *s, const char *path, struct xos_bytes line)
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
static bool sub_line(struct xos_credd_slice *s, const char *path, struct xos_bytes line)
{
	uint64_t first, count;
	if (!number(line, 1, &first) || !number(line, 2, &count))
		return refuse(s, "%s has a line that cannot be read", path);
	if (!count || !overlaps(s, first, first + count - 1))
		return true;
	return refuse(s, "%s gives %llu-%llu away", path, (unsigned long long)first,
	    (unsigned long long)(first + count - 1));
}

static bool scan(struct xos_credd_slice *s, const char *path, line_fn fn)
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

void xos_credd_slice_init(struct xos_credd_slice *out, const char *vo, uint32_t first,
    uint32_t last, const struct xos_credd_local_files *files)
{
	*out = (struct xos_credd_slice){.first = first, .last = last};
	bool ok = xos_str_copy(out->vo, sizeof(out->vo), vo);
	if (!ok || last <= first) {
		(void)refuse(out, "it holds no member");
		return;
	}
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (overlaps(out, reserved[i].first, reserved[i].last)) {
			(void)refuse(out, "%u-%u belong to %s", reserved[i].first, reserved[i].last,
			    reserved[i].what);
			return;
		}
	}
	out->present = scan(out, files->passwd, passwd_line) &&
	               scan(out, files->group, group_line) && scan(out, files->subuid, sub_line) &&
	               scan(out, files->subgid, sub_line);
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
