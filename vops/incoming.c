#include "vops/incoming.h"

#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "vops/proposals.h"
#include "vops/scoped.h"
#include "vops/versions.h"

static enum xos_status put_node_set(struct vops_auth *a, const char *site, const char *node,
    struct xos_bytes compact, struct xos_err *err)
{
	struct xos_key *key = NULL;
	struct xos_siteset *set = NULL;
	int64_t now = xos_clock_now();
	enum xos_status st = vops_site_key(a->db, site, &key, err);

	if (st == XOS_OK)
		st = xos_nodeset_verify(key, site, node, compact, now, XOS_BUNDLE_SKEW, &set, err);
	if (st == XOS_OK)
		st = xos_store_begin(a->db, err);
	if (st == XOS_OK) {
		const struct vops_node_set s = {.node = node,
		    .serial = set->serial,
		    .expires = set->expires,
		    .compact = compact};

		st = vops_node_set_put(a->db, site, &s, now, err);
	}
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	if (st == XOS_OK)
		a->generation++;
	xos_siteset_free(set);
	xos_key_free(key);
	return st;
}

enum xos_status vops_incoming_node_set(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_reader r;
	struct xos_bytes compact = XOS_BYTES_NONE;
	char site[XOS_SITE_MAX + 1] = "", node[XOS_NODE_MAX + 1] = "";

	(void)from;
	(void)reply;
	xos_reader_init(&r, payload);
	xos_reader_lp_str(&r, site, sizeof(site));
	xos_reader_lp_str(&r, node, sizeof(node));
	xos_reader_lp(&r, XOS_SITESET_MAX, &compact);
	if (xos_reader_end(&r) != XOS_OK || !xos_name_is_site(site) || !xos_name_is_node(node))
		return xos_err_set(err, XOS_MALFORMED, "node-name", "no name of a site and node");
	enum xos_status st = put_node_set(ctx, site, node, compact, err);
	if (st == XOS_OK)
		XOS_EVENT(XOS_INFO, "node.set", "site", site, "node", node);
	else
		xos_event_err(XOS_WARN, "node.set.refused", err, "site", site, "node", node,
		    (const char *)NULL);
	return st;
}

static enum xos_status advance(struct vops_auth *a, bool *changed, struct xos_err *err)
{
	int64_t now = xos_clock_now();
	enum xos_status st = vops_versions_due(a->db, now, changed, err);

	return st == XOS_OK ? vops_proposals_due(a->db, now, err) : st;
}

void vops_incoming_time(void *ctx)
{
	struct vops_auth *a = ctx;
	struct xos_err err = XOS_ERR_INIT;
	char serial[24] = "";
	uint64_t in_force = 0;
	bool changed = false;
	enum xos_status st = advance(a, &changed, &err);

	if (st == XOS_OK && changed) {
		a->generation++;
		st = vops_version_serial(a->db, 0, &in_force, &err);
		xos_str_printf(serial, sizeof(serial), "%llu", (unsigned long long)in_force);
		XOS_EVENT(XOS_INFO, "policy.active", "serial", serial);
	}
	if (st != XOS_OK)
		xos_event_err(XOS_ERROR, "policy.planned", &err, (const char *)NULL);
}
