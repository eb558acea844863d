#ifndef XOS_POLICYTOOL_FORMULA_H
#define XOS_POLICYTOOL_FORMULA_H

#include "policy/ast.h"

/*
 * What must hold, in words: tests joined by "and" and "or". There is no "not": a test that must be
 * false is written as its opposite. A formula is true when its tests are known to hold; what is
 * not known does not hold, and neither does its opposite.
 *
 * Formulas are simplified as they are made. Two that say the same in a different order are equal as
 * texts; that two texts differ does not prove that they mean different things.
 */
enum xos_formula_kind {
	XOS_FORMULA_FALSE,
	XOS_FORMULA_TRUE,
	XOS_FORMULA_TEST,
	XOS_FORMULA_ALL,
	XOS_FORMULA_ANY
};

struct xos_formula {
	enum xos_formula_kind kind;
	/* Of a test: as the language writes it, and its opposite. */
	const char *text, *opposite;
	bool total;   /* known in every request: it or its opposite holds */
	bool negated; /* must be false: text is the opposite of cond */
	const struct xos_policy_cond
	    *cond;                        /* NULL: about a role, a service or a home organisation */
	const struct xos_policy_set *set; /* of cond: names zones */
	const char *role, *service, *home;
	/* Of all and any: at least two, sorted by text, nothing twice. */
	const struct xos_formula *const *kids;
	size_t n;
};

extern const struct xos_formula xos_formula_true, xos_formula_false;

/* A list to join. Zeroed at first; failed: out of memory. */
struct xos_formula_list {
	struct xos_policy_memory *memory;
	const struct xos_formula **item;
	size_t n;
	bool failed;
};
void xos_formula_add(struct xos_formula_list *l, const struct xos_formula *f); /* NULL: failed */

/* All in the memory given; NULL: out of memory. */
const struct xos_formula *xos_formula_join(enum xos_formula_kind kind, struct xos_formula_list *l);
/* kind is ALL or ANY. */
const struct xos_formula *xos_formula_pair(struct xos_policy_memory *m, enum xos_formula_kind kind,
    const struct xos_formula *a, const struct xos_formula *b);

void xos_formula_text(const struct xos_formula *f, struct xos_buf *out);
/* Calls told for every test. */
void xos_formula_tests(const struct xos_formula *f,
    void (*told)(void *arg, const struct xos_formula *test), void *arg);

#endif
