/*
 * Many nodes' questions for bundles, from one process: connections of their own, each with the TLS certificate of a node,
 * and what they cost the network process of the policy service. For bench/refresh.bash.
 *
 *   refresh-load handshakes|answers|polls|change --to HOST:PORT --path PATH --cert FILE --key FILE --pid PID
 *       [--connections N] [--have SERIAL] [--wait S]
 *
 *   handshakes   N connections, one after the other, without a request
 *   answers      N questions on one connection, each answered at once: with --have by what is new since, else by all
 *   polls        N connections that all wait at once, until each is told that there is nothing new
 *   change       N connections that wait; "waiting" goes to standard error; ends a second after all were told what is
 *                new. Each asks again at once, as nodes do
 *
 * Prints one JSON object: CPU time of the process PID (all threads), bytes on the wire, its resident memory before and
 * with the connections and at its highest, in "change" when the answers came (nanoseconds since 1970).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 4096
#define QUIET_MS 1500

struct peer {
	SSL *ssl;
	int fd;
	char head[HEAD_MAX];
	size_t nhead;
	uint64_t left; /* of the body */
	bool in_body, told;
	int status;
	char etag[80];
	int64_t at;
};

static struct {
	const char *mode, *to, *path, *cert, *key, *have;
	unsigned pid, connections, wait;
} o = {.connections = 100, .wait = 30};

static SSL_CTX *ctx;
static uint64_t n200, n304, nother, body_bytes;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "refresh-load: %s: %s\n", what, strerror(errno));
	exit(3);
}

/* ---- the measured process ---- */

/* Of all threads; what has ended meanwhile is lost, but its threads do not end. */
static uint64_t cpu_ns(void)
{
	char path[300], line[128];
	uint64_t sum = 0;

	snprintf(path, sizeof(path), "/proc/%u/task", o.pid);
	DIR *d = opendir(path);
	if (!d)
		die(path);
	for (struct dirent *e; (e = readdir(d));) {
		snprintf(path, sizeof(path), "/proc/%u/task/%.20s/schedstat", o.pid, e->d_name);
		FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (f && fgets(line, sizeof(line), f))
			sum += strtoull(line, NULL, 10);
		if (f)
			fclose(f);
	}
	closedir(d);
	return sum;
}

static uint64_t memory_kib(const char *field)
{
	char path[64], line[256];
	uint64_t kib = 0;

	snprintf(path, sizeof(path), "/proc/%u/status", o.pid);
	FILE *f = fopen(path, "r");
	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, field, strlen(field)) == 0)
			kib = strtoull(line + strlen(field) + 1, NULL, 10);
	fclose(f);
	return kib;
}

/* VmHWM counts from here. */
static void forget_highest(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/clear_refs", o.pid);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "5", 1) != 1)
		die(path);
	close(fd);
}

/* ---- connections ---- */

static void dial(struct peer *p)
{
	char host[256];
	const char *colon = strrchr(o.to, ':');
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	int on = 1;

	snprintf(host, sizeof(host), "%.*s", colon ? (int)(colon - o.to) : 0, o.to);
	if (!colon || getaddrinfo(host, colon + 1, &hints, &list) != 0)
		die(o.to);
	p->fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->fd < 0 || connect(p->fd, list->ai_addr, list->ai_addrlen) != 0)
		die("connect");
	(void)setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	freeaddrinfo(list);
	p->ssl = SSL_new(ctx);
	if (!p->ssl || SSL_set_fd(p->ssl, p->fd) != 1 || SSL_connect(p->ssl) != 1)
		die("TLS");
}

static uint64_t wire(const struct peer *p)
{
	return BIO_number_read(SSL_get_rbio(p->ssl)) + BIO_number_written(SSL_get_wbio(p->ssl));
}

