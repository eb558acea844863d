#ifndef XOS_CA_IMPORT_H
#define XOS_CA_IMPORT_H

#include "ca/membership/membership.h"
#include "json/json.h"

/*
 * Many groups and members at once: rows say how things shall be, and what is not so yet is done. What a row
 * does not mention stays: nobody leaves a group or loses a role by an import. So the same rows a second
 * time change nothing, and an import that broke off is finished by running it again.
 *
 *   groups   [{"at", "group", "about"?}]                            in an order in which parents come first
 *   members  [{"at", "name", "state"?, "until"?, "contact"?, "groups"?, "roles"?}]
 *
 * at: where the row stands in the file, for messages. state: "active", "suspended", "removed" (a name that
 * must stay taken). until: a time, or "never". Groups and roles are in the order of joining.
 */
#define CA_IMPORT_ROWS_MAX 10000

/* In the caller's transaction; the first row that cannot be ends it, with "<at>, <column>: " before the
 * text. changes: an array, to which {"at", "verb", "name", "value"?} is added for each change. */
XOS_MUST_USE enum xos_status ca_import(struct ca_membership *m, const struct xos_json *groups,
    const struct xos_json *members, int64_t now, struct xos_json *changes, struct xos_err *err);

/* {"name", "state", "until"?, "contact"?, "groups", "roles"} of up to max persons after `after`, added to
 * out; groups are those joined, in order. last: the name read last, or "" if there was none. */
XOS_MUST_USE enum xos_status ca_export_members(struct ca_membership *m, const char *after,
    size_t max, struct xos_json *out, char last[XOS_MEMBER_MAX + 1], struct xos_err *err);

#endif
