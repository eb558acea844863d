/* The signed roster and lock list. */
#include <stdlib.h>

#include "base/clock.h"
#include "ca/key/key.h"

typedef enum xos_status (*sign_fn)(struct ca_key *k, uint64_t serial, int64_t now,
    struct xos_buf *out, uint64_t *count, struct xos_err *err);

static enum xos_status sign_roster(struct ca_key *k, uint64_t serial, int64_t now,
    struct xos_buf *out, uint64_t *count, struct xos_err *err)
{
	struct xos_roster_fields f = {
	    .vo = k->vo, .serial = serial, .issued = now, .expires = now + CA_LIST_LIFE};
	struct xos_roster_member *members = NULL;
	enum xos_status st = ca_member_roster(k->membership, now, &members, &f.n, err);

	f.members = members;
	*count = f.n;
	if (st == XOS_OK)
		st = xos_roster_sign(k->key, &f, out, err);
	free(members);
	return st;
}

static enum xos_status sign_locks(struct ca_key *k, uint64_t serial, int64_t now,
    struct xos_buf *out, uint64_t *count, struct xos_err *err)
{
	struct xos_locks_fields f = {.vo = k->vo,
	    .by = XOS_SIGNER_CA,
	    .serial = serial,
	    .issued = now,
	    .expires = now + CA_LIST_LIFE};
	struct xos_lock *locks = NULL;
	enum xos_status st = ca_lock_list(k->membership, now, &locks, &f.n, err);

	f.locks = locks;
	*count = f.n;
	if (st == XOS_OK)
		st = xos_locks_sign(k->key, &f, out, err);
	free(locks);
	return st;
}

static enum xos_status stage_signed(struct ca_key *k, const char *what, uint64_t serial,
    uint64_t version, uint64_t count, const struct xos_buf *compact, struct xos_err *err)
{
	struct ca_signed r = {.what = what,
	    .serial = serial,
	    .version = version,
	    .count = count,
	    .compact = xos_buf_bytes(compact)};
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, XOS_LOG_PAYLOAD_MAX);
	st = ca_record_signed(&r, &b, err);
	if (st == XOS_OK)
		st = xos_log_stage(k->log, CA_RECORD_SIGNED, xos_buf_bytes(&b), NULL, err);
	xos_buf_free(&b);
	return st;
}

/* Signs anew, records it, and only then replaces the list that is given out. */
static enum xos_status renew(struct ca_key *k, struct ca_list *list, const char *what, size_t max,
    sign_fn sign, uint64_t version, int64_t now, struct xos_err *err)
{
	uint64_t last = 0, count = 0, serial = list->serial + 1;
	struct xos_buf fresh;
	enum xos_status st, done;

	xos_buf_init(&fresh, max);
	st = ca_key_stage_acts(k, &last, err);
	if (st == XOS_OK) {
		st = sign(k, serial, now, &fresh, &count, err);
		if (st == XOS_OK)
			st = stage_signed(k, what, serial, version, count, &fresh, err);
		done = ca_key_commit(k, last, st == XOS_OK ? err : NULL);
		if (st == XOS_OK)
			st = done;
	}
	if (st == XOS_OK) {
		xos_buf_free(&list->compact);
		list->compact = fresh;
		list->serial = serial;
		list->version = version;
		list->issued = now;
	} else {
		xos_buf_free(&fresh);
	}
	return st;
}

static enum xos_status give(struct ca_key *k, struct ca_list *list, const char *what, size_t max,
    sign_fn sign, enum ca_version which, struct xos_buf *reply, struct xos_err *err)
{
	int64_t now = xos_clock_now();
	uint64_t version = 0;
	enum xos_status st = ca_key_snapshot(k, err);

	if (st == XOS_OK)
		st = ca_version_get(k->membership, which, &version, err);
	if (st == XOS_OK && (!list->compact.n || version != list->version || now < list->issued ||
	                        now - list->issued > CA_LIST_REFRESH))
		st = renew(k, list, what, max, sign, version, now, err);
	ca_key_snapshot_end(k);
	if (st == XOS_OK)
		xos_buf_put(reply, list->compact.p, list->compact.n);
	return st;
}

enum xos_status ca_handle_roster(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;

	(void)from;
	(void)payload;
	return give(
	    k, &k->roster, "roster", XOS_ROSTER_MAX, sign_roster, CA_VERSION_ROSTER, reply, err);
}

enum xos_status ca_handle_locks(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;

	(void)from;
	(void)payload;
	return give(k, &k->locks, "locks", XOS_LOCKS_MAX, sign_locks, CA_VERSION_LOCKS, reply, err);
}
