#ifndef XOS_POLICY_SET_H
#define XOS_POLICY_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "policy/schema.h"

/*
 * One policy set, parsed and checked: what a VO, a group's administrator, a site, a node, the owner
 * of jobs and files or (in a delegation) a user wrote.
 * The language stands in docs/policy-language.md. A set is immutable once parsed and may be shared
 * by threads. Nothing here reads files or a clock.
 */
struct xos_policy_set;

enum xos_policy_level {
	XOS_POLICY_VO,
	XOS_POLICY_GROUP, /* a group's administrator about that subtree of the VO */
	XOS_POLICY_SITE,
	XOS_POLICY_NODE,
	XOS_POLICY_OWNER, /* a member about what is that member's own: jobs, files */
	XOS_POLICY_DELEGATION,
	XOS_POLICY_LEVELS
};
const char *xos_policy_level_name(enum xos_policy_level level); /* "vo", "group", "site", ... */

/* Bounds of one set. What exceeds them is an error, found in time linear in the text. */
/* Room for 200 000 statements of the usual length in one set: machines write large sets. */
#define XOS_POLICY_TEXT_MAX (16u * 1024u * 1024u)
#define XOS_POLICY_DEPTH_MAX 64u          /* nesting of a condition */
#define XOS_POLICY_STARS_MAX 8u           /* in one pattern of `like` */
#define XOS_POLICY_PATTERNS_MAX 4096u     /* bytes of all patterns of one statement */
#define XOS_POLICY_PATTERNS_IN_SET 65536u /* and of one set; a named list counts at each use */
#define XOS_POLICY_NODES_MAX 4096u /* tests and operators in the conditions of one statement */
#define XOS_POLICY_STATEMENTS_MAX 200000u /* of one set, and of all sets of a policy together */
#define XOS_POLICY_ERRORS_MAX 50u
/* Statements about one action that say neither who nor where: no index can leave them out. */
#define XOS_POLICY_UNINDEXED_MAX 1000u
/* Bytes that the uses of templates read again, all together. */
#define XOS_POLICY_EXPANDED_MAX (16u * 1024u * 1024u)

struct xos_policy_error {
	uint32_t line, col; /* from 1; col counts bytes */
	char text[256];
	char hint[256]; /* what to do about it; may be empty */
};

struct xos_policy_errors {
	char filename[256];
	struct xos_policy_error list[XOS_POLICY_ERRORS_MAX];
	size_t n;     /* entries in list */
	size_t total; /* how many there were */
};

/*
 * Parses and checks the text of one set. filename is used in messages only. errs (may be NULL) is
 * overwritten; one run reports many errors. Any error at all and *out stays NULL.
 * OK, MALFORMED, LIMIT (a bound above) or INTERNAL (memory).
 */
XOS_MUST_USE enum xos_status xos_policy_set_parse(const char *text, size_t len,
    const char *filename, struct xos_policy_set **out, struct xos_policy_errors *errs);
/* The same for programs that report one error: err tells the first, with file:line:col and hint. */
XOS_MUST_USE enum xos_status xos_policy_set_load(const char *text, size_t len, const char *filename,
    struct xos_policy_set **out, struct xos_err *err);
/* "file:3:7: error: unknown action job.sumbit\n    hint: did you mean job.submit?\n" for each. */
void xos_policy_errors_print(const struct xos_policy_errors *errs, struct xos_buf *out);

/* Sets are counted; both take NULL. A new set has one reference. */
struct xos_policy_set *xos_policy_set_ref(struct xos_policy_set *set);
void xos_policy_set_unref(struct xos_policy_set *set);

enum xos_policy_level xos_policy_set_level(const struct xos_policy_set *set);
/* "demo", "/demo/physics", "lab", "lab/n1" or "demo:alice"; of a delegation the delegator's name,
 * "" if it gives none. */
const char *xos_policy_set_name(const struct xos_policy_set *set);
uint64_t xos_policy_set_serial(const struct xos_policy_set *set); /* 0 for a delegation */
unsigned xos_policy_set_schema(const struct xos_policy_set *set);

/* The IANA zones that the set's windows and dates need; hand their data to xos_policy_new(). */
const char *const *xos_policy_set_zones(const struct xos_policy_set *set, size_t *n);
/* What the set adds to the schema; an attribute or action by name, also the built-in ones of the
 * set's version. NULL if the set knows none of that name. */
const struct xos_policy_attr *xos_policy_set_attr(
    const struct xos_policy_set *set, const char *name);
const struct xos_policy_action *xos_policy_set_action(
    const struct xos_policy_set *set, const char *name);
