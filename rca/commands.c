/* What administrators and approvers may ask of the resource authority: the table, and applications. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "rca/admit.h"
#include "rca/codes.h"
#include "rca/commands.h"

static enum xos_status fingerprint(
    struct xos_json *obj, const struct xos_buf *csr, struct xos_err *err)
{
	char text[XOS_FINGERPRINT_TEXT];
	enum xos_status st = rca_csr_fingerprint(csr, text, err);

	if (st == XOS_OK)
		xos_json_set_string(obj, "fingerprint", text);
	return st;
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

enum xos_status rca_applications_seen(struct rca_auth *a, const struct rca_call *call,
    const char *what, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *list = xos_json_array();
	char(*ids)[XOS_RCA_ID_LEN + 1] = NULL;
	size_t n = 0;
	enum xos_status st = rca_application_pending(a->db, &ids, &n, err);

	for (size_t i = 0; st == XOS_OK && i < n; i++) {
		struct rca_application *row = NULL;
		struct xos_json *one = NULL;

		st = rca_application_get(a->db, ids[i], &row, err);
		if (st == XOS_OK && what && strcmp(what, row->id) != 0 &&
		    strcmp(what, row->app->node) != 0)
			goto next;
		if (st == XOS_OK && !rca_call_sees(a, call, row->app->site))
			goto next;
		if (st == XOS_OK)
			st = describe(row, &one, err);
		if (st == XOS_OK)
			xos_json_add(list, one);
	next:
		rca_application_free(row);
	}
	free(ids);
	if (st != XOS_OK) {
		xos_json_free(list);
		return st;
	}
	*out = list;
	return XOS_OK;
}

static enum xos_status do_applications(
    struct rca_auth *a, struct rca_call *call, struct xos_json **result, struct xos_err *err)
{
	struct xos_json *list = NULL;
	enum xos_status st = XOS_JSON_ONLY(call->c->args, err, NULL);

	if (st == XOS_OK)
		st = rca_applications_seen(a, call, NULL, &list, err);
	if (st == XOS_OK) {
		*result = xos_json_object();
		xos_json_set(*result, "applications", list);
	}
	return st;
}

/* The approver may have compared the key with the node's owner: it is the key of this very application. */
static enum xos_status check_fingerprint(
    const struct xos_rca_application *app, const char *want, struct xos_err *err)
{
	char have[XOS_FINGERPRINT_TEXT];
	uint8_t digest[XOS_SHA256_LEN];
	enum xos_status st = xos_fingerprint_parse(want, digest, err);

	if (st == XOS_OK)
		st = rca_csr_fingerprint(&app->csr, have, err);
	if (st != XOS_OK)
		return st;
	char text[XOS_FINGERPRINT_TEXT];
	xos_fingerprint_text(digest, text);
	return strcmp(text, have) == 0 ? XOS_OK
	                               : xos_err_set(err, XOS_DENIED, "fingerprint",
	                                     "the key of this application is %s: it is not the "
	                                     "machine that was expected",
	                                     have);
}

