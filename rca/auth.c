/* The auth process: keeps nodes.db, checks what the network process passes on. */
#include "rca/auth.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "api/once.h"
#include "api/trustkeep.h"
#include "api/sshhost.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "bundle/administrators.h"
#include "bundle/admission.h"
#include "bundle/roster.h"
#include "proc/supervisor.h"
#include "rca/codes.h"
#include "rca/commands.h"
#include "rca/est.h"
#include "rca/est_store.h"
#include "rca/from.h"
#include "rca/logtell.h"

#define KEY_MS 20000 /* how long the key process may take */

enum xos_status rca_auth_open(struct xos_part_self *self, struct xos_err *err)
{
	const struct rca_conf *conf = self->run->conf;
	struct rca_auth *a = calloc(1, sizeof(*a));

	if (!a)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	a->conf = conf;
	xos_buf_init(&a->locks, XOS_LOCKS_MAX);
	xos_buf_init(&a->ssh, XOS_SSH_STATEMENT_MAX);
	self->state = a;
	a->trust = xos_trust_new();
	if (!a->trust)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	a->guess = rca_guess_new();
	if (!a->guess)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	const struct xos_gate_options o = {
	    .vo = conf->common.vo, .aud = XOS_RCA_AUD, .trust = a->trust};
	enum xos_status st = xos_trust_load(a->trust, conf->common.trust, err);
	if (st == XOS_OK)
		st = rca_conf_path(conf, "auth/" XOS_TRUST_FILE, a->list, sizeof(a->list), err);
	if (st == XOS_OK)
		st = xos_trust_follow(a->trust, a->list, err);
	return st == XOS_OK ? xos_gate_new(&o, &a->gate, err) : st;
}

void rca_auth_close(struct xos_part_self *self)
{
	struct rca_auth *a = self->state;

	if (!a)
		return;
	xos_gate_free(a->gate);
	rca_guess_free(a->guess);
	xos_bulk_free(a->key);
	xos_store_close(a->db);
	xos_trust_free(a->trust);
	xos_buf_free(&a->locks);
	xos_buf_free(&a->ssh);
	free(a);
	self->state = NULL;
}

enum xos_status rca_auth_ask_key(struct rca_auth *a, enum rca_message type, struct xos_json *doc,
    struct xos_json **answer, struct xos_err *err)
{
	struct xos_buf text, reply;

	xos_buf_init(&text, XOS_BULK_MAX);
	xos_buf_init(&reply, XOS_BULK_MAX);
	enum xos_status st = xos_json_dump(doc, &text, err);
	if (st == XOS_OK) {
		xos_buf_free(&reply);
		st = xos_bulk_call(a->key, (uint16_t)type, xos_buf_bytes(&text),
		    xos_clock_mono_ms() + KEY_MS, &reply, err);
	}
	if (st == XOS_OK && answer)
		st = xos_json_parse(xos_buf_bytes(&reply), XOS_RCA_BODY_MAX, answer, err);
	xos_buf_free(&reply);
	xos_buf_free(&text);
	xos_json_free(doc);
	return st;
}

/* For whoever looks at the node's record, and for how long it is locked when it leaves. */
static enum xos_status note_certificate(struct rca_auth *a, const struct rca_issue_request *r,
    const struct xos_json *answer, struct xos_err *err)
{
	struct xos_chain chain = {.n = 0};
	enum xos_status st = xos_chain_from_json(answer, "chain", &chain, err);

	if (st == XOS_OK)
		st = rca_certificate_note(a->db, r->name, r->service, chain.cert[0], err);
	xos_chain_clear(&chain);
	return st;
}

enum xos_status rca_auth_issue(struct rca_auth *a, const struct rca_issue_request *r,
    struct xos_json **answer, struct xos_err *err)
{
	enum xos_status st =
	    rca_auth_ask_key(a, RCA_ISSUE, rca_issue_request_encode(r), answer, err);

	return st == XOS_OK && !r->server ? note_certificate(a, r, *answer, err) : st;
}

static enum xos_status on_trust(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct rca_auth *a = ctx;
	bool news = false;

	(void)from;
	(void)reply;
	return xos_trust_keep_take(a->trust, payload, a->list, &news, err);
}

