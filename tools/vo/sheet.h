#ifndef XOS_VO_SHEET_H
#define XOS_VO_SHEET_H

#include "base/status.h"
#include "json/json.h"

/*
 * Groups and members in a file, for import and export. As CSV (RFC 4180) with a line of column names, among
 * them kind ("group" or "member") and name; of the others (state, until, contact, groups, roles, about) those
 * that are there. Groups and roles are separated by spaces. As JSON: {"groups": [{"group", "about"?}],
 * "members": [{"name", "state"?, "until"?, "contact"?, "groups"?, "roles"?}]}.
 */
#define VO_SHEET_MAX (64u * 1024 * 1024) /* bytes of a file */
#define VO_SHEET_ROWS_MAX 200000

/* Rows as import.apply takes them, each with "at": where it stands in the file. Groups come by name, so parents
 * before what is below. */
struct vo_sheet {
	struct xos_json *groups, *members; /* arrays; owned */
};
void vo_sheet_clear(struct vo_sheet *s);
/* JSON if the first character is a brace. MALFORMED with line and column; a name that stands there twice is
 * refused. */
XOS_MUST_USE enum xos_status vo_sheet_read(
    const char *path, struct vo_sheet *out, struct xos_err *err);

#endif