static enum xos_status approve(struct rca_auth *a, struct rca_call *call,
    const struct rca_application *row, bool again, struct xos_err *err)
{
	char digest[2 * XOS_SHA256_LEN + 1];
	const char *by = call->who.name;
	const struct rca_admitting how = {
	    .how = {.by = by, .again = again}, .by = by, .digest = digest};
	struct xos_json *outcome = NULL;

	xos_hex_encode(digest, call->c->digest, XOS_SHA256_LEN);
	enum xos_status st = xos_store_begin(a->db, err);
	if (st == XOS_OK)
		st = rca_admit_node(a, row->app, &how, call->now, &outcome, err);
	if (st == XOS_OK)
		st = rca_application_decide(
		    a->db, row->id, XOS_RCA_APPROVED, "", outcome, call->now, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	xos_json_free(outcome);
	/* What stood in the lock list for a node of that name that left is over. */
	rca_auth_forget_locks(a);
	return st;
}

static enum xos_status do_approve(
    struct rca_auth *a, struct rca_call *call, struct xos_json **result, struct xos_err *err)
{
	struct rca_application *row = NULL;
	const char *id = NULL, *want = NULL;
	bool again = false;
	enum xos_status st = XOS_JSON_ONLY(call->c->args, err, "id", "fingerprint", "again");

	if (st == XOS_OK)
		st = xos_json_get_string(call->c->args, "id", XOS_RCA_ID_LEN, &id, err);
	if (st == XOS_OK)
		st = xos_json_opt_string(
		    call->c->args, "fingerprint", XOS_FINGERPRINT_TEXT - 1, &want, err);
	if (st == XOS_OK)
		st = xos_json_opt_bool(call->c->args, "again", false, &again, err);
	if (st == XOS_OK)
		st = rca_application_get(a->db, id, &row, err);
	if (st == XOS_OK && row->state != XOS_RCA_PENDING)
		st = xos_err_set(err, XOS_CONFLICT, "decided", "this application was %s before",
		    xos_rca_state_name(row->state));
	if (st == XOS_OK && want)
		st = check_fingerprint(row->app, want, err);
	if (st == XOS_OK)
		st = approve(a, call, row, again, err);
	if (st == XOS_OK) {
		*result = xos_json_object();
		xos_json_set_string(*result, "node", row->app->node);
		xos_json_set_string(*result, "site", row->app->site);
	}
	rca_application_free(row);
	return st;
}

static enum xos_status do_deny(
    struct rca_auth *a, struct rca_call *call, struct xos_json **result, struct xos_err *err)
{
	const char *id = NULL, *message = NULL;
	enum xos_status st = XOS_JSON_ONLY(call->c->args, err, "id", "message");

	(void)result;
	if (st == XOS_OK)
		st = xos_json_get_string(call->c->args, "id", XOS_RCA_ID_LEN, &id, err);
	if (st == XOS_OK)
		st = xos_json_opt_string(call->c->args, "message", 200, &message, err);
	return st == XOS_OK ? rca_application_decide(a->db, id, XOS_RCA_DENIED,
	                          message ? message : "", NULL, call->now, err)
	                    : st;
}

/* --- who may --- */

enum need {
	ADMIN, /* a VO administrator */
	LOOK,  /* an administrator, or an approver of some site: the handler shows what is theirs */
	STOP,  /* of the site that the command is about: an administrator or an approver */
	APPROVE, /* of that site: whoever approves there */
};

static enum xos_status of_application(
    struct rca_auth *a, const struct xos_json *args, char *site, struct xos_err *err)
{
	struct rca_application *row = NULL;
	const char *id = NULL;
	enum xos_status st = xos_json_get_string(args, "id", XOS_RCA_ID_LEN, &id, err);

	if (st == XOS_OK)
		st = rca_application_get(a->db, id, &row, err);
	if (st == XOS_OK)
		memcpy(site, row->app->site, XOS_SITE_MAX + 1);
	rca_application_free(row);
	return st;
}

static enum xos_status of_node(
    struct rca_auth *a, const struct xos_json *args, char *site, struct xos_err *err)
{
	const char *node = NULL;
	enum xos_status st = xos_json_get_string(args, "node", XOS_NODE_MAX, &node, err);

	return st == XOS_OK ? rca_node_site(a->db, node, site, err) : st;
}

static enum xos_status of_site(
    struct rca_auth *a, const struct xos_json *args, char *site, struct xos_err *err)
{
	enum xos_status st = xos_json_copy_string(args, "site", site, XOS_SITE_MAX + 1, err);

	(void)a;
	if (st == XOS_OK && !xos_name_is_site(site))
		st = xos_json_refuse(args, err, "\"%s\" is no site name", site);
	return st;
}

static enum xos_status of_code(
    struct rca_auth *a, const struct xos_json *args, char *site, struct xos_err *err)
{
	struct rca_code code;
	const char *id = NULL;
	enum xos_status st = xos_json_get_string(args, "id", RCA_CODE_ID_LEN, &id, err);

	if (st == XOS_OK)
		st = rca_code_get(a->db, id, &code, err);
	if (st == XOS_OK)
		memcpy(site, code.site, sizeof(code.site));
	return st;
}

static const struct verb {
	const char *name;
	enum need need;
	enum xos_status (*site)(
	    struct rca_auth *a, const struct xos_json *args, char *site, struct xos_err *err);
	rca_command_fn run;
} verbs[] = {
    {"node.applications", LOOK, NULL, do_applications},
    {"node.approve", APPROVE, of_application, do_approve},
    {"node.deny", STOP, of_application, do_deny},
    {"node.ban", STOP, of_node, rca_command_ban},
    {"node.unban", STOP, of_node, rca_command_unban},
    {"node.remove", STOP, of_node, rca_command_remove},
    {"node.describe", LOOK, NULL, rca_command_describe},
    {"site.register", ADMIN, of_site, rca_command_site_register},
    {"site.remove", ADMIN, of_site, rca_command_site_remove},
    {"site.list", LOOK, NULL, rca_command_site_list},
    {"code.make", APPROVE, of_site, rca_command_code_make},
    {"code.list", LOOK, NULL, rca_command_code_list},
    {"code.revoke", STOP, of_code, rca_command_code_revoke},
};

static const struct verb *find(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

bool rca_call_sees(struct rca_auth *a, const struct rca_call *call, const char *site)
{
	return rca_may_see(a, &call->who, site, call->now);
}

enum xos_status rca_command_allow(struct rca_auth *a, struct rca_call *call, struct xos_err *err)
{
	const struct verb *v = find(call->c->verb);
	enum xos_status st = XOS_OK;

	/* Nobody but administrators and approvers is told which verbs, nodes and applications there are. */
	if (call->who.why->status != XOS_OK)
		st = rca_may_look(a, &call->who, call->now, err);
	if (st == XOS_OK && !v)
		st = xos_err_set(err, XOS_MALFORMED, "unknown-verb",
		    "the resource authority knows no command %s", call->c->verb);
	if (st == XOS_OK && v->site)
		st = v->site(a, call->c->args, call->site, err);
	if (st != XOS_OK)
		return st;
	if (v->need == APPROVE)
		return rca_may_approve(a, &call->who, call->site, call->now, &call->side, err);
	if (v->need == STOP)
		return rca_may_stop(a, &call->who, call->site, call->now, &call->side, err);
	if (v->need == ADMIN && call->who.why->status != XOS_OK) {
		if (err)
			*err = *call->who.why;
		return call->who.why->status;
	}
	return XOS_OK;
}

enum xos_status rca_auth_command(
    struct rca_auth *a, struct rca_call *call, struct xos_json **result, struct xos_err *err)
{
	const struct verb *v = find(call->c->verb);

	return v ? v->run(a, call, result, err)
	         : xos_err_set(err, XOS_INTERNAL, "unknown-verb", "a command that was not allowed");
}
