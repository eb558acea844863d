#ifndef XOS_API_DECISION_H
#define XOS_API_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "policy/decide.h"

/*
 * Decision requests and answers as AuthZEN Authorization API 1.0 evaluation objects: the one codec
 * for credd's socket, for vopsd's HTTPS and for tools. docs/protocols/decision.md describes the
 * members, decision-request.schema.json and decision-answer.schema.json beside it fix their form.
 *
 *   {"subject":{"type":"user","id":"demo:alice"},
 *    "action":{"name":"job.submit"},
 *    "resource":{"type":"node","id":"lab/n1"},
 *    "context":{"job.wall":3600,"ctx.src":"192.0.2.7"}}
 *
 * A subject is a "user", a "node" or a "service" of a VO, or "local". evaluations.h reads the same objects as
 * AuthZEN wants them read over HTTPS.
 * Requests are read strictly: an unknown member is refused, so nothing that a service meant to
 * matter is dropped. A subject has no properties: groups and roles come from a verified token.
 */
#define XOS_DECISION_REQUEST_MAX 65536 /* bytes */
#define XOS_DECISION_ANSWER_MAX 131072 /* bytes */
#define XOS_DECISION_TEXT_MAX 4096     /* bytes of one string in either */
#define XOS_DECISION_ID_MAX 64         /* characters of a request's id */

/*
 * Appends the request as JSON. Of the subject only kind, vo and member are said; now and chain are
 * not: the decision point has its own clock and its own sight of the delegations. Of `values` each
 * name must be an attribute of the schema that comes from the context (MALFORMED otherwise).
 */
XOS_MUST_USE enum xos_status xos_decision_request_encode(
    const struct xos_policy_request *req, struct xos_buf *out, struct xos_err *err);

/* A decoded request. `request` and all that it points to belong to the object; groups, roles, home,
 * authentication, now and chain are empty: whoever decides fills them from what was verified. */
struct xos_decision_request;
XOS_MUST_USE enum xos_status xos_decision_request_decode(
    struct xos_bytes in, struct xos_decision_request **out, struct xos_err *err);
void xos_decision_request_free(struct xos_decision_request *r); /* NULL-safe */
/* Borrowed; copy the struct and fill in the rest. */
const struct xos_policy_request *xos_decision_request_get(const struct xos_decision_request *r);

/* What stands in an answer beside the engine's own. Borrowed; NULL and 0: left out. */
struct xos_decision_extra {
	const char *id;     /* of the request, for logs */
	const char *lock;   /* a lock refuses: its message; wins over the engine's reasons */
	const char *failed; /* the decision point could not decide: why */
	const char *basis;  /* what the subject was judged by: "token", "membership" */
	/* Members of the request that nobody knows: told, not dropped. */
	const char *const *ignored;
	size_t nignored;
	bool brief;             /* only what binds (limits, duties) and, for a refusal, why */
	uint64_t bundle_serial; /* with a basis, the two below are told instead */
	uint64_t roster_serial, membership_serial;
	int64_t valid_until; /* how long the decision point may go on deciding by what it has */
};

/*
 * Appends the answer as JSON. a may be NULL when nothing was asked of the engine (lock or failed is
 * then set). decision is true only if a permits and neither lock nor failed is set.
 */
XOS_MUST_USE enum xos_status xos_decision_answer_encode(const struct xos_policy_answer *a,
    const struct xos_decision_extra *extra, struct xos_buf *out, struct xos_err *err);

struct xos_decision_level {
	const char *level;     /* "vo", "group", "site", "node", "owner", "delegation" */
	const char *name;      /* "demo" */
	const char *stand;     /* "grants", "lacks", "missing", "unknown", "narrows" */
	const char *statement; /* label of what granted; NULL if none */
	uint64_t serial;
	bool refuses;
};

struct xos_decision_limit {
	bool set;
	int64_t number; /* seconds, bytes or a count, as policy/schema.h says for the cap */
	const char *const *names; /* XOS_CAP_ACCOUNT_CLASS */
	size_t nnames;
	const char *statement; /* label */
};

struct xos_decision_duty {
	const char *name;
	const char *arg; /* NULL: none */
};

/*
 * A decoded answer: all strings belong to it. Anything but XOS_POLICY_PERMITTED refuses. A service
 * that meets a limit or a duty that it cannot carry out refuses, too: a limit of a name that this
 * program does not know makes decoding fail (code "decision-limit"). Other unknown members of an
 * answer are ignored.
 */
struct xos_decision_answer {
	enum xos_policy_decision decision;
	const char *id;           /* "" if none */
	const char *reason_user;  /* one text for the person who is refused; "" */
	const char *reason_admin; /* with sets and statements; "" */
	const char *deciders;     /* "vo demo:1, site lab:3", for records; "" */
	const struct xos_decision_level *levels;
	size_t nlevels;
	struct xos_decision_limit limits[XOS_CAP_COUNT]; /* by cap */
	const struct xos_decision_duty *duties;
	size_t nduties;
	const char *const *unknown;
	size_t nunknown;
	const char *const *way_out;
	size_t nway_out;
	/* What running work shall do now that it is refused; NONE: nobody said. */
	enum xos_policy_change change;
	int64_t change_after; /* seconds, with STOP */
	uint64_t bundle_serial;
	int64_t valid_until; /* 0: not said */
};
XOS_MUST_USE enum xos_status xos_decision_answer_decode(
    struct xos_bytes in, struct xos_decision_answer **out, struct xos_err *err);
void xos_decision_answer_free(struct xos_decision_answer *a); /* NULL-safe */

#endif
