#include "vops/abilities.h"

#include <string.h>

#include "api/abilities.h"
#include "base/clock.h"
#include "base/event.h"
#include "policy/uses.h"
#include "store/sql.h"
#include "vops/standing.h"

/* One node held against one statement. */
struct hold {
	const struct xos_policy_set *set;
	const struct xos_policy_statement *s;
	const struct xos_json *doc, *service;
	const char *node, *action;
	struct xos_err *err;
	bool lacks;
};

static bool listed(const struct xos_json *obj, const char *key, const char *word)
{
	const struct xos_json *list = NULL;

	if (xos_json_get_array(obj, key, XOS_ABILITIES_ZONES_MAX, &list, NULL) != XOS_OK)
		return false;
	for (size_t i = 0; i < xos_json_count(list); i++) {
		const char *s = NULL;

		if (xos_json_as_string(xos_json_at(list, i), XOS_ABILITIES_WORD_MAX, &s, NULL) ==
		        XOS_OK &&
		    strcmp(s, word) == 0)
			return true;
	}
	return false;
}

static bool enforces(const struct xos_json *service, const char *cap, int64_t number)
{
	const struct xos_json *list = NULL;

	if (xos_json_get_array(service, "caps", XOS_ABILITIES_LIST_MAX, &list, NULL) != XOS_OK)
		return false;
	for (size_t i = 0; i < xos_json_count(list); i++) {
		const struct xos_json *o = xos_json_at(list, i);
		const char *name = NULL;
		int64_t least = 0;

		if (xos_json_get_string(o, "name", XOS_ABILITIES_WORD_MAX, &name, NULL) == XOS_OK &&
		    strcmp(name, cap) == 0 &&
		    xos_json_opt_int64(o, "least", 0, INT64_MAX, 0, &least, NULL) == XOS_OK)
			return number >= least || least == 0;
	}
	return false;
}

static bool lack(struct hold *h, const char *what, const char *name)
{
	const char *service = "?";
	struct xos_buf label;

	xos_buf_init(&label, 1000);
	xos_policy_statement_label(h->s, &label);
	(void)!xos_json_get_string(h->service, "service", XOS_ABILITIES_WORD_MAX, &service, NULL);
	xos_err_set(h->err, XOS_DENIED, "node-lacks",
	    "line %u: the statement %s names the %s %s, which %s on node %s does not know or "
	    "cannot "
	    "enforce; --force puts the set into force all the same",
	    xos_policy_statement_line(h->s), xos_buf_str(&label) ? xos_buf_str(&label) : "?", what,
	    name, service, h->node);
	xos_buf_free(&label);
	h->lacks = true;
	return false;
}

static bool hold_use(void *ctx, enum xos_policy_use use, const char *name, int64_t number)
{
	struct hold *h = ctx;

	switch (use) {
	case XOS_POLICY_USES_ATTRIBUTE:
		return !xos_policy_attr_goes_with(h->set, name, h->action) ||
		       listed(h->service, "attributes", name) || lack(h, "attribute", name);
	case XOS_POLICY_USES_CAP:
		return enforces(h->service, name, number) || lack(h, "limit", name);
	case XOS_POLICY_USES_DUTY:
		return listed(h->service, "duties", name) || lack(h, "duty", name);
	case XOS_POLICY_USES_ZONE:
		return !xos_json_has(h->doc, "zones") || listed(h->doc, "zones", name) ||
		       lack(h, "time zone", name);
	}
	return true;
}

/* Each action that one of the node's services carries out. */
static void hold_service(struct hold *h)
{
	const struct xos_json *actions = NULL;

	if (xos_json_get_array(h->service, "actions", XOS_ABILITIES_LIST_MAX, &actions, NULL) !=
	    XOS_OK)
		return;
	for (size_t i = 0; !h->lacks && i < xos_json_count(actions); i++)
		if (xos_json_as_string(xos_json_at(actions, i), XOS_ABILITIES_WORD_MAX, &h->action,
		        NULL) == XOS_OK &&
		    xos_policy_statement_acts(h->s, h->action))
			(void)xos_policy_statement_uses(h->s, hold_use, h);
}

static enum xos_status check_schema(const struct xos_json *doc, const struct xos_policy_set *set,
    const char *node, struct xos_err *err)
{
	int64_t schema = 0;
	enum xos_status st = xos_json_get_int64(doc, "schema", 1, 1000, &schema, err);

	if (st == XOS_OK && (int64_t)xos_policy_set_schema(set) > schema)
		st = xos_err_set(err, XOS_DENIED, "node-lacks",
		    "the set is of schema %u, and node %s knows schema %lld only: it would refuse "
		    "everything",
		    xos_policy_set_schema(set), node, (long long)schema);
	return st;
}

enum xos_status vops_abilities_hold(
    const struct xos_json *doc, const struct xos_policy_set *set, struct xos_err *err)
{
	const char *site = NULL, *node = NULL;
	const struct xos_json *services = NULL;
	enum xos_status st = xos_json_get_string(doc, "site", XOS_SITE_MAX, &site, err);

	if (st == XOS_OK)
		st = xos_json_get_string(doc, "node", XOS_NODE_MAX, &node, err);
	if (st == XOS_OK)
		st =
		    xos_json_get_array(doc, "services", XOS_ABILITIES_SERVICES_MAX, &services, err);
	if (st == XOS_OK)
		st = check_schema(doc, set, node, err);
	for (size_t i = 0; st == XOS_OK && i < xos_policy_set_count(set); i++) {
		struct hold h = {.set = set,
		    .s = xos_policy_set_statement(set, i),
		    .doc = doc,
		    .node = node,
		    .err = err};

		if (!xos_policy_statement_reaches(h.s, site, node))
			continue;
		for (size_t k = 0; !h.lacks && k < xos_json_count(services); k++) {
			h.service = xos_json_at(services, k);
			hold_service(&h);
		}
		if (h.lacks)
			st = XOS_DENIED;
	}
	return st;
}

