#ifndef XOS_CASES_ASK_H
#define XOS_CASES_ASK_H

#include "policy/decide.h"

/*
 * A request made field by field from words, as a command line, a file of cases or a line of JSON
 * gives them:
 *
 *   subject      VO:MEMBER, or local:ACCOUNT    action   job.submit
 *   groups       /demo/physics ...              on       node:lab/n1, site:lab, job:ID, file:/path, ...
 *   roles, held  /demo/Role=editor ...          at       SITE or SITE/NODE
 *   home         NAME                           owner    VO:MEMBER
 *   auth.method  NAME                           vo       VO, whose the object is
 *   auth.age     DURATION                       now      2026-12-01T00:00:00Z
 *   auth.mfa     yes or no                      and any attribute of the schema: job.wall 2h
 *
 * Lists are split at blanks and commas. A field set again replaces what it was; "none" empties it.
 */
struct xos_cases_ask;

struct xos_cases_ask *xos_cases_ask_new(void); /* NULL: out of memory */
void xos_cases_ask_free(struct xos_cases_ask *ask);
/* A copy to go on from. */
struct xos_cases_ask *xos_cases_ask_copy(const struct xos_cases_ask *ask);

/* Is there a field of that name? Attributes count if they have a dot. */
bool xos_cases_ask_is_field(const char *name);
/* MALFORMED (code "ask-field") says what the field must be. Values are checked by themselves here,
 * against each other when the request is made. */
XOS_MUST_USE enum xos_status xos_cases_ask_set(
    struct xos_cases_ask *ask, const char *name, const char *value, struct xos_err *err);
/* Adds one element to groups, roles or held. */
XOS_MUST_USE enum xos_status xos_cases_ask_add(
    struct xos_cases_ask *ask, const char *name, const char *value, struct xos_err *err);
/* The value of a field as it was set; NULL if it is not. For lists: whether there is any element
 * ("") or not (NULL). */
const char *xos_cases_ask_get(const struct xos_cases_ask *ask, const char *name);

/* The request, borrowed from ask until ask changes; chain is empty. now: used if the field is not
 * set. policy: as in decisions; knows what a VO added to the schema. */
XOS_MUST_USE enum xos_status xos_cases_ask_request(struct xos_cases_ask *ask,
    const struct xos_policy *policy, int64_t now, struct xos_policy_request *out,
    struct xos_err *err);
/* What was set, in words: "demo:bob (groups /demo/students) job.submit on node:lab/n1, job.wall 2h". */
void xos_cases_ask_text(const struct xos_cases_ask *ask, struct xos_buf *out);

#endif
