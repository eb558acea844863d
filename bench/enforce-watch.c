/*
 * Asks the decision points of several nodes, over and over, whether a member may submit a job, until each gives the
 * answer that is waited for. For bench/enforce.bash.
 *
 *   enforce-watch --token FILE --member VO:NAME --for permit|deny --seconds S SITE/NODE=SOCKET...
 *
 * Prints {"SITE/NODE": nanoseconds since 1970, ...}: when the answer came. A line "watching" goes to standard error
 * after the first round. Exit 3: not all gave it in time.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "local/client.h"
#include "pki/cert.h"

#define NODES_MAX 16
#define PAUSE_NS 2000000

struct node {
	char name[256], request[1024];
	struct xos_local *local;
	int64_t at; /* 0: not yet */
};

struct watch {
	const char *token, *member, *wanted;
	unsigned seconds;
	struct node node[NODES_MAX];
	size_t n;
	struct xos_chain chain;
	struct xos_bytes der[XOS_CHAIN_MAX];
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool add_node(struct watch *w, const char *text, struct xos_err *err)
{
	struct node *n = &w->node[w->n];
	const char *eq = strchr(text, '=');

	if (!eq || w->n == NODES_MAX || (size_t)(eq - text) >= sizeof(n->name))
		return false;
	memcpy(n->name, text, (size_t)(eq - text));
	bool fits = xos_str_printf(n->request, sizeof(n->request),
	    "{\"subject\":{\"type\":\"user\",\"id\":\"%s\"},\"action\":{\"name\":\"job.submit\"},"
	    "\"resource\":{\"type\":\"node\",\"id\":\"%s\"},\"context\":{\"job.wall\":60}}",
	    w->member, n->name);
	const struct xos_local_options o = {.path = eq + 1, .other_user = false};
	if (!fits || xos_local_new(&o, &n->local, err))
		return false;
	w->n++;
	return true;
}

static bool options(struct watch *w, int argc, char **argv, struct xos_err *err)
{
	int i = 1;

	for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
		if (strcmp(argv[i], "--token") == 0)
			w->token = argv[i + 1];
		else if (strcmp(argv[i], "--member") == 0)
			w->member = argv[i + 1];
		else if (strcmp(argv[i], "--for") == 0)
			w->wanted = argv[i + 1];
		else if (strcmp(argv[i], "--seconds") == 0)
			w->seconds = (unsigned)strtoul(argv[i + 1], NULL, 10);
		else
			return false;
	}
	if (!w->token || !w->member || !w->wanted || !w->seconds || i == argc)
		return false;
	for (; i < argc; i++)
		if (!add_node(w, argv[i], err))
			return false;
	return true;
}

static enum xos_status load(struct watch *w, struct xos_err *err)
{
	struct xos_secret *pem = NULL;
	enum xos_status st = xos_file_read_secret(w->token, 1 << 20, &pem, err);

	if (st == XOS_OK)
		st = xos_chain_from_pem(
		    (struct xos_bytes){xos_secret_data(pem), xos_secret_len(pem)}, &w->chain, err);
	for (size_t i = 0; st == XOS_OK && i < w->chain.n; i++)
		w->der[i] = xos_cert_der(w->chain.cert[i]);
	xos_secret_free(pem);
	return st;
}

/* A node that cannot be asked has given no answer. */
static bool says(const struct watch *w, const struct node *n)
{
	struct xos_local_verdict v = {.json = NULL};
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status st =
	    xos_local_authorise(n->local, w->der, w->chain.n, n->request, &v, &err);
	bool permit = st == XOS_OK && v.decision == XOS_LOCAL_PERMIT;
	bool deny = st == XOS_DENIED || (st == XOS_OK && v.decision == XOS_LOCAL_DENY);

	if (st == XOS_OK)
		xos_local_verdict_free(&v);
	return strcmp(w->wanted, "permit") == 0 ? permit : deny;
}

static bool watch(struct watch *w)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	int64_t end = now_ns() + (int64_t)w->seconds * 1000000000;
	size_t left = w->n;

	for (bool first = true; left && now_ns() < end; first = false) {
		for (size_t i = 0; i < w->n; i++) {
			if (w->node[i].at || !says(w, &w->node[i]))
				continue;
			w->node[i].at = now_ns();
			left--;
		}
		if (first)
			fprintf(stderr, "watching\n");
		nanosleep(&pause, NULL);
	}
	return left == 0;
}

int main(int argc, char **argv)
{
	static struct watch w;
	struct xos_err err = XOS_ERR_INIT;

	if (!options(&w, argc, argv, &err)) {
		fprintf(stderr, "enforce-watch: see the head of bench/enforce-watch.c\n");
		return 2;
	}
	if (load(&w, &err) != XOS_OK) {
		fprintf(stderr, "enforce-watch: %s\n", err.text);
		return 3;
	}
	bool all = watch(&w);
	for (size_t i = 0; i < w.n; i++)
		printf("%s\"%s\": %lld", i ? ", " : "{", w.node[i].name, (long long)w.node[i].at);
	printf("}\n");
	for (size_t i = 0; i < w.n; i++)
		xos_local_free(w.node[i].local);
	xos_chain_clear(&w.chain);
	return all ? 0 : 3;
}