static void ask(struct peer *p, const char *have, bool quoted)
{
	char text[1024], match[120] = "";

	if (have && have[0])
		snprintf(match, sizeof(match),
		    quoted ? "If-None-Match: %.80s\r\n" : "If-None-Match: \"%.80s\"\r\n", have);
	int n = snprintf(text, sizeof(text), "GET %s&wait=%u HTTP/1.1\r\nHost: %s\r\n%s\r\n",
	    o.path, o.wait, o.to, match);
	p->nhead = 0;
	p->in_body = false;
	p->etag[0] = '\0';
	if (n < 0 || (size_t)n >= sizeof(text) || SSL_write(p->ssl, text, n) != n)
		die("write");
}

static bool read_head(struct peer *p)
{
	const char *length, *etag;

	p->head[p->nhead] = '\0';
	const char *end = strstr(p->head, "\r\n\r\n");
	if (!end)
		return false;
	if (strncmp(p->head, "HTTP/1.1 ", 9) != 0)
		die("not HTTP");
	p->status = (int)strtol(p->head + 9, NULL, 10);
	length = strcasestr(p->head, "\r\ncontent-length:");
	etag = strcasestr(p->head, "\r\netag: ");
	p->left = length ? strtoull(length + 17, NULL, 10) : 0;
	if (etag)
		(void)sscanf(etag + 8, "%79[^\r]", p->etag);
	body_bytes += p->left;
	p->left -= p->nhead - (size_t)(end + 4 - p->head);
	p->in_body = true;
	return true;
}

/* Takes what has come. True: one whole answer. */
static bool take(struct peer *p)
{
	static char sink[65536];

	while (!p->in_body || p->left) {
		int n = p->in_body
		            ? SSL_read(p->ssl, sink,
		                  (int)(p->left < sizeof(sink) ? p->left : sizeof(sink)))
		            : SSL_read(p->ssl, p->head + p->nhead, (int)(HEAD_MAX - 1 - p->nhead));
		if (n <= 0 && SSL_get_error(p->ssl, n) == SSL_ERROR_WANT_READ)
			return false;
		if (n <= 0)
			die("the server closed a connection");
		if (p->in_body) {
			p->left -= (uint64_t)n;
			continue;
		}
		p->nhead += (size_t)n;
		if (!read_head(p) && p->nhead == HEAD_MAX - 1)
			die("a head that is too long");
	}
	n200 += p->status == 200;
	n304 += p->status == 304;
	nother += p->status != 200 && p->status != 304;
	return true;
}

/* ---- what is measured ---- */

static struct peer *all;
static uint64_t before_kib, with_kib, cpu, bytes;

static void handshakes(void)
{
	uint64_t start = cpu_ns();

	for (unsigned i = 0; i < o.connections; i++) {
		struct peer p = {.fd = -1};

		dial(&p);
		bytes += wire(&p);
		SSL_free(p.ssl);
		close(p.fd);
	}
	cpu = cpu_ns() - start;
}

static void answers(void)
{
	dial(&all[0]);
	ask(&all[0], o.have, false); /* what is made once is made now */
	while (!take(&all[0]))
		;
	uint64_t start = cpu_ns(), from = wire(&all[0]);
	for (unsigned i = 0; i < o.connections; i++) {
		ask(&all[0], o.have, false);
		while (!take(&all[0]))
			;
	}
	cpu = cpu_ns() - start;
	bytes = wire(&all[0]) - from;
}

static int open_all(void)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);

	before_kib = memory_kib("VmRSS:");
	for (unsigned i = 0; i < o.connections; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data = {.u32 = i}};

		dial(&all[i]);
		if (fcntl(all[i].fd, F_SETFL, O_NONBLOCK) != 0 ||
		    epoll_ctl(ep, EPOLL_CTL_ADD, all[i].fd, &e) != 0)
			die("epoll");
	}
	return ep;
}