bool xos_policy_set_has_kind(const struct xos_policy_set *set, const char *kind);

#define XOS_POLICY_HOME_MAX 200u            /* bytes of a home's pattern */
#define XOS_POLICY_ACCOUNT_GROUPS_MAX 1024u /* groups with gids in one set */

/* A site's slice of uids for a VO, both ends included. */
struct xos_policy_accounts {
	const char *vo;
	uint32_t first, last;
	uint32_t jobs_first, jobs_last; /* each job gets one of these of its own; 0: none does */
	const char *home; /* "/home/%": the account's name instead of the %; NULL: none */
};
const struct xos_policy_accounts *xos_policy_set_accounts(
    const struct xos_policy_set *set, size_t *n);

/* A gid for the members of a group and of those below it. No number of the set has two uses. */
struct xos_policy_account_group {
	const char *vo, *group;
	uint32_t gid;
};
/* Sorted by group. */
const struct xos_policy_account_group *xos_policy_set_account_groups(
    const struct xos_policy_set *set, size_t *n);

/* What a site says about its nodes. Classes and tags count from here and from nowhere else. */
struct xos_policy_node {
	const char *name;
	const char *class_name; /* NULL: none */
	const char *const *tags;
	size_t ntags;
};
const struct xos_policy_node *xos_policy_set_nodes(const struct xos_policy_set *set, size_t *n);
const struct xos_policy_node *xos_policy_set_node(
    const struct xos_policy_set *set, const char *name); /* NULL: not declared */

enum xos_policy_effect {
	XOS_POLICY_PERMIT,
	XOS_POLICY_FORBID,
	XOS_POLICY_LIMIT,
	XOS_POLICY_DUTY,
	XOS_POLICY_CHECK,
	/*
	 * In a VO's set: a permit of the set of the group named in who, or of a group below it, counts
	 * as the VO's grant where this statement matches too (action, place, condition true). In a
	 * site's set: a permit of the set of a node named in its places counts as the site's grant
	 * where this statement matches too. By itself it permits nothing.
	 */
	XOS_POLICY_DELEGATE,
	XOS_POLICY_EFFECTS
};
const char *xos_policy_effect_name(enum xos_policy_effect effect);

/*
 * What shall happen to work that runs when a later decision about it is refused by this statement
 * (a forbid, limit or check that refuses, a permit that no longer grants). From mild to strict; of
 * several the strictest counts, of two stops the one with less time.
 */
enum xos_policy_change {
	XOS_CHANGE_NONE, /* nothing said */
	XOS_CHANGE_CONTINUE,
	XOS_CHANGE_DRAIN, /* it may end, nothing new begins */
	XOS_CHANGE_STOP   /* it is ended after so many seconds */
};
const char *xos_policy_change_name(enum xos_policy_change change); /* "continue", ...; "" */

/*
 * Statements, in the order of the text. A statement belongs to its set and lives as long.
 * The label names it for people and records: "demo@no-students" if it has an id, else "demo:4",
 * its position (statements counted from 1; accounts and node declarations do not count).
 */
struct xos_policy_statement;
size_t xos_policy_set_count(const struct xos_policy_set *set);
const struct xos_policy_statement *xos_policy_set_statement(
    const struct xos_policy_set *set, size_t i);
enum xos_policy_effect xos_policy_statement_effect(const struct xos_policy_statement *s);
bool xos_policy_statement_shadow(const struct xos_policy_statement *s);
const struct xos_policy_set *xos_policy_statement_set(const struct xos_policy_statement *s);
uint32_t xos_policy_statement_number(const struct xos_policy_statement *s);
uint32_t xos_policy_statement_line(const struct xos_policy_statement *s);  /* 0: came encoded */
const char *xos_policy_statement_id(const struct xos_policy_statement *s); /* NULL: none */
const char *xos_policy_statement_because(const struct xos_policy_statement *s); /* NULL: none */
const char *xos_policy_statement_contact(const struct xos_policy_statement *s); /* NULL: none */
enum xos_policy_change xos_policy_statement_change(
    const struct xos_policy_statement *s, int64_t *after); /* seconds with STOP, else 0 */
void xos_policy_statement_label(const struct xos_policy_statement *s, struct xos_buf *out);
/* Canonical text: the head alone ("forbid group /demo/students action job.submit on any"), and all.
 */
void xos_policy_statement_head(const struct xos_policy_statement *s, struct xos_buf *out);
void xos_policy_statement_text(const struct xos_policy_statement *s, struct xos_buf *out);
/* Canonical text of the whole set, without comments; parses to an equal set. */
void xos_policy_set_text(const struct xos_policy_set *set, struct xos_buf *out);

#endif
