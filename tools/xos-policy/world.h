#ifndef XOS_POLICYTOOL_WORLD_H
#define XOS_POLICYTOOL_WORLD_H

#include "cases/ask.h"
#include "cases/cases.h"
#include "policytool/reason.h"

/*
 * Whom and what policies are about: principals and resources for questions about everybody and
 * everything. Of each group and user that the sets name there is one principal, and one of each
 * VO that is nothing but a member; a principal of a group is in that group (and those above) and in no
 * other. Of nodes that no statement tells apart there is one. Where sets name nodes or services as
 * principals, there is each of them, and one of each VO and kind that is not named.
 */
struct xos_policytool_principal {
	const char *title;         /* "members of /demo/physics", "demo:alice" */
	struct xos_cases_ask *ask; /* subject and what belongs to it */
	const char *vo;            /* NULL: local */
	const char **roles; /* may be asked for: held, or of a group that the principal is in */
	size_t nroles;
	bool any_home; /* which home organisation is not said */
	bool machine;  /* a node or a service, which owns nothing */
};

struct xos_policytool_thing {
	const char *title;        /* "node:lab/n1", "job:1 at lab/n1" */
	const char *what, *where; /* the same in two: "job:1, own" and "lab/n1" */
	const char *on, *at, *vo, *owner;
	bool own;    /* the owner is whoever asks */
	bool own_vo; /* the VO is that of whoever asks: on is not set */
};

struct xos_policytool_world;

/* Adds what the sets name; may be called again. */
XOS_MUST_USE enum xos_status xos_policytool_world_new(
    struct xos_policytool_world **out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_policytool_world_add(
    struct xos_policytool_world *w, const struct xos_policy_set *set, struct xos_err *err);
/* The subjects described in a file of cases, which may have no cases. */
XOS_MUST_USE enum xos_status xos_policytool_world_people(
    struct xos_policytool_world *w, const char *path, struct xos_err *err);
/* Makes principals and things from what was added. */
XOS_MUST_USE enum xos_status xos_policytool_world_finish(
    struct xos_policytool_world *w, struct xos_err *err);
void xos_policytool_world_free(struct xos_policytool_world *w);

const struct xos_policytool_principal *xos_policytool_world_principals(
    const struct xos_policytool_world *w, size_t *n);
/* The principal that a word means: a title, VO:MEMBER, a group, a VO ("vo:demo", or "demo" if the sets
 * speak of it) or a described subject. It is made if it is not there. */
XOS_MUST_USE enum xos_status xos_policytool_world_principal(struct xos_policytool_world *w,
    const char *word, const struct xos_policytool_principal **out, struct xos_err *err);
/* The actions of schema and sets. */
const char *const *xos_policytool_world_actions(const struct xos_policytool_world *w, size_t *n);
bool xos_policytool_world_knows(const struct xos_policytool_world *w, const char *action);
/* What the action can be done to. *n things; the array belongs to the world until the next call. */
XOS_MUST_USE enum xos_status xos_policytool_world_things(struct xos_policytool_world *w,
    const char *action, const struct xos_policytool_thing **out, size_t *n, struct xos_err *err);

/* The request of a principal for a thing; NULL: out of memory or not a request. */
struct xos_cases_ask *xos_policytool_world_ask(const struct xos_policytool_principal *p,
    const char *action, const struct xos_policytool_thing *t);

#endif
