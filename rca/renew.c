/* How nodes and services keep their certificates: renewal, renewal after the end, and the word that one is in use. */
#include <string.h>

#include "api/chainjson.h"
#include "api/keep.h"
#include "api/sshhost.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "rca/auth.h"
#include "rca/from.h"
#include "rca/generations.h"
#include "rca/sites.h"
#include "store/sql.h"

/* One proof with what it leads to. */
struct keeping {
	struct rca_auth *a;
	const char *what; /* "renewal", "rescue", "confirmation" */
	char from[RCA_FROM_MAX + 1];
	struct xos_rca_renewal *proof;
	struct rca_issue_request req;
	struct rca_use use;
	struct rca_judgement judgement;
	int64_t now;
};

enum xos_status rca_auth_begin(struct rca_auth *a, const char *node, const char *kind,
    const struct xos_json *answer, struct xos_err *err)
{
	struct xos_chain chain = {.n = 0};
	enum xos_status st = xos_chain_from_json(answer, "chain", &chain, err);

	if (st == XOS_OK)
		st = rca_generation_begin(a->db, node, kind, chain.cert[0], xos_clock_now(), err);
	xos_chain_clear(&chain);
	return st;
}

/* May it still have a certificate, and which names go in? */
static enum xos_status standing(struct keeping *k, struct xos_err *err)
{
	const struct xos_claims *claims = k->proof->who->claims;
	const char *service = claims->kind == XOS_KIND_SERVICE ? claims->service : NULL;
	struct rca_issue_request *out = &k->req;

	out->server = service && rca_kind_is_server(service);
	if (out->server)
		return rca_server_hosts(
		    k->a->db, service, claims->name, out->hosts, &out->nhosts, err);
	enum xos_status st = rca_node_standing(
	    k->a->db, claims->name, service, k->now, out->hosts, &out->nhosts, err);
	return st == XOS_OK ? rca_generation_standing(k->a->db, claims->name, err) : st;
}

static enum xos_status fill_request(struct keeping *k, struct xos_err *err)
{
	const struct xos_claims *claims = k->proof->who->claims;
	const char *service = claims->kind == XOS_KIND_SERVICE ? claims->service : "";
	struct rca_issue_request *out = &k->req;

	if (!xos_str_copy(out->service, sizeof(out->service), service) ||
	    !xos_str_copy(out->name, sizeof(out->name), claims->name) ||
	    !xos_str_copy(out->by, sizeof(out->by), k->what) ||
	    !xos_str_copy(out->digest, sizeof(out->digest), k->proof->jti))
		return xos_err_set(err, XOS_INTERNAL, "renewal", "a name does not fit");
	k->use = (struct rca_use){.node = out->name,
	    .kind = out->service,
	    .cert = k->proof->who->entity,
	    .iat = k->proof->iat,
	    .from = k->from};
	xos_buf_put(&out->csr, k->proof->csr.p, k->proof->csr.n);
	return xos_buf_status(&out->csr);
}

enum xos_status rca_auth_renewal(struct rca_auth *a, struct xos_rca_renewal *r,
    struct rca_issue_request *out, struct xos_err *err)
{
	struct keeping k = {.a = a, .what = "renewal", .proof = r, .now = xos_clock_now()};

	rca_issue_request_init(&k.req);
	enum xos_status st = fill_request(&k, err);
	if (st == XOS_OK)
		st = standing(&k, err);
	rca_issue_request_free(out);
	*out = k.req; /* with its buffer, also after a failure */
	return st;
}

/* --- a second use --- */

static struct xos_json *record(const struct keeping *k)
{
	struct xos_json *doc = xos_json_object();

	xos_json_set_string(doc, "node", k->use.node);
	xos_json_set_string(doc, "service", k->use.kind);
	xos_json_set_string(doc, "serial", xos_cert_serial_text(k->use.cert));
	xos_json_set_string(doc, "from", k->from);
	return doc;
}

