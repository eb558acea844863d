#include "ca/auth/throttle.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "pki/digest.h"

#define ENTRIES 4096
#define FORGET 3600 /* seconds without a failure after which a count starts anew */

/* SCOPE_SECOND is by itself: those before it are for the first factor. */
enum scope { SCOPE_PAIR, SCOPE_ADDRESS, SCOPE_MEMBER, SCOPE_SECOND, SCOPES };

/* How many failures are free, and how long the wait may become. The member's own is short: nobody
 * shall be able to lock a member out for long by failing in the member's name. */
static const struct {
	unsigned free;
	int64_t wait_max;
} rule[SCOPES] = {{5, 900}, {50, 900}, {25, 30}, {5, 900}};

struct entry {
	uint8_t key[16]; /* a digest: what a stranger typed is not kept */
	unsigned failures;
	int64_t last, until;
};

struct ca_throttle {
	struct entry e[ENTRIES];
};

struct ca_throttle *ca_throttle_new(void)
{
	return calloc(1, sizeof(struct ca_throttle));
}

void ca_throttle_free(struct ca_throttle *t)
{
	free(t);
}

void ca_throttle_address(const char *address, char out[CA_SCOPE_MAX])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char bare[CA_SCOPE_MAX], text[INET6_ADDRSTRLEN];
	struct in6_addr a;
	size_t n = strlen(address);

	snprintf(out, CA_SCOPE_MAX, "%s", address);
	if (n < 3 || n >= sizeof(bare) || address[0] != '[' || address[n - 1] != ']')
		return;
	memcpy(bare, address + 1, n - 2);
	bare[n - 2] = '\0';
	bare[strcspn(bare, "%")] = '\0';
	if (inet_pton(AF_INET6, bare, &a) != 1)
		return;
	if (memcmp(a.s6_addr, mapped, sizeof(mapped)) == 0) {
		if (inet_ntop(AF_INET, a.s6_addr + sizeof(mapped), text, sizeof(text)))
			snprintf(out, CA_SCOPE_MAX, "%s", text);
		return;
	}
	memset(a.s6_addr + 8, 0, 8);
	if (inet_ntop(AF_INET6, &a, text, sizeof(text)))
		snprintf(out, CA_SCOPE_MAX, "%s/64", text);
}

static void make_key(enum scope scope, const char *member, const char *address, uint8_t key[16])
{
	uint8_t digest[XOS_SHA256_LEN];
	char counted[CA_SCOPE_MAX];
	uint8_t tag = (uint8_t)scope;
	struct xos_bytes parts[4] = {
	    {&tag, 1}, XOS_BYTES_NONE, {(const uint8_t *)"\n", 1}, XOS_BYTES_NONE};

	if (scope != SCOPE_ADDRESS)
		parts[1] = xos_bytes_str(member);
	ca_throttle_address(address, counted);
	if (scope != SCOPE_MEMBER)
		parts[3] = xos_bytes_str(counted);
	if (xos_sha256_parts(parts, 4, digest) != XOS_OK)
		memset(digest, tag + 1, sizeof(digest)); /* one count for all: slower, not open */
	memcpy(key, digest, 16);
}

static struct entry *find(struct ca_throttle *t, const uint8_t key[16])
{
	for (size_t i = 0; i < ENTRIES; i++)
		if (t->e[i].failures && memcmp(t->e[i].key, key, 16) == 0)
			return &t->e[i];
	return NULL;
}

/* Which of two gives way to a new one: free, forgotten, fewer failures, older. Not simply the older: a
 * flood under made-up names, with one failure each, would else forgive those who have many. */
static bool gives_way(const struct entry *x, const struct entry *y, int64_t now)
{
	bool fx = !x->failures || now - x->last > FORGET,
	     fy = !y->failures || now - y->last > FORGET;

	if (fx != fy)
		return fx;
	return x->failures != y->failures ? x->failures < y->failures : x->last < y->last;
}

static struct entry *find_or_take(struct ca_throttle *t, const uint8_t key[16], int64_t now)
{
	struct entry *e = find(t, key);

	if (e && now - e->last <= FORGET)
		return e;
	if (!e) {
		e = &t->e[0];
		for (size_t i = 1; i < ENTRIES && e->failures; i++)
			if (gives_way(&t->e[i], e, now))
				e = &t->e[i];
	}
	memset(e, 0, sizeof(*e));
	memcpy(e->key, key, 16);
	return e;
}

enum xos_status ca_throttle_check(struct ca_throttle *t, const char *member, const char *address,
    int64_t now, struct xos_err *err)
{
	int64_t until = 0;
	char text[XOS_TIME_TEXT];

	for (int s = 0; s < SCOPE_SECOND; s++) {
		uint8_t key[16];
		struct entry *e;

		make_key(s, member, address, key);
		e = find(t, key);
		/* A clock that was set back must not make the wait longer than it can be. */
		if (e && e->until > until && e->until - now <= rule[s].wait_max)
			until = e->until;
	}
	if (until <= now)
		return XOS_OK;
	xos_duration_format(until - now, text);
	return xos_err_set(err, XOS_LIMIT, "login-throttled",
	    "too many failed log-ins as %s from %s: try again in %s", member, address, text);
}

static void count(
    struct ca_throttle *t, enum scope s, const char *member, const char *address, int64_t now)
{
	uint8_t key[16];
	struct entry *e;
	unsigned over;

	make_key(s, member, address, key);
	e = find_or_take(t, key, now);
	e->failures++;
	e->last = now;
	if (e->failures < rule[s].free)
		return;
	over = e->failures - rule[s].free;
	e->until = now + (over >= 9 ? rule[s].wait_max : (int64_t)2 << over);
	if (e->until > now + rule[s].wait_max)
		e->until = now + rule[s].wait_max;
}

void ca_throttle_failed(struct ca_throttle *t, const char *member, const char *address, int64_t now)
{
	for (int s = 0; s < SCOPE_SECOND; s++)
		count(t, s, member, address, now);
}

enum xos_status ca_throttle_second_check(
    struct ca_throttle *t, const char *member, int64_t now, struct xos_err *err)
{
	char text[XOS_TIME_TEXT];
	uint8_t key[16];
	struct entry *e;

	make_key(SCOPE_SECOND, member, "", key);
	e = find(t, key);
	if (!e || e->until <= now || e->until - now > rule[SCOPE_SECOND].wait_max)
		return XOS_OK;
	xos_duration_format(e->until - now, text);
	return xos_err_set(err, XOS_LIMIT, "totp-throttled",
	    "too many wrong codes of the second factor of %s: try again in %s; if it was not you, "
	    "somebody knows your password",
	    member, text);
}

void ca_throttle_second_failed(struct ca_throttle *t, const char *member, int64_t now)
{
	count(t, SCOPE_SECOND, member, "", now);
}

void ca_throttle_second_passed(struct ca_throttle *t, const char *member)
{
	uint8_t key[16];
	struct entry *e;

	make_key(SCOPE_SECOND, member, "", key);
	e = find(t, key);
	if (e)
		memset(e, 0, sizeof(*e));
}

void ca_throttle_passed(struct ca_throttle *t, const char *member, const char *address)
{
	uint8_t key[16];
	struct entry *e;

	make_key(SCOPE_PAIR, member, address, key);
	e = find(t, key);
	if (e)
		memset(e, 0, sizeof(*e));
}
