/* Approval, and joining by a code, which is approval that was given beforehand. */
#include "rca/admit.h"

#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/text.h"
#include "pki/csr.h"
#include "rca/codes.h"
#include "rca/rights.h"
#include "store/sql.h"

enum xos_status rca_csr_fingerprint(
    const struct xos_buf *csr, char out[XOS_FINGERPRINT_TEXT], struct xos_err *err)
{
	struct xos_csr parsed;
	enum xos_status st = xos_csr_parse(xos_buf_bytes(csr), &parsed, err);

	if (st == XOS_OK)
		xos_fingerprint_text(parsed.spki_sha256, out);
	return st;
}

static enum xos_status certify(struct rca_auth *a, const struct rca_admitting *by,
    const struct xos_rca_application *app, const char *service, const struct xos_buf *csr,
    struct xos_json **chain, struct xos_err *err)
{
	struct rca_issue_request r;

	rca_issue_request_init(&r);
	enum xos_status st = XOS_OK;
	if (!xos_str_copy(r.service, sizeof(r.service), service) ||
	    !xos_str_copy(r.name, sizeof(r.name), app->node) ||
	    !xos_str_copy(r.by, sizeof(r.by), by->by) ||
	    !xos_str_copy(r.digest, sizeof(r.digest), by->digest))
		st = xos_err_set(err, XOS_INTERNAL, "approve", "a name does not fit");
	memcpy(r.hosts, app->hosts, sizeof(r.hosts));
	r.nhosts = app->nhosts;
	xos_buf_put(&r.csr, csr->p, csr->n);
	if (st == XOS_OK)
		st = rca_auth_issue(a, &r, chain, err);
	if (st == XOS_OK)
		st = rca_auth_begin(a, app->node, service, *chain, err);
	rca_issue_request_free(&r);
	return st;
}

/* The node's certificate and those of its services, as the outcome that the node will fetch. */
static enum xos_status certify_all(struct rca_auth *a, const struct rca_admitting *by,
    const struct xos_rca_application *app, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *outcome = NULL, *services = xos_json_array();
	enum xos_status st = certify(a, by, app, "", &app->csr, &outcome, err);

	for (size_t i = 0; st == XOS_OK && i < app->nservices; i++) {
		struct xos_json *one = NULL;

		st = certify(a, by, app, app->services[i].kind, &app->services[i].csr, &one, err);
		if (st != XOS_OK)
			break;
		xos_json_set_string(one, "kind", app->services[i].kind);
		xos_json_add(services, one);
	}
	if (st != XOS_OK) {
		xos_json_free(services);
		xos_json_free(outcome);
		return st;
	}
	xos_json_set(outcome, "services", services);
	*out = outcome;
	return XOS_OK;
}

enum xos_status rca_admit_node(struct rca_auth *a, const struct xos_rca_application *app,
    const struct rca_admitting *by, int64_t now, struct xos_json **outcome, struct xos_err *err)
{
	/* The name first: nothing is signed for one that is taken. */
	enum xos_status st = rca_node_admit_by(a->db, app, &by->how, now, err);

	return st == XOS_OK ? certify_all(a, by, app, outcome, err) : st;
}

/* --- by a code --- */

static enum xos_status same_key(
    const struct xos_rca_application *a, const struct xos_rca_application *b, bool *same)
{
	char mine[XOS_FINGERPRINT_TEXT] = "", theirs[XOS_FINGERPRINT_TEXT] = "";
	enum xos_status st = rca_csr_fingerprint(&a->csr, mine, NULL);

	if (st == XOS_OK)
		st = rca_csr_fingerprint(&b->csr, theirs, NULL);
	*same = st == XOS_OK && strcmp(mine, theirs) == 0;
	return st;
}

/* A node whose answer was lost asks again, with a fresh proof of the same key. */
static enum xos_status find_admitted(struct rca_auth *a, const struct xos_rca_application *app,
    char id[XOS_RCA_ID_LEN + 1], struct xos_err *err)
{
	char found[XOS_RCA_ID_LEN + 1] = "";
	struct rca_application *row = NULL;
	struct xos_stmt *s = NULL;
	bool there = false, same = false;
	enum xos_status st = xos_sql_query(a->db, &s, err,
	    "SELECT id FROM applications JOIN nodes ON nodes.node = applications.node"
	    " WHERE applications.node = ?1 AND state = ?2 AND left_at IS NULL"
	    " ORDER BY decided DESC LIMIT 1",
	    "si", app->node, (int64_t)XOS_RCA_APPROVED);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &there, err);
	if (st == XOS_OK && there)
		(void)!xos_str_copy(found, sizeof(found), xos_stmt_text(s, 0));
	xos_stmt_done(s);
	if (st == XOS_OK && found[0])
		st = rca_application_get(a->db, found, &row, err);
	if (st == XOS_OK && row && same_key(row->app, app, &same) == XOS_OK && same &&
	    strcmp(row->app->site, app->site) == 0)
		memcpy(id, found, sizeof(found));
	rca_application_free(row);
	return st;
}

