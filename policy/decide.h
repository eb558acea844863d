#ifndef XOS_POLICY_DECIDE_H
#define XOS_POLICY_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "policy/schema.h"
#include "policy/set.h"

/*
 * The engine. A struct xos_policy is compiled from sets, immutable, counted, and may be used by
 * many threads at once; a daemon swaps a new one in while others still decide with the old.
 *
 * PERMIT iff the VO grants, the site grants, the owner grants where there is one, every check of
 * every delegation passes, and no forbid fires. Everything else refuses. Conditions are true, false
 * or unknown: a permit needs true, a forbid fires on true or unknown, a check passes on true only,
 * a limit or duty applies on true or unknown. The order of statements never matters.
 *
 * VO: the set of the VO of the requester, who is a member, a node or a service; across VOs also the
 *   set of the resource's VO, which must name the foreign principal (`any` there means that VO's
 *   members only).
 * group: the sets of the requester's groups and of the groups above them. They bind only who is in
 *   that group. A permit counts as the VO's grant where a `delegate` of the VO's set covers it.
 * site, node: as the resource says. A permit of a node's set counts as the site's grant where a
 *   `delegate` of the site's set covers it.
 * owner: somebody else than the owner needs a permit of the owner's set, and is bound by it; the owner
 *   is not.
 */
struct xos_policy;

struct xos_policy_part {
	struct xos_policy_set
	    *set; /* any level but delegation; the policy takes its own reference */
	int64_t not_before, not_after; /* validity of the set, seconds; 0: unbounded */
};

/* Data of an IANA time zone, as in /usr/share/zoneinfo (TZif, RFC 9636). The engine reads no files:
 * lib/local/zoneinfo.h does, for those who may. */
struct xos_policy_zone_data {
	const char *name; /* "Europe/Paris" */
	struct xos_bytes tzif;
};

struct xos_policy_options {
	/* Zones for the windows and dates of the sets and of delegations (xos_policy_set_zones()); in
	 * any order. A test in a zone that is not here is unknown. Borrowed during the call only. */
	const struct xos_policy_zone_data *zones;
	size_t nzones;
};

/* One set a VO, a group, a site, a node, an owner. Several VOs and sites never mix: a request chooses
 * by name. options may be NULL. OK, CONFLICT (two sets for one name), MALFORMED (a delegation among
 * them, or zone data that is none), LIMIT, INTERNAL. No parts at all is a policy that refuses
 * everything. */
XOS_MUST_USE enum xos_status xos_policy_new(const struct xos_policy_part *parts, size_t n,
    const struct xos_policy_options *options, struct xos_policy **out, struct xos_err *err);
struct xos_policy *xos_policy_ref(struct xos_policy *p);
void xos_policy_unref(struct xos_policy *p); /* NULL-safe */
/* The set of that level and name, NULL if there is none; borrowed. */
const struct xos_policy_set *xos_policy_find_set(
    const struct xos_policy *p, enum xos_policy_level level, const char *name);

enum xos_policy_subject_kind {
	XOS_SUBJECT_MEMBER = 1, /* of a VO; everything below comes from a verified token */
	XOS_SUBJECT_LOCAL, /* of no VO, identified by the kernel; vo, groups and roles stay empty */
	/* A machine of a VO that acts for itself, by its certificate: everything but vo and member
	 * stays empty, auth_mfa -1, and it holds no delegation. `any` and `vo` never mean it. */
	XOS_SUBJECT_NODE,
	XOS_SUBJECT_SERVICE
};

struct xos_policy_subject {
	enum xos_policy_subject_kind kind;
	const char *vo;
	/* Of a local subject, the account name; of a node "n17.irisa.example", of a service
	 * "data/n17.irisa.example". */
	const char *member;
	const char *const *groups; /* all of them, "/demo/physics"; the VO's own group is implied */
	size_t ngroups;
	const char *const *roles; /* active: "/demo/Role=editor" */
	size_t nroles;
	const char *const *held; /* roles held but not asked for, if known: only for the way out */
	size_t nheld;
	const char *home;        /* home organisation; NULL: the VO itself */
	const char *auth_method; /* "password", "krb5", ...; NULL: unknown */
	int64_t auth_time;       /* when the person authenticated; 0: unknown */
	int auth_mfa;            /* 1 yes, 0 no, -1 unknown */
};

/*
 * What is acted upon. site and node say where it is or will be; class and tags of the node come
 * from the site's set. Fields that do not apply are NULL. An owner (a member name) needs vo.
 */
struct xos_policy_resource {
	const char *kind; /* "site", "node", "job", "file", "session", "vo", "token" */
	const char *id;   /* job id, absolute path of a file; NULL for a node, a site, a VO */
	const char *site;
	const char *node;
	const char *vo;    /* the VO whose object this is; NULL: the subject's, or nobody's */
	const char *owner; /* member of that VO; NULL: nobody in particular */
};

