/* What holds tokens, brought up to date, and what auth asks about them. */
#include "ca/key/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ca/key/status_internal.h"
#include "json/json.h"

#define URL_MAX 256

enum xos_status ca_status_urls(
    const char *http_url, const char *vo, struct xos_points **out, struct xos_err *err)
{
	char ocsp[URL_MAX], issuer[URL_MAX], crl[URL_MAX];
	size_t n = strlen(http_url);
	int base;

	*out = NULL;
	while (n && http_url[n - 1] == '/')
		n--;
	base = n < URL_MAX ? (int)n : URL_MAX;
	if (!xos_str_printf(ocsp, URL_MAX, "%.*s/ocsp/%s", base, http_url, vo) ||
	    !xos_str_printf(issuer, URL_MAX, "%.*s/ca/%s/issuer.cer", base, http_url, vo) ||
	    !xos_str_printf(crl, URL_MAX, "%.*s/crl/%s/", base, http_url, vo))
		return xos_err_set(
		    err, XOS_MALFORMED, "status-url", "the http URL is longer than %d", URL_MAX);
	return xos_points_new(&(struct xos_points_urls){ocsp, issuer, crl}, out, err);
}

enum xos_status ca_status_new(struct ca_key *k, const char *http_url, struct xos_err *err)
{
	struct ca_status *s = calloc(1, sizeof(*s));
	enum xos_status st;

	k->status = s;
	if (!s || !(s->held = ca_held_new()))
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_buf_init(&s->all.der, XOS_CRL_MAX);
	for (size_t i = 0; i < XOS_POINTS_SHARDS; i++)
		xos_buf_init(&s->part[i].der, XOS_CRL_MAX);
	st = xos_ocsp_issuer_init(k->chain.cert[0], &s->issuer, err);
	if (st == XOS_OK && http_url)
		st = ca_status_urls(http_url, k->vo, &s->points, err);
	return st == XOS_OK ? ca_status_refresh(k, xos_clock_now(), err) : st;
}

void ca_status_free(struct ca_status *s)
{
	if (!s)
		return;
	ca_held_free(s->held);
	xos_points_free(s->points);
	xos_buf_free(&s->all.der);
	for (size_t i = 0; i < XOS_POINTS_SHARDS; i++)
		xos_buf_free(&s->part[i].der);
	xos_key_free(s->responder_key);
	xos_cert_free(s->responder);
	free(s);
}

const struct xos_points *ca_status_points(const struct ca_status *s)
{
	return s->points;
}

/* In the caller's snapshot. */
static enum xos_status refresh(struct ca_key *k, int64_t now, struct xos_err *err)
{
	bool changed = false;
	uint64_t act = 0;
	enum xos_status st =
	    ca_held_refresh(k->status->held, k->membership, k->tokens, now, &changed, err);

	if (st == XOS_OK && changed)
		st = ca_version_get(k->membership, CA_VERSION_ACTS, &act, err);
	return st == XOS_OK && act > k->acts ? ca_key_catch_up(k, err) : st;
}

enum xos_status ca_status_refresh(struct ca_key *k, int64_t now, struct xos_err *err)
{
	enum xos_status st = ca_key_snapshot(k, err);

	if (st == XOS_OK)
		st = refresh(k, now, err);
	ca_key_snapshot_end(k);
	return st;
}

enum xos_status ca_status_room(
    struct ca_key *k, uint64_t number, size_t most, int64_t now, bool *room, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	*room = ca_tokens_usable(k->tokens, number, now) < most;
	/* Some may have been ended since anybody asked. */
	if (!*room)
		st = refresh(k, now, err);
	if (!*room && st == XOS_OK)
		*room = ca_tokens_usable(k->tokens, number, now) < most;
	return st;
}

enum xos_status ca_status_add(
    struct ca_key *k, const struct ca_token_entry *e, int64_t now, struct xos_err *err)
{
	struct ca_token *added = NULL;
	enum xos_status st = ca_tokens_put(k->tokens, e, now, &added, err);

	if (st == XOS_OK)
		ca_held_mark(k->status->held, k->tokens, added);
	return st;
}

/* --- questions of auth --- */

enum xos_status ca_handle_tokens(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;
	struct xos_json *list;
	uint64_t number = 0;
	int64_t now = xos_clock_now();
	enum xos_status st = ca_u64_get(payload, &number, err);

	(void)from;
	if (st == XOS_OK)
		st = ca_status_refresh(k, now, err);
	if (st != XOS_OK)
		return st;
	list = xos_json_array();
	for (size_t i = 0; i < ca_tokens_count(k->tokens); i++) {
		const struct ca_token *t = ca_tokens_at(k->tokens, i);
		char serial[XOS_SERIAL_TEXT];
		struct xos_json *o;

		if (t->number != number || t->not_after <= now)
			continue;
		xos_hex_encode(serial, t->serial, t->nserial);
		o = xos_json_object();
		xos_json_set_string(o, "serial", serial);
		xos_json_set_time(o, "not_before", t->not_before);
		xos_json_set_time(o, "not_after", t->not_after);
		if (t->delegation)
			xos_json_set_bool(o, "delegation", true);
		if (ca_held_cause(k->status->held, t))
			xos_json_set_bool(o, "held", true);
		xos_json_add(list, o);
	}
	st = xos_json_dump(list, reply, err);
	xos_json_free(list);
	return st;
}

enum xos_status ca_handle_token_end(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;
	const struct ca_token *t = NULL;
	struct xos_buf serial;

	(void)from;
	xos_buf_init(&serial, XOS_SERIAL_MAX);
	if (xos_hex_decode(&serial, (const char *)payload.p, payload.n) == XOS_OK)
		t = ca_tokens_find(k->tokens, xos_buf_bytes(&serial));
	xos_buf_free(&serial);
	if (!t || t->not_after <= xos_clock_now())
		return xos_err_set(err, XOS_NOT_FOUND, "no-token",
		    "no unexpired token of VO %s has this serial: xos-vo member show lists a "
		    "member's",
		    k->vo);
	xos_buf_u64(reply, (uint64_t)t->not_after);
	return XOS_OK;
}

enum xos_status ca_handle_held(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;
	char name[XOS_LOCK_NAME_MAX + 1];
	struct xos_reader r;
	uint64_t count = 0;
	uint8_t kind = 0;
	enum xos_status st;

	(void)from;
	xos_reader_init(&r, payload);
	xos_reader_u8(&r, &kind);
	xos_reader_lp_str(&r, name, sizeof(name));
	if (xos_reader_end(&r) != XOS_OK || kind > XOS_LOCK_TOKEN)
		return xos_err_set(err, XOS_MALFORMED, "message",
		    "a message between processes is malformed: held");
	st = ca_held_count(
	    k->membership, k->tokens, (enum xos_lock_kind)kind, name, xos_clock_now(), &count, err);
	if (st == XOS_OK)
		xos_buf_u64(reply, count);
	return st;
}

enum xos_status ca_handle_status(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;
	enum xos_status st = ca_status_refresh(k, xos_clock_now(), err);

	(void)from;
	(void)payload;
	if (st == XOS_OK)
		xos_buf_u64(reply, ca_held_version(k->status->held));
	return st;
}