/* Whether the maker may still approve: a code is no more than its maker's word, and ends with the right to give it. */
static enum xos_status check_maker(
    struct rca_auth *a, const struct rca_code *code, int64_t now, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT, own = XOS_ERR_INIT;
	enum rca_side side = RCA_SIDE_VO;
	const struct rca_signer maker = {.name = code->by, .number = code->by_number, .why = &why};
	enum xos_status st = xos_gate_administrator(a->gate, code->by, code->by_number, now, &why);

	if (st != XOS_OK)
		why.status = st;
	st = rca_may_approve(a, &maker, code->site, now, &side, &own);
	/* A code made as one side is none of the other's. */
	if (st == XOS_OK && code->by_admin != (side == RCA_SIDE_VO))
		return rca_code_refuse(err);
	if (st == XOS_OK)
		return st;
	if (xos_status_exit(st) == 3) {
		if (err)
			*err = own;
		return st;
	}
	xos_event_err(
	    XOS_WARN, "code.void", &own, "code", code->id, "by", code->by, (const char *)NULL);
	return rca_code_refuse(err);
}

static enum xos_status note_join(struct rca_auth *a, const struct rca_code *code,
    const struct xos_rca_application *app, const char *id, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *args = xos_json_object();

	xos_json_set_string(args, "node", app->node);
	xos_json_set_string(args, "site", app->site);
	xos_json_set_string(args, "code", code->id);
	xos_json_set_string(doc, "verb", "node.join");
	xos_json_set_string(doc, "by", code->by);
	xos_json_set_string(doc, "digest", id);
	xos_json_set(doc, "args", args);
	return rca_auth_ask_key(a, RCA_NOTE, doc, NULL, err);
}

/* In the transaction of rca_join. */
static enum xos_status admit_by_code(struct rca_auth *a, const struct xos_rca_application *app,
    const struct rca_code *code, int64_t now, char id[XOS_RCA_ID_LEN + 1], struct xos_err *err)
{
	char by[128];
	struct xos_json *outcome = NULL;
	const struct rca_admitting how = {
	    .how = {.by = code->by, .code = code->id}, .by = by, .digest = id};
	enum xos_status st = rca_application_insert(a->db, app, now, id, err);

	xos_str_printf(by, sizeof(by), "%s by code %s", code->by, code->id);
	/* Whose code it was stands in the log before anything is signed by it. */
	if (st == XOS_OK)
		st = note_join(a, code, app, id, err);
	if (st == XOS_OK)
		st = rca_admit_node(a, app, &how, now, &outcome, err);
	if (st == XOS_OK)
		st = rca_application_decide(a->db, id, XOS_RCA_APPROVED, "", outcome, now, err);
	xos_json_free(outcome);
	return st;
}

enum xos_status rca_join(struct rca_auth *a, const struct xos_rca_application *app,
    const char *code, int64_t now, char id[XOS_RCA_ID_LEN + 1], struct xos_err *err)
{
	struct rca_code c;

	id[0] = 0;
	enum xos_status st = rca_application_check(app, err);
	if (st == XOS_OK)
		st = find_admitted(a, app, id, err);
	if (st != XOS_OK || id[0])
		return st;
	st = xos_store_begin(a->db, err);
	if (st == XOS_OK)
		st = rca_code_take(a->db, code, app->node, now, &c, err);
	if (st == XOS_OK && strcmp(c.site, app->site) != 0)
		st = rca_code_refuse(err);
	if (st == XOS_OK)
		st = check_maker(a, &c, now, err);
	if (st == XOS_OK)
		st = admit_by_code(a, app, &c, now, id, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	if (st == XOS_OK)
		XOS_EVENT(XOS_INFO, "node.joined", "node", app->node, "site", app->site, "by", c.by,
		    "code", c.id);
	return st;
}