enum xos_status vops_abilities_check(
    struct vops_auth *a, const struct xos_policy_set *set, int64_t now, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(a->db, &s, err,
	    "SELECT node, document FROM abilities WHERE told > ?1 ORDER BY node", "i",
	    now - VOPS_ABILITIES_AGE);

	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row) {
		struct xos_json *doc = NULL;

		if (!vops_standing_node(a, xos_stmt_text(s, 0), now))
			continue;
		st = xos_abilities_parse(xos_stmt_bytes(s, 1), &doc, err);
		if (st == XOS_OK)
			st = vops_abilities_hold(doc, set, err);
		xos_json_free(doc);
	}
	xos_stmt_done(s);
	return st;
}

static enum xos_status keep(struct vops_auth *a, const char *node, const char *site,
    struct xos_bytes document, struct xos_err *err)
{
	struct xos_key *key = NULL;
	int64_t now = xos_clock_now(), others = 0;
	enum xos_status st = vops_site_key(a->db, site, &key, err);

	xos_key_free(key);
	if (st == XOS_OK)
		st = xos_sql_int(a->db, &others, err,
		    "SELECT count(*) FROM abilities WHERE node <> ?1", "s", node);
	if (st == XOS_OK && others >= VOPS_ABILITIES_NODES_MAX)
		st = xos_err_set(err, XOS_LIMIT, "nodes-many", "too many nodes");
	if (st == XOS_OK)
		st = xos_sql_run(a->db, NULL, err,
		    "INSERT INTO abilities (node, site, document, told) VALUES (?1, ?2, ?3, ?4)"
		    " ON CONFLICT (node) DO UPDATE SET site = excluded.site,"
		    " document = excluded.document, told = excluded.told",
		    "ssbi", node, site, document, now);
	return st;
}

enum xos_status vops_abilities_take(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct vops_auth *a = ctx;
	struct xos_reader r;
	struct xos_bytes body = XOS_BYTES_NONE;
	struct xos_json *doc = NULL;
	char node[XOS_NODE_MAX + 1] = "";
	const char *site = NULL, *name = NULL;

	(void)from;
	(void)reply;
	xos_reader_init(&r, payload);
	xos_reader_lp_str(&r, node, sizeof(node));
	xos_reader_lp(&r, XOS_ABILITIES_MAX, &body);
	if (xos_reader_end(&r) != XOS_OK || !xos_name_is_node(node))
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "bad abilities");
	enum xos_status st = xos_abilities_parse(body, &doc, err);
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "site", XOS_SITE_MAX, &site, err);
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "node", XOS_NODE_MAX, &name, err);
	if (st == XOS_OK && strcmp(name, node) != 0)
		st = xos_err_set(err, XOS_DENIED, "token-name",
		    "the node %s cannot say what %s can do", node, name);
	if (st == XOS_OK)
		st = keep(a, node, site, body, err);
	if (st == XOS_OK)
		XOS_EVENT(XOS_INFO, "node.abilities", "node", node, "site", site);
	xos_json_free(doc);
	return st;
}

/* "jobd, datad" */
static void put_services(struct xos_json *v, struct xos_bytes document)
{
	struct xos_json *doc = NULL;
	const struct xos_json *list = NULL;
	struct xos_buf names;

	xos_buf_init(&names, 1024);
	if (xos_abilities_parse(document, &doc, NULL) == XOS_OK)
		(void)!xos_json_get_array(doc, "services", XOS_ABILITIES_SERVICES_MAX, &list, NULL);
	for (size_t i = 0; i < xos_json_count(list); i++) {
		const char *s = NULL;

		if (xos_json_get_string(xos_json_at(list, i), "service", XOS_ABILITIES_WORD_MAX, &s,
		        NULL) == XOS_OK) {
			xos_buf_put_str(&names, i ? ", " : "");
			xos_buf_put_str(&names, s);
		}
	}
	xos_json_set_string(v, "services", names.n ? xos_buf_str(&names) : NULL);
	xos_buf_free(&names);
	xos_json_free(doc);
}

enum xos_status vops_abilities_list(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = XOS_JSON_ONLY(c->args, err, NULL);

	if (st == XOS_OK)
		st = xos_sql_query(a->db, &s, err,
		    "SELECT node, site, told, document FROM abilities ORDER BY node", "");
	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row) {
		struct xos_json *v = xos_json_object();

		xos_json_set_string(v, "node", xos_stmt_text(s, 0));
		xos_json_set_string(v, "site", xos_stmt_text(s, 1));
		xos_json_set_time(v, "told", xos_stmt_int(s, 2));
		put_services(v, xos_stmt_bytes(s, 3));
		xos_json_add(list, v);
	}
	xos_stmt_done(s);
	xos_json_set(doc, "nodes", list);
	if (st == XOS_OK)
		*result = doc;
	else
		xos_json_free(doc);
	return st;
}
