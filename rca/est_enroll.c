/* EST in the auth process: who is let in by a code, and who waits. */
#include <string.h>

#include "base/event.h"
#include "base/text.h"
#include "rca/admit.h"
#include "rca/codes.h"
#include "rca/est_internal.h"
#include "rca/est_store.h"

static enum xos_status name_node(struct rca_est *e, struct xos_err *err)
{
	const char *name = e->q->named ? e->q->user : e->names.cn;
	char uri[XOS_URI_MAX];

	if (!xos_name_is_node(name) || !xos_str_copy(e->node, sizeof(e->node), name))
		return xos_err_set(err, XOS_MALFORMED, "node-name",
		    "\"%s\" is no name of a node: lower-case letters, digits, '-' and '.'; give it "
		    "as "
		    "the request's CN, or as user name with a one-time code",
		    name);
	xos_str_printf(uri, sizeof(uri), "spiffe://%s/node/%s", e->a->conf->common.vo, e->node);
	return rca_est_check_names(e, "node", uri, err);
}

/* The names for stock clients: as asked for; the node's own without any. */
static enum xos_status take_hosts(
    const struct rca_est *e, struct xos_rca_application *app, struct xos_err *err)
{
	const struct xos_csr_names *n = &e->names;
	bool fits = true;

	for (size_t i = 0; fits && i < n->nhosts; i++)
		fits = xos_rca_host_valid(n->host[i], NULL) &&
		       xos_str_copy(app->hosts[app->nhosts++], sizeof(app->hosts[0]), n->host[i]);
	if (n->nhosts == 0)
		fits = xos_str_copy(app->hosts[app->nhosts++], sizeof(app->hosts[0]), e->node);
	if (fits)
		return XOS_OK;
	return xos_err_set(err, XOS_MALFORMED, "node-hosts",
	    "an alternative name in the request is no host name or address");
}

/* A code says which node of which site; whose other names may be on its certificate a person must say. */
static enum xos_status check_hosts(
    const struct rca_est *e, const struct xos_rca_application *app, struct xos_err *err)
{
	for (size_t i = 0; i < app->nhosts; i++) {
		if (strcmp(app->hosts[i], e->node) == 0 || strcmp(app->hosts[i], e->q->from) == 0)
			continue;
		return xos_err_set(err, XOS_DENIED, "est-hosts",
		    "a code admits %s under its own name and the address that it comes from, not "
		    "as "
		    "%s: leave that name out, or send the request without a code and have it "
		    "approved",
		    e->node, app->hosts[i]);
	}
	return XOS_OK;
}

#define ENROLMENT "EST (RFC 7030)"

/* What is kept of an admission says how it came about: nobody can make a node that joined otherwise look as if it had
 * been enrolled here, by sending its request again at this door. */
static enum xos_status check_origin(const struct rca_application *row, struct xos_err *err)
{
	const char *how = NULL;
	enum xos_status st =
	    xos_json_opt_string(row->app->about, "enrolment", sizeof(ENROLMENT), &how, NULL);

	if (st == XOS_OK && how && strcmp(how, ENROLMENT) == 0)
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "est-node",
	    "the node %s joined with xos-node join, and has its certificates there",
	    row->app->node);
}

static enum xos_status make_application(const struct rca_est *e, const char *site,
    struct xos_rca_application **out, struct xos_err *err)
{
	struct xos_rca_application *app = xos_rca_application_new();
	enum xos_status st = app ? take_hosts(e, app, err)
	                         : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");

	if (st == XOS_OK && (!xos_str_copy(app->node, sizeof(app->node), e->node) ||
	                        !xos_str_copy(app->site, sizeof(app->site), site)))
		st = xos_err_set(err, XOS_INTERNAL, "est", "a name does not fit");
	if (st == XOS_OK) {
		app->about = xos_json_object();
		xos_json_set_string(app->about, "enrolment", ENROLMENT);
		xos_json_set_string(app->about, "address", e->q->from);
		xos_buf_put(&app->csr, e->q->csr.p, e->q->csr.n);
		st = xos_buf_status(&app->csr);
	}
	if (st != XOS_OK) {
		xos_rca_application_free(app);
		return st;
	}
	*out = app;
	return XOS_OK;
}

