/* Which tokens are held: the picture of the membership against the tokens. */
#include "ca/key/held.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/key/held_internal.h"

/* The roster may change by time alone: so often it is read though nobody changed anything. */
#define READ_EVERY 60

struct ca_held {
	struct ca_picture now;
	uint64_t version, locks, roster; /* the latter two: of the membership */
	int64_t read;
};

struct ca_held *ca_held_new(void)
{
	return calloc(1, sizeof(struct ca_held));
}

void ca_held_free(struct ca_held *h)
{
	if (!h)
		return;
	ca_picture_clear(&h->now);
	free(h);
}

uint64_t ca_held_version(const struct ca_held *h)
{
	return h->version;
}

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

/* --- judging; causes are counted from 1 here, 0 is none --- */

static uint32_t find_lock(const struct ca_picture *p, enum xos_lock_kind kind, const char *name)
{
	struct xos_lock key = {.kind = kind};
	const struct xos_lock *hit;

	if (!p->nlocks || !xos_str_copy(key.name, sizeof(key.name), name))
		return 0;
	hit = bsearch(&key, p->lock, p->nlocks, sizeof(key), ca_picture_cmp_lock);
	return hit ? (uint32_t)(hit - p->lock) + 1 : 0;
}

/* A group or role: itself, its group, or a group above. A grant: itself, or the job of that name. */
static uint32_t judge_name(const struct ca_picture *p, const char *fqan)
{
	char group[XOS_FQAN_MAX + 1];
	const char *role = NULL, *grant = fqan + sizeof(CA_NAME_GRANT) - 1;
	size_t len = strlen(fqan);
	uint32_t hit = 0;

	if (strncmp(fqan, CA_NAME_GRANT, sizeof(CA_NAME_GRANT) - 1) == 0) {
		hit = find_lock(p, XOS_LOCK_GRANT, grant);
		return hit ? hit : find_lock(p, XOS_LOCK_JOB, grant);
	}
	if (xos_role_split(fqan, &len, &role))
		hit = find_lock(p, XOS_LOCK_ROLE, fqan);
	if (hit || len > XOS_FQAN_MAX)
		return hit;
	memcpy(group, fqan, len);
	group[len] = '\0';
	while (group[0] && !hit) {
		char *slash = strrchr(group, '/');

		hit = find_lock(p, XOS_LOCK_GROUP, group);
		if (!slash)
			break;
		*slash = '\0';
	}
	return hit;
}

static uint32_t judge_token(const struct ca_picture *p, const struct ca_token *k, uint32_t by_set)
{
	const struct ca_held_member *member = ca_picture_member(p, k->number);
	char serial[XOS_SERIAL_TEXT];

	if (member)
		return member->cause + 1;
	if (by_set)
		return by_set;
	xos_hex_encode(serial, k->serial, k->nserial);
	return find_lock(p, XOS_LOCK_TOKEN, serial);
}

void ca_held_mark(const struct ca_held *h, const struct ca_tokens *t, struct ca_token *token)
{
	size_t n = 0;
	const uint32_t *ids = ca_tokens_set(t, token->set, &n);
	uint32_t by_set = 0;

	for (size_t i = 0; i < n && !by_set; i++)
		by_set = judge_name(&h->now, ca_tokens_name(t, ids[i]));
	token->held = judge_token(&h->now, token, by_set);
}

/* The cause of each set of names, malloc'd. */
static uint32_t *judge_sets(const struct ca_picture *p, const struct ca_tokens *t)
{
	size_t names = ca_tokens_names(t), sets = ca_tokens_sets(t);
	uint32_t *by_name = calloc(names + 1, sizeof(*by_name));
	uint32_t *by_set = calloc(sets + 1, sizeof(*by_set));

	for (size_t i = 0; by_name && i < names; i++)
		by_name[i] = judge_name(p, ca_tokens_name(t, i));
	for (size_t i = 0; by_name && by_set && i < sets; i++) {
		size_t n = 0;
		const uint32_t *ids = ca_tokens_set(t, i, &n);

		for (size_t k = 0; k < n && !by_set[i]; k++)
			by_set[i] = by_name[ids[k]];
	}
	if (!by_name) {
		free(by_set);
		by_set = NULL;
	}
	free(by_name);
	return by_set;
}

