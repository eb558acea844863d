#include "ca/key/key.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "pki/ocsp.h"
#include "ca/key/keylog.h"
#include "json/json.h"
#include "service/rollover.h"

static enum xos_status handle_record(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);

const struct xos_bulk_handler ca_key_table[] = {
    {CA_ISSUE, "issue", 1u << 0, 64 * 1024, ca_handle_issue},
    {CA_ROSTER, "roster", 1u << 0, 0, ca_handle_roster},
    {CA_LOCKS, "locks", 1u << 0, 0, ca_handle_locks},
    {CA_ADMINISTRATORS, "administrators", 1u << 0, 0, ca_handle_administrators},
    {CA_MEMBERSHIP, "membership", 1u << 0, 16, ca_handle_membership},
    {CA_GRANT, "grant", 1u << 1, 1024, ca_handle_grant},
    {CA_DELEGATE, "delegate", 1u << 1, 4096, ca_handle_delegate},
    {CA_RECORD, "record", 1u << 1, 8, handle_record},
    {CA_TOKENS, "tokens", 1u << 1, 8, ca_handle_tokens},
    {CA_TOKEN_END, "token-end", 1u << 1, XOS_SERIAL_TEXT, ca_handle_token_end},
    {CA_HELD, "held", 1u << 1, XOS_LOCK_NAME_MAX + 8, ca_handle_held},
    {CA_STATUS, "status", 1u << 0, 0, ca_handle_status},
    {CA_CRL, "crl", 1u << 0, 1, ca_handle_crl},
    {CA_OCSP, "ocsp", 1u << 0, XOS_OCSP_REQUEST_MAX, ca_handle_ocsp},
    {CA_LOG_HEAD, "log-head", 1u << 0, 0, ca_handle_log_head},
    {CA_LOG_PROOF, "log-proof", 1u << 0, 16, ca_handle_log_proof},
    {CA_LOG_GROWTH, "log-growth", 1u << 0, 16, ca_handle_log_growth},
    {CA_LOG_RECORDS, "log-records", 1u << 1, 1024, ca_handle_log_records},
    {CA_REPORT, "report", 1u << 0, 0, ca_key_report},
};
const size_t ca_key_ntable = sizeof(ca_key_table) / sizeof(ca_key_table[0]);

/* --- acts --- */

static enum xos_status stage_act(void *ctx, const struct ca_act *act, struct xos_err *err)
{
	struct ca_key *k = ctx;
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, XOS_LOG_PAYLOAD_MAX);
	st = ca_record_act(act, &b, err);
	if (st == XOS_OK)
		st = xos_log_stage(
		    k->log, CA_RECORD_ACT, xos_buf_bytes(&b), &k->staged_sequence, err);
	xos_buf_free(&b);
	return st;
}

struct staging {
	struct ca_key *k;
	uint64_t last;
};

static enum xos_status stage_next(void *ctx, const struct ca_act *act, struct xos_err *err)
{
	struct staging *s = ctx;
	enum xos_status st;

	if (act->id != s->last + 1)
		return xos_err_set(err, XOS_INTERNAL, "acts",
		    "act %llu is missing from the membership database",
		    (unsigned long long)s->last + 1);
	st = stage_act(s->k, act, err);
	/* Each once, whatever becomes of those behind it. */
	if (st == XOS_OK)
		s->last = s->k->staged = act->id;
	return st;
}

enum xos_status ca_key_stage_acts(struct ca_key *k, uint64_t *last, struct xos_err *err)
{
	struct staging s = {k, k->staged};
	enum xos_status st = ca_key_log_ready(k, err);

	if (st == XOS_OK)
		st = ca_acts_after(k->membership, k->staged, stage_next, &s, err);
	*last = s.last;
	return st;
}

enum xos_status ca_key_commit(struct ca_key *k, uint64_t last, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = ca_key_log_ready(k, &why);

	if (st == XOS_OK && (st = xos_log_commit(k->log, &why)) != XOS_OK)
		ca_key_log_failed(k, &why);
	/* Also what a request before this one staged, whose answer still waits. */
	if (last > k->staged)
		k->staged = last;
	if (st == XOS_OK) {
		k->acts = k->staged;
		ca_key_log_written(k);
	} else if (err) {
		*err = why;
	}
	return st;
}

enum xos_status ca_key_snapshot(struct ca_key *k, struct xos_err *err)
{
	enum xos_status st = ca_key_log_ready(k, err);

	return st == XOS_OK ? xos_store_exec(k->membership->store, "BEGIN", err) : st;
}

void ca_key_snapshot_end(struct ca_key *k)
{
	xos_store_rollback(k->membership->store);
}

enum xos_status ca_key_catch_up(struct ca_key *k, struct xos_err *err)
{
	uint64_t last = 0;
	enum xos_status st = ca_key_stage_acts(k, &last, err);
	/* Also after a failure: what was staged must not reach the log with something else. */
	enum xos_status done = ca_key_commit(k, last, st == XOS_OK ? err : NULL);

	return st == XOS_OK ? done : st;
}

static enum xos_status handle_record(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;
	uint64_t act = 0;
	enum xos_status st = ca_u64_get(payload, &act, err);

	(void)from;
	(void)reply;
	if (st == XOS_OK && act > k->acts)
		st = ca_key_catch_up(k, err);
	if (st == XOS_OK && act > k->acts)
		st = xos_err_set(
		    err, XOS_NOT_FOUND, "acts", "there is no act %llu", (unsigned long long)act);
	return st;
}