/* The lock comes first and stands even if the record cannot be written: that says so itself. */
static void tell_twice(struct keeping *k)
{
	struct xos_json *doc = record(k);
	struct xos_err err = XOS_ERR_INIT;

	XOS_EVENT(XOS_ERROR, "node.key-used-twice", "node", k->use.node, "service",
	    *k->use.kind ? k->use.kind : NULL, "serial", xos_cert_serial_text(k->use.cert), "from",
	    *k->from ? k->from : NULL, "why", k->judgement.why);
	xos_json_set_int(doc, "generation", k->judgement.generation);
	xos_json_set_string(doc, "why", k->judgement.why);
	if (rca_auth_ask_key(k->a, RCA_NOTE_TWICE, doc, NULL, &err) != XOS_OK)
		xos_event_err(XOS_ERROR, "record.not-written", &err, (const char *)NULL);
}

static enum xos_status lock_node(struct keeping *k, struct xos_err *err)
{
	bool fresh = false;
	enum xos_status st =
	    rca_generation_lock(k->a->db, &k->use, &k->judgement, k->now, &fresh, err);

	if (st == XOS_NOT_FOUND)
		return st; /* no node of ours: standing has said so */
	if (st == XOS_OK)
		st = xos_store_commit(k->a->db, err);
	if (st != XOS_OK)
		return st;
	rca_auth_forget_locks(k->a);
	if (fresh)
		tell_twice(k);
	return xos_err_set(err, XOS_DENIED, "key-used-twice", "the node %s is locked: %s",
	    k->use.node, k->judgement.why);
}

static enum xos_status refuse(struct keeping *k, struct xos_err *err)
{
	switch (k->judgement.verdict) {
	case RCA_USE_TWICE:
		return lock_node(k, err);
	case RCA_USE_LATE:
		return xos_err_set(err, XOS_DENIED, "renewal-late",
		    "this request of the node %s was signed before one that came earlier and was "
		    "granted: it is too late",
		    k->use.node);
	case RCA_USE_FORMER:
		return xos_err_set(err, XOS_DENIED, "renewal-former",
		    "this certificate is from before the node %s was admitted anew: join with "
		    "xos-node join",
		    k->use.node);
	default:
		return XOS_OK;
	}
}

/* In a transaction that the caller ends. A second use shows also while a node is banned for something else. */
static enum xos_status judge(struct keeping *k, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = xos_store_begin(k->a->db, err), stands;

	if (st != XOS_OK)
		return st;
	stands = standing(k, &why);
	if (!k->req.server && stands != XOS_NOT_FOUND && strcmp(why.code, "node-left") != 0) {
		st = rca_generation_judge(k->a->db, &k->use, k->now, &k->judgement, err);
		if (st == XOS_OK)
			st = refuse(k, err);
	}
	if (st == XOS_OK && stands != XOS_OK) {
		if (err)
			*err = why;
		st = stands;
	}
	return st;
}

/* --- renewal after the end --- */

static enum xos_status check_grace(struct keeping *k, struct xos_err *err)
{
	char site[XOS_SITE_MAX + 1] = "", ago[XOS_TIME_TEXT], grace[XOS_TIME_TEXT];
	struct xos_stmt *s = NULL;
	int64_t seconds = 0, over = k->now - xos_cert_not_after(k->use.cert);
	bool row = false;
	enum xos_status st = k->req.server
	                         ? xos_err_set(err, XOS_DENIED, "rescue-over",
	                               "servers of the VO are certified by: xos-server start")
	                         : XOS_OK;

