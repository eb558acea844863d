#include "ca/held.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "pki/digest.h"
#include "store/sql.h"

/* Who left longer ago has no token that counts: none lives longer than the configuration's bound of a year. */
#define LEFT_MAX (400 * INT64_C(86400))

/* A member all of whose tokens are held. */
struct held_member {
	uint64_t number;
	uint32_t cause; /* place in causes */
	bool locked;    /* else the membership itself ended or rests */
};

/* What was read from the membership. */
struct picture {
	struct xos_lock *lock; /* by kind, then name */
	size_t nlocks;
	struct ca_cause *cause; /* of the locks, in their order, then of ended memberships */
	size_t ncauses;
	struct held_member *member; /* by number */
	size_t nmembers;
	int64_t ends; /* of the first lock */
	uint8_t digest[XOS_SHA256_LEN];
};

struct ca_held {
	struct picture now;
	uint64_t version, locks, roster; /* the latter two: of the membership */
};

struct ca_held *ca_held_new(void)
{
	return calloc(1, sizeof(struct ca_held));
}

static void picture_clear(struct picture *p)
{
	free(p->lock);
	free(p->cause);
	free(p->member);
	memset(p, 0, sizeof(*p));
}

void ca_held_free(struct ca_held *h)
{
	if (!h)
		return;
	picture_clear(&h->now);
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

/* --- reading --- */

static int cmp_lock(const void *a, const void *b)
{
	const struct xos_lock *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int cmp_member(const void *a, const void *b)
{
	const struct held_member *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->cause < y->cause ? -1 : x->cause > y->cause;
}

static const struct held_member *find_member(const struct picture *p, uint64_t number)
{
	size_t lo = 0, hi = p->nmembers;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->member[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->nmembers && p->member[lo].number == number ? &p->member[lo] : NULL;
}

static enum xos_status add_cause(
    struct picture *p, int64_t since, enum xos_crl_reason reason, struct xos_err *err)
{
	struct ca_cause *more = reallocarray(p->cause, p->ncauses + 1, sizeof(*more));

	if (!more)
		return no_memory(err);
	p->cause = more;
	p->cause[p->ncauses++] = (struct ca_cause){since, reason};
	return XOS_OK;
}

static enum xos_status add_member(
    struct picture *p, uint64_t number, size_t cause, bool locked, struct xos_err *err)
{
	struct held_member *more = reallocarray(p->member, p->nmembers + 1, sizeof(*more));

	if (!more)
		return no_memory(err);
	p->member = more;
	p->member[p->nmembers++] = (struct held_member){number, (uint32_t)cause, locked};
	return XOS_OK;
}

static enum xos_status read_locks(
    struct ca_membership *m, int64_t now, struct picture *p, struct xos_err *err)
{
	enum xos_status st = ca_lock_list(m, now, &p->lock, &p->nlocks, err);

	p->ends = INT64_MAX;
	if (st == XOS_OK && p->nlocks)
		qsort(p->lock, p->nlocks, sizeof(*p->lock), cmp_lock);
	for (size_t i = 0; st == XOS_OK && i < p->nlocks; i++) {
		uint64_t number = 0;

		if (p->lock[i].until < p->ends)
			p->ends = p->lock[i].until;
		/* Whatever was locked may be unlocked. */
		st = add_cause(p, p->lock[i].since, XOS_CRL_HOLD, err);
		if (st != XOS_OK || p->lock[i].kind != XOS_LOCK_MEMBER)
			continue;
		st = ca_member_number(m, p->lock[i].name, &number, NULL);
		if (st == XOS_OK)
			st = add_member(p, number, i, true, err);
		else if (st == XOS_NOT_FOUND)
			st = XOS_OK; /* left since: held for that */
		else
			st = xos_err_set(err, st, "lock", "a locked member cannot be looked up");
	}
	return st;
}

/* A membership that rests has no date: it counts from when it was first seen so. */
static int64_t since_when(const struct picture *old, uint64_t number, int64_t ended, int64_t now)
{
	const struct held_member *k = ended ? NULL : find_member(old, number);

	if (ended)
		return ended;
	return k && !k->locked ? old->cause[k->cause].since : now;
}

static enum xos_status read_members(struct ca_membership *m, int64_t now, const struct picture *old,
    struct picture *p, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT number, state, COALESCE(ended, 0) FROM members WHERE state <> 'active'"
	    " AND (ended IS NULL OR ended > ?1) ORDER BY number",
	    "i", now - LEFT_MAX);

	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row) {
		uint64_t number = (uint64_t)xos_stmt_int(q, 0);
		bool left = strcmp(xos_stmt_text(q, 1), "removed") == 0;

		st = add_cause(p, since_when(old, number, xos_stmt_int(q, 2), now),
		    left ? XOS_CRL_AFFILIATION_CHANGED : XOS_CRL_HOLD, err);
		if (st == XOS_OK)
			st = add_member(p, number, p->ncauses - 1, false, err);
	}
	xos_stmt_done(q);
	if (st == XOS_OK && p->nmembers)
		qsort(p->member, p->nmembers, sizeof(*p->member), cmp_member);
	return st;
}

/* Everything that could hold a token, so that a member who is added changes nothing. */
static enum xos_status digest(struct picture *p, struct xos_err *err)
{
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, 64 * 1024 * 1024);
	for (size_t i = 0; i < p->nlocks; i++) {
		xos_buf_u32(&b, (uint32_t)p->lock[i].kind);
		xos_buf_lp_str(&b, p->lock[i].name);
	}
	for (size_t i = 0; i < p->ncauses; i++) {
		xos_buf_u64(&b, (uint64_t)p->cause[i].since);
		xos_buf_u32(&b, (uint32_t)p->cause[i].reason);
	}
	for (size_t i = 0; i < p->nmembers; i++) {
		xos_buf_u64(&b, p->member[i].number);
		xos_buf_u32(&b, p->member[i].cause);
	}
	st = xos_buf_status(&b);
	if (st == XOS_OK)
		st = xos_sha256(xos_buf_bytes(&b), p->digest);
	xos_buf_free(&b);
	return st == XOS_OK ? st : xos_err_set(err, st, "held", "the locks cannot be compared");
}

