/* EST in the auth process: who is let in by a code, and who waits. */
#include <string.h>

#include "base/event.h"
#include "base/text.h"
#include "rca/codes.h"
#include "rca/est_internal.h"
#include "rca/est_store.h"
#include "rca/sites.h"

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
		xos_json_set_string(app->about, "enrolment", "EST (RFC 7030)");
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
	enum xos_status st = rca_application_add(e->a->db, app, e->now, id, err);

	return st == XOS_OK ? rca_est_remember(e->a->db, e->node, e->spki, id, err) : st;
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

static enum xos_status certify(const struct rca_est *e, const struct xos_rca_application *app,
    const struct rca_code *code, struct xos_json **outcome, struct xos_err *err)
{
	struct rca_issue_request r;
	enum xos_status st = XOS_OK;

	rca_issue_request_init(&r);
	if (!xos_str_copy(r.name, sizeof(r.name), app->node) ||
	    !xos_str_printf(r.by, sizeof(r.by), "est, code %s of %s", code->id, code->by) ||
	    !xos_str_copy(r.digest, sizeof(r.digest), e->digest))
		st = xos_err_set(err, XOS_INTERNAL, "est", "a name does not fit");
	memcpy(r.hosts, app->hosts, sizeof(r.hosts));
	r.nhosts = app->nhosts;
	xos_buf_put(&r.csr, app->csr.p, app->csr.n);
	if (st == XOS_OK)
		st = rca_auth_issue(e->a, &r, outcome, err);
	if (st == XOS_OK)
		xos_json_set(*outcome, "services", xos_json_array());
	rca_issue_request_free(&r);
	return st;
}

/* Whoever made the code must still be one who approves there. */
static enum xos_status check_author(
    const struct rca_est *e, const struct rca_code *code, struct xos_err *err)
{
	enum rca_terms state = RCA_TERMS_NONE;
	struct xos_admission terms;
	enum xos_status st = rca_site_terms(e->a->db, code->site, e->now, &state, &terms, err);

	if (st != XOS_OK)
		return st;
	if (state == RCA_TERMS_FORCE && xos_admission_names(&terms, code->by))
		return XOS_OK;
	if (state == RCA_TERMS_NONE && code->by_admin)
		return XOS_OK;
	return rca_code_refuse(err);
}

static enum xos_status admit(const struct rca_est *e, const struct xos_rca_application *app,
    const struct rca_code *code, struct xos_json **answer, struct xos_err *err)
{
	struct xos_store *db = e->a->db;
	char id[XOS_RCA_ID_LEN + 1];
	enum xos_status st = add(e, app, id, err);

	if (st == XOS_OK)
		st = rca_node_admit(db, app, e->now, err);
	if (st == XOS_OK)
		st = rca_est_enrolled(db, e->node, err);
	if (st == XOS_OK)
		st = certify(e, app, code, answer, err);
	if (st == XOS_OK)
		st = rca_application_decide(db, id, XOS_RCA_APPROVED, "", *answer, e->now, err);
	return st;
}

/* waiting: the application that this node sent before it had a code; NULL. */
static enum xos_status enroll_by_code(const struct rca_est *e,
    const struct rca_application *waiting, struct xos_json **answer, struct xos_err *err)
{
	struct xos_rca_application *app = NULL;
	struct rca_code code;
	enum xos_status st = rca_code_take(e->a->db, e->q->password, e->node, e->now, &code, err);

	if (st == XOS_OK)
		st = check_author(e, &code, err);
	/* The client may try another: RFC 7030 3.2.3. */
	if (st == XOS_DENIED)
		st = xos_err_set(err, XOS_DENIED, "login-needed",
		    "this code does not admit the node %s: it may be over, used, or for another "
		    "node; "
		    "whoever gave it to you can make another",
		    e->node);
	if (st == XOS_OK)
		st = make_application(e, code.site, &app, err);
	if (st == XOS_OK)
		st = check_hosts(e, app, err);
	if (st == XOS_OK && waiting && waiting->state == XOS_RCA_PENDING)
		st = rca_application_decide(e->a->db, waiting->id, XOS_RCA_DENIED,
		    "admitted by a code instead", NULL, e->now, err);
	if (st == XOS_OK)
		st = admit(e, app, &code, answer, err);
	if (st == XOS_OK)
		XOS_EVENT(XOS_INFO, "node.admitted", "node", e->node, "site", app->site, "code",
		    code.id, "by", "est");
	xos_rca_application_free(app);
	return st;
}

/* The same key again: how is it with its application? */
static enum xos_status fetch(const struct rca_est *e, const struct rca_application *row,
    struct xos_json **answer, struct xos_err *err)
{
	char hosts[XOS_RCA_HOSTS_MAX][XOS_NODE_MAX + 1];
	size_t n = 0;
	enum xos_status st = XOS_OK;

	if (row->state == XOS_RCA_PENDING) {
		*answer = xos_json_object();
		return XOS_OK;
	}
	if (row->state == XOS_RCA_DENIED)
		return xos_err_set(err, XOS_DENIED, "application-denied",
		    "the application of %s was denied%s%s", e->node, row->message[0] ? ": " : "",
		    row->message);
	st = rca_node_standing(e->a->db, e->node, NULL, e->now, hosts, &n, err);
	if (st == XOS_OK)
		st = rca_est_enrolled(e->a->db, e->node, err);
	if (st == XOS_OK)
		*answer = xos_json_copy(row->outcome);
	return st;
}

static enum xos_status enroll(
    const struct rca_est *e, struct xos_json **answer, struct xos_err *err)
{
	struct rca_application *row = NULL;
	char id[XOS_RCA_ID_LEN + 1];
	bool code = e->q->named && e->q->password[0];
	enum xos_status st = xos_store_begin(e->a->db, err);

	if (st == XOS_OK)
		st = rca_est_find(e->a->db, e->node, e->spki, id, err);
	if (st == XOS_OK)
		st = rca_application_get(e->a->db, id, &row, err);
	else if (st == XOS_NOT_FOUND)
		st = XOS_OK;
	if (st == XOS_OK && row && (!code || row->state == XOS_RCA_APPROVED))
		st = fetch(e, row, answer, err);
	else if (st == XOS_OK)
		st = code ? enroll_by_code(e, row, answer, err) : apply(e, answer, err);
	if (st == XOS_OK)
		st = xos_store_commit(e->a->db, err);
	xos_store_rollback(e->a->db);
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
