/* The membership of this moment, signed for the policy service. */
#include "base/clock.h"
#include "ca/key/key.h"
#include "ca/membership/everybody.h"

/* Memberships end by time alone, too. */
#define REFRESH 300

static enum xos_status sign(
    struct ca_key *k, struct ca_list *list, uint64_t act, int64_t now, struct xos_err *err)
{
	struct ca_everybody all = {.members = NULL};
	struct xos_buf fresh;
	enum xos_status st = ca_everybody(k->membership, now, &all, err);
	const struct xos_membership_fields f = {.vo = k->vo,
	    .serial = act,
	    .issued = now,
	    .expires = now + CA_LIST_LIFE,
	    .names = (const char *const *)all.names.item,
	    .nnames = all.names.n,
	    .members = all.members,
	    .n = all.n};

	xos_buf_init(&fresh, XOS_MEMBERSHIP_MAX);
	if (st == XOS_OK)
		st = xos_membership_sign(k->key, &f, &fresh, err);
	ca_everybody_free(&all);
	if (st != XOS_OK) {
		xos_buf_free(&fresh);
		return st;
	}
	xos_buf_free(&list->compact);
	list->compact = fresh;
	list->version = act;
	list->serial++;
	list->issued = now;
	return XOS_OK;
}

/* Not in the log: what it says follows from the acts, which are there first. Its serial is the last act's, so
 * that it never falls, whatever clocks do. The caller names the list that it has by when it was signed and the
 * how-manieth since the start that was, and gets another one only if there is one. */
enum xos_status ca_handle_membership(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;
	struct ca_list *list = &k->members;
	int64_t now = xos_clock_now();
	uint64_t act = 0, count = 0, time = 0;
	struct xos_reader r;

	(void)from;
	xos_reader_init(&r, payload);
	xos_reader_u64(&r, &time);
	xos_reader_u64(&r, &count);
	if (xos_reader_end(&r) != XOS_OK)
		return xos_err_set(err, XOS_MALFORMED, "message", "bad message");
	enum xos_status st = ca_key_snapshot(k, err);
	if (st == XOS_OK)
		st = ca_version_get(k->membership, CA_VERSION_ACTS, &act, err);
	if (st == XOS_OK && act > k->acts)
		st = ca_key_catch_up(k, err);
	if (st == XOS_OK && (!list->compact.n || list->version != act || now < list->issued ||
	                        now - list->issued >= REFRESH))
		st = sign(k, list, act, now, err);
	ca_key_snapshot_end(k);
	if (st != XOS_OK)
		return st;
	xos_buf_u64(reply, (uint64_t)list->issued);
	xos_buf_u64(reply, list->serial);
	xos_buf_lp(reply, time == (uint64_t)list->issued && count == list->serial
	                      ? XOS_BYTES_NONE
	                      : xos_buf_bytes(&list->compact));
	return XOS_OK;
}