struct xos_policy_value {
	const char *name; /* an attribute of the schema with from_context */
	enum xos_policy_type type;
	int64_t number;     /* BOOL, NUMBER, DURATION, SIZE, TIME */
	const char *string; /* STRING, IP */
};

/* An attribute, an action that a set of the policy adds to the schema: as the set of the VO says
 * with whose name it begins, else as the first set says that declares it. NULL: none does. */
const struct xos_policy_attr *xos_policy_own_attr(const struct xos_policy *p, const char *name);
const struct xos_policy_action *xos_policy_own_action(const struct xos_policy *p, const char *name);

/* An attribute from text, for tools: the schema (and what the sets of p add to it, p NULL: nothing)
 * says its type, the language how its literals look ("2h", "4GiB", "true", "192.0.2.7"). Borrows
 * both strings. */
XOS_MUST_USE enum xos_status xos_policy_value_parse(const struct xos_policy *p, const char *name,
    const char *text, struct xos_policy_value *out, struct xos_err *err);

/* Bounds of a request; more makes it undecidable. */
#define XOS_POLICY_GROUPS_MAX 1024u
#define XOS_POLICY_ROLES_MAX 256u
#define XOS_POLICY_VALUES_MAX 64u
#define XOS_POLICY_CHAIN_MAX 16u
#define XOS_POLICY_ID_MAX 4096u /* bytes of a resource's id */

/* So many statements and nodes together are visited for the way out before no further role is
 * tried. So many steps of matching patterns count as one node there. */
#define XOS_POLICY_WAY_OUT_WORK 65536u
#define XOS_POLICY_STEPS_OF_NODE 16u

/*
 * A subject or a resource that will be asked about again, checked and looked up once: deciding then
 * hashes no name of it. Holds copies of all strings and a reference to the policy; immutable, may be
 * used by many threads. After a swap of the policy it still decides rightly with the new one, as
 * slowly as from strings: intern it anew. OK, MALFORMED (what a decision would call a problem),
 * INTERNAL.
 */
struct xos_policy_interned_subject;
struct xos_policy_interned_resource;
XOS_MUST_USE enum xos_status xos_policy_intern_subject(struct xos_policy *p,
    const struct xos_policy_subject *s, struct xos_policy_interned_subject **out,
    struct xos_err *err);
XOS_MUST_USE enum xos_status xos_policy_intern_resource(struct xos_policy *p,
    const struct xos_policy_resource *r, struct xos_policy_interned_resource **out,
    struct xos_err *err);
void xos_policy_interned_subject_free(struct xos_policy_interned_subject *s);   /* NULL-safe */
void xos_policy_interned_resource_free(struct xos_policy_interned_resource *r); /* NULL-safe */

struct xos_policy_request {
	struct xos_policy_subject subject;
	const char *action;
	struct xos_policy_resource resource;
	/* If set, these count and subject or resource above is not looked at. */
	const struct xos_policy_interned_subject *interned_subject;
	const struct xos_policy_interned_resource *interned_resource;
	const struct xos_policy_value *
	    values; /* an unknown name, a wrong type or a duplicate makes the request undecidable */
	size_t nvalues;
	int64_t now;                               /* seconds since 1970 UTC */
	const struct xos_policy_set *const *chain; /* restrictions of the delegations, any order */
	size_t nchain;
};

enum xos_policy_decision {
	XOS_POLICY_UNDECIDED = 0, /* refused: a set is missing or past its validity, the request is
	                             not well formed, or it hangs on something unknown */
	XOS_POLICY_DENIED,        /* refused, whatever the unknown parts were */
	XOS_POLICY_PERMITTED
};
const char *xos_policy_decision_name(
    enum xos_policy_decision d); /* "permit", "deny", "undecided" */

/* How one level stands. */
enum xos_policy_stand {
	XOS_STAND_LACKS = 0, /* no permit matches */
	XOS_STAND_UNKNOWN,   /* a permit would match, but its condition is unknown */
	XOS_STAND_MISSING,   /* no set of that level and name, or it is not valid now */
	XOS_STAND_GRANTS,    /* a permit matches: `by` */
	/* Needs no permit: a group's or node's set without a `delegate` for it, a delegation, an owner
	 * acting himself (whom the own set does not bind at all). */
	XOS_STAND_NARROWS
};

struct xos_policy_verdict {
	enum xos_policy_level level;
	const char *name; /* "demo", "lab", "lab/n1", owner or delegator */
	uint64_t serial;
	enum xos_policy_stand stand;
	/* GRANTS: a permit that matches; UNKNOWN: one whose condition is unknown. */
	const struct xos_policy_statement *by;
	bool refuses; /* this level alone is a reason for the refusal */
};

