#ifndef XOS_TESTS_POLICY_RANDOM_H
#define XOS_TESTS_POLICY_RANDOM_H

/*
 * Policies and requests drawn from a small world, so that most statements concern most requests, and an
 * evaluator for them that is slow and plainly right: no index, no sharing, truth as "can be true" and "can
 * be false".
 */
#include "policy_test.h"

#define STATEMENTS 12 /* of one level, at most */

/* ---- drawing (world.c) ---- */
void draw_from(uint64_t seed);
unsigned below(unsigned n);

enum { WHO_ROLE = 9, WHO_COUNT = 10 };
enum { PLACE_COUNT = 14 };
extern const char *const who_texts[WHO_COUNT];
extern const char *const action_texts[3];
extern const char *const place_texts[PLACE_COUNT];
extern const char *const group_sets[6][3];

struct world { /* a request, as choices */
	unsigned groups, action, node, kind, mfa;
	bool role, bob, uni, src_given, src_inside, cpu_given;
	int64_t cpu;
};

enum cond_kind {
	C_AND,
	C_OR,
	C_NOT,
	C_WHO,
	C_ON,
	C_ACTION,
	C_MFA,
	C_CPU,
	C_IP,
	C_HAS,
	C_NOW,
	C_KINDS
};

struct cond {
	enum cond_kind kind;
	unsigned a, b;
	struct cond *x, *y;
};

struct pool {
	struct cond list[4096];
	size_t n;
};

enum { L_VO, L_SITE, L_NODE, L_DELEGATION, L_COUNT };

struct statement {
	enum xos_policy_effect effect;
	bool shadow;
	unsigned who, actions, place, wall, classes;
	struct cond *cond;
};

struct level {
	struct statement list[STATEMENTS + 1];
	size_t n;
};

struct world make_world(void);
/* A statement that this level may hold; its conditions are taken from the pool. */
struct statement fitting(struct pool *pool, unsigned level, enum xos_policy_effect effect);
enum xos_policy_effect any_effect(unsigned level);
void make_levels(struct pool *pool, struct level *levels);
struct xos_policy_set *build_level(unsigned level, const struct level *l);

/* ---- the slow evaluator (reference.c) ---- */
struct outcome {
	enum xos_policy_decision decision;
	unsigned wall, classes; /* 0: no limit */
};

struct outcome ref_decide(const struct world *w, const struct level *levels);

#endif