/* Keeps the application, waiting, and which key it belongs to. */
static enum xos_status add(const struct rca_est *e, const struct xos_rca_application *app,
    char id[XOS_RCA_ID_LEN + 1], struct xos_err *err)
{
	enum xos_status st = xos_store_begin(e->a->db, err);

	if (st == XOS_OK)
		st = rca_application_add(e->a->db, app, e->now, id, err);
	if (st == XOS_OK)
		st = rca_est_remember(e->a->db, e->node, e->spki, id, err);
	if (st == XOS_OK)
		st = xos_store_commit(e->a->db, err);
	xos_store_rollback(e->a->db);
	return st;
}

static enum xos_status apply(const struct rca_est *e, struct xos_json **answer, struct xos_err *err)
{
	struct xos_rca_application *app = NULL;
	char id[XOS_RCA_ID_LEN + 1];
	enum xos_status st = XOS_OK;

	if (!e->q->site[0])
		return xos_err_set(err, XOS_DENIED, "login-needed",
		    "give the node's name and its one-time code as user name and password; who has "
		    "no "
		    "code applies at /.well-known/est/%s.SITE/simpleenroll",
		    e->a->conf->common.vo);
	st = make_application(e, e->q->site, &app, err);
	if (st == XOS_OK)
		st = add(e, app, id, err);
	if (st == XOS_OK) {
		XOS_EVENT(XOS_INFO, "node.applied", "node", e->node, "site", app->site, "id", id,
		    "by", "est");
		*answer = xos_json_object();
	}
	xos_rca_application_free(app);
	return st;
}

/* A node that is known has its site; for others the code says which, and is not used up by being asked. */
static enum xos_status find_site(
    const struct rca_est *e, char site[XOS_SITE_MAX + 1], struct xos_err *err)
{
	struct rca_code code;
	enum xos_status st = rca_node_site(e->a->db, e->node, site, err);

	if (st != XOS_NOT_FOUND)
		return st;
	st = xos_store_begin(e->a->db, err);
	if (st == XOS_OK)
		st = rca_code_take(e->a->db, e->q->password, e->node, e->now, &code, err);
	xos_store_rollback(e->a->db);
	if (st == XOS_OK)
		memcpy(site, code.site, sizeof(code.site));
	return st;
}

/* The client's address as the server names peers. */
static void peer(const struct rca_est *e, char out[RCA_EST_FROM_MAX + 3])
{
	bool six = strchr(e->q->from, ':');

	xos_str_printf(
	    out, RCA_EST_FROM_MAX + 3, "%s%s%s", six ? "[" : "", e->q->from, six ? "]" : "");
}

/* Joins as our own nodes do by a code, under the names that a code admits. err is given. */
static enum xos_status join(
    const struct rca_est *e, char id[XOS_RCA_ID_LEN + 1], struct xos_err *err)
{
	struct xos_rca_application *app = NULL;
	char site[XOS_SITE_MAX + 1] = "", from[RCA_EST_FROM_MAX + 3];

	peer(e, from);
	enum xos_status st = rca_guess_check(e->a->guess, from, e->now, err);
	if (st == XOS_OK)
		st = find_site(e, site, err);
	if (st == XOS_OK)
		st = make_application(e, site, &app, err);
	if (st == XOS_OK)
		st = check_hosts(e, app, err);
	if (st == XOS_OK)
		st = rca_join(e->a, app, e->q->password, e->now, id, err);
	if (st == XOS_DENIED && strcmp(err->code, "join-code") == 0)
		rca_guess_failed(e->a->guess, from, e->now);
	xos_rca_application_free(app);
	return st;
}

/* What is kept beside the join; a crash before it is no loss: the same key joins again as it is, and this comes then. */
static enum xos_status keep(const struct rca_est *e, const struct rca_application *waiting,
    const char *id, struct xos_err *err)
{
	struct xos_store *db = e->a->db;
	enum xos_status st = xos_store_begin(db, err);

	if (st == XOS_OK && waiting && waiting->state == XOS_RCA_PENDING)
		st = rca_application_decide(db, waiting->id, XOS_RCA_DENIED,
		    "admitted by a code instead", NULL, e->now, err);
	if (st == XOS_OK)
		st = rca_est_remember(db, e->node, e->spki, id, err);
	if (st == XOS_OK)
		st = rca_est_enrolled(db, e->node, err);
	if (st == XOS_OK)
		st = xos_store_commit(db, err);
	xos_store_rollback(db);
	return st;
}

