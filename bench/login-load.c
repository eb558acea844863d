/*
 * Log-ins from many clients at once, in one process: how many a second, and how long each took. Each client is a
 * thread with a connection of its own, which is kept; every log-in makes a new key, proves the password and
 * verifies the token. Also the load of tests: --serials names a file for the serial of every token that was
 * given out. See bench/README.md.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/cad.h"
#include "base/clock.h"
#include "base/text.h"
#include "service/verifier.h"

#define CLIENTS_MAX 256
#define SAMPLES_MAX 200000 /* of one client */

struct options {
	const char *url, *trust, *vo, *member, *serials;
	uint64_t members, clients, seconds, count, seed;
	bool keep_going, fresh;
};

struct client {
	const struct options *o;
	const struct xos_trust *trust;
	struct xos_secret *password;
	const struct xos_verifier *verifier;
	FILE *serials;
	atomic_int_fast64_t *left; /* log-ins that may still begin */
	int64_t until_ms;
	uint64_t draw;
	int64_t *micros;
	size_t n, refused;
	struct xos_err err; /* of the last refusal */
	pthread_t thread;
};

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static uint64_t draw(struct client *c)
{
	c->draw = c->draw * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return c->draw >> 33;
}

static enum xos_status connect_client(
    struct client *c, struct xos_client **out, struct xos_err *err)
{
	const struct xos_client_options o = {
	    .base = c->o->url, .verifier = c->verifier, .body_max = XOS_CAD_ANSWER_MAX};

	if (*out && !c->o->fresh)
		return XOS_OK;
	xos_client_free(*out);
	*out = NULL;
	return xos_client_new(&o, out, err);
}

static enum xos_status one(struct client *c, struct xos_client **http, struct xos_err *err)
{
	char name[XOS_MEMBER_MAX + 1];
	struct xos_cad_login login = {
	    .vo = c->o->vo, .member = c->o->member, .password = c->password, .trust = c->trust};
	struct xos_cad_login_result r = {.token = NULL};
	int64_t from = now_us();
	enum xos_status st;

	if (!login.member) {
		xos_str_printf(
		    name, sizeof(name), "m%llu", 1 + (unsigned long long)(draw(c) % c->o->members));
		login.member = name;
	}
	st = connect_client(c, http, err);
	if (st == XOS_OK)
		st = xos_cad_login(*http, &login, &r, err);
	if (st == XOS_OK && c->n < SAMPLES_MAX)
		c->micros[c->n++] = now_us() - from;
	if (st == XOS_OK && c->serials) {
		fprintf(c->serials, "%s\n", xos_cert_serial_text(r.chain.cert[0]));
		fflush(c->serials);
	}
	xos_cad_login_clear(&r);
	return st;
}

