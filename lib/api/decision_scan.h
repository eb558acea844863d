#ifndef XOS_API_DECISION_SCAN_H
#define XOS_API_DECISION_SCAN_H

#include "api/decision.h"
#include "base/name.h"

/* Private to lib/api: the two ways of reading a request, which must say the same. */
#define XOS_DECISION_PLACE_MAX (XOS_SITE_MAX + 1 + XOS_NODE_MAX)
#define XOS_DECISION_SUBJECT_MAX                                                                   \
	(XOS_VO_MAX + 1 + XOS_SERVICE_KIND_MAX + 1 + XOS_NODE_MAX) /* of a service */
#define XOS_DECISION_LOCAL_MAX 45
#define XOS_DECISION_ACTION_MAX 63
#define XOS_DECISION_IGNORED_MAX 8
#define XOS_DECISION_VALUE_MAX 255 /* policy/schema.h, XOS_POLICY_STRING */

struct xos_json;

struct xos_decision_request {
	struct xos_policy_request request;
	struct xos_json
	    *doc; /* what strings are borrowed from; NULL: from text, or somebody else's */
	const struct xos_json *subject; /* the object that said it; NULL: scanned */
	const char *ignored[XOS_DECISION_IGNORED_MAX];
	size_t nignored;
	char vo[XOS_VO_MAX + 1];
	char site[XOS_SITE_MAX + 1];
	struct xos_policy_value values[XOS_POLICY_VALUES_MAX];
	char text[]; /* strings of a request that was scanned */
};

/* Where the parts of a request stand, and how they are read. */
struct xos_decision_parts {
	const struct xos_json *item;     /* looked at first */
	const struct xos_json *defaults; /* for what is not in it; NULL: none */
	bool authzen; /* unknown members are noted, not refused; a subject may bring its chain */
	bool any_subject, any_action,
	    any_resource; /* searched for: only the type is read, or nothing */
};
/* Borrows from the documents. */
XOS_MUST_USE enum xos_status xos_decision_request_from(
    const struct xos_decision_parts *parts, struct xos_decision_request **out, struct xos_err *err);

/* What a resource's id means. */
enum xos_decision_id {
	XOS_DECISION_ID_SITE,  /* "lab" */
	XOS_DECISION_ID_NODE,  /* "lab/n1" */
	XOS_DECISION_ID_VO,    /* "demo" */
	XOS_DECISION_ID_OBJECT /* the object's own; where it is stands in the properties */
};
/* The subject of that type and id, whose bytes are borrowed. NULL, or what the id should look like. */
const char *xos_decision_subject(struct xos_decision_request *r, const char *type, const char *id);
/* "user", ...; NULL for a kind that is none. */
const char *xos_decision_subject_type(enum xos_policy_subject_kind kind);
/* Does this look like a name that a set adds to the schema, and not like a slip in a built-in one? */
bool xos_decision_is_own(const char *name);
bool xos_decision_resource_form(const char *type, enum xos_decision_id *form);
const struct xos_policy_attr *xos_decision_attr(const char *name);

/* Reads what is usual; NULL if anything is unusual or wrong, which the parser then tells. */
struct xos_decision_request *xos_decision_request_scan(struct xos_bytes in);
/* With the parser, always. */
XOS_MUST_USE enum xos_status xos_decision_request_parse(
    struct xos_bytes in, struct xos_decision_request **out, struct xos_err *err);

#endif
