#ifndef XOS_TESTS_POLICY_MODEL_H
#define XOS_TESTS_POLICY_MODEL_H

/*
 * Policies as plain data, from which three things are made: a text for the parser and the engine
 * (write.c), an answer by an evaluator that is slow and plainly right (reference*.c), and smaller
 * policies that still show a difference between the two (compare.c). None of it is the engine's:
 * the two sides share the header of requests and answers and nothing else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/decide.h"
#include "policy/restriction.h"

#define NOON INT64_C(1795348800) /* of 2026-11-22, UTC; as policy_test.h */

/* ---- who, where ---- */
enum m_who_kind {
	W_ANY,
	W_VO,
	W_GROUP,
	W_EXACTLY,
	W_ROLE,
	W_USER,
	W_HOME,
	W_LOCAL,
	W_NODE,
	W_SERVICE
};

struct m_who {
	enum m_who_kind kind;
	/* "demo:alice", "/demo/a", "demo:n1", "demo:data/n1"...; NULL for any and local */
	const char *name;
};

enum m_term_kind { T_SITE, T_NODE, T_CLASS, T_TAG, T_KIND, T_JOB, T_FILE, T_SERVICE, T_OBJECT };

struct m_term {
	enum m_term_kind kind;
	const char *name;
};

#define M_TERMS 3
#define M_ALTS 3

struct m_place { /* all of them; none: any */
	struct m_term terms[M_TERMS];
	unsigned n;
};

/* ---- conditions ---- */
enum m_op {
	C_AND,
	C_OR,
	C_NOT,
	C_WHO,    /* one of whos */
	C_ON,     /* one of places */
	C_ACTION, /* one of actions */
	C_HAS,
	C_BOOL,
	C_NUMBER, /* attr cmp a */
	C_AMONG,  /* attr in {a, b} */
	C_IS,     /* attr == or != text */
	C_ONE_OF, /* attr in {text, text2} */
	C_LIKE,   /* attr like text */
	C_IP,     /* attr in one of the prefixes of the bits of a */
	C_NOW,    /* now cmp a */
	C_TIME,   /* window */
	C_DATE,   /* days of a..b in the window's zone */
	C_OPS
};

enum m_cmp { M_LT, M_LE, M_EQ, M_NE, M_GE, M_GT, M_CMPS };

enum m_attr {
	A_AGE,
	A_METHOD,
	A_MFA,
	A_OWNER,
	A_SRC,
	A_SERVICE,
	A_WALL,
	A_CPU,
	A_MEMORY,
	A_LIFETIME,
	A_LICENCES, /* demo.licences, which sets declare */
	A_ID,       /* resource.id, from version 2 of the schema on */
	A_COUNT
};
extern const char *const attr_names[A_COUNT];

enum m_zone { Z_UTC, Z_EAST, Z_WEST, Z_PARIS, Z_NEW_YORK, Z_NOWHERE, Z_COUNT };

struct m_window {
	unsigned days;  /* bit 0: Monday; 0: every day */
	int start, end; /* minutes; end < start: over midnight */
	enum m_zone zone;
};

struct m_cond {
	enum m_op op;
	enum m_cmp cmp;
	enum m_attr attr;
	int64_t a, b;
	const char *text, *text2;
	unsigned actions;
	struct m_window window;
	struct m_who whos[M_ALTS];
	struct m_place places[M_ALTS];
	unsigned nwhos, nplaces;
	struct m_cond *x, *y;
};

/* ---- statements and sets ---- */
enum m_effect { M_PERMIT, M_FORBID, M_LIMIT, M_DUTY, M_CHECK, M_DELEGATE };
enum m_change { M_UNSAID, M_CONTINUE, M_DRAIN, M_STOP };

struct m_statement {
	enum m_effect effect;
	bool shadow;
	struct m_who whos[M_ALTS]; /* one of them; of a delegate the group or the node */
	struct m_place places[M_ALTS];
	unsigned nwhos, nplaces; /* no place: any */
	unsigned actions;        /* bits of action_names */
	struct m_cond *cond;     /* NULL: none */
	unsigned wall, cpu;      /* caps of a limit: hours, processors; 0: not said */
	unsigned classes;        /* bits of p, q, r; 0: not said */
	unsigned duty;           /* 0 record, 1 notify "x", 2 notify "y" */
	enum m_change change;
	unsigned stop_after; /* minutes */
	unsigned style;      /* how it is written; means nothing */
};

/* Styles of a statement: what is said through a name, a template or a double negation. */
enum { BY_NAME_WHO = 1, BY_NAME_PLACE = 2, BY_NAME_ACTIONS = 4, BY_TEMPLATE = 8, BY_UNLESS = 16 };

