#include "rca/pace.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "rca/guess.h"

#define ENTRIES 1024
#define HOUR 3600

struct entry {
	uint8_t key[RCA_PEER_KEY];
	unsigned n;
	int64_t since;
};

struct rca_pace {
	pthread_mutex_t lock;
	struct entry e[ENTRIES];
};

struct rca_pace *rca_pace_new(void)
{
	struct rca_pace *p = calloc(1, sizeof(*p));

	if (p)
		pthread_mutex_init(&p->lock, NULL);
	return p;
}

void rca_pace_free(struct rca_pace *p)
{
	if (!p)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* Its own entry, else the one that is missed least: over, or with the fewest. */
static struct entry *find(struct rca_pace *p, const uint8_t key[RCA_PEER_KEY], int64_t now)
{
	struct entry *least = &p->e[0];

	for (size_t i = 0; i < ENTRIES; i++) {
		struct entry *e = &p->e[i];

		if (e->n && now - e->since >= HOUR)
			e->n = 0;
		if (e->n && memcmp(e->key, key, RCA_PEER_KEY) == 0)
			return e;
		if (e->n < least->n)
			least = e;
	}
	memcpy(least->key, key, RCA_PEER_KEY);
	least->n = 0;
	least->since = now;
	return least;
}

enum xos_status rca_pace_take(
    struct rca_pace *p, const char *peer, int64_t now_s, struct xos_err *err)
{
	uint8_t key[RCA_PEER_KEY];
	bool free_place = false;

	rca_peer_key(peer, key);
	pthread_mutex_lock(&p->lock);
	struct entry *e = find(p, key, now_s);
	if (e->n < RCA_PACE_HOUR) {
		e->n++;
		free_place = true;
	}
	pthread_mutex_unlock(&p->lock);
	return free_place ? XOS_OK
	                  : xos_err_set(err, XOS_LIMIT, "applications-address",
	                        "%d applications came from your address within an hour: try again "
	                        "later, or ask "
	                        "whoever approves nodes for a code",
	                        RCA_PACE_HOUR);
}
