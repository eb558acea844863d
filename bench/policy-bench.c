/*
 * How long a decision takes. See bench/README.md.
 *
 *   policy-bench [--statements N] [--levels 1|2|3] [--strings | --json-text] [--json]
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/decision.h"
#include "base/text.h"
#include "policy-world.h"

#define BATCH 64
#define BATCHES 2048

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

/* Every allocation of the program passes here, those of shared libraries as well. */
static size_t allocations;
#ifndef SANITIZED
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *malloc(size_t n)
{
	allocations++;
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	allocations++;
	return __libc_realloc(p, n);
}
#endif

enum mode { MODE_INTERNED, MODE_STRINGS, MODE_JSON };

struct bench {
	struct bench_world world;
	struct xos_policy *policy;
	struct xos_policy_answer answer;
	enum mode mode;
	unsigned requests; /* how many of them are used, in turn */
	struct xos_buf texts[BENCH_REQUESTS], out;
	struct xos_policy_request asked[BENCH_REQUESTS]; /* with what was interned */
	size_t permitted, undecided, problems;
	uint64_t visited, nodes;
};

/* From JSON text to JSON text, with the subject filled in as a decision point does. */
static void decide_text(struct bench *b, size_t at)
{
	struct xos_decision_request *decoded;
	struct xos_decision_extra extra = {.id = "5f0c8e4b7a1d9e32", .bundle_serial = 12};
	if (xos_decision_request_decode(xos_buf_bytes(&b->texts[at]), &decoded, NULL) != XOS_OK)
		exit(3);
	struct xos_policy_request req = *xos_decision_request_get(decoded);
	req.subject = b->world.requests[at].request.subject;
	req.now = b->world.requests[at].request.now;
	(void)!xos_policy_decide(b->policy, &req, &b->answer);
	b->out.n = 0;
	if (xos_decision_answer_encode(&b->answer, &extra, &b->out, NULL) != XOS_OK)
		exit(3);
	xos_decision_request_free(decoded);
}

static void one(struct bench *b, size_t at)
{
	if (b->mode == MODE_JSON)
		decide_text(b, at);
	else if (b->mode == MODE_STRINGS)
		(void)!xos_policy_decide(b->policy, &b->world.requests[at].request, &b->answer);
	else
		(void)!xos_policy_decide(b->policy, &b->asked[at], &b->answer);
}

static int order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* What reading the clock twice takes by itself. */
static int64_t clock_cost(void)
{
	static int64_t times[1001];
	for (size_t i = 0; i < 1001; i++) {
		int64_t start = bench_now();
		times[i] = bench_now() - start;
	}
	qsort(times, 1001, sizeof(times[0]), order);
	return times[500];
}

/* The median over batches of a batch's mean: a batch is long against the clock. */
static double measure_median(struct bench *b)
{
	static int64_t times[BATCHES];
	for (size_t i = 0, at = 0; i < BATCHES; i++) {
		int64_t start = bench_now();
		for (size_t j = 0; j < BATCH; j++, at = (at + 1) % b->requests)
			one(b, at);
		times[i] = bench_now() - start;
	}
	qsort(times, BATCHES, sizeof(times[0]), order);
	return (double)times[BATCHES / 2] / BATCH;
}

/* One by one, without what the clock takes. */
static int64_t measure_p99(struct bench *b)
{
	static int64_t times[4 * BENCH_REQUESTS];
	size_t n = 4 * (size_t)BENCH_REQUESTS;
	int64_t cost = clock_cost();
	for (size_t i = 0; i < n; i++) {
		int64_t start = bench_now();
		one(b, i % b->requests);
		times[i] = bench_now() - start - cost;
	}
	qsort(times, n, sizeof(times[0]), order);
	return times[n * 99 / 100];
}

/* Warms up, and tells what kind of requests these are. */
static void look(struct bench *b)
{
	for (size_t i = 0; i < BENCH_REQUESTS; i++) {
		one(b, i);
		b->permitted += b->answer.decision == XOS_POLICY_PERMITTED;
		b->undecided += b->answer.decision == XOS_POLICY_UNDECIDED;
		b->problems += b->answer.problem != NULL;
		b->visited += b->answer.statements;
		b->nodes += b->answer.nodes;
	}
}

static bool make(
    struct bench *b, unsigned statements, unsigned levels, int64_t *load, size_t *bytes)
{
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	if (!bench_world_make(&b->world, statements, levels, load))
		return false;
	int64_t start = bench_now();
	struct xos_err err = XOS_ERR_INIT;
	if (xos_policy_new(b->world.parts, b->world.nparts, NULL, &b->policy, &err) != XOS_OK) {
		fprintf(stderr, "policy-bench: %s\n", err.text);
		return false;
	}
	*load += bench_now() - start;
	*bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before -
	         BENCH_REQUESTS * sizeof(b->world.requests[0]);
	return true;
}