enum m_level { L_VO, L_SITE, L_NODE, L_OWNER, L_GROUP, L_DELEGATION, L_LEVELS };

#define M_STATEMENTS 32 /* bits of a word tell which */
#define M_SETS 12
#define M_CHAIN 2

struct m_set {
	enum m_level level;
	const char *name;
	uint64_t serial;
	unsigned schema;
	bool declares;  /* what the VO demo adds to the schema: the set of demo itself does */
	unsigned about; /* kinds that demo.annotate is for: bits of own_kinds; 0: not said */
	int64_t not_before, not_after;
	struct m_statement list[M_STATEMENTS];
	unsigned n;
};

struct m_policy {
	struct m_set sets[M_SETS]; /* no two of one level and name */
	unsigned n;
	struct m_set chain[M_CHAIN];
	unsigned nchain;
};

#define ACTIONS 9
#define ACTIONS_ALL 511u
#define ACTIONS_BUILT_IN 255u /* without the one that sets declare */
extern const char *const action_names[ACTIONS];

/* Kinds that a set may declare demo.annotate for. */
#define OWN_KINDS 3
extern const char *const own_kinds[OWN_KINDS];

/* The nodes that every set of the site lab declares: see write.c for their text. */
struct m_node {
	const char *site, *name, *class_name, *tags[3];
};
extern const struct m_node m_nodes[];
extern const size_t m_nnodes;

/* ---- drawing (draw.c): from a seed, or from given bytes ---- */
void draw_from(uint64_t seed);
void draw_bytes(const uint8_t *p, size_t n); /* zeroes follow their end */
unsigned below(unsigned n);                  /* 0 .. n - 1 */
bool once_in(unsigned n);

/* ---- generating (requests.c, generate.c) ---- */
struct m_pool { /* of the conditions of one policy */
	struct m_cond list[8192];
	size_t n;
};
void make_policy(struct m_pool *pool, struct m_policy *p);
/* One more statement, of an effect that such a set may hold. */
struct m_statement make_statement(
    struct m_pool *pool, const struct m_set *set, enum m_effect effect);
enum m_effect make_effect(enum m_level level);

struct m_request { /* a request and where it keeps its arrays */
	struct xos_policy_request req;
	struct xos_policy_value values[A_COUNT];
	const char *roles[2], *held[2];
};
void make_request(struct m_request *r);

/* ---- writing (write.c) ---- */
/* Each statement stands on a line of its own; the first of them is line 2. */
void write_set(struct xos_buf *out, const struct m_set *set);
void write_request(struct xos_buf *out, const struct xos_policy_request *req);

/* ---- the slow evaluator (reference_judge.c, reference_match.c) ---- */
struct truth { /* what it can come to, whatever the missing attributes are */
	bool can_true, can_false;
};

/* Where a level or a statement is reported: the sets of the policy first, then these. */
enum {
	SLOT_CHAIN = M_SETS,
	SLOT_VO = SLOT_CHAIN + M_CHAIN, /* four that have no set */
	SLOT_OBJECT_VO,
	SLOT_SITE,
	SLOT_OWNER, /* also the owner acting himself */
	SLOTS
};

#define CLASSES_ALL 7u

struct change {
	enum m_change what;
	unsigned after; /* minutes, with STOP */
};

/* What of an answer is compared. */
struct outcome {
	enum xos_policy_decision decision;
	bool malformed; /* the request: never, in this world */
	bool twice;     /* something stands in the answer twice: never */
	struct ref_level {
		bool there, refuses;
		enum xos_policy_stand stand;
	} levels[SLOTS];
	/* Statements by position: forbids that fire and checks that fail, those of them whose
	 * condition is unknown, and statements on trial that would have had effect. */
	uint32_t fired[SLOTS], perhaps[SLOTS], shadows[SLOTS];
	unsigned wall, cpu; /* 0: no limit */
	unsigned classes;   /* what remains */
	unsigned duties;    /* bits */
	struct change change;
};

void ref_decide(const struct m_policy *p, const struct xos_policy_request *req,
    const char *extra_role, struct outcome *o);

struct where { /* one evaluation */
	const struct m_policy *policy;
	const struct xos_policy_request *req;
	const char *extra_role; /* taken as active; NULL: none */
};

struct truth ref_applies(
    const struct where *w, const struct m_set *set, const struct m_statement *s);
bool ref_who(const struct where *w, const struct m_set *set, const struct m_who *who);
bool ref_valid(const struct m_set *set, int64_t now);
bool ref_has(const struct where *w, enum m_attr attr);
/* The n-th Sunday of a month (5: the last) at an hour UTC. */
int64_t ref_sunday(int year, int month, int n, int hour);
const struct m_set *ref_find(const struct m_policy *p, enum m_level level, const char *name);

#endif