struct xos_policy_fired { /* a forbid, a failed check, a shadow statement */
	enum xos_policy_level level;
	const struct xos_policy_statement *statement;
	bool unknown; /* its condition was unknown, not true (a check: not false) */
};

/* What shall happen to running work, from the strictest of the statements that refuse. */
struct xos_policy_on_change {
	enum xos_policy_change change; /* NONE: no statement said anything */
	int64_t after;                 /* seconds, with STOP */
	const struct xos_policy_statement *from;
};

struct xos_policy_limit {
	enum xos_policy_cap cap;
	int64_t number;           /* all caps but sets */
	const char *const *names; /* of a set: what remains; of classes none left refuses */
	size_t nnames;
	enum xos_policy_level level;
	/* The tightest; of a set of names, one that narrowed it. */
	const struct xos_policy_statement *from;
};

struct xos_policy_duty {
	const char *name;
	const char *arg; /* NULL: none */
	const struct xos_policy_statement *from;
};

/*
 * The answer. Everything in it is borrowed from the policy, the request's chain and strings, and
 * the answer's own memory, which is used again by the next decision. A fresh answer is a refusal.
 */
struct xos_policy_answer {
	enum xos_policy_decision decision;
	const char
	    *problem; /* a request that is not well formed: what is wrong with it; else NULL */
	const struct xos_policy_verdict
	    *levels; /* in the order vo, site, node, owner, delegations */
	size_t nlevels;
	const struct xos_policy_fired *forbids;
	size_t nforbids;
	const struct xos_policy_fired *checks; /* those that did not pass */
	size_t nchecks;
	const struct xos_policy_limit *limits; /* merged, one a cap, ordered by cap */
	size_t nlimits;
	const struct xos_policy_duty *duties; /* no two alike */
	size_t nduties;
	const struct xos_policy_fired *shadows; /* statements on trial that would have had effect */
	size_t nshadows;
	const char *const *unknown; /* attributes that were needed and missing: "ctx.src" */
	size_t nunknown;
	/* Held roles, any of which would turn the refusal into a permit. Each is true; where
	 * XOS_POLICY_WAY_OUT_WORK was used up, there may be more. */
	const char *const *way_out;
	size_t nway_out;
	struct xos_policy_on_change change;
	uint32_t statements, nodes; /* work done: statements visited, condition nodes evaluated */
	struct xos_policy_memory *memory;
};

void xos_policy_answer_init(struct xos_policy_answer *a);
void xos_policy_answer_free(struct xos_policy_answer *a);

/*
 * Decides. XOS_OK is returned for a permit and for nothing else: DENIED for a denial, UNAVAILABLE
 * if undecided, INTERNAL out of memory (the answer is then undecided). Duties and limits bind the
 * caller: one that it cannot carry out makes it refuse. Once an answer's memory has grown to what
 * such requests need, nothing is allocated.
 *
 * Work is bounded. A request concerns one set a level: the VO's (across VOs two), the site's, the
 * node's, the owner's, those of the subject's groups, and the delegations. Let W be the names that
 * the subject goes by (itself, VO, home, roles, groups with those above them) and P those of the
 * resource (site, node, class, tags, kind, id, components of a path, and five more). Then a set is
 * asked for at most W + 3 rows of statements, and a row of more than 12 statements for at most 2 P
 * lists. Visited, and counted in `statements`, are only:
 *  - in a row of at most 12: those about the action;
 *  - in a longer one: those about the action whose narrowest resource is the request's (or might
 *    be, if the request does not tell), once for each alternative of their heads that matches;
 *  - all of a delegation, whose size the certificate bounds;
 * and the same again for each held role when looking for a way out, until that has come to
 * XOS_POLICY_WAY_OUT_WORK: the last role that is tried may go beyond it by once the decision.
 * Each visit evaluates a condition node at most once (`nodes`), and for a refusal once more if it was
 * unknown. How many statements of others there are does not matter; many statements with the same
 * principal, action and narrowest resource are all looked at, since all of them apply. Duties were
 * numbered with the policy: they are united without being compared. A pattern of `like` takes at
 * most as many steps as the product of its length and the text's (each plus one); set.h bounds the
 * stars of a pattern and the patterns of a statement and of a set.
 */
XOS_MUST_USE enum xos_status xos_policy_decide(
    const struct xos_policy *p, const struct xos_policy_request *req, struct xos_policy_answer *a);

/*
 * Two or three sentences for a person: what was decided, by which level and statement, why, whom to
 * ask, what would help. "Refused by the VO demo (statement demo@no-students: forbid group
 * /demo/students action job.submit on any): Students use the batch queue. Contact ops@demo."
 */
void xos_policy_answer_explain(const struct xos_policy_answer *a, struct xos_buf *out);
/* The labels of the statements that decided, for records: "vo demo:1, site lab:3". */
void xos_policy_answer_deciders(const struct xos_policy_answer *a, struct xos_buf *out);

#endif