/* As a service does that serves the same members again and again. */
static bool intern(struct bench *b)
{
	for (size_t i = 0; i < BENCH_REQUESTS; i++) {
		struct xos_err err = XOS_ERR_INIT;
		struct xos_policy_request *req = &b->asked[i];
		const struct xos_policy_request *from = &b->world.requests[i].request;
		struct xos_policy_interned_subject *subject;
		struct xos_policy_interned_resource *resource;
		*req = (struct xos_policy_request){.action = from->action,
		    .values = from->values,
		    .nvalues = from->nvalues,
		    .now = from->now};
		enum xos_status status =
		    xos_policy_intern_subject(b->policy, &from->subject, &subject, &err);
		req->interned_subject = subject;
		if (status == XOS_OK)
			status =
			    xos_policy_intern_resource(b->policy, &from->resource, &resource, &err);
		if (status != XOS_OK) {
			fprintf(stderr, "policy-bench: %s\n", err.text);
			return false;
		}
		req->interned_resource = resource;
	}
	return true;
}

static bool make_texts(struct bench *b)
{
	for (size_t i = 0; i < BENCH_REQUESTS; i++) {
		struct xos_err err = XOS_ERR_INIT;
		xos_buf_init(&b->texts[i], XOS_DECISION_REQUEST_MAX);
		if (xos_decision_request_encode(
		        &b->world.requests[i].request, &b->texts[i], &err) == XOS_OK)
			continue;
		fprintf(stderr, "policy-bench: %s\n", err.text);
		return false;
	}
	return true;
}

static int usage(void)
{
	fprintf(stderr, "usage: policy-bench [--statements N] [--levels 1|2|3] "
	                "[--strings | --json-text] [--json]\n");
	return 2;
}

static bool number(const char *text, unsigned least, unsigned most, unsigned *out)
{
	uint64_t v;
	if (!text || !xos_parse_u64(text, most, &v) || v < least)
		return false;
	*out = (unsigned)v;
	return true;
}

static void print(struct bench *b, int64_t load, size_t bytes)
{
	static const char *const names[] = {"interned", "strings", "json"};
	size_t before = allocations;
	double median = measure_median(b);
	size_t per_decision = (allocations - before) / (BATCH * BATCHES);
	int64_t p99 = measure_p99(b);
	printf("{\"statements\":%zu,\"from\":\"%s\",\"ns_per_decision\":%.0f,\"ns_p99\":%lld,"
	       "\"allocations_per_decision\":%zu,\"bytes_per_statement\":%zu,\"load_ms\":%lld,"
	       "\"permitted\":%.2f,\"undecided\":%.2f,\"visited\":%.1f,\"nodes\":%.1f}\n",
	    b->world.written, names[b->mode], median, (long long)p99, per_decision,
	    bytes / b->world.written, (long long)load / 1000000,
	    (double)b->permitted / BENCH_REQUESTS, (double)b->undecided / BENCH_REQUESTS,
	    (double)b->visited / BENCH_REQUESTS, (double)b->nodes / BENCH_REQUESTS);
}

int main(int argc, char **argv)
{
	static struct bench b;
	unsigned statements = 10000, levels = 3;
	b.requests = BENCH_REQUESTS;
	int64_t load;
	size_t bytes;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--strings") == 0)
			b.mode = MODE_STRINGS;
		else if (strcmp(argv[i], "--json-text") == 0)
			b.mode = MODE_JSON;
		else if (strcmp(argv[i], "--statements") == 0) {
			if (!number(argv[++i], 100, XOS_POLICY_STATEMENTS_MAX, &statements))
				return usage();
		} else if (strcmp(argv[i], "--levels") == 0) {
			if (!number(argv[++i], 1, 3, &levels))
				return usage();
		} else if (strcmp(argv[i], "--requests") == 0) {
			if (!number(argv[++i], 1, BENCH_REQUESTS, &b.requests))
				return usage();
		} else if (strcmp(argv[i], "--json") != 0) {
			return usage();
		}
	}
	xos_policy_answer_init(&b.answer);
	xos_buf_init(&b.out, XOS_DECISION_ANSWER_MAX);
	bool ok = make(&b, statements, levels, &load, &bytes) &&
	          (b.mode != MODE_JSON || make_texts(&b)) &&
	          (b.mode != MODE_INTERNED || intern(&b));
	if (ok) {
		look(&b);
		print(&b, load, bytes);
	}
	if (b.problems)
		fprintf(stderr, "policy-bench: %zu requests are malformed\n", b.problems);
	for (size_t i = 0; i < BENCH_REQUESTS; i++)
		xos_buf_free(&b.texts[i]);
	xos_buf_free(&b.out);
	xos_policy_answer_free(&b.answer);
	xos_policy_unref(b.policy);
	bench_world_free(&b.world);
	return ok && !b.problems ? 0 : 3;
}
