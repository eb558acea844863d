#ifndef XOS_POLICY_AST_H
#define XOS_POLICY_AST_H

#include <stdatomic.h>

#include "policy/memory.h"
#include "policy/schema.h"
#include "policy/set.h"

/*
 * Private to policy/: a set as parsed. All strings and arrays live in the set's memory. Two sets
 * that say the same have the same canonical text: lists are sorted, prefixes of actions expanded.
 */
enum xos_policy_who_kind {
	/*
	 * In a VO's or an owner's set: every member of that VO. In a group's set: everybody of the
	 * group. In a site's or node's: members of any VO (but not principals of no VO).
	 */
	XOS_WHO_ANY,
	XOS_WHO_VO,      /* "demo" */
	XOS_WHO_GROUP,   /* "/demo/physics" and below */
	XOS_WHO_EXACTLY, /* "/demo/physics" alone */
	XOS_WHO_ROLE,    /* "/demo/Role=editor", active */
	XOS_WHO_USER,    /* "demo:alice" */
	XOS_WHO_HOME,    /* home organisation */
	XOS_WHO_LOCAL,   /* principals of no VO */
	/* Machines that act themselves. The VO is part of the name; "*" is each of that VO. */
	XOS_WHO_NODE,   /* "demo:n17.irisa.example", "demo:*" */
	XOS_WHO_SERVICE /* "demo:data/n17.irisa.example", "demo:data" (each of that kind), "demo:*" */
};

struct xos_policy_who {
	enum xos_policy_who_kind kind;
	const char *name; /* NULL for any and local */
};

enum xos_policy_term_kind {
	XOS_TERM_SITE, /* "lab" */
	XOS_TERM_NODE, /* "lab/n1" */
	XOS_TERM_CLASS,
	XOS_TERM_TAG,
	XOS_TERM_KIND,   /* "job": written job:*; also "demo.dataset" */
	XOS_TERM_JOB,    /* a job's id */
	XOS_TERM_FILE,   /* a path and what is below it */
	XOS_TERM_OBJECT, /* "demo.dataset:42" or "session:7": the kind and the whole id */
	XOS_TERM_SERVICE, /* "sshd": the service that asks, ctx.service; unknown if that is missing */
	XOS_TERM_COUNT
};

struct xos_policy_term {
	enum xos_policy_term_kind kind;
	const char *name;
};

#define XOS_POLICY_TERMS_MAX 16u

struct xos_policy_place { /* all terms must match; none: any */
	struct xos_policy_term *terms;
	size_t n;
};

enum xos_policy_cond_op {
	XOS_COND_AND = 1,
	XOS_COND_OR,
	XOS_COND_NOT,
	XOS_COND_WHO,     /* who */
	XOS_COND_ON,      /* place */
	XOS_COND_ACTION,  /* actions */
	XOS_COND_HAS,     /* attr */
	XOS_COND_BOOL,    /* attr */
	XOS_COND_COMPARE, /* attr cmp numbers[0] or strings[0] */
	XOS_COND_IN,      /* attr in numbers or strings */
	XOS_COND_IP,      /* attr in prefixes */
	XOS_COND_NOW,     /* now cmp numbers[0] */
	XOS_COND_TIME,    /* time of day and day of week in window */
	XOS_COND_LIKE,    /* attr like one of strings, which are patterns: xos_policy_like() */
	XOS_COND_DATE,    /* the local date in dates */
	XOS_COND_OPS
};

enum xos_policy_cmp {
	XOS_CMP_EQ = 1,
	XOS_CMP_NE,
	XOS_CMP_LT,
	XOS_CMP_LE,
	XOS_CMP_GT,
	XOS_CMP_GE,
	XOS_CMP_OPS
};

struct xos_policy_ip {
	uint8_t family; /* 4 or 6 */
	uint8_t length; /* of a prefix, in bits */
	uint8_t addr[16];
};

/*
 * Where local time is taken: zone 0 means a fixed offset from UTC in minutes, else the zone of that
 * number in the set's list of zones (counted from 1). A zone that the policy was not given makes the
 * test unknown.
 */
struct xos_policy_clock {
	int16_t offset;
	uint16_t zone;
};

#define XOS_POLICY_EVERY_DAY 0x7fu

/*
 * Minutes of the local day; start <= time < end. If end < start it goes over midnight, and the part
 * after midnight belongs to the day on which the window began: "fri 22:00-06:00" ends on Saturday
 * morning. Days: bit 0 is Monday. A whole day is 0 to 1440.
 */
