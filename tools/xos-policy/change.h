#ifndef XOS_POLICYTOOL_CHANGE_H
#define XOS_POLICYTOOL_CHANGE_H

#include "policytool/sets.h"
#include "policytool/world.h"

/* Which requests two policies answer differently. */
struct
    xos_policytool_change { /* a class of requests that change alike; the first one met stands for it */
	const char *action;
	const char *what;           /* "deny -> permit", "limit wall 1d -> 12h" */
	const char *before, *after; /* the explanations */
	const char *example;        /* the request in words, or "file:line" */
	size_t count;
};

struct xos_policytool_side {
	const struct xos_policytool_sets *sets;
	struct xos_policy *policy;
	const struct xos_policy_options *zones;
};

struct xos_policytool_changes;

XOS_MUST_USE enum xos_status xos_policytool_changes_new(const struct xos_policytool_side *before,
    const struct xos_policytool_side *after, struct xos_policytool_changes **out,
    struct xos_err *err);
void xos_policytool_changes_free(struct xos_policytool_changes *c);

/* Statements that are in one of the two only: mark is '-' or '+'. Each as its set and text. */
void xos_policytool_changes_statements(const struct xos_policytool_changes *c,
    void (*told)(void *arg, char mark, const struct xos_policy_statement *s), void *arg);

/* Asks about all principals and things of the world; now: about which time times are looked for. */
XOS_MUST_USE enum xos_status xos_policytool_changes_generate(struct xos_policytool_changes *c,
    struct xos_policytool_world *world, int64_t now, struct xos_err *err);
/* Asks both about one request; example is copied. */
XOS_MUST_USE enum xos_status xos_policytool_changes_try(struct xos_policytool_changes *c,
    const struct xos_policy_request *req, const char *example, struct xos_err *err);

const struct xos_policytool_change *xos_policytool_changes_list(
    const struct xos_policytool_changes *c, size_t *n);
/* Requests asked, and whether some of those that the boundaries make were left out as too many. */
size_t xos_policytool_changes_asked(const struct xos_policytool_changes *c, bool *sampled);

#endif
