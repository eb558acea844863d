#ifndef XOS_POLICY_SCHEMA_H
#define XOS_POLICY_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What policies can talk about: kinds of resource, actions, attributes and limits, with their types.
 * The table is versioned: a set is checked against the schema version that it names (1 if it names
 * none), so a prefix such as job.* never comes to mean more because a program was upgraded. Codes
 * are part of the encoding of restrictions and are never reused.
 *
 * Version 2 is stricter as well: an attribute that is not always given must be guarded by `has`, and
 * a statement that can never apply is an error. Version 3 has token.stock.
 */
#define XOS_POLICY_SCHEMA 3u

enum xos_policy_type {
	XOS_POLICY_BOOL,     /* number: 0 or 1 */
	XOS_POLICY_NUMBER,   /* a count, >= 0 */
	XOS_POLICY_DURATION, /* seconds, >= 0 */
	XOS_POLICY_SIZE,     /* bytes, >= 0 */
	XOS_POLICY_TIME,     /* seconds since 1970 UTC */
	XOS_POLICY_STRING,   /* at most 255 bytes */
	XOS_POLICY_IP        /* an IPv4 or IPv6 address as text, without zone or prefix length */
};
const char *xos_policy_type_name(enum xos_policy_type type);

/* Codes of actions are bits of a mask. Bit 0 stands for what a set does not know: only "any" in what
 * narrows has it. From XOS_POLICY_ACTION_OWN on they are a set's own (`schema { action ...; }`). */
#define XOS_POLICY_ACTIONS_MAX 64
#define XOS_POLICY_ACTION_OWN 48
#define XOS_POLICY_ACTION_ALL UINT64_MAX

struct xos_policy_action {
	const char *name; /* "job.submit" */
	uint8_t code;     /* 1 .. XOS_POLICY_ACTION_OWN - 1 */
	uint8_t since;    /* the first schema version that has it */
	bool at_site;     /* happens on a machine: the site that owns it must grant as well */
	const char *what; /* one line for people */
};

/* Codes of the attributes that the engine itself asks for. */
enum {
	XOS_ATTR_AUTH_AGE = 1,
	XOS_ATTR_AUTH_METHOD = 2,
	XOS_ATTR_AUTH_MFA = 3,
	XOS_ATTR_IS_OWNER = 4,
	XOS_ATTR_CTX_SERVICE = 6,
	XOS_ATTR_RESOURCE_ID = 11
};
#define XOS_POLICY_ATTR_OWN 64   /* codes of a set's own attributes */
#define XOS_POLICY_ATTRS_MAX 128 /* codes stay below */

/*
 * An attribute exists for the actions of given and optional and for no others. For those of given
 * every request has it; for those of optional a request may lack it, and a test of it must be
 * guarded: `has job.wall and job.wall <= 2h`.
 */
struct xos_policy_attr {
	const char *name; /* "ctx.src" */
	uint8_t code;
	uint8_t since;
	enum xos_policy_type type;
	bool from_context; /* given by the enforcement point; otherwise computed from the request */
	uint64_t given, optional; /* masks of actions */
	const char *what;
};

/* The caps of a limit statement: numbers in the unit of their type, or sets of texts (xos_policy_cap_is_set). */
enum xos_policy_cap {
	XOS_CAP_WALL,          /* seconds of wall time of a job or session */
	XOS_CAP_CPU,           /* processors at the same time */
	XOS_CAP_CPU_TIME,      /* seconds of processor time (RLIMIT_CPU) */
	XOS_CAP_MEMORY,        /* bytes (RLIMIT_AS where nothing better exists) */
	XOS_CAP_LIFETIME,      /* seconds that an issued credential may live */
	XOS_CAP_PROCESSES,     /* processes and threads (RLIMIT_NPROC) */
	XOS_CAP_FILES_OPEN,    /* open files of a process (RLIMIT_NOFILE) */
	XOS_CAP_FILE_SIZE,     /* bytes of one file (RLIMIT_FSIZE) */
	XOS_CAP_ACCOUNT_CLASS, /* a set of names, one of which the account must be of */
	XOS_CAP_NETWORKS, /* a set of address prefixes that may be reached, or "closed" alone */
	XOS_CAP_CLOSED_NETWORKS, /* a set of address prefixes that may not be reached */
	XOS_CAP_COUNT
};

struct xos_policy_cap_info {
	const char *name;          /* "wall" */
	enum xos_policy_type type; /* STRING: a set of names; IP: a set of address prefixes */
	const char *what;
};

/* What a request about a resource of some kind must say of it. */
enum xos_policy_needs {
	XOS_NEEDS_NOTHING,
	XOS_NEEDS_SITE,
	XOS_NEEDS_NODE,
	XOS_NEEDS_JOB, /* its id, a word */
	XOS_NEEDS_PATH /* its id, an absolute path */
};

/* Kinds of resource: "site", "node", "job", ... */
struct xos_policy_kind {
	const char *name;
	enum xos_policy_needs needs;
	uint8_t since;
	bool has_id; /* a request about one names it: a job, a file, a session */
	/* Is on a machine: what a set's own actions do with one happens at a site. */
	bool at_site;
	const char *what;
};

const struct xos_policy_kind *xos_policy_kinds(size_t *n);
const struct xos_policy_kind *xos_policy_kind_find(const char *name, unsigned schema);
const struct xos_policy_action *xos_policy_actions(size_t *n);
const struct xos_policy_attr *xos_policy_attrs(size_t *n);
/* NULL if there is none of that name (or code) in this version. */
const struct xos_policy_action *xos_policy_action_find(const char *name, unsigned schema);
const struct xos_policy_action *xos_policy_action_by_code(uint8_t code);
const struct xos_policy_attr *xos_policy_attr_find(const char *name, unsigned schema);
const struct xos_policy_attr *xos_policy_attr_by_code(uint8_t code);
const struct xos_policy_cap_info *xos_policy_cap_info(enum xos_policy_cap cap);
bool xos_policy_cap_is_set(enum xos_policy_cap cap);
bool xos_policy_cap_find(const char *name, enum xos_policy_cap *cap);

#endif
