/* The key process: signs what auth approved, on auth's own channel; nobody else has one to it. */
#include "rca/parts.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "base/clock.h"
#include "base/event.h"
#include "bundle/locks.h"
#include "proc/supervisor.h"
#include "rca/issue.h"
#include "rca/ssh.h"
#include "rca/logtell.h"
#include "service/bulk.h"

struct key_state {
	const struct rca_conf *conf;
	struct rca_issuer *issuer;
	struct xos_key *ssh; /* NULL: it cannot be had, and no host certificates are made */
};

enum xos_status rca_key_open(struct xos_part_self *self, struct xos_err *err)
{
	const struct rca_conf *conf = self->run->conf;
	struct key_state *k = calloc(1, sizeof(*k));

	if (!k)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	k->conf = conf;
	self->state = k;
	rca_ssh_open(conf, &k->ssh);
	return rca_issuer_open(conf, xos_clock_now(), &k->issuer, err);
}

void rca_key_close(struct xos_part_self *self)
{
	struct key_state *k = self->state;

	if (!k)
		return;
	rca_issuer_close(k->issuer);
	xos_key_free(k->ssh);
	free(k);
	self->state = NULL;
}

struct rca_issuer *rca_key_issuer(void *key)
{
	struct key_state *k = key;

	return k->issuer;
}

static enum xos_status on_issue(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct key_state *k = ctx;
	struct rca_issue_request r;
	struct xos_chain chain = {.n = 0};
	struct xos_json *doc = NULL;

	(void)from;
	rca_issue_request_init(&r);
	enum xos_status st = rca_issue_request_decode(payload, &r, err);
	if (st == XOS_OK)
		st = rca_issuer_issue(k->issuer, &r, xos_clock_now(), &chain, err);
	if (st == XOS_OK) {
		XOS_EVENT(XOS_INFO, "certificate.issued", "name", r.name, "service",
		    r.service[0] ? r.service : NULL, "serial", xos_cert_serial_text(chain.cert[0]),
		    "by", r.by);
		doc = xos_json_object();
		xos_chain_to_json(doc, "chain", &chain);
		st = xos_json_dump(doc, reply, err);
	}
	xos_json_free(doc);
	xos_chain_clear(&chain);
	rca_issue_request_free(&r);
	return st;
}

static enum xos_status read_lock(const struct xos_json *v, struct xos_lock *l, struct xos_err *err)
{
	enum xos_status st = XOS_JSON_ONLY(v, err, "id", "name", "since", "until", "message");

