/* What administrators may ask of the resource authority, one handler a verb. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "pki/csr.h"
#include "rca/auth.h"
#include "rca/generations.h"

static enum xos_status fingerprint(
    struct xos_json *obj, const struct xos_buf *csr, struct xos_err *err)
{
	struct xos_csr parsed;
	char text[XOS_FINGERPRINT_TEXT];
	enum xos_status st = xos_csr_parse(xos_buf_bytes(csr), &parsed, err);

	if (st != XOS_OK)
		return st;
	xos_fingerprint_text(parsed.spki_sha256, text);
	xos_json_set_string(obj, "fingerprint", text);
	return XOS_OK;
}

/* For the approver: what the node says of itself, and the fingerprints of the keys it proved. */
static enum xos_status describe(
    const struct rca_application *row, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *services = xos_json_array();
	const char *hosts[XOS_RCA_HOSTS_MAX];
	const struct xos_rca_application *app = row->app;

	for (size_t i = 0; i < app->nhosts; i++)
		hosts[i] = app->hosts[i];
	xos_json_set_string(doc, "id", row->id);
	xos_json_set_string(doc, "node", app->node);
	xos_json_set_string(doc, "site", app->site);
	xos_json_set_time(doc, "created", row->created);
	xos_json_set_strings(doc, "hosts", hosts, app->nhosts);
	xos_json_set(doc, "about", xos_json_copy(app->about));
	enum xos_status st = fingerprint(doc, &app->csr, err);
	for (size_t i = 0; st == XOS_OK && i < app->nservices; i++) {
		struct xos_json *s = xos_json_object();

		xos_json_set_string(s, "kind", app->services[i].kind);
		xos_json_set_string(s, "url", app->services[i].url);
		st = fingerprint(s, &app->services[i].csr, err);
		xos_json_add(services, s);
	}
	xos_json_set(doc, "services", services);
	if (st != XOS_OK) {
		xos_json_free(doc);
		return st;
	}
	*out = doc;
	return XOS_OK;
}

static enum xos_status do_applications(
    struct rca_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	struct xos_json *doc = NULL, *list = NULL;
	char(*ids)[XOS_RCA_ID_LEN + 1] = NULL;
	size_t n = 0;
	enum xos_status st = XOS_JSON_ONLY(c->args, err, NULL);

	if (st == XOS_OK)
		st = rca_application_pending(a->db, &ids, &n, err);
	list = xos_json_array();
	for (size_t i = 0; st == XOS_OK && i < n; i++) {
		struct rca_application *row = NULL;
		struct xos_json *one = NULL;

		st = rca_application_get(a->db, ids[i], &row, err);
		if (st == XOS_OK)
			st = describe(row, &one, err);
		if (st == XOS_OK)
			xos_json_add(list, one);
		rca_application_free(row);
	}
	doc = xos_json_object();
	xos_json_set(doc, "applications", list);
	free(ids);
	if (st != XOS_OK) {
		xos_json_free(doc);
		return st;
	}
	*result = doc;
	return XOS_OK;
}

static enum xos_status certify(struct rca_auth *a, const struct xos_command *c,
    const struct xos_rca_application *app, const char *service, const struct xos_buf *csr,
    struct xos_json **chain, struct xos_err *err)
{
	struct rca_issue_request r;

	rca_issue_request_init(&r);
	enum xos_status st = XOS_OK;
	if (!xos_str_copy(r.service, sizeof(r.service), service) ||
	    !xos_str_copy(r.name, sizeof(r.name), app->node) ||
	    !xos_str_copy(r.by, sizeof(r.by), c->signer->claims->name))
		st = xos_err_set(err, XOS_INTERNAL, "approve", "a name does not fit");
	memcpy(r.hosts, app->hosts, sizeof(r.hosts));
	r.nhosts = app->nhosts;
	xos_hex_encode(r.digest, c->digest, XOS_SHA256_LEN);
	xos_buf_put(&r.csr, csr->p, csr->n);
	if (st == XOS_OK)
		st = rca_auth_issue(a, &r, chain, err);
	if (st == XOS_OK)
		st = rca_auth_begin(a, app->node, service, *chain, err);
	rca_issue_request_free(&r);
	return st;
}