struct xos_policy_window {
	int16_t start, end;
	uint8_t days;
	struct xos_policy_clock clock;
};

struct xos_policy_dates { /* days since 1970-01-01 in local time, both ends included */
	int32_t first, last;
	struct xos_policy_clock clock;
};

struct xos_policy_cond {
	enum xos_policy_cond_op op;
	enum xos_policy_cmp cmp;
	const struct xos_policy_attr *attr;
	uint32_t line, col; /* of a test, in the text; 0: came encoded */
	size_t n;           /* kids, numbers, strings (patterns) or prefixes */
	union {
		struct xos_policy_cond **kids;
		struct xos_policy_who who;
		struct xos_policy_place place;
		uint64_t actions; /* bits by code, also of the set's own actions (schema.h) */
		int64_t *numbers;
		const char **strings;
		struct xos_policy_ip *prefixes;
		struct xos_policy_window window;
		struct xos_policy_dates dates;
	} u;
};

struct xos_policy_cap_value {
	enum xos_policy_cap cap;
	int64_t number;
	const char **names; /* of a set, sorted */
	size_t n;
};

struct xos_policy_duty_value {
	const char *name, *arg;
};

#define XOS_POLICY_VALUES_IN_SET 256u /* members of one {...} */
#define XOS_POLICY_STRING_MAX 255u
#define XOS_POLICY_BECAUSE_MAX 1000u

struct xos_policy_statement {
	const struct xos_policy_set *set;
	enum xos_policy_effect effect;
	bool shadow;
	uint32_t number, line;
	const char *id, *because, *contact;
	/*
	 * Alternatives: the statement is about each who and each place of the lists, sorted, nothing
	 * twice. nwhos 0: the statement does not say who (in a delegation, and `delegate node` of a
	 * site's set). nplaces 0: any place; a list never holds an empty place.
	 */
	struct xos_policy_who *whos;
	size_t nwhos;
	struct xos_policy_place *places;
	size_t nplaces;
	/* Bits by code; all bits: any, what is yet to come included. Codes from
	 * XOS_POLICY_ACTION_OWN are the set's own actions, in the order of set->own_actions. */
	uint64_t actions;
	struct xos_policy_cond *cond; /* NULL: true */
	struct xos_policy_cap_value *caps;
	size_t ncaps;
	struct xos_policy_duty_value *duties;
	size_t nduties;
	enum xos_policy_change change; /* for work that runs when this statement refuses it */
	int64_t change_after;          /* seconds, with STOP */
};

struct xos_policy_compiled;

struct xos_policy_set {
	atomic_uint refs;
	/* The form in which the engine decides (compiled.h); NULL until it is first asked for. */
	_Atomic(struct xos_policy_compiled *) compiled;
	enum xos_policy_level level;
	const char *name;
	const char *site; /* of a site or node set, else NULL */
	const char *vo;   /* of a vo, group or owner set, else NULL */
	uint64_t serial;
	unsigned schema;
	struct xos_policy_statement *statements; /* one array once parsed */
	size_t n;
	struct xos_policy_accounts *accounts;
	size_t naccounts;
	struct xos_policy_account_group *groups; /* sorted by name once parsed */
	size_t ngroups;
	struct xos_policy_node *nodes; /* sorted by name once parsed */
	size_t nnodes;
	/* What the set adds to the schema (`schema { ... }`). The names begin with a VO's name and a
	 * dot, so they never collide with built-in ones; two sets that declare one name may disagree
	 * about its type or code: match by name, and a value of another type is unknown. */
	struct xos_policy_action *own_actions; /* codes XOS_POLICY_ACTION_OWN + i */
	/* What each is about, written after `for`, in full; none: resources of any kind. On another
	 * kind the set does not know the action. */
	struct xos_policy_own_kinds {
		const char **list; /* sorted, nothing twice */
		size_t n;
	} * own_for;
	size_t nown_actions;
	struct xos_policy_attr *own_attrs; /* codes XOS_POLICY_ATTR_OWN + i; all from_context */
	size_t nown_attrs;
	const char **own_kinds;
	size_t nown_kinds;
	size_t pattern_bytes; /* of all `like`, as parsed */
	const char **zones;   /* IANA names that the windows and dates use; each once */
	size_t nzones;
	struct xos_policy_memory *memory;
};

