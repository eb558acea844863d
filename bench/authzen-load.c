/*
 * The same load on both sides of bench/authzen.bash: blocking clients, one thread and one TLS 1.3 connection each,
 * that send one request and read its answer, again and again, over keep-alive. wrk cannot show a client
 * certificate, which our side demands.
 *
 *   authzen-load --to HOST:PORT --path PATH [--body FILE] [--cert FILE --key FILE] [--clients N] [--seconds S]
 *
 * Prints {"rps": ..., "requests": ..., "failed": ..., "bytes": of one answer, "p50_us": ..., "p99_us": ...}.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 256
#define SAMPLES_MAX 200000
#define ANSWER_MAX (32 * 1024 * 1024)

static const char *to, *path = "/", *body_file, *cert, *key;
static unsigned clients = 1, seconds = 2;
static char *request;
static size_t request_len;
static SSL_CTX *ctx;
static atomic_bool over;

struct client {
	pthread_t thread;
	uint64_t requests, failed;
	size_t bytes;
	uint32_t *us;
	size_t n;
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int dial(void)
{
	char host[256];
	const char *colon = strrchr(to, ':');
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	int fd = -1, on = 1;

	if (!colon || (size_t)(colon - to) >= sizeof(host))
		return -1;
	memcpy(host, to, (size_t)(colon - to));
	host[colon - to] = '\0';
	if (getaddrinfo(host, colon + 1, &hints, &list) != 0)
		return -1;
	fd = socket(list->ai_family, SOCK_STREAM, 0);
	if (fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) != 0) {
		close(fd);
		fd = -1;
	}
	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	freeaddrinfo(list);
	return fd;
}

/* Reads one answer; its status, or -1. */
static int read_answer(SSL *ssl, char *buf, size_t cap, size_t *total)
{
	size_t n = 0, head = 0, want = 0;
	int status = -1;

	for (;;) {
		int got = SSL_read(ssl, buf + n, (int)(cap - 1 - n < 65536 ? cap - 1 - n : 65536));

		if (got <= 0)
			return -1;
		n += (size_t)got;
		if (!head) {
			buf[n] = '\0';
			char *end = strstr(buf, "\r\n\r\n");
			char *length = strcasestr(buf, "\r\ncontent-length:");

			if (!end)
				continue;
			if (!length || sscanf(buf, "HTTP/1.1 %d", &status) != 1)
				return -1;
			head = (size_t)(end - buf) + 4;
			want = head + strtoull(length + 17, NULL, 10);
			if (want >= cap)
				return -1;
		}
		if (n >= want) {
			*total = want - head;
			return status;
		}
	}
}

static void *run(void *arg)
{
	struct client *c = arg;
	char *buf = malloc(ANSWER_MAX);
	int fd = dial();
	SSL *ssl = SSL_new(ctx);

	if (!buf || fd < 0 || !ssl || SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1) {
		c->failed++;
		goto out;
	}
	while (!atomic_load(&over)) {
		int64_t start = now_us();

		if (SSL_write(ssl, request, (int)request_len) <= 0 ||
		    read_answer(ssl, buf, ANSWER_MAX, &c->bytes) != 200) {
			c->failed++;
			break;
		}
		c->requests++;
		if (c->n < SAMPLES_MAX)
			c->us[c->n++] = (uint32_t)(now_us() - start);
	}
out:
	SSL_free(ssl);
	if (fd >= 0)
		close(fd);
	free(buf);
	return NULL;
}

static bool make_request(void)
{
	char *body = NULL;
	size_t n = 0;
	FILE *f = body_file ? fopen(body_file, "r") : NULL;

	if (body_file && (!f || !(body = malloc(8 << 20))))
		return false;
	if (f) {
		n = fread(body, 1, 8 << 20, f);
		fclose(f);
	}
	request = malloc(n + 1024);
	if (!request)
		return false;
	int head = n ? snprintf(request, 1024,
	                   "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
	                   "Content-Length: %zu\r\n\r\n",
	                   path, to, n)
	             : snprintf(request, 1024, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, to);
	memcpy(request + head, body ? body : "", n);
	request_len = (size_t)head + n;
	free(body);
	return true;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void report(struct client *all, double took)
{
	uint64_t requests = 0, failed = 0;
	size_t n = 0, bytes = 0;
	uint32_t *us = malloc((size_t)clients * SAMPLES_MAX * sizeof(*us));

	for (unsigned i = 0; i < clients; i++) {
		requests += all[i].requests;
		failed += all[i].failed;
		bytes = all[i].bytes;
		if (us && all[i].us)
			memcpy(us + n, all[i].us, all[i].n * sizeof(*us));
		n += us ? all[i].n : 0;
	}
	if (us)
		qsort(us, n, sizeof(*us), by_value);
	printf("{\"rps\": %.1f, \"requests\": %llu, \"failed\": %llu, \"bytes\": %zu, "
	       "\"p50_us\": %u, \"p99_us\": %u}\n",
	    (double)requests / took, (unsigned long long)requests, (unsigned long long)failed,
	    bytes, us && n ? us[n / 2] : 0, us && n ? us[n - 1 - n / 100] : 0);
	free(us);
}

static bool options(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		const char *o = argv[i], *v = argv[i + 1];

		if (strcmp(o, "--to") == 0)
			to = v;
		else if (strcmp(o, "--path") == 0)
			path = v;
		else if (strcmp(o, "--body") == 0)
			body_file = v;
		else if (strcmp(o, "--cert") == 0)
			cert = v;
		else if (strcmp(o, "--key") == 0)
			key = v;
		else if (strcmp(o, "--clients") == 0)
			clients = (unsigned)strtoul(v, NULL, 10);
		else if (strcmp(o, "--seconds") == 0)
			seconds = (unsigned)strtoul(v, NULL, 10);
		else
			return false;
	}
	return argc % 2 == 1 && to && clients > 0 && clients <= CLIENTS_MAX && seconds > 0;
}

int main(int argc, char **argv)
{
	static struct client all[CLIENTS_MAX];

	if (!options(argc, argv) || !make_request()) {
		fprintf(stderr, "authzen-load: see the head of bench/authzen-load.c\n");
		return 2;
	}
	ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx || (cert && (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
	                         SSL_CTX_use_PrivateKey_file(
	                             ctx, key ? key : cert, SSL_FILETYPE_PEM) != 1))) {
		fprintf(stderr, "authzen-load: %s cannot be used\n", cert ? cert : "TLS");
		return 3;
	}
	int64_t start = now_us();
	for (unsigned i = 0; i < clients; i++) {
		all[i].us = malloc(SAMPLES_MAX * sizeof(uint32_t));
		if (!all[i].us || pthread_create(&all[i].thread, NULL, run, &all[i]) != 0)
			return 3;
	}
	sleep(seconds);
	atomic_store(&over, true);
	for (unsigned i = 0; i < clients; i++)
		pthread_join(all[i].thread, NULL);
	report(all, (double)(now_us() - start) / 1e6);
	return 0;
}