static void *run(void *arg)
{
	struct client *c = arg;
	struct xos_client *http = NULL;

	while (xos_clock_mono_ms() < c->until_ms) {
		struct xos_err err = XOS_ERR_INIT;

		if (atomic_fetch_sub(c->left, 1) <= 0)
			break;
		if (one(c, &http, &err) == XOS_OK)
			continue;
		c->refused++;
		c->err = err;
		if (!c->o->keep_going)
			break;
		/* A server that is being started again refuses at once: not a storm of refusals. */
		(void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	xos_client_free(http);
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void report(const struct options *o, const struct client *clients, int64_t took_us)
{
	int64_t *all = calloc(o->clients * SAMPLES_MAX, sizeof(*all));
	size_t n = 0, refused = 0;

	if (!all)
		return;
	for (size_t i = 0; i < o->clients; i++) {
		memcpy(all + n, clients[i].micros, clients[i].n * sizeof(*all));
		n += clients[i].n;
		refused += clients[i].refused;
	}
	qsort(all, n, sizeof(*all), by_value);
	printf("{\"clients\": %llu, \"logins\": %zu, \"refused\": %zu, \"seconds\": %.2f, "
	       "\"per_second\": %.1f, \"p50_ms\": %.2f, \"p99_ms\": %.2f}\n",
	    (unsigned long long)o->clients, n, refused, (double)took_us / 1e6,
	    (double)n * 1e6 / (double)took_us, n ? (double)all[n / 2] / 1e3 : 0,
	    n ? (double)all[n * 99 / 100] / 1e3 : 0);
	free(all);
}

static int load(const struct options *o, const struct xos_trust *trust,
    const struct xos_verifier *verifier, struct xos_secret *password, FILE *serials)
{
	struct client *clients = calloc(o->clients, sizeof(*clients));
	atomic_int_fast64_t left = o->count ? (int64_t)o->count : INT64_MAX / 2;
	int64_t from = now_us();
	int status = 0;

	if (!clients)
		return 3;
	for (size_t i = 0; i < o->clients; i++) {
		struct client *c = &clients[i];

		*c = (struct client){.o = o,
		    .trust = trust,
		    .password = password,
		    .verifier = verifier,
		    .serials = serials,
		    .left = &left,
		    .draw = o->seed + i * 7919,
		    .until_ms = xos_clock_mono_ms() + 1000 * (int64_t)o->seconds};
		c->micros = calloc(SAMPLES_MAX, sizeof(*c->micros));
		if (!c->micros || pthread_create(&c->thread, NULL, run, c) != 0)
			exit(3);
	}
	for (size_t i = 0; i < o->clients; i++) {
		pthread_join(clients[i].thread, NULL);
		if (clients[i].refused && !o->keep_going && !status) {
			fprintf(stderr, "login-load: %s\n", clients[i].err.text);
			status = 1;
		}
	}
	report(o, clients, now_us() - from);
	for (size_t i = 0; i < o->clients; i++)
		free(clients[i].micros);
	free(clients);
	return status;
}

static int usage(void)
{
	fprintf(stderr,
	    "login-load --url URL --trust FOLDER --vo VO (--members N | --member NAME) [--clients "
	    "N]\n"
	    "           [--seconds N] [--count N] [--serials FILE] [--keep-going] [--fresh] "
	    "[--seed N]\n"
	    "The password is read from standard input. --members draws from m1 to mN; --fresh "
	    "makes a\n"
	    "new connection for each log-in; --keep-going counts refusals instead of ending.\n");
	return 2;
}

static bool take(struct options *o, int argc, char **argv)
{
	static const struct option all[] = {{"url", 1, NULL, 'u'}, {"trust", 1, NULL, 't'},
	    {"vo", 1, NULL, 'v'}, {"members", 1, NULL, 'm'}, {"member", 1, NULL, 'M'},
	    {"clients", 1, NULL, 'c'}, {"seconds", 1, NULL, 's'}, {"count", 1, NULL, 'n'},
	    {"serials", 1, NULL, 'o'}, {"keep-going", 0, NULL, 'k'}, {"fresh", 0, NULL, 'f'},
	    {"seed", 1, NULL, 'r'}, {NULL, 0, NULL, 0}};
	const char **texts[] = {['u'] = &o->url,
	    ['t'] = &o->trust,
	    ['v'] = &o->vo,
	    ['M'] = &o->member,
	    ['o'] = &o->serials};
	uint64_t *numbers[] = {['m'] = &o->members,
	    ['c'] = &o->clients,
	    ['s'] = &o->seconds,
	    ['n'] = &o->count,
	    ['r'] = &o->seed};
	int c;

	while ((c = getopt_long(argc, argv, "", all, NULL)) != -1) {
		if (c == 'k')
			o->keep_going = true;
		else if (c == 'f')
			o->fresh = true;
		else if (strchr("utvMo", c))
			*texts[c] = optarg;
		else if (!strchr("mcsnr", c) || !xos_parse_u64(optarg, 1000000000, numbers[c]))
			return false;
	}
	return optind == argc && o->url && o->trust && o->vo && (o->members || o->member) &&
	       o->clients >= 1 && o->clients <= CLIENTS_MAX;
}

int main(int argc, char **argv)
{
	struct options o = {.clients = 1, .seconds = 3600, .seed = 1};
	struct xos_service_verifier_options v = {.kinds = XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .service = "ca",
	    .peer_is_server = true,
	    .skew = 300};
	struct xos_service_verifier *verifier = NULL;
	struct xos_trust *trust = xos_trust_new();
	struct xos_err err = XOS_ERR_INIT;
	char line[1024];
	int status = 3;

	if (!take(&o, argc, argv) || !fgets(line, sizeof(line), stdin))
		return usage();
	line[strcspn(line, "\n")] = '\0';
	v.vo = o.vo;
	struct xos_secret *password = xos_secret_from(line, strlen(line));
	FILE *serials = o.serials ? fopen(o.serials, "w") : NULL;
	if (trust && password && (!o.serials || serials) &&
	    xos_trust_load(trust, o.trust, &err) == XOS_OK &&
	    xos_service_verifier_new(trust, &v, &verifier, &err) == XOS_OK)
		status = load(&o, trust, xos_service_verifier_get(verifier), password, serials);
	else
		fprintf(stderr, "login-load: %s\n", err.text);
	if (serials)
		fclose(serials);
	xos_service_verifier_free(verifier);
	xos_secret_free(password);
	xos_trust_free(trust);
	return status;
}