/* --- opening --- */

static enum xos_status replay(struct ca_key *k, const char *path, int64_t now, struct xos_err *err)
{
	struct xos_log_crypto crypto = xos_loghead_crypto(&k->loghead);
	struct ca_replay r = {.now = now - CA_TOKENS_KEEP};
	struct xos_log_reader *reader = NULL;
	struct xos_log_record rec;
	bool more = true;
	enum xos_status st = xos_log_reader_open(path, 1, &crypto, &reader, err);

	while (st == XOS_OK) {
		struct ca_token_entry e = {.number = 0};
		bool is_token = false;

		st = xos_log_reader_next(reader, &rec, &more, err);
		if (st != XOS_OK || !more)
			break;
		if (rec.type == XOS_LOG_TYPE_SEAL)
			continue;
		if (rec.time > k->watch.newest)
			k->watch.newest = rec.time;
		st = ca_record_read(rec.type, rec.payload, &r, &e, &is_token, err);
		if (st == XOS_OK && is_token)
			st = ca_tokens_put(k->tokens, &e, now, NULL, err);
		if (is_token)
			ca_names_free(&e.names);
		if (st != XOS_OK)
			st = xos_err_prefix(
			    err, st, "%s: record %llu", path, (unsigned long long)rec.sequence);
	}
	xos_log_reader_close(reader);
	k->acts = k->staged = r.acts;
	k->roster.serial = r.roster;
	k->locks.serial = r.locks;
	return st;
}

enum xos_status ca_key_open_log(struct ca_key *k, const char *path, struct xos_err *err)
{
	char name[XOS_LOG_NAME_MAX + 1];
	struct xos_log_crypto crypto;
	struct xos_log_options o = {.path = path, .name = name, .mode = 0600, .crypto = &crypto};
	enum xos_status st;

	k->loghead.key = k->key;
	k->loghead.before = k->before;
	crypto = xos_loghead_crypto(&k->loghead);
	if (!xos_str_printf(name, sizeof(name), "%s/ca", k->vo))
		return xos_err_set(err, XOS_INTERNAL, "log", "the VO's name is too long");
	st = xos_log_open(&o, &k->log, err);
	return st == XOS_OK ? replay(k, path, xos_clock_now(), err) : st;
}

static enum xos_status open_issuer(
    struct ca_key *k, const struct ca_key_opts *o, struct xos_err *err)
{
	enum xos_status st = xos_key_load(o->key, NULL, NULL, &k->key, err);

	if (st == XOS_OK)
		st = xos_chain_load(o->cert, &k->chain, err);
	if (st == XOS_OK && !xos_key_same(k->key, xos_cert_key(k->chain.cert[0])))
		st = xos_err_set(err, XOS_CONFLICT, "key-mismatch",
		    "%s is not the certificate of the key %s", o->cert, o->key);
	if (st == XOS_OK && o->state)
		st = xos_rollover_key_before(o->state, "ca", &k->before, err);
	return st == XOS_OK ? xos_issuer_new(k->chain.cert[0], k->key, &k->issuer, err) : st;
}

enum xos_status ca_key_new(const struct ca_key_opts *o, struct ca_key **out, struct xos_err *err)
{
	struct ca_key *k = calloc(1, sizeof(*k));
	enum xos_status st;

	*out = NULL;
	if (!k || !xos_str_copy(k->vo, sizeof(k->vo), o->vo) ||
	    !xos_str_copy(k->watch.log_path, sizeof(k->watch.log_path), o->log) ||
	    !(k->tokens = ca_tokens_new())) {
		free(k);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	xos_buf_init(&k->roster.compact, XOS_ROSTER_MAX);
	xos_buf_init(&k->locks.compact, XOS_LOCKS_MAX);
	xos_buf_init(&k->administrators.compact, XOS_ADMINISTRATORS_MAX);
	xos_buf_init(&k->members.compact, 0);
	k->lifetime = o->lifetime;
	k->lifetime_max = o->lifetime_max;
	st = open_issuer(k, o, err);
	if (st == XOS_OK)
		st = ca_delegations_open(k, o, err);
	if (st == XOS_OK)
		st = ca_key_open_log(k, o->log, err);
	if (st == XOS_OK)
		st = ca_membership_open(o->membership, o->vo, false, true, &k->membership, err);
	if (st == XOS_OK)
		st = ca_key_catch_up(k, err);
	if (st == XOS_OK)
		st = ca_status_new(k, o->http_url, err);
	if (st != XOS_OK) {
		ca_key_free(k);
		return st;
	}
	ca_key_tick(k); /* from now on the clock is watched */
	*out = k;
	return XOS_OK;
}

void ca_key_free(struct ca_key *k)
{
	if (!k)
		return;
	ca_membership_close(k->membership);
	xos_log_close(k->log);
	ca_delegations_close(k);
	xos_issuer_free(k->issuer);
	xos_chain_clear(&k->chain);
	xos_key_free(k->before);
	xos_key_free(k->key);
	xos_buf_free(&k->roster.compact);
	xos_buf_free(&k->locks.compact);
	xos_buf_free(&k->administrators.compact);
	xos_buf_free(&k->members.compact);
	ca_status_free(k->status);
	ca_tokens_free(k->tokens);
	free(k);
}
