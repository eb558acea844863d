#ifndef XOS_POLICY_EVAL_H
#define XOS_POLICY_EVAL_H

#include "base/name.h"
#include "policy/compiled.h"
#include "policy/decide.h"
#include "policy/memory.h"
#include "policy/zone.h"

/* Private to policy/: what is known of a request, and three-valued evaluation of statements. */

enum xos_tri { XOS_FALSE, XOS_UNKNOWN, XOS_TRUE };

/* Something that a subject or a resource is, as a hashed name. */
struct xos_fact {
	uint64_t hash;
	const char *s; /* borrowed; n bytes, not terminated there */
	uint32_t n;
	uint8_t kind; /* enum xos_policy_who_kind, or of terms */
};

#define XOS_USER_ROOM (1 + XOS_VO_MAX + 1 + XOS_MEMBER_MAX + 1)
#define XOS_PLACE_ROOM (XOS_SITE_MAX + 1 + XOS_NODE_MAX + 1)

struct xos_subject_facts {
	/*
	 * Each principal that the subject is, once: itself, its VO and home, its groups with those
	 * above, roles; of a machine its kind, too; but what the policy names nowhere. Not `any` and
	 * `local`, which depend on the set.
	 */
	struct xos_fact *list;
	size_t n;
	const struct xos_policy *of;       /* what it does not name is left out; NULL: nothing is */
	const struct xos_policy_scope *vo; /* the set of the subject's VO; NULL: there is none */
	uint64_t seen;   /* bits by hash: a name whose bit is not set is none of them */
	uint32_t *table; /* by hash, open addressing: position + 1; NULL: they are few */
	uint32_t mask;
	uint64_t root;            /* hash of "/demo", not yet mixed */
	char user[XOS_USER_ROOM]; /* "/demo:alice" */
};

struct xos_resource_facts {
	uint64_t site, node, kind, id; /* hashes as of terms; 0: not said */
	uint32_t site_len, kind_len, id_len;
	bool is_file, is_job;
	char place[XOS_PLACE_ROOM]; /* "lab/n1", "lab" */
	uint32_t place_len;
	/* A file's path and the folders above it, shortest first: hashes; made when first needed. */
	uint64_t *folders;
	size_t nfolders;
	bool have_folders;
};

/* Where the resource is, as the policy knows it. */
struct xos_known_place {
	const struct xos_word *kind;         /* as the schema or a set declares it */
	const struct xos_policy_scope *site; /* its set; NULL: none, or at no site */
	/* The node as its site declares it; NULL: not, or no node said. */
	const struct xos_compiled_node *declared;
};

/* The attributes of a request that the schema has, by code. */
struct xos_request_values {
	uint64_t given; /* bit by code; the rest is set only where this says so */
	const struct xos_policy_value *list[XOS_POLICY_ATTR_OWN];
	struct xos_policy_ip ips[XOS_POLICY_ATTR_OWN];
};

struct xos_policy_eval {
	const struct xos_policy *policy;
	const struct xos_policy_request *req; /* values, time and chain; the rest stands below */
	const struct xos_policy_subject *subject;
	const struct xos_policy_resource *resource;
	const struct xos_subject_facts *who;
	struct xos_resource_facts *where;
	const struct xos_policy_interned_subject *known; /* interned in this policy; NULL: no */
	struct xos_request_values *values;
	struct xos_policy_memory *memory;
	const struct xos_policy_action *action; /* NULL: one that sets declare */
	struct xos_known_place place;
	uint64_t service;       /* hash of ctx.service as of a term; 0: missing */
	const char *extra_role; /* tried as if it were active; NULL: none */
	uint64_t extra_hash;
	/* As the site of the resource declares its node; NULL: not, or no node said. */
	const struct xos_compiled_node *node;
	const uint64_t *tags; /* hashes of its tags */
	/* By kind of term: what the resource is, where that is one name and is known; else hash 0. */
	struct xos_fact is[XOS_TERM_COUNT + 1];
	/* Of the set whose statements are evaluated. */
	const struct xos_policy_compiled *set;
	struct xos_policy_zone *const *zones; /* by number - 1; NULL: not there */
	unsigned code;                        /* of the action in this set */
	bool any;                             /* `any` is about the subject */
	/* The offset that was asked for last. */
	const struct xos_policy_zone *zone;
	int32_t offset;
	uint32_t statements, nodes; /* work done */
	uint64_t steps;             /* of patterns that were matched */
	bool failed;                /* out of memory */
	/* Called for each thing that was needed and missing; NULL: not wanted. */
	void (*missing)(void *arg, const char *name);
	void *arg;
};

/* request.c: the form of a request. NULL, or what is wrong with it. */
const char *xos_request_check_subject(const struct xos_policy_subject *s);
const char *xos_request_check_resource(
    const struct xos_policy *p, const struct xos_policy_resource *r, struct xos_known_place *known);
/* Checks the whole and fills e, whose memory, values, who and where are there to be filled. */
const char *xos_policy_eval_init(
    struct xos_policy_eval *e, const struct xos_policy *p, const struct xos_policy_request *req);

/* facts.c. The subject and the resource must be well formed, but for the names of groups, which are
 * checked here: what is wrong with them, or NULL. of: only what this policy may name is wanted;
 * NULL: everything. *failed: out of memory. */
const char *xos_subject_facts_make(struct xos_subject_facts *f, const struct xos_policy_subject *s,
    const struct xos_policy *of, struct xos_policy_memory *m, bool *failed);
void xos_resource_facts_make(struct xos_resource_facts *f, const struct xos_policy_resource *r,
    const struct xos_known_place *known);
bool xos_resource_folders_make(
    struct xos_resource_facts *f, const struct xos_policy_resource *r, struct xos_policy_memory *m);
bool xos_subject_has(
    const struct xos_subject_facts *f, uint64_t hash, unsigned kind, const char *s, size_t n);

/* Turns to another set: what its codes and zones mean, and whether its `any` is about the subject.
 * zones NULL: looked up by name. */
void xos_policy_eval_enter(struct xos_policy_eval *e, const struct xos_policy_compiled *set,
    struct xos_policy_zone *const *zones, bool any);

/* What the resource is, once its node is known as declared: fills `is`. */
void xos_eval_place(struct xos_policy_eval *e);
/* Is one of the statement's principals before number `end` about the subject? */
bool xos_eval_whos(
    const struct xos_policy_eval *e, const struct xos_policy_statement *s, size_t end);
/* The rule's place; *first: the first alternative that is not false. */
enum xos_tri xos_eval_places(struct xos_policy_eval *e, const struct xos_rule *r, size_t *first);
/* The rule's condition alone. */
enum xos_tri xos_eval_cond(struct xos_policy_eval *e, const struct xos_rule *r);

static inline enum xos_tri xos_tri_and(enum xos_tri a, enum xos_tri b)
{
	return a < b ? a : b;
}

#endif
