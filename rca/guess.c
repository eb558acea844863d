#include "rca/guess.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define ENTRIES 1024
#define FREE 10      /* failures of one address that cost nothing */
#define WAIT_MAX 900 /* seconds; doubled with each failure up to here */
#define FORGET 3600
#define ALL_MAX 300 /* failures of all addresses in a minute */

struct entry {
	uint8_t key[RCA_PEER_KEY]; /* family, and the address or its network */
	unsigned failures;
	int64_t last, until;
};

struct rca_guess {
	struct entry e[ENTRIES];
	int64_t minute;
	unsigned all;
};

struct rca_guess *rca_guess_new(void)
{
	return calloc(1, sizeof(struct rca_guess));
}

void rca_guess_free(struct rca_guess *g)
{
	free(g);
}

void rca_peer_key(const char *peer, uint8_t key[RCA_PEER_KEY])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN + 1] = "";
	struct in6_addr six;
	struct in_addr four;
	bool bracket = peer[0] == '[';
	size_t len = bracket ? strcspn(peer, "]%") - 1 : strcspn(peer, ":");

	memset(key, 0, RCA_PEER_KEY);
	if (len < sizeof(text))
		memcpy(text, peer + bracket, len);
	if (inet_pton(AF_INET, text, &four) == 1) {
		key[0] = 4;
		memcpy(key + 1, &four, sizeof(four));
	} else if (inet_pton(AF_INET6, text, &six) == 1) {
		bool four_in_six = memcmp(six.s6_addr, mapped, sizeof(mapped)) == 0;

		key[0] = four_in_six ? 4 : 6;
		memcpy(key + 1, six.s6_addr + (four_in_six ? 12 : 0), four_in_six ? 4 : 8);
	}
}

static const struct entry *find(const struct rca_guess *g, const uint8_t key[RCA_PEER_KEY])
{
	for (size_t i = 0; i < ENTRIES; i++)
		if (g->e[i].failures && memcmp(g->e[i].key, key, RCA_PEER_KEY) == 0)
			return &g->e[i];
	return NULL;
}

enum xos_status rca_guess_check(
    const struct rca_guess *g, const char *address, int64_t now, struct xos_err *err)
{
	uint8_t key[RCA_PEER_KEY];
	char wait[XOS_TIME_TEXT];
	int64_t until = 0;

	rca_peer_key(address, key);
	const struct entry *e = find(g, key);
	/* A clock that was set back must not make the wait longer than it can be. */
	if (e && e->until - now <= WAIT_MAX)
		until = e->until;
	if (g->all >= ALL_MAX && g->minute == now / 60)
		until = until > (g->minute + 1) * 60 ? until : (g->minute + 1) * 60;
	if (until <= now)
		return XOS_OK;
	xos_duration_format(until - now, wait);
	return xos_err_set(err, XOS_LIMIT, "join-throttled",
	    "too many codes that admit nothing: try again in %s", wait);
}

/* Which of two gives way to a new one: as ca/auth/throttle.c, so that a flood does not forgive whoever failed often. */
static bool gives_way(const struct entry *x, const struct entry *y, int64_t now)
{
	bool old_x = !x->failures || now - x->last > FORGET;
	bool old_y = !y->failures || now - y->last > FORGET;

	if (old_x != old_y)
		return old_x;
	return x->failures != y->failures ? x->failures < y->failures : x->last < y->last;
}

void rca_guess_failed(struct rca_guess *g, const char *address, int64_t now)
{
	uint8_t key[RCA_PEER_KEY];
	struct entry *e = NULL;

	rca_peer_key(address, key);
	for (size_t i = 0; i < ENTRIES && !e; i++)
		if (g->e[i].failures && memcmp(g->e[i].key, key, RCA_PEER_KEY) == 0)
			e = &g->e[i];
	if (!e) {
		e = &g->e[0];
		for (size_t i = 1; i < ENTRIES; i++)
			if (gives_way(&g->e[i], e, now))
				e = &g->e[i];
		memset(e, 0, sizeof(*e));
	} else if (now - e->last > FORGET) {
		memset(e, 0, sizeof(*e));
	}
	memcpy(e->key, key, RCA_PEER_KEY);
	e->failures++;
	e->last = now;
	if (e->failures >= FREE) {
		unsigned over = e->failures - FREE;

		e->until = now + (over >= 9 ? WAIT_MAX : (int64_t)2 << over);
		if (e->until > now + WAIT_MAX)
			e->until = now + WAIT_MAX;
	}
	if (g->minute != now / 60)
		g->all = 0;
	g->minute = now / 60;
	g->all++;
}