/* --- judging; causes are counted from 1 here, 0 is none --- */

static uint32_t find_lock(const struct picture *p, enum xos_lock_kind kind, const char *name)
{
	struct xos_lock key = {.kind = kind};
	const struct xos_lock *hit;

	if (!p->nlocks || !xos_str_copy(key.name, sizeof(key.name), name))
		return 0;
	hit = bsearch(&key, p->lock, p->nlocks, sizeof(key), cmp_lock);
	return hit ? (uint32_t)(hit - p->lock) + 1 : 0;
}

/* A group or role: itself, its group, or a group above. */
static uint32_t judge_name(const struct picture *p, const char *fqan)
{
	char group[XOS_FQAN_MAX + 1];
	const char *role = NULL;
	size_t len = strlen(fqan);
	uint32_t hit = 0;

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

static uint32_t judge_token(const struct picture *p, const struct ca_token *k, uint32_t by_set)
{
	const struct held_member *member = find_member(p, k->number);
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
static uint32_t *judge_sets(const struct picture *p, const struct ca_tokens *t)
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
static enum xos_status judge_all(const struct picture *p, struct ca_tokens *t, struct xos_err *err)
{
	uint32_t *by_set = judge_sets(p, t);
	struct xos_buf serial;

	if (!by_set)
		return no_memory(err);
	for (size_t i = 0; i < ca_tokens_count(t); i++) {
		struct ca_token *k = ca_tokens_at(t, i);
		const struct held_member *member = find_member(p, k->number);

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
	struct picture p = {.nlocks = 0};
	enum xos_status st = ca_version_get(m, CA_VERSION_LOCKS, &locks, err);

	if (st == XOS_OK)
		st = ca_version_get(m, CA_VERSION_ROSTER, &roster, err);
	*changed = st == XOS_OK && (!h->version || locks != h->locks || roster != h->roster);
	if (st != XOS_OK || (!*changed && now < h->now.ends))
		return st;
	st = read_locks(m, now, &p, err);
	if (st == XOS_OK)
		st = read_members(m, now, &h->now, &p, err);
	if (st == XOS_OK)
		st = digest(&p, err);
	if (st == XOS_OK &&
	    (!h->version || memcmp(p.digest, h->now.digest, sizeof(p.digest)) != 0)) {
		st = judge_all(&p, t, err);
		if (st == XOS_OK)
			h->version++;
	}
	if (st != XOS_OK) {
		picture_clear(&p);
		return st;
	}
	picture_clear(&h->now);
	h->now = p;
	h->locks = locks;
	h->roster = roster;
	return XOS_OK;
}

enum xos_status ca_held_count(struct ca_membership *m, struct ca_tokens *t, enum xos_lock_kind kind,
    const char *name, int64_t now, uint64_t *count, struct xos_err *err)
{
	struct xos_lock lock = {.kind = kind};
	struct picture p = {.lock = &lock, .nlocks = 1};
	struct held_member member = {0, 0, true};
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
