/*
 * Clients of a node's decision point, each a thread with a connection that it keeps: how many decisions a second?
 * For bench/authorise.bash.
 *
 *   authorise-load --token FILE --member VO:NAME --node SITE/NODE --socket PATH --clients N --seconds S
 *
 * Prints one number, decisions a second. Each must be a permit: anything else ends it with exit 3.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "local/client.h"
#include "pki/cert.h"

#define CLIENTS_MAX 64

struct load {
	const char *token, *member, *node, *socket;
	unsigned clients, seconds;
	char request[1024];
	struct xos_chain chain;
	struct xos_bytes der[XOS_CHAIN_MAX];
	atomic_bool over;
};

struct client {
	struct load *load;
	pthread_t thread;
	uint64_t done;
	struct xos_err err; /* status OK: all were permits */
};

static enum xos_status ask(const struct load *l, struct xos_local *local, struct xos_err *err)
{
	struct xos_local_verdict v = {.json = NULL};
	enum xos_status st = xos_local_authorise(local, l->der, l->chain.n, l->request, &v, err);

	if (st == XOS_OK && v.decision != XOS_LOCAL_PERMIT)
		st = xos_err_set(err, XOS_DENIED, "no-permit", "%.200s", v.json);
	xos_local_verdict_free(&v);
	return st;
}

static void *run(void *arg)
{
	struct client *c = arg;
	const struct xos_local_options o = {.path = c->load->socket};
	struct xos_local *local = NULL;
	enum xos_status st = xos_local_new(&o, &local, &c->err);

	while (st == XOS_OK && !c->load->over) {
		st = ask(c->load, local, &c->err);
		c->done++;
	}
	xos_local_free(local);
	c->err.status = st;
	return NULL;
}

static bool options(struct load *l, int argc, char **argv)
{
	const struct {
		const char *name, **text;
		unsigned *number;
	} known[] = {{"--token", &l->token, NULL}, {"--member", &l->member, NULL},
	    {"--node", &l->node, NULL}, {"--socket", &l->socket, NULL},
	    {"--clients", NULL, &l->clients}, {"--seconds", NULL, &l->seconds}};
	size_t k;

	for (int i = 1; i + 1 < argc; i += 2) {
		for (k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			if (strcmp(argv[i], known[k].name) == 0)
				break;
		if (k == sizeof(known) / sizeof(known[0]))
			return false;
		if (known[k].text)
			*known[k].text = argv[i + 1];
		else
			*known[k].number = (unsigned)strtoul(argv[i + 1], NULL, 10);
	}
	return argc == 13 && l->token && l->member && l->node && l->socket && l->seconds &&
	       l->clients && l->clients <= CLIENTS_MAX;
}

static enum xos_status load_token(struct load *l, struct xos_err *err)
{
	struct xos_secret *pem = NULL;
	enum xos_status st = xos_file_read_secret(l->token, 1 << 20, &pem, err);

	if (st == XOS_OK)
		st = xos_chain_from_pem(
		    (struct xos_bytes){xos_secret_data(pem), xos_secret_len(pem)}, &l->chain, err);
	for (size_t i = 0; st == XOS_OK && i < l->chain.n; i++)
		l->der[i] = xos_cert_der(l->chain.cert[i]);
	xos_secret_free(pem);
	if (st == XOS_OK &&
	    !xos_str_printf(l->request, sizeof(l->request),
	        "{\"subject\":{\"type\":\"user\",\"id\":\"%s\"},\"action\":{\"name\":\"job."
	        "submit\"},"
	        "\"resource\":{\"type\":\"node\",\"id\":\"%s\"},\"context\":{\"job.wall\":60}}",
	        l->member, l->node))
		st = xos_err_set(err, XOS_LIMIT, "usage", "a name is too long");
	return st;
}

static enum xos_status measure(struct load *l, double *rate, struct xos_err *err)
{
	struct client c[CLIENTS_MAX];
	int64_t start = xos_clock_mono_ms();
	uint64_t done = 0;
	enum xos_status st = XOS_OK;
	unsigned n = 0;

	for (; n < l->clients; n++) {
		c[n] = (struct client){.load = l, .err = XOS_ERR_INIT};
		if (pthread_create(&c[n].thread, NULL, run, &c[n]) != 0)
			break;
	}
	nanosleep(&(struct timespec){.tv_sec = l->seconds}, NULL);
	l->over = true;
	for (unsigned i = 0; i < n; i++) {
		pthread_join(c[i].thread, NULL);
		done += c[i].done;
		if (c[i].err.status != XOS_OK) {
			*err = c[i].err;
			st = c[i].err.status;
		}
	}
	*rate = (double)done * 1000 / (double)(xos_clock_mono_ms() - start);
	if (n < l->clients)
		st = xos_err_set(err, XOS_UNAVAILABLE, "threads", "cannot start that many threads");
	return st;
}

int main(int argc, char **argv)
{
	static struct load l;
	struct xos_err err = XOS_ERR_INIT;
	double rate = 0;

	if (!options(&l, argc, argv)) {
		fprintf(stderr, "authorise-load: see the head of bench/authorise-load.c\n");
		return 2;
	}
	enum xos_status st = load_token(&l, &err);
	if (st == XOS_OK)
		st = measure(&l, &rate, &err);
	xos_chain_clear(&l.chain);
	if (st != XOS_OK) {
		fprintf(stderr, "authorise-load: %s\n", err.text);
		return 3;
	}
	printf("%.0f\n", rate);
	return 0;
}