struct xos_policy_set *xos_policy_set_new(void);
/* Is the set's own action of that number about resources of this kind? */
bool xos_policy_own_action_on(const struct xos_policy_set *set, size_t i, const char *kind);
uint64_t xos_policy_all_actions(unsigned schema); /* the built-in ones of that version */
uint64_t xos_policy_set_all_actions(const struct xos_policy_set *set); /* and the set's own */
/* "job.submit" or "job.*" in the words of the set; 0: it knows none. */
uint64_t xos_policy_named_actions(const struct xos_policy_set *set, const char *word);
int xos_policy_string_order(const void *a, const void *b); /* for qsort of const char * */

/* value.c: literals of the language. Whole strings only. */
bool xos_policy_size_parse(const char *s, int64_t *bytes);
bool xos_policy_date_parse(const char *s, int64_t *t);
bool xos_policy_ip_parse(const char *s, struct xos_policy_ip *ip); /* IPv4 in IPv6 becomes IPv4 */
bool xos_policy_prefix_parse(const char *s, struct xos_policy_ip *ip); /* host bits must be zero */
bool xos_policy_prefix_clean(const struct xos_policy_ip *ip); /* no host bits, length in range */
bool xos_policy_prefix_has(const struct xos_policy_ip *prefix, const struct xos_policy_ip *ip);
int xos_policy_prefix_order(const void *a, const void *b); /* for qsort */
void xos_policy_number_print(struct xos_buf *out, enum xos_policy_type type, int64_t v);
void xos_policy_ip_print(struct xos_buf *out, const struct xos_policy_ip *ip);
/* See XOS_COND_LIKE in value.c. The second adds the steps of the match, which are at most
 * (length of the pattern + 1) * (length of s + 1). */
bool xos_policy_like(const char *pattern, const char *s);
bool xos_policy_like_steps(const char *pattern, const char *s, uint64_t *steps);
/* local: seconds since 1970 on the local clock, that is now + the offset from UTC. */
bool xos_policy_window_has(const struct xos_policy_window *w, int64_t local);
bool xos_policy_dates_have(const struct xos_policy_dates *d, int64_t local);
bool xos_policy_path_ok(const char *s); /* absolute, no empty, "." or ".." component */
/* parse_head.c: what may stand for a node or a service behind the VO. */
bool xos_policy_machine_ok(enum xos_policy_who_kind kind, const char *name);
/* parse_place.c: the name of a term of any kind but KIND. */
bool xos_policy_term_ok(enum xos_policy_term_kind kind, const char *name);
bool xos_policy_word_ok(const char *s); /* [A-Za-z0-9][A-Za-z0-9._-]*, at most 63 */

/* networks.c: canonical texts in order, as a parser leaves them. */
bool xos_networks_ok(const struct xos_policy_cap_value *v);

/* print.c */
void xos_policy_who_print(struct xos_buf *out, const struct xos_policy_who *who);
void xos_policy_place_print(struct xos_buf *out, const struct xos_policy_place *place);
void xos_policy_string_print(struct xos_buf *out, const char *s);
/* "group /a, user demo:b" and "site:lab, tag:gpu & class:x". */
void xos_policy_whos_print(struct xos_buf *out, const struct xos_policy_statement *s);
void xos_policy_places_print(struct xos_buf *out, const struct xos_policy_statement *s);

/* check.c: what holds for a statement however it came (text or bytes): levels, roles. NULL if all is
 * well, else what is wrong; *hint may be set. *at: the test of its condition that is wrong, NULL if it is
 * not a single one. */
const char *xos_policy_statement_check(
    const struct xos_policy_statement *s, const char **hint, const struct xos_policy_cond **at);
extern const char xos_policy_problem_unguarded[]; /* one of its results */

/* check_cond.c: the test of an attribute that a request may lack (*nowhere, may be NULL: no
 * action of the statement has it at all); NULL if there is none. */
const struct xos_policy_cond *xos_policy_unguarded(
    const struct xos_policy_statement *s, bool *nowhere);
/* Stars of one pattern, bytes of all: what is wrong with them, or NULL. *bytes: of all. */
const char *xos_policy_patterns_check(
    const struct xos_policy_statement *s, size_t *bytes, const char **hint);
/* Parts of its condition exclude each other or its actions, so that it is never true. */
bool xos_policy_never(const struct xos_policy_statement *s);

#endif
