/* What the membership says that could hold a token. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/key/held_internal.h"
#include "store/sql.h"

/* Who left longer ago has no token that counts: none lives longer than the configuration's bound of a year. */
#define LEFT_MAX (400 * INT64_C(86400))

void ca_picture_clear(struct ca_picture *p)
{
	free(p->lock);
	free(p->cause);
	free(p->member);
	memset(p, 0, sizeof(*p));
}

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

int ca_picture_cmp_lock(const void *a, const void *b)
{
	const struct xos_lock *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int cmp_member(const void *a, const void *b)
{
	const struct ca_held_member *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->cause < y->cause ? -1 : x->cause > y->cause;
}

const struct ca_held_member *ca_picture_member(const struct ca_picture *p, uint64_t number)
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
    struct ca_picture *p, int64_t since, enum xos_crl_reason reason, struct xos_err *err)
{
	struct ca_cause *more = reallocarray(p->cause, p->ncauses + 1, sizeof(*more));

	if (!more)
		return no_memory(err);
	p->cause = more;
	p->cause[p->ncauses++] = (struct ca_cause){since, reason};
	return XOS_OK;
}

static enum xos_status add_member(
    struct ca_picture *p, uint64_t number, size_t cause, bool locked, struct xos_err *err)
{
	struct ca_held_member *more = reallocarray(p->member, p->nmembers + 1, sizeof(*more));

	if (!more)
		return no_memory(err);
	p->member = more;
	p->member[p->nmembers++] = (struct ca_held_member){number, (uint32_t)cause, locked};
	return XOS_OK;
}

static enum xos_status read_locks(
    struct ca_membership *m, int64_t now, struct ca_picture *p, struct xos_err *err)
{
	enum xos_status st = ca_lock_list(m, now, &p->lock, &p->nlocks, err);

	p->ends = INT64_MAX;
	if (st == XOS_OK && p->nlocks)
		qsort(p->lock, p->nlocks, sizeof(*p->lock), ca_picture_cmp_lock);
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

static enum xos_status read_left(
    struct ca_membership *m, int64_t now, struct ca_picture *p, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT number, ended FROM members WHERE state = 'removed' AND ended > ?1"
	    " ORDER BY number",
	    "i", now - LEFT_MAX);

	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row) {
		st = add_cause(p, xos_stmt_int(q, 1), XOS_CRL_AFFILIATION_CHANGED, err);
		if (st == XOS_OK)
			st =
			    add_member(p, (uint64_t)xos_stmt_int(q, 0), p->ncauses - 1, false, err);
	}
	xos_stmt_done(q);
	return st;
}

/* A membership that rests has no date: it counts from when it was first seen so. */
static int64_t first_seen(const struct ca_picture *old, uint64_t number, int64_t now)
{
	const struct ca_held_member *k = ca_picture_member(old, number);

	/* Who is locked besides stands there twice. */
	while (k && k->locked)
		k = k + 1 < old->member + old->nmembers && k[1].number == number ? k + 1 : NULL;
	return k ? old->cause[k->cause].since : now;
}

/* Who rests is what the roster says, so that stock verifiers and nodes are told the same. */
static enum xos_status read_resting(struct ca_membership *m, int64_t now,
    const struct ca_picture *old, struct ca_picture *p, struct xos_err *err)
{
	struct xos_roster_member *list = NULL;
	size_t n = 0;
	enum xos_status st = ca_member_roster(m, now, &list, &n, err);

	for (size_t i = 0; st == XOS_OK && i < n; i++) {
		if (list[i].state == XOS_MEMBER_ACTIVE || list[i].state == XOS_MEMBER_REMOVED)
			continue;
		st = add_cause(p, first_seen(old, list[i].number, now), XOS_CRL_HOLD, err);
		if (st == XOS_OK)
			st = add_member(p, list[i].number, p->ncauses - 1, false, err);
	}
	free(list);
	return st;
}

static enum xos_status read_members(struct ca_membership *m, int64_t now,
    const struct ca_picture *old, struct ca_picture *p, struct xos_err *err)
{
	enum xos_status st = read_left(m, now, p, err);

	if (st == XOS_OK)
		st = read_resting(m, now, old, p, err);
	if (st == XOS_OK && p->nmembers)
		qsort(p->member, p->nmembers, sizeof(*p->member), cmp_member);
	return st;
}

/* Everything that could hold a token, so that a member who is added changes nothing. */
static enum xos_status digest(struct ca_picture *p, struct xos_err *err)
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

enum xos_status ca_picture_read(struct ca_membership *m, int64_t now, const struct ca_picture *old,
    struct ca_picture *p, struct xos_err *err)
{
	enum xos_status st = read_locks(m, now, p, err);

	if (st == XOS_OK)
		st = read_members(m, now, old, p, err);
	return st == XOS_OK ? digest(p, err) : st;
}