/* waiting: the application that this node sent before it had a code; NULL. */
static enum xos_status enroll_by_code(const struct rca_est *e,
    const struct rca_application *waiting, struct xos_json **answer, struct xos_err *err)
{
	struct rca_application *row = NULL;
	struct xos_err own = XOS_ERR_INIT;
	char id[XOS_RCA_ID_LEN + 1] = "";
	enum xos_status st = join(e, id, &own);

	/* A 401: the client may try another (RFC 7030 3.2.3). */
	if (st == XOS_DENIED && strcmp(own.code, "join-code") == 0)
		return xos_err_set(err, XOS_DENIED, "login-needed", "%s", own.text);
	if (st != XOS_OK && err)
		*err = own;
	if (st == XOS_OK)
		st = rca_application_get(e->a->db, id, &row, err);
	if (st == XOS_OK)
		st = check_origin(row, err);
	if (st == XOS_OK)
		st = keep(e, waiting, id, err);
	if (st == XOS_OK)
		*answer = xos_json_copy(row->outcome);
	rca_application_free(row);
	return st;
}

/* The certificate of an approved application, while the node is in order. */
static enum xos_status fetch(const struct rca_est *e, const struct rca_application *row,
    struct xos_json **answer, struct xos_err *err)
{
	char hosts[XOS_RCA_HOSTS_MAX][XOS_NODE_MAX + 1];
	size_t n = 0;
	enum xos_status st = rca_node_standing(e->a->db, e->node, NULL, e->now, hosts, &n, err);

	if (st == XOS_OK)
		st = check_origin(row, err);
	if (st == XOS_OK)
		st = xos_store_begin(e->a->db, err);
	if (st == XOS_OK)
		st = rca_est_enrolled(e->a->db, e->node, err);
	if (st == XOS_OK)
		st = xos_store_commit(e->a->db, err);
	xos_store_rollback(e->a->db);
	if (st == XOS_OK)
		*answer = xos_json_copy(row->outcome);
	return st;
}

/* The same key again: what became of its application? NOT_FOUND, err untouched: there is none that counts. */
static enum xos_status follow(const struct rca_est *e, const struct rca_application *row,
    struct xos_json **answer, struct xos_err *err)
{
	struct xos_err own = XOS_ERR_INIT;
	enum xos_status st = XOS_OK;

	if (row->state == XOS_RCA_PENDING) {
		*answer = xos_json_object();
		return XOS_OK;
	}
	if (row->state == XOS_RCA_DENIED)
		return xos_err_set(err, XOS_DENIED, "application-denied",
		    "the application of %s was denied%s%s", e->node, row->message[0] ? ": " : "",
		    row->message);
	st = fetch(e, row, answer, &own);
	if (st == XOS_DENIED && strcmp(own.code, "node-left") == 0)
		return XOS_NOT_FOUND;
	if (st != XOS_OK && err)
		*err = own;
	return st;
}

static enum xos_status enroll(
    const struct rca_est *e, struct xos_json **answer, struct xos_err *err)
{
	struct rca_application *row = NULL;
	char id[XOS_RCA_ID_LEN + 1];
	bool code = e->q->named && e->q->password[0];
	enum xos_status st = rca_est_find(e->a->db, e->node, e->spki, id, err);

	if (st == XOS_OK)
		st = rca_application_get(e->a->db, id, &row, err);
	if (st == XOS_OK)
		st = code && row->state != XOS_RCA_APPROVED ? XOS_NOT_FOUND
		                                            : follow(e, row, answer, err);
	if (st == XOS_NOT_FOUND)
		st = code ? enroll_by_code(e, row, answer, err) : apply(e, answer, err);
	rca_application_free(row);
	return st;
}

enum xos_status rca_est_on_enroll(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct rca_est e = {.a = NULL};
	struct rca_est_request q;
	struct xos_json *answer = NULL;

	(void)from;
	rca_est_request_init(&q);
	enum xos_status st = rca_est_request_decode(payload, &q, err);
	if (st == XOS_OK)
		st = rca_est_open(&e, ctx, &q, err);
	if (st == XOS_OK)
		st = name_node(&e, err);
	if (st == XOS_OK)
		st = enroll(&e, &answer, err);
	st = rca_est_reply(st, &e, answer, reply, err);
	rca_est_request_free(&q);
	return st;
}
