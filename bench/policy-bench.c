/*
 * How long a decision takes: three levels, a subject with several groups, from strings as a service
 * hands them over. `policy-bench [--statements N]` prints one JSON object.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/decide.h"

#define ROUNDS 20000

static int64_t nanoseconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct xos_policy_set *parse(struct xos_buf *text)
{
	static struct xos_policy_errors errs;
	struct xos_policy_set *set;
	if (xos_policy_set_parse((const char *)text->p, text->n, "bench", &set, &errs) != XOS_OK) {
		fprintf(stderr, "policy-bench: %s\n", errs.list[0].text);
		exit(3);
	}
	xos_buf_free(text);
	return set;
}

/* Half of the statements by the VO about its groups, half by the site about its nodes. */
static struct xos_policy *build(unsigned n)
{
	struct xos_buf text;
	struct xos_policy_part parts[3] = {{NULL, 0, 0}};
	struct xos_policy *p;

	xos_buf_init(&text, XOS_POLICY_TEXT_MAX);
	xos_buf_put_str(&text, "vo \"demo\" serial 1 {\n");
	for (unsigned i = 0; i < n / 2; i++)
		xos_buf_printf(&text, "%s group /demo/g%u action job.*%s\n",
		    i % 4 ? "permit" : "forbid", i, i % 4 ? ";" : " when auth.age > 12h;");
	xos_buf_put_str(&text, "limit any action job.submit { wall <= 24h; }\n}\n");
	parts[0].set = parse(&text);
	xos_buf_init(&text, XOS_POLICY_TEXT_MAX);
	xos_buf_put_str(&text, "site \"lab\" serial 1 {\nnode n7 { class c; tag t; }\npermit vo "
	                       "demo action any on class:c;\n");
	for (unsigned i = 0; i < n / 2; i++)
		xos_buf_printf(
		    &text, "forbid vo v%u action job.submit on node:lab/n%u;\n", i % 100, i);
	xos_buf_put_str(&text, "}\n");
	parts[1].set = parse(&text);
	xos_buf_init(&text, XOS_POLICY_TEXT_MAX);
	xos_buf_put_str(
	    &text, "node \"lab/n7\" serial 1 { limit any action job.submit { cpu <= 8; } }");
	parts[2].set = parse(&text);
	if (xos_policy_new(parts, 3, &p, NULL) != XOS_OK)
		exit(3);
	for (unsigned i = 0; i < 3; i++)
		xos_policy_set_unref(parts[i].set);
	return p;
}

static int order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static const char *const groups[] = {"/demo/g1", "/demo/g2/sub", "/demo/other/deep/er"};
	static int64_t times[ROUNDS];
	unsigned n = 10000;
	if (argc == 3 && strcmp(argv[1], "--statements") == 0) {
		n = (unsigned)strtoul(argv[2], NULL, 10);
	} else if (argc != 1) {
		fprintf(stderr, "usage: policy-bench [--statements N]\n");
		return 2;
	}
	int64_t start = nanoseconds();
	struct xos_policy *p = build(n);
	int64_t loaded = nanoseconds();
	struct xos_policy_request req = {.subject = {.kind = XOS_SUBJECT_MEMBER,
	                                     .vo = "demo",
	                                     .member = "alice",
	                                     .groups = groups,
	                                     .ngroups = 3,
	                                     .auth_time = 1795340000,
	                                     .auth_mfa = -1},
	    .action = "job.submit",
	    .resource = {.kind = "node", .site = "lab", .node = "n7"},
	    .now = 1795348800};
	struct xos_policy_answer a;
	size_t before = 0;
	xos_policy_answer_init(&a);
	for (unsigned i = 0; i < ROUNDS + 100; i++) {
		int64_t t = nanoseconds();
		if (xos_policy_decide(p, &req, &a) != XOS_OK)
			return 3;
		if (i >= 100)
			times[i - 100] = nanoseconds() - t;
		else
			before = mallinfo2().uordblks;
	}
	bool allocated = mallinfo2().uordblks != before;
	qsort(times, ROUNDS, sizeof(times[0]), order);
	printf("{\"statements\":%u,\"ns_per_decision\":%lld,\"ns_p99\":%lld,\"visited\":%u,"
	       "\"memory_grows\":%s,\"load_ms\":%lld}\n",
	    n, (long long)times[ROUNDS / 2], (long long)times[ROUNDS * 99 / 100], a.statements,
	    allocated ? "true" : "false", (long long)(loaded - start) / 1000000);
	xos_policy_answer_free(&a);
	xos_policy_unref(p);
	return 0;
}
