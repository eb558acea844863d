#ifndef XOS_POLICY_COMPILED_H
#define XOS_POLICY_COMPILED_H

#include "policy/ast.h"
#include "policy/hash.h"

/*
 * Private to policy/: a set in the form in which it is decided. Made once, never changed, and freed
 * with its set, to whose strings and lists it points.
 *
 * Statements are found by who: a row holds all that name one principal. A row of more than
 * XOS_ROW_SCAN statements is searched by action and narrowest resource instead of being looked
 * through. The index only ever leaves out statements that cannot apply.
 */
#define XOS_ROW_SCAN 12u
/* A line of cache. Rows, terms and nodes are as large, and stand so that each is in one. */
#define XOS_LINE 64u
#define XOS_PLACES_INDEXED                                                                         \
	64u /* a statement with more alternatives counts as one about any place */

struct xos_term {      /* one test of a resource */
	uint64_t hash; /* XOS_HASH_TERM + kind, and the name */
	const char *name;
	uint32_t n; /* bytes of name */
	uint8_t kind;
	bool last;        /* of its alternative */
	uint16_t of_kind; /* of an object: bytes of its kind, before the colon */
	char head[40];    /* of the name: what fits is compared here */
};

/* A condition in prefix order: an operator is followed by its parts. */
struct xos_code {
	uint8_t op, cmp;
	uint32_t size; /* with all its parts; the next one stands so much further */
	union {
		int64_t number;
		uint64_t hash;  /* of a principal's name */
		uint32_t terms; /* of a place: the first */
		struct xos_policy_window window;
		struct xos_policy_dates dates;
	} u;
	const struct xos_policy_attr *attr;
	const struct xos_policy_cond *cond; /* lists and names */
};

enum {
	XOS_RULE_SHADOW = 1,
	XOS_RULE_CHANGE = 2,  /* says what running work shall do */
	XOS_RULE_CLASSES = 4, /* has a limit that is a set: classes of account, networks */
	XOS_RULE_HOMES = 8    /* a VO's permit of a home organisation: for its own members alone */
};

struct xos_rule { /* a statement, in the row of one of its principals */
	/* Of the only alternative: the first term's hash, and its kind; else XOS_TERM_COUNT. Most rules are
	 * found not to be about the resource by these alone. */
	uint64_t term;
	uint32_t statement; /* position in the set */
	uint32_t terms;     /* the first; nplaces alternatives follow each other */
	uint32_t code;      /* position + 1; 0: no condition */
	uint32_t numbers;   /* of a limit: the first cap that is a number */
	uint16_t nplaces;
	uint16_t who; /* which of the statement's alternatives the row stands for */
	uint8_t term_kind, effect, flags, nnumbers;
};

struct xos_cap_number {
	int64_t number;
	uint32_t cap;
};

/* Rows are compared as text: what fits stands in the row, so that no other memory is touched. */
#define XOS_ROW_NAME 24u

struct xos_row {
	uint64_t hash;    /* XOS_HASH_WHO + kind, and the name */
	uint64_t actions; /* of any of its rules */
	const char *name;
	uint32_t first, n; /* rules */
	uint16_t len;
	uint16_t permits;  /* of a short row: bit by rule; of these one that grants is enough */
	uint16_t kinds;    /* of the narrowest terms: bit by kind, and XOS_TERM_COUNT: any place */
	uint8_t kind;      /* enum xos_policy_who_kind */
	bool searched : 1; /* has more than XOS_ROW_SCAN rules: see the buckets */
	bool any_action : 1;     /* some of them are about every action */
	bool passed : 1;         /* another one, whose place this is too, stands further down */
	char head[XOS_ROW_NAME]; /* of the name */
};

struct xos_bucket {
	uint64_t key;
	uint32_t first, n; /* entries; n 0: a free place */
};

struct xos_entry {
	uint32_t rule;
	uint16_t place; /* which alternative it was found by, or XOS_ANY_PLACE */
};
#define XOS_ANY_PLACE UINT16_MAX