	l->kind = XOS_LOCK_NODE;
	if (st == XOS_OK)
		st = xos_json_copy_string(v, "id", l->id, sizeof(l->id), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(v, "name", l->name, sizeof(l->name), err);
	if (st == XOS_OK)
		st = xos_json_get_time(v, "since", &l->since, err);
	if (st == XOS_OK)
		st = xos_json_get_time(v, "until", &l->until, err);
	if (st == XOS_OK)
		st = xos_json_copy_string(v, "message", l->message, sizeof(l->message), err);
	return st;
}

static enum xos_status on_sign_locks(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct key_state *k = ctx;
	struct xos_locks_fields f = {.vo = k->conf->common.vo, .by = XOS_SIGNER_RCA};
	struct xos_json *doc = NULL;
	const struct xos_json *list = NULL;
	struct xos_lock *locks = NULL;

	(void)from;
	enum xos_status st = xos_json_parse(payload, XOS_LOCKS_MAX, &doc, err);
	if (st == XOS_OK)
		st = XOS_JSON_ONLY(doc, err, "serial", "locks");
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "serial", INT64_MAX, &f.serial, err);
	if (st == XOS_OK)
		st = xos_json_get_array(doc, "locks", XOS_LOCKS_COUNT_MAX, &list, err);
	if (st == XOS_OK) {
		locks = calloc(xos_json_count(list) + 1, sizeof(*locks));
		if (!locks)
			st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	for (; st == XOS_OK && f.n < xos_json_count(list); f.n++)
		st = read_lock(xos_json_at(list, f.n), &locks[f.n], err);
	if (st == XOS_OK) {
		f.locks = locks;
		f.issued = xos_clock_now();
		f.expires = f.issued + k->conf->lock_life;
		st = xos_locks_sign(rca_issuer_key(k->issuer), &f, reply, err);
	}
	free(locks);
	xos_json_free(doc);
	return st;
}

/* Into the log, if it is an object with these members and no other. */
static enum xos_status note(struct key_state *k, uint16_t type, struct xos_bytes payload,
    const char *const *members, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	enum xos_status st = xos_json_parse(payload, XOS_LOG_PAYLOAD_MAX, &doc, err);

	if (st == XOS_OK)
		st = xos_json_only(doc, members, err);
	if (st == XOS_OK)
		st = rca_issuer_note(k->issuer, type, payload, err);
	xos_json_free(doc);
	return st;
}

static enum xos_status on_note(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	static const char *const members[] = {"verb", "by", "digest", "args", NULL};

	(void)from;
	(void)reply;
	return note(ctx, RCA_LOG_COMMAND, payload, members, err);
}

static enum xos_status on_note_twice(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	static const char *const members[] = {
	    "node", "service", "generation", "serial", "from", "why", NULL};

	(void)from;
	(void)reply;
	return note(ctx, RCA_LOG_TWICE, payload, members, err);
}

static enum xos_status on_note_rescued(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	static const char *const members[] = {"node", "service", "serial", "ended", "from", NULL};

	(void)from;
	(void)reply;
	return note(ctx, RCA_LOG_RESCUED, payload, members, err);
}

static enum xos_status on_sign_ssh(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct key_state *k = ctx;

	(void)from;
	return rca_ssh_sign(k->conf, k->issuer, k->ssh, payload, reply, err);
}

static enum xos_status on_sign_ssh_authority(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct key_state *k = ctx;

	(void)from;
	(void)payload;
	return rca_ssh_statement(k->conf, k->issuer, k->ssh, reply, err);
}

enum xos_status rca_key_serve(struct xos_part_self *self, struct xos_err *err)
{
	static const struct xos_bulk_handler table[] = {
	    {RCA_ISSUE, "issue", 1, XOS_RCA_BODY_MAX, on_issue},
	    {RCA_SIGN_LOCKS, "sign-locks", 1, XOS_LOCKS_MAX, on_sign_locks},
	    {RCA_NOTE, "note", 1, XOS_LOG_PAYLOAD_MAX, on_note},
	    {RCA_NOTE_TWICE, "note-twice", 1, XOS_LOG_PAYLOAD_MAX, on_note_twice},
	    {RCA_NOTE_RESCUED, "note-rescued", 1, XOS_LOG_PAYLOAD_MAX, on_note_rescued},
	    {RCA_SIGN_SSH, "sign-ssh", 1, XOS_RCA_BODY_MAX, on_sign_ssh},
	    {RCA_SIGN_SSH_AUTHORITY, "sign-ssh-authority", 1, 64, on_sign_ssh_authority},
	    {RCA_LOG_HEAD, "log-head", 1, 0, rca_key_log_head},
	    {RCA_LOG_PROOF, "log-proof", 1, XOS_LOG_ASK_MAX, rca_key_log_proof},
	    {RCA_LOG_GROWTH, "log-growth", 1, XOS_LOG_ASK_MAX, rca_key_log_growth},
	};
	struct xos_channel *channels[XOS_PARTS];
	struct xos_channel_server server = {.signal_fd = -1};
	struct xos_bulk_server *bulk = NULL;

	xos_part_channels(self, channels, &server);
	struct key_state *k = self->state;
	/* As the user that will write it, not as the one who started the service. */
	enum xos_status st = rca_issuer_open_log(k->issuer, err);
	if (st == XOS_OK)
		st = xos_bulk_server_new(
		    table, sizeof(table) / sizeof(table[0]), self->state, &bulk, err);
	if (st == XOS_OK) {
		xos_child_ready();
		st = xos_bulk_serve(bulk, &server, err);
	}
	xos_bulk_server_free(bulk);
	return st;
}