/* Locks of tokens are few among many tokens: those are looked up, not these. */
static enum xos_status judge_all(
    const struct ca_picture *p, struct ca_tokens *t, struct xos_err *err)
{
	uint32_t *by_set = judge_sets(p, t);
	struct xos_buf serial;

	if (!by_set)
		return no_memory(err);
	for (size_t i = 0; i < ca_tokens_count(t); i++) {
		struct ca_token *k = ca_tokens_at(t, i);
		const struct ca_held_member *member = ca_picture_member(p, k->number);

		k->held = member ? member->cause + 1 : by_set[k->set];
	}
	free(by_set);
	xos_buf_init(&serial, XOS_SERIAL_MAX);
	for (size_t i = 0; i < p->nlocks; i++) {
		struct ca_token *k;

		serial.n = 0;
		if (p->lock[i].kind != XOS_LOCK_TOKEN ||
		    xos_hex_decode(&serial, p->lock[i].name, strlen(p->lock[i].name)) != XOS_OK)
			continue;
		k = ca_tokens_find(t, xos_buf_bytes(&serial));
		if (k && !k->held)
			k->held = (uint32_t)i + 1;
	}
	xos_buf_free(&serial);
	return XOS_OK;
}

const struct ca_cause *ca_held_cause(const struct ca_held *h, const struct ca_token *token)
{
	return token->held && token->held <= h->now.ncauses ? &h->now.cause[token->held - 1] : NULL;
}

enum xos_status ca_held_refresh(struct ca_held *h, struct ca_membership *m, struct ca_tokens *t,
    int64_t now, bool *changed, struct xos_err *err)
{
	uint64_t locks = 0, roster = 0;
	struct ca_picture p = {.nlocks = 0};
	enum xos_status st = ca_version_get(m, CA_VERSION_LOCKS, &locks, err);

	if (st == XOS_OK)
		st = ca_version_get(m, CA_VERSION_ROSTER, &roster, err);
	*changed = st == XOS_OK && (!h->version || locks != h->locks || roster != h->roster);
	if (st != XOS_OK ||
	    (!*changed && now < h->now.ends && now >= h->read && now - h->read < READ_EVERY))
		return st;
	st = ca_picture_read(m, now, &h->now, &p, err);
	if (st == XOS_OK &&
	    (!h->version || memcmp(p.digest, h->now.digest, sizeof(p.digest)) != 0)) {
		st = judge_all(&p, t, err);
		if (st == XOS_OK)
			h->version++;
	}
	if (st != XOS_OK) {
		ca_picture_clear(&p);
		return st;
	}
	ca_picture_clear(&h->now);
	h->now = p;
	h->locks = locks;
	h->roster = roster;
	h->read = now;
	return XOS_OK;
}

enum xos_status ca_held_count(struct ca_membership *m, struct ca_tokens *t, enum xos_lock_kind kind,
    const char *name, int64_t now, uint64_t *count, struct xos_err *err)
{
	struct xos_lock lock = {.kind = kind};
	struct ca_picture p = {.lock = &lock, .nlocks = 1};
	struct ca_held_member member = {0, 0, true};
	uint32_t *by_set;
	enum xos_status st = XOS_OK;

	*count = 0;
	if (!xos_str_copy(lock.name, sizeof(lock.name), name))
		return xos_err_set(err, XOS_MALFORMED, "lock-name", "the name is too long");
	if (kind == XOS_LOCK_MEMBER) {
		st = ca_member_number(m, name, &member.number, err);
		p.member = &member;
		p.nmembers = 1;
	}
	if (st != XOS_OK)
		return st;
	by_set = judge_sets(&p, t);
	if (!by_set)
		return no_memory(err);
	for (size_t i = 0; i < ca_tokens_count(t); i++) {
		const struct ca_token *k = ca_tokens_at(t, i);
		bool hit = kind == XOS_LOCK_TOKEN    ? judge_token(&p, k, 0) != 0
		           : kind == XOS_LOCK_MEMBER ? k->number == member.number
		                                     : by_set[k->set] != 0;

		*count += hit && k->not_after > now;
	}
	free(by_set);
	return XOS_OK;
}
