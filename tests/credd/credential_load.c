/*
 * xos-credential-load [N]: makes N credentials (10 000) of sessions in the store that xos-credd has, each with a key and a
 * chain, and prints what one takes: {"credentials", "rss_before", "rss", "bytes_each", "locked", "seconds"}. Of a store
 * in this process, so that nothing else of a daemon is counted.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "fixture.h"
#include "pki/csr.h"

/* Resident bytes of this process. */
static long resident(void)
{
	char text[128] = "";
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		exit(3);
	close(fd);
	const char *second = strchr(text, ' ');
	return second ? strtol(second, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

static void make_one(struct node *n, struct xos_credd_sessions *s, uint32_t uid)
{
	static const char *const physics[] = {"/demo/physics", NULL};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_bytes der[XOS_CHAIN_MAX];
	struct xos_chain chain = {.n = 0};
	struct xos_known *known = NULL;
	const char *id = NULL;
	struct xos_csr csr;
	struct xos_buf req;
	xos_buf_init(&req, XOS_CSR_MAX);
	MUST(xos_credd_sessions_create(s, uid, true, NULL, n->vo->now, &id, &req, &err), &err);
	MUST(xos_csr_parse(xos_buf_bytes(&req), &csr, &err), &err);
	struct xos_test_who who = {
	    .name = "alice", .number = 1, .groups = physics, .spki = csr.spki};
	xos_test_member(n->vo, &who, &chain);
	size_t count = xos_test_ders(&chain, der);
	/* Not by the cache of the decision point, which would be counted with them. */
	MUST(xos_known_make(xos_credd_decider_view(n->decider)->trust, "demo", "n1", der, count,
	         n->vo->now, &known, &err),
	    &err);
	MUST(xos_credd_sessions_put(s, uid, id, known, der, count, &err), &err);
	xos_known_free(known);
	xos_chain_clear(&chain);
	xos_buf_free(&req);
}

int main(int argc, char **argv)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_credd_sessions *s = NULL;
	uint64_t want = 10000;
	if (argc > 2 || (argc == 2 && !xos_parse_u64(argv[1], 1000000, &want)) || !want) {
		fprintf(stderr, "usage: xos-credential-load [N]\n");
		return 2;
	}
	struct node *n = node_new(&(struct xos_test_bundle){.serial = 5});
	char *dir = xos_test_path(n->dir, "many");
	const struct xos_credd_sessions_options o = {
	    .dir = dir, .boot = NODE_BOOT, .max = 1000000, .per_user = 100};
	MUST(xos_credd_sessions_open(&o, &s, &err), &err);
	/* What is allocated once and for all is not counted. */
	for (uint64_t i = 0; i < 100; i++)
		make_one(n, s, 100000);
	size_t had = xos_credd_sessions_count(s);
	long before = resident();
	int64_t start = xos_clock_mono_ms();
	for (uint64_t i = 0; i < want; i++)
		make_one(n, s, (uint32_t)(200000 + i / 100));
	int64_t took = xos_clock_mono_ms() - start;
	long after = resident();
	printf("{\"credentials\": %zu, \"rss_before\": %ld, \"rss\": %ld, \"bytes_each\": %ld, "
	       "\"locked\": %s, \"seconds\": %.1f}\n",
	    xos_credd_sessions_count(s) - had, before, after, (after - before) / (long)want,
	    xos_credd_sessions_locked(s) ? "true" : "false", (double)took / 1000);
	xos_credd_sessions_free(s);
	free(dir);
	node_free(n);
	return 0;
}
