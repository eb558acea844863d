/* The auth process: keeps nodes.db, checks what the network process passes on. */
#include "rca/auth.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/once.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "bundle/administrators.h"
#include "proc/supervisor.h"
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
	self->state = a;
	a->trust = xos_trust_new();
	if (!a->trust)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	const struct xos_gate_options o = {
	    .vo = conf->common.vo, .aud = XOS_RCA_AUD, .trust = a->trust};
	enum xos_status st = xos_trust_load(a->trust, conf->common.trust, err);
	return st == XOS_OK ? xos_gate_new(&o, &a->gate, err) : st;
}

void rca_auth_close(struct xos_part_self *self)
{
	struct rca_auth *a = self->state;

	if (!a)
		return;
	xos_gate_free(a->gate);
	xos_bulk_free(a->key);
	xos_store_close(a->db);
	xos_trust_free(a->trust);
	xos_buf_free(&a->locks);
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

enum xos_status rca_auth_issue(struct rca_auth *a, const struct rca_issue_request *r,
    struct xos_json **answer, struct xos_err *err)
{
	return rca_auth_ask_key(a, RCA_ISSUE, rca_issue_request_encode(r), answer, err);
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

static enum xos_status use_once(
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

static enum xos_status on_command(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct rca_auth *a = ctx;
	struct xos_command *c = NULL;
	struct xos_json *result = NULL;

	(void)from;
	enum xos_status st = xos_gate_open(a->gate, payload, xos_clock_now(), &c, err);
	if (st == XOS_OK)
		st = use_once(a, c->jti, c->exp, err);
	if (st == XOS_OK)
		st = note(a, c, err);
	if (st == XOS_OK)
		st = rca_auth_command(a, c, &result, err);
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

static enum xos_status on_nodes(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct rca_auth *a = ctx;
	struct xos_json *list = NULL;

	(void)from;
	(void)payload;
	enum xos_status st = rca_node_list(a->db, xos_clock_now(), &list, err);
	if (st == XOS_OK)
		st = xos_json_dump(list, reply, err);
	xos_json_free(list);
	return st;
}

/* May it still have a certificate, and which names go in? */
static enum xos_status renewal_request(struct rca_auth *a, const struct xos_rca_renewal *r,
    struct rca_issue_request *out, struct xos_err *err)
{
	const struct xos_claims *claims = r->who->claims;
	const char *service = claims->kind == XOS_KIND_SERVICE ? claims->service : NULL;
	enum xos_status st = XOS_OK;

	out->server = service && rca_kind_is_server(service);
	if (out->server)
		st = rca_server_hosts(a->db, service, claims->name, out->hosts, &out->nhosts, err);
	else
		st = rca_node_standing(
		    a->db, claims->name, service, xos_clock_now(), out->hosts, &out->nhosts, err);
	if (st != XOS_OK)
		return st;
	if (!xos_str_copy(out->service, sizeof(out->service), service ? service : "") ||
	    !xos_str_copy(out->name, sizeof(out->name), claims->name) ||
	    !xos_str_copy(out->by, sizeof(out->by), "renewal") ||
	    !xos_str_copy(out->digest, sizeof(out->digest), r->jti))
		return xos_err_set(err, XOS_INTERNAL, "renewal", "a name does not fit");
	xos_buf_put(&out->csr, r->csr.p, r->csr.n);
	return xos_buf_status(&out->csr);
}

static enum xos_status on_renew(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct rca_auth *a = ctx;
	struct xos_rca_renewal *r = NULL;
	struct rca_issue_request req;
	struct xos_json *answer = NULL;

	(void)from;
	rca_issue_request_init(&req);
	enum xos_status st =
	    xos_rca_renewal_open(payload, a->trust, a->conf->common.vo, xos_clock_now(), &r, err);
	if (st == XOS_OK)
		st = renewal_request(a, r, &req, err);
	if (st == XOS_OK)
		st = use_once(a, r->jti, r->exp, err);
	if (st == XOS_OK)
		st = rca_auth_issue(a, &req, &answer, err);
	if (st == XOS_OK)
		st = xos_json_dump(answer, reply, err);
	else
		xos_event_err(XOS_WARN, "renewal.refused", err, "name",
		    r && r->who ? r->who->claims->name : NULL, (const char *)NULL);
	xos_json_free(answer);
	rca_issue_request_free(&req);
	xos_rca_renewal_free(r);
	return st;
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
}

enum xos_status rca_auth_serve(struct xos_part_self *self, struct xos_err *err)
{
	static const struct xos_bulk_handler table[] = {
	    {RCA_APPLY, "apply", 1, XOS_RCA_BODY_MAX, on_apply},
	    {RCA_APPLICATION, "application", 1, 64, on_application},
	    {RCA_COMMAND, "command", 1, XOS_COMMAND_BODY_MAX, on_command},
	    {RCA_NODES, "nodes", 1, 0, on_nodes},
	    {RCA_RENEW, "renew", 1, XOS_RCA_BODY_MAX, on_renew},
	    {RCA_LOCKS, "locks", 1, 0, on_locks},
	    {RCA_ADMINISTRATORS, "administrators", 1, XOS_ADMINISTRATORS_MAX, on_administrators},
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
