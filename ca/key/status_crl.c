/* Revocation lists. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/event.h"
#include "ca/key/status_internal.h"

/* --- what stands in one --- */

struct content {
	struct xos_crl_entry *entry;
	size_t n;
};

static bool belongs(const struct ca_token *t, unsigned part)
{
	return part == CA_CRL_ALL ||
	       xos_points_shard((struct xos_bytes){t->serial, t->nserial}) == part;
}

/* In the order of issuance, so that the same content has the same digest. Serials are borrowed. */
static enum xos_status collect(
    struct ca_key *k, unsigned part, int64_t now, struct content *c, struct xos_err *err)
{
	size_t total = ca_tokens_count(k->tokens), cap = 0;

	for (size_t i = 0; i < total; i++) {
		const struct ca_token *t = ca_tokens_at(k->tokens, i);
		const struct ca_cause *cause = ca_held_cause(k->status->held, t);

		/* Another issuer's stand in no list of this one's (RFC 5280 5). */
		if (!cause || t->delegation || t->not_after + CA_TOKENS_KEEP <= now ||
		    !belongs(t, part))
			continue;
		if (c->n == cap) {
			struct xos_crl_entry *more;

			cap = cap ? 2 * cap : 64;
			more = reallocarray(c->entry, cap, sizeof(*more));
			if (!more)
				return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
			c->entry = more;
		}
		c->entry[c->n++] =
		    (struct xos_crl_entry){{t->serial, t->nserial}, cause->since, cause->reason};
	}
	return XOS_OK;
}

static enum xos_status digest_of(
    const struct content *c, uint8_t digest[XOS_SHA256_LEN], struct xos_err *err)
{
	struct xos_sha256 *d = xos_sha256_new();
	enum xos_status st = d ? XOS_OK : XOS_INTERNAL;

	for (size_t i = 0; st == XOS_OK && i < c->n; i++) {
		xos_sha256_update(d, c->entry[i].serial);
		xos_sha256_update(
		    d, (struct xos_bytes){(const uint8_t *)&c->entry[i].since, sizeof(int64_t)});
	}
	if (st == XOS_OK)
		st = xos_sha256_final(d, digest);
	xos_sha256_free(d);
	return st == XOS_OK ? st : xos_err_set(err, st, "digest", "cannot hash");
}

/* --- signing --- */

/* The time of signing in microseconds, but never less than the one before: grows over restarts without
 * anything being kept. */
static uint64_t next_number(struct ca_status *s)
{
	struct timespec t = {0, 0};
	uint64_t n;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	n = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
	s->number = n > s->number ? n : s->number + 1;
	return s->number;
}

static enum xos_status sign(struct ca_key *k, struct ca_crl *crl, const char *uri,
    const struct content *c, int64_t now, struct xos_err *err)
{
	const struct xos_crl_fields f = {.this_update = now - CA_CRL_BACKDATE,
	    .next_update = now + CA_STATUS_LIFE,
	    .number = next_number(k->status),
	    .uri = uri,
	    .only_users = uri != NULL,
	    .entries = c->entry,
	    .n = c->n};
	struct xos_buf fresh;
	enum xos_status st;

	xos_buf_init(&fresh, XOS_CRL_MAX);
	st = xos_crl_sign(k->chain.cert[0], k->key, &f, &fresh, err);
	if (st != XOS_OK) {
		xos_buf_free(&fresh);
		return st;
	}
	xos_buf_free(&crl->der);
	crl->der = fresh;
	crl->signed_at = now;
	crl->next_update = f.next_update;
	return XOS_OK;
}

static bool fresh_enough(const struct ca_crl *crl, int64_t now)
{
	return crl->der.n && now >= crl->signed_at && now - crl->signed_at < CA_STATUS_REFRESH;
}

static enum xos_status renew(struct ca_key *k, struct ca_crl *crl, unsigned part, const char *uri,
    int64_t now, struct xos_err *err)
{
	uint8_t digest[XOS_SHA256_LEN] = {0};
	struct content c = {NULL, 0};
	enum xos_status st = collect(k, part, now, &c, err);

	if (st == XOS_OK)
		st = digest_of(&c, digest, err);
	if (st == XOS_OK &&
	    (!fresh_enough(crl, now) || memcmp(digest, crl->digest, sizeof(digest)) != 0)) {
		st = sign(k, crl, uri, &c, now, err);
		if (st == XOS_OK)
			memcpy(crl->digest, digest, sizeof(digest));
	}
	free(c.entry);
	if (st == XOS_OK)
		crl->version = ca_held_version(k->status->held);
	return st;
}

enum xos_status ca_handle_crl(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;
	struct ca_status *s = k->status;
	unsigned part = payload.n == 1 ? payload.p[0] : XOS_POINTS_SHARDS;
	bool all = part == CA_CRL_ALL;
	struct ca_crl *crl = all ? &s->all : &s->part[part % XOS_POINTS_SHARDS];
	int64_t now = xos_clock_now();
	enum xos_status st;

	(void)from;
	if (!all && (part >= XOS_POINTS_SHARDS || !s->points))
		return xos_err_set(
		    err, XOS_NOT_FOUND, "no-list", "there is no such part of the revocation list");
	st = ca_status_refresh(k, now, err);
	if (st == XOS_OK && (crl->version != ca_held_version(s->held) || !fresh_enough(crl, now)))
		st = renew(k, crl, part, all ? NULL : xos_points_crl(s->points, part), now, err);
	if (st != XOS_OK) {
		xos_event_err(XOS_ERROR, "crl.unsigned", err, (const char *)NULL);
		return st;
	}
	const struct ca_status_answer m = {.version = crl->version,
	    .this_update = crl->signed_at,
	    .next_update = crl->next_update,
	    .der = xos_buf_bytes(&crl->der)};
	ca_status_answer_put(reply, &m);
	return XOS_OK;
}