/* The node's certificate and those of its services, as the outcome that the node will fetch. */
static enum xos_status certify_all(struct rca_auth *a, const struct xos_command *c,
    const struct xos_rca_application *app, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *outcome = NULL, *services = xos_json_array();
	enum xos_status st = certify(a, c, app, "", &app->csr, &outcome, err);

	for (size_t i = 0; st == XOS_OK && i < app->nservices; i++) {
		struct xos_json *one = NULL;

		st = certify(a, c, app, app->services[i].kind, &app->services[i].csr, &one, err);
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

static enum xos_status do_approve(
    struct rca_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	struct rca_application *row = NULL;
	struct xos_json *outcome = NULL;
	const char *id = NULL;
	int64_t now = xos_clock_now();
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "id");

	if (st == XOS_OK)
		st = xos_json_get_string(c->args, "id", XOS_RCA_ID_LEN, &id, err);
	if (st == XOS_OK)
		st = rca_application_get(a->db, id, &row, err);
	if (st == XOS_OK && row->state != XOS_RCA_PENDING)
		st = xos_err_set(err, XOS_CONFLICT, "decided", "this application was %s before",
		    xos_rca_state_name(row->state));
	if (st == XOS_OK)
		st = xos_store_begin(a->db, err);
	/* The name first: nothing is signed for one that is taken. */
	if (st == XOS_OK)
		st = rca_node_admit(a->db, row->app, now, err);
	if (st == XOS_OK)
		st = certify_all(a, c, row->app, &outcome, err);
	if (st == XOS_OK)
		st = rca_application_decide(a->db, id, XOS_RCA_APPROVED, "", outcome, now, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	if (st == XOS_OK) {
		*result = xos_json_object();
		xos_json_set_string(*result, "node", row->app->node);
		xos_json_set_string(*result, "site", row->app->site);
	}
	xos_json_free(outcome);
	rca_application_free(row);
	return st;
}

static enum xos_status do_deny(
    struct rca_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	const char *id = NULL, *message = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "id", "message");

	(void)result;
	if (st == XOS_OK)
		st = xos_json_get_string(c->args, "id", XOS_RCA_ID_LEN, &id, err);
	if (st == XOS_OK)
		st = xos_json_opt_string(c->args, "message", 200, &message, err);
	return st == XOS_OK ? rca_application_decide(a->db, id, XOS_RCA_DENIED,
	                          message ? message : "", NULL, xos_clock_now(), err)
	                    : st;
}

void rca_auth_forget_locks(struct rca_auth *a)
{
	xos_buf_free(&a->locks);
	xos_buf_init(&a->locks, XOS_LOCKS_MAX);
}

static enum xos_status do_ban(
    struct rca_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	const char *node = NULL, *message = NULL;
	int64_t now = xos_clock_now(), until = XOS_LOCK_NO_END;
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "node", "until", "message");

	(void)result;
	if (st == XOS_OK)
		st = xos_json_get_string(c->args, "node", XOS_NODE_MAX, &node, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(c->args, "until", XOS_LOCK_NO_END, &until, err);
	if (st == XOS_OK && until <= now)
		st = xos_json_refuse(c->args, err, "until: a ban must end in the future");
	if (st == XOS_OK)
		st = xos_json_opt_string(c->args, "message", XOS_LOCK_MESSAGE_MAX, &message, err);
	if (st == XOS_OK)
		st = rca_node_ban(a->db, node, now, until, message ? message : "", err);
	rca_auth_forget_locks(a);
	return st;
}

static enum xos_status do_unban(
    struct rca_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	const char *node = NULL, *accept = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "node", "accept");

	(void)result;
	if (st == XOS_OK)
		st = xos_json_get_string(c->args, "node", XOS_NODE_MAX, &node, err);
	if (st == XOS_OK)
		st = xos_json_opt_string(c->args, "accept", XOS_FINGERPRINT_TEXT - 1, &accept, err);
	if (st == XOS_OK)
		st = xos_store_begin(a->db, err);
	if (st == XOS_OK)
		st = rca_generation_unlock(a->db, node, accept, xos_clock_now(), err);
	if (st == XOS_OK)
		st = rca_node_unban(a->db, node, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	rca_auth_forget_locks(a);
	return st;
}

static const struct {
	const char *verb;
	enum xos_status (*run)(struct rca_auth *a, struct xos_command *c, struct xos_json **result,
	    struct xos_err *err);
} verbs[] = {
    {"node.applications", do_applications},
    {"node.approve", do_approve},
    {"node.deny", do_deny},
    {"node.ban", do_ban},
    {"node.unban", do_unban},
};

enum xos_status rca_auth_command(
    struct rca_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].verb, c->verb) == 0)
			return verbs[i].run(a, c, result, err);
	}
	return xos_err_set(err, XOS_MALFORMED, "unknown-verb",
	    "the resource authority knows no command %s", c->verb);
}
