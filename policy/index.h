#ifndef XOS_POLICY_INDEX_H
#define XOS_POLICY_INDEX_H

#include "policy/compiled.h"
#include "policy/decide.h"
#include "policy/eval.h"

/* Private to policy/: a policy is its sets, found by level and name, and what they say together. */
#define XOS_SCOPE_NAME 32u

struct xos_policy_scope {
	uint64_t hash;
	uint64_t term;      /* of a site: its hash as of a term */
	uint64_t who, root; /* of a VO: its hash as of a principal; of its group, not yet mixed */
	const char *name;   /* and level, serial: of the set */
	uint32_t len;
	uint8_t level;
	char head[XOS_SCOPE_NAME]; /* of the name: what fits is compared here */
	const struct xos_policy_compiled *compiled;
	struct xos_policy_zone **zones; /* of the set, by number - 1; borrowed from the policy */
	int64_t not_before, not_after;
	uint64_t serial;
	struct xos_policy_set *set;
	/* Of a set with duties: by statement, where the numbers of its own begin. The same duty has
	 * the same number in all sets of the policy. */
	const uint32_t *duties, *duty_numbers;
};

/* Names of the schema and what the sets add to it, in one table. */
enum xos_vocabulary { XOS_VOC_ACTION, XOS_VOC_ATTR, XOS_VOC_KIND };

struct xos_word {
	uint64_t hash; /* 0: a free place */
	const char *name;
	const struct xos_policy_action *action; /* NULL: only sets declare it */
	const struct xos_policy_attr *attr;
	uint64_t term; /* of a kind: its hash as of a term */
	uint32_t len;
	enum xos_policy_needs needs; /* of a kind */
	uint8_t vocabulary;
	bool at_site; /* a built-in action that happens at a site, a kind of what is at one */
};

struct xos_named_zone {
	const char *name;
	uint64_t hash;
	struct xos_policy_zone *zone;
};

struct xos_policy {
	atomic_uint refs;
	struct xos_policy_scope *scopes;
	size_t n;
	uint32_t *table; /* scopes by level and name, open addressing: position + 1 */
	uint32_t mask;
	size_t of_level[XOS_POLICY_LEVELS];
	/* Bits by hash: which principals the sets may name in heads and conditions, and which of them
	 * in other places than the heads of their own VO's set. A bit too many costs a look-up. */
	uint64_t *named, *abroad;
	uint64_t named_mask;
	unsigned who_kinds;     /* bit by kind: which kinds of principal any set asks about */
	struct xos_word *words; /* open addressing */
	uint32_t word_mask;
	size_t nwords;
	struct xos_named_zone *zones;
	size_t nzones;
	uint32_t nduties;                 /* no two alike */
	struct xos_policy_memory *memory; /* names of zones, lists of scopes, numbers of duties */
};

const struct xos_policy_scope *xos_policy_find_scope(
    const struct xos_policy *p, enum xos_policy_level level, const char *name, size_t n);
const struct xos_word *xos_policy_word(
    const struct xos_policy *p, enum xos_vocabulary v, const char *name);
static inline bool xos_policy_names(const struct xos_policy *p, uint64_t hash)
{
	uint64_t bit = hash & p->named_mask;
	return p->named[bit / 64] >> bit % 64 & 1;
}
static inline bool xos_policy_names_abroad(const struct xos_policy *p, uint64_t hash)
{
	uint64_t bit = hash & p->named_mask;
	return p->abroad[bit / 64] >> bit % 64 & 1;
}
/* duties.c: once, when all sets are there. False: out of memory. */
bool xos_policy_number_duties(struct xos_policy *p);
struct xos_policy_zone *xos_policy_find_zone(const struct xos_policy *p, const char *name);

/* intern.c */
struct xos_policy_interned_subject {
	struct xos_policy *policy;
	struct xos_policy_subject subject; /* copies */
	struct xos_subject_facts facts;
	struct xos_policy_memory *memory;
	/* The VO's set and its rows for the subject; the sets of its groups. */
	const struct xos_policy_scope *vo;
	const struct xos_row **rows;
	size_t nrows;
	const struct xos_policy_scope **groups;
	size_t ngroups;
	/* The facts that some set of the policy other than the VO's may name. */
	struct xos_fact *named;
	size_t nnamed;
};

struct xos_policy_interned_resource {
	struct xos_policy *policy;
	struct xos_policy_resource resource; /* copies */
	struct xos_resource_facts facts;
	struct xos_policy_memory *memory;
	struct xos_known_place place;
	const struct xos_policy_scope *node, *owner;
};

#endif