/* Ends when all were told and, in "change", nothing has come for a while. */
static void listen_all(int ep, bool again)
{
	struct epoll_event e[256];
	unsigned told = 0;

	for (;;) {
		int n = epoll_wait(ep, e, 256, again && told == o.connections ? QUIET_MS : 120000);

		if (n < 0)
			die("epoll_wait");
		if (n == 0 && told < o.connections)
			die("not all were answered");
		for (int i = 0; i < n; i++) {
			struct peer *p = &all[e[i].data.u32];

			if (!take(p))
				continue;
			if (!p->told) {
				p->told = true;
				p->at = now_ns();
				told++;
			}
			if (again && p->status == 200)
				ask(p, p->etag, true);
			else
				p->nhead = 0, p->in_body = false;
		}
		if (n == 0 || (!again && told == o.connections))
			return;
	}
}

static void waiting(bool again)
{
	int ep = open_all();

	for (unsigned i = 0; i < o.connections; i++)
		bytes -= wire(&all[i]);
	uint64_t start = cpu_ns();
	for (unsigned i = 0; i < o.connections; i++)
		ask(&all[i], o.have, false);
	sleep(1);
	with_kib = memory_kib("VmRSS:");
	forget_highest();
	if (again) {
		start = cpu_ns();
		fprintf(stderr, "waiting\n");
	}
	listen_all(ep, again);
	cpu = cpu_ns() - start;
	for (unsigned i = 0; i < o.connections; i++)
		bytes += wire(&all[i]);
	close(ep);
}

static int by_time(const void *a, const void *b)
{
	const struct peer *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static void report(void)
{
	printf("{\"n\": %u, \"cpu_us\": %.1f, \"bytes\": %.1f, \"answers\": {\"200\": %" PRIu64
	       ", \"304\": %" PRIu64 ", \"other\": %" PRIu64 "}, \"body\": %.1f",
	    o.connections, (double)cpu / 1000 / o.connections, (double)bytes / o.connections, n200,
	    n304, nother, n200 ? (double)body_bytes / (double)n200 : 0);
	if (with_kib)
		printf(", \"before_kib\": %" PRIu64 ", \"with_kib\": %" PRIu64
		       ", \"highest_kib\": %" PRIu64,
		    before_kib, with_kib, memory_kib("VmHWM:"));
	if (strcmp(o.mode, "change") == 0) {
		qsort(all, o.connections, sizeof(*all), by_time);
		printf(", \"first\": %lld, \"median\": %lld, \"last\": %lld", (long long)all[0].at,
		    (long long)all[o.connections / 2].at, (long long)all[o.connections - 1].at);
	}
	printf("}\n");
}

static bool options(int argc, char **argv)
{
	o.mode = argc > 1 ? argv[1] : "";
	for (int i = 2; i + 1 < argc; i += 2) {
		const char *name = argv[i], *v = argv[i + 1];

		if (strcmp(name, "--to") == 0)
			o.to = v;
		else if (strcmp(name, "--path") == 0)
			o.path = v;
		else if (strcmp(name, "--cert") == 0)
			o.cert = v;
		else if (strcmp(name, "--key") == 0)
			o.key = v;
		else if (strcmp(name, "--have") == 0)
			o.have = v;
		else if (strcmp(name, "--pid") == 0)
			o.pid = (unsigned)strtoul(v, NULL, 10);
		else if (strcmp(name, "--connections") == 0)
			o.connections = (unsigned)strtoul(v, NULL, 10);
		else if (strcmp(name, "--wait") == 0)
			o.wait = (unsigned)strtoul(v, NULL, 10);
		else
			return false;
	}
	return argc % 2 == 0 && o.to && o.path && o.cert && o.key && o.pid && o.connections;
}

int main(int argc, char **argv)
{
	if (!options(argc, argv)) {
		fprintf(stderr, "refresh-load: see the head of bench/refresh-load.c\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	all = calloc(o.connections, sizeof(*all));
	ctx = SSL_CTX_new(TLS_client_method());
	if (!all || !ctx || SSL_CTX_use_certificate_chain_file(ctx, o.cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, o.key, SSL_FILETYPE_PEM) != 1)
		die(o.cert);
	if (strcmp(o.mode, "handshakes") == 0)
		handshakes();
	else if (strcmp(o.mode, "answers") == 0)
		answers();
	else
		waiting(strcmp(o.mode, "change") == 0);
	report();
	return 0;
}