static enum xos_status on_apply(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct rca_auth *a = ctx;
	struct xos_json *doc = NULL, *answer = NULL;
	struct xos_rca_application *app = NULL;
	char id[XOS_RCA_ID_LEN + 1] = "";

	(void)from;
	enum xos_status st = xos_json_parse(payload, XOS_RCA_BODY_MAX, &doc, err);
	if (st == XOS_OK)
		st = xos_rca_application_decode(doc, &app, err);
	if (st == XOS_OK)
		st = xos_store_begin(a->db, err);
	if (st == XOS_OK)
		st = rca_application_add(a->db, app, xos_clock_now(), id, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	if (st == XOS_OK) {
		XOS_EVENT(XOS_INFO, "node.applied", "node", app->node, "site", app->site, "id", id);
		answer = xos_json_object();
		xos_json_set_string(answer, "id", id);
		st = xos_json_dump(answer, reply, err);
	}
	xos_json_free(answer);
	xos_rca_application_free(app);
	xos_json_free(doc);
	return st;
}

static enum xos_status on_application(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct rca_auth *a = ctx;
	struct rca_application *row = NULL;
	struct xos_json *answer = NULL;
	struct xos_buf id;

	(void)from;
	xos_buf_init(&id, 128);
	xos_buf_put(&id, payload.p, payload.n);
	const char *text = xos_buf_str(&id);
	enum xos_status st = text ? rca_application_get(a->db, text, &row, err)
	                          : xos_err_set(err, XOS_NOT_FOUND, "no-application",
	                                "there is no such application");
	if (st == XOS_OK) {
		answer = row->outcome ? xos_json_copy(row->outcome) : xos_json_object();
		xos_json_set_string(answer, "status", xos_rca_state_name(row->state));
		xos_json_set_string(answer, "message", row->message);
		st = xos_json_dump(answer, reply, err);
	}
	xos_json_free(answer);
	rca_application_free(row);
	xos_buf_free(&id);
	return st;
}

/* The command is kept as used, and stands in the log, whether or not it can be carried out. */
static enum xos_status note(struct rca_auth *a, const struct xos_command *c, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object();
	char digest[2 * XOS_SHA256_LEN + 1];

	xos_hex_encode(digest, c->digest, XOS_SHA256_LEN);
	xos_json_set_string(doc, "verb", c->verb);
	xos_json_set_string(doc, "by", c->signer->claims->name);
	xos_json_set_string(doc, "digest", digest);
	xos_json_set(doc, "args", xos_json_copy(c->args));
	return rca_auth_ask_key(a, RCA_NOTE, doc, NULL, err);
}

enum xos_status rca_auth_use_once(
    struct rca_auth *a, const char *id, int64_t expires, struct xos_err *err)
{
	enum xos_status st = xos_store_begin(a->db, err);

	if (st == XOS_OK)
		st = xos_once(a->db, id, expires, xos_clock_now(), err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	return st;
}

static enum xos_status run_command(struct rca_auth *a, struct xos_command *c,
    const struct xos_err *why, struct xos_json **result, struct xos_err *err)
{
	const struct xos_claims *signer = c->signer->claims;
	struct rca_call call = {
	    .c = c,
	    .who = {.name = signer->name, .number = signer->number, .id = c->signer, .why = why},
	    .now = xos_clock_now(),
	};
	enum xos_status st = rca_command_allow(a, &call, err);

	if (st == XOS_OK)
		st = rca_auth_use_once(a, c->jti, c->exp, err);
	if (st == XOS_OK)
		st = note(a, c, err);
	return st == XOS_OK ? rca_auth_command(a, &call, result, err) : st;
}

static enum xos_status on_command(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct rca_auth *a = ctx;
	struct xos_command *c = NULL;
	struct xos_json *result = NULL;
	struct xos_err why;

	(void)from;
	enum xos_status st = xos_gate_open_any(a->gate, payload, xos_clock_now(), &c, &why, err);
	if (st == XOS_OK)
		st = run_command(a, c, &why, &result, err);
	return xos_gate_answer(st, c, result, reply, err);
}

static enum xos_status on_administrators(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct rca_auth *a = ctx;

	(void)from;
	(void)reply;
	return xos_gate_list(a->gate, payload, xos_clock_now(), err);
}

/* A node that is banned, or has left, learns nothing of the others; neither do its services. */
static enum xos_status may_read(
    struct rca_auth *a, struct xos_bytes who, int64_t now, struct xos_err *err)
{
	char hosts[XOS_RCA_HOSTS_MAX][XOS_NODE_MAX + 1], name[XOS_NODE_MAX + 1] = "";
	size_t nhosts = 0;
	struct xos_reader r;
	struct xos_err why = XOS_ERR_INIT;

	xos_reader_init(&r, who);
	xos_reader_lp_str(&r, name, sizeof(name));
	if (xos_reader_end(&r) != XOS_OK)
		return xos_err_set(err, XOS_MALFORMED, "node-name", "no name of a machine");
	enum xos_status st = rca_node_standing(a->db, name, NULL, now, hosts, &nhosts, &why);
	/* The VO's own servers are no nodes. */
	if (st == XOS_OK || st == XOS_NOT_FOUND)
		return XOS_OK;
	return xos_err_set(err, st, why.code, "%s", why.text);
}

static enum xos_status on_nodes(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct rca_auth *a = ctx;
	struct xos_json *list = NULL;
	int64_t now = xos_clock_now();

	(void)from;
	enum xos_status st = payload.n ? may_read(a, payload, now, err) : XOS_OK;
	if (st == XOS_OK)
		st = rca_node_list(a->db, now, &list, err);
	if (st == XOS_OK)
		st = xos_json_dump(list, reply, err);
	xos_json_free(list);
	return st;
}

void rca_auth_forget_locks(struct rca_auth *a)
{
	xos_buf_free(&a->locks);
	xos_buf_init(&a->locks, XOS_LOCKS_MAX);
}

static enum xos_status locks_document(
    struct rca_auth *a, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	struct xos_lock *locks = NULL;
	uint64_t serial = 0;
	size_t n = 0;
	enum xos_status st = rca_node_locks(a->db, xos_clock_now(), &locks, &n, err);

	if (st == XOS_OK)
		st = xos_store_begin(a->db, err);
	if (st == XOS_OK)
		st = rca_lock_serial_next(a->db, &serial, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	for (size_t i = 0; i < n; i++) {
		struct xos_json *v = xos_json_object();

		xos_json_set_string(v, "id", locks[i].id);
		xos_json_set_string(v, "name", locks[i].name);
		xos_json_set_time(v, "since", locks[i].since);
		xos_json_set_time(v, "until", locks[i].until);
		xos_json_set_string(v, "message", locks[i].message);
		xos_json_add(list, v);
	}
	xos_json_set_int(doc, "serial", (int64_t)serial);
	xos_json_set(doc, "locks", list);
	free(locks);
	*out = doc;
	return st;
}

static enum xos_status on_locks(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct rca_auth *a = ctx;
	struct xos_json *doc = NULL;
	struct xos_buf text;
	int64_t now = xos_clock_now();
	enum xos_status st = XOS_OK;

	(void)from;
	(void)payload;
	/* Signed anew when it changed (commands.c empties it) and long before it ends. */
	if (a->locks.n == 0 || now - a->locks_issued > a->conf->lock_life / 8) {
		xos_buf_free(&a->locks);
		xos_buf_init(&a->locks, XOS_LOCKS_MAX);
		xos_buf_init(&text, XOS_LOCKS_MAX);
		st = locks_document(a, &doc, err);
		if (st == XOS_OK)
			st = xos_json_dump(doc, &text, err);
		if (st == XOS_OK)
			st = xos_bulk_call(a->key, RCA_SIGN_LOCKS, xos_buf_bytes(&text),
			    xos_clock_mono_ms() + KEY_MS, &a->locks, err);
		xos_buf_free(&text);
		xos_json_free(doc);
		a->locks_issued = now;
	}
	if (st == XOS_OK)
		xos_buf_put(reply, a->locks.p, a->locks.n);
	return st;
}

static void on_tick(void *ctx)
{
	struct rca_auth *a = ctx;
	struct xos_err err = XOS_ERR_INIT;
	int64_t now = xos_clock_now();

	if (now - a->expired_at < 600)
		return;
	a->expired_at = now;
	if (rca_application_expire(a->db, now, a->conf->pending_life, &err) != XOS_OK)
		xos_event_err(XOS_WARN, "applications.expire", &err, (const char *)NULL);
	if (rca_est_expire(a->db, &err) != XOS_OK)
		xos_event_err(XOS_WARN, "est.expire", &err, (const char *)NULL);
	if (rca_code_expire(a->db, now, &err) != XOS_OK)
		xos_event_err(XOS_WARN, "codes.expire", &err, (const char *)NULL);
}

enum xos_status rca_auth_serve(struct xos_part_self *self, struct xos_err *err)
{
	static const struct xos_bulk_handler table[] = {
	    {RCA_APPLY, "apply", 1, XOS_RCA_BODY_MAX, on_apply},
	    {RCA_APPLICATION, "application", 1, 64, on_application},
	    {RCA_COMMAND, "command", 1, XOS_COMMAND_BODY_MAX, on_command},
	    {RCA_NODES, "nodes", 1, RCA_WHO_MAX, on_nodes},
	    {RCA_RENEW, "renew", 1, RCA_FROM_BODY_MAX, rca_auth_on_renew},
	    {RCA_CONFIRM, "confirm", 1, RCA_FROM_BODY_MAX, rca_auth_on_confirm},
	    {RCA_RESCUE, "rescue", 1, RCA_FROM_BODY_MAX, rca_auth_on_rescue},
	    {RCA_SSH_HOST, "ssh-host", 1, RCA_FROM_BODY_MAX, rca_auth_on_ssh_host},
	    {RCA_SSH_AUTHORITY, "ssh-authority", 1, 0, rca_auth_on_ssh_authority},
	    {RCA_LOCKS, "locks", 1, 0, on_locks},
	    {RCA_TRUST, "trust", 1, XOS_TRUST_LIST_MAX, on_trust},
	    {RCA_EST_ENROLL, "est-enroll", 1, RCA_EST_MESSAGE_MAX, rca_est_on_enroll},
	    {RCA_EST_REENROLL, "est-reenroll", 1, RCA_EST_MESSAGE_MAX, rca_est_on_reenroll},
	    {RCA_ADMINISTRATORS, "administrators", 1, XOS_ADMINISTRATORS_MAX, on_administrators},
	    {RCA_ROSTER, "roster", 1, XOS_ROSTER_MAX, rca_handle_roster},
	    {RCA_CA_LOCKS, "ca-locks", 1, XOS_LOCKS_MAX, rca_handle_ca_locks},
	    {RCA_TERMS, "terms", 1, XOS_ADMISSION_MAX + 256, rca_handle_terms},
	    {RCA_JOIN, "join", 1, XOS_RCA_BODY_MAX + 256, rca_handle_join},
	    {RCA_LEAVE, "leave", 1, XOS_RCA_BODY_MAX, rca_handle_leave},
	    {RCA_LOG_HEAD, "log-head", 1, 0, rca_auth_log_head},
	    {RCA_LOG_PROOF, "log-proof", 1, XOS_LOG_ASK_MAX, rca_auth_log_proof},
	    {RCA_LOG_GROWTH, "log-growth", 1, XOS_LOG_ASK_MAX, rca_auth_log_growth},
	};
	struct rca_auth *a = self->state;
	/* Only the front end asks here; the channel to key is this process's own to ask on. */
	struct xos_channel *channels[1] = {self->to[XOS_PART_NETWORK]};
	struct xos_channel_server server = {.channels = channels,
	    .nchannels = 1,
	    .signal_fd = self->signal_fd,
	    .on_tick = on_tick,
	    .tick_ms = 60000};
	struct xos_bulk_server *bulk = NULL;
	char path[PATH_MAX];

	/* Opened here: as the part's own user, so that every file of the database is its own. */
	enum xos_status st = rca_conf_path(a->conf, "auth/nodes.db", path, sizeof(path), err);
	if (st == XOS_OK)
		st = rca_nodes_open(path, &a->db, err);
	if (st == XOS_OK)
		st = xos_bulk_new(self->to[XOS_PART_KEY], &a->key, err);
	if (st == XOS_OK)
		st = xos_bulk_server_new(table, sizeof(table) / sizeof(table[0]), a, &bulk, err);
	if (st == XOS_OK) {
		xos_bulk_server_disk(bulk, path);
		xos_child_ready();
		st = xos_bulk_serve(bulk, &server, err);
	}
	xos_bulk_server_free(bulk);
	return st;
}
