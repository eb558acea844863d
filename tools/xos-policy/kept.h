#ifndef XOS_POLICYTOOL_KEPT_H
#define XOS_POLICYTOOL_KEPT_H

#include "cli/cli.h"
#include "policytool/sets.h"

/*
 * Versions that the VO's policy service keeps, by name: a serial ("42"), "current" for the one in force, or
 * "proposal:7". A file of such a name is written ./42.
 */
bool xos_policytool_kept_is(const char *name);
/* Its text appended. */
XOS_MUST_USE enum xos_status xos_policytool_kept_text(
    const struct xos_cli *cli, const char *name, struct xos_buf *out, struct xos_err *err);
/* Parsed and added. */
XOS_MUST_USE enum xos_status xos_policytool_kept_load(const struct xos_cli *cli, const char *name,
    struct xos_policytool_sets *sets, struct xos_err *err);

/* "at" and "until" of a change, from words of the command line; either may be NULL. */
XOS_MUST_USE enum xos_status xos_policytool_times(
    struct xos_json *args, const char *at, const char *until, struct xos_err *err);
/* What became of a change of the VO's policy. Takes doc. */
XOS_MUST_USE enum xos_status xos_policytool_tell_change(
    struct xos_cli *cli, struct xos_json *doc, struct xos_err *err);

#endif