struct xos_compiled_node { /* as declared by the site */
	uint64_t hash;     /* of its name; node NULL: a free place */
	const struct xos_policy_node *node;
	uint64_t class_hash;
	uint32_t tags; /* position of their hashes, in the order of the node's */
	uint16_t ntags, len, class_len;
	char head[26]; /* of the name */
};
_Static_assert(sizeof(struct xos_row) == XOS_LINE && sizeof(struct xos_term) == XOS_LINE &&
                   sizeof(struct xos_compiled_node) == XOS_LINE,
    "what is read alone fills a line");

/* One block of memory, those of a whole line first: small sets are read in one go. */
struct xos_policy_compiled {
	const struct xos_policy_set *set;
	/* Open addressing (n 0: a free place), so that what is found is read at once. Behind them those by
	 * no name. */
	struct xos_row *rows;
	struct xos_rule *rules; /* by row */
	uint64_t *actions;      /* of each rule: what is read of all, while few rules are */
	struct xos_term *terms;
	struct xos_code *code;
	struct xos_cap_number *numbers;
	struct xos_bucket *buckets; /* open addressing */
	struct xos_entry *entries;
	struct xos_compiled_node *nodes; /* open addressing */
	uint64_t *tags;
	uint32_t row_mask, bucket_mask, node_mask;
	uint32_t always, any, local; /* rows by no name: position + 1; 0: none */
	uint32_t nrows;              /* places */
	uint32_t nrules, ncode;
	uint8_t level;       /* enum xos_policy_level */
	uint16_t who_kinds;  /* bit by kind: which kinds of principal have rows */
	uint16_t cond_kinds; /* and which are in conditions */
	uint16_t depth;      /* components of the longest path that a row is searched by */
	size_t bytes;
};

/* The set's compiled form, made at the first call; any thread may be first. NULL: out of memory. */
const struct xos_policy_compiled *xos_policy_set_compiled(const struct xos_policy_set *set);
void xos_policy_compiled_free(struct xos_policy_compiled *c); /* NULL-safe */

/* code.c: terms and conditions of one statement, appended. False: out of memory. */
struct xos_coder {
	struct xos_term *terms;
	struct xos_code *code;
	struct xos_cap_number *numbers;
	size_t nterms, ncode, nnumbers;
	size_t terms_cap, code_cap, numbers_cap;
	uint16_t who_kinds; /* of principals in conditions: bit by kind */
};
bool xos_code_places(
    struct xos_coder *c, const struct xos_policy_place *places, size_t n, uint32_t *first);
bool xos_code_cond(struct xos_coder *c, const struct xos_policy_cond *cond, uint32_t *at);
bool xos_code_numbers(
    struct xos_coder *c, const struct xos_policy_statement *s, uint32_t *first, uint8_t *n);

/* The row of that kind and name, NULL if there is none. Asked for each name of each set: inline. */
static inline const struct xos_row *xos_compiled_row(
    const struct xos_policy_compiled *c, uint64_t hash, unsigned kind, const char *name, size_t n)
{
	for (uint32_t at = (uint32_t)hash & c->row_mask;; at = (at + 1) & c->row_mask) {
		const struct xos_row *row = &c->rows[at];
		if (row->hash == hash && row->kind == kind && row->len == n &&
		    memcmp(n <= XOS_ROW_NAME ? row->head : row->name, name, n) == 0)
			return row;
		if (!row->passed)
			return NULL;
	}
}

/* False: there is no row for that hash. True: there may be one. Most names that are asked for have none, and
 * nobody can predict which: so this has no branches. */
static inline bool xos_compiled_maybe(const struct xos_policy_compiled *c, uint64_t hash)
{
	const struct xos_row *row = &c->rows[(uint32_t)hash & c->row_mask];
	return (row->hash == hash) | row->passed;
}

const struct xos_bucket *xos_compiled_bucket(const struct xos_policy_compiled *c, uint64_t key);
const struct xos_compiled_node *xos_compiled_node(
    const struct xos_policy_compiled *c, const char *name, size_t n);

/* Under which key a row's rules about one action and one narrowest term stand. action 64: any. */
static inline uint64_t xos_bucket_key(uint64_t row, unsigned action, uint64_t term)
{
	return xos_hash_mix(row ^ (term * UINT64_C(0x9e3779b97f4a7c15)), action);
}
#define XOS_ANY_ACTION 64u

#endif