	if (st == XOS_OK)
		st = xos_sql_query(
		    k->a->db, &s, err, "SELECT site FROM nodes WHERE node = ?1", "s", k->use.node);
	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && (!row || !xos_str_copy(site, sizeof(site), xos_stmt_text(s, 0))))
		st = xos_err_set(err, XOS_INTERNAL, "store-damaged", "bad node in nodes.db");
	xos_stmt_done(s);
	if (st == XOS_OK)
		st = rca_site_rescue(k->a->db, site, k->now, &seconds, err);
	if (st != XOS_OK || over < seconds)
		return st;
	xos_duration_format(over, ago);
	xos_duration_format(seconds, grace);
	if (seconds == 0)
		return xos_err_set(err, XOS_EXPIRED, "rescue-over",
		    "the certificate ended %s ago, and the owner of the site %s allows no renewal "
		    "after the end: join again (xos-node join)",
		    ago, site);
	return xos_err_set(err, XOS_EXPIRED, "rescue-over",
	    "the certificate ended %s ago, and the owner of the site %s allows renewal for %s "
	    "after "
	    "the end: join again (xos-node join)",
	    ago, site, grace);
}

/* Never silent: who looks at the node, at the events or at the record finds it. */
static enum xos_status tell_rescued(struct keeping *k, struct xos_err *err)
{
	struct xos_json *doc = record(k);
	char ended[XOS_TIME_TEXT];

	xos_time_format(xos_cert_not_after(k->use.cert), ended);
	XOS_EVENT(XOS_WARN, "node.rescued", "node", k->use.node, "service",
	    *k->use.kind ? k->use.kind : NULL, "ended", ended, "from", *k->from ? k->from : NULL);
	xos_json_set_string(doc, "ended", ended);
	enum xos_status st = rca_auth_ask_key(k->a, RCA_NOTE_RESCUED, doc, NULL, err);
	return st == XOS_OK ? rca_generation_rescued(k->a->db, k->use.node, k->now, err) : st;
}

/* --- the three --- */

static enum xos_status issue(struct keeping *k, struct xos_json **answer, struct xos_err *err)
{
	struct xos_chain fresh = {.n = 0};
	enum xos_status st = rca_auth_issue(k->a, &k->req, answer, err);

	if (st == XOS_OK && !k->req.server) {
		st = xos_chain_from_json(*answer, "chain", &fresh, err);
		if (st == XOS_OK)
			st = rca_generation_next(
			    k->a->db, &k->use, &k->judgement, fresh.cert[0], k->now, err);
		xos_chain_clear(&fresh);
	}
	/* Nobody has the certificate before its generation is kept: a crash in between leaves one in the log
	 * that was never given out. */
	return st == XOS_OK ? xos_store_commit(k->a->db, err) : st;
}

typedef enum xos_status (*open_fn)(struct xos_bytes body, const struct xos_trust *trust,
    const char *vo, int64_t now, struct xos_rca_renewal **out, struct xos_err *err);

/* The id is used up before anything is judged: what was seen before says nothing about who holds a key. */
static enum xos_status begin(
    struct keeping *k, struct xos_bytes payload, open_fn open, struct xos_err *err)
{
	struct xos_bytes body = rca_from_split(payload, k->from);

	k->now = xos_clock_now();
	rca_issue_request_init(&k->req);
	enum xos_status st = open(body, k->a->trust, k->a->conf->common.vo, k->now, &k->proof, err);
	if (st == XOS_OK)
		st = fill_request(k, err);
	if (st == XOS_OK)
		st = rca_auth_use_once(k->a, k->proof->jti, k->proof->exp, err);
	return st == XOS_OK ? judge(k, err) : st;
}

static enum xos_status end(struct keeping *k, enum xos_status st, const struct xos_err *err)
{
	char event[32];

	xos_store_rollback(k->a->db);
	xos_str_printf(event, sizeof(event), "%s.refused", k->what);
	if (st != XOS_OK)
		xos_event_err(XOS_WARN, event, err, "name",
		    k->proof && k->proof->who ? k->proof->who->claims->name : NULL, "from",
		    *k->from ? k->from : NULL, (const char *)NULL);
	rca_issue_request_free(&k->req);
	xos_rca_renewal_free(k->proof);
	return st;
}

