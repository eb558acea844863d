#ifndef XOS_LOCAL_ACCOUNTMAP_H
#define XOS_LOCAL_ACCOUNTMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"

/*
 * The map of a node's accounts: all members of the roster that have one here, by name and by uid, and the
 * groups that have a gid. One file, which xos-credd replaces as a whole and everybody may read;
 * docs/protocols/account-map.md has the bytes.
 *
 * Reading is for NSS: no lock, no allocation after opening, a bounded number of steps for a hit and for a
 * miss. The file may be hostile: whatever it holds, look-ups stay inside it, end, and give no number outside
 * the ranges that its head names. One object serves one thread at a time. Not survived: that its owner cuts
 * the mapped file short in place (mmap(2), SIGBUS); so only root's and a named user's file is opened.
 */
#define XOS_ACCOUNT_MAP_MEMBERS_MAX 1000000u
#define XOS_ACCOUNT_MAP_GROUPS_MAX 4096u
#define XOS_ACCOUNT_MAP_SIZE_MAX (128u << 20) /* bytes */
#define XOS_ACCOUNT_MAP_HOME_MAX 199          /* characters of the folder of homes */
#define XOS_ACCOUNT_MAP_GROUP_MAX 255         /* characters of a group's name */

enum xos_account_state {
	XOS_ACCOUNT_ACTIVE,
	XOS_ACCOUNT_SUSPENDED,
	XOS_ACCOUNT_REMOVED /* what the uid owns keeps its name */
};

struct xos_account_map_member {
	char name[XOS_ACCOUNT_MAX + 1]; /* <vo>.<member> */
	uint32_t uid, gid;
	enum xos_account_state state;
};

struct xos_account_map_group {
	char name[XOS_ACCOUNT_MAP_GROUP_MAX + 1]; /* xos_account_group_name() */
	uint32_t gid;
};

/* The range of members and that of jobs (0, 0: none), where homes are ("" none, else "/srv/homes/"), and of
 * what it was made. */
struct xos_account_map_head {
	char vo[XOS_VO_MAX + 1];
	uint32_t first, last, jobs_first, jobs_last;
	char home[XOS_ACCOUNT_MAP_HOME_MAX + 1];
	uint64_t serial; /* of the roster */
	int64_t built;
	uint32_t members, groups;
};

struct xos_account_map_fields {
	struct xos_account_map_head head; /* the counts say how many follow */
	const struct xos_account_map_member *member;
	const struct xos_account_map_group *group;
};

/* "/demo/physics/hot" is the group "demo+physics+hot": no member's name has a "+", so that it is never the
 * name of a member's own group. False if it does not fit. */
XOS_MUST_USE bool xos_account_group_name(const char *fqan, char out[XOS_ACCOUNT_MAP_GROUP_MAX + 1]);

/* Appends the file. MALFORMED: a name or number twice, or one outside the ranges. */
XOS_MUST_USE enum xos_status xos_account_map_make(
    const struct xos_account_map_fields *f, struct xos_buf *out, struct xos_err *err);

struct xos_account_map;

/* Opens and maps the file, which must belong to root or `owner` and be writable by nobody else. NOT_FOUND: none
 * is there; DENIED "map-owner"; MALFORMED "map". */
XOS_MUST_USE enum xos_status xos_account_map_open(
    const char *path, uid_t owner, struct xos_account_map **out, struct xos_err *err);
/* Has the file been replaced? Then the new one is opened. If that fails, its error, and the old one stays. */
XOS_MUST_USE enum xos_status xos_account_map_refresh(
    struct xos_account_map *map, struct xos_err *err);
void xos_account_map_free(struct xos_account_map *map); /* NULL-safe */
/* Of bytes that stay where they are; for tests and fuzzing. */
XOS_MUST_USE enum xos_status xos_account_map_use(
    struct xos_bytes in, struct xos_account_map **out, struct xos_err *err);

const struct xos_account_map_head *xos_account_map_head(const struct xos_account_map *map);
/* Look-ups: false if there is none. What is damaged is not there. */
bool xos_account_map_by_name(
    const struct xos_account_map *map, const char *name, struct xos_account_map_member *out);
bool xos_account_map_by_uid(
    const struct xos_account_map *map, uint32_t uid, struct xos_account_map_member *out);
bool xos_account_map_group_by_name(
    const struct xos_account_map *map, const char *name, struct xos_account_map_group *out);
bool xos_account_map_group_by_gid(
    const struct xos_account_map *map, uint32_t gid, struct xos_account_map_group *out);
/* In the order of the file; false past the end or where it is damaged. */
bool xos_account_map_at(
    const struct xos_account_map *map, uint32_t i, struct xos_account_map_member *out);
bool xos_account_map_group_at(
    const struct xos_account_map *map, uint32_t i, struct xos_account_map_group *out);

#endif
