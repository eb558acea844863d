#ifndef XOS_BENCH_POLICY_WORLD_H
#define XOS_BENCH_POLICY_WORLD_H

#include <stdbool.h>

#include "policy/decide.h"

/*
 * A world to measure decisions in: several VOs with groups, roles and members, several sites with
 * nodes, sets that together have as many statements as asked for, and requests by many different
 * members about many different places, about two thirds of which are refused. The same numbers give the
 * same world.
 */
#define BENCH_REQUESTS 256

struct bench_request {
	struct xos_policy_request request;
	struct xos_policy_value values[3];
	const char *groups[5], *roles[1];
	char text[256]; /* the names, one behind the other, as in a message that was just read */
	size_t used;
};

struct bench_world {
	unsigned statements, nvos, nsites, nodes; /* nodes of one site */
	unsigned groups;                          /* of one VO */
	unsigned levels;
	struct xos_policy_part *parts;
	size_t nparts, written;
	size_t parsed_bytes;
	struct bench_request *requests;
	char (*vo_names)[16], (*site_names)[16], (*node_names)[16];
};

/* Writes and parses the sets (levels: 1 VO, 2 and sites, 3 and nodes) and draws the requests. False
 * with a message on standard error. load_ns: time spent in parsing. */
bool bench_world_make(
    struct bench_world *w, unsigned statements, unsigned levels, int64_t *load_ns);
void bench_world_free(struct bench_world *w);

int64_t bench_now(void); /* nanoseconds, monotonic */

#endif
