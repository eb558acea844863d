/* The administrators of this moment, signed for those who do not hold the membership. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ca/key/key.h"

static enum xos_status locked_tokens(
    struct ca_membership *m, int64_t now, struct xos_administrators *out, struct xos_err *err)
{
	struct xos_lock *locks = NULL;
	size_t n = 0;
	enum xos_status st = ca_lock_list(m, now, &locks, &n, err);

	if (st == XOS_OK && !(out->tokens = calloc(n + 1, sizeof(*out->tokens))))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t i = 0; st == XOS_OK && i < n; i++)
		if (locks[i].kind == XOS_LOCK_TOKEN)
			(void)!xos_str_copy(
			    out->tokens[out->ntokens++], XOS_SERIAL_TEXT, locks[i].name);
	free(locks);
	return st;
}

/* The serial of the list that says what the membership says now: the last one, or the next. */
static enum xos_status current_serial(struct ca_key *k, const struct ca_list *list,
    enum ca_version which, uint64_t *serial, struct xos_err *err)
{
	uint64_t version = 0;
	enum xos_status st = ca_version_get(k->membership, which, &version, err);

	*serial = list->serial + (!list->compact.n || list->version != version);
	return st;
}

static enum xos_status sign(
    struct ca_key *k, struct ca_list *list, uint64_t act, int64_t now, struct xos_err *err)
{
	struct xos_administrators a = {
	    .act = act, .issued = now, .expires = now + CA_ADMINISTRATORS_LIFE};
	struct xos_buf fresh;
	enum xos_status st = ca_administrators(k->membership, now, &a, err);

	xos_buf_init(&fresh, XOS_ADMINISTRATORS_MAX);
	if (st == XOS_OK)
		st = locked_tokens(k->membership, now, &a, err);
	if (st == XOS_OK)
		st = current_serial(k, &k->roster, CA_VERSION_ROSTER, &a.roster, err);
	if (st == XOS_OK)
		st = current_serial(k, &k->locks, CA_VERSION_LOCKS, &a.locks, err);
	if (st == XOS_OK)
		st = xos_administrators_sign(k->key, k->vo, &a, &fresh, err);
	free(a.list);
	free(a.tokens);
	if (st != XOS_OK) {
		xos_buf_free(&fresh);
		return st;
	}
	xos_buf_free(&list->compact);
	list->compact = fresh;
	list->version = act;
	list->issued = now;
	return XOS_OK;
}

/* Signed every minute, so not in the log: what it says follows from the acts, which are there first. */
enum xos_status ca_handle_administrators(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;
	struct ca_list *list = &k->administrators;
	int64_t now = xos_clock_now();
	uint64_t act = 0;
	enum xos_status st = ca_key_snapshot(k, err);

	(void)from;
	(void)payload;
	if (st == XOS_OK)
		st = ca_version_get(k->membership, CA_VERSION_ACTS, &act, err);
	if (st == XOS_OK && act > k->acts)
		st = ca_key_catch_up(k, err);
	if (st == XOS_OK && (!list->compact.n || list->version != act || now < list->issued ||
	                        now - list->issued >= CA_ADMINISTRATORS_REFRESH))
		st = sign(k, list, act, now, err);
	ca_key_snapshot_end(k);
	if (st == XOS_OK)
		xos_buf_put(reply, list->compact.p, list->compact.n);
	return st;
}