static enum xos_status keep(struct keeping *k, bool rescue, struct xos_bytes payload,
    struct xos_buf *reply, struct xos_err *err)
{
	struct xos_json *answer = NULL;
	enum xos_status st =
	    begin(k, payload, rescue ? xos_rca_rescue_open : xos_rca_renewal_open, err);

	if (st == XOS_OK && rescue)
		st = check_grace(k, err);
	if (st == XOS_OK && rescue)
		st = tell_rescued(k, err);
	if (st == XOS_OK)
		st = issue(k, &answer, err);
	if (st == XOS_OK)
		st = xos_json_dump(answer, reply, err);
	xos_json_free(answer);
	return end(k, st, err);
}

enum xos_status rca_auth_on_renew(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct keeping k = {.a = ctx, .what = "renewal"};

	(void)from;
	return keep(&k, false, payload, reply, err);
}

enum xos_status rca_auth_on_rescue(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct keeping k = {.a = ctx, .what = "rescue"};

	(void)from;
	return keep(&k, true, payload, reply, err);
}

enum xos_status rca_auth_on_confirm(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct keeping k = {.a = ctx, .what = "confirmation"};

	(void)from;
	(void)reply;
	enum xos_status st = begin(&k, payload, xos_rca_confirm_open, err);
	if (st == XOS_OK && !k.req.server)
		st = rca_generation_used(k.a->db, &k.use, &k.judgement, k.now, err);
	if (st == XOS_OK)
		st = xos_store_commit(k.a->db, err);
	return end(&k, st, err);
}

/* --- host certificates of ssh --- */

static enum xos_status ask_ssh(struct keeping *k, const struct xos_rca_ssh_keys *keys,
    struct xos_json **answer, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object();
	const char *hosts[XOS_RCA_HOSTS_MAX];

	for (size_t i = 0; i < k->req.nhosts; i++)
		hosts[i] = k->req.hosts[i];
	xos_json_set_string(doc, "node", k->req.name);
	xos_json_set_strings(doc, "hosts", hosts, k->req.nhosts);
	xos_json_set(doc, "keys", xos_rca_ssh_keys_json(keys));
	xos_json_set_string(doc, "digest", k->req.digest);
	return rca_auth_ask_key(k->a, RCA_SIGN_SSH, doc, answer, err);
}

/* For a node's own certificate alone, in use and in good standing; the names are those that were approved. */
enum xos_status rca_auth_on_ssh_host(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct keeping k = {.a = ctx, .what = "ssh-host"};
	struct xos_rca_ssh_keys keys;
	struct xos_json *answer = NULL;

	(void)from;
	enum xos_status st = begin(&k, payload, xos_rca_ssh_host_open, err);
	if (st == XOS_OK)
		st = xos_rca_ssh_keys_read(k.proof->payload, &keys, err);
	if (st == XOS_OK)
		st = rca_generation_used(k.a->db, &k.use, &k.judgement, k.now, err);
	if (st == XOS_OK)
		st = xos_store_commit(k.a->db, err);
	if (st == XOS_OK)
		st = ask_ssh(&k, &keys, &answer, err);
	if (st == XOS_OK)
		st = xos_json_dump(answer, reply, err);
	xos_json_free(answer);
	return end(&k, st, err);
}

enum xos_status rca_auth_on_ssh_authority(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct rca_auth *a = ctx;
	int64_t now = xos_clock_now();
	enum xos_status st = XOS_OK;

	(void)from;
	(void)payload;
	if (a->ssh.n == 0 || now - a->ssh_issued > a->conf->lock_life / 8 || now < a->ssh_issued) {
		xos_buf_free(&a->ssh);
		xos_buf_init(&a->ssh, XOS_SSH_STATEMENT_MAX);
		st = xos_bulk_call(a->key, RCA_SIGN_SSH_AUTHORITY, xos_bytes_str("{}"),
		    xos_clock_mono_ms() + 20000, &a->ssh, err);
		a->ssh_issued = now;
	}
	if (st == XOS_OK)
		xos_buf_put(reply, a->ssh.p, a->ssh.n);
	return st;
}
